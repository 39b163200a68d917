//! `PodSecurity`: pods keep to the standard that their namespace's labels name, or workloads are warned about.
//!
//! Models `k8s.io/pod-security-admission` at the latest version of its standards.

use api::{Status, Str, Value};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;

const PREFIX: &str = "pod-security.kubernetes.io/";

/// Capabilities that the baseline lets containers add.
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Volumes that the restricted standard allows.
const ALLOWED_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

impl ApiServer {
    pub(crate) fn check_pod_security(
        &self,
        call: &mut Call,
        operation: Operation,
        object: &Value,
    ) -> Result<(), Status> {
        let is_pod = call.kind.group.is_empty() && call.kind.plural == *"pods";
        let spec = match (call.kind.group.as_str(), call.kind.plural.as_str()) {
            ("", "pods") => object.get("spec"),
            ("apps", _) | ("batch", "jobs") | ("", "replicationcontrollers") => {
                object.path("spec.template.spec")
            }
            ("batch", "cronjobs") => object.path("spec.jobTemplate.spec.template.spec"),
            _ => return Ok(()),
        };
        let is_of_interest =
            call.subresource.is_empty() || call.subresource == *"ephemeralcontainers";
        if spec.is_null()
            || !is_of_interest
            || (is_pod && operation == Operation::Update && call.subresource.is_empty())
        {
            return Ok(());
        }
        let Some(namespace) = self.object("namespaces", &Str::EMPTY, &call.namespace) else {
            return Ok(());
        };
        let labels = namespace.path("metadata.labels");
        let level = |mode: &str| -> (String, String) {
            let level = labels.str(&format!("{PREFIX}{mode}"));
            let version = labels.str(&format!("{PREFIX}{mode}-version"));
            let version = if version.is_empty() {
                "latest"
            } else {
                version
            };
            (level.to_owned(), version.to_owned())
        };
        if is_pod {
            let (standard, version) = level("enforce");
            let violations = violations(spec, &standard);
            if !violations.is_empty() {
                let why = format!(
                    "violates PodSecurity \"{standard}:{version}\": {}",
                    violations.join(", ")
                );
                return Err(super::forbidden(call, &why));
            }
        }
        let (standard, version) = level("warn");
        let violations = violations(spec, &standard);
        if !violations.is_empty() {
            call.warn(format!(
                "would violate PodSecurity \"{standard}:{version}\": {}",
                violations.join(", ")
            ));
        }
        Ok(())
    }
}

/// What a pod does that a standard forbids: `reason (detail)`.
fn violations(spec: &Value, standard: &str) -> Vec<String> {
    let mut out = Vec::new();
    match standard {
        "baseline" => baseline(spec, false, &mut out),
        "restricted" => {
            baseline(spec, true, &mut out);
            restricted(spec, &mut out);
        }
        _ => {}
    }
    out
}

/// All containers of a pod.
fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|list| spec.get(list).items())
}

/// The quoted names of the containers of which something is true.
fn named(spec: &Value, is_so: impl Fn(&Value) -> bool) -> Vec<String> {
    containers(spec)
        .filter(|c| is_so(c.get("securityContext")))
        .map(|c| format!("{:?}", c.str("name")))
        .collect()
}

/// `container "a"`, `containers "a", "b"`.
fn plural(word: &str, names: &[String]) -> String {
    let s = if names.len() == 1 { "" } else { "s" };
    format!("{word}{s} {}", names.join(", "))
}

