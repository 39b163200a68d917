//! Keeps one pod of each DaemonSet on every node that should have one.
//!
//! Models `pkg/controller/daemon` at v1.36; starts at [`DaemonSets::sync`]. [`placement`] judges nodes.

mod placement;

use std::collections::BTreeMap;

use api::apps::{CONTROLLER_REVISIONS, DAEMON_SETS};
use api::core::{NODES, PODS, Pod};
use api::meta::Meta;
use api::{Request, Resource, Str, Value, map};
use client::{Change, Expectations, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use crate::deployment::scaling::resolve;
use crate::hash::template_hash;
use crate::history;
use crate::owned::{Claim, OwnerKind, candidates};
use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::selection::{is_everything, selects};
use crate::sync::{Halt, Step, Sync};
use placement::{judge, pin, target};

const OWNER: OwnerKind = OwnerKind {
    api_version: "apps/v1",
    kind: "DaemonSet",
};
const HASH_LABEL: &str = "controller-revision-hash";
const GENERATION_LABEL: &str = "pod-template-generation";
const GENERATION_ANNOTATION: &str = "deprecated.daemonset.template.generation";
/// `BurstReplicas`.
const BURST: usize = 250;
/// The back-off of killing failed daemon pods: from 1 s, doubling, to 15 minutes.
const FAILED_FIRST: Micros = SECOND;
const FAILED_MAX: Micros = 15 * 60 * SECOND;

/// The DaemonSet controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct DaemonSets {
    expectations: Expectations<ObjectKey>,
    /// When a failed pod of a set on a node was last killed, and the pause before the next.
    failures: BTreeMap<(ObjectKey, Str), (Time, Micros)>,
}

/// One sync's view of a set.
#[derive(Clone, Debug)]
struct Work {
    set: Value,
    key: ObjectKey,
    nodes: Vec<Value>,
    /// Its pods by the node they belong to.
    pods: BTreeMap<Str, Vec<Value>>,
    /// The hash of the current template.
    hash: Str,
    now: Time,
}

impl Work {
    fn min_ready_secs(&self) -> i64 {
        let secs = self.set.path("spec.minReadySeconds").as_int();
        secs.unwrap_or_default()
    }

    fn on(&self, node: &Value) -> &[Value] {
        self.pods
            .get(Meta::of(node).name())
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn is_current(&self, pod: &Value) -> bool {
        Meta::of(pod).label(HASH_LABEL) == Some(&self.hash)
    }

    fn is_available(&self, pod: &Value) -> bool {
        pods::is_available(pod, self.min_ready_secs(), self.now)
    }

    fn about(&self) -> ObjectRef {
        ObjectRef::of(&self.set, OWNER.api_version, OWNER.kind)
    }

    /// How many pods may come besides the old ones, and how many nodes may be without.
    fn fences(&self) -> (i64, i64) {
        let wanted = self.nodes.iter().filter(|n| judge(&self.set, n).should_run);
        let wanted = wanted.count() as i64;
        let rolling = self.set.path("spec.updateStrategy.rollingUpdate");
        let surge = resolve(rolling.get("maxSurge"), wanted, true);
        let limit = rolling.get("maxUnavailable");
        let unavailable = if limit.is_null() {
            1
        } else {
            resolve(limit, wanted, true)
        };
        // Both zero would never move.
        if wanted > 0 && surge == 0 && unavailable == 0 {
            (0, 1)
        } else {
            (surge, unavailable)
        }
    }
}

fn by_age(pods: &mut [Value]) {
    pods.sort_by_cached_key(|pod| {
        let meta = Meta::of(pod);
        (meta.creation_time(), meta.name().to_owned())
    });
}

impl DaemonSets {
    fn owner_key(pod: &Value, caches: &Informers) -> Option<ObjectKey> {
        let meta = Meta::of(pod);
        let owner = meta.controller().filter(|o| o.kind() == OWNER.kind)?;
        let found = caches
            .cache(&DAEMON_SETS)
            .get(meta.namespace(), owner.name())?;
        (Meta::of(found).uid() == owner.uid()).then(|| ObjectKey::of(found))
    }

