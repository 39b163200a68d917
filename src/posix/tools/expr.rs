//! `expr`, `test` as a program, `true`, `false`, `clear` and other tools that do next to nothing; `bc` for integers.

use super::Context;
use crate::regex::Regex;
use std::sync::Arc;

pub(super) fn yes(_: &mut Context<'_, '_>) -> i32 {
    0
}

pub(super) fn no(_: &mut Context<'_, '_>) -> i32 {
    1
}

pub(super) fn test(c: &mut Context<'_, '_>) -> i32 {
    let mut args = c.args();
    if c.name() == "[" && args.pop().as_deref() != Some("]") {
        return c.fail(2, "missing ']'");
    }
    let result = crate::shell::test_expression(&args, &c.files());
    match result {
        Ok(value) => !value as i32,
        Err(message) => c.fail(2, &message),
    }
}

pub(super) fn pwd(c: &mut Context<'_, '_>) -> i32 {
    let cwd = c.p.cwd.to_string();
    c.line(&cwd);
    0
}

pub(super) fn expr(c: &mut Context<'_, '_>) -> i32 {
    let args = c.args();
    if args.is_empty() {
        return c.misuse(2, "missing operand");
    }
    let mut e = Expr {
        args: &args,
        at: 0,
        depth: 0,
    };
    match e.or() {
        Ok(_) if e.at < args.len() => {
            let extra = args[e.at].clone();
            c.fail(2, &format!("syntax error: unexpected argument '{extra}'"))
        }
        Ok(value) => {
            c.line(&value);
            (value.is_empty()
                || value.trim_start_matches('-').chars().all(|ch| ch == '0') && value != "-")
                as i32
        }
        Err(message) => c.fail(2, &message),
    }
}

struct Expr<'a> {
    args: &'a [Arc<str>],
    at: usize,
    depth: u32,
}

type Value = Result<String, String>;

impl Expr<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(|a| &**a)
    }

    fn take(&mut self, ops: &[&str]) -> Option<String> {
        let found = self.peek().filter(|p| ops.contains(p))?.to_string();
        self.at += 1;
        Some(found)
    }

    fn truth(text: &str) -> bool {
        !(text.is_empty() || text == "0")
    }

    fn or(&mut self) -> Value {
        let mut left = self.and()?;
        while self.take(&["|"]).is_some() {
            let right = self.and()?;
            left = match (Self::truth(&left), Self::truth(&right)) {
                (true, _) => left,
                (false, true) => right,
                _ => "0".into(),
            };
        }
        Ok(left)
    }

    fn and(&mut self) -> Value {
        let mut left = self.compare()?;
        while self.take(&["&"]).is_some() {
            let right = self.compare()?;
            if !Self::truth(&left) || !Self::truth(&right) {
                left = "0".into();
            }
        }
        Ok(left)
    }

    fn compare(&mut self) -> Value {
        let mut left = self.sum()?;
        while let Some(op) = self.take(&["=", "==", "!=", "<", "<=", ">", ">="]) {
            let right = self.sum()?;
            let order = match (left.parse::<i64>(), right.parse::<i64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => left.cmp(&right),
            };
            let holds = match op.as_str() {
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            };
            left = (holds as i32).to_string();
        }
        Ok(left)
    }

    fn numbers(a: &str, b: &str) -> Result<(i64, i64), String> {
        match (a.parse(), b.parse()) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            _ => Err("non-integer argument".into()),
        }
    }

    fn sum(&mut self) -> Value {
        let mut left = self.product()?;
        while let Some(op) = self.take(&["+", "-"]) {
            let right = self.product()?;
            let (a, b) = Self::numbers(&left, &right)?;
            left = if op == "+" {
                a.wrapping_add(b)
            } else {
                a.wrapping_sub(b)
            }
            .to_string();
        }
        Ok(left)
    }

    fn product(&mut self) -> Value {
        let mut left = self.matching()?;
        while let Some(op) = self.take(&["*", "/", "%"]) {
            let right = self.matching()?;
            let (a, b) = Self::numbers(&left, &right)?;
            if op != "*" && b == 0 {
                return Err("division by zero".into());
            }
            left = match op.as_str() {
                "*" => a.wrapping_mul(b),
                "/" => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            }
            .to_string();
        }
        Ok(left)
    }

    fn matching(&mut self) -> Value {
        let mut left = self.primary()?;
        while self.take(&[":"]).is_some() {
            let pattern = self.primary()?;
            left = matched(&left, &pattern)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > 200 {
            return Err("syntax error".into());
        }
        let Some(word) = self.peek().map(String::from) else {
            return Err("syntax error: missing argument".into());
        };
        self.at += 1;
        match word.as_str() {
            "(" => {
                let value = self.or()?;
                match self.take(&[")"]) {
                    Some(_) => Ok(value),
                    None => Err("syntax error: expecting ')'".into()),
                }
            }
            "length" if self.peek().is_some() => Ok(self.primary()?.chars().count().to_string()),
            "match" if self.args.len() > self.at + 1 => {
                let (text, pattern) = (self.primary()?, self.primary()?);
                matched(&text, &pattern)
            }
            "index" if self.args.len() > self.at + 1 => {
                let (text, set) = (self.primary()?, self.primary()?);
                let found = text
                    .chars()
                    .position(|ch| set.contains(ch))
                    .map_or(0, |i| i + 1);
                Ok(found.to_string())
            }
            "substr" if self.args.len() > self.at + 2 => {
                let (text, from, length) = (self.primary()?, self.primary()?, self.primary()?);
                let (from, length) = Self::numbers(&from, &length)?;
                if from < 1 || length < 1 {
                    return Ok(String::new());
                }
                Ok(text
                    .chars()
                    .skip(from as usize - 1)
                    .take(length as usize)
                    .collect())
            }
            _ => Ok(word),
        }
    }
}

fn matched(text: &str, pattern: &str) -> Value {
    let regex = Regex::basic(&format!("^{}", pattern.trim_start_matches('^')), false)?;
    let has_group = pattern.contains("\\(");
    Ok(match regex.captures(text) {
        Some(found) if has_group => found.get(1).copied().flatten().unwrap_or("").to_string(),
        Some(found) => found[0].unwrap_or("").chars().count().to_string(),
        None if has_group => String::new(),
        None => "0".into(),
    })
}
