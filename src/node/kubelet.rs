//! The kubelet as a component: pods of its node in, what they need done out.

use std::collections::{BTreeMap, BTreeSet};

use api::core::{NODES, PODS};
use api::meta::Meta;
use api::{RequestId, Response, Str, Value, WatchEvent, WatchKind};
use client::{Component, Fed, Feed, Outbox};
use sim::{MILLI, Micros};

use crate::host::{Asked, Host};
use crate::machine::Machine;
use crate::mirror::{MIRROR, Mirror};
use crate::pod::{Container, Mode, Pod, PodId, Step};
use crate::probe::Kind;
use crate::register::Registration;
use crate::worker::Turn;

/// From a change of a pod to its worker.
const DISPATCH: (Micros, Micros) = (MILLI, 6 * MILLI);
/// What it takes to find that a pod cannot run here: the scheduler has told of its decision by then.
const REFUSAL: Micros = 4 * MILLI;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Compare the node's status with what was told.
    Status,
    Lease,
    /// The feed of pods tries again.
    Feed,
    /// The feed of this machine's own Node tries again.
    NodeFeed,
    /// Look at what is left of memory and disk.
    Eviction,
    /// Events that could not be written are tried again.
    Events,
    /// Mirrors that could not be made are tried again.
    Mirrors,
    /// The pull at the head of the line is over.
    Pull,
    Pod {
        id: PodId,
        alarm: Alarm,
    },
}

/// What a timer of a pod is for. The numbers after a container's index say which start of it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    Sync,
    /// `activeDeadlineSeconds` are over.
    Deadline,
    Step(u32),
    Exit(u16, u32),
    /// SIGTERM is due.
    Term(u16, u32),
    /// SIGKILL is due.
    Kill(u16, u32),
    /// What runs inside a container wants a turn.
    Inside(u16, u32),
    Probe(u16, u32, Kind),
    /// Mounted objects are looked at again.
    Refresh,
}

impl From<client::Timer> for Timer {
    fn from(_: client::Timer) -> Timer {
        Timer::Events
    }
}

/// The kubelet of one machine, with its container runtime.
#[derive(Clone, Debug)]
pub struct Kubelet {
    pub(crate) host: Host,
    pub(crate) registration: Registration,
    feed: Feed,
    node_feed: Feed,
    pub(crate) pods: BTreeMap<PodId, Box<Pod>>,
    by_key: BTreeMap<(Str, Str), PodId>,
    next: PodId,
}

impl Kubelet {
    pub fn new(machine: Machine) -> Kubelet {
        let selector = format!("spec.nodeName={}", machine.name);
        let itself = format!("metadata.name={}", machine.name);
        Kubelet {
            host: Host::new(machine),
            registration: Registration::default(),
            feed: Feed::new(PODS).fields(selector),
            node_feed: Feed::new(NODES).fields(itself),
            pods: BTreeMap::new(),
            by_key: BTreeMap::new(),
            next: 0,
        }
    }

    /// From now on this machine finds an image of the user's.
    pub fn define_image(&mut self, image: std::sync::Arc<crate::Custom>) {
        let images = &mut self.host.machine.images;
        images.insert(image.name.clone(), image);
    }

    pub fn machine(&self) -> &Machine {
        &self.host.machine
    }

