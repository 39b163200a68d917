//! Refuses nodes that are cordoned. Models `plugins/nodeunschedulable`.

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};
use crate::pod::Taint;

pub const NAME: &str = "NodeUnschedulable";

#[derive(Clone, Debug)]
struct Unschedulable {
    is_tolerated: bool,
}

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".into(),
        value: "".into(),
        effect: "NoSchedule".into(),
    };
    Prepared::Check(Box::new(Unschedulable {
        is_tolerated: cx.pod.wishes.tolerates(&taint),
    }))
}

impl<'a> Filter<'a> for Unschedulable {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if node.is_unschedulable && !self.is_tolerated {
            return Err(Refusal::unresolvable(NAME, "node(s) were unschedulable"));
        }
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
