//! OpenAPI documents: what the API consists of, for clients that ask before they speak.
//!
//! Versions 2 (`/openapi/v2`) and 3 (`/openapi/v3` and a document for each group and version) are made from the
//! registry and the schema table when they are asked for; custom resources bring their own schemas. Paths have what
//! clients look for (verbs, kinds, parameters), not the texts of the real documents.
//! Models `k8s.io/kube-openapi` as kube-apiserver uses it. Starts at [`ApiServer::openapi`].

mod paths;
mod schemas;

use api::kinds::{self, Kind};
use api::{Str, Value, map};
use sha2::{Digest as _, Sha256};

use crate::ApiServer;
use schemas::{Schemas, Texts};

/// No texts: the documents describe nothing but shapes.
struct Silent;

impl Texts for Silent {
    fn of_type(&self, _of: &str) -> Option<&str> {
        None
    }

    fn of_field(&self, _of: &str, _field: &str) -> Option<&str> {
        None
    }
}

impl Texts for crate::FieldTexts {
    fn of_type(&self, of: &str) -> Option<&str> {
        self.get(of).map(String::as_str)
    }

    fn of_field(&self, of: &str, field: &str) -> Option<&str> {
        self.get(&format!("{of}.{field}")).map(String::as_str)
    }
}

impl ApiServer {
    /// The document under a path below `/openapi`: `v2`, `v3`, `v3/apis/apps/v1`.
    pub(crate) fn openapi(&self, parts: &[&str]) -> Option<Value> {
        match parts {
            ["v2"] => Some(self.version_2()),
            ["v3"] => Some(self.index()),
            ["v3", "api", "v1"] => self.version_3("", "v1"),
            ["v3", "apis", group, version] => self.version_3(group, version),
            ["v3", rest @ ..] => {
                let path = rest.join("/");
                let is_known = self.documents().contains(&path);
                is_known.then(|| frame(Value::empty_map(), Value::empty_map()))
            }
            _ => None,
        }
    }

    /// The documents of version 3 by their paths.
    fn documents(&self) -> Vec<String> {
        let mut paths: Vec<String> = [
            ".well-known/openid-configuration",
            "api",
            "api/v1",
            "apis",
            "openid/v1/jwks",
            "version",
        ]
        .map(str::to_owned)
        .into();
        for (group, versions) in self.served_groups() {
            paths.push(format!("apis/{group}"));
            paths.extend(versions.iter().map(|v| format!("apis/{group}/{v}")));
        }
        paths
    }

    fn index(&self) -> Value {
        let mut paths = Value::empty_map();
        for path in self.documents() {
            // It changes whenever the document does: with the program, and with the definitions of custom resources.
            let mut said = format!("{} {path}", api::KUBERNETES_VERSION);
            for kind in self.custom_kinds() {
                if path == format!("apis/{}/{}", kind.group, kind.version) {
                    let definition = self.definition(kind);
                    said += definition.map_or("", |d| d.get("metadata").str("resourceVersion"));
                }
            }
            let hash: String = Sha256::digest(said.as_bytes())
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect();
            let url = format!("/openapi/v3/{path}?hash={hash}");
            paths.set(path, map! { "serverRelativeURL": url });
        }
        map! { "paths": paths }
    }

    fn version_3(&self, group: &str, version: &str) -> Option<Value> {
        let kinds = self.kinds_of_version(group, version);
        if kinds.is_empty() {
            return None;
        }
        let mut schemas = Schemas::new("#/components/schemas/", self.texts());
        let mut custom = Value::empty_map();
        let mut all = Value::empty_map();
        for kind in kinds {
            self.describe(kind, &mut schemas, &mut custom);
            paths::of_kind(kind, &mut schemas, &mut all, true);
        }
        let mut definitions = schemas.definitions();
        for (name, definition) in custom.entries().iter() {
            definitions.set(name.clone(), definition.clone());
        }
        Some(frame(all, definitions))
    }

    fn version_2(&self) -> Value {
        let mut schemas = Schemas::new("#/definitions/", self.texts());
        let mut custom = Value::empty_map();
        let mut all = Value::empty_map();
        let built_in = kinds::all()
            .iter()
            .filter(|kind| kind.group != *kinds::METRICS_GROUP || self.serves_metrics());
        for kind in built_in.chain(self.custom_kinds().map(|kind| &**kind)) {
            self.describe(kind, &mut schemas, &mut custom);
            paths::of_kind(kind, &mut schemas, &mut all, false);
        }
        let mut definitions = schemas.definitions();
        for (name, definition) in custom.entries().iter() {
            definitions.set(name.clone(), definition.clone());
        }
        map! {
            "swagger": "2.0", "info": info(), "paths": all, "definitions": definitions,
            "securityDefinitions": map! {
                "BearerToken": map! { "type": "apiKey", "name": "authorization", "in": "header" },
            },
        }
    }

    fn texts(&self) -> &dyn Texts {
        match &self.field_texts {
            Some(texts) => &**texts,
            None => &Silent,
        }
    }

    /// Refers to the type of a kind; custom ones are defined in `custom`.
    fn describe(&self, kind: &Kind, schemas: &mut Schemas, custom: &mut Value) {
        if let Some(of) = schemas::type_of(kind) {
            schemas.refer(of);
            return;
        }
        let name = custom_name(kind);
        let version = self.version_of(kind);
        let schema = version.map(|version| version.path("schema.openAPIV3Schema").clone());
        let mut schema = schema.filter(Value::is_map).unwrap_or_default();
        schema.set("type", "object");
        let meta = api::schema::named("ObjectMeta").map(|of| schemas.refer(of));
        let text = || map! { "type": "string" };
        let properties = schema.entry("properties");
        properties.set("apiVersion", text());
        properties.set("kind", text());
        properties.set("metadata", meta.unwrap_or_default());
        let row = schemas::group_version_kind(&kind.group, &kind.version, &kind.kind);
        schema.set("x-kubernetes-group-version-kind", api::list![row]);
        custom.set(name, schema);
    }
}

/// `com.example.sea.v1.Boat`: the group backwards, the version, the kind.
fn custom_name(kind: &Kind) -> String {
    let mut parts: Vec<&str> = kind.group.split('.').rev().collect();
    parts.push(&kind.version);
    parts.push(&kind.kind);
    parts.join(".")
}

fn info() -> Value {
    map! { "title": "Kubernetes", "version": api::KUBERNETES_VERSION }
}

fn frame(paths: Value, schemas: Value) -> Value {
    map! {
        "openapi": "3.0.0", "info": info(), "paths": paths,
        "components": map! {
            "schemas": schemas,
            "securitySchemes": map! {
                "BearerToken": map! { "type": "apiKey", "name": "authorization", "in": "header" },
            },
        },
    }
}

/// Where the type of a kind is defined.
fn schema_name(kind: &Kind) -> Str {
    match schemas::type_of(kind) {
        Some(of) => schemas::full_name(of.name()).into(),
        None => custom_name(kind).into(),
    }
}
