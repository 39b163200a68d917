//! Builtins that change what runs next.

use super::super::frame::{Frame, Source, SourceKind};
use super::{Args, Outcome};
use crate::syntax::Dialect;
use crate::system::signal::{self, Signal};
use std::sync::Arc;

fn source_frame(text: &str, kind: SourceKind) -> Frame {
    Frame::Source(Box::new(Source {
        text: text.into(),
        at: 0,
        line: 1,
        kind,
        prompted: false,
        partial: Vec::new(),
    }))
}

pub(super) fn eval(a: &mut Args<'_, '_>) -> Outcome {
    let text = a.rest().join(" ");
    if text.trim().is_empty() {
        return Outcome::Done(0);
    }
    Outcome::Frames(vec![source_frame(&text, SourceKind::Eval)])
}

pub(super) fn source(a: &mut Args<'_, '_>) -> Outcome {
    let Some(name) = a.argv.get(1).cloned() else {
        return a.fail(2, "filename argument required");
    };
    let mut path = name.to_string();
    if !name.contains('/') && !a.k.files(a.p).exists(&name) {
        let dirs = a.sh.text("PATH").unwrap_or_default();
        let found = dirs
            .split(':')
            .map(|d| format!("{d}/{name}"))
            .find(|f| a.k.files(a.p).exists(f));
        if let Some(found) = found {
            path = found;
        }
    }
    let mode = crate::system::OpenMode {
        read: true,
        ..Default::default()
    };
    let text = match a.k.open_path(a.p, &path, mode) {
        Err(errno) => Err(errno),
        Ok(open) => {
            let mut bytes = Vec::new();
            let result = loop {
                match a.k.read(open, 65_536) {
                    crate::system::Read::Data(more) => bytes.extend(more),
                    crate::system::Read::Failed(errno) => break Err(errno),
                    crate::system::Read::Wait
                        if matches!(a.k.sys.target(open), crate::system::Target::PipeRead(_)) =>
                    {
                        // `source <(cmd)`: come back when there is more.
                        a.k.unread(open, &bytes);
                        a.k.close(open);
                        return wait_for_pipe(a, &path);
                    }
                    _ => break Ok(bytes),
                }
            };
            a.k.close(open);
            result
        }
    };
    match text {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut frames = Vec::new();
            if a.argv.len() > 2 && a.sh.dialect == Dialect::Bash {
                let args = std::mem::replace(&mut a.sh.args, a.argv[2..].into());
                frames.push(Frame::Call(Box::new(super::super::frame::Call {
                    name: name.clone(),
                    args,
                    locals: Vec::new(),
                })));
            }
            a.sh.status = 0;
            frames.push(source_frame(&text, SourceKind::File));
            Outcome::Frames(frames)
        }
        Err(errno) => {
            let name = a.argv[0].clone();
            let message = match a.sh.dialect {
                Dialect::Bash => format!("{path}: {errno}"),
                Dialect::Ash => format!("{name}: can't open '{path}': {errno}"),
                Dialect::Dash => format!("{name}: cannot open {path}: No such file"),
            };
            a.sh.complain(a.p, a.k, &message);
            match a.sh.dialect {
                Dialect::Bash => Outcome::Done(1),
                _ => Outcome::Fatal(2),
            }
        }
    }
}

/// Reads the pipe with a command of its own: `eval "$(cat pipe)"` does exactly this.
fn wait_for_pipe(a: &mut Args<'_, '_>, path: &str) -> Outcome {
    let text = format!("eval \"$(cat {})\"", super::super::quote(path));
    let _ = a;
    Outcome::Frames(vec![source_frame(&text, SourceKind::Eval)])
}

pub(super) fn exec(a: &mut Args<'_, '_>) -> Outcome {
    let mut rest = &a.argv[1..];
    while let Some(option) = rest.first() {
        match &**option {
            "--" => {
                rest = &rest[1..];
                break;
            }
            "-a" if rest.len() > 1 => rest = &rest[2..],
            "-c" | "-l" => rest = &rest[1..],
            _ => break,
        }
    }
    if rest.is_empty() {
        return Outcome::Keep(0);
    }
    Outcome::Program(rest.into())
}

pub(super) fn exit(a: &mut Args<'_, '_>) -> Outcome {
    let Some(text) = a.argv.get(1).cloned() else {
        return Outcome::Exit(a.sh.status);
    };
    match text.parse::<i64>() {
        Ok(n) => Outcome::Exit((n & 0xff) as i32),
        Err(_) => {
            let message = match a.sh.dialect {
                Dialect::Bash => format!("exit: {text}: numeric argument required"),
                Dialect::Ash => format!("exit: Illegal number: {text}"),
                Dialect::Dash => format!("exit: Illegal number: {text}"),
            };
            a.sh.complain(a.p, a.k, &message);
            Outcome::Exit(2)
        }
    }
}

