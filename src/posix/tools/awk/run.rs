//! awk's machine: what a program knows while it runs, and how records pass through its rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::context::Context;
use super::syntax::{Pattern, Program};
use super::value::{Value, input};
use crate::regex::Regex;

pub(super) type Array = BTreeMap<Arc<str>, Value>;

/// Why a statement did not simply end.
pub(super) enum Stop {
    Next,
    Exit(i32),
    Break,
    Continue,
    Return(Value),
    Error(String),
}

pub(super) type Ran<T> = Result<T, Stop>;

/// A parameter of a function that runs.
#[derive(Clone, Debug)]
pub(super) enum Local {
    Value(Value),
    Array(Array),
    /// Stands for an array of the caller.
    Alias(String),
}

/// Text one value may hold.
pub(super) const TEXT_LIMIT: usize = 4 << 20;

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) vars: BTreeMap<String, Value>,
    pub(super) arrays: BTreeMap<String, Array>,
    pub(super) locals: Vec<BTreeMap<String, Local>>,
    pub(super) record: Arc<str>,
    pub(super) fields: Vec<Value>,
    pub(super) ranges: Vec<bool>,
    pub(super) nr: f64,
    pub(super) fnr: f64,
    pub(super) steps: u64,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) random: u64,
    /// Compiled dynamic regular expressions, the last one only.
    pub(super) last_regex: Option<(Arc<str>, Regex)>,
    pub(super) now: i64,
}

impl Machine {
    pub(super) fn new(program: &Program) -> Machine {
        let text = |t: &str| Value::Text(t.into());
        Machine {
            vars: BTreeMap::from([
                ("FS".into(), text(" ")),
                ("OFS".into(), text(" ")),
                ("ORS".into(), text("\n")),
                ("RS".into(), text("\n")),
                ("SUBSEP".into(), text("\u{1c}")),
                ("FILENAME".into(), text("")),
                ("RSTART".into(), Value::Number(0.0)),
                ("RLENGTH".into(), Value::Number(-1.0)),
            ]),
            arrays: BTreeMap::new(),
            locals: Vec::new(),
            record: "".into(),
            fields: Vec::new(),
            ranges: vec![false; program.rules.len()],
            nr: 0.0,
            fnr: 0.0,
            steps: 0,
            files: BTreeMap::new(),
            random: 0,
            last_regex: None,
            now: 0,
        }
    }

    pub(super) fn set_environment(&mut self, name: &Arc<str>, value: &Arc<str>) {
        self.arrays
            .entry("ENVIRON".into())
            .or_default()
            .insert(name.clone(), input(value));
    }

    pub(super) fn set_separator(&mut self, fs: &str) {
        let fs = fs.replace("\\t", "\t").replace("\\|", "|");
        self.vars.insert("FS".into(), Value::Text(fs.into()));
    }

    pub(super) fn assign(&mut self, _program: &Program, name: &str, value: &str) {
        let value = value.replace("\\n", "\n").replace("\\t", "\t");
        self.vars.insert(name.into(), input(&value));
    }

    pub(super) fn new_file(&mut self, name: &str) {
        self.fnr = 0.0;
        self.vars
            .insert("FILENAME".into(), Value::Text(name.into()));
    }

    pub(super) fn begin(&mut self, program: &Program, c: &mut Context<'_, '_>) -> Result<(), i32> {
        for body in &program.begin {
            let result = self.block(body, program, c);
            self.top(result, c)?;
        }
        Ok(())
    }

    /// What a rule's end means for the program.
    fn top(&mut self, result: Ran<()>, c: &mut Context<'_, '_>) -> Result<bool, i32> {
        match result {
            Ok(()) | Err(Stop::Break | Stop::Continue | Stop::Return(_)) => Ok(true),
            Err(Stop::Next) => Ok(false),
            Err(Stop::Exit(status)) => Err(status),
            Err(Stop::Error(message)) => Err(c.fail(2, &message)),
        }
    }

    pub(super) fn record(
        &mut self,
        program: &Program,
        text: &str,
        c: &mut Context<'_, '_>,
    ) -> Result<(), i32> {
        self.nr += 1.0;
        self.fnr += 1.0;
        self.steps = 0;
        self.set_record(text);
        for (i, (pattern, body)) in program.rules.iter().enumerate() {
            let chosen = self.chosen(i, pattern, program, c);
            let chosen = match chosen {
                Ok(chosen) => chosen,
                Err(stop) => {
                    self.top(Err(stop), c)?;
                    continue;
                }
            };
            if chosen {
                let result = self.block(body, program, c);
                if !self.top(result, c)? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn chosen(
        &mut self,
        i: usize,
        pattern: &Pattern,
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<bool> {
        Ok(match pattern {
            Pattern::Always => true,
            Pattern::Expr(e) => self.eval(e, program, c)?.truth(),
            Pattern::Range(from, to) => {
                let starts = self.ranges[i] || self.eval(from, program, c)?.truth();
                if starts {
                    self.ranges[i] = !self.eval(to, program, c)?.truth();
                }
                starts
            }
        })
    }

    pub(super) fn end(
        &mut self,
        program: &Program,
        exited: Option<i32>,
        c: &mut Context<'_, '_>,
    ) -> i32 {
        let mut status = exited.unwrap_or(0);
        // `exit` in a rule still runs END; an error does not.
        if exited != Some(2) {
            for body in &program.end {
                self.steps = 0;
                let result = self.block(body, program, c);
                if let Err(stop) = self.top(result, c) {
                    status = stop;
                    break;
                }
            }
        }
        for (path, bytes) in std::mem::take(&mut self.files) {
            if let Err(errno) = c.files().write(&path, &bytes) {
                c.warn(&format!("can't redirect to {path}: {errno}"));
                status = 2;
            }
        }
        status
    }
}
