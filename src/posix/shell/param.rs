//! `$name` and `${name…}`: what a parameter gives.

use super::expand::{Assigned, Expanded, Expander, Fields, Stop};
use super::pattern::matches_chars;
use super::vars::Value;
use crate::syntax::{Index, Param, ParamOp, ReplaceAt};
use std::sync::Arc;

/// The value of a parameter.
pub(crate) enum Values {
    One(Arc<str>),
    /// `$@`, `$*`, `${a[@]}`, `${a[*]}`.
    Many {
        items: Vec<Arc<str>>,
        joined: bool,
    },
}

impl Expander<'_> {
    /// Expands a parameter. `None`: it put its fields itself, or there is nothing.
    pub(crate) fn param(
        &mut self,
        p: &Param,
        quoted: bool,
        fields: &mut Fields,
    ) -> Expanded<Option<Values>> {
        let value = self.lookup(p)?;
        let (set, empty) = match &value {
            None => (false, true),
            Some(Values::One(text)) => (true, text.is_empty()),
            Some(Values::Many { items, .. }) => {
                (!items.is_empty(), items.iter().all(|i| i.is_empty()))
            }
        };
        let missing = |colon: bool| !set || colon && empty;
        match &p.op {
            ParamOp::Default { colon, word } => {
                if missing(*colon) {
                    return self.word_value(word, quoted, fields);
                }
                Ok(value)
            }
            ParamOp::Alternative { colon, word } => {
                if missing(*colon) {
                    return Ok(None);
                }
                self.word_value(word, quoted, fields)
            }
            ParamOp::Assign { colon, word } => {
                if !missing(*colon) {
                    return Ok(value);
                }
                let text: Arc<str> = self.text(word)?.into();
                if !crate::syntax::is_name(&p.name) {
                    return Err(Stop::Fail(format!(
                        "${}: cannot assign in this way",
                        p.name
                    )));
                }
                let index = match &p.index {
                    Some(Index::At(word)) => Some(self.subscript(&p.name, word)?),
                    _ => None,
                };
                self.assigned.push(Assigned {
                    name: p.name.to_string(),
                    index,
                    value: text.clone(),
                });
                Ok(Some(Values::One(text)))
            }
            ParamOp::Error { colon, word } => {
                if !missing(*colon) {
                    return Ok(value);
                }
                let mut text = self.text(word)?;
                if text.is_empty() {
                    text = if *colon {
                        "parameter null or not set".into()
                    } else {
                        "parameter not set".into()
                    };
                }
                Err(Stop::Unset(format!("{}: {text}", p.name)))
            }
            ParamOp::Bad(text) => Err(Stop::Fail(format!("{text}: bad substitution"))),
            ParamOp::Keys => {
                let keys = match self.sh.vars.get(&p.name).and_then(|v| v.value.as_ref()) {
                    Some(value) => value.keys(),
                    None => Vec::new(),
                };
                Ok(Some(Values::Many {
                    items: keys,
                    joined: matches!(p.index, Some(Index::Joined)),
                }))
            }
            ParamOp::Length => {
                self.unset_is_error(p, set)?;
                let length = match &value {
                    Some(Values::Many { items, .. }) => items.len(),
                    Some(Values::One(text)) => text.chars().count(),
                    None => 0,
                };
                Ok(Some(Values::One(length.to_string().into())))
            }
            ParamOp::Indirect => {
                let Some(Values::One(name)) = value else {
                    return Ok(None);
                };
                let target = Param {
                    name: (*name).into(),
                    index: None,
                    op: ParamOp::Value,
                };
                self.lookup(&target)
            }
            op => {
                self.unset_is_error(p, set)?;
                let Some(value) = value else {
                    return Ok(None);
                };
                self.transform(op, value, p.index.is_none(), &p.name)
                    .map(Some)
            }
        }
    }

    fn unset_is_error(&self, p: &Param, set: bool) -> Expanded<()> {
        let list =
            matches!(&*p.name, "@" | "*") || matches!(p.index, Some(Index::All | Index::Joined));
        if set || !self.sh.options.nounset || list {
            return Ok(());
        }
        let text = match self.sh.dialect {
            crate::syntax::Dialect::Bash => "unbound variable",
            _ => "parameter not set",
        };
        Err(Stop::Unset(format!("{}: {text}", p.name)))
    }

    /// The word of `${x:-word}`, which keeps its own quoting.
    fn word_value(
        &mut self,
        word: &[crate::syntax::Part],
        quoted: bool,
        fields: &mut Fields,
    ) -> Expanded<Option<Values>> {
        if quoted {
            return Ok(Some(Values::One(self.text(word)?.into())));
        }
        for part in word {
            // Unquoted text in the word splits like a value.
            match part {
                crate::syntax::Part::Lit(text) => {
                    let ifs = self
                        .variable("IFS")
                        .map_or_else(|| " \t\n".to_string(), |t| t.to_string());
                    fields.value(text, &ifs);
                }
                other => self.parts(std::slice::from_ref(other), fields)?,
            }
        }
        Ok(None)
    }

    pub(crate) fn subscript(
        &mut self,
        name: &str,
        word: &[crate::syntax::Part],
    ) -> Expanded<String> {
        let text = self.text(word)?;
        let is_map = matches!(
            self.sh.vars.get(name).and_then(|v| v.value.as_ref()),
            Some(Value::Map(_))
        );
        if is_map {
            return Ok(text);
        }
        Ok(self.number(&text)?.to_string())
    }

    fn lookup(&mut self, p: &Param) -> Expanded<Option<Values>> {
        match &p.index {
            Some(Index::At(word)) => {
                let key = self.subscript(&p.name, word)?;
                if &*p.name == "PIPESTATUS" {
                    let all = self.sh.pipe_status();
                    let found = key.parse().ok().and_then(|i: usize| all.get(i).cloned());
                    return Ok(found.map(Values::One));
                }
                if &*p.name == "FUNCNAME" {
                    return Ok(self
                        .sh
                        .function_name()
                        .filter(|_| key == "0")
                        .map(Values::One));
                }
                return Ok(self.element(&p.name, &key).map(Values::One));
            }
            Some(which) => {
                let items = match &*p.name {
                    "PIPESTATUS" => self.sh.pipe_status(),
                    name => self
                        .sh
                        .vars
                        .get(name)
                        .and_then(|v| v.value.as_ref())
                        .map(Value::all)
                        .unwrap_or_default(),
                };
                return Ok(Some(Values::Many {
                    items,
                    joined: *which == Index::Joined,
                }));
            }
            None => {}
        }
        if &*p.name == "@" || &*p.name == "*" {
            return Ok(Some(Values::Many {
                items: self.sh.args.to_vec(),
                joined: &*p.name == "*",
            }));
        }
        if let Some(text) = self.special(&p.name) {
            return Ok(Some(Values::One(text.into())));
        }
        if let Ok(n) = p.name.parse::<usize>() {
            return Ok(match n {
                0 => Some(Values::One(self.sh.name.clone())),
                n => self.sh.args.get(n - 1).cloned().map(Values::One),
            });
        }
        Ok(self.variable(&p.name).map(Values::One))
    }

    /// Parameters that are not variables.
    pub(crate) fn special(&mut self, name: &str) -> Option<String> {
        let sh = self.sh;
        Some(match name {
            "?" => sh.status.to_string(),
            "#" => sh.args.len().to_string(),
            "$" => sh.pid.to_string(),
            "!" => sh.last_background.map(|p| p.to_string())?,
            "-" => sh
                .options
                .letters(sh.interactive, sh.dialect == crate::syntax::Dialect::Bash),
            "PPID" => sh.parent.to_string(),
            "LINENO" => sh.line.to_string(),
            "UID" | "EUID" if sh.dialect == crate::syntax::Dialect::Bash => {
                self.files.user.uid.to_string()
            }
            "BASHPID" if sh.dialect == crate::syntax::Dialect::Bash => sh.own_pid.to_string(),
            "SECONDS"
                if self.sh.vars.get(name).is_none()
                    && sh.dialect != crate::syntax::Dialect::Dash =>
            {
                ((self.files.now - sh.started) / 1_000_000).to_string()
            }
            "EPOCHSECONDS" => (self.files.now / 1_000_000).to_string(),
            "EPOCHREALTIME" => format!(
                "{}.{:06}",
                self.files.now / 1_000_000,
                self.files.now % 1_000_000
            ),
            "RANDOM" if sh.dialect != crate::syntax::Dialect::Dash => {
                // The step of a 64-bit linear congruential generator (Knuth's MMIX constants).
                self.random = self
                    .random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                ((self.random >> 40) & 0x7fff).to_string()
            }
            "PIPESTATUS" => sh.pipe_status().first()?.to_string(),
            "FUNCNAME" => sh.function_name()?.to_string(),
            _ => return None,
        })
    }

    fn transform(
        &mut self,
        op: &ParamOp,
        value: Values,
        positional: bool,
        name: &str,
    ) -> Expanded<Values> {
        if let ParamOp::Value = op {
            return Ok(value);
        }
        if let ParamOp::Slice { offset, length } = op {
            let offset = self.arith(offset)?;
            let length = match length {
                Some(word) => Some(self.arith(word)?),
                None => None,
            };
            return self.slice(value, offset, length, positional, name);
        }
        let change = self.change(op)?;
        Ok(match value {
            Values::One(text) => Values::One(change.apply(&text).into()),
            Values::Many { items, joined } => Values::Many {
                items: items.iter().map(|t| change.apply(t).into()).collect(),
                joined,
            },
        })
    }

    fn slice(
        &mut self,
        value: Values,
        offset: i64,
        length: Option<i64>,
        positional: bool,
        name: &str,
    ) -> Expanded<Values> {
        let range = |count: usize| {
            let count = count as i64;
            let start = if offset < 0 { count + offset } else { offset };
            if start < 0 || start > count {
                return Ok(0..0);
            }
            let end = match length {
                None => count,
                Some(n) if n < 0 => count + n,
                Some(n) => start.saturating_add(n).min(count),
            };
            if end < start {
                return Err(Stop::Fail(format!(
                    "{}: substring expression < 0",
                    length.unwrap_or(0)
                )));
            }
            Ok(start as usize..end as usize)
        };
        Ok(match value {
            Values::One(text) => {
                let chars: Vec<char> = text.chars().collect();
                let range = range(chars.len())?;
                Values::One(chars[range].iter().collect::<String>().into())
            }
            Values::Many { mut items, joined } => {
                if positional {
                    // `${@:1}` counts from `$0`.
                    items.insert(0, self.sh.name.clone());
                } else if offset > 0 {
                    // The offset is a subscript, and arrays may have gaps.
                    let keys = match self.sh.vars.get(name).and_then(|v| v.value.as_ref()) {
                        Some(Value::Array(list)) => list.keys().filter(|k| **k < offset).count(),
                        _ => offset as usize,
                    };
                    let rest = items.split_off(keys.min(items.len()));
                    let count = length.map_or(rest.len(), |n| (n.max(0) as usize).min(rest.len()));
                    return Ok(Values::Many {
                        items: rest[..count].to_vec(),
                        joined,
                    });
                }
                let range = range(items.len())?;
                Values::Many {
                    items: items[range].to_vec(),
                    joined,
                }
            }
        })
    }

    fn change(&mut self, op: &ParamOp) -> Expanded<Change> {
        let chars = |text: String| text.chars().collect::<Vec<_>>();
        Ok(match op {
            ParamOp::TrimStart { longest, pattern } => Change::TrimStart {
                longest: *longest,
                pattern: chars(self.pattern(pattern)?),
            },
            ParamOp::TrimEnd { longest, pattern } => Change::TrimEnd {
                longest: *longest,
                pattern: chars(self.pattern(pattern)?),
            },
            ParamOp::Replace {
                place,
                pattern,
                with,
            } => Change::Replace {
                place: *place,
                pattern: chars(self.pattern(pattern)?),
                with: self.text(with)?,
            },
            ParamOp::Case { upper, all } => Change::Case {
                upper: *upper,
                all: *all,
            },
            ParamOp::Transform('Q') => Change::Quote,
            ParamOp::Transform('U') => Change::Case {
                upper: true,
                all: true,
            },
            ParamOp::Transform('L') => Change::Case {
                upper: false,
                all: true,
            },
            ParamOp::Transform('u') => Change::Case {
                upper: true,
                all: false,
            },
            _ => Change::Nothing,
        })
    }
}

