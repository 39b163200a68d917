//! Builtins about variables, options, arguments, directories and names.

use super::super::assign::{ReadyAssign, ReadyValue};
use super::super::frame::Frame;
use super::super::vars::Value;
use super::{Args, Outcome, find};
use crate::syntax::{Dialect, is_name};
use crate::system::find_program;
use std::sync::Arc;

pub(super) fn pwd(a: &mut Args<'_, '_>) -> Outcome {
    let cwd = if a.rest().contains(&"-P") {
        match a.k.files(a.p).find(".", true) {
            Ok(place) => place.path,
            Err(_) => a.p.cwd.to_string(),
        }
    } else {
        a.p.cwd.to_string()
    };
    a.print(&format!("{cwd}\n"))
}

pub(super) fn cd(a: &mut Args<'_, '_>) -> Outcome {
    let args: Vec<String> = a
        .rest()
        .iter()
        .filter(|t| !matches!(**t, "-L" | "-P" | "--" | "-e"))
        .map(|t| t.to_string())
        .collect();
    if args.len() > 1 && a.sh.dialect == Dialect::Bash {
        return a.fail(1, "too many arguments");
    }
    let mut show = false;
    let target = match args.first().map(String::as_str) {
        None => match a.sh.text("HOME") {
            Some(home) => home.to_string(),
            None => return a.fail(1, "HOME not set"),
        },
        Some("-") => match a.sh.text("OLDPWD") {
            Some(old) => {
                show = true;
                old.to_string()
            }
            None => return a.fail(1, "OLDPWD not set"),
        },
        Some("") => return Outcome::Done(0),
        Some(path) => path.to_string(),
    };
    let files = a.k.files(a.p);
    let found = files.stat(&target, true).and_then(|stat| {
        if stat.kind != crate::files::Kind::Directory {
            return Err(crate::files::Errno::NotDirectory);
        }
        let place = files.find(&target, true)?;
        files.check(files.at(&place)?, crate::files::Access::Execute)
    });
    if let Err(errno) = found {
        let message = match a.sh.dialect {
            Dialect::Bash => format!("{target}: {errno}"),
            Dialect::Ash => format!("can't cd to {target}: {errno}"),
            Dialect::Dash => format!("can't cd to {target}"),
        };
        return a.fail(if a.sh.dialect == Dialect::Dash { 2 } else { 1 }, &message);
    }
    let new: Arc<str> = logical(&a.p.cwd, &target).into();
    let old = std::mem::replace(&mut a.p.cwd, new.clone());
    a.sh.set_variable("OLDPWD", old);
    a.sh.vars_mut().export("OLDPWD", true);
    a.sh.set_variable("PWD", new.clone());
    if show {
        return a.print(&format!("{new}\n"));
    }
    Outcome::Done(0)
}

