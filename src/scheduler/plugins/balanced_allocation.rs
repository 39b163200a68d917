//! Prefers nodes whose CPU and memory would be used in equal parts.
//!
//! Models `plugins/noderesources/balanced_allocation.go`: half of the score is how much the pod improves the balance.

use crate::cache::NodeInfo;
use crate::framework::{Context, MAX_SCORE, Score};
use crate::pod::Resident;

pub const NAME: &str = "NodeResourcesBalancedAllocation";

#[derive(Debug)]
struct Balanced<'a>(&'a Resident);

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    let asked = &cx.pod.resident.requests;
    if asked.milli_cpu == 0 && asked.memory == 0 {
        return None;
    }
    Some(Box::new(Balanced(&cx.pod.resident)))
}

impl Score for Balanced<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        let (used, asked) = (&node.requested, &self.0.requests);
        let without = balance(node, used.milli_cpu, used.memory);
        let with = balance(
            node,
            used.milli_cpu + asked.milli_cpu,
            used.memory + asked.memory,
        );
        MAX_SCORE / 2 + (MAX_SCORE / 2 + with - without) / 2
    }
}

/// 100 less the standard deviation of the used fractions.
fn balance(node: &NodeInfo, milli_cpu: i64, memory: i64) -> i64 {
    let has = &node.allocatable;
    if has.milli_cpu == 0 || has.memory == 0 {
        return MAX_SCORE;
    }
    let fraction = |used: i64, has: i64| (used as f64 / has as f64).min(1.0);
    let gap = fraction(milli_cpu, has.milli_cpu) - fraction(memory, has.memory);
    ((1.0 - (gap / 2.0).abs()) * MAX_SCORE as f64) as i64
}
