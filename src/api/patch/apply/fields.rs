//! Sets of fields as `managedFields` writes them (`FieldsV1`), and their arithmetic.
//!
//! A set is kept in its written form: `{"f:spec": {"f:replicas": {}}}`. A node without entries, or with the entry
//! `.`, is in the set itself; the other entries lead further. Unchanged parts stay shared.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::{Map, Str, Value, schema};

/// The entries of a set's root.
pub(super) type Set = Map;

const SELF: &str = ".";

static EMPTY: LazyLock<Arc<Map>> = LazyLock::new(Arc::default);

/// `f:name` of every field of the schema, so that objects hold no copies.
static NAMES: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let fields = schema::types().flat_map(|of| of.fields());
    let names: BTreeMap<&'static str, ()> = fields.map(|field| (field.name, ())).collect();
    let written = |name: &'static str| -> &'static str { format!("f:{name}").leak() };
    names
        .into_keys()
        .map(|name| (name, written(name)))
        .collect()
});

/// The element of a path for a field's name.
pub(super) fn named(name: &str) -> Str {
    match NAMES.get(name) {
        Some(written) => Str::Static(written),
        None => Str::from(format!("f:{name}")),
    }
}

pub(super) fn leaf() -> Value {
    Value::Map(EMPTY.clone())
}

fn is_member(node: &Value) -> bool {
    node.entries().is_empty() || node.has(SELF)
}

fn node(is_member: bool, mut children: Map) -> Option<Value> {
    match (is_member, children.is_empty()) {
        (false, true) => None,
        (true, true) => Some(leaf()),
        (false, false) => Some(Value::from(children)),
        (true, false) => {
            children.insert(SELF, leaf());
            Some(Value::from(children))
        }
    }
}

fn children(node: &Value) -> Map {
    let mut map = node.entries().clone();
    map.remove(SELF);
    map
}

/// Puts a path into the set.
pub(super) fn insert(set: &mut Set, path: &[Str]) {
    insert_node(set, path, leaf());
}

/// Puts a path with all that a node has below it into the set.
pub(super) fn insert_node(set: &mut Set, path: &[Str], node: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match set.get_mut(first) {
        Some(old) if rest.is_empty() => {
            let mut both = Set::default();
            both.insert("", std::mem::take(old));
            let mut other = Set::default();
            other.insert("", node);
            *old = union(&both, &other).remove("").unwrap_or_else(leaf);
        }
        Some(old) => {
            // A leaf that gets children keeps its own membership by an entry.
            let was_leaf = old.entries().is_empty();
            let inner = old.map_mut();
            if was_leaf {
                inner.insert(SELF, leaf());
            }
            insert_node(inner, rest, node);
        }
        None if rest.is_empty() => {
            set.insert(first, node);
        }
        None => {
            let mut inner = Set::default();
            insert_node(&mut inner, rest, node);
            set.insert(first, inner);
        }
    }
}

/// A node that is in the set itself, with children.
pub(super) fn member(children: Set) -> Value {
    node(true, children).unwrap_or_else(leaf)
}

pub(super) fn has(set: &Set, element: &str) -> bool {
    set.get(element).is_some_and(is_member)
}

/// What the set has below an element.
pub(super) fn below<'a>(set: &'a Set, element: &str) -> Option<&'a Set> {
    let inner = set.get(element)?.entries();
    inner.keys().any(|key| *key != SELF).then_some(inner)
}

pub(super) fn union(a: &Set, b: &Set) -> Set {
    let mut all = a.clone();
    for (key, other) in b.iter().filter(|(key, _)| **key != SELF) {
        let both = match a.get(key) {
            Some(own) if own == other => continue,
            Some(own) => {
                let inner = union(&children(own), &children(other));
                node(is_member(own) || is_member(other), inner).unwrap_or_else(leaf)
            }
            None => other.clone(),
        };
        all.insert(key, both);
    }
    all
}

/// The set without the members of another; `None` if that changes nothing.
pub(super) fn without(a: &Set, b: &Set) -> Option<Set> {
    let mut rest: Option<Set> = None;
    for (key, own) in a.iter().filter(|(key, _)| **key != SELF) {
        let Some(other) = b.get(key) else { continue };
        let inner = without(own.entries(), other.entries());
        let goes = is_member(own) && is_member(other);
        if inner.is_none() && !goes {
            continue;
        }
        let mut inner = inner.unwrap_or_else(|| own.entries().clone());
        inner.remove(SELF);
        let rest = rest.get_or_insert_with(|| a.clone());
        match node(is_member(own) && !goes, inner) {
            Some(node) => rest.insert(key, node),
            None => rest.remove(key),
        };
    }
    rest
}

pub(super) fn difference(a: &Set, b: &Set) -> Set {
    without(a, b).unwrap_or_else(|| a.clone())
}

pub(super) fn intersection(a: &Set, b: &Set) -> Set {
    let mut both = Set::default();
    for (key, own) in a.iter().filter(|(key, _)| **key != SELF) {
        let Some(other) = b.get(key) else { continue };
        let inner = intersection(own.entries(), other.entries());
        if let Some(node) = node(is_member(own) && is_member(other), inner) {
            both.insert(key, node);
        }
    }
    both
}

/// The members' paths, as messages write them: `.spec.containers[name="a"].image`.
pub(super) fn paths(set: &Set) -> Vec<String> {
    fn walk(set: &Set, prefix: &str, found: &mut Vec<String>) {
        for (key, node) in set.iter().filter(|(key, _)| **key != SELF) {
            let path = format!("{prefix}{}", shown(key));
            if is_member(node) {
                found.push(path.clone());
            }
            walk(node.entries(), &path, found);
        }
    }
    let mut found = Vec::new();
    walk(set, "", &mut found);
    found
}

/// One element as messages write it.
pub(super) fn shown(element: &str) -> String {
    let (kind, rest) = element.split_once(':').unwrap_or(("f", element));
    match kind {
        "k" => {
            let key = Value::from_json(rest).unwrap_or_default();
            let pairs = key.entries().iter();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{name}={}", value.to_json()))
                .collect();
            format!("[{}]", pairs.join(","))
        }
        "v" => format!("[={rest}]"),
        "i" => format!("[{rest}]"),
        _ => format!(".{rest}"),
    }
}
