//! What a cluster is made of: the inputs of a run besides its commands.

use serde::{Deserialize, Serialize};
use sim::Time;

/// Everything that a run depends on before its first command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    pub seed: u64,
    /// How many nodes; they are called `node-1`, `node-2`, …
    pub nodes: u32,
    /// How many Windows machines join besides; their numbers go on.
    pub windows_nodes: u32,
    /// The virtual clock at the start, in microseconds since the Unix epoch.
    #[serde(with = "micros")]
    pub start: Time,
    /// CPUs of each node.
    pub node_cpus: u32,
    /// Memory of each node in bytes.
    pub node_memory: u64,
    /// How many pods a node takes.
    pub node_pods: u32,
    /// Whether metrics-server is installed: usage for autoscalers and `kubectl top`.
    pub metrics_server: bool,
    /// Bytes per second of an image pull; 0 lets it vary as the internet does.
    pub pull_speed: u64,
    /// Whether the pod network enforces NetworkPolicies; some real ones do not.
    pub network_policies: bool,
    /// Whether Services of type LoadBalancer get an address, as in a cloud or with MetalLB.
    pub load_balancer: bool,
    /// Whether the control plane's machine is a Node too, and kube-system has kubeadm's pods.
    pub control_plane: bool,
    /// How many notes the trace keeps.
    pub trace_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 7,
            nodes: 3,
            windows_nodes: 0,
            start: Time::from_secs(1_767_225_600),
            node_cpus: 4,
            node_memory: 8 << 30,
            node_pods: 110,
            metrics_server: true,
            pull_speed: 0,
            network_policies: true,
            load_balancer: false,
            control_plane: false,
            trace_capacity: 20_000,
        }
    }
}

impl Options {
    /// The machine under the node with this number (from 0).
    pub(crate) fn machine(&self, number: u32) -> node::Machine {
        node::Machine {
            cpus: self.node_cpus,
            memory_kib: self.node_memory / 1024,
            max_pods: self.node_pods,
            pull_speed: self.pull_speed,
            ..node::Machine::worker(number)
        }
    }
}

mod micros {
    use serde::{Deserialize, Deserializer, Serializer};
    use sim::Time;

    pub(super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Time, D::Error> {
        u64::deserialize(deserializer).map(Time)
    }
}
