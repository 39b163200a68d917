//! Runs pods until enough of them have succeeded.
//!
//! Each pod carries a finalizer until it is counted, so that none is lost when somebody deletes it: first the UIDs of
//! finished pods are written as uncounted, then the finalizers go, then the counts rise. Models `pkg/controller/job`
//! at v1.36; starts at [`Jobs::sync`]. [`tally`] counts, [`scaling`] creates and deletes, [`rules`] are the policies.

mod indexes;
mod rules;
mod scaling;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use api::batch::JOBS;
use api::core::{PODS, Pod};
use api::meta::{self, Meta};
use api::{PatchKind, Request, Resource, Str, Value, list, map};
use client::{Change, Expectations, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use crate::owned::{Claim, OwnerKind, candidates};
use crate::pods;
use crate::runner::{Controller, Keys};
use crate::selection::selects;
use crate::sync::{Step, Sync};

pub(super) const OWNER: OwnerKind = OwnerKind {
    api_version: "batch/v1",
    kind: "Job",
};
pub(super) const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Changes of pods are gathered this long before the Job is looked at (`syncJobBatchPeriod`).
const BATCH: Micros = SECOND;
/// Marks keys of pods whose Job is gone; no object is called so.
const ORPHAN_PREFIX: &str = "pod/";

/// The Job controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    expectations: Expectations<ObjectKey>,
    /// Pods that were counted and set free, as long as the cache shows them with their finalizer.
    released: BTreeSet<Str>,
    /// Versions of Jobs as last written: an older one in the cache knows less than we have done.
    written: BTreeMap<ObjectKey, u64>,
}

fn version(job: &Value) -> u64 {
    let version = Meta::of(job).0.str("resourceVersion");
    version.parse().unwrap_or_default()
}

/// One sync's view of a Job.
#[derive(Clone, Debug)]
pub(super) struct Work {
    job: Value,
    key: ObjectKey,
    pods: Vec<Value>,
    now: Time,
    /// How it will end, once decided.
    verdict: Option<Verdict>,
    /// Indexes that have succeeded and failed, with those of pods not counted yet.
    succeeded_indexes: BTreeSet<i64>,
    failed_indexes: BTreeSet<i64>,
}

/// How a Job ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    succeeds: bool,
    reason: Str,
    message: Str,
}

impl Verdict {
    fn failed(reason: &'static str, message: impl Into<Str>) -> Verdict {
        Verdict {
            succeeds: false,
            reason: reason.into(),
            message: message.into(),
        }
    }

