//! Pods that want to be near to, or far from, other pods. Models `plugins/interpodaffinity`.

use std::collections::BTreeMap;

use api::Str;

use crate::cache::{Group, NodeInfo};
use crate::framework::{Context, Filter, MAX_SCORE, Prepared, Refusal, Score};
use crate::pod::{Resident, Term};
use crate::selector::Labels;

pub const NAME: &str = "InterPodAffinity";

/// How much an existing pod's required affinity counts in scores.
const HARD_AFFINITY_WEIGHT: i64 = 1;

/// Pods per (topology key, value).
type Counts = BTreeMap<(Str, Str), i64>;

#[derive(Clone, Debug)]
struct Affinity<'a> {
    cx: Context<'a>,
    /// Existing pods that do not want this one.
    existing: Counts,
    wanted: Counts,
    unwanted: Counts,
}

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let me = &*cx.pod.resident;
    let mut state = Affinity {
        cx,
        existing: Counts::new(),
        wanted: Counts::new(),
        unwanted: Counts::new(),
    };
    for node in cx.cache.nodes_with_anti_affinity() {
        for group in &node.groups {
            state.count_existing(&group.resident, node, group.count);
        }
    }
    if !me.affinity.is_empty() || !me.anti_affinity.is_empty() {
        for node in cx.cache.nodes() {
            for group in &node.groups {
                state.count_incoming(&group.resident, node, group.count);
            }
        }
    } else if state.existing.is_empty() {
        return Prepared::Skip;
    }
    Prepared::Check(Box::new(state))
}

impl Affinity<'_> {
    fn count_existing(&mut self, other: &Resident, node: &NodeInfo, by: i64) {
        let me = &self.cx.pod.resident;
        for term in &other.anti_affinity {
            if meets(self.cx, term, me) {
                bump(&mut self.existing, term, node, by);
            }
        }
    }

    fn count_incoming(&mut self, other: &Resident, node: &NodeInfo, by: i64) {
        let me = &self.cx.pod.resident;
        if !me.affinity.is_empty() && me.affinity.iter().all(|term| meets(self.cx, term, other)) {
            for term in &me.affinity {
                bump(&mut self.wanted, term, node, by);
            }
        }
        for term in &me.anti_affinity {
            if meets(self.cx, term, other) {
                bump(&mut self.unwanted, term, node, by);
            }
        }
    }

    fn has_wanted(&self, node: &NodeInfo) -> bool {
        let me = &self.cx.pod.resident;
        let mut all_exist = true;
        for term in &me.affinity {
            let Some(domain) = node.topology(&term.topology_key) else {
                return false;
            };
            all_exist &= has(&self.wanted, &term.topology_key, domain);
        }
        // The first pod of a group that wants to be together may go anywhere.
        all_exist
            || self.wanted.is_empty() && me.affinity.iter().all(|term| meets(self.cx, term, me))
    }
}

impl<'a> Filter<'a> for Affinity<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        let me = &self.cx.pod.resident;
        if !me.affinity.is_empty() && !self.has_wanted(node) {
            let reason = "node(s) didn't match pod affinity rules";
            return Err(Refusal::unresolvable(NAME, reason));
        }
        if !self.unwanted.is_empty() {
            let near = |term: &Term| {
                node.topology(&term.topology_key)
                    .is_some_and(|domain| has(&self.unwanted, &term.topology_key, domain))
            };
            if me.anti_affinity.iter().any(near) {
                return Err(Refusal::of(
                    NAME,
                    "node(s) didn't match pod anti-affinity rules",
                ));
            }
        }
        if !self.existing.is_empty()
            && node
                .labels
                .iter()
                .any(|(key, value)| has(&self.existing, key, value))
        {
            let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Err(Refusal::of(NAME, reason));
        }
        Ok(())
    }

    fn add(&mut self, pod: &Resident, node: &NodeInfo) {
        self.count_existing(pod, node, 1);
        self.count_incoming(pod, node, 1);
    }

    fn remove(&mut self, pod: &Resident, node: &NodeInfo) {
        self.count_existing(pod, node, -1);
        self.count_incoming(pod, node, -1);
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

#[derive(Debug)]
struct Nearness(Counts);

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    let me = &*cx.pod.resident;
    let mut scores = Counts::new();
    // A pair whose weights cancel out stays: the plugin then has a say, though it is 0.
    let weight_of = |scores: &mut Counts, term: &Term, node: &NodeInfo, by: i64| {
        if let Some(domain) = node.topology(&term.topology_key) {
            *scores
                .entry((term.topology_key.clone(), domain.clone()))
                .or_default() += by;
        }
    };
    let mut weigh = |node: &NodeInfo, group: &Group| {
        let other = &*group.resident;
        for (terms, sign) in [(&me.likes, 1), (&me.dislikes, -1)] {
            for (weight, term) in terms {
                if meets(cx, term, other) {
                    weight_of(&mut scores, term, node, sign * weight * group.count);
                }
            }
        }
        for term in &other.affinity {
            if meets(cx, term, me) {
                weight_of(&mut scores, term, node, HARD_AFFINITY_WEIGHT * group.count);
            }
        }
        for (terms, sign) in [(&other.likes, 1), (&other.dislikes, -1)] {
            for (weight, term) in terms {
                if meets(cx, term, me) {
                    weight_of(&mut scores, term, node, sign * weight * group.count);
                }
            }
        }
    };
    if me.likes.is_empty() && me.dislikes.is_empty() {
        for node in cx.cache.nodes_with_affinity() {
            node.groups
                .iter()
                .filter(|g| g.resident.has_affinity())
                .for_each(|g| weigh(node, g));
        }
    } else {
        for node in cx.cache.nodes() {
            node.groups.iter().for_each(|group| weigh(node, group));
        }
    }
    (!scores.is_empty()).then(|| Box::new(Nearness(scores)) as Box<dyn Score>)
}

impl Score for Nearness {
    fn score(&self, node: &NodeInfo) -> i64 {
        self.0
            .iter()
            .filter(|((key, value), _)| node.topology(key) == Some(value))
            .map(|(_, score)| score)
            .sum()
    }

    fn normalize(&self, _nodes: &[&NodeInfo], scores: &mut [i64]) {
        let most = scores.iter().copied().max().unwrap_or(0);
        let least = scores.iter().copied().min().unwrap_or(0);
        let range = (most - least) as f64;
        for score in scores {
            *score = if most > least {
                (MAX_SCORE as f64 * ((*score - least) as f64 / range)) as i64
            } else {
                0
            };
        }
    }
}

fn meets(cx: Context<'_>, term: &Term, pod: &Resident) -> bool {
    let labels: &Labels = cx.cache.namespace_labels(&pod.namespace);
    term.matches(&pod.namespace, labels, &pod.labels)
}

fn bump(counts: &mut Counts, term: &Term, node: &NodeInfo, by: i64) {
    let Some(domain) = node.topology(&term.topology_key) else {
        return;
    };
    let key = (term.topology_key.clone(), domain.clone());
    let sum = counts.entry(key.clone()).or_default();
    *sum += by;
    // A pair without pods must vanish: "no pod anywhere" is asked by emptiness.
    if *sum == 0 {
        counts.remove(&key);
    }
}

fn has(counts: &Counts, key: &Str, value: &Str) -> bool {
    counts
        .get(&(key.clone(), value.clone()))
        .is_some_and(|count| *count > 0)
}
