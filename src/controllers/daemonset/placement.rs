//! Which nodes a DaemonSet's pods belong on.
//!
//! The controller decides which nodes need a pod and pins each pod to its node by affinity; the scheduler binds it.
//! Models `NodeShouldRunDaemonPod` and `util/daemonset_util.go`.

use api::meta::Meta;
use api::{Value, list, map};

use crate::node::{NOT_READY, UNREACHABLE, tolerates};

/// Whether a node should get a pod, and whether a pod that is there may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) should_run: bool,
    pub(super) may_stay: bool,
}

/// Judges a node by the template's node name, selector, affinity and tolerations.
pub(super) fn judge(set: &Value, node: &Value) -> Verdict {
    let spec = set.path("spec.template.spec");
    let pinned = spec.str("nodeName");
    let fits_name = pinned.is_empty() || pinned == Meta::of(node).name();
    if !fits_name || !fits_affinity(spec, node) {
        return Verdict {
            should_run: false,
            may_stay: false,
        };
    }
    let tolerations = tolerations(spec);
    let untolerated = |effects: &[&str]| {
        node.path("spec.taints").items().iter().any(|taint| {
            effects.contains(&taint.str("effect"))
                && !tolerations.iter().any(|t| tolerates(t, taint))
        })
    };
    Verdict {
        should_run: !untolerated(&["NoSchedule", "NoExecute"]),
        may_stay: !untolerated(&["NoExecute"]),
    }
}

/// The node that a daemon pod belongs to: bound, or pinned by affinity.
pub(super) fn target(pod: &Value) -> &str {
    let bound = pod.path("spec.nodeName").as_str().unwrap_or_default();
    if !bound.is_empty() {
        return bound;
    }
    let terms = required_terms(pod.get("spec"));
    let fields = terms
        .iter()
        .flat_map(|term| term.get("matchFields").items());
    fields
        .filter(|field| field.str("key") == "metadata.name" && field.str("operator") == "In")
        .find_map(|field| match field.get("values").items() {
            [one] => one.as_str(),
            _ => None,
        })
        .unwrap_or_default()
}

/// The template's pod for one node.
pub(super) fn pin(pod: &mut Value, node: &str) {
    let tolerations = tolerations(pod.get("spec"));
    pod.set_path("spec.tolerations", tolerations);
    let field = map! { "key": "metadata.name", "operator": "In", "values": list![node.to_owned()] };
    let required = pod.at_mut(&[
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
    ]);
    let terms = required.entry("nodeSelectorTerms").list_mut();
    if terms.is_empty() {
        terms.push(map! { "matchFields": list![field] });
        return;
    }
    for term in terms {
        // Only matchFields are replaced; expressions of the template stay.
        term.set("matchFields", list![field.clone()]);
    }
}

/// The template's tolerations and those that every daemon pod has.
fn tolerations(spec: &Value) -> Vec<Value> {
    let mut all = spec.get("tolerations").items().to_vec();
    let mut add = |key: &'static str, effect: &'static str| {
        let own = map! { "key": key, "operator": "Exists", "effect": effect };
        let is_there = all.iter().any(|t| {
            t.str("key") == key && t.str("effect") == effect && t.str("operator") == "Exists"
        });
        if !is_there {
            all.push(own);
        }
    };
    add(NOT_READY, "NoExecute");
    add(UNREACHABLE, "NoExecute");
    add("node.kubernetes.io/disk-pressure", "NoSchedule");
    add("node.kubernetes.io/memory-pressure", "NoSchedule");
    add("node.kubernetes.io/pid-pressure", "NoSchedule");
    add("node.kubernetes.io/unschedulable", "NoSchedule");
    if spec.bool("hostNetwork") {
        add("node.kubernetes.io/network-unavailable", "NoSchedule");
    }
    all
}

fn required_terms(spec: &Value) -> &[Value] {
    let affinity = spec.get("affinity").get("nodeAffinity");
    let required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution");
    required.get("nodeSelectorTerms").items()
}

fn fits_affinity(spec: &Value, node: &Value) -> bool {
    let labels = Meta::of(node).labels();
    if !crate::selection::chooses_pairs(spec.get("nodeSelector").entries(), labels) {
        return false;
    }
    let affinity = spec.get("affinity").get("nodeAffinity");
    if !affinity.has("requiredDuringSchedulingIgnoredDuringExecution") {
        return true;
    }
    required_terms(spec).iter().any(|term| {
        let expressions = term.get("matchExpressions").items();
        let fields = term.get("matchFields").items();
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        let field = |key: &str| (key == "metadata.name").then(|| Meta::of(node).name());
        !(expressions.is_empty() && fields.is_empty())
            && expressions.iter().all(|e| fits(e, label(e.str("key"))))
            && fields.iter().all(|e| fits(e, field(e.str("key"))))
    })
}

fn fits(expression: &Value, value: Option<&str>) -> bool {
    let values = expression.get("values").items();
    let is_listed = |value: &str| values.iter().any(|v| v.as_str() == Some(value));
    let number = |text: Option<&str>| text.and_then(|t| t.parse::<i64>().ok());
    let bound = number(values.first().and_then(Value::as_str));
    match expression.str("operator") {
        "In" => value.is_some_and(is_listed),
        "NotIn" => !value.is_some_and(is_listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => matches!((number(value), bound), (Some(v), Some(b)) if v > b),
        "Lt" => matches!((number(value), bound), (Some(v), Some(b)) if v < b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_judged_as_documented() {
        let node = |taints: Value| map! { "metadata": map! { "name": "n1", "labels": map! { "disk": "ssd" } }, "spec": map! { "taints": taints } };
        let set = |spec: Value| map! { "spec": map! { "template": map! { "spec": spec } } };
        let taint = |effect: &'static str| list![map! { "key": "k", "effect": effect }];
        let verdict = |should_run, may_stay| Verdict {
            should_run,
            may_stay,
        };
        for (what, spec, taints, expected) in [
            ("plain", map! {}, list![], verdict(true, true)),
            (
                "NoSchedule lets it stay",
                map! {},
                taint("NoSchedule"),
                verdict(false, true),
            ),
            (
                "NoExecute does not",
                map! {},
                taint("NoExecute"),
                verdict(false, false),
            ),
            (
                "a selector that does not fit",
                map! { "nodeSelector": map! { "disk": "hdd" } },
                list![],
                verdict(false, false),
            ),
            (
                "cordoned nodes count",
                map! {},
                list![map! { "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" }],
                verdict(true, true),
            ),
        ] {
            assert_eq!(judge(&set(spec), &node(taints)), expected, "{what}");
        }
    }

    #[test]
    fn a_pinned_pod_knows_its_node() {
        let mut pod = map! { "spec": map! {} };
        pin(&mut pod, "n2");
        assert_eq!(target(&pod), "n2");
    }
}
