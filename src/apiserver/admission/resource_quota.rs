//! `ResourceQuota`: a namespace uses no more than its quotas allow.
//!
//! What is used is counted from the objects themselves at each admission; the quota controller keeps the quotas'
//! status. Models `pkg/quota/v1/evaluator/core` and `apiserver/pkg/admission/plugin/resourcequota`.

use std::collections::BTreeMap;

use api::quantity::Quantity;
use api::{Status, Str, Value};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;

/// Amounts by the names that quotas have for them.
type Usage = BTreeMap<String, Quantity>;

/// The names under which a pod's own resources must be given if a quota bounds them.
const COMPUTE: [&str; 6] = [
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
];

impl ApiServer {
    pub(crate) fn check_quota(
        &mut self,
        call: &Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        if call.namespace.is_empty() || operation == Operation::Delete {
            return Ok(());
        }
        if operation == Operation::Update
            && !matches!(
                call.kind.plural.as_str(),
                "services" | "persistentvolumeclaims" | "pods"
            )
        {
            return Ok(());
        }
        let quotas: Vec<Value> = self
            .objects("resourcequotas", &call.namespace)
            .cloned()
            .collect();
        if quotas.is_empty() {
            return Ok(());
        }
        let mut wanted = usage_of(&call.kind.group, &call.kind.plural, object);
        if let Some(old) = old {
            for (name, amount) in usage_of(&call.kind.group, &call.kind.plural, old) {
                let entry = wanted.entry(name).or_insert(Quantity::ZERO);
                *entry -= amount;
            }
            wanted.retain(|_, amount| !amount.is_zero() && !amount.is_negative());
        }
        for quota in &quotas {
            if !in_scope(quota, call, object) {
                continue;
            }
            let name = quota.get("metadata").str("name");
            let hard = quota.path("spec.hard");
            if call.kind.plural == *"pods"
                && call.kind.group.is_empty()
                && operation == Operation::Create
            {
                let missing = unspecified(hard, object);
                if !missing.is_empty() {
                    return Err(super::forbidden(
                        call,
                        &format!("failed quota: {name}: must specify {missing}"),
                    ));
                }
            }
            let used = self.used(quota, &call.namespace);
            let mut over: [Vec<String>; 3] = Default::default();
            for (resource, bound) in hard.entries().iter() {
                let Some(amount) = wanted.get(resource.as_str()) else {
                    continue;
                };
                let before = used
                    .get(resource.as_str())
                    .copied()
                    .unwrap_or(Quantity::ZERO);
                if before + *amount > Quantity::of(bound) {
                    over[0].push(format!("{resource}={amount}"));
                    over[1].push(format!("{resource}={before}"));
                    over[2].push(format!("{resource}={}", Quantity::of(bound)));
                }
            }
            if !over[0].is_empty() {
                return Err(super::forbidden(
                    call,
                    &format!(
                        "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
                        over[0].join(","),
                        over[1].join(","),
                        over[2].join(",")
                    ),
                ));
            }
        }
        Ok(())
    }

    /// What the objects of a namespace use of a quota's resources.
    fn used(&self, quota: &Value, namespace: &str) -> Usage {
        let mut used = Usage::new();
        let hard = quota.path("spec.hard");
        let mut count = |group: &str, plural: &str| {
            let collection = if group.is_empty() {
                plural.to_owned()
            } else {
                format!("{plural}.{group}")
            };
            for object in self.objects(&collection, namespace) {
                for (name, amount) in usage_of(group, plural, object) {
                    let entry = used.entry(name).or_insert(Quantity::ZERO);
                    *entry += amount;
                }
            }
        };
        let core = [
            "pods",
            "services",
            "persistentvolumeclaims",
            "configmaps",
            "secrets",
            "replicationcontrollers",
            "resourcequotas",
        ];
        for plural in core {
            count("", plural);
        }
        for resource in hard.entries().keys() {
            if let Some(counted) = resource.strip_prefix("count/")
                && let Some((plural, group)) = counted.split_once('.')
            {
                count(group, plural);
            }
        }
        used
    }
}

/// What one object uses.
fn usage_of(group: &str, plural: &str, object: &Value) -> Usage {
    let mut usage = Usage::new();
    let one = Quantity::new(1, api::quantity::Format::Decimal);
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
                    Quantity::new(ports as i64, api::quantity::Format::Decimal),
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

/// `requests.cpu for: a,b; limits.memory for: a`: what containers leave open although a quota bounds it.
fn unspecified(hard: &Value, pod: &Value) -> String {
    let mut missing: Vec<String> = Vec::new();
    for resource in COMPUTE.iter().filter(|name| hard.has(name)) {
        let (field, name) = resource.split_once('.').unwrap_or(("requests", resource));
        let lacking: Vec<&str> = pod
            .path("spec.containers")
            .items()
            .iter()
            .filter(|c| !c.get("resources").get(field).has(name))
            .map(|c| c.str("name"))
            .collect();
        if !lacking.is_empty() {
            missing.push(format!("{resource} for: {}", lacking.join(",")));
        }
    }
    missing.sort();
    missing.join("; ")
}

/// Whether a quota with scopes speaks of this object at all.
fn in_scope(quota: &Value, call: &Call, object: &Value) -> bool {
    let scopes = quota.path("spec.scopes").items();
    let selected = quota.path("spec.scopeSelector.matchExpressions").items();
    if scopes.is_empty() && selected.is_empty() {
        return true;
    }
    if call.kind.plural != *"pods" {
        return false;
    }
    let spec = object.get("spec");
    let is_best_effort = crate::kinds::pod::qos::class(spec) == "BestEffort";
    let is_terminating = spec.int("activeDeadlineSeconds").is_some();
    let holds = |scope: &str| match scope {
        "BestEffort" => is_best_effort,
        "NotBestEffort" => !is_best_effort,
        "Terminating" => is_terminating,
        "NotTerminating" => !is_terminating,
        _ => true,
    };
    let class = Str::new(spec.str("priorityClassName"));
    let matches = |term: &Value| {
        if term.str("scopeName") != "PriorityClass" {
            return holds(term.str("scopeName"));
        }
        let is_among = term
            .get("values")
            .items()
            .iter()
            .any(|v| v.as_shared_str() == Some(&class));
        match term.str("operator") {
            "In" => is_among,
            "NotIn" => !is_among,
            "Exists" => !class.is_empty(),
            _ => class.is_empty(),
        }
    };
    scopes
        .iter()
        .all(|scope| holds(scope.as_str().unwrap_or_default()))
        && selected.iter().all(matches)
}
