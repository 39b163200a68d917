//! Rolls ReplicaSets forward so that the pods become what each Deployment's template says.
//!
//! Never touches pods: it makes one ReplicaSet per template and moves replicas from the old ones to the new one,
//! in the order of the strategy. Models `pkg/controller/deployment` at v1.36; starts at [`Deployments::sync`].
//! [`revisions`] finds and makes ReplicaSets, [`scaling`] moves replicas, [`status`] tells how far it is.

mod revisions;
pub(crate) mod scaling;
mod status;

use api::apps::{DEPLOYMENTS, Deployment, REPLICA_SETS, ReplicaSet};
use api::core::PODS;
use api::meta::Meta;
use api::{Request, Resource, Value};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};

use crate::owned::{Claim, OwnerKind, candidates};
use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::selection::{is_everything, selects};
use crate::sync::{Halt, Step, Sync};

pub(crate) const OWNER: OwnerKind = OwnerKind {
    api_version: "apps/v1",
    kind: "Deployment",
};

/// The Deployment controller. It remembers nothing: all it needs stands in the objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deployments;

/// A Deployment with its ReplicaSets, as one sync works on them.
#[derive(Clone, Debug)]
struct Rollout {
    deployment: Value,
    /// All of its ReplicaSets, as claimed.
    all: Vec<Value>,
    /// The one with the current template.
    new: Option<Value>,
    /// The others, oldest first.
    old: Vec<Value>,
}

impl Rollout {
    fn view(&self) -> Deployment<'_> {
        Deployment(&self.deployment)
    }

    fn replicas(&self) -> i64 {
        self.view().replicas().unwrap_or_default()
    }

    /// Old ones and the new one.
    fn sets(&self) -> impl Iterator<Item = &Value> + Clone {
        self.old.iter().chain(&self.new)
    }

    fn about(&self) -> ObjectRef {
        ObjectRef::of(&self.deployment, OWNER.api_version, OWNER.kind)
    }

    fn name(&self) -> &str {
        Meta::of(&self.deployment).name()
    }
}

/// `spec.replicas` of a ReplicaSet.
fn replicas(set: &Value) -> i64 {
    ReplicaSet(set).replicas().unwrap_or_default()
}

/// `status.availableReplicas` of a ReplicaSet.
fn available(set: &Value) -> i64 {
    ReplicaSet(set).available_replicas().unwrap_or_default()
}

/// The Deployment that controls an object, if it is still the same.
fn owner_key(object: &Value, caches: &Informers) -> Option<ObjectKey> {
    let meta = Meta::of(object);
    let owner = meta.controller()?;
    if owner.kind() != OWNER.kind {
        return None;
    }
    let found = caches
        .cache(&DEPLOYMENTS)
        .get(meta.namespace(), owner.name())?;
    (Meta::of(found).uid() == owner.uid()).then(|| ObjectKey::of(found))
}

fn add_matching(set: &Value, caches: &Informers, keys: &mut Keys<'_>) {
    let meta = Meta::of(set);
    for deployment in caches.cache(&DEPLOYMENTS).in_namespace(meta.namespace()) {
        let selector = Deployment(deployment).selector();
        if !is_everything(selector) && selects(selector, meta.labels()) {
            keys.add(ObjectKey::of(deployment));
        }
    }
}

fn set_changed(change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
    let uid = |object: &Value| Meta::of(object).controller().map(|o| o.0.shared_str("uid"));
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            let owner_changed = uid(old) != uid(new);
            if owner_changed && let Some(key) = owner_key(old, caches) {
                keys.add(key);
            }
            if Meta::of(new).controller().is_some() {
                keys_of_owner(new, caches, keys);
            } else if owner_changed || pods::labels(old) != pods::labels(new) {
                add_matching(new, caches, keys);
            }
        }
        (None, Some(new)) if Meta::of(new).is_deleting() => keys_of_owner(new, caches, keys),
        (None, Some(new)) if Meta::of(new).controller().is_none() => {
            add_matching(new, caches, keys);
        }
        _ => keys_of_owner(change.object(), caches, keys),
    }
}

fn keys_of_owner(object: &Value, caches: &Informers, keys: &mut Keys<'_>) {
    if let Some(key) = owner_key(object, caches) {
        keys.add(key);
    }
}

/// A Recreate rollout goes on once the last old pod is gone.
fn pod_deleted(pod: &Value, caches: &Informers, keys: &mut Keys<'_>) {
    let meta = Meta::of(pod);
    let Some(owner) = meta.controller().filter(|o| o.kind() == "ReplicaSet") else {
        return;
    };
    let Some(set) = caches
        .cache(&REPLICA_SETS)
        .get(meta.namespace(), owner.name())
    else {
        return;
    };
    let Some(key) = owner_key(set, caches) else {
        return;
    };
    let Some(deployment) = caches.cache(&DEPLOYMENTS).get_key(&key) else {
        return;
    };
    let sets = caches
        .cache(&REPLICA_SETS)
        .controlled_by(Meta::of(deployment).uid());
    let mut pods = sets.flat_map(|set| caches.cache(&PODS).controlled_by(Meta::of(set).uid()));
    if Deployment(deployment).strategy() == "Recreate" && pods.next().is_none() {
        keys.add(key);
    }
}

