//! Who exists: the only module that knows every part of a cluster and carries their messages.
//!
//! A [`Cluster`] owns the API server, the controller manager, the scheduler and the nodes, and one queue of
//! what will happen. Parts talk only to the API server, over links with latency; `cluster` moves the messages,
//! records them in the trace, and breaks things when asked to ([`Fault`]). It has no opinion about what the
//! messages say.
//!
//! ```
//! use cluster::{Cluster, Options};
//! let mut cluster = Cluster::new(Options { nodes: 1, ..Options::default() });
//! cluster.run_for(10 * sim::SECOND);
//! let mut fork = cluster.clone();
//! cluster.run_for(sim::MINUTE);
//! fork.run_for(sim::MINUTE);
//! assert_eq!(cluster.trace().digest(), fork.trace().digest());
//! ```

mod api_calls;
mod audit;
mod client;
mod event;
mod fault;
mod host;
mod kubeadm;
mod links;
mod metrics;
mod options;
mod proxied;
mod streams;
mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Arrival, Note, Part, Request, RequestId, Resource, Response, map};
use apiserver::{ApiServer, Caller, Reply, User};
use client_room::Component;
use controllers::Manager;
use node::Kubelet;
use scheduler::Scheduler;
use sim::{Machine, Micros, NoteId, Queue, Rng, Time, Trace};

use client::Client;
use event::{Event, Timer};
use host::Host;
use links::Links;
use streams::Stream;

/// Whether any part of the cluster acts on objects of a group's kind.
pub use apiserver::acts_on;
pub use fault::Fault;
pub use node::Custom as CustomImage;
/// What somebody who wrote the name of an image that cannot be pulled probably meant.
pub use node::catalogue::meant as meant_image;
pub use options::Options;

use ::client as client_room;

/// What a clone costs for each object in the store: its places in indexes and caches (measured with 3,000 pods and their events).
const BYTES_PER_OBJECT: u64 = 1_300;

/// A whole cluster at one moment. Plain data.
#[derive(Clone, Debug)]
pub struct Cluster {
    options: Options,
    now: Time,
    queue: Queue<Event>,
    trace: Trace<Note>,
    server: ApiServer,
    manager: Host<Manager>,
    scheduler: Host<Scheduler>,
    kubelets: Vec<Host<Kubelet>>,
    clients: BTreeMap<u32, Client>,
    links: Links,
    faults: fault::Faults,
    network: traffic::Network,
    /// Proxied requests that a kubelet answers: stream number → who asked.
    streams: BTreeMap<u64, Stream>,
    next_stream: u64,
    /// The earliest tick of the API server that is in the queue.
    tick_at: Option<Time>,
    steps: u64,
}

impl Cluster {
    /// A cluster whose parts start at `options.start`.
    pub fn new(options: Options) -> Cluster {
        let seed = options.seed;
        let start = options.start;
        let mut cluster = Cluster {
            now: start,
            queue: Queue::new(),
            trace: Trace::new(options.trace_capacity),
            server: ApiServer::new(seed, start),
            manager: Host::new(Manager::new(), seed, "controller-manager"),
            scheduler: Host::new(Scheduler::new(), seed, "scheduler"),
            kubelets: Vec::new(),
            clients: BTreeMap::new(),
            links: Links {
                rng: Rng::stream(seed, "links"),
                to_server: BTreeMap::new(),
                from_server: BTreeMap::new(),
            },
            faults: fault::Faults::default(),
            network: traffic::Network::new(seed),
            streams: BTreeMap::new(),
            next_stream: 0,
            tick_at: None,
            steps: 0,
            options,
        };
        cluster.add_default_storage_class();
        if cluster.options.metrics_server {
            cluster.server.install_metrics_server();
        }
        if cluster.options.load_balancer {
            cluster.enable_controller("service-lb-controller", true);
        }
        // kubeadm's order: the control plane first, then the nodes join one after another.
        cluster.queue.push(
            start + 200 * sim::MILLI,
            Event::Start(Part::ControllerManager),
        );
        cluster
            .queue
            .push(start + 250 * sim::MILLI, Event::Start(Part::Scheduler));
        let at = start + 300 * sim::MILLI;
        cluster.queue.push(at, Event::Start(traffic::WATCHER));
        for number in 0..cluster.options.nodes + cluster.options.windows_nodes {
            cluster.join(number >= cluster.options.nodes);
        }
        if cluster.options.control_plane {
            cluster.add_control_plane();
        }
        cluster.schedule_tick();
        cluster
    }