fn baseline(spec: &Value, is_restricted: bool, out: &mut Vec<String>) {
    if !is_restricted {
        let added = bad_capabilities(spec, &DEFAULT_CAPABILITIES);
        if let Some((names, caps)) = added {
            out.push(format!(
                "non-default capabilities ({} must not include {caps} in securityContext.capabilities.add)",
                plural("container", &names)
            ));
        }
    }
    let host: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|field| spec.bool(field))
        .map(|field| format!("{field}=true"))
        .collect();
    if !host.is_empty() {
        out.push(format!("host namespaces ({})", host.join(", ")));
    }
    let volumes: Vec<String> = spec
        .get("volumes")
        .items()
        .iter()
        .filter(|v| v.has("hostPath"))
        .map(|v| format!("{:?}", v.str("name")))
        .collect();
    if !volumes.is_empty() {
        out.push(format!("hostPath volumes ({})", plural("volume", &volumes)));
    }
    host_ports(spec, out);
    let privileged = named(spec, |context| context.bool("privileged"));
    if !privileged.is_empty() {
        out.push(format!(
            "privileged ({} must not set securityContext.privileged=true)",
            plural("container", &privileged)
        ));
    }
    let unmasked = named(spec, |context| context.str("procMount") == "Unmasked");
    if !unmasked.is_empty() {
        out.push(format!(
            "procMount ({} must not set securityContext.procMount to \"Unmasked\")",
            plural("container", &unmasked)
        ));
    }
    if !is_restricted {
        let mut bad = Vec::new();
        if spec.path("securityContext.seccompProfile.type").as_str() == Some("Unconfined") {
            bad.push("pod".to_owned());
        }
        let names = named(spec, |c| {
            c.path("seccompProfile.type").as_str() == Some("Unconfined")
        });
        if !names.is_empty() {
            bad.push(plural("container", &names));
        }
        if !bad.is_empty() {
            out.push(format!(
                "seccompProfile ({} must not set securityContext.seccompProfile.type to \"Unconfined\")",
                bad.join(" and ")
            ));
        }
    }
}

fn host_ports(spec: &Value, out: &mut Vec<String>) {
    let (mut names, mut numbers) = (Vec::new(), Vec::new());
    for container in containers(spec) {
        let used: Vec<i64> = container
            .get("ports")
            .items()
            .iter()
            .filter_map(|port| port.int("hostPort").filter(|n| *n != 0))
            .collect();
        if !used.is_empty() {
            names.push(format!("{:?}", container.str("name")));
            numbers.extend(used);
        }
    }
    if names.is_empty() {
        return;
    }
    numbers.sort_unstable();
    numbers.dedup();
    let s = if numbers.len() == 1 { "" } else { "s" };
    let uses = if names.len() == 1 { "uses" } else { "use" };
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    out.push(format!(
        "hostPort ({} {uses} hostPort{s} {})",
        plural("container", &names),
        numbers.join(", ")
    ));
}

/// Containers that add capabilities outside a set, and those capabilities.
fn bad_capabilities(spec: &Value, allowed: &[&str]) -> Option<(Vec<String>, String)> {
    let (mut names, mut caps): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for container in containers(spec) {
        let added = container.path("securityContext.capabilities.add").items();
        let bad: Vec<String> = added
            .iter()
            .filter_map(Value::as_str)
            .filter(|cap| !allowed.contains(cap))
            .map(|cap| format!("{cap:?}"))
            .collect();
        if !bad.is_empty() {
            names.push(format!("{:?}", container.str("name")));
            caps.extend(bad);
        }
    }
    caps.sort();
    caps.dedup();
    (!names.is_empty()).then(|| (names, caps.join(", ")))
}

