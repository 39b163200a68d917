//! Counts finished pods once each, in three writes, and ends the Job.

use std::collections::BTreeSet;

use api::batch::JOBS;
use api::core::Pod;
use api::meta::{self, Meta};
use api::{Map, Request, Str, Value};
use client::Severity;

use super::{Work, has_finalizer, indexes, rules, scaling, set_condition, without_finalizer};
use crate::pods;
use crate::runner::update_status;
use crate::sync::{Halt, Step, Sync};

/// At most this many pods are counted in one write (`MaxUncountedPods`).
const MAX_UNCOUNTED: usize = 500;

/// The indexes that have succeeded and failed so far.
pub(super) fn count_indexes(work: &mut Work) {
    let Some(completions) = work.completions().filter(|_| work.is_indexed()) else {
        return;
    };
    let status = work.job.get("status");
    let mut succeeded = indexes::parse(status.str("completedIndexes"), completions);
    for pod in &work.pods {
        let index = indexes::of(pod).filter(|index| *index < completions);
        if let Some(index) = index
            && Pod(pod).phase() == "Succeeded"
        {
            succeeded.insert(index);
        }
    }
    let mut failed = indexes::parse(status.str("failedIndexes"), completions);
    if let Some(limit) = work.limit_per_index() {
        for pod in work.pods.iter().filter(|pod| work.has_failed(pod)) {
            let Some(index) = indexes::of(pod).filter(|index| *index < completions) else {
                continue;
            };
            let is_final = match rules::judge(&work.job, pod) {
                rules::Judgment::FailIndex => true,
                rules::Judgment::Ignore => false,
                _ => scaling::failures_before(pod) >= limit,
            };
            if is_final && !succeeded.contains(&index) {
                failed.insert(index);
            }
        }
    }
    work.succeeded_indexes = succeeded;
    work.failed_indexes = failed;
}

