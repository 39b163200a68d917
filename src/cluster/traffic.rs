//! Carries calls between containers, to services, to the cluster's DNS, to the API server, and from those outside.
//!
//! A call is routed by the tables of the node it starts on, judged by the network policies, and delivered after a link's
//! latency; its answer takes the same way back. The trace tells of both. What listens at an address is the kubelet's
//! business ([`node::Kubelet::receive`]).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::meta::Meta;
use api::note::Key;
use api::{Note, Part, RequestId, Str, Value, map};
use network::policy::Peer;
use network::{
    Affinity, Answer, Call, Found, NAMESERVER, Payload, Place, Protocol, Proxy, Route, Tables,
};
use posix::{Record, RecordKind};
use sim::{MILLI, Micros, NoteId, Rng, Time};

use crate::api_calls::is_api_server;
use crate::host::Host;
use crate::{Cluster, Event};

/// Where the API server is found inside the cluster, whatever its service says.
pub(crate) const API_SERVER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);
pub(crate) const HOST_OF_API_SERVER: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 1);
/// The machine outside, as nodes see it.
pub(crate) const GATEWAY: Ipv4Addr = HOST_OF_API_SERVER;
/// One watcher stands for the kube-proxies of all nodes.
pub(crate) const WATCHER: Part = Part::KubeProxy(0);
/// Who asks the API server from inside a pod: it is known by its token alone.
pub(crate) const INSIDER: Part = Part::Client(u32::MAX);
/// So many calls of a second are told to the trace; a load generator would fill it.
const NOTED_PER_SECOND: u32 = 40;

/// The network's state beside what the nodes have.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) proxy: Host<Proxy>,
    affinity: Affinity,
    pub(crate) rng: Rng,
    /// Tables of nodes that hear nothing new.
    frozen: BTreeMap<u32, Tables>,
    tickets: BTreeMap<u64, Ticket>,
    next_ticket: u64,
    noted: (u64, u32),
    answers: BTreeMap<u32, Vec<(u64, Answer)>>,
}

/// A call under way.
#[derive(Clone, Debug)]
struct Ticket {
    asker: Asker,
    from: Key,
    to: Key,
    /// The machine that works on it.
    node: Option<u32>,
    /// When the asker gives up.
    ends: Time,
    cause: Option<NoteId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Container {
        node: u32,
        exchange: u64,
    },
    Client {
        number: u32,
        exchange: u64,
    },
    /// The API server, for a request of `from`.
    Request {
        from: Part,
        id: api::RequestId,
    },
}

/// From where a call comes.
pub(crate) struct Source {
    pub(crate) asker: Asker,
    pub(crate) address: Ipv4Addr,
    /// The node on which it starts; the first one for those outside.
    pub(crate) node: u32,
    pub(crate) pod: Option<Value>,
    pub(crate) cause: NoteId,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Network {
        Network {
            proxy: Host::new(Proxy::default(), seed, "kube-proxy"),
            affinity: Affinity::default(),
            rng: Rng::stream(seed, "network"),
            frozen: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
            noted: (0, 0),
            answers: BTreeMap::new(),
        }
    }

    /// A new number for a call.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// A node hears nothing new from now on, or hears again.
    pub(crate) fn freeze(&mut self, node: u32, on: bool) {
        if on {
            self.frozen
                .insert(node, self.proxy.component.tables().clone());
        } else {
            self.frozen.remove(&node);
        }
    }

    fn tables(&self, node: u32) -> &Tables {
        self.frozen
            .get(&node)
            .unwrap_or_else(|| self.proxy.component.tables())
    }
}

impl Cluster {
    /// Someone outside calls an address; the answer is found by [`Cluster::receive_answers`] under the same number.
    pub fn call(&mut self, number: u32, exchange: u64, call: Call, cause: NoteId) {
        let source = Source {
            asker: Asker::Client { number, exchange },
            address: GATEWAY,
            node: 0,
            pod: None,
            cause,
        };
        self.launch(source, call);
    }

