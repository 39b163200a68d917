//! The resource metrics API (`metrics.k8s.io`), as metrics-server serves it from what the kubelets measure.
//!
//! Answers from the kubelets that can be reached, at the moment of the question; nothing is stored.

use api::{Request, Response, Value, map};
use node::Usage;

use crate::{Cluster, Part};

impl Cluster {
    /// The answer to a request for metrics that the API server has let pass.
    pub(crate) fn metrics(&self, request: &Request) -> Response {
        let samples = if request.resource.plural == *"nodes" {
            self.node_metrics()
        } else {
            self.pod_metrics()
        };
        self.server.answer_measured(self.now, request, samples)
    }

    fn reachable(&self) -> impl Iterator<Item = &node::Kubelet> {
        let all = self.kubelets.iter().enumerate();
        let up = all
            .filter(|(at, host)| host.is_running && !self.faults.is_cut(Part::Kubelet(*at as u32)));
        up.map(|(_, host)| &host.component)
    }

    fn node_metrics(&self) -> Vec<Value> {
        let one = |kubelet: &node::Kubelet| {
            let (mut cpu, mut memory) = (40, 600 << 20);
            for (_, millis, bytes) in kubelet.usage(self.now).flat_map(|usage| usage.containers) {
                cpu += millis;
                memory += bytes;
            }
            self.sample(
                "NodeMetrics",
                map! { "name": kubelet.machine().name.clone() },
            )
            .with("usage", amounts(cpu, memory))
        };
        self.reachable().map(one).collect()
    }

    fn pod_metrics(&self) -> Vec<Value> {
        let pods = self.reachable().flat_map(|kubelet| kubelet.usage(self.now));
        let one = |usage: Usage| {
            let containers: Vec<Value> = usage
                .containers
                .into_iter()
                .map(|(name, cpu, memory)| map! { "name": name, "usage": amounts(cpu, memory) })
                .collect();
            let metadata = map! { "name": usage.name, "namespace": usage.namespace };
            self.sample("PodMetrics", metadata)
                .with("containers", containers)
        };
        pods.map(one).collect()
    }

    fn sample(&self, kind: &'static str, mut metadata: Value) -> Sample {
        metadata.set("creationTimestamp", self.now.rfc3339());
        Sample(map! {
            "kind": kind, "apiVersion": "metrics.k8s.io/v1beta1", "metadata": metadata,
            "timestamp": self.now.rfc3339(), "window": "15s",
        })
    }
}

/// A measurement without its figures.
struct Sample(Value);

impl Sample {
    fn with(mut self, field: &'static str, value: impl Into<Value>) -> Value {
        self.0.set(field, value);
        self.0
    }
}

fn amounts(cpu_millis: u64, bytes: u64) -> Value {
    map! { "cpu": format!("{cpu_millis}m"), "memory": format!("{}Ki", bytes >> 10) }
}
