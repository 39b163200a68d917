//! `pods/binding`: the scheduler's word on where a pod runs (`registry/core/pod/storage`).

use api::{Response, Status, Str, Value, map};

use crate::ApiServer;
use crate::call::Call;

/// `PodTopologyLabels`: labels of the node that its pods get.
const TOPOLOGY_LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

impl ApiServer {
    pub(crate) fn bind(&mut self, call: &mut Call, binding: Value) -> Result<Response, Status> {
        let target = binding.get("target");
        let node = target.shared_str("name");
        let mut problems = Vec::new();
        let path = crate::path::Path::new("target");
        if !matches!(target.str("kind"), "" | "Node") {
            problems.push(
                path.child("kind")
                    .not_supported(target.get("kind"), &["Node", "<empty>"]),
            );
        }
        if node.is_empty() {
            problems.push(path.child("name").required(""));
        }
        if !problems.is_empty() {
            return Err(Status::invalid("", "Binding", &call.name, &problems));
        }
        let old = self.current(call).ok_or_else(|| call.not_found())?;
        let conflict = |why: String| {
            let mut status = Status::conflict("", "pods/binding", &call.name, &why);
            status.0.details = map! { "name": call.name.clone(), "kind": "pods/binding" };
            status
        };
        let uid = binding.get("metadata").shared_str("uid");
        if !uid.is_empty() && uid.as_str() != old.path("metadata.uid").as_str().unwrap_or_default()
        {
            return Err(conflict(format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                old.get("metadata").str("uid")
            )));
        }
        if old.get("metadata").has("deletionTimestamp") {
            return Err(conflict(format!(
                "pod {} is being deleted, cannot be assigned to a host",
                call.name
            )));
        }
        let assigned = old.get("spec").str("nodeName");
        if !assigned.is_empty() {
            return Err(conflict(format!(
                "pod {} is already assigned to node {assigned:?}",
                call.name
            )));
        }
        if !old.get("spec").get("schedulingGates").is_empty() {
            return Err(conflict(format!(
                "pod {} has non-empty .spec.schedulingGates",
                call.name
            )));
        }
        let mut pod = old.clone();
        pod.entry("spec").set("nodeName", node.clone());
        for (key, value) in binding.path("metadata.annotations").entries().iter() {
            pod.entry("metadata")
                .entry("annotations")
                .set(key.clone(), value.clone());
        }
        self.copy_topology(&mut pod, &node);
        set_scheduled(&mut pod, call.now.rfc3339());
        // What it waited for has come (`ClearingNominatedNodeNameAfterBinding`).
        pod.entry("status").remove("nominatedNodeName");
        let is_dry = call.is_dry_run();
        if !is_dry {
            self.commit(call, pod);
        }
        Ok(Response::created(map! {
            "kind": "Status", "apiVersion": "v1", "metadata": map! {}, "status": "Success", "code": 201,
        }))
    }

    fn copy_topology(&self, pod: &mut Value, node: &Str) {
        let Some(node) = self.object("nodes", &Str::EMPTY, node) else {
            return;
        };
        let labels = node.path("metadata.labels");
        for key in TOPOLOGY_LABELS {
            if labels.has(key) {
                let value = labels.get(key).clone();
                pod.entry("metadata").entry("labels").set(key, value);
            }
        }
    }
}

/// The condition `PodScheduled` becomes true with the binding.
fn set_scheduled(pod: &mut Value, now: String) {
    let condition = map! {
        "type": "PodScheduled", "status": "True", "lastProbeTime": Value::Null, "lastTransitionTime": now,
    };
    let conditions = pod.at_mut(&["status", "conditions"]).list_mut();
    match conditions
        .iter_mut()
        .find(|c| c.str("type") == "PodScheduled")
    {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
