//! Keeps a cache equal to a collection: list once, then watch, and begin anew when the watch is too old.
//!
//! ```text
//!            start
//!              v        200                    200, events
//!  Waiting -> Listing ------> Opening(version) -----------> Watching(version)
//!     ^          | failed          | failed                   | closed: open again after a pause
//!     +----------+-----------------+--- 410 Gone: list again -+
//! ```
//!
//! Models client-go's `tools/cache/reflector.go`; the shape is that of kube-runtime's `watcher`.

use api::{Request, RequestId, Resource, Response, Str, WatchEvent, WatchKind};
use sim::{MILLI, Micros, SECOND, Time};

use crate::cache::{Cache, Change, ObjectKey, resource_version};
use crate::{Outbox, Timer};

/// client-go's reflector backs off from 800 ms to 30 s, and starts over after two quiet minutes.
const BACKOFF_FIRST: Micros = 800 * MILLI;
const BACKOFF_MAX: Micros = 30 * SECOND;
const BACKOFF_RESET: Micros = 120 * SECOND;

/// Where a reflector is. Each state says what happens next.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Not started.
    Stopped,
    /// The list was asked for; its answer fills the cache.
    Listing(RequestId),
    /// The watch was asked for; its 200 opens it.
    Opening { id: RequestId, version: Str },
    /// Events arrive; `version` is that of the newest one.
    Watching { id: RequestId, version: Str },
    /// Something failed: after the pause, watch from the version, or list if there is none.
    Waiting { version: Option<Str> },
}

/// One list-and-watch of a collection into a [`Cache`].
#[derive(Clone, Debug)]
pub struct Reflector {
    pub resource: Resource,
    /// Empty for all namespaces.
    pub namespace: Str,
    pub label_selector: Str,
    pub field_selector: Str,
    pub cache: Cache,
    state: State,
    is_synced: bool,
    failures: u32,
    last_failure: Time,
}

