//! The types of an OpenAPI document: definitions from the schema table, for version 2 and 3 alike.
//!
//! Field texts are not in the table; they come from [`Texts`] where somebody loaded them.

use std::collections::BTreeSet;

use api::kinds::{self, Kind};
use api::schema::{self, Field, ListKind, Shape, Type};
use api::{Value, list, map};

/// Texts of types and fields: `v1.Pod` and `v1.Pod.spec`.
pub(crate) trait Texts {
    fn of_type(&self, of: &str) -> Option<&str>;
    fn of_field(&self, of: &str, field: &str) -> Option<&str>;
}

/// A document under construction: where its definitions stand, and which are asked for.
pub(crate) struct Schemas<'a> {
    /// `#/definitions/` or `#/components/schemas/`.
    pub(crate) prefix: &'static str,
    pub(crate) texts: &'a dyn Texts,
    wanted: BTreeSet<Type>,
    /// Types without fields (`Time`, `Quantity`), by what they are called.
    simple: BTreeSet<&'static str>,
}

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const FIELDS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
const JSON: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";
const SCHEMA_OR_BOOL: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool";
const SCHEMA_OR_ARRAY: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray";
const SCHEMA_OR_TEXTS: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray";
const RAW: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

impl<'a> Schemas<'a> {
    pub(crate) fn new(prefix: &'static str, texts: &'a dyn Texts) -> Schemas<'a> {
        Schemas {
            prefix,
            texts,
            wanted: BTreeSet::new(),
            simple: BTreeSet::new(),
        }
    }

    fn is_v3(&self) -> bool {
        self.prefix != "#/definitions/"
    }

    /// A reference to the type of that name in the table, which the document then defines.
    pub(crate) fn refer(&mut self, of: Type) -> Value {
        if self.wanted.insert(of) {
            for field in of.fields() {
                self.visit(field.shape, any_name(of, field));
            }
        }
        map! { "$ref": format!("{}{}", self.prefix, full_name(of.name())) }
    }

    /// `any` is what values of any shape are called here.
    fn visit(&mut self, shape: Shape, any: &'static str) {
        match shape {
            Shape::Object(of) => {
                self.refer(of);
            }
            Shape::List(_) | Shape::Map(_) => self.visit(shape.inner(), any),
            Shape::Time => drop(self.simple.insert(TIME)),
            Shape::MicroTime => drop(self.simple.insert(MICRO_TIME)),
            Shape::Quantity => drop(self.simple.insert(QUANTITY)),
            Shape::IntOrString => drop(self.simple.insert(INT_OR_STRING)),
            Shape::Any => drop(self.simple.insert(any)),
            _ => {}
        }
    }

    /// Everything that was referred to, with what that refers to.
    pub(crate) fn definitions(&self) -> Value {
        let mut all = Value::empty_map();
        for of in &self.wanted {
            all.set(full_name(of.name()), self.definition(*of));
        }
        for name in &self.simple {
            let definition = match *name {
                TIME | MICRO_TIME => map! { "type": "string", "format": "date-time" },
                INT_OR_STRING if self.is_v3() => {
                    map! { "oneOf": list![map! { "type": "integer" }, map! { "type": "string" }], "format": "int-or-string" }
                }
                INT_OR_STRING => map! { "type": "string", "format": "int-or-string" },
                QUANTITY if self.is_v3() => {
                    map! { "oneOf": list![map! { "type": "string" }, map! { "type": "number" }] }
                }
                QUANTITY => map! { "type": "string" },
                RAW | FIELDS => map! { "type": "object" },
                _ => map! {},
            };
            all.set(*name, definition);
        }
        all
    }

    fn definition(&self, of: Type) -> Value {
        let mut definition = map! { "type": "object" };
        if let Some(text) = self.texts.of_type(of.name()) {
            definition.set("description", text.to_owned());
        }
        let mut properties = Value::empty_map();
        let mut required: Vec<Value> = Vec::new();
        for field in of.fields() {
            properties.set(field.name, self.property(of, field));
            if field.is_required {
                required.push(field.name.into());
            }
        }
        if !properties.is_empty() {
            definition.set("properties", properties);
        }
        if !required.is_empty() {
            definition.set("required", required);
        }
        if of.is_atomic() {
            definition.set("x-kubernetes-map-type", "atomic");
        }
        let kinds = kinds_of(of);
        if !kinds.is_empty() {
            definition.set("x-kubernetes-group-version-kind", kinds);
        }
        definition
    }

    fn property(&self, of: Type, field: &Field) -> Value {
        let mut property = self.shape(field.shape, any_name(of, field));
        let text = self.texts.of_field(of.name(), field.name);
        // In version 3 nothing may stand beside a reference.
        let is_reference = property.has("$ref");
        if is_reference && self.is_v3() && text.is_some() {
            property = map! { "allOf": list![property] };
        }
        if let Some(text) = text {
            property.set("description", text.to_owned());
        }
        let is_list = matches!(field.shape, Shape::List(_));
        let sort = match field.list {
            _ if !is_list => "",
            ListKind::Map => "map",
            ListKind::Set => "set",
            ListKind::Atomic if field.is_atomic => "atomic",
            ListKind::Atomic => "",
        };
        if !sort.is_empty() {
            property.set("x-kubernetes-list-type", sort);
        }
        if !field.keys.is_empty() {
            let keys: Vec<Value> = field.keys.iter().map(|key| (*key).into()).collect();
            property.set("x-kubernetes-list-map-keys", keys);
        }
        if field.is_atomic && !is_list {
            property.set("x-kubernetes-map-type", "atomic");
        }
        let patch = field.patch;
        if !patch.merge_key.is_empty() {
            property.set("x-kubernetes-patch-merge-key", patch.merge_key);
        }
        let strategies: Vec<&str> = [
            (patch.is_merge, "merge"),
            (patch.retains_keys, "retainKeys"),
            (patch.is_replace, "replace"),
        ]
        .iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, name)| *name)
        .collect();
        if !strategies.is_empty() {
            property.set("x-kubernetes-patch-strategy", strategies.join(","));
        }
        property
    }

    fn shape(&self, shape: Shape, any: &'static str) -> Value {
        let refer = |name: &str| map! { "$ref": format!("{}{name}", self.prefix) };
        match shape {
            Shape::Str => map! { "type": "string" },
            Shape::Int32 => map! { "type": "integer", "format": "int32" },
            Shape::Int64 => map! { "type": "integer", "format": "int64" },
            Shape::Bool => map! { "type": "boolean" },
            Shape::Float => map! { "type": "number", "format": "double" },
            Shape::Bytes => map! { "type": "string", "format": "byte" },
            Shape::Time => refer(TIME),
            Shape::MicroTime => refer(MICRO_TIME),
            Shape::Quantity => refer(QUANTITY),
            Shape::IntOrString => refer(INT_OR_STRING),
            Shape::Any => refer(any),
            Shape::Object(of) => refer(&full_name(of.name())),
            Shape::List(_) => map! { "type": "array", "items": self.shape(shape.inner(), any) },
            Shape::Map(_) => {
                map! { "type": "object", "additionalProperties": self.shape(shape.inner(), any) }
            }
        }
    }
}

