//! A cluster without nodes: the real API server, the manager, links with latency, and a machine that runs pods.
//!
//! Tests drive it as a user would and read what happened as lines: requests of controllers and events written.

use std::collections::BTreeMap;

use api::core::PODS;
use api::meta::Meta;
use api::{
    Body, Note, Part, PatchKind, Request, RequestId, Resource, Response, Str, Value, Verb,
    WatchEvent, list, map,
};
use apiserver::{ApiServer, Caller, Reply, User};
use client::{Component, Effect, Outbox};
use sim::{MILLI, Micros, NoteId, Queue, Rng, SECOND, Time};

use crate::{Manager, Timer};

/// What will happen.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // Few exist at a time, in tests.
enum Happening {
    Ask(RequestId, Request, &'static str),
    Answer(RequestId, Response),
    Event(RequestId, WatchEvent),
    Wake(Timer),
    /// The machine does the next thing with a pod.
    Pod(Str, Str, Act),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Bind,
    Run,
    Finish,
    Kill,
}

/// How the machine treats pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// Nobody runs them.
    Off,
    /// They become ready.
    Ready,
    /// They run and end well.
    Succeed,
    /// They run and fail.
    Fail,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) server: ApiServer,
    pub(crate) manager: Manager,
    pub(crate) machine: Machine,
    pub(crate) now: Time,
    queue: Queue<Happening>,
    rng: Rng,
    links: Rng,
    next_request: u64,
    seen: BTreeMap<Str, u8>,
    /// `seconds actor VERB plural/name` of every write of a controller.
    pub(crate) writes: Vec<String>,
    pub(crate) count: BTreeMap<Verb, usize>,
}

const PINNED: &str =
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
const START: Time = Time(1_790_000_000_000_000);

fn admin(part: Part) -> Caller {
    Caller {
        part,
        user: User {
            name: "kubernetes-admin".into(),
            groups: vec!["system:masters".into(), "system:authenticated".into()],
            ..User::default()
        },
    }
}

impl World {
    pub(crate) fn new(machine: Machine) -> World {
        let mut world = World {
            server: ApiServer::new(1, START),
            manager: Manager::new(),
            machine,
            now: START,
            queue: Queue::new(),
            rng: Rng::stream(1, "manager"),
            links: Rng::stream(1, "links"),
            next_request: 0,
            seen: BTreeMap::new(),
            writes: Vec::new(),
            count: BTreeMap::new(),
        };
        world.turn(|manager, out| manager.start(out));
        let request = Request::watch(&PODS, "", "");
        world
            .server
            .handle(START, &admin(Part::Kubelet(0)), RequestId(1), &request);
        world.deliver();
        world.run(2 * SECOND);
        world.writes.clear();
        world
    }

