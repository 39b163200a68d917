//! The OpenAPI documents, from the schema table and the definitions of custom resources: what `kubectl explain`, validation and
//! editors ask for. Texts of fields are not part of them.
//!
//! Models `kube-openapi`'s v3 handler: an index with a hash for each group's document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use api::kinds::{self, Kind};
use api::schema::{self, Field, ListKind, Shape, Type};
use api::{Str, Value, list, map};

/// Documents of the built-in groups by path (`apis/apps/v1`), with their hashes.
static BUILT_IN: LazyLock<BTreeMap<String, (String, String)>> = LazyLock::new(|| {
    let mut found: BTreeMap<String, Vec<&Kind>> = BTreeMap::new();
    for kind in kinds::all() {
        if kind.group != *kinds::METRICS_GROUP {
            found.entry(path_of(kind)).or_default().push(kind);
        }
    }
    let documents = found.into_iter().map(|(path, kinds)| {
        let text = document(&kinds, &BTreeMap::new()).to_json();
        let hash = digest(&text);
        (path, (text, hash))
    });
    documents.collect()
});

/// The answer to `/openapi/…` as JSON; nothing for paths that are none. `definitions` are the custom resource definitions.
pub(crate) fn get(path: &str, definitions: &[Value]) -> Option<String> {
    let rest = path.strip_prefix("/openapi/")?.trim_end_matches('/');
    if rest == "v2" {
        return Some(swagger(definitions).to_json());
    }
    let rest = rest.strip_prefix("v3")?.trim_start_matches('/');
    let customs = customs(definitions);
    if rest.is_empty() {
        let mut paths = map! {};
        let own = BUILT_IN
            .iter()
            .map(|(path, (_, hash))| (path, hash.clone()));
        let others = customs.iter().map(|(path, text)| (path, digest(text)));
        for (path, hash) in own.chain(others) {
            let url = format!("/openapi/v3/{path}?hash={hash}");
            paths.set(path.clone(), map! { "serverRelativeURL": url });
        }
        return Some(map! { "paths": paths }.to_json());
    }
    let built_in = BUILT_IN.get(rest).map(|(text, _)| text.clone());
    built_in.or_else(|| customs.get(rest).cloned())
}

fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let bytes = digest.as_ref().iter();
    bytes.map(|byte| format!("{byte:02X}")).collect()
}

/// The documents of custom groups.
fn customs(definitions: &[Value]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, (Vec<Kind>, BTreeMap<String, Value>)> = BTreeMap::new();
    for definition in definitions {
        let versions = definition.get("spec").get("versions").items();
        for kind in served_kinds(definition) {
            let version = versions
                .iter()
                .find(|v| v.str("name") == kind.version.as_str());
            let version = version.expect("a served kind comes from a version");
            let (kinds, schemas) = found.entry(path_of(&kind)).or_default();
            let mut shape = version.path("schema.openAPIV3Schema").clone();
            if !shape.is_map() {
                shape = map! { "type": "object" };
            }
            for (field, value) in [
                ("apiVersion", map! { "type": "string" }),
                ("kind", map! { "type": "string" }),
                (
                    "metadata",
                    list![reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")],
                ),
            ] {
                let value = match field {
                    "metadata" => map! { "allOf": value },
                    _ => value,
                };
                shape.entry("properties").set(field, value);
            }
            shape.set("x-kubernetes-group-version-kind", list![gvk(&kind)]);
            schemas.insert(name_of_custom(&kind), shape);
            kinds.push(kind);
        }
    }
    let documents = found.into_iter().map(|(path, (kinds, schemas))| {
        let kinds: Vec<&Kind> = kinds.iter().collect();
        (path, document(&kinds, &schemas).to_json())
    });
    documents.collect()
}

/// A kind for each version that a definition serves.
fn served_kinds(definition: &Value) -> Vec<Kind> {
    let spec = definition.get("spec");
    let names = spec.get("names");
    let versions = spec.get("versions").items().iter();
    versions
        .filter(|version| version.bool("served"))
        .map(|version| Kind {
            group: spec.shared_str("group"),
            version: version.shared_str("name"),
            kind: names.shared_str("kind"),
            plural: names.shared_str("plural"),
            namespaced: spec.str("scope") == "Namespaced",
            ..Kind::default()
        })
        .collect()
}

fn path_of(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}/{}", kind.group, kind.version)
    }
}

