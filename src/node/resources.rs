//! Sums of container resources as pod statuses show them.

use api::quantity::{Format, Quantity};
use api::{Value, map};

/// One list of a whole pod: what the pod says itself, else the sum over its containers.
pub(crate) fn of_pod(spec: &Value, containers: &[Value], list: &str) -> Value {
    let mut total = sum(containers, list);
    for (name, quantity) in spec.get("overhead").entries().iter() {
        // What the sandbox itself takes, on top of limits that exist and of all requests.
        let known = total.get(name).clone();
        if !known.is_null() {
            total.set(name.clone(), Quantity::of(&known) + Quantity::of(quantity));
        }
    }
    for (name, quantity) in spec.at(&["resources", list]).entries().iter() {
        if total.is_null() {
            total = map! {};
        }
        total.set(name.clone(), quantity);
    }
    total
}

/// A list of limits or requests as the runtime tells it: memory in bytes, in powers of two where that is short.
pub(crate) fn as_running(list: &Value) -> Value {
    let mut shown = list.clone();
    for name in ["memory"] {
        let Some(quantity) = list.get(name).as_str() else {
            continue;
        };
        let bytes = Quantity::of(list.get(name)).with_format(Format::Binary);
        if !quantity.ends_with('i') {
            shown.set(name, Value::from(bytes));
        }
    }
    shown
}

/// The sum of one list (`requests`, `limits`) over containers; `Null` if none has it.
pub(crate) fn sum(containers: &[Value], list: &str) -> Value {
    let lists: Vec<&Value> = containers
        .iter()
        .map(|container| container.at(&["resources", list]))
        .filter(|list| !list.entries().is_empty())
        .collect();
    match lists.as_slice() {
        [] => Value::Null,
        [one] => (*one).clone(),
        many => {
            let mut total = map! {};
            for list in many {
                for (name, quantity) in list.entries().iter() {
                    let sum = match total.get(name) {
                        Value::Null => quantity.clone(),
                        known => (Quantity::of(known) + Quantity::of(quantity)).into(),
                    };
                    total.set(name.clone(), sum);
                }
            }
            total
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::list;

    #[test]
    fn sums_keep_their_dialect() {
        let containers = list![
            map! { "resources": map! { "requests": map! { "cpu": "250m", "memory": "64Mi" } } },
            map! { "resources": map! { "requests": map! { "cpu": "1250m", "memory": "1Gi" } } },
            map! {},
        ];
        let total = sum(containers.items(), "requests");
        assert_eq!(total, map! { "cpu": "1500m", "memory": "1088Mi" });
        assert_eq!(sum(containers.items(), "limits"), Value::Null);
    }
}
