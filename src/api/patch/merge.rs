//! JSON merge patch (RFC 7386), and the patch that `kubectl apply` computes for custom resources.

use crate::{Map, Value};

/// `target` with `patch` merged in: null removes, maps merge, everything else replaces.
pub fn apply(target: &Value, patch: &Value) -> Value {
    let Value::Map(changes) = patch else {
        return patch.clone();
    };
    let mut result = if target.is_map() {
        target.clone()
    } else {
        Value::empty_map()
    };
    for (key, change) in changes.iter() {
        if change.is_null() {
            result.remove(key);
            continue;
        }
        let old = result.get(key);
        let new = apply(old, change);
        if new != *old || !result.has(key) {
            result.set(key.clone(), new);
        }
    }
    result
}

/// The smallest patch that makes `from` into `to`. Maps are compared field by field, lists as a whole.
pub fn diff(from: &Value, to: &Value) -> Value {
    let (Value::Map(old), Value::Map(new)) = (from, to) else {
        return to.clone();
    };
    let mut patch = Map::default();
    for (key, value) in new.iter() {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) if before.is_map() && value.is_map() => {
                patch.insert(key.clone(), diff(before, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains(key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::from(patch)
}

/// What `kubectl apply` sends for a custom resource: additions and changes of `modified` against `current`,
/// deletions of what `original` (the last applied) had and `modified` has no more. Models `jsonmergepatch.CreateThreeWayJSONMergePatch`.
pub fn three_way(original: &Value, modified: &Value, current: &Value) -> Value {
    let changes = keep(&diff(current, modified), false);
    let deletions = keep(&diff(original, modified), true);
    let mut patch = overlay(&deletions, &changes);
    // What is gone already need not be removed.
    prune(&mut patch, current);
    patch
}

/// Only the nulls of a patch, or everything but them.
fn keep(patch: &Value, nulls: bool) -> Value {
    let Value::Map(map) = patch else {
        return patch.clone();
    };
    let mut kept = Map::default();
    for (key, value) in map.iter() {
        if value.is_map() {
            let inner = keep(value, nulls);
            // An empty map that was asked for is a change of its own.
            if !inner.entries().is_empty() || (!nulls && value.entries().is_empty()) {
                kept.insert(key.clone(), inner);
            }
        } else if value.is_null() == nulls {
            kept.insert(key.clone(), value.clone());
        }
    }
    Value::from(kept)
}

fn overlay(base: &Value, top: &Value) -> Value {
    let (Value::Map(_), Value::Map(over)) = (base, top) else {
        return top.clone();
    };
    let mut result = base.clone();
    for (key, value) in over.iter() {
        let merged = if result.has(key) {
            overlay(result.get(key), value)
        } else {
            value.clone()
        };
        result.set(key.clone(), merged);
    }
    result
}

fn prune(patch: &mut Value, current: &Value) {
    if !patch.is_map() {
        return;
    }
    patch.map_mut().retain(|key, value| {
        if value.is_null() {
            return current.has(key);
        }
        if value.is_map() && current.get(key).is_map() {
            let was_empty = value.entries().is_empty();
            prune(value, current.get(key));
            return was_empty || !value.entries().is_empty();
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).expect(text)
    }

    #[test]
    fn the_examples_of_rfc_7386_hold() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            (
                r#"{}"#,
                r#"{"a":{"bb":{"ccc":null}}}"#,
                r#"{"a":{"bb":{}}}"#,
            ),
        ] {
            assert_eq!(
                apply(&json(target), &json(patch)),
                json(result),
                "{target} + {patch}"
            );
        }
    }

    #[test]
    fn three_ways_keep_what_others_set() {
        let original = json(r#"{"spec":{"a":1,"b":2}}"#);
        let modified = json(r#"{"spec":{"a":3}}"#);
        let current = json(r#"{"spec":{"a":1,"b":2,"other":5}}"#);
        let patch = three_way(&original, &modified, &current);
        assert_eq!(patch, json(r#"{"spec":{"a":3,"b":null}}"#));
        assert_eq!(
            apply(&current, &patch),
            json(r#"{"spec":{"a":3,"other":5}}"#)
        );
        assert_eq!(
            three_way(&modified, &modified, &json(r#"{"spec":{"a":3,"x":1}}"#)),
            json("{}")
        );
    }
}
