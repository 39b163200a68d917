//! What a name means: `alias`, `unalias`, `type`, `command`, `builtin`.

use super::{Args, Outcome, find};
use crate::syntax::Dialect;
use crate::system::find_program;
use std::sync::Arc;

pub(super) fn alias(a: &mut Args<'_, '_>) -> Outcome {
    let mut status = 0;
    let show = |name: &str, text: &str| format!("alias {name}='{}'\n", text.replace('\'', "'\\''"));
    if a.argv.len() == 1 {
        let text: String = a.sh.aliases.iter().map(|(n, t)| show(n, t)).collect();
        return a.print(&text);
    }
    let argv = a.argv;
    for arg in argv[1..].iter() {
        match arg.split_once('=') {
            Some((name, text)) => {
                Arc::make_mut(&mut a.sh.aliases).insert(name.into(), text.into());
            }
            None => match a.sh.aliases.get(arg).cloned() {
                Some(text) => {
                    a.print(&show(arg, &text));
                }
                None => {
                    a.fail(1, &format!("{arg}: not found"));
                    status = 1;
                }
            },
        }
    }
    Outcome::Done(status)
}

pub(super) fn unalias(a: &mut Args<'_, '_>) -> Outcome {
    let mut status = 0;
    let argv = a.argv;
    for name in argv[1..].iter().cloned() {
        let aliases = Arc::make_mut(&mut a.sh.aliases);
        if &*name == "-a" {
            aliases.clear();
        } else if aliases.remove(&name).is_none() {
            a.fail(1, &format!("{name}: not found"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub(super) fn type_(a: &mut Args<'_, '_>) -> Outcome {
    let mut status = 0;
    let mut short = false;
    let mut path_only = false;
    let argv = a.argv;
    for name in argv[1..].iter().cloned() {
        match &*name {
            "-t" => {
                short = true;
                continue;
            }
            "-p" | "-P" => {
                path_only = true;
                continue;
            }
            "-a" | "-f" => continue,
            _ => {}
        }
        let bash = a.sh.dialect == Dialect::Bash;
        let text = match meaning(a, &name) {
            Meaning::Path(path) if path_only => format!("{path}\n"),
            _ if path_only => String::new(),
            Meaning::Keyword if short => "keyword\n".into(),
            Meaning::Alias(_) if short => "alias\n".into(),
            Meaning::Function if short => "function\n".into(),
            Meaning::Builtin if short => "builtin\n".into(),
            Meaning::Path(_) if short => "file\n".into(),
            Meaning::Keyword => format!("{name} is a shell keyword\n"),
            Meaning::Alias(text) if bash => format!("{name} is aliased to `{text}'\n"),
            Meaning::Alias(text) => format!("{name} is an alias for {text}\n"),
            Meaning::Function => format!("{name} is a function\n"),
            Meaning::Builtin => format!("{name} is a shell builtin\n"),
            Meaning::Path(path) => format!("{name} is {path}\n"),
            Meaning::Nothing => {
                status = if bash { 1 } else { 127 };
                if !short {
                    if bash {
                        a.fail(1, &format!("{name}: not found"));
                    } else {
                        a.print(&format!("{name}: not found\n"));
                    }
                }
                continue;
            }
        };
        a.print(&text);
    }
    Outcome::Done(status)
}

pub(super) fn command(a: &mut Args<'_, '_>) -> Outcome {
    let mut rest = &a.argv[1..];
    let mut describe = None;
    while let Some(option) = rest.first() {
        match &**option {
            "-v" | "-V" => describe = Some(&**option == "-V"),
            "-p" | "--" => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    let Some(name) = rest.first().cloned() else {
        return Outcome::Done(0);
    };
    if let Some(verbose) = describe {
        if verbose {
            let argv: crate::system::Argv = [Arc::from("type"), name].into();
            return type_(&mut Args {
                sh: a.sh,
                argv: &argv,
                declared: Vec::new(),
                p: a.p,
                k: a.k,
            });
        }
        return match meaning(a, &name) {
            Meaning::Keyword | Meaning::Function | Meaning::Builtin => {
                a.print(&format!("{name}\n"))
            }
            Meaning::Alias(text) => a.print(&format!("alias {name}='{text}'\n")),
            Meaning::Path(path) => a.print(&format!("{path}\n")),
            Meaning::Nothing => Outcome::Done(if a.sh.dialect == Dialect::Bash {
                1
            } else {
                127
            }),
        };
    }
    nested(a, rest.into())
}

pub(super) fn builtin(a: &mut Args<'_, '_>) -> Outcome {
    if a.argv.len() < 2 {
        return Outcome::Done(0);
    }
    let argv: crate::system::Argv = a.argv[1..].into();
    if find(&argv[0], a.sh.dialect).is_none() {
        return a.fail(1, &format!("{}: not a shell builtin", argv[0]));
    }
    nested(a, argv)
}

const KEYWORDS: [&str; 18] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "in", "{", "}", "!", "function", "time",
];

/// How a name would be run, for `type` and `command -v`.
enum Meaning {
    Keyword,
    Alias(Arc<str>),
    Function,
    Builtin,
    Path(String),
    Nothing,
}

fn meaning(a: &mut Args<'_, '_>, name: &str) -> Meaning {
    if KEYWORDS.contains(&name) || matches!(name, "[[" | "]]") && a.sh.dialect == Dialect::Bash {
        return Meaning::Keyword;
    }
    if let Some(text) = a.sh.aliases.get(name) {
        return Meaning::Alias(text.clone());
    }
    if a.sh.functions.contains_key(name) {
        return Meaning::Function;
    }
    if find(name, a.sh.dialect).is_some() {
        return Meaning::Builtin;
    }
    let path = a.sh.text("PATH");
    match find_program(&a.k.files(a.p), name, path.as_deref()) {
        Ok((path, _)) => Meaning::Path(path),
        Err(_) => Meaning::Nothing,
    }
}

/// Runs another builtin in this one's place, or a program.
fn nested(a: &mut Args<'_, '_>, argv: crate::system::Argv) -> Outcome {
    match find(&argv[0], a.sh.dialect) {
        Some(builtin) => builtin(&mut Args {
            sh: a.sh,
            argv: &argv,
            declared: std::mem::take(&mut a.declared),
            p: a.p,
            k: a.k,
        }),
        None => Outcome::Child(argv),
    }
}
