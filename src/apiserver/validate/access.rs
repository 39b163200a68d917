//! Roles and admission policies with their bindings (`pkg/apis/{rbac,admissionregistration}/validation`).

use api::Value;

use super::Problems;
use crate::path::Path;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(crate) fn role(object: &Value, out: &mut Problems) {
    rules(object.get("rules").items(), true, out);
}

pub(crate) fn cluster_role(object: &Value, out: &mut Problems) {
    rules(object.get("rules").items(), false, out);
}

fn rules(rules: &[Value], is_namespaced: bool, out: &mut Problems) {
    let path = Path::new("rules");
    for (at, rule) in rules.iter().enumerate() {
        let path = path.index(at);
        let has = |field: &str| !rule.get(field).items().is_empty();
        if !has("verbs") {
            out.push(
                path.child("verbs")
                    .required("verbs must contain at least one value"),
            );
        }
        if has("nonResourceURLs") {
            let urls = path.child("nonResourceURLs");
            if is_namespaced {
                out.push(urls.invalid(
                    rule.get("nonResourceURLs"),
                    "namespaced rules cannot apply to non-resource URLs",
                ));
            }
            if has("apiGroups") || has("resources") || has("resourceNames") {
                out.push(urls.invalid(
                    rule.get("nonResourceURLs"),
                    "rules cannot apply to both regular resources and non-resource URLs",
                ));
            }
            continue;
        }
        if !has("apiGroups") {
            out.push(
                path.child("apiGroups")
                    .required("resource rules must supply at least one api group"),
            );
        }
        if !has("resources") {
            out.push(
                path.child("resources")
                    .required("resource rules must supply at least one resource"),
            );
        }
    }
}

pub(crate) fn binding(object: &Value, out: &mut Problems) {
    role_ref(object, &["Role", "ClusterRole"], out);
    subjects(object, true, out);
}

pub(crate) fn binding_update(new: &Value, old: &Value, out: &mut Problems) {
    binding(new, out);
    same_role(new, old, out);
}

pub(crate) fn cluster_binding(object: &Value, out: &mut Problems) {
    role_ref(object, &["ClusterRole"], out);
    subjects(object, false, out);
}

pub(crate) fn cluster_binding_update(new: &Value, old: &Value, out: &mut Problems) {
    cluster_binding(new, out);
    same_role(new, old, out);
}

fn same_role(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("roleRef") != old.get("roleRef") {
        let mut problem = Path::new("roleRef").invalid(Value::Null, "cannot change roleRef");
        let role = new.get("roleRef");
        // The message shows the internal type.
        problem.message = format!(
            "Invalid value: {{\"APIGroup\":{:?},\"Kind\":{:?},\"Name\":{:?}}}: cannot change roleRef",
            role.str("apiGroup"),
            role.str("kind"),
            role.str("name")
        );
        out.push(problem);
    }
}

fn role_ref(object: &Value, kinds: &[&str], out: &mut Problems) {
    let (role, path) = (object.get("roleRef"), Path::new("roleRef"));
    if role.str("apiGroup") != GROUP {
        out.push(
            path.child("apiGroup")
                .not_supported(role.get("apiGroup"), &[GROUP]),
        );
    }
    if !kinds.contains(&role.str("kind")) {
        out.push(path.child("kind").not_supported(role.get("kind"), kinds));
    }
    if role.str("name").is_empty() {
        out.push(path.child("name").required(""));
    } else {
        for message in super::names::path_segment(role.str("name")) {
            out.push(path.child("name").invalid(role.get("name"), &message));
        }
    }
}

