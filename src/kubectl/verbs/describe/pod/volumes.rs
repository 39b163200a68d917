//! The volumes of a pod or of a template.

use api::{Value, meta::Meta};

use super::super::Text;
use super::plain;

pub(crate) fn volumes(text: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        text.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    let indent = if space.is_empty() { "" } else { " " };
    text.line(0, format!("{space}Volumes:"));
    for volume in volumes {
        text.line(1, format!("{indent}{}:", volume.str("name")));
        if volume.has("projected") {
            text.line(
                2,
                "Type:\tProjected (a volume that contains injected data from multiple sources)",
            );
            for source in volume.path("projected.sources").items() {
                projected(text, source);
            }
        } else if volume.has("downwardAPI") {
            text.line(
                2,
                "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:",
            );
            for item in volume.path("downwardAPI.items").items() {
                if item.has("fieldRef") {
                    text.line(
                        3,
                        format!(
                            "{} -> {}",
                            item.path("fieldRef.fieldPath").as_str().unwrap_or_default(),
                            item.str("path")
                        ),
                    );
                } else {
                    text.line(
                        3,
                        format!(
                            "{} -> {}",
                            item.path("resourceFieldRef.resource")
                                .as_str()
                                .unwrap_or_default(),
                            item.str("path")
                        ),
                    );
                }
            }
        } else if volume.has("ephemeral") {
            let claim = volume.path("ephemeral.volumeClaimTemplate");
            text.line(2, "Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)");
            if let Some(class) = claim.path("spec.storageClassName").as_str() {
                text.line(2, format!("StorageClass:\t{class}"));
            }
            text.line(
                2,
                format!(
                    "Volume:\t{}",
                    claim.path("spec.volumeName").as_str().unwrap_or_default()
                ),
            );
            text.labels(2, "Labels", Meta::of(claim).labels());
            text.annotations(2, "Annotations", Meta::of(claim).annotations());
            text.line(
                2,
                format!(
                    "Capacity:\t\n    Access Modes:\t\n    VolumeMode:\t{}",
                    claim
                        .path("spec.volumeMode")
                        .as_str()
                        .unwrap_or("Filesystem")
                ),
            );
        } else if let Some((key, title, fields)) = SOURCES.iter().find(|(key, ..)| volume.has(key))
        {
            let source = volume.get(key);
            text.line(2, format!("Type:\t{title}"));
            for (name, field, show) in *fields {
                let value = source.get(field);
                let shown = match show {
                    Show::Text => plain(value),
                    Show::Bool => value.as_bool().unwrap_or_default().to_string(),
                    Show::Number => value.as_int().unwrap_or_default().to_string(),
                    Show::Size if value.is_null() => "<unset>".to_owned(),
                    Show::Size => plain(value),
                };
                text.line(2, format!("{name}:\t{shown}"));
            }
            if *key == "csi" {
                text.labels(
                    2,
                    "VolumeAttributes",
                    source.get("volumeAttributes").entries(),
                );
            }
        } else {
            text.line(1, "<unknown>");
        }
    }
}

fn projected(text: &mut Text, source: &Value) {
    if source.has("secret") {
        let secret = source.get("secret");
        text.line(2, format!("SecretName:\t{}", secret.str("name")));
        text.line(2, format!("Optional:\t{}", secret.bool("optional")));
    } else if source.has("downwardAPI") {
        text.line(2, "DownwardAPI:\ttrue");
    } else if source.has("configMap") {
        let config = source.get("configMap");
        text.line(2, format!("ConfigMapName:\t{}", config.str("name")));
        text.line(2, format!("Optional:\t{}", config.bool("optional")));
    } else if source.has("serviceAccountToken") {
        text.line(
            2,
            format!(
                "TokenExpirationSeconds:\t{}",
                source
                    .path("serviceAccountToken.expirationSeconds")
                    .as_int()
                    .unwrap_or(0)
            ),
        );
    } else if source.has("clusterTrustBundle") {
        let bundle = source.get("clusterTrustBundle");
        if bundle.has("name") {
            text.line(
                2,
                format!("ClusterTrustBundleName:\t{}", bundle.str("name")),
            );
        } else {
            text.line(
                2,
                format!("ClusterTrustBundleSigner:\t{}", bundle.str("signerName")),
            );
        }
    }
}

/// How a field of a volume is shown.
#[derive(Clone, Copy)]
enum Show {
    Text,
    Bool,
    Number,
    /// A missing size.
    Size,
}

/// A volume source: its field, what kubectl calls it, and its fields with their titles.
type Source = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, Show)],
);

const SOURCES: &[Source] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[
            ("Path", "path", Show::Text),
            ("HostPathType", "type", Show::Text),
        ],
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[
            ("Medium", "medium", Show::Text),
            ("SizeLimit", "sizeLimit", Show::Size),
        ],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[
            ("PDName", "pdName", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("Partition", "partition", Show::Number),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[
            ("VolumeID", "volumeID", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("Partition", "partition", Show::Number),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[
            ("SecretName", "secretName", Show::Text),
            ("Optional", "optional", Show::Bool),
        ],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[
            ("Name", "name", Show::Text),
            ("Optional", "optional", Show::Bool),
        ],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[
            ("Server", "server", Show::Text),
            ("Path", "path", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[
            ("ClaimName", "claimName", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName", "diskName", Show::Text),
            ("DiskURI", "diskURI", Show::Text),
            ("Kind", "kind", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("CachingMode", "cachingMode", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[
            ("Driver", "driver", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[
            ("Reference", "reference", Show::Text),
            ("PullPolicy", "pullPolicy", Show::Text),
        ],
    ),
];
