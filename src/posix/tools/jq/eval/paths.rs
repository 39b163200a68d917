//! Ways into a value: which ones a filter goes, and reading, replacing and removing what they lead to.
//!
//! `path(…)`, `del(…)` and all assignments come here; plain reading does not.

use super::super::json::Json;
use super::super::parse::Filter;
use super::arithmetic::binary;
use super::parts::{index, keys};
use super::{Done, Machine, Scope};
use std::sync::Arc;

/// A way into a value.
pub(super) type Path = Vec<Json>;

impl Machine {
    pub(super) fn update(
        &mut self,
        op: &str,
        target: &Filter,
        value: &Filter,
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let paths = self.paths(target, input, scope)?;
        if op == "|=" {
            let mut result = input.clone();
            let mut gone = Vec::new();
            for path in paths {
                let old = get(&result, &path)?;
                let mut new = self.collect(value, &old, scope)?.into_iter();
                match new.next() {
                    Some(new) => result = set(&result, &path, new)?,
                    None => gone.push(path),
                }
            }
            for path in gone.iter().rev() {
                result = remove(&result, path);
            }
            out.push(result);
            return Ok(());
        }
        for right in self.collect(value, input, scope)? {
            let mut result = input.clone();
            for path in &paths {
                let new = match op {
                    "=" => right.clone(),
                    "//=" => {
                        let old = get(&result, path)?;
                        if old.truth() { old } else { right.clone() }
                    }
                    op => binary(&op[..1], &get(&result, path)?, &right)?,
                };
                result = set(&result, path, new)?;
            }
            out.push(result);
        }
        Ok(())
    }

    /// The ways into the input that a filter of fields and iterations goes.
    pub(super) fn paths(
        &mut self,
        f: &Filter,
        input: &Json,
        scope: &Scope,
    ) -> Result<Vec<Path>, String> {
        Ok(match f {
            Filter::Identity => vec![Vec::new()],
            Filter::Field(of, key) => {
                let mut all = Vec::new();
                for base in self.paths(of, input, scope)? {
                    for key in self.collect(key, input, scope)? {
                        let mut path = base.clone();
                        path.push(key);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Iterate(of) => {
                let mut all = Vec::new();
                for base in self.paths(of, input, scope)? {
                    for key in keys(&get(input, &base)?)? {
                        let mut path = base.clone();
                        path.push(key);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Pipe(a, b) => {
                let mut all = Vec::new();
                for first in self.paths(a, input, scope)? {
                    let inner = get(input, &first)?;
                    for second in self.paths(b, &inner, scope)? {
                        let mut path = first.clone();
                        path.extend(second);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Comma(a, b) => {
                let mut all = self.paths(a, input, scope)?;
                all.extend(self.paths(b, input, scope)?);
                all
            }
            Filter::Try(inner, _) => self.paths(inner, input, scope).unwrap_or_default(),
            Filter::Recurse => {
                let mut all = Vec::new();
                every_path(input, &mut Vec::new(), &mut all);
                all
            }
            Filter::Call(name, args) if name == "select" && args.len() == 1 => {
                let chosen = self
                    .collect(&args[0], input, scope)?
                    .iter()
                    .any(Json::truth);
                if chosen { vec![Vec::new()] } else { Vec::new() }
            }
            Filter::Call(name, _) if name == "empty" => Vec::new(),
            _ => return Err("Invalid path expression".into()),
        })
    }
}

pub(super) fn every_path(value: &Json, prefix: &mut Path, out: &mut Vec<Path>) {
    out.push(prefix.clone());
    for key in keys(value).unwrap_or_default() {
        if let Ok(inner) = index(value, &key) {
            prefix.push(key);
            every_path(&inner, prefix, out);
            prefix.pop();
        }
    }
}

pub(super) fn get(value: &Json, path: &[Json]) -> Result<Json, String> {
    path.iter().try_fold(value.clone(), |v, key| index(&v, key))
}

fn set(value: &Json, path: &[Json], new: Json) -> Result<Json, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    let inner = set(&index(value, key)?, rest, new)?;
    Ok(match (value, key) {
        (Json::List(_) | Json::Null, Json::Number(n)) => {
            let mut items = match value {
                Json::List(items) => items.to_vec(),
                _ => Vec::new(),
            };
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            if !(0.0..1e6).contains(&i) {
                return Err("Out of bounds negative array index".into());
            }
            let i = i as usize;
            if items.len() <= i {
                items.resize(i + 1, Json::Null);
            }
            items[i] = inner;
            Json::List(items.into())
        }
        (value, Json::Text(key)) => {
            let mut fields = match value {
                Json::Object(fields) => (**fields).clone(),
                _ => Vec::new(),
            };
            fields.push((key.clone(), inner));
            Json::object(fields)
        }
        (value, key) => return Err(format!("Cannot index {} with {}", value.kind(), key.kind())),
    })
}

pub(super) fn remove(value: &Json, path: &[Json]) -> Json {
    let Some((key, rest)) = path.split_first() else {
        return Json::Null;
    };
    if !rest.is_empty() {
        let Ok(inner) = index(value, key) else {
            return value.clone();
        };
        if inner == Json::Null {
            return value.clone();
        }
        return set(value, std::slice::from_ref(key), remove(&inner, rest))
            .unwrap_or(value.clone());
    }
    match (value, key) {
        (Json::Object(fields), Json::Text(key)) => {
            let kept = fields.iter().filter(|f| f.0 != *key).cloned().collect();
            Json::Object(Arc::new(kept))
        }
        (Json::List(items), Json::Number(n)) => {
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            let kept = items
                .iter()
                .enumerate()
                .filter(|(at, _)| *at as f64 != i)
                .map(|(_, v)| v.clone());
            Json::List(kept.collect())
        }
        _ => value.clone(),
    }
}
