//! Containers of all three sorts (`validateContainerCommon`, `validateContainers`, `validateInitContainers`).

use api::quantity::Quantity;
use api::{Str, Value};

use super::security;
use crate::path::Path;
use crate::validate::{Problems, names, numbers};

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// Fields of a pod that a reference to a field may name at all.
const FIELD_PATHS: [&str; 14] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
];
/// Those that an environment variable may take.
const ENV_FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn containers<'a>(spec: &'a Value, volumes: &[&str], path: &Path, out: &mut Problems) {
    let mut seen: Vec<&'a str> = Vec::new();
    let containers = spec.get("containers").items();
    let containers_path = path.child("containers");
    if containers.is_empty() {
        out.push(containers_path.required(""));
    }
    for (at, container) in containers.iter().enumerate() {
        let path = containers_path.index(at);
        common(container, volumes, &path, out);
        unique_name(container, &mut seen, &path, out);
        lifecycle(container, &path, out);
        probes(container, &path, out);
        if container.str("restartPolicy") == "Always"
            && container.get("restartPolicyRules").is_null()
        {
            out.push(
                path.child("restartPolicy")
                    .forbidden("may not be set for non-init containers"),
            );
        }
    }
    host_port_conflicts(containers, &containers_path, out);
    let inits_path = path.child("initContainers");
    for (at, container) in spec.get("initContainers").items().iter().enumerate() {
        let path = inits_path.index(at);
        common(container, volumes, &path, out);
        unique_name(container, &mut seen, &path, out);
        if container.str("restartPolicy") == "Always" {
            lifecycle(container, &path, out);
            probes(container, &path, out);
            continue;
        }
        // What begins before the pod is up has no life to speak of.
        for field in [
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            if !container.get(field).is_null() {
                out.push(
                    path.child(field).forbidden(
                        "may not be set for init containers without restartPolicy=Always",
                    ),
                );
            }
        }
    }
    let ephemeral_path = path.child("ephemeralContainers");
    for (at, container) in spec.get("ephemeralContainers").items().iter().enumerate() {
        let path = ephemeral_path.index(at);
        common(container, volumes, &path, out);
        unique_name(container, &mut seen, &path, out);
        let target = container.str("targetContainerName");
        if !target.is_empty() && !containers.iter().any(|c| c.str("name") == target) {
            out.push(
                path.child("targetContainerName")
                    .not_found(container.get("targetContainerName")),
            );
        }
        for field in [
            "ports",
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            if !container.get(field).is_empty() {
                out.push(
                    path.child(field)
                        .forbidden("cannot be set for an Ephemeral Container"),
                );
            }
        }
    }
}

fn unique_name<'a>(container: &'a Value, seen: &mut Vec<&'a str>, path: &Path, out: &mut Problems) {
    let name = container.str("name");
    if seen.contains(&name) {
        out.push(path.child("name").duplicate(container.get("name")));
    } else {
        seen.push(name);
    }
}

fn common(container: &Value, volumes: &[&str], path: &Path, out: &mut Problems) {
    let (name, image) = (container.str("name"), container.str("image"));
    if name.is_empty() {
        out.push(path.child("name").required(""));
    } else {
        for message in names::label(name) {
            out.push(path.child("name").invalid(container.get("name"), &message));
        }
    }
    if image.is_empty() {
        out.push(path.child("image").required(""));
    } else if image.trim() != image {
        out.push(path.child("image").invalid(
            container.get("image"),
            "must not have leading or trailing whitespace",
        ));
    }
    let policy = container.str("terminationMessagePolicy");
    if policy.is_empty() {
        out.push(path.child("terminationMessagePolicy").required(""));
    } else if !matches!(policy, "File" | "FallbackToLogsOnError") {
        out.push(path.child("terminationMessagePolicy").not_supported(
            container.get("terminationMessagePolicy"),
            &["FallbackToLogsOnError", "File"],
        ));
    }
    ports(container.get("ports").items(), &path.child("ports"), out);
    env(container.get("env").items(), &path.child("env"), out);
    env_from(
        container.get("envFrom").items(),
        &path.child("envFrom"),
        out,
    );
    mounts(
        container.get("volumeMounts").items(),
        volumes,
        &path.child("volumeMounts"),
        out,
    );
    let pull = container.str("imagePullPolicy");
    if pull.is_empty() {
        out.push(path.child("imagePullPolicy").required(""));
    } else if !PULL_POLICIES.contains(&pull) {
        out.push(
            path.child("imagePullPolicy")
                .not_supported(container.get("imagePullPolicy"), &PULL_POLICIES),
        );
    }
    resources(container.get("resources"), &path.child("resources"), out);
    security::of_container(
        container.get("securityContext"),
        &path.child("securityContext"),
        out,
    );
}

