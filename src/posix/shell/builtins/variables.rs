//! Variables: `export`, `readonly`, `local`, `declare`, `unset`.

use super::super::assign::{ReadyAssign, ReadyValue};
use super::super::frame::Frame;
use super::super::vars::Value;
use super::{Args, Outcome};
use crate::syntax::{Dialect, is_name};
use std::sync::Arc;

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
    assign_and_mark(a, list, |vars, name| vars.export(name, on))
}

pub(super) fn readonly(a: &mut Args<'_, '_>) -> Outcome {
    let (_, list) = declarations(a);
    if list.is_empty() {
        return print_variables(a, |v| v.readonly, "readonly", "declare -r");
    }
    assign_and_mark(a, list, |vars, name| vars.entry(name).readonly = true)
}

/// Assigns each name, and marks it.
fn assign_and_mark(
    a: &mut Args<'_, '_>,
    list: Vec<ReadyAssign>,
    mark: impl Fn(&mut super::super::vars::Vars, &str),
) -> Outcome {
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
        mark(a.sh.vars_mut(), &name);
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
