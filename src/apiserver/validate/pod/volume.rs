//! Volumes of pods (`ValidateVolumes`).

use api::Value;

use super::container::{descending, field_ref};
use super::file_mode;
use crate::path::Path;
use crate::validate::{Problems, names};

/// Every source, in the order in which they are looked at.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "quobyte",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Fields of a pod that a file may show.
const FILE_FIELD_PATHS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Checks all volumes; returns their names.
pub(super) fn volumes<'a>(volumes: &'a [Value], path: &Path, out: &mut Problems) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for (at, volume) in volumes.iter().enumerate() {
        let path = path.index(at);
        sources(volume, &path, out);
        let name = volume.str("name");
        let name_path = path.child("name");
        if name.is_empty() {
            out.push(name_path.required(""));
            continue;
        }
        for message in names::label(name) {
            out.push(name_path.invalid(volume.get("name"), &message));
        }
        if seen.contains(&name) {
            out.push(name_path.duplicate(volume.get("name")));
        } else {
            seen.push(name);
        }
    }
    seen
}

fn sources(volume: &Value, path: &Path, out: &mut Problems) {
    let mut count = 0;
    for source in SOURCES {
        let value = volume.get(source);
        if value.is_null() {
            continue;
        }
        let path = path.child(source);
        if count > 0 {
            out.push(path.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        count += 1;
        one_source(source, value, &path, out);
    }
    if count == 0 {
        out.push(path.required("must specify a volume type"));
    }
}

fn one_source(source: &str, value: &Value, path: &Path, out: &mut Problems) {
    let mut need = |fields: &[&str]| {
        for field in fields {
            if value.get(field).is_empty() {
                out.push(path.child(field).required(""));
            }
        }
    };
    match source {
        "hostPath" => host_path(value, path, out),
        "secret" => {
            need(&["secretName"]);
            file_mode(value.get("defaultMode"), &path.child("defaultMode"), out);
            key_paths(value, path, out);
        }
        "configMap" => {
            need(&["name"]);
            file_mode(value.get("defaultMode"), &path.child("defaultMode"), out);
            key_paths(value, path, out);
        }
        "nfs" => {
            need(&["server", "path"]);
            if !value.str("path").is_empty() && !value.str("path").starts_with('/') {
                out.push(
                    path.child("path")
                        .invalid(value.get("path"), "must be an absolute path"),
                );
            }
        }
        "persistentVolumeClaim" => need(&["claimName"]),
        "gcePersistentDisk" => need(&["pdName"]),
        "awsElasticBlockStore" | "cinder" => need(&["volumeID"]),
        "csi" => need(&["driver"]),
        "flexVolume" => need(&["driver"]),
        "gitRepo" => need(&["repository"]),
        "azureFile" => need(&["secretName", "shareName"]),
        "azureDisk" => need(&["diskName", "diskURI"]),
        "vsphereVolume" => need(&["volumePath"]),
        "iscsi" => need(&["targetPortal", "iqn"]),
        "glusterfs" => need(&["endpoints", "path"]),
        "rbd" => need(&["monitors", "image"]),
        "cephfs" => need(&["monitors"]),
        "downwardAPI" => {
            file_mode(value.get("defaultMode"), &path.child("defaultMode"), out);
            downward_files(value, path, out);
        }
        "projected" => {
            file_mode(value.get("defaultMode"), &path.child("defaultMode"), out);
            projected(value, path, out);
        }
        "ephemeral" => {
            let path = path.child("volumeClaimTemplate");
            if value.get("volumeClaimTemplate").is_null() {
                out.push(path.required(""));
            } else {
                let spec = value.path("volumeClaimTemplate.spec");
                crate::validate::storage::claim_spec(spec, &path.child("spec"), out);
            }
        }
        _ => {}
    }
}

/// A path of the node.
pub(crate) fn host_path(value: &Value, path: &Path, out: &mut Problems) {
    let text = value.str("path");
    if text.is_empty() {
        out.push(path.child("path").required(""));
        return;
    }
    if text.split('/').any(|part| part == "..") {
        out.push(
            path.child("path")
                .invalid(value.get("path"), "must not contain '..'"),
        );
    }
    let kind = value.get("type");
    if !HOST_PATH_TYPES.contains(&kind.as_str().unwrap_or_default()) {
        out.push(path.child("type").not_supported(kind, &HOST_PATH_TYPES));
    }
}

fn key_paths(value: &Value, path: &Path, out: &mut Problems) {
    let items = path.child("items");
    for (at, item) in value.get("items").items().iter().enumerate() {
        let path = items.index(at);
        if item.str("key").is_empty() {
            out.push(path.child("key").required(""));
        }
        file_path(item, &path, out);
        file_mode(item.get("mode"), &path.child("mode"), out);
    }
}

fn file_path(item: &Value, path: &Path, out: &mut Problems) {
    let path = path.child("path");
    if item.str("path").is_empty() {
        out.push(path.required(""));
        return;
    }
    descending(item.get("path"), &path, out);
    if item.str("path").starts_with("..") && !item.str("path").starts_with("../") {
        out.push(path.invalid(item.get("path"), "must not start with '..'"));
    }
}

fn downward_files(value: &Value, path: &Path, out: &mut Problems) {
    let items = path.child("items");
    for (at, item) in value.get("items").items().iter().enumerate() {
        let path = items.index(at);
        file_path(item, &path, out);
        let (field, resource) = (item.get("fieldRef"), item.get("resourceFieldRef"));
        if !field.is_null() {
            field_ref(field, &FILE_FIELD_PATHS, &path.child("fieldRef"), out);
            if !resource.is_null() {
                out.push(path.invalid(
                    "resource",
                    "fieldRef and resourceFieldRef can not be specified simultaneously",
                ));
            }
        } else if resource.is_null() {
            out.push(
                path.child("fieldRef")
                    .required("one of fieldRef and resourceFieldRef is required"),
            );
        } else {
            let path = path.child("resourceFieldRef");
            if resource.str("containerName").is_empty() {
                out.push(path.child("containerName").required(""));
            }
            if resource.str("resource").is_empty() {
                out.push(path.child("resource").required(""));
            }
        }
        file_mode(item.get("mode"), &path.child("mode"), out);
    }
}

fn projected(value: &Value, path: &Path, out: &mut Problems) {
    let sources = path.child("sources");
    for (at, source) in value.get("sources").items().iter().enumerate() {
        let path = sources.index(at);
        let mut count = 0;
        for (field, part) in source.entries().iter() {
            if part.is_null() {
                continue;
            }
            let path = path.child(field);
            count += 1;
            if count > 1 {
                out.push(path.forbidden("may not specify more than 1 volume type per source"));
                continue;
            }
            match field.as_str() {
                "secret" | "configMap" => {
                    if part.str("name").is_empty() {
                        out.push(path.child("name").required(""));
                    }
                    key_paths(part, &path, out);
                }
                "downwardAPI" => downward_files(part, &path, out),
                "serviceAccountToken" => {
                    let secs = part.int("expirationSeconds").unwrap_or(3600);
                    if secs < 600 {
                        out.push(
                            path.child("expirationSeconds")
                                .invalid(secs, "may not specify a duration less than 10 minutes"),
                        );
                    }
                    if part.str("path").is_empty() {
                        out.push(path.child("path").required(""));
                    }
                }
                _ => {}
            }
        }
    }
}
