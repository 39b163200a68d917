//! `StorageObjectInUseProtection`, `DefaultStorageClass` and `PersistentVolumeClaimResize`: volumes in use stay, claims get a
//! class, and grow only if it lets them.

use api::quantity::Quantity;
use api::{Status, Str, Value, meta::Meta};

use super::forbidden;
use crate::ApiServer;
use crate::call::Call;

/// Finalizers by which storage stays as long as it is used.
const PROTECTED: [(&str, &str); 3] = [
    ("persistentvolumeclaims", "kubernetes.io/pvc-protection"),
    ("persistentvolumes", "kubernetes.io/pv-protection"),
    ("volumeattributesclasses", "kubernetes.io/vac-protection"),
];

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(crate) fn protect(plural: &str, object: &mut Value) {
    let Some((_, finalizer)) = PROTECTED.iter().find(|(kind, _)| *kind == plural) else {
        return;
    };
    if !Meta::of(object).has_finalizer(finalizer) {
        object
            .entry("metadata")
            .entry("finalizers")
            .list_mut()
            .push((*finalizer).into());
    }
}

impl ApiServer {
    pub(crate) fn admit_default_class(&self, claim: &mut Value) {
        let has_class = claim.get("spec").has("storageClassName")
            || claim.path("metadata.annotations").has(OLD_CLASS);
        if has_class {
            return;
        }
        if let Some(class) = self.default_storage_class() {
            claim.set_path("spec.storageClassName", class);
        }
    }

    /// `PersistentVolumeClaimResize`: only what a class has made, and can make larger, grows.
    pub(crate) fn check_resize(
        &self,
        call: &Call,
        claim: &Value,
        old: &Value,
    ) -> Result<(), Status> {
        let is_claim =
            (call.kind.group.as_str(), call.kind.plural.as_str()) == ("", "persistentvolumeclaims");
        let size = |claim: &Value| Quantity::of(claim.path("spec.resources.requests.storage"));
        if !is_claim || !call.subresource.is_empty() || size(claim) <= size(old) {
            return Ok(());
        }
        if old.path("status.phase").as_str() != Some("Bound") {
            return Err(forbidden(
                call,
                "Only bound persistent volume claims can be expanded",
            ));
        }
        let name = claim.get("spec").shared_str("storageClassName");
        let class = self.object("storageclasses.storage.k8s.io", &Str::EMPTY, &name);
        if class.is_some_and(|class| class.bool("allowVolumeExpansion")) {
            return Ok(());
        }
        Err(forbidden(
            call,
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
        ))
    }

    /// The class marked as default; of several the newest, then the first by name.
    fn default_storage_class(&self) -> Option<api::Str> {
        self.objects("storageclasses.storage.k8s.io", "")
            .filter(|class| class.path("metadata.annotations").str(DEFAULT_CLASS) == "true")
            .map(Meta::of)
            .min_by_key(|meta| {
                let age = std::cmp::Reverse(meta.creation_time().unwrap_or_default());
                (age, meta.shared_name())
            })
            .map(Meta::shared_name)
    }
}
