//! What the scheduler knows of other objects: whose selectors say which pods belong together, and storage.

use std::collections::BTreeMap;

use api::meta::Meta;
use api::{Str, Value};

use crate::amount::whole;
use crate::cache::NodeInfo;
use crate::pod::Pod;
use crate::selector::{Labels, NodeTerm, Requirement, Selector};

#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Selectors of services by namespace and name.
    services: BTreeMap<(Str, Str), Selector>,
    /// Selectors of controllers by kind, namespace and name.
    owners: BTreeMap<(&'static str, Str, Str), Selector>,
    claims: BTreeMap<(Str, Str), Claim>,
    volumes: BTreeMap<Str, Volume>,
    classes: BTreeMap<Str, Class>,
    budgets: BTreeMap<(Str, Str), Budget>,
    /// How many volumes a node takes, by driver.
    volume_limits: BTreeMap<Str, BTreeMap<Str, i64>>,
}

/// A PodDisruptionBudget.
#[derive(Clone, Debug)]
pub struct Budget {
    selector: Option<Selector>,
    pub allowed: i64,
    /// Pods whose disruption is on its way and counted already.
    disrupted: Vec<Str>,
}

/// A PersistentVolumeClaim.
#[derive(Clone, Debug)]
pub struct Claim {
    pub object: Value,
    /// The volume it is bound to; empty if none.
    pub volume: Str,
    pub class: Str,
    pub is_bound: bool,
    pub is_lost: bool,
    pub is_deleting: bool,
    /// `ReadWriteOncePod`.
    pub is_exclusive: bool,
}

/// A PersistentVolume.
#[derive(Clone, Debug)]
pub struct Volume {
    pub object: Value,
    pub class: Str,
    pub bytes: i64,
    pub is_available: bool,
    /// The required node affinity, if there is one.
    pub nodes: Option<Vec<NodeTerm>>,
}

