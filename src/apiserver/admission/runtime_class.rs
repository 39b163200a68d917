//! `RuntimeClass`: a pod that names a class gets that class's overhead and its place.

use api::{Status, Str, Value};

use crate::ApiServer;
use crate::call::Call;
use crate::kinds::fill::edit;

impl ApiServer {
    pub(crate) fn admit_runtime_class(&self, call: &Call, pod: &mut Value) -> Result<(), Status> {
        let name = pod.get("spec").shared_str("runtimeClassName");
        if name.is_empty() {
            return Ok(());
        }
        let Some(class) = self.object("runtimeclasses.node.k8s.io", &Str::EMPTY, &name) else {
            let why = format!("pod rejected: RuntimeClass \"{name}\" not found");
            return Err(super::forbidden(call, &why));
        };
        let overhead = class.path("overhead.podFixed");
        let given = pod.path("spec.overhead");
        if !given.is_null() && given != overhead {
            return Err(super::forbidden(
                call,
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
            ));
        }
        let (selector, tolerations) = (
            class.path("scheduling.nodeSelector"),
            class.path("scheduling.tolerations"),
        );
        for (key, value) in selector.entries().iter() {
            let own = pod.path("spec.nodeSelector").get(key);
            if !own.is_null() && own != value {
                return Err(super::forbidden(
                    call,
                    &format!(
                        "pod rejected: conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                        value.as_str().unwrap_or_default(),
                        own.as_str().unwrap_or_default()
                    ),
                ));
            }
        }
        edit(pod, "spec", |spec| {
            if !overhead.is_null() {
                spec.set("overhead", overhead);
            }
            for (key, value) in selector.entries().iter() {
                spec.entry("nodeSelector").set(key.clone(), value.clone());
            }
            for toleration in tolerations.items() {
                if !spec.get("tolerations").items().contains(toleration) {
                    spec.entry("tolerations")
                        .list_mut()
                        .push(toleration.clone());
                }
            }
        });
        Ok(())
    }
}
