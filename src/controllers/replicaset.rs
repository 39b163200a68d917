//! Keeps the number of pods at what each ReplicaSet asks for.
//!
//! Creates and deletes pods; never starts them (kubelet) and never places them (scheduler).
//! Models `pkg/controller/replicaset` at v1.36; starts at [`ReplicaSets::sync`].
//! ReplicationControllers are the same machine with another kind ([`Flavor`]).

use std::collections::BTreeMap;

use api::apps::{REPLICA_SETS, ReplicaSet};
use api::core::{PODS, Pod, REPLICATION_CONTROLLERS};
use api::meta::Meta;
use api::{Request, Resource, Value, map};
use client::{Change, Expectations, Informers, ObjectKey, ObjectRef, Severity};
use sim::{MILLI, SECOND, Time};

use crate::owned::{Claim, OwnerKind, candidates};
use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::selection::selects;
use crate::sync::{Halt, Step, Sync};

/// At most this many pods are created or deleted in one sync (`BurstReplicas`).
const BURST: usize = 500;

/// What differs between the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    ReplicaSet,
    ReplicationController,
}

/// The controller of one flavor.
#[derive(Clone, Debug)]
pub(crate) struct ReplicaSets {
    flavor: Flavor,
    expectations: Expectations<ObjectKey>,
}

/// What a scaling attempt could not do.
#[derive(Clone, Debug)]
struct Failure {
    /// `FailedCreate` or `FailedDelete`.
    reason: &'static str,
    message: String,
}

impl Flavor {
    fn resource(self) -> Resource {
        match self {
            Flavor::ReplicaSet => REPLICA_SETS,
            Flavor::ReplicationController => REPLICATION_CONTROLLERS,
        }
    }

    fn owner(self) -> OwnerKind {
        match self {
            Flavor::ReplicaSet => OwnerKind {
                api_version: "apps/v1",
                kind: "ReplicaSet",
            },
            Flavor::ReplicationController => OwnerKind {
                api_version: "v1",
                kind: "ReplicationController",
            },
        }
    }

    /// The selector as a `LabelSelector`: a ReplicationController has plain pairs.
    fn selector(self, object: &Value) -> Value {
        let selector = object.get("spec").get("selector");
        match self {
            Flavor::ReplicaSet => selector.clone(),
            Flavor::ReplicationController => map! { "matchLabels": selector },
        }
    }
}

impl ReplicaSets {
    pub(crate) fn new(flavor: Flavor) -> Self {
        ReplicaSets {
            flavor,
            expectations: Expectations::new(),
        }
    }

    /// The key of the controller of `pod`, if it is of this flavor and still the same object.
    fn owner_key(&self, pod: &Value, caches: &Informers) -> Option<ObjectKey> {
        let meta = Meta::of(pod);
        let owner = meta.controller()?;
        if owner.kind() != self.flavor.owner().kind {
            return None;
        }
        let found = caches
            .cache(&self.flavor.resource())
            .get(meta.namespace(), owner.name())?;
        (Meta::of(found).uid() == owner.uid()).then(|| ObjectKey::of(found))
    }

    /// An orphan may be adopted by any owner whose selector chooses it.
    fn add_matching(&self, pod: &Value, caches: &Informers, keys: &mut Keys<'_>) {
        let meta = Meta::of(pod);
        let owners = caches.cache(&self.flavor.resource());
        for owner in owners.in_namespace(meta.namespace()) {
            if selects(&self.flavor.selector(owner), meta.labels()) {
                keys.add(ObjectKey::of(owner));
            }
        }
    }

    fn pod_added(&mut self, pod: &Value, caches: &Informers, keys: &mut Keys<'_>) {
        if Meta::of(pod).is_deleting() {
            // Seen first when it is already going, after a restart.
            return self.pod_deleted(pod, caches, keys);
        }
        if Meta::of(pod).controller().is_none() {
            return self.add_matching(pod, caches, keys);
        }
        if let Some(key) = self.owner_key(pod, caches) {
            self.expectations.creation_seen(&key);
            keys.add(key);
        }
    }