    /// How many pods this kubelet knows.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// The pod of this name, if it is here.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let id = self.by_key.get(&(Str::new(namespace), Str::new(name)))?;
        self.pods.get(id).map(|pod| &**pod)
    }

    /// Namespaces and names of pods of which a container runs here.
    pub fn running_pods(&self) -> impl Iterator<Item = (Str, Str)> {
        let running = self.pods.values().filter(|pod| pod.anything_runs());
        running.map(|pod| (pod.namespace(), pod.name()))
    }

    /// Kills the main process of a container (the first that runs, if none is named), or lets its memory run over.
    pub fn kill(
        &mut self,
        namespace: &str,
        pod: &str,
        container: &str,
        out_of_memory: bool,
        out: &mut Outbox<'_, Timer>,
    ) {
        if let Some(id) = self.id_of_name(&Str::new(namespace), &Str::new(pod)) {
            self.turn(id, out, |turn| {
                turn.kill_from_outside(container, out_of_memory);
            });
        }
    }

    pub(crate) fn id_of_name(&self, namespace: &Str, name: &Str) -> Option<PodId> {
        self.by_key.get(&(namespace.clone(), name.clone())).copied()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn host_mut(&mut self) -> &mut Host {
        &mut self.host
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.values().map(|pod| &**pod)
    }

    pub(crate) fn pod_ids(&self) -> impl Iterator<Item = PodId> {
        self.pods.keys().copied().collect::<Vec<_>>().into_iter()
    }

    /// The address of a running pod.
    pub fn address_of(&self, namespace: &Str, name: &Str) -> Option<std::net::Ipv4Addr> {
        let pod = self.pods.get(&self.id_of_name(namespace, name)?)?;
        let address = match pod.address {
            Some(number) => self.host.machine.pod_address(number).to_string(),
            None => self.host.machine.address().to_string(),
        };
        address.parse().ok()
    }

    /// The pod that a stream speaks to.
    pub(crate) fn pod_of_stream(&self, stream: u64) -> Option<PodId> {
        let has_it = |pod: &Pod| {
            pod.followers.iter().any(|f| f.stream == stream)
                || pod.containers.iter().any(|container| {
                    let inside = container.inside.as_ref();
                    inside.is_some_and(|inside| inside.has_session(stream))
                })
        };
        let found = self.pods.iter().find(|(_, pod)| has_it(pod));
        found.map(|(id, _)| *id)
    }

    /// One turn on one pod; drops the pod afterwards if nothing is left of it.
    pub(crate) fn turn(
        &mut self,
        id: PodId,
        out: &mut Outbox<'_, Timer>,
        work: impl FnOnce(&mut Turn<'_, '_>),
    ) {
        let Some(mut pod) = self.pods.remove(&id) else {
            return;
        };
        let before = out.cause;
        if pod.cause != sim::NoteId(0) {
            out.cause = pod.cause;
        }
        work(&mut Turn {
            host: &mut self.host,
            pod: &mut pod,
            out,
        });
        out.cause = before;
        let is_over = pod.is_gone && pod.mode == Mode::Finished && pod.step == Step::Idle;
        if !is_over {
            self.pods.insert(id, pod);
            return;
        }
        self.host.requests.remove(&id);
        if let Some(number) = pod.address {
            self.host.free_address(number);
        }
        if let Some(files) = &pod.files {
            self.host.storage.release(files);
        }
        let key = (pod.namespace(), pod.name());
        if self.by_key.get(&key) == Some(&id) {
            self.by_key.remove(&key);
        }
    }

    fn fed(&mut self, fed: Fed, out: &mut Outbox<'_, Timer>) {
        match fed {
            Fed::Foreign | Fed::Nothing => {}
            Fed::RetryAfter(span) => out.wake_after(span, Timer::Feed),
            Fed::Changed(event) if event.kind == WatchKind::Deleted => {
                self.gone(&event.object, out)
            }
            Fed::Changed(event) => self.changed(event.object, out),
            Fed::Replaced(objects) => {
                let listed: BTreeSet<Str> = objects
                    .iter()
                    .map(|object| Meta::of(object).shared_uid())
                    .collect();
                self.mirrors_listed(&objects, out);
                let lost: Vec<Value> = self
                    .pods
                    .values()
                    .filter(|pod| pod.mirror.is_none() && !listed.contains(&pod.uid()))
                    .map(|pod| pod.object.clone())
                    .collect();
                for object in lost {
                    self.gone(&object, out);
                }
                for object in objects {
                    self.changed(object, out);
                }
            }
        }
    }

    /// Somebody may have written into our Node: that we are lost, for one.
    fn node_fed(&mut self, fed: Fed, out: &mut Outbox<'_, Timer>) {
        match fed {
            Fed::Foreign | Fed::Nothing => {}
            Fed::RetryAfter(span) => out.wake_after(span, Timer::NodeFeed),
            Fed::Changed(event) => self.node_seen(&event.object, out),
            Fed::Replaced(objects) => {
                for node in &objects {
                    self.node_seen(node, out);
                }
            }
        }
    }

    fn node_seen(&mut self, node: &Value, out: &mut Outbox<'_, Timer>) {
        self.registration.seen(node, out);
        self.host.labels = Meta::of(node).0.get("labels").clone();
        self.look_at_mirrors(out);
    }

    pub(crate) fn id_of(&self, object: &Value) -> Option<PodId> {
        let meta = Meta::of(object);
        let id = *self
            .by_key
            .get(&(meta.shared_namespace(), meta.shared_name()))?;
        (self.pods.get(&id)?.meta().uid() == meta.uid()).then_some(id)
    }

    fn changed(&mut self, object: Value, out: &mut Outbox<'_, Timer>) {
        if is_mirror(&object) {
            return self.mirror_changed(&object, out);
        }
        match self.id_of(&object) {
            Some(id) => {
                let cause = out.cause;
                self.turn(id, out, |turn| update(turn, object, cause));
            }
            None => self.appeared(object, None, out),
        }
    }

    /// A pod that is new here; `mirror` if it is this machine's own.
    pub(crate) fn appeared(
        &mut self,
        object: Value,
        mirror: Option<Mirror>,
        out: &mut Outbox<'_, Timer>,
    ) {
        let meta = Meta::of(&object);
        let key = (meta.shared_namespace(), meta.shared_name());
        self.next += 1;
        let id = self.next;
        self.want_claims(object.get("spec"), &key.0);
        let mut pod = Pod::new(id, object, out.now(), out.cause);
        pod.mirror = mirror;
        if matches!(pod.view().phase(), "Succeeded" | "Failed") {
            // It ended before this kubelet knew it; nothing of it is left here.
            pod.mode = Mode::Finished;
        }
        self.pods.insert(id, Box::new(pod));
        self.by_key.insert(key, id);
        let span = out.rng.latency(DISPATCH.0, DISPATCH.1);
        self.turn(id, out, |turn| {
            if turn.pod.mode == Mode::Syncing && !turn.pod.meta().is_deleting() {
                turn.admit();
                turn.pod.allocate();
                let requested = turn.pod.requested(false);
                if turn.pod.refused.is_none() {
                    turn.host.requests.insert(id, requested);
                }
                turn.arm_deadline();
            }
            let refusal = turn.pod.refused.map_or(0, |_| REFUSAL);
            turn.sync_at(turn.out.now() + span + refusal);
        });
    }

    fn gone(&mut self, object: &Value, out: &mut Outbox<'_, Timer>) {
        if is_mirror(object) {
            return self.mirror_gone(object, out);
        }
        let Some(id) = self.id_of(object) else { return };
        self.turn(id, out, |turn| {
            turn.pod.is_gone = true;
            // The real one's pod manager forgets it at once, whatever still has to be stopped.
            turn.host.requests.remove(&id);
            if turn.pod.mode == Mode::Syncing {
                turn.abort();
            } else if turn.pod.mode == Mode::Finished {
                turn.pod.step = Step::Idle;
            }
        });
    }

    fn answered(
        &mut self,
        id: RequestId,
        asked: Asked,
        response: &Response,
        out: &mut Outbox<'_, Timer>,
    ) {
        match asked {
            Asked::Status(pod) => self.turn(pod, out, |turn| turn.reported(response)),
            Asked::Delete(pod) => self.turn(pod, out, |turn| turn.deleted(response)),
            Asked::Volume(pod, need) => {
                self.turn(pod, out, |turn| turn.volume_answered(id, &need, response));
            }
            Asked::Env(pod, index, need) => {
                self.turn(pod, out, |turn| {
                    turn.env_answered(id, index, &need, response)
                });
            }
            Asked::Refresh(pod, need) => {
                self.turn(pod, out, |turn| turn.refreshed(&need, response));
            }
            Asked::Services(pod, index) => {
                self.turn(pod, out, |turn| turn.services_answered(id, index, response));
            }
            Asked::Mirror(pod) => self.mirror_answered(pod, response, out),
            Asked::Register => self.registration.registered(response, out),
            Asked::NodeStatus => self.registration.told(response, out),
            Asked::NewLease => self
                .registration
                .renewed(true, response, &mut self.host, out),
            Asked::Lease => self
                .registration
                .renewed(false, response, &mut self.host, out),
        }
    }

    fn pull_over(&mut self, out: &mut Outbox<'_, Timer>) {
        let Some((waiter, pulled, next)) = self.host.images.finish(out.now(), out.rng) else {
            return;
        };
        if let Some(end) = next {
            out.wake_at(end, Timer::Pull);
        }
        self.host.images_changed = true;
        self.registration.images_changed(out);
        self.turn(waiter.pod, out, |turn| turn.pulled(waiter, pulled));
    }
}

