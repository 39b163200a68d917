//! `NodeRestriction`: a kubelet changes only its own node and the pods on it.
//!
//! Models `plugin/pkg/admission/noderestriction`.

use api::{Status, Value};

use super::{Operation, forbidden};
use crate::ApiServer;
use crate::call::Call;

const NODES: &str = "system:nodes";

/// Labels that a kubelet may set on its node, besides those of its own prefixes.
const OWN_LABELS: [&str; 12] = [
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "node.kubernetes.io/windows-build",
];

impl ApiServer {
    pub(crate) fn check_node_restriction(
        &self,
        call: &Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        let Some(node) = node_of(call) else {
            return Ok(());
        };
        let refused = |why: String| Err(forbidden(call, &why));
        match (call.kind.group.as_str(), call.kind.plural.as_str()) {
            ("", "pods") => {
                let pod = old.unwrap_or(object);
                let place = pod.get("spec").str("nodeName");
                match (operation, call.subresource.as_str()) {
                    (Operation::Create, "") => {
                        let is_mirror = object
                            .path("metadata.annotations")
                            .has("kubernetes.io/config.mirror");
                        if !is_mirror {
                            return refused(format!(
                                "pod does not have \"kubernetes.io/config.mirror\" annotation, node {node:?} can only create mirror pods"
                            ));
                        }
                        if object.get("spec").str("nodeName") != node {
                            return refused(format!(
                                "node {node:?} can only create pods with spec.nodeName set to itself"
                            ));
                        }
                    }
                    (Operation::Delete, _) if place != node => {
                        return refused(format!(
                            "node {node:?} can only delete pods with spec.nodeName set to itself"
                        ));
                    }
                    (Operation::Update, "status") if place != node => {
                        return refused(format!(
                            "node {node:?} can only update pod status for pods with spec.nodeName set to itself"
                        ));
                    }
                    _ => {}
                }
                Ok(())
            }
            ("", "nodes") => {
                if !call.name.is_empty() && call.name != *node {
                    return refused(format!(
                        "node {node:?} is not allowed to modify node {:?}",
                        call.name.as_str()
                    ));
                }
                if operation == Operation::Update
                    && call.subresource.is_empty()
                    && let Some(old) = old
                {
                    if object.path("spec.taints") != old.path("spec.taints") {
                        return refused(format!("node {node:?} is not allowed to modify taints"));
                    }
                    let bad = changed_labels(object, old);
                    if !bad.is_empty() {
                        return refused(format!(
                            "is not allowed to modify labels: {}",
                            bad.join(", ")
                        ));
                    }
                }
                Ok(())
            }
            ("coordination.k8s.io", "leases")
                if call.namespace == *"kube-node-lease" && call.name != *node =>
            {
                refused(
                    "can only access node lease with the same name as the requesting node"
                        .to_owned(),
                )
            }
            _ => Ok(()),
        }
    }
}

/// The node whose kubelet asks.
fn node_of<'a>(call: &'a Call) -> Option<&'a str> {
    let is_node = call.user.groups.iter().any(|group| *group == *NODES);
    is_node.then(|| call.user.name.strip_prefix("system:node:"))?
}

/// Labels of Kubernetes' own prefixes that changed and are not a kubelet's to change.
fn changed_labels(new: &Value, old: &Value) -> Vec<String> {
    let (new, old) = (new.path("metadata.labels"), old.path("metadata.labels"));
    let mut changed: Vec<String> = Vec::new();
    for key in new.entries().keys().chain(old.entries().keys()) {
        let is_changed = new.get(key) != old.get(key);
        let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
        let is_of = |domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
        let is_guarded = is_of("kubernetes.io") || is_of("k8s.io");
        let is_own = OWN_LABELS.contains(&key.as_str())
            || is_of("kubelet.kubernetes.io")
            || is_of("node.kubernetes.io");
        if is_changed && is_guarded && !is_own {
            changed.push(key.to_string());
        }
    }
    changed.sort();
    changed.dedup();
    changed
}
