//! What expressions compute with.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::quantity::Quantity;
use api::{Str, Value};
use sim::Time;

use crate::net::{Cidr, Ip, Url};

/// A value of CEL. Objects of the API are read where they stand, without a copy.
#[derive(Clone, Debug)]
pub enum Val {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Str),
    Bytes(Arc<Vec<u8>>),
    List(Arc<Vec<Val>>),
    /// A map made by an expression.
    Map(Arc<BTreeMap<Key, Val>>),
    /// A map of the API, with the schema that tells the types of its fields (`Null` if there is none).
    Object(Value, Value),
    /// Microseconds since 1970.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    Type(&'static str),
    Optional(Option<Arc<Val>>),
    Quantity(Quantity),
    Url(Arc<Url>),
    Ip(Ip),
    Cidr(Cidr),
    /// A version of three numbers and its pre-release.
    Semver(Arc<(u64, u64, u64, String)>),
    /// Something that only functions can look into: the authorizer and its checks.
    Check(Arc<Vec<(Str, Str)>>),
}

/// Keys of maps that expressions make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Bool(bool),
    Int(i64),
    Text(Str),
}

impl Val {
    pub fn text(text: impl Into<Str>) -> Val {
        Val::Text(text.into())
    }

    /// A value of the API as CEL sees it; `schema` is an OpenAPI v3 schema or `Null`.
    pub fn of(value: &Value, schema: &Value) -> Val {
        match value {
            Value::Null => Val::Null,
            Value::Bool(b) => Val::Bool(*b),
            Value::Int(n) if schema.str("type") == "number" => Val::Double(*n as f64),
            Value::Int(n) => Val::Int(*n),
            Value::Float(n) => Val::Double(*n),
            Value::Str(text) => match schema.str("format") {
                "date-time" => timestamp(text).unwrap_or_else(|| Val::Text(text.clone())),
                "duration" => api::duration::parse(text)
                    .map_or_else(|_| Val::Text(text.clone()), Val::Duration),
                _ => Val::Text(text.clone()),
            },
            Value::List(items) => {
                let inner = schema.get("items");
                Val::List(Arc::new(items.iter().map(|v| Val::of(v, inner)).collect()))
            }
            Value::Map(_) => Val::Object(value.clone(), schema.clone()),
        }
    }

    /// The value as JSON, if it has a form there.
    pub fn to_value(&self) -> Option<Value> {
        Some(match self {
            Val::Null => Value::Null,
            Val::Bool(b) => (*b).into(),
            Val::Int(n) => (*n).into(),
            Val::Uint(n) => i64::try_from(*n).ok()?.into(),
            Val::Double(n) => Value::Float(*n),
            Val::Text(text) => text.into(),
            Val::List(items) => {
                let items: Option<Vec<Value>> = items.iter().map(Val::to_value).collect();
                Value::from(items?)
            }
            Val::Map(map) => {
                let mut out = Value::empty_map();
                for (key, value) in map.iter() {
                    let Key::Text(key) = key else { return None };
                    out.set(key.clone(), value.to_value()?);
                }
                out
            }
            Val::Object(value, _) => value.clone(),
            Val::Timestamp(micros) => Time((*micros).max(0) as u64).rfc3339().into(),
            Val::Duration(nanos) => api::duration::format(*nanos).into(),
            Val::Quantity(quantity) => quantity.to_string().into(),
            Val::Optional(Some(inner)) => inner.to_value()?,
            _ => return None,
        })
    }

