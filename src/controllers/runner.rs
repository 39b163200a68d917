//! Runs one controller: its queue, its workers, and the syncs that wait for answers.
//!
//! A worker takes a key a moment after it became dirty, so that a burst of changes costs one sync, and the more objects
//! a sync reads the longer the next one waits, as real processors make it.

use std::collections::BTreeMap;

use api::note::Key;
use api::{Note, Request, RequestId, Resource, Response, Str};
use client::{Change, Informers, ObjectKey, Outbox, Recorder, WorkQueue};
use sim::{MILLI, Micros, NoteId, Time};

use crate::Timer;
use crate::sync::{Halt, Log, Step, Sync};

/// The time from a key's becoming dirty to a worker's taking it, and what each object read adds. It is the second that keeps the work for
/// many pods in proportion to their number: the more there are, the more of their changes one sync settles.
const PICKUP: Micros = MILLI;
const PICKUP_PER_OBJECT: Micros = 200;

/// What every controller is: a name, the collections it watches, what makes a key dirty, and what is done about it.
pub(crate) trait Controller {
    /// The source of its events and the actor of its requests.
    fn name(&self) -> &'static str;

    /// The plural of the kind whose keys it works on, for the trace.
    fn kind(&self) -> &'static str;

    /// How many keys it works on at once.
    fn workers(&self) -> usize {
        5
    }

    /// The collections whose changes it wants.
    fn watches(&self) -> Vec<Resource>;

    /// Whether it also wants the changes of every collection that a custom resource definition adds.
    fn watches_defined(&self) -> bool {
        false
    }

    /// The caches are filled, or filled again after a crash: forget, and queue what does not come from a change.
    fn start(&mut self, keys: &mut Keys<'_>) {
        let _ = keys;
    }

    /// A watched collection changed.
    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    );

    /// Works on one key. See [`crate::sync`] for what such code may do.
    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step;

    /// How long a failing key waits: the first pause, which doubles, and the longest.
    fn pauses(&self) -> (Micros, Micros) {
        client::PAUSES
    }

    /// How often a failing key is tried again; the next change brings it back.
    fn max_retries(&self) -> Option<u32> {
        None
    }
}

/// Where handlers put the keys that need work.
pub(crate) struct Keys<'a> {
    pub(crate) queue: &'a mut WorkQueue<ObjectKey>,
    pub(crate) cause: NoteId,
    pub(crate) now: Time,
}

impl Keys<'_> {
    pub(crate) fn add(&mut self, key: ObjectKey) {
        self.queue.add(key, self.cause);
    }

    pub(crate) fn add_after(&mut self, span: Micros, key: ObjectKey) {
        self.queue.add_at(self.now + span, key, self.cause);
    }
}

/// The queue and the unfinished syncs of one controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runner {
    pub(crate) queue: WorkQueue<ObjectKey>,
    running: Vec<Running>,
    wake_at: Option<Time>,
    cost: Micros,
}

#[derive(Clone, Debug)]
struct Running {
    key: ObjectKey,
    cause: NoteId,
    log: Log,
}

/// What all runs of a controller share.
pub(crate) struct Bench<'a, 'o> {
    pub(crate) caches: &'a Informers,
    pub(crate) recorder: &'a mut Recorder,
    /// Which controller waits for which answer.
    pub(crate) asked: &'a mut BTreeMap<RequestId, usize>,
    pub(crate) out: &'a mut Outbox<'o, Timer>,
    pub(crate) index: usize,
}

impl Runner {
    /// Sets the timer for the next work, if there is any and none is set for it.
    pub(crate) fn schedule(&mut self, index: usize, workers: usize, out: &mut Outbox<'_, Timer>) {
        let now = out.now();
        let ready = (self.queue.has_ready() && self.queue.active() < workers)
            .then(|| now + PICKUP + self.cost + out.rng.below(PICKUP));
        let next = [ready, self.queue.next_at()].into_iter().flatten().min();
        let Some(next) = next else { return };
        if self.wake_at.is_none_or(|set| set > next || set <= now) {
            self.wake_at = Some(next);
            out.wake_at(next, Timer::Work(index));
        }
    }

