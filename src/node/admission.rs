//! What a machine asks of a pod before it takes it. Models `pkg/kubelet/lifecycle` and `pkg/security/apparmor`.

use api::Value;

use crate::machine::Machine;
use crate::pod::Pod;

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
