//! Compares answers with recorded ones: what differs from run to run is masked, the rest is listed by its place.

use api::{Str, Value};
use sim::Time;

/// The places where two answers differ, as lines.
pub(crate) fn differ(path: &str, ours: &Value, real: &Value, out: &mut Vec<String>) {
    match (ours, real) {
        (Value::Map(a), Value::Map(b)) => {
            let keys: std::collections::BTreeSet<&Str> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let absent = &Value::from("(absent)");
                let (x, y) = (a.get(key).unwrap_or(absent), b.get(key).unwrap_or(absent));
                if x != y {
                    differ(&format!("{path}.{key}"), x, y, out);
                }
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (at, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                if x != y {
                    differ(&format!("{path}[{at}]"), x, y, out);
                }
            }
        }
        _ if ours == real => {}
        _ => out.push(format!("{path}: ours {ours:?} real {real:?}")),
    }
}

/// Fields whose values differ from run to run, or are facts of a machine; that they are there, and of what sort, is compared.
const MASKED_FIELDS: [&str; 21] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "clusterIP",
    "clusterIPs",
    "time",
    "continue",
    "token",
    "expirationTimestamp",
    "containerID",
    "imageID",
    "hostIP",
    "hostIPs",
    "podIP",
    "podIPs",
    "serverRelativeURL",
    "serverAddress",
    "authentication.kubernetes.io/credential-id",
    "clientCIDR",
    "nodePort",
];

/// The value with what differs from run to run replaced.
pub(crate) fn mask(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut out = api::Map::default();
            let mut map: api::Map = (**map).clone();
            sort_causes(&mut map);
            for (key, value) in map.iter() {
                let is_masked = MASKED_FIELDS.contains(&key.as_str())
                    && !(key == "clusterIP" && value.as_str() == Some("None"));
                let masked = match key.as_str() {
                    "managedFields" => mask_managers(value),
                    "columnDefinitions" => mask_columns(value),
                    _ if is_masked => shape(value),
                    _ => mask(value),
                };
                out.insert(mask_key(key), masked);
            }
            Value::from(out)
        }
        Value::List(list) => Value::from(list.iter().map(mask).collect::<Vec<_>>()),
        Value::Str(text) => Value::from(mask_text(text)),
        other => other.clone(),
    }
}

/// What is left of a masked value: whether it is there, and what sort of thing it is.
fn shape(value: &Value) -> Value {
    let text = match value {
        Value::Str(text) => text,
        Value::Map(map) => {
            let masked = map.iter().map(|(key, value)| (key.clone(), shape(value)));
            return Value::from(masked.collect::<api::Map>());
        }
        Value::List(list) => {
            return Value::from(list.iter().map(shape).collect::<Vec<_>>());
        }
        Value::Int(_) => return "number".into(),
        other => return other.clone(),
    };
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    Value::from(match text.as_str() {
        "" | "0" => text.to_string(),
        _ if is_digits => "digits".to_owned(),
        _ if text.len() == 36 && text.split('-').count() == 5 => "a UID".to_owned(),
        _ if Time::parse_rfc3339(text).is_some() => format!("a time of {} letters", text.len()),
        _ if is_address(text) => "an address".to_owned(),
        _ if text.split('.').count() == 3 && text.starts_with("ey") => "a token".to_owned(),
        _ => "…".to_owned(),
    })
}

/// Problems with the entries of a map come in any order, because Go walks maps at random.
fn sort_causes(status: &mut api::Map) {
    let text = |cause: &Value| format!("{}: {}", cause.str("field"), cause.str("message"));
    let details = status.get("details").cloned().unwrap_or_default();
    let mut causes: Vec<Value> = details.get("causes").items().to_vec();
    let joined = |causes: &[Value]| causes.iter().map(text).collect::<Vec<_>>().join(", ");
    let before = joined(&causes);
    causes.sort_by_key(text);
    let after = joined(&causes);
    if let Some(Value::Str(message)) = status.get("message").cloned()
        && !before.is_empty()
    {
        status.insert("message", message.replace(&before, &after));
        let mut details = details;
        details.set("causes", causes);
        status.insert("details", details);
    }
}

/// What columns mean is told in the Kubernetes authors' sentences, which are not ours to give.
fn mask_columns(columns: &Value) -> Value {
    let mut columns: Vec<Value> = columns.items().iter().map(mask).collect();
    for column in &mut columns {
        if column.has("description") {
            column.set("description", "…");
        }
    }
    Value::from(columns)
}

/// Items of lists in managed fields are named by what differs from run to run.
fn mask_key(key: &Str) -> Str {
    for field in ["uid", "ip"] {
        if key.starts_with(&format!("k:{{\"{field}\":")) {
            return format!("k:{field}").into();
        }
    }
    key.clone()
}

/// Entries are ordered by their seconds, and the recorded kubelet is called `node`.
fn mask_managers(entries: &Value) -> Value {
    let mut entries: Vec<Value> = entries.items().iter().map(mask).collect();
    for entry in &mut entries {
        if entry.str("manager") == "kubelet" {
            entry.set("manager", "node");
        }
    }
    entries.sort_by_key(|entry| {
        let text = |field: &str| entry.str(field).to_owned();
        (text("manager"), text("operation"), text("subresource"))
    });
    Value::from(entries)
}

/// A text with times, addresses, random names and ages replaced, and objects in it masked like objects.
fn mask_text(text: &str) -> String {
    if let Some((head, object, tail)) = quoted_object(text) {
        return format!("{head}{}{tail}", mask(&object).to_json());
    }
    if is_age(text) {
        return "…s".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_uid = bare.len() == 36 && bare.split('-').count() == 5;
        let is_address = is_address(bare);
        let is_generated = bare.starts_with("gen-");
        let is_time = Time::parse_rfc3339(bare).is_some();
        if let Some(suffix) = bare.strip_prefix("kube-api-access-")
            && suffix.len() == 5
        {
            words.push("kube-api-access-…".to_owned());
        } else if is_uid || is_address || is_generated || is_time {
            words.push(word.replace(bare, "…"));
        } else {
            words.push(word.to_owned());
        }
    }
    let mut text = words.join(" ");
    // YAML in one text.
    if let Some((head, tail)) = text.split_once("resourceVersion: \"") {
        let rest = tail.trim_start_matches(|c: char| c.is_ascii_digit());
        text = format!("{head}resourceVersion: \"…{rest}");
    }
    // Revisions stand in messages, too.
    match text.split_once("current: ") {
        Some((head, _)) => format!("{head}current: …"),
        None => text,
    }
}

fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| part.parse::<u8>().is_ok())
        && matches!(parts[0], "10" | "172")
}

/// `5s`, as tables show how old something young is.
fn is_age(text: &str) -> bool {
    text.strip_suffix('s')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The object that a message quotes, if it does: `Invalid value: "{…}": …`.
fn quoted_object(text: &str) -> Option<(String, Value, String)> {
    let start = text.find("\"{\\\"")?;
    let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<String>();
    let inner = stream.next()?.ok()?;
    let end = start + stream.byte_offset();
    let object = Value::from_json(&inner).ok()?;
    Some((text[..start].to_owned(), object, text[end..].to_owned()))
}
