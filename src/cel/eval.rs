//! Evaluation: a walk over the expression with a budget.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Str;

use crate::ast::{Expr, Literal, Macro, MacroKind, Node};
use crate::value::{Key, Val};
use crate::{Variables, World, functions, parse};

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// Whether the budget is spent: nothing may swallow that.
    is_final: bool,
}

pub(crate) type Outcome = Result<Val, Failure>;

pub(crate) fn failure(message: impl Into<String>) -> Failure {
    Failure {
        message: message.into(),
        is_final: false,
    }
}

pub(crate) fn no_overload() -> Failure {
    failure("no such overload")
}

pub(crate) struct Run<'a> {
    variables: &'a Variables,
    /// Names that macros bind, the innermost last.
    bound: Vec<(Str, Val)>,
    pub(crate) world: &'a dyn World,
    left: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(variables: &'a Variables, world: &'a dyn World, budget: u64) -> Run<'a> {
        Run {
            variables,
            bound: Vec::new(),
            world,
            left: budget,
        }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Takes `cost` off the budget.
    pub(crate) fn spend(&mut self, cost: usize) -> Result<(), Failure> {
        match self.left.checked_sub(cost as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Failure {
                    message: "operation cancelled: actual cost limit exceeded".to_owned(),
                    is_final: true,
                })
            }
        }
    }

    pub(crate) fn eval(&mut self, expr: &Expr) -> Outcome {
        self.spend(1)?;
        match &expr.node {
            Node::Literal(literal) => Ok(literal_of(literal)),
            Node::Name(name) => self.name(name),
            Node::Select {
                operand,
                field,
                is_optional,
            } => {
                if let Some(name) = parse::qualified(operand, field)
                    && let Some(found) = self.variable(&name)
                {
                    return Ok(found);
                }
                let value = self.eval(operand)?;
                select(&value, field, *is_optional)
            }
            Node::Has { operand, field } => {
                let value = self.eval(operand)?;
                has(&value, field)
            }
            Node::Index {
                operand,
                index,
                is_optional,
            } => {
                let (value, key) = (self.eval(operand)?, self.eval(index)?);
                index_of(&value, &key, *is_optional)
            }
            Node::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (is_optional, item) in items {
                    match (self.eval(item)?, is_optional) {
                        (Val::Optional(Some(inner)), true) => list.push((*inner).clone()),
                        (Val::Optional(None), true) => {}
                        (value, _) => list.push(value),
                    }
                }
                Ok(Val::List(Arc::new(list)))
            }
            Node::Map(entries) => {
                let mut map = BTreeMap::new();
                for (is_optional, key, value) in entries {
                    let key = self
                        .eval(key)?
                        .key()
                        .ok_or_else(|| failure("unsupported key type"))?;
                    match (self.eval(value)?, is_optional) {
                        (Val::Optional(None), true) => {}
                        (Val::Optional(Some(inner)), true) => {
                            map.insert(key, (*inner).clone());
                        }
                        (value, _) => {
                            map.insert(key, value);
                        }
                    }
                }
                Ok(Val::Map(Arc::new(map)))
            }
            Node::Struct { fields, .. } => {
                let mut map = BTreeMap::new();
                for (is_optional, name, value) in fields {
                    let value = match (self.eval(value)?, is_optional) {
                        (Val::Optional(None), true) => continue,
                        (Val::Optional(Some(inner)), true) => (*inner).clone(),
                        (value, _) => value,
                    };
                    map.insert(Key::Text(name.clone()), value);
                }
                Ok(Val::Map(Arc::new(map)))
            }
            Node::Call {
                function,
                target,
                args,
            } => self.call(function, target.as_deref(), args),
            Node::Macro(of) => self.comprehension(of),
        }
    }

    fn variable(&self, name: &str) -> Option<Val> {
        let bound = self.bound.iter().rev().find(|(bound, _)| *bound == *name);
        bound
            .map(|(_, value)| value.clone())
            .or_else(|| self.variables.get(name).cloned())
    }

    fn name(&mut self, name: &Str) -> Outcome {
        if let Some(found) = self.variable(name) {
            return Ok(found);
        }
        functions::type_named(name)
            .map(Val::Type)
            .ok_or_else(|| failure(format!("no such attribute(s): {name}")))
    }

    fn call(&mut self, function: &Str, target: Option<&Expr>, args: &[Expr]) -> Outcome {
        match (function.as_str(), args) {
            ("_&&_", [left, right]) => return self.logic(left, right, false),
            ("_||_", [left, right]) => return self.logic(left, right, true),
            ("_?_:_", [condition, then, other]) => {
                return match self.eval(condition)? {
                    Val::Bool(true) => self.eval(then),
                    Val::Bool(false) => self.eval(other),
                    _ => Err(no_overload()),
                };
            }
            _ => {}
        }
        // A function with a name of several parts: `optional.of(x)`.
        if let Some(target) = target
            && let Some(name) = parse::qualified(target, function)
            && functions::is_qualified(&name)
        {
            let args = self.all(args)?;
            return functions::global(self, &name, &args);
        }
        let target = target.map(|target| self.eval(target)).transpose()?;
        let args = self.all(args)?;
        match target {
            Some(target) => functions::method(self, function, &target, &args),
            None => functions::global(self, function, &args),
        }
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Val>, Failure> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    /// `&&` and `||`: one side may fail if the other decides.
    fn logic(&mut self, left: &Expr, right: &Expr, decides: bool) -> Outcome {
        let first = self.eval(left);
        if matches!(&first, Ok(Val::Bool(b)) if *b == decides) {
            return Ok(Val::Bool(decides));
        }
        if matches!(&first, Err(failure) if failure.is_final) {
            return first;
        }
        let second = self.eval(right);
        match (first, second) {
            (_, Ok(Val::Bool(b))) if b == decides => Ok(Val::Bool(decides)),
            (Ok(Val::Bool(_)), Ok(Val::Bool(_))) => Ok(Val::Bool(!decides)),
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
            _ => Err(no_overload()),
        }
    }

    fn comprehension(&mut self, of: &Macro) -> Outcome {
        let range = self.eval(&of.range)?;
        match of.kind {
            MacroKind::Bind => return self.with(of, range, None, &of.body),
            MacroKind::OptMap | MacroKind::OptFlatMap => {
                let Val::Optional(inner) = range else {
                    return Err(no_overload());
                };
                let Some(inner) = inner else {
                    return Ok(Val::Optional(None));
                };
                let value = self.with(of, (*inner).clone(), None, &of.body)?;
                return Ok(if of.kind == MacroKind::OptMap {
                    Val::Optional(Some(Arc::new(value)))
                } else {
                    value
                });
            }
            _ => {}
        }
        let items = items(&range, of.names.len() == 2)?;
        let mut list = Vec::new();
        let mut map = BTreeMap::new();
        let mut count = 0;
        let mut error = None;
        for (index, item) in items {
            self.spend(1)?;
            if let Some(condition) = &of.condition {
                match self.with(of, index.clone(), item.clone(), condition)? {
                    Val::Bool(true) => {}
                    Val::Bool(false) => continue,
                    _ => return Err(no_overload()),
                }
            }
            let value = self.with(of, index.clone(), item.clone(), &of.body);
            match (of.kind, value) {
                (_, Err(failure)) if failure.is_final => return Err(failure),
                (MacroKind::All, Ok(Val::Bool(false))) => return Ok(Val::Bool(false)),
                (MacroKind::Exists, Ok(Val::Bool(true))) => return Ok(Val::Bool(true)),
                (MacroKind::All | MacroKind::Exists, Ok(Val::Bool(_))) => {}
                (MacroKind::All | MacroKind::Exists, Err(failure)) => {
                    error.get_or_insert(failure);
                }
                (MacroKind::ExistsOne, Ok(Val::Bool(b))) => count += usize::from(b),
                (MacroKind::Filter, Ok(Val::Bool(b))) => {
                    if b {
                        list.push(item.unwrap_or(index));
                    }
                }
                (MacroKind::Map | MacroKind::TransformList, Ok(value)) => list.push(value),
                (MacroKind::TransformMap, Ok(value)) => {
                    let key = index.key().ok_or_else(|| failure("unsupported key type"))?;
                    map.insert(key, value);
                }
                (_, Ok(_)) => return Err(no_overload()),
                (_, Err(failure)) => return Err(failure),
            }
        }
        match (of.kind, error) {
            (_, Some(failure)) => Err(failure),
            (MacroKind::All, None) => Ok(Val::Bool(true)),
            (MacroKind::Exists, None) => Ok(Val::Bool(false)),
            (MacroKind::ExistsOne, None) => Ok(Val::Bool(count == 1)),
            (MacroKind::TransformMap, None) => Ok(Val::Map(Arc::new(map))),
            (_, None) => Ok(Val::List(Arc::new(list))),
        }
    }

    /// Evaluates with the macro's names bound.
    fn with(&mut self, of: &Macro, first: Val, second: Option<Val>, body: &Expr) -> Outcome {
        let depth = self.bound.len();
        let values = std::iter::once(first).chain(second);
        self.bound.extend(of.names.iter().cloned().zip(values));
        let result = self.eval(body);
        self.bound.truncate(depth);
        result
    }
}

