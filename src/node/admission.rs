//! What a machine asks of a pod before it takes it. Models `pkg/kubelet/lifecycle` and `pkg/security/apparmor`.
//!
//! The scheduler has looked at the same; pods that name their node themselves meet it here.

use api::{Str, Value};

use crate::host::Host;
use crate::machine::Machine;
use crate::pod::Pod;

/// Reason and message if the machine has no room for the pod, or is not among those that it asks for. What the machine
/// itself depends on is never refused: others would have to go.
pub(crate) fn misfit(pod: &Pod, host: &Host) -> Option<(&'static str, Str)> {
    if pod.is_critical() {
        return None;
    }
    let lacks = |reason, resource: &str, requested: i64, used: i64, capacity: i64| {
        let message = format!(
            "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
        );
        (used + requested > capacity && requested > 0).then(|| (reason, Str::from(message)))
    };
    let machine = &host.machine;
    let (cpu, memory) = pod.requested(false);
    let (used_cpu, used_memory) = host.requested_by_others(pod.id);
    let others = host.requests.keys().filter(|id| **id != pod.id).count() as i64;
    let cpus = i64::from(machine.cpus) * 1000;
    let bytes = machine.memory_kib as i64 * 1024;
    lacks("OutOfpods", "pods", 1, others, i64::from(machine.max_pods))
        .or_else(|| lacks("OutOfcpu", "cpu", cpu, used_cpu, cpus))
        .or_else(|| lacks("OutOfmemory", "memory", memory, used_memory, bytes))
        .or_else(|| {
            let wanted = pod.spec().get("nodeSelector").entries();
            let is_other = wanted
                .iter()
                .any(|(key, value)| host.labels.is_map() && host.labels.get(key) != value);
            let message =
                "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
            is_other.then(|| ("NodeAffinity", message.into()))
        })
}

/// Reason and message if the pod cannot run here.
pub(crate) fn refusal(pod: &Pod, machine: &Machine) -> Option<(&'static str, &'static str)> {
    let is_other = |os: &Value| os.as_str().is_some_and(|os| os != machine.os());
    let spec = pod.spec();
    if is_other(spec.get("nodeSelector").get("kubernetes.io/os")) {
        return Some((
            "PodOSSelectorNodeLabelDoesNotMatch",
            "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
        ));
    }
    if is_other(spec.path("os.name")) {
        return Some((
            "PodOSNotSupported",
            "Failed to admit pod as the OS field doesn't match node OS",
        ));
    }
    if wants_apparmor(pod) {
        return Some((
            "AppArmor",
            "Cannot enforce AppArmor: AppArmor is not enabled on the host",
        ));
    }
    None
}

/// Whether the pod or a container asks for a profile.
fn wants_apparmor(pod: &Pod) -> bool {
    let asks = |context: &Value| {
        let kind = context.path("appArmorProfile.type");
        kind.as_str().is_some_and(|kind| kind != "Unconfined")
    };
    let containers = ["initContainers", "containers"];
    asks(pod.spec().get("securityContext"))
        || containers
            .iter()
            .flat_map(|field| pod.spec().get(field).items())
            .any(|container| asks(container.get("securityContext")))
        || pod.meta().annotations().iter().any(|(key, value)| {
            key.starts_with("container.apparmor.security.beta.kubernetes.io/")
                && value.as_str() != Some("unconfined")
        })
}
