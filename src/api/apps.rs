//! `apps/v1`: the resources and the views of its kinds.

use crate::Resource;

pub const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
pub const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
pub const DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");
pub const CONTROLLER_REVISIONS: Resource = Resource::of("apps", "v1", "controllerrevisions");
pub const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");

crate::view! {
    /// `apps/v1 Deployment`.
    Deployment = "apps.v1.Deployment" {
        replicas: int = spec.replicas;
        selector: value = spec.selector;
        template: value = spec.template;
        strategy: str = spec.strategy.type;
        is_paused: bool = spec.paused;
        min_ready_secs: int = spec.minReadySeconds;
        progress_deadline_secs: int = spec.progressDeadlineSeconds;
        revision_history_limit: int = spec.revisionHistoryLimit;
        collision_count: int = status.collisionCount;
        observed_generation: int = status.observedGeneration;
    }

    /// `apps/v1 ReplicaSet`.
    ReplicaSet = "apps.v1.ReplicaSet" {
        replicas: int = spec.replicas;
        selector: value = spec.selector;
        template: value = spec.template;
        min_ready_secs: int = spec.minReadySeconds;
        status_replicas: int = status.replicas;
        ready_replicas: int = status.readyReplicas;
        available_replicas: int = status.availableReplicas;
        observed_generation: int = status.observedGeneration;
    }
}
