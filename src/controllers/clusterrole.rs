//! Gathers the rules of aggregated ClusterRoles (`admin`, `edit`, `view`) from the roles that their selectors choose.
//!
//! Models `pkg/controller/clusterroleaggregation` at v1.36.

use api::meta::Meta;
use api::{Request, Resource, Value};
use client::{Change, Informers, ObjectKey};

use crate::runner::{Controller, Keys};
use crate::selection::selects;
use crate::sync::{Step, Sync};

const CLUSTER_ROLES: Resource = Resource::of("rbac.authorization.k8s.io", "v1", "clusterroles");

/// The ClusterRole aggregation controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClusterRoles;

impl Controller for ClusterRoles {
    fn name(&self) -> &'static str {
        "clusterrole-aggregation-controller"
    }

    fn kind(&self) -> &'static str {
        "clusterroles"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![CLUSTER_ROLES]
    }

    fn observe(&mut self, _: &Resource, change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
        let is_same = change.updated().is_some_and(|(old, new)| {
            old.get("rules") == new.get("rules")
                && old.get("aggregationRule") == new.get("aggregationRule")
                && Meta::of(old).labels() == Meta::of(new).labels()
        });
        if is_same {
            return;
        }
        for role in caches.cache(&CLUSTER_ROLES).all() {
            if role.has("aggregationRule") {
                keys.add(ObjectKey::of(role));
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(mut role) = s.get_key(&CLUSTER_ROLES, key) else {
            return Ok(());
        };
        let selectors = role
            .path("aggregationRule.clusterRoleSelectors")
            .items()
            .to_vec();
        if selectors.is_empty() {
            return Ok(());
        }
        let roles = s.list(&CLUSTER_ROLES, |cache| cache.all());
        let mut rules: Vec<Value> = Vec::new();
        for selector in &selectors {
            for other in roles.iter() {
                let meta = Meta::of(other);
                if meta.name() == &*key.name || !selects(selector, meta.labels()) {
                    continue;
                }
                for rule in other.get("rules").items() {
                    if !rules.contains(rule) {
                        rules.push(rule.clone());
                    }
                }
            }
        }
        if role.get("rules").items() == rules {
            return Ok(());
        }
        role.set("rules", rules);
        s.must(Request::update(&CLUSTER_ROLES, role)).map(|_| ())
    }
}
