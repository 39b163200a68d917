//! Workloads that keep pods running: Deployment, ReplicaSet, DaemonSet, StatefulSet, ReplicationController.
//!
//! Models `pkg/apis/apps/v1/defaults.go` and `pkg/registry/apps/*/strategy.go`.

use api::{Value, map};

use super::fill::{edit, edit_each, edit_made, fill, fill_text};
use super::{Generation, Rules, template};
use crate::validate::workloads;

/// The old count of a daemon set's templates, still kept as an annotation.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub(crate) static DEPLOYMENT: Rules = Rules {
    generation: Generation::SpecAndAnnotations,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill(spec, "replicas", 1);
            fill(spec, "revisionHistoryLimit", 10);
            fill(spec, "progressDeadlineSeconds", 600);
            edit_made(spec, "strategy", |strategy| {
                fill_text(strategy, "type", "RollingUpdate");
                if strategy.str("type") == "RollingUpdate" {
                    edit_made(strategy, "rollingUpdate", |rolling| {
                        fill(rolling, "maxUnavailable", "25%");
                        fill(rolling, "maxSurge", "25%");
                    });
                }
            });
            template::defaults(spec);
        });
        fill(object, "status", map! {});
    },
    prepare_create: |object| object.set("status", map! {}),
    validate: workloads::deployment,
    validate_update: workloads::deployment_update,
    validate_status: workloads::deployment_status,
    ..Rules::PLAIN
};

pub(crate) static REPLICA_SET: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill(spec, "replicas", 1);
            template::defaults(spec);
        });
        edit_made(object, "status", |status| fill(status, "replicas", 0));
    },
    prepare_create: |object| object.set("status", map! { "replicas": 0 }),
    validate: workloads::replica_set,
    validate_update: workloads::replica_set_update,
    ..Rules::PLAIN
};

pub(crate) static DAEMON_SET: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        if object
            .path("metadata.annotations")
            .str(TEMPLATE_GENERATION)
            .is_empty()
        {
            let notes = object.entry("metadata").entry("annotations");
            notes.set(TEMPLATE_GENERATION, "0");
        }
        edit_made(object, "spec", |spec| {
            fill(spec, "revisionHistoryLimit", 10);
            edit_made(spec, "updateStrategy", |strategy| {
                fill_text(strategy, "type", "RollingUpdate");
                if strategy.str("type") == "RollingUpdate" {
                    edit_made(strategy, "rollingUpdate", |rolling| {
                        fill(rolling, "maxUnavailable", 1);
                        fill(rolling, "maxSurge", 0);
                    });
                }
            });
            template::defaults(spec);
        });
        fill(object, "status", map! {});
        edit(object, "status", daemon_set_status);
    },
    prepare_create: |object| {
        let mut status = map! {};
        daemon_set_status(&mut status);
        object.set("status", status);
        let notes = object.entry("metadata").entry("annotations");
        notes.set(TEMPLATE_GENERATION, "1");
    },
    prepare_update: |object, old| {
        let before = old.path("metadata.annotations").str(TEMPLATE_GENERATION);
        let mut count: i64 = before.parse().unwrap_or(1);
        count += i64::from(object.path("spec.template") != old.path("spec.template"));
        let count = count.to_string();
        let notes = object.path("metadata.annotations");
        if notes.str(TEMPLATE_GENERATION) != count {
            let notes = object.entry("metadata").entry("annotations");
            notes.set(TEMPLATE_GENERATION, count);
        }
    },
    validate: workloads::daemon_set,
    validate_update: workloads::daemon_set_update,
    ..Rules::PLAIN
};

/// The numbers that the type always shows.
fn daemon_set_status(status: &mut Value) {
    for field in [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
    ] {
        fill(status, field, 0);
    }
}

pub(crate) static STATEFUL_SET: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "podManagementPolicy", "OrderedReady");
            fill(spec, "replicas", 1);
            fill(spec, "revisionHistoryLimit", 10);
            edit_made(spec, "updateStrategy", |strategy| {
                fill_text(strategy, "type", "RollingUpdate");
                if strategy.str("type") == "RollingUpdate" {
                    edit_made(strategy, "rollingUpdate", |rolling| {
                        fill(rolling, "partition", 0);
                    });
                }
            });
            edit_made(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
                fill_text(policy, "whenDeleted", "Retain");
                fill_text(policy, "whenScaled", "Retain");
            });
            template::defaults(spec);
            edit_each(spec, "volumeClaimTemplates", |claim| {
                fill_text(claim, "apiVersion", "v1");
                fill_text(claim, "kind", "PersistentVolumeClaim");
                super::storage::claim_defaults(claim);
                edit_made(claim, "status", |status| {
                    fill_text(status, "phase", "Pending")
                });
            });
        });
        edit_made(object, "status", |status| {
            fill(status, "replicas", 0);
            fill(status, "availableReplicas", 0);
        });
    },
    prepare_create: |object| {
        object.set("status", map! { "replicas": 0, "availableReplicas": 0 });
    },
    validate: workloads::stateful_set,
    validate_update: workloads::stateful_set_update,
    ..Rules::PLAIN
};

pub(crate) static REPLICATION_CONTROLLER: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        let labels = object.path("spec.template.metadata.labels").clone();
        if !labels.is_empty() {
            if object.path("spec.selector").is_empty() {
                object.set_path("spec.selector", labels.clone());
            }
            if object.path("metadata.labels").is_empty() {
                object.set_path("metadata.labels", labels);
            }
        }
        edit_made(object, "spec", |spec| {
            fill(spec, "replicas", 1);
            template::defaults(spec);
        });
        edit_made(object, "status", |status| fill(status, "replicas", 0));
    },
    prepare_create: |object| object.set("status", map! { "replicas": 0 }),
    validate: workloads::replication_controller,
    validate_update: workloads::replication_controller_update,
    ..Rules::PLAIN
};

pub(crate) static POD_TEMPLATE: Rules = Rules {
    returns_deleted: true,
    generation: Generation::Content,
    defaults: template::defaults,
    ..Rules::PLAIN
};
