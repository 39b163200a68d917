//! Writes `table.txt` from the OpenAPI document of Kubernetes, and checks that it is still what that says.
//!
//! `BLESS=1 cargo test -p kubenkyo-api schema::generate` rewrites the table. What the document does not tell (which
//! Go fields are values that vanish when zero, which structs are always there) stands in the lists below.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::{Value, golden};

/// Prefixes that names lose; the first that fits.
const PREFIXES: [&str; 8] = [
    "io.k8s.api.core.",
    "io.k8s.api.",
    "io.k8s.apimachinery.pkg.apis.meta.v1.",
    "io.k8s.apimachinery.pkg.api.resource.",
    "io.k8s.apimachinery.pkg.util.intstr.",
    "io.k8s.apimachinery.pkg.runtime.",
    "io.k8s.apiextensions-apiserver.pkg.apis.",
    "io.k8s.kube-aggregator.pkg.apis.",
];

/// Types that are one value, and their sign in the table.
const SCALARS: [(&str, &str); 11] = [
    ("Quantity", "q"),
    ("IntOrString", "o"),
    ("Time", "t"),
    ("MicroTime", "u"),
    ("RawExtension", "*"),
    ("FieldsV1", "*"),
    ("Patch", "*"),
    ("apiextensions.v1.JSON", "*"),
    ("apiextensions.v1.JSONSchemaPropsOrArray", "*"),
    ("apiextensions.v1.JSONSchemaPropsOrBool", "*"),
    ("apiextensions.v1.JSONSchemaPropsOrStringArray", "*"),
];

/// What metrics-server adds; it is no part of Kubernetes' own document.
const METRICS: &str = "
metrics.v1beta1.ContainerMetrics
 name! s
 usage! {}q
metrics.v1beta1.NodeMetrics
 apiVersion s -
 kind s -
 metadata ObjectMeta +
 timestamp! t
 usage! {}q
 window! s
metrics.v1beta1.PodMetrics
 apiVersion s -
 containers! []metrics.v1beta1.ContainerMetrics
 kind s -
 metadata ObjectMeta +
 timestamp! t
 window! s
";

/// Structs that Go holds by value, so that they are always written; beside metadata, spec and status of objects.
const ALWAYS: &[&str] = &[
    "v1.Container.resources",
    "v1.EphemeralContainer.resources",
    "v1.PersistentVolumeClaimSpec.resources",
    "v1.ContainerStatus.state",
    "v1.ContainerStatus.lastState",
    "v1.ServiceStatus.loadBalancer",
    "v1.NodeStatus.daemonEndpoints",
    "v1.NodeStatus.nodeInfo",
    "v1.NodeDaemonEndpoints.kubeletEndpoint",
    "v1.Event.source",
    "v1.Event.involvedObject",
    "apps.v1.DeploymentSpec.strategy",
    "apps.v1.DaemonSetSpec.updateStrategy",
    "apps.v1.StatefulSetSpec.updateStrategy",
    "apps.v1.ReplicaSetSpec.template",
    "networking.v1.IngressStatus.loadBalancer",
    "networking.v1.IngressServiceBackend.port",
    "networking.v1.NetworkPolicySpec.podSelector",
    "discovery.v1.Endpoint.conditions",
    "events.v1.Event.regarding",
    "events.v1.Event.deprecatedSource",
    "resource.v1.ResourceClaimSpec.devices",
    "apiextensions.v1.CustomResourceDefinitionStatus.acceptedNames",
    "authentication.v1.TokenReviewStatus.user",
    "authentication.v1.SelfSubjectReviewStatus.userInfo",
];

/// Times that Go holds by value: `null` until set. All others are pointers.
const TIMES: &[&str] = &[
    "lastProbeTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastHeartbeatTime",
    "v1.Event.eventTime",
    "v1.Event.firstTimestamp",
    "v1.Event.lastTimestamp",
    "v1.EventSeries.lastObservedTime",
    "events.v1.Event.eventTime",
    "events.v1.Event.deprecatedFirstTimestamp",
    "events.v1.Event.deprecatedLastTimestamp",
    "events.v1.EventSeries.lastObservedTime",
    "v1.ContainerStateRunning.startedAt",
    "v1.ContainerStateTerminated.startedAt",
    "v1.ContainerStateTerminated.finishedAt",
    "storage.v1.VolumeError.time",
];

