//! The scheduler as a component: feeds in, bindings out, one pod per turn.

use std::collections::BTreeMap;

use api::core::{
    NAMESPACES, NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Pod as PodView,
};
use api::meta::Meta;
use api::note::{Key, Note};
use api::{Request, RequestId, Resource, Response, Str, Value, WatchEvent, WatchKind};
use client::{Component, Fed, Feed, ObjectRef, Occurrence, Outbox, Recorder, Severity};
use sim::{Micros, NoteId, SECOND};

use crate::cache::{Cache, Slot};
use crate::cycle::{Failure, Outcome, Verdict, World, decide};
use crate::events;
use crate::objects::Objects;
use crate::plugins::volume_binding::waits_for_consumer;
use crate::pod::{Interner, Pod, PodKey, Resident, Wishes};
use crate::queue::{Entry, Queue};
use crate::requeue;

const SERVICES: Resource = Resource::of("", "v1", "services");
const REPLICATION_CONTROLLERS: Resource = Resource::of("", "v1", "replicationcontrollers");
const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const STORAGE_CLASSES: Resource = Resource::of("storage.k8s.io", "v1", "storageclasses");
const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");
const CSI_NODES: Resource = Resource::of("storage.k8s.io", "v1", "csinodes");
const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");

/// Places in `Scheduler::feeds`.
const POD_FEED: usize = 0;
const NODE_FEED: usize = 1;
const NAMESPACE_FEED: usize = 2;
const SERVICE_FEED: usize = 3;
const CLAIM_FEED: usize = 4;
const VOLUME_FEED: usize = 5;
const CLASS_FEED: usize = 6;
const BUDGET_FEED: usize = 7;
const CSI_NODE_FEED: usize = 8;
/// The kinds whose selectors say which pods belong together, from this feed on.
const OWNER_FEEDS: usize = 9;
const OWNERS: [(&str, Resource); 3] = [
    ("ReplicationController", REPLICATION_CONTROLLERS),
    ("ReplicaSet", REPLICA_SETS),
    ("StatefulSet", STATEFUL_SETS),
];

/// What one cycle takes: 0.3 to 1.2 ms, and a little for each node that is looked at.
const CYCLE: (Micros, Micros) = (300, 1_200);
const PER_NODE_NANOS: u64 = 400;

/// At most so many nodes are spoken of in the notes about one pod.
const MOST_NOTED: usize = 12;

/// Pods that wait are looked over this often.
const FLUSH: Micros = 30 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Try the next pod.
    Cycle,
    /// A pod's time after an error has come.
    Wake,
    Flush,
    /// Events that could not be written are tried again.
    Events,
    /// A feed tries again.
    Retry(usize),
}

impl From<client::Timer> for Timer {
    fn from(_: client::Timer) -> Timer {
        Timer::Events
    }
}

/// kube-scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler {
    feeds: Vec<Feed>,
    cache: Cache,
    objects: Objects,
    queue: Queue,
    wishes: Interner<Wishes>,
    /// Bindings that were sent and not yet answered.
    binding: BTreeMap<RequestId, (Entry, Str)>,
    /// Pods that have a node and wait for their volumes.
    waiting_for_volumes: BTreeMap<PodKey, (Entry, Str)>,
    recorder: Recorder,
    start: usize,
    is_cycle_set: bool,
    is_flush_set: bool,
    /// Everything takes so many times as long.
    slowdown: u64,
}

impl Default for Scheduler {
    fn default() -> Self {
        Scheduler::new()
    }
}

impl Scheduler {
    pub fn new() -> Scheduler {
        let mut feeds = vec![
            Feed::new(PODS).fields("status.phase!=Succeeded,status.phase!=Failed"),
            Feed::new(NODES),
            Feed::new(NAMESPACES),
            Feed::new(SERVICES),
            Feed::new(PERSISTENT_VOLUME_CLAIMS),
            Feed::new(PERSISTENT_VOLUMES),
            Feed::new(STORAGE_CLASSES),
            Feed::new(BUDGETS),
            Feed::new(CSI_NODES),
        ];
        feeds.extend(OWNERS.into_iter().map(|(_, resource)| Feed::new(resource)));
        Scheduler {
            feeds,
            cache: Cache::default(),
            objects: Objects::default(),
            queue: Queue::default(),
            wishes: Interner::default(),
            binding: BTreeMap::new(),
            waiting_for_volumes: BTreeMap::new(),
            recorder: Recorder::new(""),
            start: 0,
            is_cycle_set: false,
            is_flush_set: false,
            slowdown: 1,
        }
    }

