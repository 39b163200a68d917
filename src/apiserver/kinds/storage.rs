//! Volumes, claims and storage classes (`pkg/apis/core/v1/defaults.go`, `pkg/apis/storage/v1/defaults.go`).

use api::{Value, map};

use super::Rules;
use super::fill::{edit, edit_made, fill, fill_text};

pub(crate) static CLAIM: Rules = Rules {
    returns_deleted: true,
    defaults: |object| {
        claim_defaults(object);
        edit_made(object, "status", |status| {
            fill_text(status, "phase", "Pending")
        });
    },
    prepare_create: |object| object.set("status", map! { "phase": "Pending" }),
    validate: crate::validate::storage::claim,
    validate_update: crate::validate::storage::claim_update,
    ..Rules::PLAIN
};

pub(crate) static VOLUME: Rules = Rules {
    returns_deleted: true,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "persistentVolumeReclaimPolicy", "Retain");
            fill(spec, "volumeMode", "Filesystem");
            edit(spec, "hostPath", |path| fill(path, "type", ""));
        });
        edit_made(object, "status", |status| {
            fill_text(status, "phase", "Pending")
        });
    },
    prepare_create: |object| object.set("status", map! { "phase": "Pending" }),
    validate: crate::validate::storage::volume,
    validate_update: crate::validate::storage::volume_update,
    ..Rules::PLAIN
};

pub(crate) static CLASS: Rules = Rules {
    returns_deleted: true,
    defaults: |object| {
        fill(object, "reclaimPolicy", "Delete");
        fill(object, "volumeBindingMode", "Immediate");
    },
    validate: crate::validate::storage::class,
    validate_update: crate::validate::storage::class_update,
    ..Rules::PLAIN
};

pub(crate) static ATTRIBUTES_CLASS: Rules = Rules {
    returns_deleted: true,
    ..Rules::PLAIN
};

pub(crate) static RETURNED: Rules = Rules {
    returns_deleted: true,
    ..Rules::PLAIN
};

pub(crate) static CSI_DRIVER: Rules = Rules {
    returns_deleted: true,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill(spec, "attachRequired", true);
            for field in [
                "podInfoOnMount",
                "storageCapacity",
                "requiresRepublish",
                "seLinuxMount",
            ] {
                fill(spec, field, false);
            }
            fill_text(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
            if spec.get("volumeLifecycleModes").items().is_empty() {
                spec.set("volumeLifecycleModes", api::list!["Persistent"]);
            }
        });
    },
    ..Rules::PLAIN
};

/// The defaults of a claim or of a template for one.
pub(crate) fn claim_defaults(claim: &mut Value) {
    edit_made(claim, "spec", |spec| {
        fill(spec, "volumeMode", "Filesystem");
        fill(spec, "resources", map! {});
        mirror_source(spec);
    });
}

/// The old field for what a claim is filled from and the new one say the same, as far as the old one can.
fn mirror_source(spec: &mut Value) {
    // Sources in other namespaces are a feature that is off by default.
    if !spec.get("dataSourceRef").str("namespace").is_empty() {
        spec.remove("dataSourceRef");
    }
    let (old, new) = (
        spec.get("dataSource").clone(),
        spec.get("dataSourceRef").clone(),
    );
    if !old.is_null() && new.is_null() {
        spec.set("dataSourceRef", old);
    } else if old.is_null() && !new.is_null() && new.str("namespace").is_empty() {
        spec.set("dataSource", new);
    }
}