/// Objects whose status is a pointer: absent until set.
const POINTERS_TO_STRUCTS: &[&str] = &["admissionregistration.v1.MutatingAdmissionPolicySpec"];

/// Optional booleans and numbers that Go holds by value: zero is the same as absent. All others are pointers.
const VALUES: &[&str] = &[
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "publishNotReadyAddresses",
    "unschedulable",
    "paused",
    "globalDefault",
    "chapAuthDiscovery",
    "chapAuthSession",
    "sslEnabled",
    "preserveUnknownFields",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "uniqueItems",
    "nullable",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "deprecated",
    "authenticated",
    "denied",
    "insecureSkipTLSVerify",
    "hostPort",
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "nodePort",
    "healthCheckNodePort",
    "minReadySeconds",
    "observedGeneration",
    "updatedReplicas",
    "readyReplicas",
    "unavailableReplicas",
    "fullyLabeledReplicas",
    "currentReplicas",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "active",
    "succeeded",
    "failed",
    "count",
    "deprecatedCount",
    "generation",
    "signal",
    "partition",
    "code",
    "retryAfterSeconds",
];

/// Fields of those names that are pointers nevertheless.
const NO_VALUES: &[&str] = &[
    "v1.AzureDiskVolumeSource.readOnly",
    "v1.CSIVolumeSource.readOnly",
    "apps.v1.RollingUpdateStatefulSetStrategy.partition",
    "admissionregistration.v1.ValidatingWebhook.timeoutSeconds",
    "admissionregistration.v1.MutatingWebhook.timeoutSeconds",
    "v1.ClientIPConfig.timeoutSeconds",
    "apps.v1.StatefulSetStatus.availableReplicas",
    "DeleteOptions.gracePeriodSeconds",
];

/// More of them, where the name alone would not do.
const MORE_VALUES: &[&str] = &[
    "apps.v1.DeploymentStatus.replicas",
    "apps.v1.DeploymentStatus.availableReplicas",
    "apps.v1.ReplicaSetStatus.availableReplicas",
    "v1.ReplicationControllerStatus.availableReplicas",
    "autoscaling.v1.ScaleSpec.replicas",
];

/// Optional texts that Go holds as pointers: an empty one is kept. All others are values.
const POINTERS: &[&str] = &[
    "v1.PersistentVolumeClaimSpec.storageClassName",
    "volumeMode",
    "volumeAttributesClassName",
    "v1.HostPathVolumeSource.type",
    "ingressClassName",
    "runtimeClassName",
    "preemptionPolicy",
    "hostnameOverride",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "trafficDistribution",
    "appProtocol",
    "discovery.v1.EndpointPort.name",
    "discovery.v1.EndpointPort.protocol",
    "discovery.v1.Endpoint.hostname",
    "discovery.v1.Endpoint.nodeName",
    "discovery.v1.Endpoint.zone",
    "v1.EndpointAddress.nodeName",
    "v1.GRPCAction.service",
    "mountPropagation",
    "recursiveReadOnly",
    "procMount",
    "localhostProfile",
    "gmsaCredentialSpecName",
    "gmsaCredentialSpec",
    "runAsUserName",
    "apiGroup",
    "v1.TypedObjectReference.namespace",
    "fsGroupChangePolicy",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
    "networking.v1.NetworkPolicyPort.protocol",
    "v1.PodDNSConfigOption.value",
    "v1.CSIVolumeSource.fsType",
    "v1.AzureDiskVolumeSource.cachingMode",
    "v1.AzureDiskVolumeSource.fsType",
    "v1.AzureDiskVolumeSource.kind",
    "secretNamespace",
    "initiatorName",
    "v1.Container.restartPolicy",
    "v1.EphemeralContainer.restartPolicy",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "resourceClaimName",
    "resourceClaimTemplateName",
    "storage.v1.StorageClass.reclaimPolicy",
    "volumeBindingMode",
    "completionMode",
    "podReplacementPolicy",
    "managedBy",
    "containerName",
    "timeZone",
    "unhealthyPodEvictionPolicy",
    "fsGroupPolicy",
    "selectPolicy",
    "holderIdentity",
    "coordination.v1.LeaseSpec.strategy",
    "preferredHolder",
    "networking.v1.IngressClassParametersReference.namespace",
    "networking.v1.IngressClassParametersReference.scope",
    "pathType",
    "failurePolicy",
    "matchPolicy",
    "sideEffects",
    "reinvocationPolicy",
    "url",
    "path",
    "persistentVolumeName",
    "currentVolumeAttributesClassName",
    "failedIndexes",
    "reason!",
    "parameterNotFoundAction",
    "deprecationWarning",
    "labelSelectorPath",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "$ref",
    "propagationPolicy",
    "Preconditions.uid",
    "Preconditions.resourceVersion",
    "stopSignal",
];

