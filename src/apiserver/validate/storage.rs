//! Volumes, claims, storage classes.

use api::Value;

use super::{Problems, immutable};
use crate::path::Path;

const ACCESS_MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];

pub(crate) fn claim(object: &Value, out: &mut Problems) {
    claim_spec(object.get("spec"), &Path::new("spec"), out);
}

pub(crate) fn claim_spec(spec: &Value, path: &Path, out: &mut Problems) {
    access_modes(spec, path, out);
    let storage = spec.path("resources.requests.storage");
    if storage.is_null() {
        let resources = path.child("resources");
        out.push(resources.key("storage").required(""));
    }
}

fn access_modes(spec: &Value, path: &Path, out: &mut Problems) {
    let modes = spec.get("accessModes").items();
    let path = path.child("accessModes");
    if modes.is_empty() {
        out.push(path.required("at least 1 access mode is required"));
    }
    for mode in modes {
        if !ACCESS_MODES.contains(&mode.as_str().unwrap_or_default()) {
            out.push(path.not_supported(mode, &ACCESS_MODES));
        }
    }
}

pub(crate) fn claim_update(new: &Value, old: &Value, out: &mut Problems) {
    claim(new, out);
    let path = Path::new("spec");
    let fixed = |spec: &Value| {
        let mut fixed = spec.entries().clone();
        fixed.retain(|field, _| {
            !matches!(
                field,
                "resources" | "volumeAttributesClassName" | "volumeName"
            )
        });
        fixed
    };
    if fixed(new.get("spec")) != fixed(old.get("spec")) {
        out.push(path.forbidden("spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
    }
}

pub(crate) fn volume(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    if spec.get("accessModes").items().is_empty() {
        out.push(path.child("accessModes").required(""));
    }
    if spec.get("capacity").is_empty() {
        out.push(path.child("capacity").required(""));
    }
}

pub(crate) fn class(object: &Value, out: &mut Problems) {
    if object.str("provisioner").is_empty() {
        out.push(Path::new("provisioner").required(""));
    }
    let _ = immutable;
}
