//! What the scheduler knows of the cluster: nodes with what is used on them, pods that sit on nodes, and pods that it
//! has just put there and whose binding is not yet confirmed.
//!
//! Models `pkg/scheduler/backend/cache`. Updates are incremental; there is no snapshot because a cycle is one turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::core::{Node as NodeView, Pod as PodView};
use api::meta::Meta;
use api::{Str, Value};
use sim::Time;

use crate::amount::{Amounts, whole};
use crate::pod::{HostPort, Interner, Pod, PodKey, Resident, Taint};
use crate::selector::{Labels, label, read_labels};

pub const HOSTNAME: &str = "kubernetes.io/hostname";
pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const REGION: &str = "topology.kubernetes.io/region";

/// A node's place in [`Cache`].
pub type Slot = u32;

#[derive(Clone, Debug, Default)]
pub struct NodeInfo {
    pub slot: Slot,
    pub name: Str,
    /// False while only pods on it are known.
    pub exists: bool,
    pub labels: Labels,
    pub taints: Vec<Taint>,
    pub is_unschedulable: bool,
    pub allocatable: Amounts,
    pub pod_limit: i64,
    pub requested: Amounts,
    pub non_zero: (i64, i64),
    pub pod_count: i64,
    pub groups: Vec<Group>,
    pub ports: Vec<HostPort>,
    pub images: Vec<Str>,
    /// The labels that are asked for most, looked up once.
    hostname: Option<Str>,
    zone: Option<Str>,
}

/// Pods on a node that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    pub resident: Arc<Resident>,
    pub count: i64,
    /// How many of them are being deleted.
    pub deleting: i64,
}

/// A pod on a node.
#[derive(Clone, Debug)]
pub struct Placed {
    pub uid: Str,
    pub slot: Slot,
    pub resident: Arc<Resident>,
    pub is_deleting: bool,
    /// True until the API server's watch shows it bound.
    pub is_assumed: bool,
    pub start: Option<Time>,
}

#[derive(Clone, Debug, Default)]
struct Image {
    size: i64,
    nodes: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Cache {
    nodes: Vec<NodeInfo>,
    by_name: BTreeMap<Str, Slot>,
    free: Vec<Slot>,
    zones: Vec<((Str, Str), Vec<Slot>)>,
    order: Vec<Slot>,
    pods: BTreeMap<PodKey, Placed>,
    images: BTreeMap<Str, Image>,
    namespaces: BTreeMap<Str, Labels>,
    /// Pods that are not being deleted, by what they are and by the zone of their node.
    by_zone: BTreeMap<Arc<Resident>, BTreeMap<Str, i64>>,
    with_affinity: BTreeSet<Slot>,
    with_anti_affinity: BTreeSet<Slot>,
    pub residents: Interner<Resident>,
}

/// What of a node changed, for the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeChange {
    pub is_new: bool,
    pub allocatable: bool,
    pub labels: bool,
    pub taints: bool,
}

impl NodeInfo {
    /// The value of a topology label.
    pub fn topology(&self, key: &str) -> Option<&Str> {
        match key {
            HOSTNAME => self.hostname.as_ref(),
            ZONE => self.zone.as_ref(),
            _ => label(&self.labels, key),
        }
    }

    pub fn add(&mut self, resident: &Arc<Resident>, is_deleting: bool) {
        self.requested.add(&resident.requests);
        self.non_zero.0 += resident.non_zero.0;
        self.non_zero.1 += resident.non_zero.1;
        self.pod_count += 1;
        self.ports.extend(resident.ports.iter().cloned());
        match self
            .groups
            .iter_mut()
            .find(|g| Arc::ptr_eq(&g.resident, resident))
        {
            Some(group) => {
                group.count += 1;
                group.deleting += i64::from(is_deleting);
            }
            None => self.groups.push(Group {
                resident: resident.clone(),
                count: 1,
                deleting: i64::from(is_deleting),
            }),
        }
    }

    pub fn remove(&mut self, resident: &Arc<Resident>, is_deleting: bool) {
        self.requested.subtract(&resident.requests);
        self.non_zero.0 -= resident.non_zero.0;
        self.non_zero.1 -= resident.non_zero.1;
        self.pod_count -= 1;
        for port in &resident.ports {
            if let Some(at) = self.ports.iter().position(|p| p == port) {
                self.ports.remove(at);
            }
        }
        if let Some(at) = self
            .groups
            .iter()
            .position(|g| Arc::ptr_eq(&g.resident, resident))
        {
            self.groups[at].count -= 1;
            self.groups[at].deleting -= i64::from(is_deleting);
            if self.groups[at].count == 0 {
                self.groups.remove(at);
            }
        }
    }
}

impl Cache {
    pub fn node_count(&self) -> usize {
        self.order.len()
    }

