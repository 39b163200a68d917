//! Which collections there are: the built-in ones and those of custom resource definitions.
//!
//! Stands where the real ones ask discovery.

use api::{Resource, Str, Value, kinds};
use client::Informers;

pub(crate) const DEFINITIONS: Resource =
    Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions");

/// Every built-in collection whose objects can be watched and deleted, each once, without events.
pub(crate) fn collectable() -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    for kind in kinds::all() {
        let is_known = found
            .iter()
            .any(|r| r.group == kind.group && r.plural == kind.plural);
        let can = |verb| kind.verbs.has(verb);
        if !is_known
            && kind.plural != "events"
            && kind.group != kinds::METRICS_GROUP
            && can("list")
            && can("watch")
            && can("delete")
        {
            found.push(kind.resource());
        }
    }
    found
}

/// The collection of an owner reference's kind, and whether it is namespaced.
pub(crate) fn by_api_version(
    caches: &Informers,
    api_version: &str,
    kind: &str,
) -> Option<(Resource, bool)> {
    if let Some(kind) = kinds::by_api_version(api_version, kind) {
        return Some((kind.resource(), kind.namespaced));
    }
    let (group, version) = kinds::split_api_version(api_version);
    let definition = caches.cache(&DEFINITIONS).all().find(|definition| {
        let spec = definition.get("spec");
        spec.str("group") == group
            && spec.get("names").str("kind") == kind
            && versions(definition).any(|v| v == version)
    })?;
    let spec = definition.get("spec");
    let resource = Resource {
        group: spec.shared_str("group"),
        version: Str::new(version),
        plural: spec.get("names").shared_str("plural"),
    };
    Some((resource, spec.str("scope") == "Namespaced"))
}

/// Whether objects of this collection live in namespaces.
pub(crate) fn is_namespaced(caches: &Informers, resource: &Resource) -> bool {
    match kinds::of(resource) {
        Some(kind) => kind.namespaced,
        None => caches.cache(&DEFINITIONS).all().any(|definition| {
            let spec = definition.get("spec");
            spec.str("group") == &*resource.group
                && spec.get("names").str("plural") == &*resource.plural
                && spec.str("scope") == "Namespaced"
        }),
    }
}

/// The collection that a definition adds, once it is established.
pub(crate) fn defined(definition: &Value) -> Option<Resource> {
    if !api::meta::is_true(definition, "Established") {
        return None;
    }
    let spec = definition.get("spec");
    let storage = spec
        .get("versions")
        .items()
        .iter()
        .filter(|v| v.bool("served"));
    let version = storage
        .max_by_key(|v| v.bool("storage"))?
        .shared_str("name");
    Some(Resource {
        group: spec.shared_str("group"),
        version,
        plural: spec.get("names").shared_str("plural"),
    })
}

fn versions(definition: &Value) -> impl Iterator<Item = &str> {
    let versions = definition.path("spec.versions").items().iter();
    versions.filter(|v| v.bool("served")).map(|v| v.str("name"))
}
