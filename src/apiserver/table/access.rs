//! Who may do what: bindings, signing requests, admission and flow control.

use api::{Value, duration};

use super::Printer;
use super::cells::{UNSET, age, name, number, or, text};

pub(super) const BINDING: Printer = Printer {
    columns: "Name|Role|Age|+Users|+Groups|+ServiceAccounts",
    cells: |object, now| {
        let role = object.get("roleRef");
        let of = |kind: &str| {
            let subjects = object
                .get("subjects")
                .items()
                .iter()
                .filter(|s| s.str("kind") == kind);
            let names: Vec<String> = subjects
                .map(|s| match s.str("namespace") {
                    "" => s.str("name").to_owned(),
                    namespace => format!("{namespace}/{}", s.str("name")),
                })
                .collect();
            Value::from(names.join(", "))
        };
        vec![
            name(object),
            Value::from(format!("{}/{}", role.str("kind"), role.str("name"))),
            age(object, now),
            of("User"),
            of("Group"),
            of("ServiceAccount"),
        ]
    },
};

pub(super) const SIGNING_REQUEST: Printer = Printer {
    columns: "Name|Age|SignerName|Requestor|RequestedDuration|Condition",
    cells: |object, now| {
        let spec = object.get("spec");
        let lasts = spec.int("expirationSeconds").map(duration::human);
        vec![
            name(object),
            age(object, now),
            or(spec.str("signerName"), "<none>"),
            Value::from(spec.shared_str("username")),
            or(&lasts.unwrap_or_default(), "<none>"),
            Value::from(request_state(object)),
        ]
    },
};

fn request_state(object: &Value) -> String {
    let has = |kind: &str| {
        object
            .path("status.conditions")
            .items()
            .iter()
            .any(|c| c.str("type") == kind)
    };
    let mut words: Vec<&str> = Vec::new();
    if has("Denied") {
        words.push("Denied");
    } else if has("Approved") {
        words.push("Approved");
    } else {
        words.push("Pending");
    }
    if has("Failed") {
        words.push("Failed");
    }
    if !object.path("status.certificate").is_empty() {
        words.push("Issued");
    }
    words.join(",")
}

pub(super) const VALIDATING_POLICY: Printer = Printer {
    columns: "Name|#Validations|ParamKind|Age",
    cells: |object, now| policy(object, "validations", now),
};

pub(super) const MUTATING_POLICY: Printer = Printer {
    columns: "Name|#Mutations|ParamKind|Age",
    cells: |object, now| policy(object, "mutations", now),
};

fn policy(object: &Value, field: &str, now: sim::Time) -> Vec<Value> {
    let spec = object.get("spec");
    let param = spec.get("paramKind");
    let shown = if param.is_null() {
        String::new()
    } else {
        format!("{}/{}", param.str("apiVersion"), param.str("kind"))
    };
    vec![
        name(object),
        Value::from(spec.get(field).items().len()),
        or(&shown, UNSET),
        age(object, now),
    ]
}

pub(super) const POLICY_BINDING: Printer = Printer {
    columns: "Name|PolicyName|ParamRef|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        let param = spec.get("paramRef");
        let shown = match (param.str("namespace"), param.str("name")) {
            _ if param.is_null() => String::new(),
            ("", "") if !param.get("selector").is_null() => text(param.get("selector")),
            ("", name) => format!("*/{name}"),
            (namespace, name) => format!("{namespace}/{name}"),
        };
        vec![
            name(object),
            spec.get("policyName").clone(),
            or(&shown, UNSET),
            age(object, now),
        ]
    },
};

pub(super) const WEBHOOKS: Printer = Printer {
    columns: "Name|#Webhooks|Age",
    cells: |object, now| {
        vec![
            name(object),
            Value::from(object.get("webhooks").items().len()),
            age(object, now),
        ]
    },
};

pub(super) const FLOW_SCHEMA: Printer = Printer {
    columns: "Name|PriorityLevel|#MatchingPrecedence|DistinguisherMethod|Age|MissingPL",
    cells: |object, now| {
        let spec = object.get("spec");
        let missing = match api::meta::condition(object, "Dangling") {
            Some(c) => c.status().to_owned(),
            None => "?".to_owned(),
        };
        vec![
            name(object),
            spec.path("priorityLevelConfiguration.name").clone(),
            number(spec.get("matchingPrecedence")),
            or(&text(spec.path("distinguisherMethod.type")), "<none>"),
            age(object, now),
            Value::from(missing),
        ]
    },
};

pub(super) const PRIORITY_LEVEL: Printer = Printer {
    columns: "Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age",
    cells: |object, now| {
        let (spec, limited) = (object.get("spec"), object.path("spec.limited"));
        let queuing = limited.path("limitResponse.queuing");
        let shown = |value: &Value| or(&text(value), "<none>");
        vec![
            name(object),
            spec.get("type").clone(),
            shown(limited.get("nominalConcurrencyShares")),
            shown(queuing.get("queues")),
            shown(queuing.get("handSize")),
            shown(queuing.get("queueLengthLimit")),
            age(object, now),
        ]
    },
};
