//! Roles and bindings, signing requests, admission policies and webhooks, custom resource definitions, API services.

use api::{Value, map};

use super::fill::{edit, edit_each, edit_made, fill, fill_text};
use super::{Generation, NameRule, Rules};
use crate::User;
use crate::validate::access;

const RBAC: &str = "rbac.authorization.k8s.io";

pub(crate) static ROLE: Rules = Rules {
    name: NameRule::PathSegment,
    validate: access::role,
    validate_update: |new, _, out| access::role(new, out),
    ..Rules::PLAIN
};

pub(crate) static CLUSTER_ROLE: Rules = Rules {
    name: NameRule::PathSegment,
    validate: access::cluster_role,
    validate_update: |new, _, out| access::cluster_role(new, out),
    ..Rules::PLAIN
};

pub(crate) static BINDING: Rules = Rules {
    validate: access::binding,
    validate_update: access::binding_update,
    ..BINDING_BASE
};

pub(crate) static CLUSTER_BINDING: Rules = Rules {
    validate: access::cluster_binding,
    validate_update: access::cluster_binding_update,
    ..BINDING_BASE
};

const BINDING_BASE: Rules = Rules {
    name: NameRule::PathSegment,
    defaults: |object| {
        edit(object, "roleRef", |role| fill_text(role, "apiGroup", RBAC));
        edit_each(object, "subjects", |subject| {
            if matches!(subject.str("kind"), "User" | "Group") {
                fill_text(subject, "apiGroup", RBAC);
            }
        });
    },
    ..Rules::PLAIN
};

pub(crate) static SIGNING_REQUEST: Rules = Rules {
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "signerName", "kubernetes.io/legacy-unknown");
        });
        fill(object, "status", map! {});
    },
    prepare_create: |object| object.set("status", map! {}),
    ..Rules::PLAIN
};

/// Who asks for a certificate is for the API server to say.
pub(crate) fn sign_with_requestor(user: &User, request: &mut Value) {
    let spec = request.entry("spec");
    spec.set("username", user.name.clone());
    for field in ["uid", "groups", "extra"] {
        spec.remove(field);
    }
    if !user.uid.is_empty() {
        spec.set("uid", user.uid.clone());
    }
    if !user.groups.is_empty() {
        let groups: Vec<Value> = user.groups.iter().cloned().map(Value::from).collect();
        spec.set("groups", groups);
    }
}

/// What an update of `approval` may change: the conditions, which get their times.
pub(crate) fn only_verdict(object: &Value, old: &Value, now: sim::Time) -> Value {
    let mut conditions = object.path("status.conditions").clone();
    for condition in conditions.list_mut() {
        for field in ["lastUpdateTime", "lastTransitionTime"] {
            if !condition.has(field) {
                condition.set(field, now.rfc3339());
            }
        }
    }
    let mut changed = old.clone();
    changed.set_path("status.conditions", conditions);
    changed
}

pub(crate) static ADMISSION_POLICY: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "failurePolicy", "Fail");
            edit(spec, "matchConstraints", match_resources);
        });
        fill(object, "status", map! {});
    },
    validate: access::admission_policy,
    validate_update: |new, _, out| access::admission_policy(new, out),
    ..Rules::PLAIN
};

pub(crate) static ADMISSION_POLICY_BINDING: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            edit(spec, "matchResources", match_resources)
        });
    },
    validate: access::admission_policy_binding,
    validate_update: |new, _, out| access::admission_policy_binding(new, out),
    ..Rules::PLAIN
};

fn match_resources(resources: &mut Value) {
    fill_text(resources, "matchPolicy", "Equivalent");
    fill(resources, "namespaceSelector", map! {});
    fill(resources, "objectSelector", map! {});
    for rules in ["resourceRules", "excludeResourceRules"] {
        edit_each(resources, rules, |rule| fill_text(rule, "scope", "*"));
    }
}

pub(crate) static WEBHOOKS: Rules = Rules {
    generation: Generation::Content,
    defaults: |object| {
        edit_each(object, "webhooks", |hook| {
            fill_text(hook, "failurePolicy", "Fail");
            fill_text(hook, "matchPolicy", "Equivalent");
            fill(hook, "namespaceSelector", map! {});
            fill(hook, "objectSelector", map! {});
            fill(hook, "timeoutSeconds", 10);
            edit_each(hook, "rules", |rule| fill_text(rule, "scope", "*"));
            edit(hook, "clientConfig", |config| {
                edit(config, "service", |service| fill(service, "port", 443));
            });
        });
    },
    ..Rules::PLAIN
};

pub(crate) static API_SERVICE: Rules = Rules {
    defaults: |object| {
        edit(object, "spec", |spec| {
            edit(spec, "service", |service| fill(service, "port", 443));
        });
        fill(object, "status", map! {});
    },
    ..Rules::PLAIN
};

pub(crate) static DEFINITION: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "scope", "Namespaced");
            edit_made(spec, "names", |names| {
                let kind = names.str("kind").to_owned();
                fill_text(names, "singular", kind.to_ascii_lowercase());
                if !kind.is_empty() {
                    fill_text(names, "listKind", format!("{kind}List"));
                }
            });
            edit_made(spec, "conversion", |conversion| {
                fill_text(conversion, "strategy", "None")
            });
        });
        fill(object, "status", map! {});
    },
    prepare_create: |object| {
        let stored = crate::custom::stored_versions(object);
        let status = map! {
            "acceptedNames": map! { "kind": "", "plural": "" }, "conditions": Value::Null, "storedVersions": stored,
        };
        object.set("status", status);
    },
    validate: crate::validate::definition::definition,
    validate_update: crate::validate::definition::definition_update,
    ..Rules::PLAIN
};

pub(crate) static FLOW: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            if spec.has("priorityLevelConfiguration") {
                fill(spec, "matchingPrecedence", 1000);
            }
        });
        fill(object, "status", map! {});
    },
    ..Rules::PLAIN
};
