//! The API server: REST over the [`store`], in process. Defaults, validation, admission, watches, tables.
//!
//! It decides what may be stored and tells watchers; it never acts on what is stored (controllers do) and owns no
//! socket (adapters do). Entry point is [`ApiServer::handle`]. Models `k8s.io/apiserver`'s generic
//! registry and kube-apiserver's strategies at v1.36.

mod admission;
mod allocate;
mod authorize;
mod bootstrap;
mod call;
mod custom;
mod decode;
mod delete;
mod discovery;
mod events;
mod extension;
mod fields;
mod health;
pub mod http;
mod impersonate;
mod kinds;
mod metadata;
mod metrics;
mod not_simulated;
mod openapi;
mod patch;
mod path;
mod read;
mod review;
mod rules;
mod select;
mod structural;
mod subresource;
mod table;
mod validate;
mod warnings;
mod watch;
mod write;

#[cfg(test)]
mod tests;

pub use not_simulated::acts_on;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub use subresource::Place;

use api::kinds::{Kind, METRICS_GROUP};
use api::note::Key as NoteKey;
use api::{
    Body, Note, Part, Request, RequestId, Resource, Response, Status, Str, Value, Verb, WatchEvent,
    WatchKind,
};
use sim::{Rng, Time};
use store::{ChangeKind, Collection, Key, Store};

use call::Call;
use watch::Watches;

/// What types (`v1.Pod`) and fields (`v1.Pod.spec`) mean, for the OpenAPI documents.
pub type FieldTexts = BTreeMap<String, String>;

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    pub part: Part,
    pub user: User,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    pub name: Str,
    pub groups: Vec<Str>,
    pub uid: Str,
    /// What else is known of them, such as the pod that a token belongs to.
    pub extra: Vec<(Str, Vec<Str>)>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Done(Response),
    /// The watch is open; its events come from [`ApiServer::drain_events`] until it ends or is cancelled.
    Watching,
    /// The kubelet of this node answers (logs, exec, attach, port-forward).
    Proxy {
        node: Str,
    },
    /// An extension of the API answers: by [`ApiServer::answer_measured`] with what it knows.
    Extension {
        request: Box<Request>,
    },
}

/// An event on its way to a watcher.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub to: Part,
    /// The request that opened the watch.
    pub id: RequestId,
    pub event: WatchEvent,
    pub key: NoteKey,
}

/// All state of the API server and of what stands behind it. Plain data: a clone continues as its original.
#[derive(Clone, Debug)]
pub struct ApiServer {
    store: Store,
    now: Time,
    watches: Watches,
    /// Suffixes of generated names.
    names: Rng,
    uids: Rng,
    /// What tokens are signed with.
    token_key: u64,
    /// Cluster IPs and node ports of services.
    addresses: Rng,
    /// Watchers have been told of all changes up to this revision.
    told: u64,
    deliveries: Vec<Delivery>,
    notes: Vec<Note>,
    /// Paths already reported as accepted but not simulated.
    reported: BTreeSet<(Str, Str)>,
    /// When events expire, with the revision of their last write.
    expiries: BTreeMap<(Time, u64), Key>,
    /// What types and fields mean, if somebody brought it.
    field_texts: Option<Arc<FieldTexts>>,
    /// Custom kinds by `plural.group`, one for each served version.
    customs: BTreeMap<String, Vec<Arc<Kind>>>,
    has_metrics_server: bool,
    counters: metrics::Counters,
}

impl ApiServer {
    /// An API server over an empty store, with the objects that it makes itself when it starts.
    pub fn new(seed: u64, now: Time) -> ApiServer {
        let mut server = ApiServer {
            store: Store::new(),
            now,
            watches: Watches::default(),
            names: Rng::stream(seed, "names"),
            uids: Rng::stream(seed, "uids"),
            token_key: Rng::stream(seed, "tokens").next_u64(),
            addresses: Rng::stream(seed, "addresses"),
            told: 0,
            deliveries: Vec::new(),
            notes: Vec::new(),
            reported: BTreeSet::new(),
            expiries: BTreeMap::new(),
            customs: BTreeMap::new(),
            has_metrics_server: false,
            counters: metrics::Counters::default(),
            field_texts: None,
        };
        server.bootstrap();
        server
    }

