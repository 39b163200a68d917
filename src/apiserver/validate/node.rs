//! Nodes and leases.

use api::{Value, map};

use super::{Problems, names, numbers};
use crate::path::Path;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(crate) fn node(object: &Value, out: &mut Problems) {
    let meta = Path::new("metadata");
    taints(
        object.path("spec.taints").items(),
        &meta.child("taints"),
        out,
    );
}

pub(crate) fn node_update(new: &Value, old: &Value, out: &mut Problems) {
    node(new, out);
    let spec = Path::new("spec");
    for field in ["podCIDR", "providerID"] {
        let (new, old) = (new.get("spec").get(field), old.get("spec").get(field));
        // Both may be set once.
        if !old.is_empty() && new != old {
            out.push(
                spec.child(field)
                    .forbidden("node updates may not change podCIDR except from \"\" to valid"),
            );
        }
    }
}

fn taints(taints: &[Value], path: &Path, out: &mut Problems) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (at, taint) in taints.iter().enumerate() {
        let path = path.index(at);
        for message in names::qualified(taint.str("key")) {
            out.push(
                path.child("key")
                    .invalid(taint.str("key").to_owned(), &message),
            );
        }
        for message in names::label_value(taint.str("value")) {
            out.push(path.child("value").invalid(taint.get("value"), &message));
        }
        let effect = taint.str("effect");
        if effect.is_empty() {
            out.push(path.child("effect").required(""));
        } else if !EFFECTS.contains(&effect) {
            out.push(
                path.child("effect")
                    .not_supported(taint.get("effect"), &EFFECTS),
            );
        }
        let unique = (taint.str("key"), effect);
        if seen.contains(&unique) {
            // The message shows the internal type.
            let shown = format!(
                "{{\"Key\":{:?},\"Value\":{:?},\"Effect\":{:?},\"TimeAdded\":{}}}",
                taint.str("key"),
                taint.str("value"),
                effect,
                taint.get("timeAdded").to_json()
            );
            let mut problem = path.duplicate(map! {});
            problem.message =
                format!("Duplicate value: {shown}: taints must be unique by key and effect pair");
            out.push(problem);
        }
        seen.push(unique);
    }
}

pub(crate) fn lease(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    numbers::positive(
        spec.get("leaseDurationSeconds"),
        &path.child("leaseDurationSeconds"),
        out,
    );
    numbers::not_negative(
        spec.get("leaseTransitions"),
        &path.child("leaseTransitions"),
        out,
    );
}