    /// Asks as a user.
    pub(crate) fn ask(&mut self, request: Request) -> Response {
        let caller = admin(Part::Client(0));
        let reply = self
            .server
            .handle(self.now, &caller, RequestId(1), &request);
        self.deliver();
        match reply {
            Reply::Done(response) => response,
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// Asks as a user; must succeed.
    pub(crate) fn must(&mut self, request: Request) -> Value {
        let response = self.ask(request);
        assert!(response.is_success(), "{:?}", response.body);
        response.body
    }

    pub(crate) fn create(&mut self, resource: &Resource, object: Value) -> Value {
        let namespace = Meta::of(&object).shared_namespace();
        self.must(Request::create(resource, namespace, object))
    }

    /// A merge patch in `default`.
    pub(crate) fn patch(&mut self, resource: &Resource, name: &'static str, patch: Value) {
        self.must(Request::patch(
            resource,
            "default",
            name,
            PatchKind::Merge,
            patch,
        ));
    }

    pub(crate) fn get(&mut self, resource: &Resource, name: &str) -> Value {
        self.must(Request::get(resource, "default", Str::new(name)))
    }

    pub(crate) fn list(&mut self, resource: &Resource) -> Vec<Value> {
        let list = self.must(Request::list(resource, "default"));
        list.get("items").items().to_vec()
    }

    /// Messages of the events of `default`, in order of their creation.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let mut events = self.list(&api::core::EVENTS);
        events.sort_by_key(|e| {
            let name = Meta::of(e).name();
            name.rsplit('.').next().unwrap_or_default().to_owned()
        });
        events
            .iter()
            .map(|e| {
                format!(
                    "{} {} x{} {}",
                    e.str("type"),
                    e.str("reason"),
                    e.int("count").unwrap_or_default(),
                    e.str("message")
                )
            })
            .collect()
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Micros) {
        let end = self.now + span;
        loop {
            let tick = self.server.next_tick().filter(|at| *at <= end);
            let next = self.queue.next_at().filter(|at| *at <= end);
            match (tick, next) {
                (Some(tick), next) if next.is_none_or(|at| tick < at) => {
                    self.now = self.now.max(tick);
                    self.server.tick(self.now);
                    self.deliver();
                    assert!(
                        self.server.next_tick().is_none_or(|at| at > tick),
                        "the tick did its work"
                    );
                }
                (_, Some(_)) => {
                    let (at, happening) = self.queue.pop().expect("peeked");
                    self.now = self.now.max(at);
                    self.happen(happening);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Ask(id, request, actor) => {
                *self.count.entry(request.verb).or_default() += 1;
                let caller = admin(Part::ControllerManager);
                let reply = self.server.handle(self.now, &caller, id, &request);
                let response = match reply {
                    Reply::Done(response) => response,
                    _ => Response::ok(Value::Null),
                };
                self.log(&request, actor, &response);
                let delay = self.delay();
                self.queue
                    .push(self.now + delay, Happening::Answer(id, response));
                self.deliver();
            }
            Happening::Answer(id, response) => {
                self.turn(|manager, out| manager.respond(id, response, out));
            }
            Happening::Event(id, event) => {
                self.turn(|manager, out| manager.observe(id, event, out));
            }
            Happening::Wake(timer) => self.turn(|manager, out| manager.wake(timer, out)),
            Happening::Pod(namespace, name, act) => self.act(namespace, name, act),
        }
    }

    fn turn(&mut self, turn: impl FnOnce(&mut Manager, &mut Outbox<'_, Timer>)) {
        let mut out = Outbox::new(self.now, NoteId(0), &mut self.rng, &mut self.next_request);
        turn(&mut self.manager, &mut out);
        for effect in out.into_effects() {
            match effect {
                Effect::Send {
                    id, request, actor, ..
                } => {
                    let delay = self.delay();
                    self.queue
                        .push(self.now + delay, Happening::Ask(id, request, actor));
                }
                Effect::Cancel(id) => self.server.cancel(Part::ControllerManager, id),
                Effect::Timer { at, timer } => {
                    self.queue.push(at, Happening::Wake(timer));
                }
                Effect::Note {
                    note:
                        Note::Synced {
                            controller,
                            key,
                            outcome,
                        },
                    ..
                } => {
                    let at = self.seconds();
                    self.writes
                        .push(format!("{at} {controller} retries {}: {outcome}", key.name));
                }
                Effect::Note { .. } | Effect::Frame { .. } => {}
            }
        }
    }

    fn delay(&mut self) -> Micros {
        self.links.latency(MILLI, 3 * MILLI)
    }

    fn seconds(&self) -> String {
        let micros = self.now.since(START);
        format!("{:.3}", micros as f64 / 1e6)
    }

    fn log(&mut self, request: &Request, actor: &'static str, response: &Response) {
        if matches!(request.verb, Verb::Get | Verb::List | Verb::Watch)
            || request.resource.plural == *"events"
        {
            return;
        }
        let name = if request.name.is_empty() {
            match &request.body {
                Body::Object(object) => {
                    let meta = Meta::of(object);
                    let generated = meta.0.shared_str("generateName");
                    if meta.name().is_empty() {
                        format!("{generated}*")
                    } else {
                        meta.name().to_owned()
                    }
                }
                _ => "*".to_owned(),
            }
        } else {
            request.name.to_string()
        };
        let sub = if request.subresource.is_empty() {
            String::new()
        } else {
            format!("/{}", request.subresource)
        };
        let refused = if response.is_success() {
            String::new()
        } else {
            format!(" {}", response.message())
        };
        let at = self.seconds();
        self.writes.push(format!(
            "{at} {actor} {:?} {}/{name}{sub}{refused}",
            request.verb, request.resource.plural
        ));
    }

    /// Puts the API server's watch events on their way.
    fn deliver(&mut self) {
        self.server.drain_notes();
        let mut last = self.now;
        for delivery in self.server.drain_events() {
            if delivery.to == Part::ControllerManager {
                // One connection keeps the order of its events.
                last = last.max(self.now + self.links.latency(MILLI, 2 * MILLI));
                self.queue
                    .push(last, Happening::Event(delivery.id, delivery.event));
            } else if delivery.to == Part::Kubelet(0) {
                self.see(&delivery.event.object);
            }
        }
    }

    /// The machine sees a pod.
    fn see(&mut self, pod: &Value) {
        if self.machine == Machine::Off {
            return;
        }
        let meta = Meta::of(pod);
        let is_deleting = meta.is_deleting();
        let is_bound = !pod.path("spec.nodeName").is_empty();
        let phase = pod.path("status.phase").as_str().unwrap_or_default();
        let (rank, act, delay) = match (is_deleting, is_bound, phase) {
            (true, ..) => (9, Act::Kill, 200 * MILLI),
            (_, _, "Succeeded" | "Failed") => return,
            (_, false, _) => (1, Act::Bind, 10 * MILLI),
            (_, _, "Running") if self.machine == Machine::Ready => return,
            (_, _, "Running") => (3, Act::Finish, SECOND),
            _ => (2, Act::Run, 300 * MILLI),
        };
        let uid = meta.shared_uid();
        if self.seen.get(&uid).is_some_and(|seen| *seen >= rank) {
            return;
        }
        self.seen.insert(uid, rank);
        let key = (meta.shared_namespace(), meta.shared_name());
        self.queue
            .push(self.now + delay, Happening::Pod(key.0, key.1, act));
    }

    fn act(&mut self, namespace: Str, name: Str, act: Act) {
        let get = Request::get(&PODS, namespace.clone(), name.clone());
        let response = self.ask(get);
        if !response.is_success() {
            return;
        }
        let pod = response.body;
        let condition = |kind: &'static str, status: &'static str, now: Time| map! { "type": kind, "status": status, "lastTransitionTime": now.rfc3339() };
        let status = |phase: &'static str, ready: &'static str, now: Time| {
            map! { "status": map! {
                "phase": phase, "podIP": "10.244.0.9", "podIPs": list![map! { "ip": "10.244.0.9" }],
                "conditions": list![condition("Ready", ready, now), condition("PodScheduled", "True", now)],
            } }
        };
        let now = self.now;
        let patch = |body: Value| {
            Request::patch(
                &PODS,
                namespace.clone(),
                name.clone(),
                PatchKind::Merge,
                body,
            )
            .subresource("status")
        };
        let request = match act {
            Act::Bind => {
                let pinned = pod.path(PINNED).items();
                let terms = pinned.first().map(|term| term.get("matchFields").items());
                let field = terms.and_then(|fields| fields.first());
                let node = field.and_then(|field| field.get("values").items().first().cloned());
                let node = node.unwrap_or_else(|| "node-1".into());
                let binding = map! {
                    "apiVersion": "v1", "kind": "Binding", "metadata": map! { "name": &name, "namespace": &namespace },
                    "target": map! { "kind": "Node", "name": node },
                };
                let mut request =
                    Request::create(&PODS, namespace.clone(), binding).subresource("binding");
                request.name = name.clone();
                request
            }
            Act::Run if self.machine == Machine::Ready => patch(status("Running", "True", now)),
            Act::Run => patch(status("Running", "False", now)),
            Act::Finish if self.machine == Machine::Fail => patch(status("Failed", "False", now)),
            Act::Finish => patch(status("Succeeded", "False", now)),
            Act::Kill => {
                let mut request = Request::delete(&PODS, namespace.clone(), name.clone());
                request.options.grace_period_secs = Some(0);
                request
            }
        };
        let response = self.ask(request);
        assert!(
            response.is_success() || response.code == 404,
            "{:?}",
            response.body
        );
    }
}