    /// The process begins anew on the same machine.
    pub fn restarted(&self) -> Scheduler {
        Scheduler {
            slowdown: self.slowdown,
            ..Scheduler::new()
        }
    }

    /// From now on each decision takes so many times as long; 1 is normal.
    pub fn slow_down(&mut self, times: u32) {
        self.slowdown = u64::from(times.max(1));
    }

    /// How many pods wait for a node, whatever for.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn fed(&mut self, feed: usize, fed: Fed, out: &mut Outbox<'_, Timer>) {
        match fed {
            Fed::Foreign | Fed::Nothing => {}
            Fed::RetryAfter(span) => out.wake_after(span, Timer::Retry(feed)),
            Fed::Changed(event) => self.changed(feed, event, out),
            Fed::Replaced(objects) => self.replaced(feed, objects, out),
        }
        self.keep_going(out);
    }

    fn replaced(&mut self, feed: usize, objects: Vec<Value>, out: &mut Outbox<'_, Timer>) {
        match feed {
            POD_FEED => {
                let known: Vec<PodKey> = self.cache.pods().map(|(key, _)| key.clone()).collect();
                let waiting: Vec<PodKey> = self.queue.keys().cloned().collect();
                let listed: std::collections::BTreeSet<PodKey> = objects.iter().map(key).collect();
                for gone in known
                    .iter()
                    .chain(&waiting)
                    .filter(|key| !listed.contains(key))
                {
                    self.forget(gone, out);
                }
            }
            NODE_FEED => {
                let names: Vec<Str> = self.cache.nodes().map(|node| node.name.clone()).collect();
                let listed: std::collections::BTreeSet<Str> =
                    objects.iter().map(|o| Meta::of(o).shared_name()).collect();
                for gone in names.iter().filter(|name| !listed.contains(*name)) {
                    self.cache.remove_node(gone);
                }
            }
            SERVICE_FEED => self.objects.clear_services(),
            CLAIM_FEED => self.objects.clear_claims(),
            VOLUME_FEED => self.objects.clear_volumes(),
            CLASS_FEED => self.objects.clear_classes(),
            BUDGET_FEED => self.objects.clear_budgets(),
            CSI_NODE_FEED => self.objects.clear_csi_nodes(),
            NAMESPACE_FEED => {}
            owner => self.objects.clear_owners(OWNERS[owner - OWNER_FEEDS].0),
        }
        for object in objects {
            self.changed(
                feed,
                WatchEvent {
                    kind: WatchKind::Added,
                    object,
                },
                out,
            );
        }
    }

    fn changed(&mut self, feed: usize, event: WatchEvent, out: &mut Outbox<'_, Timer>) {
        let object = &event.object;
        let is_gone = event.kind == WatchKind::Deleted;
        match feed {
            POD_FEED if is_gone => self.forget(&key(object), out),
            POD_FEED => self.pod_changed(object, out),
            NODE_FEED if is_gone => self.cache.remove_node(Meta::of(object).name()),
            NODE_FEED => self.node_changed(object, out),
            NAMESPACE_FEED if is_gone => self.cache.remove_namespace(Meta::of(object).name()),
            NAMESPACE_FEED => self.cache.set_namespace(object),
            SERVICE_FEED if is_gone => self.objects.remove_service(object),
            SERVICE_FEED => self.objects.set_service(object),
            BUDGET_FEED if is_gone => self.objects.remove_budget(object),
            BUDGET_FEED => self.objects.set_budget(object),
            CLAIM_FEED | VOLUME_FEED | CLASS_FEED | CSI_NODE_FEED => {
                self.storage_changed(feed, is_gone, object, out)
            }
            owner if is_gone => self
                .objects
                .remove_owner(OWNERS[owner - OWNER_FEEDS].0, object),
            owner => self
                .objects
                .set_owner(OWNERS[owner - OWNER_FEEDS].0, object),
        }
    }

    fn storage_changed(
        &mut self,
        feed: usize,
        is_gone: bool,
        object: &Value,
        out: &mut Outbox<'_, Timer>,
    ) {
        match (feed, is_gone) {
            (CLAIM_FEED, true) => self.objects.remove_claim(object),
            (CLAIM_FEED, false) => self.objects.set_claim(object),
            (VOLUME_FEED, true) => self.objects.remove_volume(object),
            (VOLUME_FEED, false) => self.objects.set_volume(object),
            (CSI_NODE_FEED, true) => self.objects.remove_csi_node(object),
            (CSI_NODE_FEED, false) => self.objects.set_csi_node(object),
            (_, true) => self.objects.remove_class(object),
            (_, false) => self.objects.set_class(object),
        }
        if self.queue.has_waiting() {
            self.queue
                .happened(out.now(), out.cause, requeue::storage_helps);
        }
        self.bind_those_with_volumes(out);
    }

    /// Pods whose claims are bound by now are bound to their nodes.
    fn bind_those_with_volumes(&mut self, out: &mut Outbox<'_, Timer>) {
        let ready = |entry: &Entry| {
            let pod = &entry.pod.resident;
            pod.claims.iter().all(|name| {
                self.objects
                    .claim(&pod.namespace, name)
                    .is_some_and(|claim| claim.is_bound)
            })
        };
        let keys: Vec<PodKey> = self
            .waiting_for_volumes
            .iter()
            .filter(|(_, (entry, _))| ready(entry))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            if let Some((entry, node)) = self.waiting_for_volumes.remove(&key) {
                self.bind(entry, node, out);
            }
        }
    }

    fn node_changed(&mut self, object: &Value, out: &mut Outbox<'_, Timer>) {
        let change = self.cache.set_node(object);
        if change == Default::default() || !self.queue.has_waiting() {
            return;
        }
        let Some(node) = self.cache.node_named(Meta::of(object).name()) else {
            return;
        };
        let (cache, objects) = (&self.cache, &self.objects);
        self.queue.happened(out.now(), out.cause, |entry| {
            requeue::node_helps(entry, node, change, cache, objects)
        });
    }

    fn pod_changed(&mut self, object: &Value, out: &mut Outbox<'_, Timer>) {
        let view = PodView(object);
        let key = key(object);
        if matches!(view.phase(), "Succeeded" | "Failed") {
            return self.forget(&key, out);
        }
        if view.node_name().is_empty() {
            self.waits(key, object, out);
            return;
        }
        if let Some(entry) = self.queue.remove(&key) {
            self.wishes.release(&entry.pod.wishes);
        }
        self.queue.nominated.remove(&key);
        let before = self
            .cache
            .pod(&key)
            .map(|placed| (placed.is_assumed, placed.resident.clone()));
        self.cache.set_pod(object);
        let Some(placed) = self.cache.pod(&key) else {
            return;
        };
        let resident = placed.resident.clone();
        let is_news = before.is_none_or(|(was_assumed, known)| was_assumed || known != resident);
        if is_news && self.queue.has_waiting() {
            self.queue.happened(out.now(), out.cause, |entry| {
                requeue::pod_came_helps(entry, &resident)
            });
        }
    }

    /// A pod without a node appeared or changed.
    fn waits(&mut self, key: PodKey, object: &Value, out: &mut Outbox<'_, Timer>) {
        let meta = Meta::of(object);
        let is_other = object
            .path("spec.schedulerName")
            .as_str()
            .is_some_and(|name| name != events::NAME);
        if is_other || meta.is_deleting() {
            return self.forget(&key, out);
        }
        if self
            .cache
            .pod(&key)
            .is_some_and(|placed| placed.is_assumed && placed.uid == meta.uid())
        {
            return;
        }
        let known = self.queue.get(&key).map(|entry| entry.pod.clone());
        let pod = Pod {
            key: key.clone(),
            uid: meta.shared_uid(),
            object: object.clone(),
            resident: self.cache.residents.take(Resident::read(object)),
            wishes: self.wishes.take(Wishes::read(object)),
        };
        let nominated = object
            .path("status.nominatedNodeName")
            .as_shared_str()
            .cloned();
        self.queue
            .nominated
            .set(&pod, nominated.unwrap_or_default());
        match known {
            Some(known) if known.uid == pod.uid => {
                self.cache.residents.release(&known.resident);
                self.wishes.release(&known.wishes);
                let is_changed = known.resident != pod.resident || known.wishes != pod.wishes;
                self.queue.update(pod, is_changed, out.now(), out.cause);
            }
            _ => {
                if pod.wishes.gates.is_empty() {
                    self.queue.add(pod, out.now(), out.cause);
                } else {
                    self.gated(pod, out);
                }
            }
        }
    }

    fn gated(&mut self, pod: Pod, out: &mut Outbox<'_, Timer>) {
        if pod.object.path("spec.schedulingGates").is_empty() {
            return self.queue.add(pod, out.now(), out.cause);
        }
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        let request = events::unschedulable(&pod, "SchedulingGated", message, None, out.now());
        request.into_iter().for_each(|request| {
            out.send(request);
        });
        self.queue.add(pod, out.now(), out.cause);
    }

    /// A pod is gone, or done, or no longer ours.
    fn forget(&mut self, key: &PodKey, out: &mut Outbox<'_, Timer>) {
        self.queue.nominated.remove(key);
        if let Some(entry) = self.queue.remove(key) {
            self.cache.residents.release(&entry.pod.resident);
            self.wishes.release(&entry.pod.wishes);
        }
        if let Some((entry, _)) = self.waiting_for_volumes.remove(key) {
            self.cache.residents.release(&entry.pod.resident);
            self.wishes.release(&entry.pod.wishes);
        }
        let Some(placed) = self.cache.remove_pod(key) else {
            return;
        };
        if self.queue.has_waiting() {
            self.queue.happened(out.now(), out.cause, |entry| {
                requeue::pod_left_helps(entry, &placed.resident)
            });
        }
    }

    fn keep_going(&mut self, out: &mut Outbox<'_, Timer>) {
        let synced = self.feeds.iter().all(Feed::has_synced);
        if synced && !self.is_cycle_set && self.queue.has_ready() {
            self.is_cycle_set = true;
            let span = out.rng.latency(CYCLE.0, CYCLE.1) * self.slowdown;
            out.wake_after(span, Timer::Cycle);
        }
        if !self.is_flush_set && self.queue.has_waiting() {
            self.is_flush_set = true;
            out.wake_after(FLUSH, Timer::Flush);
        }
    }

    fn cycle(&mut self, out: &mut Outbox<'_, Timer>) {
        self.is_cycle_set = false;
        let Some(entry) = self.queue.pop() else {
            return;
        };
        let before = out.cause;
        if entry.cause != NoteId(0) {
            out.cause = entry.cause;
        }
        let world = World {
            cache: &self.cache,
            objects: &self.objects,
            nominated: &self.queue.nominated,
        };
        let outcome = decide(world, &entry.pod, &mut self.start, out.rng);
        self.note(&entry.pod, &outcome, out);
        match outcome.verdict {
            Verdict::Place(slot) => self.place(entry, slot, out),
            Verdict::Fail(failure) => self.fail(entry, failure, out),
        }
        out.cause = before;
        if self.queue.has_ready() {
            self.is_cycle_set = true;
            let work = outcome.evaluated as u64 * PER_NODE_NANOS / 1_000;
            let span = (out.rng.latency(CYCLE.0, CYCLE.1) + work) * self.slowdown;
            out.wake_after(span, Timer::Cycle);
        }
    }

    fn place(&mut self, entry: Entry, slot: Slot, out: &mut Outbox<'_, Timer>) {
        let node = self.cache.node(slot).name.clone();
        let requests = self.volume_requests(&entry.pod, slot);
        self.cache.assume(&entry.pod, slot);
        self.queue.nominated.remove(&entry.pod.key);
        if requests.is_empty() {
            return self.bind(entry, node, out);
        }
        for request in requests {
            out.send(request);
        }
        self.waiting_for_volumes
            .insert(entry.pod.key.clone(), (entry, node));
    }

    /// What is to be written so that the claims of a pod become volumes on its node.
    fn volume_requests(&self, pod: &Pod, slot: Slot) -> Vec<Request> {
        let node = self.cache.node(slot);
        let namespace = &pod.resident.namespace;
        let mut requests = Vec::new();
        for name in &pod.resident.claims {
            let Some(claim) = self
                .objects
                .claim(namespace, name)
                .filter(|claim| !claim.is_bound)
            else {
                continue;
            };
            if !waits_for_consumer(&self.objects, claim) {
                continue;
            }
            requests.push(match self.objects.match_volume(claim, node) {
                Some(volume) => events::reserve_volume(volume, claim),
                None => events::choose_node(claim, &node.name),
            });
        }
        requests
    }

    fn bind(&mut self, entry: Entry, node: Str, out: &mut Outbox<'_, Timer>) {
        let id = out.send(events::bind(&entry.pod, &node));
        self.binding.insert(id, (entry, node));
    }

    fn fail(&mut self, entry: Entry, failure: Failure, out: &mut Outbox<'_, Timer>) {
        let pod = &entry.pod;
        let now = out.now();
        let message = Str::new(&failure.message);
        self.tell(
            &pod.object,
            Severity::Warning,
            "FailedScheduling",
            "Scheduling",
            message,
            out,
        );
        let mut nominated = None;
        if let Some(preemption) = failure.preemption {
            for victim in &preemption.victims {
                self.evict(victim, pod, &preemption.node, out);
            }
            // Those of lesser importance who waited for this node look for another one.
            let priority = pod.resident.priority;
            for lesser in self.queue.nominated.lesser_on(&preemption.node, priority) {
                self.queue.nominated.remove(&lesser);
                out.send(events::forget_nomination(lesser));
            }
            self.queue.nominated.set(pod, preemption.node.clone());
            nominated = Some(preemption.node);
        } else if failure.is_hopeless {
            self.queue.nominated.remove(&pod.key);
            nominated = Some(Str::EMPTY);
        }
        let patch = events::unschedulable(
            pod,
            failure.reason,
            &failure.message,
            nominated.as_ref(),
            now,
        );
        if let Some(patch) = patch {
            out.send(patch);
        }
        self.queue.give_up(entry, failure.plugins, now);
        self.keep_going(out);
    }

    fn evict(&mut self, victim: &PodKey, by: &Pod, node: &Str, out: &mut Outbox<'_, Timer>) {
        out.send(events::disruption(victim.clone(), out.now()));
        out.send(Request::delete(&PODS, victim.0.clone(), victim.1.clone()));
        let uid = self
            .cache
            .pod(victim)
            .map(|placed| placed.uid.clone())
            .unwrap_or_default();
        let object = api::map! { "metadata": api::map! {
            "namespace": victim.0.clone(), "name": victim.1.clone(), "uid": uid,
        } };
        let note = format!("Preempted by pod {} on node {node}", by.uid);
        self.tell(
            &object,
            Severity::Normal,
            "Preempted",
            "Preempting",
            note.into(),
            out,
        );
    }

    fn bound(&mut self, entry: Entry, node: Str, response: &Response, out: &mut Outbox<'_, Timer>) {
        let key = &entry.pod.key;
        if response.is_success() {
            let note = format!("Successfully assigned {}/{} to {node}", key.0, key.1);
            let object = &entry.pod.object;
            self.tell(
                object,
                Severity::Normal,
                "Scheduled",
                "Binding",
                note.into(),
                out,
            );
            self.cache.residents.release(&entry.pod.resident);
            self.wishes.release(&entry.pod.wishes);
            return;
        }
        if self
            .cache
            .pod(key)
            .is_some_and(|placed| placed.is_assumed && placed.uid == entry.pod.uid)
        {
            self.cache.remove_pod(key);
        }
        if response.code == 404 {
            self.cache.residents.release(&entry.pod.resident);
            self.wishes.release(&entry.pod.wishes);
            return;
        }
        let note = format!("Binding rejected: {}", response.message());
        let now = out.now();
        let message = Str::new(&note);
        let object = &entry.pod.object;
        self.tell(
            object,
            Severity::Warning,
            "FailedScheduling",
            "Scheduling",
            message,
            out,
        );
        if let Some(patch) = events::unschedulable(&entry.pod, "SchedulerError", &note, None, now) {
            out.send(patch);
        }
        if self.cache.pod(key).is_none() {
            let until = self.queue.back_off(entry, now);
            out.wake_at(until, Timer::Wake);
        }
    }

    fn tell(
        &mut self,
        pod: &Value,
        severity: Severity,
        reason: &'static str,
        action: &'static str,
        message: Str,
        out: &mut Outbox<'_, Timer>,
    ) {
        let about = ObjectRef::of(pod, "v1", "Pod");
        let occurrence = Occurrence {
            about: &about,
            related: None,
            severity,
            reason,
            action,
            message,
        };
        self.recorder.series_event(events::NAME, occurrence, out);
    }

    /// What the page shows of a decision; bounded.
    fn note(&self, pod: &Pod, outcome: &Outcome, out: &mut Outbox<'_, Timer>) {
        let pod_key = Key::new("pods", pod.key.0.clone(), pod.key.1.clone());
        for (slot, refusal) in outcome.refusals.iter().take(MOST_NOTED) {
            let reason = match refusal.reasons.as_slice() {
                [one] => one.clone(),
                many => many.join(", ").into(),
            };
            out.note(Note::Filtered {
                pod: pod_key.clone(),
                node: self.cache.node(*slot).name.clone(),
                plugin: refusal.plugin,
                reason,
            });
        }
        if self.cache.node_count() <= MOST_NOTED {
            for scored in &outcome.scores {
                for (plugin, score) in &scored.parts {
                    out.note(Note::Scored {
                        pod: pod_key.clone(),
                        node: self.cache.node(scored.slot).name.clone(),
                        plugin,
                        score: *score,
                    });
                }
            }
        }
        let (node, reason) = match &outcome.verdict {
            Verdict::Place(slot) => (self.cache.node(*slot).name.clone(), Str::EMPTY),
            Verdict::Fail(failure) => (Str::EMPTY, Str::new(&failure.message)),
        };
        out.note(Note::Decided {
            pod: pod_key,
            node,
            reason,
        });
    }
}

