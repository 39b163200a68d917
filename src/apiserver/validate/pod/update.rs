//! What may change in a pod that exists (`ValidatePodUpdate`).

use api::Value;

use super::spec;
use crate::path::Path;
use crate::validate::Problems;

const ONLY: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(crate) fn on_update(new: &Value, old: &Value, out: &mut Problems) {
    let (new, old) = (new.get("spec"), old.get("spec"));
    if new.is_same(old) || new == old {
        return;
    }
    let path = Path::new("spec");
    spec(new, &path, out);
    for field in ["containers", "initContainers"] {
        if new.get(field).items().len() != old.get(field).items().len() {
            out.push(
                path.child(field)
                    .forbidden("pod updates may not add or remove containers"),
            );
            return;
        }
    }
    deadline(new, old, &path, out);
    tolerations(new, old, &path, out);
    gates(new, old, &path, out);
    // Take everything that may change from the old spec: what still differs may not.
    let mut munged = new.clone();
    for field in ["containers", "initContainers"] {
        crate::kinds::fill::edit(&mut munged, field, |list| {
            for (at, was) in old.get(field).items().iter().enumerate() {
                if list.items()[at].get("image") != was.get("image") {
                    list.list_mut()[at].set("image", was.get("image"));
                }
            }
        });
    }
    for field in [
        "activeDeadlineSeconds",
        "tolerations",
        "schedulingGates",
        "ephemeralContainers",
    ] {
        crate::metadata::keep(&mut munged, old, field);
    }
    if old
        .int("terminationGracePeriodSeconds")
        .is_some_and(|s| s < 0)
        && new.int("terminationGracePeriodSeconds") == Some(1)
    {
        crate::metadata::keep(&mut munged, old, "terminationGracePeriodSeconds");
    }
    if !old.get("schedulingGates").items().is_empty() {
        // A gated pod may still narrow where it can run.
        for field in ["nodeSelector", "affinity"] {
            crate::metadata::keep(&mut munged, old, field);
        }
    }
    if munged != *old {
        out.push(path.forbidden(ONLY));
    }
}

fn deadline(new: &Value, old: &Value, path: &Path, out: &mut Problems) {
    let (after, before) = (
        new.int("activeDeadlineSeconds"),
        old.int("activeDeadlineSeconds"),
    );
    let path = path.child("activeDeadlineSeconds");
    match (after, before) {
        (Some(after), Some(before)) if after > before => {
            out.push(path.invalid(after, "must be less than or equal to previous value"));
        }
        (None, Some(before)) => {
            out.push(path.invalid(
                before,
                "must not update from a positive integer to nil value",
            ));
        }
        _ => {}
    }
}

/// Tolerations may be added; of one that is there only its seconds may change.
fn tolerations(new: &Value, old: &Value, path: &Path, out: &mut Problems) {
    let is_kept = |was: &&Value| {
        new.get("tolerations").items().iter().any(|now| {
            ["key", "operator", "value", "effect"]
                .iter()
                .all(|field| now.get(field) == was.get(field))
        })
    };
    if !old
        .get("tolerations")
        .items()
        .iter()
        .all(|was| is_kept(&was))
    {
        out.push(
            path.child("tolerations")
                .forbidden("existing toleration can not be modified except its tolerationSeconds"),
        );
    }
}

fn gates(new: &Value, old: &Value, path: &Path, out: &mut Problems) {
    for gate in new.get("schedulingGates").items() {
        if !old.get("schedulingGates").items().contains(gate) {
            out.push(path.child("schedulingGates").forbidden(&format!(
                "only deletion is allowed, but found new scheduling gate '{}'",
                gate.str("name")
            )));
        }
    }
}
