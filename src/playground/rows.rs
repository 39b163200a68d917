//! Objects of the API as the rows that views draw: state, one or two words, owners and references.

use api::quantity::Quantity;
use api::{Map, Value, core, meta};
use sim::Time;

use crate::{
    Container, ContainerState, Fall, Micros, NodeRow, ObjectRef, ObjectRow, PodRow, Relation,
    State, Text,
};

/// The kinds that views show; the rest (events, leases, …) would only be in the way.
pub(crate) fn is_shown(collection: &str) -> bool {
    !matches!(
        collection.split('.').next().unwrap_or_default(),
        "events"
            | "leases"
            | "endpoints"
            | "controllerrevisions"
            | "csinodes"
            | "apiservices"
            | "flowschemas"
            | "prioritylevelconfigurations"
            | "ipaddresses"
            | "servicecidrs"
    )
}

/// The row of any object.
pub(crate) fn object(object: &Value, start: Time) -> ObjectRow {
    let meta = meta::Meta::of(object);
    let kind = object.str("kind").to_owned();
    let pod = (kind == "Pod").then(|| pod(object));
    let (state, note) = state(object, pod.as_ref());
    let mut owners: Vec<(bool, String)> = meta
        .owners()
        .map(|owner| (!owner.is_controller(), owner.uid().to_owned()))
        .collect();
    owners.sort();
    ObjectRow {
        uid: meta.uid().to_owned(),
        namespace: meta.namespace().to_owned(),
        name: meta.name().to_owned(),
        created: meta.creation_time().map_or(0, |at| at.since(start)),
        state: if meta.is_deleting() {
            State::Terminating
        } else {
            state
        },
        note,
        owners: owners.into_iter().map(|(_, uid)| uid).collect(),
        relations: relations(object),
        pod,
        is_system: is_system(object),
        kind,
    }
}

fn is_system(object: &Value) -> bool {
    let meta = meta::Meta::of(object);
    let (namespace, name) = (meta.namespace(), meta.name());
    match object.str("kind") {
        "Namespace" => name.starts_with("kube-") || name == "default",
        "Node" => false,
        "ServiceAccount" => name == "default" || namespace.starts_with("kube-"),
        "ConfigMap" => name == "kube-root-ca.crt" || namespace.starts_with("kube-"),
        "Service" => {
            name == "kubernetes" && namespace == "default" || namespace.starts_with("kube-")
        }
        "EndpointSlice" => {
            name.starts_with("kubernetes") && namespace == "default"
                || namespace.starts_with("kube-")
        }
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => {
            name.contains("system:")
                || name.starts_with("kubeadm:")
                || namespace.starts_with("kube-")
                || ["cluster-admin", "admin", "edit", "view"].contains(&name)
        }
        "PriorityClass" => name.starts_with("system-"),
        _ => namespace.starts_with("kube-"),
    }
}

