//! Pods and pod templates (`pkg/apis/core/validation`).

use api::Value;

use super::{Problems, labels, names, numbers};
use crate::path::Path;

pub(crate) fn on_create(object: &Value, out: &mut Problems) {
    spec(object.get("spec"), &Path::new("spec"), out);
}

pub(crate) fn on_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec") == old.get("spec") {
        return;
    }
    on_create(new, out);
}

/// A template: the labels and annotations of its metadata, and its spec.
pub(crate) fn template(template: &Value, path: &Path, out: &mut Problems) {
    let (meta, meta_path) = (template.get("metadata"), path.child("metadata"));
    labels::labels(meta.get("labels").entries(), &path.child("labels"), out);
    labels::annotations(
        meta.get("annotations").entries(),
        &path.child("annotations"),
        out,
    );
    let _ = meta_path;
    spec(template.get("spec"), &path.child("spec"), out);
}

pub(crate) fn spec(spec: &Value, path: &Path, out: &mut Problems) {
    let containers = spec.get("containers").items();
    let containers_path = path.child("containers");
    if containers.is_empty() {
        out.push(containers_path.required(""));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (at, container) in containers.iter().enumerate() {
        container_of(container, &containers_path.index(at), &mut seen, out);
    }
    let inits_path = path.child("initContainers");
    for (at, container) in spec.get("initContainers").items().iter().enumerate() {
        container_of(container, &inits_path.index(at), &mut seen, out);
    }
    let policy = spec.str("restartPolicy");
    if policy.is_empty() {
        out.push(path.child("restartPolicy").required(""));
    } else if !matches!(policy, "Always" | "OnFailure" | "Never") {
        out.push(
            path.child("restartPolicy")
                .not_supported(spec.get("restartPolicy"), &["Always", "OnFailure", "Never"]),
        );
    }
    numbers::not_negative(
        spec.get("terminationGracePeriodSeconds"),
        &path.child("terminationGracePeriodSeconds"),
        out,
    );
}

fn container_of<'a>(
    container: &'a Value,
    path: &Path,
    seen: &mut Vec<&'a str>,
    out: &mut Problems,
) {
    let name = container.str("name");
    let name_path = path.child("name");
    if name.is_empty() {
        out.push(name_path.required(""));
    } else {
        for message in names::label(name) {
            out.push(name_path.invalid(container.get("name"), &message));
        }
        if seen.contains(&name) {
            out.push(name_path.duplicate(container.get("name")));
        }
        seen.push(name);
    }
    if container.str("image").is_empty() {
        out.push(path.child("image").required(""));
    }
}
