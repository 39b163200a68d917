//! Tools that wait: for time, for children, for a file to grow.

use super::batch::Batch;
use super::context::Context;
use super::net::Net;
use super::tail::Tail;
use crate::system::{Turn, Wait};

#[derive(Clone, Debug)]
pub(crate) enum Live {
    Sleep {
        until: Option<i64>,
    },
    Yes {
        line: Vec<u8>,
    },
    Tail(Box<Tail>),
    Batch(Box<Batch>),
    Net(Box<Net>),
    /// Becomes another program in its first turn.
    Become(Box<crate::system::Exec>),
}

impl Live {
    pub(crate) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        match self {
            Live::Sleep { until: None } => {
                c.p.wait = Wait::Pause;
                Turn::Continue
            }
            Live::Sleep { until: Some(t) } => {
                if c.now() >= *t {
                    return Turn::Exit(0);
                }
                c.p.wait = Wait::Until(*t);
                Turn::Continue
            }
            Live::Yes { line } => {
                if !c.p.out.is_empty() {
                    c.p.wait = Wait::Flush;
                    return Turn::Continue;
                }
                let times = 4096 / line.len().max(1) + 1;
                for _ in 0..times {
                    c.out.extend_from_slice(line);
                }
                c.p.wait = Wait::Ready;
                Turn::Continue
            }
            Live::Tail(tail) => tail.run(c),
            Live::Batch(batch) => batch.run(c),
            Live::Net(net) => net.run(c),
            Live::Become(exec) => Turn::Become(crate::system::Program::Exec(exec.clone())),
        }
    }
}

pub(super) fn sleep(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    if args.is_empty() {
        return Err(c.misuse(1, "missing operand"));
    }
    let mut total = 0i64;
    for arg in &args {
        if matches!(&**arg, "infinity" | "inf") {
            return Ok(Live::Sleep { until: None });
        }
        match seconds(arg) {
            Some(micros) => total = total.saturating_add(micros),
            None if c.busybox() => return Err(c.fail(1, &format!("invalid number '{arg}'"))),
            None => {
                c.warn(&format!("invalid time interval '{arg}'"));
                let name = c.name().to_string();
                c.err.extend_from_slice(
                    format!("Try '{name} --help' for more information.\n").as_bytes(),
                );
                return Err(1);
            }
        }
    }
    let until = c.now().checked_add(total);
    Ok(Live::Sleep { until })
}

pub(super) fn yes(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let text = if args.is_empty() {
        "y".to_string()
    } else {
        args.join(" ")
    };
    Ok(Live::Yes {
        line: format!("{text}\n").into_bytes(),
    })
}

pub(super) fn pause(_: &mut Context<'_, '_>) -> Result<Live, i32> {
    Ok(Live::Sleep { until: None })
}

/// `1.5`, `2m`, `1h`, `3d` in microseconds.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (number, factor) = match text.char_indices().next_back()? {
        (i, 's') => (&text[..i], 1),
        (i, 'm') => (&text[..i], 60),
        (i, 'h') => (&text[..i], 3_600),
        (i, 'd') => (&text[..i], 86_400),
        _ => (text, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().unwrap_or(i64::MAX / 100_000_000_000)
    };
    let fraction: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    whole
        .checked_mul(1_000_000)?
        .checked_add(fraction)?
        .checked_mul(factor)
}
