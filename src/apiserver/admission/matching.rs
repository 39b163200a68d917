//! What a policy or webhook looks at: rules over resources and operations, and selectors of labels.
//!
//! Models `apiserver/pkg/admission/plugin/policy/matching` and `webhook/predicates`.

use api::{Str, Value};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;
use crate::validate::labels;

/// Whether `matchConstraints` select a write.
pub(crate) fn selects(
    server: &ApiServer,
    constraints: &Value,
    call: &Call,
    operation: Operation,
    object: &Value,
    old: Option<&Value>,
) -> bool {
    let any = |field: &str| {
        let rules = constraints.get(field).items().iter();
        rules
            .clone()
            .any(|rule| rule_selects(rule, call, operation))
    };
    any("resourceRules")
        && !any("excludeResourceRules")
        && selects_by_labels(server, constraints, call, object, old)
}

/// Whether the selectors of namespaces and objects select a write.
pub(crate) fn selects_by_labels(
    server: &ApiServer,
    constraints: &Value,
    call: &Call,
    object: &Value,
    old: Option<&Value>,
) -> bool {
    let of_namespace = constraints.get("namespaceSelector");
    if !of_namespace.is_empty() {
        let is_namespace = call.kind.group.is_empty() && call.kind.plural == *"namespaces";
        let namespace = if is_namespace {
            Some(object)
        } else {
            server.object("namespaces", &Str::EMPTY, &call.namespace)
        };
        // Objects without a namespace are not left out by it.
        if let Some(namespace) = namespace
            && !labels::matches(of_namespace, namespace.path("metadata.labels"))
        {
            return false;
        }
    }
    let of_object = constraints.get("objectSelector");
    let is_selected = |object: &Value| labels::matches(of_object, object.path("metadata.labels"));
    of_object.is_empty() || is_selected(object) || old.is_some_and(is_selected)
}

/// Whether one rule (`apiGroups`, `apiVersions`, `operations`, `resources`, `scope`) speaks of a write.
pub(crate) fn rule_selects(rule: &Value, call: &Call, operation: Operation) -> bool {
    let has = |field: &str, wanted: &str| {
        let items = rule.get(field).items();
        items
            .iter()
            .any(|item| matches!(item.as_str(), Some(text) if text == "*" || text == wanted))
    };
    let plural = call.kind.plural.as_str();
    let resource_matches = rule.get("resources").items().iter().any(|item| {
        let (name, sub) = match item.as_str().unwrap_or_default().split_once('/') {
            Some((name, sub)) => (name, sub),
            None => (item.as_str().unwrap_or_default(), ""),
        };
        let is_sub = match sub {
            "*" => true,
            sub => call.subresource == *sub,
        };
        (name == "*" || name == plural) && is_sub
    });
    let names = rule.get("resourceNames").items();
    let is_named = names.is_empty() || names.iter().any(|name| name.as_str() == Some(&call.name));
    let in_scope = match rule.str("scope") {
        "Cluster" => !call.kind.namespaced,
        "Namespaced" => call.kind.namespaced,
        _ => true,
    };
    // Other versions of a kind are looked at, too (`matchPolicy: Equivalent`).
    has("apiGroups", &call.kind.group)
        && has("operations", operation.name())
        && resource_matches
        && is_named
        && in_scope
}
