//! Deployments, replica sets, daemon sets, stateful sets, replication controllers (`pkg/apis/apps/validation`).

use api::{Map, Value};

use super::{IMMUTABLE, Problems, labels, numbers, pod};
use crate::path::Path;

const ONLY_ALWAYS: [&str; 1] = ["Always"];
const NO_EMPTY_SELECTOR: &str = "empty selector is invalid for deployment";

pub(crate) fn deployment(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    numbers::not_negative(spec.get("replicas"), &path.child("replicas"), out);
    selector(spec, &path, NO_EMPTY_SELECTOR, out);
    template(spec, &path, out);
    strategy(spec.get("strategy"), &path.child("strategy"), out);
    for field in ["minReadySeconds", "revisionHistoryLimit"] {
        numbers::not_negative(spec.get(field), &path.child(field), out);
    }
    if let Some(deadline) = spec.int("progressDeadlineSeconds") {
        let path = path.child("progressDeadlineSeconds");
        numbers::not_negative(spec.get("progressDeadlineSeconds"), &path, out);
        if deadline <= spec.int("minReadySeconds").unwrap_or(0) {
            out.push(path.invalid(deadline, "must be greater than minReadySeconds"));
        }
    }
}

pub(crate) fn deployment_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec").is_same(old.get("spec")) {
        return;
    }
    deployment(new, out);
    let path = Path::new("spec");
    immutable_selector(new, old, &path, out);
}

pub(crate) fn deployment_status(new: &Value, old: &Value, out: &mut Problems) {
    let (status, path) = (new.get("status"), Path::new("status"));
    for field in [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "collisionCount",
        "terminatingReplicas",
    ] {
        numbers::not_negative(status.get(field), &path.child(field), out);
    }
    let number = |field: &str| status.int(field).unwrap_or(0);
    let mut at_most = |field: &'static str, limit: &'static str, detail: &str| {
        if number(field) > number(limit) {
            out.push(path.child(field).invalid(number(field), detail));
        }
    };
    at_most(
        "updatedReplicas",
        "replicas",
        "cannot be greater than status.replicas",
    );
    at_most(
        "readyReplicas",
        "replicas",
        "cannot be greater than status.replicas",
    );
    at_most(
        "availableReplicas",
        "replicas",
        "cannot be greater than status.replicas",
    );
    at_most(
        "availableReplicas",
        "readyReplicas",
        "cannot be greater than readyReplicas",
    );
    let before = old.path("status.collisionCount").as_int();
    if before.is_some_and(|before| before > number("collisionCount")) {
        out.push(
            path.child("collisionCount")
                .invalid(number("collisionCount"), "cannot be decremented"),
        );
    }
}

fn strategy(strategy: &Value, path: &Path, out: &mut Problems) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.str("type") {
        "Recreate" => {
            if !rolling.is_null() {
                out.push(
                    path.child("rollingUpdate")
                        .forbidden("may not be specified when strategy `type` is 'Recreate'"),
                );
            }
        }
        "RollingUpdate" => {
            let path = path.child("rollingUpdate");
            if rolling.is_null() {
                out.push(path.required("this should be defaulted and never be nil"));
                return;
            }
            rolling_update(rolling, &path, out);
        }
        _ => out.push(
            path.child("type")
                .not_supported(strategy.get("type"), &["Recreate", "RollingUpdate"]),
        ),
    }
}

fn rolling_update(rolling: &Value, path: &Path, out: &mut Problems) {
    let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    numbers::int_or_percent(unavailable, &path.child("maxUnavailable"), out);
    numbers::int_or_percent(surge, &path.child("maxSurge"), out);
    if numbers::is_zero(unavailable) && numbers::is_zero(surge) {
        out.push(
            path.child("maxUnavailable")
                .invalid(unavailable, "may not be 0 when `maxSurge` is 0"),
        );
    }
    numbers::not_more_than_whole(unavailable, &path.child("maxUnavailable"), out);
}

pub(crate) fn replica_set(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    numbers::not_negative(spec.get("replicas"), &path.child("replicas"), out);
    numbers::not_negative(
        spec.get("minReadySeconds"),
        &path.child("minReadySeconds"),
        out,
    );
    selector(spec, &path, "empty selector is invalid for deployment", out);
    template(spec, &path, out);
}

pub(crate) fn replica_set_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec").is_same(old.get("spec")) {
        return;
    }
    replica_set(new, out);
    immutable_selector(new, old, &Path::new("spec"), out);
}

