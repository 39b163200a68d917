//! What the next sync of a pod should do. Pure. Models `computePodActions` of `kuberuntime_manager.go`.

use std::collections::VecDeque;

use crate::pod::{Planned, Pod, Run};
use crate::probe::Kind;
use crate::status::is_init_done;

/// The steps that bring what runs closer to what should run.
pub(crate) fn plan(pod: &Pod) -> VecDeque<Planned> {
    let mut plan = VecDeque::new();
    if pod.sandbox.is_none() {
        plan.push_back(Planned::Sandbox);
    }
    for index in 0..pod.containers.len() as u16 {
        if let Some(why) = condemned(pod, index) {
            plan.push_back(Planned::Kill(index, why.into()));
        }
    }
    for index in pod.main_range().end..pod.containers.len() as u16 {
        if pod.containers[index as usize].run == Run::None {
            plan.push_back(Planned::Start(index));
        }
    }
    let has_begun = pod
        .main_range()
        .any(|i| pod.containers[i as usize].was_created);
    for index in 0..pod.init_count {
        if pod.is_sidecar(index) {
            if should_start(pod, index) {
                plan.push_back(Planned::Start(index));
            }
            if !has_begun && !is_init_done(pod, index) {
                return plan;
            }
            continue;
        }
        // Once the containers have been started, finished init containers stay finished.
        if has_begun || is_init_done(pod, index) {
            continue;
        }
        if should_start(pod, index) {
            plan.push_back(Planned::Start(index));
        }
        return plan;
    }
    for index in pod.main_range() {
        if should_start(pod, index) {
            plan.push_back(Planned::Start(index));
        }
    }
    plan
}

/// The message of the Killing event, if a container must not go on as it is: another one is asked for, or a probe has
/// condemned it.
fn condemned(pod: &Pod, index: u16) -> Option<String> {
    let container = &pod.containers[index as usize];
    if !container.is_running() || container.kill_at.is_some() {
        return None;
    }
    let failed = |kind: Kind| {
        container
            .probes
            .iter()
            .any(|p| p.kind == kind && p.result == Some(false))
    };
    let name = pod.container_spec(index).str("name");
    if is_another(pod, index) {
        return Some(format!(
            "Container {name} definition changed, will be restarted"
        ));
    }
    if failed(Kind::Startup) {
        return Some(format!(
            "Container {name} failed startup probe, will be restarted"
        ));
    }
    if failed(Kind::Liveness) {
        return Some(format!(
            "Container {name} failed liveness probe, will be restarted"
        ));
    }
    None
}

/// Whether the spec means another container than the one that runs. Of what makes it another, only the image can be changed.
pub(crate) fn is_another(pod: &Pod, index: u16) -> bool {
    let image = &pod.containers[index as usize].image;
    !pod.is_ephemeral(index) && pod.container_spec(index).str("image") != image.as_str()
}

/// Whether a container that does not run should.
fn should_start(pod: &Pod, index: u16) -> bool {
    let container = &pod.containers[index as usize];
    match &container.run {
        Run::Running { .. } => condemned(pod, index).is_some(),
        Run::None => true,
        Run::Exited(exit) => match pod.restart_policy(index) {
            "Always" => true,
            "OnFailure" => exit.code != 0,
            _ => by_rule(pod, index, exit.code),
        },
    }
}

/// What makes way for a new beginning of the whole pod.
pub(crate) fn stop_for_restart(pod: &Pod) -> VecDeque<Planned> {
    let running = (0..pod.containers.len() as u16).filter(|index| {
        let container = &pod.containers[*index as usize];
        container.is_running() && container.kill_at.is_none() && !pod.is_ephemeral(*index)
    });
    let kill = |index: u16| {
        let name = pod.container_spec(index).str("name");
        let why = format!("Container {name} is stopped to restart all containers of the pod");
        Planned::Kill(index, why.into())
    };
    running.map(kill).collect()
}

/// Whether any container may ask for a new beginning of all.
pub(crate) fn could_restart_all(pod: &Pod) -> bool {
    let lists = ["initContainers", "containers"];
    let containers = lists.iter().flat_map(|list| pod.spec().get(list).items());
    let mut rules = containers.flat_map(|container| container.get("restartPolicyRules").items());
    rules.any(|rule| rule.str("action") == "RestartAllContainers")
}

/// `restartPolicyRules` of a container: the exit codes for which it is restarted whatever its policy says.
fn by_rule(pod: &Pod, index: u16, code: i32) -> bool {
    asks_for(pod, index, code, "Restart")
}

/// Whether the end of a container with this status asks for an action by one of its rules.
pub(crate) fn asks_for(pod: &Pod, index: u16, code: i32, action: &str) -> bool {
    pod.container_spec(index)
        .get("restartPolicyRules")
        .items()
        .iter()
        .any(|rule| {
            let codes = rule.get("exitCodes");
            let listed = codes
                .get("values")
                .items()
                .iter()
                .any(|v| v.as_int() == Some(i64::from(code)));
            rule.str("action") == action
                && match codes.str("operator") {
                    "In" => listed,
                    "NotIn" => !listed,
                    _ => false,
                }
        })
}