    /// Small clusters (kind, minikube) come with a class that makes volumes on the node's own disk.
    fn add_default_storage_class(&mut self) {
        let class = map! {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": map! {
                "name": "standard",
                "annotations": map! { "storageclass.kubernetes.io/is-default-class": "true" },
            },
            "provisioner": "kubernetes.io/host-path", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
        };
        let classes = Resource::of("storage.k8s.io", "v1", "storageclasses");
        let admin = Caller::component(Part::Client(0));
        let reply = self.server.handle(
            self.now,
            &admin,
            RequestId(0),
            &Request::create(&classes, "", class),
        );
        debug_assert!(
            matches!(&reply, Reply::Done(response) if response.is_success()),
            "{reply:?}"
        );
        self.server.drain_notes();
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    pub fn now(&self) -> Time {
        self.now
    }

    pub fn trace(&self) -> &Trace<Note> {
        &self.trace
    }

    /// The API server, to look at without asking (the page's counters, tests).
    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    /// From now on the API server's OpenAPI documents say what types and fields mean.
    pub fn set_field_texts(&mut self, texts: Arc<apiserver::FieldTexts>) {
        self.server.set_field_texts(texts);
    }

    /// Pods that wait for a node.
    pub fn waiting_pods(&self) -> usize {
        self.scheduler.component.waiting()
    }

    /// The controllers, to look at without asking.
    pub fn manager(&self) -> &Manager {
        &self.manager.component
    }

