//! What can be broken on purpose, and mended: every fault has an undo and stands in the trace.

use std::collections::BTreeSet;

use api::{Note, Part, Status, Str, WatchEvent, WatchKind};
use serde::{Deserialize, Serialize};
use sim::NoteId;

use crate::{Arrival, Cluster, Event};

/// Something to break (`on`) or to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The machine loses power: kubelet and containers are gone; on return it boots anew.
    PowerOff {
        node: u32,
        on: bool,
    },
    /// The node cannot reach the control plane; its containers go on.
    CutOff {
        node: u32,
        on: bool,
    },
    StopScheduler {
        on: bool,
    },
    StopControllerManager {
        on: bool,
    },
    StopApiServer {
        on: bool,
    },
    /// A controller, by its name in `--controllers`, takes no more work.
    PauseController {
        controller: String,
        on: bool,
    },
    /// The main process of a container is killed; the first container's if none is named. Mending it is the kubelet's work.
    Kill {
        namespace: String,
        pod: String,
        container: String,
        /// By the kernel, because its memory ran over.
        out_of_memory: bool,
    },
    /// Something on the machine takes nearly all of its memory.
    FillMemory {
        node: u32,
        on: bool,
    },
    /// Something on the machine fills its disk.
    FillDisk {
        node: u32,
        on: bool,
    },
    /// One more machine joins; deleting its Node and cutting its power is the way back.
    Join {
        windows: bool,
    },
    /// The control plane gets a machine that is a Node, with kubeadm's pods. There is no way back but time.
    AddControlPlane,
    /// The API server takes this many times as long (1 is normal).
    SlowApiServer {
        times: u32,
    },
    /// The scheduler takes this many times as long for each decision (1 is normal).
    SlowScheduler {
        times: u32,
    },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    down: BTreeSet<Part>,
    /// Components whose machine has no power, or has not booted yet.
    pub(crate) unpowered: BTreeSet<Part>,
    cut: BTreeSet<Part>,
    pub(crate) server_slowdown: u32,
}

impl Faults {
    pub(crate) fn is_down(&self, part: Part) -> bool {
        self.down.contains(&part) || self.unpowered.contains(&part)
    }

    /// No message passes between this part and the API server.
    pub(crate) fn is_cut(&self, part: Part) -> bool {
        self.cut.contains(&part) || self.is_down(part)
    }
}

impl Cluster {
    /// Whether a part has been stopped or powered off on purpose.
    pub fn is_down(&self, part: Part) -> bool {
        self.faults.is_down(part)
    }

    /// Whether a node has been cut off on purpose.
    pub fn is_cut_off(&self, node: u32) -> bool {
        self.faults.cut.contains(&Part::Kubelet(node))
    }

    pub(crate) fn inflict(&mut self, fault: Fault) {
        let name = |node: u32| self.node_name(node);
        let (what, is_on): (Str, bool) = match &fault {
            Fault::PowerOff { node, on } => (format!("power off {}", name(*node)).into(), *on),
            Fault::CutOff { node, on } => (format!("cut off {}", name(*node)).into(), *on),
            Fault::FillMemory { node, on } => {
                (format!("fill the memory of {}", name(*node)).into(), *on)
            }
            Fault::FillDisk { node, on } => {
                (format!("fill the disk of {}", name(*node)).into(), *on)
            }
            Fault::StopScheduler { on } => ("stop kube-scheduler".into(), *on),
            Fault::StopControllerManager { on } => ("stop kube-controller-manager".into(), *on),
            Fault::StopApiServer { on } => ("stop kube-apiserver".into(), *on),
            Fault::PauseController { controller, on } => {
                (format!("pause {controller}").into(), *on)
            }
            Fault::Kill {
                namespace,
                pod,
                out_of_memory,
                ..
            } => {
                let how = if *out_of_memory {
                    "run over the memory of"
                } else {
                    "kill a process of"
                };
                (format!("{how} {namespace}/{pod}").into(), true)
            }
            Fault::Join { windows } => {
                let os = if *windows { "Windows" } else { "Linux" };
                (format!("another {os} machine").into(), false)
            }
            Fault::AddControlPlane => ("add the control plane's machine".into(), false),
            Fault::SlowScheduler { times } => (
                format!("kube-scheduler {times} times slower").into(),
                *times > 1,
            ),
            Fault::SlowApiServer { times } => (
                format!("kube-apiserver {times} times slower").into(),
                *times > 1,
            ),
        };
        self.trace
            .record(self.now, NoteId(0), Note::Fault { what, on: is_on });
        match fault {
            Fault::PowerOff { node, on } => self.power(node, !on),
            Fault::FillMemory { node, on } => self.fill(node, node::Resource::Memory, on),
            Fault::FillDisk { node, on } => self.fill(node, node::Resource::Disk, on),
            Fault::CutOff { node, on } => {
                let part = Part::Kubelet(node);
                if on {
                    self.faults.cut.insert(part);
                    self.network.freeze(node, true);
                    self.break_watches(|to| to == part);
                } else {
                    self.faults.cut.remove(&part);
                    self.network.freeze(node, false);
                }
            }
            Fault::StopScheduler { on } => {
                let is_change = if on {
                    self.faults.down.insert(Part::Scheduler)
                } else {
                    self.faults.down.remove(&Part::Scheduler)
                };
                if is_change {
                    self.scheduler.is_running = !self.faults.is_down(Part::Scheduler);
                    if on {
                        self.server.close_watches(Part::Scheduler);
                        let fresh = self.scheduler.component.restarted();
                        self.scheduler.replace(fresh);
                    } else {
                        self.queue
                            .push(self.now + sim::SECOND, Event::Start(Part::Scheduler));
                    }
                    self.set_static_pod("kube-scheduler", !on);
                }
            }
            Fault::StopControllerManager { on } => {
                let part = Part::ControllerManager;
                let is_change = if on {
                    self.faults.down.insert(part)
                } else {
                    self.faults.down.remove(&part)
                };
                if is_change {
                    self.manager.is_running = !self.faults.is_down(part);
                    if on {
                        self.server.close_watches(part);
                        let fresh = self.manager.component.restarted();
                        self.manager.replace(fresh);
                    } else {
                        self.queue.push(self.now + sim::SECOND, Event::Start(part));
                    }
                    self.set_static_pod("kube-controller-manager", !on);
                }
            }
            Fault::StopApiServer { on } => {
                if on {
                    self.faults.down.insert(Part::ApiServer);
                    self.break_watches(|_| true);
                } else {
                    self.faults.down.remove(&Part::ApiServer);
                }
                self.set_static_pod("kube-apiserver", !on);
            }
            Fault::PauseController { controller, on } => self.enable_controller(&controller, !on),
            Fault::Kill {
                namespace,
                pod,
                container,
                out_of_memory,
            } => self.kill(&namespace, &pod, &container, out_of_memory),
            Fault::Join { windows } => self.join(windows),
            Fault::AddControlPlane => self.add_control_plane(),
            Fault::SlowScheduler { times } => {
                self.scheduler.component.slow_down(times.clamp(1, 100_000));
            }
            Fault::SlowApiServer { times } => self.faults.server_slowdown = times.clamp(1, 10_000),
        }
    }

