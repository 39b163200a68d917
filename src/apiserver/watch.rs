//! Watches: who is to be told what. Dispatch is indexed, so that a watcher costs nothing for objects outside its scope.
//!
//! Models the API server's watch cache (`storage/cacher`): an object that starts or stops matching a selector is
//! added or deleted for that watcher; bookmarks come about once a minute; a watch from a revision that is no longer
//! kept ends with 410.

use std::collections::BTreeMap;

use api::note::Key as NoteKey;
use api::{Options, Part, RequestId, Status, Str, Value, WatchEvent, WatchKind, map};
use sim::{Micros, SECOND, Time};
use store::{Change, ChangeKind, Collection};

use crate::call::{Call, KindRef};
use crate::read::{Form, check_list_options, parse_version, partial_metadata};
use crate::select::Selection;
use crate::{ApiServer, Delivery, kinds};

/// `bookmarkFrequency` of `cacher.go`.
const BOOKMARK_EVERY: Micros = 60 * SECOND;

type WatchId = (Part, RequestId);

#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    open: BTreeMap<WatchId, Watch>,
    /// Which watches must look at a change.
    index: BTreeMap<(Collection, Scope), Vec<WatchId>>,
    deadlines: BTreeMap<(Time, WatchId), ()>,
}

/// What part of a collection a watch can see at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    All,
    Namespace(Str),
    /// One object, by `metadata.name`; the namespace may be empty for all.
    Name(Str, Str),
    /// Pods of one node.
    Node(Str),
}

#[derive(Clone, Debug)]
struct Watch {
    collection: Collection,
    scope: Scope,
    namespace: Str,
    kind: KindRef,
    selection: Selection,
    form: Form,
    include_object: Str,
    /// The columns of a custom kind when the watch was opened.
    columns: Value,
    /// Whether a table with its columns was sent: later ones come without.
    has_columns: bool,
    bookmarks: bool,
    /// Whether bookmarks come again and again.
    is_reminded: bool,
    /// When the next bookmark is due.
    bookmark_at: Time,
    ends_at: Time,
    /// The revision of the last event sent.
    sent: u64,
}

impl ApiServer {
    /// Opens the watch that a call asks for and queues the events that it has missed.
    pub(crate) fn open_watch(&mut self, call: &mut Call, id: RequestId) -> Result<(), Status> {
        let options = call.options;
        check_list_options(options, true)?;
        let selection = Selection::of(&call.kind, options)?;
        let asked = parse_version(&options.resource_version)?;
        let scope = Scope::of(call, &selection);
        // Without a timeout of its own a watch lives on: in process there is no connection that could grow old.
        let ends_at = match options.timeout_secs {
            Some(secs) if secs > 0 => self.now + secs as u64 * SECOND,
            _ => Time(u64::MAX),
        };
        let mut watch = Watch {
            collection: call.collection,
            scope,
            namespace: call.namespace.clone(),
            kind: call.kind.clone(),
            selection,
            form: Form::of(options),
            include_object: options.include_object.clone(),
            columns: crate::table::custom_columns(self, &call.kind),
            has_columns: false,
            bookmarks: options.allow_watch_bookmarks,
            // The cluster's own parts never reconnect by a stale revision: bookmarks would only be noise.
            is_reminded: options.allow_watch_bookmarks && !call.is_trusted(),
            bookmark_at: self.now + BOOKMARK_EVERY,
            ends_at,
            sent: asked,
        };
        let revision = self.store.revision();
        let watch_id = (call.part, id);
        let wants_initial = wants_initial_events(options, asked);
        if wants_initial {
            for (key, entry) in self.store.list(call.collection, &call.namespace, None) {
                let object = kinds::from_storage(&watch.kind, &entry.object);
                if watch.selection.matches(&watch.kind, &object) {
                    let key = NoteKey::new(call.plural(), &key.namespace, &key.name);
                    self.deliveries.push(watch.delivery(
                        watch_id,
                        WatchKind::Added,
                        object,
                        key,
                        self.now,
                    ));
                }
            }
            watch.sent = revision;
            if options.send_initial_events == Some(true) && watch.bookmarks {
                self.deliveries
                    .push(watch.bookmark(watch_id, revision, true));
            }
        } else if asked < revision {
            match self.store.since(asked) {
                Ok(changes) => {
                    for change in changes {
                        if change.collection == watch.collection
                            && let Some(delivery) = watch.see(watch_id, change, self.now)
                        {
                            self.deliveries.push(delivery);
                        }
                    }
                    watch.sent = revision;
                }
                Err(compacted) => {
                    let status = Status::expired(format!(
                        "too old resource version: {} ({})",
                        compacted.asked, compacted.oldest
                    ));
                    self.deliveries.push(Delivery {
                        to: call.part,
                        id,
                        event: WatchEvent {
                            kind: WatchKind::Error,
                            object: status.to_value(),
                        },
                        key: NoteKey::new(call.plural(), call.namespace.clone(), ""),
                    });
                    return Ok(());
                }
            }
        }
        self.watches.add(watch_id, watch);
        Ok(())
    }