    fn pod_updated(&mut self, old: &Value, new: &Value, caches: &Informers, keys: &mut Keys<'_>) {
        let labels_changed = pods::labels(old) != pods::labels(new);
        if Meta::of(new).is_deleting() {
            self.pod_deleted(new, caches, keys);
            if labels_changed {
                self.pod_deleted(old, caches, keys);
            }
            return;
        }
        let uid = |pod| Meta::of(pod).controller().map(|owner| owner.0.str("uid"));
        let owner_changed = uid(old) != uid(new);
        if owner_changed && let Some(key) = self.owner_key(old, caches) {
            keys.add(key);
        }
        if Meta::of(new).controller().is_none() {
            if labels_changed || owner_changed {
                self.add_matching(new, caches, keys);
            }
            return;
        }
        let Some(key) = self.owner_key(new, caches) else {
            return;
        };
        let owner = caches.cache(&self.flavor.resource()).get_key(&key);
        let min_ready_secs = owner.and_then(|o| ReplicaSet(o).min_ready_secs());
        if !pods::is_ready(old) && pods::is_ready(new) && min_ready_secs.unwrap_or_default() > 0 {
            // Becoming available makes no event of its own.
            let span = (min_ready_secs.unwrap_or_default() as u64 + 1) * SECOND;
            keys.add_after(span, key.clone());
        }
        keys.add(key);
    }

    fn pod_deleted(&mut self, pod: &Value, caches: &Informers, keys: &mut Keys<'_>) {
        if let Some(key) = self.owner_key(pod, caches) {
            self.expectations.deletion_seen(&key, Meta::of(pod).uid());
            keys.add(key);
        }
    }

    /// Creates or deletes pods until there are as many as wanted. `None`: all went well.
    fn scale(
        &mut self,
        owner: &Value,
        active: &[Value],
        key: &ObjectKey,
        s: &mut Sync<'_, '_>,
    ) -> Step<Option<Failure>> {
        let wanted = ReplicaSet(owner).replicas().unwrap_or_default().max(0) as usize;
        if active.len() < wanted {
            self.create(owner, (wanted - active.len()).min(BURST), key, s)
        } else if active.len() > wanted {
            self.delete(owner, active, (active.len() - wanted).min(BURST), key, s)
        } else {
            Ok(None)
        }
    }

    /// Creates in batches of 1, 2, 4, …: if the first fails (quota), the others are not tried.
    fn create(
        &mut self,
        owner: &Value,
        count: usize,
        key: &ObjectKey,
        s: &mut Sync<'_, '_>,
    ) -> Step<Option<Failure>> {
        if s.first_time() {
            self.expectations.expect_creations(key, count, s.now());
        }
        let about = self.reference(owner);
        let meta = Meta::of(owner);
        let pod = pods::from_template(
            ReplicaSet(owner).template(),
            &key.namespace,
            format!("{}-", meta.name()),
            self.flavor.owner().reference(owner),
        );
        let (mut created, mut batch) = (0, 1);
        let mut failure = None;
        while created < count && failure.is_none() {
            let requests = vec![
                Request::create(&PODS, key.namespace.clone(), pod.clone());
                batch.min(count - created)
            ];
            for answer in s.call_all(requests)?.iter() {
                if answer.is_success() {
                    created += 1;
                    let name = Meta::of(&answer.body).name();
                    s.event(
                        &about,
                        Severity::Normal,
                        "SuccessfulCreate",
                        format!("Created pod: {name}"),
                    );
                } else if is_namespace_terminating(&answer.body) {
                    // Nothing can be created there any more; trying again would not help.
                    failure.get_or_insert(None);
                } else {
                    let message = answer.message().to_owned();
                    s.event(
                        &about,
                        Severity::Warning,
                        "FailedCreate",
                        format!("Error creating: {message}"),
                    );
                    failure = Some(Some(Failure {
                        reason: "FailedCreate",
                        message,
                    }));
                }
            }
            batch *= 2;
        }
        if s.first_time() {
            for _ in created..count {
                self.expectations.creation_seen(key);
            }
        }
        Ok(failure.flatten())
    }

    fn delete(
        &mut self,
        owner: &Value,
        active: &[Value],
        count: usize,
        key: &ObjectKey,
        s: &mut Sync<'_, '_>,
    ) -> Step<Option<Failure>> {
        let victims = self.victims(owner, active, count, s);
        if s.first_time() {
            let uids = victims.iter().map(|pod| Meta::of(pod).shared_uid());
            self.expectations.expect_deletions(key, uids, s.now());
        }
        let about = self.reference(owner);
        let requests = victims
            .iter()
            .map(|pod| Request::delete(&PODS, key.namespace.clone(), Meta::of(pod).shared_name()));
        let mut failure = None;
        for (pod, answer) in victims.iter().zip(s.call_all(requests.collect())?.iter()) {
            let meta = Meta::of(pod);
            if answer.is_success() {
                s.event(
                    &about,
                    Severity::Normal,
                    "SuccessfulDelete",
                    format!("Deleted pod: {}", meta.name()),
                );
                continue;
            }
            if s.first_time() {
                self.expectations.deletion_seen(key, meta.uid());
            }
            if answer.code != 404 {
                let message = answer.message().to_owned();
                s.event(
                    &about,
                    Severity::Warning,
                    "FailedDelete",
                    format!("Error deleting: {message}"),
                );
                failure = Some(Failure {
                    reason: "FailedDelete",
                    message,
                });
            }
        }
        Ok(failure)
    }