    pub(crate) fn enable_controller(&mut self, controller: &str, is_on: bool) {
        let now = self.now;
        let effects = self.manager.turn(now, NoteId(0), |manager, out| {
            manager.enable(controller, is_on, out);
        });
        self.carry_out(Part::ControllerManager, effects);
    }

    fn kill(&mut self, namespace: &str, pod: &str, container: &str, out_of_memory: bool) {
        let now = self.now;
        let Some(node) = self.machine_of(namespace, pod) else {
            return;
        };
        let host = &mut self.kubelets[node];
        let effects = host.turn(now, NoteId(0), |kubelet, out| {
            kubelet.kill(namespace, pod, container, out_of_memory, out);
        });
        self.carry_out(Part::Kubelet(node as u32), effects);
        self.component_killed(namespace, pod);
    }

    /// The machine with power on which a pod is.
    fn machine_of(&self, namespace: &str, pod: &str) -> Option<usize> {
        self.kubelets
            .iter()
            .position(|host| host.is_running && host.component.pod(namespace, pod).is_some())
    }

    /// The names of a pod's containers that run at this moment; `None` if no machine has the pod.
    pub fn running_containers(&self, namespace: &str, pod: &str) -> Option<Vec<Str>> {
        let host = &self.kubelets[self.machine_of(namespace, pod)?];
        let pod = host.component.pod(namespace, pod)?;
        Some(pod.running_containers())
    }

    fn fill(&mut self, node: u32, resource: node::Resource, is_on: bool) {
        let now = self.now;
        let Some(host) = self.kubelets.get_mut(node as usize) else {
            return;
        };
        if host.is_running {
            let effects = host.turn(now, NoteId(0), |kubelet, out| {
                kubelet.fill(resource, is_on, out);
            });
            self.carry_out(Part::Kubelet(node), effects);
        }
    }

    fn power(&mut self, node: u32, is_on: bool) {
        let part = Part::Kubelet(node);
        let Some(host) = self.kubelets.get_mut(node as usize) else {
            return;
        };
        if is_on == host.is_running {
            return;
        }
        host.is_running = is_on;
        if is_on {
            self.faults.down.remove(&part);
            // A machine takes some seconds to boot.
            self.queue
                .push(self.now + 8 * sim::SECOND, Event::Start(part));
        } else {
            let rebooted = node::Kubelet::new(host.component.machine().clone());
            host.replace(rebooted);
            self.faults.down.insert(part);
            self.server.close_watches(part);
            self.streams.retain(|_, stream| stream.node != node);
            self.lose_calls(node);
        }
        if self.is_control_plane(part) {
            self.control_plane_power(is_on);
        }
    }

    /// Connections break: those who watch learn it at once and will try again.
    pub(crate) fn break_watches(&mut self, is_hit: impl Fn(Part) -> bool) {
        let gone =
            Status::new(503, "ServiceUnavailable", "http2: client connection lost").to_value();
        for (to, id) in self.server.open_watches() {
            if is_hit(to) {
                self.server.cancel(to, id);
                let arrival = Arrival::Watch(WatchEvent {
                    kind: WatchKind::Error,
                    object: gone.clone(),
                });
                self.queue.push(
                    self.now + 100 * sim::MILLI,
                    Event::Arrival {
                        to,
                        id,
                        arrival,
                        cause: NoteId(0),
                    },
                );
            }
        }
    }
}
