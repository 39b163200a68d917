//! Volumes, claims, storage classes (`ValidatePersistentVolume`, `…Claim`, `ValidateStorageClass`).

use api::Value;
use api::quantity::Quantity;

use super::{Problems, claim_diff, immutable};
use crate::path::Path;

const ACCESS_MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
const RECLAIM_POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];
const MODES: [&str; 2] = ["Block", "Filesystem"];

/// Sources of volumes, in the order in which they are looked at.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

pub(crate) fn claim(object: &Value, out: &mut Problems) {
    claim_spec(object.get("spec"), &Path::new("spec"), out);
}

pub(crate) fn claim_spec(spec: &Value, path: &Path, out: &mut Problems) {
    let modes = spec.get("accessModes").items();
    if modes.is_empty() {
        out.push(
            path.child("accessModes")
                .required("at least 1 access mode is required"),
        );
    }
    access_modes(modes, path, out);
    super::labels::selector(spec.get("selector"), &path.child("selector"), out);
    let storage = spec.path("resources.requests.storage");
    let resources = path.child("resources");
    if storage.is_null() {
        out.push(resources.key("storage").required(""));
    } else {
        positive(storage, &resources.key("storage"), out);
    }
    class_name(spec, path, out);
    mode(spec, path, out);
}

fn access_modes(modes: &[Value], path: &Path, out: &mut Problems) {
    let path = path.child("accessModes");
    let has = |name: &str| modes.iter().any(|mode| mode.as_str() == Some(name));
    for mode in modes {
        if !ACCESS_MODES.contains(&mode.as_str().unwrap_or_default()) {
            out.push(path.not_supported(mode, &ACCESS_MODES));
        }
    }
    if has("ReadWriteOncePod") && modes.len() > 1 {
        out.push(path.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

fn positive(amount: &Value, path: &Path, out: &mut Problems) {
    let quantity = Quantity::of(amount);
    if quantity.is_zero() || quantity.is_negative() {
        out.push(path.invalid(amount, "must be greater than zero"));
    }
}

fn class_name(spec: &Value, path: &Path, out: &mut Problems) {
    let name = spec.str("storageClassName");
    if !name.is_empty() {
        for message in super::names::subdomain(name) {
            out.push(
                path.child("storageClassName")
                    .invalid(spec.get("storageClassName"), &message),
            );
        }
    }
}

fn mode(spec: &Value, path: &Path, out: &mut Problems) {
    let mode = spec.get("volumeMode");
    if mode.as_str().is_some_and(|mode| !MODES.contains(&mode)) {
        out.push(path.child("volumeMode").not_supported(mode, &MODES));
    }
}

pub(crate) fn claim_update(new: &Value, old: &Value, out: &mut Problems) {
    let (after, before) = (new.get("spec"), old.get("spec"));
    if after.is_same(before) {
        return;
    }
    claim(new, out);
    let path = Path::new("spec");
    let fixed = |spec: &Value| {
        let mut fixed = spec.entries().clone();
        // The binder names the volume once; a default class may come late.
        let is_free = |field: &str| {
            (field == "volumeName" && before.str("volumeName").is_empty())
                || (field == "storageClassName" && before.get("storageClassName").is_null())
        };
        fixed.retain(|field, _| {
            !matches!(field, "resources" | "volumeAttributesClassName") && !is_free(field)
        });
        fixed
    };
    if fixed(after) != fixed(before) {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        // What may change is as it was, so that only the rest is shown.
        let mut kept = after.clone();
        for field in ["resources", "volumeAttributesClassName"] {
            kept.set(field, before.get(field).clone());
        }
        out.push(path.forbidden(&format!("{why}\n{}", claim_diff::diff(before, &kept))));
    }
    let storage = |spec: &Value| Quantity::of(spec.path("resources.requests.storage"));
    if storage(after) < storage(before) {
        let resources = path.child("resources");
        out.push(
            resources
                .child("requests")
                .forbidden("field can not be less than status.capacity"),
        );
    }
}

pub(crate) fn volume(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let modes = spec.get("accessModes").items();
    if modes.is_empty() {
        out.push(path.child("accessModes").required(""));
    }
    access_modes(modes, &path, out);
    let capacity = spec.get("capacity");
    let capacity_path = path.child("capacity");
    if capacity.is_empty() {
        out.push(capacity_path.required(""));
    }
    if !capacity.has("storage") || capacity.entries().len() > 1 {
        let shown = if capacity.is_empty() {
            Value::Null
        } else {
            capacity.clone()
        };
        out.push(capacity_path.not_supported(shown, &["storage"]));
    }
    for (name, amount) in capacity.entries().iter() {
        positive(amount, &capacity_path.key(name), out);
    }
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if !policy.is_empty() && !RECLAIM_POLICIES.contains(&policy.as_str().unwrap_or_default()) {
        out.push(
            path.child("persistentVolumeReclaimPolicy")
                .not_supported(policy, &RECLAIM_POLICIES),
        );
    }
    let affinity = spec.path("nodeAffinity.required");
    if !affinity.is_null() {
        let node_affinity = path.child("nodeAffinity");
        super::pod::node_selector(affinity, &node_affinity.child("required"), out);
    }
    source(spec, &path, out);
    class_name(spec, &path, out);
    mode(spec, &path, out);
}

fn source(spec: &Value, path: &Path, out: &mut Problems) {
    let mut count = 0;
    for source in SOURCES {
        let value = spec.get(source);
        if value.is_null() {
            continue;
        }
        let path = path.child(source);
        if count > 0 {
            out.push(path.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        count += 1;
        let mut need = |fields: &[&str]| {
            for field in fields {
                if value.get(field).is_empty() {
                    out.push(path.child(field).required(""));
                }
            }
        };
        match source {
            "hostPath" => super::pod::host_path(value, &path, out),
            "nfs" => need(&["server", "path"]),
            "csi" => need(&["driver", "volumeHandle"]),
            "gcePersistentDisk" => need(&["pdName"]),
            "awsElasticBlockStore" | "cinder" => need(&["volumeID"]),
            "local" => {
                need(&["path"]);
                if spec.path("nodeAffinity.required").is_null() {
                    let spec = Path::new("spec");
                    out.push(
                        spec.child("nodeAffinity")
                            .required("Local volume requires node affinity"),
                    );
                }
            }
            _ => {}
        }
    }
    if count == 0 {
        out.push(path.required("must specify a volume type"));
    }
}

pub(crate) fn volume_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec").is_same(old.get("spec")) {
        return;
    }
    volume(new, out);
    let source = |object: &Value| SOURCES.map(|source| object.get("spec").get(source).clone());
    if source(new) != source(old) {
        let spec = Path::new("spec");
        out.push(
            spec.child("persistentvolumesource")
                .forbidden("spec.persistentvolumesource is immutable after creation"),
        );
    }
    let mode = Path::new("spec");
    immutable(
        new.path("spec.volumeMode"),
        old.path("spec.volumeMode"),
        &mode.child("volumeMode"),
        out,
    );
}

pub(crate) fn class(object: &Value, out: &mut Problems) {
    if object.str("provisioner").is_empty() {
        out.push(Path::new("provisioner").required(""));
    }
    let policy = object.get("reclaimPolicy");
    if !policy.is_empty() && !matches!(policy.as_str(), Some("Delete" | "Retain")) {
        out.push(Path::new("reclaimPolicy").not_supported(policy, &["Delete", "Retain"]));
    }
    let binding = object.get("volumeBindingMode");
    if !matches!(binding.as_str(), Some("Immediate" | "WaitForFirstConsumer")) {
        out.push(
            Path::new("volumeBindingMode")
                .not_supported(binding, &["Immediate", "WaitForFirstConsumer"]),
        );
    }
}

pub(crate) fn class_update(new: &Value, old: &Value, out: &mut Problems) {
    for field in [
        "parameters",
        "provisioner",
        "reclaimPolicy",
        "volumeBindingMode",
    ] {
        immutable(new.get(field), old.get(field), &Path::new(field), out);
    }
}
