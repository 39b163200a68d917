//! `DefaultTolerationSeconds`: pods stay five minutes on a node that is not ready or unreachable.

use std::sync::LazyLock;

use api::{Value, list, map};

use crate::kinds::fill::edit;

const KEYS: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

fn toleration(key: &'static str) -> Value {
    map! { "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }
}

static BOTH: LazyLock<Value> = LazyLock::new(|| list![toleration(KEYS[0]), toleration(KEYS[1])]);

pub(crate) fn admit(pod: &mut Value) {
    edit(pod, "spec", |spec| {
        let present = spec.get("tolerations").items();
        if present.is_empty() {
            // Most pods: they share one list.
            spec.set("tolerations", BOTH.clone());
            return;
        }
        let tolerates = |key: &str| {
            present.iter().any(|t| {
                (t.str("key") == key || t.str("key").is_empty())
                    && matches!(t.str("effect"), "NoExecute" | "")
            })
        };
        let missing: Vec<Value> = KEYS
            .iter()
            .filter(|key| !tolerates(key))
            .map(|key| toleration(key))
            .collect();
        if !missing.is_empty() {
            spec.entry("tolerations").list_mut().extend(missing);
        }
    });
}
