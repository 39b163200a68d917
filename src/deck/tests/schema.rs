//! The decks' manifests against the OpenAPI document of Kubernetes v1.36: known kinds, known fields, right types.
//!
//! The document is not part of the repository; without it the test says so and passes.

use std::path::PathBuf;

use serde_json::Value;

use crate::{Cell, Deck, Lang, Slide, bundled, lessons};

fn document() -> Option<Value> {
    let shared = std::env::var_os("KUBENKYO_SHARED").map(PathBuf::from);
    let shared =
        shared.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = shared.join("openapi/kubernetes-v1.36-swagger.json");
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).expect("the OpenAPI document is JSON")),
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

/// The definition of a kind.
fn definition<'a>(document: &'a Value, version: &str, kind: &str) -> Option<&'a Value> {
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    document["definitions"]
        .as_object()?
        .values()
        .find(|definition| {
            definition["x-kubernetes-group-version-kind"]
                .as_array()
                .is_some_and(|kinds| {
                    kinds.iter().any(|known| {
                        known["group"] == group
                            && known["version"] == version
                            && known["kind"] == kind
                    })
                })
        })
}

fn check(document: &Value, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let schema = match schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next())
    {
        Some(name) => &document["definitions"][name],
        None => schema,
    };
    match value {
        Value::Object(fields) => {
            let properties = schema["properties"].as_object();
            let more = schema.get("additionalProperties");
            if properties.is_none() && more.is_none() {
                return;
            }
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                match properties
                    .and_then(|properties| properties.get(key))
                    .or(more)
                {
                    Some(schema) => check(document, schema, value, &path, wrong),
                    None => wrong.push(format!("{path} does not exist")),
                }
            }
            for required in schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if !fields.contains_key(required) && required != "status" {
                    wrong.push(format!("{path} needs {required}"));
                }
            }
        }
        Value::Array(items) if schema["type"] == "array" => {
            for (index, item) in items.iter().enumerate() {
                check(
                    document,
                    &schema["items"],
                    item,
                    &format!("{path}[{index}]"),
                    wrong,
                );
            }
        }
        other => {
            let fits = match schema["type"].as_str() {
                Some("string") => {
                    other.is_string() || schema["format"] == "int-or-string" && other.is_i64()
                }
                Some("integer") => other.is_i64(),
                Some("boolean") => other.is_boolean(),
                Some("array" | "object") => false,
                _ => true,
            };
            if !fits {
                wrong.push(format!("{path} is {other}, not {}", schema["type"]));
            }
        }
    }
}

#[test]
fn every_manifest_fits_the_api_of_v1_36() {
    let Some(document) = document() else {
        return;
    };
    // Kinds that a cluster has only once somebody added them.
    let added = [
        "gateway.networking.k8s.io/v1 HTTPRoute",
        "example.com/v1 Cafe",
    ];
    let mut wrong = Vec::new();
    let mut checked = 0;
    let decks = lessons(Lang::En)
        .iter()
        .map(|file| Deck::parse(&[*file]))
        .chain([Deck::parse(bundled(Lang::En))]);
    for deck in decks {
        for cell in deck.iter().flat_map(Slide::cells) {
            let Cell::Apply(apply) = cell else { continue };
            for text in apply.yaml.split("\n---\n") {
                let value: Value = serde_yaml::from_str(text).expect("another test has parsed it");
                let (version, kind) = (&value["apiVersion"], &value["kind"]);
                let (version, kind) = (version.as_str().unwrap_or(""), kind.as_str().unwrap_or(""));
                match definition(&document, version, kind) {
                    Some(schema) => check(
                        &document,
                        schema,
                        &value,
                        &format!("{} {kind}", apply.name),
                        &mut wrong,
                    ),
                    None if added.contains(&format!("{version} {kind}").as_str()) => {}
                    None => wrong.push(format!("{}: no {version} {kind}", apply.name)),
                }
                checked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 50, "only {checked} manifests");
}
