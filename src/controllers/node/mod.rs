//! What happens to nodes: whether they still report, which taints follow, which pods must leave.
//!
//! Two controllers as upstream: [`lifecycle`] watches leases and conditions and taints nodes, [`eviction`] deletes
//! pods that do not tolerate `NoExecute` taints.

pub(crate) mod eviction;
pub(crate) mod lifecycle;

use api::{Value, map};

pub(crate) const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub(crate) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// A taint without a value.
fn taint(key: &'static str, effect: &'static str) -> Value {
    map! { "key": key, "effect": effect }
}

fn is_same_taint(a: &Value, b: &Value) -> bool {
    a.str("key") == b.str("key") && a.str("effect") == b.str("effect")
}

/// Whether a toleration tolerates a taint (`v1.Toleration.ToleratesTaint`).
pub(crate) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let (effect, key) = (toleration.str("effect"), toleration.str("key"));
    if !effect.is_empty() && effect != taint.str("effect")
        || !key.is_empty() && key != taint.str("key")
    {
        return false;
    }
    match toleration.str("operator") {
        "Exists" => true,
        "" | "Equal" => toleration.str("value") == taint.str("value"),
        _ => false,
    }
}