    /// Tells every watcher about the changes since the last time.
    pub(crate) fn tell_watchers(&mut self) {
        let revision = self.store.revision();
        if self.told == revision {
            return;
        }
        if self.watches.open.is_empty() {
            self.told = revision;
            return;
        }
        let changes = self
            .store
            .since(self.told)
            .expect("watchers are told after every request, long before history is full");
        for change in changes {
            self.watches.tell(change, self.now, &mut self.deliveries);
        }
        self.told = revision;
    }
}

/// `sendInitialEvents`, or a watch without a revision, which begins with the present state.
fn wants_initial_events(options: &Options, asked: u64) -> bool {
    match options.send_initial_events {
        Some(wants) => wants,
        None => asked == 0,
    }
}

impl Scope {
    fn of(call: &Call, selection: &Selection) -> Scope {
        if let Some(name) = selection.demanded("metadata.name") {
            return Scope::Name(call.namespace.clone(), name.clone());
        }
        if !call.name.is_empty() {
            return Scope::Name(call.namespace.clone(), call.name.clone());
        }
        if call.kind.plural == *"pods"
            && let Some(node) = selection.demanded("spec.nodeName")
        {
            return Scope::Node(node.clone());
        }
        if call.namespace.is_empty() {
            Scope::All
        } else {
            Scope::Namespace(call.namespace.clone())
        }
    }
}

impl Watches {
    fn add(&mut self, id: WatchId, watch: Watch) {
        self.close(id.0, id.1);
        self.index
            .entry((watch.collection, watch.scope.clone()))
            .or_default()
            .push(id);
        self.deadlines.insert((watch.due(), id), ());
        self.open.insert(id, watch);
    }

    pub(crate) fn close(&mut self, part: Part, id: RequestId) {
        let id = (part, id);
        let Some(watch) = self.open.remove(&id) else {
            return;
        };
        self.deadlines.remove(&(watch.due(), id));
        let slot = (watch.collection, watch.scope);
        if let Some(ids) = self.index.get_mut(&slot) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.index.remove(&slot);
            }
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Part, RequestId)> {
        self.open.keys().copied()
    }

    /// The kind that each watch watches, and how much of it.
    pub(crate) fn watched(&self) -> impl Iterator<Item = (&KindRef, &'static str)> {
        self.open.values().map(|watch| {
            let scope = match &watch.scope {
                Scope::Name(..) => "resource",
                _ if !watch.namespace.is_empty() => "namespace",
                _ => "cluster",
            };
            (&watch.kind, scope)
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.keys().next().map(|(at, _)| *at)
    }

    /// Sends the bookmarks that are due and ends the watches whose time is over.
    pub(crate) fn tick(&mut self, now: Time, revision: u64, out: &mut Vec<Delivery>) {
        while let Some(&(at, id)) = self.deadlines.keys().next()
            && at <= now
        {
            self.deadlines.remove(&(at, id));
            let watch = self
                .open
                .get_mut(&id)
                .expect("a deadline belongs to an open watch");
            if watch.ends_at <= now {
                // The stream just ends; the client watches again from where it was.
                out.push(Delivery {
                    to: id.0,
                    id: id.1,
                    event: WatchEvent {
                        kind: WatchKind::Error,
                        object: ended(),
                    },
                    key: NoteKey::new(watch.kind.plural.clone(), "", ""),
                });
                self.close(id.0, id.1);
                continue;
            }
            watch.bookmark_at = now + BOOKMARK_EVERY;
            watch.sent = revision;
            out.push(watch.bookmark(id, revision, false));
            let due = watch.due();
            self.deadlines.insert((due, id), ());
        }
    }

    fn tell(&mut self, change: &Change, now: Time, out: &mut Vec<Delivery>) {
        let mut ids: Vec<WatchId> = Vec::new();
        let mut look = |scope: Scope| {
            if let Some(found) = self.index.get(&(change.collection, scope)) {
                ids.extend_from_slice(found);
            }
        };
        let key = &change.key;
        look(Scope::All);
        if !key.namespace.is_empty() {
            look(Scope::Namespace(key.namespace.clone()));
            look(Scope::Name(key.namespace.clone(), key.name.clone()));
        }
        look(Scope::Name(Str::EMPTY, key.name.clone()));
        let node = |object: &Value| object.get("spec").shared_str("nodeName");
        let (new, old) = (
            node(&change.object),
            change.previous.as_ref().map(node).unwrap_or_default(),
        );
        look(Scope::Node(new.clone()));
        if old != new {
            look(Scope::Node(old));
        }
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let watch = self
                .open
                .get_mut(&id)
                .expect("the index names only open watches");
            if change.revision <= watch.sent {
                continue;
            }
            watch.sent = change.revision;
            if let Some(delivery) = watch.see(id, change, now) {
                out.push(delivery);
            }
        }
    }
}