impl Reflector {
    pub fn new(resource: &Resource) -> Reflector {
        Reflector {
            resource: resource.clone(),
            namespace: Str::EMPTY,
            label_selector: Str::EMPTY,
            field_selector: Str::EMPTY,
            cache: Cache::default(),
            state: State::Stopped,
            is_synced: false,
            failures: 0,
            last_failure: Time(0),
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the first list has arrived.
    pub fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// The request whose answer or events this reflector awaits.
    pub fn request(&self) -> Option<RequestId> {
        match &self.state {
            State::Listing(id) | State::Opening { id, .. } | State::Watching { id, .. } => {
                Some(*id)
            }
            State::Stopped | State::Waiting { .. } => None,
        }
    }

    /// Forgets everything and lists.
    pub fn start<T>(&mut self, out: &mut Outbox<T>) {
        self.cache.clear();
        self.is_synced = false;
        self.failures = 0;
        self.list(out);
    }

    /// Ends the watch and forgets everything.
    pub fn stop<T>(&mut self, out: &mut Outbox<T>) {
        if let Some(id) = self.request() {
            out.cancel(id);
        }
        self.cache.clear();
        self.state = State::Stopped;
        self.is_synced = false;
    }

    /// The answer to this reflector's request. `timer` wakes it after a failure.
    pub fn respond<T: From<Timer>>(
        &mut self,
        response: &Response,
        timer: Timer,
        out: &mut Outbox<T>,
    ) -> Vec<Change> {
        match std::mem::replace(&mut self.state, State::Stopped) {
            State::Listing(_) if response.is_success() => {
                let changes = self.cache.replace(response.body.get("items").items());
                self.is_synced = true;
                let version = response.body.get("metadata").shared_str("resourceVersion");
                self.watch(version, out);
                changes
            }
            State::Listing(_) => {
                self.pause(None, timer, out);
                Vec::new()
            }
            State::Opening { id, version } if response.is_success() => {
                self.state = State::Watching { id, version };
                Vec::new()
            }
            State::Opening { version, .. } | State::Watching { version, .. } => {
                self.fail(response.code, version, timer, out);
                Vec::new()
            }
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// An event of this reflector's watch.
    pub fn observe<T: From<Timer>>(
        &mut self,
        event: WatchEvent,
        timer: Timer,
        out: &mut Outbox<T>,
    ) -> Option<Change> {
        // An event may overtake the answer that opens its watch: it opens it too.
        let (State::Opening { id, version } | State::Watching { id, version }) = &mut self.state
        else {
            return None;
        };
        if event.kind == WatchKind::Error {
            let (code, version) = (
                event.object.int("code").unwrap_or_default() as u16,
                version.clone(),
            );
            self.fail(code, version, timer, out);
            return None;
        }
        let newest = event.object.get("metadata").shared_str("resourceVersion");
        self.state = State::Watching {
            id: *id,
            version: if newest.is_empty() {
                version.clone()
            } else {
                newest
            },
        };
        let object = event.object;
        match event.kind {
            WatchKind::Added | WatchKind::Modified => {
                let old = self.cache.upsert(object.clone());
                let same = old
                    .as_ref()
                    .is_some_and(|old| resource_version(old) == resource_version(&object));
                (!same).then_some(Change {
                    old,
                    new: Some(object),
                })
            }
            WatchKind::Deleted => {
                // What was deleted in its last state; a handler wants to see that one.
                self.cache.remove(&ObjectKey::of(&object));
                Some(Change {
                    old: Some(object),
                    new: None,
                })
            }
            WatchKind::Bookmark | WatchKind::Error => None,
        }
    }

    /// The pause is over.
    pub fn wake<T>(&mut self, out: &mut Outbox<T>) {
        if let State::Waiting { version } = &self.state {
            match version.clone() {
                Some(version) => self.watch(version, out),
                None => self.list(out),
            }
        }
    }

    fn list<T>(&mut self, out: &mut Outbox<T>) {
        let request = self.selected(Request::list(&self.resource, self.namespace.clone()));
        self.state = State::Listing(out.send(request));
    }

    fn watch<T>(&mut self, version: Str, out: &mut Outbox<T>) {
        let request = Request::watch(&self.resource, self.namespace.clone(), version.clone());
        let id = out.send(self.selected(request));
        self.state = State::Opening { id, version };
    }

    fn selected(&self, request: Request) -> Request {
        request
            .labels(self.label_selector.clone())
            .fields(self.field_selector.clone())
    }

    /// A watch ended: from where to go on depends on whether its version still exists.
    fn fail<T: From<Timer>>(&mut self, code: u16, version: Str, timer: Timer, out: &mut Outbox<T>) {
        if code == 410 {
            self.list(out);
        } else {
            self.pause(Some(version), timer, out);
        }
    }

    fn pause<T: From<Timer>>(&mut self, version: Option<Str>, timer: Timer, out: &mut Outbox<T>) {
        if out.now().since(self.last_failure) > BACKOFF_RESET {
            self.failures = 0;
        }
        self.last_failure = out.now();
        let span = (BACKOFF_FIRST << self.failures.min(6)).min(BACKOFF_MAX);
        self.failures += 1;
        let jitter = out.rng.below(span);
        self.state = State::Waiting { version };
        out.wake_after(span + jitter, T::from(timer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Value, list, map};
    use sim::{NoteId, Rng};

    fn pod(name: &'static str, version: &'static str) -> Value {
        map! { "metadata": map! { "namespace": "ns", "name": name, "resourceVersion": version } }
    }

    /// Plays a script against a reflector; shows requests and changes.
    fn play(steps: &[(&str, Value)]) -> String {
        let mut reflector = Reflector::new(&api::core::PODS);
        let (mut rng, mut next) = (Rng::stream(1, "test"), 0);
        let mut text = String::new();
        for (step, value) in steps {
            let mut out: Outbox<Timer> = Outbox::new(Time(0), NoteId(0), &mut rng, &mut next);
            let changes = match *step {
                "start" => {
                    reflector.start(&mut out);
                    Vec::new()
                }
                "answer" => {
                    let code = value.int("code").unwrap_or(200) as u16;
                    let response = Response {
                        code,
                        body: value.clone(),
                        warnings: Vec::new(),
                        media: api::Str::EMPTY,
                    };
                    reflector.respond(&response, Timer::Reflector(0), &mut out)
                }
                "wake" => {
                    reflector.wake(&mut out);
                    Vec::new()
                }
                kind => {
                    let kind = match kind {
                        "added" => WatchKind::Added,
                        "deleted" => WatchKind::Deleted,
                        "bookmark" => WatchKind::Bookmark,
                        _ => WatchKind::Error,
                    };
                    let event = WatchEvent {
                        kind,
                        object: value.clone(),
                    };
                    Vec::from_iter(reflector.observe(event, Timer::Reflector(0), &mut out))
                }
            };
            for change in changes {
                let side = |v: &Option<Value>| v.as_ref().map_or("-", resource_version).to_owned();
                text += &format!(
                    "  {} {} -> {}\n",
                    ObjectKey::of(change.object()),
                    side(&change.old),
                    side(&change.new)
                );
            }
            for effect in out.into_effects() {
                text += &match effect {
                    crate::Effect::Send { request, .. } => {
                        format!("{:?} @{}\n", request.verb, request.options.resource_version)
                    }
                    crate::Effect::Timer { .. } => "pause\n".to_owned(),
                    other => format!("{other:?}\n"),
                };
            }
        }
        text
    }

    #[test]
    fn lists_then_watches_and_lists_again_when_the_version_is_gone() {
        let first =
            map! { "metadata": map! { "resourceVersion": "5" }, "items": list![pod("a", "4")] };
        let second =
            map! { "metadata": map! { "resourceVersion": "9" }, "items": list![pod("b", "8")] };
        let text = play(&[
            ("start", Value::Null),
            ("answer", first),
            ("answer", Value::Null),
            ("added", pod("b", "6")),
            ("bookmark", pod("", "7")),
            ("error", map! { "code": 503 }),
            ("wake", Value::Null),
            ("answer", map! { "code": 410 }),
            ("answer", second),
        ]);
        expect_test::expect![[r#"
            List @
              ns/a - -> 4
            Watch @5
              ns/b - -> 6
            pause
            Watch @7
            List @
              ns/b 6 -> 8
              ns/a 4 -> -
            Watch @9
        "#]]
        .assert_eq(&text);
    }
}