impl Component for Scheduler {
    type Timer = Timer;

    fn start(&mut self, out: &mut Outbox<'_, Timer>) {
        // A new process remembers nothing.
        *self = self.restarted();
        for feed in &mut self.feeds {
            feed.start(out);
        }
    }

    fn respond(&mut self, id: RequestId, response: Response, out: &mut Outbox<'_, Timer>) {
        if let Some((entry, node)) = self.binding.remove(&id) {
            return self.bound(entry, node, &response, out);
        }
        if self.recorder.respond(id, &response, out) {
            return;
        }
        for at in 0..self.feeds.len() {
            let fed = self.feeds[at].respond(id, &response, out);
            if fed != Fed::Foreign {
                return self.fed(at, fed, out);
            }
        }
    }

    fn observe(&mut self, id: RequestId, event: WatchEvent, out: &mut Outbox<'_, Timer>) {
        let Some(at) = self.feeds.iter().position(|feed| feed.owns(id)) else {
            return;
        };
        let fed = self.feeds[at].observe(id, event);
        self.fed(at, fed, out);
    }

    fn wake(&mut self, timer: Timer, out: &mut Outbox<'_, Timer>) {
        match timer {
            Timer::Cycle => self.cycle(out),
            Timer::Wake => {
                self.queue.wake(out.now());
                self.keep_going(out);
            }
            Timer::Flush => {
                self.is_flush_set = false;
                self.queue.flush(out.now());
                self.keep_going(out);
            }
            Timer::Events => self.recorder.wake(out),
            Timer::Retry(at) => self.feeds[at].retry(out),
        }
    }
}

fn key(object: &Value) -> PodKey {
    let meta = Meta::of(object);
    (meta.shared_namespace(), meta.shared_name())
}
