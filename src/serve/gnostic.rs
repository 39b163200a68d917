//! The OpenAPI v2 document in protobuf, as kubectl up to 1.28 reads it before it applies, and any for `explain
//! --output=plaintext-openapiv2`.
//!
//! Holds the operations that write, with their parameters, and the types; bounds of custom types' values are left out,
//! because the server checks them. The message is gnostic's `openapi.v2.Document`.

use api::Value;

/// The media type under which clients ask for it.
pub(crate) const MEDIA: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Whether `Accept` asks for it.
pub(crate) fn is_wanted(accept: &str) -> bool {
    accept.contains("com.github.proto-openapi.spec.v2")
}

/// Types within types, at the most: no client could read more.
const DEPTH: usize = 64;

/// Encodes a document.
pub(crate) fn encode(document: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, 1, "2.0");
    let info = document.get("info");
    let mut about = Vec::new();
    text(&mut about, 1, info.str("title"));
    text(&mut about, 2, info.str("version"));
    bytes(&mut out, 2, &about);
    let mut paths = Vec::new();
    for (path, item) in document.get("paths").entries().iter() {
        let mut operations = Vec::new();
        for (method, number) in [("put", 3), ("post", 4), ("patch", 8)] {
            let operation = item.get(method);
            if !operation.is_null() {
                bytes(&mut operations, number, &encode_operation(operation));
            }
        }
        if !operations.is_empty() {
            bytes(&mut paths, 2, &named(path, &operations));
        }
    }
    bytes(&mut out, 8, &paths);
    let definitions = schemas(document.get("definitions"), DEPTH);
    bytes(&mut out, 9, &definitions);
    out
}

/// Named types: definitions, or the properties of one.
fn schemas(all: &Value, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, of) in all.entries().iter() {
        bytes(&mut out, 1, &named(name, &schema(of, depth)));
    }
    out
}

fn schema(of: &Value, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(depth) = depth.checked_sub(1) else {
        return out;
    };
    for (number, field) in [
        (1, "$ref"),
        (2, "format"),
        (3, "title"),
        (4, "description"),
        (13, "pattern"),
    ] {
        if !of.str(field).is_empty() {
            text(&mut out, number, of.str(field));
        }
    }
    if of.has("default") {
        bytes(&mut out, 5, &any(of.get("default")));
    }
    for name in of.get("required").items() {
        text(&mut out, 19, name.as_str().unwrap_or_default());
    }
    for choice in of.get("enum").items() {
        bytes(&mut out, 20, &any(choice));
    }
    let additional = of.get("additionalProperties");
    if additional.is_map() {
        let inner = message(1, &schema(additional, depth));
        bytes(&mut out, 21, &inner);
    }
    if !of.str("type").is_empty() {
        let inner = message(1, of.str("type").as_bytes());
        bytes(&mut out, 22, &inner);
    }
    if of.has("items") {
        let inner = message(1, &schema(of.get("items"), depth));
        bytes(&mut out, 23, &inner);
    }
    for part in of.get("allOf").items() {
        bytes(&mut out, 24, &schema(part, depth));
    }
    if of.has("properties") {
        bytes(&mut out, 25, &schemas(of.get("properties"), depth));
    }
    for (name, value) in of.entries().iter() {
        if name.starts_with("x-") {
            bytes(&mut out, 31, &named(name, &any(value)));
        }
    }
    out
}

/// A value of any kind, as YAML.
fn any(value: &Value) -> Vec<u8> {
    message(2, api::yaml::emit(value).as_bytes())
}

fn encode_operation(operation: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for parameter in operation.get("parameters").items() {
        if *parameter.str("in") != *"query" {
            continue;
        }
        let mut query = Vec::new();
        text(&mut query, 2, "query");
        text(&mut query, 4, parameter.str("name"));
        text(&mut query, 6, parameter.str("type"));
        // The choices between kinds of parameters, each a message with one field.
        let inner = [3, 2, 1].iter().fold(query, |inner, n| message(*n, &inner));
        bytes(&mut out, 8, &inner);
    }
    for name in ["x-kubernetes-action", "x-kubernetes-group-version-kind"] {
        let value = operation.get(name);
        if value.is_null() {
            continue;
        }
        bytes(&mut out, 13, &named(name, &any(value)));
    }
    out
}

/// A name and what it stands for.
fn named(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, 1, name);
    bytes(&mut out, 2, value);
    out
}

/// A message with one field.
fn message(number: u8, inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, number, inner);
    out
}

fn text(out: &mut Vec<u8>, number: u8, text: &str) {
    bytes(out, number, text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, number: u8, inner: &[u8]) {
    varint(out, usize::from(number) << 3 | 2);
    varint(out, inner.len());
    out.extend_from_slice(inner);
}

fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::map;

    #[test]
    fn types_are_written_with_the_numbers_of_the_message() {
        let pod = map! {
            "description": "A pod.", "type": "object", "required": api::list!["spec"],
            "properties": map! { "spec": map! { "$ref": "#/definitions/Spec" } },
            "x-kubernetes-map-type": "atomic",
        };
        let expected: &[&[u8]] = &[
            &[4 << 3 | 2, 6],
            b"A pod.",
            // 19 and what is beyond 15 take two bytes.
            &[0x9a, 0x01, 4],
            b"spec",
            &[0xb2, 0x01, 8, 10, 6],
            b"object",
            &[0xca, 0x01, 30, 10, 28, 10, 4],
            b"spec",
            &[18, 20, 10, 18],
            b"#/definitions/Spec",
            &[0xfa, 0x01, 34, 10, 21],
            b"x-kubernetes-map-type",
            &[18, 9, 18, 7],
            b"atomic\n",
        ];
        assert_eq!(schema(&pod, DEPTH), expected.concat());
    }

    #[test]
    fn types_within_types_come_to_an_end() {
        let mut of = map! { "type": "string" };
        for _ in 0..200 {
            of = map! { "items": of };
        }
        assert!(schema(&of, DEPTH).len() < 1_000);
    }
}
