//! Roles and their bindings (`pkg/apis/rbac/validation`).

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
