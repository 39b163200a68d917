//! Merging a patch into an object, or a second patch into a first.

use super::order::{interleave, is_same, partition};
use super::{DELETE_FROM_LIST, DIRECTIVE, RETAIN_KEYS, SET_ORDER, field, no_merge_key};
use crate::schema::{PatchStrategy, Shape, Type};
use crate::{Map, Str, Value};

/// `target` with `patch` merged in, as the API server does; an error is Kubernetes' message.
pub fn apply(of: Type, target: &Value, patch: &Value) -> Result<Value, String> {
    merge_map(target, patch, Shape::Object(of), Mode::Object)
}

/// What is merged into: an object, whose result has no directives, or a patch, whose result keeps them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Object,
    Patch,
}

pub(super) fn merge_map(
    original: &Value,
    patch: &Value,
    shape: Shape,
    mode: Mode,
) -> Result<Value, String> {
    let Value::Map(changes) = patch else {
        return Err("expected a map in the patch".to_owned());
    };
    if let Some(directive) = changes.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                let mut rest = patch.clone();
                rest.remove(DIRECTIVE);
                Ok(rest)
            }
            Some("delete") => Ok(Value::empty_map()),
            _ => Err(bad_directive(directive, patch)),
        };
    }
    let mut merged = if original.is_map() {
        original.clone()
    } else {
        Value::empty_map()
    };
    retain_keys(&mut merged, changes, mode)?;
    let ordered = merge_ordered_lists(&mut merged, changes, shape, mode)?;
    for (key, change) in changes.iter() {
        let is_done =
            key.starts_with(SET_ORDER) || *key == RETAIN_KEYS || ordered.contains(&key.as_str());
        if is_done {
            continue;
        }
        if let Some(name) = key.strip_prefix(DELETE_FROM_LIST) {
            if mode == Mode::Patch {
                merged.set(key.clone(), change);
            } else if let Value::List(list) = merged.get(name) {
                let kept = list.iter().filter(|item| !change.items().contains(item));
                let kept: Vec<Value> = kept.cloned().collect();
                merged.set(Str::new(name), kept);
            }
            continue;
        }
        if change.is_null() {
            merged.remove(key);
            if mode == Mode::Patch {
                merged.set(key.clone(), Value::Null);
            }
            continue;
        }
        let before = merged.get(key);
        let (inner, strategy) = field(shape, key);
        let after = match (before, change) {
            (Value::Map(_), Value::Map(_)) if !strategy.is_replace => {
                merge_map(before, change, inner, mode)?
            }
            (Value::List(list), Value::List(changes)) => {
                merge_list(list, changes, inner, strategy, mode)?
            }
            _ => match fresh(change, mode) {
                Some(value) => value,
                None => continue,
            },
        };
        if after != *before || !merged.has(key) {
            merged.set(key.clone(), after);
        }
    }
    Ok(merged)
}

/// `$retainKeys`: what it does not list goes away.
fn retain_keys(merged: &mut Value, changes: &Map, mode: Mode) -> Result<(), String> {
    let Some(directive) = changes.get(RETAIN_KEYS) else {
        return Ok(());
    };
    let Value::List(kept) = directive else {
        return Err("invalid patch format of retainKeys: not a list".to_owned());
    };
    let is_kept = |key: &str| kept.iter().any(|k| k.as_str() == Some(key));
    if mode == Mode::Patch {
        merged.set(RETAIN_KEYS, directive);
        return Ok(());
    }
    let is_directive = |key: &str| key.starts_with('$');
    if changes
        .iter()
        .any(|(key, value)| !is_directive(key) && !value.is_null() && !is_kept(key))
    {
        let message = "the keys in patch are not a subset of the retainKeys list";
        return Err(message.to_owned());
    }
    if merged.entries().keys().any(|key| !is_kept(key)) {
        merged.map_mut().retain(|key, _| is_kept(key));
    }
    Ok(())
}

