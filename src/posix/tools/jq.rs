//! `jq`: the subset people use on the output of command-line tools.

mod eval;
mod json;
mod parse;

use super::{Context, Options};
use eval::Machine;
use json::Json;

pub(super) fn jq(c: &mut Context<'_, '_>) -> i32 {
    let args = c.args();
    let long = [
        ("raw-output", 'r'),
        ("compact-output", 'c'),
        ("slurp", 's'),
        ("null-input", 'n'),
        ("raw-input", 'R'),
        ("exit-status", 'e'),
        ("sort-keys", 'S'),
        ("join-output", 'j'),
        ("tab", 't'),
        ("indent=", 'i'),
        ("monochrome-output", 'M'),
        ("color-output", 'C'),
    ];
    // `--arg name value` and `--argjson name value` take two words.
    let mut plain = Vec::new();
    let mut variables = Vec::new();
    let mut i = 0;
    while i < args.len() {
        let json = &*args[i] == "--argjson";
        if (json || &*args[i] == "--arg") && i + 2 < args.len() {
            let value = if json {
                match json::parse_all(&args[i + 2]) {
                    Ok(values) if values.len() == 1 => values[0].clone(),
                    _ => {
                        return c.fail(
                            2,
                            &format!("Invalid JSON text passed to --argjson: {}", args[i + 2]),
                        );
                    }
                }
            } else {
                Json::Text((*args[i + 2]).into())
            };
            variables.push((args[i + 1].to_string(), value));
            i += 3;
            continue;
        }
        plain.push(args[i].clone());
        i += 1;
    }
    let mut o = match Options::parse_args(c, &plain, "rcsnReSjMCa", "f", &long, false) {
        Ok(o) => o,
        Err(_) => return 2,
    };
    let text = match o.value('f').map(String::from) {
        Some(path) => match c.text_of(&path) {
            Some(text) => text,
            None => return 2,
        },
        None if o.operands.is_empty() => {
            c.err
                .extend_from_slice(b"Usage:\tjq [OPTIONS] FILTER [FILES...]\n");
            return 2;
        }
        None => o.operands.remove(0).to_string(),
    };
    let program = match parse::parse(&text) {
        Ok(program) => program,
        Err(message) => {
            c.warn(&format!("error: {message}"));
            c.err.extend_from_slice(b"jq: 1 compile error\n");
            return 3;
        }
    };
    let mut source = String::new();
    if !o.has('n') {
        for path in o.sources() {
            match c.input(&path) {
                Ok(bytes) => source.push_str(&String::from_utf8_lossy(&bytes)),
                Err(errno) => {
                    c.warn(&format!("error: Could not open {path}: {errno}"));
                    return 2;
                }
            }
        }
        if c.wants_input {
            return 0;
        }
    }
    let lines = source.matches('\n').count();
    let mut broken = None;
    let mut inputs = if o.has('n') {
        vec![Json::Null]
    } else if o.has('R') && o.has('s') {
        vec![Json::Text(source.into())]
    } else if o.has('R') {
        source.lines().map(|l| Json::Text(l.into())).collect()
    } else {
        let (values, error) = json::parse_prefix(&source);
        broken = error;
        values
    };
    if o.has('s') && !o.has('R') && !o.has('n') {
        inputs = vec![Json::List(inputs.into())];
    }
    let raw = o.has('r') || o.has('j');
    let indent = if o.has('c') {
        None
    } else if o.has('t') {
        Some("\t".to_string())
    } else {
        let n: usize = o.value('i').and_then(|n| n.parse().ok()).unwrap_or(2);
        (n > 0).then(|| " ".repeat(n.min(7)))
    };
    let mut machine = Machine::new(variables, c.env.clone(), c.now());
    let mut status = 0;
    let mut last = None;
    for input in inputs {
        let mut results = Vec::new();
        let outcome = machine.run(&program, &input, &mut results);
        for value in results {
            let value = if o.has('S') { value.sorted() } else { value };
            match &value {
                Json::Text(text) if raw => c.say(text),
                value => {
                    let text = value.write(indent.as_deref());
                    c.say(&text);
                }
            }
            if !o.has('j') {
                c.out.push(b'\n');
            }
            last = Some(value);
        }
        if let Err(message) = outcome {
            c.warn(&format!("error (at <stdin>:{lines}): {message}"));
            status = 5;
        }
    }
    if let Some(message) = broken {
        c.warn(&format!("parse error: {message}"));
        return 2;
    }
    if status == 0 && o.has('e') {
        return match last {
            None => 4,
            Some(Json::Null | Json::Bool(false)) => 1,
            _ => 0,
        };
    }
    status
}
