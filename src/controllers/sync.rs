//! How a controller's work on one key runs: straight-line code over a log of what it has already lived through.
//!
//! A sync reads caches, decides and sends; answers take time. There are no futures in our state, so a sync that
//! needs an answer stops ([`Halt::Waiting`]) and runs again from its beginning once the answer is there: reads, answers
//! and side effects of the first run are played back from the log, so that the second run takes the same way up to the
//! point where it stopped. Code in a sync must therefore depend on nothing but the log: it reads through [`Sync`], tells
//! events through [`Sync::event`], and changes its own memory only inside `if sync.first_time()`.

use std::sync::Arc;

use api::{Request, RequestId, Resource, Response, Value};
use client::{Cache, Informers, ObjectKey, ObjectRef, Outbox, Recorder, Severity};
use sim::{Micros, Time};

use crate::Timer;

/// Why a sync ended early.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Halt {
    /// Requests are on their way: run again when their answers are there.
    Waiting,
    /// Something failed: try again after the key's next back-off.
    Retry(String),
}

/// The result of a sync and its parts.
pub(crate) type Step<T = ()> = Result<T, Halt>;

/// What a sync has lived through; plain data.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    started: Time,
    /// When to look at the key again, whatever happens meanwhile.
    pub(crate) again_at: Option<Time>,
    /// Other keys that became dirty through this sync.
    pub(crate) enqueued: Vec<(Micros, ObjectKey)>,
    /// How many objects were read: the measure of what a sync costs.
    pub(crate) reads: usize,
    /// Requests on their way, with their answers as they come in.
    pub(crate) waiting: Vec<(RequestId, Option<Response>)>,
}

#[derive(Clone, Debug)]
enum Entry {
    Objects(Arc<[Value]>),
    Answers(Arc<[Response]>),
    Done,
}

/// One run of a sync.
pub(crate) struct Sync<'a, 'o> {
    pub(crate) caches: &'a Informers,
    pub(crate) log: &'a mut Log,
    at: usize,
    recorder: &'a mut Recorder,
    out: &'a mut Outbox<'o, Timer>,
    source: &'static str,
}

impl Log {
    pub(crate) fn new(started: Time) -> Log {
        Log {
            entries: Vec::new(),
            started,
            again_at: None,
            enqueued: Vec::new(),
            reads: 0,
            waiting: Vec::new(),
        }
    }

    /// Takes an answer; true once all have come and the sync may go on.
    pub(crate) fn answer(&mut self, id: RequestId, response: Response) -> bool {
        if let Some((_, slot)) = self.waiting.iter_mut().find(|(waiting, _)| *waiting == id) {
            *slot = Some(response);
        }
        if self.waiting.iter().any(|(_, answer)| answer.is_none()) {
            return false;
        }
        let answers = std::mem::take(&mut self.waiting);
        let answers = answers.into_iter().filter_map(|(_, answer)| answer);
        self.entries.push(Entry::Answers(answers.collect()));
        true
    }
}

impl<'a, 'o> Sync<'a, 'o> {
    pub(crate) fn new(
        source: &'static str,
        caches: &'a Informers,
        log: &'a mut Log,
        recorder: &'a mut Recorder,
        out: &'a mut Outbox<'o, Timer>,
    ) -> Self {
        Sync {
            caches,
            log,
            at: 0,
            recorder,
            out,
            source,
        }
    }

    /// When the sync began. It stays the same when the sync goes on after an answer.
    pub(crate) fn now(&self) -> Time {
        self.log.started
    }

