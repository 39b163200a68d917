//! How many pods of a Job run at once, and when the next may start.

use std::collections::{BTreeMap, BTreeSet};

use api::core::{PODS, Pod};
use api::meta::Meta;
use api::{Request, Value, map};
use client::Severity;
use sim::{Micros, SECOND, Time};

use super::{FINALIZER, Jobs, OWNER, Work, indexes, rules};
use crate::pods;
use crate::sync::{Halt, Step, Sync};

/// `MaxPodCreateDeletePerSync`.
const BURST: usize = 500;
/// `DefaultJobPodFailureBackOff` and `MaxJobPodFailureBackOff`.
const BACKOFF_FIRST: Micros = 10 * SECOND;
const BACKOFF_MAX: Micros = 600 * SECOND;

pub(super) const FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
const INDEX_ENV: &str = "JOB_COMPLETION_INDEX";

impl Jobs {
    /// Creates or deletes pods; returns how many are active then, and what went wrong.
    pub(super) fn scale(&mut self, work: &Work, s: &mut Sync<'_, '_>) -> Step<(i64, Step)> {
        let mut active: Vec<Value> = work.active().cloned().collect();
        let count = active.len() as i64;
        if work.is_suspended() {
            let gone = self.delete(work, active, s)?;
            return Ok((count - gone as i64, Ok(())));
        }
        let parallelism = work.spec().int("parallelism").unwrap_or(1).max(0);
        let succeeded = work.succeeded();
        let wanted = match work.completions() {
            None if succeeded > 0 => count,
            None => parallelism,
            Some(completions) => {
                let done = succeeded + work.failed_indexes.len() as i64;
                (completions - done).clamp(0, parallelism)
            }
        };
        if count > wanted {
            active.sort_by(|a, b| pods::deletion_order((a, 0), (b, 0), work.now));
            if work.is_indexed() {
                prefer_duplicates(&mut active, work);
            }
            active.truncate((count - wanted) as usize);
            let gone = self.delete(work, active, s)?;
            return Ok((count - gone as i64, Ok(())));
        }
        let waiting = if work.replaces_failed_only() {
            work.terminating()
        } else {
            0
        };
        let missing = (wanted - waiting - count).max(0) as usize;
        if missing == 0 {
            return Ok((count, Ok(())));
        }
        if work.limit_per_index().is_none() {
            let pause = pause(work, work.pods.iter(), None);
            if pause > 0 {
                s.again_after(pause);
                return Ok((count, Ok(())));
            }
        }
        let slots = slots(work, missing.min(BURST), s);
        let (created, result) = self.create(work, &slots, s)?;
        Ok((count + created as i64, result))
    }

    fn create(
        &mut self,
        work: &Work,
        slots: &[Option<i64>],
        s: &mut Sync<'_, '_>,
    ) -> Step<(usize, Step)> {
        if s.first_time() {
            self.expectations
                .expect_creations(&work.key, slots.len(), s.now());
        }
        let (mut at, mut batch, mut created) = (0, 1, 0);
        let mut result = Ok(());
        while at < slots.len() && result.is_ok() {
            let some = &slots[at..(at + batch).min(slots.len())];
            let requests = some.iter().map(|index| {
                Request::create(&PODS, work.key.namespace.clone(), draft(work, *index))
            });
            for answer in s.call_all(requests.collect())?.iter() {
                if answer.is_success() {
                    created += 1;
                    let message = format!("Created pod: {}", Meta::of(&answer.body).name());
                    s.event(&work.about(), Severity::Normal, "SuccessfulCreate", message);
                    continue;
                }
                if !crate::replicaset::is_namespace_terminating(&answer.body) {
                    let message = format!("Error creating: {}", answer.message());
                    s.event(&work.about(), Severity::Warning, "FailedCreate", message);
                }
                result = Err(Halt::Retry(answer.message().to_owned()));
            }
            at += some.len();
            batch *= 2;
        }
        if s.first_time() {
            for _ in created..slots.len() {
                self.expectations.creation_seen(&work.key);
            }
        }
        Ok((created, result))
    }

    /// Deletes pods; returns how many.
    pub(super) fn delete(
        &mut self,
        work: &Work,
        victims: Vec<Value>,
        s: &mut Sync<'_, '_>,
    ) -> Step<usize> {
        if victims.is_empty() {
            return Ok(0);
        }
        if s.first_time() {
            let uids = victims.iter().map(|pod| Meta::of(pod).shared_uid());
            self.expectations.expect_deletions(&work.key, uids, s.now());
        }
        let requests = victims.iter().map(|pod| {
            let meta = Meta::of(pod);
            Request::delete(&PODS, meta.shared_namespace(), meta.shared_name())
        });
        let mut gone = 0;
        for (pod, answer) in victims.iter().zip(s.call_all(requests.collect())?.iter()) {
            let meta = Meta::of(pod);
            if answer.is_success() {
                gone += 1;
                let message = format!("Deleted pod: {}", meta.name());
                s.event(&work.about(), Severity::Normal, "SuccessfulDelete", message);
            } else if s.first_time() {
                self.expectations.deletion_seen(&work.key, meta.uid());
            }
        }
        Ok(gone)
    }
}