    /// Which pods go: see [`pods::deletion_order`].
    fn victims(
        &self,
        owner: &Value,
        active: &[Value],
        count: usize,
        s: &mut Sync<'_, '_>,
    ) -> Vec<Value> {
        if count >= active.len() {
            return active.to_vec();
        }
        // Pods of all ReplicaSets of the same Deployment count as related.
        let flavor = self.flavor;
        let related = s.read(|caches| {
            let meta = Meta::of(owner);
            let cache = caches.cache(&PODS);
            let Some(controller) = meta.controller() else {
                return cache.controlled_by(meta.uid()).cloned().collect();
            };
            let siblings = caches
                .cache(&flavor.resource())
                .controlled_by(controller.uid());
            siblings
                .flat_map(|sibling| cache.controlled_by(Meta::of(sibling).uid()))
                .cloned()
                .collect()
        });
        let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
        for pod in related.iter().filter(|pod| pods::is_active(pod)) {
            *on_node.entry(Pod(pod).node_name()).or_default() += 1;
        }
        let rank = |pod: &Value| {
            let count = on_node.get(Pod(pod).node_name());
            count.copied().unwrap_or_default()
        };
        let mut ranked: Vec<(&Value, usize)> = active.iter().map(|pod| (pod, rank(pod))).collect();
        ranked.sort_by(|a, b| pods::deletion_order(*a, *b, s.now()));
        ranked.truncate(count);
        ranked.into_iter().map(|(pod, _)| pod.clone()).collect()
    }

    fn reference(&self, owner: &Value) -> ObjectRef {
        let kind = self.flavor.owner();
        ObjectRef::of(owner, kind.api_version, kind.kind)
    }
}