/// What a field is called that may hold anything.
fn any_name(of: Type, field: &Field) -> &'static str {
    match (of.short_name(), field.name) {
        ("ManagedFieldsEntry", _) => FIELDS,
        ("JSONSchemaProps", "additionalItems" | "additionalProperties") => SCHEMA_OR_BOOL,
        ("JSONSchemaProps", "items") => SCHEMA_OR_ARRAY,
        ("JSONSchemaProps", "dependencies") => SCHEMA_OR_TEXTS,
        ("JSONSchemaProps", _) => JSON,
        _ => RAW,
    }
}

/// The name in the documents: `io.k8s.api.apps.v1.Deployment`.
pub(crate) fn full_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [name] => format!("{META}.{name}"),
        [version, name] => format!("io.k8s.api.core.{version}.{name}"),
        ["apiextensions", version, name] => {
            format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{name}")
        }
        ["apiregistration", version, name] => {
            format!("io.k8s.kube-aggregator.pkg.apis.apiregistration.{version}.{name}")
        }
        ["metrics", version, name] => format!("io.k8s.metrics.pkg.apis.metrics.{version}.{name}"),
        _ => format!("io.k8s.api.{name}"),
    }
}

/// Which kinds a type is the type of.
fn kinds_of(of: Type) -> Vec<Value> {
    let mut found = Vec::new();
    for kind in kinds::all() {
        let subs = kind
            .subresources
            .iter()
            .filter(|sub| !sub.version.is_empty());
        let own = (&kind.group, &kind.version, &kind.kind);
        let rows =
            std::iter::once(own).chain(subs.map(|sub| (&sub.group, &sub.version, &sub.kind)));
        for (group, version, name) in rows {
            let list = format!("{name}List");
            for name in [name.as_str(), &list] {
                let row = group_version_kind(group, version, name);
                if of.short_name() == name
                    && schema::of_kind(group, version, name) == Some(of)
                    && !found.contains(&row)
                {
                    found.push(row);
                }
            }
        }
    }
    if matches!(of.name(), "DeleteOptions" | "WatchEvent") {
        for (group, versions) in kinds::groups() {
            for version in versions {
                found.push(group_version_kind(&group, &version, of.name()));
            }
        }
    } else if matches!(
        of.name(),
        "Status" | "APIGroup" | "APIGroupList" | "APIResourceList" | "APIVersions"
    ) {
        found.push(group_version_kind("", "v1", of.name()));
    }
    found
}

pub(crate) fn group_version_kind(group: &str, version: &str, kind: &str) -> Value {
    map! { "group": group.to_owned(), "version": version.to_owned(), "kind": kind.to_owned() }
}

/// The type of a kind, if the table has it.
pub(crate) fn type_of(kind: &Kind) -> Option<Type> {
    schema::of_kind(&kind.group, &kind.version, &kind.kind)
}