/// Writes the status: first who is about to be counted, then, without their finalizers, the counts, and the end.
///
/// `released` remembers whose finalizer is gone, until the cache shows it: nobody is counted twice.
pub(super) fn track(
    work: &mut Work,
    old: &Value,
    active: i64,
    released: &mut BTreeSet<Str>,
    s: &mut Sync<'_, '_>,
) -> Step {
    let (mut succeeded, mut failed) = (work.uncounted("succeeded"), work.uncounted("failed"));
    let mut free: Vec<Value> = Vec::new();
    let is_over = work.verdict.is_some();
    let succeeds = work.verdict.as_ref().is_some_and(|v| v.succeeds);
    for pod in work.pods.iter().filter(|pod| has_finalizer(pod)) {
        let uid = Meta::of(pod).shared_uid();
        if succeeded.len() + failed.len() + free.len() >= MAX_UNCOUNTED {
            break;
        }
        if succeeded.contains(&uid) || failed.contains(&uid) {
            free.push(pod.clone());
        } else if Pod(pod).phase() == "Succeeded" {
            // The index is enough not to count it twice.
            if !work.is_indexed() {
                succeeded.insert(uid);
            }
            free.push(pod.clone());
        } else if work.has_failed(pod) || is_over && Meta::of(pod).is_deleting() {
            let is_ignored = rules::judge(&work.job, pod) == rules::Judgment::Ignore
                || succeeds && Pod(pod).phase() != "Failed";
            // A failed pod of an index is kept uncounted until its successor knows the count.
            let waits = work.limit_per_index().is_some() && !is_over && !has_successor(work, pod);
            if waits {
                continue;
            }
            if !is_ignored {
                failed.insert(uid);
            }
            free.push(pod.clone());
        }
    }
    describe(work, active);
    set_uncounted(&mut work.job, &succeeded, &failed);
    note_verdict(work, s);
    let is_new = *work.job.get("status") != *old;
    if is_new && (!succeeded.is_empty() || !failed.is_empty() || !may_end(work, active)) {
        write(work, s)?;
    }
    if free.is_empty() && succeeded.is_empty() && failed.is_empty() {
        return finish(work, active, s);
    }
    let requests = free.iter().map(without_finalizer);
    let answers = s.call_all(requests.collect())?;
    if s.first_time() {
        let done = free
            .iter()
            .zip(answers.iter())
            .filter(|(_, a)| a.is_success());
        released.extend(done.map(|(pod, _)| Meta::of(pod).shared_uid()));
    }
    for answer in answers.iter() {
        if !answer.is_success() && !matches!(answer.code, 404 | 422) {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
    }
    if succeeded.is_empty() && failed.is_empty() {
        return finish(work, active, s);
    }
    raise(&mut work.job, "succeeded", succeeded.len());
    raise(&mut work.job, "failed", failed.len());
    set_uncounted(&mut work.job, &Default::default(), &Default::default());
    if may_end(work, active) {
        return finish(work, active, s);
    }
    write(work, s)
}

/// Whether a later pod of the same index exists, or the index has ended.
fn has_successor(work: &Work, pod: &Value) -> bool {
    let Some(index) = indexes::of(pod) else {
        return true;
    };
    let count = scaling::failures_before(pod);
    work.failed_indexes.contains(&index)
        || work.succeeded_indexes.contains(&index)
        || work.pods.iter().any(|other| {
            indexes::of(other) == Some(index) && scaling::failures_before(other) > count
        })
}

/// The parts of the status that follow from the pods.
fn describe(work: &mut Work, active: i64) {
    let ready = work.active().filter(|pod| pods::is_ready(pod)).count();
    let is_over = work.verdict.is_some();
    let deleted = work.active().count() as i64 - active;
    let terminating = work.terminating() + if is_over { deleted.max(0) } else { 0 };
    let (succeeded, failed) = (work.succeeded_indexes.clone(), work.failed_indexes.clone());
    let (is_indexed, is_per_index) = (work.is_indexed(), work.limit_per_index().is_some());
    let status = work.job.entry("status");
    if active > 0 {
        status.set("active", active);
    } else {
        status.remove("active");
    }
    status.set("ready", if is_over { 0 } else { ready });
    status.set("terminating", terminating);
    if is_indexed {
        let text = indexes::text(&succeeded);
        if text.is_empty() {
            status.remove("completedIndexes");
        } else {
            status.set("completedIndexes", text);
            status.set("succeeded", succeeded.len());
        }
        if is_per_index {
            status.set("failedIndexes", indexes::text(&failed));
        }
    }
}

fn set_uncounted(job: &mut Value, succeeded: &BTreeSet<Str>, failed: &BTreeSet<Str>) {
    let mut uncounted = Map::default();
    for (field, uids) in [("succeeded", succeeded), ("failed", failed)] {
        if !uids.is_empty() {
            let uids: Vec<Value> = uids.iter().map(Value::from).collect();
            uncounted.insert(field, uids);
        }
    }
    job.set_path("status.uncountedTerminatedPods", Value::from(uncounted));
}

fn raise(job: &mut Value, field: &'static str, by: usize) {
    if by > 0 {
        let status = job.entry("status");
        let count = status.int(field).unwrap_or_default() + by as i64;
        status.set(field, count);
    }
}

/// The verdict stands in a condition before the Job ends.
fn note_verdict(work: &mut Work, s: &Sync<'_, '_>) {
    if let Some(verdict) = work.verdict.clone() {
        let kind = if verdict.succeeds {
            "SuccessCriteriaMet"
        } else {
            "FailureTarget"
        };
        set_condition(
            &mut work.job,
            kind,
            "True",
            verdict.reason,
            verdict.message,
            s.now(),
        );
    }
}

/// Whether the Job can get its final condition: its pods have all ended.
fn may_end(work: &Work, active: i64) -> bool {
    let terminating = work.job.path("status.terminating").as_int();
    work.verdict.is_some() && active == 0 && terminating.unwrap_or_default() == 0
}

/// Gives the Job its final condition if it may have it.
fn finish(work: &mut Work, active: i64, s: &mut Sync<'_, '_>) -> Step {
    if !may_end(work, active) {
        return Ok(());
    }
    let Some(verdict) = work.verdict.clone() else {
        return Ok(());
    };
    let kind = if verdict.succeeds {
        "Complete"
    } else {
        "Failed"
    };
    if meta::is_true(&work.job, kind) {
        return Ok(());
    }
    let now = s.now();
    set_condition(
        &mut work.job,
        kind,
        "True",
        verdict.reason.clone(),
        verdict.message.clone(),
        now,
    );
    if verdict.succeeds {
        work.job.set_path("status.completionTime", now.rfc3339());
    }
    write(work, s)?;
    if verdict.succeeds {
        s.event(
            &work.about(),
            Severity::Normal,
            "Completed",
            "Job completed",
        );
    } else {
        let reason: &'static str = match &*verdict.reason {
            "BackoffLimitExceeded" => "BackoffLimitExceeded",
            "DeadlineExceeded" => "DeadlineExceeded",
            "PodFailurePolicy" => "PodFailurePolicy",
            "MaxFailedIndexesExceeded" => "MaxFailedIndexesExceeded",
            _ => "FailedIndexes",
        };
        s.event(
            &work.about(),
            Severity::Warning,
            reason,
            verdict.message.to_string(),
        );
    }
    Ok(())
}

/// Writes the status; goes on with the version that the API server returned.
fn write(work: &mut Work, s: &mut Sync<'_, '_>) -> Step {
    let request: Request = update_status(&JOBS, work.job.clone());
    let written = s.must(request)?;
    let version = Meta::of(&written).0.get("resourceVersion").clone();
    work.job.set_path("metadata.resourceVersion", version);
    Ok(())
}
