//! The local copy of one collection that an informer keeps: objects by key, with indexes.
//!
//! Values share their parts with the store, so an entry costs its key and a pointer. Models client-go's
//! `tools/cache` thread-safe store with its indexers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use api::meta::Meta;
use api::{Str, Value};

/// Namespace and name of an object; the namespace is empty for cluster-scoped kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    pub namespace: Str,
    pub name: Str,
}

/// What happened to one object of a cache. At least one side is present.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub old: Option<Value>,
    pub new: Option<Value>,
}

/// Objects of one collection.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    by_namespace: BTreeMap<Str, BTreeMap<Str, Value>>,
    len: usize,
    by_controller: Option<BTreeMap<Str, BTreeSet<ObjectKey>>>,
    orphans: BTreeMap<Str, BTreeSet<Str>>,
    by_node: Option<BTreeMap<Str, BTreeSet<ObjectKey>>>,
}

impl ObjectKey {
    pub fn new(namespace: impl Into<Str>, name: impl Into<Str>) -> ObjectKey {
        ObjectKey {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    pub fn of(object: &Value) -> ObjectKey {
        let meta = Meta::of(object);
        ObjectKey::new(meta.shared_namespace(), meta.shared_name())
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

impl Change {
    /// The newest state known: what it is now, or what it was before it went.
    pub fn object(&self) -> &Value {
        self.new
            .as_ref()
            .or(self.old.as_ref())
            .expect("a change has a side")
    }

    pub fn is_added(&self) -> bool {
        self.old.is_none()
    }

    pub fn is_deleted(&self) -> bool {
        self.new.is_none()
    }

    /// Both sides, when the object was there before and still is.
    pub fn updated(&self) -> Option<(&Value, &Value)> {
        Some((self.old.as_ref()?, self.new.as_ref()?))
    }
}

impl Cache {
    /// Also keeps objects by the UID of their controller, and those without one.
    pub fn index_controllers(&mut self) {
        self.by_controller.get_or_insert_default();
    }

    /// Also keeps objects by `spec.nodeName`.
    pub fn index_nodes(&mut self) {
        self.by_node.get_or_insert_default();
    }

    pub fn get(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.by_namespace.get(namespace)?.get(name)
    }

    pub fn get_key(&self, key: &ObjectKey) -> Option<&Value> {
        self.get(&key.namespace, &key.name)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All objects, by namespace and name.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.by_namespace.values().flat_map(|names| names.values())
    }

    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Value> {
        self.by_namespace
            .get(namespace)
            .into_iter()
            .flat_map(|names| names.values())
    }

    /// Objects whose controller has this UID. Needs [`Cache::index_controllers`].
    pub fn controlled_by(&self, uid: &str) -> impl Iterator<Item = &Value> {
        self.by_controller
            .as_ref()
            .expect("the cache indexes controllers")
            .get(uid)
            .into_iter()
            .flatten()
            .filter_map(|key| self.get_key(key))
    }

    /// Objects of a namespace that no controller owns. Needs [`Cache::index_controllers`].
    pub fn orphans(&self, namespace: &str) -> impl Iterator<Item = &Value> {
        let names = self.by_namespace.get(namespace);
        self.orphans
            .get(namespace)
            .into_iter()
            .flatten()
            .filter_map(move |name| names?.get(name.as_str()))
    }

    /// Objects bound to a node. Needs [`Cache::index_nodes`].
    pub fn on_node(&self, node: &str) -> impl Iterator<Item = &Value> {
        self.by_node
            .as_ref()
            .expect("the cache indexes nodes")
            .get(node)
            .into_iter()
            .flatten()
            .filter_map(|key| self.get_key(key))
    }

    /// Puts an object in; returns what it replaced.
    pub fn upsert(&mut self, object: Value) -> Option<Value> {
        let key = ObjectKey::of(&object);
        self.index(&key, &object);
        let old = self
            .by_namespace
            .entry(key.namespace.clone())
            .or_default()
            .insert(key.name.clone(), object.clone());
        match &old {
            None => self.len += 1,
            Some(old) => {
                // The entries of the old version that the new one does not have.
                if controller_uid(old) != controller_uid(&object) {
                    self.unindex_controller(&key, old);
                }
                if node_name(old) != node_name(&object) {
                    self.unindex_node(&key, old);
                }
            }
        }
        old
    }

    pub fn remove(&mut self, key: &ObjectKey) -> Option<Value> {
        let names = self.by_namespace.get_mut(&key.namespace)?;
        let old = names.remove(&key.name)?;
        if names.is_empty() {
            self.by_namespace.remove(&key.namespace);
        }
        self.len -= 1;
        self.unindex_controller(key, &old);
        self.unindex_node(key, &old);
        Some(old)
    }

    /// Makes the content equal to `objects`; returns the differences, removals last.
    pub fn replace(&mut self, objects: &[Value]) -> Vec<Change> {
        let mut gone: BTreeSet<ObjectKey> = self.all().map(ObjectKey::of).collect();
        let mut changes = Vec::new();
        for object in objects {
            gone.remove(&ObjectKey::of(object));
            let old = self.upsert(object.clone());
            let same = old
                .as_ref()
                .is_some_and(|old| resource_version(old) == resource_version(object));
            if !same {
                changes.push(Change {
                    old,
                    new: Some(object.clone()),
                });
            }
        }
        for key in gone {
            let old = self.remove(&key);
            changes.push(Change { old, new: None });
        }
        changes
    }

    pub fn clear(&mut self) {
        let (controllers, nodes) = (self.by_controller.is_some(), self.by_node.is_some());
        *self = Cache {
            by_controller: controllers.then(BTreeMap::default),
            by_node: nodes.then(BTreeMap::default),
            ..Cache::default()
        };
    }

    fn index(&mut self, key: &ObjectKey, object: &Value) {
        if let Some(index) = &mut self.by_controller {
            match controller_uid(object) {
                Some(uid) => {
                    index.entry(uid).or_default().insert(key.clone());
                }
                None => {
                    self.orphans
                        .entry(key.namespace.clone())
                        .or_default()
                        .insert(key.name.clone());
                }
            }
        }
        if let (Some(index), Some(node)) = (&mut self.by_node, node_name(object)) {
            index.entry(node).or_default().insert(key.clone());
        }
    }

    fn unindex_controller(&mut self, key: &ObjectKey, object: &Value) {
        let Some(index) = &mut self.by_controller else {
            return;
        };
        match controller_uid(object) {
            Some(uid) => remove_from(index, &uid, key),
            None => {
                if let Some(names) = self.orphans.get_mut(&key.namespace) {
                    names.remove(&key.name);
                    if names.is_empty() {
                        self.orphans.remove(&key.namespace);
                    }
                }
            }
        }
    }

    fn unindex_node(&mut self, key: &ObjectKey, object: &Value) {
        if let (Some(index), Some(node)) = (&mut self.by_node, node_name(object)) {
            remove_from(index, &node, key);
        }
    }
}

/// `metadata.resourceVersion`.
pub fn resource_version(object: &Value) -> &str {
    object.get("metadata").str("resourceVersion")
}

fn controller_uid(object: &Value) -> Option<Str> {
    let owner = Meta::of(object).controller()?;
    Some(owner.0.shared_str("uid"))
}

fn node_name(object: &Value) -> Option<Str> {
    let name = object.get("spec").get("nodeName").as_shared_str()?;
    (!name.is_empty()).then(|| name.clone())
}

fn remove_from(index: &mut BTreeMap<Str, BTreeSet<ObjectKey>>, at: &Str, key: &ObjectKey) {
    if let Some(keys) = index.get_mut(at) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{list, map};

    fn pod(name: &str, owner: Option<&str>, node: &str) -> Value {
        let mut pod = map! { "metadata": map! { "namespace": "ns", "name": Str::new(name), "resourceVersion": "1" } };
        if let Some(uid) = owner {
            pod.set_path(
                "metadata.ownerReferences",
                list![map! { "uid": Str::new(uid), "controller": true }],
            );
        }
        if !node.is_empty() {
            pod.set_path("spec.nodeName", Str::new(node));
        }
        pod
    }

    fn names<'a>(objects: impl Iterator<Item = &'a Value>) -> Vec<&'a str> {
        objects.map(|o| Meta::of(o).name()).collect()
    }

    #[test]
    fn indexes_follow_adoption_binding_and_removal() {
        let mut cache = Cache::default();
        cache.index_controllers();
        cache.index_nodes();
        cache.upsert(pod("a", None, ""));
        cache.upsert(pod("b", Some("u1"), "n1"));
        assert_eq!(names(cache.orphans("ns")), ["a"]);
        assert_eq!(names(cache.controlled_by("u1")), ["b"]);
        cache.upsert(pod("a", Some("u1"), "n1"));
        assert_eq!(names(cache.orphans("ns")), [""; 0]);
        assert_eq!(names(cache.controlled_by("u1")), ["a", "b"]);
        assert_eq!(names(cache.on_node("n1")), ["a", "b"]);
        cache.remove(&ObjectKey::new("ns", "b"));
        assert_eq!(names(cache.on_node("n1")), ["a"]);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_new_list_gives_only_the_differences() {
        let mut cache = Cache::default();
        cache.upsert(pod("a", None, ""));
        cache.upsert(pod("b", None, ""));
        let mut changed = pod("b", None, "");
        changed.set_path("metadata.resourceVersion", "2");
        let changes = cache.replace(&[changed, pod("c", None, "")]);
        let seen: Vec<_> = changes
            .iter()
            .map(|c| {
                (
                    Meta::of(c.object()).name(),
                    c.old.is_some(),
                    c.new.is_some(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [("b", true, true), ("c", false, true), ("a", true, false)]
        );
    }
}
