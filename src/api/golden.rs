//! Where tests find the recordings of the real cluster; they are read at run time and never copied.

use std::path::PathBuf;

use crate::Value;

/// A file of the recordings; `None` (the test is skipped) where they are not at hand.
pub(crate) fn file(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KUBENKYO_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let file = root.join(path);
    file.exists().then_some(file)
}

pub(crate) fn text(path: &str) -> Option<String> {
    std::fs::read_to_string(file(path)?).ok()
}

pub(crate) fn json(path: &str) -> Option<Value> {
    text(path).map(|text| Value::from_json(&text).expect("a recording is JSON"))
}

/// The exchanges of a recording of the wire.
pub(crate) fn wire(name: &str) -> Option<Vec<Value>> {
    let recording = json(&format!("golden/wire/{name}.json"))?;
    Some(recording.get("steps").items().to_vec())
}