pub(super) fn return_(a: &mut Args<'_, '_>) -> Outcome {
    let status = match a.argv.get(1) {
        Some(text) => match text.parse::<i64>() {
            Ok(n) => (n & 0xff) as i32,
            Err(_) => {
                return a.fail(
                    2,
                    &format!("{}: numeric argument required", a.argv[1].clone()),
                );
            }
        },
        None => a.sh.status,
    };
    let to = a.sh.frames.iter().rposition(|f| match f {
        Frame::Call(_) => true,
        Frame::Source(s) => s.kind == SourceKind::File,
        _ => false,
    });
    match to {
        Some(depth) => {
            a.sh.status = status;
            Outcome::Unwind {
                depth,
                then: Vec::new(),
            }
        }
        None if a.sh.dialect == Dialect::Bash => {
            a.fail(1, "can only `return' from a function or sourced script")
        }
        None => Outcome::Exit(status),
    }
}

fn loop_depth(a: &Args<'_, '_>) -> Option<usize> {
    let count: usize = match a.argv.get(1) {
        Some(n) => n.parse().ok().filter(|n| *n > 0)?,
        None => 1,
    };
    let from =
        a.sh.frames
            .iter()
            .rposition(|f| matches!(f, Frame::Call(_)))
            .map_or(0, |i| i + 1);
    let loops: Vec<usize> = (from..a.sh.frames.len())
        .filter(|i| {
            matches!(
                a.sh.frames[*i],
                Frame::While { .. } | Frame::For { .. } | Frame::ForArith { .. }
            )
        })
        .collect();
    loops
        .len()
        .checked_sub(count)
        .map(|i| loops[i])
        .or(loops.first().copied())
}

pub(super) fn break_(a: &mut Args<'_, '_>) -> Outcome {
    let Some(depth) = loop_depth(a) else {
        return no_loop(a);
    };
    a.sh.status = 0;
    Outcome::Unwind {
        depth,
        then: Vec::new(),
    }
}

pub(super) fn continue_(a: &mut Args<'_, '_>) -> Outcome {
    let Some(depth) = loop_depth(a) else {
        return no_loop(a);
    };
    a.sh.status = 0;
    let mut frame = a.sh.frames[depth].clone();
    if let Frame::While { in_cond, .. } = &mut frame {
        *in_cond = false;
    }
    Outcome::Unwind {
        depth,
        then: vec![frame],
    }
}

fn no_loop(a: &mut Args<'_, '_>) -> Outcome {
    if a.sh.dialect == Dialect::Bash {
        a.fail(0, "only meaningful in a `for', `while', or `until' loop");
    }
    Outcome::Done(0)
}

pub(super) fn trap(a: &mut Args<'_, '_>) -> Outcome {
    let mut args: Vec<Arc<str>> = a.argv[1..].to_vec();
    if args.first().is_some_and(|f| &**f == "--") {
        args.remove(0);
    }
    if args.first().is_some_and(|f| &**f == "-l") {
        let text: Vec<String> = signal::names()
            .iter()
            .enumerate()
            .map(|(i, n)| format!("{:>2}) SIG{n}", i + 1))
            .collect();
        return a.print(&(text.join("\n") + "\n"));
    }
    if args.is_empty() || args.first().is_some_and(|f| &**f == "-p") {
        let mut text = String::new();
        for (n, command) in a.sh.traps.iter() {
            let wanted = args.len() < 2
                || args[1..]
                    .iter()
                    .any(|w| Signal::parse(w) == Some(Signal(*n)));
            if !wanted {
                continue;
            }
            let name = Signal(*n).name();
            let prefix = if *n > 0 && a.sh.dialect == Dialect::Bash {
                "SIG"
            } else {
                ""
            };
            let quoted = format!("'{}'", command.replace('\'', "'\\''"));
            text.push_str(&format!("trap -- {quoted} {prefix}{name}\n"));
        }
        return a.print(&text);
    }
    let resets = args.len() == 1 || &*args[0] == "-" || args[0].parse::<u8>().is_ok();
    let (command, names) = if resets {
        let skip = (&*args[0] == "-") as usize;
        (None, &args[skip..])
    } else {
        (Some(args[0].clone()), &args[1..])
    };
    let mut status = 0;
    for name in names {
        if matches!(&**name, "ERR" | "DEBUG" | "RETURN") {
            continue;
        }
        let Some(signal) = Signal::parse(name) else {
            let message = match a.sh.dialect {
                Dialect::Bash => format!("{name}: invalid signal specification"),
                Dialect::Ash => format!("{name}: invalid signal specification"),
                Dialect::Dash => format!("{name}: bad trap"),
            };
            a.fail(1, &message);
            status = 1;
            continue;
        };
        a.p.ignored &= !signal.bit();
        let traps = Arc::make_mut(&mut a.sh.traps);
        match &command {
            Some(text) => {
                if text.is_empty() {
                    a.p.ignored |= signal.bit();
                }
                traps.insert(signal.0, text.clone());
            }
            None => {
                traps.remove(&signal.0);
            }
        }
    }
    Outcome::Done(status)
}