/// `com.example.stable.v1.CronTab`
fn name_of_custom(kind: &Kind) -> String {
    let mut parts: Vec<&str> = kind.group.split('.').collect();
    parts.reverse();
    format!("{}.{}.{}", parts.join("."), kind.version, kind.kind)
}

/// One group's document: its paths, and every type that they reach.
fn document(kinds: &[&Kind], customs: &BTreeMap<String, Value>) -> Value {
    let mut types = Types {
        prefix: "#/components/schemas/",
        ..Types::default()
    };
    let mut paths = map! {};
    for kind in kinds {
        match schema::of_kind(&kind.group, &kind.version, &kind.kind) {
            Some(of) if customs.is_empty() => types.add(of),
            _ => {
                if let Some(meta) = schema::named("ObjectMeta") {
                    types.add(meta);
                }
            }
        }
        add_paths(&mut paths, kind);
    }
    let mut schemas = types.schemas();
    for (name, schema) in customs {
        schemas.set(name.clone(), schema.clone());
    }
    map! {
        "openapi": "3.0.0",
        "info": map! { "title": "Kubernetes", "version": api::KUBERNETES_VERSION },
        "paths": paths,
        "components": map! { "schemas": schemas },
    }
}

/// `/openapi/v2`: everything in one document, custom resources with their paths only.
pub(crate) fn swagger(definitions: &[Value]) -> Value {
    let mut types = Types {
        prefix: "#/definitions/",
        ..Types::default()
    };
    let mut paths = map! {};
    for kind in kinds::all() {
        if kind.group == *kinds::METRICS_GROUP {
            continue;
        }
        if let Some(of) = schema::of_kind(&kind.group, &kind.version, &kind.kind) {
            types.add(of);
        }
        add_paths(&mut paths, kind);
    }
    for definition in definitions {
        for kind in served_kinds(definition) {
            add_paths(&mut paths, &kind);
        }
    }
    map! {
        "swagger": "2.0",
        "info": map! { "title": "Kubernetes", "version": api::KUBERNETES_VERSION },
        "paths": paths,
        "definitions": types.schemas(),
    }
}

fn add_paths(paths: &mut Value, kind: &Kind) {
    let base = format!("/{}", path_of(kind));
    let scoped = if kind.namespaced {
        format!("{base}/namespaces/{{namespace}}/{}", kind.plural)
    } else {
        format!("{base}/{}", kind.plural)
    };
    let is_custom = kind.verbs == kinds::Verbs::default();
    let has = |verb: &str| is_custom || kind.verbs.has(verb);
    let mut collection = map! {};
    for (method, verb, action) in [
        ("get", "list", "list"),
        ("post", "create", "post"),
        ("delete", "deletecollection", "deletecollection"),
    ] {
        if has(verb) {
            collection.set(method, operation(kind, action));
        }
    }
    let mut item = map! {};
    for (method, verb, action) in [
        ("get", "get", "get"),
        ("put", "update", "put"),
        ("patch", "patch", "patch"),
        ("delete", "delete", "delete"),
    ] {
        if has(verb) {
            item.set(method, operation(kind, action));
        }
    }
    for (path, operations) in [
        (scoped.clone(), collection),
        (format!("{scoped}/{{name}}"), item),
    ] {
        if operations != map! {} {
            paths.set(path, operations);
        }
    }
    if kind.namespaced && has("list") {
        let all = map! { "get": operation(kind, "list") };
        paths.set(format!("{base}/{}", kind.plural), all);
    }
}

