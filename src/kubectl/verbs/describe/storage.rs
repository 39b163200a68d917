//! PersistentVolumeClaims, PersistentVolumes and StorageClasses.

use api::{Request, Value, core, meta::Meta};

use super::{Text, long_time, pod::plain};
use crate::{Context, Failure};

/// `RWO,RWX` for access modes.
fn modes(list: &Value) -> String {
    let short: Vec<&str> = list
        .items()
        .iter()
        .filter_map(Value::as_str)
        .map(|mode| match mode {
            "ReadWriteOnce" => "RWO",
            "ReadOnlyMany" => "ROX",
            "ReadWriteMany" => "RWX",
            "ReadWriteOncePod" => "RWOP",
            other => other,
        })
        .collect();
    short.join(",")
}

fn finalizers(object: &Value) -> String {
    let all: Vec<&str> = object
        .path("metadata.finalizers")
        .items()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    format!("[{}]", all.join(" "))
}

fn status(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    if meta.is_deleting() {
        let since = long_time(meta.0.get("deletionTimestamp"));
        text.line(0, format!("Status:\tTerminating (lasts {since})"));
    } else {
        let phase = object.path("status.phase").as_str().unwrap_or_default();
        text.line(0, format!("Status:\t{phase}"));
    }
}

pub(super) fn claim(ctx: &mut Context<'_>, text: &mut Text, object: &Value) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    let class = meta
        .annotation("volume.beta.kubernetes.io/storage-class")
        .unwrap_or_else(|| spec.str("storageClassName"));
    text.line(0, format!("StorageClass:\t{class}"));
    status(text, object);
    text.line(0, format!("Volume:\t{}", spec.str("volumeName")));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(0, format!("Finalizers:\t{}", finalizers(object)));
    let (mut capacity, mut access) = (String::new(), String::new());
    if !spec.str("volumeName").is_empty() {
        capacity = plain(object.path("status.capacity.storage"));
        access = modes(object.path("status.accessModes"));
    }
    text.line(0, format!("Capacity:\t{capacity}"));
    text.line(0, format!("Access Modes:\t{access}"));
    if spec.has("volumeMode") {
        text.line(0, format!("VolumeMode:\t{}", spec.str("volumeMode")));
    }
    let source = spec.get("dataSource");
    if !source.is_null() {
        text.line(0, "DataSource:");
        if source.has("apiGroup") {
            text.line(1, format!("APIGroup:\t{}", source.str("apiGroup")));
        }
        text.line(1, format!("Kind:\t{}", source.str("kind")));
        text.line(1, format!("Name:\t{}", source.str("name")));
    }
    let pods = ctx.object(Request::list(&core::PODS, meta.shared_namespace()))?;
    let users: Vec<String> = pods
        .get("items")
        .items()
        .iter()
        .filter(|pod| {
            pod.path("spec.volumes").items().iter().any(|volume| {
                volume.path("persistentVolumeClaim.claimName").as_str() == Some(meta.name())
            })
        })
        .map(|pod| Meta::of(pod).name().to_owned())
        .collect();
    text.column(0, "Used By", &users);
    let conditions = object.path("status.conditions").items();
    if !conditions.is_empty() {
        text.line(0, "Conditions:\n  Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------");
        for condition in conditions {
            text.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    condition.str("type"),
                    condition.str("status"),
                    long_time(condition.get("lastProbeTime")),
                    long_time(condition.get("lastTransitionTime")),
                    condition.str("reason"),
                    condition.str("message")
                ),
            );
        }
    }
    Ok(())
}

pub(super) fn volume(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    text.line(0, format!("Name:\t{}", meta.name()));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(0, format!("Finalizers:\t{}", finalizers(object)));
    text.line(
        0,
        format!("StorageClass:\t{}", spec.str("storageClassName")),
    );
    status(text, object);
    let claim = spec.get("claimRef");
    let claim = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", claim.str("namespace"), claim.str("name"))
    };
    text.line(0, format!("Claim:\t{claim}"));
    text.line(
        0,
        format!(
            "Reclaim Policy:\t{}",
            spec.str("persistentVolumeReclaimPolicy")
        ),
    );
    text.line(
        0,
        format!("Access Modes:\t{}", modes(spec.get("accessModes"))),
    );
    if spec.has("volumeMode") {
        text.line(0, format!("VolumeMode:\t{}", spec.str("volumeMode")));
    }
    text.line(
        0,
        format!("Capacity:\t{}", plain(spec.path("capacity.storage"))),
    );
    node_affinity(text, spec.path("nodeAffinity.required"));
    let message = object.path("status.message").as_str().unwrap_or_default();
    text.line(0, format!("Message:\t{message}"));
    text.line(0, "Source:");
    source(text, spec);
}

