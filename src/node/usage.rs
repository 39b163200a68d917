//! What pods use of the machine, as its kubelet measures it for metrics-server.
//!
//! CPU is what requests and processes took in the last full quarter of a minute; memory is what [`crate::eviction`]
//! counts, too.

use api::Str;
use sim::{Micros, SECOND, Time};

use crate::kubelet::Kubelet;
use crate::pod::Pod;

/// `--metric-resolution` of metrics-server.
pub const WINDOW: Micros = 15 * SECOND;

/// CPU time by windows: the one that runs, and the last full one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    window: u32,
    running: u32,
    full: u32,
}

impl Work {
    fn turn(&mut self, now: Time) {
        let window = (now.0 / WINDOW) as u32;
        if window == self.window {
            return;
        }
        let is_next = window == self.window.wrapping_add(1);
        self.full = if is_next { self.running } else { 0 };
        self.running = 0;
        self.window = window;
    }

    pub(crate) fn add(&mut self, span: Micros, now: Time) {
        self.turn(now);
        self.running = self.running.saturating_add(span as u32);
    }

    /// Thousandths of a CPU in the last full window.
    fn millis(mut self, now: Time) -> u64 {
        self.turn(now);
        u64::from(self.full) * 1000 / WINDOW
    }
}

/// The usage of one running pod.
#[derive(Clone, Debug)]
pub struct Usage {
    pub namespace: Str,
    pub name: Str,
    /// Name, millis of CPU, bytes of memory.
    pub containers: Vec<(Str, u64, u64)>,
}

impl Kubelet {
    /// What the running pods of this machine use.
    pub fn usage(&self, now: Time) -> impl Iterator<Item = Usage> {
        let running = self.pods.values().filter(|pod| pod.anything_runs());
        running.map(move |pod| usage(pod, now))
    }
}

fn usage(pod: &Pod, now: Time) -> Usage {
    let work = pod.work.millis(now);
    let running = pod
        .main_range()
        .filter(|index| pod.containers[*index as usize].is_running());
    let containers = running.enumerate().map(|(at, index)| {
        let limit = pod.resources(index).path("limits.cpu");
        let limit = match limit.is_null() {
            true => u64::MAX,
            false => api::quantity::Quantity::of(limit).millis().max(0) as u64,
        };
        // Requests are served by the first container; an idle process takes next to nothing.
        let cpu = if at == 0 { work.max(1) } else { 1 };
        let name = pod.container_spec(index).shared_str("name");
        (name, cpu.min(limit), pod.memory_of(index))
    });
    Usage {
        namespace: pod.namespace(),
        name: pod.name(),
        containers: containers.collect(),
    }
}
