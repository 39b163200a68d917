//! Makes room by evicting pods of lower priority. Models `plugins/defaultpreemption` and `framework/preemption`.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use api::Str;
use sim::{Rng, Time};

use crate::cache::{Group, NodeInfo, Slot};
use crate::cycle::{World, check, fit_error};
use crate::framework::{Filters, Refusal};
use crate::objects::Objects;
use crate::pod::{Pod, PodKey, Resident};

/// Where a pod may go once its victims are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preemption {
    pub node: Str,
    /// The most important first.
    pub victims: Vec<PodKey>,
}

/// A node with the pods that would have to leave it.
struct Candidate<'a> {
    node: &'a NodeInfo,
    victims: Vec<Victim<'a>>,
    /// How many of them a PodDisruptionBudget would rather keep.
    violations: usize,
}

#[derive(Clone)]
struct Victim<'a> {
    key: &'a PodKey,
    resident: &'a Arc<Resident>,
    start: Option<Time>,
}

const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";

/// Finds the node where preemption hurts least; the error is the text after `preemption: `.
pub fn look(
    world: World<'_>,
    pod: &Pod,
    filters: &Filters<'_>,
    refusals: &[(Slot, Refusal)],
    rng: &mut Rng,
) -> Result<Preemption, String> {
    if pod.wishes.never_preempts {
        return Err("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let cache = world.cache;
    if let Some(promised) = world
        .nominated
        .node_of(&pod.key)
        .and_then(|n| cache.node_named(n))
    {
        let is_leaving = |g: &Group| g.deleting > 0 && g.resident.priority < pod.resident.priority;
        if promised.groups.iter().any(is_leaving) {
            return Err("not eligible due to a terminating pod on the nominated node.".to_owned());
        }
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut potential: Vec<Slot> = Vec::new();
    for (slot, refusal) in refusals {
        if refusal.is_unresolvable {
            *reasons.entry(NOT_HELPFUL.to_owned()).or_default() += 1;
        } else {
            potential.push(*slot);
        }
    }
    // Nodes that were never tried because a plugin knew better.
    let absent = cache.node_count() - refusals.len();
    if absent > 0 {
        *reasons.entry(NOT_HELPFUL.to_owned()).or_default() += absent;
    }
    let has_lesser = |slot: &Slot| {
        cache
            .node(*slot)
            .groups
            .iter()
            .any(|g| g.resident.priority < pod.resident.priority)
    };
    let by_slot = if potential.iter().any(has_lesser) {
        victims_by_slot(world, pod)
    } else {
        BTreeMap::new()
    };
    // Upstream tries 10 % of the nodes, at least 100, from a random place on.
    let wanted = (cache.node_count() / 10).max(100);
    let offset = rng.below(potential.len() as u64) as usize;
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for at in 0..potential.len() {
        let node = cache.node(potential[(offset + at) % potential.len()]);
        let lesser = by_slot.get(&node.slot).cloned().unwrap_or_default();
        match select_victims(world, pod, filters, node, lesser) {
            Ok((victims, violations)) => candidates.push(Candidate {
                node,
                victims,
                violations,
            }),
            Err(why) => {
                for reason in why {
                    *reasons.entry(reason.to_string()).or_default() += 1;
                }
            }
        }
        if candidates.len() >= wanted {
            break;
        }
    }
    let best = candidates.iter().min_by_key(|candidate| cost(candidate));
    match best {
        Some(best) => Ok(Preemption {
            node: best.node.name.clone(),
            victims: best
                .victims
                .iter()
                .map(|victim| victim.key.clone())
                .collect(),
        }),
        None => {
            let reasons = reasons
                .iter()
                .map(|(why, count)| (why.as_str(), *count))
                .collect();
            Err(fit_error(cache.node_count(), &reasons))
        }
    }
}

fn victims_by_slot<'a>(world: World<'a>, pod: &Pod) -> BTreeMap<Slot, Vec<Victim<'a>>> {
    let mut by_slot: BTreeMap<Slot, Vec<Victim<'a>>> = BTreeMap::new();
    for (key, placed) in world.cache.pods() {
        if placed.resident.priority < pod.resident.priority {
            by_slot.entry(placed.slot).or_default().push(Victim {
                key,
                resident: &placed.resident,
                start: placed.start,
            });
        }
    }
    by_slot
}

/// Takes all lesser pods off the node, then puts back as many as can stay: first those whose budget has no more to
/// spare, the most important first. Also says how many of these had to go all the same.
fn select_victims<'a>(
    world: World<'_>,
    pod: &Pod,
    filters: &Filters<'_>,
    node: &NodeInfo,
    mut lesser: Vec<Victim<'a>>,
) -> Result<(Vec<Victim<'a>>, usize), Vec<Str>> {
    if lesser.is_empty() {
        return Err(vec![NO_VICTIMS.into()]);
    }
    let mut filters = filters.clone();
    let mut node = node.clone();
    for victim in &lesser {
        filters.remove(victim.resident, &mut node);
    }
    check(world, pod, &filters, &node).map_err(|refusal| refusal.reasons)?;
    lesser.sort_by(by_importance);
    let (spared, others) = by_budget(world.objects, lesser);
    let count = spared.len();
    let mut victims = Vec::new();
    let mut violations = 0;
    for (at, candidate) in spared.into_iter().chain(others).enumerate() {
        filters.add(candidate.resident, &mut node);
        if check(world, pod, &filters, &node).is_err() {
            filters.remove(candidate.resident, &mut node);
            victims.push(candidate);
            violations += usize::from(at < count);
        }
    }
    victims.sort_by(by_importance);
    Ok((victims, violations))
}

fn by_importance(a: &Victim<'_>, b: &Victim<'_>) -> Ordering {
    (b.resident.priority, a.start, a.key).cmp(&(a.resident.priority, b.start, b.key))
}

/// Pods whose going would break a budget, and the rest; both keep their order (`filterPodsWithPDBViolation`).
fn by_budget<'a>(objects: &Objects, pods: Vec<Victim<'a>>) -> (Vec<Victim<'a>>, Vec<Victim<'a>>) {
    let mut left: Vec<_> = objects
        .budgets()
        .map(|(namespace, budget)| (namespace, budget, budget.allowed))
        .collect();
    pods.into_iter().partition(|victim| {
        let mut is_violated = false;
        for (namespace, budget, allowed) in &mut left {
            let is_of = **namespace == victim.key.0;
            if is_of && budget.protects(&victim.key.1, &victim.resident.labels) {
                *allowed -= 1;
                is_violated |= *allowed < 0;
            }
        }
        is_violated
    })
}

/// Lower is better: the fewest broken budgets, the least important highest victim, the smallest sum, the fewest victims, the latest start.
fn cost<'a>(candidate: &Candidate<'a>) -> (usize, i64, i64, usize, Reverse<Option<Time>>, &'a Str) {
    let priorities = || {
        candidate
            .victims
            .iter()
            .map(|victim| victim.resident.priority)
    };
    let highest = priorities().max().unwrap_or(i64::MIN);
    // Priorities are shifted so that more victims never cost less.
    let sum = priorities().map(|priority| priority + (1 << 31)).sum();
    let first_start = candidate
        .victims
        .iter()
        .filter(|victim| victim.resident.priority == highest)
        .map(|victim| victim.start)
        .min()
        .flatten();
    (
        candidate.violations,
        highest,
        sum,
        candidate.victims.len(),
        Reverse(first_start),
        &candidate.node.name,
    )
}
