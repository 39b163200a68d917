//! The containers of a pod or of a template.

use api::Value;

use super::super::{Text, long_time};
use super::environment::environment;
use super::plain;

pub(super) fn containers(
    text: &mut Text,
    label: &str,
    containers: &Value,
    state: Option<(&Value, &Value)>,
    space: &str,
) {
    let indent = if space.is_empty() { "" } else { " " };
    text.line(0, format!("{space}{label}:"));
    for container in containers.items() {
        let status = state.map(|(_, statuses)| {
            statuses
                .items()
                .iter()
                .find(|s| s.str("name") == container.str("name"))
                .cloned()
                .unwrap_or_default()
        });
        text.line(1, format!("{indent}{}:", container.str("name")));
        if let Some(status) = status.as_ref().filter(|s| !s.is_null()) {
            text.line(2, format!("Container ID:\t{}", status.str("containerID")));
        }
        text.line(2, format!("Image:\t{}", container.str("image")));
        if let Some(status) = status.as_ref().filter(|s| !s.is_null()) {
            text.line(2, format!("Image ID:\t{}", status.str("imageID")));
        }
        ports(text, container.get("ports").items());
        if let Some(profile) = container
            .path("securityContext.seccompProfile.type")
            .as_str()
        {
            text.line(2, format!("SeccompProfile:\t{profile}"));
        }
        words(text, "Command", container.get("command").items());
        words(text, "Args", container.get("args").items());
        if let Some(status) = status.as_ref().filter(|s| !s.is_null()) {
            container_state(text, "State", status.get("state"));
            if !status.path("lastState.terminated").is_null() {
                container_state(text, "Last State", status.get("lastState"));
            }
            text.line(
                2,
                format!(
                    "Ready:\t{}",
                    if status.bool("ready") {
                        "True"
                    } else {
                        "False"
                    }
                ),
            );
            text.line(
                2,
                format!(
                    "Restart Count:\t{}",
                    status.int("restartCount").unwrap_or(0)
                ),
            );
        }
        for (title, key) in [("Limits", "limits"), ("Requests", "requests")] {
            let amounts = container.get("resources").get(key).entries();
            if !amounts.is_empty() {
                text.line(2, format!("{title}:"));
                for (name, amount) in amounts.iter() {
                    text.line(3, format!("{name}:\t{}", plain(amount)));
                }
            }
        }
        for (title, key) in [
            ("Liveness", "livenessProbe"),
            ("Readiness", "readinessProbe"),
            ("Startup", "startupProbe"),
        ] {
            let probe = container.get(key);
            if !probe.is_null() {
                text.line(2, format!("{title}:\t{}", self::probe(probe)));
            }
        }
        environment(text, container, state.map(|(pod, _)| pod));
        mounts(text, container);
    }
}

fn ports(text: &mut Text, ports: &[Value]) {
    let join = |key: &str| {
        let all: Vec<String> = ports
            .iter()
            .map(|p| {
                format!(
                    "{}/{}",
                    p.int(key).unwrap_or(0),
                    p.get("protocol").as_str().unwrap_or("TCP")
                )
            })
            .collect();
        if all.is_empty() {
            "<none>".to_owned()
        } else {
            all.join(", ")
        }
    };
    let plural = if ports.len() > 1 { "s" } else { "" };
    text.line(2, format!("Port{plural}:\t{}", join("containerPort")));
    text.line(2, format!("Host Port{plural}:\t{}", join("hostPort")));
}

fn words(text: &mut Text, title: &str, words: &[Value]) {
    if words.is_empty() {
        return;
    }
    text.line(2, format!("{title}:"));
    for word in words {
        for line in word.as_str().unwrap_or_default().split('\n') {
            text.line(3, line);
        }
    }
}

fn container_state(text: &mut Text, title: &str, state: &Value) {
    if state.has("running") {
        text.line(2, format!("{title}:\tRunning"));
        text.line(
            3,
            format!("Started:\t{}", long_time(state.path("running.startedAt"))),
        );
    } else if state.has("terminated") {
        let ended = state.get("terminated");
        text.line(2, format!("{title}:\tTerminated"));
        for (name, key) in [("Reason", "reason"), ("Message", "message")] {
            if !ended.str(key).is_empty() {
                text.line(3, format!("{name}:\t{}", ended.str(key)));
            }
        }
        text.line(
            3,
            format!("Exit Code:\t{}", ended.int("exitCode").unwrap_or(0)),
        );
        if let Some(signal) = ended.int("signal").filter(|s| *s > 0) {
            text.line(3, format!("Signal:\t{signal}"));
        }
        text.line(
            3,
            format!("Started:\t{}", long_time(ended.get("startedAt"))),
        );
        text.line(
            3,
            format!("Finished:\t{}", long_time(ended.get("finishedAt"))),
        );
    } else {
        text.line(2, format!("{title}:\tWaiting"));
        if let Some(reason) = state
            .path("waiting.reason")
            .as_str()
            .filter(|r| !r.is_empty())
        {
            text.line(3, format!("Reason:\t{reason}"));
        }
    }
}

/// `exec [cat /tmp/healthy] delay=5s timeout=1s period=5s #success=1 #failure=3` (`DescribeProbe`).
fn probe(probe: &Value) -> String {
    let number = |key: &str| probe.int(key).unwrap_or(0);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    if probe.has("exec") {
        let words: Vec<&str> = probe
            .path("exec.command")
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        return format!("exec [{}] {attributes}", words.join(" "));
    }
    if probe.has("httpGet") {
        let get = probe.get("httpGet");
        let port = plain(get.get("port"));
        let host = if port.is_empty() {
            get.str("host").to_owned()
        } else {
            format!("{}:{port}", get.str("host"))
        };
        let path = get.str("path");
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        return format!(
            "http-get {}://{host}{slash}{path} {attributes}",
            get.get("scheme").as_str().unwrap_or("HTTP").to_lowercase()
        );
    }
    if probe.has("tcpSocket") {
        let socket = probe.get("tcpSocket");
        return format!(
            "tcp-socket {}:{} {attributes}",
            socket.str("host"),
            plain(socket.get("port"))
        );
    }
    if probe.has("grpc") {
        let grpc = probe.get("grpc");
        return format!(
            "grpc <pod>:{} {} {attributes}",
            grpc.int("port").unwrap_or(0),
            grpc.str("service")
        );
    }
    format!("unknown {attributes}")
}

fn mounts(text: &mut Text, container: &Value) {
    let mounts = container.get("volumeMounts").items();
    if mounts.is_empty() {
        text.line(2, "Mounts:\t<none>");
    } else {
        text.line(2, "Mounts:");
        let mut sorted: Vec<&Value> = mounts.iter().collect();
        sorted.sort_by_key(|mount| mount.str("mountPath"));
        for mount in sorted {
            let mut flags = vec![if mount.bool("readOnly") {
                "ro".to_owned()
            } else {
                "rw".to_owned()
            }];
            if !mount.str("subPath").is_empty() {
                flags.push(format!("path={:?}", mount.str("subPath")));
            }
            text.line(
                3,
                format!(
                    "{} from {} ({})",
                    mount.str("mountPath"),
                    mount.str("name"),
                    flags.join(",")
                ),
            );
        }
    }
    let devices = container.get("volumeDevices").items();
    if !devices.is_empty() {
        text.line(2, "Devices:");
        for device in devices {
            text.line(
                3,
                format!("{} from {}", device.str("devicePath"), device.str("name")),
            );
        }
    }
}