/// A change of each element's text.
enum Change {
    Nothing,
    TrimStart {
        longest: bool,
        pattern: Vec<char>,
    },
    TrimEnd {
        longest: bool,
        pattern: Vec<char>,
    },
    Replace {
        place: ReplaceAt,
        pattern: Vec<char>,
        with: String,
    },
    Case {
        upper: bool,
        all: bool,
    },
    Quote,
}

impl Change {
    fn apply(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        match self {
            Change::Nothing => text.to_string(),
            Change::TrimStart { longest, pattern } => {
                let mut ends: Box<dyn Iterator<Item = usize>> = if *longest {
                    Box::new((0..=chars.len()).rev())
                } else {
                    Box::new(0..=chars.len())
                };
                match ends.find(|n| matches_chars(pattern, &chars[..*n])) {
                    Some(n) => chars[n..].iter().collect(),
                    None => text.to_string(),
                }
            }
            Change::TrimEnd { longest, pattern } => {
                let mut starts: Box<dyn Iterator<Item = usize>> = if *longest {
                    Box::new(0..=chars.len())
                } else {
                    Box::new((0..=chars.len()).rev())
                };
                match starts.find(|n| matches_chars(pattern, &chars[*n..])) {
                    Some(n) => chars[..n].iter().collect(),
                    None => text.to_string(),
                }
            }
            Change::Replace {
                place,
                pattern,
                with,
            } => replace(&chars, *place, pattern, with),
            Change::Case { upper, all } => text
                .chars()
                .enumerate()
                .flat_map(|(i, c)| -> Vec<char> {
                    if i > 0 && !all {
                        vec![c]
                    } else if *upper {
                        c.to_uppercase().collect()
                    } else {
                        c.to_lowercase().collect()
                    }
                })
                .collect(),
            Change::Quote => quote(text),
        }
    }
}

