//! The failures of the API: `metav1.Status` with Kubernetes' exact words, from one place.
//!
//! Models `apimachinery/pkg/api/errors` at v1.36. Validation builds [`Problem`]s and [`Status::invalid`]
//! joins them, all at once.

use crate::{Response, Str, Value, list, map};

/// A failure on its way to becoming a [`Response`]; boxed because results carry it by value.
#[derive(Clone, Debug, PartialEq)]
pub struct Status(pub Box<Failure>);

#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub code: u16,
    pub reason: Str,
    pub message: String,
    /// `StatusDetails`, or `Null`.
    pub details: Value,
}

/// One problem of a field: `field.Error`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// `FieldValueInvalid`, `FieldValueRequired`, …: the cause's reason.
    pub reason: &'static str,
    /// The dotted path with indexes: `spec.containers[0].image`.
    pub field: String,
    /// The text after the path: `Invalid value: "x": must be …`.
    pub message: String,
}

impl Status {
    pub fn new(code: u16, reason: impl Into<Str>, message: impl Into<String>) -> Status {
        Status(Box::new(Failure {
            code,
            reason: reason.into(),
            message: message.into(),
            details: Value::Null,
        }))
    }

    pub fn with_details(mut self, details: Value) -> Status {
        self.0.details = details;
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Status {
        Status::new(400, "BadRequest", message)
    }

    /// `resource` is the plural, `group` may be empty.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Status {
        let message = format!("{} \"{name}\" not found", qualified(group, resource));
        Status::new(404, "NotFound", message).with_details(details(group, resource, name))
    }

    pub fn already_exists(group: &str, resource: &str, name: &str) -> Status {
        let message = format!("{} \"{name}\" already exists", qualified(group, resource));
        Status::new(409, "AlreadyExists", message).with_details(details(group, resource, name))
    }

    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            qualified(group, resource)
        );
        Status::new(409, "Conflict", message).with_details(details(group, resource, name))
    }

    /// The conflict of optimistic locking.
    pub fn modified(group: &str, resource: &str, name: &str) -> Status {
        Status::conflict(
            group,
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let message = if resource.is_empty() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{} is forbidden: {why}", qualified(group, resource))
        } else {
            format!(
                "{} \"{name}\" is forbidden: {why}",
                qualified(group, resource)
            )
        };
        Status::new(403, "Forbidden", message).with_details(details(group, resource, name))
    }

    /// All `problems` of one object. `kind` is the kind's name: `Deployment`.
    pub fn invalid(group: &str, kind: &str, name: &str, problems: &[Problem]) -> Status {
        let joined = match problems {
            [one] => one.text(),
            many => {
                let mut seen: Vec<String> = Vec::new();
                for text in many.iter().map(Problem::text) {
                    if !seen.contains(&text) {
                        seen.push(text);
                    }
                }
                if seen.len() == 1 {
                    seen.remove(0)
                } else {
                    format!("[{}]", seen.join(", "))
                }
            }
        };
        let message = format!("{} \"{name}\" is invalid: {joined}", qualified(group, kind));
        let causes: Vec<Value> = problems
            .iter()
            .map(|p| map! { "reason": p.reason, "message": p.message.clone(), "field": p.field.clone() })
            .collect();
        let mut details = details(group, kind, name);
        details.set("causes", causes);
        Status::new(422, "Invalid", message).with_details(details)
    }

    pub fn method_not_allowed() -> Status {
        Status::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .with_details(map! {})
    }

    /// The resource version asked for has been compacted.
    pub fn expired(message: impl Into<String>) -> Status {
        Status::new(410, "Expired", message)
    }

    pub fn too_many_requests(message: impl Into<String>, retry_after_secs: i64) -> Status {
        Status::new(429, "TooManyRequests", message)
            .with_details(map! { "retryAfterSeconds": retry_after_secs })
    }

    /// The failure as a `v1 Status` object.
    pub fn to_value(&self) -> Value {
        let failure = &self.0;
        let mut status = map! {
            "kind": "Status", "apiVersion": "v1", "metadata": map! {}, "status": "Failure",
            "message": failure.message.clone(), "code": i64::from(failure.code),
        };
        // Errors of no particular kind have none.
        if !failure.reason.is_empty() {
            status.set("reason", &failure.reason);
        }
        if !failure.details.is_null() {
            status.set("details", &failure.details);
        }
        status
    }

    pub fn into_response(self) -> Response {
        Response {
            code: self.0.code,
            body: self.to_value(),
            warnings: Vec::new(),
            media: Str::EMPTY,
        }
    }
}

