//! awk's evaluation.

use super::super::context::Context;
use super::super::printf::{conversion, format_float, format_integer, format_string, general};
use super::parse::{Expr, Pattern, Program, Stmt};
use crate::regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Statements one record may run.
const STEP_LIMIT: u64 = 1_000_000;

/// Calls inside calls.
const CALL_LIMIT: usize = 100;

/// Text one value may hold.
const TEXT_LIMIT: usize = 4 << 20;

#[derive(Clone, Debug)]
enum Value {
    Unset,
    Number(f64),
    Text(Arc<str>),
    /// Input that looks like a number: compares as one.
    Numeric(f64, Arc<str>),
}

type Array = BTreeMap<Arc<str>, Value>;

/// Why a statement did not simply end.
enum Stop {
    Next,
    Exit(i32),
    Break,
    Continue,
    Return(Value),
    Error(String),
}

type Ran<T> = Result<T, Stop>;

/// A parameter of a function that runs.
#[derive(Clone, Debug)]
enum Local {
    Value(Value),
    Array(Array),
    /// Stands for an array of the caller.
    Alias(String),
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    vars: BTreeMap<String, Value>,
    arrays: BTreeMap<String, Array>,
    locals: Vec<BTreeMap<String, Local>>,
    record: Arc<str>,
    fields: Vec<Value>,
    ranges: Vec<bool>,
    nr: f64,
    fnr: f64,
    steps: u64,
    files: BTreeMap<String, Vec<u8>>,
    random: u64,
    /// Compiled dynamic regular expressions, the last one only.
    last_regex: Option<(Arc<str>, Regex)>,
    pub(super) now: i64,
}

fn number_of(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let mut end = 0;
    let mut digits = false;
    if matches!(bytes.first(), Some(b'+' | b'-')) {
        end = 1;
    }
    while end < bytes.len() && (bytes[end].is_ascii_digit() || bytes[end] == b'.') {
        digits |= bytes[end].is_ascii_digit();
        end += 1;
    }
    if !digits {
        return 0.0;
    }
    if end < bytes.len() && matches!(bytes[end], b'e' | b'E') {
        let mut e = end + 1;
        if matches!(bytes.get(e), Some(b'+' | b'-')) {
            e += 1;
        }
        if bytes.get(e).is_some_and(u8::is_ascii_digit) {
            while bytes.get(e).is_some_and(u8::is_ascii_digit) {
                e += 1;
            }
            end = e;
        }
    }
    // Two points end the number at the second.
    let mut text = &text[..end];
    if text.matches('.').count() > 1 {
        let first = text.find('.').unwrap_or(0);
        let second = text[first + 1..]
            .find('.')
            .map_or(text.len(), |i| first + 1 + i);
        text = &text[..second];
    }
    text.parse().unwrap_or(0.0)
}

fn looks_numeric(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    let first = trimmed.trim_start_matches(['+', '-']).chars().next()?;
    if !(first.is_ascii_digit() || first == '.') {
        return None;
    }
    trimmed.parse().ok()
}

fn input(text: &str) -> Value {
    match looks_numeric(text) {
        Some(n) => Value::Numeric(n, text.into()),
        None => Value::Text(text.into()),
    }
}