    /// As `type(x)` names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Val::Null => "null_type",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Uint(_) => "uint",
            Val::Double(_) => "double",
            Val::Text(_) => "string",
            Val::Bytes(_) => "bytes",
            Val::List(_) => "list",
            Val::Map(_) | Val::Object(..) => "map",
            Val::Timestamp(_) => "google.protobuf.Timestamp",
            Val::Duration(_) => "google.protobuf.Duration",
            Val::Type(_) => "type",
            Val::Optional(_) => "optional_type",
            Val::Quantity(_) => "kubernetes.Quantity",
            Val::Url(_) => "kubernetes.URL",
            Val::Ip(_) => "net.IP",
            Val::Cidr(_) => "net.CIDR",
            Val::Semver(_) => "kubernetes.Semver",
            Val::Check(_) => "kubernetes.authorization.Authorizer",
        }
    }

    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Val::Bool(b) => Some(Key::Bool(*b)),
            Val::Int(n) => Some(Key::Int(*n)),
            Val::Uint(n) => i64::try_from(*n).ok().map(Key::Int),
            Val::Double(n) if *n == n.trunc() && n.abs() < 9e15 => Some(Key::Int(*n as i64)),
            Val::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// The entry of a map under a key.
    pub(crate) fn entry(&self, key: &Val) -> Option<Val> {
        match self {
            Val::Map(map) => map.get(&key.key()?).cloned(),
            Val::Object(value, schema) => {
                let Val::Text(name) = key else { return None };
                let name = unescaped(name);
                if !value.has(&name) {
                    return None;
                }
                let properties = schema.get("properties");
                let inner = if properties.has(&name) {
                    properties.get(&name)
                } else {
                    schema.get("additionalProperties")
                };
                Some(Val::of(value.get(&name), inner))
            }
            _ => None,
        }
    }

    /// The keys of a map, or `None` for what is no map.
    pub(crate) fn keys(&self) -> Option<Vec<Val>> {
        match self {
            Val::Map(map) => Some(map.keys().map(Key::to_val).collect()),
            Val::Object(value, _) => Some(value.entries().keys().cloned().map(Val::Text).collect()),
            _ => None,
        }
    }

    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Val::List(items) => Some(items.len()),
            Val::Map(map) => Some(map.len()),
            Val::Object(value, _) => Some(value.entries().len()),
            Val::Text(text) => Some(text.chars().count()),
            Val::Bytes(bytes) => Some(bytes.len()),
            _ => None,
        }
    }

    /// `==` of CEL: numbers of all kinds compare by value, values of different types are unequal.
    pub fn equals(&self, other: &Val) -> bool {
        match (self, other) {
            (Val::List(a), Val::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b))
            }
            (Val::Map(_) | Val::Object(..), Val::Map(_) | Val::Object(..)) => {
                let keys = self.keys().unwrap_or_default();
                self.len() == other.len()
                    && keys
                        .iter()
                        .all(|key| match (self.entry(key), other.entry(key)) {
                            (Some(a), Some(b)) => a.equals(&b),
                            _ => false,
                        })
            }
            (Val::Null, Val::Null) => true,
            (Val::Type(a), Val::Type(b)) => a == b,
            (Val::Optional(a), Val::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (None, None) => true,
                _ => false,
            },
            (Val::Url(a), Val::Url(b)) => a == b,
            (Val::Ip(a), Val::Ip(b)) => a == b,
            (Val::Cidr(a), Val::Cidr(b)) => a == b,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values that have one.
    pub(crate) fn compare(&self, other: &Val) -> Option<Ordering> {
        match (self, other) {
            (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
            (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
            (Val::Uint(a), Val::Uint(b)) => Some(a.cmp(b)),
            (Val::Int(a), Val::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Val::Uint(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
            (Val::Double(a), Val::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Val::Int(a), Val::Double(b)) => (*a as f64).partial_cmp(b),
            (Val::Double(a), Val::Uint(b)) => a.partial_cmp(&(*b as f64)),
            (Val::Uint(a), Val::Double(b)) => (*a as f64).partial_cmp(b),
            (Val::Text(a), Val::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            (Val::Bytes(a), Val::Bytes(b)) => Some(a.cmp(b)),
            (Val::Timestamp(a), Val::Timestamp(b)) | (Val::Duration(a), Val::Duration(b)) => {
                Some(a.cmp(b))
            }
            (Val::Quantity(a), Val::Quantity(b)) => Some(a.cmp(b)),
            (Val::Semver(a), Val::Semver(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Key {
    pub(crate) fn to_val(&self) -> Val {
        match self {
            Key::Bool(b) => Val::Bool(*b),
            Key::Int(n) => Val::Int(*n),
            Key::Text(text) => Val::Text(text.clone()),
        }
    }
}

pub(crate) fn timestamp(text: &str) -> Option<Val> {
    let time = Time::parse_rfc3339(text)?;
    i64::try_from(time.0).ok().map(Val::Timestamp)
}

/// Names that are no identifiers are written with escapes: `a__dot__b`, `__namespace__`.
fn unescaped(name: &Str) -> Str {
    if !name.contains("__") {
        return name.clone();
    }
    if let Some(word) = name
        .strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"))
        && (crate::lex::RESERVED.contains(&word) || matches!(word, "true" | "false" | "null"))
    {
        return Str::new(word);
    }
    let mut text = name.to_string();
    for (escape, sign) in [
        ("__dot__", "."),
        ("__dash__", "-"),
        ("__slash__", "/"),
        ("__underscores__", "__"),
    ] {
        text = text.replace(escape, sign);
    }
    text.into()
}
