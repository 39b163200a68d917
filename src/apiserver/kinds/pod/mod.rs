//! Pods: what they get when created, what may change later, how they end.
//!
//! Models `pkg/registry/core/pod/strategy.go`.

pub(crate) mod defaults;
pub(crate) mod image;
pub(crate) mod qos;

use api::{Str, Value, map};
use sim::Rng;

use super::{Generation, NameRule, Rules};
use crate::metadata::{keep, random_suffix};

pub(crate) static RULES: Rules = Rules {
    name: NameRule::Subdomain,
    generation: Generation::Spec,
    returns_deleted: true,
    defaults: defaults::pod,
    prepare_create,
    prepare_update,
    prepare_status,
    validate: crate::validate::pod::on_create,
    validate_update: crate::validate::pod::on_update,
    grace_secs,
    ..Rules::PLAIN
};

/// The name of the volume with the service account's token, as the admission plugin leaves it for the server to finish.
pub(crate) const TOKEN_VOLUME_PREFIX: &str = "kube-api-access-";

fn prepare_create(pod: &mut Value) {
    let status = map! { "phase": "Pending", "qosClass": qos::class(pod.get("spec")) };
    pod.set("status", status);
    if pod
        .path("spec.terminationGracePeriodSeconds")
        .as_int()
        .is_some_and(|secs| secs < 0)
    {
        pod.set_path("spec.terminationGracePeriodSeconds", 1);
    }
}

fn prepare_update(pod: &mut Value, old: &Value) {
    keep(pod, old, "status");
}

fn prepare_status(pod: &mut Value, old: &Value) {
    // The service class is a fact of the spec.
    if pod.path("status.qosClass").is_empty() {
        keep(pod.entry("status"), old.get("status"), "qosClass");
    }
    let meta = pod.entry("metadata");
    keep(meta, old.get("metadata"), "labels");
}

/// `CheckGracefulDelete`.
fn grace_secs(pod: &Value, asked: Option<i64>) -> Option<i64> {
    let secs = asked
        .or(pod.path("spec.terminationGracePeriodSeconds").as_int())
        .unwrap_or(30);
    let is_unscheduled = pod.path("spec.nodeName").is_empty();
    let is_over = matches!(
        pod.path("status.phase").as_str(),
        Some("Failed" | "Succeeded")
    );
    Some(match secs {
        _ if is_unscheduled || is_over => 0,
        secs if secs < 0 => 1,
        secs => secs,
    })
}

/// The old pod with only that part of the new one that a subresource may change.
pub(crate) fn only_part(subresource: &str, new: &Value, old: &Value) -> Value {
    let mut pod = old.clone();
    let spec = new.get("spec");
    if subresource == "ephemeralcontainers" {
        super::fill::edit(&mut pod, "spec", |old| {
            keep(old, spec, "ephemeralContainers")
        });
        return pod;
    }
    super::fill::edit(&mut pod, "spec", |old| {
        for list in ["containers", "initContainers"] {
            let new = spec.get(list).items();
            super::fill::edit_each(old, list, |container| {
                let twin = new.iter().find(|c| c.get("name") == container.get("name"));
                if let Some(twin) = twin {
                    keep(container, twin, "resources");
                    keep(container, twin, "resizePolicy");
                }
            });
        }
    });
    pod
}

/// Gives the token volume its random name, in the volume and in every mount of it.
pub(crate) fn name_token_volume(pod: &mut Value, rng: &mut Rng) {
    let is_open = |value: &Value| value.str("name") == TOKEN_VOLUME_PREFIX;
    if !pod.path("spec.volumes").items().iter().any(is_open) {
        return;
    }
    let name: Str = format!("{TOKEN_VOLUME_PREFIX}{}", random_suffix(rng)).into();
    super::fill::edit(pod, "spec", |spec| {
        super::fill::edit_each(spec, "volumes", |volume| {
            if is_open(volume) {
                volume.set("name", name.clone());
            }
        });
        for list in ["containers", "initContainers"] {
            super::fill::edit_each(spec, list, |container| {
                super::fill::edit_each(container, "volumeMounts", |mount| {
                    if is_open(mount) {
                        mount.set("name", name.clone());
                    }
                });
            });
        }
    });
}
