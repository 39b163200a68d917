//! Pods and pod templates.

use api::{Map, Value, core, map, meta::Meta};

use super::{Text, controlled_by, long_time};

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

fn containers(
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
pub(crate) fn probe(probe: &Value) -> String {
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

fn environment(text: &mut Text, container: &Value, pod: Option<&Value>) {
    let sources = container.get("envFrom").items();
    if !sources.is_empty() {
        text.line(2, "Environment Variables from:");
        for source in sources {
            let (kind, reference) = if source.has("configMapRef") {
                ("ConfigMap", source.get("configMapRef"))
            } else {
                ("Secret", source.get("secretRef"))
            };
            let prefix = match source.str("prefix") {
                "" => String::new(),
                prefix => format!(" with prefix '{prefix}'"),
            };
            text.line(
                3,
                format!(
                    "{}\t{kind}{prefix}\tOptional: {}",
                    reference.str("name"),
                    reference.bool("optional")
                ),
            );
        }
    }
    let variables = container.get("env").items();
    if variables.is_empty() {
        text.line(2, "Environment:\t<none>");
        return;
    }
    text.line(2, "Environment:");
    for variable in variables {
        let (name, from) = (variable.str("name"), variable.get("valueFrom"));
        if from.is_null() {
            for (at, line) in variable.str("value").split('\n').enumerate() {
                text.line(
                    3,
                    if at == 0 {
                        format!("{name}:\t{line}")
                    } else {
                        format!("\t{line}")
                    },
                );
            }
        } else if from.has("fieldRef") {
            let field = from.get("fieldRef");
            let path = field.str("fieldPath");
            let value = pod.map(|pod| field_value(pod, path)).unwrap_or_default();
            text.line(
                3,
                format!("{name}:\t{value} ({}:{path})", field.str("apiVersion")),
            );
        } else if from.has("resourceFieldRef") {
            let field = from.get("resourceFieldRef");
            text.line(
                3,
                format!(
                    "{name}:\t{} ({})",
                    resource_value(container, field),
                    field.str("resource")
                ),
            );
        } else if from.has("secretKeyRef") {
            let key = from.get("secretKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("name"),
                    key.bool("optional")
                ),
            );
        } else if from.has("configMapKeyRef") {
            let key = from.get("configMapKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("name"),
                    key.bool("optional")
                ),
            );
        } else if from.has("fileKeyRef") {
            let key = from.get("fileKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in volume '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("volumeName"),
                    key.bool("optional")
                ),
            );
        }
    }
}

/// What kubectl can resolve by itself: names, labels, annotations.
fn field_value(pod: &Value, path: &str) -> String {
    if let Some((map, key)) = path.split_once("['") {
        return pod
            .path(map)
            .get(key.trim_end_matches("']"))
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            pod.path(path).as_str().unwrap_or_default().to_owned()
        }
        "metadata.labels" | "metadata.annotations" => {
            let pairs: Vec<String> = pod
                .path(path)
                .entries()
                .iter()
                .map(|(k, v)| format!("{k}={:?}", v.as_str().unwrap_or_default()))
                .collect();
            pairs.join("\n")
        }
        _ => String::new(),
    }
}

fn resource_value(container: &Value, field: &Value) -> String {
    let (kind, resource) = field.str("resource").split_once('.').unwrap_or(("", ""));
    let amount = container.get("resources").get(kind).get(resource);
    let Ok(quantity) = api::quantity::Quantity::parse(&plain(amount)) else {
        return "0".to_owned();
    };
    let divisor = api::quantity::Quantity::parse(&plain(field.get("divisor")))
        .map_or(1000, |d| d.millis())
        .max(1);
    // Rounded up to whole divisors, as the downward API does.
    (quantity.millis().saturating_add(divisor - 1) / divisor).to_string()
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

/// How a field of a volume is shown.
#[derive(Clone, Copy)]
enum Show {
    Text,
    Bool,
    Number,
    /// A missing size.
    Size,
}

/// A volume source: its field, what kubectl calls it, and its fields with their titles.
type Source = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, Show)],
);

