//! Pods: the one word that says how a pod is doing, out of everything in its status.

use api::{Value, list, map};
use sim::Time;

use super::Printer;
use super::cells::{age, name, or_none, since};

pub(super) const POD: Printer = Printer {
    columns: "Name|Ready|Status|Restarts|Age|+IP|+Node|+Nominated Node|+Readiness Gates",
    cells,
};

fn cells(pod: &Value, now: Time) -> Vec<Value> {
    let (spec, status) = (pod.get("spec"), pod.get("status"));
    let summary = Summary::of(pod);
    let restarts = match summary.last_restart {
        Some(then) if summary.restarts != 0 => {
            let ago = since(&Value::from(then.rfc3339()), now);
            format!("{} ({ago} ago)", summary.restarts)
        }
        _ => summary.restarts.to_string(),
    };
    let ip = status
        .get("podIPs")
        .items()
        .first()
        .map_or(status.str("podIP"), |ip| ip.str("ip"));
    vec![
        name(pod),
        Value::from(format!("{}/{}", summary.ready, summary.total)),
        Value::from(summary.reason),
        Value::from(restarts),
        age(pod, now),
        or_none(ip),
        or_none(spec.str("nodeName")),
        or_none(status.str("nominatedNodeName")),
        or_none(&readiness_gates(spec, status)),
    ]
}