fn is_mirror(object: &Value) -> bool {
    Meta::of(object).annotation(MIRROR).is_some()
}

/// The watch shows a newer version of the pod.
fn update(turn: &mut Turn<'_, '_>, object: Value, cause: sim::NoteId) {
    let was_deleting = turn.pod.meta().is_deleting();
    let old_spec = turn.pod.spec().clone();
    turn.pod.object = object;
    if turn.pod.patch.is_none() {
        turn.pod.reported = turn.pod.object.get("status").clone();
    }
    let spec_changed = *turn.pod.spec() != old_spec;
    let count = turn.pod.spec().get("initContainers").items().len()
        + turn.pod.spec().get("containers").items().len()
        + turn.pod.spec().get("ephemeralContainers").items().len();
    if count > turn.pod.containers.len() {
        turn.pod.containers.resize(count, Container::default());
    }
    if turn.pod.meta().is_deleting() && !was_deleting {
        turn.pod.cause = cause;
        match turn.pod.mode {
            Mode::Syncing => turn.abort(),
            Mode::Finished => turn.sync(),
            _ => {}
        }
    } else if spec_changed && turn.pod.mode == Mode::Syncing {
        turn.pod.cause = cause;
        // Whoever waits for containers to stop looks at nothing else meanwhile.
        if turn.pod.step != Step::Stopping {
            turn.resize();
        }
        turn.sync();
    } else if turn.pod.mode == Mode::Syncing && turn.pod.patch.is_none() && turn.is_misjudged() {
        turn.pod.cause = cause;
        let span = turn.out.rng.latency(DISPATCH.0, DISPATCH.1);
        turn.sync_at(turn.out.now() + span);
    }
}

