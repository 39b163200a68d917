//! Lets claims and volumes that are being deleted go once nothing uses them.
//!
//! Keys are claims; a key without a namespace is a volume.

use api::core::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS};
use api::meta::Meta;
use api::{Request, Resource, Value};
use client::{Change, Informers, ObjectKey};

use crate::pods;
use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";

/// Removes the protecting finalizers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protection;

/// The claims that a pod uses, generic ephemeral volumes included.
pub(crate) fn claims_of(pod: &Value) -> impl Iterator<Item = String> {
    let volumes = pod.path("spec.volumes").items().iter();
    volumes.filter_map(|volume| {
        if volume.has("ephemeral") {
            return Some(format!("{}-{}", Meta::of(pod).name(), volume.str("name")));
        }
        let claim = volume.path("persistentVolumeClaim.claimName").as_str();
        claim.map(str::to_owned)
    })
}

impl Controller for Protection {
    fn name(&self) -> &'static str {
        "persistentvolumeclaim-protection-controller"
    }

    fn kind(&self) -> &'static str {
        "persistentvolumeclaims"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let object = change.object();
        if *resource != PODS {
            if !change.is_deleted() && Meta::of(object).is_deleting() {
                keys.add(ObjectKey::of(object));
            }
        } else if change.is_deleted() || pods::is_finished(object) {
            let namespace = Meta::of(object).shared_namespace();
            for claim in claims_of(object) {
                let cache = caches.cache(&PERSISTENT_VOLUME_CLAIMS);
                let found = cache.get(&namespace, &claim);
                if found.is_some_and(|c| Meta::of(c).is_deleting()) {
                    keys.add(ObjectKey::new(namespace.clone(), claim));
                }
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let (resource, finalizer) = if key.namespace.is_empty() {
            (PERSISTENT_VOLUMES, VOLUME_FINALIZER)
        } else {
            (PERSISTENT_VOLUME_CLAIMS, CLAIM_FINALIZER)
        };
        let Some(mut object) = s.get_key(&resource, key) else {
            return Ok(());
        };
        let meta = Meta::of(&object);
        if !meta.is_deleting() || !meta.has_finalizer(finalizer) {
            return Ok(());
        }
        let is_used = if key.namespace.is_empty() {
            object.path("status.phase").as_str() == Some("Bound")
        } else {
            let users = s.read(|caches| {
                let pods = caches.cache(&PODS).in_namespace(&key.namespace);
                let uses = |pod: &&Value| {
                    !pods::is_finished(pod) && claims_of(pod).any(|claim| *claim == *key.name)
                };
                pods.filter(uses).take(1).cloned().collect()
            });
            !users.is_empty()
        };
        if is_used {
            return Ok(());
        }
        object
            .at_mut(&["metadata", "finalizers"])
            .list_mut()
            .retain(|f| f.as_str() != Some(finalizer));
        s.must_unless_gone(Request::update(&resource, object))
    }
}
