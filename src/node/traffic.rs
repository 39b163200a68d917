//! The machine's network card: calls that leave its containers, calls that reach them, and answers both ways.
//!
//! A program's question becomes a [`network::Dialog`], whose calls the kubelet hands out ([`Kubelet::take_packets`]); who
//! carries them brings the answers back ([`Kubelet::answer`]) and calls of others in ([`Kubelet::receive`]). Which server
//! answers what is `servers`' business.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::{Str, Value};
use client::Outbox;
use network::{Answer, Call, Dialog, Next, Protocol, Resolver};
use posix::{Files, Pid, Reply, Request, User};
use sim::{MILLI, Micros, NoteId};

use crate::kubelet::{Alarm, Kubelet, Timer};
use crate::pod::PodId;
use crate::servers::{Reaction, Then};
use crate::worker::Turn;

/// A call that leaves a container of this machine.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The answer is brought back under this number.
    pub exchange: u64,
    pub source: Ipv4Addr,
    /// The pod that asks.
    pub pod: Value,
    pub call: Call,
    pub cause: NoteId,
}

/// A container's answer to the call that came with this ticket, after it worked on it for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub ticket: u64,
    pub answer: Answer,
    pub work: Micros,
}

/// What is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    next: u64,
    exchanges: BTreeMap<u64, Exchange>,
    packets: Vec<Packet>,
    answered: Vec<Answered>,
    /// Claims of new pods, whose content may be on another machine.
    pub(crate) claims: Vec<Str>,
}

#[derive(Clone, Debug)]
struct Exchange {
    pod: PodId,
    index: u16,
    stamp: u32,
    asker: Asker,
    dialog: Dialog,
}

#[derive(Clone, Debug)]
enum Asker {
    /// A process inside the container waits.
    Process(Pid),
    /// A server asks another one before it answers the call with this ticket.
    Server { ticket: u64, then: Then },
}

