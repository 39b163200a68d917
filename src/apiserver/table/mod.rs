//! `meta.k8s.io/v1 Table`: rows as kubectl prints them, made by the server.
//!
//! One file per group of kinds; models `pkg/printers/internalversion/printers.go` at v1.36. Columns of a kind are one
//! line of text: names divided by `|`, `+` before those that only `-o wide` shows, `#` before numbers.

mod access;
mod cells;
mod cluster;
mod custom;
mod network;
mod pod;
mod storage;
mod workloads;

use api::kinds::Kind;
use api::{Value, list, map};
use sim::Time;

use crate::ApiServer;
use crate::call::{Call, KindRef};
use crate::read::partial_metadata;

/// The columns and the cells of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) columns: &'static str,
    pub(crate) cells: fn(&Value, Time) -> Vec<Value>,
}

/// Kinds without columns of their own.
const PLAIN: Printer = Printer {
    columns: "Name|@Created At",
    cells: |object, _| {
        let meta = object.get("metadata");
        vec![
            meta.get("name").clone(),
            meta.get("creationTimestamp").clone(),
        ]
    },
};

/// The table of `items` for a call.
pub(crate) fn of_call(
    server: &ApiServer,
    kind: &KindRef,
    call: &Call,
    items: &[Value],
    meta: Value,
) -> Value {
    let printed = custom_columns(server, kind);
    table(
        kind,
        &printed,
        &call.options.include_object,
        items,
        meta,
        call.now,
    )
}