    /// A client reaches through its port-forward stream `id` into the pod, past services and policies; the answer is found
    /// by [`Cluster::receive_answers`]. False if there is no such stream.
    pub fn reach(
        &mut self,
        number: u32,
        id: RequestId,
        exchange: u64,
        port: u16,
        payload: Payload,
    ) -> bool {
        let part = Part::Client(number);
        let found = self
            .streams
            .values()
            .find(|s| s.to == part && s.id == id)
            .map(|s| (s.node, s.pod.clone()));
        let Some((node, pod)) = found else {
            return false;
        };
        let address = self.kubelets.get(node as usize).and_then(|host| {
            let machine = &host.component;
            machine.address_of(&pod.namespace, &pod.name)
        });
        let ticket = self.network.ticket();
        let patience = 30 * sim::SECOND;
        self.network.tickets.insert(
            ticket,
            Ticket {
                asker: Asker::Client { number, exchange },
                from: Key::new("clients", "", "terminal"),
                to: pod,
                node: Some(node),
                ends: self.now + patience,
                cause: None,
            },
        );
        let Some(address) = address else {
            self.answered(ticket, Answer::Refused, 0);
            return true;
        };
        let call = Call {
            to: address,
            port,
            protocol: Protocol::Tcp,
            payload,
            patience,
        };
        let arrives = self.now + self.network.rng.latency(400, 1_800);
        self.queue.push(
            arrives,
            Event::Call {
                ticket,
                node,
                client: Ipv4Addr::LOCALHOST,
                call: Box::new(call),
            },
        );
        true
    }

    /// A call through the API server to a port of a pod (`kubectl port-forward`).
    pub fn call_pod(
        &mut self,
        (number, exchange): (u32, u64),
        namespace: &str,
        name: &str,
        call: Call,
        cause: NoteId,
    ) {
        let asker = Asker::Client { number, exchange };
        self.call_pod_for(asker, namespace, name, call, cause);
    }

    pub(crate) fn call_pod_for(
        &mut self,
        asker: Asker,
        namespace: &str,
        name: &str,
        call: Call,
        cause: NoteId,
    ) {
        let found = self.kubelets.iter().enumerate().find_map(|(node, host)| {
            let pod = host.component.pod(namespace, name)?;
            Some((node as u32, host.component.address_of_pod(pod)))
        });
        let key = Key::new("pods", Str::new(namespace), Str::new(name));
        let ticket = self.open_ticket(asker, key, found.map(|(node, _)| node), &call, cause);
        let Some((node, to)) = found.filter(|(node, _)| self.kubelets[*node as usize].is_running)
        else {
            return self.answered(ticket, Answer::Reset, 0);
        };
        let arrives = self.now + self.network.rng.latency(900, 3_000);
        let call = Box::new(Call { to, ..call });
        let client = Ipv4Addr::LOCALHOST;
        self.queue.push(
            arrives,
            Event::Call {
                ticket,
                node,
                client,
                call,
            },
        );
    }

    pub(crate) fn open_ticket(
        &mut self,
        asker: Asker,
        to: Key,
        node: Option<u32>,
        call: &Call,
        cause: NoteId,
    ) -> u64 {
        let ticket = self.network.ticket();
        let from = Key::new("clients", "", "terminal");
        let cause = self.may_note().then(|| {
            let note = Note::Called {
                from: from.clone(),
                to: to.clone(),
                via: Key::new("apiserver", "", "kube-apiserver"),
                what: words(call).into(),
                arrives: self.now + 2 * MILLI,
            };
            self.trace.record(self.now, cause, note)
        });
        let ends = self.now + call.patience;
        self.network.tickets.insert(
            ticket,
            Ticket {
                asker,
                from,
                to,
                node,
                ends,
                cause,
            },
        );
        ticket
    }

    /// Answers that have come for a client's calls since the last look.
    pub fn receive_answers(&mut self, number: u32) -> Vec<(u64, Answer)> {
        self.network.answers.remove(&number).unwrap_or_default()
    }

    pub(crate) fn has_answers(&self, number: u32) -> bool {
        self.network.answers.contains_key(&number)
    }

    /// What left a machine's containers, and what they have answered.
    pub(crate) fn collect_traffic(&mut self, node: u32) {
        let Some(host) = self.kubelets.get_mut(node as usize) else {
            return;
        };
        if host.component.is_quiet() {
            return;
        }
        for claim in host.component.take_claims() {
            self.move_claim(&claim, node);
        }
        let Some(host) = self.kubelets.get_mut(node as usize) else {
            return;
        };
        let packets = host.component.take_packets();
        let answers = host.component.take_answers();
        for packet in packets {
            let source = Source {
                asker: Asker::Container {
                    node,
                    exchange: packet.exchange,
                },
                address: packet.source,
                node,
                pod: Some(packet.pod),
                cause: packet.cause,
            };
            self.launch(source, packet.call);
        }
        for answered in answers {
            self.answered(answered.ticket, answered.answer, answered.work);
        }
    }

