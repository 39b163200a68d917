//! Binds claims to volumes, provisions volumes for claims, and protects both while they are in use.
//!
//! Controllers as upstream: [`binder`] (`pkg/controller/volume/persistentvolume`), [`protection`]
//! (`pvcprotection`, `pvprotection`) [`ephemeral`] and [`attach`].

pub(crate) mod attach;
pub(crate) mod binder;
pub(crate) mod ephemeral;
pub(crate) mod protection;

use api::Resource;

pub(crate) const STORAGE_CLASSES: Resource = Resource::of("storage.k8s.io", "v1", "storageclasses");
