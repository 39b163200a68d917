//! The pod's status as the kubelet computes it from what runs.
//!
//! Pure: reads a [`Pod`], gives the value of `status`. Models `kubelet_pods.go` (`generateAPIPodStatus`, `getPhase`,
//! `convertToAPIContainerStatuses`) and `status/generate.go`.

use api::meta::Condition;
use api::{Str, Value, list, map};
use sim::Time;

use crate::catalogue;
use crate::images::{hex64, image_id};
use crate::machine::Machine;
use crate::plan;
use crate::pod::{Container, Exit, Mode, Pod, Run};
use crate::reference::Reference;
use crate::resize;
use crate::resources;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed)
    }
}

/// `getPhase`: what the containers together amount to.
pub fn phase(pod: &Pod) -> Phase {
    if pod.rejected.is_some() {
        return Phase::Failed;
    }
    let policy = pod.view().restart_policy();
    let mut is_initializing = false;
    for index in 0..pod.init_count {
        let container = &pod.containers[index as usize];
        if pod.is_sidecar(index) {
            is_initializing |= !container.is_started && !container.was_created;
            continue;
        }
        match &container.run {
            Run::Exited(exit) if exit.code == 0 => {}
            Run::Exited(_) if pod.restart_policy(index) == "Never" && !pod.restarts_all => {
                return Phase::Failed;
            }
            _ => is_initializing = true,
        }
    }
    let (mut waiting, mut running, mut stopped, mut succeeded) = (0, 0, 0, 0);
    for index in pod.main_range() {
        let container = &pod.containers[index as usize];
        match &container.run {
            Run::None if container.last.is_some() => stopped += 1,
            Run::None => waiting += 1,
            Run::Running { .. } => running += 1,
            Run::Exited(exit) => {
                stopped += 1;
                succeeded += i32::from(exit.code == 0);
            }
        }
    }
    let will_restart = pod.restarts_all
        || pod.main_range().any(|index| {
            pod.containers[index as usize].exit().is_some_and(|exit| {
                match pod.restart_policy(index) {
                    "Always" => true,
                    "OnFailure" => exit.code != 0,
                    _ => false,
                }
            })
        });
    let is_ending = pod.mode != Mode::Syncing;
    if is_ending && running == 0 && !pod.anything_runs() {
        return if stopped > 0 && stopped == succeeded && waiting == 0 {
            Phase::Succeeded
        } else {
            Phase::Failed
        };
    }
    if is_initializing && running == 0 && stopped == 0 || waiting > 0 {
        return Phase::Pending;
    }
    if running > 0 {
        return Phase::Running;
    }
    if stopped > 0 {
        if policy == "Always" || will_restart {
            return Phase::Running;
        }
        return if stopped == succeeded {
            Phase::Succeeded
        } else {
            Phase::Failed
        };
    }
    Phase::Pending
}

/// The phase to be told: a pod ends for the API only when nothing of it is left on the machine.
pub fn shown_phase(pod: &Pod) -> Phase {
    let phase = phase(pod);
    if !phase.is_final() || pod.mode == Mode::Finished {
        return phase;
    }
    if pod
        .main_range()
        .any(|i| pod.containers[i as usize].was_created)
    {
        Phase::Running
    } else {
        Phase::Pending
    }
}

