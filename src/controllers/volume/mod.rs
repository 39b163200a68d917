//! Binds claims to volumes, provisions volumes for claims, and protects both while they are in use.
//!
//! Two controllers as upstream: [`binder`] (`pkg/controller/volume/persistentvolume`) and [`protection`]
//! (`pvcprotection`, `pvprotection`).

pub(crate) mod binder;
pub(crate) mod protection;

use api::Resource;

pub(crate) const STORAGE_CLASSES: Resource = Resource::of("storage.k8s.io", "v1", "storageclasses");
