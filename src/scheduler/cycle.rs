//! One scheduling cycle: which nodes can take a pod, which of them is best, and why not the others.
//!
//! Pure: reads the cache, returns a verdict. Models `pkg/scheduler/schedule_one.go`; starts at [`decide`].

use std::collections::{BTreeMap, BTreeSet};

use api::Str;
use sim::Rng;

use crate::cache::{Cache, NodeInfo, Slot};
use crate::framework::{Context, FILTERS, Filters, Prepared, Refusal, SCORES};
use crate::objects::Objects;
use crate::plugins::node_volume_limits;
use crate::pod::Pod;
use crate::preemption::{self, Preemption};
use crate::queue::Nominated;

/// Everything a cycle may look at.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    pub cache: &'a Cache,
    pub objects: &'a Objects,
    pub nominated: &'a Nominated,
}

/// What a cycle found.
#[derive(Debug)]
pub struct Outcome {
    pub verdict: Verdict,
    pub refusals: Vec<(Slot, Refusal)>,
    pub scores: Vec<Scored>,
    /// How many nodes were looked at.
    pub evaluated: usize,
}

#[derive(Debug)]
pub enum Verdict {
    Place(Slot),
    Fail(Failure),
}

/// Why a pod has no node.
#[derive(Debug)]
pub struct Failure {
    /// Of the condition: `Unschedulable`, or `SchedulerError` if a plugin itself failed.
    pub reason: &'static str,
    pub message: String,
    pub plugins: BTreeSet<&'static str>,
    pub preemption: Option<Preemption>,
    /// Nothing could be evicted to make room: a promise of former times is void.
    pub is_hopeless: bool,
}

/// A node's weighted scores.
#[derive(Debug)]
pub struct Scored {
    pub slot: Slot,
    pub total: i64,
    pub parts: Vec<(&'static str, i64)>,
}

/// Fewer nodes than this are always all looked at.
const LEAST_FEASIBLE: usize = 100;

pub fn decide(world: World<'_>, pod: &Pod, start: &mut usize, rng: &mut Rng) -> Outcome {
    let World { cache, objects, .. } = world;
    let cx = Context {
        cache,
        objects,
        pod,
    };
    let mut outcome = Outcome {
        verdict: Verdict::Fail(Failure {
            reason: "Unschedulable",
            message: "no nodes available to schedule pods".to_owned(),
            plugins: BTreeSet::new(),
            preemption: None,
            is_hopeless: false,
        }),
        refusals: Vec::new(),
        scores: Vec::new(),
        evaluated: 0,
    };
    if cache.node_count() == 0 {
        return outcome;
    }
    if let Some(message) = node_volume_limits::error(&pod.object) {
        outcome.verdict = Verdict::Fail(Failure {
            reason: "SchedulerError",
            message,
            plugins: BTreeSet::new(),
            preemption: None,
            is_hopeless: false,
        });
        return outcome;
    }
    let (filters, among) = match prepare(cx) {
        Ok(prepared) => prepared,
        Err(refusal) => {
            let mut text = format!("0/{} nodes are available:", cache.node_count());
            for reason in &refusal.reasons {
                text += &format!(" {reason}.");
            }
            // Plugins that stopped before dynamic resources were looked at leave it without state.
            text += " not found";
            outcome.verdict = Verdict::Fail(Failure {
                reason: "Unschedulable",
                message: text,
                plugins: BTreeSet::from([refusal.plugin]),
                preemption: None,
                is_hopeless: false,
            });
            return outcome;
        }
    };
    let feasible = find_feasible(world, pod, &filters, among.as_deref(), start, &mut outcome);
    if feasible.is_empty() {
        let failure = explain(
            world,
            pod,
            &filters,
            among.as_deref(),
            &outcome.refusals,
            rng,
        );
        outcome.verdict = Verdict::Fail(failure);
        return outcome;
    }
    if let [only] = feasible.as_slice() {
        outcome.verdict = Verdict::Place(only.slot);
        return outcome;
    }
    let totals = score(cx, &feasible, &mut outcome);
    let best = totals.iter().copied().max().unwrap_or(0);
    let ties: Vec<Slot> = feasible
        .iter()
        .zip(&totals)
        .filter(|(_, total)| **total == best)
        .map(|(node, _)| node.slot)
        .collect();
    outcome.verdict = Verdict::Place(ties[rng.below(ties.len() as u64) as usize]);
    outcome
}

type Plan<'a> = (Filters<'a>, Option<Vec<Str>>);

