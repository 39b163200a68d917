//! What is special about each kind: one row of [`Rules`] per kind, looked up by [`rules`].
//!
//! The generic registry does the rest for every kind alike. Models the `strategy.go` files under `pkg/registry`
//! and `pkg/apis/*/v1/defaults.go` at v1.36.

pub(crate) mod access;
mod apps;
mod batch;
mod config;
pub(crate) mod fill;
mod network;
mod node;
pub(crate) mod pod;
mod policy;
mod service;
mod storage;
pub(crate) mod template;
mod versions;

use api::kinds::Kind;
use api::status::Problem;
use api::{Value, map};

use crate::metadata::keep;

/// How one kind behaves where kinds differ.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) name: NameRule,
    pub(crate) generation: Generation,
    /// Whether DELETE answers with the object instead of a Status.
    pub(crate) returns_deleted: bool,
    /// Whether PUT may leave `metadata.resourceVersion` out.
    pub(crate) unconditional_update: bool,
    /// Whether PUT creates what is not there.
    pub(crate) creates_on_update: bool,
    /// Whether a status sent with POST is kept.
    pub(crate) keeps_status_on_create: bool,
    pub(crate) defaults: fn(&mut Value),
    pub(crate) prepare_create: fn(&mut Value),
    pub(crate) prepare_update: fn(&mut Value, &Value),
    pub(crate) prepare_status: fn(&mut Value, &Value),
    pub(crate) validate: fn(&Value, &mut Vec<Problem>),
    pub(crate) validate_update: fn(&Value, &Value, &mut Vec<Problem>),
    pub(crate) validate_status: fn(&Value, &Value, &mut Vec<Problem>),
    /// The seconds of graceful deletion for an object, given what the caller asked; `None` if the kind knows none.
    pub(crate) grace_secs: fn(&Value, Option<i64>) -> Option<i64>,
}

/// What counts up `metadata.generation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The kind has none.
    None,
    Spec,
    SpecAndAnnotations,
    /// Anything but metadata and status, for kinds without a spec.
    Content,
}

/// Which names objects of a kind may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    Subdomain,
    Label,
    /// RFC 1035, as services had it.
    Label1035,
    /// Anything that is one path segment (RBAC).
    PathSegment,
}

impl Rules {
    pub(crate) const PLAIN: Rules = Rules {
        name: NameRule::Subdomain,
        generation: Generation::None,
        returns_deleted: false,
        unconditional_update: true,
        creates_on_update: false,
        keeps_status_on_create: false,
        defaults: |_| {},
        prepare_create: |_| {},
        prepare_update: |_, _| {},
        prepare_status: |_, _| {},
        validate: |_, _| {},
        validate_update: |_, _, _| {},
        validate_status: |_, _, _| {},
        grace_secs: |_, _| None,
    };

    /// Whether the status is a subresource of its own, out of reach of POST and PUT.
    pub(crate) fn has_status(&self, kind: &Kind) -> bool {
        !self.keeps_status_on_create && kind.subresource("status").is_some()
    }
}

static PLAIN: Rules = Rules::PLAIN;

/// Every custom resource.
pub(crate) static CUSTOM: Rules = Rules {
    generation: Generation::Content,
    returns_deleted: false,
    unconditional_update: false,
    ..Rules::PLAIN
};

