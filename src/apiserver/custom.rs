//! Custom resources: kinds that users add by a CustomResourceDefinition.
//!
//! A definition becomes rows like the built-in kinds' (one per served version); the objects are handled by the same
//! code as every other. Models `apiextensions-apiserver`'s resource handler and its establishing controllers.

use std::sync::Arc;

use api::kinds::{Kind, Subresource, Verbs};
use api::patch::apply::{self, Manager};
use api::{Resource, Status, Str, Value, map};
use store::Key;

use crate::call::{Call, KindRef};
use crate::path::Path;
use crate::validate::Problems;
use crate::{ApiServer, decode, structural};

/// Holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

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
        let before = definition.clone();
        let condition = |kind: &'static str, reason: &'static str, message: &'static str| {
            map! {
                "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now.clone(),
            }
        };
        let mut conditions = vec![
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition(
                "Established",
                "InitialNamesAccepted",
                "the initial names have been accepted",
            ),
        ];
        conditions.extend(api::meta::condition(definition, "Terminating").map(|c| c.0.clone()));
        let names = definition.path("spec.names").clone();
        definition.set(
            "status",
            map! { "acceptedNames": names, "conditions": conditions, "storedVersions": stored_versions(definition) },
        );
        self.track_own(&before, definition);
    }

    /// Notes in the managed fields that the server itself wrote a definition's status.
    fn track_own(&self, before: &Value, definition: &mut Value) {
        let of = api::schema::of_kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        apply::track(
            of,
            before,
            definition,
            &Manager {
                name: "kube-apiserver",
                api_version: "apiextensions.k8s.io/v1",
                subresource: "status",
                time: Some(self.now),
                ignores: &["spec"],
            },
        );
    }

    /// A definition that is deleted stays until its objects are gone.
    pub(crate) fn begin_removal(&mut self, call: &Call, mut object: Value) -> Value {
        let meta = object.entry("metadata");
        meta.set("deletionTimestamp", call.now.rfc3339());
        meta.entry("finalizers").list_mut().push(CLEANUP.into());
        let condition = map! {
            "type": "Terminating", "status": "True", "lastTransitionTime": call.now.rfc3339(),
            "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        };
        object
            .at_mut(&["status", "conditions"])
            .list_mut()
            .push(condition);
        if call.is_dry_run() {
            return object;
        }
        self.commit(call, object)
    }

    /// Deletes what is left of a definition that goes, and then the definition.
    pub(crate) fn finish_removal(&mut self, name: &Str) {
        let Some(definition) = self.object(DEFINITIONS, &Str::EMPTY, name).cloned() else {
            return;
        };
        if !definition.get("metadata").has("deletionTimestamp") {
            return;
        }
        let Some(collection) = self.store.find(name) else {
            self.drop_definition(name, definition);
            return;
        };
        let plural = definition.path("spec.names").shared_str("plural");
        let doomed: Vec<(Key, Value)> = self
            .store
            .list(collection, "", None)
            .map(|(key, entry)| (key.clone(), entry.object.clone()))
            .collect();
        let mut is_empty = true;
        for (key, mut object) in doomed {
            if object.path("metadata.finalizers").items().is_empty() {
                self.remove(collection, plural.clone(), &key);
                continue;
            }
            is_empty = false;
            if !object.get("metadata").has("deletionTimestamp") {
                let meta = object.entry("metadata");
                meta.set("deletionTimestamp", self.now.rfc3339());
                meta.set("deletionGracePeriodSeconds", 0);
                self.commit_to(collection, plural.clone(), object);
            }
        }
        if is_empty {
            self.drop_definition(name, definition);
        }
    }

    /// The last object of a definition that goes takes the definition with it.
    pub(crate) fn after_removal(&mut self, call: &Call) {
        if let KindRef::Custom(kind) = &call.kind {
            let name = Str::from(format!("{}.{}", kind.plural, kind.group));
            self.finish_removal(&name);
        }
    }

    /// Removes a definition that has no objects any more, unless somebody else holds it.
    fn drop_definition(&mut self, name: &Str, mut definition: Value) {
        let collection = self.store.collection(DEFINITIONS);
        let plural: Str = "customresourcedefinitions".into();
        let finalizers = definition.entry("metadata").entry("finalizers").list_mut();
        finalizers.retain(|finalizer| finalizer.as_str() != Some(CLEANUP));
        if finalizers.is_empty() {
            self.remove(collection, plural, &Key::new(Str::EMPTY, name));
        } else {
            self.commit_to(collection, plural, definition);
        }
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
        let unknown = unknown.iter().map(|path| format!("unknown field {path:?}"));
        let problems = decode::in_order(unknown.collect(), &call.options.fields_sent);
        if !problems.is_empty() {
            match call.options.field_validation.as_str() {
                "Ignore" => {}
                "Strict" => return Err(structural::strict(&kind, &problems)),
                _ => {
                    for problem in problems {
                        call.warn(problem);
                    }
                }
            }
        }
        structural::fill_defaults(object, &schema);
        Ok(())
    }

    pub(crate) fn validate_custom(
        &self,
        call: &Call,
        object: &Value,
        old: Option<&Value>,
        out: &mut Problems,
    ) {
        if let KindRef::Custom(kind) = &call.kind
            && let Some(version) = self.version_of(kind)
        {
            let schema = version.path("schema.openAPIV3Schema");
            structural::validate(object, old, schema, out, &|out| {
                check_scale(version.path("subresources.scale"), object, out);
            });
        }
    }

    /// The number of replicas and what selects them, where the definition says that they stand.
    pub(crate) fn scale_paths(&self, call: &Call) -> Option<Value> {
        let version = self.version_of(&call.kind)?;
        let scale = version.path("subresources.scale");
        (!scale.is_null()).then(|| scale.clone())
    }
}

/// The number of replicas must be one, where a definition says that it stands.
fn check_scale(scale: &Value, object: &Value, out: &mut Problems) {
    let path = scale.str("specReplicasPath");
    let found = structural::follow(object, path);
    if path.is_empty() || found.is_null() {
        return;
    }
    let mut problem = |value: i64, why: &str| {
        let mut problem = Path::new("spec").invalid(value, why);
        problem.field = path.to_owned();
        out.push(problem);
    };
    match found {
        Value::Int(n) if *n < 0 => problem(*n, "should be a non-negative integer"),
        Value::Int(n) if *n > i64::from(i32::MAX) => {
            problem(*n, &format!("should be less than or equal to {}", i32::MAX));
        }
        Value::Int(_) => {}
        other => {
            let kind = match other {
                Value::Str(_) => "string",
                Value::Bool(_) => "bool",
                Value::Float(_) => "float64",
                Value::List(_) => "[]interface {}",
                _ => "map[string]interface {}",
            };
            let shown = other
                .as_str()
                .map_or_else(|| other.to_json(), str::to_owned);
            let why =
                format!("{path} accessor error: {shown} is of the type {kind}, expected int64");
            problem(0, &why);
        }
    }
}

/// The names of the versions in which objects are stored.
pub(crate) fn stored_versions(definition: &Value) -> Vec<Value> {
    let versions = definition.path("spec.versions").items().iter();
    let storing = versions.filter(|version| version.bool("storage"));
    storing.map(|version| version.get("name").clone()).collect()
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
            selectable: version
                .get("selectableFields")
                .items()
                .iter()
                .map(|field| Str::new(field.str("jsonPath").trim_start_matches('.')))
                .collect(),
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