fn replace(chars: &[char], place: ReplaceAt, pattern: &[char], with: &str) -> String {
    let text: String = chars.iter().collect();
    if pattern.is_empty() {
        return text;
    }
    let longest_from = |start: usize| {
        (start..=chars.len())
            .rev()
            .find(|end| matches_chars(pattern, &chars[start..*end]))
    };
    let tail = |from: usize| chars[from..].iter().collect::<String>();
    match place {
        ReplaceAt::Start => match longest_from(0) {
            Some(end) => format!("{with}{}", tail(end)),
            None => text,
        },
        ReplaceAt::End => {
            match (0..=chars.len()).find(|start| matches_chars(pattern, &chars[*start..])) {
                Some(start) => format!("{}{with}", chars[..start].iter().collect::<String>()),
                None => text,
            }
        }
        _ => {
            let mut out = String::new();
            let mut at = 0;
            while at < chars.len() {
                match longest_from(at) {
                    Some(end) if end > at => {
                        out.push_str(with);
                        at = end;
                        if place == ReplaceAt::First {
                            break;
                        }
                    }
                    _ => {
                        out.push(chars[at]);
                        at += 1;
                    }
                }
            }
            out + &tail(at)
        }
    }
}

/// Quotes a text so that the shell would read it back.
pub(crate) fn quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