/// The rules of a kind.
pub(crate) fn rules(group: &str, kind: &str) -> &'static Rules {
    match (group, kind) {
        ("", "Pod") => &pod::RULES,
        ("", "Node") => &node::NODE,
        ("", "Namespace") => &config::NAMESPACE,
        ("", "ConfigMap") => &config::CONFIG_MAP,
        ("", "Secret") => &config::SECRET,
        ("", "ServiceAccount") => &config::SERVICE_ACCOUNT,
        ("", "Event") => &config::EVENT,
        ("events.k8s.io", "Event") => &config::EVENT,
        ("", "Service") => &service::SERVICE,
        ("", "Endpoints") => &service::ENDPOINTS,
        ("discovery.k8s.io", "EndpointSlice") => &service::ENDPOINT_SLICE,
        ("", "ReplicationController") => &apps::REPLICATION_CONTROLLER,
        ("apps", "Deployment") => &apps::DEPLOYMENT,
        ("apps", "ReplicaSet") => &apps::REPLICA_SET,
        ("apps", "DaemonSet") => &apps::DAEMON_SET,
        ("apps", "StatefulSet") => &apps::STATEFUL_SET,
        ("batch", "Job") => &batch::JOB,
        ("batch", "CronJob") => &batch::CRON_JOB,
        ("coordination.k8s.io", "Lease") => &node::LEASE,
        ("", "PersistentVolume") => &storage::VOLUME,
        ("", "PersistentVolumeClaim") => &storage::CLAIM,
        ("storage.k8s.io", "StorageClass") => &storage::CLASS,
        ("storage.k8s.io", "VolumeAttributesClass") => &storage::ATTRIBUTES_CLASS,
        ("storage.k8s.io", "CSIDriver") => &storage::CSI_DRIVER,
        ("storage.k8s.io", "VolumeAttachment" | "CSINode" | "CSIStorageCapacity") => {
            &storage::RETURNED
        }
        ("", "PodTemplate") => &apps::POD_TEMPLATE,
        ("networking.k8s.io", "Ingress") => &network::INGRESS,
        ("networking.k8s.io", "IngressClass") => &network::INGRESS_CLASS,
        ("networking.k8s.io", "NetworkPolicy") => &network::NETWORK_POLICY,
        ("networking.k8s.io", "ServiceCIDR") => &network::SERVICE_CIDR,
        ("policy", "PodDisruptionBudget") => &policy::BUDGET,
        ("autoscaling", "HorizontalPodAutoscaler") => &policy::AUTOSCALER,
        ("", "ResourceQuota") => &policy::QUOTA,
        ("", "LimitRange") => &policy::LIMIT_RANGE,
        ("scheduling.k8s.io", "PriorityClass") => &policy::PRIORITY_CLASS,
        ("resource.k8s.io", "DeviceClass") => &policy::DEVICE_CLASS,
        ("resource.k8s.io", "ResourceSlice") => &policy::RESOURCE_SLICE,
        ("resource.k8s.io", "ResourceClaim") => &policy::RESOURCE_CLAIM,
        ("resource.k8s.io", "ResourceClaimTemplate") => &policy::RESOURCE_CLAIM_TEMPLATE,
        ("rbac.authorization.k8s.io", "Role") => &access::ROLE,
        ("rbac.authorization.k8s.io", "ClusterRole") => &access::CLUSTER_ROLE,
        ("rbac.authorization.k8s.io", "RoleBinding") => &access::BINDING,
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => &access::CLUSTER_BINDING,
        ("certificates.k8s.io", _) => &access::SIGNING_REQUEST,
        (
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy",
        ) => &access::ADMISSION_POLICY,
        (
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding",
        ) => &access::ADMISSION_POLICY_BINDING,
        ("admissionregistration.k8s.io", _) => &access::WEBHOOKS,
        ("apiregistration.k8s.io", _) => &access::API_SERVICE,
        ("apiextensions.k8s.io", _) => &access::DEFINITION,
        ("flowcontrol.apiserver.k8s.io", _) => &access::FLOW,
        _ => &PLAIN,
    }
}

/// Kinds that are answered and never stored (reviews of access and the like).
pub(crate) fn is_answered_only(kind: &Kind) -> bool {
    kind.kind.ends_with("Review")
}

/// An object as the version that the caller asked for shows it.
pub(crate) fn from_storage(kind: &Kind, object: &Value) -> Value {
    if kind.group == *"events.k8s.io" {
        return versions::new_event(object);
    }
    if kind.group == *"autoscaling" && kind.version == *"v1" {
        return versions::old_autoscaler(object);
    }
    // The old name of the group's kind, for events that were written by the new one.
    if kind.kind == *"Event" && object.str("apiVersion") != "v1" {
        return versions::old_event(object);
    }
    object.clone()
}

/// An object of any served version as it is stored.
pub(crate) fn to_storage(kind: &Kind, object: Value) -> Value {
    if kind.group == *"events.k8s.io" {
        return versions::old_event(&object);
    }
    if kind.group == *"autoscaling" && kind.version == *"v1" {
        return versions::new_autoscaler(&object);
    }
    object
}

/// An object of this kind with nothing in it but metadata, as bookmarks carry it.
pub(crate) fn empty(kind: &Kind, meta: Value) -> Value {
    let mut object =
        map! { "kind": kind.kind.clone(), "apiVersion": kind.api_version(), "metadata": meta };
    if kind.subresource("status").is_some() {
        object.set("spec", map! {});
        object.set("status", map! {});
        if kind.kind == *"Service" {
            object.set_path("status.loadBalancer", map! {});
        }
    }
    object
}

/// A write to `/status` leaves all but the status, annotations, finalizers and managers as they are.
pub(crate) fn keep_all_but_status(object: &mut Value, old: &Value) {
    for (field, value) in old.entries().iter() {
        if !matches!(field.as_str(), "metadata" | "status") && object.get(field) != value {
            object.set(field.clone(), value.clone());
        }
    }
    let extra: Vec<api::Str> = object
        .entries()
        .keys()
        .filter(|field| !matches!(field.as_str(), "metadata" | "status") && !old.has(field))
        .cloned()
        .collect();
    for field in extra {
        object.remove(&field);
    }
    let meta = object.entry("metadata");
    for field in ["labels", "ownerReferences"] {
        keep(meta, old.get("metadata"), field);
    }
}