/// An operation with the parameters that clients look for.
fn operation(kind: &Kind, action: &'static str) -> Value {
    let names: &[&'static str] = match action {
        "post" | "put" => &["dryRun", "fieldManager", "fieldValidation", "pretty"],
        "patch" => &[
            "dryRun",
            "fieldManager",
            "fieldValidation",
            "force",
            "pretty",
        ],
        "delete" => &[
            "dryRun",
            "gracePeriodSeconds",
            "propagationPolicy",
            "pretty",
        ],
        "list" => &[
            "allowWatchBookmarks",
            "continue",
            "fieldSelector",
            "labelSelector",
            "limit",
            "resourceVersion",
            "resourceVersionMatch",
            "sendInitialEvents",
            "timeoutSeconds",
            "watch",
        ],
        _ => &["pretty"],
    };
    let parameter = |name: &&'static str| {
        let kind = match *name {
            "force" | "watch" | "allowWatchBookmarks" | "sendInitialEvents" => "boolean",
            "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
            _ => "string",
        };
        map! { "name": *name, "in": "query", "schema": map! { "type": kind, "uniqueItems": true } }
    };
    let parameters: Vec<Value> = names.iter().map(parameter).collect();
    map! {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(kind),
        "parameters": parameters,
        "responses": map! { "200": map! { "description": "OK" } },
    }
}

fn gvk(kind: &Kind) -> Value {
    map! { "group": kind.group.clone(), "kind": kind.kind.clone(), "version": kind.version.clone() }
}

fn reference(name: &str) -> Value {
    map! { "$ref": format!("#/components/schemas/{name}") }
}

/// The types that a document reaches.
#[derive(Default)]
struct Types {
    found: BTreeSet<&'static str>,
    prefix: &'static str,
}

/// Types that are one value in JSON.
const SIMPLE: [(&str, &str, &str); 4] = [
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
        "string",
        "date-time",
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
        "string",
        "date-time",
    ),
    (
        "io.k8s.apimachinery.pkg.api.resource.Quantity",
        "string",
        "",
    ),
    (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        "string",
        "int-or-string",
    ),
];

impl Types {
    fn add(&mut self, of: Type) {
        if !self.found.insert(of.name()) {
            return;
        }
        for field in of.fields() {
            if let Some(inner) = field.shape.innermost_object() {
                self.add(inner);
            }
        }
    }

    fn schemas(&self) -> Value {
        let mut schemas = map! {};
        for (name, kind, format) in SIMPLE {
            let mut schema = map! { "type": kind };
            if !format.is_empty() {
                schema.set("format", format);
            }
            schemas.set(name, schema);
        }
        for name in &self.found {
            let of = schema::named(name).expect("it was found by its name");
            schemas.set(full_name(name), self.schema(of));
        }
        schemas
    }

    fn schema(&self, of: Type) -> Value {
        let mut properties = map! {};
        let mut required: Vec<Value> = Vec::new();
        for field in of.fields() {
            properties.set(field.name, self.property(field));
            if field.is_required {
                required.push(field.name.into());
            }
        }
        let mut schema = map! { "type": "object", "properties": properties };
        if !required.is_empty() {
            schema.set("required", required);
        }
        let kinds: Vec<Value> = kinds::all()
            .iter()
            .filter(|kind| schema::of_kind(&kind.group, &kind.version, &kind.kind) == Some(of))
            .map(gvk)
            .collect();
        if !kinds.is_empty() {
            schema.set("x-kubernetes-group-version-kind", kinds);
        }
        schema
    }

    fn property(&self, field: &Field) -> Value {
        let mut property = self.shape(field.shape);
        match field.list {
            ListKind::Map => {
                property.set("x-kubernetes-list-type", "map");
                let keys: Vec<Value> = field.keys.iter().map(|key| (*key).into()).collect();
                property.set("x-kubernetes-list-map-keys", keys);
            }
            ListKind::Set => property.set("x-kubernetes-list-type", "set"),
            ListKind::Atomic if matches!(field.shape, Shape::List(_)) => {
                property.set("x-kubernetes-list-type", "atomic");
            }
            ListKind::Atomic => {}
        }
        if field.patch.is_merge {
            let strategy = if field.patch.retains_keys {
                "merge,retainKeys"
            } else {
                "merge"
            };
            property.set("x-kubernetes-patch-strategy", strategy);
            if !field.patch.merge_key.is_empty() {
                property.set("x-kubernetes-patch-merge-key", field.patch.merge_key);
            }
        }
        property
    }

