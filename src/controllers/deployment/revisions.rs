//! Which ReplicaSet has the Deployment's template, and what its annotations remember.
//!
//! Models `sync.go` (`getNewReplicaSet`) and `util/deployment_util.go` of `pkg/controller/deployment`.

use api::apps::{DEPLOYMENTS, REPLICA_SETS};
use api::meta::Meta;
use api::{Request, Str, Value, map};
use client::Severity;

use super::{OWNER, Rollout, scaling, status};
use crate::hash::template_hash;
use crate::runner::update_status;
use crate::selection::with_label;
use crate::sync::{Halt, Step, Sync};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";
const HASH_LABEL: &str = "pod-template-hash";

/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// `maxRevHistoryLengthInChars`.
const MAX_HISTORY_CHARS: usize = 2000;

/// The revision of a ReplicaSet; 0 if it has none.
pub(super) fn revision(set: &Value) -> i64 {
    let text = Meta::of(set).annotation(REVISION);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Sorts the ReplicaSets into the new one and the old ones, and brings the new one's annotations up to date.
pub(super) fn find(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    divide(rollout);
    if rollout.new.is_some() {
        adopt_revision(rollout, s)?;
    }
    Ok(())
}

/// As [`find`], and makes the new ReplicaSet if there is none.
pub(super) fn find_or_create(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    find(rollout, s)?;
    if rollout.new.is_none() {
        create(rollout, s)?;
    }
    Ok(())
}

fn divide(rollout: &mut Rollout) {
    if rollout.new.is_some() || !rollout.old.is_empty() {
        return;
    }
    let mut sets = rollout.all.clone();
    sets.sort_by_cached_key(|set| {
        (
            Meta::of(set).creation_time(),
            Meta::of(set).name().to_owned(),
        )
    });
    let template = rollout.view().template();
    let at = sets
        .iter()
        .position(|set| is_same_template(set.path("spec.template"), template));
    rollout.new = at.map(|at| sets.remove(at));
    rollout.old = sets;
}

/// Equal but for the hash label.
fn is_same_template(a: &Value, b: &Value) -> bool {
    let plain = |template: &Value| {
        let mut template = template.clone();
        // A missing creationTimestamp and a null one are the same.
        template.remove_path("metadata.creationTimestamp");
        template.remove_path(&format!("metadata.labels.{HASH_LABEL}"));
        if template.path("metadata.labels").is_empty() {
            template.remove_path("metadata.labels");
        }
        template
    };
    a.get("spec") == b.get("spec") && plain(a) == plain(b)
}

fn next_revision(rollout: &Rollout) -> i64 {
    1 + rollout.old.iter().map(revision).max().unwrap_or_default()
}

/// The new ReplicaSet exists: its annotations, its minReadySeconds and the Deployment's revision follow.
fn adopt_revision(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    let next = next_revision(rollout);
    let mut set = rollout.new.clone().expect("the caller found it");
    let mut changed = annotate(&rollout.deployment, &mut set, next, true);
    let min_ready = rollout.deployment.path("spec.minReadySeconds").clone();
    if set.path("spec.minReadySeconds").int_or_zero() != min_ready.int_or_zero() {
        set.set_path("spec.minReadySeconds", min_ready);
        changed = true;
    }
    if changed {
        rollout.new = Some(s.must(Request::update(&REPLICA_SETS, set))?);
        return Ok(());
    }
    let mut update = set_revision(&mut rollout.deployment, revision(&set));
    let has_progress = rollout
        .deployment
        .path("status.conditions")
        .items()
        .iter()
        .any(|c| c.str("type") == "Progressing");
    if status::has_deadline(rollout) && !has_progress {
        let message = format!("Found new replica set {:?}", Meta::of(&set).name());
        status::set_condition(
            &mut rollout.deployment,
            status::condition(
                s.now(),
                "Progressing",
                "True",
                "FoundNewReplicaSet",
                message,
            ),
        );
        update = true;
    }
    if update {
        s.must(update_status(&DEPLOYMENTS, rollout.deployment.clone()))?;
    }
    Ok(())
}

fn create(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    let next = next_revision(rollout);
    let (set, count) = draft(rollout, next);
    let name = Meta::of(&set).shared_name();
    let meta = Meta::of(&rollout.deployment);
    let (namespace, uid) = (meta.shared_namespace(), meta.shared_uid());
    let answer = s.call(Request::create(&REPLICA_SETS, namespace.clone(), set))?;
    let mut is_fresh = true;
    let created = if answer.is_success() {
        answer.body
    } else if answer.reason() == "AlreadyExists" {
        let existing = s.must(Request::get(&REPLICA_SETS, namespace, name.clone()))?;
        let is_ours = Meta::of(&existing)
            .controller()
            .is_some_and(|o| o.uid() == &*uid)
            && is_same_template(existing.path("spec.template"), rollout.view().template());
        if !is_ours {
            // Another template has the same hash: the next try hashes with a salt.
            let salt = rollout.view().collision_count().unwrap_or_default() + 1;
            rollout.deployment.set_path("status.collisionCount", salt);
            s.must(update_status(&DEPLOYMENTS, rollout.deployment.clone()))?;
            return Err(Halt::Retry(answer.message().to_owned()));
        }
        is_fresh = false;
        existing
    } else {
        if crate::replicaset::is_namespace_terminating(&answer.body) {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
        return fail_create(rollout, &name, answer.message(), s);
    };
    if is_fresh && count > 0 {
        s.event(
            &rollout.about(),
            Severity::Normal,
            "ScalingReplicaSet",
            format!("Scaled up replica set {name} from 0 to {count}"),
        );
    }
    let mut update = set_revision(&mut rollout.deployment, next);
    if is_fresh && status::has_deadline(rollout) {
        let message = format!("Created new replica set {:?}", Meta::of(&created).name());
        let condition = status::condition(
            s.now(),
            "Progressing",
            "True",
            "NewReplicaSetCreated",
            message,
        );
        status::set_condition(&mut rollout.deployment, condition);
        update = true;
    }
    if update {
        s.must(update_status(&DEPLOYMENTS, rollout.deployment.clone()))?;
    }
    rollout.new = Some(created);
    Ok(())
}

fn fail_create(rollout: &mut Rollout, name: &str, why: &str, s: &mut Sync<'_, '_>) -> Step {
    let message = format!("Failed to create new replica set {name:?}: {why}");
    if status::has_deadline(rollout) {
        let condition = status::condition(
            s.now(),
            "Progressing",
            "False",
            "ReplicaSetCreateError",
            message.clone(),
        );
        status::set_condition(&mut rollout.deployment, condition);
        // The failure to create weighs more than one to tell it.
        s.call(update_status(&DEPLOYMENTS, rollout.deployment.clone()))?;
    }
    s.event(
        &rollout.about(),
        Severity::Warning,
        "ReplicaSetCreateError",
        message,
    );
    Err(Halt::Retry(why.to_owned()))
}

/// The new ReplicaSet as it will be created, and its replicas.
fn draft(rollout: &Rollout, next: i64) -> (Value, i64) {
    let view = rollout.view();
    let hash: Str = template_hash(view.template(), view.collision_count()).into();
    let mut template = view.template().clone();
    template
        .at_mut(&["metadata", "labels"])
        .set(HASH_LABEL, &hash);
    let meta = Meta::of(&rollout.deployment);
    let count = scaling::new_size(rollout, 0);
    let mut spec = map! {
        "replicas": count,
        "selector": with_label(view.selector(), HASH_LABEL, &hash),
        "template": &template,
    };
    if let Some(secs) = view.min_ready_secs().filter(|secs| *secs > 0) {
        spec.set("minReadySeconds", secs);
    }
    let mut set = map! {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": map! {
            "name": format!("{}-{hash}", meta.name()),
            "namespace": meta.shared_namespace(),
            "labels": template.path("metadata.labels"),
            "ownerReferences": vec![OWNER.reference(&rollout.deployment)],
        },
        "spec": spec,
    };
    annotate(&rollout.deployment, &mut set, next, false);
    let limit = rollout.replicas() + scaling::max_surge(rollout);
    set_sizes(&mut set, rollout.replicas(), limit);
    (set, count)
}

/// Copies the Deployment's annotations and notes the revision; true if anything changed.
fn annotate(deployment: &Value, set: &mut Value, next: i64, exists: bool) -> bool {
    let mut changed = false;
    for (key, value) in Meta::of(deployment).annotations().iter() {
        let old = Meta::of(set).annotations().get(key);
        if NOT_COPIED.contains(&key.as_str()) || exists && old == Some(value) {
            continue;
        }
        set.at_mut(&["metadata", "annotations"])
            .set(key.clone(), value);
        changed = true;
    }
    let old = revision(set);
    if old >= next {
        return changed;
    }
    let had = Meta::of(set).annotation(REVISION).map(str::to_owned);
    let history = Meta::of(set)
        .annotation(REVISION_HISTORY)
        .map(str::to_owned);
    let annotations = set.at_mut(&["metadata", "annotations"]);
    annotations.set(REVISION, next.to_string());
    if let Some(had) = had {
        // Rolled back to: the revisions that it was before stay known.
        annotations.set(REVISION_HISTORY, extended(history.as_deref(), &had));
    }
    true
}

/// The history with one more revision, the oldest dropped where it grows too long.
fn extended(history: Option<&str>, revision: &str) -> String {
    let mut revisions: Vec<&str> = history
        .unwrap_or_default()
        .split(',')
        .filter(|part| !part.is_empty())
        .collect();
    revisions.push(revision);
    while revisions.len() > 1 && revisions.join(",").len() > MAX_HISTORY_CHARS {
        revisions.remove(0);
    }
    revisions.join(",")
}

/// Notes the sizes by which a later scaling knows what the Deployment was; true if they changed.
pub(super) fn set_sizes(set: &mut Value, desired: i64, max: i64) -> bool {
    if has_sizes(set, desired, max) {
        return false;
    }
    let annotations = set.at_mut(&["metadata", "annotations"]);
    annotations.set(DESIRED, desired.to_string());
    annotations.set(MAX, max.to_string());
    true
}

pub(super) fn has_sizes(set: &Value, desired: i64, max: i64) -> bool {
    let meta = Meta::of(set);
    meta.annotation(DESIRED) == Some(&*desired.to_string())
        && meta.annotation(MAX) == Some(&*max.to_string())
}

fn set_revision(deployment: &mut Value, revision: i64) -> bool {
    let text = revision.to_string();
    if Meta::of(deployment).annotation(REVISION) == Some(&*text) {
        return false;
    }
    deployment
        .at_mut(&["metadata", "annotations"])
        .set(REVISION, text);
    true
}

/// Numbers that may be missing.
trait IntOrZero {
    fn int_or_zero(&self) -> i64;
}

impl IntOrZero for Value {
    fn int_or_zero(&self) -> i64 {
        self.as_int().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_grows_and_forgets_its_oldest() {
        assert_eq!(extended(None, "1"), "1");
        assert_eq!(extended(Some("1,3"), "5"), "1,3,5");
        let long: Vec<String> = (1000..1500).map(|n: i32| n.to_string()).collect();
        let kept = extended(Some(&long.join(",")), "1500");
        assert!(
            kept.len() <= MAX_HISTORY_CHARS && kept.ends_with(",1500"),
            "{kept}"
        );
    }
}