/// Of pods to delete those first that stand for an index twice, or for one that is done.
fn prefer_duplicates(active: &mut [Value], work: &Work) {
    let mut seen = BTreeSet::new();
    let mut spare = BTreeSet::new();
    for pod in active.iter().rev() {
        let index = indexes::of(pod).unwrap_or(-1);
        let is_done = work.succeeded_indexes.contains(&index) || index < 0;
        if is_done || !seen.insert(index) {
            spare.insert(Meta::of(pod).shared_uid());
        }
    }
    active.sort_by_key(|pod| !spare.contains(Meta::of(pod).uid()));
}

/// For each pod to create its index, or `None` where the Job has no indexes.
fn slots(work: &Work, count: usize, s: &mut Sync<'_, '_>) -> Vec<Option<i64>> {
    if !work.is_indexed() {
        return vec![None; count];
    }
    let mut busy: BTreeSet<i64> = work.active().filter_map(indexes::of).collect();
    if work.replaces_failed_only() {
        let going = work.pods.iter().filter(|pod| pods::is_terminating(pod));
        busy.extend(going.filter_map(indexes::of));
    }
    let completions = work.completions().unwrap_or_default();
    let mut by_index: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    if work.limit_per_index().is_some() {
        for pod in &work.pods {
            if let Some(index) = indexes::of(pod) {
                by_index.entry(index).or_default().push(pod);
            }
        }
    }
    let mut chosen = Vec::new();
    for index in 0..completions {
        if chosen.len() == count {
            break;
        }
        let is_taken = busy.contains(&index)
            || work.succeeded_indexes.contains(&index)
            || work.failed_indexes.contains(&index);
        if is_taken {
            continue;
        }
        if let Some(pods) = by_index.get(&index) {
            let pause = pause(work, pods.iter().copied(), Some(index));
            if pause > 0 {
                s.again_after(pause);
                continue;
            }
        }
        chosen.push(Some(index));
    }
    chosen
}

/// How long the failures since the last success make the next pod wait.
fn pause<'a>(
    work: &Work,
    pods: impl Iterator<Item = &'a Value> + Clone,
    index: Option<i64>,
) -> Micros {
    let succeeded = pods.clone().filter(|pod| Pod(pod).phase() == "Succeeded");
    let last_success = succeeded.map(finished_at).max().unwrap_or(Time(0));
    let failed = pods.filter(|pod| {
        work.has_failed(pod) && rules::judge(&work.job, pod) != rules::Judgment::Ignore
    });
    let times: Vec<Time> = failed
        .clone()
        .map(finished_at)
        .filter(|at| *at > last_success)
        .collect();
    let count = match index {
        // Each pod of an index knows how many failed before it.
        Some(_) => failed
            .map(|pod| failures_before(pod) + 1)
            .max()
            .unwrap_or(0),
        None => times.len() as i64,
    };
    let Some(last) = times.iter().max() else {
        return 0;
    };
    let span = (BACKOFF_FIRST << (count - 1).clamp(0, 10)).min(BACKOFF_MAX);
    (*last + span).since(work.now)
}

pub(super) fn failures_before(pod: &Value) -> i64 {
    let text = Meta::of(pod).annotation(FAILURE_COUNT);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// When a pod ended: its last container's end, or what comes closest.
fn finished_at(pod: &Value) -> Time {
    let statuses = Pod(pod).container_statuses().iter();
    let ends = statuses.filter_map(|status| {
        let at = status.path("state.terminated.finishedAt").as_str()?;
        Time::parse_rfc3339(at)
    });
    let meta = Meta::of(pod);
    ends.max()
        .or_else(|| {
            let ready = api::meta::condition(pod, "Ready")?;
            ready.transition_time()
        })
        .or(meta.deletion_time())
        .or(meta.creation_time())
        .unwrap_or(Time(0))
}

fn draft(work: &Work, index: Option<i64>) -> Value {
    let job = &work.job;
    let name = Meta::of(job).name();
    let prefix = match index {
        Some(index) => format!("{name}-{index}-"),
        None => format!("{name}-"),
    };
    let mut pod = pods::from_template(
        job.path("spec.template"),
        &work.key.namespace,
        prefix,
        OWNER.reference(job),
    );
    pod.at_mut(&["metadata", "finalizers"])
        .list_mut()
        .push(FINALIZER.into());
    let Some(index) = index else {
        return pod;
    };
    let annotations = pod.at_mut(&["metadata", "annotations"]);
    annotations.set(indexes::INDEX, index.to_string());
    if work.limit_per_index().is_some() {
        let failures = work
            .pods
            .iter()
            .filter(|p| indexes::of(p) == Some(index) && work.has_failed(p))
            .filter(|p| rules::judge(job, p) != rules::Judgment::Ignore)
            .map(|p| failures_before(p) + 1)
            .max();
        annotations.set(FAILURE_COUNT, failures.unwrap_or_default().to_string());
    }
    pod.at_mut(&["metadata", "labels"])
        .set(indexes::INDEX, index.to_string());
    pod.set_path("spec.hostname", format!("{name}-{index}"));
    let source = format!("metadata.labels['{}']", indexes::INDEX);
    let variable = map! {
        "name": INDEX_ENV,
        "valueFrom": map! { "fieldRef": map! { "fieldPath": source } },
    };
    for field in ["initContainers", "containers"] {
        if pod.get("spec").get(field).items().is_empty() {
            continue;
        }
        for container in pod.at_mut(&["spec", field]).list_mut() {
            let env = container.get("env").items();
            if env.iter().any(|e| e.str("name") == INDEX_ENV) {
                continue;
            }
            let mut all = env.to_vec();
            all.push(variable.clone());
            container.set("env", all);
        }
    }
    pod
}