/// The fields whose keys are completed before list items are told apart (structured-merge-diff's defaults).
const KEY_DEFAULTS: &[(&str, &str)] = &[
    ("v1.ContainerPort.protocol", "TCP"),
    ("v1.ServicePort.protocol", "TCP"),
];

fn short(name: &str) -> &str {
    let stripped = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    stripped.unwrap_or(name)
}

fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref").as_str()?.rsplit('/').next()
}

fn sign(schema: &Value) -> String {
    if let Some(name) = target(schema).map(short) {
        let scalar = SCALARS.iter().find(|(scalar, _)| *scalar == name);
        return scalar.map_or(name, |(_, sign)| sign).to_owned();
    }
    match (schema.str("type"), schema.str("format")) {
        ("string", "byte") => "x".to_owned(),
        ("string", _) => "s".to_owned(),
        ("integer", "int64") => "l".to_owned(),
        ("integer", _) => "i".to_owned(),
        ("boolean", _) => "b".to_owned(),
        ("number", _) => "f".to_owned(),
        ("array", _) => format!("[]{}", sign(schema.get("items"))),
        ("object", _) if schema.has("additionalProperties") => {
            format!("{{}}{}", sign(schema.get("additionalProperties")))
        }
        other => panic!("unknown schema {other:?}"),
    }
}

fn is_listed(list: &[&str], owner: &str, field: &str) -> bool {
    list.contains(&field) || list.contains(&format!("{owner}.{field}").as_str())
}

fn field_line(
    owner: &str,
    is_object: bool,
    name: &str,
    schema: &Value,
    is_required: bool,
) -> String {
    let sign = sign(schema);
    let mut line = format!(" {name}{} {sign}", if is_required { "!" } else { "" });
    let is_struct = sign.chars().next().is_some_and(char::is_alphabetic) && sign.len() > 1;
    let is_part = matches!(name, "metadata" | "spec" | "status");
    let is_template = matches!(
        owner,
        "v1.PodTemplateSpec"
            | "batch.v1.JobTemplateSpec"
            | "v1.PersistentVolumeClaimTemplate"
            | "resource.v1.ResourceClaimTemplateSpec"
            | "v1.PodTemplate"
    );
    let goes_when_zero = match sign.as_str() {
        "b" | "i" | "l" => {
            is_listed(VALUES, owner, name) && !is_listed(NO_VALUES, owner, name)
                || is_listed(MORE_VALUES, owner, name)
        }
        "s" | "x" => !is_listed(POINTERS, owner, name),
        _ => sign.starts_with("[]") || sign.starts_with("{}"),
    };
    let is_part_by_value = is_struct
        && ((is_object || is_template) && is_part || is_listed(ALWAYS, owner, name))
        && !is_listed(POINTERS_TO_STRUCTS, owner, name);
    let is_time_by_value = matches!(sign.as_str(), "t" | "u") && is_listed(TIMES, owner, name);
    if is_part_by_value || is_time_by_value {
        line += " +";
    } else if goes_when_zero && !is_required {
        line += " -";
    }
    let keys: Vec<&str> = schema
        .get("x-kubernetes-list-map-keys")
        .items()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match schema.str("x-kubernetes-list-type") {
        "map" => write!(line, " map={}", keys.join(",")).expect("a string takes all"),
        "" => {}
        other => write!(line, " {other}").expect("a string takes all"),
    }
    if schema.str("x-kubernetes-map-type") == "atomic" {
        line += " atomic";
    }
    let merge_key = schema.str("x-kubernetes-patch-merge-key");
    for strategy in schema.str("x-kubernetes-patch-strategy").split(',') {
        match strategy {
            "merge" if merge_key.is_empty() => line += " merge",
            "merge" => write!(line, " merge={merge_key}").expect("a string takes all"),
            "" => {}
            other => write!(line, " {other}").expect("a string takes all"),
        }
    }
    let path = format!("{owner}.{name}");
    if let Some((_, default)) = KEY_DEFAULTS.iter().find(|(field, _)| *field == path) {
        write!(line, " default={default}").expect("a string takes all");
    }
    line
}