    fn pod_changed(&mut self, change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
        let pod = change.object();
        let Some(key) = Self::owner_key(pod, caches) else {
            if let Some(key) = change.old.as_ref().and_then(|p| Self::owner_key(p, caches)) {
                keys.add(key);
            }
            let meta = Meta::of(pod);
            if meta.controller().is_none() && !change.is_deleted() {
                for set in caches.cache(&DAEMON_SETS).in_namespace(meta.namespace()) {
                    if selects(set.path("spec.selector"), meta.labels()) {
                        keys.add(ObjectKey::of(set));
                    }
                }
            }
            return;
        };
        let is_going = change.is_deleted() || Meta::of(pod).is_deleting();
        if is_going {
            self.expectations.deletion_seen(&key, Meta::of(pod).uid());
        } else if change.is_added() {
            self.expectations.creation_seen(&key);
        }
        let became_ready = !change.old.as_ref().is_some_and(pods::is_ready) && pods::is_ready(pod);
        let set = caches.cache(&DAEMON_SETS).get_key(&key);
        let secs = set.and_then(|set| set.path("spec.minReadySeconds").as_int());
        if let Some(secs) = secs.filter(|secs| *secs > 0 && became_ready) {
            keys.add_after((secs as Micros + 1) * SECOND, key.clone());
        }
        keys.add(key);
    }

    /// Which pods to create and delete so that every node has what it should.
    fn manage(&mut self, work: &Work, s: &mut Sync<'_, '_>) -> Step {
        let (mut need, mut drop) = (Vec::new(), Vec::new());
        for node in &work.nodes {
            let name = Meta::of(node).shared_name();
            let verdict = judge(&work.set, node);
            let here = work.on(node);
            if verdict.should_run && here.is_empty() {
                need.push(name);
            } else if verdict.may_stay {
                self.tend(work, &name, here, &mut drop, s);
            } else {
                drop.extend(here.iter().filter(|p| !Meta::of(p).is_deleting()).cloned());
            }
        }
        // Pods pinned to nodes that are no more, and not bound to them: nobody else would delete them.
        let known = |name: &str| work.nodes.iter().any(|n| Meta::of(n).name() == name);
        let lost = work.pods.iter().filter(|(node, _)| !known(node));
        let lost = lost.flat_map(|(_, pods)| pods);
        drop.extend(lost.filter(|p| Pod(p).node_name().is_empty()).cloned());
        self.apply(work, need, drop, s)
    }

    /// Looks at the pods of a node that may keep one: failed ones go, with back-off; of several only one stays.
    fn tend(
        &mut self,
        work: &Work,
        node: &Str,
        here: &[Value],
        drop: &mut Vec<Value>,
        s: &mut Sync<'_, '_>,
    ) {
        let mut running = Vec::new();
        for pod in here.iter().filter(|pod| !Meta::of(pod).is_deleting()) {
            let key = Meta::of(pod).key();
            match Pod(pod).phase() {
                "Failed" => {
                    let pause = self.pause(work, node, s);
                    if pause > 0 {
                        s.again_after(pause);
                        continue;
                    }
                    let message = format!(
                        "Found failed daemon pod {key} on node {node}, will try to kill it"
                    );
                    s.event(&work.about(), Severity::Warning, "FailedDaemonPod", message);
                    drop.push(pod.clone());
                }
                "Succeeded" => {
                    let message = format!(
                        "Found succeeded daemon pod {key} on node {node}, will try to delete it"
                    );
                    s.event(
                        &work.about(),
                        Severity::Normal,
                        "SucceededDaemonPod",
                        message,
                    );
                    drop.push(pod.clone());
                }
                _ => running.push(pod.clone()),
            }
        }
        if running.len() <= 1 {
            return;
        }
        by_age(&mut running);
        if work.fences().0 == 0 {
            drop.extend(running.drain(1..));
            return;
        }
        // With surge an old and a new one may stand together until the new one serves.
        let (mut oldest_new, mut oldest_old) = (None, None);
        for pod in running {
            let slot = if work.is_current(&pod) {
                &mut oldest_new
            } else {
                &mut oldest_old
            };
            if slot.is_none() {
                *slot = Some(pod);
            } else {
                drop.push(pod);
            }
        }
        if let (Some(new), Some(old)) = (oldest_new, oldest_old)
            && (!pods::is_ready(&old) || work.is_available(&new))
        {
            drop.push(old);
        }
    }

    /// How long until a failed pod may be killed; 0 means now, and lengthens the next pause.
    fn pause(&mut self, work: &Work, node: &Str, s: &mut Sync<'_, '_>) -> Micros {
        let key = (work.key.clone(), node.clone());
        let (last, pause) = self.failures.get(&key).copied().unwrap_or((Time(0), 0));
        let left = (last + pause).since(work.now);
        let left = s.read(|_| vec![Value::Int(left as i64)]);
        let left = left.first().and_then(Value::as_int).unwrap_or_default() as Micros;
        if left == 0 && s.first_time() {
            let next = (pause * 2).clamp(FAILED_FIRST, FAILED_MAX);
            self.failures.insert(key, (work.now, next));
        }
        left
    }