fn show(n: f64) -> String {
    if n == n.trunc() && n.abs() < 1e16 {
        return format!("{}", n as i64);
    }
    let sign = if n < 0.0 { "-" } else { "" };
    if n.is_nan() {
        return "nan".into();
    }
    if n.is_infinite() {
        return format!("{sign}inf");
    }
    format!("{sign}{}", general(n.abs(), 6, false))
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(n) | Value::Numeric(n, _) => *n,
            Value::Text(t) => number_of(t),
        }
    }

    fn text(&self) -> Arc<str> {
        match self {
            Value::Unset => "".into(),
            Value::Number(n) => show(*n).into(),
            Value::Text(t) | Value::Numeric(_, t) => t.clone(),
        }
    }

    fn truth(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(n) | Value::Numeric(n, _) => *n != 0.0,
            Value::Text(t) => !t.is_empty(),
        }
    }
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

    fn set_record(&mut self, text: &str) {
        self.record = text.into();
        let fs = self.var("FS").text();
        self.fields = self.split(text, &fs).iter().map(|f| input(f)).collect();
    }

    fn split(&mut self, text: &str, fs: &Arc<str>) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        match &**fs {
            " " => text.split_whitespace().map(String::from).collect(),
            "" => text.chars().map(String::from).collect(),
            one if one.chars().count() == 1 && one != "\\" => {
                text.split(one).map(String::from).collect()
            }
            _ => {
                let Some(regex) = self.regex(fs) else {
                    return vec![text.to_string()];
                };
                let mut out = Vec::new();
                let (mut start, mut at) = (0, 0);
                while let Some((from, to)) = regex.find_at(text, at) {
                    if to == from {
                        let Some(ch) = text[to..].chars().next() else {
                            break;
                        };
                        at = to + ch.len_utf8();
                        continue;
                    }
                    out.push(text[start..from].to_string());
                    start = to;
                    at = to;
                }
                out.push(text[start..].to_string());
                out
            }
        }
    }

    fn regex(&mut self, text: &Arc<str>) -> Option<Regex> {
        if let Some((old, regex)) = &self.last_regex
            && old == text
        {
            return Some(regex.clone());
        }
        let regex = Regex::extended(text, false).ok()?;
        self.last_regex = Some((text.clone(), regex.clone()));
        Some(regex)
    }

    fn rebuild(&mut self) {
        let ofs = self.var("OFS").text();
        let texts: Vec<Arc<str>> = self.fields.iter().map(Value::text).collect();
        self.record = texts.join(&ofs).into();
    }

    fn var(&self, name: &str) -> Value {
        match self.locals.last().and_then(|l| l.get(name)) {
            Some(Local::Value(value)) => return value.clone(),
            Some(_) => return Value::Unset,
            None => {}
        }
        match name {
            "NF" => Value::Number(self.fields.len() as f64),
            "NR" => Value::Number(self.nr),
            "FNR" => Value::Number(self.fnr),
            _ => self.vars.get(name).cloned().unwrap_or(Value::Unset),
        }
    }

    fn set_var(&mut self, name: &str, value: Value) {
        if let Some(local) = self.locals.last_mut().and_then(|l| l.get_mut(name)) {
            *local = Local::Value(value);
            return;
        }
        match name {
            "NF" => {
                self.fields
                    .resize((value.number().max(0.0) as usize).min(10_000), Value::Unset);
                self.rebuild();
            }
            "NR" => self.nr = value.number(),
            "FNR" => self.fnr = value.number(),
            _ => {
                self.vars.insert(name.to_string(), value);
            }
        }
    }

    /// Where an array of that name lives: in a frame of locals, or among the globals.
    fn place(&self, name: &str) -> (Option<usize>, String) {
        let mut name = name.to_string();
        for depth in (0..self.locals.len()).rev() {
            match self.locals[depth].get(&name) {
                Some(Local::Alias(outer)) => name = outer.clone(),
                Some(_) => return (Some(depth), name),
                None => return (None, name),
            }
        }
        (None, name)
    }

    fn array(&mut self, name: &str) -> &mut Array {
        match self.place(name) {
            (Some(depth), name) => {
                let local = self.locals[depth]
                    .entry(name)
                    .or_insert_with(|| Local::Array(Array::new()));
                if !matches!(local, Local::Array(_)) {
                    *local = Local::Array(Array::new());
                }
                match local {
                    Local::Array(array) => array,
                    _ => unreachable!("it was just made an array"),
                }
            }
            (None, name) => self.arrays.entry(name).or_default(),
        }
    }

    fn key(&mut self, index: &[Expr], program: &Program, c: &mut Context<'_, '_>) -> Ran<Arc<str>> {
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

    fn block(&mut self, body: &[Stmt], program: &Program, c: &mut Context<'_, '_>) -> Ran<()> {
        for stmt in body {
            self.statement(stmt, program, c)?;
        }
        Ok(())
    }

    /// Runs a loop's body; `false`: leave the loop.
    fn body(&mut self, body: &[Stmt], program: &Program, c: &mut Context<'_, '_>) -> Ran<bool> {
        match self.block(body, program, c) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    fn statement(&mut self, stmt: &Stmt, program: &Program, c: &mut Context<'_, '_>) -> Ran<()> {
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

    fn tick(&mut self) -> Ran<()> {
        self.steps += 1;
        if self.steps > STEP_LIMIT {
            return Err(Stop::Error("program runs too long".into()));
        }
        Ok(())
    }

    fn write(
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

    fn store(
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

    fn eval(&mut self, e: &Expr, program: &Program, c: &mut Context<'_, '_>) -> Ran<Value> {
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
                self.binary(op, &a, &b)?
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

    fn binary(&self, op: &str, a: &Value, b: &Value) -> Ran<Value> {
        if op == " " {
            let (a, b) = (a.text(), b.text());
            if a.len() + b.len() > TEXT_LIMIT {
                return Err(Stop::Error("string too long".into()));
            }
            return Ok(Value::Text(format!("{a}{b}").into()));
        }
        let order = match op {
            "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                if matches!(a, Value::Text(_)) || matches!(b, Value::Text(_)) {
                    a.text().cmp(&b.text())
                } else {
                    a.number().total_cmp(&b.number())
                }
            }
            op => return Ok(Value::Number(arithmetic(op, a.number(), b.number())?)),
        };
        let holds = match op {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        };
        Ok(Value::Number(holds as i32 as f64))
    }

    fn pattern(&mut self, e: &Expr, program: &Program, c: &mut Context<'_, '_>) -> Ran<Regex> {
        if let Expr::Regex(regex) = e {
            return Ok((**regex).clone());
        }
        let text = self.eval(e, program, c)?.text();
        self.regex(&text)
            .ok_or_else(|| Stop::Error(format!("invalid regular expression: {text}")))
    }

    fn sprintf(
        &mut self,
        args: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<String> {
        let mut values = Vec::new();
        for e in args {
            values.push(self.eval(e, program, c)?);
        }
        let mut values = values.into_iter();
        let format = values.next().map(|v| v.text()).unwrap_or_default();
        let mut out = String::new();
        let mut rest = &*format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (spec, length) =
                conversion(rest, || values.next().map_or(0, |v| v.number() as i64));
            let text = &rest[..length];
            rest = &rest[length..];
            match spec.letter {
                '%' => out.push('%'),
                's' => out.push_str(&format_string(
                    &values.next().map(|v| v.text()).unwrap_or_default(),
                    &spec,
                )),
                'c' => {
                    let text = match values.next() {
                        Some(Value::Number(n)) => char::from_u32(n as u32)
                            .map(String::from)
                            .unwrap_or_default(),
                        Some(value) => value.text().chars().take(1).collect(),
                        None => String::new(),
                    };
                    out.push_str(&format_string(&text, &spec));
                }
                'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                    let n = values.next().map_or(0.0, |v| v.number());
                    out.push_str(&format_integer(n as i64, &spec));
                }
                'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                    let n = values.next().map_or(0.0, |v| v.number());
                    out.push_str(&format_float(n, &spec));
                }
                _ => out.push_str(text),
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn call(
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

    fn split_into(&mut self, args: &[Expr], parts: Vec<String>) -> Ran<Value> {
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

    fn substitute(
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

    fn call_own(
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

fn arithmetic(op: &str, a: f64, b: f64) -> Ran<f64> {
    Ok(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "%" if b == 0.0 => return Err(Stop::Error("division by zero".into())),
        "/" => a / b,
        "%" => a % b,
        _ => power(a, b),
    })
}

/// Powers with whole exponents; the only ones that are the same on every machine.
fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 0.5 {
        return base.sqrt();
    }
    let n = exponent.abs().trunc().min(4096.0) as u32;
    let value = (0..n).fold(1.0, |acc, _| acc * base);
    if exponent < 0.0 { 1.0 / value } else { value }
}
