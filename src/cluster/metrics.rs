//! The resource metrics API (`metrics.k8s.io`), as metrics-server serves it from what the kubelets measure.
//!
//! Answers from the kubelets that can be reached, at the moment of the question; nothing is stored.

use api::selector::LabelSelector;
use api::{Request, Response, Status, Value, Verb, map};
use node::Usage;

use crate::{Cluster, Part};

pub(crate) const GROUP: &str = "metrics.k8s.io";

impl Cluster {
    /// The answer to a request for metrics.
    pub(crate) fn metrics(&self, request: &Request) -> Response {
        if !self.options.metrics_server || !matches!(request.verb, Verb::Get | Verb::List) {
            let why = "the server could not find the requested resource";
            return Status::new(404, "NotFound", why).into_response();
        }
        let is_nodes = request.resource.plural == *"nodes";
        let items = if is_nodes {
            self.node_metrics()
        } else {
            self.pod_metrics(request)
        };
        if request.verb == Verb::Get {
            let is_it = |item: &Value| item.path("metadata.name").as_str() == Some(&request.name);
            return match items.into_iter().find(is_it) {
                Some(item) => Response::ok(item),
                None => {
                    let plural = &request.resource.plural;
                    let why = format!("{plural}.metrics.k8s.io \"{}\" not found", request.name);
                    Status::new(404, "NotFound", why).into_response()
                }
            };
        }
        Response::ok(map! {
            "kind": if is_nodes { "NodeMetricsList" } else { "PodMetricsList" },
            "apiVersion": "metrics.k8s.io/v1beta1", "metadata": map! {}, "items": items,
        })
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

    fn pod_metrics(&self, request: &Request) -> Vec<Value> {
        let labels = LabelSelector::parse(&request.options.label_selector).unwrap_or_default();
        let is_asked = |usage: &Usage| {
            (request.namespace.is_empty() || usage.namespace == request.namespace)
                && labels.matches(usage.labels.entries())
        };
        let pods = self.reachable().flat_map(|kubelet| kubelet.usage(self.now));
        let one = |usage: Usage| {
            let containers: Vec<Value> = usage
                .containers
                .into_iter()
                .map(|(name, cpu, memory)| map! { "name": name, "usage": amounts(cpu, memory) })
                .collect();
            let mut metadata = map! { "name": usage.name, "namespace": usage.namespace };
            if !usage.labels.is_empty() {
                metadata.set("labels", usage.labels);
            }
            self.sample("PodMetrics", metadata)
                .with("containers", containers)
        };
        pods.filter(is_asked).map(one).collect()
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