    fn apply(
        &mut self,
        work: &Work,
        mut need: Vec<Str>,
        mut drop: Vec<Value>,
        s: &mut Sync<'_, '_>,
    ) -> Step {
        need.truncate(BURST);
        drop.truncate(BURST);
        let mut failure = None;
        if s.first_time() {
            let key = &work.key;
            if !need.is_empty() {
                self.expectations.expect_creations(key, need.len(), s.now());
            }
            if !drop.is_empty() {
                let uids = drop.iter().map(|pod| Meta::of(pod).shared_uid());
                self.expectations.expect_deletions(key, uids, s.now());
            }
        }
        let (mut at, mut batch) = (0, 1);
        while at < need.len() && failure.is_none() {
            let names = &need[at..(at + batch).min(need.len())];
            let requests = names
                .iter()
                .map(|node| Request::create(&PODS, work.key.namespace.clone(), draft(work, node)));
            for answer in s.call_all(requests.collect())?.iter() {
                if answer.is_success() {
                    let message = format!("Created pod: {}", Meta::of(&answer.body).name());
                    s.event(&work.about(), Severity::Normal, "SuccessfulCreate", message);
                    continue;
                }
                if s.first_time() {
                    self.expectations.creation_seen(&work.key);
                }
                if crate::replicaset::is_namespace_terminating(&answer.body) {
                    continue;
                }
                let why = answer.message().to_owned();
                let message = format!("Error creating: {why}");
                s.event(&work.about(), Severity::Warning, "FailedCreate", message);
                failure = Some(why);
            }
            at += names.len();
            batch *= 2;
        }
        if s.first_time() {
            for _ in at..need.len() {
                self.expectations.creation_seen(&work.key);
            }
        }
        let requests = drop.iter().map(|pod| {
            let meta = Meta::of(pod);
            Request::delete(&PODS, meta.shared_namespace(), meta.shared_name())
        });
        for (pod, answer) in drop.iter().zip(s.call_all(requests.collect())?.iter()) {
            let meta = Meta::of(pod);
            if answer.is_success() {
                let message = format!("Deleted pod: {}", meta.name());
                s.event(&work.about(), Severity::Normal, "SuccessfulDelete", message);
                continue;
            }
            if s.first_time() {
                self.expectations.deletion_seen(&work.key, meta.uid());
            }
            if answer.code != 404 {
                let why = answer.message().to_owned();
                let message = format!("Error deleting: {why}");
                s.event(&work.about(), Severity::Warning, "FailedDelete", message);
                failure = Some(why);
            }
        }
        failure.map_or(Ok(()), |why| Err(Halt::Retry(why)))
    }

    /// Replaces pods of older templates, as many at once as the strategy allows.
    fn roll(&mut self, work: &Work, s: &mut Sync<'_, '_>) -> Step {
        let (surge, unavailable) = work.fences();
        if surge == 0 {
            self.roll_in_place(work, unavailable, s)
        } else {
            self.roll_with_surge(work, surge, s)
        }
    }

    fn roll_in_place(&mut self, work: &Work, limit: i64, s: &mut Sync<'_, '_>) -> Step {
        let mut down = 0;
        let (mut free, mut candidates) = (Vec::new(), Vec::new());
        for node in &work.nodes {
            let here = work.on(node);
            let (new, old) = match pair(work, here) {
                Some(pair) => pair,
                None => {
                    // More than one of a kind: the next round cleans up.
                    down += 1;
                    continue;
                }
            };
            match (new, old) {
                (None, None) => {
                    if judge(&work.set, node).should_run {
                        down += 1;
                    }
                }
                (Some(new), _) => {
                    if !work.is_available(new) {
                        down += 1;
                    }
                }
                (None, Some(old)) if Meta::of(old).is_deleting() => down += 1,
                (None, Some(old)) if !work.is_available(old) => {
                    // It does not serve anyhow: replacing it costs nothing.
                    free.push(old.clone());
                    down += 1;
                }
                (None, Some(old)) => candidates.push(old.clone()),
            }
        }
        candidates.truncate((limit - down).max(0) as usize);
        free.extend(candidates);
        self.apply(work, Vec::new(), free, s)
    }