/// The PreFilter point: filters that have a say, and the only nodes worth trying if a filter knows them.
fn prepare(cx: Context<'_>) -> Result<Plan<'_>, Refusal> {
    let mut filters = Vec::with_capacity(FILTERS.len());
    let mut among: Option<Vec<Str>> = None;
    for (name, make) in FILTERS {
        match make(cx) {
            Prepared::Skip => {}
            Prepared::Check(filter) => filters.push((*name, filter)),
            Prepared::Among(names, filter) => {
                filters.push((*name, filter));
                among = Some(match among {
                    None => names,
                    Some(known) => known.into_iter().filter(|n| names.contains(n)).collect(),
                });
            }
            Prepared::Refuse(refusal) => return Err(refusal),
        }
    }
    Ok((Filters(filters), among))
}

fn find_feasible<'a>(
    world: World<'a>,
    pod: &Pod,
    filters: &Filters<'_>,
    among: Option<&[Str]>,
    start: &mut usize,
    outcome: &mut Outcome,
) -> Vec<&'a NodeInfo> {
    let mut feasible = Vec::new();
    let mut look = |node: &'a NodeInfo, feasible: &mut Vec<&'a NodeInfo>| {
        outcome.evaluated += 1;
        match check(world, pod, filters, node) {
            Ok(()) => feasible.push(node),
            Err(refusal) => outcome.refusals.push((node.slot, refusal)),
        }
    };
    if let Some(names) = among {
        for node in names.iter().filter_map(|name| world.cache.node_named(name)) {
            look(node, &mut feasible);
        }
        return feasible;
    }
    // A pod for which others were evicted goes where room was made, if it still fits.
    if let Some(node) = world
        .nominated
        .node_of(&pod.key)
        .and_then(|n| world.cache.node_named(n))
        && check(world, pod, filters, node).is_ok()
    {
        return vec![node];
    }
    let order = world.cache.order();
    let enough = feasible_to_find(order.len());
    let first = *start % order.len();
    for offset in 0..order.len() {
        let slot = order[(first + offset) % order.len()];
        look(world.cache.node(slot), &mut feasible);
        if feasible.len() >= enough {
            break;
        }
    }
    *start = (first + outcome.evaluated) % order.len();
    feasible
}

/// How many feasible nodes are enough: all up to 100, then 50 % falling to 5 % (`numFeasibleNodesToFind`).
fn feasible_to_find(nodes: usize) -> usize {
    if nodes < LEAST_FEASIBLE {
        return nodes;
    }
    let percent = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percent / 100).max(LEAST_FEASIBLE)
}

/// All filters for one node, once as if pods that were promised room there had it, and once without them.
pub fn check(
    world: World<'_>,
    pod: &Pod,
    filters: &Filters<'_>,
    node: &NodeInfo,
) -> Result<(), Refusal> {
    let promised = world
        .nominated
        .pods_on(&node.name, &pod.key, pod.resident.priority);
    if !promised.is_empty() {
        let mut filters = filters.clone();
        let mut node = node.clone();
        for other in promised {
            filters.add(&other, &mut node);
        }
        filters.check(&node)?;
    }
    filters.check(node)
}

fn score<'a>(cx: Context<'a>, nodes: &[&'a NodeInfo], outcome: &mut Outcome) -> Vec<i64> {
    let mut totals = vec![0; nodes.len()];
    let mut columns: Vec<(&'static str, Vec<i64>)> = Vec::with_capacity(SCORES.len());
    for (name, weight, make) in SCORES {
        let Some(plugin) = make(cx, nodes) else {
            continue;
        };
        let mut scores: Vec<i64> = nodes.iter().map(|node| plugin.score(node)).collect();
        plugin.normalize(nodes, &mut scores);
        for (score, total) in scores.iter_mut().zip(&mut totals) {
            *score *= weight;
            *total += *score;
        }
        columns.push((name, scores));
    }
    // Who wants to see the parts has a small cluster; in a large one they would cost more than they tell.
    if nodes.len() <= LEAST_FEASIBLE {
        outcome.scores = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| Scored {
                slot: node.slot,
                total: totals[at],
                parts: columns
                    .iter()
                    .map(|(name, scores)| (*name, scores[at]))
                    .collect(),
            })
            .collect();
    }
    totals
}

/// The PostFilter point and the words for why there is no node (`FitError`).
fn explain(
    world: World<'_>,
    pod: &Pod,
    filters: &Filters<'_>,
    among: Option<&[Str]>,
    refusals: &[(Slot, Refusal)],
    rng: &mut Rng,
) -> Failure {
    let nodes = world.cache.node_count();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut plugins = BTreeSet::new();
    for (_, refusal) in refusals {
        plugins.insert(refusal.plugin);
        for reason in &refusal.reasons {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let absent = nodes - refusals.len();
    let of_plugin = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
    if among.is_some() && absent > 0 {
        plugins.insert(crate::plugins::node_affinity::NAME);
        reasons.insert(of_plugin, absent);
    }
    let found = preemption::look(world, pod, filters, refusals, rng);
    let mut message = fit_error(nodes, &reasons);
    let mut is_hopeless = false;
    let preemption = match found {
        Ok(preemption) => Some(preemption),
        Err(why) => {
            is_hopeless = !why.starts_with("not eligible");
            // Dynamic resources are asked first, and have nothing to give.
            message += &format!(" no new claims to deallocate, preemption: {why}");
            None
        }
    };
    Failure {
        reason: "Unschedulable",
        message,
        plugins,
        preemption,
        is_hopeless,
    }
}

/// `0/3 nodes are available: 1 Insufficient cpu, 2 …` with the reasons sorted as text.
pub fn fit_error(nodes: usize, reasons: &BTreeMap<&str, usize>) -> String {
    let mut parts: Vec<String> = reasons
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    parts.sort();
    let mut text = format!("0/{nodes} nodes are available:");
    if !parts.is_empty() {
        text += &format!(" {}.", parts.join(", "));
    }
    text
}