fn ports(ports: &[Value], path: &Path, out: &mut Problems) {
    let mut seen: Vec<&str> = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        let path = path.index(at);
        let name = port.str("name");
        if !name.is_empty() {
            let messages = names::port_name(name);
            if messages.is_empty() && seen.contains(&name) {
                out.push(path.child("name").duplicate(port.get("name")));
            }
            for message in messages {
                out.push(path.child("name").invalid(port.get("name"), &message));
            }
            seen.push(name);
        }
        if port.int("containerPort").unwrap_or(0) == 0 {
            out.push(path.child("containerPort").required(""));
        } else {
            numbers::port(port.get("containerPort"), &path.child("containerPort"), out);
        }
        if port.int("hostPort").unwrap_or(0) != 0 {
            numbers::port(port.get("hostPort"), &path.child("hostPort"), out);
        }
        if port.str("protocol").is_empty() {
            out.push(path.child("protocol").required(""));
        } else if !PROTOCOLS.contains(&port.str("protocol")) {
            out.push(
                path.child("protocol")
                    .not_supported(port.get("protocol"), &PROTOCOLS),
            );
        }
    }
}

fn host_port_conflicts(containers: &[Value], path: &Path, out: &mut Problems) {
    let mut seen: Vec<String> = Vec::new();
    for (at, container) in containers.iter().enumerate() {
        let path = path.index(at);
        let ports_path = path.child("ports");
        for (at, port) in container.get("ports").items().iter().enumerate() {
            let number = port.int("hostPort").unwrap_or(0);
            if number == 0 {
                continue;
            }
            let key = format!("{}/{}/{number}", port.str("protocol"), port.str("hostIP"));
            if seen.contains(&key) {
                out.push(ports_path.index(at).child("hostPort").duplicate(key));
            } else {
                seen.push(key);
            }
        }
    }
}

fn env(env: &[Value], path: &Path, out: &mut Problems) {
    for (at, variable) in env.iter().enumerate() {
        let path = path.index(at);
        if variable.str("name").is_empty() {
            out.push(path.child("name").required(""));
        } else {
            for message in names::env_name(variable.str("name")) {
                out.push(path.child("name").invalid(variable.get("name"), &message));
            }
        }
        value_from(variable, &path.child("valueFrom"), out);
    }
}