/// The whole status.
pub fn status(pod: &Pod, machine: &Machine, now: Time) -> Value {
    let phase = shown_phase(pod);
    let mut status = map! {
        "phase": phase.as_str(),
        "conditions": conditions(pod, phase, now),
        "hostIP": machine.address(),
        "hostIPs": list![map! { "ip": machine.address() }],
        "startTime": pod.start.rfc3339(),
        "observedGeneration": generation(pod),
        "qosClass": pod.object.path("status.qosClass"),
    };
    if let Some((reason, message)) = &pod.rejected
        && pod.containers.iter().all(|c| !c.was_created)
    {
        // A pod that was never let in has no containers to tell of.
        return map! {
            "phase": "Failed", "reason": reason.clone(), "message": format!("Pod was rejected: {message}"),
            "conditions": Value::Null,
            "startTime": status.get("startTime"), "observedGeneration": generation(pod),
            "qosClass": status.get("qosClass"),
        };
    }
    if let Some((reason, message)) = &pod.rejected {
        status.set("reason", reason.clone());
        status.set("message", message.clone());
    }
    let is_host = pod.spec().bool("hostNetwork");
    let address = if is_host {
        Some(machine.address())
    } else {
        pod.address.map(|n| machine.pod_address(n))
    };
    if let Some(address) = address.filter(|_| shows_address(pod)) {
        status.set("podIP", address.clone());
        status.set("podIPs", list![map! { "ip": address }]);
    }
    let one = |index: u16| container_status(pod, index, machine);
    let mut main: Vec<Value> = pod.main_range().map(one).collect();
    // Sorted by name; init containers stay in the order in which they run.
    main.sort_by_key(|status| status.shared_str("name"));
    status.set("containerStatuses", main);
    if pod.init_count > 0 {
        let init: Vec<Value> = (0..pod.init_count).map(one).collect();
        status.set("initContainerStatuses", init);
    }
    let rest = pod.main_range().end..pod.containers.len() as u16;
    if !rest.is_empty() {
        let ephemeral: Vec<Value> = rest.map(one).collect();
        status.set("ephemeralContainerStatuses", ephemeral);
    }
    let in_force: Vec<Value> = pod
        .main_range()
        .map(|index| map! { "resources": pod.resources(index) })
        .collect();
    let requests = resources::of_pod(pod.spec(), &in_force, "requests");
    let limits = resources::of_pod(pod.spec(), &in_force, "limits");
    let mut all = map! {};
    if !limits.is_null() {
        all.set("limits", limits);
    }
    if !requests.is_null() {
        all.set("requests", &requests);
        status.set("allocatedResources", requests);
    }
    status.set("resources", all);
    status
}

/// The address is told once a container was made, or the sandbox has been seen by a second look.
fn shows_address(pod: &Pod) -> bool {
    pod.containers
        .iter()
        .any(|c| c.was_created || c.waiting.is_some())
        || pod.reported.has("podIP")
}

fn generation(pod: &Pod) -> Value {
    pod.object.path("metadata.generation").clone()
}

/// The conditions in the kubelet's order; those that are not its own follow as they are.
fn conditions(pod: &Pod, phase: Phase, now: Time) -> Value {
    let has_sandbox = pod.sandbox.is_some_and(|sandbox| sandbox.is_ready);
    let mut made = vec![
        condition(
            pod,
            "PodReadyToStartContainers",
            Verdict::of(has_sandbox),
            now,
        ),
        condition(pod, "Initialized", initialized(pod, phase), now),
    ];
    let containers = containers_ready(pod, phase);
    made.push(condition(pod, "Ready", ready(pod, &containers), now));
    made.push(condition(pod, "ContainersReady", containers, now));
    let own = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "AllContainersRestarting",
        "PodResizePending",
        "PodResizeInProgress",
    ];
    let known = if pod.reported.get("conditions").items().is_empty() {
        pod.object.path("status.conditions")
    } else {
        pod.reported.get("conditions")
    };
    for other in known
        .items()
        .iter()
        .filter(|c| !own.contains(&c.str("type")))
    {
        let mut other = other.clone();
        if other.str("type") == "PodScheduled" {
            other.set("observedGeneration", generation(pod));
        }
        made.push(other);
    }
    if let Some((reason, message)) = &pod.rejected
        && *reason == "Evicted"
        && !known
            .items()
            .iter()
            .any(|c| c.str("type") == "DisruptionTarget")
    {
        let verdict = Verdict {
            is_true: true,
            reason: "TerminationByKubelet",
            message: message.to_string(),
        };
        made.push(condition(pod, "DisruptionTarget", verdict, now));
    }
    if let Some((kind, reason, message)) = resize::condition(pod) {
        let verdict = Verdict {
            is_true: true,
            reason,
            message: message.to_string(),
        };
        made.push(condition(pod, kind, verdict, now));
    }
    if plan::could_restart_all(pod) {
        let mut restarting = condition(
            pod,
            "AllContainersRestarting",
            Verdict::of(pod.restarts_all),
            now,
        );
        restarting.remove("observedGeneration");
        made.push(restarting);
    }
    Value::from(made)
}