pub(crate) fn daemon_set(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    selector(spec, &path, "empty selector is invalid for daemonset", out);
    template(spec, &path, out);
    numbers::not_negative(
        spec.get("minReadySeconds"),
        &path.child("minReadySeconds"),
        out,
    );
    let (strategy, strategy_path) = (spec.get("updateStrategy"), path.child("updateStrategy"));
    match strategy.str("type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = strategy.get("rollingUpdate");
            let path = strategy_path.child("rollingUpdate");
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            numbers::int_or_percent(unavailable, &path.child("maxUnavailable"), out);
            numbers::int_or_percent(surge, &path.child("maxSurge"), out);
            match (numbers::is_zero(unavailable), numbers::is_zero(surge)) {
                (true, true) => out.push(
                    path.child("maxUnavailable")
                        .invalid(unavailable, "cannot be 0 when maxSurge is 0"),
                ),
                (false, false) => out.push(
                    path.child("maxSurge")
                        .invalid(surge, "may not be set when maxUnavailable is non-zero"),
                ),
                _ => {}
            }
            numbers::not_more_than_whole(unavailable, &path.child("maxUnavailable"), out);
            numbers::not_more_than_whole(surge, &path.child("maxSurge"), out);
        }
        _ => out.push(
            strategy_path
                .child("type")
                .not_supported(strategy.get("type"), &["RollingUpdate", "OnDelete"]),
        ),
    }
    numbers::not_negative(
        spec.get("revisionHistoryLimit"),
        &path.child("revisionHistoryLimit"),
        out,
    );
}

pub(crate) fn daemon_set_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec").is_same(old.get("spec")) {
        return;
    }
    immutable_selector(new, old, &Path::new("spec"), out);
    daemon_set(new, out);
}

pub(crate) fn stateful_set(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    match spec.str("podManagementPolicy") {
        "" => out.push(path.child("podManagementPolicy").required("")),
        "OrderedReady" | "Parallel" => {}
        _ => out.push(path.child("podManagementPolicy").invalid(
            spec.get("podManagementPolicy"),
            "must be 'OrderedReady' or 'Parallel'",
        )),
    }
    let (strategy, strategy_path) = (spec.get("updateStrategy"), path.child("updateStrategy"));
    match strategy.str("type") {
        "" => out.push(strategy_path.required("")),
        "OnDelete" => {
            if !strategy.get("rollingUpdate").is_null() {
                out.push(strategy_path.child("rollingUpdate").invalid(
                    strategy.get("rollingUpdate"),
                    "only allowed for updateStrategy 'RollingUpdate'",
                ));
            }
        }
        "RollingUpdate" => {
            let path = strategy_path.child("rollingUpdate");
            let rolling = strategy.get("rollingUpdate");
            numbers::not_negative(rolling.get("partition"), &path.child("partition"), out);
            let unavailable = rolling.get("maxUnavailable");
            if !unavailable.is_null() {
                let path = path.child("maxUnavailable");
                numbers::int_or_percent(unavailable, &path, out);
                if numbers::is_zero(unavailable) {
                    out.push(path.invalid(unavailable, "cannot be 0"));
                }
                numbers::not_more_than_whole(unavailable, &path, out);
            }
        }
        other => {
            // The message shows the internal type.
            let mut problem = strategy_path.invalid(Value::Null, "");
            problem.message = format!(
                "Invalid value: {{\"Type\":{other:?},\"RollingUpdate\":{}}}: must be 'RollingUpdate' or 'OnDelete'",
                strategy.get("rollingUpdate").to_json()
            );
            out.push(problem);
        }
    }
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    let retention_path = path.child("persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"] {
        if !retention.is_null() && !matches!(retention.str(field), "Retain" | "Delete") {
            out.push(
                retention_path
                    .child(field)
                    .not_supported(retention.get(field), &["Retain", "Delete"]),
            );
        }
    }
    numbers::not_negative(spec.get("replicas"), &path.child("replicas"), out);
    numbers::not_negative(
        spec.get("minReadySeconds"),
        &path.child("minReadySeconds"),
        out,
    );
    numbers::not_negative(
        spec.path("ordinals.start"),
        &path.child("ordinals").child("start"),
        out,
    );
    numbers::not_negative(
        spec.get("revisionHistoryLimit"),
        &path.child("revisionHistoryLimit"),
        out,
    );
    selector(
        spec,
        &path,
        "empty selector is invalid for statefulset",
        out,
    );
    template(spec, &path, out);
    if !spec.str("serviceName").is_empty() {
        for message in super::names::label(spec.str("serviceName")) {
            let path = path.child("serviceName");
            out.push(path.invalid(spec.get("serviceName"), &message));
        }
    }
}

