//! The one representation of objects: an immutable JSON-like tree with shared parts.
//!
//! A clone is a few machine words; a change copies only the maps and lists on the way to it
//! (`Arc::make_mut`), so versions of an object and siblings of one template share the rest.
//! Missing fields read as [`Value::Null`], so that paths can be followed without checks.
//!
//! ```
//! use api::{map, list, Value};
//! let mut pod = map! { "metadata": map! { "name": "web" }, "spec": map! { "containers": list![map! { "image": "nginx" }] } };
//! assert_eq!(pod.path("spec.containers").items()[0].str("image"), "nginx");
//! pod.set_path("spec.nodeName", "node-1");
//! assert_eq!(pod.path("spec.nodeName").as_str(), Some("node-1"));
//! ```

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};

use crate::Str;

/// A JSON value. Equality is structural; integers and floats are distinct.
#[derive(Clone, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Str),
    List(Arc<Vec<Value>>),
    Map(Arc<Map>),
}

/// String keys with values, sorted by key.
#[derive(Clone, Default, PartialEq)]
pub struct Map {
    entries: Vec<(Str, Value)>,
}

/// Maps of up to this many entries are looked through; larger ones are searched by halves.
const LOOKED_THROUGH: usize = 16;

static NULL: Value = Value::Null;
static NO_ENTRIES: LazyLock<Map> = LazyLock::new(Map::default);

/// Builds a map value: `map! { "name": "web", "replicas": 3 }`. Values are anything `Into<Value>`.
#[macro_export]
macro_rules! map {
    () => { $crate::Value::empty_map() };
    ($($key:tt : $value:expr),+ $(,)?) => {{
        let mut map = $crate::Map::default();
        $( map.insert($key, $value); )+
        $crate::Value::from(map)
    }};
}

/// Builds a list value: `list!["a", 1, map! {}]`.
#[macro_export]
macro_rules! list {
    ($($value:expr),* $(,)?) => { $crate::Value::from(vec![$($crate::Value::from($value)),*]) };
}

impl Value {
    pub fn empty_map() -> Value {
        Value::Map(Arc::default())
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether both are the same shared map or list, or equal scalars. Never looks deep.
    pub fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
            (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
            (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => false,
            (a, b) => a == b,
        }
    }

    pub fn is_map(&self) -> bool {
        matches!(self, Value::Map(_))
    }

    /// Null, false, 0, "", [] or {}: what Go's `omitempty` leaves out.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::Int(n) => *n == 0,
            Value::Float(n) => *n == 0.0,
            Value::Str(s) => s.is_empty(),
            Value::List(l) => l.is_empty(),
            Value::Map(m) => m.is_empty(),
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self {
            Some(*b)
        } else {
            None
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(n) = self {
            Some(*n)
        } else {
            None
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(s) = self {
            Some(s)
        } else {
            None
        }
    }

    pub fn as_shared_str(&self) -> Option<&Str> {
        if let Value::Str(s) = self {
            Some(s)
        } else {
            None
        }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(l) = self {
            Some(l)
        } else {
            None
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(m) = self {
            Some(m)
        } else {
            None
        }
    }

    /// The elements of a list; empty for anything else.
    pub fn items(&self) -> &[Value] {
        self.as_list().unwrap_or_default()
    }

    /// The entries of a map; empty for anything else.
    pub fn entries(&self) -> &Map {
        self.as_map().unwrap_or(&NO_ENTRIES)
    }

    /// The field `key` of a map; `Null` if it is missing or this is not a map.
    pub fn get(&self, key: &str) -> &Value {
        self.as_map().and_then(|map| map.get(key)).unwrap_or(&NULL)
    }

    /// Follows field names separated by dots: `spec.template.spec`. For names with dots use [`Value::at`].
    pub fn path(&self, path: &str) -> &Value {
        path.split('.').fold(self, |value, key| value.get(key))
    }

    /// Follows field names.
    pub fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(self, |value, key| value.get(key))
    }

    pub fn has(&self, key: &str) -> bool {
        self.as_map().is_some_and(|map| map.get(key).is_some())
    }

    /// The string field `key`; empty if missing.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }

    /// The string field `key`, shared; empty if missing.
    pub fn shared_str(&self, key: &str) -> Str {
        self.get(key).as_shared_str().cloned().unwrap_or_default()
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key).as_int()
    }

    /// The boolean field `key`; false if missing.
    pub fn bool(&self, key: &str) -> bool {
        self.get(key).as_bool().unwrap_or_default()
    }

    /// This as a map to change; anything else becomes an empty map first.
    pub fn map_mut(&mut self) -> &mut Map {
        if !self.is_map() {
            *self = Value::empty_map();
        }
        match self {
            Value::Map(map) => Arc::make_mut(map),
            _ => unreachable!("just made a map"),
        }
    }

    /// This as a list to change; anything else becomes an empty list first.
    pub fn list_mut(&mut self) -> &mut Vec<Value> {
        if !matches!(self, Value::List(_)) {
            *self = Value::List(Arc::default());
        }
        match self {
            Value::List(list) => Arc::make_mut(list),
            _ => unreachable!("just made a list"),
        }
    }

    /// The field `key` to change, made (as `Null`) if missing.
    pub fn entry(&mut self, key: impl Into<Str>) -> &mut Value {
        self.map_mut().entry(key.into())
    }

    /// The field at `path` to change; maps on the way are made.
    pub fn at_mut(&mut self, path: &[&'static str]) -> &mut Value {
        path.iter().fold(self, |value, key| value.entry(*key))
    }

    pub fn set(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        self.map_mut().insert(key, value);
    }

    /// Sets the field at a dotted path of literals; maps on the way are made.
    pub fn set_path(&mut self, path: &'static str, value: impl Into<Value>) {
        *path.split('.').fold(self, |at, key| at.entry(key)) = value.into();
    }

    /// Removes the field `key`; does not copy if it is missing.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if !self.has(key) {
            return None;
        }
        self.map_mut().remove(key)
    }