    fn roll_with_surge(&mut self, work: &Work, limit: i64, s: &mut Sync<'_, '_>) -> Step {
        let mut surging = 0;
        let (mut free, mut candidates, mut drop) = (Vec::new(), Vec::new(), Vec::new());
        for node in &work.nodes {
            let name = Meta::of(node).shared_name();
            let Some((new, old)) = pair(work, work.on(node)) else {
                surging += 1;
                continue;
            };
            match (new, old) {
                (_, None) => {}
                (None, Some(old)) if !judge(&work.set, node).should_run => drop.push(old.clone()),
                (None, Some(old)) if !work.is_available(old) => free.push(name),
                (None, Some(_)) => candidates.push(name),
                (Some(new), Some(old)) if work.is_available(new) => drop.push(old.clone()),
                (Some(_), Some(_)) => surging += 1,
            }
        }
        candidates.truncate((limit - surging).max(0) as usize);
        free.extend(candidates);
        drop.retain(|pod| !Meta::of(pod).is_deleting());
        self.apply(work, free, drop, s)
    }
}

/// The pod of the current template and the one of an older on a node; `None` if there are several of a kind.
fn pair<'a>(work: &Work, here: &'a [Value]) -> Option<(Option<&'a Value>, Option<&'a Value>)> {
    let (mut new, mut old) = (None, None);
    for pod in here {
        let slot = if work.is_current(pod) {
            &mut new
        } else {
            &mut old
        };
        if slot.replace(pod).is_some() {
            return None;
        }
    }
    Some((new, old))
}

fn draft(work: &Work, node: &Str) -> Value {
    let set = &work.set;
    let mut pod = pods::from_template(
        set.path("spec.template"),
        &work.key.namespace,
        format!("{}-", work.key.name),
        OWNER.reference(set),
    );
    let labels = pod.at_mut(&["metadata", "labels"]);
    labels.set(HASH_LABEL, &work.hash);
    if let Some(generation) = Meta::of(set).annotation(GENERATION_ANNOTATION) {
        labels.set(GENERATION_LABEL, Str::new(generation));
    }
    pin(&mut pod, node);
    pod
}

