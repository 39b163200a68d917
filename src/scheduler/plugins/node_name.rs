//! Holds a pod to the node it names. Models `plugins/nodename`.

use api::Str;

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};

pub const NAME: &str = "NodeName";

#[derive(Clone, Debug)]
struct Named(Str);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    if cx.pod.wishes.node_name.is_empty() {
        return Prepared::Skip;
    }
    Prepared::Check(Box::new(Named(cx.pod.wishes.node_name.clone())))
}

impl<'a> Filter<'a> for Named {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if node.name != self.0 {
            let reason = "node(s) didn't match the requested node name";
            return Err(Refusal::unresolvable(NAME, reason));
        }
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
