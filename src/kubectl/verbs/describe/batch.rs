//! Jobs and CronJobs.

use api::{Value, meta::Meta};

use super::{Text, controlled_by, long_time, pod, workload};

pub(super) fn job(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(
        0,
        format!("Selector:\t{}", workload::selector(spec.get("selector"))),
    );
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    controlled_by(text, object);
    if let Some(n) = spec.int("parallelism") {
        text.line(0, format!("Parallelism:\t{n}"));
    }
    match spec.int("completions") {
        Some(n) => text.line(0, format!("Completions:\t{n}")),
        None => text.line(0, "Completions:\t<unset>"),
    }
    if spec.has("completionMode") {
        text.line(
            0,
            format!("Completion Mode:\t{}", spec.str("completionMode")),
        );
    }
    if let Some(suspend) = spec.get("suspend").as_bool() {
        text.line(0, format!("Suspend:\t{suspend}"));
    }
    if let Some(n) = spec.int("backoffLimit") {
        text.line(0, format!("Backoff Limit:\t{n}"));
    }
    if let Some(n) = spec.int("ttlSecondsAfterFinished") {
        text.line(0, format!("TTL Seconds After Finished:\t{n}"));
    }
    let time = |field: &str| {
        status
            .get(field)
            .as_str()
            .and_then(sim::Time::parse_rfc3339)
    };
    let (started, completed) = (time("startTime"), time("completionTime"));
    if started.is_some() {
        text.line(
            0,
            format!("Start Time:\t{}", long_time(status.get("startTime"))),
        );
    }
    if completed.is_some() {
        text.line(
            0,
            format!("Completed At:\t{}", long_time(status.get("completionTime"))),
        );
    }
    if let (Some(started), Some(completed)) = (started, completed) {
        text.line(0, format!("Duration:\t{}", super::age(completed, started)));
    }
    if let Some(n) = spec.int("activeDeadlineSeconds") {
        text.line(0, format!("Active Deadline Seconds:\t{n}s"));
    }
    let count = |field: &str| status.int(field).unwrap_or(0);
    let ready = match status.int("ready") {
        Some(n) => format!(" ({n} Ready)"),
        None => String::new(),
    };
    text.line(
        0,
        format!(
            "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
            count("active"),
            count("succeeded"),
            count("failed")
        ),
    );
    if spec.str("completionMode") == "Indexed" {
        let indexes = status.str("completedIndexes");
        let indexes = if indexes.is_empty() {
            "<none>"
        } else {
            indexes
        };
        text.line(0, format!("Completed Indexes:\t{indexes}"));
    }
    pod::template(text, spec.get("template"));
}

pub(super) fn cron_job(text: &mut Text, object: &Value) {
    let (spec, status) = (object.get("spec"), object.get("status"));
    super::config::head(text, object);
    text.line(0, format!("Schedule:\t{}", spec.str("schedule")));
    text.line(
        0,
        format!("Concurrency Policy:\t{}", spec.str("concurrencyPolicy")),
    );
    let suspend = match spec.get("suspend").as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    text.line(0, format!("Suspend:\t{suspend}"));
    let zone = spec.str("timeZone");
    text.line(
        0,
        format!(
            "Time Zone:\t{}",
            if zone.is_empty() { "<unset>" } else { zone }
        ),
    );
    let number = |value: &Value, key: &str, unit: &str| match value.int(key) {
        Some(n) => format!("{n}{unit}"),
        None => "<unset>".to_owned(),
    };
    text.line(
        0,
        format!(
            "Successful Job History Limit:\t{}",
            number(spec, "successfulJobsHistoryLimit", "")
        ),
    );
    text.line(
        0,
        format!(
            "Failed Job History Limit:\t{}",
            number(spec, "failedJobsHistoryLimit", "")
        ),
    );
    text.line(
        0,
        format!(
            "Starting Deadline Seconds:\t{}",
            number(spec, "startingDeadlineSeconds", "s")
        ),
    );
    let job = spec.path("jobTemplate.spec");
    let selector = if job.has("selector") {
        workload::selector(job.get("selector"))
    } else {
        "<unset>".to_owned()
    };
    text.line(0, format!("Selector:\t{selector}"));
    text.line(
        0,
        format!("Parallelism:\t{}", number(job, "parallelism", "")),
    );
    text.line(
        0,
        format!("Completions:\t{}", number(job, "completions", "")),
    );
    if job.has("activeDeadlineSeconds") {
        text.line(
            0,
            format!(
                "Active Deadline Seconds:\t{}",
                number(job, "activeDeadlineSeconds", "s")
            ),
        );
    }
    pod::template(text, job.get("template"));
    text.line(
        0,
        format!(
            "Last Schedule Time:\t{}",
            long_time(status.get("lastScheduleTime"))
        ),
    );
    let active: Vec<&str> = status
        .get("active")
        .items()
        .iter()
        .map(|job| job.str("name"))
        .collect();
    let active = if active.is_empty() {
        "<none>".to_owned()
    } else {
        active.join(", ")
    };
    text.line(0, format!("Active Jobs:\t{active}"));
}