impl Controller for DaemonSets {
    fn name(&self) -> &'static str {
        "daemonset-controller"
    }

    fn kind(&self) -> &'static str {
        "daemonsets"
    }

    fn workers(&self) -> usize {
        2
    }

    fn watches(&self) -> Vec<Resource> {
        vec![DAEMON_SETS, PODS, NODES, CONTROLLER_REVISIONS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == DAEMON_SETS {
            let key = ObjectKey::of(change.object());
            if change.is_deleted() {
                self.expectations.forget(&key);
                self.failures.retain(|(set, _), _| *set != key);
            }
            keys.add(key);
        } else if *resource == PODS {
            self.pod_changed(change, caches, keys);
        } else if *resource == NODES {
            for set in caches.cache(&DAEMON_SETS).all() {
                let verdict = |node: &Option<Value>| node.as_ref().map(|node| judge(set, node));
                if verdict(&change.old) != verdict(&change.new) {
                    keys.add(ObjectKey::of(set));
                }
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(set) = s.get_key(&DAEMON_SETS, key) else {
            self.expectations.forget(key);
            return Ok(());
        };
        let selector = set.path("spec.selector").clone();
        if is_everything(&selector) {
            let about = ObjectRef::of(&set, OWNER.api_version, OWNER.kind);
            let message =
                "This daemon set is selecting all pods. A non-empty selector is required.";
            s.event(&about, Severity::Warning, "SelectingAll", message);
            return Ok(());
        }
        if Meta::of(&set).is_deleting() {
            return Ok(());
        }
        let nodes = s.list(&NODES, |cache| cache.all());
        let revisions = history::list(&set, OWNER, &DAEMON_SETS, s)?;
        let (current, old) = snapshot(&set, revisions, s)?;
        let hash = Meta::of(&current).labels().get(HASH_LABEL);
        let hash = hash
            .and_then(Value::as_shared_str)
            .cloned()
            .unwrap_or_default();
        let mut work = Work {
            set,
            key: key.clone(),
            nodes: nodes.to_vec(),
            pods: BTreeMap::new(),
            hash,
            now: s.now(),
        };
        work.pods = placed(&work, &selector, s)?;
        let met = self.expectations.are_met(key, s.now());
        if s.remember(met) {
            let outcome = self.manage(&work, s).and_then(|()| {
                let met = self.expectations.are_met(key, s.now());
                let rolls = work.set.path("spec.updateStrategy.type").as_str() != Some("OnDelete");
                if s.remember(met) && rolls {
                    self.roll(&work, s)?;
                }
                clean_history(&work, &old, s)
            });
            if outcome == Err(Halt::Waiting) {
                return outcome;
            }
            write_status(&work, true, s)?;
            return outcome;
        }
        write_status(&work, false, s)
    }
}

/// The set's pods by the node that they belong to.
fn placed(work: &Work, selector: &Value, s: &mut Sync<'_, '_>) -> Step<BTreeMap<Str, Vec<Value>>> {
    let all = candidates(&PODS, &work.set, s);
    let claim = Claim {
        owner: &work.set,
        kind: OWNER,
        owners: &DAEMON_SETS,
        children: &PODS,
        selector,
        finalizer: None,
    };
    let mut placed: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for pod in claim.claim(&all, s)? {
        // One that is done and goes leaves room already.
        if Meta::of(&pod).is_deleting() && pods::is_finished(&pod) {
            continue;
        }
        placed.entry(Str::new(target(&pod))).or_default().push(pod);
    }
    Ok(placed)
}

/// The revision of the current template, made or renumbered if need be, and the others.
fn snapshot(set: &Value, revisions: Vec<Value>, s: &mut Sync<'_, '_>) -> Step<(Value, Vec<Value>)> {
    let patch = history::patch(set);
    let (mut current, old): (Vec<Value>, Vec<Value>) = revisions
        .into_iter()
        .partition(|revision| *revision.get("data") == patch);
    let next = old.iter().map(history::number).max().unwrap_or_default() + 1;
    if let Some(newest) = current.pop() {
        let number = history::number(&newest).max(next);
        return Ok((history::renumber(&newest, number, s)?, old));
    }
    let salt = set.path("status.collisionCount").as_int();
    let hash = template_hash(set.path("spec.template"), salt);
    let draft = history::draft(set, OWNER, &hash, HASH_LABEL, next);
    if let Some(created) = history::create(draft, s)? {
        return Ok((created, old));
    }
    let mut salted = set.clone();
    salted.set_path("status.collisionCount", salt.unwrap_or_default() + 1);
    s.must(update_status(&DAEMON_SETS, salted))?;
    Err(Halt::Retry(format!("found a hash collision for {hash}")))
}

fn clean_history(work: &Work, old: &[Value], s: &mut Sync<'_, '_>) -> Step {
    let pods = work.pods.values().flatten();
    let live: Vec<&str> = pods.filter_map(|p| Meta::of(p).label(HASH_LABEL)).collect();
    let hash = |revision| Meta::of(revision).label(HASH_LABEL).unwrap_or_default();
    let unused: Vec<&Value> = old.iter().filter(|r| !live.contains(&hash(r))).collect();
    let limit = work.set.path("spec.revisionHistoryLimit").as_int();
    history::truncate(&unused, limit.unwrap_or(10), s)
}

fn write_status(work: &Work, observes: bool, s: &mut Sync<'_, '_>) -> Step {
    let (mut desired, mut current, mut misplaced) = (0, 0, 0);
    let (mut ready, mut available, mut updated) = (0, 0, 0);
    let mut next: Option<Micros> = None;
    for node in &work.nodes {
        let mut here = work.on(node).to_vec();
        if !judge(&work.set, node).should_run {
            misplaced += i64::from(!here.is_empty());
            continue;
        }
        desired += 1;
        by_age(&mut here);
        let Some(pod) = here.first() else { continue };
        current += 1;
        ready += i64::from(pods::is_ready(pod));
        available += i64::from(work.is_available(pod));
        updated += i64::from(work.is_current(pod));
        let wait = pods::available_in(pod, work.min_ready_secs(), work.now);
        next = next.into_iter().chain(wait.filter(|span| *span > 0)).min();
    }
    if let Some(span) = next {
        s.again_after(span);
    }
    let old = work.set.get("status");
    let mut status = map! {
        "desiredNumberScheduled": desired, "currentNumberScheduled": current,
        "numberMisscheduled": misplaced, "numberReady": ready,
    };
    for (field, count) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ] {
        if count > 0 {
            status.set(field, count);
        }
    }
    let generation = if observes {
        Meta::of(&work.set).generation()
    } else {
        old.int("observedGeneration")
    };
    if let Some(generation) = generation {
        status.set("observedGeneration", generation);
    }
    for kept in ["collisionCount", "conditions"] {
        if old.has(kept) {
            status.set(kept, old.get(kept));
        }
    }
    if *old == status {
        return Ok(());
    }
    let mut set = work.set.clone();
    set.set("status", status);
    s.must(update_status(&DAEMON_SETS, set)).map(|_| ())
}
