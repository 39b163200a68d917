//! Kinds that are served in two versions and stored in one.
//!
//! Events are stored as `v1` and shown as `events.k8s.io/v1` too; autoscalers are stored as `autoscaling/v2` and
//! shown as `v1` too. Models `pkg/apis/events/v1/conversion.go` and `pkg/apis/autoscaling/v1/conversion.go`.

use api::{Value, list, map};

/// Fields of an event and their names in the newer group.
const EVENT_FIELDS: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// `reportingComponent` is `reportingController` there.
const REPORTER: (&str, &str) = ("reportingComponent", "reportingController");

pub(super) fn new_event(event: &Value) -> Value {
    renamed(event, "events.k8s.io/v1", |(old, new)| (old, new))
}

pub(super) fn old_event(event: &Value) -> Value {
    renamed(event, "v1", |(old, new)| (new, old))
}

fn renamed(
    event: &Value,
    api_version: &'static str,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> Value {
    let mut out = event.clone();
    for pair in EVENT_FIELDS.into_iter().chain([REPORTER]) {
        let (from, to) = direction(pair);
        if let Some(value) = out.remove(from) {
            out.set(to, value);
        }
    }
    out.set("apiVersion", api_version);
    out
}

/// `autoscaling/v2` as `v1`: CPU utilisation has fields of its own, the rest is left out.
pub(super) fn old_autoscaler(autoscaler: &Value) -> Value {
    let is_cpu = |metric: &&Value| metric.path("resource.name").as_str() == Some("cpu");
    let mut out = autoscaler.clone();
    out.set("apiVersion", "autoscaling/v1");
    let target = out
        .path("spec.metrics")
        .items()
        .iter()
        .find(is_cpu)
        .map(|metric| metric.path("resource.target.averageUtilization").clone());
    let current = out
        .path("status.currentMetrics")
        .items()
        .iter()
        .find(is_cpu)
        .map(|metric| metric.path("resource.current.averageUtilization").clone());
    let spec = out.entry("spec");
    spec.remove("metrics");
    spec.remove("behavior");
    if let Some(target) = target.filter(|value| !value.is_null()) {
        spec.set("targetCPUUtilizationPercentage", target);
    }
    let status = out.entry("status");
    status.remove("currentMetrics");
    status.remove("conditions");
    if status.get("currentReplicas").is_null() {
        status.set("currentReplicas", 0);
    }
    if let Some(current) = current.filter(|value| !value.is_null()) {
        status.set("currentCPUUtilizationPercentage", current);
    }
    out
}

/// `autoscaling/v1` as `v2`.
pub(super) fn new_autoscaler(autoscaler: &Value) -> Value {
    let mut out = autoscaler.clone();
    out.set("apiVersion", "autoscaling/v2");
    let spec = out.entry("spec");
    if let Some(percent) = spec.remove("targetCPUUtilizationPercentage") {
        let target = map! { "type": "Utilization", "averageUtilization": percent };
        let metric =
            map! { "type": "Resource", "resource": map! { "name": "cpu", "target": target } };
        spec.set("metrics", list![metric]);
    }
    let status = out.entry("status");
    if let Some(percent) = status.remove("currentCPUUtilizationPercentage") {
        let current = map! { "averageUtilization": percent };
        let metric =
            map! { "type": "Resource", "resource": map! { "name": "cpu", "current": current } };
        status.set("currentMetrics", list![metric]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_the_way_through_the_other_version() {
        let event = map! {
            "apiVersion": "v1", "kind": "Event", "involvedObject": map! { "kind": "Pod" }, "message": "hello",
            "reportingComponent": "kubelet", "count": 2,
        };
        let new = new_event(&event);
        assert_eq!(new.str("note"), "hello");
        assert_eq!(new.path("regarding.kind").as_str(), Some("Pod"));
        assert_eq!(old_event(&new), event);
    }
}