    /// The content of a claim comes to the machine whose pod uses it now, as storage on the network would; a directory of
    /// machines is another one on each.
    fn move_claim(&mut self, claim: &str, node: u32) {
        if let Some(path) = self.directory_of(claim) {
            if let Some(host) = self.kubelets.get_mut(node as usize) {
                host.component.place_claim(claim, &path);
            }
            return;
        }
        let others = (0..self.kubelets.len()).filter(|at| *at != node as usize);
        let mut found = None;
        for at in others {
            found = found.or(self.kubelets[at].component.detach_claim(claim));
        }
        if let (Some(content), Some(host)) = (found, self.kubelets.get_mut(node as usize)) {
            host.component.attach_claim(claim, content);
        }
    }

    /// The directory that a claim (`namespace/name`) stands for, if its volume was made by hand to be one.
    fn directory_of(&self, claim: &str) -> Option<Str> {
        let (namespace, name) = claim.split_once('/')?;
        let object = |collection: &str, namespace: &str, name: &str| {
            self.server
                .object(collection, &Str::new(namespace), &Str::new(name))
        };
        let claim = object("persistentvolumeclaims", namespace, name)?;
        let volume = object("persistentvolumes", "", claim.get("spec").str("volumeName"))?;
        let is_ours = Meta::of(volume).annotation("pv.kubernetes.io/provisioned-by");
        let paths = ["spec.hostPath.path", "spec.local.path"];
        let mut paths = paths.iter().filter_map(|path| volume.path(path).as_str());
        paths.next().filter(|_| is_ours.is_none()).map(Str::new)
    }

    pub(crate) fn launch(&mut self, source: Source, call: Call) {
        let ticket = self.network.ticket();
        let now = self.now;
        let place = Place {
            source: source.address,
            node: self.node_name(source.node),
            is_node_address: self.node_at(call.to).is_some(),
        };
        let network = &mut self.network;
        let tables = network
            .frozen
            .get(&source.node)
            .unwrap_or_else(|| network.proxy.component.tables());
        let route = tables.route(&call, &place, &mut network.affinity, now, &mut network.rng);
        let (to, port, via) = match &route {
            Route::To {
                address,
                port,
                service,
            } => (*address, *port, Some(service.clone())),
            Route::Refused { service } | Route::Dropped { service } => {
                (call.to, call.port, Some(service.clone()))
            }
            Route::Direct => (call.to, call.port, None),
        };
        let is_api = is_api_server(&call, via.as_ref());
        let to = match &source.asker {
            Asker::Container { .. } if to.is_loopback() => source.address,
            _ => to,
        };
        let node = self.node_of(to);
        let from_key = match (&source.pod, source.asker) {
            (Some(pod), _) => Key::of("pods", pod),
            (None, _) => Key::new("clients", "", "terminal"),
        };
        let to_key = self.key_at(to, node, is_api);
        let is_private = call.to.is_loopback();
        let link = if node == Some(source.node) {
            (40, 120)
        } else {
            (200, 900)
        };
        let latency = self.network.rng.latency(link.0, link.1);
        let cause = (!is_private && self.may_note()).then(|| {
            let via = via.clone().map_or_else(Key::default, |(namespace, name)| {
                Key::new("services", namespace, name)
            });
            let note = Note::Called {
                from: from_key.clone(),
                to: to_key.clone(),
                via,
                what: words(&call).into(),
                arrives: now + latency,
            };
            self.trace.record(now, source.cause, note)
        });
        let ends = now + call.patience;
        self.network.tickets.insert(
            ticket,
            Ticket {
                asker: source.asker,
                from: from_key,
                to: to_key,
                node,
                ends,
                cause,
            },
        );
        if is_api {
            let answer = self.ask_api_server(&call, &source);
            return self.answered(ticket, answer, 2 * latency + MILLI);
        }
        match route {
            Route::Refused { .. } => return self.answered(ticket, Answer::Refused, 0),
            Route::Dropped { .. } => return self.drop_call(ticket),
            Route::To { .. } | Route::Direct => {}
        }
        if !self.may_pass(&source, to, port, node, call.protocol) {
            return self.drop_call(ticket);
        }
        // Without a DNS of its own the cluster's zone is answered all the same.
        if let Payload::Dns { name, kind } = &call.payload {
            let is_built_in = call.to == NAMESERVER && via.is_none();
            let is_host_resolver = call.to.octets() == [10, 0, 2, 3];
            let (name, kind) = (name.clone(), *kind);
            if is_built_in {
                let answer = self.zone(source.node, &name, kind);
                return self.answered(ticket, answer, latency);
            }
            if is_host_resolver {
                return self.answered(ticket, Answer::NoName, latency);
            }
        }
        let Some(node) = node.filter(|node| {
            self.kubelets
                .get(*node as usize)
                .is_some_and(|host| host.is_running)
        }) else {
            return self.drop_call(ticket);
        };
        let call = Call { to, port, ..call };
        let arrives = now + latency;
        let client = if is_private {
            Ipv4Addr::LOCALHOST
        } else {
            source.address
        };
        self.queue.push(
            arrives,
            Event::Call {
                ticket,
                node,
                client,
                call: Box::new(call),
            },
        );
    }