    /// The names of all controllers, as `--controllers` of kube-controller-manager knows them.
    pub fn controllers() -> &'static [&'static str] {
        Manager::controllers()
    }

    /// The kubelets of machines that have power, to look at without asking.
    pub fn kubelets(&self) -> impl Iterator<Item = &Kubelet> {
        let powered = self.kubelets.iter().filter(|host| host.is_running);
        powered.map(|host| &host.component)
    }

    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler.component
    }

    /// Events handled since the start.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Messages and timers that wait in the queue.
    pub fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// Runs everything of the next `span`.
    pub fn run_for(&mut self, span: Micros) {
        let until = self.now + span;
        self.advance(until, u64::MAX);
    }

    /// Handles the next event, whenever it is due; false if there is none.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.steps += 1;
        self.dispatch(event);
        true
    }

    /// Lets time pass up to `until`, before which nothing is due.
    pub fn rest_until(&mut self, until: Time) {
        debug_assert!(
            self.queue.next_at().is_none_or(|at| at >= until),
            "something is due before the rest ends"
        );
        self.now = self.now.max(until);
    }

    /// Every machine finds an image of the user's from now on.
    pub fn define_image(&mut self, image: &std::sync::Arc<node::Custom>) {
        for host in &mut self.kubelets {
            host.component.define_image(image.clone());
        }
    }

    /// Records a note of somebody outside (a command line, a button).
    pub fn note(&mut self, note: Note) -> NoteId {
        self.trace.record(self.now, NoteId(0), note)
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Start(part) => self.start(part),
            Event::Request {
                from,
                user,
                id,
                request,
                cause,
            } => self.serve(from, user, id, &request, cause),
            Event::Arrival {
                to,
                id,
                arrival,
                cause,
            } => self.arrive(to, id, arrival, cause),
            Event::Timer { generation, timer } => self.wake(generation, timer),
            Event::Proxy {
                node,
                stream,
                request,
                cause,
            } => self.proxy(node, stream, &request, cause),
            Event::Typed {
                to,
                id,
                bytes,
                tries,
            } => self.typed(to, id, bytes, tries),
            Event::Input {
                node,
                stream,
                input,
            } => self.input_arrives(node, stream, &input),
            Event::CloseStream { node, stream } => self.close_stream(node, stream),
            Event::Call {
                ticket,
                node,
                client,
                call,
            } => self.deliver_call(ticket, node, client, &call),
            Event::CallEnds { ticket, answer } => self.end_call(ticket, *answer),
            Event::MarkControlPlane => self.mark_control_plane(),
            Event::ServerTick => {
                if self.tick_at.is_some_and(|at| at <= self.now) {
                    self.tick_at = None;
                }
                self.server.tick(self.now);
                self.tell_watchers(NoteId(0));
            }
        }
    }

    fn start(&mut self, part: Part) {
        let now = self.now;
        match part {
            Part::ApiServer => drop(self.comes_up(part)),
            Part::ControllerManager => {
                self.manager.is_running |= self.comes_up(part);
                if !self.manager.is_running {
                    return;
                }
                let effects = self.manager.turn(now, NoteId(0), |c, out| c.start(out));
                self.carry_out(part, effects);
            }
            Part::Scheduler => {
                self.scheduler.is_running |= self.comes_up(part);
                if !self.scheduler.is_running {
                    return;
                }
                let effects = self.scheduler.turn(now, NoteId(0), |c, out| c.start(out));
                self.carry_out(part, effects);
            }
            Part::Kubelet(number) => {
                let Some(host) = self.kubelets.get_mut(number as usize) else {
                    return;
                };
                let effects = host.turn(now, NoteId(0), |c, out| c.start(out));
                self.carry_out(part, effects);
            }
            Part::KubeProxy(_) => {
                let effects = self
                    .network
                    .proxy
                    .turn(now, NoteId(0), |c, out| c.start(out));
                self.carry_out(part, effects);
            }
            _ => {}
        }
    }

    /// The API server handles a request that has arrived.
    fn serve(
        &mut self,
        from: Part,
        user: Option<Box<User>>,
        id: RequestId,
        request: &Request,
        cause: NoteId,
    ) {
        if self.faults.is_down(Part::ApiServer) || self.faults.is_cut(from) {
            self.lose(from, id, cause);
            return;
        }
        let mut caller = Caller::component(from);
        if let Some(user) = user {
            caller.user = *user;
        } else if self.is_control_plane(from) {
            caller.user.name = kubeadm::USER.into();
        }
        let reply = self.server.handle(self.now, &caller, id, request);
        self.audit(&caller, id, request, &reply, cause);
        let last = self.record_server_notes(cause);
        let is_write = !matches!(
            request.verb,
            api::Verb::Get | api::Verb::List | api::Verb::Watch | api::Verb::GetPath
        );
        let work = if is_write {
            self.links.rng.latency(1_000, 5_000)
        } else {
            self.links.rng.latency(200, 900)
        };
        let work = work * u64::from(self.faults.server_slowdown.max(1));
        match reply {
            Reply::Done(response) => {
                self.answer(from, id, Arrival::Response(response), work, cause)
            }
            Reply::Watching => self.answer(
                from,
                id,
                Arrival::Response(Response::ok(api::Value::Null)),
                work,
                cause,
            ),
            Reply::Proxy { node } => self.relay(from, id, &node, request, work, cause),
            Reply::Extension { request } if request.subresource == *"proxy" => {
                self.lead_on(from, id, &request, cause);
            }
            Reply::Extension { request } => {
                let measured = Arrival::Response(self.metrics(&request));
                self.answer(from, id, measured, work, cause);
            }
        }
        self.tell_watchers_after(last, work);
    }

    fn record_server_notes(&mut self, cause: NoteId) -> NoteId {
        let mut last = cause;
        for note in self.server.drain_notes() {
            last = self.trace.record(self.now, cause, note);
        }
        last
    }

    fn tell_watchers(&mut self, cause: NoteId) {
        let last = self.record_server_notes(cause);
        self.tell_watchers_after(last, 0);
    }

    /// Sends what watchers must hear; `work` is how long the API server took.
    fn tell_watchers_after(&mut self, cause: NoteId, work: Micros) {
        for delivery in self.server.drain_events() {
            if self.faults.is_cut(delivery.to) {
                continue;
            }
            let arrives = self.links.part_hears(self.now + work, delivery.to);
            let note = Note::Watched {
                to: delivery.to,
                kind: delivery.event.kind,
                key: delivery.key,
                arrives,
            };
            let cause = self.trace.record(self.now, cause, note);
            let arrival = Arrival::Watch(delivery.event);
            self.queue.push(
                arrives,
                Event::Arrival {
                    to: delivery.to,
                    id: delivery.id,
                    arrival,
                    cause,
                },
            );
        }
        self.schedule_tick();
    }

    fn schedule_tick(&mut self) {
        if let Some(at) = self.server.next_tick()
            && self.tick_at.is_none_or(|scheduled| at < scheduled)
        {
            self.tick_at = Some(at.max(self.now));
            self.queue.push(at.max(self.now), Event::ServerTick);
        }
    }

    /// A message reaches the part it was sent to.
    fn arrive(&mut self, to: Part, id: RequestId, arrival: Arrival, cause: NoteId) {
        let now = self.now;
        match to {
            Part::ControllerManager => {
                if let Some(effects) = self.manager.hear(now, id, arrival, cause) {
                    self.carry_out(to, effects);
                }
            }
            Part::Scheduler => {
                if let Some(effects) = self.scheduler.hear(now, id, arrival, cause) {
                    self.carry_out(to, effects);
                }
            }
            Part::Kubelet(number) => {
                let effects = self
                    .kubelets
                    .get_mut(number as usize)
                    .and_then(|host| host.hear(now, id, arrival, cause));
                if let Some(effects) = effects {
                    self.carry_out(to, effects);
                }
            }
            Part::Client(number) => {
                if let Some(client) = self.clients.get_mut(&number) {
                    client.inbox.push_back((now, id, arrival));
                }
            }
            Part::KubeProxy(_) => {
                if let Some(effects) = self.network.proxy.hear(now, id, arrival, cause) {
                    self.carry_out(to, effects);
                }
            }
            Part::Etcd | Part::ApiServer | Part::CloudControllerManager => {}
        }
    }

    fn wake(&mut self, generation: u32, timer: Timer) {
        let now = self.now;
        match timer {
            Timer::Manager(timer) => {
                if let Some(effects) = self.manager.wake(now, generation, timer) {
                    self.carry_out(Part::ControllerManager, effects);
                }
            }
            Timer::Scheduler(timer) => {
                if let Some(effects) = self.scheduler.wake(now, generation, timer) {
                    self.carry_out(Part::Scheduler, effects);
                }
            }
            Timer::Proxy(timer) => {
                if let Some(effects) = self.network.proxy.wake(now, generation, timer) {
                    self.carry_out(traffic::WATCHER, effects);
                }
            }
            Timer::Kubelet(number, timer) => {
                let effects = self
                    .kubelets
                    .get_mut(number as usize)
                    .and_then(|host| host.wake(now, generation, timer));
                if let Some(effects) = effects {
                    self.carry_out(Part::Kubelet(number), effects);
                }
            }
        }
    }

    /// Turns the effects of a part's turn into queue events.
    fn carry_out<T>(&mut self, part: Part, effects: host::Effects<T>)
    where
        Timer: From<(Part, T)>,
    {
        for effect in effects.list {
            match effect {
                client_room::Effect::Send {
                    id,
                    actor,
                    cause,
                    request,
                } => self.send(part, id, actor, cause, request),
                client_room::Effect::Cancel(id) => self.server.cancel(part, id),
                client_room::Effect::Timer { at, timer } => {
                    self.queue.push(
                        at,
                        Event::Timer {
                            generation: effects.generation,
                            timer: Timer::from((part, timer)),
                        },
                    );
                }
                client_room::Effect::Note { cause, note } => {
                    self.trace.record(self.now, cause, note);
                }
                client_room::Effect::Frame { stream, frame } => self.forward(stream, frame),
            }
        }
        if let Part::Kubelet(node) = part {
            self.collect_traffic(node);
        }
    }
}

impl Machine for Cluster {
    type Command = Fault;

    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, until: Time, steps: u64) -> u64 {
        let mut done = 0;
        while done < steps {
            match self.queue.next_at() {
                Some(at) if at <= until => {
                    self.step();
                    done += 1;
                }
                _ => {
                    self.now = self.now.max(until);
                    break;
                }
            }
        }
        done
    }

    fn command(&mut self, command: Fault) {
        self.inflict(command);
    }

    fn weight(&self) -> u64 {
        self.server.store().total() as u64 * BYTES_PER_OBJECT
    }
}
