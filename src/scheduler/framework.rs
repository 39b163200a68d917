//! The scheduling framework: what a plugin is, in which order plugins run and how much their scores weigh.
//!
//! A plugin is a file of [`crate::plugins`]. Its `filter` and `score` functions are the PreFilter and PreScore points:
//! they look at the pod once and return what then is asked about each node, or nothing if the plugin has no say.
//! Models `pkg/scheduler/framework` and `apis/config/v1/default_plugins.go`.

use std::sync::Arc;

use api::Str;

use crate::cache::{Cache, NodeInfo};
use crate::objects::Objects;
use crate::plugins;
use crate::pod::{Pod, Resident};

/// The highest score of a plugin for a node, before its weight.
pub const MAX_SCORE: i64 = 100;

/// What a plugin may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub cache: &'a Cache,
    pub objects: &'a Objects,
    pub pod: &'a Pod,
}

/// Why a node cannot take a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub plugin: &'static str,
    /// True if removing pods from the node would not help.
    pub is_unresolvable: bool,
    pub reasons: Vec<Str>,
}

/// What a plugin says about the pod before any node is looked at.
#[derive(Debug)]
pub enum Prepared<'a> {
    /// Every node is fine with this plugin.
    Skip,
    Check(Box<dyn Filter<'a> + 'a>),
    /// Only these nodes can be right.
    Among(Vec<Str>, Box<dyn Filter<'a> + 'a>),
    /// No node can be right.
    Refuse(Refusal),
}

/// The Filter point, with what PreFilter computed.
pub trait Filter<'a>: std::fmt::Debug {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal>;
    /// Reckons with one more pod on a node, for what-ifs.
    fn add(&mut self, _pod: &Resident, _node: &NodeInfo) {}
    /// Reckons with one pod fewer on a node.
    fn remove(&mut self, _pod: &Resident, _node: &NodeInfo) {}
    fn boxed(&self) -> Box<dyn Filter<'a> + 'a>;
}

/// The Score point, with what PreScore computed.
pub trait Score: std::fmt::Debug {
    fn score(&self, node: &NodeInfo) -> i64;
    /// Brings all nodes' scores to 0..=100.
    fn normalize(&self, _nodes: &[&NodeInfo], _scores: &mut [i64]) {}
}

pub type MakeFilter = for<'a> fn(Context<'a>) -> Prepared<'a>;
pub type MakeScore = for<'a> fn(Context<'a>, &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>>;

/// Filters in the order of the default profile.
pub const FILTERS: &[(&str, MakeFilter)] = &[
    (
        plugins::node_unschedulable::NAME,
        plugins::node_unschedulable::filter,
    ),
    (plugins::node_name::NAME, plugins::node_name::filter),
    (
        plugins::taint_toleration::NAME,
        plugins::taint_toleration::filter,
    ),
    (plugins::node_affinity::NAME, plugins::node_affinity::filter),
    (plugins::node_ports::NAME, plugins::node_ports::filter),
    (
        plugins::node_resources_fit::NAME,
        plugins::node_resources_fit::filter,
    ),
    (
        plugins::volume_restrictions::NAME,
        plugins::volume_restrictions::filter,
    ),
    (
        plugins::node_volume_limits::NAME,
        plugins::node_volume_limits::filter,
    ),
    (
        plugins::volume_binding::NAME,
        plugins::volume_binding::filter,
    ),
    (plugins::volume_zone::NAME, plugins::volume_zone::filter),
    (
        plugins::pod_topology_spread::NAME,
        plugins::pod_topology_spread::filter,
    ),
    (
        plugins::inter_pod_affinity::NAME,
        plugins::inter_pod_affinity::filter,
    ),
];

/// Scores with their weights.
pub const SCORES: &[(&str, i64, MakeScore)] = &[
    (
        plugins::taint_toleration::NAME,
        3,
        plugins::taint_toleration::score,
    ),
    (
        plugins::node_affinity::NAME,
        2,
        plugins::node_affinity::score,
    ),
    (
        plugins::node_resources_fit::NAME,
        1,
        plugins::node_resources_fit::score,
    ),
    (
        plugins::pod_topology_spread::NAME,
        2,
        plugins::pod_topology_spread::score,
    ),
    (
        plugins::inter_pod_affinity::NAME,
        2,
        plugins::inter_pod_affinity::score,
    ),
    (
        plugins::balanced_allocation::NAME,
        1,
        plugins::balanced_allocation::score,
    ),
    (
        plugins::image_locality::NAME,
        1,
        plugins::image_locality::score,
    ),
];

impl Refusal {
    /// Other pods could make room.
    pub fn of(plugin: &'static str, reason: impl Into<Str>) -> Refusal {
        Refusal {
            plugin,
            is_unresolvable: false,
            reasons: vec![reason.into()],
        }
    }

    /// Nothing that happens to pods would help.
    pub fn unresolvable(plugin: &'static str, reason: impl Into<Str>) -> Refusal {
        Refusal {
            plugin,
            is_unresolvable: true,
            reasons: vec![reason.into()],
        }
    }
}

/// The usual normalisation: the best becomes 100, or 0 if `reverse`.
pub fn normalize(scores: &mut [i64], reverse: bool) {
    let best = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        if best == 0 {
            *score = if reverse { MAX_SCORE } else { *score };
            continue;
        }
        *score = *score * MAX_SCORE / best;
        if reverse {
            *score = MAX_SCORE - *score;
        }
    }
}

/// All filters that have a say about a pod.
#[derive(Debug)]
pub struct Filters<'a>(pub Vec<(&'static str, Box<dyn Filter<'a> + 'a>)>);

impl Clone for Filters<'_> {
    fn clone(&self) -> Self {
        Filters(
            self.0
                .iter()
                .map(|(name, filter)| (*name, filter.boxed()))
                .collect(),
        )
    }
}

impl Filters<'_> {
    pub fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        self.0.iter().try_for_each(|(_, filter)| filter.check(node))
    }

    /// Puts a pod on a node, for a what-if.
    pub fn add(&mut self, pod: &Arc<Resident>, node: &mut NodeInfo) {
        node.add(pod, false);
        for (_, filter) in &mut self.0 {
            filter.add(pod, node);
        }
    }

    pub fn remove(&mut self, pod: &Arc<Resident>, node: &mut NodeInfo) {
        node.remove(pod, false);
        for (_, filter) in &mut self.0 {
            filter.remove(pod, node);
        }
    }
}
