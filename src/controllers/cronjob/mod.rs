//! Starts a Job at each time of a CronJob's schedule, and keeps a few finished ones.
//!
//! Models `pkg/controller/cronjob` at v1.36; starts at [`CronJobs::sync`].

mod schedule;
mod zone;

use api::batch::{CRON_JOBS, JOBS};
use api::meta::{self, Meta};
use api::{Request, Resource, Str, Value, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{MILLI, Micros, SECOND, Time};

use crate::job::is_finished;
use crate::owned::OwnerKind;
use crate::runner::{Controller, Keys, update_status};
use crate::sync::{Halt, Step, Sync};
use schedule::{Schedule, missed};
use zone::Zone;

const OWNER: OwnerKind = OwnerKind {
    api_version: "batch/v1",
    kind: "CronJob",
};
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// The next look comes a moment after the scheduled time (`nextScheduleDelta`).
const DELTA: Micros = 100 * MILLI;

/// The CronJob controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct CronJobs;

impl Controller for CronJobs {
    fn name(&self) -> &'static str {
        "cronjob-controller"
    }

    fn kind(&self) -> &'static str {
        "cronjobs"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![CRON_JOBS, JOBS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let object = change.object();
        if *resource == CRON_JOBS {
            keys.add(ObjectKey::of(object));
        } else if let Some(owner) = Meta::of(object).controller()
            && owner.kind() == OWNER.kind
        {
            let namespace = Meta::of(object).shared_namespace();
            keys.add(ObjectKey::new(namespace, owner.0.shared_str("name")));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(mut cron) = s.get_key(&CRON_JOBS, key) else {
            return Ok(());
        };
        let uid = Meta::of(&cron).shared_uid();
        let jobs = s.list(&JOBS, |cache| cache.controlled_by(&uid));
        let before = cron.get("status").clone();
        settle_active(&mut cron, &jobs, s)?;
        let outcome = start_due(&mut cron, &jobs, s);
        if outcome == Err(Halt::Waiting) {
            return outcome;
        }
        trim(&cron, &jobs, s)?;
        if *cron.get("status") != before {
            s.must(update_status(&CRON_JOBS, cron))?;
        }
        outcome
    }
}

fn about(cron: &Value) -> ObjectRef {
    ObjectRef::of(cron, OWNER.api_version, OWNER.kind)
}

/// Brings `status.active` in line with the Jobs that run.
fn settle_active(cron: &mut Value, jobs: &[Value], s: &mut Sync<'_, '_>) -> Step {
    let about = about(cron);
    let mut active = cron.path("status.active").items().to_vec();
    for job in jobs {
        let meta = Meta::of(job);
        let at = active.iter().position(|r| r.str("uid") == meta.uid());
        match (at, is_finished(job)) {
            (Some(at), true) => {
                active.remove(at);
                let kind = if meta::is_true(job, "Complete") {
                    "Complete"
                } else {
                    "Failed"
                };
                let message = format!("Saw completed job: {}, condition: {kind}", meta.name());
                s.event(&about, Severity::Normal, "SawCompletedJob", message);
            }
            (None, false) => {
                // It was made, but the status that says so did not arrive: it counts.
                let fresh = s.call(Request::get(
                    &CRON_JOBS,
                    meta.shared_namespace(),
                    Meta::of(cron).shared_name(),
                ))?;
                let known = fresh.body.path("status.active").items().to_vec();
                if known.iter().any(|r| r.str("uid") == meta.uid()) {
                    *cron = fresh.body;
                    active = known;
                } else {
                    let message = format!(
                        "Saw a job that the controller did not create or forgot: {}",
                        meta.name()
                    );
                    s.event(&about, Severity::Warning, "UnexpectedJob", message);
                }
            }
            _ => {}
        }
        if meta::is_true(job, "Complete") {
            let done = job.path("status.completionTime").clone();
            let last = cron.path("status.lastSuccessfulTime");
            if last.as_str() < done.as_str() {
                cron.set_path("status.lastSuccessfulTime", done);
            }
        }
    }
    let mut kept = Vec::new();
    for reference in active {
        if jobs
            .iter()
            .any(|job| Meta::of(job).uid() == reference.str("uid"))
        {
            kept.push(reference);
            continue;
        }
        let namespace = Meta::of(cron).shared_namespace();
        let answer = s.call(Request::get(&JOBS, namespace, reference.shared_str("name")))?;
        if answer.code == 404 {
            let message = format!("Active job went missing: {}", reference.str("name"));
            s.event(&about, Severity::Normal, "MissingJob", message);
        } else {
            kept.push(reference);
        }
    }
    set_active(cron, kept);
    Ok(())
}

fn set_active(cron: &mut Value, active: Vec<Value>) {
    if active.is_empty() {
        cron.entry("status").remove("active");
    } else {
        cron.set_path("status.active", active);
    }
}

/// Starts the Job of the newest missed time, if the policies let it.
fn start_due(cron: &mut Value, jobs: &[Value], s: &mut Sync<'_, '_>) -> Step {
    let about = about(cron);
    let spec = cron.get("spec").clone();
    if Meta::of(cron).is_deleting() || spec.bool("suspend") {
        return Ok(());
    }
    let zone_name = spec.get("timeZone").as_str();
    let Some(zone) = zone_name.map_or(Some(Zone::UTC), Zone::find) else {
        let message = format!("invalid timeZone: {:?}", zone_name.unwrap_or_default());
        s.event(&about, Severity::Warning, "UnknownTimeZone", message);
        return Ok(());
    };
    let schedule = match Schedule::parse(spec.str("schedule"), zone) {
        Ok(schedule) => schedule,
        Err(why) => {
            let message = format!("unparseable schedule: {:?} : {why}", spec.str("schedule"));
            s.event(&about, Severity::Warning, "UnparseableSchedule", message);
            return Ok(());
        }
    };
    let now = s.now();
    let created = Meta::of(cron).creation_time().unwrap_or(now);
    let last = cron.path("status.lastScheduleTime").as_str();
    let last = last.and_then(Time::parse_rfc3339);
    let mut earliest = last.unwrap_or(created);
    let deadline = spec.int("startingDeadlineSeconds");
    if let Some(secs) = deadline {
        earliest = earliest.max(now - secs.max(0) as Micros * SECOND);
    }
    let next = schedule.next(now);
    if let Some(next) = next {
        s.again_at(next + DELTA);
    }
    let Some((due, count)) = missed(&schedule, earliest, now) else {
        return Ok(());
    };
    if count > 100 {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        s.event(&about, Severity::Warning, "TooManyMissedTimes", message);
    }
    if deadline.is_some_and(|secs| due + secs.max(0) as Micros * SECOND < now) {
        let message = format!("Missed scheduled time to start a job: {}", due.rfc3339());
        s.event(&about, Severity::Warning, "MissSchedule", message);
        return Ok(());
    }
    let active = cron.path("status.active").items().to_vec();
    let name: Str = format!("{}-{}", Meta::of(cron).name(), due.secs() / 60).into();
    if active.iter().any(|r| r.str("name") == &*name) || last == Some(due) {
        return Ok(());
    }
    match spec.str("concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            s.event(&about, Severity::Normal, "JobAlreadyActive", message);
            return Ok(());
        }
        "Replace" => {
            for reference in &active {
                let running = jobs
                    .iter()
                    .find(|job| Meta::of(job).uid() == reference.str("uid"));
                if let Some(job) = running {
                    delete(cron, job, s)?;
                }
            }
            set_active(cron, Vec::new());
        }
        _ => {}
    }
    let job = draft(cron, &name, due, zone);
    let namespace = Meta::of(cron).shared_namespace();
    let answer = s.call(Request::create(&JOBS, namespace.clone(), job))?;
    if answer.reason() == "AlreadyExists" {
        // Made by an earlier try whose status was not written.
        let existing = s.must(Request::get(&JOBS, namespace, name))?;
        let owner = Meta::of(&existing).controller().map(|o| o.uid().to_owned());
        if owner.as_deref() == Some(Meta::of(cron).uid()) {
            cron.set_path("status.lastScheduleTime", due.rfc3339());
        }
        return Ok(());
    }
    if !answer.is_success() {
        if crate::replicaset::is_namespace_terminating(&answer.body) {
            return Ok(());
        }
        let message = format!("Error creating job: {}", answer.message());
        s.event(&about, Severity::Warning, "FailedCreate", message);
        return Err(Halt::Retry(answer.message().to_owned()));
    }
    s.event(
        &about,
        Severity::Normal,
        "SuccessfulCreate",
        format!("Created job {name}"),
    );
    let meta = Meta::of(&answer.body);
    let mut active = cron.path("status.active").items().to_vec();
    active.push(map! {
        "apiVersion": "batch/v1", "kind": "Job", "name": &name, "namespace": meta.shared_namespace(),
        "uid": meta.shared_uid(), "resourceVersion": meta.0.get("resourceVersion"),
    });
    set_active(cron, active);
    cron.set_path("status.lastScheduleTime", due.rfc3339());
    Ok(())
}

