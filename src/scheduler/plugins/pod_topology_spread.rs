//! Spreads pods over zones, hosts and other domains. Models `plugins/podtopologyspread`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::Str;

use crate::cache::{Cache, HOSTNAME, NodeInfo, ZONE};
use crate::framework::{Context, Filter, MAX_SCORE, Prepared, Refusal, Score};
use crate::plugins::taint_toleration::untolerated;
use crate::pod::{Pod, Resident, Spread};
use crate::selector::Selector;

pub const NAME: &str = "PodTopologySpread";

const REASON: &str = "node(s) didn't match pod topology spread constraints";
const REASON_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// A required constraint with the pods counted in each domain.
#[derive(Clone, Debug)]
struct Counted<'a> {
    spread: &'a Spread,
    counts: BTreeMap<Str, i64>,
    matches_itself: bool,
}

#[derive(Clone, Debug)]
struct Required<'a> {
    pod: &'a Pod,
    constraints: Vec<Counted<'a>>,
}

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let wishes = &cx.pod.wishes;
    let required: Vec<&Spread> = wishes.spread.iter().filter(|s| s.is_required).collect();
    if required.is_empty() {
        return Prepared::Skip;
    }
    let mut constraints: Vec<Counted<'a>> = required
        .iter()
        .map(|spread| Counted {
            spread,
            counts: BTreeMap::new(),
            matches_itself: spread
                .selector
                .as_ref()
                .is_some_and(|s| s.matches(&cx.pod.resident.labels)),
        })
        .collect();
    for node in cx.cache.nodes() {
        if !required
            .iter()
            .all(|spread| node.topology(&spread.topology_key).is_some())
        {
            continue;
        }
        for counted in &mut constraints {
            if !is_included(cx.pod, counted.spread, node) {
                continue;
            }
            let Some(domain) = node.topology(&counted.spread.topology_key) else {
                continue;
            };
            let matching = count(
                node,
                &cx.pod.resident.namespace,
                counted.spread.selector.as_ref(),
            );
            match counted.counts.get_mut(domain) {
                Some(sum) => *sum += matching,
                None => {
                    counted.counts.insert(domain.clone(), matching);
                }
            }
        }
    }
    Prepared::Check(Box::new(Required {
        pod: cx.pod,
        constraints,
    }))
}

impl<'a> Filter<'a> for Required<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        for counted in &self.constraints {
            let Some(domain) = node.topology(&counted.spread.topology_key) else {
                return Err(Refusal::unresolvable(NAME, REASON_LABEL));
            };
            let fewest = if (counted.counts.len() as i64) < counted.spread.min_domains {
                0
            } else {
                counted
                    .counts
                    .values()
                    .copied()
                    .min()
                    .unwrap_or(i64::from(i32::MAX))
            };
            let here = counted.counts.get(domain).copied().unwrap_or(0);
            let skew = here + i64::from(counted.matches_itself) - fewest;
            if skew > counted.spread.max_skew {
                return Err(Refusal::of(NAME, REASON));
            }
        }
        Ok(())
    }

    fn add(&mut self, pod: &Resident, node: &NodeInfo) {
        self.shift(pod, node, 1);
    }

    fn remove(&mut self, pod: &Resident, node: &NodeInfo) {
        self.shift(pod, node, -1);
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

impl Required<'_> {
    fn shift(&mut self, other: &Resident, node: &NodeInfo, by: i64) {
        let keys = || self.constraints.iter().map(|c| &c.spread.topology_key);
        if other.namespace != self.pod.resident.namespace
            || !keys().all(|key| node.topology(key).is_some())
        {
            return;
        }
        for counted in &mut self.constraints {
            let matches = counted
                .spread
                .selector
                .as_ref()
                .is_some_and(|s| s.matches(&other.labels));
            if matches
                && is_included(self.pod, counted.spread, node)
                && let Some(domain) = node.topology(&counted.spread.topology_key)
            {
                *counted.counts.entry(domain.clone()).or_default() += by;
            }
        }
    }
}

/// A wished constraint with what is needed to score a node by it.
#[derive(Debug)]
struct Weighed<'a> {
    spread: Cow<'a, Spread>,
    /// Pods per domain; unused for host names, which are counted node by node.
    counts: BTreeMap<&'a Str, i64>,
    weight: f64,
}

#[derive(Debug)]
struct Wished<'a> {
    namespace: &'a Str,
    constraints: Vec<Weighed<'a>>,
    /// Whether nodes without one of the labels are left out.
    needs_labels: bool,
}

pub fn score<'a>(cx: Context<'a>, nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    let own = &cx.pod.wishes.spread;
    let wished: Vec<Cow<'a, Spread>> = if own.is_empty() {
        defaults(cx)?.into_iter().map(Cow::Owned).collect()
    } else {
        own.iter()
            .filter(|s| !s.is_required)
            .map(Cow::Borrowed)
            .collect()
    };
    if wished.is_empty() {
        return None;
    }
    let needs_labels = !own.is_empty();
    let mut plan = Wished {
        namespace: &cx.pod.resident.namespace,
        constraints: wished
            .into_iter()
            .map(|spread| Weighed {
                spread,
                counts: BTreeMap::new(),
                weight: 0.0,
            })
            .collect(),
        needs_labels,
    };
    let chosen: Vec<&&NodeInfo> = nodes.iter().filter(|node| !plan.ignores(node)).collect();
    for constraint in &mut plan.constraints {
        let key = &constraint.spread.topology_key;
        let size = if *key == HOSTNAME {
            chosen.len()
        } else {
            for node in &chosen {
                constraint
                    .counts
                    .entry(node.topology(key).unwrap_or(&Str::EMPTY))
                    .or_default();
            }
            constraint.counts.len()
        };
        constraint.weight = ln(size as f64 + 2.0);
    }
    plan.count(cx.cache, cx.pod);
    Some(Box::new(plan))
}

