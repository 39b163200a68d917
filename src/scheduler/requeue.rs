//! Which events could help which waiting pods: the queueing hints of the plugins.
//!
//! A hint may be wrong in one direction only: a pod that could now be placed must be tried.

use crate::cache::{Cache, NodeChange, NodeInfo};
use crate::framework::{Context, FILTERS, Prepared};
use crate::objects::Objects;
use crate::plugins::{
    inter_pod_affinity, node_affinity, node_ports, node_resources_fit, node_unschedulable,
    node_volume_limits, pod_topology_spread, taint_toleration, volume_binding, volume_restrictions,
    volume_zone,
};
use crate::pod::Resident;
use crate::queue::Entry;

/// A pod left a node, or was moved out of the way.
pub(crate) fn pod_left_helps(entry: &Entry, gone: &Resident) -> bool {
    let me = &entry.pod.resident;
    if entry.plugins.is_empty() {
        return true;
    }
    entry.plugins.iter().any(|plugin| match *plugin {
        node_resources_fit::NAME => true,
        node_volume_limits::NAME => !gone.claims.is_empty(),
        node_ports::NAME => me
            .ports
            .iter()
            .any(|a| gone.ports.iter().any(|b| node_ports::conflict(a, b))),
        pod_topology_spread::NAME => {
            gone.namespace == me.namespace
                && entry.pod.wishes.spread.iter().any(|s| {
                    s.selector
                        .as_ref()
                        .is_some_and(|selector| selector.matches(&gone.labels))
                })
        }
        inter_pod_affinity::NAME => !me.anti_affinity.is_empty() || gone.has_affinity(),
        _ => false,
    })
}

/// A pod came to a node, or its labels changed there.
pub(crate) fn pod_came_helps(entry: &Entry, came: &Resident) -> bool {
    let me = &entry.pod.resident;
    entry.plugins.iter().any(|plugin| match *plugin {
        pod_topology_spread::NAME => came.namespace == me.namespace,
        inter_pod_affinity::NAME => !me.affinity.is_empty(),
        _ => false,
    })
}

/// A claim, volume or storage class appeared or changed.
pub(crate) fn storage_helps(entry: &Entry) -> bool {
    let storage = [
        volume_binding::NAME,
        volume_restrictions::NAME,
        volume_zone::NAME,
        node_volume_limits::NAME,
    ];
    storage.iter().any(|name| entry.plugins.contains(name))
}

/// A node appeared or changed.
pub(crate) fn node_helps(
    entry: &Entry,
    node: &NodeInfo,
    change: NodeChange,
    cache: &Cache,
    objects: &Objects,
) -> bool {
    if entry.plugins.is_empty() {
        return true;
    }
    let concerned = entry.plugins.iter().any(|plugin| {
        change.is_new
            || match *plugin {
                node_resources_fit::NAME => change.allocatable,
                node_affinity::NAME | inter_pod_affinity::NAME => change.labels,
                volume_zone::NAME => change.labels,
                pod_topology_spread::NAME => change.labels || change.taints,
                node_unschedulable::NAME | taint_toleration::NAME => change.taints,
                _ => false,
            }
    });
    concerned && passes_cheap_filters(entry, node, cache, objects)
}

/// Whether the filters that look at the node alone would now let the pod in.
fn passes_cheap_filters(entry: &Entry, node: &NodeInfo, cache: &Cache, objects: &Objects) -> bool {
    let cx = Context {
        cache,
        objects,
        pod: &entry.pod,
    };
    let alone = [
        node_unschedulable::NAME,
        taint_toleration::NAME,
        node_affinity::NAME,
    ];
    FILTERS
        .iter()
        .filter(|(name, _)| alone.contains(name))
        .all(|(_, make)| match make(cx) {
            Prepared::Check(filter) | Prepared::Among(_, filter) => filter.check(node).is_ok(),
            Prepared::Skip => true,
            Prepared::Refuse(_) => false,
        })
}