fn literal_of(literal: &Literal) -> Val {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(b) => Val::Bool(*b),
        Literal::Int(n) => Val::Int(*n),
        Literal::Uint(n) => Val::Uint(*n),
        Literal::Double(n) => Val::Double(*n),
        Literal::Text(text) => Val::Text(text.clone()),
        Literal::Bytes(bytes) => Val::Bytes(Arc::new(bytes.clone())),
    }
}

/// What a macro walks over: items of a list (with their indexes, if two names are bound) or keys of a map (with values).
fn items(range: &Val, is_paired: bool) -> Result<Vec<(Val, Option<Val>)>, Failure> {
    if let Val::List(items) = range {
        let pairs = items.iter().enumerate();
        return Ok(pairs
            .map(|(at, item)| {
                if is_paired {
                    (Val::Int(at as i64), Some(item.clone()))
                } else {
                    (item.clone(), None)
                }
            })
            .collect());
    }
    let keys = range.keys().ok_or_else(no_overload)?;
    Ok(keys
        .into_iter()
        .map(|key| {
            let value = is_paired.then(|| range.entry(&key)).flatten();
            (key, value)
        })
        .collect())
}

fn select(value: &Val, field: &Str, is_optional: bool) -> Outcome {
    if let Val::Optional(inner) = value {
        return match inner {
            Some(inner) => select(inner, field, true),
            None => Ok(Val::Optional(None)),
        };
    }
    let found = value.entry(&Val::Text(field.clone()));
    match (found, is_optional) {
        (found, true) if value.keys().is_some() => Ok(Val::Optional(found.map(Arc::new))),
        (Some(found), _) => Ok(found),
        (None, _) if value.keys().is_some() => Err(failure(format!("no such key: {field}"))),
        _ => Err(failure(format!(
            "unsupported type for field selection: {}",
            value.type_name()
        ))),
    }
}