impl Component for Kubelet {
    type Timer = Timer;

    fn start(&mut self, out: &mut Outbox<'_, Timer>) {
        self.host.asked.clear();
        self.host.recorder.start();
        self.registration = Registration::default();
        self.registration.start(&mut self.host, out);
        self.feed.start(out);
        self.node_feed.start(out);
        if let Some(end) = self.host.images.ends() {
            out.wake_at(end, Timer::Pull);
        }
        self.look_at_manifests(out);
        // Containers outlive the kubelet that started them; it looks them over again.
        let ids: Vec<PodId> = self.pods.keys().copied().collect();
        for id in ids {
            self.turn(id, out, |turn| {
                turn.pod.patch = None;
                turn.pod.step = Step::Idle;
                turn.pod.sync_at = None;
                turn.rearm();
                turn.sync();
            });
        }
    }

    fn respond(&mut self, id: RequestId, response: Response, out: &mut Outbox<'_, Timer>) {
        if let Some(asked) = self.host.asked.remove(&id) {
            return self.answered(id, asked, &response, out);
        }
        if self.host.recorder.respond(id, &response, out) {
            return;
        }
        let fed = self.feed.respond(id, &response, out);
        if fed != Fed::Foreign {
            return self.fed(fed, out);
        }
        let fed = self.node_feed.respond(id, &response, out);
        self.node_fed(fed, out);
    }

    fn observe(&mut self, id: RequestId, event: WatchEvent, out: &mut Outbox<'_, Timer>) {
        if self.node_feed.owns(id) {
            let fed = self.node_feed.observe(id, event);
            return self.node_fed(fed, out);
        }
        let fed = self.feed.observe(id, event);
        self.fed(fed, out);
    }

    fn wake(&mut self, timer: Timer, out: &mut Outbox<'_, Timer>) {
        match timer {
            Timer::Status => self.registration.look(&mut self.host, out),
            Timer::Lease => self.registration.renew(&mut self.host, out),
            Timer::Feed => self.feed.retry(out),
            Timer::Eviction => self.look_at_strain(out),
            Timer::NodeFeed => self.node_feed.retry(out),
            Timer::Events => self.host.recorder.wake(out),
            Timer::Mirrors => self.look_at_mirrors(out),
            Timer::Pull => self.pull_over(out),
            Timer::Pod { id, alarm } => self.turn(id, out, |turn| match alarm {
                Alarm::Sync if turn.pod.sync_at == Some(turn.out.now()) => turn.sync(),
                Alarm::Step(stamp) if turn.pod.stamp == stamp => turn.step_over(),
                Alarm::Deadline => turn.deadline(),
                Alarm::Refresh => turn.refresh(),
                Alarm::Exit(index, stamp) => turn.exited(index, stamp),
                Alarm::Term(index, stamp) => turn.term_due(index, stamp),
                Alarm::Kill(index, stamp) => turn.kill(index, stamp),
                Alarm::Inside(index, stamp) => turn.inside_wakes(index, stamp),
                Alarm::Probe(index, stamp, kind) => turn.probe(index, stamp, kind),
                // Something newer was set in the meantime.
                Alarm::Sync | Alarm::Step(_) => {}
            }),
        }
    }
}