    /// One object of a cache.
    pub(crate) fn get(
        &mut self,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Option<Value> {
        let found = self.read(|caches| {
            caches
                .cache(resource)
                .get(namespace, name)
                .cloned()
                .into_iter()
                .collect()
        });
        found.first().cloned()
    }

    pub(crate) fn get_key(&mut self, resource: &Resource, key: &ObjectKey) -> Option<Value> {
        self.get(resource, &key.namespace, &key.name)
    }

    /// Objects of one cache.
    pub(crate) fn list<'c, I>(
        &mut self,
        resource: &Resource,
        choose: impl FnOnce(&'c Cache) -> I,
    ) -> Arc<[Value]>
    where
        I: Iterator<Item = &'c Value>,
        'a: 'c,
    {
        let caches: &'c Informers = self.caches;
        self.read(|_| choose(caches.cache(resource)).cloned().collect())
    }

    /// Anything read from caches.
    pub(crate) fn read(&mut self, read: impl FnOnce(&Informers) -> Vec<Value>) -> Arc<[Value]> {
        if let Some(Entry::Objects(objects)) = self.log.entries.get(self.at) {
            self.at += 1;
            return objects.clone();
        }
        let objects: Arc<[Value]> = read(self.caches).into();
        self.log.reads += objects.len();
        self.log.entries.push(Entry::Objects(objects.clone()));
        self.at += 1;
        objects
    }

    /// What follows from objects that were read, kept so that it is worked out once, not each time that the sync goes on.
    pub(crate) fn work_out(&mut self, result: impl FnOnce() -> Vec<Value>) -> Arc<[Value]> {
        let reads = self.log.reads;
        let kept = self.read(|_| result());
        self.log.reads = reads;
        kept
    }

    /// True the first time that the sync comes here: the place for side effects.
    pub(crate) fn first_time(&mut self) -> bool {
        let first = self.at >= self.log.entries.len();
        if first {
            self.log.entries.push(Entry::Done);
        }
        self.at += 1;
        first
    }

    /// Keeps an answer of the controller's own memory, which may be another one when the sync goes on.
    pub(crate) fn remember(&mut self, flag: bool) -> bool {
        let kept = self.read(|_| vec![Value::Bool(flag)]);
        kept.first().and_then(Value::as_bool).unwrap_or_default()
    }

    /// Sends a request and waits for its answer, good or bad.
    pub(crate) fn call(&mut self, request: Request) -> Step<Response> {
        let answers = self.call_all(vec![request])?;
        Ok(answers
            .first()
            .cloned()
            .expect("each request has an answer"))
    }

    /// Sends a request and waits; a bad answer ends the sync, to be tried again.
    pub(crate) fn must(&mut self, request: Request) -> Step<Value> {
        let answer = self.call(request)?;
        if answer.is_success() {
            Ok(answer.body)
        } else {
            Err(Halt::Retry(answer.message().to_owned()))
        }
    }

    /// The same for a request about something that may be gone already, which is as good.
    pub(crate) fn must_unless_gone(&mut self, request: Request) -> Step {
        let answer = self.call(request)?;
        if answer.is_success() || answer.code == 404 {
            Ok(())
        } else {
            Err(Halt::Retry(answer.message().to_owned()))
        }
    }

    /// Sends requests at once and waits for all their answers, in the order of the requests.
    pub(crate) fn call_all(&mut self, requests: Vec<Request>) -> Step<Arc<[Response]>> {
        if let Some(Entry::Answers(answers)) = self.log.entries.get(self.at) {
            self.at += 1;
            return Ok(answers.clone());
        }
        if requests.is_empty() {
            let none: Arc<[Response]> = Arc::from([]);
            self.log.entries.push(Entry::Answers(none.clone()));
            self.at += 1;
            return Ok(none);
        }
        for request in requests {
            let id = self.out.send(request);
            self.log.waiting.push((id, None));
        }
        Err(Halt::Waiting)
    }

    /// Writes an Event about an object, once.
    pub(crate) fn event(
        &mut self,
        about: &ObjectRef,
        severity: Severity,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        self.event_from(self.source, about, severity, reason, message);
    }

    /// Writes an Event whose source is not the controller's name.
    pub(crate) fn event_from(
        &mut self,
        source: &'static str,
        about: &ObjectRef,
        severity: Severity,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        if self.first_time() {
            self.recorder
                .event(source, about, severity, reason, message.into(), self.out);
        }
    }

    /// Makes another key of this controller dirty. Call it where [`Sync::first_time`] is true.
    pub(crate) fn enqueue(&mut self, key: ObjectKey) {
        self.log.enqueued.push((0, key));
    }

    /// Looks at the key again after `span`; of several wishes the earliest counts.
    pub(crate) fn again_after(&mut self, span: Micros) {
        self.again_at(self.now() + span);
    }

    pub(crate) fn again_at(&mut self, at: Time) {
        self.log.again_at = Some(self.log.again_at.map_or(at, |earlier| earlier.min(at)));
    }
}
