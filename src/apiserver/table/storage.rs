//! Volumes, claims, classes and drivers.

use api::Value;

use super::Printer;
use super::cells::{UNSET, age, joined, name, or, text};
use super::network::default_marked;

pub(super) const VOLUME: Printer = Printer {
    columns: "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|+VolumeMode",
    cells: |object, now| {
        let (spec, status, claim) = (
            object.get("spec"),
            object.get("status"),
            object.path("spec.claimRef"),
        );
        let claimed = if claim.is_null() {
            String::new()
        } else {
            format!("{}/{}", claim.str("namespace"), claim.str("name"))
        };
        vec![
            name(object),
            Value::from(text(spec.path("capacity.storage"))),
            Value::from(access_modes(spec.get("accessModes"))),
            spec.get("persistentVolumeReclaimPolicy").clone(),
            Value::from(phase(object)),
            Value::from(claimed),
            Value::from(class_of(object)),
            or(spec.str("volumeAttributesClassName"), UNSET),
            Value::from(status.shared_str("reason")),
            age(object, now),
            or(spec.str("volumeMode"), UNSET),
        ]
    },
};

pub(super) const CLAIM: Printer = Printer {
    columns: "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|+VolumeMode",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        // What a claim has is known once it is bound.
        let (capacity, modes) = if spec.str("volumeName").is_empty() {
            (String::new(), String::new())
        } else {
            (
                text(status.path("capacity.storage")),
                access_modes(status.get("accessModes")),
            )
        };
        vec![
            name(object),
            Value::from(phase(object)),
            Value::from(spec.shared_str("volumeName")),
            Value::from(capacity),
            Value::from(modes),
            Value::from(class_of(object)),
            or(spec.str("volumeAttributesClassName"), UNSET),
            age(object, now),
            or(spec.str("volumeMode"), UNSET),
        ]
    },
};

fn phase(object: &Value) -> String {
    if object.get("metadata").has("deletionTimestamp") {
        return "Terminating".to_owned();
    }
    object
        .path("status.phase")
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The class, by its old annotation or its field.
fn class_of(object: &Value) -> String {
    let annotation = object
        .path("metadata.annotations")
        .str("volume.beta.kubernetes.io/storage-class");
    if annotation.is_empty() {
        object.get("spec").str("storageClassName").to_owned()
    } else {
        annotation.to_owned()
    }
}

/// `RWO,ROX,RWX,RWOP`.
fn access_modes(modes: &Value) -> String {
    let has = |mode: &str| modes.items().iter().any(|m| m.as_str() == Some(mode));
    let all = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let shown: Vec<&str> = all
        .iter()
        .filter(|(mode, _)| has(mode))
        .map(|(_, short)| *short)
        .collect();
    shown.join(",")
}

pub(super) const CLASS: Printer = Printer {
    columns: "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age",
    cells: |object, now| {
        vec![
            default_marked(object, "storageclass.kubernetes.io/is-default-class"),
            object.get("provisioner").clone(),
            or(object.str("reclaimPolicy"), "Delete"),
            or(object.str("volumeBindingMode"), "Immediate"),
            Value::from(object.bool("allowVolumeExpansion")),
            age(object, now),
        ]
    },
};

pub(super) const ATTACHMENT: Printer = Printer {
    columns: "Name|Attacher|PV|Node|Attached|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        vec![
            name(object),
            spec.get("attacher").clone(),
            Value::from(text(spec.path("source.persistentVolumeName"))),
            spec.get("nodeName").clone(),
            Value::from(object.path("status.attached").as_bool().unwrap_or_default()),
            age(object, now),
        ]
    },
};

pub(super) const ATTRIBUTES_CLASS: Printer = Printer {
    columns: "Name|DriverName|Age",
    cells: |object, now| {
        vec![
            name(object),
            object.get("driverName").clone(),
            age(object, now),
        ]
    },
};

pub(super) const CSI_DRIVER: Printer = Printer {
    columns: "Name|AttachRequired|PodInfoOnMount|StorageCapacity|TokenRequests|RequiresRepublish|Modes|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        let on =
            |field: &str, default: bool| Value::from(spec.get(field).as_bool().unwrap_or(default));
        let audiences: Vec<&str> = spec
            .get("tokenRequests")
            .items()
            .iter()
            .map(|t| t.str("audience"))
            .collect();
        vec![
            name(object),
            on("attachRequired", true),
            on("podInfoOnMount", false),
            on("storageCapacity", false),
            or(&audiences.join(","), UNSET),
            on("requiresRepublish", false),
            or(&joined(spec.get("volumeLifecycleModes"), ","), "<none>"),
            age(object, now),
        ]
    },
};

pub(super) const CSI_NODE: Printer = Printer {
    columns: "Name|#Drivers|Age",
    cells: |object, now| {
        vec![
            name(object),
            Value::from(object.path("spec.drivers").items().len()),
            age(object, now),
        ]
    },
};

pub(super) const CSI_CAPACITY: Printer = Printer {
    columns: "Name|StorageClassName|Capacity",
    cells: |object, _| {
        vec![
            name(object),
            object.get("storageClassName").clone(),
            or(&text(object.get("capacity")), UNSET),
        ]
    },
};