    /// Removes the field at a dotted path; leaves its parents, even when they become empty.
    pub fn remove_path(&mut self, path: &str) -> Option<Value> {
        let Some((head, rest)) = path.split_once('.') else {
            return self.remove(path);
        };
        if !self.has(head) {
            return None;
        }
        self.map_mut().get_mut(head)?.remove_path(rest)
    }

    /// Compact JSON with sorted keys.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a value tree always encodes")
    }

    /// JSON as the API server writes it for people: two spaces deep.
    pub fn to_pretty_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a value tree always encodes") + "\n"
    }

    /// Reads JSON; the error has line and column.
    pub fn from_json(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Value> {
        // Keys mostly differ in length already: few words are compared, and nearly no bytes.
        if self.entries.len() <= LOOKED_THROUGH {
            let found = self.entries.iter().find(|(k, _)| k.as_str() == key);
            return found.map(|(_, value)| value);
        }
        self.find(key).ok().map(|at| &self.entries[at].1)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find(key).ok().map(|at| &mut self.entries[at].1)
    }

    pub fn contains(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// The value of `key`, made (as `Null`) if missing.
    pub fn entry(&mut self, key: impl Into<Str>) -> &mut Value {
        let key = key.into();
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, (key, Value::Null));
                at
            }
        };
        &mut self.entries[at].1
    }

    /// Sets a key; returns what it replaced.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        match self.find(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.entries[at].1, value.into())),
            Err(at) => {
                self.entries.insert(at, (key, value.into()));
                None
            }
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).ok().map(|at| self.entries.remove(at).1)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&Str, &Value)> + ExactSizeIterator + Clone {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&Str, &mut Value)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Str> + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(k, _)| k.as_str().cmp(key))
    }
}

// Shared parts are equal without a look inside: versions of one object share most of it.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl FromIterator<(Str, Value)> for Map {
    /// A later entry wins over an earlier one with the same key.
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(iter: I) -> Self {
        let mut map = Map::default();
        for (key, value) in iter {
            map.insert(key, value);
        }
        map
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(Arc::new(map))
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Value::List(Arc::new(list))
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Value::Int(i64::from(n))
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Value::Int(i64::from(n))
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Self {
        Value::Int(n as i64)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::Str(Str::Static(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(Str::from(text))
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Value::Str(text)
    }
}

impl From<&Str> for Value {
    fn from(text: &Str) -> Self {
        Value::Str(text.clone())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Float(n) => serializer.serialize_f64(*n),
            Value::Str(s) => serializer.serialize_str(s),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for item in list.iter() {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map.iter() {
                    out.serialize_entry(key.as_str(), value)?;
                }
                out.end()
            }
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Int(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(i64::try_from(n).map_or(Value::Float(n as f64), Value::Int))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Value::Float(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(Str::new(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Value::from(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::default();
        while let Some((key, value)) = access.next_entry::<Str, Value>()? {
            map.insert(key, value);
        }
        Ok(Value::from(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_other_holders_alone() {
        let old = map! { "spec": map! { "replicas": 1, "template": map! { "x": 1 } } };
        let mut new = old.clone();
        new.set_path("spec.replicas", 2);
        assert_eq!(old.path("spec.replicas"), &Value::Int(1));
        assert_eq!(new.path("spec.replicas"), &Value::Int(2));
        let shared = |v: &Value| match v.path("spec.template") {
            Value::Map(map) => Arc::as_ptr(map),
            _ => unreachable!("a map"),
        };
        assert_eq!(shared(&old), shared(&new), "untouched parts stay shared");
    }

    #[test]
    fn json_round_trip_sorts_keys() {
        let value = Value::from_json(r#"{"b":[1,2.5,"x",null,true],"a":{}}"#).expect("valid");
        assert_eq!(value.to_json(), r#"{"a":{},"b":[1,2.5,"x",null,true]}"#);
    }

    #[test]
    fn removing_what_is_missing_changes_nothing() {
        let mut value = map! { "a": map! { "b": 1 } };
        assert_eq!(value.remove_path("a.c.d"), None);
        assert_eq!(value.remove_path("a.b"), Some(Value::Int(1)));
        assert_eq!(value, map! { "a": map! {} });
    }
}