fn restricted(spec: &Value, out: &mut Vec<String>) {
    let escalating = named(spec, |c| {
        c.get("allowPrivilegeEscalation").as_bool() != Some(false)
    });
    if !escalating.is_empty() {
        out.push(format!(
            "allowPrivilegeEscalation != false ({} must set securityContext.allowPrivilegeEscalation=false)",
            plural("container", &escalating)
        ));
    }
    let mut details = Vec::new();
    let keeping = named(spec, |c| {
        !c.path("capabilities.drop")
            .items()
            .iter()
            .any(|cap| cap.as_str() == Some("ALL"))
    });
    if !keeping.is_empty() {
        details.push(format!(
            "{} must set securityContext.capabilities.drop=[\"ALL\"]",
            plural("container", &keeping)
        ));
    }
    if let Some((names, caps)) = bad_capabilities(spec, &["NET_BIND_SERVICE"]) {
        details.push(format!(
            "{} must not include {caps} in securityContext.capabilities.add",
            plural("container", &names)
        ));
    }
    if !details.is_empty() {
        out.push(format!(
            "unrestricted capabilities ({})",
            details.join("; ")
        ));
    }
    restricted_volumes(spec, out);
    let pod = spec.get("securityContext");
    run_as_non_root(spec, pod, out);
    let mut roots = Vec::new();
    if pod.int("runAsUser") == Some(0) {
        roots.push("pod".to_owned());
    }
    let names = named(spec, |c| c.int("runAsUser") == Some(0));
    if !names.is_empty() {
        roots.push(plural("container", &names));
    }
    if !roots.is_empty() {
        out.push(format!(
            "runAsUser=0 ({} must not set runAsUser=0)",
            roots.join(" and ")
        ));
    }
    seccomp(spec, pod, out);
}

fn restricted_volumes(spec: &Value, out: &mut Vec<String>) {
    let (mut names, mut kinds): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for volume in spec.get("volumes").items() {
        let bad = volume
            .entries()
            .keys()
            .find(|key| *key != "name" && !ALLOWED_VOLUMES.contains(&key.as_str()));
        if let Some(kind) = bad {
            names.push(format!("{:?}", volume.str("name")));
            kinds.push(format!("{:?}", kind.as_str()));
        }
    }
    if names.is_empty() {
        return;
    }
    kinds.sort();
    kinds.dedup();
    let uses = if names.len() == 1 { "uses" } else { "use" };
    let s = if kinds.len() == 1 { "" } else { "s" };
    out.push(format!(
        "restricted volume types ({} {uses} restricted volume type{s} {})",
        plural("volume", &names),
        kinds.join(", ")
    ));
}

fn run_as_non_root(spec: &Value, pod: &Value, out: &mut Vec<String>) {
    let on_pod = pod.get("runAsNonRoot").as_bool();
    let explicit = named(spec, |c| c.get("runAsNonRoot").as_bool() == Some(false));
    let implicit = named(spec, |c| c.get("runAsNonRoot").is_null());
    let mut bad = Vec::new();
    if on_pod == Some(false) {
        bad.push("pod".to_owned());
    }
    if !explicit.is_empty() {
        bad.push(plural("container", &explicit));
    }
    if !bad.is_empty() {
        out.push(format!(
            "runAsNonRoot != true ({} must not set securityContext.runAsNonRoot=false)",
            bad.join(" and ")
        ));
    } else if on_pod != Some(true) && !implicit.is_empty() {
        out.push(format!(
            "runAsNonRoot != true (pod or {} must set securityContext.runAsNonRoot=true)",
            plural("container", &implicit)
        ));
    }
}

fn seccomp(spec: &Value, pod: &Value, out: &mut Vec<String>) {
    let is_fine = |profile: &Value| matches!(profile.str("type"), "RuntimeDefault" | "Localhost");
    let on_pod = pod.get("seccompProfile");
    let mut bad = Vec::new();
    if !on_pod.is_null() && !is_fine(on_pod) {
        bad.push(format!(
            "pod must not set securityContext.seccompProfile.type to {:?}",
            on_pod.str("type")
        ));
    }
    let explicit = named(spec, |c| {
        !c.get("seccompProfile").is_null() && !is_fine(c.get("seccompProfile"))
    });
    if !explicit.is_empty() {
        bad.push(format!(
            "{} must not set securityContext.seccompProfile.type to \"Unconfined\"",
            plural("container", &explicit)
        ));
    }
    let implicit = named(spec, |c| c.get("seccompProfile").is_null());
    if bad.is_empty() && !is_fine(on_pod) && !implicit.is_empty() {
        bad.push(format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            plural("container", &implicit)
        ));
    }
    if !bad.is_empty() {
        out.push(format!("seccompProfile ({})", bad.join("; ")));
    }
}
