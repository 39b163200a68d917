//! Resources of running containers that are changed in place.
//!
//! A machine first asks itself whether it can ever give so much (`Infeasible`) and has it to spare now (`Deferred`); then
//! the new amounts are allocated and, a moment later, in force. A container whose `resizePolicy` wants it is restarted for
//! them. Models `pkg/kubelet/allocation` and the runtime manager's `doPodResizeAction`.

use api::quantity::Quantity;
use api::{Str, Value, map};
use client::Severity;
use sim::{Micros, SECOND};

use crate::pod::{Mode, Planned, Pod};
use crate::worker::Turn;

/// A resize that had to wait is tried again.
const RETRY: Micros = 10 * SECOND;

/// What has become of the last wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Reason and message of the condition `PodResizePending`.
    Pending(&'static str, Str),
    /// Allocated, and being put into force.
    InProgress,
}

impl Pod {
    /// The resources of a container that count: those allocated when it was admitted or last resized.
    pub fn resources(&self, index: u16) -> &Value {
        match self.allocated.get(index as usize) {
            Some(allocated) if !allocated.is_null() => allocated,
            _ => self.container_spec(index).get("resources"),
        }
    }

    /// Remembers what the spec says as allocated.
    pub fn allocate(&mut self) {
        let all = 0..self.containers.len() as u16;
        let resources = all.map(|index| self.container_spec(index).get("resources").clone());
        self.allocated = resources.collect();
    }

    pub(crate) fn is_as_wished(&self) -> bool {
        let mut all = 0..self.containers.len() as u16;
        all.all(|index| self.resources(index) == self.container_spec(index).get("resources"))
    }

    /// Millis of CPU and bytes of memory that the containers request.
    pub(crate) fn requested(&self, wished: bool) -> (i64, i64) {
        let mut sum = (0, 0);
        for index in self.main_range() {
            let resources = match wished {
                true => self.container_spec(index).get("resources"),
                false => self.resources(index),
            };
            let requests = resources.get("requests");
            sum.0 += Quantity::of(requests.get("cpu")).millis();
            sum.1 += Quantity::of(requests.get("memory")).value();
        }
        sum
    }
}

impl Turn<'_, '_> {
    /// The spec may ask for other resources than the containers have.
    pub(crate) fn resize(&mut self) {
        if self.pod.mode != Mode::Syncing {
            return;
        }
        if self.pod.is_as_wished() {
            if matches!(self.pod.resize, Some(Resize::Pending(..))) {
                self.pod.resize = None;
            }
            return;
        }
        let wished = self.pod.requested(true);
        let machine = &self.host.machine;
        let capacity = (
            i64::from(machine.cpus) * 1000,
            machine.memory_kib as i64 * 1024,
        );
        let others = self.host.requested_by_others(self.pod.id);
        let refusal = judge("cpu", wished.0, others.0, capacity.0)
            .or_else(|| judge("memory", wished.1, others.1, capacity.1));
        if let Some((reason, message)) = refusal {
            let is_news =
                !matches!(&self.pod.resize, Some(Resize::Pending(was, _)) if *was == reason);
            if is_news {
                let event = if reason == "Infeasible" {
                    "ResizeInfeasible"
                } else {
                    "ResizeDeferred"
                };
                let kind = reason.to_lowercase();
                let text = format!("Pod resize {kind}: {}: {message}", self.wish());
                let about = self.pod.about();
                self.host
                    .tell(&about, Severity::Warning, event, text, self.out);
            }
            self.pod.resize = Some(Resize::Pending(reason, message.into()));
            if reason == "Deferred" {
                self.sync_at(self.out.now() + RETRY);
            }
            return;
        }
        let needs_restart: Vec<u16> = self
            .pod
            .main_range()
            .filter(|i| self.wants_restart(*i))
            .collect();
        self.pod.allocate();
        self.host
            .requests
            .insert(self.pod.id, self.pod.requested(false));
        self.pod.resize = Some(Resize::InProgress);
        let text = format!("Pod resize started: {}", self.wish());
        let about = self.pod.about();
        self.host
            .tell(&about, Severity::Normal, "ResizeStarted", text, self.out);
        for index in needs_restart {
            let name = self.pod.container_spec(index).str("name");
            let why = format!("Container {name} resize requires restart");
            self.pod.resize_kills.push(Planned::Kill(index, why.into()));
        }
        self.report();
        let look = self.host.next_look(self.out.now());
        self.sync_at(look);
    }

    /// The containers that had to be restarted run again: the resize is through.
    pub(crate) fn conclude_resize(&mut self) {
        if self.pod.resize != Some(Resize::InProgress) || !self.pod.resize_kills.is_empty() {
            return;
        }
        self.pod.resize = None;
        let text = format!("Pod resize completed: {}", self.wish());
        let about = self.pod.about();
        self.host
            .tell(&about, Severity::Normal, "ResizeCompleted", text, self.out);
        self.report();
    }

    /// Whether a changed resource of a running container has the policy `RestartContainer`.
    fn wants_restart(&self, index: u16) -> bool {
        let spec = self.pod.container_spec(index);
        let (has, wants) = (self.pod.resources(index), spec.get("resources"));
        let differs = |name: &str| {
            let of = |resources: &Value, list: &str| resources.get(list).get(name).clone();
            ["requests", "limits"]
                .iter()
                .any(|list| of(has, list) != of(wants, list))
        };
        self.pod.containers[index as usize].is_running()
            && spec.get("resizePolicy").items().iter().any(|policy| {
                policy.str("restartPolicy") == "RestartContainer"
                    && differs(policy.str("resourceName"))
            })
    }

    /// What is asked for, as the events put it.
    fn wish(&self) -> String {
        let containers: Vec<Value> = self
            .pod
            .main_range()
            .map(|index| {
                let spec = self.pod.container_spec(index);
                map! { "name": spec.get("name"), "resources": spec.get("resources") }
            })
            .collect();
        let generation = self.pod.object.path("metadata.generation");
        map! { "containers": containers, "generation": generation }.to_json()
    }
}

/// Reason and message if so much cannot be given now or ever.
fn judge(
    resource: &str,
    wished: i64,
    others: i64,
    capacity: i64,
) -> Option<(&'static str, String)> {
    if wished > capacity {
        return Some((
            "Infeasible",
            format!(
                "Node didn't have enough capacity: {resource}, requested: {wished}, capacity: {capacity}"
            ),
        ));
    }
    (wished + others > capacity).then(|| {
        (
            "Deferred",
            format!(
                "Node didn't have enough resource: {resource}, requested: {wished}, used: {others}, capacity: {capacity}"
            ),
        )
    })
}

/// The condition that tells of a resize.
pub(crate) fn condition(pod: &Pod) -> Option<(&'static str, &'static str, Str)> {
    match pod.resize.as_ref()? {
        Resize::Pending(reason, message) => Some(("PodResizePending", reason, message.clone())),
        Resize::InProgress => Some(("PodResizeInProgress", "", Str::EMPTY)),
    }
}