/// Merges the lists that have a `$setElementOrder`; returns their names.
fn merge_ordered_lists<'a>(
    merged: &mut Value,
    changes: &'a Map,
    shape: Shape,
    mode: Mode,
) -> Result<Vec<&'a str>, String> {
    let mut done = Vec::new();
    for (key, order) in changes.iter() {
        let Some(name) = key.strip_prefix(SET_ORDER) else {
            continue;
        };
        let order = order.items();
        if mode == Mode::Patch {
            merged.set(key.clone(), changes.get(key).cloned());
        }
        let (inner, strategy) = field(shape, name);
        let merge_key = strategy.merge_key;
        let patch = changes.get(name).map(Value::items);
        if let Some(stray) = patch.and_then(|patch| find_unordered(patch, order, merge_key)) {
            return Err(format!(
                "The order in patch list:\n{}\n doesn't match {SET_ORDER_NAME} list:\n{}\n",
                super::go_print(stray),
                super::go_print(&Value::from(order.to_vec())),
            ));
        }
        let live = merged.get(name).as_list().map(<[Value]>::to_vec);
        let list = match (&live, patch) {
            (None, None) => continue,
            (Some(live), None) => live.clone(),
            (None, Some(patch)) => patch.iter().filter_map(|item| fresh(item, mode)).collect(),
            (Some(live), Some(patch)) => merge_list(live, patch, inner, strategy, mode)?
                .items()
                .to_vec(),
        };
        let (patched, others) = partition(list, order, merge_key);
        let all = interleave(
            patched,
            others,
            order,
            live.as_deref().unwrap_or_default(),
            merge_key,
        );
        merged.set(Str::new(name), all);
        done.push(name);
    }
    Ok(done)
}

const SET_ORDER_NAME: &str = "$setElementOrder";

fn find_unordered<'a>(patch: &'a [Value], order: &[Value], key: &str) -> Option<&'a Value> {
    patch
        .iter()
        .find(|item| !item.has(DIRECTIVE) && !order.iter().any(|other| is_same(other, item, key)))
}

fn merge_list(
    original: &[Value],
    patch: &[Value],
    shape: Shape,
    strategy: PatchStrategy,
    mode: Mode,
) -> Result<Value, String> {
    if !strategy.is_merge {
        return Ok(fresh_list(patch, mode));
    }
    let key = strategy.merge_key;
    if key.is_empty() {
        let mut merged: Vec<Value> = Vec::new();
        for item in original.iter().chain(patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        let (patched, others) = partition(merged, patch, key);
        return Ok(Value::from(interleave(
            patched, others, patch, original, key,
        )));
    }
    let (mut live, mut changes): (Vec<Value>, Vec<&Value>) = (original.to_vec(), Vec::new());
    let mut is_replaced = false;
    for item in patch {
        let Value::Map(_) = item else {
            return Err(no_merge_key(item, key));
        };
        let directive = item.get(DIRECTIVE);
        match directive.as_str() {
            None if directive.is_null() => changes.push(item),
            Some("delete") if !item.has(key) => return Err(no_merge_key(item, key)),
            Some("delete") => live.retain(|other| !is_same(other, item, key)),
            Some("replace") => is_replaced = true,
            Some("merge") => {
                return Err("merging lists cannot yet be specified in the patch".to_owned());
            }
            _ => return Err(bad_directive(directive, item)),
        }
    }
    if is_replaced {
        let items: Vec<Value> = changes.into_iter().cloned().collect();
        return Ok(fresh_list(&items, mode));
    }
    let before = live.clone();
    for change in &changes {
        if !change.has(key) {
            return Err(no_merge_key(change, key));
        }
        match live.iter().position(|item| is_same(item, change, key)) {
            Some(at) => live[at] = merge_map(&live[at], change, shape.inner(), mode)?,
            None => live.extend(fresh(change, mode)),
        }
    }
    let order: Vec<Value> = changes.into_iter().cloned().collect();
    let (patched, others) = partition(live, &order, key);
    Ok(Value::from(interleave(
        patched, others, &order, &before, key,
    )))
}

/// A value of the patch that meets nothing to merge with. In an object it has neither nulls nor directives; nothing
/// is left of what the patch deletes.
fn fresh(value: &Value, mode: Mode) -> Option<Value> {
    if mode == Mode::Patch {
        return Some(value.clone());
    }
    match value {
        Value::Map(map) => {
            if value.str(DIRECTIVE) == "delete" {
                return None;
            }
            let is_plain = |key: &Str, value: &Value| !key.starts_with('$') && !value.is_null();
            let entries = map.iter().filter(|(key, value)| is_plain(key, value));
            let entries =
                entries.filter_map(|(key, value)| Some((key.clone(), fresh(value, mode)?)));
            Some(Value::from(entries.collect::<Map>()))
        }
        Value::List(list) => Some(fresh_list(list, mode)),
        other => Some(other.clone()),
    }
}

fn fresh_list(list: &[Value], mode: Mode) -> Value {
    let items = list.iter().filter_map(|item| fresh(item, mode));
    Value::from(items.collect::<Vec<_>>())
}

fn bad_directive(directive: &Value, patch: &Value) -> String {
    format!(
        "unknown patch type: {} in map: {}",
        super::go_print(directive),
        super::go_print(patch)
    )
}
