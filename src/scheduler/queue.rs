//! Pods that wait: ready to be tried, waiting out a back-off, or waiting for the cluster to change.
//!
//! Models `pkg/scheduler/backend/queue`. A pod that failed comes back when an event could help one of the plugins
//! that refused it, and in any case after five minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::Str;
use sim::{MINUTE, Micros, NoteId, SECOND, Time};

use crate::pod::{Pod, PodKey, Resident};

/// How long a pod may wait without any event (`DefaultPodMaxInUnschedulablePodsDuration`).
const LONGEST_WAIT: Micros = 5 * MINUTE;
const FIRST_BACKOFF: Micros = SECOND;
const LONGEST_BACKOFF: Micros = 10 * SECOND;

#[derive(Clone, Debug)]
pub struct Entry {
    pub pod: Pod,
    pub attempts: u32,
    /// Plugins that refused the pod at its last attempt.
    pub plugins: BTreeSet<&'static str>,
    pub cause: NoteId,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Active(ActiveKey),
    BackingOff(Time, u64),
    /// Waits for a time because something broke; never tried early.
    Errored(Time, u64),
    Unschedulable {
        since: Time,
    },
    Gated,
}

/// High priority first, then first come.
type ActiveKey = (std::cmp::Reverse<i64>, Time, u64);

#[derive(Clone, Debug, Default)]
pub struct Queue {
    entries: BTreeMap<PodKey, Entry>,
    active: BTreeMap<ActiveKey, PodKey>,
    backing_off: BTreeMap<(Time, u64), PodKey>,
    errored: BTreeMap<(Time, u64), PodKey>,
    waiting: BTreeSet<PodKey>,
    next: u64,
    pub nominated: Nominated,
}

/// Which pods were promised room on which node.
#[derive(Clone, Debug, Default)]
pub struct Nominated {
    by_pod: BTreeMap<PodKey, (Str, Arc<Resident>)>,
}

impl Nominated {
    pub fn node_of(&self, pod: &PodKey) -> Option<&Str> {
        self.by_pod.get(pod).map(|(node, _)| node)
    }

    /// Pods promised room on `node` that are at least as important, other than `pod` itself.
    pub fn pods_on(&self, node: &Str, pod: &PodKey, priority: i64) -> Vec<Arc<Resident>> {
        self.by_pod
            .iter()
            .filter(|(key, (on, resident))| {
                on == node && resident.priority >= priority && *key != pod
            })
            .map(|(_, (_, resident))| resident.clone())
            .collect()
    }

    /// Pods promised room on `node` that are less important.
    pub fn lesser_on(&self, node: &Str, priority: i64) -> Vec<PodKey> {
        let promised = self.by_pod.iter();
        promised
            .filter(|(_, (on, resident))| on == node && resident.priority < priority)
            .map(|(key, _)| key.clone())
            .collect()
    }

    pub fn set(&mut self, pod: &Pod, node: Str) {
        if node.is_empty() {
            self.by_pod.remove(&pod.key);
        } else {
            self.by_pod
                .insert(pod.key.clone(), (node, pod.resident.clone()));
        }
    }

    pub fn remove(&mut self, pod: &PodKey) {
        self.by_pod.remove(pod);
    }
}