impl Watch {
    fn due(&self) -> Time {
        if self.is_reminded {
            self.bookmark_at.min(self.ends_at)
        } else {
            self.ends_at
        }
    }

    /// What a change is for this watch; nothing if it concerns only what the watch does not select.
    fn see(&mut self, id: WatchId, change: &Change, now: Time) -> Option<Delivery> {
        if !self.namespace.is_empty() && change.key.namespace != self.namespace {
            return None;
        }
        let object = kinds::from_storage(&self.kind, &change.object);
        let matched = match (&change.previous, self.selection.is_empty()) {
            (None, _) => false,
            (Some(_), true) => true,
            (Some(previous), false) => self
                .selection
                .matches(&self.kind, &kinds::from_storage(&self.kind, previous)),
        };
        let matches = change.kind != ChangeKind::Deleted
            && (self.selection.is_empty() || self.selection.matches(&self.kind, &object));
        let (kind, object) = match (matched, matches) {
            (false, false) => return None,
            (false, true) => (WatchKind::Added, object),
            (true, true) => (WatchKind::Modified, object),
            (true, false) if change.kind == ChangeKind::Deleted => (WatchKind::Deleted, object),
            // It no longer matches: its last matching state, with the revision of the change.
            (true, false) => {
                let previous = change.previous.as_ref().expect("it matched");
                let mut last = kinds::from_storage(&self.kind, previous);
                last.entry("metadata")
                    .set("resourceVersion", change.revision.to_string());
                (WatchKind::Deleted, last)
            }
        };
        let key = NoteKey::new(
            self.kind.plural.clone(),
            &change.key.namespace,
            &change.key.name,
        );
        Some(self.delivery(id, kind, object, key, now))
    }

    fn delivery(
        &mut self,
        id: WatchId,
        kind: WatchKind,
        object: Value,
        key: NoteKey,
        now: Time,
    ) -> Delivery {
        let object = match self.form {
            Form::Object => object,
            Form::PartialMetadata => partial_metadata(&object),
            Form::Table => {
                let meta =
                    map! { "resourceVersion": object.get("metadata").get("resourceVersion") };
                let mut table = crate::table::table(
                    &self.kind,
                    &self.columns,
                    &self.include_object,
                    &[object],
                    meta,
                    now,
                );
                if self.has_columns {
                    table.set("columnDefinitions", Value::Null);
                }
                self.has_columns = true;
                table
            }
        };
        Delivery {
            to: id.0,
            id: id.1,
            event: WatchEvent { kind, object },
            key,
        }
    }

    fn bookmark(&self, id: WatchId, revision: u64, ends_initial: bool) -> Delivery {
        let mut meta = map! { "resourceVersion": revision.to_string() };
        if ends_initial {
            meta.set("annotations", map! { "k8s.io/initial-events-end": "true" });
        }
        let object = match self.form {
            Form::PartialMetadata => {
                map! { "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta }
            }
            _ => kinds::empty(&self.kind, meta),
        };
        Delivery {
            to: id.0,
            id: id.1,
            event: WatchEvent {
                kind: WatchKind::Bookmark,
                object,
            },
            key: NoteKey::new(self.kind.plural.clone(), "", ""),
        }
    }
}

/// How the end of a watch's time is told in process: real connections just close, and the client watches on from
/// the last revision that it saw.
fn ended() -> Value {
    Status::new(504, "Timeout", "the watch has reached its timeout").to_value()
}
