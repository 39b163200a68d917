//! What all pods of a machine share: its images, its addresses, its voice, and what it has asked the API server.

use std::collections::BTreeMap;

use api::{RequestId, Str, Value};
use client::{ObjectRef, Outbox, Recorder, Severity};
use sim::{Micros, SECOND, Time};

use crate::eviction::Strains;
use crate::files::Storage;
use crate::images::Images;
use crate::kubelet::Timer;
use crate::machine::Machine;
use crate::needs::Need;
use crate::pod::PodId;
use crate::traffic::Traffic;

#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) machine: Machine,
    /// The labels of its Node, once they were seen.
    pub(crate) labels: Value,
    pub(crate) images: Images,
    pub(crate) recorder: Recorder,
    pub(crate) asked: BTreeMap<RequestId, Asked>,
    /// Namespaces whose root certificate is known to exist.
    pub(crate) certified: BTreeMap<Str, Value>,
    /// The services of namespaces as they were when a container was last started there.
    pub(crate) services: BTreeMap<Str, Value>,
    pub(crate) storage: Storage,
    pub(crate) images_changed: bool,
    pub(crate) traffic: Traffic,
    /// What each pod here requests: millis of CPU and bytes of memory.
    pub(crate) requests: BTreeMap<PodId, (i64, i64)>,
    pub(crate) strains: Strains,
    taken: [u64; 4],
    last_address: u8,
}

/// What an answer is about.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Status(PodId),
    Delete(PodId),
    Volume(PodId, Need),
    Env(PodId, u16, Need),
    /// A mounted object may have changed.
    Refresh(PodId, Need),
    Services(PodId, u16),
    /// The creation or deletion of a static pod's mirror.
    Mirror(PodId),
    Register,
    NodeStatus,
    NewLease,
    Lease,
}

impl Host {
    pub(crate) fn new(machine: Machine) -> Host {
        Host {
            recorder: Recorder::new(machine.name.clone()),
            images: Images::new(machine.pull_speed),
            machine,
            labels: Value::Null,
            asked: BTreeMap::new(),
            certified: BTreeMap::new(),
            services: BTreeMap::new(),
            storage: Storage::default(),
            images_changed: false,
            traffic: Traffic::default(),
            requests: BTreeMap::new(),
            strains: Strains::default(),
            // Numbers 0 (the network), 1 (the bridge) and 255 (broadcast) are nobody's.
            taken: [0b11, 0, 0, 1 << 63],
            last_address: 1,
        }
    }

    /// Writes an event as the kubelet.
    pub(crate) fn tell(
        &mut self,
        about: &ObjectRef,
        severity: Severity,
        reason: &'static str,
        message: impl Into<Str>,
        out: &mut Outbox<'_, Timer>,
    ) {
        self.recorder
            .event("kubelet", about, severity, reason, message, out);
    }

    /// The next free number of the pod network; in turn, so that addresses are not reused at once.
    pub(crate) fn take_address(&mut self) -> Option<u8> {
        for step in 1..=u8::MAX {
            let number = self.last_address.wrapping_add(step);
            let (word, bit) = (number as usize / 64, number % 64);
            if self.taken[word] & (1 << bit) == 0 {
                self.taken[word] |= 1 << bit;
                self.last_address = number;
                return Some(number);
            }
        }
        None
    }

    /// What all pods but one request together.
    pub(crate) fn requested_by_others(&self, pod: PodId) -> (i64, i64) {
        let others = self.requests.iter().filter(|(id, _)| **id != pod);
        others.fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1))
    }

    pub(crate) fn free_address(&mut self, number: u8) {
        self.taken[number as usize / 64] &= !(1 << (number % 64));
    }

    /// When the next look at the runtime notices a change: once a second, each machine at its own beat.
    pub(crate) fn next_look(&self, now: Time) -> Time {
        let beat: Micros = u64::from(self.machine.number) * 377_000 % SECOND;
        let into = (now.0 + SECOND - beat) % SECOND;
        now + (SECOND - into)
    }
}
