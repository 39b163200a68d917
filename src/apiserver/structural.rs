//! Structural schemas of custom resources: pruning, defaulting and validation by OpenAPI v3.
//!
//! Rules in CEL (`x-kubernetes-validations`) stand in `rules.rs`.
//! Models `apiextensions-apiserver/pkg/apiserver/{schema,validation}`.

use api::{Status, Str, Value};

use crate::path::Path;
use crate::rules;
use crate::validate::Problems;

/// Removes what the schema does not know; lists the paths of what was removed.
pub(crate) fn prune(object: &mut Value, schema: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    prune_at(object, schema, "", true, &mut unknown);
    unknown
}

fn prune_at(value: &mut Value, schema: &Value, path: &str, is_root: bool, out: &mut Vec<String>) {
    if schema.bool("x-kubernetes-preserve-unknown-fields") {
        return;
    }
    if let Value::List(_) = value {
        let items = schema.get("items");
        for at in 0..value.items().len() {
            let mut item = value.items()[at].clone();
            prune_at(&mut item, items, &format!("{path}[{at}]"), false, out);
            if !item.is_same(&value.items()[at]) {
                value.list_mut()[at] = item;
            }
        }
        return;
    }
    if !value.is_map() {
        return;
    }
    let properties = schema.get("properties");
    let additional = schema.get("additionalProperties");
    let is_embedded = is_root || schema.bool("x-kubernetes-embedded-resource");
    let keys: Vec<Str> = value.entries().keys().cloned().collect();
    for key in keys {
        if is_embedded && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        let below = if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        };
        let inner = if properties.has(&key) {
            properties.get(&key)
        } else {
            additional
        };
        if inner.is_map() {
            let mut child = value.get(&key).clone();
            prune_at(&mut child, inner, &below, false, out);
            if !child.is_same(value.get(&key)) {
                value.set(key, child);
            }
        } else if inner.as_bool() != Some(true) {
            out.push(below);
            value.remove(&key);
        }
    }
}

/// Fills in the schema's defaults.
pub(crate) fn fill_defaults(value: &mut Value, schema: &Value) {
    if let Value::List(_) = value {
        for at in 0..value.items().len() {
            let mut item = value.items()[at].clone();
            fill_defaults(&mut item, schema.get("items"));
            if !item.is_same(&value.items()[at]) {
                value.list_mut()[at] = item;
            }
        }
        return;
    }
    if !value.is_map() {
        return;
    }
    for (name, property) in schema.get("properties").entries().iter() {
        let default = property.get("default");
        if value.get(name).is_null() && !default.is_null() && !property.bool("nullable") {
            value.set(name.clone(), default.clone());
        }
        if value.has(name) {
            let mut child = value.get(name).clone();
            fill_defaults(&mut child, property);
            if !child.is_same(value.get(name)) {
                value.set(name.clone(), child);
            }
        }
    }
    let additional = schema.get("additionalProperties");
    if additional.is_map() {
        let keys: Vec<Str> = value.entries().keys().cloned().collect();
        for key in keys {
            let mut child = value.get(&key).clone();
            fill_defaults(&mut child, additional);
            if !child.is_same(value.get(&key)) {
                value.set(key, child);
            }
        }
    }
}

/// Everything that is wrong with an object by its schema.
pub(crate) fn validate(
    object: &Value,
    old: Option<&Value>,
    schema: &Value,
    out: &mut Problems,
    more: &dyn Fn(&mut Problems),
) {
    let before = out.len();
    check(object, schema, &Path::ROOT, true, out);
    more(out);
    if out.len() == before {
        rules::check(object, old, schema, out);
    } else if has_rules(schema) {
        let mut problem = Path::new("<nil>").invalid(
            Value::Null,
            "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        );
        problem.field = "<nil>".to_owned();
        out.push(problem);
    }
}

/// Whether a schema has rules in CEL anywhere.
pub(crate) fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Map(map) => map
            .iter()
            .any(|(key, value)| key == "x-kubernetes-validations" || has_rules(value)),
        Value::List(list) => list.iter().any(has_rules),
        _ => false,
    }
}

fn check(value: &Value, schema: &Value, path: &Path, is_root: bool, out: &mut Problems) {
    if value.is_null() || !schema.is_map() {
        return;
    }
    if schema.bool("x-kubernetes-int-or-string") {
        if !matches!(value, Value::Int(_) | Value::Str(_)) {
            wrong_type(value, "integer,string", path, out);
        }
        return;
    }
    let wanted = schema.str("type");
    let fits = match wanted {
        "object" => value.is_map(),
        "array" => matches!(value, Value::List(_)),
        "string" => matches!(value, Value::Str(_)),
        "integer" => matches!(value, Value::Int(_)),
        "number" => matches!(value, Value::Int(_) | Value::Float(_)),
        "boolean" => matches!(value, Value::Bool(_)),
        _ => true,
    };
    if !fits {
        wrong_type(value, wanted, path, out);
        return;
    }
    let allowed = schema.get("enum").items();
    if !allowed.is_empty() && !allowed.contains(value) {
        let texts: Vec<String> = allowed
            .iter()
            .map(|v| v.as_str().map_or_else(|| v.to_json(), str::to_owned))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        out.push(path.not_supported(value, &texts));
    }
    match value {
        Value::Str(text) => string(text, value, schema, path, out),
        Value::Int(_) | Value::Float(_) => number(value, schema, path, out),
        Value::List(items) => {
            let bound = |field: &str| schema.int(field).and_then(|n| usize::try_from(n).ok());
            if let Some(most) = bound("maxItems").filter(|most| items.len() > *most) {
                out.push(api::status::Problem::too_many(
                    path.to_string(),
                    items.len(),
                    most,
                ));
            }
            if let Some(least) = bound("minItems").filter(|least| items.len() < *least) {
                out.push(path.invalid(
                    items.len(),
                    &format!("{path} in body should have at least {least} items"),
                ));
            }
            for (at, item) in items.iter().enumerate() {
                check(item, schema.get("items"), &path.index(at), false, out);
            }
        }
        Value::Map(_) => object(value, schema, path, is_root, out),
        _ => {}
    }
}

