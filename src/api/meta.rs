//! `metav1`: object metadata, owner references and conditions.

use crate::{Map, Str, Value, map};

crate::view! {
    /// `metav1.ObjectMeta`.
    Meta = "ObjectMeta" {
        name: str = name;
        shared_name: shared = name;
        generate_name: str = generateName;
        namespace: str = namespace;
        shared_namespace: shared = namespace;
        uid: str = uid;
        shared_uid: shared = uid;
        resource_version: str = resourceVersion;
        generation: int = generation;
        creation_time: time = creationTimestamp;
        deletion_time: time = deletionTimestamp;
        deletion_grace_secs: int = deletionGracePeriodSeconds;
        labels: map = labels;
        annotations: map = annotations;
        owners: views Owner = ownerReferences;
        finalizers: items = finalizers;
    }

    /// `metav1.OwnerReference`.
    Owner = "OwnerReference" {
        api_version: str = apiVersion;
        kind: str = kind;
        name: str = name;
        uid: str = uid;
        is_controller: bool = controller;
        blocks_owner_deletion: bool = blockOwnerDeletion;
    }

    /// A condition of any kind: all share these fields.
    Condition = "Condition" {
        kind: str = type;
        status: str = status;
        reason: str = reason;
        message: str = message;
        transition_time: time = lastTransitionTime;
    }
}

impl<'a> Meta<'a> {
    /// The metadata of an object.
    pub fn of(object: &'a Value) -> Meta<'a> {
        Meta(object.get("metadata"))
    }

    pub fn is_deleting(self) -> bool {
        self.0.has("deletionTimestamp")
    }

    pub fn label(self, key: &str) -> Option<&'a str> {
        self.labels().get(key)?.as_str()
    }

    pub fn annotation(self, key: &str) -> Option<&'a str> {
        self.annotations().get(key)?.as_str()
    }

    /// The owner that manages this object, if any.
    pub fn controller(self) -> Option<Owner<'a>> {
        self.owners().find(|owner| owner.is_controller())
    }

    pub fn has_finalizer(self, name: &str) -> bool {
        self.finalizers().iter().any(|f| f.as_str() == Some(name))
    }

    /// `namespace/name`, or `name` where there is no namespace.
    pub fn key(self) -> String {
        if self.namespace().is_empty() {
            self.name().to_owned()
        } else {
            format!("{}/{}", self.namespace(), self.name())
        }
    }
}

/// The condition of type `kind` in `status.conditions`.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    object
        .path("status.conditions")
        .items()
        .iter()
        .map(Condition)
        .find(|c| c.kind() == kind)
}

/// Whether the condition of type `kind` is `True`.
pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|c| c.status() == "True")
}

/// A reference by which `owner` controls an object (`metav1.NewControllerRef`).
pub fn controller_reference(
    owner: &Value,
    api_version: impl Into<Str>,
    kind: impl Into<Str>,
) -> Value {
    let meta = owner.get("metadata");
    map! {
        "apiVersion": api_version.into(), "kind": kind.into(), "name": meta.get("name"), "uid": meta.get("uid"),
        "controller": true, "blockOwnerDeletion": true,
    }
}

/// Labels as `k=v,k2=v2`, sorted; empty if there are none.
pub fn labels_text(labels: &Map) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    pairs.join(",")
}
