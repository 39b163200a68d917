//! What an object uses of a namespace's quotas.
//!
//! Both sides of `ResourceQuota` count by this: admission refuses by it, the controller reports it. Models
//! `pkg/quota/v1/evaluator/core` at v1.36.

use std::collections::BTreeMap;

use crate::Value;
use crate::quantity::{Format, Quantity};

/// Amounts by the names that quotas have for them.
pub type Usage = BTreeMap<String, Quantity>;

/// What one object uses.
pub fn usage_of(group: &str, plural: &str, object: &Value) -> Usage {
    let mut usage = Usage::new();
    let one = Quantity::new(1, Format::Decimal);
    let counted = if group.is_empty() {
        format!("count/{plural}")
    } else {
        format!("count/{plural}.{group}")
    };
    usage.insert(counted, one);
    if !group.is_empty() {
        return usage;
    }
    let spec = object.get("spec");
    match plural {
        "pods" => {
            if matches!(
                object.path("status.phase").as_str(),
                Some("Succeeded" | "Failed")
            ) {
                usage.remove("pods");
                return usage;
            }
            usage.insert("pods".to_owned(), one);
            for field in ["requests", "limits"] {
                for (name, amount) in pod_sums(spec, field) {
                    if field == "requests" {
                        usage.insert(name.clone(), amount);
                    }
                    usage.insert(format!("{field}.{name}"), amount);
                }
            }
        }
        "services" => {
            usage.insert("services".to_owned(), one);
            let ports = spec
                .get("ports")
                .items()
                .iter()
                .filter(|p| p.int("nodePort").unwrap_or(0) != 0)
                .count();
            if ports > 0 {
                usage.insert(
                    "services.nodeports".to_owned(),
                    Quantity::new(ports as i64, Format::Decimal),
                );
            }
            if spec.str("type") == "LoadBalancer" {
                usage.insert("services.loadbalancers".to_owned(), one);
            }
        }
        "persistentvolumeclaims" => {
            usage.insert("persistentvolumeclaims".to_owned(), one);
            let storage = Quantity::of(spec.path("resources.requests.storage"));
            usage.insert("requests.storage".to_owned(), storage);
            let class = spec.str("storageClassName");
            if !class.is_empty() {
                let prefix = format!("{class}.storageclass.storage.k8s.io");
                usage.insert(format!("{prefix}/requests.storage"), storage);
                usage.insert(format!("{prefix}/persistentvolumeclaims"), one);
            }
        }
        "configmaps" | "secrets" | "replicationcontrollers" | "resourcequotas" => {
            usage.insert(plural.to_owned(), one);
        }
        _ => {}
    }
    usage
}

/// A pod's requests or limits: the sum of its containers, or its largest init container.
fn pod_sums(spec: &Value, field: &str) -> BTreeMap<String, Quantity> {
    let mut sums: BTreeMap<String, Quantity> = BTreeMap::new();
    let each = |container: &Value| -> Vec<(String, Quantity)> {
        let amounts = container.get("resources").get(field).entries().iter();
        amounts
            .map(|(name, amount)| (name.to_string(), Quantity::of(amount)))
            .collect()
    };
    for container in spec.get("containers").items() {
        for (name, amount) in each(container) {
            let sum = sums.entry(name).or_insert(Quantity::ZERO);
            *sum += amount;
        }
    }
    for container in spec.get("initContainers").items() {
        for (name, amount) in each(container) {
            let sum = sums.entry(name).or_insert(Quantity::ZERO);
            if amount > *sum {
                *sum = amount;
            }
        }
    }
    sums
}
