//! Keys that need work: each at most once, never two workers on one key, later again after a failure.
//!
//! Models client-go's `util/workqueue` (queue, delaying queue, rate-limiting queue). A key keeps the note that
//! first made it dirty, so that what the work sends can name its cause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sim::{MILLI, Micros, NoteId, SECOND, Time};

/// The pauses after failures: the first, which doubles, and the longest. The default of client-go's
/// `ItemExponentialFailureRateLimiter`.
pub const PAUSES: (Micros, Micros) = (5 * MILLI, 1000 * SECOND);

/// A queue of keys. Clone plain data.
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    order: VecDeque<K>,
    dirty: BTreeMap<K, NoteId>,
    active: BTreeSet<K>,
    later: BTreeMap<(Time, K), NoteId>,
    due: BTreeMap<K, Time>,
    failures: BTreeMap<K, u32>,
}

impl<K: Ord + Clone> WorkQueue<K> {
    pub fn new() -> Self {
        WorkQueue {
            order: VecDeque::new(),
            dirty: BTreeMap::new(),
            active: BTreeSet::new(),
            later: BTreeMap::new(),
            due: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// Marks a key as needing work; while somebody works on it, it waits until they are done.
    pub fn add(&mut self, key: K, cause: NoteId) {
        if self.dirty.contains_key(&key) {
            return;
        }
        self.dirty.insert(key.clone(), cause);
        if !self.active.contains(&key) {
            self.order.push_back(key);
        }
    }

    /// Adds the key at a later time; of two times the earlier one counts.
    pub fn add_at(&mut self, at: Time, key: K, cause: NoteId) {
        match self.due.get(&key) {
            Some(earlier) if *earlier <= at => return,
            Some(later) => {
                self.later.remove(&(*later, key.clone()));
            }
            None => {}
        }
        self.due.insert(key.clone(), at);
        self.later.insert((at, key), cause);
    }

    /// Adds the key after its next back-off; returns when.
    pub fn add_rate_limited(&mut self, now: Time, key: K, cause: NoteId) -> Time {
        self.add_with_pauses(now, PAUSES, key, cause)
    }

    /// Adds the key after its next back-off, of which the first and the longest are given; returns when.
    pub fn add_with_pauses(
        &mut self,
        now: Time,
        (first, longest): (Micros, Micros),
        key: K,
        cause: NoteId,
    ) -> Time {
        let failures = self.failures.entry(key.clone()).or_default();
        let pause = (first << (*failures).min(30)).min(longest);
        *failures += 1;
        self.add_at(now + pause, key, cause);
        now + pause
    }

    /// How often the key has failed in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or_default()
    }

    /// The key succeeded: its next failure starts with the shortest pause.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Moves delayed keys that are due into the queue.
    pub fn advance(&mut self, now: Time) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((_, key), cause) = entry.remove_entry();
            self.due.remove(&key);
            self.add(key, cause);
        }
    }

    /// When the earliest delayed key is due.
    pub fn next_at(&self) -> Option<Time> {
        self.later.keys().next().map(|(at, _)| *at)
    }

    /// Takes a key to work on; the taker must call [`WorkQueue::done`].
    pub fn take(&mut self) -> Option<(K, NoteId)> {
        let key = self.order.pop_front()?;
        let cause = self.dirty.remove(&key).unwrap_or_default();
        self.active.insert(key.clone());
        Some((key, cause))
    }

    /// The work on a key ended; it queues again if it became dirty meanwhile.
    pub fn done(&mut self, key: &K) {
        self.active.remove(key);
        if self.dirty.contains_key(key) {
            self.order.push_back(key.clone());
        }
    }

    /// Whether a key waits for a worker now.
    pub fn has_ready(&self) -> bool {
        !self.order.is_empty()
    }

    /// Keys that wait now, not counting delayed ones.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Keys being worked on.
    pub fn active(&self) -> usize {
        self.active.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty() && self.active.is_empty() && self.later.is_empty()
    }

    pub fn clear(&mut self) {
        *self = WorkQueue::new();
    }
}

impl<K: Ord + Clone> Default for WorkQueue<K> {
    fn default() -> Self {
        WorkQueue::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_worked_on_once_at_a_time_and_keeps_its_first_cause() {
        let mut queue = WorkQueue::new();
        queue.add("a", NoteId(1));
        queue.add("a", NoteId(2));
        queue.add("b", NoteId(3));
        assert_eq!(queue.take(), Some(("a", NoteId(1))));
        queue.add("a", NoteId(4));
        assert_eq!(queue.take(), Some(("b", NoteId(3))));
        assert_eq!(queue.take(), None, "a is being worked on");
        queue.done(&"a");
        assert_eq!(queue.take(), Some(("a", NoteId(4))));
    }

    #[test]
    fn failures_double_the_pause_until_forgotten() {
        let mut queue = WorkQueue::new();
        let pauses: Vec<u64> = (0..4)
            .map(|_| {
                let at = queue.add_rate_limited(Time(0), "a", NoteId(1));
                queue.advance(at);
                queue.take();
                queue.done(&"a");
                at.0
            })
            .collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000]);
        queue.forget(&"a");
        assert_eq!(queue.add_rate_limited(Time(0), "a", NoteId(1)), Time(5_000));
    }

    #[test]
    fn of_two_delays_the_earlier_counts() {
        let mut queue = WorkQueue::new();
        queue.add_at(Time(50), "a", NoteId(1));
        queue.add_at(Time(20), "a", NoteId(2));
        queue.add_at(Time(90), "a", NoteId(3));
        assert_eq!(queue.next_at(), Some(Time(20)));
        queue.advance(Time(100));
        assert_eq!(queue.take(), Some(("a", NoteId(2))));
        assert_eq!(queue.next_at(), None);
    }
}
