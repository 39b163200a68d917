//! The requests the scheduler sends: bindings, conditions of pods, evictions.

use api::core::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS};
use api::{Body, PatchKind, Request, Str, Value, Verb, list, map};
use sim::Time;

use crate::objects::{Claim, Volume};
use crate::pod::Pod;

pub(crate) const NAME: &str = "default-scheduler";

/// Puts a pod on a node.
pub(crate) fn bind(pod: &Pod, node: &Str) -> Request {
    let (namespace, name) = pod.key.clone();
    Request {
        body: Body::Object(map! {
            "apiVersion": "v1", "kind": "Binding",
            "metadata": map! { "name": name.clone(), "namespace": namespace.clone(), "uid": pod.uid.clone() },
            "target": map! { "kind": "Node", "name": node.clone() },
        }),
        ..Request::new(Verb::Create, &PODS, namespace, name).subresource("binding")
    }
}

/// Says in the pod's status why it has no node, and which node it waits for: none of them any more, if that is empty.
pub(crate) fn unschedulable(
    pod: &Pod,
    reason: &'static str,
    message: &str,
    nominated: Option<&Str>,
    now: Time,
) -> Option<Request> {
    let old = api::meta::condition(&pod.object, "PodScheduled");
    let known_node = pod
        .object
        .path("status.nominatedNodeName")
        .as_str()
        .unwrap_or_default();
    let same_node = nominated.is_none_or(|node| node == known_node);
    if same_node && old.is_some_and(|c| c.reason() == reason && c.message() == message) {
        return None;
    }
    let since = match old {
        Some(old) if old.status() == "False" => old.0.get("lastTransitionTime").clone(),
        _ => now.rfc3339().into(),
    };
    let condition = map! {
        "type": "PodScheduled", "status": "False", "reason": reason, "message": Str::new(message),
        "lastProbeTime": Value::Null, "lastTransitionTime": since,
        "observedGeneration": pod.object.path("metadata.generation"),
    };
    let mut status = map! { "conditions": list![condition] };
    match nominated {
        Some(node) if !node.is_empty() => status.set("nominatedNodeName", node.clone()),
        Some(_) if !known_node.is_empty() => status.set("nominatedNodeName", Value::Null),
        _ => {}
    }
    let mut patch = map! { "status": status };
    patch.set("metadata", map! { "uid": pod.uid.clone() });
    let (namespace, name) = pod.key.clone();
    Some(Request::patch(&PODS, namespace, name, PatchKind::Strategic, patch).subresource("status"))
}

/// Takes back what a pod was promised.
pub(crate) fn forget_nomination(pod: (Str, Str)) -> Request {
    let patch = map! { "status": map! { "nominatedNodeName": Value::Null } };
    let (namespace, name) = pod;
    Request::patch(&PODS, namespace, name, PatchKind::Merge, patch).subresource("status")
}

/// Tells a victim why it has to go.
pub(crate) fn disruption(victim: (Str, Str), now: Time) -> Request {
    let condition = map! {
        "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
        "message": "default-scheduler: preempting to accommodate a higher priority pod",
        "lastTransitionTime": now.rfc3339(),
    };
    let patch = map! { "status": map! { "conditions": list![condition] } };
    let (namespace, name) = victim;
    Request::patch(&PODS, namespace, name, PatchKind::Strategic, patch).subresource("status")
}

/// Asks for a volume on the chosen node.
pub(crate) fn choose_node(claim: &Claim, node: &Str) -> Request {
    let (namespace, name) = key(&claim.object);
    let patch = map! { "metadata": map! { "annotations": map! {
        "volume.kubernetes.io/selected-node": node.clone(),
    } } };
    Request::patch(
        &PERSISTENT_VOLUME_CLAIMS,
        namespace,
        name,
        PatchKind::Merge,
        patch,
    )
}

/// Reserves an existing volume for a claim; the volume controller does the rest.
pub(crate) fn reserve_volume(volume: &Volume, claim: &Claim) -> Request {
    let meta = claim.object.get("metadata");
    let patch = map! {
        "metadata": map! { "annotations": map! { "pv.kubernetes.io/bound-by-controller": "yes" } },
        "spec": map! { "claimRef": map! {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": meta.get("name"),
            "namespace": meta.get("namespace"), "uid": meta.get("uid"),
            "resourceVersion": meta.get("resourceVersion"),
        } },
    };
    let (_, name) = key(&volume.object);
    Request::patch(&PERSISTENT_VOLUMES, "", name, PatchKind::Merge, patch)
}

fn key(object: &Value) -> (Str, Str) {
    let meta = api::meta::Meta::of(object);
    (meta.shared_namespace(), meta.shared_name())
}
