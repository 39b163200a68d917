//! `[[ … ]]`, and the expressions of `test` and `[`.

use super::expand::{Expanded, Expander, Stop};
use super::pattern::matches;
use crate::files::{Access, Files, Kind};
use crate::regex::Regex;
use crate::syntax::Cond;
use std::sync::Arc;

/// The value of `[[ … ]]`, and what a `=~` matched.
pub(crate) struct CondResult {
    pub(crate) holds: bool,
    pub(crate) groups: Option<Vec<Arc<str>>>,
}

impl Expander<'_> {
    pub(crate) fn cond(&mut self, cond: &Cond) -> Expanded<CondResult> {
        let mut groups = None;
        let holds = self.holds(cond, &mut groups)?;
        Ok(CondResult { holds, groups })
    }

    fn holds(&mut self, cond: &Cond, groups: &mut Option<Vec<Arc<str>>>) -> Expanded<bool> {
        Ok(match cond {
            Cond::Not(inner) => !self.holds(inner, groups)?,
            Cond::And(a, b) => self.holds(a, groups)? && self.holds(b, groups)?,
            Cond::Or(a, b) => self.holds(a, groups)? || self.holds(b, groups)?,
            Cond::Word(word) => !self.text(word)?.is_empty(),
            Cond::Unary(op, word) => {
                let text = self.text(word)?;
                match &**op {
                    "-v" => self.variable(&text).is_some(),
                    "-o" => false,
                    op => unary(op, &text, self.files)
                        .ok_or_else(|| Stop::Fail(format!("{op}: unary operator expected")))?,
                }
            }
            Cond::Binary(left, op, right) => {
                let left = self.text(left)?;
                match &**op {
                    "=" | "==" => matches(&self.pattern(right)?, &left),
                    "!=" => !matches(&self.pattern(right)?, &left),
                    "=~" => {
                        let regex = Regex::extended(&self.pattern(right)?, false)
                            .map_err(|e| Stop::Fail(format!("invalid regular expression: {e}")))?;
                        match regex.captures(&left) {
                            Some(found) => {
                                *groups = Some(
                                    found
                                        .into_iter()
                                        .map(|g| Arc::from(g.unwrap_or_default()))
                                        .collect(),
                                );
                                true
                            }
                            None => {
                                *groups = Some(Vec::new());
                                false
                            }
                        }
                    }
                    "<" => left < self.text(right)?,
                    ">" => left > self.text(right)?,
                    op @ ("-nt" | "-ot" | "-ef") => {
                        compare_files(&left, op, &self.text(right)?, self.files)
                    }
                    op => {
                        let right = self.text(right)?;
                        let (a, b) = (self.number(&left)?, self.number(&right)?);
                        compare(a, op, b).unwrap_or(false)
                    }
                }
            }
        })
    }
}

fn unary(op: &str, text: &str, files: &Files<'_>) -> Option<bool> {
    let stat = || files.stat(text, true).ok();
    let is = |kind: Kind| stat().is_some_and(|s| s.kind == kind);
    let mode = |bit: u16| stat().is_some_and(|s| s.meta.mode & bit != 0);
    Some(match op {
        "-n" => !text.is_empty(),
        "-z" => text.is_empty(),
        "-e" | "-a" => stat().is_some() || text.starts_with("/dev/fd/"),
        "-f" => is(Kind::File),
        "-d" => is(Kind::Directory),
        "-c" => is(Kind::Device),
        "-b" | "-p" | "-S" => false,
        "-h" | "-L" => files
            .stat(text, false)
            .is_ok_and(|s| s.kind == Kind::Symlink),
        "-s" => stat().is_some_and(|s| s.size > 0),
        "-r" => files.may(text, Access::Read),
        "-w" => files.may(text, Access::Write),
        "-x" => files.may(text, Access::Execute),
        "-u" => mode(0o4000),
        "-g" => mode(0o2000),
        "-k" => mode(0o1000),
        "-O" => stat().is_some_and(|s| s.meta.uid == files.user.uid),
        "-G" => stat().is_some_and(|s| s.meta.gid == files.user.gid),
        "-N" => stat().is_some(),
        "-t" => false,
        _ => return None,
    })
}

