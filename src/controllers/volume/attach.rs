//! Says that network disks were attached to the node of their pod.
//!
//! The machines here have no such disks: what the kubelet then finds out is its own story. Models what
//! `pkg/controller/volume/attachdetach` tells of in-tree plugins that still exist.

use api::core::PODS;
use api::{Resource, Value};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};

use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

/// The attach-detach controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attacher;

/// Volumes that are attached to a machine before they are mounted.
fn attachable(pod: &Value) -> impl Iterator<Item = &Value> {
    let volumes = pod.path("spec.volumes").items().iter();
    volumes.filter(|volume| volume.has("iscsi") || volume.has("fc"))
}

fn is_placed(pod: &Value) -> bool {
    !pod.path("spec.nodeName").is_empty()
}

impl Controller for Attacher {
    fn name(&self) -> &'static str {
        "attachdetach-controller"
    }

    fn kind(&self) -> &'static str {
        "pods"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![PODS]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if let Some(pod) = &change.new
            && is_placed(pod)
            && !change.old.as_ref().is_some_and(is_placed)
            && attachable(pod).next().is_some()
        {
            keys.add(ObjectKey::of(pod));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(pod) = s.get_key(&PODS, key) else {
            return Ok(());
        };
        let about = ObjectRef::of(&pod, "v1", "Pod");
        for volume in attachable(&pod) {
            let name = volume.str("name");
            let message = format!("AttachVolume.Attach succeeded for volume \"{name}\" ");
            s.event(&about, Severity::Normal, "SuccessfulAttachVolume", message);
        }
        Ok(())
    }
}
