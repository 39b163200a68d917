//! A node must have room for what the pod requests; emptier nodes score higher.
//!
//! Models `plugins/noderesources/fit.go` with the `LeastAllocated` strategy.

use api::Str;

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, MAX_SCORE, Prepared, Refusal, Score};
use crate::pod::Resident;

pub const NAME: &str = "NodeResourcesFit";

#[derive(Clone, Debug)]
struct Fit<'a>(&'a Resident);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    Prepared::Check(Box::new(Fit(&cx.pod.resident)))
}

impl<'a> Filter<'a> for Fit<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        let mut reasons: Vec<Str> = Vec::new();
        let mut is_unresolvable = false;
        if node.pod_count + 1 > node.pod_limit {
            reasons.push("Too many pods".into());
        }
        let wanted = &self.0.requests;
        let (has, used) = (&node.allocatable, &node.requested);
        for (reason, want, has, used) in [
            (
                "Insufficient cpu",
                wanted.milli_cpu,
                has.milli_cpu,
                used.milli_cpu,
            ),
            (
                "Insufficient memory",
                wanted.memory,
                has.memory,
                used.memory,
            ),
            (
                "Insufficient ephemeral-storage",
                wanted.ephemeral,
                has.ephemeral,
                used.ephemeral,
            ),
        ] {
            if want > 0 && want > has - used {
                reasons.push(reason.into());
                is_unresolvable |= want > has;
            }
        }
        for (name, want) in &wanted.scalars {
            let (has, used) = (has.scalar(name), used.scalar(name));
            if *want > 0 && *want > has - used {
                reasons.push(format!("Insufficient {name}").into());
                is_unresolvable |= *want > has;
            }
        }
        if reasons.is_empty() {
            return Ok(());
        }
        Err(Refusal {
            plugin: NAME,
            is_unresolvable,
            reasons,
        })
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

#[derive(Debug)]
struct LeastAllocated<'a>(&'a Resident);

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    Some(Box::new(LeastAllocated(&cx.pod.resident)))
}

impl Score for LeastAllocated<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for (has, used) in [
            (
                node.allocatable.milli_cpu,
                node.non_zero.0 + self.0.non_zero.0,
            ),
            (node.allocatable.memory, node.non_zero.1 + self.0.non_zero.1),
        ] {
            if has == 0 {
                continue;
            }
            weights += 1;
            if used <= has {
                sum += (has - used) * MAX_SCORE / has;
            }
        }
        if weights == 0 { 0 } else { sum / weights }
    }
}