/// A condition's status with reason and message.
struct Verdict {
    is_true: bool,
    reason: &'static str,
    message: String,
}

impl Verdict {
    fn of(is_true: bool) -> Verdict {
        Verdict {
            is_true,
            reason: "",
            message: String::new(),
        }
    }

    fn not(reason: &'static str, message: String) -> Verdict {
        Verdict {
            is_true: false,
            reason,
            message,
        }
    }
}

fn condition(pod: &Pod, kind: &'static str, verdict: Verdict, now: Time) -> Value {
    let status = if verdict.is_true { "True" } else { "False" };
    let before = pod
        .reported
        .get("conditions")
        .items()
        .iter()
        .map(Condition)
        .find(|c| c.kind() == kind && c.status() == status);
    let since = match before {
        Some(before) => before.0.get("lastTransitionTime").clone(),
        None => now.rfc3339().into(),
    };
    let mut condition = map! {
        "type": kind, "status": status, "lastProbeTime": Value::Null, "lastTransitionTime": since,
        "observedGeneration": generation(pod),
    };
    if !verdict.reason.is_empty() {
        condition.set("reason", verdict.reason);
    }
    if !verdict.message.is_empty() {
        condition.set("message", verdict.message);
    }
    condition
}

fn names(pod: &Pod, indexes: &[u16]) -> String {
    let names: Vec<&str> = indexes
        .iter()
        .map(|i| pod.container_spec(*i).str("name"))
        .collect();
    names.join(" ")
}

/// Whether an init container has done its part.
pub fn is_init_done(pod: &Pod, index: u16) -> bool {
    let container = &pod.containers[index as usize];
    if pod.is_sidecar(index) {
        container.is_started
    } else {
        container.exit().is_some_and(|exit| exit.code == 0)
    }
}

fn initialized(pod: &Pod, phase: Phase) -> Verdict {
    if phase == Phase::Succeeded {
        return Verdict {
            is_true: true,
            reason: "PodCompleted",
            message: String::new(),
        };
    }
    // Once the containers run, init containers do not matter any more.
    let has_begun = pod
        .main_range()
        .any(|i| pod.containers[i as usize].was_created);
    let undone: Vec<u16> = (0..pod.init_count)
        .filter(|i| !is_init_done(pod, *i))
        .collect();
    if has_begun || undone.is_empty() {
        return Verdict::of(true);
    }
    let message = format!(
        "containers with incomplete status: [{}]",
        names(pod, &undone)
    );
    Verdict::not("ContainersNotInitialized", message)
}

fn containers_ready(pod: &Pod, phase: Phase) -> Verdict {
    match phase {
        Phase::Succeeded => return Verdict::not("PodCompleted", String::new()),
        Phase::Failed => return Verdict::not("PodFailed", String::new()),
        _ => {}
    }
    let unready: Vec<u16> = (0..pod.init_count)
        .filter(|i| pod.is_sidecar(*i))
        .chain(pod.main_range())
        .filter(|i| !pod.containers[*i as usize].is_ready)
        .collect();
    if unready.is_empty() {
        return Verdict::of(true);
    }
    let message = format!("containers with unready status: [{}]", names(pod, &unready));
    Verdict::not("ContainersNotReady", message)
}