fn compare(a: i64, op: &str, b: i64) -> Option<bool> {
    Some(match op {
        "-eq" => a == b,
        "-ne" => a != b,
        "-lt" => a < b,
        "-le" => a <= b,
        "-gt" => a > b,
        "-ge" => a >= b,
        _ => return None,
    })
}

fn compare_files(a: &str, op: &str, b: &str, files: &Files<'_>) -> bool {
    let (a, b) = (files.stat(a, true), files.stat(b, true));
    match (op, a, b) {
        ("-nt", Ok(a), Ok(b)) => a.meta.modified > b.meta.modified,
        ("-nt", Ok(_), Err(_)) => true,
        ("-ot", Ok(a), Ok(b)) => a.meta.modified < b.meta.modified,
        ("-ot", Err(_), Ok(_)) => true,
        ("-ef", Ok(a), Ok(b)) => a.ino == b.ino && a.volume == b.volume,
        _ => false,
    }
}

/// The arguments of `test`, by the number of arguments first as POSIX says, then by precedence. `Err` is a message.
pub(crate) fn test_expression(args: &[Arc<str>], files: &Files<'_>) -> Result<bool, String> {
    match args {
        [] => return Ok(false),
        [one] => return Ok(!one.is_empty()),
        [not, one] if &**not == "!" => return Ok(one.is_empty()),
        [left, op, right] if is_binary(op) => return binary(left, op, right, files),
        _ => {}
    }
    let mut t = Test {
        args,
        files,
        depth: 0,
    };
    let value = t.or()?;
    match t.args.first() {
        None => Ok(value),
        Some(arg) if args.len() == 2 => Err(format!(
            "{}: unary operator expected",
            if t.args.len() == 1 { &args[0] } else { arg }
        )),
        Some(arg) if args.len() == 3 => Err(format!(
            "{}: binary operator expected",
            if t.args.len() == 2 { &args[1] } else { arg }
        )),
        Some(_) => Err("too many arguments".into()),
    }
}

fn is_binary(op: &str) -> bool {
    matches!(
        op,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
            | "-ef"
    )
}

fn binary(left: &str, op: &str, right: &str, files: &Files<'_>) -> Result<bool, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<i64>()
            .map_err(|_| format!("{text}: integer expression expected"))
    };
    Ok(match op {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-nt" | "-ot" | "-ef" => compare_files(left, op, right, files),
        op => compare(number(left)?, op, number(right)?).unwrap_or(false),
    })
}

struct Test<'a> {
    args: &'a [Arc<str>],
    files: &'a Files<'a>,
    depth: u32,
}

impl Test<'_> {
    fn peek(&self, n: usize) -> Option<&str> {
        self.args.get(n).map(|a| &**a)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.peek(0) == Some("-o") {
            self.args = &self.args[1..];
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.peek(0) == Some("-a") {
            self.args = &self.args[1..];
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        if self.peek(0) == Some("!") && self.args.len() > 1 {
            self.depth += 1;
            if self.depth > 100 {
                return Err("too many arguments".into());
            }
            self.args = &self.args[1..];
            return Ok(!self.not()?);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.args.first().cloned() else {
            return Err("argument expected".into());
        };
        if let (Some(op), Some(right)) = (self.peek(1), self.peek(2))
            && is_binary(op)
        {
            let value = binary(&first, op, right, self.files)?;
            self.args = &self.args[3..];
            return Ok(value);
        }
        if &*first == "(" {
            self.depth += 1;
            if self.depth > 100 {
                return Err("too many arguments".into());
            }
            self.args = &self.args[1..];
            let value = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("`)' expected".into());
            }
            self.args = &self.args[1..];
            return Ok(value);
        }
        if let Some(operand) = self.peek(1)
            && let Some(value) = unary(&first, operand, self.files)
        {
            self.args = &self.args[2..];
            return Ok(value);
        }
        self.args = &self.args[1..];
        Ok(!first.is_empty())
    }
}
