//! How far a Deployment's rollout is, in its status and conditions.
//!
//! Models `progress.go` and `sync.go` (`calculateStatus`) of `pkg/controller/deployment`.

use api::apps::{DEPLOYMENTS, ReplicaSet};
use api::meta::{self, Meta};
use api::{Value, map};
use sim::{Micros, SECOND, Time};

use super::{Rollout, available, replicas, scaling};
use crate::runner::update_status;
use crate::sync::{Step, Sync};

/// `spec.progressDeadlineSeconds` that means "never" (`math.MaxInt32`).
const NO_DEADLINE: i64 = i32::MAX as i64;

/// A Deployment condition of now.
pub(super) fn condition(
    now: Time,
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
) -> Value {
    let now = now.rfc3339();
    map! {
        "type": kind, "status": status, "lastUpdateTime": now.clone(), "lastTransitionTime": now,
        "reason": reason, "message": message,
    }
}

/// Puts a condition last, unless there is one with the same status and reason; keeps the transition time of an equal status.
pub(super) fn set_condition(deployment: &mut Value, condition: Value) {
    set_in(deployment.entry("status"), condition);
}

fn set_in(status: &mut Value, mut condition: Value) {
    let kind = condition.str("type").to_owned();
    let conditions = status.entry("conditions").list_mut();
    if let Some(at) = conditions.iter().position(|c| c.str("type") == kind) {
        let old = &conditions[at];
        let same_status = old.str("status") == condition.str("status");
        if same_status && old.str("reason") == condition.str("reason") {
            return;
        }
        if same_status {
            condition.set("lastTransitionTime", old.get("lastTransitionTime"));
        }
        conditions.remove(at);
    }
    conditions.push(condition);
}

fn remove_in(status: &mut Value, kind: &str) {
    if status
        .get("conditions")
        .items()
        .iter()
        .any(|c| c.str("type") == kind)
    {
        status
            .entry("conditions")
            .list_mut()
            .retain(|c| c.str("type") != kind);
    }
}

pub(super) fn has_deadline(rollout: &Rollout) -> bool {
    rollout
        .view()
        .progress_deadline_secs()
        .is_some_and(|secs| secs != NO_DEADLINE)
}

/// Whether a status says that all replicas are updated, there are no others, and all are available.
pub(super) fn is_complete(rollout: &Rollout, status: &Value) -> bool {
    let wanted = rollout.replicas();
    let count = |field| status.int(field).unwrap_or_default();
    count("updatedReplicas") == wanted
        && count("replicas") == wanted
        && count("availableReplicas") == wanted
        && status.int("observedGeneration") >= Meta::of(&rollout.deployment).generation()
}

/// Notes in the conditions that the Deployment was paused or resumed.
pub(super) fn sync_paused(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    if !has_deadline(rollout) {
        return Ok(());
    }
    let reason = meta::condition(&rollout.deployment, "Progressing").map(|c| c.reason());
    if reason == Some("ProgressDeadlineExceeded") {
        return Ok(());
    }
    let was_paused = reason == Some("DeploymentPaused");
    let is_paused = rollout.view().is_paused();
    let (reason, message) = match (is_paused, was_paused) {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return Ok(()),
    };
    let condition = condition(
        s.now(),
        "Progressing",
        "Unknown",
        reason,
        message.to_owned(),
    );
    set_condition(&mut rollout.deployment, condition);
    // The caller goes on with the newest version, or its own status update would conflict.
    rollout.deployment = s.must(update_status(&DEPLOYMENTS, rollout.deployment.clone()))?;
    Ok(())
}

/// Writes the status without judging progress.
pub(super) fn sync(rollout: &Rollout, s: &mut Sync<'_, '_>) -> Step {
    write(rollout, calculate(rollout, s.now()), s)?;
    Ok(())
}

/// Writes the status with the Progressing condition.
pub(super) fn sync_progress(rollout: &Rollout, s: &mut Sync<'_, '_>) -> Step {
    let now = s.now();
    let mut status = calculate(rollout, now);
    let current = meta::condition(&rollout.deployment, "Progressing");
    if !has_deadline(rollout) {
        remove_in(&mut status, "Progressing");
    }
    let was_complete = status.int("replicas") == status.int("updatedReplicas")
        && current.is_some_and(|c| c.reason() == "NewReplicaSetAvailable");
    if has_deadline(rollout) && !was_complete {
        judge(rollout, &mut status, now);
    }
    match failure(rollout) {
        Some(failure) => set_in(&mut status, failure),
        None => remove_in(&mut status, "ReplicaFailure"),
    }
    if status.get("conditions").is_empty() {
        status.remove("conditions");
    }
    if !write(rollout, status, s)? {
        look_again(rollout, s);
    }
    Ok(())
}

/// Sets the Progressing condition: complete, moving, or stuck for too long.
fn judge(rollout: &Rollout, status: &mut Value, now: Time) {
    let current = meta::condition(&rollout.deployment, "Progressing");
    let who = match &rollout.new {
        Some(new) => format!("ReplicaSet {:?}", Meta::of(new).name()),
        None => format!("Deployment {:?}", rollout.name()),
    };
    if is_complete(rollout, status) {
        let message = format!("{who} has successfully progressed.");
        set_in(
            status,
            condition(
                now,
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                message,
            ),
        );
    } else if is_moving(rollout, status) {
        let message = format!("{who} is progressing.");
        let mut progress = condition(now, "Progressing", "True", "ReplicaSetUpdated", message);
        if let Some(current) = current {
            if current.status() == "True" {
                progress.set("lastTransitionTime", current.0.get("lastTransitionTime"));
            }
            // Removed first, so that its update time moves even if nothing else differs.
            remove_in(status, "Progressing");
        }
        set_in(status, progress);
    } else if is_overdue(rollout, now) {
        let message = format!("{who} has timed out progressing.");
        set_in(
            status,
            condition(
                now,
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                message,
            ),
        );
    }
}

