//! `StorageObjectInUseProtection` and `DefaultStorageClass`: volumes in use stay, claims get a class.

use api::{Value, meta::Meta};

use crate::ApiServer;

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