fn ready(pod: &Pod, containers: &Verdict) -> Verdict {
    if !containers.is_true {
        return Verdict::not(containers.reason, containers.message.clone());
    }
    let mut problems = Vec::new();
    for gate in pod.spec().get("readinessGates").items() {
        let kind = gate.str("conditionType");
        match api::meta::condition(&pod.object, kind) {
            None => problems.push(format!(
                "corresponding condition of pod readiness gate \"{kind}\" does not exist."
            )),
            Some(c) if c.status() != "True" => problems.push(format!(
                "the status of pod readiness gate \"{kind}\" is not \"True\", but {}",
                c.status()
            )),
            Some(_) => {}
        }
    }
    if problems.is_empty() {
        return Verdict::of(true);
    }
    Verdict::not("ReadinessGatesNotReady", problems.join(", "))
}

/// The identity of a container's process, as containerd prints it.
pub fn container_id(pod: &Pod, index: u16, number: u32) -> Str {
    format!(
        "containerd://{}",
        hex64(&format!("{}/{index}/{number}", pod.meta().uid()))
    )
    .into()
}

fn container_status(pod: &Pod, index: u16, machine: &Machine) -> Value {
    let container = &pod.containers[index as usize];
    let spec = pod.container_spec(index);
    let mut status = map! {
        "name": spec.shared_str("name"),
        "restartCount": container.restarts,
        "started": container.is_started,
        "lastState": map! {},
    };
    let is_ready = if pod.is_init(index) && !pod.is_sidecar(index) {
        container.exit().is_some_and(|exit| exit.code == 0)
    } else {
        container.is_ready && !pod.is_ephemeral(index)
    };
    status.set("ready", is_ready);
    // Nobody waits for a container that was added by hand.
    if pod.is_ephemeral(index) {
        status.remove("started");
    }
    if let Some(last) = &container.last {
        status.set("lastState", terminated(pod, index, last));
    }
    let state = state(pod, index, container, &mut status);
    status.set("state", state);
    let mounts = mounts(spec);
    if !mounts.items().is_empty() {
        status.set("volumeMounts", mounts);
    }
    let reference = Reference::parse(&container.image).ok();
    let number = match (&container.run, &container.last) {
        (Run::Running { number, .. }, _) => Some(*number),
        (Run::Exited(exit), _) => Some(exit.number),
        (Run::None, Some(last)) => Some(last.number),
        (Run::None, None) => None,
    };
    let (Some(number), Some(reference)) = (number, reference) else {
        status.set("image", spec.shared_str("image"));
        status.set("imageID", "");
        return status;
    };
    status.set("image", reference.full());
    status.set("imageID", image_id(&reference));
    status.set("containerID", container_id(pod, index, number));
    let resources = pod.resources(index);
    let mut shown = map! {};
    for list in ["limits", "requests"] {
        if !resources.get(list).entries().is_empty() {
            let told = match list {
                "limits" => resources::as_running(resources.get(list)),
                _ => resources.get(list).clone(),
            };
            shown.set(list, told);
        }
    }
    if !resources.get("requests").entries().is_empty() {
        status.set("allocatedResources", resources.get("requests"));
    }
    status.set("resources", shown);
    if !machine.is_windows {
        status.set("user", user(pod, spec, &reference));
    }
    status
}

fn state(pod: &Pod, index: u16, container: &Container, status: &mut Value) -> Value {
    let waiting = |reason: &Str, message: &Str| {
        let mut waiting = map! { "reason": reason.clone() };
        if !message.is_empty() {
            waiting.set("message", message.clone());
        }
        map! { "waiting": waiting }
    };
    match &container.run {
        Run::Running { since, .. } => {
            map! { "running": map! { "startedAt": since.rfc3339() } }
        }
        Run::Exited(exit) => match &container.waiting {
            Some(why) => {
                status.set("lastState", terminated(pod, index, exit));
                waiting(&why.0, &why.1)
            }
            None => terminated(pod, index, exit),
        },
        Run::None => match &container.waiting {
            Some(why) => waiting(&why.0, &why.1),
            None => {
                let reason = if pod.init_count > 0 {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                };
                waiting(&Str::from(reason), &Str::EMPTY)
            }
        },
    }
}

