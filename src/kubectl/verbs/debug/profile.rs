//! Profiles of `kubectl debug`: what a container that was added for debugging may do.
//!
//! Models `profiles.go` of `kubectl/pkg/cmd/debug`.

use api::{Str, Value, list, map};

use crate::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Legacy,
    General,
    Baseline,
    Restricted,
    Netadmin,
    Sysadmin,
}

/// How a container comes to debug something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As an ephemeral container of the pod.
    Beside,
    /// In a copy of the pod.
    Copy,
    /// In a pod of its own on a node.
    Node,
}

/// What a copy keeps of its pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeps {
    pub(super) labels: bool,
    pub(super) annotations: bool,
    pub(super) liveness: bool,
    pub(super) readiness: bool,
    pub(super) startup: bool,
    pub(super) init_containers: bool,
}

impl Profile {
    /// The profile of a name; none is `general`.
    pub(super) fn of(name: &str) -> Result<Profile, Failure> {
        match name {
            "" | "general" => Ok(Profile::General),
            "legacy" => Ok(Profile::Legacy),
            "baseline" => Ok(Profile::Baseline),
            "restricted" => Ok(Profile::Restricted),
            "netadmin" => Ok(Profile::Netadmin),
            "sysadmin" => Ok(Profile::Sysadmin),
            other => Err(Failure::error(format!("unknown profile: {other}"))),
        }
    }

    /// What the container may do.
    pub(super) fn secure(self, container: &mut Value, style: Style) {
        let context = match (self, style) {
            (Profile::Legacy, _) | (Profile::General, Style::Node) => return,
            (Profile::General, _) | (Profile::Baseline, Style::Copy) => {
                map! { "capabilities": map! { "add": list!["SYS_PTRACE"] } }
            }
            (Profile::Baseline, _) => return,
            (Profile::Restricted, _) => map! {
                "allowPrivilegeEscalation": false,
                "capabilities": map! { "drop": list!["ALL"] },
                "runAsNonRoot": true,
                "seccompProfile": map! { "type": "RuntimeDefault" },
            },
            (Profile::Netadmin, _) => {
                map! { "capabilities": map! { "add": list!["NET_ADMIN", "NET_RAW"] } }
            }
            (Profile::Sysadmin, _) => map! { "privileged": true },
        };
        container.set("securityContext", context);
    }

    /// What the pod around it is like.
    pub(super) fn shape(self, pod: &mut Value, style: Style, keeps: &Keeps) {
        match style {
            Style::Beside => {}
            Style::Copy if self == Profile::Legacy => {
                pod.remove_path("metadata.labels");
            }
            Style::Copy => {
                pod.set_path("spec.shareProcessNamespace", true);
                reduce(pod, keeps);
            }
            Style::Node => {
                let has_namespaces = !matches!(self, Profile::Baseline | Profile::Restricted);
                if has_namespaces {
                    for field in ["hostNetwork", "hostPID", "hostIPC"] {
                        pod.entry("spec").set(field, true);
                    }
                }
                if matches!(self, Profile::Legacy | Profile::General | Profile::Sysadmin) {
                    show_disk(pod);
                }
            }
        }
    }
}

/// Takes away what would let a copy serve, be restarted or start slowly.
fn reduce(pod: &mut Value, keeps: &Keeps) {
    for (is_kept, path) in [
        (keeps.labels, "metadata.labels"),
        (keeps.annotations, "metadata.annotations"),
        (keeps.init_containers, "spec.initContainers"),
    ] {
        if !is_kept {
            pod.remove_path(path);
        }
    }
    for container in pod.entry("spec").entry("containers").list_mut() {
        for (is_kept, probe) in [
            (keeps.liveness, "livenessProbe"),
            (keeps.readiness, "readinessProbe"),
            (keeps.startup, "startupProbe"),
        ] {
            if !is_kept {
                container.remove(probe);
            }
        }
    }
}

/// The node's files at `/host`.
fn show_disk(pod: &mut Value) {
    let volume = map! { "name": "host-root", "hostPath": map! { "path": "/" } };
    let mount = map! { "name": "host-root", "mountPath": "/host" };
    let spec = pod.entry("spec");
    spec.set("volumes", list![volume]);
    for container in spec.entry("containers").list_mut() {
        let mut mounts = container.get("volumeMounts").items().to_vec();
        mounts.push(mount.clone());
        container.set(Str::from("volumeMounts"), mounts);
    }
}