fn subjects(object: &Value, is_namespaced: bool, out: &mut Problems) {
    let path = Path::new("subjects");
    for (at, subject) in object.get("subjects").items().iter().enumerate() {
        let path = path.index(at);
        if subject.str("name").is_empty() {
            out.push(path.child("name").required(""));
        }
        let group = subject.str("apiGroup");
        match subject.str("kind") {
            "ServiceAccount" => {
                if !subject.str("name").is_empty() {
                    for message in super::names::subdomain(subject.str("name")) {
                        out.push(path.child("name").invalid(subject.get("name"), &message));
                    }
                }
                if !group.is_empty() {
                    out.push(
                        path.child("apiGroup")
                            .not_supported(subject.get("apiGroup"), &[""]),
                    );
                }
                if !is_namespaced && subject.str("namespace").is_empty() {
                    out.push(path.child("namespace").required(""));
                }
            }
            "User" | "Group" => {
                if group != GROUP {
                    out.push(
                        path.child("apiGroup")
                            .not_supported(subject.get("apiGroup"), &[GROUP]),
                    );
                }
            }
            _ => out.push(
                path.child("kind")
                    .not_supported(subject.get("kind"), &["ServiceAccount", "User", "Group"]),
            ),
        }
    }
}

/// A policy whose expressions cannot be read is refused.
pub(crate) fn admission_policy(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let constraints = spec.get("matchConstraints");
    if constraints.is_null() {
        out.push(path.child("matchConstraints").required(""));
    } else if constraints.get("resourceRules").is_empty() {
        out.push(
            path.child("matchConstraints")
                .child("resourceRules")
                .required(""),
        );
    }
    for list in ["matchConditions", "variables"] {
        let items = path.child(list);
        for (at, item) in spec.get(list).items().iter().enumerate() {
            expression(item, &items.index(at), out);
        }
    }
    if object.str("kind") == "MutatingAdmissionPolicy" {
        let mutations = path.child("mutations");
        if spec.get("mutations").is_empty() {
            out.push(mutations.required("mutations must contain at least one item"));
        }
        for (at, mutation) in spec.get("mutations").items().iter().enumerate() {
            let item = mutations.index(at);
            let field = match mutation.str("patchType") {
                "ApplyConfiguration" => "applyConfiguration",
                "JSONPatch" => "jsonPatch",
                other => {
                    out.push(
                        item.child("patchType")
                            .not_supported(other.to_owned(), &["ApplyConfiguration", "JSONPatch"]),
                    );
                    continue;
                }
            };
            expression(mutation.get(field), &item.child(field), out);
        }
        return;
    }
    let validations = path.child("validations");
    if spec.get("validations").is_empty() && spec.get("auditAnnotations").is_empty() {
        out.push(
            validations.required("validations or auditAnnotations must contain at least one item"),
        );
    }
    for (at, rule) in spec.get("validations").items().iter().enumerate() {
        let item = validations.index(at);
        expression(rule, &item, out);
        let reason = rule.get("reason");
        const REASONS: [&str; 4] = [
            "Forbidden",
            "Invalid",
            "RequestEntityTooLarge",
            "Unauthorized",
        ];
        if !reason.is_null() && !REASONS.contains(&rule.str("reason")) {
            out.push(item.child("reason").not_supported(reason, &REASONS));
        }
    }
}

fn expression(holder: &Value, path: &Path, out: &mut Problems) {
    let path = path.child("expression");
    let text = holder.str("expression").trim();
    if text.is_empty() {
        out.push(path.required("expression is not specified"));
    } else if let Err(error) = crate::admission::policy::compile(text) {
        let detail = format!("compilation failed: {error}");
        out.push(path.invalid(holder.get("expression"), &detail));
    }
}

pub(crate) fn admission_policy_binding(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    if spec.str("policyName").is_empty() {
        out.push(path.child("policyName").required(""));
    }
    if object.str("kind") == "MutatingAdmissionPolicyBinding" {
        return;
    }
    let actions_path = path.child("validationActions");
    let actions = spec.get("validationActions").items();
    if actions.is_empty() {
        out.push(actions_path.required(""));
    }
    const ACTIONS: [&str; 3] = ["Audit", "Deny", "Warn"];
    for (at, action) in actions.iter().enumerate() {
        if !ACTIONS.contains(&action.as_str().unwrap_or_default()) {
            out.push(actions_path.index(at).not_supported(action, &ACTIONS));
        }
        if actions[..at].contains(action) {
            out.push(actions_path.index(at).duplicate(action));
        }
    }
    let has = |name: &str| actions.iter().any(|action| action.as_str() == Some(name));
    if has("Deny") && has("Warn") {
        out.push(actions_path.invalid(
            spec.get("validationActions"),
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
        ));
    }
}