    /// Answers one request. Events for watchers and notes for the trace are collected meanwhile.
    pub fn handle(
        &mut self,
        now: Time,
        caller: &Caller,
        id: RequestId,
        request: &Request,
    ) -> Reply {
        self.now = self.now.max(now);
        let reply = self
            .route(caller, id, request)
            .unwrap_or_else(|status| Reply::Done(status.into_response()));
        self.count(request, &reply);
        self.tell_watchers();
        reply
    }

    /// From now on the OpenAPI documents say what fields mean.
    pub fn set_field_texts(&mut self, texts: Arc<FieldTexts>) {
        self.field_texts = Some(texts);
    }

    /// Closes the watch that `part` opened with request `id`.
    pub fn cancel(&mut self, part: Part, id: RequestId) {
        self.watches.close(part, id);
    }

    /// Every open watch: who has it and by which request.
    pub fn open_watches(&self) -> Vec<(Part, RequestId)> {
        self.watches.all().collect()
    }

    /// Closes all watches of `part`, whose process is gone.
    pub fn close_watches(&mut self, part: Part) {
        for (to, id) in self.open_watches() {
            if to == part {
                self.watches.close(to, id);
            }
        }
    }

    /// The events since the last call, in order.
    pub fn drain_events(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }

    /// The notes since the last call, in order.
    pub fn drain_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// When [`ApiServer::tick`] has something to do: a watch times out, an event expires, bookmarks are due.
    pub fn next_tick(&self) -> Option<Time> {
        let expiry = self.next_event_expiry();
        [self.watches.next_deadline(), expiry]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
        self.expire_events();
        self.tell_watchers();
        let revision = self.store.revision();
        self.watches.tick(self.now, revision, &mut self.deliveries);
    }

    /// The store, for tests and for those that look without asking.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Every change after `revision` with its collection (`pods`, `deployments.apps`), oldest first; `None` if some
    /// of them are no longer kept.
    pub fn changes_since(&self, revision: u64) -> Option<Vec<(Str, WatchKind, Value)>> {
        let names: Vec<Str> = {
            let mut names: Vec<(Collection, Str)> = self
                .store
                .collections()
                .map(|(name, c)| (c, name.clone()))
                .collect();
            names.sort();
            names.into_iter().map(|(_, name)| name).collect()
        };
        let collections: Vec<Collection> = {
            let mut all: Vec<Collection> = self.store.collections().map(|(_, c)| c).collect();
            all.sort();
            all
        };
        let changes = self.store.since(revision).ok()?;
        Some(
            changes
                .map(|change| {
                    let at = collections
                        .binary_search(&change.collection)
                        .expect("a change belongs to a collection");
                    let kind = match change.kind {
                        ChangeKind::Added => WatchKind::Added,
                        ChangeKind::Modified => WatchKind::Modified,
                        ChangeKind::Deleted => WatchKind::Deleted,
                    };
                    (names[at].clone(), kind, change.object.clone())
                })
                .collect(),
        )
    }

    /// Every object with its collection.
    pub fn everything(&self) -> impl Iterator<Item = (&Str, &Value)> {
        self.store.collections().flat_map(|(name, collection)| {
            self.store
                .list(collection, "", None)
                .map(move |(_, entry)| (name, &entry.object))
        })
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }

    /// How many watches are open.
    pub fn watch_count(&self) -> usize {
        self.watches.all().count()
    }

    fn route(
        &mut self,
        caller: &Caller,
        id: RequestId,
        request: &Request,
    ) -> Result<Reply, Status> {
        let acting = self.acting(caller, request)?;
        let caller = acting.as_ref().unwrap_or(caller);
        if request.verb == Verb::GetPath
            && let Some(resource) = http::resource_of(&request.name)?
        {
            return self.route(caller, id, &resource);
        }
        self.authorize(caller, request)?;
        if request.verb == Verb::GetPath {
            return self.get_path(request).map(Reply::Done);
        }
        if request.resource.group == *METRICS_GROUP {
            return self.ask_extension(request);
        }
        let mut call = self.call(caller, request)?;
        if let Body::Unreadable(status) = &request.body {
            return Err((**status).clone());
        }
        let call = &mut call;
        let mut response = match (request.verb, call.subresource.is_empty()) {
            (Verb::Watch, true) => {
                self.open_watch(call, id)?;
                return Ok(Reply::Watching);
            }
            (Verb::Get, true) => self.get(call)?,
            (Verb::List, true) => self.list(call)?,
            (Verb::Create, true) => self.create(call, object_of(request)?)?,
            (Verb::Update, true) => self.update(call, object_of(request)?)?,
            (Verb::Patch, true) => self.patch(call, &request.body)?,
            (Verb::Delete, true) => self.delete(call)?,
            (Verb::DeleteCollection, true) => self.delete_collection(call)?,
            (_, false) => match self.subresource(call, request)? {
                Reply::Done(response) => response,
                other => return Ok(other),
            },
            (Verb::Connect | Verb::GetPath, true) => return Err(Status::method_not_allowed()),
        };
        if !call.is_trusted() {
            warnings::add(call, &response.body);
        }
        response.warnings.append(&mut call.warnings);
        Ok(Reply::Done(response))
    }

