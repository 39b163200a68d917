//! Jobs and cron jobs (`pkg/apis/batch/validation`).

use api::Value;

use super::{Problems, cron, immutable, numbers, pod};
use crate::path::Path;

pub(crate) fn job(object: &Value, out: &mut Problems) {
    job_spec(object.get("spec"), &Path::new("spec"), true, out);
}

pub(crate) fn job_update(new: &Value, old: &Value, out: &mut Problems) {
    let (new, old, path) = (new.get("spec"), old.get("spec"), Path::new("spec"));
    if new.is_same(old) {
        return;
    }
    job_spec(new, &path, true, out);
    for field in [
        "completions",
        "selector",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        // An elastic indexed job may change both numbers together.
        if field == "completions"
            && new.str("completionMode") == "Indexed"
            && new.get("completions") == new.get("parallelism")
        {
            continue;
        }
        immutable(new.get(field), old.get(field), &path.child(field), out);
    }
    // Scheduling directives may change while a job is suspended and has not started.
    if !old.bool("suspend") {
        immutable(
            new.get("template"),
            old.get("template"),
            &path.child("template"),
            out,
        );
    }
}

fn job_spec(spec: &Value, path: &Path, has_selector: bool, out: &mut Problems) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
    ] {
        numbers::not_negative(spec.get(field), &path.child(field), out);
    }
    if has_selector && spec.get("selector").is_null() {
        out.push(path.child("selector").required(""));
    }
    let mode = spec.str("completionMode");
    if !matches!(mode, "" | "NonIndexed" | "Indexed") {
        out.push(
            path.child("completionMode")
                .not_supported(spec.get("completionMode"), &["NonIndexed", "Indexed"]),
        );
    }
    if mode == "Indexed" && spec.get("completions").is_null() {
        out.push(
            path.child("completions")
                .required("when completion mode is Indexed"),
        );
    }
    let template_path = path.child("template");
    pod::template(spec.get("template"), &template_path, out);
    let pod_path = template_path.child("spec");
    let policy = spec.path("template.spec.restartPolicy");
    let restart_path = pod_path.child("restartPolicy");
    match policy.as_str() {
        Some("OnFailure" | "Never") => {}
        Some("" | "Always") | None => {
            out.push(restart_path.required("valid values: \"OnFailure\", \"Never\""))
        }
        _ => out.push(restart_path.not_supported(policy, &["OnFailure", "Never"])),
    }
    if !spec.get("podFailurePolicy").is_null() && policy.as_str() != Some("Never") {
        out.push(restart_path.invalid(
            policy,
            "only \"Never\" is supported when podFailurePolicy is specified",
        ));
    }
}

pub(crate) fn cron_job(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    if object
        .path("metadata.name")
        .as_str()
        .unwrap_or_default()
        .len()
        > 52
    {
        let meta = Path::new("metadata");
        out.push(meta.child("name").invalid(
            object.path("metadata.name"),
            "must be no more than 52 characters",
        ));
    }
    let schedule = spec.str("schedule");
    if schedule.is_empty() {
        out.push(path.child("schedule").required(""));
    } else {
        if let Some(problem) = cron::problem(schedule) {
            out.push(
                path.child("schedule")
                    .invalid(spec.get("schedule"), &problem),
            );
        }
        if schedule.contains("TZ") {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            out.push(path.child("schedule").invalid(spec.get("schedule"), detail));
        }
    }
    let zone = spec.get("timeZone");
    if let Some(name) = zone.as_str() {
        if name.is_empty() {
            let detail = "timeZone must be nil or non-empty string";
            out.push(path.child("timeZone").invalid(zone, detail));
        } else if !cron::is_zone(name) {
            let detail = format!("unknown time zone {name}");
            out.push(path.child("timeZone").invalid(zone, &detail));
        }
    }
    if spec.get("startingDeadlineSeconds").as_int().is_some() {
        numbers::not_negative(
            spec.get("startingDeadlineSeconds"),
            &path.child("startingDeadlineSeconds"),
            out,
        );
    }
    match spec.str("concurrencyPolicy") {
        "Allow" | "Forbid" | "Replace" => {}
        "" => out.push(path.child("concurrencyPolicy").required("")),
        _ => out.push(path.child("concurrencyPolicy").not_supported(
            spec.get("concurrencyPolicy"),
            &["Allow", "Forbid", "Replace"],
        )),
    }
    let template = path.child("jobTemplate");
    job_spec(
        spec.path("jobTemplate.spec"),
        &template.child("spec"),
        false,
        out,
    );
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        numbers::not_negative(spec.get(field), &path.child(field), out);
    }
}

pub(crate) fn cron_job_update(new: &Value, old: &Value, out: &mut Problems) {
    if !new.get("spec").is_same(old.get("spec")) {
        cron_job(new, out);
    }
}
