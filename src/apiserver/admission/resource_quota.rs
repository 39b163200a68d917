//! `ResourceQuota`: a namespace uses no more than its quotas allow.
//!
//! What is used is counted from the objects themselves at each admission; the quota controller keeps the quotas'
//! status. Models `pkg/quota/v1/evaluator/core` and `apiserver/pkg/admission/plugin/resourcequota`.

use api::patch::apply::{self, Manager};
use api::quantity::Quantity;
use api::usage::{Usage, usage_of};
use api::{Status, Str, Value};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;

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
        let mut spent: Vec<Value> = Vec::new();
        for quota in &quotas {
            if !in_scope(quota, call, object) {
                continue;
            }
            spent.extend(with_use(quota, &wanted));
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
        if !call.is_dry_run() {
            for quota in spent {
                self.write_use(call, quota);
            }
        }
        Ok(())
    }

    /// Stores what a quota's status says after a write that was let through.
    fn write_use(&mut self, call: &Call, mut quota: Value) {
        let meta = quota.get("metadata");
        let (namespace, name) = (meta.shared_str("namespace"), meta.shared_str("name"));
        let Some(old) = self.object("resourcequotas", &namespace, &name).cloned() else {
            return;
        };
        let of = api::schema::of_kind("", "v1", "ResourceQuota");
        apply::track(
            of,
            &old,
            &mut quota,
            &Manager {
                name: "kube-apiserver",
                api_version: "v1",
                subresource: "status",
                time: Some(call.now),
                ignores: &["spec"],
            },
        );
        let collection = self.store.collection("resourcequotas");
        self.commit_to(collection, "resourcequotas".into(), quota);
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

/// The quota with more used, if its status counts what is wanted.
fn with_use(quota: &Value, wanted: &Usage) -> Option<Value> {
    let mut counted = quota.clone();
    let mut is_changed = false;
    for (resource, amount) in wanted {
        let before = quota.path("status.used").get(resource);
        if before.is_null() || amount.is_zero() {
            continue;
        }
        let after = (Quantity::of(before) + *amount).to_string();
        counted
            .at_mut(&["status", "used"])
            .set(Str::from(resource.to_string()), after);
        is_changed = true;
    }
    is_changed.then_some(counted)
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