    /// The object called `name` in the collection `collection` (`pods`, `deployments.apps`).
    pub fn object(&self, collection: &str, namespace: &Str, name: &Str) -> Option<&Value> {
        let collection = self.store.find(collection)?;
        let key = Key::new(namespace, name);
        Some(&self.store.get(collection, &key)?.object)
    }

    /// All objects of a collection in a namespace (in all, if empty).
    fn objects<'a>(
        &'a self,
        collection: &str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        let found = self.store.find(collection);
        found
            .into_iter()
            .flat_map(move |c| self.store.list(c, namespace, None))
            .map(|(_, entry)| &entry.object)
    }

    /// Commits `object`; returns it with its new resource version.
    fn commit(&mut self, call: &Call, object: Value) -> Value {
        self.commit_to(call.collection, call.plural(), object)
    }

    fn commit_to(&mut self, collection: Collection, plural: Str, object: Value) -> Value {
        let meta = object.get("metadata");
        let key = Key::new(meta.shared_str("namespace"), meta.shared_str("name"));
        let is_new = self.store.get(collection, &key).is_none();
        let note_key = NoteKey::new(plural, &key.namespace, &key.name);
        let entry = self.store.put(collection, key, object);
        let (object, revision) = (entry.object.clone(), entry.modified);
        let kind = if is_new {
            api::WatchKind::Added
        } else {
            api::WatchKind::Modified
        };
        if note_key.kind == *"customresourcedefinitions" {
            self.learn_definition(&note_key.name);
        }
        if note_key.kind == *"events" {
            self.set_event_expiry(Key::new(&note_key.namespace, &note_key.name));
        }
        self.notes.push(Note::Stored {
            revision,
            key: note_key,
            kind,
        });
        object
    }

    /// Removes an object from the store; returns its last state.
    fn remove(&mut self, collection: Collection, plural: Str, key: &Key) -> Option<Value> {
        let object = self.store.remove(collection, key)?;
        if plural == *"customresourcedefinitions" {
            self.forget_customs(&object);
            self.learn_definition(&key.name);
        }
        self.notes.push(Note::Stored {
            revision: self.store.revision(),
            key: NoteKey::new(plural, &key.namespace, &key.name),
            kind: api::WatchKind::Deleted,
        });
        Some(object)
    }
}

impl Caller {
    /// A part of the control plane or a node, with the name and groups that its certificate carries.
    pub fn component(part: Part) -> Caller {
        let (name, group): (Str, &'static str) = match part {
            Part::Scheduler => ("system:kube-scheduler".into(), "system:authenticated"),
            Part::ControllerManager => (
                "system:kube-controller-manager".into(),
                "system:authenticated",
            ),
            Part::Kubelet(n) => (format!("system:node:node-{}", n + 1).into(), "system:nodes"),
            Part::KubeProxy(_) => ("system:kube-proxy".into(), "system:authenticated"),
            Part::Etcd | Part::ApiServer | Part::CloudControllerManager => {
                ("system:apiserver".into(), "system:masters")
            }
            Part::Client(_) => ("kubernetes-admin".into(), "system:masters"),
        };
        let mut groups: Vec<Str> = vec![group.into()];
        if group != "system:authenticated" {
            groups.push("system:authenticated".into());
        }
        Caller {
            part,
            user: User {
                name,
                groups,
                ..User::default()
            },
        }
    }
}

fn object_of(request: &Request) -> Result<Value, Status> {
    match &request.body {
        Body::Object(object) => Ok(object.clone()),
        _ => Ok(Value::empty_map()),
    }
}

/// The name of the collection in which the objects of a resource are kept: some resources are two views of one.
fn collection_name(resource: &Resource) -> String {
    if resource.plural == "events" {
        return "events".to_owned();
    }
    resource.group_resource()
}