const SOURCES: &[Source] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[
            ("Path", "path", Show::Text),
            ("HostPathType", "type", Show::Text),
        ],
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[
            ("Medium", "medium", Show::Text),
            ("SizeLimit", "sizeLimit", Show::Size),
        ],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[
            ("PDName", "pdName", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("Partition", "partition", Show::Number),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[
            ("VolumeID", "volumeID", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("Partition", "partition", Show::Number),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[
            ("SecretName", "secretName", Show::Text),
            ("Optional", "optional", Show::Bool),
        ],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[
            ("Name", "name", Show::Text),
            ("Optional", "optional", Show::Bool),
        ],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[
            ("Server", "server", Show::Text),
            ("Path", "path", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[
            ("ClaimName", "claimName", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName", "diskName", Show::Text),
            ("DiskURI", "diskURI", Show::Text),
            ("Kind", "kind", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("CachingMode", "cachingMode", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[
            ("Driver", "driver", Show::Text),
            ("FSType", "fsType", Show::Text),
            ("ReadOnly", "readOnly", Show::Bool),
        ],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[
            ("Reference", "reference", Show::Text),
            ("PullPolicy", "pullPolicy", Show::Text),
        ],
    ),
];

pub(crate) fn volumes(text: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        text.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    let indent = if space.is_empty() { "" } else { " " };
    text.line(0, format!("{space}Volumes:"));
    for volume in volumes {
        text.line(1, format!("{indent}{}:", volume.str("name")));
        if volume.has("projected") {
            text.line(
                2,
                "Type:\tProjected (a volume that contains injected data from multiple sources)",
            );
            for source in volume.path("projected.sources").items() {
                projected(text, source);
            }
        } else if volume.has("downwardAPI") {
            text.line(
                2,
                "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:",
            );
            for item in volume.path("downwardAPI.items").items() {
                if item.has("fieldRef") {
                    text.line(
                        3,
                        format!(
                            "{} -> {}",
                            item.path("fieldRef.fieldPath").as_str().unwrap_or_default(),
                            item.str("path")
                        ),
                    );
                } else {
                    text.line(
                        3,
                        format!(
                            "{} -> {}",
                            item.path("resourceFieldRef.resource")
                                .as_str()
                                .unwrap_or_default(),
                            item.str("path")
                        ),
                    );
                }
            }
        } else if volume.has("ephemeral") {
            let claim = volume.path("ephemeral.volumeClaimTemplate");
            text.line(2, "Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)");
            if let Some(class) = claim.path("spec.storageClassName").as_str() {
                text.line(2, format!("StorageClass:\t{class}"));
            }
            text.line(
                2,
                format!(
                    "Volume:\t{}",
                    claim.path("spec.volumeName").as_str().unwrap_or_default()
                ),
            );
            text.labels(2, "Labels", Meta::of(claim).labels());
            text.annotations(2, "Annotations", Meta::of(claim).annotations());
            text.line(
                2,
                format!(
                    "Capacity:\t\n    Access Modes:\t\n    VolumeMode:\t{}",
                    claim
                        .path("spec.volumeMode")
                        .as_str()
                        .unwrap_or("Filesystem")
                ),
            );
        } else if let Some((key, title, fields)) = SOURCES.iter().find(|(key, ..)| volume.has(key))
        {
            let source = volume.get(key);
            text.line(2, format!("Type:\t{title}"));
            for (name, field, show) in *fields {
                let value = source.get(field);
                let shown = match show {
                    Show::Text => plain(value),
                    Show::Bool => value.as_bool().unwrap_or_default().to_string(),
                    Show::Number => value.as_int().unwrap_or_default().to_string(),
                    Show::Size if value.is_null() => "<unset>".to_owned(),
                    Show::Size => plain(value),
                };
                text.line(2, format!("{name}:\t{shown}"));
            }
            if *key == "csi" {
                text.labels(
                    2,
                    "VolumeAttributes",
                    source.get("volumeAttributes").entries(),
                );
            }
        } else {
            text.line(1, "<unknown>");
        }
    }
}

fn projected(text: &mut Text, source: &Value) {
    if source.has("secret") {
        let secret = source.get("secret");
        text.line(2, format!("SecretName:\t{}", secret.str("name")));
        text.line(2, format!("Optional:\t{}", secret.bool("optional")));
    } else if source.has("downwardAPI") {
        text.line(2, "DownwardAPI:\ttrue");
    } else if source.has("configMap") {
        let config = source.get("configMap");
        text.line(2, format!("ConfigMapName:\t{}", config.str("name")));
        text.line(2, format!("Optional:\t{}", config.bool("optional")));
    } else if source.has("serviceAccountToken") {
        text.line(
            2,
            format!(
                "TokenExpirationSeconds:\t{}",
                source
                    .path("serviceAccountToken.expirationSeconds")
                    .as_int()
                    .unwrap_or(0)
            ),
        );
    } else if source.has("clusterTrustBundle") {
        let bundle = source.get("clusterTrustBundle");
        if bundle.has("name") {
            text.line(
                2,
                format!("ClusterTrustBundleName:\t{}", bundle.str("name")),
            );
        } else {
            text.line(
                2,
                format!("ClusterTrustBundleSigner:\t{}", bundle.str("signerName")),
            );
        }
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