/// What a row says of a pod that has ended.
pub(super) fn conditions(pod: &Value) -> Option<Value> {
    let (reason, message) = match pod.path("status.phase").as_str()? {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(list![
        map! { "type": "Completed", "status": "True", "reason": reason, "message": message }
    ])
}

struct Summary {
    ready: usize,
    total: usize,
    reason: String,
    restarts: i64,
    last_restart: Option<Time>,
}

impl Summary {
    fn of(pod: &Value) -> Summary {
        let (spec, status) = (pod.get("spec"), pod.get("status"));
        let inits = spec.get("initContainers").items();
        let is_sidecar = |name: &str| {
            inits
                .iter()
                .any(|c| c.str("name") == name && c.str("restartPolicy") == "Always")
        };
        let sidecars = inits
            .iter()
            .filter(|c| c.str("restartPolicy") == "Always")
            .count();
        let mut out = Summary {
            ready: 0,
            total: spec.get("containers").items().len() + sidecars,
            reason: status.str("phase").to_owned(),
            restarts: 0,
            last_restart: None,
        };
        if !status.str("reason").is_empty() {
            out.reason = status.str("reason").to_owned();
        }
        let is_gated =
            |c: &&Value| c.str("type") == "PodScheduled" && c.str("reason") == "SchedulingGated";
        if status
            .get("conditions")
            .items()
            .iter()
            .any(|c| is_gated(&c))
        {
            out.reason = "SchedulingGated".to_owned();
        }

        let (mut sidecar_restarts, mut sidecar_last) = (0, None);
        let mut is_initializing = false;
        for (at, init) in status
            .get("initContainerStatuses")
            .items()
            .iter()
            .enumerate()
        {
            let count = init.int("restartCount").unwrap_or(0);
            out.restarts += count;
            out.last_restart = out.last_restart.max(ended_at(init));
            let restarts_forever = is_sidecar(init.str("name"));
            if restarts_forever {
                sidecar_restarts += count;
                sidecar_last = sidecar_last.max(ended_at(init));
            }
            let state = init.get("state");
            let (terminated, waiting) = (state.get("terminated"), state.get("waiting"));
            if !terminated.is_null() && terminated.int("exitCode").unwrap_or(0) == 0 {
                continue;
            }
            if restarts_forever && init.bool("started") {
                out.ready += usize::from(init.bool("ready"));
                continue;
            }
            out.reason = if !terminated.is_null() {
                format!("Init:{}", end_of(terminated))
            } else if !matches!(waiting.str("reason"), "" | "PodInitializing") {
                format!("Init:{}", waiting.str("reason"))
            } else {
                format!("Init:{at}/{}", inits.len())
            };
            is_initializing = true;
            break;
        }

        if !is_initializing || api::meta::is_true(pod, "Initialized") {
            out.restarts = sidecar_restarts;
            out.last_restart = sidecar_last;
            let mut has_running = false;
            for container in status.get("containerStatuses").items().iter().rev() {
                out.restarts += container.int("restartCount").unwrap_or(0);
                out.last_restart = out.last_restart.max(ended_at(container));
                let state = container.get("state");
                let (terminated, waiting) = (state.get("terminated"), state.get("waiting"));
                if !waiting.str("reason").is_empty() {
                    out.reason = waiting.str("reason").to_owned();
                } else if !terminated.is_null() {
                    out.reason = end_of(terminated);
                } else if container.bool("ready") && !state.get("running").is_null() {
                    has_running = true;
                    out.ready += 1;
                }
            }
            if out.reason == "Completed" && has_running {
                let word = if api::meta::is_true(pod, "Ready") {
                    "Running"
                } else {
                    "NotReady"
                };
                out.reason = word.to_owned();
            }
        }

        let is_over = matches!(status.str("phase"), "Failed" | "Succeeded");
        if pod.get("metadata").has("deletionTimestamp") {
            if status.str("reason") == "NodeLost" {
                out.reason = "Unknown".to_owned();
            } else if !is_over {
                out.reason = "Terminating".to_owned();
            }
        }
        out
    }
}

/// How a container ended: the reason, or the signal, or the exit code.
fn end_of(terminated: &Value) -> String {
    match (
        terminated.str("reason"),
        terminated.int("signal").unwrap_or(0),
    ) {
        ("", 0) => format!("ExitCode:{}", terminated.int("exitCode").unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// When the run before the present one ended.
fn ended_at(container: &Value) -> Option<Time> {
    let finished = container.path("lastState.terminated.finishedAt");
    finished.as_str().and_then(Time::parse_rfc3339)
}

fn readiness_gates(spec: &Value, status: &Value) -> String {
    let gates = spec.get("readinessGates").items();
    if gates.is_empty() {
        return String::new();
    }
    let is_true = |gate: &&Value| {
        status
            .get("conditions")
            .items()
            .iter()
            .any(|c| c.get("type") == gate.get("conditionType") && c.str("status") == "True")
    };
    format!("{}/{}", gates.iter().filter(is_true).count(), gates.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(spec: Value, status: Value) -> String {
        let pod = map! { "metadata": map! { "name": "p" }, "spec": spec, "status": status };
        let summary = Summary::of(&pod);
        format!(
            "{}/{} {} {}",
            summary.ready, summary.total, summary.reason, summary.restarts
        )
    }

    #[test]
    fn one_word_says_how_a_pod_is() {
        let one = || map! { "containers": list![map! { "name": "c" }] };
        let with_init = || map! { "containers": list![map! { "name": "c" }], "initContainers": list![map! { "name": "i" }] };
        let waiting = |reason: &'static str| map! { "waiting": map! { "reason": reason } };
        let statuses =
            |state: Value| list![map! { "name": "c", "restartCount": 2, "state": state }];
        for (spec, status, text) in [
            (one(), map! { "phase": "Pending" }, "0/1 Pending 0"),
            (
                one(),
                map! { "phase": "Running", "containerStatuses": statuses(waiting("CrashLoopBackOff")) },
                "0/1 CrashLoopBackOff 2",
            ),
            (
                one(),
                map! { "phase": "Failed", "containerStatuses": statuses(map! { "terminated": map! { "exitCode": 3 } }) },
                "0/1 ExitCode:3 2",
            ),
            (
                with_init(),
                map! { "phase": "Pending", "initContainerStatuses": statuses(map! { "running": map! {} }) },
                "0/1 Init:0/1 2",
            ),
            (
                with_init(),
                map! { "phase": "Pending", "initContainerStatuses": statuses(waiting("ImagePullBackOff")) },
                "0/1 Init:ImagePullBackOff 2",
            ),
        ] {
            assert_eq!(shown(spec, status), text);
        }
    }
}
