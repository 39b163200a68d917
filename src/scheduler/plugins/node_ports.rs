//! Host ports can be taken once per node. Models `plugins/nodeports`.

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};
use crate::pod::HostPort;

pub const NAME: &str = "NodePorts";

#[derive(Clone, Debug)]
struct Ports<'a>(&'a [HostPort]);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let wanted = &cx.pod.resident.ports;
    if wanted.is_empty() {
        return Prepared::Skip;
    }
    Prepared::Check(Box::new(Ports(wanted)))
}

/// Whether two ports cannot be open on one machine. `0.0.0.0` is every address.
pub fn conflict(a: &HostPort, b: &HostPort) -> bool {
    a.port == b.port
        && a.protocol == b.protocol
        && (a.ip == b.ip || a.ip == "0.0.0.0" || b.ip == "0.0.0.0")
}

impl<'a> Filter<'a> for Ports<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if self
            .0
            .iter()
            .any(|mine| node.ports.iter().any(|theirs| conflict(mine, theirs)))
        {
            let reason = "node(s) didn't have free ports for the requested pod ports";
            return Err(Refusal::of(NAME, reason));
        }
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