/// The only fields of a stateful set's spec that may change.
const STATEFUL_SET_MUTABLE: [&str; 8] = [
    "replicas",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "ordinals",
    "status",
];

pub(crate) fn stateful_set_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("spec").is_same(old.get("spec")) {
        return;
    }
    stateful_set(new, out);
    let fixed = |spec: &Value| -> Map {
        let mut fixed = spec.entries().clone();
        fixed.retain(|field, _| !STATEFUL_SET_MUTABLE.contains(&field));
        fixed
    };
    if fixed(new.get("spec")) != fixed(old.get("spec")) {
        out.push(Path::new("spec").forbidden("updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
    }
}

pub(crate) fn replication_controller(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    numbers::not_negative(
        spec.get("minReadySeconds"),
        &path.child("minReadySeconds"),
        out,
    );
    let selector = spec.get("selector");
    if selector.is_empty() {
        out.push(path.child("selector").required(""));
    }
    if spec.get("replicas").is_null() {
        out.push(path.child("replicas").required(""));
    }
    numbers::not_negative(spec.get("replicas"), &path.child("replicas"), out);
    let found = spec.path("template.metadata.labels");
    let matches = selector
        .entries()
        .iter()
        .all(|(key, value)| found.get(key) == value);
    let template_path = path.child("template");
    if !matches {
        out.push(
            template_path
                .child("metadata")
                .child("labels")
                .invalid(found, "`selector` does not match template `labels`"),
        );
    }
    pod::template(spec.get("template"), &template_path, out);
    always_restarts(spec, &template_path, out);
}

pub(crate) fn replication_controller_update(new: &Value, old: &Value, out: &mut Problems) {
    if !new.get("spec").is_same(old.get("spec")) {
        replication_controller(new, out);
    }
}

fn selector(spec: &Value, path: &Path, when_empty: &str, out: &mut Problems) {
    let selector = spec.get("selector");
    let path = path.child("selector");
    if selector.is_null() {
        out.push(path.required(""));
        return;
    }
    labels::selector(selector, &path, out);
    if labels::is_empty(selector) {
        out.push(path.invalid(selector.clone(), when_empty));
    }
}

/// The template's labels must match, it must be a valid pod, and it must restart for ever.
fn template(spec: &Value, path: &Path, out: &mut Problems) {
    let path = path.child("template");
    let selector = spec.get("selector");
    let found = spec.path("template.metadata.labels");
    // No selector selects nothing, an empty one everything.
    let selects =
        !selector.is_null() && (labels::is_empty(selector) || labels::matches(selector, found));
    if !selects {
        out.push(path.child("metadata").child("labels").invalid(
            if found.is_null() {
                Value::Null
            } else {
                found.clone()
            },
            "`selector` does not match template `labels`",
        ));
    }
    let claims = spec.get("volumeClaimTemplates").items();
    pod::template_with(spec.get("template"), claims, &path, out);
    always_restarts(spec, &path, out);
}

fn always_restarts(spec: &Value, template_path: &Path, out: &mut Problems) {
    let policy = spec.path("template.spec.restartPolicy");
    let path = template_path.child("spec");
    if policy.as_str() != Some("Always") {
        out.push(
            path.child("restartPolicy")
                .not_supported(policy, &ONLY_ALWAYS),
        );
    }
    let deadline = spec.path("template.spec.activeDeadlineSeconds");
    if !deadline.is_null() {
        out.push(
            path.child("activeDeadlineSeconds")
                .forbidden("activeDeadlineSeconds in ReplicaSet is not Supported"),
        );
    }
}

fn immutable_selector(new: &Value, old: &Value, path: &Path, out: &mut Problems) {
    let (new, old) = (new.path("spec.selector"), old.path("spec.selector"));
    if new != old {
        // The message shows the internal type's fields.
        let mut problem = path.child("selector").invalid(Value::Null, IMMUTABLE);
        problem.message = format!("Invalid value: {}: {IMMUTABLE}", shown_selector(new));
        out.push(problem);
    }
}

/// A selector as `%v` of the JSON of `metav1.LabelSelector` prints it.
fn shown_selector(selector: &Value) -> String {
    let mut parts = Vec::new();
    for field in ["matchLabels", "matchExpressions"] {
        if !selector.get(field).is_empty() {
            parts.push(format!("{field:?}:{}", selector.get(field).to_json()));
        }
    }
    format!("{{{}}}", parts.join(","))
}
