//! Requests in, answers out.

mod manifests;
mod slice;
mod wire;

use std::path::PathBuf;

use api::Value;

/// A recording of a real cluster, if the recordings are at hand.
fn recording(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(path)?).ok()?;
    Some(Value::from_json(&text).expect("a recording is JSON"))
}

/// A file or folder beside the repository with recordings and documents.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KUBENKYO_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    Some(root.join(path)).filter(|path| path.exists())
}