fn object(value: &Value, schema: &Value, path: &Path, is_root: bool, out: &mut Problems) {
    for name in schema.get("required").items() {
        let name = name.as_str().unwrap_or_default();
        if !value.has(name) {
            out.push(path.child(name).required(""));
        }
    }
    let (properties, additional) = (schema.get("properties"), schema.get("additionalProperties"));
    for (name, child) in value.entries().iter() {
        if is_root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        let inner = if properties.has(name) {
            properties.get(name)
        } else {
            additional
        };
        check(child, inner, &path.child(name), false, out);
    }
}

fn wrong_type(value: &Value, wanted: &str, path: &Path, out: &mut Problems) {
    let found = match value {
        Value::Float(_) => "number",
        Value::Int(_) => "integer",
        Value::Bool(_) => "boolean",
        other => api::decode::json_type(other),
    };
    let mut problem = path.invalid(
        found.to_owned(),
        &format!("{path} in body must be of type {wanted}: {found:?}"),
    );
    problem.reason = "FieldValueTypeInvalid";
    out.push(problem);
}

/// The first thing that is wrong with a string.
fn string(text: &Str, value: &Value, schema: &Value, path: &Path, out: &mut Problems) {
    let len = text.chars().count() as i64;
    if let Some(most) = schema.int("maxLength").filter(|most| len > *most) {
        out.push(path.too_long(most as usize));
    } else if let Some(least) = schema.int("minLength").filter(|least| len < *least) {
        out.push(path.invalid(
            value,
            &format!("{path} in body should be at least {least} chars long"),
        ));
    } else if let Some(pattern) = schema.get("pattern").as_str() {
        // A pattern that cannot be read here lets everything through rather than refusing what may be right.
        let matches = regex_lite::Regex::new(pattern).map_or(true, |regex| regex.is_match(text));
        if !matches {
            out.push(path.invalid(value, &format!("{path} in body should match '{pattern}'")));
        }
    }
}

fn number(value: &Value, schema: &Value, path: &Path, out: &mut Problems) {
    let amount = |value: &Value| match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(n) => Some(*n),
        _ => None,
    };
    let Some(found) = amount(value) else {
        return;
    };
    let (least, most) = (schema.get("minimum"), schema.get("maximum"));
    if let Some(bound) = amount(least) {
        if schema.bool("exclusiveMinimum") && found <= bound {
            out.push(path.invalid(
                value,
                &format!("{path} in body should be greater than {}", least.to_json()),
            ));
        } else if found < bound {
            out.push(path.invalid(
                value,
                &format!(
                    "{path} in body should be greater than or equal to {}",
                    least.to_json()
                ),
            ));
        }
    }
    if let Some(bound) = amount(most) {
        if schema.bool("exclusiveMaximum") && found >= bound {
            out.push(path.invalid(
                value,
                &format!("{path} in body should be less than {}", most.to_json()),
            ));
        } else if found > bound {
            out.push(path.invalid(
                value,
                &format!(
                    "{path} in body should be less than or equal to {}",
                    most.to_json()
                ),
            ));
        }
    }
    if let Some(step) = schema.int("multipleOf").filter(|step| *step != 0)
        && value.as_int().is_some_and(|n| n % step != 0)
    {
        out.push(path.invalid(
            value,
            &format!("{path} in body should be a multiple of {step}"),
        ));
    }
}

/// What follows a JSONPath of the simple kind that printer columns and scales use: `.spec.replicas`, `.a['b']`, `.c[0]`.
pub(crate) fn follow<'a>(object: &'a Value, path: &str) -> &'a Value {
    let mut value = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("['") {
            let Some((key, tail)) = after.split_once("']") else {
                return &Value::Null;
            };
            value = value.get(key);
            rest = tail;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((index, tail)) = after.split_once(']') else {
                return &Value::Null;
            };
            value = match index.parse::<usize>() {
                Ok(at) => value.items().get(at).unwrap_or(&Value::Null),
                // `[?(@.type=="Ready")]`
                Err(_) => filtered(value, index),
            };
            rest = tail;
        } else {
            let after = rest.strip_prefix('.').unwrap_or(rest);
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, tail) = after.split_at(end);
            if !key.is_empty() {
                value = value.get(key);
            } else if tail.is_empty() {
                return value;
            }
            rest = tail;
        }
    }
    value
}

fn filtered<'a>(value: &'a Value, filter: &str) -> &'a Value {
    let inner = filter.trim_start_matches("?(").trim_end_matches(')');
    let Some((field, wanted)) = inner.split_once("==") else {
        return &Value::Null;
    };
    let field = field.trim().trim_start_matches("@.");
    let wanted = wanted.trim().trim_matches(['"', '\'']);
    let matches = |item: &&Value| item.get(field).as_str() == Some(wanted);
    value.items().iter().find(matches).unwrap_or(&Value::Null)
}

/// The refusal of a strict decoding.
pub(crate) fn strict(kind: &api::kinds::Kind, problems: &[String]) -> Status {
    Status::bad_request(format!(
        "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
        kind.kind,
        kind.version,
        kind.kind,
        problems.join(", ")
    ))
}
