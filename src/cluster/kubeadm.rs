//! Machines that join, and one for the control plane, with what `kubeadm init` puts there and into kube-system.
//!
//! The pods are real pods of the simulation: static ones with mirrors, a Deployment, a DaemonSet. What they stand for runs
//! in this process: [`Cluster`] lets a component go down and come back with its pod. An option, because a cluster
//! that one looks at for the first time is clearer without, and starts sooner. Models `cmd/kubeadm/app/phases`
//! at v1.36; `kubeadm.yaml` has the manifests.

use api::core::NODES;
use api::{Part, PatchKind, Request, RequestId, Value, kinds, map, yaml};
use apiserver::{Caller, Reply};
use node::{Kubelet, Machine};
use sim::NoteId;

use crate::Cluster;
use crate::event::Event;
use crate::host::Host;
use crate::traffic::HOST_OF_API_SERVER;

const MANIFESTS: &str = include_str!("kubeadm.yaml");
/// The name of the machine.
pub(crate) const MACHINE: &str = "control-plane";
/// As whom its kubelet speaks.
pub(crate) const USER: &str = "system:node:control-plane";
/// When the Node is looked for, and looked for again.
const MARKING: sim::Micros = 300 * sim::MILLI;
/// From a killed process to the component's first request after its restart.
const RESTART: sim::Micros = 2 * sim::SECOND;
/// From power to a control plane that answers.
const BOOT: sim::Micros = 20 * sim::SECOND;

impl Cluster {
    /// Whether the control plane has a machine that is a Node.
    pub fn has_control_plane_node(&self) -> bool {
        self.control_plane().is_some()
    }

