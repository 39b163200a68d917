//! Label selectors as controllers use them: does this selector choose these labels?

use api::{Map, Str, Value};

/// Whether a `metav1.LabelSelector` chooses `labels`. A missing selector chooses nothing, an empty one everything.
pub(crate) fn selects(selector: &Value, labels: &Map) -> bool {
    if !selector.is_map() {
        return false;
    }
    let has_pairs = chooses_pairs(selector.get("matchLabels").entries(), labels);
    has_pairs
        && selector.get("matchExpressions").items().iter().all(|term| {
            let value = labels.get(term.str("key")).and_then(Value::as_str);
            let is_listed = |value: &str| {
                let values = term.get("values").items();
                values.iter().any(|v| v.as_str() == Some(value))
            };
            match term.str("operator") {
                "In" => value.is_some_and(is_listed),
                "NotIn" => !value.is_some_and(is_listed),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

/// Whether `labels` have every pair of `wanted` (`labels.Set` as a selector: of Services and ReplicationControllers).
pub(crate) fn chooses_pairs(wanted: &Map, labels: &Map) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

/// Whether a selector chooses everything.
pub(crate) fn is_everything(selector: &Value) -> bool {
    selector.is_map()
        && selector.get("matchLabels").is_empty()
        && selector.get("matchExpressions").is_empty()
}

/// The selector with one more label demanded.
pub(crate) fn with_label(selector: &Value, key: &'static str, value: &Str) -> Value {
    let mut selector = selector.clone();
    selector.entry("matchLabels").set(key, value);
    selector
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{list, map};

    #[test]
    fn selectors_choose_as_documented() {
        let labels = map! { "app": "web", "tier": "front" };
        let expression = |op: &'static str, values: Value| {
            map! { "matchExpressions": list![map! { "key": "tier", "operator": op, "values": values }] }
        };
        for (what, selector, chosen) in [
            ("nothing given chooses nothing", Value::Null, false),
            ("empty chooses all", map! {}, true),
            (
                "all pairs must fit",
                map! { "matchLabels": map! { "app": "web", "x": "y" } },
                false,
            ),
            (
                "In with the value",
                expression("In", list!["front", "back"]),
                true,
            ),
            (
                "NotIn with the value",
                expression("NotIn", list!["front"]),
                false,
            ),
            ("Exists", expression("Exists", Value::Null), true),
            (
                "DoesNotExist",
                expression("DoesNotExist", Value::Null),
                false,
            ),
            (
                "an unknown operator chooses nothing",
                expression("Like", Value::Null),
                false,
            ),
        ] {
            assert_eq!(selects(&selector, labels.entries()), chosen, "{what}");
        }
    }
}
