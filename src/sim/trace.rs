//! What happened, in order: a bounded ring of small notes, each with the note that caused it, and a running
//! digest of all notes ever recorded. Two runs are the same run when their digests agree.

use std::hash::{Hash, Hasher};

use crate::{Ring, Time};

/// A note's number, from 1, never reused. 0 stands for "no cause".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteId(pub u64);

/// A note with its place in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced<N> {
    pub id: NoteId,
    pub cause: NoteId,
    pub at: Time,
    pub note: N,
}

/// The ring of the newest notes.
#[derive(Clone, Debug)]
pub struct Trace<N> {
    ring: Ring<Traced<N>>,
    capacity: usize,
    next: u64,
    digest: Digest,
}

impl<N: Clone + Hash> Trace<N> {
    /// A ring that keeps the newest `capacity` notes.
    pub fn new(capacity: usize) -> Self {
        Trace {
            ring: Ring::new(),
            capacity: capacity.max(1),
            next: 1,
            digest: Digest::default(),
        }
    }

    pub fn record(&mut self, at: Time, cause: NoteId, note: N) -> NoteId {
        let id = NoteId(self.next);
        self.next += 1;
        (at, cause, &note).hash(&mut self.digest);
        if self.ring.len() == self.capacity {
            self.ring.forget(1);
        }
        self.ring.push(Traced {
            id,
            cause,
            at,
            note,
        });
        id
    }

    /// The note with this number, if the ring still holds it.
    pub fn get(&self, id: NoteId) -> Option<&Traced<N>> {
        let first = self.ring.first()?.id.0;
        self.ring
            .get(usize::try_from(id.0.checked_sub(first)?).ok()?)
    }

    /// Notes recorded after `id` that the ring still holds, oldest first.
    pub fn after(&self, id: NoteId) -> impl DoubleEndedIterator<Item = &Traced<N>> + Clone {
        let first = self.ring.first().map_or(0, |note| note.id.0);
        let skip = (id.0 + 1).saturating_sub(first) as usize;
        self.ring.from(skip)
    }

    /// The number of the newest note; 0 if there is none.
    pub fn last_id(&self) -> NoteId {
        NoteId(self.next - 1)
    }

    /// The digest of every note ever recorded, also of those that the ring has dropped.
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }
}

/// A 64-bit FNV-1a hasher whose result does not depend on the machine's word size.
#[derive(Clone, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }

    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }

    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }

    // usize and isize (lengths, enum discriminants) differ in width between wasm32 and x86-64.
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as i64 as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_newest_and_the_digest_covers_all() {
        let mut trace = Trace::new(2);
        for n in 0..5_u32 {
            trace.record(Time(u64::from(n)), NoteId(0), n);
        }
        assert_eq!(
            trace.after(NoteId(0)).map(|t| t.note).collect::<Vec<_>>(),
            [3, 4]
        );
        assert_eq!(
            trace.after(NoteId(4)).map(|t| t.note).collect::<Vec<_>>(),
            [4]
        );
        assert!(trace.get(NoteId(3)).is_none());
        assert_eq!(trace.get(NoteId(5)).map(|t| t.note), Some(4));
        let mut other = Trace::new(2);
        for n in 1..5_u32 {
            other.record(Time(u64::from(n)), NoteId(0), n);
        }
        assert_ne!(trace.digest(), other.digest());
    }
}
