//! `core/v1`: the resources and the views of its kinds.

use crate::Resource;

pub const PODS: Resource = Resource::of("", "v1", "pods");
pub const NODES: Resource = Resource::of("", "v1", "nodes");
pub const NAMESPACES: Resource = Resource::of("", "v1", "namespaces");
pub const EVENTS: Resource = Resource::of("", "v1", "events");
pub const SERVICE_ACCOUNTS: Resource = Resource::of("", "v1", "serviceaccounts");
pub const CONFIG_MAPS: Resource = Resource::of("", "v1", "configmaps");
pub const SECRETS: Resource = Resource::of("", "v1", "secrets");
pub const REPLICATION_CONTROLLERS: Resource = Resource::of("", "v1", "replicationcontrollers");
pub const SERVICES: Resource = Resource::of("", "v1", "services");
pub const ENDPOINTS: Resource = Resource::of("", "v1", "endpoints");
pub const PERSISTENT_VOLUMES: Resource = Resource::of("", "v1", "persistentvolumes");
pub const PERSISTENT_VOLUME_CLAIMS: Resource = Resource::of("", "v1", "persistentvolumeclaims");
pub const RESOURCE_QUOTAS: Resource = Resource::of("", "v1", "resourcequotas");
pub const LEASES: Resource = Resource::of("coordination.k8s.io", "v1", "leases");

crate::view! {
    /// `core/v1 Pod`.
    Pod = "v1.Pod" {
        node_name: str = spec.nodeName;
        containers: views Container = spec.containers;
        init_containers: views Container = spec.initContainers;
        restart_policy: str = spec.restartPolicy;
        termination_grace_secs: int = spec.terminationGracePeriodSeconds;
        phase: str = status.phase;
        pod_ip: str = status.podIP;
        container_statuses: items = status.containerStatuses;
        init_container_statuses: items = status.initContainerStatuses;
        start_time: time = status.startTime;
    }

    /// `core/v1 Container`.
    Container = "v1.Container" {
        name: str = name;
        image: str = image;
        image_pull_policy: str = imagePullPolicy;
        requests: map = resources.requests;
        limits: map = resources.limits;
        restart_policy: str = restartPolicy;
    }

    /// `core/v1 Node`.
    Node = "v1.Node" {
        unschedulable: bool = spec.unschedulable;
        taints: items = spec.taints;
        allocatable: map = status.allocatable;
        capacity: map = status.capacity;
        pod_cidr: str = spec.podCIDR;
    }
}