impl Kubelet {
    /// Calls that have left since the last look.
    pub fn take_packets(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.host_mut().traffic.packets)
    }

    /// Answers to calls of others.
    pub fn take_answers(&mut self) -> Vec<Answered> {
        std::mem::take(&mut self.host_mut().traffic.answered)
    }

    /// Claims (`namespace/name`) that new pods of this machine use and that it does not have.
    pub fn take_claims(&mut self) -> Vec<Str> {
        std::mem::take(&mut self.host_mut().traffic.claims)
    }

    /// Gives the content of a claim away, if it is here; it stays while a pod here uses it.
    pub fn detach_claim(&mut self, claim: &str) -> Option<posix::Volume> {
        let is_used = self.pods().any(|pod| {
            claims_of(pod.spec(), &pod.namespace()).any(|own| own == claim) && pod.anything_runs()
        });
        self.host_mut()
            .storage
            .detach(&format!("claim {claim}"), is_used)
    }

    pub fn attach_claim(&mut self, claim: &str, content: posix::Volume) {
        self.host_mut()
            .storage
            .attach(format!("claim {claim}").into(), content);
    }

    /// A claim is a directory of this machine.
    pub fn place_claim(&mut self, claim: &str, path: &str) {
        self.host_mut()
            .storage
            .place(Str::new(claim), Str::new(path));
    }

    /// A pod appeared: what it claims must come to this machine.
    pub(crate) fn want_claims(&mut self, spec: &Value, namespace: &Str) {
        let host = self.host_mut();
        for claim in claims_of(spec, namespace) {
            if !host.storage.has_claim(&format!("claim {claim}")) {
                host.traffic.claims.push(claim);
            }
        }
    }

    /// Whether nothing waits to be taken.
    pub fn is_quiet(&self) -> bool {
        let traffic = &self.host().traffic;
        traffic.packets.is_empty() && traffic.answered.is_empty() && traffic.claims.is_empty()
    }

    /// The pod that has an address of this machine; `None` for the machine's own address.
    pub fn pod_at(&self, address: Ipv4Addr) -> Option<&crate::pod::Pod> {
        let text = address.to_string();
        let number = address.octets()[3];
        let is_here = self.host().machine.pod_address(number) == text.as_str();
        self.pods()
            .find(|pod| is_here && pod.address == Some(number) && !pod.spec().bool("hostNetwork"))
    }

    /// The address at which a pod of this machine is reached.
    pub fn address_of_pod(&self, pod: &crate::pod::Pod) -> Ipv4Addr {
        let machine = &self.host().machine;
        let text = match pod.address {
            Some(number) if !pod.spec().bool("hostNetwork") => machine.pod_address(number),
            _ => machine.address(),
        };
        text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// Whether the pod at this address answers for the cluster's names.
    pub fn is_nameserver(&self, address: Ipv4Addr) -> bool {
        self.pod_at(address).is_some_and(|pod| {
            pod.main_range().any(|index| {
                let image = pod.container_spec(index).str("image");
                let is_running = pod.containers[index as usize].is_running();
                is_running && (image.contains("coredns") || image.contains("kube-dns"))
            })
        })
    }

    /// A call reaches an address of this machine; its answer is found by [`Kubelet::take_answers`].
    pub fn receive(
        &mut self,
        ticket: u64,
        address: Ipv4Addr,
        client: Ipv4Addr,
        call: &Call,
        out: &mut Outbox<'_, Timer>,
    ) {
        let ids: Vec<PodId> = match self.pod_at(address) {
            Some(pod) => vec![pod.id],
            // The machine's own network: that of every pod which shares it.
            None if self.host().machine.address() == address.to_string().as_str() => self
                .pods()
                .filter(|pod| pod.spec().bool("hostNetwork"))
                .map(|pod| pod.id)
                .collect(),
            None => {
                return self.reply(ticket, Answer::Dropped, 0);
            }
        };
        if call.protocol == Protocol::Icmp {
            return self.reply(ticket, Answer::Pong { micros: 60 }, 0);
        }
        for id in ids {
            let mut reaction = None;
            self.turn(id, out, |turn| reaction = turn.react(client, call));
            match reaction {
                None => {}
                Some(Reaction::Answer(answer, work)) => {
                    self.turn(id, out, |turn| turn.pod.work.add(work, turn.out.now()));
                    return self.reply(ticket, answer, work);
                }
                Some(Reaction::Ask {
                    index,
                    request,
                    then,
                }) => {
                    self.turn(id, out, |turn| {
                        turn.ask_network(index, Asker::Server { ticket, then }, request);
                    });
                    return;
                }
            }
        }
        self.reply(ticket, Answer::Refused, 0);
    }

    fn reply(&mut self, ticket: u64, answer: Answer, work: Micros) {
        self.host_mut().traffic.answered.push(Answered {
            ticket,
            answer,
            work,
        });
    }

    /// The answer to the packet with this number.
    pub fn answer(&mut self, exchange: u64, answer: Answer, out: &mut Outbox<'_, Timer>) {
        let Some(mut open) = self.host_mut().traffic.exchanges.remove(&exchange) else {
            return;
        };
        let next = open.dialog.answer(answer);
        let id = open.pod;
        self.turn(id, out, |turn| turn.go_on(open, next));
    }
}

impl Turn<'_, '_> {
    /// A process inside a container asks the network.
    pub(crate) fn process_asks(&mut self, index: u16, pid: Pid, request: Request) {
        self.ask_network(index, Asker::Process(pid), request);
    }

    fn ask_network(&mut self, index: u16, asker: Asker, request: Request) {
        let resolver = self.resolver(index);
        let (dialog, next) = Dialog::begin(request, resolver);
        let open = Exchange {
            pod: self.pod.id,
            index,
            stamp: self.pod.containers[index as usize].stamp,
            asker,
            dialog,
        };
        self.go_on(open, next);
    }

    fn go_on(&mut self, open: Exchange, next: Next) {
        let is_same = self
            .pod
            .containers
            .get(open.index as usize)
            .is_some_and(|container| container.stamp == open.stamp);
        if !is_same {
            return;
        }
        match next {
            Next::Send(call) => {
                let traffic = &mut self.host.traffic;
                traffic.next += 1;
                let exchange = traffic.next;
                traffic.exchanges.insert(exchange, open);
                let packet = Packet {
                    exchange,
                    source: self.own_address(),
                    pod: self.pod.object.clone(),
                    call,
                    cause: self.out.cause,
                };
                self.host.traffic.packets.push(packet);
            }
            Next::Done(reply) => self.answered(open, reply),
        }
    }

