//! Fields by path: `spec/template/metadata/labels`, through every element of the lists on the way.

use api::{Str, Value};

/// Kinds with a pod template at `spec.template`.
pub(super) const TEMPLATED: [&str; 6] = [
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

/// Calls `change` for the value at every place that `path` leads to. With `create`, maps that are missing on the way
/// are made, and so is the field itself (`Null` at first); elements of lists are never made.
pub(super) fn at(value: &mut Value, path: &str, create: bool, change: &mut dyn FnMut(&mut Value)) {
    let (head, rest) = match path.split_once('/') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    // `metadata/annotations/a~1b`, as in JSON pointers.
    let head = head.replace("~1", "/");
    if value.as_list().is_some() {
        for element in value.list_mut() {
            at(element, path, create, change);
        }
        return;
    }
    if !(value.is_map() || create && value.is_null()) {
        return;
    }
    if !create && !value.has(&head) {
        return;
    }
    let field = value.entry(Str::new(&head));
    match rest {
        Some(rest) => at(field, rest, create, change),
        None if field
            .as_list()
            .is_some_and(|list| list.iter().any(|e| !e.is_map())) =>
        {
            for element in field.list_mut() {
                change(element);
            }
        }
        None => change(field),
    }
}

/// Where the pod's own fields stand in an object of this kind.
pub(super) fn pod_spec(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("spec"),
        "PodTemplate" => Some("template/spec"),
        "CronJob" => Some("spec/jobTemplate/spec/template/spec"),
        kind if TEMPLATED.contains(&kind) => Some("spec/template/spec"),
        _ => None,
    }
}

/// Where the metadata of an object's pods stand.
pub(super) fn template_metadata(kind: &str) -> &'static [&'static str] {
    match kind {
        "PodTemplate" => &["template/metadata"],
        "CronJob" => &[
            "spec/jobTemplate/metadata",
            "spec/jobTemplate/spec/template/metadata",
        ],
        "StatefulSet" => &["spec/template/metadata"],
        kind if TEMPLATED.contains(&kind) => &["spec/template/metadata"],
        _ => &[],
    }
}