fn terminated(pod: &Pod, index: u16, exit: &Exit) -> Value {
    let started = exit.started.unwrap_or_default();
    let mut terminated = map! {
        "containerID": container_id(pod, index, exit.number),
        "exitCode": exit.code,
        "reason": exit.reason.clone(),
        "startedAt": started.rfc3339(),
        "finishedAt": exit.finished.rfc3339(),
    };
    if !exit.message.is_empty() {
        terminated.set("message", exit.message.clone());
    }
    map! { "terminated": terminated }
}

fn mounts(spec: &Value) -> Value {
    let mounts = spec.get("volumeMounts").items().iter().map(|mount| {
        let mut shown = map! { "mountPath": mount.get("mountPath"), "name": mount.get("name") };
        if mount.bool("readOnly") {
            shown.set("readOnly", true);
            shown.set("recursiveReadOnly", "Disabled");
        }
        shown
    });
    Value::from(mounts.collect::<Vec<Value>>())
}

/// The user that the container's first process has.
fn user(pod: &Pod, spec: &Value, reference: &Reference) -> Value {
    let own = spec.get("securityContext");
    let of_pod = pod.spec().get("securityContext");
    let pick = |field: &str| own.int(field).or(of_pod.int(field)).unwrap_or(0);
    let (uid, gid) = (pick("runAsUser"), pick("runAsGroup"));
    let image_groups = catalogue::find(reference).map_or(&[0][..], |image| image.groups);
    let mut groups: Vec<i64> = vec![gid];
    if uid == 0 && of_pod.str("supplementalGroupsPolicy") != "Strict" {
        groups.extend(image_groups);
    }
    groups.extend(of_pod.int("fsGroup"));
    groups.extend(
        of_pod
            .get("supplementalGroups")
            .items()
            .iter()
            .filter_map(Value::as_int),
    );
    groups.sort_unstable();
    groups.dedup();
    let groups: Vec<Value> = groups.into_iter().map(Value::from).collect();
    map! { "linux": map! { "uid": uid, "gid": gid, "supplementalGroups": groups } }
}

/// The merge patch that brings the API server from one status to another; `None` if they agree.
pub fn patch(pod: &Pod, status: &Value) -> Option<Value> {
    let mut changed = map! {};
    for (key, value) in status.entries().iter() {
        if pod.reported.get(key) != value {
            changed.set(key.clone(), value);
        }
    }
    for (key, _) in pod.reported.entries().iter() {
        if !status.has(key) && !FOREIGN.contains(&key.as_str()) {
            changed.set(key.clone(), Value::Null);
        }
    }
    if changed.entries().is_empty() {
        return None;
    }
    if changed.get("conditions").as_list().is_some() {
        clear_texts(&mut changed, pod.reported.get("conditions").items());
        let order = changed
            .get("conditions")
            .items()
            .iter()
            .map(|c| map! { "type": c.get("type") });
        let order: Vec<Value> = order.collect();
        changed.set("$setElementOrder/conditions", order);
    }
    Some(map! { "metadata": map! { "uid": pod.api_uid() }, "status": changed })
}

/// Conditions are merged field by field: what a condition does not say any more must be taken away.
fn clear_texts(changed: &mut Value, before: &[Value]) {
    for condition in changed.entry("conditions").list_mut() {
        let Some(old) = before
            .iter()
            .find(|c| c.str("type") == condition.str("type"))
        else {
            continue;
        };
        for field in ["reason", "message"] {
            if old.has(field) && !condition.has(field) {
                condition.set(field, Value::Null);
            }
        }
    }
}

/// Fields of the status that others write.
const FOREIGN: &[&str] = &[
    "nominatedNodeName",
    "resourceClaimStatuses",
    "extendedResourceClaimStatus",
    "resize",
];
