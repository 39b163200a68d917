//! The shell's options and arguments: `set`, `shift`, `getopts`, `umask`, `let`.

use super::{Args, Outcome};
use crate::syntax::Dialect;
use std::sync::Arc;

pub(super) fn set(a: &mut Args<'_, '_>) -> Outcome {
    let args: Vec<Arc<str>> = a.argv[1..].to_vec();
    if args.is_empty() {
        let mut text = String::new();
        for (name, var) in a.sh.vars.iter() {
            if let Some(value) = var.value.as_ref().and_then(|v| v.first()) {
                let shown = match a.sh.dialect {
                    Dialect::Bash => super::super::quote(&value),
                    _ => format!("'{}'", value.replace('\'', "'\\''")),
                };
                text.push_str(&format!(
                    "{name}={}\n",
                    if value.is_empty() && a.sh.dialect == Dialect::Bash {
                        ""
                    } else {
                        &shown
                    }
                ));
            }
        }
        return a.print(&text);
    }
    let mut i = 0;
    while i < args.len() {
        let arg = args[i].clone();
        let on = arg.starts_with('-');
        if &*arg == "--" {
            a.sh.args = args[i + 1..].into();
            return Outcome::Done(0);
        }
        if &*arg == "-" {
            a.sh.options.xtrace = false;
            a.sh.options.verbose = false;
            i += 1;
            continue;
        }
        let Some(letters) = arg.strip_prefix(['-', '+']).filter(|l| !l.is_empty()) else {
            a.sh.args = args[i..].into();
            return Outcome::Done(0);
        };
        i += 1;
        for letter in letters.chars() {
            if letter == 'o' {
                let Some(name) = args.get(i).cloned() else {
                    return show_options(a, on);
                };
                i += 1;
                match a.sh.options.by_name(&name) {
                    Some(option) => *option = on,
                    None if matches!(
                        &*name,
                        "posix"
                            | "emacs"
                            | "vi"
                            | "history"
                            | "errtrace"
                            | "functrace"
                            | "nolog"
                            | "notify"
                            | "hashall"
                            | "braceexpand"
                    ) => {}
                    None => {
                        let message = match a.sh.dialect {
                            Dialect::Bash => format!("{name}: invalid option name"),
                            _ => format!("illegal option -o {name}"),
                        };
                        a.fail(2, &message);
                        return if a.sh.dialect == Dialect::Bash {
                            Outcome::Done(2)
                        } else {
                            Outcome::Fatal(2)
                        };
                    }
                }
                continue;
            }
            match a.sh.options.by_letter(letter) {
                Some(option) => *option = on,
                None if "bhkptBEHPT".contains(letter) => {}
                None => {
                    let message = match a.sh.dialect {
                        Dialect::Bash => format!("-{letter}: invalid option"),
                        _ => format!("illegal option -{letter}"),
                    };
                    return a.fail(2, &message);
                }
            }
        }
    }
    Outcome::Done(0)
}

fn show_options(a: &mut Args<'_, '_>, on: bool) -> Outcome {
    let names = [
        "allexport",
        "errexit",
        "monitor",
        "noclobber",
        "noexec",
        "noglob",
        "nounset",
        "pipefail",
        "verbose",
        "xtrace",
    ];
    let mut text = String::new();
    for name in names {
        let value = a.sh.options.by_name(name).is_some_and(|o| *o);
        if on {
            text.push_str(&format!(
                "{name:<15}\t{}\n",
                if value { "on" } else { "off" }
            ));
        } else {
            text.push_str(&format!("set {}o {name}\n", if value { '-' } else { '+' }));
        }
    }
    a.print(&text)
}

pub(super) fn shift(a: &mut Args<'_, '_>) -> Outcome {
    let n: usize = match a.argv.get(1) {
        Some(text) => match text.parse() {
            Ok(n) => n,
            Err(_) => {
                return a.fail(
                    1,
                    &format!("{}: numeric argument required", a.argv[1].clone()),
                );
            }
        },
        None => 1,
    };
    if n > a.sh.args.len() {
        return match a.sh.dialect {
            Dialect::Dash => {
                a.fail(2, "can't shift that many");
                Outcome::Fatal(2)
            }
            _ => Outcome::Done(1),
        };
    }
    a.sh.args = a.sh.args[n..].into();
    Outcome::Done(0)
}

