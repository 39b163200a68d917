//! The OpenAPI v2 document in protobuf, as kubectl up to 1.28 reads it before it applies: which kinds take `fieldValidation`.
//!
//! Holds the operations that write, with their parameters, and no types. The message is gnostic's `openapi.v2.Document`.

use api::Value;

/// The media type under which clients ask for it.
pub(crate) const MEDIA: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Whether `Accept` asks for it.
pub(crate) fn is_wanted(accept: &str) -> bool {
    accept.contains("com.github.proto-openapi.spec.v2")
}

/// Encodes the paths of a document.
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
    out
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
        let mut inner = query;
        for number in [3, 2, 1] {
            let mut outer = Vec::new();
            bytes(&mut outer, number, &inner);
            inner = outer;
        }
        bytes(&mut out, 8, &inner);
    }
    for name in ["x-kubernetes-action", "x-kubernetes-group-version-kind"] {
        let value = operation.get(name);
        if value.is_null() {
            continue;
        }
        let mut any = Vec::new();
        text(&mut any, 2, &api::yaml::emit(value));
        bytes(&mut out, 13, &named(name, &any));
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

fn text(out: &mut Vec<u8>, number: u8, text: &str) {
    bytes(out, number, text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, number: u8, inner: &[u8]) {
    out.push(number << 3 | 2);
    let mut length = inner.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(inner);
}