/// `additionalPrinterColumns` of a custom kind's version, or the age alone; `Null` for built-in kinds.
pub(crate) fn custom_columns(server: &ApiServer, kind: &KindRef) -> Value {
    let KindRef::Custom(kind) = kind else {
        return Value::Null;
    };
    let version = server.version_of(kind).unwrap_or(&Value::Null);
    let columns = version.get("additionalPrinterColumns");
    if columns.is_empty() {
        return list![
            map! { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" }
        ];
    }
    columns.clone()
}

/// The table of `items`; `include_object` as in the request.
pub(crate) fn table(
    kind: &Kind,
    custom: &Value,
    include_object: &str,
    items: &[Value],
    meta: Value,
    now: Time,
) -> Value {
    let printer = printer(&kind.group, &kind.kind);
    let (definitions, cells): (Value, Vec<Vec<Value>>) = if custom.is_null() {
        let cells = items.iter().map(|item| (printer.cells)(item, now));
        (columns(printer.columns), cells.collect())
    } else {
        let cells = items.iter().map(|item| custom::cells(custom, item, now));
        (custom::columns(custom), cells.collect())
    };
    let rows: Vec<Value> = items
        .iter()
        .zip(cells)
        .map(|(item, cells)| row(kind, cells, include_object, item))
        .collect();
    map! {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": definitions, "rows": rows,
    }
}

fn row(kind: &Kind, cells: Vec<Value>, include_object: &str, item: &Value) -> Value {
    let mut row = map! { "cells": cells };
    if kind.kind == *"Pod"
        && kind.group.is_empty()
        && let Some(conditions) = pod::conditions(item)
    {
        row.set("conditions", conditions);
    }
    match include_object {
        "None" => {}
        "Object" => row.set("object", item),
        _ => row.set("object", partial_metadata(item)),
    }
    row
}

fn columns(text: &'static str) -> Value {
    let definitions: Vec<Value> = text
        .split('|')
        .map(|column| {
            let (priority, column) = match column.strip_prefix('+') {
                Some(rest) => (1, rest),
                None => (0, column),
            };
            let (kind, name) = match column.as_bytes().first() {
                Some(b'#') => ("integer", &column[1..]),
                Some(b'@') => ("date", &column[1..]),
                _ => ("string", column),
            };
            let format = if name == "Name" && priority == 0 { "name" } else { "" };
            map! { "name": name, "type": kind, "format": format, "description": "", "priority": priority }
        })
        .collect();
    Value::from(definitions)
}

fn printer(group: &str, kind: &str) -> Printer {
    match (group, kind) {
        ("", "Pod") => pod::POD,
        ("", "PodTemplate") => workloads::POD_TEMPLATE,
        ("", "ReplicationController") => workloads::REPLICATION_CONTROLLER,
        ("apps", "Deployment") => workloads::DEPLOYMENT,
        ("apps", "ReplicaSet") => workloads::REPLICA_SET,
        ("apps", "DaemonSet") => workloads::DAEMON_SET,
        ("apps", "StatefulSet") => workloads::STATEFUL_SET,
        ("apps", "ControllerRevision") => workloads::CONTROLLER_REVISION,
        ("batch", "Job") => workloads::JOB,
        ("batch", "CronJob") => workloads::CRON_JOB,
        ("autoscaling", "HorizontalPodAutoscaler") => workloads::AUTOSCALER,
        ("policy", "PodDisruptionBudget") => workloads::BUDGET,
        ("", "Node") => cluster::NODE,
        ("", "Namespace") => cluster::NAMESPACE,
        ("", "Event") | ("events.k8s.io", "Event") => cluster::EVENT,
        ("", "ConfigMap") => cluster::CONFIG_MAP,
        ("", "Secret") => cluster::SECRET,
        ("", "ServiceAccount") => cluster::AGED,
        ("", "ResourceQuota") => cluster::QUOTA,
        ("", "ComponentStatus") => cluster::COMPONENT_STATUS,
        ("coordination.k8s.io", "Lease") => cluster::LEASE,
        ("scheduling.k8s.io", "PriorityClass") => cluster::PRIORITY_CLASS,
        ("node.k8s.io", "RuntimeClass") => cluster::RUNTIME_CLASS,
        ("apiregistration.k8s.io", "APIService") => cluster::API_SERVICE,
        ("", "Service") => network::SERVICE,
        ("", "Endpoints") => network::ENDPOINTS,
        ("discovery.k8s.io", "EndpointSlice") => network::ENDPOINT_SLICE,
        ("networking.k8s.io", "Ingress") => network::INGRESS,
        ("networking.k8s.io", "IngressClass") => network::INGRESS_CLASS,
        ("networking.k8s.io", "NetworkPolicy") => network::NETWORK_POLICY,
        ("networking.k8s.io", "ServiceCIDR") => network::SERVICE_CIDR,
        ("networking.k8s.io", "IPAddress") => network::IP_ADDRESS,
        ("", "PersistentVolume") => storage::VOLUME,
        ("", "PersistentVolumeClaim") => storage::CLAIM,
        ("storage.k8s.io", "StorageClass") => storage::CLASS,
        ("storage.k8s.io", "VolumeAttachment") => storage::ATTACHMENT,
        ("storage.k8s.io", "VolumeAttributesClass") => storage::ATTRIBUTES_CLASS,
        ("storage.k8s.io", "CSIDriver") => storage::CSI_DRIVER,
        ("storage.k8s.io", "CSINode") => storage::CSI_NODE,
        ("storage.k8s.io", "CSIStorageCapacity") => storage::CSI_CAPACITY,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::BINDING,
        ("certificates.k8s.io", "CertificateSigningRequest") => access::SIGNING_REQUEST,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => access::VALIDATING_POLICY,
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy") => access::MUTATING_POLICY,
        (
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding",
        ) => access::POLICY_BINDING,
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
        ) => access::WEBHOOKS,
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => access::FLOW_SCHEMA,
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => access::PRIORITY_LEVEL,
        ("resource.k8s.io", "ResourceClaim") => cluster::RESOURCE_CLAIM,
        ("resource.k8s.io", "ResourceSlice") => cluster::RESOURCE_SLICE,
        ("resource.k8s.io", "DeviceClass" | "ResourceClaimTemplate") => cluster::AGED,
        ("metrics.k8s.io", "NodeMetrics" | "PodMetrics") => cluster::METRICS,
        _ => PLAIN,
    }
}
