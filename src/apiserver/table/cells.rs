//! How single facts look in a cell.

use api::duration;
use api::{Map, Value};
use sim::Time;

pub(super) const NONE: &str = "<none>";
pub(super) const UNKNOWN: &str = "<unknown>";
pub(super) const UNSET: &str = "<unset>";

pub(super) fn name(object: &Value) -> Value {
    object.get("metadata").get("name").clone()
}

/// The object's age.
pub(super) fn age(object: &Value, now: Time) -> Value {
    Value::from(since(object.get("metadata").get("creationTimestamp"), now))
}

/// How long ago a time was, as people say it.
pub(super) fn since(time: &Value, now: Time) -> String {
    match time.as_str().and_then(Time::parse_rfc3339) {
        Some(then) => duration::human(now.secs() - then.secs()),
        None => UNKNOWN.to_owned(),
    }
}

/// The text, or `<none>`.
pub(super) fn or_none(text: &str) -> Value {
    or(text, NONE)
}

pub(super) fn or(text: &str, instead: &'static str) -> Value {
    if text.is_empty() {
        Value::from(instead)
    } else {
        Value::from(text.to_owned())
    }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn labels(labels: &Map) -> Value {
    or_none(&api::meta::labels_text(labels))
}

/// `metav1.FormatLabelSelector`.
pub(super) fn selector(selector: &Value) -> Value {
    or_none(&crate::subresource::scale::selector_text(selector))
}

/// The names and the images of the containers of a pod's spec.
pub(super) fn containers(spec: &Value) -> [Value; 2] {
    let join = |field: &str| {
        let texts: Vec<&str> = spec
            .get("containers")
            .items()
            .iter()
            .map(|c| c.str(field))
            .collect();
        Value::from(texts.join(","))
    };
    [join("name"), join("image")]
}

/// A number, 0 if missing.
pub(super) fn number(value: &Value) -> Value {
    Value::Int(value.as_int().unwrap_or(0))
}

/// A number, an int-or-string or a quantity as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    }
}

/// The strings of a list, joined.
pub(super) fn joined(list: &Value, by: &str) -> String {
    let texts: Vec<String> = list.items().iter().map(text).collect();
    texts.join(by)
}
