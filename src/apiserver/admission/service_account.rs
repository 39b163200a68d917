//! `ServiceAccount`: every pod runs as an account of its namespace and gets a token for it.

use api::{Status, Str, Value, list, map};
use std::sync::LazyLock;

use crate::ApiServer;
use crate::call::Call;
use crate::kinds::fill::{edit, edit_each};
use crate::kinds::pod::TOKEN_VOLUME_PREFIX;

const DEFAULT: &str = "default";
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

impl ApiServer {
    pub(crate) fn admit_service_account(&self, call: &Call, pod: &mut Value) -> Result<(), Status> {
        // Mirror pods of a node's own files have no account.
        if pod
            .path("metadata.annotations")
            .has("kubernetes.io/config.mirror")
        {
            return Ok(());
        }
        let mut name: Str = pod.get("spec").shared_str("serviceAccountName");
        if name.is_empty() {
            name = DEFAULT.into();
            edit(pod, "spec", |spec| {
                spec.set("serviceAccountName", DEFAULT);
                spec.set("serviceAccount", DEFAULT);
            });
        }
        let Some(account) = self.object("serviceaccounts", &call.namespace, &name) else {
            // A refusal names what would have been generated.
            let shown = match &*call.name {
                "" => pod.get("metadata").shared_str("generateName"),
                _ => call.name.clone(),
            };
            return Err(Status::forbidden(
                &call.kind.group,
                &call.kind.plural,
                &shown,
                &format!(
                    "error looking up service account {}/{name}: serviceaccount \"{name}\" not found",
                    call.namespace
                ),
            ));
        };
        let wants_token = pod
            .path("spec.automountServiceAccountToken")
            .as_bool()
            .or(account.get("automountServiceAccountToken").as_bool())
            .unwrap_or(true);
        let secrets = account.get("imagePullSecrets").clone();
        edit(pod, "spec", |spec| {
            if spec.get("imagePullSecrets").is_empty() && !secrets.is_empty() {
                spec.set("imagePullSecrets", secrets);
            }
            if wants_token {
                mount_token(spec);
            }
        });
        Ok(())
    }
}

/// Adds the projected token volume (still without its random suffix) and mounts it where nothing else is.
fn mount_token(spec: &mut Value) {
    let mut is_used = false;
    for list in ["initContainers", "containers"] {
        let lacks = |c: &Value| {
            !c.get("volumeMounts")
                .items()
                .iter()
                .any(|mount| mount.str("mountPath") == MOUNT_PATH)
        };
        if spec.get(list).items().iter().any(lacks) {
            is_used = true;
            edit_each(spec, list, |container| {
                if lacks(container) {
                    container
                        .entry("volumeMounts")
                        .list_mut()
                        .push(TOKEN_MOUNT.clone());
                }
            });
        }
    }
    if is_used {
        let mut volume = TOKEN_VOLUME.clone();
        volume.set("name", TOKEN_VOLUME_PREFIX);
        spec.entry("volumes").list_mut().push(volume);
    }
}

static TOKEN_MOUNT: LazyLock<Value> = LazyLock::new(|| {
    map! { "name": TOKEN_VOLUME_PREFIX, "readOnly": true, "mountPath": MOUNT_PATH }
});

/// The same for every pod, so every pod shares it.
static TOKEN_VOLUME: LazyLock<Value> = LazyLock::new(|| {
    map! {
        "projected": map! {
            "defaultMode": 420,
            "sources": list![
                map! { "serviceAccountToken": map! { "expirationSeconds": 3607, "path": "token" } },
                map! { "configMap": map! {
                    "name": "kube-root-ca.crt",
                    "items": list![map! { "key": "ca.crt", "path": "ca.crt" }],
                } },
                map! { "downwardAPI": map! { "items": list![map! {
                    "path": "namespace",
                    "fieldRef": map! { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
                }] } },
            ],
        },
    }
});
