//! A machine that runs short of memory or disk: it says so, takes no more careless pods, and gives pods up one by one.
//!
//! Something outside the pods fills the machine ([`Kubelet::fill`]); the manager looks every ten seconds while there is
//! trouble, and the node's condition stays for five minutes after its end. Pods that use more than they requested go
//! first, of those the less important, of those the one furthest beyond. Models `pkg/kubelet/eviction`.

use api::Str;
use client::{ObjectRef, Outbox, Severity};
use sim::{MINUTE, Micros, SECOND, Time};

use crate::kubelet::{Kubelet, Timer};
use crate::pod::{Container, Mode, Pod, PodId};
use crate::process::Process;

/// `monitoringInterval` and `evictionPressureTransitionPeriod`.
const LOOK: Micros = 10 * SECOND;
const TRANSITION: Micros = 5 * MINUTE;
/// The kubelet's hard thresholds: `memory.available<100Mi`, `nodefs.available<10%`.
const LEAST_MEMORY: u64 = 100 << 20;
const LEAST_DISK_PERCENT: u64 = 10;
/// What is left when something fills the machine.
const LEFT_MEMORY: u64 = 60 << 20;
const LEFT_DISK_PERCENT: u64 = 6;
/// Pods of this priority and above are never given up.
const CRITICAL: i64 = 2_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Memory,
    Disk,
}

/// One resource of the machine under strain.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strain {
    /// What foreign things take.
    foreign: u64,
    /// The condition is true since then, and the shortage was last seen then.
    pub(crate) since: Option<Time>,
    seen: Time,
    /// Since when the condition is false, if it ever was true.
    pub(crate) calm: Option<Time>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Strains {
    pub(crate) memory: Strain,
    pub(crate) disk: Strain,
    is_armed: bool,
}

/// Bytes that a container's processes hold.
fn memory_of(container: &Container, bytes_of_image: u64) -> u64 {
    match container.process.as_deref() {
        None => 0,
        Some(Process::Inside { .. }) => 2 << 20,
        Some(_) => (6 << 20) + bytes_of_image / 16,
    }
}

impl Pod {
    pub(crate) fn memory_of(&self, index: u16) -> u64 {
        let image = self.container_spec(index).str("image");
        let bytes = crate::reference::Reference::parse(image)
            .ok()
            .and_then(|reference| crate::catalogue::find(&reference).ok())
            .map_or(0, |image| image.bytes);
        memory_of(&self.containers[index as usize], bytes)
    }

    fn uses(&self, resource: Resource) -> u64 {
        let one = |index: u16| {
            let container = &self.containers[index as usize];
            match resource {
                Resource::Memory => self.memory_of(index),
                Resource::Disk if container.was_created => 4096,
                Resource::Disk => 0,
            }
        };
        self.main_range().map(one).sum()
    }

    fn requests_of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Memory => self.requested(false).1.max(0) as u64,
            Resource::Disk => 0,
        }
    }

    pub(crate) fn is_critical(&self) -> bool {
        self.spec().int("priority").unwrap_or(0) >= CRITICAL
            || self
                .meta()
                .annotation("kubernetes.io/config.source")
                .is_some()
    }
}

impl Resource {
    fn strain(self, strains: &mut Strains) -> &mut Strain {
        match self {
            Resource::Memory => &mut strains.memory,
            Resource::Disk => &mut strains.disk,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::Disk => "ephemeral-storage",
        }
    }
}

impl Kubelet {
    /// Something fills the machine's memory or disk, or stops doing so.
    pub fn fill(&mut self, resource: Resource, is_on: bool, out: &mut Outbox<'_, Timer>) {
        let free = self.available(resource);
        let (left, _) = self.marks(resource);
        let strain = resource.strain(&mut self.host.strains);
        strain.foreign = if is_on {
            strain.foreign + free.saturating_sub(left)
        } else {
            0
        };
        self.arm_eviction(out);
    }

    /// What is left by a filler, and the threshold.
    fn marks(&self, resource: Resource) -> (u64, u64) {
        let disk = self.machine().disk_kib * 1024;
        match resource {
            Resource::Memory => (LEFT_MEMORY, LEAST_MEMORY),
            Resource::Disk => (
                disk * LEFT_DISK_PERCENT / 100,
                disk * LEAST_DISK_PERCENT / 100,
            ),
        }
    }

    fn available(&mut self, resource: Resource) -> u64 {
        let pods: u64 = self.pods.values().map(|pod| pod.uses(resource)).sum();
        let machine = &self.host.machine;
        let (all, own) = match resource {
            Resource::Memory => (machine.memory_kib * 1024, 600 << 20),
            Resource::Disk => (machine.disk_kib * 1024, 12 << 30),
        };
        let foreign = resource.strain(&mut self.host.strains).foreign;
        all.saturating_sub(own + pods + foreign)
    }

    fn arm_eviction(&mut self, out: &mut Outbox<'_, Timer>) {
        if !self.host.strains.is_armed {
            self.host.strains.is_armed = true;
            out.wake_after(LOOK, Timer::Eviction);
        }
    }

