//! Pods and pod templates.

mod containers;
mod environment;
mod volumes;

pub(crate) use volumes::volumes;

use api::{Map, Value, core, map, meta::Meta};

use super::{Text, controlled_by, long_time};
use containers::containers;

pub(crate) fn describe(text: &mut Text, object: &Value) {
    let pod = core::Pod(object);
    let (meta, spec, status) = (pod.meta(), object.get("spec"), object.get("status"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    if let Some(priority) = spec.int("priority") {
        text.line(0, format!("Priority:\t{priority}"));
    }
    optional(text, "Priority Class Name", spec.str("priorityClassName"));
    optional(text, "Runtime Class Name", spec.str("runtimeClassName"));
    optional(text, "Service Account", spec.str("serviceAccountName"));
    if pod.node_name().is_empty() {
        text.line(0, "Node:\t<none>");
    } else {
        text.line(
            0,
            format!("Node:\t{}/{}", pod.node_name(), status.str("hostIP")),
        );
    }
    if status.has("startTime") {
        text.line(
            0,
            format!("Start Time:\t{}", long_time(status.get("startTime"))),
        );
    }
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    if meta.is_deleting() && status.str("phase") != "Failed" && status.str("phase") != "Succeeded" {
        let lasts = meta.0.get("deletionTimestamp");
        text.line(
            0,
            format!("Status:\tTerminating (lasts {})", long_time(lasts)),
        );
        text.line(
            0,
            format!(
                "Termination Grace Period:\t{}s",
                meta.deletion_grace_secs().unwrap_or(0)
            ),
        );
    } else {
        text.line(0, format!("Status:\t{}", status.str("phase")));
    }
    optional(text, "Reason", status.str("reason"));
    optional(text, "Message", status.str("message"));
    if let Some(profile) = spec.path("securityContext.seccompProfile.type").as_str() {
        text.line(0, format!("SeccompProfile:\t{profile}"));
    }
    text.line(0, format!("IP:\t{}", pod.pod_ip()));
    let ips = status.get("podIPs").items();
    if ips.is_empty() {
        text.line(0, "IPs:\t<none>");
    } else {
        text.line(0, "IPs:");
        for ip in ips {
            text.line(1, format!("IP:\t{}", ip.str("ip")));
        }
    }
    controlled_by(text, object);
    optional(text, "NominatedNodeName", status.str("nominatedNodeName"));
    if !spec.get("initContainers").items().is_empty() {
        containers(
            text,
            "Init Containers",
            spec.get("initContainers"),
            Some((object, status.get("initContainerStatuses"))),
            "",
        );
    }
    containers(
        text,
        "Containers",
        spec.get("containers"),
        Some((object, status.get("containerStatuses"))),
        "",
    );
    if !spec.get("ephemeralContainers").items().is_empty() {
        containers(
            text,
            "Ephemeral Containers",
            spec.get("ephemeralContainers"),
            Some((object, status.get("ephemeralContainerStatuses"))),
            "",
        );
    }
    let gates = spec.get("readinessGates").items();
    if !gates.is_empty() {
        text.line(0, "Readiness Gates:\n  Type\tStatus");
        for gate in gates {
            let kind = gate.str("conditionType");
            let state = api::meta::condition(object, kind).map_or("<none>", |c| c.status());
            text.line(1, format!("{kind} \t{state} "));
        }
    }
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        text.line(0, "Conditions:\n  Type\tStatus");
        for condition in conditions {
            text.line(
                1,
                format!("{} \t{} ", condition.str("type"), condition.str("status")),
            );
        }
    }
    volumes(text, spec.get("volumes").items(), "");
    optional(text, "QoS Class", status.str("qosClass"));
    text.labels(0, "Node-Selectors", spec.get("nodeSelector").entries());
    tolerations(text, "Tolerations", spec.get("tolerations").items());
    topology(text, spec.get("topologySpreadConstraints").items());
}

fn optional(text: &mut Text, title: &str, value: &str) {
    if !value.is_empty() {
        text.line(0, format!("{title}:\t{value}"));
    }
}

/// A pod template as `rollout history --revision` prints it: below `Pod Template:`, columns as tabs.
pub(crate) fn template_unaligned(template: &Value) -> String {
    let mut text = Text::default();
    self::template(&mut text, template);
    text.out
}

/// `Pod Template:` of a workload.
pub(crate) fn template(text: &mut Text, template: &Value) {
    text.line(0, "Pod Template:");
    if template.is_null() {
        text.line(1, "<unset>");
        return;
    }
    let (meta, spec) = (Meta::of(template), template.get("spec"));
    text.labels(1, "Labels", meta.labels());
    if !meta.annotations().is_empty() {
        text.annotations(1, "Annotations", meta.annotations());
    }
    if !spec.str("serviceAccountName").is_empty() {
        text.line(
            1,
            format!("Service Account:\t{}", spec.str("serviceAccountName")),
        );
    }
    if !spec.get("initContainers").items().is_empty() {
        containers(
            text,
            "Init Containers",
            spec.get("initContainers"),
            None,
            "  ",
        );
    }
    containers(text, "Containers", spec.get("containers"), None, "  ");
    volumes(text, spec.get("volumes").items(), "  ");
    topology(text, spec.get("topologySpreadConstraints").items());
    if !spec.str("priorityClassName").is_empty() {
        text.line(
            1,
            format!("Priority Class Name:\t{}", spec.str("priorityClassName")),
        );
    }
    text.labels(1, "Node-Selectors", spec.get("nodeSelector").entries());
    let mut inner = Text::default();
    tolerations(&mut inner, "Tolerations", spec.get("tolerations").items());
    for line in inner.out.lines() {
        text.line(1, line);
    }
}

/// `key=value:effect op=Exists for 300s`, sorted by key.
pub(crate) fn tolerations(text: &mut Text, title: &str, tolerations: &[Value]) {
    let mut sorted: Vec<&Value> = tolerations.iter().collect();
    sorted.sort_by_key(|t| t.str("key"));
    let lines: Vec<String> = sorted
        .into_iter()
        .map(|t| {
            let mut line = t.str("key").to_owned();
            if !t.str("value").is_empty() {
                line += &format!("={}", t.str("value"));
            }
            if !t.str("effect").is_empty() {
                line += &format!(":{}", t.str("effect"));
            }
            // `op=Exists` is only said where it is not plain from an empty value.
            if t.str("operator") == "Exists" && t.str("value").is_empty() {
                let gap = if t.str("key").is_empty() && t.str("effect").is_empty() {
                    ""
                } else {
                    " "
                };
                line += &format!("{gap}op=Exists");
            }
            if let Some(secs) = t.int("tolerationSeconds") {
                line += &format!(" for {secs}s");
            }
            line
        })
        .collect();
    text.column(0, title, &lines);
}

fn topology(text: &mut Text, constraints: &[Value]) {
    if constraints.is_empty() {
        return;
    }
    let mut sorted: Vec<&Value> = constraints.iter().collect();
    sorted.sort_by_key(|c| c.str("topologyKey"));
    let lines: Vec<String> = sorted
        .into_iter()
        .map(|c| {
            let mut line = format!(
                "{}:{} when max skew {} is exceeded",
                c.str("topologyKey"),
                c.str("whenUnsatisfiable"),
                c.int("maxSkew").unwrap_or(0)
            );
            if c.has("labelSelector")
                && let Ok(selector) = api::selector::LabelSelector::of(c.get("labelSelector"))
            {
                line += &format!(" for selector {selector}");
            }
            line
        })
        .collect();
    text.column(0, "Topology Spread Constraints", &lines);
}

/// Text bare, numbers as digits, nothing as nothing.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    }
}

/// The sum of what a pod's containers ask for: `(requests, limits)` by resource, sidecars and init containers considered.
pub(crate) fn totals(pod: &Value) -> (Map, Map) {
    let spec = pod.get("spec");
    let sum = |kind: &str| {
        let mut total = map! {};
        let mut add = |container: &Value, is_max: bool| {
            for (name, amount) in container.get("resources").get(kind).entries().iter() {
                let Ok(amount) = api::quantity::Quantity::parse(&plain(amount)) else {
                    continue;
                };
                let old =
                    api::quantity::Quantity::parse(&plain(total.get(name))).unwrap_or_default();
                let new = if is_max {
                    if old < amount { amount } else { old }
                } else {
                    old + amount
                };
                total.set(name.clone(), new.to_string());
            }
        };
        for container in spec.get("containers").items() {
            add(container, false);
        }
        for container in spec.get("initContainers").items() {
            add(container, container.str("restartPolicy") != "Always");
        }
        total.entries().clone()
    };
    (sum("requests"), sum("limits"))
}