fn state(object: &Value, pod: Option<&PodRow>) -> (State, Text) {
    let (spec, status) = (object.get("spec"), object.get("status"));
    let number = |value: &Value, key: &str| value.int(key).unwrap_or(0);
    let counted = |ready: i64, wanted: i64| {
        let state = if ready >= wanted {
            State::Ready
        } else {
            State::Pending
        };
        (state, Text::same(format!("{ready} / {wanted}")))
    };
    match object.str("kind") {
        "Pod" => pod_state(pod.expect("a pod has its row"), object),
        "Deployment" => {
            let (state, note) = counted(
                number(status, "availableReplicas"),
                spec.int("replicas").unwrap_or(1),
            );
            let failed =
                meta::condition(object, "Progressing").is_some_and(|c| c.status() == "False");
            (if failed { State::Failed } else { state }, note)
        }
        "ReplicaSet" | "ReplicationController" | "StatefulSet" => {
            let wanted = spec.int("replicas").unwrap_or(1);
            if wanted == 0 && number(status, "replicas") == 0 {
                return (State::Plain, Text::same("0 / 0"));
            }
            counted(number(status, "readyReplicas"), wanted)
        }
        "DaemonSet" => counted(
            number(status, "numberReady"),
            number(status, "desiredNumberScheduled"),
        ),
        "Job" => {
            let wanted = spec.int("completions").unwrap_or(1);
            let done = number(status, "succeeded");
            let state = if meta::is_true(object, "Complete") {
                State::Succeeded
            } else if meta::is_true(object, "Failed") {
                State::Failed
            } else {
                State::Running
            };
            (state, Text::same(format!("{done} / {wanted}")))
        }
        "CronJob" => (State::Plain, Text::same(spec.str("schedule"))),
        "Service" => (State::Plain, Text::same(spec.str("type"))),
        "Node" => {
            let ready = meta::condition(object, "Ready").map_or("Unknown", |c| c.status());
            match ready {
                "True" if core::Node(object).unschedulable() => {
                    (State::Ready, Text::new("スケジュール停止中", "cordoned"))
                }
                "True" => (State::Ready, Text::same("Ready")),
                "False" => (State::Pending, Text::same("NotReady")),
                _ => (State::Unknown, Text::same("Unknown")),
            }
        }
        "Namespace" => (State::Plain, Text::same(status.str("phase"))),
        "PersistentVolumeClaim" | "PersistentVolume" => {
            let phase = status.str("phase");
            let state = if phase == "Bound" {
                State::Ready
            } else {
                State::Pending
            };
            (state, Text::same(phase))
        }
        "Ingress" => {
            let hosts = spec.get("rules").items().len();
            (
                State::Plain,
                Text::new(
                    format!("ホスト {hosts}"),
                    format!("{hosts} host{}", if hosts == 1 { "" } else { "s" }),
                ),
            )
        }
        "EndpointSlice" => {
            let endpoints = object.get("endpoints").items();
            let ready = endpoints
                .iter()
                .filter(|e| e.path("conditions.ready").as_bool().unwrap_or(true))
                .count();
            (
                if endpoints.is_empty() {
                    State::Pending
                } else {
                    State::Ready
                },
                Text::same(format!("{ready} / {}", endpoints.len())),
            )
        }
        "ConfigMap" | "Secret" => {
            let keys = object.get("data").entries().len();
            (
                State::Plain,
                Text::new(
                    format!("キー {keys}"),
                    format!("{keys} key{}", if keys == 1 { "" } else { "s" }),
                ),
            )
        }
        "HorizontalPodAutoscaler" => (
            State::Plain,
            Text::same(format!(
                "{}–{}",
                number(spec, "minReplicas").max(1),
                number(spec, "maxReplicas")
            )),
        ),
        _ => (State::Plain, Text::default()),
    }
}

fn pod_state(row: &PodRow, object: &Value) -> (State, Text) {
    let deleting = meta::Meta::of(object).is_deleting();
    let state = match row.phase.as_str() {
        _ if deleting => State::Terminating,
        "Succeeded" => State::Succeeded,
        "Failed" => State::Failed,
        "Running" if row.ready => State::Ready,
        _ if row.containers.iter().any(|c| is_trouble(&c.reason)) => State::Failed,
        "Running" => State::Running,
        "Pending" => State::Pending,
        _ => State::Unknown,
    };
    let note = match state {
        State::Ready => Text::same(row.node.clone()),
        State::Pending if row.node.is_empty() => Text::new("ノード待ち", "waits for a node"),
        _ => Text::same(row.status.clone()),
    };
    (state, note)
}

/// Reasons that will not go away by waiting a moment.
fn is_trouble(reason: &str) -> bool {
    ["BackOff", "Err", "Invalid", "Error", "OOMKilled"]
        .iter()
        .any(|word| reason.contains(word))
}

fn pod(object: &Value) -> PodRow {
    let pod = core::Pod(object);
    let (cpu, memory) = requests(object);
    let mut containers = Vec::new();
    let mut restarts = 0;
    for (specs, statuses, is_init) in [
        (
            object.path("spec.initContainers"),
            pod.init_container_statuses(),
            true,
        ),
        (
            object.path("spec.containers"),
            pod.container_statuses(),
            false,
        ),
    ] {
        for spec in specs.items() {
            let status = statuses
                .iter()
                .find(|s| s.str("name") == spec.str("name"))
                .cloned()
                .unwrap_or_default();
            restarts += status.int("restartCount").unwrap_or(0).max(0) as u32;
            containers.push(container(spec, &status, is_init));
        }
    }
    PodRow {
        node: pod.node_name().to_owned(),
        phase: pod.phase().to_owned(),
        status: status_word(object, &containers),
        ready: meta::is_true(object, "Ready"),
        ip: pod.pod_ip().to_owned(),
        restarts,
        cpu_requested_milli: cpu,
        memory_requested: memory,
        containers,
    }
}

