//! The parts of a value: elements, fields, slices, keys, entries, and what contains what.
//!
//! One step only; `paths` follows many.

use super::super::json::Json;
use super::{describe, text};
use std::sync::Arc;

pub(super) fn recurse(value: &Json, out: &mut Vec<Json>) {
    out.push(value.clone());
    match value {
        Json::List(items) => items.iter().for_each(|i| recurse(i, out)),
        Json::Object(fields) => fields.iter().for_each(|f| recurse(&f.1, out)),
        _ => {}
    }
}

pub(super) fn keys(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::List(items) => Ok((0..items.len()).map(|i| Json::Number(i as f64)).collect()),
        Json::Object(fields) => Ok(fields.iter().map(|f| Json::Text(f.0.clone())).collect()),
        Json::Null => Ok(Vec::new()),
        other => Err(format!("Cannot iterate over {}", describe(other))),
    }
}

pub(super) fn values(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::List(items) => Ok(items.to_vec()),
        Json::Object(fields) => Ok(fields.iter().map(|f| f.1.clone()).collect()),
        other => Err(format!("Cannot iterate over {}", describe(other))),
    }
}

pub(super) fn index(base: &Json, key: &Json) -> Result<Json, String> {
    Ok(match (base, key) {
        (Json::Object(_), Json::Text(key)) => base.get(key).cloned().unwrap_or(Json::Null),
        (Json::List(items), Json::Number(n)) => {
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            if i < 0.0 {
                Json::Null
            } else {
                items.get(i as usize).cloned().unwrap_or(Json::Null)
            }
        }
        (Json::Null, Json::Text(_) | Json::Number(_) | Json::Null) => Json::Null,
        (base, Json::Text(key)) => {
            return Err(format!("Cannot index {} with \"{key}\"", base.kind()));
        }
        (base, key) => return Err(format!("Cannot index {} with {}", base.kind(), key.kind())),
    })
}

pub(super) fn slice(base: &Json, from: &Json, to: &Json) -> Result<Json, String> {
    let bounds = |length: usize| {
        let place = |value: &Json, default: usize| match value {
            Json::Number(n) if *n < 0.0 => (n + length as f64).max(0.0) as usize,
            Json::Number(n) => (*n as usize).min(length),
            _ => default,
        };
        let (from, to) = (place(from, 0), place(to, length));
        from..to.max(from)
    };
    Ok(match base {
        Json::List(items) => Json::List(items[bounds(items.len())].into()),
        Json::Text(t) => {
            let chars: Vec<char> = t.chars().collect();
            text(chars[bounds(chars.len())].iter().collect::<String>())
        }
        Json::Null => Json::Null,
        other => return Err(format!("Cannot index {} with object", other.kind())),
    })
}

pub(super) fn to_entries(value: &Json) -> Result<Json, String> {
    match value {
        Json::Object(fields) => Ok(Json::List(
            fields
                .iter()
                .map(|(k, v)| {
                    Json::object(vec![
                        ("key".into(), Json::Text(k.clone())),
                        ("value".into(), v.clone()),
                    ])
                })
                .collect(),
        )),
        other => Err(format!("{} has no keys", describe(other))),
    }
}

pub(super) fn from_entries(value: &Json) -> Result<Json, String> {
    let mut fields = Vec::new();
    for entry in values(value)? {
        let key = ["key", "k", "name", "Name", "Key", "K"]
            .iter()
            .find_map(|n| entry.get(n))
            .cloned()
            .unwrap_or(Json::Null);
        let key: Arc<str> = match key {
            Json::Text(t) => t,
            other => other.write(None).into(),
        };
        let value = ["value", "v", "Value", "V"]
            .iter()
            .find_map(|n| entry.get(n))
            .cloned()
            .unwrap_or(Json::Null);
        fields.push((key, value));
    }
    Ok(Json::object(fields))
}

pub(super) fn flatten(value: &Json, depth: u32, out: &mut Vec<Json>) {
    match value {
        Json::List(items) => {
            for item in items.iter() {
                match item {
                    Json::List(_) if depth > 0 => flatten(item, depth - 1, out),
                    other => out.push(other.clone()),
                }
            }
        }
        other => out.push(other.clone()),
    }
}

pub(super) fn contains(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Text(a), Json::Text(b)) => a.contains(&**b),
        (Json::List(a), Json::List(b)) => b.iter().all(|y| a.iter().any(|x| contains(x, y))),
        (Json::Object(_), Json::Object(fields)) => fields
            .iter()
            .all(|(k, v)| a.get(k).is_some_and(|x| contains(x, v))),
        (a, b) => a == b,
    }
}
