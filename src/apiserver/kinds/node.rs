//! Nodes and the leases by which they are seen to live.

use api::{Value, map};

use super::Rules;
use super::fill::fill;
use crate::metadata::keep;

pub(crate) static NODE: Rules = Rules {
    // A kubelet registers its node together with its status.
    keeps_status_on_create: true,
    defaults: |object| {
        fill(object, "spec", map! {});
        fill(object, "status", map! {});
    },
    prepare_create: |object| fill_allocatable(object),
    prepare_update: |object, old| keep(object, old, "status"),
    prepare_status: |object, _| fill_allocatable(object),
    validate: crate::validate::node::node,
    validate_update: crate::validate::node::node_update,
    ..Rules::PLAIN
};

pub(crate) static LEASE: Rules = Rules {
    creates_on_update: true,
    unconditional_update: false,
    defaults: |object| fill(object, "spec", map! {}),
    validate: crate::validate::node::lease,
    ..Rules::PLAIN
};

/// A node that does not say what pods may use offers all that it has (`SetDefaults_NodeStatus`).
fn fill_allocatable(node: &mut Value) {
    let capacity = node.path("status.capacity");
    if node.path("status.allocatable").is_null() && !capacity.is_empty() {
        let capacity = capacity.clone();
        node.set_path("status.allocatable", capacity);
    }
}
