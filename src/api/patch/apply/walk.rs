//! Walks over objects with the schema in hand: what fields they have, how two differ, merging and removing.
//!
//! Models the typed values of `structured-merge-diff`: scalars and atomic lists, maps and structs are leaves; items
//! of other lists are known by their keys or values.

use std::sync::Arc;

use super::fields::{Set, below, has, insert, insert_node, leaf, member, named};
use crate::schema::{self, Field, ListKind, Shape, Type, Zero};
use crate::{Map, Str, Value};

/// What is known of a place in an object.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    shape: Shape,
    list: ListKind,
    keys: &'static [&'static str],
    is_atomic: bool,
    /// Nothing is known: maps are granular, lists are leaves (custom resources).
    is_deduced: bool,
    is_root: bool,
}

/// The differences of two objects.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub added: Set,
    pub modified: Set,
    pub removed: Set,
}

/// How a value is walked.
enum Walk {
    Leaf,
    Entries,
    Items,
}

impl Kind {
    /// An object of a type, or of a custom resource.
    pub(super) fn root(of: Option<Type>) -> Kind {
        Kind {
            shape: of.map_or(Shape::Any, Shape::Object),
            list: ListKind::Atomic,
            keys: &[],
            is_atomic: false,
            is_deduced: of.is_none(),
            is_root: true,
        }
    }

    fn of(field: &Field) -> Kind {
        Kind {
            shape: field.shape,
            list: field.list,
            keys: field.keys,
            is_atomic: field.is_atomic,
            is_deduced: false,
            is_root: false,
        }
    }

    fn plain(shape: Shape, is_deduced: bool) -> Kind {
        Kind {
            shape,
            list: ListKind::Atomic,
            keys: &[],
            is_atomic: false,
            is_deduced,
            is_root: false,
        }
    }

    fn field(self, name: &str) -> Kind {
        if self.is_deduced {
            let meta = schema::named("ObjectMeta").filter(|_| self.is_root && name == "metadata");
            return meta.map_or(Kind::plain(Shape::Any, true), |of| {
                Kind::plain(Shape::Object(of), false)
            });
        }
        match self.shape {
            Shape::Object(of) => of
                .field(name)
                .map_or(Kind::plain(Shape::Any, false), Kind::of),
            _ => Kind::plain(self.shape.inner(), false),
        }
    }

    fn item(self) -> Kind {
        Kind::plain(self.shape.inner(), false)
    }

    fn struct_field(self, name: &str) -> Option<&'static Field> {
        self.shape.object()?.field(name)
    }

    fn walk(self, value: &Value) -> Walk {
        let is_atomic = self.is_atomic || self.shape.object().is_some_and(Type::is_atomic);
        match value {
            Value::Map(_) if self.is_deduced => Walk::Entries,
            Value::Map(_)
                if !is_atomic && matches!(self.shape, Shape::Object(_) | Shape::Map(_)) =>
            {
                Walk::Entries
            }
            Value::List(_) if self.list != ListKind::Atomic => Walk::Items,
            _ => Walk::Leaf,
        }
    }

    /// The element of a path for an item of a list.
    fn element(self, item: &Value) -> Str {
        if self.list == ListKind::Set {
            return format!("v:{}", item.to_json()).into();
        }
        let mut key = Map::default();
        for name in self.keys {
            let value = item.get(name);
            if !value.is_null() {
                key.insert(*name, value);
            } else if let Some(field) = self
                .item()
                .struct_field(name)
                .filter(|f| !f.key_default.is_empty())
            {
                key.insert(*name, field.key_default);
            }
        }
        format!("k:{}", Value::from(key).to_json()).into()
    }

    fn elements(self, list: &[Value]) -> Vec<(Str, &Value)> {
        list.iter().map(|item| (self.element(item), item)).collect()
    }
}

/// The fields that an applied configuration owns.
pub(super) fn set_of(kind: Kind, value: &Value) -> Set {
    fn walk(kind: Kind, value: &Value, path: &mut Vec<Str>, set: &mut Set) {
        match kind.walk(value) {
            Walk::Leaf => insert(set, path),
            Walk::Entries => {
                for (name, value) in value.entries().iter() {
                    path.push(named(name));
                    walk(kind.field(name), value, path, set);
                    let is_hollow = value.is_null()
                        || value.as_map().is_some_and(Map::is_empty)
                        || value.as_list().is_some_and(<[Value]>::is_empty);
                    let is_free =
                        matches!(kind.shape, Shape::Map(_)) || kind.is_deduced && value.is_null();
                    if is_hollow || is_free {
                        insert(set, path);
                    }
                    path.pop();
                }
            }
            Walk::Items => {
                for (element, item) in kind.elements(value.items()) {
                    path.push(element);
                    walk(kind.item(), item, path, set);
                    insert(set, path);
                    path.pop();
                }
            }
        }
    }
    let mut set = Set::default();
    walk(kind, value, &mut Vec::new(), &mut set);
    set
}

/// What `new` has that `old` has not, has differently, or has no more.
pub(super) fn compare(kind: Kind, old: &Value, new: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.walk(kind, Some(old), Some(new), &mut Vec::new());
    comparison
}

