//! The OpenAPI documents against that of Kubernetes, without its texts.

use api::{Request, Value};

use super::slice::{done, server};

/// Types of the real document that ours defines alike, and operations with the same id; may only rise.
const FLOOR: (usize, usize) = (570, 588);

fn document(path: &str) -> Value {
    let response = done(&mut server(), &Request::path(path.to_owned()));
    assert!(response.is_success(), "{path}: {}", response.message());
    response.body
}

/// A definition without texts, defaults and what follows from them.
fn plain(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut out = Value::empty_map();
            for (key, value) in map.iter() {
                let is_text =
                    *key == "description" && value.as_str().is_some() || *key == "default";
                if !is_text && *key != "x-kubernetes-unions" {
                    out.set(key.clone(), plain(value));
                }
            }
            // Go's order of fields is not kept, nor that of kinds that share a type.
            for list in ["required", "x-kubernetes-group-version-kind"] {
                let mut items = out.get(list).items().to_vec();
                items.sort_by_key(Value::to_json);
                if !items.is_empty() {
                    out.set(list, items);
                }
            }
            out
        }
        Value::List(items) => Value::from(items.iter().map(plain).collect::<Vec<_>>()),
        other => other.clone(),
    }
}

#[test]
fn version_2_defines_what_kubernetes_defines() {
    let Some(file) = super::shared("openapi/kubernetes-v1.36-swagger.json") else {
        return;
    };
    let text = std::fs::read_to_string(file).expect("a document");
    let real = Value::from_json(&text).expect("JSON");
    let ours = document("/openapi/v2");
    let (mut types, mut all_types) = (0, 0);
    let shown = std::env::var("KUBENKYO_OPENAPI").is_ok();
    for (name, definition) in ours.get("definitions").entries().iter() {
        let wanted = real.get("definitions").get(name);
        if wanted.is_null() {
            println!("{name} is ours alone");
            continue;
        }
        all_types += 1;
        let (a, b) = (plain(definition), plain(wanted));
        types += usize::from(a == b);
        if shown && a != b {
            let mut lines = Vec::new();
            super::compare::differ(name, &a, &b, &mut lines);
            for line in lines.iter().take(4) {
                println!("{}", line.chars().take(300).collect::<String>());
            }
        }
    }
    let (mut operations, mut all_operations) = (0, 0);
    for (path, methods) in real.get("paths").entries().iter() {
        let is_ours = ours.get("paths").entries().keys();
        let is_watch = path.contains("/watch/") || path.ends_with('/') || path.contains("{path}");
        let is_served = is_ours.clone().any(|known| {
            let group = |path: &str| path.split('/').take(4).collect::<Vec<_>>().join("/");
            group(known) == group(path)
        });
        if is_watch || !is_served {
            continue;
        }
        for (method, operation) in methods.entries().iter().filter(|(_, o)| o.is_map()) {
            if matches!(method.as_str(), "head" | "options")
                || operation.str("operationId").is_empty()
            {
                continue;
            }
            all_operations += 1;
            let found = ours.get("paths").get(path).get(method);
            let same = [
                "operationId",
                "x-kubernetes-action",
                "x-kubernetes-group-version-kind",
            ]
            .iter()
            .all(|field| found.get(field) == operation.get(field));
            operations += usize::from(same);
            if shown && !same {
                println!(
                    "{method} {path}: ours {:?}, real {:?}",
                    found.str("operationId"),
                    operation.str("operationId")
                );
            }
        }
    }
    println!("openapi: {types} of {all_types} types, {operations} of {all_operations} operations");
    assert!(types >= FLOOR.0 && operations >= FLOOR.1);
}

#[test]
fn clients_find_a_kind_and_its_field_validation() {
    let index = document("/openapi/v3");
    let url = index
        .get("paths")
        .get("apis/apps/v1")
        .str("serverRelativeURL")
        .to_owned();
    let path = url.split('?').next().expect("a path");
    let apps = document(path);
    let patch = apps
        .get("paths")
        .get("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        .get("patch");
    let parameters = patch.get("parameters").items();
    assert!(
        parameters
            .iter()
            .any(|p| p.str("name") == "fieldValidation")
    );
    let spec = apps
        .path("components.schemas")
        .get("io.k8s.api.apps.v1.DeploymentSpec");
    assert_eq!(
        spec.path("properties.selector").to_json(),
        r##"{"$ref":"#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"}"##
    );
    for reference in references(&apps) {
        let name = reference.trim_start_matches("#/components/schemas/");
        assert!(
            apps.path("components.schemas").has(name),
            "{name} is not defined"
        );
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Map(map) => map
            .iter()
            .flat_map(|(key, value)| match value.as_str() {
                Some(text) if *key == "$ref" => vec![text.to_owned()],
                _ => references(value),
            })
            .collect(),
        Value::List(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
