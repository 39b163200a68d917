//! Rules in CEL that stand in the schemas of custom resources (`x-kubernetes-validations`).
//!
//! They run only on objects that are sound by the rest of their schema. Models
//! `apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`. Starts at [`check`] for objects and
//! [`check_schema`] for the definitions themselves.

use api::status::Problem;
use api::{Value, map};
use cel::{Nowhere, Program, Val, Variables};

use crate::path::Path;
use crate::validate::Problems;

/// What all rules of one request may cost (`RuntimeCELCostBudget`).
const BUDGET: u64 = 10_000_000;

const RULES: &str = "x-kubernetes-validations";

/// Every rule that an object breaks; `old` is what it was before an update.
pub(crate) fn check(object: &Value, old: Option<&Value>, schema: &Value, out: &mut Problems) {
    let mut budget = BUDGET;
    walk(object, old, schema, &Path::ROOT, &mut budget, out);
}

fn walk(
    value: &Value,
    old: Option<&Value>,
    schema: &Value,
    path: &Path,
    budget: &mut u64,
    out: &mut Problems,
) {
    if value.is_null() || !schema.is_map() {
        return;
    }
    for rule in schema.get(RULES).items() {
        if *budget == 0 {
            return;
        }
        if let Some(problem) = broken(rule, value, old, schema, path, budget) {
            out.push(problem);
        }
    }
    match value {
        Value::Map(map) => {
            let (properties, additional) =
                (schema.get("properties"), schema.get("additionalProperties"));
            for (name, child) in map.iter() {
                let before = old.map(|old| old.get(name)).filter(|old| !old.is_null());
                if properties.has(name) {
                    let path = path.child(name);
                    walk(child, before, properties.get(name), &path, budget, out);
                } else if additional.is_map() {
                    walk(child, before, additional, &path.key(name), budget, out);
                }
            }
        }
        Value::List(items) => {
            let keys = schema.get("x-kubernetes-list-map-keys").items();
            for (at, item) in items.iter().enumerate() {
                // Only items that have keys can be found again.
                let same = |other: &&Value| {
                    !keys.is_empty()
                        && keys.iter().all(|key| {
                            let key = key.as_str().unwrap_or_default();
                            other.get(key) == item.get(key)
                        })
                };
                let before = old.and_then(|old| old.items().iter().find(same));
                let path = path.index(at);
                walk(item, before, schema.get("items"), &path, budget, out);
            }
        }
        _ => {}
    }
}

/// What is wrong by one rule.
fn broken(
    rule: &Value,
    value: &Value,
    old: Option<&Value>,
    schema: &Value,
    path: &Path,
    budget: &mut u64,
) -> Option<Problem> {
    let text = rule.str("rule");
    let is_optional = rule.bool("optionalOldSelf");
    let is_transition = mentions(text, "oldSelf");
    if is_transition && old.is_none() && !is_optional {
        return None;
    }
    let mut variables = Variables::new();
    variables.insert("self".into(), Val::of(value, schema));
    let before = old.map(|old| Val::of(old, schema));
    let before = match (before, is_optional) {
        (before, true) => Val::Optional(before.map(std::sync::Arc::new)),
        (Some(before), false) => before,
        (None, false) => Val::Null,
    };
    variables.insert("oldSelf".into(), before);
    let known = with_root(schema, path);
    let names = [("self", &known), ("oldSelf", &Value::Null)];
    let result = Program::compile(text, &names)
        .and_then(|program| program.evaluate(&variables, &Nowhere, budget));
    let shown = || match rule.str("message").trim() {
        "" => format!("failed rule: {}", text.trim()),
        message => message.to_owned(),
    };
    let detail = match result {
        Ok(Val::Bool(true)) => return None,
        Ok(_) => {
            let expression = rule.str("messageExpression");
            let said = (!expression.is_empty())
                .then(|| Program::compile(expression, &names).ok())
                .flatten()
                .and_then(|program| program.evaluate(&variables, &Nowhere, budget).ok());
            match said {
                Some(Val::Text(said)) if !said.trim().is_empty() => said.trim().to_owned(),
                _ => shown(),
            }
        }
        Err(error) => format!("{error} evaluating rule: {}", shown()),
    };
    let field = format!("{path}{}", rule.str("fieldPath"));
    let field = match field.trim_start_matches('.') {
        "" => "<nil>".to_owned(),
        field => field.to_owned(),
    };
    Some(match rule.str("reason") {
        "FieldValueForbidden" => Problem::forbidden(field, &detail),
        "FieldValueRequired" => Problem::required(field, &detail),
        "FieldValueDuplicate" => Problem {
            reason: "FieldValueDuplicate",
            field,
            message: format!("Duplicate value: {detail}"),
        },
        // The value is left out of the message.
        _ => Problem {
            reason: "FieldValueInvalid",
            field,
            message: format!("Invalid value: {detail}"),
        },
    })
}

fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c)).any(|word| word == name)
}

/// Rules at the root see the kind and the name of their object.
fn with_root(schema: &Value, path: &Path) -> Value {
    if !path.to_string().is_empty() || !schema.has("properties") {
        return schema.clone();
    }
    let text = || map! { "type": "string" };
    let mut schema = schema.clone();
    let properties = schema.entry("properties");
    properties.set("apiVersion", text());
    properties.set("kind", text());
    properties.set(
        "metadata",
        map! { "type": "object", "properties": map! { "name": text(), "generateName": text() } },
    );
    schema
}

/// Rules of a definition's schema that cannot be read, or speak of fields that do not exist.
pub(crate) fn check_schema(schema: &Value, is_root: bool, path: &Path, out: &mut Problems) {
    let rules_path = path.child(RULES);
    for (at, rule) in schema.get(RULES).items().iter().enumerate() {
        let path = rules_path.index(at);
        let text = rule.str("rule");
        if text.trim().is_empty() {
            out.push(path.child("rule").required("rule is not specified"));
            continue;
        }
        let known = if is_root {
            with_root(schema, &Path::ROOT)
        } else {
            schema.clone()
        };
        let names = [("self", &known), ("oldSelf", &Value::Null)];
        for field in ["rule", "messageExpression"] {
            if rule.str(field).is_empty() {
                continue;
            }
            if let Err(error) = Program::compile(rule.str(field), &names) {
                let detail = if field == "rule" {
                    format!("compilation failed: {error}")
                } else {
                    format!("messageExpression compilation failed: {error}")
                };
                out.push(unreadable(rule, &path.child(field), &detail));
            }
        }
        if rule.has("message") && rule.str("message").trim().is_empty() {
            out.push(path.child("message").invalid(
                rule.get("message"),
                "message must be non-empty if specified",
            ));
        }
    }
}

/// A problem that shows the whole rule, as the internal type has it.
fn unreadable(rule: &Value, path: &Path, detail: &str) -> Problem {
    let text = |field: &str| Value::from(rule.str(field).to_owned()).to_json();
    Problem {
        reason: "FieldValueInvalid",
        field: path.to_string(),
        message: format!(
            "Invalid value: {{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}: {detail}",
            text("rule"),
            text("message"),
            text("messageExpression"),
            rule.get("reason").to_json(),
            text("fieldPath"),
            rule.get("optionalOldSelf").to_json()
        ),
    }
}