fn draft(cron: &Value, name: &Str, due: Time, zone: Zone) -> Value {
    let template = cron.path("spec.jobTemplate");
    let mut annotations = template.path("metadata.annotations").clone();
    annotations.set(SCHEDULED_AT, local_rfc3339(due, zone));
    let mut metadata = map! {
        "name": name, "namespace": Meta::of(cron).shared_namespace(),
        "annotations": annotations,
        "ownerReferences": vec![OWNER.reference(cron)],
    };
    let labels = template.path("metadata.labels");
    if !labels.is_empty() {
        metadata.set("labels", labels);
    }
    map! { "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec") }
}

/// A time as clocks of the zone show it, with the offset.
fn local_rfc3339(time: Time, zone: Zone) -> String {
    let offset = zone.offset(time);
    if offset == 0 {
        return time.rfc3339();
    }
    let shown = Time::from_secs(time.secs() + offset).rfc3339();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!(
        "{}{sign}{:02}:{:02}",
        shown.trim_end_matches('Z'),
        minutes / 60,
        minutes % 60
    )
}

fn delete(cron: &Value, job: &Value, s: &mut Sync<'_, '_>) -> Step {
    let meta = Meta::of(job);
    let mut request = Request::delete(&JOBS, meta.shared_namespace(), meta.shared_name());
    request.options.propagation_policy = "Background".into();
    let answer = s.call(request)?;
    if answer.is_success() {
        let message = format!("Deleted job {}", meta.name());
        s.event(&about(cron), Severity::Normal, "SuccessfulDelete", message);
        return Ok(());
    }
    if answer.code == 404 {
        return Ok(());
    }
    let message = format!("Deleted job: {}", answer.message());
    s.event(&about(cron), Severity::Warning, "FailedDelete", message);
    Err(Halt::Retry(answer.message().to_owned()))
}

/// Deletes the oldest finished Jobs beyond the history limits.
fn trim(cron: &Value, jobs: &[Value], s: &mut Sync<'_, '_>) -> Step {
    for (kind, limit) in [
        ("Complete", cron.path("spec.successfulJobsHistoryLimit")),
        ("Failed", cron.path("spec.failedJobsHistoryLimit")),
    ] {
        let Some(limit) = limit.as_int() else {
            continue;
        };
        let mut done: Vec<&Value> = jobs
            .iter()
            .filter(|job| meta::is_true(job, kind) && !Meta::of(job).is_deleting())
            .collect();
        done.sort_by_cached_key(|job| {
            let started = job.path("status.startTime").as_str().map(str::to_owned);
            (started, Meta::of(job).name().to_owned())
        });
        let surplus = done.len().saturating_sub(limit.max(0) as usize);
        for job in &done[..surplus] {
            delete(cron, job, s)?;
        }
    }
    Ok(())
}
