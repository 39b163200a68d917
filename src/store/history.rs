//! The recent changes, oldest first, bounded; older ones are compacted away.

use api::Value;
use sim::Ring;

use crate::{Collection, Key};

/// One committed write.
#[derive(Clone, Debug)]
pub struct Change {
    pub revision: u64,
    pub collection: Collection,
    pub kind: ChangeKind,
    pub key: Key,
    /// The object after the write; for a removal its last state with the revision of the removal.
    pub object: Value,
    /// The object before the write.
    pub previous: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// The revision asked for is no longer (fully) in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    pub asked: u64,
    /// The oldest revision that can be asked for.
    pub oldest: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct History {
    changes: Ring<Change>,
    /// Changes up to this revision are gone.
    compacted: u64,
    capacity: usize,
}

impl History {
    pub(crate) fn new(capacity: usize) -> History {
        History {
            changes: Ring::new(),
            compacted: 1,
            capacity,
        }
    }

    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(crate) fn push(&mut self, change: Change) {
        if self.changes.len() == self.capacity
            && let Some(oldest) = self.changes.first()
        {
            self.compacted = oldest.revision;
            self.changes.forget(1);
        }
        self.changes.push(change);
    }

    pub(crate) fn since(
        &self,
        revision: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &Change> + ExactSizeIterator, Compacted> {
        if revision < self.compacted {
            return Err(Compacted {
                asked: revision,
                oldest: self.compacted,
            });
        }
        let from = self.changes.partition_point(|c| c.revision <= revision);
        Ok(self.changes.from(from))
    }

    pub(crate) fn compact(&mut self, revision: u64) {
        let gone = self.changes.partition_point(|c| c.revision <= revision);
        self.changes.forget(gone);
        self.compacted = self.compacted.max(revision);
    }
}
