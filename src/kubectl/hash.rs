//! The short hash of a ConfigMap's or Secret's content that generators append to its name.
//!
//! Models kustomize's hasher and `kubectl/pkg/util/hash`: the same but that the second takes the name in.

use api::{Value, map};
use sha2::{Digest as _, Sha256};

/// `4h2mbtbbt6`: ten digits of a SHA-256, without vowels and what looks like other letters.
pub(crate) fn of(object: &Value, name: &str) -> String {
    let part = |name: &str| match object.get(name) {
        Value::Null => Value::from(""),
        value => value.clone(),
    };
    let mut content = map! {
        "kind": object.shared_str("kind"),
        "name": api::Str::new(name),
        "data": part("data"),
    };
    if object.str("kind") == "Secret" {
        content.set("type", object.shared_str("type"));
        if object.get("stringData").is_map() {
            content.set("stringData", object.get("stringData"));
        }
    }
    if object.get("binaryData").is_map() {
        content.set("binaryData", object.get("binaryData"));
    }
    let text = crate::print::escaped(&content.to_json());
    Sha256::digest(text.as_bytes())[..5]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| match digit {
            0 => 'g',
            1 => 'h',
            3 => 'k',
            10 => 'm',
            14 => 't',
            digit => char::from_digit(u32::from(digit), 16).expect("four bits are one digit"),
        })
        .collect()
}
