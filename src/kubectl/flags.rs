//! Command-line flags as cobra and pflag read them: `--name=value`, `--name value`, `-n value`, `-nvalue`,
//! joined short switches, `--` and interspersed arguments; with their error messages.

use std::collections::BTreeMap;

use api::Str;

use crate::failure::Failure;

/// A flag that a command knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    pub name: &'static str,
    /// `\0` if it has no short form.
    pub short: char,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Takes no value unless with `=`: `--wait`, `--wait=false`.
    Switch,
    /// Takes a value.
    Text,
    /// Takes a value when with `=`; alone it means this.
    Optional(&'static str),
    Number,
    /// May be repeated; values may also be separated by commas.
    Many,
    /// May be repeated; commas are part of the value.
    Array,
    /// A Go duration, kept as text.
    Duration,
}

pub(crate) const fn switch(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Switch,
    }
}

pub(crate) const fn text(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Text,
    }
}

pub(crate) const fn number(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Number,
    }
}

pub(crate) const fn many(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Many,
    }
}

pub(crate) const fn array(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Array,
    }
}

pub(crate) const fn duration(name: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Duration,
    }
}

pub(crate) const fn optional(name: &'static str, alone: &'static str) -> Flag {
    Flag {
        name,
        short: '\0',
        kind: Kind::Optional(alone),
    }
}

impl Flag {
    pub(crate) const fn short(mut self, short: char) -> Flag {
        self.short = short;
        self
    }
}

/// Flags of every command.
pub(crate) const GLOBAL: &[Flag] = &[
    text("namespace").short('n'),
    text("kubeconfig"),
    text("context"),
    text("cluster"),
    text("user"),
    text("server").short('s'),
    text("request-timeout"),
    text("as"),
    array("as-group"),
    text("token"),
    switch("insecure-skip-tls-verify"),
    text("certificate-authority"),
    text("client-certificate"),
    text("client-key"),
    text("cache-dir"),
    number("v").short('v'),
    switch("match-server-version"),
    switch("warnings-as-errors"),
    switch("help").short('h'),
];

/// Flags of every command that prints objects by templates.
const PRINTING: &[Flag] = &[
    switch("allow-missing-template-keys"),
    switch("show-managed-fields"),
];

/// What was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    values: BTreeMap<&'static str, Vec<Str>>,
    /// What is no flag, in order, without what follows `--`.
    pub args: Vec<Str>,
    /// What follows `--`, if it was given.
    pub after_dashes: Option<Vec<Str>>,
}