impl Controller for Deployments {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn kind(&self) -> &'static str {
        "deployments"
    }

    fn max_retries(&self) -> Option<u32> {
        Some(15)
    }

    fn watches(&self) -> Vec<Resource> {
        vec![DEPLOYMENTS, REPLICA_SETS, PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == DEPLOYMENTS {
            keys.add(ObjectKey::of(change.object()));
        } else if *resource == REPLICA_SETS {
            set_changed(change, caches, keys);
        } else if change.is_deleted() {
            pod_deleted(change.object(), caches, keys);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(deployment) = s.get_key(&DEPLOYMENTS, key) else {
            return Ok(());
        };
        let selector = Deployment(&deployment).selector().clone();
        if is_everything(&selector) {
            return refuse_everything(deployment, s);
        }
        let sets = candidates(&REPLICA_SETS, &deployment, s);
        let claim = Claim {
            owner: &deployment,
            kind: OWNER,
            owners: &DEPLOYMENTS,
            children: &REPLICA_SETS,
            selector: &selector,
            finalizer: None,
        };
        let all = claim.claim(&sets, s)?;
        let mut rollout = Rollout {
            deployment,
            all,
            new: None,
            old: Vec::new(),
        };
        if Meta::of(&rollout.deployment).is_deleting() {
            revisions::find(&mut rollout, s)?;
            return status::sync(&rollout, s);
        }
        status::sync_paused(&mut rollout, s)?;
        if rollout.view().is_paused() || {
            revisions::find(&mut rollout, s)?;
            scaling::is_scaling_event(&rollout)
        } {
            return scale_or_pause(&mut rollout, s);
        }
        match rollout.view().strategy() {
            "Recreate" => recreate(&mut rollout, s),
            _ => rolling_update(&mut rollout, s),
        }
    }
}

fn refuse_everything(mut deployment: Value, s: &mut Sync<'_, '_>) -> Step {
    let about = ObjectRef::of(&deployment, OWNER.api_version, OWNER.kind);
    s.event(
        &about,
        Severity::Warning,
        "SelectingAll",
        "This deployment is selecting all pods. A non-empty selector is required.",
    );
    let generation = Meta::of(&deployment).generation();
    if Deployment(&deployment).observed_generation() < generation {
        deployment.set_path("status.observedGeneration", generation);
        s.must(update_status(&DEPLOYMENTS, deployment))?;
    }
    Ok(())
}

/// Replicas changed, or the Deployment is paused: no rollout, only the right size.
fn scale_or_pause(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    revisions::find(rollout, s)?;
    scaling::scale(rollout, s)?;
    if rollout.view().is_paused() {
        clean_up(rollout, s)?;
    }
    status::sync(rollout, s)
}

fn rolling_update(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    revisions::find_or_create(rollout, s)?;
    if scaling::grow_new(rollout, s)? || scaling::shrink_old(rollout, s)? {
        return status::sync_progress(rollout, s);
    }
    if status::is_complete(rollout, rollout.deployment.get("status")) {
        clean_up(rollout, s)?;
    }
    status::sync_progress(rollout, s)
}

/// All old pods go before the first new one comes.
fn recreate(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    revisions::find(rollout, s)?;
    if scaling::shrink_all_old(rollout, s)? || has_old_pods(rollout, s) {
        return status::sync_progress(rollout, s);
    }
    if rollout.new.is_none() {
        revisions::find_or_create(rollout, s)?;
    }
    let wanted = rollout.replicas();
    scaling::resize_new(rollout, wanted, s)?;
    if status::is_complete(rollout, rollout.deployment.get("status")) {
        clean_up(rollout, s)?;
    }
    status::sync_progress(rollout, s)
}

fn has_old_pods(rollout: &Rollout, s: &mut Sync<'_, '_>) -> bool {
    let reported = rollout
        .old
        .iter()
        .map(|set| ReplicaSet(set).status_replicas());
    if reported.flatten().sum::<i64>() > 0 {
        return true;
    }
    let pods = s.read(|caches| {
        let sets = rollout.old.iter();
        sets.flat_map(|set| caches.cache(&PODS).controlled_by(Meta::of(set).uid()))
            .cloned()
            .collect()
    });
    pods.iter().any(|pod| !pods::is_finished(pod))
}

/// Deletes old ReplicaSets beyond `revisionHistoryLimit`.
fn clean_up(rollout: &Rollout, s: &mut Sync<'_, '_>) -> Step {
    let Some(limit) = rollout.view().revision_history_limit() else {
        return Ok(());
    };
    let mut old: Vec<&Value> = rollout
        .old
        .iter()
        .filter(|set| !Meta::of(set).is_deleting())
        .collect();
    let surplus = old.len().saturating_sub(limit.max(0) as usize);
    old.sort_by_key(|set| (revisions::revision(set), Meta::of(set).creation_time()));
    let is_idle = |set: &&&Value| {
        let view = ReplicaSet(set);
        view.status_replicas().unwrap_or_default() == 0
            && replicas(set) == 0
            && Meta::of(set).generation() <= view.observed_generation()
    };
    let requests = old.iter().take(surplus).filter(is_idle).map(|set| {
        let meta = Meta::of(set);
        Request::delete(&REPLICA_SETS, meta.shared_namespace(), meta.shared_name())
    });
    for answer in s.call_all(requests.collect())?.iter() {
        if !answer.is_success() && answer.code != 404 {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
    }
    Ok(())
}