fn calculate(rollout: &Rollout, now: Time) -> Value {
    let sum = |count: fn(&Value) -> Option<i64>| -> i64 {
        let counts = rollout.sets().map(count);
        counts.flatten().sum()
    };
    let wanted: i64 = rollout.sets().map(replicas).sum();
    let available: i64 = rollout.sets().map(available).sum();
    let updated = rollout
        .new
        .as_ref()
        .and_then(|new| ReplicaSet(new).status_replicas());
    let mut status = map! {};
    for (field, count) in [
        ("replicas", sum(|set| ReplicaSet(set).status_replicas())),
        ("updatedReplicas", updated.unwrap_or_default()),
        ("readyReplicas", sum(|set| ReplicaSet(set).ready_replicas())),
        ("availableReplicas", available),
        ("unavailableReplicas", (wanted - available).max(0)),
        (
            "observedGeneration",
            Meta::of(&rollout.deployment)
                .generation()
                .unwrap_or_default(),
        ),
    ] {
        if count != 0 {
            status.set(field, count);
        }
    }
    let terminating = rollout.sets().map(|set| {
        let status = set.get("status");
        let is_known = status.has("observedGeneration");
        // One that nobody has looked at yet has nothing that could end.
        status
            .int("terminatingReplicas")
            .or((!is_known).then_some(0))
    });
    if let Some(terminating) = terminating.sum::<Option<i64>>() {
        status.set("terminatingReplicas", terminating);
    }
    if let Some(count) = rollout.view().collision_count() {
        status.set("collisionCount", count);
    }
    let conditions = rollout.deployment.path("status.conditions");
    status.set("conditions", conditions.items().to_vec());
    let is_enough = available >= rollout.replicas() - scaling::max_unavailable(rollout);
    let availability = if is_enough {
        let message = "Deployment has minimum availability.".to_owned();
        condition(
            now,
            "Available",
            "True",
            "MinimumReplicasAvailable",
            message,
        )
    } else {
        let message = "Deployment does not have minimum availability.".to_owned();
        condition(
            now,
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            message,
        )
    };
    set_in(&mut status, availability);
    status
}

/// Whether the new status is a step forward from the old one.
fn is_moving(rollout: &Rollout, new: &Value) -> bool {
    let old = rollout.deployment.get("status");
    let count = |status: &Value, field| status.int(field).unwrap_or_default();
    let outdated = |status| count(status, "replicas") - count(status, "updatedReplicas");
    count(new, "updatedReplicas") > count(old, "updatedReplicas")
        || outdated(new) < outdated(old)
        || count(new, "readyReplicas") > count(old, "readyReplicas")
        || count(new, "availableReplicas") > count(old, "availableReplicas")
}

fn deadline(rollout: &Rollout) -> Option<Time> {
    let secs = rollout.view().progress_deadline_secs()?;
    let current = meta::condition(&rollout.deployment, "Progressing")?;
    let updated = Time::parse_rfc3339(current.0.str("lastUpdateTime"))?;
    Some(updated + secs.max(0) as Micros * SECOND)
}

fn is_overdue(rollout: &Rollout, now: Time) -> bool {
    match meta::condition(&rollout.deployment, "Progressing").map(|c| c.reason()) {
        None | Some("NewReplicaSetAvailable") => false,
        Some("ProgressDeadlineExceeded") => true,
        Some(_) => deadline(rollout).is_some_and(|at| at < now),
    }
}

/// Nothing moved: nobody would call again when the deadline passes.
fn look_again(rollout: &Rollout, s: &mut Sync<'_, '_>) {
    let reason = meta::condition(&rollout.deployment, "Progressing").map(|c| c.reason());
    let is_decided = is_complete(rollout, rollout.deployment.get("status"))
        || matches!(reason, None | Some("ProgressDeadlineExceeded"));
    if is_decided || !has_deadline(rollout) {
        return;
    }
    if let Some(at) = deadline(rollout) {
        s.again_at(at.max(s.now()) + SECOND);
    }
}

/// Why pods cannot be made, told by the new ReplicaSet or else by any.
fn failure(rollout: &Rollout) -> Option<Value> {
    let sets = rollout.new.iter().chain(rollout.sets());
    let mut found = sets.filter_map(|set| meta::condition(set, "ReplicaFailure"));
    found.next().map(|c| {
        map! {
            "type": "ReplicaFailure", "status": c.0.get("status"),
            "lastUpdateTime": c.0.get("lastTransitionTime"), "lastTransitionTime": c.0.get("lastTransitionTime"),
            "reason": c.0.get("reason"), "message": c.0.get("message"),
        }
    })
}

/// Writes the status if it differs; false if it does not.
fn write(rollout: &Rollout, status: Value, s: &mut Sync<'_, '_>) -> Step<bool> {
    if *rollout.deployment.get("status") == status {
        return Ok(false);
    }
    let mut deployment = rollout.deployment.clone();
    deployment.set("status", status);
    s.must(update_status(&DEPLOYMENTS, deployment))?;
    Ok(true)
}
