//! Strategic merge patch: lists merged by key, with directives; and the patches that kubectl computes.
//!
//! Models `apimachinery/pkg/util/strategicpatch/patch.go`. What is merged how stands in the schema
//! ([`crate::schema::PatchStrategy`]). Entry points: [`apply`], [`two_way`], [`three_way`].

use crate::schema::{self, PatchStrategy, Shape, Type};
use crate::{Map, Str, Value, map};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_PREFIX: &str = "$deleteFromPrimitiveList/";
const ORDER_PREFIX: &str = "$setElementOrder/";

/// `original` with `patch` applied.
pub fn apply(of: Type, original: &Value, patch: &Value) -> Result<Value, String> {
    if !patch.is_map() {
        return Err("cannot unmarshal patch: expected a map".into());
    }
    merge_maps(original, patch, Shape::Object(of), Mode::Apply)
}

/// The patch that makes `original` into `modified`.
pub fn two_way(of: Type, original: &Value, modified: &Value) -> Result<Value, String> {
    diff_maps(
        original,
        modified,
        Shape::Object(of),
        Wanted {
            changes: true,
            deletions: true,
        },
        false,
    )
}

/// What `kubectl apply` sends: what `modified` adds to or changes in `current`, and deletes what only `original`
/// (the last applied) had. An empty map means that nothing is to be done.
pub fn three_way(
    of: Type,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Value, String> {
    let shape = Shape::Object(of);
    let changes = diff_maps(
        current,
        modified,
        shape,
        Wanted {
            changes: true,
            deletions: false,
        },
        false,
    )?;
    let deletions = diff_maps(
        original,
        modified,
        shape,
        Wanted {
            changes: false,
            deletions: true,
        },
        false,
    )?;
    merge_maps(&deletions, &changes, shape, Mode::Combine)
}

/// The type of a built-in kind that patches go by; `None` for custom resources.
pub fn type_of(group: &str, version: &str, kind: &str) -> Option<Type> {
    schema::of_kind(group, version, kind)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Onto an object: directives are obeyed and vanish.
    Apply,
    /// Onto another patch: directives and nulls stay.
    Combine,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    changes: bool,
    deletions: bool,
}

/// The shape and strategy of a field; unknown fields are anything, replaced as a whole unless they are maps.
fn field(of: Shape, key: &str) -> (Shape, PatchStrategy) {
    match of {
        Shape::Object(of) => of
            .field(key)
            .map_or((Shape::Any, PatchStrategy::default()), |field| {
                (field.shape, field.patch)
            }),
        Shape::Map(_) => (of.inner(), PatchStrategy::default()),
        _ => (Shape::Any, PatchStrategy::default()),
    }
}

fn merge_maps(original: &Value, patch: &Value, of: Shape, mode: Mode) -> Result<Value, String> {
    if mode == Mode::Apply
        && let Some(directive) = patch.get(DIRECTIVE).as_str()
    {
        let mut rest = patch.clone();
        rest.remove(DIRECTIVE);
        return match directive {
            "replace" => Ok(without_directives(&rest)),
            "delete" => Ok(map! {}),
            "merge" => merge_maps(original, &rest, of, mode),
            other => Err(format!("unknown directive: {other}")),
        };
    }
    let mut result = if original.is_map() {
        original.clone()
    } else {
        map! {}
    };
    if mode == Mode::Apply
        && let Some(keys) = patch.get(RETAIN_KEYS).as_list()
    {
        let kept = |key: &str| keys.iter().any(|k| k.as_str() == Some(key));
        for key in patch
            .entries()
            .keys()
            .filter(|key| !key.starts_with('$') && !kept(key))
        {
            if !patch.get(key).is_null() {
                return Err(
                    "list in $retainKeys directive doesn't have all the fields set in the patch"
                        .to_owned(),
                );
            }
        }
        if result.entries().keys().any(|key| !kept(key)) {
            result.map_mut().retain(|key, _| kept(key));
        }
    }
    for (key, change) in patch.entries().iter() {
        let is_directive = key.starts_with('$');
        if is_directive && mode == Mode::Apply {
            // A list that only loses or reorders items has no entry of its own.
            let name = key
                .strip_prefix(DELETE_FROM_PREFIX)
                .or_else(|| key.strip_prefix(ORDER_PREFIX));
            if let Some(name) = name.filter(|name| !patch.has(name) && result.has(name)) {
                let merged = merge_list_field(&result, patch, name, &Value::from(Vec::new()), of)?;
                result.set(Str::new(name), merged);
            }
            continue;
        }
        if is_directive {
            result.set(key.clone(), change.clone());
            continue;
        }
        if change.is_null() {
            match mode {
                Mode::Apply => drop(result.remove(key)),
                Mode::Combine => result.set(key.clone(), Value::Null),
            }
            continue;
        }
        let (shape, strategy) = field(of, key);
        let old = result.get(key);
        let new = match (old, change) {
            (Value::Map(_), Value::Map(_)) if strategy.is_replace => without_directives(change),
            (Value::Map(_), Value::Map(_)) => merge_maps(old, change, shape, mode)?,
            (Value::List(_), Value::List(_)) if strategy.is_merge => match mode {
                Mode::Apply => merge_list_field(&result, patch, key, change, of)?,
                Mode::Combine => merge_lists(old, change, shape, strategy.merge_key, mode)?,
            },
            _ if mode == Mode::Combine => change.clone(),
            (_, Value::List(_)) if strategy.is_merge => {
                merge_list_field(&map! {}, patch, key, change, of)?
            }
            _ => without_directives(change),
        };
        if &new != old || !result.has(key) {
            result.set(key.clone(), new);
        }
    }
    Ok(result)
}

/// A list field with its parallel directives: deletions, additions, order.
fn merge_list_field(
    original: &Value,
    patch: &Value,
    key: &str,
    change: &Value,
    of: Shape,
) -> Result<Value, String> {
    let (shape, strategy) = field(of, key);
    let mut list = original.get(key).clone();
    let server_order = list.clone();
    let gone = patch.get(&format!("{DELETE_FROM_PREFIX}{key}")).items();
    if !gone.is_empty() {
        list.list_mut().retain(|item| !gone.contains(item));
    }
    let merged = merge_lists(&list, change, shape, strategy.merge_key, Mode::Apply)?;
    let order = patch.get(&format!("{ORDER_PREFIX}{key}")).items();
    if order.is_empty() {
        return Ok(merged);
    }
    Ok(ordered(
        &merged,
        order,
        server_order.items(),
        strategy.merge_key,
    ))
}

fn merge_lists(
    original: &Value,
    patch: &Value,
    of: Shape,
    merge_key: &str,
    mode: Mode,
) -> Result<Value, String> {
    let mut result: Vec<Value> = original.items().to_vec();
    if merge_key.is_empty() {
        for item in patch.items() {
            if !result.contains(item) {
                result.push(item.clone());
            }
        }
        return Ok(Value::from(result));
    }
    if mode == Mode::Apply
        && patch
            .items()
            .iter()
            .any(|item| item.str(DIRECTIVE) == "replace")
    {
        let rest = patch
            .items()
            .iter()
            .filter(|item| item.str(DIRECTIVE) != "replace");
        return Ok(Value::from(
            rest.map(without_directives).collect::<Vec<_>>(),
        ));
    }
    for item in patch.items() {
        if !item.is_map() {
            return Err("expected list elements to be maps".into());
        }
        let key = item.get(merge_key);
        if key.is_null() {
            return Err(format!(
                "map: {} does not contain declared merge key: {merge_key}",
                go_map(item)
            ));
        }
        let found = result.iter().position(|old| old.get(merge_key) == key);
        if mode == Mode::Apply && item.str(DIRECTIVE) == "delete" {
            result.retain(|old| old.get(merge_key) != key);
            continue;
        }
        match found {
            Some(at) => result[at] = merge_maps(&result[at], item, of.inner(), mode)?,
            None if mode == Mode::Combine => result.push(item.clone()),
            None => result.push(merge_maps(&map! {}, item, of.inner(), mode)?),
        }
    }
    Ok(Value::from(result))
}

/// Items that the patch orders come in its order; the server's own keep their place among them as far as possible.
fn ordered(merged: &Value, order: &[Value], server_order: &[Value], merge_key: &str) -> Value {
    let same = |a: &Value, b: &Value| {
        if merge_key.is_empty() {
            a == b
        } else {
            a.get(merge_key) == b.get(merge_key)
        }
    };
    let position = |list: &[Value], item: &Value| list.iter().position(|other| same(other, item));
    let (mut from_patch, mut from_server): (Vec<&Value>, Vec<&Value>) = merged
        .items()
        .iter()
        .partition(|item| position(order, item).is_some());
    from_patch.sort_by_key(|item| position(order, item));
    from_server.sort_by_key(|item| position(server_order, item));
    let mut result: Vec<Value> = from_patch.into_iter().cloned().collect();
    let mut insert_from = 0;
    for item in from_server {
        let place = position(server_order, item);
        let at = (insert_from..result.len())
            .find(|at| matches!((position(server_order, &result[*at]), place), (Some(other), Some(own)) if own < other))
            .unwrap_or(result.len());
        result.insert(at, item.clone());
        insert_from = at + 1;
    }
    Value::from(result)
}

/// What goes in where nothing was: directives have nothing to act on, nulls nothing to remove.
fn without_directives(value: &Value) -> Value {
    match value {
        Value::Map(entries) => {
            let kept = entries
                .iter()
                .filter(|(key, value)| !key.starts_with('$') && !value.is_null());
            Value::from(
                kept.map(|(key, value)| (key.clone(), without_directives(value)))
                    .collect::<Map>(),
            )
        }
        Value::List(items) => {
            let kept = items.iter().filter(|item| item.str(DIRECTIVE) != "delete");
            Value::from(kept.map(without_directives).collect::<Vec<_>>())
        }
        other => other.clone(),
    }
}

fn diff_maps(
    original: &Value,
    modified: &Value,
    of: Shape,
    wanted: Wanted,
    retains_keys: bool,
) -> Result<Value, String> {
    let mut patch = Map::default();
    for (key, new) in modified.entries().iter() {
        let (shape, strategy) = field(of, key);
        let Some(old) = original.entries().get(key) else {
            if wanted.changes {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        if old == new {
            continue;
        }
        match (old, new) {
            (Value::Map(_), Value::Map(_)) if !strategy.is_replace => {
                let inner = diff_maps(old, new, shape, wanted, strategy.retains_keys)?;
                if !inner.entries().is_empty() {
                    patch.insert(key.clone(), inner);
                }
            }
            (Value::List(_), Value::List(_)) if strategy.is_merge => {
                diff_lists(&mut patch, key, old, new, shape, strategy, wanted)?
            }
            _ if wanted.changes => {
                patch.insert(key.clone(), new.clone());
            }
            _ => {}
        }
    }
    if wanted.deletions {
        for key in original.entries().keys().filter(|key| !modified.has(key)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    let has_more = original.entries().keys().any(|key| !modified.has(key));
    if retains_keys && !modified.entries().is_empty() && (!patch.is_empty() || has_more) {
        let keys: Vec<Value> = modified
            .entries()
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, _)| Value::from(key))
            .collect();
        patch.insert(RETAIN_KEYS, keys);
    }
    Ok(Value::from(patch))
}

fn diff_lists(
    patch: &mut Map,
    key: &Str,
    old: &Value,
    new: &Value,
    of: Shape,
    strategy: PatchStrategy,
    wanted: Wanted,
) -> Result<(), String> {
    if old.items().is_empty() {
        if !new.items().is_empty() && wanted.changes {
            patch.insert(key.clone(), new.clone());
        }
        return Ok(());
    }
    let merge_key = strategy.merge_key;
    let mut changes: Vec<Value> = Vec::new();
    let mut gone: Vec<Value> = Vec::new();
    if merge_key.is_empty() {
        if wanted.changes {
            changes.extend(
                new.items()
                    .iter()
                    .filter(|item| !old.items().contains(item))
                    .cloned(),
            );
        }
        if wanted.deletions {
            gone.extend(
                old.items()
                    .iter()
                    .filter(|item| !new.items().contains(item))
                    .cloned(),
            );
        }
    } else {
        for item in new.items() {
            let name = item.get(merge_key);
            if name.is_null() {
                return Err(format!(
                    "map: {} does not contain declared merge key: {merge_key}",
                    go_map(item)
                ));
            }
            match old
                .items()
                .iter()
                .find(|before| before.get(merge_key) == name)
            {
                Some(before) => {
                    let mut inner =
                        diff_maps(before, item, of.inner(), wanted, strategy.retains_keys)?;
                    if !inner.entries().is_empty() {
                        inner.set(merge_key, name);
                        changes.push(inner);
                    }
                }
                None if wanted.changes => changes.push(item.clone()),
                None => {}
            }
        }
        if wanted.deletions {
            for item in old.items() {
                let name = item.get(merge_key);
                if !new.items().iter().any(|other| other.get(merge_key) == name) {
                    let mut deletion = map! {};
                    deletion.set(DIRECTIVE, "delete");
                    deletion.set(merge_key, name);
                    changes.push(deletion);
                }
            }
        }
    }
    let identity = |item: &Value| {
        if merge_key.is_empty() {
            item.clone()
        } else {
            item.get(merge_key).clone()
        }
    };
    let common = |list: &Value, other: &Value| -> Vec<Value> {
        let others: Vec<Value> = other.items().iter().map(identity).collect();
        list.items()
            .iter()
            .map(identity)
            .filter(|id| others.contains(id))
            .collect()
    };
    let is_same_order =
        common(old, new) == common(new, old) && old.items().len() == new.items().len();
    if !changes.is_empty() || !gone.is_empty() || !is_same_order && wanted.changes {
        let order: Vec<Value> = new
            .items()
            .iter()
            .map(|item| {
                if merge_key.is_empty() {
                    return item.clone();
                }
                let mut name = map! {};
                name.set(merge_key, item.get(merge_key));
                name
            })
            .collect();
        let is_reordered = common(old, new) != common(new, old);
        if !changes.is_empty() || !gone.is_empty() || is_reordered {
            patch.insert(format!("{ORDER_PREFIX}{key}"), order);
        }
    }
    if !changes.is_empty() {
        patch.insert(key.clone(), changes);
    }
    if !gone.is_empty() {
        patch.insert(format!("{DELETE_FROM_PREFIX}{key}"), gone);
    }
    Ok(())
}

/// A map as Go's `%v` prints it.
fn go_map(value: &Value) -> String {
    let pairs: Vec<String> = value
        .entries()
        .iter()
        .map(|(key, value)| match value {
            Value::Str(text) => format!("{key}:{text}"),
            Value::Map(_) => format!("{key}:{}", go_map(value)),
            other => format!("{key}:{}", other.to_json()),
        })
        .collect();
    format!("map[{}]", pairs.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).expect(text)
    }

    fn deployment() -> Type {
        type_of("apps", "v1", "Deployment").expect("a built-in kind")
    }

    fn pod() -> Type {
        type_of("", "v1", "Pod").expect("a built-in kind")
    }

    #[test]
    fn lists_are_merged_by_key_and_directives_obeyed() {
        let original = json(
            r#"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}],"tolerations":[{"key":"t"}]}}"#,
        );
        for (patch, containers) in [
            (
                r#"{"spec":{"containers":[{"name":"b","image":"z"}]}}"#,
                r#"[{"image":"x","name":"a"},{"image":"z","name":"b"}]"#,
            ),
            (
                r#"{"spec":{"containers":[{"name":"c","image":"n"}]}}"#,
                r#"[{"image":"x","name":"a"},{"image":"y","name":"b"},{"image":"n","name":"c"}]"#,
            ),
            (
                r#"{"spec":{"containers":[{"name":"a","$patch":"delete"}]}}"#,
                r#"[{"image":"y","name":"b"}]"#,
            ),
            (
                r#"{"spec":{"containers":[{"name":"c"},{"$patch":"replace"}]}}"#,
                r#"[{"name":"c"}]"#,
            ),
            (
                r#"{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}}"#,
                r#"[{"image":"y","name":"b"},{"image":"x","name":"a"}]"#,
            ),
            (
                r#"{"spec":{"containers":[{"name":"a","image":null}]}}"#,
                r#"[{"name":"a"},{"image":"y","name":"b"}]"#,
            ),
        ] {
            let result = apply(pod(), &original, &json(patch)).expect(patch);
            assert_eq!(
                result.path("spec.containers").to_json(),
                containers,
                "{patch}"
            );
        }
        let tolerations = apply(
            pod(),
            &original,
            &json(r#"{"spec":{"tolerations":[{"key":"u"}]}}"#),
        )
        .expect("applies");
        assert_eq!(
            tolerations.path("spec.tolerations").to_json(),
            r#"[{"key":"u"}]"#,
            "an atomic list is replaced"
        );
        let nameless = apply(
            pod(),
            &original,
            &json(r#"{"spec":{"containers":[{"image":"z"}]}}"#),
        );
        assert_eq!(
            nameless,
            Err("map: map[image:z] does not contain declared merge key: name".into())
        );
    }

    #[test]
    fn finalizers_are_a_list_of_plain_values() {
        let original = json(r#"{"metadata":{"finalizers":["a","b"]}}"#);
        let patch = json(
            r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"],"$setElementOrder/finalizers":["c","b"]}}"#,
        );
        assert_eq!(
            apply(pod(), &original, &patch)
                .expect("applies")
                .path("metadata.finalizers")
                .to_json(),
            r#"["c","b"]"#
        );
        let computed = two_way(
            pod(),
            &original,
            &json(r#"{"metadata":{"finalizers":["c","b"]}}"#),
        )
        .expect("differs");
        assert_eq!(computed, patch);
    }

    #[test]
    fn three_ways_keep_defaults_and_delete_what_was_dropped() {
        let original = json(
            r#"{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"a","image":"x","env":[{"name":"E","value":"1"}]},{"name":"b","image":"y"}]}}}}"#,
        );
        let modified =
            json(r#"{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"z"}]}}}}"#);
        let current = json(
            r#"{"spec":{"replicas":5,"strategy":{"type":"RollingUpdate"},"template":{"spec":{"containers":[{"name":"a","image":"x","env":[{"name":"E","value":"1"}],"imagePullPolicy":"Always"},{"name":"b","image":"y"}]}}}}"#,
        );
        let patch = three_way(deployment(), &original, &modified, &current).expect("a patch");
        let result = apply(deployment(), &current, &patch).expect("applies");
        assert_eq!(
            result.to_json(),
            r#"{"spec":{"strategy":{"type":"RollingUpdate"},"template":{"spec":{"containers":[{"image":"z","imagePullPolicy":"Always","name":"a"}]}}}}"#,
            "{patch:?}"
        );
        assert!(
            three_way(deployment(), &modified, &modified, &result)
                .expect("a patch")
                .is_empty()
        );
    }

    #[test]
    fn a_change_of_strategy_drops_the_other_strategys_fields() {
        let current = json(
            r#"{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}}"#,
        );
        let modified = json(r#"{"spec":{"strategy":{"type":"Recreate"}}}"#);
        let patch = three_way(deployment(), &json("{}"), &modified, &current).expect("a patch");
        assert_eq!(
            apply(deployment(), &current, &patch).expect("applies"),
            modified
        );
    }
}
