//! Jobs and cron jobs.
//!
//! Models `pkg/apis/batch/v1/defaults.go` and `pkg/registry/batch/*/strategy.go`.

use api::{Value, map};

use super::fill::{edit, edit_made, fill, fill_text};
use super::{Generation, Rules, template};
use crate::validate::batch;

/// Labels that tie pods to their job.
const LABELS: [&str; 2] = ["batch.kubernetes.io/controller-uid", "controller-uid"];
const NAME_LABELS: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

pub(crate) static JOB: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", job_spec);
        fill(object, "status", map! {});
    },
    prepare_create: |object| {
        object.set("status", map! {});
        generate_selector(object);
        // A job without labels has those of its pods, with the generated ones.
        let labels = object.path("spec.template.metadata.labels").clone();
        if object.path("metadata.labels").is_empty() && !labels.is_empty() {
            object.set_path("metadata.labels", labels);
        }
    },
    validate: batch::job,
    validate_update: batch::job_update,
    ..Rules::PLAIN
};

pub(crate) static CRON_JOB: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill_text(spec, "concurrencyPolicy", "Allow");
            fill(spec, "suspend", false);
            fill(spec, "successfulJobsHistoryLimit", 3);
            fill(spec, "failedJobsHistoryLimit", 1);
            edit_made(spec, "jobTemplate", |job| {
                fill(job, "metadata", map! {});
                edit_made(job, "spec", template::defaults);
            });
        });
        fill(object, "status", map! {});
    },
    prepare_create: |object| object.set("status", map! {}),
    validate: batch::cron_job,
    validate_update: batch::cron_job_update,
    ..Rules::PLAIN
};

fn job_spec(spec: &mut Value) {
    // For a job of one pod both numbers are one.
    if spec.get("completions").is_null() && spec.get("parallelism").is_null() {
        spec.set("completions", 1);
        spec.set("parallelism", 1);
    }
    fill(spec, "parallelism", 1);
    if !spec.has("backoffLimit") {
        let limit = if spec.has("backoffLimitPerIndex") {
            i64::from(i32::MAX)
        } else {
            6
        };
        spec.set("backoffLimit", limit);
    }
    fill_text(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    fill(spec, "manualSelector", false);
    if spec.str("podReplacementPolicy").is_empty() {
        let policy = if spec.has("podFailurePolicy") {
            "Failed"
        } else {
            "TerminatingOrFailed"
        };
        spec.set("podReplacementPolicy", policy);
    }
    edit(spec, "podFailurePolicy", |policy| {
        super::fill::edit_each(policy, "rules", |rule| {
            super::fill::edit_each(rule, "onPodConditions", |condition| {
                fill_text(condition, "status", "True");
            });
        });
    });
    template::defaults(spec);
}

/// The selector by the job's UID, unless the user manages it by hand (`generateSelector`).
fn generate_selector(job: &mut Value) {
    if job.path("spec.manualSelector").as_bool() == Some(true) {
        return;
    }
    let uid = job.get("metadata").shared_str("uid");
    let name = job.get("metadata").shared_str("name");
    edit_made(job, "spec", |spec| {
        edit_made(spec, "template", |template| {
            edit_made(template, "metadata", |meta| {
                edit_made(meta, "labels", |labels| {
                    for label in LABELS {
                        labels.set(label, uid.clone());
                    }
                    for label in NAME_LABELS {
                        fill(labels, label, name.clone());
                    }
                });
            });
        });
        edit_made(spec, "selector", |selector| {
            edit_made(selector, "matchLabels", |labels| {
                labels.set(LABELS[0], uid.clone());
            });
        });
    });
}
