//! What is used of each ResourceQuota, in its status.
//!
//! Admission refuses what exceeds a quota; this only tells, and lowers what is told when objects go.
//! Models `pkg/controller/resourcequota` at v1.36.

use std::collections::BTreeMap;

use api::core::{
    CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, REPLICATION_CONTROLLERS, RESOURCE_QUOTAS, SECRETS,
    SERVICES,
};
use api::meta::Meta;
use api::quantity::Quantity;
use api::usage::usage_of;
use api::{Resource, Str, Value, kinds, map};
use client::{Change, Informers, ObjectKey};
use sim::{MINUTE, Micros};

use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::served;
use crate::sync::{Step, Sync};

/// `--resource-quota-sync-period`.
const RESYNC: Micros = 5 * MINUTE;

/// The ResourceQuota controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quotas;

/// The collections that quotas count by name.
fn counted() -> [Resource; 7] {
    [
        PODS,
        SERVICES,
        PERSISTENT_VOLUME_CLAIMS,
        CONFIG_MAPS,
        SECRETS,
        REPLICATION_CONTROLLERS,
        RESOURCE_QUOTAS,
    ]
}

impl Controller for Quotas {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn kind(&self) -> &'static str {
        "resourcequotas"
    }

    fn watches(&self) -> Vec<Resource> {
        // Any collection may be counted as count/<plural>.<group>.
        served::collectable()
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == RESOURCE_QUOTAS {
            let spec_is_same = change
                .updated()
                .is_some_and(|(old, new)| old.get("spec") == new.get("spec"));
            if !spec_is_same && !change.is_deleted() {
                keys.add(ObjectKey::of(change.object()));
            }
        }
        let ended = change.updated().is_some_and(|(old, new)| {
            *resource == PODS && pods::is_finished(old) != pods::is_finished(new)
        });
        let resized = change
            .updated()
            .is_some_and(|(old, new)| *resource == SERVICES && old.get("spec") != new.get("spec"));
        if !(change.is_added() || change.is_deleted() || ended || resized) {
            return;
        }
        let namespace = Meta::of(change.object()).namespace();
        for quota in caches.cache(&RESOURCE_QUOTAS).in_namespace(namespace) {
            keys.add(ObjectKey::of(quota));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(quota) = s.get_key(&RESOURCE_QUOTAS, key) else {
            return Ok(());
        };
        s.again_after(RESYNC);
        let hard = quota.path("spec.hard").clone();
        let mut collections = counted().to_vec();
        for name in hard.entries().keys() {
            let Some(counted) = name.strip_prefix("count/") else {
                continue;
            };
            let (plural, group) = counted.split_once('.').unwrap_or((counted, ""));
            if let Some(kind) = kinds::by_resource(group, plural) {
                let resource = kind.resource();
                let is_watched = s.caches.find(&resource).is_some();
                if is_watched && !collections.contains(&resource) {
                    collections.push(resource);
                }
            }
        }
        let mut used: BTreeMap<String, Quantity> = BTreeMap::new();
        for resource in &collections {
            let objects = s.list(resource, |cache| cache.in_namespace(&key.namespace));
            for object in objects.iter().filter(|o| in_scope(&quota, resource, o)) {
                for (name, amount) in usage_of(&resource.group, &resource.plural, object) {
                    *used.entry(name).or_insert(Quantity::ZERO) += amount;
                }
            }
        }
        let mut told = map! {};
        for (name, bound) in hard.entries().iter() {
            let amount = used.get(name.as_str()).copied();
            let format = Quantity::of(bound).format();
            let amount = amount.unwrap_or(Quantity::ZERO.with_format(format));
            told.set(name.clone(), amount.to_string());
        }
        let status = map! { "hard": hard, "used": told };
        if *quota.get("status") == status {
            return Ok(());
        }
        let mut quota = quota;
        quota.set("status", status);
        s.must(update_status(&RESOURCE_QUOTAS, quota)).map(|_| ())
    }
}

/// Whether a quota with scopes counts an object.
fn in_scope(quota: &Value, resource: &Resource, object: &Value) -> bool {
    let scopes = quota.path("spec.scopes").items();
    let selected = quota.path("spec.scopeSelector.matchExpressions").items();
    if scopes.is_empty() && selected.is_empty() {
        return true;
    }
    if *resource != PODS {
        return false;
    }
    let is_best_effort = object.path("status.qosClass").as_str() == Some("BestEffort");
    let is_terminating = object.path("spec.activeDeadlineSeconds").as_int().is_some();
    let holds = |scope: &str| match scope {
        "BestEffort" => is_best_effort,
        "NotBestEffort" => !is_best_effort,
        "Terminating" => is_terminating,
        "NotTerminating" => !is_terminating,
        _ => true,
    };
    let class: Str = object.get("spec").shared_str("priorityClassName");
    let matches = |term: &Value| {
        if term.str("scopeName") != "PriorityClass" {
            return holds(term.str("scopeName"));
        }
        let mut values = term.get("values").items().iter();
        let is_among = values.any(|v| v.as_str() == Some(&class));
        match term.str("operator") {
            "In" => is_among,
            "NotIn" => !is_among,
            "Exists" => !class.is_empty(),
            _ => class.is_empty(),
        }
    };
    let all_hold = scopes.iter().all(|scope| scope.as_str().is_some_and(holds));
    all_hold && selected.iter().all(matches)
}
