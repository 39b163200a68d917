//! What a controller has asked for and not yet seen in its cache.
//!
//! Between a create and the watch event that shows it, the cache is stale: acting on it would create twice.
//! A controller therefore notes how many creations and which deletions it awaits, and does not scale before they
//! came (or five minutes passed). Models `pkg/controller/controller_utils.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::Str;
use sim::{MINUTE, Micros, Time};

/// `ExpectationsTimeout`.
const TIMEOUT: Micros = 5 * MINUTE;

/// Expectations by the controlling object's key.
#[derive(Clone, Debug)]
pub struct Expectations<K> {
    by_key: BTreeMap<K, Expected>,
}

#[derive(Clone, Debug, Default)]
struct Expected {
    creations: i64,
    /// UIDs of those whose deletion is awaited.
    deletions: BTreeSet<Str>,
    since: Time,
}

impl<K: Ord + Clone> Expectations<K> {
    pub fn new() -> Self {
        Expectations {
            by_key: BTreeMap::new(),
        }
    }

    /// Whether nothing is awaited any more, or it was awaited for too long.
    pub fn are_met(&self, key: &K, now: Time) -> bool {
        self.by_key.get(key).is_none_or(|e| {
            e.creations <= 0 && e.deletions.is_empty() || now.since(e.since) > TIMEOUT
        })
    }

    pub fn expect_creations(&mut self, key: &K, count: usize, now: Time) {
        let expected = self.reset_if_old(key, now);
        expected.creations += count as i64;
    }

    pub fn expect_deletions(&mut self, key: &K, uids: impl Iterator<Item = Str>, now: Time) {
        let expected = self.reset_if_old(key, now);
        expected.deletions.extend(uids);
    }

    pub fn creation_seen(&mut self, key: &K) {
        if let Some(expected) = self.by_key.get_mut(key) {
            expected.creations -= 1;
        }
    }

    pub fn deletion_seen(&mut self, key: &K, uid: &str) {
        if let Some(expected) = self.by_key.get_mut(key) {
            expected.deletions.remove(uid);
        }
    }

    pub fn forget(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    pub fn clear(&mut self) {
        self.by_key.clear();
    }

    /// A new round of expectations replaces the last one, which is met or timed out.
    fn reset_if_old(&mut self, key: &K, now: Time) -> &mut Expected {
        let met = self.are_met(key, now);
        let expected = self.by_key.entry(key.clone()).or_default();
        if met {
            *expected = Expected {
                since: now,
                ..Expected::default()
            };
        }
        expected
    }
}

impl<K: Ord + Clone> Default for Expectations<K> {
    fn default() -> Self {
        Expectations::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_met_when_all_was_seen_or_time_is_up() {
        let mut expectations = Expectations::new();
        let now = Time(0);
        assert!(expectations.are_met(&"rs", now), "nothing is awaited");
        expectations.expect_creations(&"rs", 2, now);
        expectations.creation_seen(&"rs");
        assert!(!expectations.are_met(&"rs", now));
        expectations.creation_seen(&"rs");
        assert!(expectations.are_met(&"rs", now));
        expectations.expect_deletions(&"rs", ["u1".into()].into_iter(), now);
        expectations.deletion_seen(&"rs", "other");
        assert!(!expectations.are_met(&"rs", now));
        assert!(expectations.are_met(&"rs", now + 6 * MINUTE));
    }
}