    /// Nodes in the order in which they are tried: zone by zone in turn.
    pub fn order(&self) -> &[Slot] {
        &self.order
    }

    pub fn node(&self, slot: Slot) -> &NodeInfo {
        &self.nodes[slot as usize]
    }

    pub fn node_named(&self, name: &str) -> Option<&NodeInfo> {
        let node = self.node(*self.by_name.get(name)?);
        node.exists.then_some(node)
    }

    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.order.iter().map(|slot| self.node(*slot))
    }

    /// Nodes that hold a pod with any pod affinity.
    pub fn nodes_with_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_affinity
            .iter()
            .map(|slot| self.node(*slot))
            .filter(|node| node.exists)
    }

    /// Nodes that hold a pod with required anti-affinity.
    pub fn nodes_with_anti_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_anti_affinity
            .iter()
            .map(|slot| self.node(*slot))
            .filter(|node| node.exists)
    }

    pub fn pod(&self, key: &PodKey) -> Option<&Placed> {
        self.pods.get(key)
    }

    pub fn pods(&self) -> impl Iterator<Item = (&PodKey, &Placed)> {
        self.pods.iter()
    }

    pub fn namespace_labels(&self, name: &Str) -> &Labels {
        static NONE: Labels = Vec::new();
        self.namespaces.get(name).unwrap_or(&NONE)
    }

    /// Size of an image and on how many nodes it is.
    pub fn image(&self, name: &Str) -> Option<(i64, i64)> {
        self.images.get(name).map(|image| (image.size, image.nodes))
    }

    pub fn set_namespace(&mut self, object: &Value) {
        let meta = Meta::of(object);
        self.namespaces
            .insert(meta.shared_name(), read_labels(meta.labels()));
    }

    pub fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
    }

    pub fn set_node(&mut self, object: &Value) -> NodeChange {
        let view = NodeView(object);
        let name = view.meta().shared_name();
        let slot = self.slot_of(&name);
        let labels = read_labels(view.meta().labels());
        let taints: Vec<Taint> = view.taints().iter().map(Taint::read).collect();
        let allocatable = Amounts::read(view.allocatable());
        let pod_limit = view.allocatable().get("pods").map_or(0, whole);
        let images = self.replace_images(slot, object.path("status.images").items());
        let node = &mut self.nodes[slot as usize];
        let change = NodeChange {
            is_new: !node.exists,
            allocatable: node.allocatable != allocatable || node.pod_limit != pod_limit,
            labels: node.labels != labels,
            taints: node.taints != taints || node.is_unschedulable != view.unschedulable(),
        };
        let moved = change.is_new || change.labels;
        if moved && node.exists {
            self.leave_zone(slot);
        }
        let node = &mut self.nodes[slot as usize];
        node.exists = true;
        node.hostname = label(&labels, HOSTNAME).cloned();
        node.zone = label(&labels, ZONE).cloned();
        node.labels = labels;
        node.taints = taints;
        node.is_unschedulable = view.unschedulable();
        node.allocatable = allocatable;
        node.pod_limit = pod_limit;
        node.images = images;
        if moved {
            self.enter_zone(slot);
        }
        change
    }

    pub fn remove_node(&mut self, name: &str) {
        let Some(&slot) = self.by_name.get(name) else {
            return;
        };
        self.replace_images(slot, &[]);
        if self.nodes[slot as usize].exists {
            self.leave_zone(slot);
        }
        let node = &mut self.nodes[slot as usize];
        node.exists = false;
        self.forget_if_empty(slot);
    }

    /// A pod that the watch shows on a node.
    pub fn set_pod(&mut self, object: &Value) {
        let view = PodView(object);
        let key = (view.meta().shared_namespace(), view.meta().shared_name());
        let resident = self.residents.take(Resident::read(object));
        self.remove_pod(&key);
        let slot = self.slot_of(&object.get("spec").shared_str("nodeName"));
        self.place(
            key,
            Placed {
                uid: view.meta().shared_uid(),
                slot,
                resident,
                is_deleting: view.meta().is_deleting(),
                is_assumed: false,
                start: view.start_time(),
            },
        );
    }

    /// Counts a pod on a node before its binding is confirmed.
    pub fn assume(&mut self, pod: &Pod, slot: Slot) {
        let resident = self.residents.take((*pod.resident).clone());
        self.remove_pod(&pod.key);
        self.place(
            pod.key.clone(),
            Placed {
                uid: pod.uid.clone(),
                slot,
                resident,
                is_deleting: false,
                is_assumed: true,
                start: None,
            },
        );
    }

    pub fn remove_pod(&mut self, key: &PodKey) -> Option<Placed> {
        let placed = self.pods.remove(key)?;
        self.tally(
            placed.slot,
            &placed.resident,
            -i64::from(!placed.is_deleting),
        );
        self.nodes[placed.slot as usize].remove(&placed.resident, placed.is_deleting);
        self.index(placed.slot);
        self.forget_if_empty(placed.slot);
        self.residents.release(&placed.resident);
        Some(placed)
    }

    fn place(&mut self, key: PodKey, placed: Placed) {
        self.nodes[placed.slot as usize].add(&placed.resident, placed.is_deleting);
        self.tally(
            placed.slot,
            &placed.resident,
            i64::from(!placed.is_deleting),
        );
        if placed.resident.has_affinity() {
            self.index(placed.slot);
        }
        self.pods.insert(key, placed);
    }

    fn index(&mut self, slot: Slot) {
        let groups = &self.nodes[slot as usize].groups;
        let set = |set: &mut BTreeSet<Slot>, on: bool| {
            if on {
                set.insert(slot);
            } else {
                set.remove(&slot);
            }
        };
        let any = groups.iter().any(|g| g.resident.has_affinity());
        let anti = groups.iter().any(|g| !g.resident.anti_affinity.is_empty());
        set(&mut self.with_affinity, any);
        set(&mut self.with_anti_affinity, anti);
    }

    fn slot_of(&mut self, name: &Str) -> Slot {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or(self.nodes.len() as Slot);
        let node = NodeInfo {
            slot,
            name: name.clone(),
            ..NodeInfo::default()
        };
        if slot as usize == self.nodes.len() {
            self.nodes.push(node);
        } else {
            self.nodes[slot as usize] = node;
        }
        self.by_name.insert(name.clone(), slot);
        slot
    }

    fn forget_if_empty(&mut self, slot: Slot) {
        let node = &self.nodes[slot as usize];
        if !node.exists && node.pod_count == 0 {
            self.by_name.remove(&node.name);
            self.free.push(slot);
        }
    }

    fn replace_images(&mut self, slot: Slot, list: &[Value]) -> Vec<Str> {
        let old = std::mem::take(&mut self.nodes[slot as usize].images);
        for name in &old {
            if let Some(image) = self.images.get_mut(name) {
                image.nodes -= 1;
                if image.nodes == 0 {
                    self.images.remove(name);
                }
            }
        }
        let mut names = Vec::new();
        for entry in list {
            for name in entry
                .get("names")
                .items()
                .iter()
                .filter_map(Value::as_shared_str)
            {
                let image = self.images.entry(name.clone()).or_default();
                image.nodes += 1;
                image.size = entry.int("sizeBytes").unwrap_or(0);
                names.push(name.clone());
            }
        }
        names.sort();
        names
    }

    /// Pods of every kind that are not being deleted, by zone; the empty zone stands for nodes without one.
    pub fn zones_of_pods(&self) -> impl Iterator<Item = (&Arc<Resident>, &BTreeMap<Str, i64>)> {
        self.by_zone.iter()
    }

    /// Counts pods of one kind in or out of the zone of their node.
    fn tally(&mut self, slot: Slot, resident: &Arc<Resident>, by: i64) {
        let node = &self.nodes[slot as usize];
        if !node.exists || by == 0 {
            return;
        }
        let zone = node.zone.clone().unwrap_or_default();
        if !self.by_zone.contains_key(resident) {
            self.by_zone.insert(resident.clone(), BTreeMap::new());
        }
        let Some(zones) = self.by_zone.get_mut(resident) else {
            return;
        };
        let count = zones.entry(zone.clone()).or_default();
        *count += by;
        if *count == 0 {
            zones.remove(&zone);
            if zones.is_empty() {
                self.by_zone.remove(resident);
            }
        }
    }

    fn tally_all(&mut self, slot: Slot, sign: i64) {
        let groups = self.nodes[slot as usize].groups.clone();
        for group in groups {
            self.tally(slot, &group.resident, sign * (group.count - group.deleting));
        }
    }

    fn enter_zone(&mut self, slot: Slot) {
        self.tally_all(slot, 1);
        let node = &self.nodes[slot as usize];
        let part = |key| node.topology(key).cloned().unwrap_or_default();
        let zone = (part(REGION), part(ZONE));
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, slots)) => slots.push(slot),
            None => self.zones.push((zone, vec![slot])),
        }
        self.reorder();
    }

    fn leave_zone(&mut self, slot: Slot) {
        self.tally_all(slot, -1);
        for (_, slots) in &mut self.zones {
            slots.retain(|other| *other != slot);
        }
        self.zones.retain(|(_, slots)| !slots.is_empty());
        self.reorder();
    }

    /// One node of each zone in turn (`node_tree.go`).
    fn reorder(&mut self) {
        self.order.clear();
        let longest = self
            .zones
            .iter()
            .map(|(_, slots)| slots.len())
            .max()
            .unwrap_or(0);
        for row in 0..longest {
            self.order
                .extend(self.zones.iter().filter_map(|(_, slots)| slots.get(row)));
        }
    }
}
