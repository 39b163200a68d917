//! Deletes pods from nodes whose `NoExecute` taints they do not tolerate, or no longer.
//!
//! A toleration with `tolerationSeconds` gives the pod that long. Models `pkg/controller/tainteviction` at v1.36;
//! keys are pods.

use std::collections::BTreeMap;

use api::core::{NODES, PODS, Pod};
use api::meta::Meta;
use api::{Request, Resource, Str, Value, list, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use super::tolerates;
use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

/// The taint eviction controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaintEviction {
    /// When pods are to go, by their key; the UID tells a later pod of the same name.
    scheduled: BTreeMap<ObjectKey, Scheduled>,
}

#[derive(Clone, Debug, PartialEq)]
struct Scheduled {
    uid: Str,
    /// When the toleration began to run.
    since: Time,
    at: Time,
}

/// How long a pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    Forever,
    For(Micros),
}

fn no_execute(node: &Value) -> Vec<&Value> {
    let taints = node.path("spec.taints").items().iter();
    taints.filter(|t| t.str("effect") == "NoExecute").collect()
}

/// What the pod's tolerations say to these taints: every taint must be tolerated, the shortest time counts.
fn stay(pod: &Value, taints: &[&Value]) -> Stay {
    let tolerations = pod.path("spec.tolerations").items();
    let mut shortest: Option<i64> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|t| tolerates(t, taint)) else {
            return Stay::For(0);
        };
        if let Some(secs) = toleration.int("tolerationSeconds") {
            shortest = Some(shortest.map_or(secs, |s| s.min(secs)));
        }
    }
    match shortest {
        None => Stay::Forever,
        Some(secs) => Stay::For(secs.max(0) as Micros * SECOND),
    }
}

impl Controller for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn kind(&self) -> &'static str {
        "pods"
    }

    fn workers(&self) -> usize {
        8
    }

    fn watches(&self) -> Vec<Resource> {
        vec![NODES, PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == PODS {
            let key = ObjectKey::of(change.object());
            match &change.new {
                Some(pod) => {
                    let node = |pod| Pod(pod).node_name();
                    let tolerations = |pod: &Value| pod.path("spec.tolerations").clone();
                    let is_same = change.old.as_ref().is_some_and(|old| {
                        node(old) == node(pod) && tolerations(old) == tolerations(pod)
                    });
                    if !is_same && !node(pod).is_empty() {
                        keys.add(key);
                    }
                }
                None if self.scheduled.contains_key(&key) => keys.add(key),
                None => {}
            }
            return;
        }
        let taints = |node: &Option<Value>| -> Vec<Value> {
            let taints = node.as_ref().map(no_execute).unwrap_or_default();
            taints.into_iter().cloned().collect()
        };
        if taints(&change.old) == taints(&change.new) {
            return;
        }
        let name = Meta::of(change.object()).name();
        for pod in caches.cache(&PODS).on_node(name) {
            keys.add(ObjectKey::of(pod));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let pod = s.get_key(&PODS, key);
        let Some(pod) = pod.filter(|pod| !Meta::of(pod).is_deleting()) else {
            if s.first_time() {
                self.scheduled.remove(key);
            }
            return Ok(());
        };
        let node = s.get(&NODES, "", Pod(&pod).node_name());
        let taints = node.as_ref().map(no_execute).unwrap_or_default();
        let now = s.now();
        if s.first_time() {
            self.plan(key, &pod, &taints, now);
        }
        let planned = self.scheduled.get(key).map(|scheduled| scheduled.at);
        let due = s.read(|_| planned.iter().map(|at| Value::Int(at.0 as i64)).collect());
        let Some(at) = due.first().and_then(Value::as_int) else {
            return Ok(());
        };
        let at = Time(at as u64);
        if at > now {
            s.again_at(at);
            return Ok(());
        }
        evict(&pod, key, s)?;
        if s.first_time() {
            self.scheduled.remove(key);
        }
        Ok(())
    }
}

impl TaintEviction {
    /// Decides when the pod goes. A taint that comes while a time runs does not prolong it.
    fn plan(&mut self, key: &ObjectKey, pod: &Value, taints: &[&Value], now: Time) {
        let uid = Meta::of(pod).shared_uid();
        let known = self.scheduled.get(key).filter(|known| known.uid == uid);
        if taints.is_empty() {
            self.scheduled.remove(key);
            return;
        }
        let Stay::For(span) = stay(pod, taints) else {
            self.scheduled.remove(key);
            return;
        };
        let since = known.map_or(now, |known| known.since);
        let at = since + span;
        self.scheduled
            .insert(key.clone(), Scheduled { uid, since, at });
    }
}

fn evict(pod: &Value, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
    let about = ObjectRef {
        resource_version: Str::EMPTY,
        ..ObjectRef::of(pod, "v1", "Pod")
    };
    s.event(
        &about,
        Severity::Normal,
        "TaintManagerEviction",
        format!("Marking for deletion Pod {key}"),
    );
    disrupt(
        pod,
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
        s,
    )?;
    s.must_unless_gone(Request::delete(
        &PODS,
        key.namespace.clone(),
        key.name.clone(),
    ))
}

/// Marks a pod with the condition `DisruptionTarget` before it is deleted.
pub(crate) fn disrupt(
    pod: &Value,
    reason: &'static str,
    message: &'static str,
    s: &mut Sync<'_, '_>,
) -> Step {
    let condition = map! {
        "type": "DisruptionTarget", "status": "True", "reason": reason, "message": message,
        "observedGeneration": Meta::of(pod).generation(),
        "lastTransitionTime": s.now().rfc3339(),
    };
    let meta = Meta::of(pod);
    let request = Request::patch(
        &PODS,
        meta.shared_namespace(),
        meta.shared_name(),
        api::PatchKind::Strategic,
        map! { "metadata": map! { "uid": meta.shared_uid() }, "status": map! { "conditions": list![condition] } },
    );
    s.must_unless_gone(request.subresource("status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_give_time_as_documented() {
        let taint = super::super::taint("down", "NoExecute");
        let pod = |tolerations: Value| map! { "spec": map! { "tolerations": tolerations } };
        for (what, tolerations, expected) in [
            ("none", list![], Stay::For(0)),
            (
                "another key",
                list![map! { "key": "up", "operator": "Exists" }],
                Stay::For(0),
            ),
            (
                "for ever",
                list![map! { "operator": "Exists" }],
                Stay::Forever,
            ),
            (
                "five minutes",
                list![
                    map! { "key": "down", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }
                ],
                Stay::For(300 * SECOND),
            ),
            (
                "another value",
                list![map! { "key": "down", "value": "x" }],
                Stay::For(0),
            ),
        ] {
            assert_eq!(stay(&pod(tolerations), &[&taint]), expected, "{what}");
        }
    }
}
