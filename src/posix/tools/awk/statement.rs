//! awk's statements: output, branches, loops, and how they end.

use std::sync::Arc;

use super::super::context::Context;
use super::run::{Machine, Ran, Stop, TEXT_LIMIT};
use super::syntax::{Expr, Program, Stmt};
use super::value::{Value, input};

/// Statements one record may run.
const STEP_LIMIT: u64 = 1_000_000;

impl Machine {
    pub(super) fn key(
        &mut self,
        index: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<Arc<str>> {
        let mut parts = Vec::new();
        for e in index {
            parts.push(self.eval(e, program, c)?.text());
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let separator = self.var("SUBSEP").text();
        Ok(parts.join(&separator).into())
    }

    pub(super) fn block(
        &mut self,
        body: &[Stmt],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<()> {
        for stmt in body {
            self.statement(stmt, program, c)?;
        }
        Ok(())
    }

    /// Runs a loop's body; `false`: leave the loop.
    pub(super) fn body(
        &mut self,
        body: &[Stmt],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<bool> {
        match self.block(body, program, c) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    pub(super) fn statement(
        &mut self,
        stmt: &Stmt,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<()> {
        self.steps += 1;
        if self.steps > STEP_LIMIT {
            return Err(Stop::Error("program runs too long".into()));
        }
        match stmt {
            Stmt::Expr(e) => {
                self.eval(e, program, c)?;
            }
            Stmt::Print { args, to } => {
                let mut text = String::new();
                if args.is_empty() {
                    text.push_str(&self.record);
                } else {
                    let ofs = self.var("OFS").text();
                    for (i, e) in args.iter().enumerate() {
                        if i > 0 {
                            text.push_str(&ofs);
                        }
                        text.push_str(&self.eval(e, program, c)?.text());
                    }
                }
                text.push_str(&self.var("ORS").text());
                self.write(&text, to, program, c)?;
            }
            Stmt::Printf { args, to } => {
                let text = self.sprintf(args, program, c)?;
                self.write(&text, to, program, c)?;
            }
            Stmt::If(cond, yes, no) => {
                let branch = if self.eval(cond, program, c)?.truth() {
                    yes
                } else {
                    no
                };
                self.block(branch, program, c)?;
            }
            Stmt::While(cond, body) => {
                while self.eval(cond, program, c)?.truth() {
                    if !self.body(body, program, c)? {
                        break;
                    }
                    self.tick()?;
                }
            }
            Stmt::Do(body, cond) => loop {
                if !self.body(body, program, c)? || !self.eval(cond, program, c)?.truth() {
                    break;
                }
                self.tick()?;
            },
            Stmt::For(init, cond, step, body) => {
                if let Some(init) = init {
                    self.statement(init, program, c)?;
                }
                loop {
                    if let Some(cond) = cond
                        && !self.eval(cond, program, c)?.truth()
                    {
                        break;
                    }
                    if !self.body(body, program, c)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.statement(step, program, c)?;
                    }
                    self.tick()?;
                }
            }
            Stmt::ForIn(var, array, body) => {
                let mut keys: Vec<Arc<str>> = self.array(array).keys().cloned().collect();
                // Numbers in order of value, as people hope for.
                keys.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
                    (Ok(x), Ok(y)) => x.total_cmp(&y),
                    (Ok(_), Err(_)) => std::cmp::Ordering::Less,
                    (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
                    _ => a.cmp(b),
                });
                for key in keys {
                    self.set_var(var, input(&key));
                    if !self.body(body, program, c)? {
                        break;
                    }
                }
            }
            Stmt::Block(body) => self.block(body, program, c)?,
            Stmt::Next => return Err(Stop::Next),
            Stmt::Exit(value) => {
                let status = match value {
                    Some(e) => self.eval(e, program, c)?.number() as i32 & 0xff,
                    None => 0,
                };
                return Err(Stop::Exit(status));
            }
            Stmt::Break => return Err(Stop::Break),
            Stmt::Continue => return Err(Stop::Continue),
            Stmt::Return(value) => {
                let value = match value {
                    Some(e) => self.eval(e, program, c)?,
                    None => Value::Unset,
                };
                return Err(Stop::Return(value));
            }
            Stmt::Delete(array, None) => self.array(array).clear(),
            Stmt::Delete(array, Some(index)) => {
                let key = self.key(index, program, c)?;
                self.array(array).remove(&key);
            }
        }
        Ok(())
    }

    pub(super) fn tick(&mut self) -> Ran<()> {
        self.steps += 1;
        if self.steps > STEP_LIMIT {
            return Err(Stop::Error("program runs too long".into()));
        }
        Ok(())
    }

    pub(super) fn write(
        &mut self,
        text: &str,
        to: &Option<(bool, Expr)>,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<()> {
        let Some((append, target)) = to else {
            c.say(text);
            return Ok(());
        };
        let path = self.eval(target, program, c)?.text();
        match &*path {
            "/dev/stdout" | "-" => c.say(text),
            "/dev/stderr" => {
                c.flush();
                c.err.extend_from_slice(text.as_bytes());
                c.flush();
            }
            path => {
                if !self.files.contains_key(path) {
                    let old = if *append {
                        c.input(path).unwrap_or_default()
                    } else {
                        Vec::new()
                    };
                    self.files.insert(path.to_string(), old);
                }
                if let Some(bytes) = self.files.get_mut(path)
                    && bytes.len() < TEXT_LIMIT * 4
                {
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        Ok(())
    }
}
