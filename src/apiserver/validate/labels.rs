//! Labels, annotations and label selectors.

use api::{Map, Value};

use super::{Problems, names};
use crate::path::Path;

/// `totalAnnotationSizeLimitB`.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

pub(crate) fn labels(labels: &Map, path: &Path, out: &mut Problems) {
    for (key, value) in labels.iter() {
        for message in names::qualified(key) {
            out.push(path.invalid(key, &message));
        }
        let text = value.as_str().unwrap_or_default();
        for message in names::label_value(text) {
            out.push(path.invalid(value, &message));
        }
    }
}

pub(crate) fn annotations(annotations: &Map, path: &Path, out: &mut Problems) {
    let mut size = 0;
    for (key, value) in annotations.iter() {
        // Upper case is allowed in the prefix of annotations only.
        for message in names::qualified(&key.to_ascii_lowercase()) {
            out.push(path.invalid(key, &message));
        }
        size += key.len() + value.as_str().unwrap_or_default().len();
    }
    if size > ANNOTATIONS_LIMIT {
        out.push(path.too_long(ANNOTATIONS_LIMIT));
    }
}

/// `metav1.LabelSelector` (`ValidateLabelSelector`).
pub(crate) fn selector(selector: &Value, path: &Path, out: &mut Problems) {
    labels(
        selector.get("matchLabels").entries(),
        &path.child("matchLabels"),
        out,
    );
    let expressions = path.child("matchExpressions");
    for (at, term) in selector.get("matchExpressions").items().iter().enumerate() {
        let path = expressions.index(at);
        let values = term.get("values");
        match term.str("operator") {
            "In" | "NotIn" if values.items().is_empty() => {
                out.push(
                    path.child("values")
                        .required("must be specified when `operator` is 'In' or 'NotIn'"),
                );
            }
            "Exists" | "DoesNotExist" if !values.items().is_empty() => {
                out.push(path.child("values").forbidden(
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                ));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => out.push(
                path.child("operator")
                    .invalid(other.to_owned(), "not a valid selector operator"),
            ),
        }
        for message in names::qualified(term.str("key")) {
            out.push(path.child("key").invalid(term.get("key"), &message));
        }
        let values_path = path.child("values");
        for (at, value) in values.items().iter().enumerate() {
            for message in names::label_value(value.as_str().unwrap_or_default()) {
                out.push(values_path.index(at).invalid(value, &message));
            }
        }
    }
}

/// Whether a `metav1.LabelSelector` selects everything.
pub(crate) fn is_empty(selector: &Value) -> bool {
    selector.get("matchLabels").entries().is_empty()
        && selector.get("matchExpressions").items().is_empty()
}

/// Whether a `metav1.LabelSelector` matches labels.
pub(crate) fn matches(selector: &Value, labels: &Value) -> bool {
    let value = |key: &str| labels.get(key).as_str();
    let equal = selector
        .get("matchLabels")
        .entries()
        .iter()
        .all(|(key, wanted)| value(key) == wanted.as_str());
    equal
        && selector.get("matchExpressions").items().iter().all(|term| {
            let found = value(term.str("key"));
            let is_among = term
                .get("values")
                .items()
                .iter()
                .any(|v| v.as_str() == found && found.is_some());
            match term.str("operator") {
                "In" => is_among,
                "NotIn" => !is_among,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}
