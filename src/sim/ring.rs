//! A list that grows at its end and shrinks at its front, and whose clones share what both have.
//!
//! Checkpoints are clones: a ring of many thousands of notes must cost them next to nothing. Elements are kept in
//! chunks behind `Arc`; a clone copies the pointers, and a change after it copies one chunk.

use std::collections::VecDeque;
use std::sync::Arc;

/// Elements of a chunk.
const CHUNK: usize = 256;

/// Elements in the order in which they were pushed.
#[derive(Clone, Debug)]
pub struct Ring<T> {
    /// All but the last are full.
    chunks: VecDeque<Arc<Vec<T>>>,
    /// Elements at the beginning of the first chunk that are gone.
    gone: usize,
    len: usize,
}

impl<T: Clone> Ring<T> {
    pub fn new() -> Self {
        Ring {
            chunks: VecDeque::new(),
            gone: 0,
            len: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn push(&mut self, element: T) {
        match self.chunks.back_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => Arc::make_mut(last).push(element),
            None => self.chunks.push_back(Arc::new(vec![element])),
        }
        self.len += 1;
    }

    /// Forgets the first `count` elements. Their memory goes with the last element of their chunk.
    pub fn forget(&mut self, count: usize) {
        let count = count.min(self.len);
        self.len -= count;
        self.gone += count;
        while self.gone >= CHUNK {
            self.chunks.pop_front();
            self.gone -= CHUNK;
        }
    }

    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        let place = self.gone + at;
        (at < self.len).then(|| &self.chunks[place / CHUNK][place % CHUNK])
    }

    /// The elements from place `from` on.
    pub fn from(
        &self,
        from: usize,
    ) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator + Clone {
        (from.min(self.len)..self.len)
            .map(|at| self.get(at).expect("places below the length have elements"))
    }

    /// The first place whose element is not `before`; the elements must be sorted by that.
    pub fn partition_point(&self, mut before: impl FnMut(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&mut before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl<T: Clone> Default for Ring<T> {
    fn default() -> Self {
        Ring::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_plain_queue_holds_and_clones_go_their_own_way() {
        let mut ring = Ring::new();
        let mut plain = VecDeque::new();
        let mut early = None;
        for n in 0..2_000_u32 {
            ring.push(n);
            plain.push_back(n);
            if n % 3 == 0 {
                ring.forget(1);
                plain.pop_front();
            }
            if n == 700 {
                early = Some((ring.clone(), plain.clone()));
            }
        }
        assert!(ring.from(0).eq(&plain));
        assert!(ring.from(17).rev().eq(plain.range(17..).rev()));
        assert_eq!(ring.partition_point(|n| *n < 1_500), 1_500 - 667);
        assert_eq!(ring.get(plain.len()), None);
        let (ring, plain) = early.expect("was taken");
        assert!(ring.from(0).eq(&plain));
        let mut emptied = ring.clone();
        emptied.forget(usize::MAX);
        emptied.push(1);
        assert!(emptied.from(0).eq(&[1]) && !emptied.is_empty() && emptied.first() == Some(&1));
    }
}
