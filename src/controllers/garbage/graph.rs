//! Who owns whom: a node for each object that was seen, and for each owner that was only heard of.
//!
//! Models `graph.go` and the event processing of `graph_builder.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::meta::Meta;
use api::{Resource, Str, Value, map};

use super::{FOREGROUND, ORPHAN};

/// Objects and references by UID.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: BTreeMap<Str, Node>,
    resources: Vec<Resource>,
    /// Owners that were asked for and are gone.
    absent: BTreeSet<Str>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    resource: u16,
    namespace: Str,
    name: Str,
    /// UID, and whether the reference blocks the owner's deletion.
    owners: Vec<(Str, bool)>,
    dependents: BTreeSet<Str>,
    is_deleting: bool,
    /// In foreground deletion.
    is_waiting: bool,
    /// Being deleted with the wish to leave its dependents.
    is_releasing: bool,
    /// Known from a reference only.
    is_virtual: bool,
}

/// What a change asks to look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Todo {
    pub(super) delete: Vec<Str>,
    pub(super) release: Vec<Str>,
}

/// At most this many absent owners are remembered (`uidSize` of upstream's cache).
const MAX_ABSENT: usize = 500;

impl Graph {
    pub(super) fn resource(&self, at: i64) -> &Resource {
        &self.resources[at as usize]
    }

    fn number(&mut self, resource: &Resource) -> u16 {
        let known = self.resources.iter().position(|r| r == resource);
        let at = known.unwrap_or_else(|| {
            self.resources.push(resource.clone());
            self.resources.len() - 1
        });
        at as u16
    }

    /// An object is there, or changed. `owner_collection` finds the collection and namespace of an owner that was not
    /// seen yet.
    pub(super) fn upsert(
        &mut self,
        resource: &Resource,
        object: &Value,
        owner_collection: impl Fn(&Value) -> Option<(Resource, Str)>,
    ) -> Todo {
        let meta = Meta::of(object);
        let uid = meta.shared_uid();
        let mut todo = Todo::default();
        let owners: Vec<(Str, bool)> = meta
            .owners()
            .map(|owner| (owner.0.shared_str("uid"), owner.blocks_owner_deletion()))
            .collect();
        let old = self.nodes.get(&uid).cloned().unwrap_or_default();
        for (owner, _) in old.owners.iter() {
            if !owners.iter().any(|(kept, _)| kept == owner) {
                self.unlink(&uid, owner);
            }
        }
        for (owner, blocked) in &old.owners {
            // An owner that waited for this reference may go on.
            let still_blocks = owners.iter().any(|(kept, blocks)| kept == owner && *blocks);
            if *blocked && !still_blocks && self.is_waiting(owner) {
                todo.delete.push(owner.clone());
            }
        }
        for owner in meta.owners() {
            let owner_uid = owner.0.shared_str("uid");
            let known = self.nodes.contains_key(&owner_uid);
            if !known && let Some((resource, namespace)) = owner_collection(owner.0) {
                let number = self.number(&resource);
                let node = Node {
                    resource: number,
                    namespace,
                    name: owner.0.shared_str("name"),
                    is_virtual: true,
                    ..Node::default()
                };
                self.nodes.insert(owner_uid.clone(), node);
                // Whether it exists is found out.
                todo.delete.push(owner_uid.clone());
            } else if !known {
                // Its kind is not served: the dependent itself is looked at, and tried again.
                todo.delete.push(uid.clone());
            }
            if let Some(node) = self.nodes.get_mut(&owner_uid) {
                node.dependents.insert(uid.clone());
            }
        }
        let is_deleting = meta.is_deleting();
        let node = Node {
            resource: self.number(resource),
            namespace: meta.shared_namespace(),
            name: meta.shared_name(),
            owners,
            dependents: old.dependents,
            is_deleting,
            is_waiting: is_deleting && meta.has_finalizer(FOREGROUND),
            is_releasing: is_deleting && meta.has_finalizer(ORPHAN),
            is_virtual: false,
        };
        if node.is_releasing && !old.is_releasing {
            todo.release.push(uid.clone());
        }
        if node.is_waiting && !old.is_waiting {
            todo.delete.extend(node.dependents.iter().cloned());
            todo.delete.push(uid.clone());
        }
        self.nodes.insert(uid, node);
        todo
    }

    /// An object is gone.
    pub(super) fn remove(&mut self, uid: &str) -> Todo {
        let mut todo = Todo::default();
        let Some(node) = self.nodes.remove(uid) else {
            return todo;
        };
        if !node.dependents.is_empty() {
            self.note_absent(Str::new(uid));
        }
        for (owner, _) in &node.owners {
            self.unlink(uid, owner);
            if self.is_waiting(owner) {
                todo.delete.push(owner.clone());
            }
        }
        todo.delete.extend(node.dependents);
        todo
    }

    pub(super) fn note_absent(&mut self, uid: Str) {
        if self.absent.len() >= MAX_ABSENT {
            self.absent.pop_first();
        }
        self.absent.insert(uid);
    }

    pub(super) fn is_absent(&self, uid: &str) -> bool {
        self.absent.contains(uid)
    }

    pub(super) fn is_waiting(&self, uid: &str) -> bool {
        self.nodes.get(uid).is_some_and(|node| node.is_waiting)
    }

    /// A node as plain values, for a sync to keep; with its dependents where they matter. Empty if there is none.
    pub(super) fn snapshot(&self, uid: &str) -> Vec<Value> {
        let Some(node) = self.nodes.get(uid) else {
            return Vec::new();
        };
        let mut item = node.to_value(uid);
        let dependents = || {
            node.dependents
                .iter()
                .filter_map(|d| Some((d, self.nodes.get(d)?)))
        };
        item.set("hasDependents", !node.dependents.is_empty());
        item.set("hasWaiting", dependents().any(|(_, d)| d.is_waiting));
        let mut values = vec![item];
        if node.is_waiting || node.is_releasing {
            for (dependent_uid, dependent) in dependents() {
                let mut value = dependent.to_value(dependent_uid);
                let blocks = dependent.owners.iter().any(|(o, b)| *o == *uid && *b);
                value.set("blocks", blocks);
                values.push(value);
            }
        }
        values
    }

    fn unlink(&mut self, uid: &str, owner: &Str) {
        let Some(node) = self.nodes.get_mut(owner) else {
            return;
        };
        node.dependents.remove(uid);
        if node.is_virtual && node.dependents.is_empty() {
            self.nodes.remove(owner);
        }
    }
}

impl Node {
    fn to_value(&self, uid: &str) -> Value {
        map! {
            "uid": Str::new(uid), "resource": i64::from(self.resource), "namespace": &self.namespace,
            "name": &self.name, "deleting": self.is_deleting, "waiting": self.is_waiting,
        }
    }
}
