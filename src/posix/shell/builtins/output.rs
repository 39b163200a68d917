//! `echo`, `printf`, `test`.

use super::{Args, Outcome};
use crate::syntax::Dialect;
use crate::tools::{echo_text, format_text};

pub(super) fn echo(a: &mut Args<'_, '_>) -> Outcome {
    let always_escapes = a.sh.dialect == Dialect::Dash;
    let text = echo_text(&a.argv[1..], always_escapes);
    a.print_bytes(&text)
}

pub(super) fn printf(a: &mut Args<'_, '_>) -> Outcome {
    let mut args = &a.argv[1..];
    let mut variable = None;
    if a.sh.dialect == Dialect::Bash && args.len() >= 2 && &*args[0] == "-v" {
        variable = Some(args[1].clone());
        args = &args[2..];
    }
    if args.first().is_some_and(|f| &**f == "--") {
        args = &args[1..];
    }
    let Some((format, values)) = args.split_first() else {
        return match a.sh.dialect {
            Dialect::Bash => a.fail(2, "usage: printf [-v var] format [arguments]"),
            _ => a.fail(2, "usage: printf format [arg ...]"),
        };
    };
    let made = format_text(format, values);
    let mut status = 0;
    for message in made.problems {
        a.fail(1, &message);
        status = 1;
    }
    if let Some(name) = variable {
        let text = String::from_utf8_lossy(&made.bytes).into_owned();
        a.sh.set_variable(&name, text.into());
        return Outcome::Done(status);
    }
    match a.print_bytes(&made.bytes) {
        Outcome::Done(0) => Outcome::Done(status),
        other => other,
    }
}

pub(super) fn test(a: &mut Args<'_, '_>) -> Outcome {
    let mut args = &a.argv[1..];
    if &*a.argv[0] == "[" {
        match args.split_last() {
            Some((last, rest)) if &**last == "]" => args = rest,
            _ => {
                return match a.sh.dialect {
                    Dialect::Bash => a.fail(2, "missing `]'"),
                    _ => a.fail(2, "missing ]"),
                };
            }
        }
    }
    // `-t` needs the descriptors, which only this process knows.
    let (negated, rest) = match args {
        [not, rest @ ..] if &**not == "!" => (true, rest),
        rest => (false, rest),
    };
    if let [op, fd] = rest
        && &**op == "-t"
    {
        let open = fd.parse::<u16>().ok().and_then(|fd| a.p.fd(fd));
        let tty = open.is_some_and(|open| a.k.sys.is_tty(open));
        return Outcome::Done((tty == negated) as i32);
    }
    match crate::shell::test_expression(args, &a.k.files(a.p)) {
        Ok(value) => Outcome::Done(!value as i32),
        Err(message) => {
            let message = match (
                a.sh.dialect,
                message.strip_suffix(": integer expression expected"),
            ) {
                (Dialect::Ash, Some(text)) => return ash_number(a, text),
                (Dialect::Dash, Some(text)) => format!("Illegal number: {text}"),
                _ => message,
            };
            a.fail(2, &message)
        }
    }
}

fn ash_number(a: &mut Args<'_, '_>, text: &str) -> Outcome {
    a.sh.complain(a.p, a.k, &format!("{text}: bad number"));
    Outcome::Done(2)
}
