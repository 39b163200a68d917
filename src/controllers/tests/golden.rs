//! Recordings of the real cluster, where they are at hand: names and hashes that ours must reproduce.

use std::path::PathBuf;

use api::Value;
use api::meta::Meta;

use crate::{history, template_hash};

/// The recorded manifests' objects; empty where there are no recordings.
fn recorded() -> Vec<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var("KUBENKYO_SHARED")
        .map_or_else(|_| root.join("../shared"), PathBuf::from)
        .join("golden/manifests");
    let Ok(entries) = std::fs::read_dir(shared) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter_map(|text| Value::from_json(&text).ok())
        .flat_map(|recording| recording.get("objects").items().to_vec())
        .collect()
}

fn owner_kind(object: &Value) -> &str {
    Meta::of(object).controller().map_or("", |o| o.kind())
}

#[test]
fn revisions_of_stateful_sets_have_the_recorded_hashes() {
    for object in recorded() {
        if object.str("kind") == "ControllerRevision" && owner_kind(&object) == "StatefulSet" {
            let recorded = Meta::of(&object).label("controller.kubernetes.io/hash");
            assert_eq!(
                Some(&*history::hash(object.get("data"), 0)),
                recorded,
                "{}",
                Meta::of(&object).key()
            );
        }
    }
}
#[test]
fn templates_have_the_recorded_hashes() {
    let (mut right, mut all) = (0, 0);
    for object in recorded() {
        let (mut template, recorded) = match (object.str("kind"), owner_kind(&object)) {
            ("ReplicaSet", "Deployment") => {
                let hash = Meta::of(&object).label("pod-template-hash");
                (object.path("spec.template").clone(), hash)
            }
            ("ControllerRevision", "DaemonSet") => {
                let hash = Meta::of(&object).label("controller-revision-hash");
                (history::template(&object), hash)
            }
            _ => continue,
        };
        template
            .at_mut(&["metadata", "labels"])
            .remove("pod-template-hash");
        all += 1;
        let ours = template_hash(&template, None);
        if Some(&*ours) == recorded {
            right += 1;
        } else {
            eprintln!("{}: {ours}, recorded {recorded:?}", Meta::of(&object).key());
        }
    }
    assert_eq!(right, all, "hashes as recorded");
}
