//! awk's expressions, and what may be assigned to.

use super::super::context::Context;
use super::run::{Machine, Ran, Stop};
use super::syntax::{Expr, Program};
use super::value::{Value, arithmetic, binary, input};
use crate::regex::Regex;

impl Machine {
    pub(super) fn store(
        &mut self,
        target: &Expr,
        value: Value,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<()> {
        match target {
            Expr::Var(name) => self.set_var(name, value),
            Expr::Index(name, index) => {
                let key = self.key(index, program, c)?;
                self.array(name).insert(key, value);
            }
            Expr::Field(n) => {
                let n = self.eval(n, program, c)?.number();
                if !(0.0..=10_000.0).contains(&n) {
                    return Err(Stop::Error(format!(
                        "trying to access out of range field {n}"
                    )));
                }
                let n = n as usize;
                if n == 0 {
                    self.set_record(&value.text());
                } else {
                    if self.fields.len() < n {
                        self.fields.resize(n, Value::Unset);
                    }
                    self.fields[n - 1] = value;
                    self.rebuild();
                }
            }
            _ => {
                return Err(Stop::Error(
                    "assignment to something that is no variable".into(),
                ));
            }
        }
        Ok(())
    }

    pub(super) fn eval(
        &mut self,
        e: &Expr,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Value> {
        Ok(match e {
            Expr::Number(n) => Value::Number(*n),
            Expr::Text(t) => Value::Text(t.clone()),
            Expr::Regex(regex) => Value::Number(regex.is_match(&self.record) as i32 as f64),
            Expr::Var(name) => self.var(name),
            Expr::Group(inner) => self.eval(inner, program, c)?,
            Expr::Field(n) => {
                let n = self.eval(n, program, c)?.number();
                if n < 0.0 {
                    return Err(Stop::Error(format!("attempt to access field {n}")));
                }
                match n as usize {
                    0 => input(&self.record.clone()),
                    n => self.fields.get(n - 1).cloned().unwrap_or(Value::Unset),
                }
            }
            Expr::Index(name, index) => {
                let key = self.key(index, program, c)?;
                let array = self.array(name);
                match array.get(&key) {
                    Some(value) => value.clone(),
                    None => {
                        // Asking for an element makes it.
                        array.insert(key, Value::Unset);
                        Value::Unset
                    }
                }
            }
            Expr::Assign(op, target, right) => {
                let right = self.eval(right, program, c)?;
                let value = if op.is_empty() {
                    right
                } else {
                    let left = self.eval(target, program, c)?;
                    Value::Number(arithmetic(op, left.number(), right.number())?)
                };
                self.store(target, value.clone(), program, c)?;
                value
            }
            Expr::Step { target, by, before } => {
                let old = self.eval(target, program, c)?.number();
                self.store(target, Value::Number(old + by), program, c)?;
                Value::Number(if *before { old + by } else { old })
            }
            Expr::Unary(op, inner) => {
                let value = self.eval(inner, program, c)?;
                Value::Number(match *op {
                    "!" => !value.truth() as i32 as f64,
                    "-" => -value.number(),
                    _ => value.number(),
                })
            }
            Expr::Binary("&&", a, b) => {
                let holds = self.eval(a, program, c)?.truth() && self.eval(b, program, c)?.truth();
                Value::Number(holds as i32 as f64)
            }
            Expr::Binary("||", a, b) => {
                let holds = self.eval(a, program, c)?.truth() || self.eval(b, program, c)?.truth();
                Value::Number(holds as i32 as f64)
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.eval(a, program, c)?, self.eval(b, program, c)?);
                if let (" ", Value::Text(t)) = (*op, &a) {
                    // Long texts cost more to copy.
                    self.steps += t.len() as u64 / 256;
                }
                binary(op, &a, &b)?
            }
            Expr::Match(positive, text, pattern) => {
                let text = self.eval(text, program, c)?.text();
                let regex = self.pattern(pattern, program, c)?;
                Value::Number((regex.is_match(&text) == *positive) as i32 as f64)
            }
            Expr::In(index, array) => {
                let key = self.key(index, program, c)?;
                Value::Number(self.array(array).contains_key(&key) as i32 as f64)
            }
            Expr::Ternary(cond, yes, no) => {
                let branch = if self.eval(cond, program, c)?.truth() {
                    yes
                } else {
                    no
                };
                self.eval(branch, program, c)?
            }
            Expr::Call(name, args) => self.call(name, args, program, c)?,
        })
    }

    pub(super) fn pattern(
        &mut self,
        e: &Expr,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Regex> {
        if let Expr::Regex(regex) = e {
            return Ok((**regex).clone());
        }
        let text = self.eval(e, program, c)?.text();
        self.regex(&text)
            .ok_or_else(|| Stop::Error(format!("invalid regular expression: {text}")))
    }
}