pub(super) fn getopts(a: &mut Args<'_, '_>) -> Outcome {
    let (Some(spec), Some(name)) = (a.argv.get(1).cloned(), a.argv.get(2).cloned()) else {
        return a.fail(2, "usage: getopts optstring name [arg ...]");
    };
    let args: Vec<Arc<str>> = if a.argv.len() > 3 {
        a.argv[3..].to_vec()
    } else {
        a.sh.args.to_vec()
    };
    let mut index: usize =
        a.sh.text("OPTIND")
            .and_then(|t| t.parse().ok())
            .unwrap_or(1)
            .max(1);
    let mut at = a.sh.getopts_at;
    let arg = args.get(index - 1).cloned();
    let ends = |arg: &str| arg == "-" || arg == "--" || !arg.starts_with('-');
    let done = match &arg {
        None => true,
        Some(arg) => at == 0 && ends(arg),
    };
    if done {
        if arg.as_deref() == Some("--") {
            index += 1;
        }
        a.sh.vars_mut().set_text(&name, "?");
        a.sh.vars_mut().set_text("OPTIND", index.to_string());
        a.sh.getopts_at = 0;
        return Outcome::Done(1);
    }
    let arg: Vec<char> = arg.unwrap_or_default().chars().collect();
    if at == 0 {
        at = 1;
    }
    let letter = arg[at];
    at += 1;
    let silent = spec.starts_with(':');
    let position = spec.trim_start_matches(':').find(letter);
    let takes = position
        .is_some_and(|i| spec.trim_start_matches(':')[i + letter.len_utf8()..].starts_with(':'));
    let mut result = letter.to_string();
    a.sh.vars_mut().remove("OPTARG");
    if position.is_none() || letter == ':' {
        result = "?".into();
        if silent {
            a.sh.vars_mut().set_text("OPTARG", letter.to_string());
        } else {
            let text = format!("{}: illegal option -- {letter}\n", a.sh.name);
            let _ = a.k.put(a.p, 2, text.as_bytes());
        }
    } else if takes {
        if at < arg.len() {
            let rest: String = arg[at..].iter().collect();
            a.sh.vars_mut().set_text("OPTARG", rest);
        } else if let Some(value) = args.get(index).cloned() {
            a.sh.vars_mut().set_text("OPTARG", value);
            index += 1;
        } else if silent {
            result = ":".into();
            a.sh.vars_mut().set_text("OPTARG", letter.to_string());
        } else {
            result = "?".into();
            let text = format!("{}: option requires an argument -- {letter}\n", a.sh.name);
            let _ = a.k.put(a.p, 2, text.as_bytes());
        }
        at = arg.len();
    }
    if at >= arg.len() {
        index += 1;
        at = 0;
    }
    a.sh.vars_mut().set_text(&name, result);
    a.sh.vars_mut().set_text("OPTIND", index.to_string());
    a.sh.getopts_at = at;
    Outcome::Done(0)
}

pub(super) fn umask(a: &mut Args<'_, '_>) -> Outcome {
    match a.argv.get(1).cloned() {
        None => {
            let text = format!("{:04o}\n", a.p.umask);
            a.print(&text)
        }
        Some(text) => match u16::from_str_radix(&text, 8) {
            Ok(mask) => {
                a.p.umask = mask & 0o777;
                Outcome::Done(0)
            }
            Err(_) => a.fail(1, &format!("{text}: octal number out of range")),
        },
    }
}

pub(super) fn let_(a: &mut Args<'_, '_>) -> Outcome {
    let mut value = 0;
    let argv = a.argv;
    for text in argv[1..].iter() {
        match a.sh.calculate(text) {
            Ok(n) => value = n,
            Err(message) => return a.fail(1, &message),
        }
    }
    Outcome::Done((value == 0) as i32)
}

/// Commands whose effect does not exist here and whose success scripts rely on.
pub(super) fn accepted(a: &mut Args<'_, '_>) -> Outcome {
    if &*a.argv[0] == "ulimit" {
        return a.print("unlimited\n");
    }
    Outcome::Done(0)
}