impl Comparison {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    fn walk(&mut self, kind: Kind, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Str>) {
        // What one side has not at all is counted whole.
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (None, Some(new)) => return insert_node(&mut self.added, path, whole(kind, new)),
            (Some(old), None) => return insert_node(&mut self.removed, path, whole(kind, old)),
            (None, None) => return,
        };
        if is_shared(old, new) || is_zero(old) && is_zero(new) {
            return;
        }
        // A null takes the form of the other side.
        match kind.walk(if new.is_null() { old } else { new }) {
            Walk::Items => {
                let (old, new) = (kind.elements(old.items()), kind.elements(new.items()));
                for (element, item) in &new {
                    let before = old.iter().find(|(other, _)| other == element);
                    path.push(element.clone());
                    self.walk(kind.item(), before.map(|(_, item)| *item), Some(item), path);
                    path.pop();
                }
                let is_gone = |element: &Str| !new.iter().any(|(other, _)| other == element);
                for (element, item) in old.iter().filter(|(element, _)| is_gone(element)) {
                    path.push(element.clone());
                    self.walk(kind.item(), Some(item), None, path);
                    path.pop();
                }
            }
            Walk::Entries => self.entries(kind, old, new, path),
            Walk::Leaf if old != new => insert(&mut self.modified, path),
            Walk::Leaf => {}
        }
    }

    fn entries(&mut self, kind: Kind, old: &Value, new: &Value, path: &mut Vec<Str>) {
        let (before, after) = (old.entries(), new.entries());
        // A field without `omitempty` is there in Go's form of the struct, even when it holds nothing.
        let is_always = |name: &str| {
            let field = kind.struct_field(name);
            field.is_some_and(|f| f.is_required || f.zero == Zero::Always)
        };
        const NOTHING: Value = Value::Null;
        for (name, value) in after.iter() {
            let before = before
                .get(name)
                .or_else(|| is_always(name).then_some(&NOTHING));
            path.push(named(name));
            self.walk(kind.field(name), before, Some(value), path);
            path.pop();
        }
        for (name, value) in before.iter().filter(|(name, _)| !after.contains(name)) {
            let after = is_always(name).then_some(&NOTHING);
            path.push(named(name));
            self.walk(kind.field(name), Some(value), after, path);
            path.pop();
        }
    }
}

/// A value and everything in it, as a node of a set.
fn whole(kind: Kind, value: &Value) -> Value {
    let mut inner = Set::default();
    match kind.walk(value) {
        Walk::Leaf => return leaf(),
        Walk::Entries => {
            for (name, value) in value.entries().iter() {
                inner.insert(named(name), whole(kind.field(name), value));
            }
        }
        Walk::Items => {
            for (element, item) in kind.elements(value.items()) {
                inner.insert(element, whole(kind.item(), item));
            }
        }
    }
    member(inner)
}

/// The object with a configuration merged in; what the configuration does not name stays.
pub(super) fn merge(kind: Kind, live: &Value, config: &Value) -> Value {
    match (kind.walk(config), live) {
        (Walk::Entries, Value::Map(_)) => {
            let mut merged = live.clone();
            for (name, value) in config.entries().iter() {
                let before = merged.get(name);
                let after = merge(kind.field(name), before, value);
                if !merged.has(name) || after != *before {
                    merged.set(name, after);
                }
            }
            merged
        }
        (Walk::Items, Value::List(live)) => merge_items(kind, live, config.items()),
        _ => config.clone(),
    }
}

/// Shared items come in the order of the configuration, others stay where they were.
fn merge_items(kind: Kind, live: &[Value], config: &[Value]) -> Value {
    let (live, config) = (kind.elements(live), kind.elements(config));
    let is_in =
        |list: &[(Str, &Value)], element: &Str| list.iter().any(|(other, _)| other == element);
    let mut merged = Vec::new();
    let (mut left, mut right) = (live.iter().peekable(), config.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return Value::from(merged),
            (Some((element, item)), _) if !is_in(&config, element) => {
                merged.push((*item).clone());
                left.next();
            }
            // A shared item whose turn comes with the configuration's.
            (Some((element, _)), Some((wanted, _)))
                if element != wanted && is_in(&live, wanted) =>
            {
                left.next();
            }
            (Some(_), None) => {
                left.next();
            }
            (_, Some((element, item))) => {
                let before = live.iter().find(|(other, _)| other == element);
                merged.push(match before {
                    Some((_, before)) => merge(kind.item(), before, item),
                    None => (*item).clone(),
                });
                if left.peek().is_some_and(|(other, _)| other == element) {
                    left.next();
                }
                right.next();
            }
        }
    }
}