fn value_from(variable: &Value, path: &Path, out: &mut Problems) {
    let from = variable.get("valueFrom");
    if from.is_null() {
        return;
    }
    let mut sources = 0;
    for field in [
        "fieldRef",
        "resourceFieldRef",
        "configMapKeyRef",
        "secretKeyRef",
        "fileKeyRef",
    ] {
        let source = from.get(field);
        if source.is_null() {
            continue;
        }
        sources += 1;
        let path = path.child(field);
        match field {
            "fieldRef" => field_ref(source, &ENV_FIELD_PATHS, &path, out),
            "resourceFieldRef" => {
                if source.str("resource").is_empty() {
                    out.push(path.child("resource").required(""));
                }
            }
            "fileKeyRef" => {
                for part in ["volumeName", "path", "key"] {
                    if source.str(part).is_empty() {
                        out.push(path.child(part).required(""));
                    }
                }
            }
            _ => {
                let key = source.str("key");
                if key.is_empty() {
                    out.push(path.child("key").required(""));
                } else {
                    for message in names::config_key(key) {
                        out.push(path.child("key").invalid(source.get("key"), &message));
                    }
                }
            }
        }
    }
    if !variable.str("value").is_empty() {
        if sources != 0 {
            out.push(path.invalid("", "may not be specified when `value` is not empty"));
        }
    } else if sources == 0 {
        out.push(path.invalid("", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"));
    } else if sources > 1 {
        out.push(path.invalid("", "may not have more than one field specified at a time"));
    }
}

/// `validateObjectFieldSelector`.
pub(super) fn field_ref(source: &Value, allowed: &[&str], path: &Path, out: &mut Problems) {
    if source.str("apiVersion").is_empty() {
        out.push(path.child("apiVersion").required(""));
        return;
    }
    let field = source.str("fieldPath");
    let path = path.child("fieldPath");
    if field.is_empty() {
        out.push(path.required(""));
        return;
    }
    let (base, subscript) = match field.split_once("['") {
        Some((base, rest)) if rest.ends_with("']") => (base, true),
        _ => (field, false),
    };
    if !FIELD_PATHS.contains(&base) {
        out.push(path.invalid(
            source.get("fieldPath"),
            &format!("error converting fieldPath: field label not supported: {field}"),
        ));
        return;
    }
    if subscript {
        if !matches!(base, "metadata.labels" | "metadata.annotations") {
            out.push(path.invalid(source.get("fieldPath"), "does not support subscript"));
        }
        return;
    }
    if !allowed.contains(&base) {
        out.push(path.not_supported(source.get("fieldPath"), allowed));
    }
}

fn env_from(sources: &[Value], path: &Path, out: &mut Problems) {
    for (at, source) in sources.iter().enumerate() {
        let path = path.index(at);
        let prefix = source.str("prefix");
        if !prefix.is_empty() {
            for message in names::env_name(prefix) {
                out.push(path.child("prefix").invalid(source.get("prefix"), &message));
            }
        }
        let mut count = 0;
        for field in ["configMapRef", "secretRef"] {
            let reference = source.get(field);
            if !reference.is_null() {
                count += 1;
                if reference.str("name").is_empty() {
                    out.push(path.child(field).child("name").required(""));
                }
            }
        }
        match count {
            0 => out.push(path.invalid("", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => out.push(path.invalid("", "may not have more than one field specified at a time")),
        }
    }
}

fn mounts(mounts: &[Value], volumes: &[&str], path: &Path, out: &mut Problems) {
    let mut seen: Vec<&str> = Vec::new();
    for (at, mount) in mounts.iter().enumerate() {
        let path = path.index(at);
        let (name, target) = (mount.str("name"), mount.str("mountPath"));
        if name.is_empty() {
            out.push(path.child("name").required(""));
        }
        if !volumes.contains(&name) {
            out.push(path.child("name").not_found(mount.str("name").to_owned()));
        }
        if target.is_empty() {
            out.push(path.child("mountPath").required(""));
        }
        if seen.contains(&target) {
            out.push(
                path.child("mountPath")
                    .invalid(mount.get("mountPath"), "must be unique"),
            );
        }
        seen.push(target);
        for field in ["subPath", "subPathExpr"] {
            if !mount.str(field).is_empty() {
                descending(mount.get(field), &path.child(field), out);
            }
        }
        if !mount.str("subPath").is_empty() && !mount.str("subPathExpr").is_empty() {
            out.push(path.child("subPathExpr").invalid(
                mount.get("subPathExpr"),
                "subPathExpr and subPath are mutually exclusive",
            ));
        }
    }
}

/// A path below a volume's root.
pub(super) fn descending(value: &Value, path: &Path, out: &mut Problems) {
    let text = value.as_str().unwrap_or_default();
    if text.starts_with('/') {
        out.push(path.invalid(value, "must be a relative path"));
    }
    if text.split('/').any(|part| part == "..") {
        out.push(path.invalid(value, "must not contain '..'"));
    }
}

const CONTAINER_RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// `ValidateContainerResourceRequirements`.
pub(super) fn resources(resources: &Value, path: &Path, out: &mut Problems) {
    let limits = resources.get("limits");
    for (name, amount) in limits.entries().iter() {
        let limits_path = path.child("limits");
        resource(name, amount, &limits_path.key(name), out);
    }
    let requests_path = path.child("requests");
    for (name, amount) in resources.get("requests").entries().iter() {
        resource(name, amount, &requests_path.key(name), out);
        let limit = limits.get(name);
        let can_overcommit = CONTAINER_RESOURCES.contains(&name.as_str());
        let shown = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if limit.is_null() {
            if !can_overcommit {
                out.push(
                    path.child("limits")
                        .required("Limit must be set for non overcommitable resources"),
                );
            }
        } else if !can_overcommit && Quantity::of(amount) != Quantity::of(limit) {
            out.push(requests_path.invalid(
                amount,
                &format!("must be equal to {name} limit of {}", shown(limit)),
            ));
        } else if Quantity::of(amount) > Quantity::of(limit) {
            out.push(requests_path.invalid(
                amount,
                &format!(
                    "must be less than or equal to {name} limit of {}",
                    shown(limit)
                ),
            ));
        }
    }
}

fn resource(name: &Str, amount: &Value, path: &Path, out: &mut Problems) {
    let is_standard =
        CONTAINER_RESOURCES.contains(&name.as_str()) || name.starts_with("hugepages-");
    if !is_standard {
        for message in names::qualified(name) {
            out.push(path.invalid(name, &message));
        }
        if !name.contains('/') {
            let text = if matches!(name.as_str(), "pods" | "services" | "storage") {
                "must be a standard resource for containers"
            } else {
                "must be a standard resource type or fully qualified"
            };
            out.push(path.invalid(name, text));
            if text.ends_with("qualified") {
                out.push(path.invalid(name, "must be a standard resource for containers"));
            }
        }
    }
    let quantity = Quantity::of(amount);
    if quantity.is_negative() {
        out.push(path.invalid(amount, "must be greater than or equal to 0"));
    }
    let is_whole = !matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
    if is_whole && quantity.has_fraction() {
        out.push(path.invalid(amount, "must be an integer"));
    }
}

fn lifecycle(container: &Value, path: &Path, out: &mut Problems) {
    let lifecycle = container.get("lifecycle");
    let path = path.child("lifecycle");
    for hook in ["postStart", "preStop"] {
        if !lifecycle.get(hook).is_null() {
            handler(lifecycle.get(hook), &path.child(hook), out);
        }
    }
}

fn probes(container: &Value, path: &Path, out: &mut Problems) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.get(field);
        if probe.is_null() {
            continue;
        }
        let path = path.child(field);
        handler(probe, &path, out);
        for number in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            numbers::not_negative(probe.get(number), &path.child(number), out);
        }
        numbers::positive(
            probe.get("terminationGracePeriodSeconds"),
            &path.child("terminationGracePeriodSeconds"),
            out,
        );
        if field == "readinessProbe" {
            if !probe.get("terminationGracePeriodSeconds").is_null() {
                out.push(path.child("terminationGracePeriodSeconds").invalid(
                    probe.get("terminationGracePeriodSeconds"),
                    "must not be set for readinessProbes",
                ));
            }
        } else if probe.int("successThreshold") != Some(1) {
            out.push(
                path.child("successThreshold")
                    .invalid(probe.get("successThreshold"), "must be 1"),
            );
        }
    }
}

fn handler(handler: &Value, path: &Path, out: &mut Problems) {
    let mut count = 0;
    for field in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let action = handler.get(field);
        if action.is_null() {
            continue;
        }
        let path = path.child(field);
        if count > 0 {
            out.push(path.forbidden("may not specify more than 1 handler type"));
            continue;
        }
        count += 1;
        match field {
            "exec" => {
                if action.get("command").items().is_empty() {
                    out.push(path.child("command").required(""));
                }
            }
            "httpGet" => {
                if action.str("path").is_empty() {
                    out.push(path.child("path").required(""));
                }
                numbers::port_or_name(action.get("port"), &path.child("port"), out);
                if !matches!(action.str("scheme"), "HTTP" | "HTTPS") {
                    out.push(
                        path.child("scheme")
                            .not_supported(action.get("scheme"), &["HTTP", "HTTPS"]),
                    );
                }
            }
            "tcpSocket" => numbers::port_or_name(action.get("port"), &path.child("port"), out),
            "grpc" => numbers::port(action.get("port"), &path.child("port"), out),
            _ => numbers::not_negative(action.get("seconds"), &path.child("seconds"), out),
        }
    }
    if count == 0 {
        out.push(path.required("must specify a handler type"));
    }
}
