//! Calls: a program's own functions, and the built-in ones that evaluate filters.
//!
//! Those that only look at values are in `plain` (no argument) and `argument` (one).

use super::super::json::Json;
use super::super::parse::Filter;
use super::argument::with_argument;
use super::arithmetic::{as_number, range};
use super::formats::apply_format;
use super::parts::{from_entries, recurse, to_entries, values};
use super::paths::{every_path, remove};
use super::plain::simple;
use super::{Done, Function, Machine, Scope, text};
use std::sync::Arc;

impl Machine {
    pub(super) fn call(
        &mut self,
        name: &str,
        args: &[Filter],
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let own = scope
            .functions
            .iter()
            .rev()
            .find(|f| f.name == name && f.params.len() == args.len())
            .cloned();
        if let Some(function) = own {
            let mut inner = function.scope.clone();
            inner.functions.push(function.clone());
            for (param, arg) in function.params.iter().zip(args) {
                inner.functions.push(Arc::new(Function {
                    name: param.clone(),
                    params: Vec::new(),
                    body: Arc::new(arg.clone()),
                    scope: scope.clone(),
                }));
                if let Some(value) = self.collect(arg, input, scope)?.into_iter().next() {
                    inner.vars.push((param.clone(), value));
                }
            }
            return self.eval(&function.body, input, &inner, out);
        }
        if let Some(format) = name.strip_prefix('@') {
            out.push(text(apply_format(format, input)?));
            return Ok(());
        }
        match (name, args) {
            ("empty", []) => {}
            (
                "values" | "nulls" | "booleans" | "numbers" | "strings" | "arrays" | "objects"
                | "iterables" | "scalars",
                [],
            ) => {
                let kept = match name {
                    "values" => *input != Json::Null,
                    "iterables" => matches!(input, Json::List(_) | Json::Object(_)),
                    "scalars" => !matches!(input, Json::List(_) | Json::Object(_)),
                    name => name.trim_end_matches('s') == input.kind(),
                };
                if kept {
                    out.push(input.clone());
                }
            }
            ("not", []) => out.push(Json::Bool(!input.truth())),
            ("select", [cond]) => {
                for value in self.collect(cond, input, scope)? {
                    if value.truth() {
                        out.push(input.clone());
                    }
                }
            }
            ("map", [f]) => {
                let mut items = Vec::new();
                for item in values(input)? {
                    self.eval(f, &item, scope, &mut items)?;
                }
                out.push(Json::List(items.into()));
            }
            ("map_values", [f]) => {
                let result = match input {
                    Json::Object(fields) => {
                        let mut new = Vec::new();
                        for (key, value) in fields.iter() {
                            if let Some(value) = self.collect(f, value, scope)?.into_iter().next() {
                                new.push((key.clone(), value));
                            }
                        }
                        Json::object(new)
                    }
                    other => {
                        let mut items = Vec::new();
                        for item in values(other)? {
                            items.extend(self.collect(f, &item, scope)?.into_iter().next());
                        }
                        Json::List(items.into())
                    }
                };
                out.push(result);
            }
            ("recurse", []) => recurse(input, out),
            ("error", []) => {
                return Err(match input {
                    Json::Text(t) => t.to_string(),
                    other => format!("{} (not a string)", other.write(None)),
                });
            }
            ("error", [message]) => {
                let value = self
                    .collect(message, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                return Err(match value {
                    Json::Text(t) => t.to_string(),
                    other => other.write(None),
                });
            }
            ("range", [to]) => {
                for to in self.collect(to, input, scope)? {
                    range(&Json::Number(0.0), &to, 1.0, out)?;
                }
            }
            ("range", [from, to]) => {
                for from in self.collect(from, input, scope)? {
                    for to in self.collect(to, input, scope)? {
                        range(&from, &to, 1.0, out)?;
                    }
                }
            }
            ("first", [f]) => out.extend(self.collect(f, input, scope)?.into_iter().next()),
            ("last", [f]) => out.extend(self.collect(f, input, scope)?.pop()),
            ("limit", [n, f]) => {
                let n = self
                    .collect(n, input, scope)?
                    .pop()
                    .and_then(|n| as_number(&n))
                    .unwrap_or(0.0);
                out.extend(
                    self.collect(f, input, scope)?
                        .into_iter()
                        .take(n.max(0.0) as usize),
                );
            }
            ("any" | "all", _) => {
                let all = name == "all";
                let items = match args {
                    [source, _] => self.collect(source, input, scope)?,
                    _ => values(input)?,
                };
                let mut result = all;
                for item in items {
                    let holds = match args.last() {
                        Some(cond) => self.collect(cond, &item, scope)?.iter().any(Json::truth),
                        None => item.truth(),
                    };
                    if holds != all {
                        result = !all;
                    }
                }
                out.push(Json::Bool(result));
            }
            ("sort_by" | "group_by" | "unique_by" | "min_by" | "max_by", [key]) => {
                let mut keyed = Vec::new();
                for item in values(input)? {
                    let key = Json::List(self.collect(key, &item, scope)?.into());
                    keyed.push((key, item));
                }
                keyed.sort_by(|a, b| a.0.order(&b.0));
                out.push(match name {
                    "sort_by" => Json::List(keyed.into_iter().map(|k| k.1).collect()),
                    "min_by" => keyed.into_iter().next().map_or(Json::Null, |k| k.1),
                    "max_by" => keyed.pop().map_or(Json::Null, |k| k.1),
                    "unique_by" => {
                        keyed.dedup_by(|a, b| a.0 == b.0);
                        Json::List(keyed.into_iter().map(|k| k.1).collect())
                    }
                    _ => {
                        let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
                        for (key, item) in keyed {
                            match groups.last_mut() {
                                Some((last, items)) if *last == key => items.push(item),
                                _ => groups.push((key, vec![item])),
                            }
                        }
                        Json::List(groups.into_iter().map(|g| Json::List(g.1.into())).collect())
                    }
                });
            }
            ("with_entries", [f]) => {
                let mut items = Vec::new();
                let Json::List(entries) = to_entries(input)? else {
                    return Ok(());
                };
                for entry in entries.iter() {
                    self.eval(f, entry, scope, &mut items)?;
                }
                out.push(from_entries(&Json::List(items.into()))?);
            }
            ("paths", []) => {
                let mut all = Vec::new();
                every_path(input, &mut Vec::new(), &mut all);
                out.extend(
                    all.into_iter()
                        .filter(|p| !p.is_empty())
                        .map(|p| Json::List(p.into())),
                );
            }
            ("path", [f]) => {
                for path in self.paths(f, input, scope)? {
                    out.push(Json::List(path.into()));
                }
            }
            ("del", [f]) => {
                let mut result = input.clone();
                for path in self.paths(f, input, scope)?.iter().rev() {
                    result = remove(&result, path);
                }
                out.push(result);
            }
            ("isvalid", [f]) => {
                let good = self.collect(f, input, scope).is_ok();
                out.push(Json::Bool(good));
            }
            ("env", []) => out.push(self.environment()),
            ("now", []) => out.push(Json::Number(self.now as f64 / 1e6)),
            ("input_line_number", []) => out.push(Json::Number(0.0)),
            ("sub" | "gsub", [pattern, with, ..]) => {
                out.push(self.substitute(name == "gsub", pattern, with, input, scope)?)
            }
            (_, []) => out.push(simple(name, input)?),
            (_, [arg, rest @ ..]) => {
                let flags = match rest.first() {
                    Some(f) => self.collect(f, input, scope)?.pop().unwrap_or(Json::Null),
                    None => Json::Null,
                };
                for arg in self.collect(arg, input, scope)? {
                    with_argument(name, input, &arg, &flags, out)?;
                }
            }
        }
        Ok(())
    }
}