/// The object without the members of a set; emptied lists and maps become null.
pub(super) fn remove(kind: Kind, value: &Value, set: &Set) -> Value {
    match kind.walk(value) {
        Walk::Entries => {
            let mut rest = Map::default();
            for (name, value) in value.entries().iter() {
                let element = named(name);
                if has(set, &element) {
                    continue;
                }
                let kept = match below(set, &element) {
                    Some(inner) => remove(kind.field(name), value, inner),
                    None => value.clone(),
                };
                rest.insert(name, kept);
            }
            if rest.is_empty() {
                Value::Null
            } else {
                Value::from(rest)
            }
        }
        Walk::Items => {
            let mut rest = Vec::new();
            for (element, item) in kind.elements(value.items()) {
                if has(set, &element) {
                    continue;
                }
                rest.push(match below(set, &element) {
                    Some(inner) => remove(kind.item(), item, inner),
                    None => item.clone(),
                });
            }
            if rest.is_empty() {
                Value::Null
            } else {
                Value::from(rest)
            }
        }
        Walk::Leaf => value.clone(),
    }
}

/// The set with every struct field on the way to a member as a member too.
pub(super) fn with_named_fields(kind: Kind, set: &Set) -> Set {
    let mut all = Set::default();
    for (element, node) in set.iter() {
        let (inner_kind, is_field) = match element.strip_prefix("f:") {
            Some(name) => (kind.field(name), kind.struct_field(name).is_some()),
            None => (kind.item(), false),
        };
        let mut inner = with_named_fields(inner_kind, node.entries());
        if is_field && !inner.is_empty() {
            inner.insert(".", leaf());
        }
        all.insert(element, inner);
    }
    all
}

/// What is wrong with a configuration, as the typed parser puts it: `.dtaa: field not declared in schema`.
pub(super) fn faults(kind: Kind, value: &Value) -> Vec<String> {
    fn walk(kind: Kind, value: &Value, path: &str, found: &mut Vec<String>) {
        if value.is_null() || kind.is_deduced && !kind.is_root {
            return;
        }
        let mut expect =
            |what: &str| found.push(format!("{path}: expected {what}, got {}", go_value(value)));
        match (kind.shape, value) {
            (Shape::Object(of), Value::Map(map)) => {
                for (name, value) in map.iter() {
                    let path = format!("{path}.{name}");
                    if of.field(name).is_some() {
                        walk(kind.field(name), value, &path, found);
                    } else {
                        found.push(format!("{path}: field not declared in schema"));
                    }
                }
            }
            (Shape::Map(_), Value::Map(map)) => {
                for (name, value) in map.iter() {
                    walk(kind.field(name), value, &format!("{path}.{name}"), found);
                }
            }
            (Shape::Object(_) | Shape::Map(_), _) => expect("map"),
            (Shape::List(_), Value::List(list)) => items(kind, list, path, found),
            (Shape::List(_), _) => expect("list"),
            (Shape::Str | Shape::Bytes | Shape::Time | Shape::MicroTime, Value::Str(_)) => {}
            (Shape::Str | Shape::Bytes, _) => expect("string"),
            (Shape::Bool, Value::Bool(_)) => {}
            (Shape::Bool, _) => expect("boolean"),
            (Shape::Int32 | Shape::Int64 | Shape::Float, Value::Int(_) | Value::Float(_)) => {}
            (Shape::Int32 | Shape::Int64 | Shape::Float, _) => expect("numeric (int or float)"),
            _ => {}
        }
    }
    fn items(kind: Kind, list: &[Value], path: &str, found: &mut Vec<String>) {
        let mut seen: Vec<Str> = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let element = match kind.list {
                ListKind::Atomic => Str::from(format!("i:{at}")),
                ListKind::Set => kind.element(item),
                ListKind::Map => {
                    let has_default = |name: &str| {
                        kind.item()
                            .struct_field(name)
                            .is_some_and(|f| !f.key_default.is_empty())
                    };
                    let missing = kind
                        .keys
                        .iter()
                        .find(|name| item.get(name).is_null() && !has_default(name));
                    if let Some(name) = missing {
                        found.push(format!(
                            "{path}: element {at}: associative list with keys has an element that omits key field {name:?} (and doesn't have default value)"
                        ));
                        continue;
                    }
                    kind.element(item)
                }
            };
            let shown = super::fields::shown(&element);
            if seen.contains(&element) {
                found.push(format!("{path}: duplicate entries for key {shown}"));
            }
            walk(kind.item(), item, &format!("{path}{shown}"), found);
            seen.push(element);
        }
    }
    let mut found = Vec::new();
    walk(kind, value, "", &mut found);
    found
}

/// A value as Go prints it with its type.
fn go_value(value: &Value) -> String {
    fn inner(value: &Value) -> String {
        match value {
            Value::Null => "interface {}(nil)".to_owned(),
            Value::List(list) => {
                let items: Vec<String> = list.iter().map(inner).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Value::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(k, v)| format!("{:?}:{}", k.as_str(), inner(v)));
                format!(
                    "map[string]interface {{}}{{{}}}",
                    entries.collect::<Vec<_>>().join(", ")
                )
            }
            other => other.to_json(),
        }
    }
    format!("&value.valueUnstructured{{Value:{}}}", inner(value))
}

fn is_zero(value: &Value) -> bool {
    value.is_null() || value.is_empty()
}

fn is_shared(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
