//! Deletes pods that nobody else would: of nodes that are gone, never scheduled but deleted, and too many finished ones.
//!
//! Models `pkg/controller/podgc` at v1.36. One key, the empty name, for the round of every 20 seconds.

use std::collections::BTreeMap;

use api::core::{NODES, PODS, Pod};
use api::meta::Meta;
use api::{Request, Resource, Str, Value};
use client::{Change, Informers, ObjectKey};
use sim::{Micros, SECOND, Time};

use crate::node::eviction::disrupt;
use crate::pods;
use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

const PERIOD: Micros = 20 * SECOND;
/// A node must be gone this long before its pods are (`quarantineTime`).
const QUARANTINE: Micros = 40 * SECOND;
/// `--terminated-pod-gc-threshold`.
const MAX_FINISHED: usize = 12_500;

/// The pod garbage collector.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodCollector {
    /// Since when pods name a node that is not there.
    missing: BTreeMap<Str, Time>,
}

impl Controller for PodCollector {
    fn name(&self) -> &'static str {
        "pod-garbage-collector-controller"
    }

    fn kind(&self) -> &'static str {
        "pods"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![PODS, NODES]
    }

    fn start(&mut self, keys: &mut Keys<'_>) {
        keys.add_after(PERIOD, ObjectKey::new("", ""));
    }

    fn observe(&mut self, _: &Resource, _: &Change, _: &Informers, _: &mut Keys<'_>) {}

    fn sync(&mut self, _: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        s.again_after(PERIOD);
        let surplus = s.read(surplus_finished);
        for pod in surplus.iter() {
            delete(pod, s)?;
        }
        let lost = s.read(|caches| {
            let nodes = caches.cache(&NODES);
            let is_lost = |pod: &&Value| {
                let node = Pod(pod).node_name();
                !node.is_empty() && nodes.get("", node).is_none()
            };
            caches.cache(&PODS).all().filter(is_lost).cloned().collect()
        });
        let now = s.now();
        if s.first_time() {
            let names = lost
                .iter()
                .map(|pod| pod.get("spec").shared_str("nodeName"));
            let mut missing = std::mem::take(&mut self.missing);
            for name in names {
                let since = missing.remove(&name).unwrap_or(now);
                self.missing.entry(name).or_insert(since);
            }
        }
        for pod in lost.iter() {
            let since = self.missing.get(Pod(pod).node_name());
            let is_old = since.is_some_and(|since| now.since(*since) >= QUARANTINE);
            if !s.remember(is_old) {
                continue;
            }
            let node = pod.get("spec").shared_str("nodeName");
            if s.call(Request::get(&NODES, "", node))?.code != 404 {
                continue;
            }
            fail(pod, s)?;
            delete(pod, s)?;
        }
        let unscheduled = s.read(|caches| {
            let is_stuck =
                |pod: &&Value| Meta::of(pod).is_deleting() && Pod(pod).node_name().is_empty();
            caches
                .cache(&PODS)
                .all()
                .filter(is_stuck)
                .cloned()
                .collect()
        });
        for pod in unscheduled.iter() {
            delete(pod, s)?;
        }
        Ok(())
    }
}

/// The oldest finished pods beyond the threshold.
fn surplus_finished(caches: &Informers) -> Vec<Value> {
    let finished = caches
        .cache(&PODS)
        .all()
        .filter(|pod| pods::is_finished(pod));
    let mut finished: Vec<Value> = finished.cloned().collect();
    if finished.len() <= MAX_FINISHED {
        return Vec::new();
    }
    finished.sort_by_key(|pod| {
        let meta = Meta::of(pod);
        (meta.creation_time(), meta.key())
    });
    finished.truncate(finished.len() - MAX_FINISHED);
    finished
}

/// A pod whose node is gone has failed.
fn fail(pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    if pods::is_finished(pod) {
        return Ok(());
    }
    disrupt(pod, "DeletionByPodGC", "PodGC: node no longer exists", s)?;
    let meta = Meta::of(pod);
    let patch = api::map! { "status": api::map! { "phase": "Failed" } };
    let request = Request::patch(
        &PODS,
        meta.shared_namespace(),
        meta.shared_name(),
        api::PatchKind::Strategic,
        patch,
    );
    s.call(request.subresource("status")).map(|_| ())
}

fn delete(pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    let meta = Meta::of(pod);
    let mut request = Request::delete(&PODS, meta.shared_namespace(), meta.shared_name());
    request.options.grace_period_secs = Some(0);
    request.options.precondition_uid = Some(meta.shared_uid());
    s.call(request).map(|_| ())
}