impl Given {
    /// Reads `args` (after the command's own words) by `flags` and [`GLOBAL`].
    pub(crate) fn parse(command: &str, flags: &[Flag], args: &[Str]) -> Result<Given, Failure> {
        let mut given = Given::default();
        let printing = if flags.iter().any(|flag| flag.name == "template") {
            PRINTING
        } else {
            &[]
        };
        let known = || flags.iter().chain(printing).chain(GLOBAL);
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            if arg == "--" {
                given.after_dashes = Some(args[at..].to_vec());
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                let (name, inline) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(Str::new(value))),
                    None => (long, None),
                };
                let Some(flag) = known().find(|flag| flag.name == name) else {
                    return Err(unknown(command, &format!("unknown flag: --{name}")));
                };
                let value = match (inline, flag.kind) {
                    (Some(value), _) => value,
                    (None, Kind::Switch) => Str::from("true"),
                    (None, Kind::Optional(alone)) => Str::from(alone),
                    (None, _) => match args.get(at) {
                        Some(value) => {
                            at += 1;
                            value.clone()
                        }
                        None => {
                            return Err(unknown(
                                command,
                                &format!("flag needs an argument: --{name}"),
                            ));
                        }
                    },
                };
                given.set(command, flag, value)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                let letters: Vec<char> = arg.chars().skip(1).collect();
                let mut i = 0;
                while i < letters.len() {
                    let letter = letters[i];
                    i += 1;
                    let Some(flag) = known().find(|flag| flag.short == letter) else {
                        let rest: String = letters.iter().collect();
                        return Err(unknown(
                            command,
                            &format!("unknown shorthand flag: {letter:?} in -{rest}"),
                        ));
                    };
                    let rest: String = letters[i..].iter().collect();
                    let value = if let Some(value) = rest.strip_prefix('=') {
                        i = letters.len();
                        Str::new(value)
                    } else if flag.kind == Kind::Switch {
                        Str::from("true")
                    } else if let Kind::Optional(alone) = flag.kind {
                        Str::from(alone)
                    } else if !rest.is_empty() {
                        i = letters.len();
                        Str::new(&rest)
                    } else if let Some(value) = args.get(at) {
                        at += 1;
                        value.clone()
                    } else {
                        let all: String = letters.iter().collect();
                        return Err(unknown(
                            command,
                            &format!("flag needs an argument: {letter:?} in -{all}"),
                        ));
                    };
                    given.set(command, flag, value)?;
                }
            } else {
                given.args.push(arg.clone());
            }
        }
        if given.switch("help") {
            return Err(Failure::Help {
                command: command.to_owned(),
                flags: [flags, printing].concat(),
            });
        }
        Ok(given)
    }

    fn set(&mut self, command: &str, flag: &Flag, value: Str) -> Result<(), Failure> {
        let name = if flag.short == '\0' {
            format!("--{}", flag.name)
        } else {
            format!("-{}, --{}", flag.short, flag.name)
        };
        let bad = |why: &str| {
            Err(unknown(
                command,
                &format!(
                    "invalid argument {:?} for {name:?} flag: {why}",
                    value.as_str()
                ),
            ))
        };
        match flag.kind {
            Kind::Switch if parse_bool(&value).is_none() => {
                return bad(&format!(
                    "strconv.ParseBool: parsing {:?}: invalid syntax",
                    value.as_str()
                ));
            }
            Kind::Number if value.parse::<i64>().is_err() => {
                return bad(&format!(
                    "strconv.ParseInt: parsing {:?}: invalid syntax",
                    value.as_str()
                ));
            }
            Kind::Many => {
                let values = self.values.entry(flag.name).or_default();
                values.extend(value.split(',').map(Str::new));
                return Ok(());
            }
            Kind::Array => {
                self.values.entry(flag.name).or_default().push(value);
                return Ok(());
            }
            _ => {}
        }
        self.values.insert(flag.name, vec![value]);
        Ok(())
    }

    /// Whether the flag was given at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether objects are named by `-f` or `-k`.
    pub(crate) fn names_files(&self) -> bool {
        self.has("filename") || self.has("kustomize")
    }

    /// Takes a flag back: where it means something else to what reads it next.
    pub(crate) fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// The value of a text flag; empty if it was not given.
    pub(crate) fn text(&self, name: &str) -> Str {
        self.values
            .get(name)
            .and_then(|v| v.last())
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn switch(&self, name: &str) -> bool {
        self.switch_or(name, false)
    }

    pub(crate) fn switch_or(&self, name: &str, default: bool) -> bool {
        self.values
            .get(name)
            .and_then(|v| v.last())
            .and_then(|v| parse_bool(v))
            .unwrap_or(default)
    }

    /// The span of a duration flag (`1m30s`); `None` if it was not given.
    pub(crate) fn span(&self, name: &str) -> Result<Option<sim::Micros>, Failure> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let nanos = api::duration::parse(&text).map_err(|why| Failure::error(why.to_string()))?;
        Ok(Some(nanos.max(0) as u64 / 1_000))
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.values.get(name)?.last()?.parse().ok()
    }

    pub(crate) fn all(&self, name: &str) -> &[Str] {
        self.values.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Go's `strconv.ParseBool`.
fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn unknown(command: &str, message: &str) -> Failure {
    Failure::Exit {
        code: 1,
        message: format!("error: {message}\nSee 'kubectl {command} --help' for usage.\n"),
    }
}
