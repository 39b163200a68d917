//! The versioned store behind the API server: every object of every collection, a global revision, and a
//! bounded history from which watches and reads of the past are answered.
//!
//! It knows collections, keys and revisions, not kinds: defaults, validation and admission are the API
//! server's. Entry points are [`Store::put`], [`Store::list`] and [`Store::since`]. Models etcd's MVCC store
//! (`server/storage/mvcc`) together with the API server's watch cache, as one thing.

mod history;
mod key;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::{Str, Value};

pub use history::{Change, ChangeKind, Compacted};
pub use key::Key;

use history::History;

/// A collection of objects, by number; see [`Store::collection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Collection(u32);

/// An object as it is stored now.
#[derive(Clone, Debug)]
pub struct Entry {
    pub object: Value,
    /// The revision that created it.
    pub created: u64,
    /// The revision that wrote it last; also its `metadata.resourceVersion`.
    pub modified: u64,
}

/// All objects at the current revision and the recent changes that led here.
///
/// Cloning copies the index and shares every object.
#[derive(Clone, Debug)]
pub struct Store {
    revision: u64,
    names: BTreeMap<Str, Collection>,
    tables: Vec<BTreeMap<Key, Entry>>,
    history: History,
}

/// How many changes are kept; a watch that asks for older ones gets 410.
pub const HISTORY_LEN: usize = 8192;

impl Store {
    /// An empty store at revision 1, as etcd starts.
    pub fn new() -> Store {
        Store {
            revision: 1,
            names: BTreeMap::new(),
            tables: Vec::new(),
            history: History::new(HISTORY_LEN),
        }
    }

    /// The number of the collection called `name` (`pods`, `deployments.apps`), made if new.
    pub fn collection(&mut self, name: &str) -> Collection {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let id = Collection(self.tables.len() as u32);
        self.names.insert(Str::new(name), id);
        self.tables.push(BTreeMap::new());
        id
    }

    /// The number of an existing collection.
    pub fn find(&self, name: &str) -> Option<Collection> {
        self.names.get(name).copied()
    }

    /// The names of all collections that ever had an object.
    pub fn collections(&self) -> impl Iterator<Item = (&Str, Collection)> {
        self.names.iter().map(|(name, id)| (name, *id))
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes up to this revision are no longer in the history.
    pub fn compacted(&self) -> u64 {
        self.history.compacted()
    }

    pub fn get(&self, collection: Collection, key: &Key) -> Option<&Entry> {
        self.table(collection).get(key)
    }

    pub fn len(&self, collection: Collection) -> usize {
        self.table(collection).len()
    }

    /// How many objects there are in all collections.
    pub fn total(&self) -> usize {
        self.tables.iter().map(BTreeMap::len).sum()
    }

    pub fn is_empty(&self, collection: Collection) -> bool {
        self.table(collection).is_empty()
    }

    /// Creates or replaces an object and stamps the new revision into its metadata; returns what was stored.
    pub fn put(&mut self, collection: Collection, key: Key, mut object: Value) -> &Entry {
        self.revision += 1;
        let revision = self.revision;
        stamp(&mut object, revision);
        let table = &mut self.tables[collection.0 as usize];
        let previous = table.get(&key);
        let created = previous.map_or(revision, |entry| entry.created);
        let previous = previous.map(|entry| entry.object.clone());
        self.history.push(Change {
            revision,
            collection,
            kind: if previous.is_some() {
                ChangeKind::Modified
            } else {
                ChangeKind::Added
            },
            key: key.clone(),
            object: object.clone(),
            previous,
        });
        let entry = Entry {
            object,
            created,
            modified: revision,
        };
        let slot = table.entry(key);
        match slot {
            std::collections::btree_map::Entry::Occupied(mut old) => {
                old.insert(entry);
                old.into_mut()
            }
            std::collections::btree_map::Entry::Vacant(empty) => empty.insert(entry),
        }
    }

    /// Removes an object; returns its last state, stamped with the revision of its removal.
    pub fn remove(&mut self, collection: Collection, key: &Key) -> Option<Value> {
        let entry = self.tables[collection.0 as usize].remove(key)?;
        self.revision += 1;
        let mut object = entry.object.clone();
        stamp(&mut object, self.revision);
        self.history.push(Change {
            revision: self.revision,
            collection,
            kind: ChangeKind::Deleted,
            key: key.clone(),
            object: object.clone(),
            previous: Some(entry.object),
        });
        Some(object)
    }

    /// The entries of one namespace (of all, if empty) in key order, after `after` if given.
    pub fn list<'a>(
        &'a self,
        collection: Collection,
        namespace: &'a str,
        after: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Entry)> {
        use std::ops::Bound;
        let start = match after {
            Some(key) => Bound::Excluded(key.clone()),
            None if namespace.is_empty() => Bound::Unbounded,
            None => Bound::Included(Key::new(Str::new(namespace), Str::EMPTY)),
        };
        self.table(collection)
            .range((start, Bound::Unbounded))
            .take_while(move |(key, _)| namespace.is_empty() || key.namespace == *namespace)
    }

    /// The objects of a collection as they were at `revision`, in key order.
    pub fn list_at(
        &self,
        collection: Collection,
        namespace: &str,
        revision: u64,
    ) -> Result<Vec<(Key, Value)>, Compacted> {
        let mut then: BTreeMap<Key, Option<Value>> = BTreeMap::new();
        for change in self.history.since(revision)? {
            if change.collection == collection
                && (namespace.is_empty() || change.key.namespace == *namespace)
            {
                // The first change after `revision` knows what was there before it.
                then.entry(change.key.clone())
                    .or_insert_with(|| change.previous.clone());
            }
        }
        for (key, entry) in self.list(collection, namespace, None) {
            then.entry(key.clone())
                .or_insert_with(|| Some(entry.object.clone()));
        }
        Ok(then
            .into_iter()
            .filter_map(|(key, object)| Some((key, object?)))
            .collect())
    }

    /// The changes after `revision`, oldest first.
    pub fn since(
        &self,
        revision: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &Change> + ExactSizeIterator, Compacted> {
        self.history.since(revision)
    }

    /// Forgets the changes up to `revision`, as etcd's compaction does.
    pub fn compact(&mut self, revision: u64) {
        self.history.compact(revision.min(self.revision));
    }

    fn table(&self, collection: Collection) -> &BTreeMap<Key, Entry> {
        &self.tables[collection.0 as usize]
    }
}

impl Default for Store {
    fn default() -> Self {
        Store::new()
    }
}

fn stamp(object: &mut Value, revision: u64) {
    object
        .entry("metadata")
        .set("resourceVersion", revision.to_string());
}
