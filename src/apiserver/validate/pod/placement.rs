//! Where a pod may run: affinity, spreading, tolerations, gates.

use api::Value;

use crate::path::Path;
use crate::validate::{Problems, labels, names};

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn affinity(affinity: &Value, path: &Path, out: &mut Problems) {
    if affinity.is_null() {
        return;
    }
    node_affinity(
        affinity.get("nodeAffinity"),
        &path.child("nodeAffinity"),
        out,
    );
    for field in ["podAffinity", "podAntiAffinity"] {
        let terms = affinity.get(field);
        let path = path.child(field);
        let required = path.child(REQUIRED);
        for (at, term) in terms.get(REQUIRED).items().iter().enumerate() {
            pod_term(term, &required.index(at), out);
        }
        let preferred = path.child(PREFERRED);
        for (at, weighted) in terms.get(PREFERRED).items().iter().enumerate() {
            let path = preferred.index(at);
            weight(weighted, &path, out);
            pod_term(
                weighted.get("podAffinityTerm"),
                &path.child("podAffinityTerm"),
                out,
            );
        }
    }
}

fn weight(weighted: &Value, path: &Path, out: &mut Problems) {
    let weight = weighted.int("weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        out.push(
            path.child("weight")
                .invalid(weight, "must be in the range 1-100"),
        );
    }
}

fn node_affinity(affinity: &Value, path: &Path, out: &mut Problems) {
    let required = affinity.get(REQUIRED);
    if !required.is_null() {
        let path = path.child(REQUIRED);
        node_selector(required, &path, out);
    }
    let preferred = path.child(PREFERRED);
    for (at, weighted) in affinity.get(PREFERRED).items().iter().enumerate() {
        let path = preferred.index(at);
        weight(weighted, &path, out);
        node_term(weighted.get("preference"), &path.child("preference"), out);
    }
}

pub(crate) fn node_selector(selector: &Value, path: &Path, out: &mut Problems) {
    let terms = selector.get("nodeSelectorTerms").items();
    let path = path.child("nodeSelectorTerms");
    if terms.is_empty() {
        out.push(path.required("must have at least one node selector term"));
    }
    for (at, term) in terms.iter().enumerate() {
        node_term(term, &path.index(at), out);
    }
}

fn node_term(term: &Value, path: &Path, out: &mut Problems) {
    for list in ["matchExpressions", "matchFields"] {
        let list_path = path.child(list);
        for (at, requirement) in term.get(list).items().iter().enumerate() {
            let path = list_path.index(at);
            let values = requirement.get("values").items();
            let values_path = path.child("values");
            match requirement.str("operator") {
                "In" | "NotIn" => {
                    if values.is_empty() {
                        out.push(
                            values_path
                                .required("must be specified when `operator` is 'In' or 'NotIn'"),
                        );
                    }
                }
                "Exists" | "DoesNotExist" => {
                    if !values.is_empty() {
                        out.push(values_path.forbidden(
                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                        ));
                    }
                }
                "Gt" | "Lt" => {
                    if values.len() != 1 {
                        out.push(values_path.required(
                            "must be specified single value when `operator` is 'Lt' or 'Gt'",
                        ));
                    }
                }
                other => out.push(
                    path.child("operator")
                        .invalid(other.to_owned(), "not a valid selector operator"),
                ),
            }
            if list == "matchExpressions" {
                for message in names::qualified(requirement.str("key")) {
                    out.push(
                        path.child("key")
                            .invalid(requirement.str("key").to_owned(), &message),
                    );
                }
            } else if requirement.str("key") != "metadata.name" {
                out.push(
                    path.child("key")
                        .not_supported(requirement.get("key"), &["metadata.name"]),
                );
            }
        }
    }
}

fn pod_term(term: &Value, path: &Path, out: &mut Problems) {
    labels::selector(term.get("labelSelector"), &path.child("labelSelector"), out);
    labels::selector(
        term.get("namespaceSelector"),
        &path.child("namespaceSelector"),
        out,
    );
    let namespaces = path.child("namespaces");
    for namespace in term.get("namespaces").items() {
        for message in names::label(namespace.as_str().unwrap_or_default()) {
            out.push(namespaces.invalid(namespace, &message));
        }
    }
    let key = term.str("topologyKey");
    let path = path.child("topologyKey");
    if key.is_empty() {
        out.push(path.required("can not be empty"));
    }
    for message in names::qualified(key) {
        out.push(path.invalid(key.to_owned(), &message));
    }
}