impl<'a> Wished<'a> {
    fn ignores(&self, node: &NodeInfo) -> bool {
        self.needs_labels
            && !self
                .constraints
                .iter()
                .all(|c| node.topology(&c.spread.topology_key).is_some())
    }

    fn count(&mut self, cache: &'a Cache, pod: &Pod) {
        if self
            .constraints
            .iter()
            .all(|c| c.spread.topology_key == HOSTNAME)
        {
            return;
        }
        let by_zone =
            |c: &Weighed<'_>| c.spread.topology_key == ZONE || c.spread.topology_key == HOSTNAME;
        let takes_all = pod.wishes.node_selector.is_empty() && pod.wishes.required_nodes.is_none();
        if !self.needs_labels && takes_all && self.constraints.iter().all(by_zone) {
            return self.count_zones(cache);
        }
        for node in cache.nodes() {
            if self.ignores(node) {
                continue;
            }
            for constraint in &mut self.constraints {
                let spread = &constraint.spread;
                if spread.topology_key == HOSTNAME || !is_included(pod, spread, node) {
                    continue;
                }
                let domain = node.topology(&spread.topology_key).unwrap_or(&Str::EMPTY);
                if let Some(sum) = constraint.counts.get_mut(domain) {
                    *sum += count(node, self.namespace, spread.selector.as_ref());
                }
            }
        }
    }
}

impl<'a> Wished<'a> {
    /// The same for the default constraints, from what the cache has counted already.
    fn count_zones(&mut self, cache: &'a Cache) {
        for constraint in &mut self.constraints {
            let Some(selector) = &constraint.spread.selector else {
                continue;
            };
            if constraint.spread.topology_key != ZONE || selector.requirements.is_empty() {
                continue;
            }
            for (resident, zones) in cache.zones_of_pods() {
                if resident.namespace != *self.namespace || !selector.matches(&resident.labels) {
                    continue;
                }
                for (zone, pods) in zones {
                    if let Some(sum) = constraint.counts.get_mut(zone) {
                        *sum += pods;
                    }
                }
            }
        }
    }
}

impl Score for Wished<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        if self.ignores(node) {
            return 0;
        }
        let mut score = 0.0;
        for constraint in &self.constraints {
            let spread = &constraint.spread;
            let Some(domain) = node.topology(&spread.topology_key) else {
                continue;
            };
            let pods = if spread.topology_key == HOSTNAME {
                count(node, self.namespace, spread.selector.as_ref())
            } else {
                constraint.counts.get(domain).copied().unwrap_or(0)
            };
            score += pods as f64 * constraint.weight + (spread.max_skew - 1) as f64;
        }
        score.round() as i64
    }

    fn normalize(&self, nodes: &[&NodeInfo], scores: &mut [i64]) {
        let counted = || {
            nodes
                .iter()
                .zip(scores.iter())
                .filter(|(node, _)| !self.ignores(node))
                .map(|(_, s)| *s)
        };
        let most = counted().max().unwrap_or(0);
        let least = counted().min().unwrap_or(0);
        for (node, score) in nodes.iter().zip(scores) {
            *score = if self.ignores(node) {
                0
            } else if most == 0 {
                MAX_SCORE
            } else {
                MAX_SCORE * (most + least - *score) / most
            };
        }
    }
}

/// The constraints of pods that bring none: by zone and by host, for the pods of their service or controller.
fn defaults(cx: Context<'_>) -> Option<Vec<Spread>> {
    let selector = cx.objects.selector_for(cx.pod)?;
    let spread = |max_skew, topology_key: &'static str| Spread {
        max_skew,
        topology_key: topology_key.into(),
        is_required: false,
        selector: Some(selector.clone()),
        min_domains: 1,
        honors_affinity: true,
        honors_taints: false,
    };
    Some(vec![spread(3, HOSTNAME), spread(5, ZONE)])
}

fn is_included(pod: &Pod, spread: &Spread, node: &NodeInfo) -> bool {
    (!spread.honors_affinity || pod.wishes.accepts_labels(&node.name, &node.labels))
        && (!spread.honors_taints || untolerated(&pod.wishes, &node.taints).is_none())
}

/// Pods on a node that a selector chooses and that are not going away. An empty selector counts none.
fn count(node: &NodeInfo, namespace: &Str, selector: Option<&Selector>) -> i64 {
    let Some(selector) = selector.filter(|s| !s.requirements.is_empty()) else {
        return 0;
    };
    node.groups
        .iter()
        .filter(|g| g.resident.namespace == *namespace && selector.matches(&g.resident.labels))
        .map(|g| g.count - g.deleting)
        .sum()
}

/// The natural logarithm from `+ - * /` alone, so that native and wasm agree to the last bit.
fn ln(x: f64) -> f64 {
    let (mut mantissa, mut twos) = (x, 0.0);
    while mantissa > 1.5 {
        mantissa /= 2.0;
        twos += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is at most 1/5 in size here.
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let (mut sum, mut power, mut odd) = (0.0, ratio, 1.0);
    for _ in 0..16 {
        sum += power / odd;
        power *= square;
        odd += 2.0;
    }
    2.0 * sum + twos * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_logarithm_is_one() {
        for (x, known) in [
            (7.0, 1.945_910_149_055_313_2),
            (5.0, 1.609_437_912_434_100_3),
            (5002.0, 8.517_593_111_437_563),
        ] {
            assert!(
                (super::ln(x) - known).abs() < 1e-12,
                "ln {x} = {}",
                super::ln(x)
            );
        }
    }
}