    fn answered(&mut self, open: Exchange, reply: Reply) {
        match open.asker {
            Asker::Process(pid) => {
                let next = self.out.now() + MILLI;
                let stamp = open.stamp;
                let Some(inside) = &mut self.pod.containers[open.index as usize].inside else {
                    return;
                };
                inside.system.reply(pid, reply);
                // The process goes on in a turn of its own, for this may be a turn of its own.
                inside.next = Some(inside.next.map_or(next, |at| at.min(next)));
                let alarm = Alarm::Inside(open.index, stamp);
                self.out.wake_at(
                    next,
                    Timer::Pod {
                        id: self.pod.id,
                        alarm,
                    },
                );
            }
            Asker::Server { ticket, then } => {
                let answer = then.answer(reply);
                self.host.traffic.answered.push(Answered {
                    ticket,
                    answer,
                    work: MILLI,
                });
            }
        }
    }

    /// The address that others see.
    pub(crate) fn own_address(&self) -> Ipv4Addr {
        let text = match self.pod.address {
            Some(number) if !self.pod.spec().bool("hostNetwork") => {
                self.host.machine.pod_address(number)
            }
            _ => self.host.machine.address(),
        };
        text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    fn resolver(&mut self, index: u16) -> Resolver {
        if let Some(image) = self.image(index) {
            self.open_inside(index, &image);
        }
        let hosts = self.read_file(index, "/etc/hosts").unwrap_or_default();
        let resolv = self
            .read_file(index, "/etc/resolv.conf")
            .unwrap_or_default();
        Resolver::read(
            &String::from_utf8_lossy(&hosts),
            &String::from_utf8_lossy(&resolv),
        )
    }

    /// A file as the processes of a container see it.
    pub(crate) fn read_file(&mut self, index: u16, path: &str) -> Option<Vec<u8>> {
        let inside = self.pod.containers[index as usize].inside.as_ref()?;
        let user = User::root();
        let files = Files {
            disk: &mut self.host.storage.disk,
            mounts: &inside.system.mounts,
            cwd: "/",
            user: &user,
            umask: 0o022,
            now: 0,
        };
        files.read(path).ok().map(|bytes| bytes.to_vec())
    }

    pub(crate) fn write_file(&mut self, index: u16, path: &str, bytes: &[u8]) {
        let now = self.out.now().0 as i64;
        let Some(inside) = self.pod.containers[index as usize].inside.as_ref() else {
            return;
        };
        let user = User::root();
        let mut files = Files {
            disk: &mut self.host.storage.disk,
            mounts: &inside.system.mounts,
            cwd: "/",
            user: &user,
            umask: 0o022,
            now,
        };
        // A full or read-only disk keeps nothing, as a server's own disk would.
        let _ = files.write(path, bytes);
    }

    /// The names in a directory of a container.
    pub(crate) fn list_dir(&mut self, index: u16, path: &str) -> Vec<String> {
        let Some(inside) = self.pod.containers[index as usize].inside.as_ref() else {
            return Vec::new();
        };
        let user = User::root();
        let files = Files {
            disk: &mut self.host.storage.disk,
            mounts: &inside.system.mounts,
            cwd: "/",
            user: &user,
            umask: 0o022,
            now: 0,
        };
        let names = files.list(path).unwrap_or_default();
        names.iter().map(|name| name.to_string()).collect()
    }

    /// Which container of this pod listens on a port, and what it makes of the call.
    fn react(&mut self, client: Ipv4Addr, call: &Call) -> Option<Reaction> {
        for index in 0..self.pod.containers.len() as u16 {
            if !self.pod.containers[index as usize].is_running() {
                continue;
            }
            if let Some(reaction) = self.serve_call(index, client, call) {
                return Some(reaction);
            }
        }
        None
    }
}

/// `namespace/name` of the claims that a pod mounts.
fn claims_of<'a>(spec: &'a Value, namespace: &'a Str) -> impl Iterator<Item = Str> + 'a {
    spec.get("volumes")
        .items()
        .iter()
        .filter_map(move |volume| {
            let name = volume.path("persistentVolumeClaim.claimName").as_str()?;
            Some(format!("{namespace}/{name}").into())
        })
}
