//! The tools by name, in order, for a binary search.

use super::Run::{Filter, Live, Now};
use super::*;

pub(super) const TABLE: &[Spec] = &[
    tool("cat", Filter(cat::cat)),
    tool("cut", Filter(fields::cut)),
    tool("echo", Now(echo::echo)),
    tool("egrep", Filter(grep::grep)),
    tool("env", Live(batch::env)),
    tool("fgrep", Filter(grep::grep)),
    tool("grep", Filter(grep::grep)),
    tool("head", Filter(head::head)),
    tool("ionice", Live(batch::wrapper)),
    tool("nice", Live(batch::wrapper)),
    tool("nohup", Live(batch::wrapper)),
    tool("pause", Live(live::pause)),
    tool("printf", Now(printf::printf)),
    tool("rev", Filter(fields::rev)),
    tool("setsid", Live(batch::wrapper)),
    tool("sleep", Live(live::sleep)),
    tool("stdbuf", Live(batch::wrapper)),
    tool("sudo", Live(batch::wrapper)),
    tool("tail", Live(tail::tail)),
    tool("tee", Filter(cat::tee)),
    tool("time", Live(batch::time)),
    tool("timeout", Live(batch::timeout)),
    tool("uniq", Filter(fields::uniq)),
    tool("watch", Live(batch::watch)),
    tool("xargs", Live(batch::xargs)),
    tool("yes", Live(live::yes)),
];

const fn tool(name: &'static str, run: Run) -> Spec {
    Spec { name, run }
}

/// The names of all tools, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|spec| spec.name)
}
