//! What a pod's spec means where it says nothing (`SetDefaults_*` of `pkg/apis/core/v1/defaults.go`).

use api::{Value, map};

use super::image::default_pull_policy;
use crate::kinds::fill::{edit, edit_each, edit_made, fill, fill_text};

const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The defaults of a pod.
pub(crate) fn pod(pod: &mut Value) {
    edit_made(pod, "spec", |spec| {
        pod_spec(spec);
        fill(spec, "enableServiceLinks", true);
        let is_on_host = spec.bool("hostNetwork");
        for list in ["containers", "initContainers"] {
            edit_each(spec, list, |container| {
                request_what_is_limited(container);
                if is_on_host {
                    edit_each(container, "ports", |port| {
                        let number = port.get("containerPort").clone();
                        fill(port, "hostPort", number);
                    });
                }
            });
        }
    });
}

/// The defaults of a template's spec: a pod's, without those that only a real pod gets.
pub(crate) fn pod_spec(spec: &mut Value) {
    fill_text(spec, "dnsPolicy", "ClusterFirst");
    fill_text(spec, "restartPolicy", "Always");
    fill_text(spec, "schedulerName", "default-scheduler");
    fill(spec, "securityContext", map! {});
    fill(spec, "terminationGracePeriodSeconds", 30);
    mirror_service_account(spec);
    for list in CONTAINER_LISTS {
        edit_each(spec, list, container);
    }
    edit_each(spec, "volumes", volume);
}

/// The old field and the new one always say the same.
fn mirror_service_account(spec: &mut Value) {
    let (new, old) = (
        spec.shared_str("serviceAccountName"),
        spec.shared_str("serviceAccount"),
    );
    if new.is_empty() && !old.is_empty() {
        spec.set("serviceAccountName", old);
    } else if !new.is_empty() && new != old {
        spec.set("serviceAccount", new);
    }
}

fn container(container: &mut Value) {
    if container.str("imagePullPolicy").is_empty() {
        let policy = default_pull_policy(container.str("image"));
        container.set("imagePullPolicy", policy);
    }
    fill_text(container, "terminationMessagePath", "/dev/termination-log");
    fill_text(container, "terminationMessagePolicy", "File");
    fill(container, "resources", map! {});
    edit_each(container, "ports", |port| {
        fill_text(port, "protocol", "TCP");
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        edit(container, name, probe);
    }
    edit(container, "lifecycle", |lifecycle| {
        for hook in ["postStart", "preStop"] {
            edit(lifecycle, hook, |hook| edit(hook, "httpGet", http_get));
        }
    });
    edit_each(container, "env", |env| {
        edit(env, "valueFrom", |from| {
            edit(from, "fieldRef", field_ref);
            edit(from, "resourceFieldRef", resource_field_ref);
            edit(from, "fileKeyRef", |file| fill(file, "optional", false));
        });
    });
}

fn probe(probe: &mut Value) {
    for (field, default) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        if probe.get(field).is_empty() {
            probe.set(field, default);
        }
    }
    edit(probe, "httpGet", http_get);
    edit(probe, "grpc", |grpc| fill(grpc, "service", ""));
}

fn http_get(action: &mut Value) {
    fill_text(action, "path", "/");
    fill_text(action, "scheme", "HTTP");
}

fn field_ref(field: &mut Value) {
    fill_text(field, "apiVersion", "v1");
}

fn resource_field_ref(field: &mut Value) {
    fill(field, "divisor", "0");
}

/// A limit without a request asks for as much as it allows.
fn request_what_is_limited(container: &mut Value) {
    let resources = container.get("resources");
    let requests = resources.get("requests");
    let missing: Vec<_> = resources
        .get("limits")
        .entries()
        .iter()
        .filter(|(name, _)| !requests.has(name))
        .map(|(name, amount)| (name.clone(), amount.clone()))
        .collect();
    if missing.is_empty() {
        return;
    }
    edit_made(container, "resources", |resources| {
        edit_made(resources, "requests", |requests| {
            for (name, amount) in missing {
                requests.set(name, amount);
            }
        });
    });
}

fn volume(volume: &mut Value) {
    if volume.entries().len() == 1 && volume.has("name") {
        volume.set("emptyDir", map! {});
    }
    for source in ["secret", "configMap"] {
        edit(volume, source, |source| fill(source, "defaultMode", 420));
    }
    edit(volume, "downwardAPI", |source| {
        fill(source, "defaultMode", 420);
        edit_each(source, "items", downward_file);
    });
    edit(volume, "projected", |projected| {
        fill(projected, "defaultMode", 420);
        edit_each(projected, "sources", |source| {
            // Behind a gate that is off (ClusterTrustBundleProjection): dropped.
            source.remove("clusterTrustBundle");
            edit(source, "serviceAccountToken", |token| {
                fill(token, "expirationSeconds", 3600);
            });
            edit(source, "downwardAPI", |source| {
                edit_each(source, "items", downward_file);
            });
        });
    });
    edit(volume, "hostPath", |path| fill(path, "type", ""));
    edit(volume, "iscsi", |iscsi| {
        fill_text(iscsi, "iscsiInterface", "default");
    });
    edit(volume, "rbd", |rbd| {
        fill_text(rbd, "pool", "rbd");
        fill_text(rbd, "user", "admin");
        fill_text(rbd, "keyring", "/etc/ceph/keyring");
    });
    edit(volume, "azureDisk", |disk| {
        fill(disk, "cachingMode", "ReadWrite");
        fill(disk, "fsType", "ext4");
        fill(disk, "kind", "Shared");
        fill(disk, "readOnly", false);
    });
    edit(volume, "scaleIO", |disk| {
        fill_text(disk, "storageMode", "ThinProvisioned");
        fill_text(disk, "fsType", "xfs");
    });
    edit(volume, "image", |image| {
        if image.str("pullPolicy").is_empty() {
            let policy = default_pull_policy(image.str("reference"));
            image.set("pullPolicy", policy);
        }
    });
    edit(volume, "ephemeral", |ephemeral| {
        edit(ephemeral, "volumeClaimTemplate", |template| {
            edit(template, "spec", |spec| {
                fill(spec, "volumeMode", "Filesystem");
                fill(spec, "resources", map! {});
            });
            fill(template, "metadata", map! {});
        });
    });
}

fn downward_file(file: &mut Value) {
    edit(file, "fieldRef", field_ref);
    edit(file, "resourceFieldRef", resource_field_ref);
}