fn node_affinity(text: &mut Text, required: &Value) {
    if required.is_null() {
        text.line(0, "Node Affinity:\t<none>");
        return;
    }
    text.line(0, "Node Affinity:");
    let terms = required.get("nodeSelectorTerms").items();
    if terms.is_empty() {
        text.line(1, "Required Terms:\t<none>");
        return;
    }
    text.line(1, "Required Terms:");
    for (at, term) in terms.iter().enumerate() {
        let expressions = term.get("matchExpressions").items();
        if expressions.is_empty() {
            text.line(2, format!("Term {at}:\t<none>"));
        }
        for (i, expression) in expressions.iter().enumerate() {
            let values: Vec<&str> = expression
                .get("values")
                .items()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let operator = expression.str("operator").to_lowercase();
            let shown = if values.is_empty() {
                format!("{} {operator}", expression.str("key"))
            } else {
                format!(
                    "{} {operator} [{}]",
                    expression.str("key"),
                    values.join(", ")
                )
            };
            if i == 0 {
                text.line(2, format!("Term {at}:\t{shown}"));
            } else {
                text.line(2, format!("\t{shown}"));
            }
        }
    }
}

/// What backs a volume: the fields that the real one shows for each kind of source.
fn source(text: &mut Text, spec: &Value) {
    /// A source's field, its title, and its fields with their titles.
    type Source = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
    );
    const SOURCES: &[Source] = &[
        (
            "hostPath",
            "HostPath (bare host directory volume)",
            &[("Path", "path"), ("HostPathType", "type")],
        ),
        (
            "nfs",
            "NFS (an NFS mount that lasts the lifetime of a pod)",
            &[
                ("Server", "server"),
                ("Path", "path"),
                ("ReadOnly", "readOnly"),
            ],
        ),
        (
            "local",
            "LocalVolume (a persistent volume backed by local storage on a node)",
            &[("Path", "path")],
        ),
        (
            "csi",
            "CSI (a Container Storage Interface (CSI) volume source)",
            &[
                ("Driver", "driver"),
                ("FSType", "fsType"),
                ("VolumeHandle", "volumeHandle"),
                ("ReadOnly", "readOnly"),
            ],
        ),
        (
            "fc",
            "FC (a Fibre Channel disk)",
            &[
                ("TargetWWNs", "targetWWNs"),
                ("LUN", "lun"),
                ("FSType", "fsType"),
                ("ReadOnly", "readOnly"),
            ],
        ),
    ];
    for (field, title, fields) in SOURCES {
        let inner = spec.get(field);
        if inner.is_null() {
            continue;
        }
        text.line(2, format!("Type:\t{title}"));
        for (name, key) in *fields {
            let value = match inner.get(key) {
                Value::Null if *key == "readOnly" => "false".to_owned(),
                Value::Null => String::new(),
                Value::List(_) => inner
                    .get(key)
                    .items()
                    .iter()
                    .map(plain)
                    .collect::<Vec<_>>()
                    .join(", "),
                other => plain(other),
            };
            text.line(2, format!("{name}:\t{value}"));
        }
        let attributes = inner.get("volumeAttributes").entries();
        if *field == "csi" {
            let pairs: Vec<String> = attributes
                .iter()
                .map(|(key, value)| format!("{key}={}", plain(value)))
                .collect();
            if pairs.is_empty() {
                text.line(2, "VolumeAttributes:\t<none>");
            }
            for (at, pair) in pairs.iter().enumerate() {
                let title = if at == 0 { "VolumeAttributes:" } else { "" };
                text.line(2, format!("{title}\t{pair}"));
            }
        }
        return;
    }
    text.line(2, "<unknown>");
}

pub(super) fn class(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let is_default = meta.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(
        0,
        format!("IsDefaultClass:\t{}", if is_default { "Yes" } else { "No" }),
    );
    text.line(
        0,
        format!(
            "Annotations:\t{}",
            super::config::in_one(meta.0.get("annotations"))
        ),
    );
    text.line(0, format!("Provisioner:\t{}", object.str("provisioner")));
    text.line(
        0,
        format!(
            "Parameters:\t{}",
            super::config::in_one(object.get("parameters"))
        ),
    );
    let expansion = match object.get("allowVolumeExpansion").as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    text.line(0, format!("AllowVolumeExpansion:\t{expansion}"));
    let options: Vec<String> = object
        .get("mountOptions")
        .items()
        .iter()
        .map(plain)
        .collect();
    text.column(0, "MountOptions", &options);
    text.line(
        0,
        format!("ReclaimPolicy:\t{}", object.str("reclaimPolicy")),
    );
    text.line(
        0,
        format!("VolumeBindingMode:\t{}", object.str("volumeBindingMode")),
    );
}