    fn succeeded(reason: &'static str, message: impl Into<Str>) -> Verdict {
        Verdict {
            succeeds: true,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

impl Work {
    fn spec(&self) -> &Value {
        self.job.get("spec")
    }

    fn is_indexed(&self) -> bool {
        self.spec().str("completionMode") == "Indexed"
    }

    fn is_suspended(&self) -> bool {
        self.spec().bool("suspend")
    }

    fn completions(&self) -> Option<i64> {
        self.spec().int("completions")
    }

    fn limit_per_index(&self) -> Option<i64> {
        self.spec().int("backoffLimitPerIndex")
    }

    /// Whether terminating pods are replaced only once they have failed.
    fn replaces_failed_only(&self) -> bool {
        self.spec().str("podReplacementPolicy") == "Failed"
    }

    fn active(&self) -> impl Iterator<Item = &Value> + Clone {
        self.pods.iter().filter(|pod| pods::is_active(pod))
    }

    fn terminating(&self) -> i64 {
        self.pods.iter().filter(|p| pods::is_terminating(p)).count() as i64
    }

    fn about(&self) -> ObjectRef {
        ObjectRef::of(&self.job, OWNER.api_version, OWNER.kind)
    }

    /// Whether a pod has failed, or will: one that is deleted before it ended counts, unless a policy wants to see its end.
    fn has_failed(&self, pod: &Value) -> bool {
        match Pod(pod).phase() {
            "Failed" => true,
            "Succeeded" => false,
            _ => {
                Meta::of(pod).is_deleting()
                    && !self.replaces_failed_only()
                    && !self.spec().has("podFailurePolicy")
            }
        }
    }

    fn count(&self, field: &str) -> i64 {
        self.job.get("status").int(field).unwrap_or_default()
    }

    fn uncounted(&self, field: &str) -> BTreeSet<Str> {
        let uids = self.job.path("status.uncountedTerminatedPods").get(field);
        let uids = uids.items().iter();
        uids.filter_map(|uid| uid.as_shared_str().cloned())
            .collect()
    }

    /// Pods that have succeeded: counted, and seen but not counted yet.
    fn succeeded(&self) -> i64 {
        if self.is_indexed() {
            return self.succeeded_indexes.len() as i64;
        }
        let known = self.uncounted("succeeded");
        let fresh = self.pods.iter().filter(|pod| {
            Pod(pod).phase() == "Succeeded"
                && has_finalizer(pod)
                && !known.contains(Meta::of(pod).uid())
        });
        self.count("succeeded") + known.len() as i64 + fresh.count() as i64
    }

    /// Pods that have failed and count.
    fn failed(&self) -> i64 {
        let known = self.uncounted("failed");
        let fresh = self.pods.iter().filter(|pod| {
            self.has_failed(pod)
                && has_finalizer(pod)
                && !known.contains(Meta::of(pod).uid())
                && rules::judge(&self.job, pod) != rules::Judgment::Ignore
        });
        self.count("failed") + known.len() as i64 + fresh.count() as i64
    }
}

pub(super) fn has_finalizer(pod: &Value) -> bool {
    Meta::of(pod).has_finalizer(FINALIZER)
}

pub(crate) fn is_finished(job: &Value) -> bool {
    meta::is_true(job, "Complete") || meta::is_true(job, "Failed")
}

fn owner_key(pod: &Value, caches: &Informers) -> Option<ObjectKey> {
    let meta = Meta::of(pod);
    let owner = meta.controller().filter(|o| o.kind() == OWNER.kind)?;
    let found = caches.cache(&JOBS).get(meta.namespace(), owner.name())?;
    (Meta::of(found).uid() == owner.uid()).then(|| ObjectKey::of(found))
}

impl Jobs {
    fn pod_changed(&mut self, change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
        let pod = change.object();
        let meta = Meta::of(pod);
        if change.is_deleted() || !has_finalizer(pod) {
            self.released.remove(meta.uid());
        }
        if let Some(key) = owner_key(pod, caches) {
            if change.is_deleted() || meta.is_deleting() {
                self.expectations.deletion_seen(&key, meta.uid());
            } else if change.is_added() {
                self.expectations.creation_seen(&key);
            }
            keys.add_after(BATCH, key);
            return;
        }
        if let Some(key) = change.old.as_ref().and_then(|old| owner_key(old, caches)) {
            keys.add_after(BATCH, key);
        }
        let belongs = meta.controller().is_some_and(|o| o.kind() == OWNER.kind);
        if has_finalizer(pod) && !change.is_deleted() && (belongs || meta.controller().is_none()) {
            let name = format!("{ORPHAN_PREFIX}{}", meta.name());
            keys.add(ObjectKey::new(meta.shared_namespace(), name));
        }
        if meta.controller().is_none() && !change.is_deleted() {
            for job in caches.cache(&JOBS).in_namespace(meta.namespace()) {
                if selects(job.path("spec.selector"), meta.labels()) {
                    keys.add(ObjectKey::of(job));
                }
            }
        }
    }

    /// A pod whose Job is gone needs no counting any more.
    fn release_orphan(&self, key: &ObjectKey, name: &str, s: &mut Sync<'_, '_>) -> Step {
        let Some(pod) = s.get(&PODS, &key.namespace, name) else {
            return Ok(());
        };
        let owner = s.read(|caches| {
            let key = owner_key(&pod, caches);
            let job = key.and_then(|key| caches.cache(&JOBS).get_key(&key).cloned());
            job.into_iter().collect()
        });
        if !owner.is_empty() || !has_finalizer(&pod) {
            return Ok(());
        }
        s.must_unless_gone(without_finalizer(&pod))
    }
}

/// A pod as it will be once the cache shows that its finalizer is gone.
fn counted(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let finalizers = pod.at_mut(&["metadata", "finalizers"]).list_mut();
    finalizers.retain(|finalizer| finalizer.as_str() != Some(FINALIZER));
    pod
}

/// A patch that takes the tracking finalizer off a pod.
pub(super) fn without_finalizer(pod: &Value) -> Request {
    let meta = Meta::of(pod);
    let metadata = map! {
        "uid": meta.shared_uid(), "$deleteFromPrimitiveList/finalizers": list![FINALIZER],
    };
    Request::patch(
        &PODS,
        meta.shared_namespace(),
        meta.shared_name(),
        PatchKind::Strategic,
        map! { "metadata": metadata },
    )
}

impl Controller for Jobs {
    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn kind(&self) -> &'static str {
        "jobs"
    }

    /// `DefaultJobApiBackOff` and `MaxJobApiBackOff`.
    fn pauses(&self) -> (Micros, Micros) {
        (SECOND, 60 * SECOND)
    }

    fn watches(&self) -> Vec<Resource> {
        vec![JOBS, PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == PODS {
            return self.pod_changed(change, caches, keys);
        }
        let key = ObjectKey::of(change.object());
        if change.is_deleted() {
            self.expectations.forget(&key);
            for pod in caches
                .cache(&PODS)
                .controlled_by(Meta::of(change.object()).uid())
                .filter(|pod| has_finalizer(pod))
            {
                let name = format!("{ORPHAN_PREFIX}{}", Meta::of(pod).name());
                keys.add(ObjectKey::new(Meta::of(pod).shared_namespace(), name));
            }
        }
        keys.add(key);
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if let Some(name) = key.name.strip_prefix(ORPHAN_PREFIX) {
            return self.release_orphan(key, name, s);
        }
        let Some(job) = s.get_key(&JOBS, key) else {
            self.expectations.forget(key);
            self.written.remove(key);
            return Ok(());
        };
        let newest = self.written.get(key).copied();
        if s.remember(newest.is_some_and(|newest| version(&job) < newest)) {
            // The watch lags behind; its news bring the key back.
            return Ok(());
        }
        let managed_by = job.path("spec.managedBy").as_str();
        if is_finished(&job) || managed_by.is_some_and(|m| m != "kubernetes.io/job-controller") {
            return Ok(());
        }
        let selector = job.path("spec.selector").clone();
        let claim = Claim {
            owner: &job,
            kind: OWNER,
            owners: &JOBS,
            children: &PODS,
            selector: &selector,
            finalizer: Some(FINALIZER),
        };
        let all = candidates(&PODS, &job, s);
        let pods = claim.claim(&all, s)?;
        let met = self.expectations.are_met(key, s.now());
        let met = s.remember(met);
        let released = &self.released;
        let pods = s.work_out(|| {
            let seen_through = |pod: &Value| match released.contains(Meta::of(pod).uid()) {
                true => counted(pod),
                false => pod.clone(),
            };
            pods.iter().map(seen_through).collect()
        });
        let pods = pods.to_vec();
        let mut work = Work {
            job,
            key: key.clone(),
            pods,
            now: s.now(),
            verdict: None,
            succeeded_indexes: BTreeSet::new(),
            failed_indexes: BTreeSet::new(),
        };
        tally::count_indexes(&mut work);
        let old_status = work.job.get("status").clone();
        begin(&mut work, s);
        decide(&mut work, s);
        let mut outcome = Ok(());
        let active: i64 = if work.verdict.is_some() {
            let active: Vec<Value> = work.active().cloned().collect();
            let left = active.len();
            let gone = self.delete(&work, active, s)?;
            (left - gone) as i64
        } else if met && !Meta::of(&work.job).is_deleting() {
            let (active, result) = self.scale(&work, s)?;
            outcome = result;
            self.conclude(&mut work, active, s);
            active
        } else {
            work.active().count() as i64
        };
        tally::track(&mut work, &old_status, active, &mut self.released, s)?;
        if s.first_time() {
            self.written.insert(key.clone(), version(&work.job));
        }
        outcome
    }
}

impl Jobs {
    /// After scaling: is it complete, was it suspended or resumed?
    fn conclude(&self, work: &mut Work, active: i64, s: &mut Sync<'_, '_>) {
        let succeeded = work.succeeded();
        let is_complete = match work.completions() {
            // A work queue: one success, and the others have ended.
            None => succeeded > 0 && active == 0,
            Some(completions) => succeeded >= completions && active == 0,
        };
        if is_complete {
            work.verdict = Some(Verdict::succeeded(
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            ));
            return;
        }
        let was = meta::is_true(&work.job, "Suspended");
        if work.is_suspended() && !was {
            set_condition(
                &mut work.job,
                "Suspended",
                "True",
                "JobSuspended",
                "Job suspended",
                s.now(),
            );
            s.event(
                &work.about(),
                Severity::Normal,
                "Suspended",
                "Job suspended",
            );
        } else if !work.is_suspended() && was {
            set_condition(
                &mut work.job,
                "Suspended",
                "False",
                "JobResumed",
                "Job resumed",
                s.now(),
            );
            s.event(&work.about(), Severity::Normal, "Resumed", "Job resumed");
            // The deadline runs anew.
            work.job.set_path("status.startTime", s.now().rfc3339());
            if let Some(secs) = work.spec().int("activeDeadlineSeconds") {
                s.again_after(secs.max(0) as Micros * SECOND);
            }
        }
    }
}

/// Notes when the Job began.
fn begin(work: &mut Work, s: &mut Sync<'_, '_>) {
    let has_started = work.job.path("status.startTime").as_str().is_some();
    if !has_started && !work.is_suspended() {
        work.job.set_path("status.startTime", s.now().rfc3339());
    }
}

/// Finds out whether the Job has failed, or succeeded early.
fn decide(work: &mut Work, s: &mut Sync<'_, '_>) {
    let job = &work.job;
    let decided = |kind, succeeds| {
        let condition = meta::condition(job, kind).filter(|c| c.status() == "True")?;
        Some(Verdict {
            succeeds,
            reason: condition.0.shared_str("reason"),
            message: condition.0.shared_str("message"),
        })
    };
    work.verdict = decided("SuccessCriteriaMet", true)
        .or_else(|| decided("FailureTarget", false))
        .or_else(|| failed_by_rule(work))
        .or_else(|| {
            if work.is_indexed() {
                rules::success(job, &work.succeeded_indexes)
                    .map(|why| Verdict::succeeded("SuccessPolicy", why))
            } else {
                None
            }
        })
        .or_else(|| exceeded(work))
        .or_else(|| failed_by_index(work))
        .or_else(|| overdue(work, s));
}

fn failed_by_rule(work: &Work) -> Option<Verdict> {
    let failed = work.pods.iter().filter(|pod| Pod(pod).phase() == "Failed");
    let mut judged = failed.map(|pod| rules::judge(&work.job, pod));
    judged.find_map(|judgment| match judgment {
        rules::Judgment::FailJob(why) => Some(Verdict::failed("PodFailurePolicy", why)),
        _ => None,
    })
}

fn exceeded(work: &Work) -> Option<Verdict> {
    let limit = work.spec().int("backoffLimit").unwrap_or(6);
    let by_pods = work.failed() > limit;
    let by_restarts = || {
        let policy = work.spec().path("template.spec.restartPolicy");
        let running = work
            .active()
            .filter(|pod| matches!(Pod(pod).phase(), "Running" | "Pending"));
        let restarts: i64 = running
            .flat_map(|pod| {
                let view = Pod(pod);
                view.container_statuses()
                    .iter()
                    .chain(view.init_container_statuses())
            })
            .filter_map(|status| status.int("restartCount"))
            .sum();
        policy.as_str() == Some("OnFailure")
            && if limit == 0 {
                restarts > 0
            } else {
                restarts >= limit
            }
    };
    (by_pods || by_restarts()).then(|| {
        Verdict::failed(
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        )
    })
}

fn failed_by_index(work: &Work) -> Option<Verdict> {
    work.limit_per_index()?;
    let failed = work.failed_indexes.len() as i64;
    if work
        .spec()
        .int("maxFailedIndexes")
        .is_some_and(|max| failed > max)
    {
        return Some(Verdict::failed(
            "MaxFailedIndexesExceeded",
            "Job has exceeded the specified maximal number of failed indexes",
        ));
    }
    let done = failed + work.succeeded_indexes.len() as i64;
    (failed > 0 && done >= work.completions().unwrap_or_default())
        .then(|| Verdict::failed("FailedIndexes", "Job has failed indexes"))
}

fn overdue(work: &Work, s: &mut Sync<'_, '_>) -> Option<Verdict> {
    let secs = work.spec().int("activeDeadlineSeconds")?;
    let started = work.job.path("status.startTime").as_str()?;
    let started = Time::parse_rfc3339(started)?;
    if work.is_suspended() {
        return None;
    }
    let deadline = started + secs.max(0) as Micros * SECOND;
    if work.now >= deadline {
        let message = "Job was active longer than specified deadline";
        return Some(Verdict::failed("DeadlineExceeded", message));
    }
    s.again_at(deadline);
    None
}

/// Sets a Job condition; keeps the times of an equal one.
pub(super) fn set_condition(
    job: &mut Value,
    kind: &'static str,
    status: &'static str,
    reason: impl Into<Str>,
    message: impl Into<Str>,
    now: Time,
) {
    let now = now.rfc3339();
    let condition = map! {
        "type": kind, "status": status, "lastProbeTime": now.clone(), "lastTransitionTime": now,
        "reason": reason.into(), "message": message.into(),
    };
    let conditions = job.at_mut(&["status", "conditions"]).list_mut();
    match conditions.iter_mut().find(|c| c.str("type") == kind) {
        Some(old) if old.str("status") == status => {}
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
