//! Requests in, answers out.

mod compare;
mod manifests;
mod openapi;
mod policies;
mod slice;

use std::path::PathBuf;

/// A file or folder beside the repository with recordings and documents.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KUBENKYO_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    Some(root.join(path)).filter(|path| path.exists())
}