impl Problem {
    pub fn required(field: impl Into<String>, detail: &str) -> Problem {
        let message = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Problem {
            reason: "FieldValueRequired",
            field: field.into(),
            message,
        }
    }

    /// `value` is shown as Go's `%v`/`%q` would: strings quoted, the rest as JSON.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Problem {
        Problem {
            reason: "FieldValueInvalid",
            field: field.into(),
            message: with_detail(format!("Invalid value: {}", shown(value)), detail),
        }
    }

    pub fn duplicate(field: impl Into<String>, value: &Value) -> Problem {
        Problem {
            reason: "FieldValueDuplicate",
            field: field.into(),
            message: format!("Duplicate value: {}", shown(value)),
        }
    }

    pub fn forbidden(field: impl Into<String>, detail: &str) -> Problem {
        Problem {
            reason: "FieldValueForbidden",
            field: field.into(),
            message: with_detail("Forbidden".to_owned(), detail),
        }
    }

    pub fn not_found(field: impl Into<String>, value: &Value) -> Problem {
        Problem {
            reason: "FieldValueNotFound",
            field: field.into(),
            message: format!("Not found: {}", shown(value)),
        }
    }

    /// `supported` in the order that the message shows (Kubernetes sorts them).
    pub fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Problem {
        let quoted: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        let message = format!(
            "Unsupported value: {}: supported values: {}",
            shown(value),
            quoted.join(", ")
        );
        Problem {
            reason: "FieldValueNotSupported",
            field: field.into(),
            message,
        }
    }

    pub fn too_long(field: impl Into<String>, max_bytes: usize) -> Problem {
        Problem {
            reason: "FieldValueTooLong",
            field: field.into(),
            message: format!("Too long: may not be more than {max_bytes} bytes"),
        }
    }

    pub fn too_many(field: impl Into<String>, actual: usize, max: usize) -> Problem {
        Problem {
            reason: "FieldValueTooMany",
            field: field.into(),
            message: format!("Too many: {actual}: must have at most {max} items"),
        }
    }

    /// `path: message`, as it stands in the joined text.
    pub fn text(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }
}

fn with_detail(message: String, detail: &str) -> String {
    if detail.is_empty() {
        message
    } else {
        format!("{message}: {detail}")
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(s) => format!("{:?}", s.as_str()),
        Value::Null => "null".to_owned(),
        other => other.to_json(),
    }
}

fn qualified(group: &str, name: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = map! {};
    for (key, text) in [("name", name), ("group", group), ("kind", kind)] {
        if !text.is_empty() {
            details.set(key, Str::new(text));
        }
    }
    details
}

/// A cause list of one, for statuses that name a single field.
pub fn one_cause(reason: &'static str, message: &str, field: &str) -> Value {
    list![map! { "reason": reason, "message": message.to_owned(), "field": field.to_owned() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_joined_as_kubernetes_joins_them() {
        let one = Problem::required("spec.containers[0].image", "");
        let two = Problem::invalid(
            "spec.replicas",
            &Value::Int(-1),
            "must be greater than or equal to 0",
        );
        assert_eq!(
            Status::invalid("apps", "Deployment", "web", std::slice::from_ref(&one))
                .0
                .message,
            "Deployment.apps \"web\" is invalid: spec.containers[0].image: Required value"
        );
        assert_eq!(
            Status::invalid("", "Pod", "web", &[one, two]).0.message,
            "Pod \"web\" is invalid: [spec.containers[0].image: Required value, spec.replicas: Invalid value: -1: must be greater than or equal to 0]"
        );
    }
}