fn references(schema: &Value, found: &mut Vec<String>) {
    found.extend(target(schema).map(str::to_owned));
    for part in schema.entries().values() {
        references(part, found);
    }
}

fn generate(swagger: &Value) -> String {
    let definitions = swagger.get("definitions");
    let is_root = |name: &str, schema: &Value| {
        let mut parts = name.rsplit('.');
        let version = parts.nth(1).unwrap_or_default();
        matches!(version, "v1" | "v2") && schema.has("x-kubernetes-group-version-kind")
    };
    let roots = definitions
        .entries()
        .iter()
        .filter(|(name, schema)| is_root(name, schema));
    let mut pending: Vec<String> = roots.map(|(name, _)| name.to_string()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(name) = pending.pop() {
        if seen.insert(name.clone()) {
            references(definitions.get(&name), &mut pending);
        }
    }
    let mut types: BTreeMap<&str, String> = BTreeMap::new();
    for name in &seen {
        let schema = definitions.get(name);
        let owner = short(name);
        if SCALARS.iter().any(|(scalar, _)| *scalar == owner) {
            continue;
        }
        let is_object = schema.has("x-kubernetes-group-version-kind");
        let mut text = owner.to_owned();
        if schema.str("x-kubernetes-map-type") == "atomic" {
            text += " atomic";
        }
        let required: Vec<&str> = schema
            .get("required")
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for (field, schema) in schema.get("properties").entries().iter() {
            text.push('\n');
            text += &field_line(
                owner,
                is_object,
                field,
                schema,
                required.contains(&field.as_str()),
            );
        }
        types.insert(owner, text);
    }
    let mut metrics: Vec<String> = Vec::new();
    for line in METRICS.trim().lines() {
        match metrics.last_mut().filter(|_| line.starts_with(' ')) {
            Some(text) => {
                text.push('\n');
                text.push_str(line);
            }
            None => metrics.push(line.to_owned()),
        }
    }
    let mut table: Vec<String> = types.into_values().chain(metrics).collect();
    table.sort_by(|a, b| {
        a.split([' ', '\n'])
            .next()
            .cmp(&b.split([' ', '\n']).next())
    });
    let mut table = table.join("\n");
    table.push('\n');
    table
}

#[test]
fn the_table_is_what_the_openapi_document_says() {
    let Some(swagger) = golden::json("openapi/kubernetes-v1.36-swagger.json") else {
        return;
    };
    let table = generate(&swagger);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/table.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &table).expect("the table can be written");
    }
    let current = std::fs::read_to_string(file).expect("the table is there");
    assert!(
        current == table,
        "schema/table.txt is not what the OpenAPI document says; BLESS=1 rewrites it"
    );
}