    /// Adds the machine of the control plane and what runs in kube-system.
    pub(crate) fn add_control_plane(&mut self) {
        if self.has_control_plane_node() {
            return;
        }
        let number = self.kubelets.len() as u32;
        let mut machine = Machine {
            name: MACHINE.into(),
            own_address: api::Str::new(&HOST_OF_API_SERVER.to_string()),
            taints: vec![
                map! { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" },
            ],
            ..self.options.machine(number)
        };
        let documents = yaml::load_documents(MANIFESTS).expect("our own manifests are YAML");
        for document in documents {
            if document.str("kind") == "Pod" {
                let name = document.get("metadata").shared_str("name");
                machine.manifests.insert(name, document);
            } else {
                self.install(document);
            }
        }
        let host = Host::new(Kubelet::new(machine), self.options.seed, "control-plane");
        self.kubelets.push(host);
        let at = self.now + 350 * sim::MILLI;
        self.queue.push(at, Event::Start(Part::Kubelet(number)));
        self.queue.push(at + MARKING, Event::MarkControlPlane);
    }

    /// Labels that a kubelet may not give itself (`mark-control-plane`).
    pub(crate) fn mark_control_plane(&mut self) {
        let labels = map! {
            "node-role.kubernetes.io/control-plane": "",
            "node.kubernetes.io/exclude-from-external-load-balancers": "",
        };
        let patch = map! { "metadata": map! { "labels": labels } };
        let request = Request::patch(&NODES, "", MACHINE, PatchKind::Merge, patch);
        let admin = Caller::component(Part::Client(0));
        let reply = self.server.handle(self.now, &admin, RequestId(0), &request);
        if matches!(&reply, Reply::Done(response) if response.is_success()) {
            self.tell_watchers(NoteId(0));
        } else {
            self.queue.push(self.now + MARKING, Event::MarkControlPlane);
        }
    }

    /// One more worker: the next number, and with it the next name.
    pub(crate) fn join(&mut self, is_windows: bool) {
        let number = self.kubelets.len() as u32;
        let mut machine = self.options.machine(number);
        machine.is_windows = is_windows;
        let name = format!("kubelet-{number}");
        let host = Host::new(Kubelet::new(machine), self.options.seed, &name);
        self.kubelets.push(host);
        let at = self.now + 400 * sim::MILLI + self.links.rng.below(300 * sim::MILLI);
        self.queue.push(at, Event::Start(Part::Kubelet(number)));
    }

    /// Creates an object as the one who installs the cluster.
    fn install(&mut self, object: Value) {
        let kind = kinds::by_api_version(object.str("apiVersion"), object.str("kind"))
            .expect("our own manifests name kinds that are served");
        let namespace = object.get("metadata").shared_str("namespace");
        let request = Request::create(&kind.resource(), namespace, object);
        let admin = Caller::component(Part::Client(0));
        let reply = self.server.handle(self.now, &admin, RequestId(0), &request);
        debug_assert!(
            matches!(&reply, Reply::Done(response) if response.is_success() || response.code == 409),
            "{reply:?}"
        );
        self.tell_watchers(NoteId(0));
    }

    /// The manifest of a component is moved away, or back: its pod goes or comes.
    pub(crate) fn set_static_pod(&mut self, name: &str, is_on: bool) {
        let Some(number) = self.control_plane() else {
            return;
        };
        let manifest = is_on.then(|| manifest(name)).flatten();
        let now = self.now;
        let host = &mut self.kubelets[number];
        if host.is_running {
            let effects = host.turn(now, NoteId(0), |kubelet, out| {
                kubelet.set_manifest(name, manifest.as_ref(), out);
            });
            self.carry_out(Part::Kubelet(number as u32), effects);
        }
    }

    /// The process behind a static pod was killed: the component forgets everything and begins anew.
    pub(crate) fn component_killed(&mut self, namespace: &str, pod: &str) {
        if namespace != "kube-system" {
            return;
        }
        let at = self.now + RESTART;
        let part = match pod.strip_suffix("-control-plane") {
            Some("kube-scheduler") if self.scheduler.is_running => {
                let fresh = self.scheduler.component.restarted();
                self.scheduler.replace(fresh);
                Part::Scheduler
            }
            Some("kube-controller-manager") if self.manager.is_running => {
                let fresh = self.manager.component.restarted();
                self.manager.replace(fresh);
                Part::ControllerManager
            }
            Some("kube-apiserver") => return self.break_watches(|_| true),
            _ => return,
        };
        self.server.close_watches(part);
        self.queue.push(at, Event::Start(part));
    }

    pub fn machine_count(&self) -> usize {
        self.kubelets.len()
    }

    /// The number of the machine with this name.
    pub fn machine_number(&self, name: &str) -> Option<u32> {
        let mut machines = self.kubelets.iter().map(|host| host.component.machine());
        let at = machines.position(|machine| machine.name == *name)?;
        Some(at as u32)
    }

    /// The machine of the control plane lost its power, or got it back: what runs there goes with it.
    pub(crate) fn control_plane_power(&mut self, is_on: bool) {
        let Some(number) = self.control_plane() else {
            return;
        };
        debug_assert!(number >= self.options.nodes as usize);
        for part in [Part::ApiServer, Part::Scheduler, Part::ControllerManager] {
            if is_on {
                self.queue.push(self.now + BOOT, Event::Start(part));
            } else {
                self.faults.unpowered.insert(part);
            }
        }
        if !is_on {
            self.break_watches(|_| true);
            self.scheduler.is_running = false;
            let fresh = self.scheduler.component.restarted();
            self.scheduler.replace(fresh);
            self.manager.is_running = false;
            let fresh = self.manager.component.restarted();
            self.manager.replace(fresh);
        }
    }

    /// Whether a component has come up only now, because its machine has power again.
    pub(crate) fn comes_up(&mut self, part: Part) -> bool {
        let has_power = self
            .control_plane()
            .is_none_or(|number| self.kubelets[number].is_running);
        has_power && self.faults.unpowered.remove(&part) && !self.faults.is_down(part)
    }

    pub(crate) fn is_control_plane(&self, part: Part) -> bool {
        // It is no machine of the options, so its number is beyond theirs.
        let Part::Kubelet(number) = part else {
            return false;
        };
        number >= self.options.nodes && self.node_name(number) == *MACHINE
    }

    fn control_plane(&self) -> Option<usize> {
        self.kubelets
            .iter()
            .position(|host| host.component.machine().name == MACHINE)
    }
}

fn manifest(name: &str) -> Option<Value> {
    let documents = yaml::load_documents(MANIFESTS).expect("our own manifests are YAML");
    documents.into_iter().find(|document| {
        document.str("kind") == "Pod" && document.get("metadata").str("name") == name
    })
}
