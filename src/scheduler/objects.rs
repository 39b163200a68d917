//! What the scheduler knows of other objects: whose selectors say which pods belong together.

use std::collections::BTreeMap;

use api::meta::Meta;
use api::{Str, Value};

use crate::pod::Pod;
use crate::selector::{Requirement, Selector};

#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Selectors of services by namespace and name.
    services: BTreeMap<(Str, Str), Selector>,
    /// Selectors of controllers by kind, namespace and name.
    owners: BTreeMap<(&'static str, Str, Str), Selector>,
}

impl Objects {
    pub fn set_service(&mut self, object: &Value) {
        let selector = Selector::of_map(object.path("spec.selector").entries());
        self.services.insert(key(object), selector);
    }

    pub fn remove_service(&mut self, object: &Value) {
        self.services.remove(&key(object));
    }

    pub fn clear_services(&mut self) {
        self.services.clear();
    }

    /// A ReplicationController, ReplicaSet or StatefulSet.
    pub fn set_owner(&mut self, kind: &'static str, object: &Value) {
        let value = object.path("spec.selector");
        let selector = if kind == "ReplicationController" {
            Selector::of_map(value.entries())
        } else {
            Selector::read(value).unwrap_or_default()
        };
        let (namespace, name) = key(object);
        self.owners.insert((kind, namespace, name), selector);
    }

    pub fn remove_owner(&mut self, kind: &'static str, object: &Value) {
        let (namespace, name) = key(object);
        self.owners.remove(&(kind, namespace, name));
    }

    pub fn clear_owners(&mut self, kind: &'static str) {
        self.owners.retain(|(of, _, _), _| *of != kind);
    }

    /// What the pods of the same services and controller have in common; `None` if there is no such thing.
    pub fn selector_for(&self, pod: &Pod) -> Option<Selector> {
        let namespace = &pod.resident.namespace;
        let mut merged: BTreeMap<Str, Requirement> = BTreeMap::new();
        let from = (namespace.clone(), Str::EMPTY);
        for ((_, _), selector) in self
            .services
            .range(from..)
            .take_while(|((ns, _), _)| ns == namespace)
        {
            if !selector.requirements.is_empty() && selector.matches(&pod.resident.labels) {
                for requirement in &selector.requirements {
                    merged.insert(requirement.key.clone(), requirement.clone());
                }
            }
        }
        let mut requirements: Vec<Requirement> = merged.into_values().collect();
        if let Some((kind, name)) = &pod.wishes.owner {
            let kind = ["ReplicationController", "ReplicaSet", "StatefulSet"]
                .into_iter()
                .find(|known| kind == known);
            let owner = kind.and_then(|k| self.owners.get(&(k, namespace.clone(), name.clone())));
            requirements.extend(
                owner
                    .iter()
                    .flat_map(|selector| selector.requirements.clone()),
            );
        }
        (!requirements.is_empty()).then_some(Selector { requirements })
    }
}

fn key(object: &Value) -> (Str, Str) {
    let meta = Meta::of(object);
    (meta.shared_namespace(), meta.shared_name())
}