fn has(value: &Val, field: &Str) -> Outcome {
    match value {
        Val::Optional(Some(inner)) => has(inner, field),
        Val::Optional(None) => Ok(Val::Bool(false)),
        Val::Map(_) => Ok(Val::Bool(value.entry(&Val::Text(field.clone())).is_some())),
        Val::Object(..) => {
            let found = value.entry(&Val::Text(field.clone()));
            Ok(Val::Bool(found.is_some_and(|v| !matches!(v, Val::Null))))
        }
        _ => Err(no_overload()),
    }
}

fn index_of(value: &Val, key: &Val, is_optional: bool) -> Outcome {
    if let Val::Optional(inner) = value {
        return match inner {
            Some(inner) => index_of(inner, key, true),
            None => Ok(Val::Optional(None)),
        };
    }
    let found = match value {
        Val::List(items) => {
            let Some(Key::Int(at)) = key.key() else {
                return Err(no_overload());
            };
            let found = usize::try_from(at).ok().and_then(|at| items.get(at));
            found
                .cloned()
                .ok_or_else(|| failure(format!("index out of bounds: {at}")))
        }
        Val::Map(_) | Val::Object(..) => {
            let shown = functions::plain(key);
            value
                .entry(key)
                .ok_or_else(|| failure(format!("no such key: {shown}")))
        }
        _ => return Err(no_overload()),
    };
    match is_optional {
        true => Ok(Val::Optional(found.ok().map(Arc::new))),
        false => found,
    }
}