    /// A timer fired: free workers take keys.
    pub(crate) fn work(&mut self, controller: &mut dyn Controller, bench: &mut Bench<'_, '_>) {
        let now = bench.out.now();
        // A timer that was replaced by an earlier one comes too, and finds nothing new to do.
        if self.wake_at.is_some_and(|set| set <= now) {
            self.wake_at = None;
        }
        self.queue.advance(now);
        while self.queue.active() < controller.workers() {
            let Some((key, cause)) = self.queue.take() else {
                break;
            };
            let running = Running {
                key,
                cause,
                log: Log::new(now),
            };
            self.run(running, controller, bench);
        }
        self.schedule(bench.index, controller.workers(), bench.out);
    }

    /// An answer came for the sync of this controller that waits for `id`.
    pub(crate) fn respond(
        &mut self,
        id: RequestId,
        response: Response,
        controller: &mut dyn Controller,
        bench: &mut Bench<'_, '_>,
    ) {
        let waits = |running: &Running| running.log.waiting.iter().any(|(w, _)| *w == id);
        let Some(at) = self.running.iter().position(waits) else {
            return;
        };
        if self.running[at].log.answer(id, response) {
            let running = self.running.remove(at);
            self.run(running, controller, bench);
            self.schedule(bench.index, controller.workers(), bench.out);
        }
    }

    fn run(
        &mut self,
        mut running: Running,
        controller: &mut dyn Controller,
        bench: &mut Bench<'_, '_>,
    ) {
        let outer = bench.out.cause;
        bench.out.cause = running.cause;
        bench.out.actor = controller.name();
        let mut sync = Sync::new(
            controller.name(),
            bench.caches,
            &mut running.log,
            bench.recorder,
            bench.out,
        );
        let step = controller.sync(&running.key, &mut sync);
        for (span, key) in std::mem::take(&mut running.log.enqueued) {
            let now = bench.out.now();
            if span == 0 {
                self.queue.add(key, running.cause);
            } else {
                self.queue.add_at(now + span, key, running.cause);
            }
        }
        if step == Err(Halt::Waiting) {
            let ids = running.log.waiting.iter().map(|(id, _)| (*id, bench.index));
            bench.asked.extend(ids);
            self.running.push(running);
        } else {
            self.finish(running, step, controller, bench);
        }
        bench.out.actor = "";
        bench.out.cause = outer;
    }

    fn finish(
        &mut self,
        running: Running,
        step: Step,
        controller: &dyn Controller,
        bench: &mut Bench<'_, '_>,
    ) {
        let Running { key, cause, log } = running;
        self.cost = log.reads as Micros * PICKUP_PER_OBJECT;
        let now = bench.out.now();
        match step {
            Ok(()) => self.queue.forget(&key),
            Err(Halt::Retry(why)) => {
                bench.out.note(Note::Synced {
                    controller: controller.name(),
                    key: Key::new(controller.kind(), key.namespace.clone(), key.name.clone()),
                    outcome: Str::from(why),
                });
                let tried = self.queue.failures(&key);
                if controller.max_retries().is_none_or(|max| tried < max) {
                    let pauses = controller.pauses();
                    self.queue.add_with_pauses(now, pauses, key.clone(), cause);
                } else {
                    self.queue.forget(&key);
                }
            }
            Err(Halt::Waiting) => unreachable!("a waiting sync is not finished"),
        }
        if let Some(at) = log.again_at {
            self.queue.add_at(at, key.clone(), cause);
        }
        self.queue.done(&key);
    }
}

/// An update of the `status` subresource.
pub(crate) fn update_status(resource: &Resource, object: api::Value) -> Request {
    Request::update(resource, object).subresource("status")
}
