//! The quality-of-service class of a pod (`pkg/apis/core/helper/qos`).

use api::{Map, Value};

/// `Guaranteed`, `Burstable` or `BestEffort`, from the CPU and memory of all containers (or of the pod as a whole).
pub(crate) fn class(spec: &Value) -> &'static str {
    let whole = spec.get("resources");
    if !whole.get("requests").is_empty() || !whole.get("limits").is_empty() {
        return class_of([whole].into_iter());
    }
    let containers = spec.get("containers").items().iter();
    let inits = spec.get("initContainers").items().iter();
    class_of(containers.chain(inits).map(|c| c.get("resources")))
}

fn class_of<'a>(all: impl Iterator<Item = &'a Value>) -> &'static str {
    let (mut has_any, mut is_guaranteed) = (false, true);
    for resources in all {
        let (requests, limits) = (
            resources.get("requests").entries(),
            resources.get("limits").entries(),
        );
        for name in ["cpu", "memory"] {
            let (request, limit) = (amount(requests, name), amount(limits, name));
            has_any |= request.is_some() || limit.is_some();
            is_guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (has_any, is_guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// An amount that is there and not zero.
fn amount<'a>(resources: &'a Map, name: &str) -> Option<&'a Value> {
    resources.get(name).filter(|value| {
        let text = value.as_str().unwrap_or_default();
        !matches!(text, "0" | "") && !value.is_empty()
    })
}