    /// A regular look at what is left.
    pub(crate) fn look_at_strain(&mut self, out: &mut Outbox<'_, Timer>) {
        self.host.strains.is_armed = false;
        let mut is_over = true;
        for resource in [Resource::Memory, Resource::Disk] {
            let available = self.available(resource);
            let (_, least) = self.marks(resource);
            let is_short = available < least;
            let now = out.now();
            let strain = resource.strain(&mut self.host.strains);
            let was = strain.since.is_some();
            if is_short {
                strain.seen = now;
                strain.since.get_or_insert(now);
            } else if was && now.since(strain.seen) >= TRANSITION {
                strain.since = None;
                strain.calm = Some(now);
            }
            let is = strain.since.is_some();
            is_over &= !is && strain.foreign == 0;
            if is != was {
                self.registration.strained(out);
            }
            if is_short {
                self.reclaim(resource, available, least, out);
            }
        }
        if !is_over {
            self.arm_eviction(out);
        }
    }

    /// Unused images first, if it is the disk; then one pod.
    fn reclaim(
        &mut self,
        resource: Resource,
        available: u64,
        least: u64,
        out: &mut Outbox<'_, Timer>,
    ) {
        let name = self.host.machine.name.clone();
        let about = ObjectRef {
            kind: "Node".into(),
            name: name.clone(),
            uid: name,
            ..ObjectRef::default()
        };
        let text = format!("Attempting to reclaim {}", resource.word());
        self.host
            .tell(&about, Severity::Warning, "EvictionThresholdMet", text, out);
        let mut candidates: Vec<(bool, i64, i64, Str, PodId)> = self
            .pods
            .iter()
            .filter(|(_, pod)| {
                pod.mode == Mode::Syncing && pod.anything_runs() && !pod.is_critical()
            })
            .map(|(id, pod)| {
                let beyond = pod.uses(resource) as i64 - pod.requests_of(resource) as i64;
                let priority = pod.spec().int("priority").unwrap_or(0);
                (beyond <= 0, priority, -beyond, pod.uid(), *id)
            })
            .collect();
        candidates.sort();
        let Some((.., victim)) = candidates.into_iter().next() else {
            return;
        };
        let left = match resource {
            Resource::Memory => format!("{}Ki", available >> 10),
            Resource::Disk => available.to_string(),
        };
        let threshold = match resource {
            Resource::Memory => "100Mi".to_owned(),
            Resource::Disk => least.to_string(),
        };
        self.turn(victim, out, |turn| {
            let word = resource.word();
            let mut message = format!(
                "The node was low on resource: {word}. Threshold quantity: {threshold}, available: {left}. "
            );
            let requested = turn.pod.requests_of(resource);
            let used = turn.pod.uses(resource);
            if used > requested {
                for index in turn.pod.main_range() {
                    let container = turn.pod.container_spec(index).str("name");
                    let request = match requested {
                        0 => "0".to_owned(),
                        bytes => format!("{}Ki", bytes >> 10),
                    };
                    message += &format!(
                        "Container {container} was using {}Ki, request is {request}, has larger consumption of {word}. ",
                        used >> 10
                    );
                }
            }
            let about = turn.pod.about();
            turn.host.tell(&about, Severity::Warning, "Evicted", message.clone(), turn.out);
            turn.pod.rejected = Some(("Evicted".into(), message.into()));
            turn.abort();
        });
    }
}

/// Why a machine under strain does not take a pod.
pub(crate) fn refusal(strains: &Strains, pod: &Pod) -> Option<String> {
    if pod.is_critical() {
        return None;
    }
    let tolerates = |key: &str| {
        let mut tolerations = pod.spec().get("tolerations").items().iter();
        tolerations.any(|t| {
            t.str("key") == key || t.str("key").is_empty() && t.str("operator") == "Exists"
        })
    };
    let is_careless = pod.object.path("status.qosClass").as_str() == Some("BestEffort");
    if strains.disk.since.is_some() {
        return Some("The node had condition: [DiskPressure]. ".to_owned());
    }
    let is_refused = strains.memory.since.is_some()
        && is_careless
        && !tolerates("node.kubernetes.io/memory-pressure");
    is_refused.then(|| "The node had condition: [MemoryPressure]. ".to_owned())
}

/// The conditions of the node, with what strains it.
pub(crate) fn conditions(strains: &Strains, conditions: &mut api::Value) {
    let told = [
        (
            "MemoryPressure",
            &strains.memory,
            "KubeletHasInsufficientMemory",
            "kubelet has insufficient memory available",
        ),
        (
            "DiskPressure",
            &strains.disk,
            "KubeletHasDiskPressure",
            "kubelet has disk pressure",
        ),
    ];
    for (kind, strain, reason, message) in told {
        let list = conditions.list_mut();
        let Some(condition) = list.iter_mut().find(|c| c.str("type") == kind) else {
            continue;
        };
        if let Some(since) = strain.since {
            for (field, text) in [("status", "True"), ("reason", reason), ("message", message)] {
                condition.set(field, text);
            }
            condition.set("lastTransitionTime", since.rfc3339());
        } else if let Some(calm) = strain.calm {
            condition.set("lastTransitionTime", calm.rfc3339());
        }
    }
}
