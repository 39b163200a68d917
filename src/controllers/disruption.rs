//! How many pods of each PodDisruptionBudget may be evicted now.
//!
//! The API server's eviction reads and lowers what this writes. Models `pkg/controller/disruption` at v1.36.

use api::apps::{DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS};
use api::core::{PODS, REPLICATION_CONTROLLERS};
use api::meta::Meta;
use api::{Map, Resource, Str, Value, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use crate::deployment::scaling::resolve;
use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::selection::selects;
use crate::sync::{Step, Sync};

const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");
/// An eviction that was allowed and is not seen after this long did not happen (`DeletionTimeout`).
const DELETION_TIMEOUT: Micros = 120 * SECOND;

/// The disruption controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disruption;

impl Controller for Disruption {
    fn name(&self) -> &'static str {
        "controllermanager"
    }

    fn kind(&self) -> &'static str {
        "poddisruptionbudgets"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![
            BUDGETS,
            PODS,
            REPLICA_SETS,
            REPLICATION_CONTROLLERS,
            STATEFUL_SETS,
            DEPLOYMENTS,
        ]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == BUDGETS {
            return keys.add(ObjectKey::of(change.object()));
        }
        if *resource != PODS {
            return;
        }
        let namespace = Meta::of(change.object()).namespace();
        for budget in caches.cache(&BUDGETS).in_namespace(namespace) {
            let selector = budget.path("spec.selector");
            let mut sides = change.old.iter().chain(&change.new);
            if sides.any(|pod| selects(selector, pods::labels(pod))) {
                keys.add(ObjectKey::of(budget));
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(budget) = s.get_key(&BUDGETS, key) else {
            return Ok(());
        };
        let about = ObjectRef::of(&budget, "policy/v1", "PodDisruptionBudget");
        let selector = budget.path("spec.selector").clone();
        let pods = s.list(&PODS, |cache| {
            cache
                .in_namespace(&key.namespace)
                .filter(|pod| selects(&selector, pods::labels(pod)))
        });
        if pods.is_empty() {
            s.event(&about, Severity::Normal, "NoPods", "No matching pods found");
        }
        let (expected, desired) = match expectation(&budget, &pods, s) {
            Ok(numbers) => numbers,
            Err(why) => {
                s.event(
                    &about,
                    Severity::Warning,
                    "CalculateExpectedPodCountFailed",
                    format!("Failed to calculate the number of expected pods: {why}"),
                );
                return write(budget, &Numbers::default(), Map::default(), Some(why), s);
            }
        };
        let disrupted = still_disrupted(&budget, &pods, s);
        let is_healthy = |pod: &&Value| {
            let meta = Meta::of(pod);
            !meta.is_deleting() && !disrupted.contains(meta.name()) && pods::is_ready(pod)
        };
        let current = pods.iter().filter(is_healthy).count() as i64;
        let numbers = Numbers {
            allowed: if expected > 0 {
                (current - desired).max(0)
            } else {
                0
            },
            current,
            desired,
            expected,
        };
        write(budget, &numbers, disrupted, None, s)
    }
}

#[derive(Clone, Debug, Default)]
struct Numbers {
    allowed: i64,
    current: i64,
    desired: i64,
    expected: i64,
}

/// How many pods there should be, and how many of them must be healthy.
fn expectation(budget: &Value, pods: &[Value], s: &mut Sync<'_, '_>) -> Result<(i64, i64), String> {
    let spec = budget.get("spec");
    let max_unavailable = spec.get("maxUnavailable");
    if !max_unavailable.is_null() {
        let expected = controllers_scale(pods, s)?;
        let down = resolve(max_unavailable, expected, true);
        return Ok((expected, (expected - down).max(0)));
    }
    let min_available = spec.get("minAvailable");
    if let Some(count) = min_available.as_int() {
        return Ok((pods.len() as i64, count));
    }
    if min_available.is_null() {
        return Ok((pods.len() as i64, 0));
    }
    let expected = controllers_scale(pods, s)?;
    Ok((expected, resolve(min_available, expected, true)))
}

/// The replicas that the controllers of the pods want, each controller once.
fn controllers_scale(pods: &[Value], s: &mut Sync<'_, '_>) -> Result<i64, String> {
    let mut seen: Vec<Str> = Vec::new();
    let mut total = 0;
    for pod in pods {
        let meta = Meta::of(pod);
        let Some(owner) = meta.controller() else {
            return Err(format!("found no controllers for pod {:?}", meta.name()));
        };
        let resource = match owner.kind() {
            "ReplicaSet" => REPLICA_SETS,
            "StatefulSet" => STATEFUL_SETS,
            "ReplicationController" => REPLICATION_CONTROLLERS,
            other => {
                return Err(format!(
                    "{} does not implement the scale subresource",
                    plural(other)
                ));
            }
        };
        let found = s.get(&resource, meta.namespace(), owner.name());
        let Some(mut set) = found.filter(|set| Meta::of(set).uid() == owner.uid()) else {
            continue;
        };
        if let Some(parent) = Meta::of(&set)
            .controller()
            .filter(|o| o.kind() == "Deployment")
            && let Some(deployment) = s.get(&DEPLOYMENTS, meta.namespace(), parent.name())
        {
            set = deployment;
        }
        let uid = Meta::of(&set).shared_uid();
        if !seen.contains(&uid) {
            total += set.path("spec.replicas").as_int().unwrap_or_default();
            seen.push(uid);
        }
    }
    Ok(total)
}

fn plural(kind: &str) -> String {
    let known = api::kinds::all().iter().find(|k| k.kind == *kind);
    known.map_or_else(|| kind.to_lowercase(), |k| k.resource().group_resource())
}

/// Pods whose eviction was allowed and whose deletion is still awaited.
fn still_disrupted(budget: &Value, pods: &[Value], s: &mut Sync<'_, '_>) -> Map {
    let now = s.now();
    let mut kept = Map::default();
    for (name, since) in budget.path("status.disruptedPods").entries().iter() {
        let awaited = pods
            .iter()
            .any(|pod| Meta::of(pod).name() == &**name && !Meta::of(pod).is_deleting());
        let since_time = since.as_str().and_then(Time::parse_rfc3339);
        let expires = since_time.unwrap_or_default() + DELETION_TIMEOUT;
        if awaited && expires > now {
            s.again_at(expires);
            kept.insert(name.clone(), since);
        }
    }
    kept
}

fn write(
    mut budget: Value,
    numbers: &Numbers,
    disrupted: Map,
    failure: Option<String>,
    s: &mut Sync<'_, '_>,
) -> Step {
    let generation = Meta::of(&budget).generation().unwrap_or_default();
    let old = budget.get("status").clone();
    let (status, reason, message) = match failure {
        Some(why) => ("False", "SyncFailed", why),
        None if numbers.allowed > 0 => ("True", "SufficientPods", String::new()),
        None => ("False", "InsufficientPods", String::new()),
    };
    let known = old
        .get("conditions")
        .items()
        .iter()
        .find(|c| c.str("type") == "DisruptionAllowed" && c.str("status") == status);
    let since = known.map(|c| c.get("lastTransitionTime").clone());
    let condition = map! {
        "type": "DisruptionAllowed", "status": status, "reason": reason, "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": since.unwrap_or_else(|| s.now().rfc3339().into()),
    };
    let mut new = map! {
        "currentHealthy": numbers.current, "desiredHealthy": numbers.desired,
        "disruptionsAllowed": numbers.allowed, "expectedPods": numbers.expected,
        "observedGeneration": generation, "conditions": vec![condition],
    };
    if !disrupted.is_empty() {
        new.set("disruptedPods", Value::from(disrupted));
    }
    if old == new {
        return Ok(());
    }
    budget.set("status", new);
    s.must(update_status(&BUDGETS, budget)).map(|_| ())
}
