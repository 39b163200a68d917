//! awk's functions: those that it has, and the program's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::context::Context;
use super::run::{Local, Machine, Ran, Stop, TEXT_LIMIT};
use super::syntax::{Expr, Program, Stmt};
use super::value::{Value, input};

/// Calls inside calls.
const CALL_LIMIT: usize = 100;

impl Machine {
    pub(super) fn call(
        &mut self,
        name: &str,
        args: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Value> {
        if let Some((params, body)) = program.functions.get(name) {
            return self.call_own(params, body, args, program, c);
        }
        let text = |m: &mut Machine, i: usize, c: &mut Context<'_, '_>| -> Ran<Arc<str>> {
            match args.get(i) {
                Some(e) => Ok(m.eval(e, program, c)?.text()),
                None => Ok(m.record.clone()),
            }
        };
        let number = |m: &mut Machine, i: usize, c: &mut Context<'_, '_>| -> Ran<f64> {
            match args.get(i) {
                Some(e) => Ok(m.eval(e, program, c)?.number()),
                None => Ok(0.0),
            }
        };
        Ok(match name {
            "length" => {
                if let Some(Expr::Var(array)) = args.first() {
                    let (depth, real) = self.place(array);
                    let is_array = match depth {
                        Some(d) => matches!(self.locals[d].get(&real), Some(Local::Array(_))),
                        None => self.arrays.contains_key(&real),
                    };
                    if is_array {
                        return Ok(Value::Number(self.array(array).len() as f64));
                    }
                }
                Value::Number(text(self, 0, c)?.chars().count() as f64)
            }
            "substr" => {
                let source = text(self, 0, c)?;
                let count = source.chars().count() as f64;
                let from = number(self, 1, c)?.round();
                let until = match args.get(2) {
                    Some(_) => from + number(self, 2, c)?.round(),
                    None => count + 1.0,
                };
                let start = from.max(1.0);
                let end = until.min(count + 1.0);
                let taken: String = if end > start {
                    source
                        .chars()
                        .skip(start as usize - 1)
                        .take((end - start) as usize)
                        .collect()
                } else {
                    String::new()
                };
                Value::Text(taken.into())
            }
            "index" => {
                let (source, part) = (text(self, 0, c)?, text(self, 1, c)?);
                let found = source
                    .find(&*part)
                    .map_or(0, |i| source[..i].chars().count() + 1);
                Value::Number(found as f64)
            }
            "split" => {
                let source = text(self, 0, c)?;
                let fs = match args.get(2) {
                    Some(Expr::Regex(_)) | None if args.len() < 3 => self.var("FS").text(),
                    Some(Expr::Regex(regex)) => {
                        let regex = (**regex).clone();
                        let mut parts = Vec::new();
                        let (mut start, mut at) = (0, 0);
                        while let Some((from, to)) = regex.find_at(&source, at) {
                            if to == from {
                                break;
                            }
                            parts.push(source[start..from].to_string());
                            (start, at) = (to, to);
                        }
                        parts.push(source[start..].to_string());
                        return self.split_into(args, parts);
                    }
                    _ => text(self, 2, c)?,
                };
                let parts = self.split(&source, &fs);
                self.split_into(args, parts)?
            }
            "sub" | "gsub" => return self.substitute(name == "gsub", args, program, c),
            "match" => {
                let source = text(self, 0, c)?;
                let Some(pattern) = args.get(1) else {
                    return Err(Stop::Error("match needs a pattern".into()));
                };
                let regex = self.pattern(pattern, program, c)?;
                let (start, length) = match regex.find_at(&source, 0) {
                    Some((a, b)) => (
                        source[..a].chars().count() as f64 + 1.0,
                        source[a..b].chars().count() as f64,
                    ),
                    None => (0.0, -1.0),
                };
                self.vars.insert("RSTART".into(), Value::Number(start));
                self.vars.insert("RLENGTH".into(), Value::Number(length));
                Value::Number(start)
            }
            "sprintf" => Value::Text(self.sprintf(args, program, c)?.into()),
            "tolower" => Value::Text(text(self, 0, c)?.to_lowercase().into()),
            "toupper" => Value::Text(text(self, 0, c)?.to_uppercase().into()),
            "int" => Value::Number(number(self, 0, c)?.trunc()),
            "sqrt" => Value::Number(number(self, 0, c)?.sqrt()),
            "rand" => {
                // Knuth's MMIX generator; awk's own starts with the same seed every time, too.
                self.random = self
                    .random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                Value::Number((self.random >> 11) as f64 / (1u64 << 53) as f64)
            }
            "srand" => {
                let old = self.random;
                self.random = number(self, 0, c)? as u64;
                Value::Number(old as f64)
            }
            "systime" => Value::Number((self.now / 1_000_000) as f64),
            "strftime" => {
                let format = if args.is_empty() {
                    "%a %b %e %H:%M:%S %Z %Y".into()
                } else {
                    text(self, 0, c)?
                };
                let time = if args.len() > 1 {
                    number(self, 1, c)? as i64 * 1_000_000
                } else {
                    self.now
                };
                Value::Text(super::super::date::format(&format, time).into())
            }
            "close" | "fflush" => Value::Number(0.0),
            _ => return Err(Stop::Error(format!("function `{name}' not defined"))),
        })
    }

    pub(super) fn split_into(&mut self, args: &[Expr], parts: Vec<String>) -> Ran<Value> {
        let Some(Expr::Var(name)) = args.get(1) else {
            return Err(Stop::Error("split: second argument is not an array".into()));
        };
        let array = self.array(name);
        array.clear();
        let count = parts.len();
        for (i, part) in parts.into_iter().enumerate() {
            array.insert((i + 1).to_string().into(), input(&part));
        }
        Ok(Value::Number(count as f64))
    }

    pub(super) fn substitute(
        &mut self,
        all: bool,
        args: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Value> {
        let (Some(pattern), Some(with)) = (args.first(), args.get(1)) else {
            return Err(Stop::Error("sub needs a pattern and a text".into()));
        };
        let regex = self.pattern(pattern, program, c)?;
        let with = self.eval(with, program, c)?.text();
        let whole = Expr::Field(Box::new(Expr::Number(0.0)));
        let target = args.get(2).unwrap_or(&whole);
        let source = self.eval(target, program, c)?.text();
        let mut out = String::new();
        let (mut at, mut copied, mut count) = (0, 0, 0);
        while at <= source.len() {
            let Some((start, end)) = regex.find_at(&source, at) else {
                break;
            };
            if !(start == end && start == copied && count > 0) {
                count += 1;
                out.push_str(&source[copied..start]);
                let mut chars = with.chars();
                while let Some(ch) = chars.next() {
                    match ch {
                        '&' => out.push_str(&source[start..end]),
                        '\\' => match chars.next() {
                            Some('&') => out.push('&'),
                            Some('\\') => out.push('\\'),
                            Some(other) => out.extend(['\\', other]),
                            None => out.push('\\'),
                        },
                        ch => out.push(ch),
                    }
                }
                copied = end;
            }
            if !all || out.len() > TEXT_LIMIT {
                break;
            }
            at = match source[end..].chars().next() {
                _ if end > start => end,
                Some(ch) => end + ch.len_utf8(),
                None => break,
            };
        }
        if count > 0 {
            out.push_str(&source[copied..]);
            self.store(target, Value::Text(out.into()), program, c)?;
        }
        Ok(Value::Number(count as f64))
    }

    pub(super) fn call_own(
        &mut self,
        params: &[String],
        body: &[Stmt],
        args: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Value> {
        if self.locals.len() >= CALL_LIMIT {
            return Err(Stop::Error("function calls nested too deeply".into()));
        }
        let mut locals = BTreeMap::new();
        for (i, param) in params.iter().enumerate() {
            let local = match args.get(i) {
                None => Local::Value(Value::Unset),
                Some(Expr::Var(name)) => {
                    let (depth, real) = self.place(name);
                    let is_array = match depth {
                        Some(d) => matches!(self.locals[d].get(&real), Some(Local::Array(_))),
                        None => self.arrays.contains_key(&real),
                    };
                    let value = self.var(name);
                    // An unset name may become an array in the function.
                    if is_array
                        || matches!(value, Value::Unset)
                            && !self.vars.contains_key(&real)
                            && depth.is_none()
                    {
                        Local::Alias(name.clone())
                    } else {
                        Local::Value(value)
                    }
                }
                Some(e) => Local::Value(self.eval(e, program, c)?),
            };
            locals.insert(param.clone(), local);
        }
        self.locals.push(locals);
        let result = self.block(body, program, c);
        self.locals.pop();
        match result {
            Ok(()) => Ok(Value::Unset),
            Err(Stop::Return(value)) => Ok(value),
            Err(stop) => Err(stop),
        }
    }
}
