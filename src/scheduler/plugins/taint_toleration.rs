//! Keeps pods off nodes whose taints they do not tolerate. Models `plugins/tainttoleration`.

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal, Score, normalize};
use crate::pod::{Taint, Toleration, Wishes};

pub const NAME: &str = "TaintToleration";

#[derive(Clone, Debug)]
struct Taints<'a>(&'a Wishes);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    Prepared::Check(Box::new(Taints(&cx.pod.wishes)))
}

/// The first taint that would keep the pod from being scheduled.
pub fn untolerated<'n>(wishes: &Wishes, taints: &'n [Taint]) -> Option<&'n Taint> {
    taints.iter().find(|taint| {
        matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute") && !wishes.tolerates(taint)
    })
}

impl<'a> Filter<'a> for Taints<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        match untolerated(self.0, &node.taints) {
            None => Ok(()),
            Some(_) => Err(Refusal::unresolvable(
                NAME,
                "node(s) had untolerated taint(s)",
            )),
        }
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

#[derive(Debug)]
struct Preference<'a>(Vec<&'a Toleration>);

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    let relevant = |t: &&Toleration| t.effect.is_empty() || t.effect == "PreferNoSchedule";
    Some(Box::new(Preference(
        cx.pod.wishes.tolerations.iter().filter(relevant).collect(),
    )))
}

impl Score for Preference<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        let unwelcome = |taint: &&Taint| {
            taint.effect == "PreferNoSchedule" && !self.0.iter().any(|t| t.tolerates(taint))
        };
        node.taints.iter().filter(unwelcome).count() as i64
    }

    fn normalize(&self, _nodes: &[&NodeInfo], scores: &mut [i64]) {
        normalize(scores, true);
    }
}