impl Queue {
    pub fn get(&self, key: &PodKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &PodKey> {
        self.entries.keys()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A pod that is new, or came back from a failed binding.
    pub fn add(&mut self, pod: Pod, now: Time, cause: NoteId) {
        let key = pod.key.clone();
        self.remove(&key);
        let gated = !pod.wishes.gates.is_empty();
        let entry = Entry {
            pod,
            attempts: 0,
            plugins: BTreeSet::new(),
            cause,
            place: Place::Gated,
        };
        self.entries.insert(key.clone(), entry);
        if !gated {
            self.activate(&key, now);
        }
    }

    /// The pod's object changed; `worth_trying` if the change could help.
    pub fn update(&mut self, pod: Pod, worth_trying: bool, now: Time, cause: NoteId) {
        let key = pod.key.clone();
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        entry.pod = pod;
        let ungated = entry.place == Place::Gated && entry.pod.wishes.gates.is_empty();
        if ungated {
            self.activate(&key, now);
        } else if worth_trying && matches!(entry.place, Place::Unschedulable { .. }) {
            entry.cause = cause;
            self.retry(&key, now);
        }
    }

    pub fn remove(&mut self, key: &PodKey) -> Option<Entry> {
        self.leave(key);
        self.entries.remove(key)
    }

    /// Takes the next pod to try. A pod that backs off is taken early when nothing else waits.
    pub fn pop(&mut self) -> Option<Entry> {
        let key = self
            .active
            .first_key_value()
            .map(|(_, key)| key.clone())
            .or_else(|| {
                self.backing_off
                    .first_key_value()
                    .map(|(_, key)| key.clone())
            })?;
        self.leave(&key);
        let mut entry = self.entries.remove(&key)?;
        entry.attempts += 1;
        Some(entry)
    }

    /// True if a pod could be popped now.
    pub fn has_ready(&self) -> bool {
        !self.active.is_empty() || !self.backing_off.is_empty()
    }

    /// Puts back a pod that found no node.
    pub fn give_up(&mut self, mut entry: Entry, plugins: BTreeSet<&'static str>, now: Time) {
        let key = entry.pod.key.clone();
        entry.plugins = plugins;
        entry.place = Place::Unschedulable { since: now };
        self.entries.insert(key.clone(), entry);
        self.waiting.insert(key);
    }

    /// Puts back a pod whose attempt failed for no fault of its own, such as a lost binding; returns when it is tried again.
    pub fn back_off(&mut self, mut entry: Entry, now: Time) -> Time {
        let key = entry.pod.key.clone();
        let until = now + backoff(entry.attempts);
        self.next += 1;
        entry.place = Place::Errored(until, self.next);
        self.errored.insert((until, self.next), key.clone());
        self.entries.insert(key, entry);
        until
    }

    /// Makes pods ready whose time after an error has come.
    pub fn wake(&mut self, now: Time) {
        while let Some((&(until, _), key)) = self.errored.first_key_value() {
            if until > now {
                break;
            }
            let key = key.clone();
            self.activate(&key, now);
        }
    }

    /// Something happened: pods that it could help are tried again.
    pub fn happened(&mut self, now: Time, cause: NoteId, helps: impl Fn(&Entry) -> bool) {
        let keys: Vec<PodKey> = self
            .waiting
            .iter()
            .filter(|key| self.entries.get(key).is_some_and(&helps))
            .cloned()
            .collect();
        for key in keys {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.cause = cause;
            }
            self.retry(&key, now);
        }
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tries pods again that have waited very long.
    pub fn flush(&mut self, now: Time) {
        let is_stale = |entry: &Entry| match entry.place {
            Place::Unschedulable { since } => now.since(since) > LONGEST_WAIT,
            _ => false,
        };
        self.happened(now, NoteId(0), is_stale);
    }

    fn retry(&mut self, key: &PodKey, now: Time) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        let since = match entry.place {
            Place::Unschedulable { since } => since,
            _ => now,
        };
        let until = since + backoff(entry.attempts);
        if until <= now {
            self.activate(key, now);
            return;
        }
        self.leave(key);
        self.next += 1;
        self.place(key, Place::BackingOff(until, self.next));
        self.backing_off.insert((until, self.next), key.clone());
    }

    fn activate(&mut self, key: &PodKey, now: Time) {
        self.leave(key);
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        self.next += 1;
        let order = (
            std::cmp::Reverse(entry.pod.resident.priority),
            now,
            self.next,
        );
        self.place(key, Place::Active(order));
        self.active.insert(order, key.clone());
    }

    fn place(&mut self, key: &PodKey, place: Place) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.place = place;
        }
    }

    fn leave(&mut self, key: &PodKey) {
        match self.entries.get(key).map(|entry| entry.place) {
            Some(Place::Active(order)) => {
                self.active.remove(&order);
            }
            Some(Place::BackingOff(until, number)) => {
                self.backing_off.remove(&(until, number));
            }
            Some(Place::Errored(until, number)) => {
                self.errored.remove(&(until, number));
            }
            Some(Place::Unschedulable { .. }) => {
                self.waiting.remove(key);
            }
            Some(Place::Gated) | None => {}
        }
    }
}

fn backoff(attempts: u32) -> Micros {
    (FIRST_BACKOFF << attempts.saturating_sub(1).min(8)).min(LONGEST_BACKOFF)
}