fn container(spec: &Value, status: &Value, is_init: bool) -> Container {
    let state = status.get("state");
    let (kind, reason) = if state.has("running") {
        (ContainerState::Running, "")
    } else if state.has("terminated") {
        let ended = state.get("terminated");
        let kind = if ended.int("exitCode") == Some(0) {
            ContainerState::Done
        } else {
            ContainerState::Failed
        };
        (kind, ended.str("reason"))
    } else {
        (ContainerState::Waiting, state.get("waiting").str("reason"))
    };
    Container {
        name: spec.str("name").to_owned(),
        image: spec.str("image").to_owned(),
        is_init,
        is_sidecar: is_init && spec.str("restartPolicy") == "Always",
        state: kind,
        ready: status.bool("ready"),
        reason: reason.to_owned(),
    }
}

/// What kubectl's STATUS column says, without the details of init containers' counts.
fn status_word(object: &Value, containers: &[Container]) -> String {
    if meta::Meta::of(object).is_deleting() {
        return "Terminating".to_owned();
    }
    let status = object.get("status");
    if !status.str("reason").is_empty() {
        return status.str("reason").to_owned();
    }
    let inits: Vec<&Container> = containers.iter().filter(|c| c.is_init).collect();
    let finished = inits
        .iter()
        .filter(|c| c.state == ContainerState::Done || c.is_sidecar && c.ready)
        .count();
    if finished < inits.len() && status.str("phase") == "Pending" {
        let waiting = inits.iter().find(|c| {
            !c.reason.is_empty() && c.reason != "PodInitializing" && c.state != ContainerState::Done
        });
        return waiting.map_or_else(
            || format!("Init:{finished}/{}", inits.len()),
            |c| format!("Init:{}", c.reason),
        );
    }
    let reason = containers
        .iter()
        .rev()
        .filter(|c| !c.is_init)
        .find(|c| !c.reason.is_empty())
        .map(|c| c.reason.clone());
    reason.unwrap_or_else(|| status.str("phase").to_owned())
}

/// Millicores and bytes that the scheduler counts for a pod.
pub(crate) fn requests(pod: &Value) -> (u64, u64) {
    let amount = |container: &Value, name: &str| {
        Quantity::of(container.path("resources.requests").get(name))
    };
    let sum = |name: &str| {
        let mains: Quantity = pod
            .path("spec.containers")
            .items()
            .iter()
            .map(|c| amount(c, name))
            .sum();
        let (sidecars, once): (Vec<&Value>, Vec<&Value>) = pod
            .path("spec.initContainers")
            .items()
            .iter()
            .partition(|c| c.str("restartPolicy") == "Always");
        let sidecars: Quantity = sidecars.into_iter().map(|c| amount(c, name)).sum();
        let largest = once
            .into_iter()
            .map(|c| amount(c, name))
            .max()
            .unwrap_or_default();
        (mains + sidecars).max(largest)
    };
    (
        sum("cpu").millis().max(0) as u64,
        sum("memory").value().max(0) as u64,
    )
}

/// The row of a Node; `pods` are those bound to it that have not ended.
pub(crate) fn node(object: &Value, requested: (u64, u64), fall: Option<Fall>) -> NodeRow {
    let node = core::Node(object);
    let meta = node.meta();
    let amount = |map: &Map, name: &str| map.get(name).map(Quantity::of).unwrap_or_default();
    let conditions = object.path("status.conditions").items();
    NodeRow {
        name: meta.name().to_owned(),
        uid: meta.uid().to_owned(),
        zone: meta
            .label("topology.kubernetes.io/zone")
            .unwrap_or_default()
            .to_owned(),
        ready: meta::condition(object, "Ready").and_then(|c| match c.status() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }),
        pressure: conditions
            .iter()
            .filter(|c| c.str("type") != "Ready" && c.str("status") == "True")
            .map(|c| c.str("type").to_owned())
            .collect(),
        cordoned: node.unschedulable(),
        fall,
        taints: node.taints().iter().map(taint).collect(),
        cpu_requested_milli: requested.0,
        cpu_allocatable_milli: amount(node.allocatable(), "cpu").millis().max(0) as u64,
        memory_requested: requested.1,
        memory_allocatable: amount(node.allocatable(), "memory").value().max(0) as u64,
        pods_allocatable: amount(node.allocatable(), "pods")
            .value()
            .clamp(0, i64::from(u32::MAX)) as u32,
    }
}

