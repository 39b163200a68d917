//! Names, ordinals and volumes: what makes a pod of a StatefulSet that one and no other.
//!
//! Models `stateful_set_utils.go`.

use api::meta::Meta;
use api::{Str, Value, map};

use super::{OWNER, REVISION_LABEL, revision_label};
use crate::history;
use crate::pods;

const NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// The ordinal of a pod, if its name is one of the set's.
pub(super) fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    let (parent, ordinal) = Meta::of(pod).name().rsplit_once('-')?;
    let is_number = !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit());
    (parent == Meta::of(set).name() && is_number)
        .then(|| ordinal.parse().ok())
        .flatten()
}

/// The claim of a template for one pod.
pub(super) fn claim_name(set: &Value, template: &Value, ordinal: i64) -> String {
    format!(
        "{}-{}-{ordinal}",
        Meta::of(template).name(),
        Meta::of(set).name()
    )
}

/// The pod of an ordinal, made of a revision's template.
pub(super) fn draft(set: &Value, revision: &Value, ordinal: i64) -> Value {
    let meta = Meta::of(set);
    let template = history::template(revision);
    let namespace = meta.shared_namespace();
    let prefix = format!("{}-", meta.name());
    let mut pod = pods::from_template(&template, &namespace, prefix, OWNER.reference(set));
    let name: Str = format!("{}-{ordinal}", meta.name()).into();
    pod.set_path("metadata.name", &name);
    pod.set_path("spec.hostname", &name);
    let service = set.path("spec.serviceName");
    if !service.is_empty() {
        pod.set_path("spec.subdomain", service);
    }
    let mut pod = fixed(set, &pod);
    let labels = pod.at_mut(&["metadata", "labels"]);
    labels.set(REVISION_LABEL, revision_label(revision));
    pod
}

/// The pod with the labels and volumes that it must have.
pub(super) fn fixed(set: &Value, pod: &Value) -> Value {
    let Some(ordinal) = ordinal(set, pod) else {
        return pod.clone();
    };
    let mut fixed = pod.clone();
    let name = Meta::of(pod).shared_name();
    let labels = Meta::of(pod).labels();
    let is_labelled = labels.get(NAME_LABEL).and_then(Value::as_str) == Some(&name)
        && labels.contains(INDEX_LABEL);
    if !is_labelled {
        let labels = fixed.at_mut(&["metadata", "labels"]);
        labels.set(NAME_LABEL, &name);
        labels.set(INDEX_LABEL, ordinal.to_string());
    }
    let templates = set.path("spec.volumeClaimTemplates").items();
    if templates.is_empty() {
        return fixed;
    }
    let wanted: Vec<Value> = templates
        .iter()
        .map(|template| {
            let claim = map! { "claimName": claim_name(set, template, ordinal) };
            map! { "name": Meta::of(template).shared_name(), "persistentVolumeClaim": claim }
        })
        .collect();
    let volumes = pod.path("spec.volumes").items();
    let has_all = wanted.iter().all(|w| {
        volumes.iter().any(|v| {
            v.str("name") == w.str("name")
                && v.path("persistentVolumeClaim.claimName")
                    == w.path("persistentVolumeClaim.claimName")
        })
    });
    if !has_all {
        let others = volumes
            .iter()
            .filter(|v| !wanted.iter().any(|w| w.str("name") == v.str("name")));
        let all: Vec<Value> = wanted.iter().chain(others).cloned().collect();
        fixed.set_path("spec.volumes", all);
    }
    fixed
}