/// A path with `.` and `..` taken out by name, as `cd` does.
fn logical(cwd: &str, target: &str) -> String {
    let whole = if target.starts_with('/') {
        target.to_string()
    } else {
        format!("{cwd}/{target}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Splits off options and gives the names and assignments that follow. Words like `x=$y` that were not written as
/// assignments are read as such here.
fn declarations(a: &mut Args<'_, '_>) -> (String, Vec<ReadyAssign>) {
    let mut options = String::new();
    let mut list = Vec::new();
    for arg in a.argv.iter().skip(1) {
        if let Some(letters) = arg.strip_prefix(['-', '+']).filter(|_| list.is_empty()) {
            if arg.starts_with('+') {
                options.push('+');
            }
            options.push_str(letters);
            continue;
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, ReadyValue::Text(value.into())),
            None => (&**arg, ReadyValue::Nothing),
        };
        let append = name.ends_with('+') && !matches!(value, ReadyValue::Nothing);
        list.push(ReadyAssign {
            name: name.trim_end_matches('+').into(),
            index: None,
            append,
            value,
        });
    }
    list.append(&mut a.declared);
    (options, list)
}

fn invalid(a: &mut Args<'_, '_>, name: &str) -> i32 {
    let message = match a.sh.dialect {
        Dialect::Bash => format!("`{name}': not a valid identifier"),
        _ => format!("{name}: bad variable name"),
    };
    a.fail(1, &message);
    1
}

pub(super) fn export(a: &mut Args<'_, '_>) -> Outcome {
    let (options, list) = declarations(a);
    if list.is_empty() {
        return print_variables(a, |v| v.exported, "export", "declare -x");
    }
    let on = !options.contains('n');
    let mut status = 0;
    for assign in list {
        if !is_name(&assign.name) {
            status = invalid(a, &assign.name);
            continue;
        }
        let name = assign.name.clone();
        if !a.sh.assign(assign, a.p, a.k) {
            status = 1;
        }
        a.sh.vars_mut().export(&name, on);
    }
    Outcome::Done(status)
}

pub(super) fn readonly(a: &mut Args<'_, '_>) -> Outcome {
    let (_, list) = declarations(a);
    if list.is_empty() {
        return print_variables(a, |v| v.readonly, "readonly", "declare -r");
    }
    let mut status = 0;
    for assign in list {
        if !is_name(&assign.name) {
            status = invalid(a, &assign.name);
            continue;
        }
        let name = assign.name.clone();
        if !a.sh.assign(assign, a.p, a.k) {
            status = 1;
        }
        a.sh.vars_mut().entry(&name).readonly = true;
    }
    Outcome::Done(status)
}

fn print_variables(
    a: &mut Args<'_, '_>,
    wanted: fn(&super::super::vars::Var) -> bool,
    posix: &str,
    bash: &str,
) -> Outcome {
    let word = if a.sh.dialect == Dialect::Bash {
        bash
    } else {
        posix
    };
    let mut text = String::new();
    for (name, var) in a.sh.vars.iter().filter(|(_, v)| wanted(v)) {
        text.push_str(&declaration(word, name, var, a.sh.dialect));
    }
    a.print(&text)
}

fn declaration(word: &str, name: &str, var: &super::super::vars::Var, dialect: Dialect) -> String {
    let quoted = |t: &str| match dialect {
        Dialect::Bash => format!(
            "\"{}\"",
            t.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('$', "\\$")
                .replace('`', "\\`")
        ),
        _ => format!("'{}'", t.replace('\'', "'\\''")),
    };
    match &var.value {
        None => format!("{word} {name}\n"),
        Some(Value::Text(t)) => format!("{word} {name}={}\n", quoted(t)),
        Some(value) => {
            let items: Vec<String> = value
                .keys()
                .iter()
                .zip(value.all())
                .map(|(key, item)| format!("[{key}]={}", quoted(&item)))
                .collect();
            format!("{word} {name}=({})\n", items.join(" "))
        }
    }
}

pub(super) fn local(a: &mut Args<'_, '_>) -> Outcome {
    let Some(_) = a.sh.function_name() else {
        return a.fail(
            1,
            if a.sh.dialect == Dialect::Bash {
                "can only be used in a function"
            } else {
                "not in a function"
            },
        );
    };
    let (options, list) = declarations(a);
    let mut status = 0;
    for assign in list {
        status |= declare_local(a, assign, &options);
    }
    Outcome::Done(status)
}

fn declare_local(a: &mut Args<'_, '_>, assign: ReadyAssign, options: &str) -> i32 {
    if !is_name(&assign.name) {
        return invalid(a, &assign.name);
    }
    let name = assign.name.clone();
    let saved = a.sh.saved(&name);
    let call = a.sh.frames.iter_mut().rev().find_map(|f| match f {
        Frame::Call(call) => Some(call),
        _ => None,
    });
    if let Some(call) = call
        && !call.locals.iter().any(|(n, _)| *n == name)
    {
        call.locals.push(saved);
        // A new local has no value; ash and dash let it keep the outer one.
        if a.sh.dialect == Dialect::Bash {
            let exported = a.sh.vars.get(&name).is_some_and(|v| v.exported);
            a.sh.vars_mut().remove(&name);
            if exported {
                a.sh.vars_mut().export(&name, true);
            }
        }
    }
    attributes(a, &name, options);
    !a.sh.assign(assign, a.p, a.k) as i32
}

fn attributes(a: &mut Args<'_, '_>, name: &str, options: &str) {
    let on = !options.contains('+');
    let var = a.sh.vars_mut().entry(name);
    for letter in options.chars() {
        match letter {
            'i' => var.integer = on,
            'r' => var.readonly = on,
            'a' if var.value.is_none() => var.value = Some(Value::Array(Arc::default())),
            'A' if var.value.is_none() => var.value = Some(Value::Map(Arc::default())),
            _ => {}
        }
    }
    if options.contains('x') {
        a.sh.vars_mut().export(name, on);
    }
}

pub(super) fn declare(a: &mut Args<'_, '_>) -> Outcome {
    let (options, list) = declarations(a);
    if options.contains('f') || options.contains('F') {
        let known: Vec<String> = a.sh.functions.keys().map(|n| n.to_string()).collect();
        if list.is_empty() {
            let text: String = known.iter().map(|n| format!("declare -f {n}\n")).collect();
            return a.print(&text);
        }
        let missing = list.iter().any(|d| !known.iter().any(|n| **n == *d.name));
        return Outcome::Done(missing as i32);
    }
    if options.contains('p') || list.is_empty() {
        let mut text = String::new();
        for (name, var) in a.sh.vars.iter() {
            if list.is_empty() || list.iter().any(|d| d.name == *name) {
                let mut flags = String::new();
                match var.value {
                    Some(Value::Array(_)) => flags.push('a'),
                    Some(Value::Map(_)) => flags.push('A'),
                    _ => {}
                }
                for (on, letter) in [(var.integer, 'i'), (var.readonly, 'r'), (var.exported, 'x')] {
                    if on {
                        flags.push(letter);
                    }
                }
                if flags.is_empty() {
                    flags.push('-');
                }
                text.push_str(&declaration(
                    &format!("declare -{flags}"),
                    name,
                    var,
                    Dialect::Bash,
                ));
            }
        }
        let missing: Vec<Arc<str>> = list
            .iter()
            .filter(|d| a.sh.vars.get(&d.name).is_none())
            .map(|d| d.name.clone())
            .collect();
        a.print(&text);
        for name in &missing {
            a.fail(1, &format!("{name}: not found"));
        }
        return Outcome::Done(!missing.is_empty() as i32);
    }
    let in_function = a.sh.function_name().is_some() && !options.contains('g');
    let mut status = 0;
    for assign in list {
        if in_function {
            status |= declare_local(a, assign, &options);
            continue;
        }
        if !is_name(&assign.name) {
            status = invalid(a, &assign.name);
            continue;
        }
        let name = assign.name.clone();
        let before = options.replace('r', "");
        attributes(a, &name, &before);
        if !a.sh.assign(assign, a.p, a.k) {
            status = 1;
        }
        attributes(a, &name, &options);
    }
    Outcome::Done(status)
}

pub(super) fn unset(a: &mut Args<'_, '_>) -> Outcome {
    let mut functions = false;
    let mut status = 0;
    let argv = a.argv;
    for name in argv[1..].iter().cloned() {
        match &*name {
            "-f" => functions = true,
            "-v" => functions = false,
            _ if functions => {
                Arc::make_mut(&mut a.sh.functions).remove(&name);
            }
            _ => {
                if let Some((array, key)) = name.strip_suffix(']').and_then(|n| n.split_once('[')) {
                    unset_element(a, array, key);
                    continue;
                }
                if a.sh.vars.get(&name).is_some_and(|v| v.readonly) {
                    let message = match a.sh.dialect {
                        Dialect::Bash => format!("{name}: cannot unset: readonly variable"),
                        _ => format!("{name}: is read only"),
                    };
                    a.fail(1, &message);
                    status = 1;
                } else if a.sh.vars.get(&name).is_some() {
                    a.sh.vars_mut().remove(&name);
                } else {
                    Arc::make_mut(&mut a.sh.functions).remove(&name);
                }
            }
        }
    }
    Outcome::Done(status)
}

fn unset_element(a: &mut Args<'_, '_>, name: &str, key: &str) {
    if a.sh.vars.get(name).is_none() {
        return;
    }
    let index = a.sh.calculate(key).unwrap_or(0);
    match &mut a.sh.vars_mut().entry(name).value {
        Some(Value::Array(items)) => {
            Arc::make_mut(items).remove(&index);
        }
        Some(Value::Map(items)) => {
            Arc::make_mut(items).remove(key);
        }
        _ => {}
    }
}

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