    /// A call reaches the machine of its destination.
    pub(crate) fn deliver_call(&mut self, ticket: u64, node: u32, client: Ipv4Addr, call: &Call) {
        let now = self.now;
        let Some(host) = self
            .kubelets
            .get_mut(node as usize)
            .filter(|host| host.is_running)
        else {
            return self.drop_call(ticket);
        };
        if let Payload::Dns { name, kind } = &call.payload
            && host.component.is_nameserver(call.to)
        {
            let answer = self.zone(node, name, *kind);
            return self.answered(ticket, answer, 200);
        }
        let cause = self
            .network
            .tickets
            .get(&ticket)
            .and_then(|t| t.cause)
            .unwrap_or(NoteId(0));
        let effects = host.turn(now, cause, |kubelet, out| {
            kubelet.receive(ticket, call.to, client, call, out)
        });
        self.carry_out(Part::Kubelet(node), effects);
    }

    /// The asker waits until its patience is at an end.
    fn drop_call(&mut self, ticket: u64) {
        let Some(open) = self.network.tickets.get(&ticket) else {
            return;
        };
        let at = open.ends.max(self.now);
        self.queue.push(
            at,
            Event::CallEnds {
                ticket,
                answer: Box::new(Answer::Dropped),
            },
        );
    }

    pub(crate) fn answered(&mut self, ticket: u64, answer: Answer, work: Micros) {
        if answer == Answer::Dropped {
            return self.drop_call(ticket);
        }
        let at = self.now + work + self.network.rng.latency(60, 500);
        self.queue.push(
            at,
            Event::CallEnds {
                ticket,
                answer: Box::new(answer),
            },
        );
    }

    /// The answer reaches who asked.
    pub(crate) fn end_call(&mut self, ticket: u64, answer: Answer) {
        let Some(open) = self.network.tickets.remove(&ticket) else {
            return;
        };
        let now = self.now;
        // An answer that comes after the asker gave up is none.
        let answer = if now > open.ends {
            Answer::Dropped
        } else {
            answer
        };
        let cause = match open.cause {
            None => NoteId(0),
            Some(cause) => {
                let note = Note::CalledBack {
                    from: open.to,
                    to: open.from,
                    what: answer.word().into(),
                    arrives: now,
                };
                self.trace.record(now, cause, note)
            }
        };
        match open.asker {
            Asker::Client { number, exchange } => {
                self.network
                    .answers
                    .entry(number)
                    .or_default()
                    .push((exchange, answer));
            }
            Asker::Request { from, id } => self.lead_back(from, id, answer, cause),
            Asker::Container { node, exchange } => {
                let Some(host) = self
                    .kubelets
                    .get_mut(node as usize)
                    .filter(|host| host.is_running)
                else {
                    return;
                };
                let effects = host.turn(now, cause, |kubelet, out| {
                    kubelet.answer(exchange, answer, out)
                });
                self.carry_out(Part::Kubelet(node), effects);
            }
        }
    }

    /// A machine is gone: nobody there answers any more.
    pub(crate) fn lose_calls(&mut self, node: u32) {
        let lost: Vec<u64> = self
            .network
            .tickets
            .iter()
            .filter(|(_, open)| open.node == Some(node))
            .map(|(id, _)| *id)
            .collect();
        for ticket in lost {
            self.drop_call(ticket);
        }
    }

    /// What the cluster's DNS says.
    fn zone(&self, node: u32, name: &str, kind: RecordKind) -> Answer {
        let tables = self.network.tables(node);
        match tables.look_up(name, kind) {
            Found::Records(records) => Answer::Records {
                name: name.to_owned(),
                records: self.followed(tables, records, kind),
            },
            Found::NoName | Found::Outside => Answer::NoName,
        }
    }

