//! jq's evaluation: a filter turns one value into none, one or many.
//!
//! The machine walks the filter; what it does with values is in the rooms below.

mod argument;
mod arithmetic;
mod builtins;
mod formats;
mod matching;
mod parts;
mod paths;
mod plain;

use super::json::Json;
use super::parse::{Filter, Piece};
use crate::shell::Env;
use arithmetic::binary;
use formats::apply_format;
use parts::{index, recurse, slice};
use std::sync::Arc;

/// Filters evaluated for one input.
const STEP_LIMIT: u64 = 500_000;

/// Filters inside filters, and functions that call themselves.
const DEPTH_LIMIT: u32 = 150;

/// A definition with what it may see.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    params: Vec<String>,
    body: Arc<Filter>,
    scope: Scope,
}

/// Variables and functions visible at a place.
#[derive(Clone, Debug, Default)]
struct Scope {
    vars: Vec<(String, Json)>,
    functions: Vec<Arc<Function>>,
}

pub(super) struct Machine {
    scope: Scope,
    env: Arc<Env>,
    now: i64,
    steps: u64,
    depth: u32,
}

type Done = Result<(), String>;

impl Machine {
    pub(super) fn new(vars: Vec<(String, Json)>, env: Arc<Env>, now: i64) -> Machine {
        Machine {
            scope: Scope {
                vars,
                functions: Vec::new(),
            },
            env,
            now,
            steps: 0,
            depth: 0,
        }
    }

    pub(super) fn run(&mut self, program: &Filter, input: &Json, out: &mut Vec<Json>) -> Done {
        self.steps = 0;
        self.depth = 0;
        let scope = self.scope.clone();
        self.eval(program, input, &scope, out)
    }

    fn collect(&mut self, f: &Filter, input: &Json, scope: &Scope) -> Result<Vec<Json>, String> {
        let mut out = Vec::new();
        self.eval(f, input, scope, &mut out)?;
        Ok(out)
    }

    fn eval(&mut self, f: &Filter, input: &Json, scope: &Scope, out: &mut Vec<Json>) -> Done {
        self.steps += 1;
        self.depth += 1;
        if self.steps > STEP_LIMIT || self.depth > DEPTH_LIMIT || out.len() > 1_000_000 {
            return Err("too much work for one filter".into());
        }
        let result = self.eval_inner(f, input, scope, out);
        self.depth -= 1;
        result
    }

