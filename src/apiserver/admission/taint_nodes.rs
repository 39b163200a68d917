//! `TaintNodesByCondition`: a new node takes no pods until it says that it is ready.

use api::{Value, map};

const NOT_READY: &str = "node.kubernetes.io/not-ready";

pub(crate) fn admit(node: &mut Value) {
    let has = node
        .path("spec.taints")
        .items()
        .iter()
        .any(|t| t.str("key") == NOT_READY && t.str("effect") == "NoSchedule");
    if !has {
        node.at_mut(&["spec", "taints"])
            .list_mut()
            .push(map! { "key": NOT_READY, "effect": "NoSchedule" });
    }
}
