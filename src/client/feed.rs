//! A list followed by a watch, kept alive: the smallest reflector.
//!
//! Keeps no objects: its owner decides what is worth keeping. Lists again when the watch's place in history is gone,
//! opens the watch again when it merely ended. Models `client-go/tools/cache/reflector.go`.

use api::{Request, RequestId, Resource, Response, Str, Value, WatchEvent, WatchKind};
use sim::{MILLI, Micros, SECOND};

use crate::Outbox;

/// One collection that is listed and then watched.
#[derive(Clone, Debug)]
pub struct Feed {
    resource: Resource,
    fields: Str,
    state: State,
    revision: Str,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Listing(RequestId),
    Opening(RequestId),
    Watching(RequestId),
    Waiting { relist: bool },
}

/// What an answer or event meant for a feed.
#[derive(Clone, Debug, PartialEq)]
pub enum Fed {
    /// It belongs to someone else.
    Foreign,
    /// Nothing for the owner to do.
    Nothing,
    /// The whole collection as it is now; what the owner knows beside it is gone.
    Replaced(Vec<Value>),
    Changed(WatchEvent),
    /// The owner calls [`Feed::retry`] after this span.
    RetryAfter(Micros),
}

impl Feed {
    /// Watches `resource` in all namespaces.
    pub fn new(resource: Resource) -> Feed {
        Feed {
            resource,
            fields: Str::EMPTY,
            state: State::Idle,
            revision: Str::EMPTY,
            failures: 0,
        }
    }

    /// Only objects that this field selector chooses.
    pub fn fields(mut self, selector: impl Into<Str>) -> Feed {
        self.fields = selector.into();
        self
    }

    /// Forgets everything and lists.
    pub fn start<T>(&mut self, out: &mut Outbox<T>) {
        if let State::Opening(id) | State::Watching(id) = self.state {
            out.cancel(id);
        }
        let request = Request::list(&self.resource, "").fields(self.fields.clone());
        self.state = State::Listing(out.send(request));
    }

    /// Goes on after [`Fed::RetryAfter`].
    pub fn retry<T>(&mut self, out: &mut Outbox<T>) {
        match self.state {
            State::Waiting { relist: true } => self.start(out),
            State::Waiting { relist: false } => self.open(out),
            _ => {}
        }
    }

    /// True once the first list has come.
    pub fn has_synced(&self) -> bool {
        !self.revision.is_empty()
    }

    /// Whether the watch of request `id` is this feed's.
    pub fn owns(&self, id: RequestId) -> bool {
        matches!(self.state, State::Opening(mine) | State::Watching(mine) if mine == id)
    }

    pub fn respond<T>(&mut self, id: RequestId, response: &Response, out: &mut Outbox<T>) -> Fed {
        match self.state {
            State::Listing(mine) if mine == id => {
                if !response.is_success() {
                    return self.failed(true);
                }
                self.failures = 0;
                self.revision = response.body.get("metadata").shared_str("resourceVersion");
                self.open(out);
                Fed::Replaced(response.body.get("items").items().to_vec())
            }
            State::Opening(mine) if mine == id => {
                if !response.is_success() {
                    return self.failed(response.code == 410);
                }
                self.failures = 0;
                self.state = State::Watching(mine);
                Fed::Nothing
            }
            State::Watching(mine) if mine == id => self.failed(response.code == 410),
            _ => Fed::Foreign,
        }
    }

    pub fn observe(&mut self, id: RequestId, event: WatchEvent) -> Fed {
        if !self.owns(id) {
            return Fed::Foreign;
        }
        if event.kind == WatchKind::Error {
            return self.failed(event.object.int("code") == Some(410));
        }
        let revision = event.object.get("metadata").shared_str("resourceVersion");
        if !revision.is_empty() {
            self.revision = revision;
        }
        if event.kind == WatchKind::Bookmark {
            return Fed::Nothing;
        }
        Fed::Changed(event)
    }

    fn open<T>(&mut self, out: &mut Outbox<T>) {
        let request =
            Request::watch(&self.resource, "", self.revision.clone()).fields(self.fields.clone());
        self.state = State::Opening(out.send(request));
    }

    /// 800 ms doubling to 30 s, as the reflector's back-off manager.
    fn failed(&mut self, relist: bool) -> Fed {
        self.state = State::Waiting { relist };
        let span = ((800 * MILLI) << self.failures.min(6)).min(30 * SECOND);
        self.failures += 1;
        Fed::RetryAfter(span)
    }
}
