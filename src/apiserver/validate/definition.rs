//! CustomResourceDefinitions (`apiextensions/validation`).

use api::{Value, list};

use super::{Problems, immutable, names};
use crate::path::Path;
use crate::rules;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

pub(crate) fn definition(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let plural = spec.path("names.plural").as_str().unwrap_or_default();
    let group = spec.str("group");
    let name = object.path("metadata.name");
    if name.as_str() != Some(&format!("{plural}.{group}")) {
        let meta = Path::new("metadata");
        out.push(
            meta.child("name")
                .invalid(name, "must be spec.names.plural+\".\"+spec.group"),
        );
    }
    if group.is_empty() {
        out.push(path.child("group").required(""));
    } else {
        for message in names::subdomain(group) {
            out.push(path.child("group").invalid(spec.get("group"), &message));
        }
        if !group.contains('.') {
            out.push(path.child("group").invalid(
                spec.get("group"),
                "should be a domain with at least one dot",
            ));
        }
    }
    if !matches!(spec.str("scope"), "Cluster" | "Namespaced") {
        out.push(
            path.child("scope")
                .not_supported(spec.get("scope"), &["Cluster", "Namespaced"]),
        );
    }
    let storing = spec
        .get("versions")
        .items()
        .iter()
        .filter(|v| v.bool("storage"))
        .count();
    if storing != 1 {
        let mut problem = path.child("versions").invalid(list![], "");
        problem.message = format!(
            "Invalid value: {}: must have exactly one version marked as storage version",
            shown(spec.get("versions").items())
        );
        out.push(problem);
    }
    let names_path = path.child("names");
    for field in ["plural", "singular", "kind", "listKind"] {
        let text = spec.get("names").str(field);
        if text.is_empty() {
            if matches!(field, "plural" | "kind") {
                out.push(names_path.child(field).required(""));
            }
            continue;
        }
        for message in names::label_1035(&text.to_ascii_lowercase()) {
            out.push(names_path.child(field).invalid(text.to_owned(), &message));
        }
    }
    schemas(spec, &path, out);
    if object.path("status.storedVersions").is_empty() {
        out.push(
            Path::new("status")
                .child("storedVersions")
                .invalid(Value::Null, "must have at least one stored version"),
        );
    }
}

/// With one version its schema is named as the whole definition's, as it once was.
fn schemas(spec: &Value, path: &Path, out: &mut Problems) {
    let versions = spec.get("versions").items();
    let versions_path = path.child("versions");
    let validation = path.child("validation");
    for (at, version) in versions.iter().enumerate() {
        let entry = versions_path.index(at);
        let in_version = entry.child("schema");
        let path = if versions.len() == 1 {
            &validation
        } else {
            &in_version
        };
        let root = version.path("schema.openAPIV3Schema");
        if root.is_null() {
            out.push(
                in_version
                    .child("openAPIV3Schema")
                    .required("schemas are required"),
            );
            continue;
        }
        let path = path.child("openAPIV3Schema");
        if root.str("type").is_empty() {
            out.push(path.child("type").required("must not be empty at the root"));
        } else if root.str("type") != "object" {
            out.push(
                path.child("type")
                    .invalid(root.get("type"), "must be object at the root"),
            );
        }
        rules::check_schema(root, true, &path, out);
        properties(root, &path, out);
    }
}

fn properties(schema: &Value, path: &Path, out: &mut Problems) {
    let properties_path = path.child("properties");
    for (name, property) in schema.get("properties").entries().iter() {
        inner(property, &properties_path.key(name), out);
    }
    if schema.get("items").is_map() {
        inner(schema.get("items"), &path.child("items"), out);
    }
    if schema.get("additionalProperties").is_map() {
        inner(
            schema.get("additionalProperties"),
            &path.child("additionalProperties"),
            out,
        );
    }
}

fn inner(schema: &Value, path: &Path, out: &mut Problems) {
    let kind = schema.str("type");
    let is_free = schema.bool("x-kubernetes-int-or-string")
        || schema.bool("x-kubernetes-preserve-unknown-fields");
    if kind.is_empty() {
        if !is_free {
            out.push(
                path.child("type")
                    .required("must not be empty for specified object fields"),
            );
        }
    } else if !TYPES.contains(&kind) {
        out.push(path.child("type").not_supported(schema.get("type"), &TYPES));
    }
    rules::check_schema(schema, false, path, out);
    properties(schema, path, out);
}

/// Versions as the message shows the internal type.
fn shown(versions: &[Value]) -> String {
    let texts: Vec<String> = versions
        .iter()
        .map(|version| {
            format!(
                "{{\"Name\":{:?},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\"Schema\":null,\"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}",
                version.str("name"),
                version.bool("served"),
                version.bool("storage"),
                version.bool("deprecated"),
                version.get("deprecationWarning").to_json()
            )
        })
        .collect();
    format!("[{}]", texts.join(","))
}

pub(crate) fn definition_update(new: &Value, old: &Value, out: &mut Problems) {
    definition(new, out);
    let (new, old, path) = (new.get("spec"), old.get("spec"), Path::new("spec"));
    for field in ["group", "scope"] {
        immutable(new.get(field), old.get(field), &path.child(field), out);
    }
    let names_path = path.child("names");
    for field in ["plural", "kind"] {
        let (new, old) = (new.get("names").get(field), old.get("names").get(field));
        immutable(new, old, &names_path.child(field), out);
    }
}