pub(super) fn gates(spec: &Value, path: &Path, out: &mut Problems) {
    let readiness = path.child("readinessGates");
    for (at, gate) in spec.get("readinessGates").items().iter().enumerate() {
        for message in names::qualified(gate.str("conditionType")) {
            out.push(
                readiness
                    .index(at)
                    .child("conditionType")
                    .invalid(gate.get("conditionType"), &message),
            );
        }
    }
    let scheduling = path.child("schedulingGates");
    let gates = spec.get("schedulingGates").items();
    for (at, gate) in gates.iter().enumerate() {
        for message in names::qualified(gate.str("name")) {
            out.push(
                scheduling
                    .index(at)
                    .invalid(gate.str("name").to_owned(), &message),
            );
        }
        if gates[..at].contains(gate) {
            out.push(scheduling.index(at).duplicate(gate.str("name").to_owned()));
        }
    }
    if !gates.is_empty() && !spec.str("nodeName").is_empty() {
        out.push(
            path.child("nodeName")
                .forbidden("cannot be set until all schedulingGates have been cleared"),
        );
    }
}

pub(super) fn spread(constraints: &[Value], path: &Path, out: &mut Problems) {
    for (at, constraint) in constraints.iter().enumerate() {
        let path = path.index(at);
        let skew = constraint.int("maxSkew").unwrap_or(0);
        if skew <= 0 {
            out.push(
                path.child("maxSkew")
                    .invalid(skew, "must be greater than zero"),
            );
        }
        let key = constraint.str("topologyKey");
        if key.is_empty() {
            out.push(path.child("topologyKey").required("can not be empty"));
        } else {
            for message in names::qualified(key) {
                out.push(
                    path.child("topologyKey")
                        .invalid(constraint.get("topologyKey"), &message),
                );
            }
        }
        let action = constraint.get("whenUnsatisfiable");
        if !matches!(action.as_str(), Some("DoNotSchedule" | "ScheduleAnyway")) {
            out.push(
                path.child("whenUnsatisfiable")
                    .not_supported(action, &["DoNotSchedule", "ScheduleAnyway"]),
            );
        }
        let twin = |other: &&Value| {
            other.get("topologyKey") == constraint.get("topologyKey")
                && other.get("whenUnsatisfiable") == action
        };
        if !key.is_empty() && constraints[..at].iter().any(|other| twin(&other)) {
            out.push(path.duplicate(format!(
                "{{{key}, {}}}",
                action.as_str().unwrap_or_default()
            )));
        }
        if let Some(least) = constraint.int("minDomains") {
            let path = path.child("minDomains");
            if least <= 0 {
                out.push(path.invalid(least, "must be greater than zero"));
            }
            if action.as_str() != Some("DoNotSchedule") {
                out.push(path.invalid(least, "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let policy = constraint.get(field);
            if !matches!(policy.as_str(), None | Some("Ignore" | "Honor")) {
                out.push(
                    path.child(field)
                        .not_supported(policy, &["Honor", "Ignore"]),
                );
            }
        }
        labels::selector(
            constraint.get("labelSelector"),
            &path.child("labelSelector"),
            out,
        );
    }
}

pub(super) fn tolerations(tolerations: &[Value], path: &Path, out: &mut Problems) {
    for (at, toleration) in tolerations.iter().enumerate() {
        let path = path.index(at);
        let (key, operator, effect) = (
            toleration.str("key"),
            toleration.str("operator"),
            toleration.str("effect"),
        );
        if !key.is_empty() {
            for message in names::qualified(key) {
                out.push(path.child("key").invalid(toleration.get("key"), &message));
            }
        } else if operator != "Exists" {
            out.push(path.child("operator").invalid(
                operator.to_owned(),
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            ));
        }
        if !toleration.get("tolerationSeconds").is_null() && effect != "NoExecute" {
            out.push(path.child("effect").invalid(
                effect.to_owned(),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            ));
        }
        let value = toleration.get("value");
        match operator {
            "Equal" | "" => {
                for message in names::label_value(value.as_str().unwrap_or_default()) {
                    out.push(path.child("operator").invalid(value, &message));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    out.push(
                        path.child("operator")
                            .invalid(value, "value must be empty when `operator` is 'Exists'"),
                    );
                }
            }
            // Known, but its feature is off by default.
            _ => out.push(
                path.child("operator")
                    .not_supported(toleration.get("operator"), &["Equal", "Exists", "Lt", "Gt"]),
            ),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            out.push(
                path.child("effect")
                    .not_supported(toleration.get("effect"), &EFFECTS),
            );
        }
    }
}