/// A StorageClass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    pub provisioner: Str,
    /// Binding waits for the first pod that uses the claim.
    pub waits_for_consumer: bool,
    /// Volumes are made on demand.
    pub provisions: bool,
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

    pub fn set_claim(&mut self, object: &Value) {
        let spec = object.get("spec");
        let volume = spec.shared_str("volumeName");
        let phase = object.path("status.phase").as_str().unwrap_or_default();
        let modes = spec.get("accessModes").items();
        let claim = Claim {
            class: spec.shared_str("storageClassName"),
            is_bound: !volume.is_empty() && phase == "Bound",
            is_lost: phase == "Lost",
            is_deleting: Meta::of(object).is_deleting(),
            is_exclusive: modes
                .iter()
                .any(|mode| mode.as_str() == Some("ReadWriteOncePod")),
            object: object.clone(),
            volume,
        };
        self.claims.insert(key(object), claim);
    }

    pub fn claim(&self, namespace: &Str, name: &Str) -> Option<&Claim> {
        self.claims.get(&(namespace.clone(), name.clone()))
    }

    pub fn remove_claim(&mut self, object: &Value) {
        self.claims.remove(&key(object));
    }

    pub fn clear_claims(&mut self) {
        self.claims.clear();
    }

    pub fn set_volume(&mut self, object: &Value) {
        let spec = object.get("spec");
        let required = spec.path("nodeAffinity.required");
        let volume = Volume {
            class: spec.shared_str("storageClassName"),
            bytes: whole(spec.path("capacity.storage")),
            is_available: object.path("status.phase").as_str() == Some("Available")
                && !spec.has("claimRef"),
            nodes: required.is_map().then(|| {
                required
                    .get("nodeSelectorTerms")
                    .items()
                    .iter()
                    .map(NodeTerm::read)
                    .collect()
            }),
            object: object.clone(),
        };
        self.volumes.insert(Meta::of(object).shared_name(), volume);
    }

    pub fn volume(&self, name: &Str) -> Option<&Volume> {
        self.volumes.get(name)
    }

    pub fn remove_volume(&mut self, object: &Value) {
        self.volumes.remove(Meta::of(object).name());
    }

    pub fn clear_volumes(&mut self) {
        self.volumes.clear();
    }

    pub fn set_class(&mut self, object: &Value) {
        let class = Class {
            provisioner: object.shared_str("provisioner"),
            waits_for_consumer: object.str("volumeBindingMode") == "WaitForFirstConsumer",
            provisions: object.str("provisioner") != "kubernetes.io/no-provisioner",
        };
        self.classes.insert(Meta::of(object).shared_name(), class);
    }

    pub fn class(&self, name: &Str) -> Option<&Class> {
        self.classes.get(name)
    }

    pub fn remove_class(&mut self, object: &Value) {
        self.classes.remove(Meta::of(object).name());
    }

    pub fn clear_classes(&mut self) {
        self.classes.clear();
    }

    pub fn set_budget(&mut self, object: &Value) {
        let status = object.get("status");
        let disrupted = status.get("disruptedPods").entries();
        let budget = Budget {
            selector: Selector::read(object.path("spec.selector")),
            allowed: status.int("disruptionsAllowed").unwrap_or(0),
            disrupted: disrupted.iter().map(|(name, _)| name.clone()).collect(),
        };
        self.budgets.insert(key(object), budget);
    }

    pub fn remove_budget(&mut self, object: &Value) {
        self.budgets.remove(&key(object));
    }

    pub fn clear_budgets(&mut self) {
        self.budgets.clear();
    }

    /// All budgets with their namespaces.
    pub fn budgets(&self) -> impl Iterator<Item = (&Str, &Budget)> {
        self.budgets
            .iter()
            .map(|((namespace, _), budget)| (namespace, budget))
    }

    /// What a CSINode says of its drivers.
    pub fn set_csi_node(&mut self, object: &Value) {
        let drivers = object.path("spec.drivers").items().iter();
        let limits = drivers.filter_map(|driver| {
            let count = driver.path("allocatable.count").as_int()?;
            Some((driver.shared_str("name"), count))
        });
        let limits: BTreeMap<Str, i64> = limits.collect();
        let node = Meta::of(object).shared_name();
        if limits.is_empty() {
            self.volume_limits.remove(&node);
        } else {
            self.volume_limits.insert(node, limits);
        }
    }

    pub fn remove_csi_node(&mut self, object: &Value) {
        self.volume_limits.remove(Meta::of(object).name());
    }

    pub fn clear_csi_nodes(&mut self) {
        self.volume_limits.clear();
    }

    pub fn has_volume_limits(&self) -> bool {
        !self.volume_limits.is_empty()
    }

    pub fn volume_limit(&self, node: &Str, driver: &Str) -> Option<i64> {
        self.volume_limits.get(node)?.get(driver).copied()
    }

    /// The smallest free volume that a claim could have on a node; by name where they are equal.
    pub fn match_volume(&self, claim: &Claim, node: &NodeInfo) -> Option<&Volume> {
        let spec = claim.object.get("spec");
        let wanted = whole(spec.path("resources.requests.storage"));
        let modes = spec.get("accessModes").items();
        let selector = Selector::read(spec.get("selector"));
        let fits = |volume: &&Volume| {
            let offered = volume.object.path("spec.accessModes").items();
            let labels =
                crate::selector::read_labels(volume.object.path("metadata.labels").entries());
            volume.is_available
                && volume.class == claim.class
                && volume.bytes >= wanted
                && modes.iter().all(|mode| offered.contains(mode))
                && selector.as_ref().is_none_or(|s| s.matches(&labels))
                && volume.accepts(node)
        };
        self.volumes
            .values()
            .filter(fits)
            .min_by_key(|volume| volume.bytes)
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

impl Budget {
    /// Whether a pod stands under this budget and is not counted already.
    pub fn protects(&self, name: &Str, labels: &Labels) -> bool {
        self.selector
            .as_ref()
            .is_some_and(|selector| selector.matches(labels))
            && !self.disrupted.contains(name)
    }
}

impl Volume {
    /// Whether the volume can be reached from a node.
    pub fn accepts(&self, node: &NodeInfo) -> bool {
        self.nodes.as_ref().is_none_or(|terms| {
            terms
                .iter()
                .any(|term| term.matches(&node.name, &node.labels))
        })
    }
}

fn key(object: &Value) -> (Str, Str) {
    let meta = Meta::of(object);
    (meta.shared_namespace(), meta.shared_name())
}