    /// Aliases with what they stand for, if that is a name of ours.
    fn followed(&self, tables: &Tables, records: Vec<Record>, kind: RecordKind) -> Vec<Record> {
        let mut all = records;
        if let Some(alias) = all
            .iter()
            .find(|r| r.kind == RecordKind::CName && kind != RecordKind::CName)
            && let Found::Records(more) = tables.look_up(&alias.value, kind)
        {
            all.extend(more);
        }
        all
    }

    fn may_pass(
        &self,
        source: &Source,
        to: Ipv4Addr,
        port: u16,
        node: Option<u32>,
        protocol: Protocol,
    ) -> bool {
        let tables = self.network.proxy.component.tables();
        if !self.options.network_policies || !tables.has_policies() {
            return true;
        }
        let is_shared = |pod: &&Value| !pod.path("spec.hostNetwork").as_bool().unwrap_or(false);
        let target = node
            .and_then(|node| self.kubelets.get(node as usize))
            .and_then(|host| host.component.pod_at(to))
            .map(|pod| &pod.object);
        // The zone that is answered without pods of its own is judged as if it had the usual ones.
        let dns = (target.is_none() && to == NAMESERVER).then(|| {
            map! { "metadata": map! { "namespace": "kube-system", "labels": map! { "k8s-app": "kube-dns" } } }
        });
        let target = target.or(dns.as_ref());
        let from = Peer {
            address: source.address,
            pod: source.pod.as_ref().filter(is_shared),
        };
        let to = Peer {
            address: to,
            pod: target,
        };
        // A pod always reaches itself, and is reached by its own node.
        let is_same = from.address == to.address;
        let is_own_node = from.pod.is_none()
            && matches!(source.asker, Asker::Container { node: own, .. } if Some(own) == node);
        is_same || is_own_node || tables.allows(&from, &to, port, protocol)
    }

    fn may_note(&mut self) -> bool {
        let second = self.now.secs() as u64;
        if self.network.noted.0 != second {
            self.network.noted = (second, 0);
        }
        self.network.noted.1 += 1;
        self.network.noted.1 <= NOTED_PER_SECOND
    }

    /// The name of the machine with this number.
    pub fn node_name(&self, node: u32) -> Str {
        self.kubelets
            .get(node as usize)
            .map_or(Str::EMPTY, |host| host.component.machine().name.clone())
    }

    /// The machine whose own address this is.
    fn node_at(&self, address: Ipv4Addr) -> Option<u32> {
        let [172, 18, high, low] = address.octets() else {
            return None;
        };
        let number = match (u32::from(high) << 8 | u32::from(low)).checked_sub(11) {
            Some(number) => number,
            // Only the control plane's machine has an address below the others.
            None => self.control_plane_at(address)?,
        };
        (number < self.kubelets.len() as u32).then_some(number)
    }

    fn control_plane_at(&self, address: Ipv4Addr) -> Option<u32> {
        let text = address.to_string();
        let mut machines = self.kubelets.iter().map(|host| host.component.machine());
        let at = machines.position(|machine| machine.own_address == *text)?;
        Some(at as u32)
    }

    /// The machine that an address is on: its own, or one of its pods'.
    fn node_of(&self, address: Ipv4Addr) -> Option<u32> {
        let [10, second, third, _] = address.octets() else {
            return self.node_at(address);
        };
        let number = (u32::from(second).checked_sub(244)? << 8) | u32::from(third);
        (number < self.kubelets.len() as u32).then_some(number)
    }

    fn key_at(&self, address: Ipv4Addr, node: Option<u32>, is_api: bool) -> Key {
        if is_api {
            return Key::new("apiserver", "", "kube-apiserver");
        }
        if address == NAMESERVER {
            return Key::new("dns", "kube-system", "cluster-dns");
        }
        let pod = node
            .and_then(|node| self.kubelets.get(node as usize))
            .and_then(|host| host.component.pod_at(address));
        match (pod, self.node_at(address)) {
            (Some(pod), _) => Key::of("pods", &pod.object),
            (None, Some(node)) => Key::new("nodes", "", self.node_name(node)),
            (None, None) => Key::new("addresses", "", address.to_string()),
        }
    }
}

/// A call in a few words, for the trace.
fn words(call: &Call) -> String {
    match &call.payload {
        Payload::Http { request, .. } => {
            let (_, _, path) = posix::split_url(&request.url);
            format!("{} {path}", request.method)
        }
        Payload::Bytes(_) => format!("{} {}", call.protocol.name(), call.port),
        Payload::Dns { name, .. } => format!("DNS {name}"),
        Payload::Echo => "ping".to_owned(),
    }
}
