//! Custom resources: kinds that users add by a CustomResourceDefinition.
//!
//! A definition becomes rows like the built-in kinds' (one per served version); the objects are handled by the same
//! code as every other. Models `apiextensions-apiserver`'s resource handler and its establishing controllers.

use std::sync::Arc;

use api::kinds::{Kind, Subresource, Verbs};
use api::{Resource, Status, Str, Value, list, map};

use crate::ApiServer;
use crate::call::{Call, KindRef};
use crate::structural;
use crate::validate::Problems;

/// The collection of the definitions themselves.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

impl ApiServer {
    /// The custom kind that is served under a resource.
    pub(crate) fn custom_kind(&self, resource: &Resource) -> Option<KindRef> {
        let found = self.customs.get(&resource.group_resource())?;
        let row = found.iter().find(|kind| kind.version == resource.version)?;
        Some(KindRef::Custom(row.clone()))
    }

    /// All custom kinds, by group and plural.
    pub(crate) fn custom_kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.customs.values().flatten()
    }

    /// The definition behind a custom kind.
    pub(crate) fn definition(&self, kind: &Kind) -> Option<&Value> {
        let name = Str::from(format!("{}.{}", kind.plural, kind.group));
        self.object(DEFINITIONS, &Str::EMPTY, &name)
    }

    /// The version's entry in the definition.
    pub(crate) fn version_of(&self, kind: &Kind) -> Option<&Value> {
        let versions = self.definition(kind)?.path("spec.versions").items();
        versions
            .iter()
            .find(|version| version.str("name") == kind.version.as_str())
    }

    /// Keeps the served kinds up with the definitions, after one was written or removed.
    pub(crate) fn learn_definition(&mut self, name: &Str) {
        let rows = match self.object(DEFINITIONS, &Str::EMPTY, name) {
            Some(definition) => rows(definition),
            None => Vec::new(),
        };
        if rows.is_empty() {
            self.customs.remove(name.as_str());
        } else {
            self.customs.insert(name.to_string(), rows);
        }
    }

    /// A definition is accepted at once: its names are free unless another kind has them.
    pub(crate) fn establish(&self, definition: &mut Value) {
        // What was accepted stays so, with the time at which it was.
        let since =
            api::meta::condition(definition, "Established").and_then(|c| c.transition_time());
        let now = since.unwrap_or(self.now).rfc3339();
        let condition = |kind: &'static str, reason: &'static str, message: &'static str| {
            map! {
                "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now.clone(),
            }
        };
        let conditions = list![
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition(
                "Established",
                "InitialNamesAccepted",
                "the initial names have been accepted"
            ),
        ];
        let stored: Vec<Value> = definition
            .path("spec.versions")
            .items()
            .iter()
            .filter(|version| version.bool("storage"))
            .map(|version| version.get("name").clone())
            .collect();
        let names = definition.path("spec.names").clone();
        definition.set(
            "status",
            map! { "acceptedNames": names, "conditions": conditions, "storedVersions": stored },
        );
    }

    /// Removes every object of a definition that goes.
    pub(crate) fn forget_customs(&mut self, definition: &Value) {
        let spec = definition.get("spec");
        let plural = spec
            .path("names.plural")
            .as_shared_str()
            .cloned()
            .unwrap_or_default();
        let name = format!("{plural}.{}", spec.str("group"));
        let Some(collection) = self.store.find(&name) else {
            return;
        };
        let keys: Vec<_> = self
            .store
            .list(collection, "", None)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.remove(collection, plural.clone(), &key);
        }
    }

    /// Prunes a custom object and fills in its defaults, as the caller's field validation says.
    pub(crate) fn shape_custom(&self, call: &mut Call, object: &mut Value) -> Result<(), Status> {
        let KindRef::Custom(kind) = call.kind.clone() else {
            return Ok(());
        };
        let Some(version) = self.version_of(&kind) else {
            return Ok(());
        };
        let schema = version.path("schema.openAPIV3Schema").clone();
        let unknown = structural::prune(object, &schema);
        if !unknown.is_empty() {
            match call.options.field_validation.as_str() {
                "Ignore" => {}
                "Strict" => return Err(structural::strict(&kind, &unknown)),
                _ => {
                    for path in unknown {
                        call.warn(format!("unknown field {path:?}"));
                    }
                }
            }
        }
        structural::fill_defaults(object, &schema);
        Ok(())
    }

    pub(crate) fn validate_custom(&self, call: &Call, object: &Value, out: &mut Problems) {
        if let KindRef::Custom(kind) = &call.kind
            && let Some(version) = self.version_of(kind)
        {
            structural::validate(object, version.path("schema.openAPIV3Schema"), out);
        }
    }

    /// The number of replicas and what selects them, where the definition says that they stand.
    pub(crate) fn scale_paths(&self, call: &Call) -> Option<Value> {
        let version = self.version_of(&call.kind)?;
        let scale = version.path("subresources.scale");
        (!scale.is_null()).then(|| scale.clone())
    }
}

/// The rows of a definition, one per served version.
fn rows(definition: &Value) -> Vec<Arc<Kind>> {
    let spec = definition.get("spec");
    let names = spec.get("names");
    let texts = |field: &str| -> Vec<Str> {
        let items = names.get(field).items().iter();
        items.filter_map(Value::as_shared_str).cloned().collect()
    };
    let mut rows = Vec::new();
    for version in spec.get("versions").items() {
        if !version.bool("served") {
            continue;
        }
        let mut subresources = Vec::new();
        let has = |name: &str| !version.get("subresources").get(name).is_null();
        if has("status") {
            let kind = names.shared_str("kind");
            subresources.push(Subresource {
                kind,
                ..subresource("status", "", "", "")
            });
        }
        if has("scale") {
            subresources.push(subresource("scale", "autoscaling", "v1", "Scale"));
        }
        rows.push(Arc::new(Kind {
            group: spec.shared_str("group"),
            version: version.shared_str("name"),
            kind: names.shared_str("kind"),
            plural: names.shared_str("plural"),
            singular: names.shared_str("singular"),
            namespaced: spec.str("scope") != "Cluster",
            verbs: Verbs::ALL,
            short_names: texts("shortNames"),
            categories: texts("categories"),
            subresources,
        }));
    }
    rows
}

fn subresource(
    name: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
) -> Subresource {
    let pods = api::kinds::by_resource("apps", "deployments").expect("a built-in kind");
    let like = pods
        .subresource("status")
        .expect("deployments have a status");
    Subresource {
        name: name.into(),
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        verbs: like.verbs,
    }
}
