//! The one queue of future events, ordered by time and then by the order in which they were added.
//!
//! ```
//! let mut queue = sim::Queue::new();
//! queue.push(sim::Time(20), "late");
//! queue.push(sim::Time(10), "first");
//! queue.push(sim::Time(10), "second");
//! let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, what)| what).collect();
//! assert_eq!(order, ["first", "second", "late"]);
//! ```

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::Time;

/// Future events; equal times keep the order of insertion.
#[derive(Clone, Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
    next_sequence: u64,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    at: Time,
    sequence: u64,
    event: E,
}

impl<E> Queue<E> {
    pub fn new() -> Self {
        Queue {
            heap: BinaryHeap::new(),
            next_sequence: 0,
        }
    }

    /// Adds an event; returns its sequence number.
    pub fn push(&mut self, at: Time, event: E) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.heap.push(Entry {
            at,
            sequence,
            event,
        });
        sequence
    }

    /// Removes the earliest event.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }

    /// When the earliest event is due.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

// The heap is a max-heap: the earliest entry must compare greatest.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}