impl Controller for ReplicaSets {
    fn name(&self) -> &'static str {
        match self.flavor {
            Flavor::ReplicaSet => "replicaset-controller",
            Flavor::ReplicationController => "replication-controller",
        }
    }

    fn kind(&self) -> &'static str {
        match self.flavor {
            Flavor::ReplicaSet => "replicasets",
            Flavor::ReplicationController => "replicationcontrollers",
        }
    }

    fn watches(&self) -> Vec<Resource> {
        vec![self.flavor.resource(), PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource != PODS {
            let key = ObjectKey::of(change.object());
            let uid = |object| Meta::of(object).shared_uid();
            let replaced = change
                .updated()
                .is_some_and(|(old, new)| uid(old) != uid(new));
            if change.is_deleted() || replaced {
                self.expectations.forget(&key);
            }
            return keys.add(key);
        }
        match (&change.old, &change.new) {
            (Some(old), Some(new)) => self.pod_updated(old, new, caches, keys),
            (None, Some(new)) => self.pod_added(new, caches, keys),
            (Some(old), None) => self.pod_deleted(old, caches, keys),
            (None, None) => {}
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let flavor = self.flavor;
        let Some(owner) = s.get_key(&flavor.resource(), key) else {
            self.expectations.forget(key);
            return Ok(());
        };
        let needs_scaling = {
            let met = self.expectations.are_met(key, s.now());
            let deleting = Meta::of(&owner).is_deleting();
            s.remember(met && !deleting)
        };
        let selector = flavor.selector(&owner);
        let all = candidates(&PODS, &owner, s);
        let active = s.work_out(|| all.iter().filter(|p| pods::is_active(p)).cloned().collect());
        let claim = Claim {
            owner: &owner,
            kind: flavor.owner(),
            owners: &flavor.resource(),
            children: &PODS,
            selector: &selector,
            finalizer: None,
        };
        let active = claim.claim(&active, s)?;
        let uid = Meta::of(&owner).uid();
        let is_own = |pod: &&Value| Meta::of(pod).controller().is_some_and(|c| c.uid() == uid);
        let failure = if needs_scaling {
            self.scale(&owner, &active, key, s)?
        } else {
            None
        };
        let now = s.now();
        let status = s.work_out(|| {
            let terminating = all.iter().filter(|p| pods::is_terminating(p));
            let terminating = terminating.filter(is_own).count();
            let failure = failure.as_ref();
            vec![status(&owner, flavor, &active, terminating, failure, now)]
        });
        let updated = write_status(&owner, flavor, &status[0], s)?;
        if let Some(failure) = failure {
            return Err(Halt::Retry(failure.message));
        }
        let view = ReplicaSet(&updated);
        let min_ready_secs = view.min_ready_secs().unwrap_or_default();
        if min_ready_secs > 0 && view.ready_replicas() != view.available_replicas() {
            let now = s.now();
            let waits = active
                .iter()
                .filter_map(|pod| pods::available_in(pod, min_ready_secs, now));
            if let Some(span) = waits.filter(|span| *span > 0).min() {
                s.again_after(span + MILLI);
            }
        }
        Ok(())
    }
}

fn status(
    owner: &Value,
    flavor: Flavor,
    active: &[Value],
    terminating: usize,
    failure: Option<&Failure>,
    now: Time,
) -> Value {
    let view = ReplicaSet(owner);
    let min_ready_secs = view.min_ready_secs().unwrap_or_default();
    let template_labels = view.template().get("metadata").get("labels").entries();
    let labeled = active
        .iter()
        .filter(|pod| crate::selection::chooses_pairs(template_labels, pods::labels(pod)));
    let ready: Vec<&Value> = active.iter().filter(|pod| pods::is_ready(pod)).collect();
    let available = if min_ready_secs > 0 {
        let is_available = |pod: &&&Value| pods::is_available(pod, min_ready_secs, now);
        ready.iter().filter(is_available).count()
    } else {
        ready.len()
    };
    let mut status = map! { "replicas": active.len() };
    for (field, count) in [
        ("fullyLabeledReplicas", labeled.count()),
        ("readyReplicas", ready.len()),
        ("availableReplicas", available),
    ] {
        if count > 0 {
            status.set(field, count);
        }
    }
    if flavor == Flavor::ReplicaSet {
        status.set("terminatingReplicas", terminating);
    }
    let generation = Meta::of(owner).generation();
    if let Some(generation) = generation {
        status.set("observedGeneration", generation);
    }
    let mut conditions: Vec<Value> = owner.path("status.conditions").items().to_vec();
    let at = conditions
        .iter()
        .position(|c| c.str("type") == "ReplicaFailure");
    match (failure, at) {
        (Some(failure), None) => conditions.push(map! {
            "type": "ReplicaFailure", "status": "True", "lastTransitionTime": now.rfc3339(),
            "reason": failure.reason, "message": failure.message.clone(),
        }),
        (None, Some(at)) => {
            conditions.remove(at);
        }
        _ => {}
    }
    if !conditions.is_empty() {
        status.set("conditions", conditions);
    }
    status
}

/// Writes the status if it differs; a conflict is tried once more on the newest object.
fn write_status(
    owner: &Value,
    flavor: Flavor,
    status: &Value,
    s: &mut Sync<'_, '_>,
) -> Step<Value> {
    let resource = flavor.resource();
    let mut object = owner.clone();
    for attempt in 0..2 {
        if object.get("status") == status {
            return Ok(object);
        }
        object.set("status", status);
        let answer = s.call(update_status(&resource, object.clone()))?;
        if answer.is_success() {
            return Ok(answer.body);
        }
        if attempt == 1 || answer.code == 404 {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
        let meta = Meta::of(owner);
        object = s.must(Request::get(
            &resource,
            meta.shared_namespace(),
            meta.shared_name(),
        ))?;
        // The newest object may have another generation: what was observed is the one that was read.
        if Meta::of(&object).uid() != meta.uid() {
            return Err(Halt::Retry(format!("{} was replaced", meta.key())));
        }
    }
    Ok(object)
}

/// Whether a creation failed because its namespace is being deleted.
pub(crate) fn is_namespace_terminating(status: &Value) -> bool {
    let causes = status.get("details").get("causes").items();
    causes
        .iter()
        .any(|cause| cause.str("reason") == "NamespaceTerminating")
}

impl Default for ReplicaSets {
    fn default() -> Self {
        ReplicaSets::new(Flavor::ReplicaSet)
    }
}