fn taint(taint: &Value) -> String {
    let (key, value, effect) = (taint.str("key"), taint.str("value"), taint.str("effect"));
    if value.is_empty() {
        format!("{key}:{effect}")
    } else {
        format!("{key}={value}:{effect}")
    }
}

/// References that are not ownership, each once.
fn relations(object: &Value) -> Vec<Relation> {
    let namespace = meta::Meta::of(object).namespace();
    let spec = object.get("spec");
    let mut found: Vec<Relation> = Vec::new();
    let mut add = |verb: &str, kind: &str, namespace: &str, name: &str| {
        let relation = Relation {
            verb: verb.to_owned(),
            to: ObjectRef {
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
        };
        if !name.is_empty() && !found.contains(&relation) {
            found.push(relation);
        }
    };
    match object.str("kind") {
        "Pod" => {
            for volume in spec.get("volumes").items() {
                let mut sources = vec![volume.clone()];
                // The token volume that every pod has says nothing about this one.
                if !volume.str("name").starts_with("kube-api-access-") {
                    sources.extend(volume.path("projected.sources").items().iter().cloned());
                }
                for source in sources {
                    add(
                        "mounts",
                        "ConfigMap",
                        namespace,
                        source.get("configMap").str("name"),
                    );
                    add(
                        "mounts",
                        "Secret",
                        namespace,
                        source.get("secret").str("secretName"),
                    );
                    add(
                        "mounts",
                        "Secret",
                        namespace,
                        source.get("secret").str("name"),
                    );
                    add(
                        "mounts",
                        "PersistentVolumeClaim",
                        namespace,
                        source.get("persistentVolumeClaim").str("claimName"),
                    );
                }
            }
            for container in spec
                .get("containers")
                .items()
                .iter()
                .chain(spec.get("initContainers").items())
            {
                for source in container.get("envFrom").items() {
                    add(
                        "reads",
                        "ConfigMap",
                        namespace,
                        source.get("configMapRef").str("name"),
                    );
                    add(
                        "reads",
                        "Secret",
                        namespace,
                        source.get("secretRef").str("name"),
                    );
                }
                for variable in container.get("env").items() {
                    add(
                        "reads",
                        "ConfigMap",
                        namespace,
                        variable.path("valueFrom.configMapKeyRef").str("name"),
                    );
                    add(
                        "reads",
                        "Secret",
                        namespace,
                        variable.path("valueFrom.secretKeyRef").str("name"),
                    );
                }
            }
            if spec.str("serviceAccountName") != "default" {
                add(
                    "runs as",
                    "ServiceAccount",
                    namespace,
                    spec.str("serviceAccountName"),
                );
            }
        }
        "EndpointSlice" => {
            for endpoint in object.get("endpoints").items() {
                let target = endpoint.get("targetRef");
                add(
                    "routes to",
                    target.str("kind"),
                    namespace,
                    target.str("name"),
                );
            }
        }
        "Ingress" => {
            add(
                "routes to",
                "Service",
                namespace,
                spec.path("defaultBackend.service").str("name"),
            );
            for path in spec
                .get("rules")
                .items()
                .iter()
                .flat_map(|rule| rule.path("http.paths").items())
            {
                add(
                    "routes to",
                    "Service",
                    namespace,
                    path.path("backend.service").str("name"),
                );
            }
        }
        "HorizontalPodAutoscaler" => {
            let target = spec.get("scaleTargetRef");
            add("scales", target.str("kind"), namespace, target.str("name"));
        }
        "PersistentVolumeClaim" => {
            add("binds", "PersistentVolume", "", spec.str("volumeName"));
            add("uses", "StorageClass", "", spec.str("storageClassName"));
        }
        "PersistentVolume" => add("uses", "StorageClass", "", spec.str("storageClassName")),
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = object.get("roleRef");
            let role_namespace = if role.str("kind") == "Role" {
                namespace
            } else {
                ""
            };
            add("grants", role.str("kind"), role_namespace, role.str("name"));
            for subject in object
                .get("subjects")
                .items()
                .iter()
                .filter(|s| s.str("kind") == "ServiceAccount")
            {
                add(
                    "binds",
                    "ServiceAccount",
                    subject.str("namespace"),
                    subject.str("name"),
                );
            }
        }
        _ => {}
    }
    found
}

/// Virtual time since the start of the run.
pub(crate) fn since(at: Option<Time>, start: Time) -> Micros {
    at.map_or(0, |at| at.since(start))
}