    fn shape(&self, shape: Shape) -> Value {
        let simple = |at: usize| self.to(SIMPLE[at].0);
        match shape {
            Shape::Str => map! { "type": "string" },
            Shape::Int32 => map! { "type": "integer", "format": "int32" },
            Shape::Int64 => map! { "type": "integer", "format": "int64" },
            Shape::Bool => map! { "type": "boolean" },
            Shape::Float => map! { "type": "number", "format": "double" },
            Shape::Bytes => map! { "type": "string", "format": "byte" },
            Shape::Time => simple(0),
            Shape::MicroTime => simple(1),
            Shape::Quantity => simple(2),
            Shape::IntOrString => simple(3),
            Shape::Any => map! { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            Shape::Object(of) => self.to(&full_name(of.name())),
            Shape::List(_) => map! { "type": "array", "items": self.shape(shape.inner()) },
            Shape::Map(_) => {
                map! { "type": "object", "additionalProperties": self.shape(shape.inner()) }
            }
        }
    }

    /// What stands for another type; siblings of a plain reference would be lost.
    fn to(&self, name: &str) -> Value {
        let reference = map! { "$ref": format!("{}{name}", self.prefix) };
        if self.prefix == "#/definitions/" {
            return reference;
        }
        map! { "allOf": list![reference] }
    }
}

/// `io.k8s.api.apps.v1.Deployment` for `apps.v1.Deployment`.
fn full_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [short] => format!("io.k8s.apimachinery.pkg.apis.meta.v1.{short}"),
        [version, short] => format!("io.k8s.api.core.{version}.{short}"),
        ["apiextensions", version, short] => {
            format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{short}")
        }
        ["apiregistration", version, short] => {
            format!("io.k8s.kube-aggregator.pkg.apis.apiregistration.{version}.{short}")
        }
        _ => format!("io.k8s.api.{name}"),
    }
}

/// The custom resource definitions as the API lists them.
pub(crate) fn list_definitions() -> api::Request {
    let resource = api::Resource {
        group: Str::Static("apiextensions.k8s.io"),
        version: Str::Static("v1"),
        plural: Str::Static("customresourcedefinitions"),
    };
    api::Request::list(&resource, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let index = get("/openapi/v3", &[]).expect("an index");
        let index = Value::from_json(&index).expect("JSON");
        let groups = index.get("paths").entries();
        assert!(groups.iter().count() > 20);
        for (path, _) in groups.iter() {
            let text = get(&format!("/openapi/v3/{path}"), &[]).expect("a document");
            let document = Value::from_json(&text).expect("JSON");
            let schemas = document.path("components.schemas").clone();
            for part in text.split("#/components/schemas/").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(schemas.has(name), "{path}: {name}");
            }
        }
    }

    #[test]
    fn custom_resources_have_a_document_of_their_own() {
        let definition = Value::from_json(
            r#"{"spec":{"group":"stable.example.com","scope":"Namespaced","names":{"kind":"CronTab","plural":"crontabs"},
            "versions":[{"name":"v1","served":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object"}}}}}]}}"#,
        )
        .expect("JSON");
        let text = get("/openapi/v3/apis/stable.example.com/v1", &[definition]);
        let document = Value::from_json(&text.expect("a document")).expect("JSON");
        let schema = document
            .get("components")
            .get("schemas")
            .get("com.example.stable.v1.CronTab");
        assert_eq!(schema.path("properties.spec.type").as_str(), Some("object"));
        assert_eq!(get("/openapi/v3/apis/none/v1", &[]), None);
    }
}
