//! Makes the claims of generic ephemeral volumes, which live and die with their pod.
//!
//! Keys are pods. The binder does the rest; garbage collection takes the claim away with its pod. Models
//! `pkg/controller/volume/ephemeral` at v1.36.

use api::core::{PERSISTENT_VOLUME_CLAIMS, PODS};
use api::meta::{Meta, controller_reference};
use api::{Request, Resource, Str, Value, list, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};

use crate::pods;
use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

/// The ephemeral volume controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct EphemeralVolumes;

fn has_ephemeral(pod: &Value) -> bool {
    let mut volumes = pod.path("spec.volumes").items().iter();
    volumes.any(|volume| volume.has("ephemeral"))
}

impl Controller for EphemeralVolumes {
    fn name(&self) -> &'static str {
        "ephemeral_volume"
    }

    fn kind(&self) -> &'static str {
        "pods"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![PODS, PERSISTENT_VOLUME_CLAIMS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let object = change.object();
        if *resource == PODS {
            if change.is_added() && has_ephemeral(object) {
                keys.add(ObjectKey::of(object));
            }
        } else if change.is_deleted()
            && let Some(owner) = Meta::of(object).controller()
            && owner.kind() == "Pod"
        {
            let namespace = Meta::of(object).shared_namespace();
            keys.add(ObjectKey::new(namespace, Str::new(owner.name())));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(pod) = s.get_key(&PODS, key) else {
            return Ok(());
        };
        if Meta::of(&pod).is_deleting() || pods::is_finished(&pod) {
            return Ok(());
        }
        let volumes = pod.path("spec.volumes").items().to_vec();
        for volume in volumes.iter().filter(|volume| volume.has("ephemeral")) {
            make_claim(&pod, volume, s)?;
        }
        Ok(())
    }
}

fn make_claim(pod: &Value, volume: &Value, s: &mut Sync<'_, '_>) -> Step {
    let meta = Meta::of(pod);
    let name = format!("{}-{}", meta.name(), volume.str("name"));
    let namespace = meta.shared_namespace();
    if let Some(claim) = s.get(&PERSISTENT_VOLUME_CLAIMS, &namespace, &name) {
        let is_of_pod = Meta::of(&claim)
            .controller()
            .is_some_and(|owner| owner.uid() == meta.uid());
        if is_of_pod {
            return Ok(());
        }
        let why = format!(
            "PVC {namespace}/{name} was not created for pod {namespace}/{} (pod is not owner)",
            meta.name()
        );
        return failed(pod, volume, why, s);
    }
    let template = volume.path("ephemeral.volumeClaimTemplate");
    let mut claim = map! {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": map! {
            "name": name,
            "ownerReferences": list![controller_reference(pod, "v1", "Pod")],
        },
        "spec": template.get("spec"),
    };
    for field in ["labels", "annotations"] {
        let given = template.get("metadata").get(field);
        if !given.is_empty() {
            claim.entry("metadata").set(field, given);
        }
    }
    let answer = s.call(Request::create(&PERSISTENT_VOLUME_CLAIMS, namespace, claim))?;
    if answer.is_success() {
        return Ok(());
    }
    failed(
        pod,
        volume,
        format!("create PVC {}: {}", meta.name(), answer.message()),
        s,
    )
}

fn failed(pod: &Value, volume: &Value, why: String, s: &mut Sync<'_, '_>) -> Step {
    let message = format!("ephemeral volume {}: {why}", volume.str("name"));
    let about = ObjectRef::of(pod, "v1", "Pod");
    s.event(&about, Severity::Warning, "FailedBinding", message.clone());
    Err(Halt::Retry(message))
}
