//! Gives each pod a name, an order and storage that stay.
//!
//! Pods are made in the order of their ordinals, each after its predecessor is ready, and go in the reverse order;
//! a pod that comes again gets its name and its claims again. Models `pkg/controller/statefulset` at v1.36;
//! starts at [`StatefulSets::sync`]. [`identity`] says what a pod must look like, [`claims`] who owns its storage.

mod claims;
mod identity;

use api::apps::{CONTROLLER_REVISIONS, STATEFUL_SETS};
use api::core::{PERSISTENT_VOLUME_CLAIMS, PODS, Pod};
use api::meta::Meta;
use api::{Request, Resource, Str, Value, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use crate::deployment::scaling::resolve;
use crate::history;
use crate::owned::{Claim, OwnerKind, candidates};
use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::selection::selects;
use crate::sync::{Halt, Step, Sync};

pub(super) const OWNER: OwnerKind = OwnerKind {
    api_version: "apps/v1",
    kind: "StatefulSet",
};
const REVISION_LABEL: &str = "controller-revision-hash";
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// The StatefulSet controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatefulSets;

/// One sync's view of a set.
#[derive(Clone, Debug)]
struct Work {
    set: Value,
    current: Value,
    update: Value,
    collision_count: i64,
    now: Time,
    /// A slot for each ordinal that should be, in order.
    replicas: Vec<Slot>,
    /// Pods whose ordinals should not be, highest first.
    condemned: Vec<Value>,
}

/// The pod of an ordinal, or what it will be.
#[derive(Clone, Debug)]
struct Slot {
    pod: Value,
    exists: bool,
}

impl Work {
    fn name(&self) -> &str {
        Meta::of(&self.set).name()
    }

    fn about(&self) -> ObjectRef {
        ObjectRef::of(&self.set, OWNER.api_version, OWNER.kind)
    }

    fn is_ordered(&self) -> bool {
        self.set.path("spec.podManagementPolicy").as_str() != Some("Parallel")
    }

    fn min_ready_secs(&self) -> i64 {
        self.set
            .path("spec.minReadySeconds")
            .as_int()
            .unwrap_or_default()
    }

    fn is_ready(&self, pod: &Value) -> bool {
        Pod(pod).phase() == "Running" && pods::is_ready(pod)
    }

    fn is_available(&self, pod: &Value) -> bool {
        self.is_ready(pod) && pods::is_available(pod, self.min_ready_secs(), self.now)
    }

    fn is_unhealthy(&self, pod: &Value) -> bool {
        !self.is_available(pod) || Meta::of(pod).is_deleting()
    }

    fn wanted(&self) -> i64 {
        self.set.path("spec.replicas").as_int().unwrap_or(1).max(0)
    }

    fn start(&self) -> i64 {
        self.set
            .path("spec.ordinals.start")
            .as_int()
            .unwrap_or_default()
    }

    fn partition(&self) -> i64 {
        let partition = self.set.path("spec.updateStrategy.rollingUpdate.partition");
        partition.as_int().unwrap_or_default()
    }

    fn is_rolling(&self) -> bool {
        self.set.path("spec.updateStrategy.type").as_str() != Some("OnDelete")
    }

    /// The pod that ordinal will get: below the partition of the current revision, else of the new one.
    fn draft(&self, ordinal: i64) -> Value {
        let is_kept = self.is_rolling() && ordinal < self.start() + self.partition();
        let revision = if is_kept { &self.current } else { &self.update };
        identity::draft(&self.set, revision, ordinal)
    }
}

fn revision_of(pod: &Value) -> &str {
    Meta::of(pod).label(REVISION_LABEL).unwrap_or_default()
}

fn is_created(pod: &Value) -> bool {
    !Pod(pod).phase().is_empty()
}

fn owner_key(pod: &Value, caches: &Informers) -> Option<ObjectKey> {
    let meta = Meta::of(pod);
    let owner = meta.controller().filter(|o| o.kind() == OWNER.kind)?;
    let found = caches
        .cache(&STATEFUL_SETS)
        .get(meta.namespace(), owner.name())?;
    (Meta::of(found).uid() == owner.uid()).then(|| ObjectKey::of(found))
}

fn pod_changed(change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
    if let Some(old) = &change.old
        && let Some(key) = owner_key(old, caches)
    {
        keys.add(key);
    }
    let Some(pod) = &change.new else { return };
    let meta = Meta::of(pod);
    if meta.controller().is_some() {
        let Some(key) = owner_key(pod, caches) else {
            return;
        };
        let set = caches.cache(&STATEFUL_SETS).get_key(&key);
        let secs = set.and_then(|set| set.path("spec.minReadySeconds").as_int());
        let became_ready = !change.old.as_ref().is_some_and(pods::is_ready) && pods::is_ready(pod);
        if let Some(secs) = secs.filter(|secs| *secs > 0 && became_ready) {
            keys.add_after((secs as Micros + 1) * SECOND, key.clone());
        }
        keys.add(key);
        return;
    }
    for set in caches.cache(&STATEFUL_SETS).in_namespace(meta.namespace()) {
        if selects(set.path("spec.selector"), meta.labels()) {
            keys.add(ObjectKey::of(set));
        }
    }
}

impl Controller for StatefulSets {
    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn kind(&self) -> &'static str {
        "statefulsets"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![
            STATEFUL_SETS,
            PODS,
            PERSISTENT_VOLUME_CLAIMS,
            CONTROLLER_REVISIONS,
        ]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == STATEFUL_SETS {
            keys.add(ObjectKey::of(change.object()));
        } else if *resource == PODS {
            pod_changed(change, caches, keys);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(set) = s.get_key(&STATEFUL_SETS, key) else {
            return Ok(());
        };
        let revisions = history::list(&set, OWNER, &STATEFUL_SETS, s)?;
        let all = candidates(&PODS, &set, s);
        let named: Vec<Value> = all
            .iter()
            .filter(|pod| identity::ordinal(&set, pod).is_some())
            .cloned()
            .collect();
        let selector = set.path("spec.selector").clone();
        let claim = Claim {
            owner: &set,
            kind: OWNER,
            owners: &STATEFUL_SETS,
            children: &PODS,
            selector: &selector,
            finalizer: None,
        };
        let pods = claim.claim(&named, s)?;
        let mut work = prepare(set, &revisions, &pods, s)?;
        let outcome = update(&mut work, s);
        if outcome == Err(Halt::Waiting) {
            return Err(Halt::Waiting);
        }
        write_status(&work, s)?;
        outcome?;
        truncate_history(&work, &revisions, &pods, s)?;
        let waits = work.replicas.iter().filter_map(|slot| {
            pods::available_in(&slot.pod, work.min_ready_secs(), work.now).filter(|span| *span > 0)
        });
        if let Some(span) = waits.min() {
            s.again_after(span);
        }
        Ok(())
    }
}

/// Finds or makes the current and the new revision, and sorts the pods into slots.
fn prepare(set: Value, revisions: &[Value], pods: &[Value], s: &mut Sync<'_, '_>) -> Step<Work> {
    let mut collision_count = set
        .path("status.collisionCount")
        .as_int()
        .unwrap_or_default();
    let patch = history::patch(&set);
    let next = revisions.last().map_or(1, |r| history::number(r) + 1);
    let equal = revisions.iter().rposition(|r| *r.get("data") == patch);
    let update = match equal {
        Some(at) if at + 1 == revisions.len() => revisions[at].clone(),
        Some(at) => history::renumber(&revisions[at], next, s)?,
        None => loop {
            let hash = history::hash(&patch, collision_count);
            let draft = history::draft(&set, OWNER, &hash, HASH_LABEL, next);
            if let Some(created) = history::create(draft, s)? {
                break created;
            }
            collision_count += 1;
        },
    };
    let named = set.path("status.currentRevision").as_str();
    let current = revisions
        .iter()
        .find(|r| Some(Meta::of(r).name()) == named)
        .unwrap_or(&update)
        .clone();
    let mut work = Work {
        set,
        current,
        update,
        collision_count,
        now: s.now(),
        replicas: Vec::new(),
        condemned: Vec::new(),
    };
    let (start, wanted) = (work.start(), work.wanted());
    work.replicas = (start..start + wanted)
        .map(|ordinal| {
            let found = pods
                .iter()
                .find(|pod| identity::ordinal(&work.set, pod) == Some(ordinal));
            Slot {
                exists: found.is_some(),
                pod: found.cloned().unwrap_or_else(|| work.draft(ordinal)),
            }
        })
        .collect();
    work.condemned = pods
        .iter()
        .filter(|pod| {
            let ordinal = identity::ordinal(&work.set, pod).unwrap_or_default();
            !(start..start + wanted).contains(&ordinal)
        })
        .cloned()
        .collect();
    work.condemned
        .sort_by_key(|pod| std::cmp::Reverse(identity::ordinal(&work.set, pod)));
    Ok(work)
}

/// Does the next step: create, wait, scale down, update.
fn update(work: &mut Work, s: &mut Sync<'_, '_>) -> Step {
    if Meta::of(&work.set).is_deleting() {
        return Ok(());
    }
    let slots = work.replicas.iter().map(|slot| &slot.pod);
    let unhealthy = slots
        .chain(&work.condemned)
        .find(|pod| work.is_unhealthy(pod))
        .map(|pod| Meta::of(pod).shared_name());
    for at in 0..work.replicas.len() {
        if process(work, at, s)? && work.is_ordered() {
            return Ok(());
        }
    }
    for pod in work.condemned.clone() {
        claims::settle(work, &pod, s)?;
    }
    for pod in work.condemned.clone() {
        let is_first = unhealthy.as_ref() == Some(&Meta::of(&pod).shared_name());
        if Meta::of(&pod).is_deleting() {
            if work.is_ordered() {
                return Ok(());
            }
            continue;
        }
        if work.is_ordered() && !work.is_available(&pod) && !is_first {
            return Ok(());
        }
        delete(work, &pod, s)?;
        if work.is_ordered() {
            return Ok(());
        }
    }
    if work.is_rolling() {
        roll(work, s)?;
    }
    Ok(())
}

/// Brings one ordinal a step further; true if the ordinals after it must wait.
fn process(work: &mut Work, at: usize, s: &mut Sync<'_, '_>) -> Step<bool> {
    let slot = work.replicas[at].clone();
    let pod = &slot.pod;
    let name = Meta::of(pod).name().to_owned();
    if slot.exists && pods::is_finished(pod) {
        if !Meta::of(pod).is_deleting() {
            recreate(work, pod, s)?;
        }
        return Ok(true);
    }
    if !slot.exists {
        claims::create(work, pod, s)?;
        let namespace = Meta::of(&work.set).shared_namespace();
        let answer = s.call(Request::create(&PODS, namespace, pod.clone()))?;
        if answer.is_success() {
            s.event(
                &work.about(),
                Severity::Normal,
                "SuccessfulCreate",
                format!(
                    "Create Pod {name} in StatefulSet {} successful",
                    work.name()
                ),
            );
            return Ok(true);
        }
        let why = answer.message().to_owned();
        if answer.reason() == "AlreadyExists" {
            return Err(Halt::Retry(why));
        }
        s.event(
            &work.about(),
            Severity::Warning,
            "FailedCreate",
            format!(
                "Create Pod {name} in StatefulSet {} failed error: {why}",
                work.name()
            ),
        );
        return Err(Halt::Retry(why));
    }
    if Pod(pod).phase() == "Pending" {
        claims::create(work, pod, s)?;
    }
    if Meta::of(pod).is_deleting() || !work.is_available(pod) {
        return Ok(true);
    }
    claims::settle(work, pod, s)?;
    let fixed = identity::fixed(&work.set, pod);
    if fixed != *pod {
        claims::create(work, &fixed, s)?;
        s.must(Request::update(&PODS, fixed))?;
    }
    Ok(false)
}

fn recreate(work: &Work, pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    let key = Meta::of(&work.set).key();
    let name = Meta::of(pod).name();
    if Pod(pod).phase() == "Failed" {
        s.event(
            &work.about(),
            Severity::Warning,
            "RecreatingFailedPod",
            format!("StatefulSet {key} is recreating failed Pod {name}"),
        );
    } else {
        s.event(
            &work.about(),
            Severity::Normal,
            "RecreatingTerminatedPod",
            format!("StatefulSet {key} is recreating terminated Pod {name}"),
        );
    }
    delete(work, pod, s)
}

fn delete(work: &Work, pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    let meta = Meta::of(pod);
    let request = Request::delete(&PODS, meta.shared_namespace(), meta.shared_name());
    let answer = s.call(request)?;
    let what = format!("Delete Pod {} in StatefulSet {}", meta.name(), work.name());
    if answer.is_success() {
        s.event(
            &work.about(),
            Severity::Normal,
            "SuccessfulDelete",
            format!("{what} successful"),
        );
        return Ok(());
    }
    let why = answer.message().to_owned();
    s.event(
        &work.about(),
        Severity::Warning,
        "FailedDelete",
        format!("{what} failed error: {why}"),
    );
    if answer.code == 404 {
        Ok(())
    } else {
        Err(Halt::Retry(why))
    }
}

/// Deletes pods of old revisions from the highest ordinal down to the partition, waiting for each to be healthy again.
fn roll(work: &Work, s: &mut Sync<'_, '_>) -> Step {
    let update = Meta::of(&work.update).name();
    let limit = work
        .set
        .path("spec.updateStrategy.rollingUpdate.maxUnavailable");
    let allowed = if limit.is_null() {
        1
    } else {
        resolve(limit, work.wanted(), true).max(1)
    };
    let first = work.partition().clamp(0, work.wanted()) as usize;
    let slots = work.replicas.get(first..).unwrap_or_default();
    if allowed > 1 {
        let down = work.replicas.iter();
        let down = down.filter(|slot| work.is_unhealthy(&slot.pod)).count() as i64;
        let outdated = slots
            .iter()
            .rev()
            .filter(|slot| revision_of(&slot.pod) != update && !Meta::of(&slot.pod).is_deleting());
        for slot in outdated.take((allowed - down).max(0) as usize) {
            delete(work, &slot.pod, s)?;
        }
        return Ok(());
    }
    for slot in slots.iter().rev() {
        if revision_of(&slot.pod) != update && !Meta::of(&slot.pod).is_deleting() {
            return delete(work, &slot.pod, s);
        }
        if work.is_unhealthy(&slot.pod) {
            return Ok(());
        }
    }
    Ok(())
}

fn write_status(work: &Work, s: &mut Sync<'_, '_>) -> Step {
    let created: Vec<&Value> = work
        .replicas
        .iter()
        .filter(|slot| slot.exists)
        .map(|slot| &slot.pod)
        .chain(&work.condemned)
        .filter(|pod| is_created(pod))
        .collect();
    let count = |chosen: &dyn Fn(&Value) -> bool| created.iter().filter(|pod| chosen(pod)).count();
    let of = |revision: &Value| {
        let name = Meta::of(revision).name();
        count(&|pod| revision_of(pod) == name && !Meta::of(pod).is_deleting())
    };
    let (replicas, ready) = (created.len(), count(&|pod| work.is_ready(pod)));
    let mut current_name = Meta::of(&work.current).shared_name();
    let update_name = Meta::of(&work.update).shared_name();
    let (mut current, updated) = (of(&work.current), of(&work.update));
    let wanted = work.wanted() as usize;
    if work.is_rolling() && updated == wanted && ready == wanted && replicas == wanted {
        // The rollout is complete: the new revision is the current one.
        current_name = update_name.clone();
        current = updated;
    }
    let mut status = map! {
        "replicas": replicas,
        "availableReplicas": count(&|pod| work.is_available(pod)),
        "collisionCount": work.collision_count,
        "currentRevision": current_name,
        "updateRevision": update_name,
    };
    for (field, count) in [
        ("readyReplicas", ready),
        ("currentReplicas", current),
        ("updatedReplicas", updated),
    ] {
        if count > 0 {
            status.set(field, count);
        }
    }
    if let Some(generation) = Meta::of(&work.set).generation() {
        status.set("observedGeneration", generation);
    }
    let old = work.set.get("status");
    for kept in ["conditions"] {
        if old.has(kept) {
            status.set(kept, old.get(kept));
        }
    }
    if *old == status {
        return Ok(());
    }
    let mut set = work.set.clone();
    set.set("status", status);
    s.must(update_status(&STATEFUL_SETS, set)).map(|_| ())
}

fn truncate_history(
    work: &Work,
    revisions: &[Value],
    pods: &[Value],
    s: &mut Sync<'_, '_>,
) -> Step {
    let mut live: Vec<&str> = pods.iter().map(revision_of).collect();
    live.extend([
        Meta::of(&work.current).name(),
        Meta::of(&work.update).name(),
    ]);
    let unused: Vec<&Value> = revisions
        .iter()
        .filter(|r| !live.contains(&Meta::of(r).name()))
        .collect();
    let limit = work.set.path("spec.revisionHistoryLimit").as_int();
    history::truncate(&unused, limit.unwrap_or(10), s)
}

/// Labels of a claim or pod follow the name of a revision.
fn revision_label(revision: &Value) -> Str {
    Meta::of(revision).shared_name()
}
