//! Finds nodes that stopped reporting, says so in their conditions, and taints them.
//!
//! A node reports by renewing its lease and its status. After `node-monitor-grace-period` without either, its conditions
//! become Unknown; taints follow conditions; when many nodes of a zone fail at once, evictions slow down or stop,
//! for then the network is the likelier culprit. Models `pkg/controller/nodelifecycle` at v1.36.
//! Keys are nodes, and the empty name for the round that looks at all of them every five seconds.

use std::collections::BTreeMap;

use api::core::{LEASES, NODES, PODS};
use api::meta::{self, Meta};
use api::{PatchKind, Request, Resource, Str, Value, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use super::{NOT_READY, UNREACHABLE, is_same_taint, taint};
use crate::runner::{Controller, Keys, update_status};
use crate::sync::{Step, Sync};

/// `--node-monitor-period`, `--node-monitor-grace-period`, `--node-startup-grace-period`.
const MONITOR_PERIOD: Micros = 5 * SECOND;
const MONITOR_GRACE: Micros = 50 * SECOND;
const STARTUP_GRACE: Micros = 60 * SECOND;
/// `--node-eviction-rate` 0.1 and `--secondary-node-eviction-rate` 0.01 nodes a second.
const EVICTION_PERIOD: Micros = 10 * SECOND;
const SECONDARY_EVICTION_PERIOD: Micros = 100 * SECOND;
/// `--unhealthy-zone-threshold` 55 % and `--large-cluster-size-threshold` 50 nodes.
const UNHEALTHY_PERCENT: usize = 55;
const LARGE_ZONE: usize = 50;

const LEASE_NAMESPACE: &str = "kube-node-lease";

/// Which NoSchedule taint a condition stands for: condition, its status, the taint.
const CONDITION_TAINTS: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    (
        "MemoryPressure",
        "True",
        "node.kubernetes.io/memory-pressure",
    ),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    (
        "NetworkUnavailable",
        "True",
        "node.kubernetes.io/network-unavailable",
    ),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The node lifecycle controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeLifecycle {
    health: BTreeMap<Str, Health>,
    zones: BTreeMap<Str, Zone>,
}

/// When a node last gave a sign of life, and what that was.
#[derive(Clone, Debug, PartialEq)]
struct Health {
    heard_at: Time,
    lease: Str,
    heartbeat: Str,
}

#[derive(Clone, Debug, Default)]
struct Zone {
    state: ZoneState,
    /// When the next node of this zone may get a NoExecute taint.
    next_taint: Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ZoneState {
    #[default]
    Normal,
    /// More than 55 % (and more than two) of the nodes are not ready.
    Partial { is_large: bool },
    /// No node is ready.
    Full,
}

fn round_key() -> ObjectKey {
    ObjectKey::new("", "")
}

fn zone_of(node: &Value) -> Str {
    let label = |key| Meta::of(node).label(key).unwrap_or_default();
    let region = label("topology.kubernetes.io/region");
    let zone = label("topology.kubernetes.io/zone");
    format!("{region}:\0:{zone}").into()
}

fn ready_status(node: &Value) -> &str {
    meta::condition(node, "Ready").map_or("", |c| c.status())
}

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn kind(&self) -> &'static str {
        "nodes"
    }

    fn workers(&self) -> usize {
        8
    }

    fn watches(&self) -> Vec<Resource> {
        vec![NODES, LEASES, PODS]
    }

    fn start(&mut self, keys: &mut Keys<'_>) {
        keys.add(round_key());
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == NODES {
            let key = ObjectKey::of(change.object());
            if change.is_deleted() {
                self.health.remove(&key.name);
            } else {
                keys.add(key);
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if key.name.is_empty() {
            s.again_after(MONITOR_PERIOD);
            return self.monitor(s);
        }
        taint_by_condition(key, s)
    }
}

impl NodeLifecycle {
    /// Looks at all nodes.
    fn monitor(&mut self, s: &mut Sync<'_, '_>) -> Step {
        let nodes = s.list(&NODES, |cache| cache.all());
        let mut ready_by_zone: BTreeMap<Str, Vec<bool>> = BTreeMap::new();
        let mut suspects = Vec::new();
        for node in nodes.iter() {
            if self.is_new(node, s) {
                let name = Meta::of(node).name();
                s.event(
                    &node_reference(node),
                    Severity::Normal,
                    "RegisteredNode",
                    format!("Node {name} event: Registered Node {name} in Controller"),
                );
            }
            let was_ready = ready_status(node) == "True";
            let observed = self.observe_health(node, s)?;
            let status = ready_status(&observed).to_owned();
            ready_by_zone
                .entry(zone_of(node))
                .or_default()
                .push(status == "True");
            if was_ready && status != "True" {
                self.fail_pods(&observed, s)?;
            }
            suspects.push((observed, status));
        }
        if s.first_time() {
            self.judge_zones(&ready_by_zone, s.now());
        }
        for (node, status) in suspects {
            self.taint_no_execute(&node, &status, s)?;
        }
        Ok(())
    }

    fn is_new(&self, node: &Value, s: &mut Sync<'_, '_>) -> bool {
        s.remember(!self.health.contains_key(Meta::of(node).name()))
    }

    /// Notes signs of life; makes the conditions Unknown if there was none for too long. Returns the node as it is now.
    fn observe_health(&mut self, node: &Value, s: &mut Sync<'_, '_>) -> Step<Value> {
        let name = Meta::of(node).shared_name();
        let now = s.now();
        let lease = s.get(&LEASES, LEASE_NAMESPACE, &name);
        let renewed = lease.map(|lease| lease.get("spec").shared_str("renewTime"));
        let renewed = renewed.unwrap_or_default();
        let ready = meta::condition(node, "Ready");
        let heartbeat = ready.map(|c| c.0.shared_str("lastHeartbeatTime"));
        let heartbeat = heartbeat.unwrap_or_default();
        let transition = ready.map(|c| c.0.shared_str("lastTransitionTime"));
        let heartbeat = format!("{heartbeat} {}", transition.unwrap_or_default()).into();
        if s.first_time() {
            let created = Meta::of(node).creation_time().unwrap_or(now);
            let health = self.health.entry(name).or_insert(Health {
                heard_at: if ready.is_some() { now } else { created },
                lease: renewed.clone(),
                heartbeat: Str::clone(&heartbeat),
            });
            if health.lease != renewed || health.heartbeat != heartbeat {
                health.heard_at = now;
                health.lease = renewed;
                health.heartbeat = heartbeat;
            }
        }
        let name = Meta::of(node).name();
        let heard_at = self.health.get(name).map_or(now, |health| health.heard_at);
        let grace = if ready.is_some() {
            MONITOR_GRACE
        } else {
            STARTUP_GRACE
        };
        if !s.remember(now.since(heard_at) > grace) {
            return Ok(node.clone());
        }
        let lost = with_unknown_conditions(node, now);
        if lost == *node {
            return Ok(lost);
        }
        let answer = s.call(update_status(&NODES, lost.clone()))?;
        // A conflict means that somebody wrote to the node: the next round sees it.
        if answer.is_success() {
            Ok(answer.body)
        } else {
            Ok(node.clone())
        }
    }

    /// The pods of a node that became not ready are not ready either.
    fn fail_pods(&mut self, node: &Value, s: &mut Sync<'_, '_>) -> Step {
        let name = Meta::of(node).name();
        s.event(
            &node_reference(node),
            Severity::Normal,
            "NodeNotReady",
            format!("Node {name} status is now: NodeNotReady"),
        );
        let pods = s.list(&PODS, |cache| cache.on_node(name));
        for pod in pods.iter() {
            let mut pod = pod.clone();
            let now = s.now().rfc3339();
            let conditions = pod.at_mut(&["status", "conditions"]).list_mut();
            let ready = conditions
                .iter_mut()
                .find(|c| c.str("type") == "Ready" && c.str("status") == "True");
            let Some(ready) = ready else { continue };
            ready.set("status", "False");
            ready.set("lastTransitionTime", now);
            let answer = s.call(update_status(&PODS, pod.clone()))?;
            if answer.is_success() {
                s.event(
                    &ObjectRef::of(&pod, "v1", "Pod"),
                    Severity::Warning,
                    "NodeNotReady",
                    "Node is not ready",
                );
            }
        }
        Ok(())
    }

    /// How fast nodes of each zone may be emptied.
    fn judge_zones(&mut self, ready_by_zone: &BTreeMap<Str, Vec<bool>>, now: Time) {
        for (zone, ready) in ready_by_zone {
            let failed = ready.iter().filter(|ready| !**ready).count();
            let state = if failed == ready.len() && failed > 0 {
                ZoneState::Full
            } else if failed > 2 && failed * 100 >= ready.len() * UNHEALTHY_PERCENT {
                ZoneState::Partial {
                    is_large: ready.len() > LARGE_ZONE,
                }
            } else {
                ZoneState::Normal
            };
            let known = self.zones.entry(zone.clone()).or_default();
            if known.state != state {
                known.state = state;
                known.next_taint = known.next_taint.max(now);
            }
        }
        // If every zone is down, the fault is here: nobody is evicted, and all start anew when one comes back.
    }

    /// Brings the NoExecute taints in line with the Ready condition, at the zone's pace.
    fn taint_no_execute(&mut self, node: &Value, status: &str, s: &mut Sync<'_, '_>) -> Step {
        let wanted = match status {
            "True" => None,
            "False" => Some(NOT_READY),
            _ => Some(UNREACHABLE),
        };
        let mut taints: Vec<Value> = node.path("spec.taints").items().to_vec();
        let ours = |t: &Value| {
            t.str("effect") == "NoExecute" && matches!(t.str("key"), NOT_READY | UNREACHABLE)
        };
        let is_right = match wanted {
            Some(key) => {
                let keys: Vec<&str> = taints
                    .iter()
                    .filter(|t| ours(t))
                    .map(|t| t.str("key"))
                    .collect();
                keys == [key]
            }
            None => !taints.iter().any(ours),
        };
        if is_right {
            return Ok(());
        }
        let swaps = taints.iter().any(ours);
        if wanted.is_some() && !swaps && !s.remember(self.may_taint(node, s.now())) {
            return Ok(());
        }
        if wanted.is_some() && !swaps && s.first_time() {
            self.take_turn(node, s.now());
        }
        taints.retain(|t| !ours(t));
        if let Some(key) = wanted {
            let mut added = taint(key, "NoExecute");
            added.set("timeAdded", s.now().rfc3339());
            taints.push(added);
        }
        write_taints(node, taints, s)
    }

    fn may_taint(&self, node: &Value, now: Time) -> bool {
        let all_down = self.zones.values().all(|z| z.state == ZoneState::Full);
        let Some(zone) = self.zones.get(&zone_of(node)) else {
            return true;
        };
        let is_stopped = match zone.state {
            ZoneState::Normal => false,
            // A whole zone that is down is emptied at the normal pace, unless all are.
            ZoneState::Full => all_down && self.zones.len() > 1,
            ZoneState::Partial { is_large } => !is_large,
        };
        !is_stopped && now >= zone.next_taint
    }

    fn take_turn(&mut self, node: &Value, now: Time) {
        let zone = self.zones.entry(zone_of(node)).or_default();
        let period = match zone.state {
            ZoneState::Partial { .. } => SECONDARY_EVICTION_PERIOD,
            ZoneState::Normal | ZoneState::Full => EVICTION_PERIOD,
        };
        zone.next_taint = now + period;
    }
}

/// Brings the NoSchedule taints in line with conditions and `spec.unschedulable`.
fn taint_by_condition(key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
    let Some(node) = s.get_key(&NODES, key) else {
        return Ok(());
    };
    let mut wanted: Vec<Value> = CONDITION_TAINTS
        .iter()
        .filter(|(condition, status, _)| {
            meta::condition(&node, condition).is_some_and(|c| c.status() == *status)
        })
        .map(|(_, _, key)| taint(key, "NoSchedule"))
        .collect();
    if node.path("spec.unschedulable").as_bool() == Some(true) {
        wanted.push(taint(UNSCHEDULABLE, "NoSchedule"));
    }
    let is_ours = |t: &Value| {
        let known = CONDITION_TAINTS.iter().map(|(_, _, key)| *key);
        t.str("effect") == "NoSchedule"
            && known.chain([UNSCHEDULABLE]).any(|key| key == t.str("key"))
    };
    let current = node.path("spec.taints").items();
    let mut taints: Vec<Value> = current
        .iter()
        .filter(|t| !is_ours(t) || wanted.iter().any(|w| is_same_taint(w, t)))
        .cloned()
        .collect();
    let missing: Vec<Value> = wanted
        .into_iter()
        .filter(|w| !taints.iter().any(|t| is_same_taint(w, t)))
        .collect();
    if missing.is_empty() && taints.len() == current.len() {
        return Ok(());
    }
    for mut added in missing {
        added.set("timeAdded", s.now().rfc3339());
        taints.push(added);
    }
    write_taints(&node, taints, s)
}

fn write_taints(node: &Value, taints: Vec<Value>, s: &mut Sync<'_, '_>) -> Step {
    let meta = Meta::of(node);
    let taints = if taints.is_empty() {
        Value::Null
    } else {
        Value::from(taints)
    };
    let patch = map! {
        "metadata": map! { "resourceVersion": meta.0.get("resourceVersion") },
        "spec": map! { "taints": taints },
    };
    let request = Request::patch(&NODES, "", meta.shared_name(), PatchKind::Merge, patch);
    s.must(request).map(|_| ())
}

fn with_unknown_conditions(node: &Value, now: Time) -> Value {
    let mut lost = node.clone();
    let created = Meta::of(node).0.get("creationTimestamp").clone();
    let conditions = lost.at_mut(&["status", "conditions"]).list_mut();
    for kind in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match conditions.iter_mut().find(|c| c.str("type") == kind) {
            None => conditions.push(map! {
                "type": kind, "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": &created, "lastTransitionTime": now.rfc3339(),
            }),
            Some(condition) if condition.str("status") != "Unknown" => {
                condition.set("status", "Unknown");
                condition.set("reason", "NodeStatusUnknown");
                condition.set("message", "Kubelet stopped posting node status.");
                condition.set("lastTransitionTime", now.rfc3339());
            }
            Some(_) => {}
        }
    }
    lost
}

/// Events about nodes speak of the node, not of one of its versions.
fn node_reference(node: &Value) -> ObjectRef {
    ObjectRef {
        resource_version: Str::EMPTY,
        ..ObjectRef::of(node, "v1", "Node")
    }
}
