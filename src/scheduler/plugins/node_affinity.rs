//! `spec.nodeSelector` and node affinity. Models `plugins/nodeaffinity`.

use api::Str;

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal, Score, normalize};
use crate::pod::Wishes;
use crate::selector::{NodeTerm, Operator};

pub const NAME: &str = "NodeAffinity";

#[derive(Clone, Debug)]
struct Affinity<'a>(&'a Wishes);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let wishes = &cx.pod.wishes;
    if wishes.node_selector.is_empty() && wishes.required_nodes.is_none() {
        return Prepared::Skip;
    }
    let check = Box::new(Affinity(wishes));
    match named(wishes) {
        None => Prepared::Check(check),
        Some(names) if names.is_empty() => {
            Prepared::Refuse(Refusal::unresolvable(NAME, "pod affinity terms conflict"))
        }
        Some(names) => Prepared::Among(names, check),
    }
}

/// The nodes that the terms name, if every term names some: how a DaemonSet's pods find theirs quickly.
fn named(wishes: &Wishes) -> Option<Vec<Str>> {
    let terms = wishes
        .required_nodes
        .as_ref()
        .filter(|terms| !terms.is_empty())?;
    let mut names = Vec::new();
    for term in terms {
        let mut of_term: Option<Vec<Str>> = None;
        for requirement in &term.fields {
            if requirement.key == "metadata.name" && requirement.operator == Operator::In {
                of_term = Some(match of_term {
                    None => requirement.values.clone(),
                    Some(known) => known
                        .into_iter()
                        .filter(|n| requirement.values.contains(n))
                        .collect(),
                });
            }
        }
        names.extend(of_term?);
    }
    names.sort();
    names.dedup();
    Some(names)
}

impl<'a> Filter<'a> for Affinity<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if self.0.accepts_labels(&node.name, &node.labels) {
            return Ok(());
        }
        let reason = "node(s) didn't match Pod's node affinity/selector";
        Err(Refusal::unresolvable(NAME, reason))
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

#[derive(Debug)]
struct Preferred<'a>(&'a [(i64, NodeTerm)]);

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    let terms = &cx.pod.wishes.preferred_nodes;
    (!terms.is_empty()).then(|| Box::new(Preferred(terms)) as Box<dyn Score>)
}

impl Score for Preferred<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        let fits = |(_, term): &&(i64, NodeTerm)| term.matches(&node.name, &node.labels);
        self.0.iter().filter(fits).map(|(weight, _)| weight).sum()
    }

    fn normalize(&self, _nodes: &[&NodeInfo], scores: &mut [i64]) {
        normalize(scores, false);
    }
}