    fn eval_inner(&mut self, f: &Filter, input: &Json, scope: &Scope, out: &mut Vec<Json>) -> Done {
        match f {
            Filter::Identity => out.push(input.clone()),
            Filter::Literal(value) => out.push(value.clone()),
            Filter::Recurse => recurse(input, out),
            Filter::Format(format, pieces) => {
                let mut texts = vec![String::new()];
                for piece in pieces {
                    match piece {
                        Piece::Text(t) => texts.iter_mut().for_each(|s| s.push_str(t)),
                        Piece::Value(inner) => {
                            let mut next = Vec::new();
                            for value in self.collect(inner, input, scope)? {
                                let shown =
                                    apply_format(format.as_deref().unwrap_or("text"), &value)?;
                                next.extend(texts.iter().map(|t| format!("{t}{shown}")));
                            }
                            texts = next;
                        }
                    }
                }
                out.extend(texts.into_iter().map(text));
            }
            Filter::Field(of, key) => {
                for base in self.collect(of, input, scope)? {
                    for key in self.collect(key, input, scope)? {
                        out.push(index(&base, &key)?);
                    }
                }
            }
            Filter::Slice(of, from, to) => {
                let bound = |f: &Option<Box<Filter>>, m: &mut Machine| match f {
                    None => Ok::<Json, String>(Json::Null),
                    Some(f) => Ok(m.collect(f, input, scope)?.pop().unwrap_or(Json::Null)),
                };
                let (from, to): (Json, Json) = (bound(from, self)?, bound(to, self)?);
                for base in self.collect(of, input, scope)? {
                    out.push(slice(&base, &from, &to)?);
                }
            }
            Filter::Iterate(of) => {
                for base in self.collect(of, input, scope)? {
                    match &base {
                        Json::List(items) => out.extend(items.iter().cloned()),
                        Json::Object(fields) => out.extend(fields.iter().map(|f| f.1.clone())),
                        other => return Err(format!("Cannot iterate over {}", describe(other))),
                    }
                }
            }
            Filter::Try(body, catch) => {
                let depth = self.depth;
                if let Err(message) = self.eval(body, input, scope, out) {
                    self.depth = depth;
                    if self.steps > STEP_LIMIT {
                        return Err(message);
                    }
                    if let Some(catch) = catch {
                        self.eval(catch, &text(message), scope, out)?;
                    }
                }
            }
            Filter::Pipe(a, b) => {
                for value in self.collect(a, input, scope)? {
                    self.eval(b, &value, scope, out)?;
                }
            }
            Filter::Comma(a, b) => {
                self.eval(a, input, scope, out)?;
                self.eval(b, input, scope, out)?;
            }
            Filter::Negate(inner) => {
                for value in self.collect(inner, input, scope)? {
                    match value {
                        Json::Number(n) => out.push(Json::Number(-n)),
                        other => return Err(format!("{} cannot be negated", describe(&other))),
                    }
                }
            }
            Filter::Binary("and", a, b) => {
                for left in self.collect(a, input, scope)? {
                    if !left.truth() {
                        out.push(Json::Bool(false));
                        continue;
                    }
                    for right in self.collect(b, input, scope)? {
                        out.push(Json::Bool(right.truth()));
                    }
                }
            }
            Filter::Binary("or", a, b) => {
                for left in self.collect(a, input, scope)? {
                    if left.truth() {
                        out.push(Json::Bool(true));
                        continue;
                    }
                    for right in self.collect(b, input, scope)? {
                        out.push(Json::Bool(right.truth()));
                    }
                }
            }
            Filter::Binary(op, a, b) => {
                for right in self.collect(b, input, scope)? {
                    for left in self.collect(a, input, scope)? {
                        out.push(binary(op, &left, &right)?);
                    }
                }
            }
            Filter::Alternative(a, b) => {
                let depth = self.depth;
                let mut left = Vec::new();
                // Errors on the left only end its values.
                if self.eval(a, input, scope, &mut left).is_err() {
                    self.depth = depth;
                }
                left.retain(Json::truth);
                if left.is_empty() {
                    self.eval(b, input, scope, out)?;
                } else {
                    out.extend(left);
                }
            }
            Filter::Update(op, target, value) => {
                self.update(op, target, value, input, scope, out)?
            }
            Filter::List(None) => out.push(Json::List([].into())),
            Filter::List(Some(inner)) => {
                let items = self.collect(inner, input, scope)?;
                out.push(Json::List(items.into()));
            }
            Filter::Object(fields) => {
                let mut made: Vec<Vec<(Arc<str>, Json)>> = vec![Vec::new()];
                for (key, value) in fields {
                    let mut next = Vec::new();
                    for key in self.collect(key, input, scope)? {
                        let Json::Text(key) = key else {
                            return Err(format!(
                                "Object keys must be strings, not {}",
                                describe(&key)
                            ));
                        };
                        for value in self.collect(value, input, scope)? {
                            for fields in &made {
                                let mut fields = fields.clone();
                                fields.push((key.clone(), value.clone()));
                                next.push(fields);
                            }
                        }
                    }
                    made = next;
                }
                out.extend(made.into_iter().map(Json::object));
            }
            Filter::If(clauses, otherwise) => {
                self.condition(clauses, otherwise, input, scope, out)?
            }
            Filter::Reduce(source, var, init, update) => {
                let mut state = self
                    .collect(init, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    state = self
                        .collect(update, &state, &inner)?
                        .pop()
                        .unwrap_or(Json::Null);
                }
                out.push(state);
            }
            Filter::Foreach(source, var, init, update, extract) => {
                let mut state = self
                    .collect(init, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    state = self
                        .collect(update, &state, &inner)?
                        .pop()
                        .unwrap_or(Json::Null);
                    match extract {
                        Some(extract) => self.eval(extract, &state, &inner, out)?,
                        None => out.push(state.clone()),
                    }
                }
            }
            Filter::As(source, var, body) => {
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    self.eval(body, input, &inner, out)?;
                }
            }
            Filter::Var(name) => match scope.vars.iter().rev().find(|(n, _)| n == name) {
                Some((_, value)) => out.push(value.clone()),
                None if name == "ENV" => out.push(self.environment()),
                None => return Err(format!("${name} is not defined")),
            },
            Filter::Def(name, params, body, rest) => {
                let mut inner = scope.clone();
                inner.functions.push(Arc::new(Function {
                    name: name.clone(),
                    params: params.clone(),
                    body: body.clone(),
                    scope: scope.clone(),
                }));
                self.eval(rest, input, &inner, out)?;
            }
            Filter::Call(name, args) => self.call(name, args, input, scope, out)?,
        }
        Ok(())
    }

    fn condition(
        &mut self,
        clauses: &[(Filter, Filter)],
        otherwise: &Option<Box<Filter>>,
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let Some(((cond, then), rest)) = clauses.split_first() else {
            match otherwise {
                Some(otherwise) => self.eval(otherwise, input, scope, out)?,
                None => out.push(input.clone()),
            }
            return Ok(());
        };
        for value in self.collect(cond, input, scope)? {
            if value.truth() {
                self.eval(then, input, scope, out)?;
            } else {
                self.condition(rest, otherwise, input, scope, out)?;
            }
        }
        Ok(())
    }

    fn environment(&self) -> Json {
        Json::object(
            self.env
                .iter()
                .map(|(k, v)| (k.clone(), Json::Text(v.clone())))
                .collect(),
        )
    }
}

fn text(t: impl Into<Arc<str>>) -> Json {
    Json::Text(t.into())
}

fn short(value: &Json) -> String {
    let whole = value.write(None);
    if whole.chars().count() > 30 {
        let cut: String = whole.chars().take(27).collect();
        format!("{cut}...")
    } else {
        whole
    }
}

fn describe(value: &Json) -> String {
    match value {
        Json::Null => "null (null)".into(),
        value => format!("{} ({})", value.kind(), short(value)),
    }
}
