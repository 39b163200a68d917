//! Deletes finished Jobs after their `ttlSecondsAfterFinished`.
//!
//! Models `pkg/controller/ttlafterfinished` at v1.36.

use api::batch::JOBS;
use api::meta::{self, Meta};
use api::{Request, Resource, Value};
use client::{Change, Informers, ObjectKey};
use sim::{Micros, SECOND, Time};

use crate::job::is_finished;
use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

/// The TTL-after-finished controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct TtlAfterFinished;

/// When a finished Job expires.
fn expiry(job: &Value) -> Option<Time> {
    let secs = job.path("spec.ttlSecondsAfterFinished").as_int()?;
    let ends = ["Complete", "Failed"].map(|kind| meta::condition(job, kind));
    let end = ends.into_iter().flatten().find(|c| c.status() == "True")?;
    Some(end.transition_time()? + secs.max(0) as Micros * SECOND)
}

impl Controller for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn kind(&self) -> &'static str {
        "jobs"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![JOBS]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if let Some(job) = &change.new
            && is_finished(job)
            && expiry(job).is_some()
            && !Meta::of(job).is_deleting()
        {
            keys.add(ObjectKey::of(job));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(job) = s.get_key(&JOBS, key) else {
            return Ok(());
        };
        if Meta::of(&job).is_deleting() {
            return Ok(());
        }
        let Some(at) = expiry(&job) else {
            return Ok(());
        };
        if at > s.now() {
            s.again_at(at);
            return Ok(());
        }
        // The time to live may have been raised meanwhile.
        let fresh = s.call(Request::get(&JOBS, key.namespace.clone(), key.name.clone()))?;
        if expiry(&fresh.body).is_none_or(|at| at > s.now()) {
            return Ok(());
        }
        let mut request = Request::delete(&JOBS, key.namespace.clone(), key.name.clone());
        request.options.propagation_policy = "Foreground".into();
        request.options.precondition_uid = Some(Meta::of(&fresh.body).shared_uid());
        s.must_unless_gone(request)
    }
}
