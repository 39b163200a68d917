//! What controllers ask of pods: active, ready, available; how a pod is made of a template; which one goes first.
//!
//! Models `pkg/controller/controller_utils.go` and `pkg/api/v1/pod/util.go`.

use std::cmp::Ordering;

use api::core::Pod;
use api::meta::{self, Meta};
use api::{Map, Str, Value, map};
use sim::{Micros, SECOND, Time};

/// Neither finished nor being deleted.
pub(crate) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !Meta::of(pod).is_deleting()
}

/// Being deleted and not finished yet.
pub(crate) fn is_terminating(pod: &Value) -> bool {
    !is_finished(pod) && Meta::of(pod).is_deleting()
}

pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(Pod(pod).phase(), "Succeeded" | "Failed")
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    meta::is_true(pod, "Ready")
}

/// Since when the pod is ready.
pub(crate) fn ready_since(pod: &Value) -> Option<Time> {
    meta::condition(pod, "Ready")
        .filter(|c| c.status() == "True")
        .and_then(|c| c.transition_time())
}

/// Ready for at least `min_ready_secs`.
pub(crate) fn is_available(pod: &Value, min_ready_secs: i64, now: Time) -> bool {
    available_in(pod, min_ready_secs, now) == Some(0)
}

/// How long until the pod is available if it stays ready; `None` if it is not ready.
pub(crate) fn available_in(pod: &Value, min_ready_secs: i64, now: Time) -> Option<Micros> {
    let condition = meta::condition(pod, "Ready").filter(|c| c.status() == "True")?;
    if min_ready_secs <= 0 {
        return Some(0);
    }
    let since = condition.transition_time()?;
    let at = since + min_ready_secs as Micros * SECOND;
    Some(at.since(now))
}

/// A pod made of a pod template, controlled by `owner` (a ready owner reference).
pub(crate) fn from_template(
    template: &Value,
    namespace: &Str,
    generate_name: String,
    owner: Value,
) -> Value {
    let mut metadata = map! { "namespace": namespace, "generateName": generate_name };
    for field in ["labels", "annotations", "finalizers"] {
        let value = template.get("metadata").get(field);
        if !value.is_empty() {
            metadata.set(field, value);
        }
    }
    metadata.set("ownerReferences", vec![owner]);
    map! {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": metadata,
        "spec": template.get("spec"),
    }
}

/// Labels of an object.
pub(crate) fn labels(object: &Value) -> &Map {
    Meta::of(object).labels()
}

/// The number of restarts of the container that restarted most; regular containers and sidecars apart.
fn most_restarts(pod: &Value) -> (i64, i64) {
    let most = |statuses: &[Value]| {
        let counts = statuses.iter().filter_map(|s| s.int("restartCount"));
        counts.max().unwrap_or_default()
    };
    let view = Pod(pod);
    let sidecars: Vec<Value> = view
        .init_container_statuses()
        .iter()
        .filter(|status| {
            view.init_containers()
                .any(|c| c.name() == status.str("name") && c.restart_policy() == "Always")
        })
        .cloned()
        .collect();
    (most(view.container_statuses()), most(&sidecars))
}

/// Which of two pods is deleted first when there are too many (`ActivePodsWithRanks`). `rank` counts the related
/// active pods on the same node: the doubled-up go first.
pub(crate) fn deletion_order(a: (&Value, usize), b: (&Value, usize), now: Time) -> Ordering {
    let ((a, rank_a), (b, rank_b)) = (a, b);
    let (pa, pb) = (Pod(a), Pod(b));
    let phase = |pod: Pod<'_>| match pod.phase() {
        "Pending" | "" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    let by_uid = || Meta::of(a).uid().cmp(Meta::of(b).uid());
    let assigned = |pod: Pod<'_>| !pod.node_name().is_empty();
    assigned(pa)
        .cmp(&assigned(pb))
        .then_with(|| phase(pa).cmp(&phase(pb)))
        .then_with(|| is_ready(a).cmp(&is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| rank_b.cmp(&rank_a))
        .then_with(|| match (ready_since(a), ready_since(b)) {
            (Some(ta), Some(tb)) if ta != tb => age_order(ta, tb, now).then_with(by_uid),
            _ => Ordering::Equal,
        })
        .then_with(|| most_restarts(b).cmp(&most_restarts(a)))
        .then_with(|| {
            let created = |pod| Meta::of(pod).creation_time();
            match (created(a), created(b)) {
                (Some(ta), Some(tb)) if ta != tb => age_order(ta, tb, now),
                _ => Ordering::Equal,
            }
        })
        .then_with(by_uid)
}

/// The younger first, but ages are compared by their power of two only, so that chance has a part.
fn age_order(a: Time, b: Time, now: Time) -> Ordering {
    let magnitude = |since: Time| match now.since(since) * 1000 {
        0 => -1,
        nanos => i64::from(nanos.ilog2()),
    };
    magnitude(a).cmp(&magnitude(b))
}

/// The annotation `controller.kubernetes.io/pod-deletion-cost`; 0 if missing or no number.
fn deletion_cost(pod: &Value) -> i64 {
    let text = Meta::of(pod).annotation("controller.kubernetes.io/pod-deletion-cost");
    let cost = text.and_then(|text| text.parse::<i32>().ok());
    i64::from(cost.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::list;

    #[test]
    fn those_that_serve_least_go_first() {
        let now = Time::from_secs(10_000);
        let pod = |uid: &'static str,
                   node: &'static str,
                   phase: &'static str,
                   ready: bool,
                   secs: i64| {
            map! {
                "metadata": map! { "name": uid, "uid": uid, "creationTimestamp": Time::from_secs(10_000 - secs).rfc3339() },
                "spec": map! { "nodeName": node },
                "status": map! { "phase": phase, "conditions": list![map! {
                    "type": "Ready", "status": if ready { "True" } else { "False" },
                    "lastTransitionTime": Time::from_secs(10_000 - secs).rfc3339(),
                }] },
            }
        };
        let costly = {
            let mut pod = pod("costly", "n1", "Running", true, 10);
            pod.set_path(
                "metadata.annotations",
                map! { "controller.kubernetes.io/pod-deletion-cost": "5" },
            );
            pod
        };
        let pods = [
            costly,
            pod("old", "n1", "Running", true, 5000),
            pod("young", "n1", "Running", true, 100),
            pod("unready", "n1", "Running", false, 5000),
            pod("pending", "n1", "Pending", false, 5000),
            pod("unassigned", "", "Pending", false, 5000),
        ];
        let mut ranked: Vec<&Value> = pods.iter().collect();
        ranked.sort_by(|a, b| deletion_order((a, 1), (b, 1), now));
        let names: Vec<&str> = ranked.iter().map(|p| Meta::of(p).name()).collect();
        assert_eq!(
            names,
            ["unassigned", "pending", "unready", "young", "old", "costly"]
        );
    }
}
