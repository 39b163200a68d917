//! Deletes what nobody owns any more.
//!
//! Follows owner references of every collection in a [`graph`]: a dependent whose owners are all gone is deleted;
//! an owner in foreground deletion waits for its dependents; an owner deleted as orphan lets them go first.
//! Models `pkg/controller/garbagecollector` at v1.36; starts at [`Garbage::sync`].

mod graph;

use api::meta::{Meta, Owner};
use api::{PatchKind, Request, Resource, Response, Str, Value, list, map};
use client::{Change, Informers, ObjectKey};

use crate::runner::{Controller, Keys};
use crate::served;
use crate::sync::{Halt, Step, Sync};
use graph::{Graph, Todo};

pub(crate) const FOREGROUND: &str = "foregroundDeletion";
pub(crate) const ORPHAN: &str = "orphan";

/// The two kinds of work, told by the key's namespace; the key's name is a UID.
const DELETE: &str = "delete";
const RELEASE: &str = "release";

/// The garbage collector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Garbage {
    graph: Graph,
}

/// How an owner reference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The owner lives.
    Solid,
    /// The owner is gone.
    Dangling,
    /// The owner waits for its dependents to go.
    Waiting,
}

impl Garbage {
    /// Looks whether an object still has a reason to be, and deletes it if it has none.
    fn attempt_to_delete(&mut self, uid: &Str, s: &mut Sync<'_, '_>) -> Step {
        let nodes = s.read(|_| self.graph.snapshot(uid));
        let Some((node, dependents)) = nodes.split_first() else {
            return Ok(());
        };
        if node.bool("deleting") && !node.bool("waiting") {
            return Ok(());
        }
        let Some(latest) = self.fetch(node, s)? else {
            // It never was, or its deletion has not been seen yet: whoever pointed at it is looked at.
            if s.first_time() {
                let todo = self.graph.remove(uid);
                todo.enqueue(s);
            }
            return Ok(());
        };
        if node.bool("waiting") {
            return self.finish_foreground(node, dependents, &latest, s);
        }
        let meta = Meta::of(&latest);
        let mut standings = Vec::new();
        for owner in meta.owners() {
            standings.push((owner.0.shared_str("uid"), self.standing(owner, &latest, s)?));
        }
        let of = |wanted: Standing| -> Vec<Str> {
            let chosen = standings.iter().filter(|(_, standing)| *standing == wanted);
            chosen.map(|(uid, _)| uid.clone()).collect()
        };
        if standings.is_empty() {
            return Ok(());
        }
        if !of(Standing::Solid).is_empty() {
            let gone = [of(Standing::Dangling), of(Standing::Waiting)].concat();
            if gone.is_empty() {
                return Ok(());
            }
            let kept = meta
                .owners()
                .filter(|owner| !gone.iter().any(|uid| *uid == *owner.uid()));
            let kept: Vec<Value> = kept.map(|owner| owner.0.clone()).collect();
            return settle(s.call(self.patch(node, &latest, "ownerReferences", kept))?);
        }
        let policy = if !of(Standing::Waiting).is_empty() && node.bool("hasDependents") {
            if node.bool("hasWaiting") {
                // Two that wait for each other would wait for ever: this one's references stop blocking.
                let owners: Vec<Value> = meta.owners().map(unblocked).collect();
                settle(s.call(self.patch(node, &latest, "ownerReferences", owners))?)?;
            }
            "Foreground"
        } else if meta.has_finalizer(ORPHAN) {
            "Orphan"
        } else if meta.has_finalizer(FOREGROUND) {
            "Foreground"
        } else {
            "Background"
        };
        let mut request = Request::delete(
            self.resource(node),
            node.shared_str("namespace"),
            node.shared_str("name"),
        );
        request.options.propagation_policy = policy.into();
        request.options.precondition_uid = Some(uid.clone());
        settle(s.call(request)?)
    }

    /// An object in foreground deletion goes when no dependent blocks it.
    fn finish_foreground(
        &mut self,
        node: &Value,
        dependents: &[Value],
        latest: &Value,
        s: &mut Sync<'_, '_>,
    ) -> Step {
        let blocking: Vec<&Value> = dependents.iter().filter(|d| d.bool("blocks")).collect();
        if blocking.is_empty() {
            return self.remove_finalizer(node, latest, FOREGROUND, s);
        }
        let todo = Todo {
            delete: blocking
                .iter()
                .filter(|d| !d.bool("waiting"))
                .map(|d| d.shared_str("uid"))
                .collect(),
            release: Vec::new(),
        };
        if s.first_time() {
            todo.enqueue(s);
        }
        Ok(())
    }

    /// Lets all dependents of an object go, then the object.
    fn release_dependents(&mut self, uid: &Str, s: &mut Sync<'_, '_>) -> Step {
        let nodes = s.read(|_| self.graph.snapshot(uid));
        let Some((node, dependents)) = nodes.split_first() else {
            return Ok(());
        };
        let requests = dependents.iter().map(|child| {
            let gone = map! { "$patch": "delete", "uid": uid.clone() };
            let metadata = map! { "ownerReferences": list![gone], "uid": child.get("uid") };
            Request::patch(
                self.resource(child),
                child.shared_str("namespace"),
                child.shared_str("name"),
                PatchKind::Strategic,
                map! { "metadata": metadata },
            )
        });
        for answer in s.call_all(requests.collect())?.iter() {
            if answer.code != 422 {
                settle(answer.clone())?;
            }
        }
        match self.fetch(node, s)? {
            Some(latest) => self.remove_finalizer(node, &latest, ORPHAN, s),
            None => Ok(()),
        }
    }

    fn remove_finalizer(
        &self,
        node: &Value,
        latest: &Value,
        finalizer: &str,
        s: &mut Sync<'_, '_>,
    ) -> Step {
        let meta = Meta::of(latest);
        if !meta.has_finalizer(finalizer) {
            return Ok(());
        }
        let kept = meta.finalizers().iter();
        let kept: Vec<Value> = kept
            .filter(|f| f.as_str() != Some(finalizer))
            .cloned()
            .collect();
        settle(s.call(self.patch(node, latest, "finalizers", kept))?)
    }

    fn standing(
        &mut self,
        owner: Owner<'_>,
        dependent: &Value,
        s: &mut Sync<'_, '_>,
    ) -> Step<Standing> {
        let uid = owner.0.shared_str("uid");
        if s.remember(self.graph.is_absent(&uid)) {
            return Ok(Standing::Dangling);
        }
        let Some((resource, namespace)) = owner_collection(s.caches, dependent, owner.0) else {
            // A kind that is not served: whether its objects live cannot be known.
            return Err(Halt::Retry(format!(
                "unable to get REST mapping for {}/{}.",
                owner.api_version(),
                owner.kind()
            )));
        };
        let answer = s.call(Request::get(
            &resource,
            namespace,
            owner.0.shared_str("name"),
        ))?;
        let live = found(answer)?.filter(|object| Meta::of(object).uid() == &*uid);
        let Some(live) = live else {
            if s.first_time() {
                self.graph.note_absent(uid);
            }
            return Ok(Standing::Dangling);
        };
        let meta = Meta::of(&live);
        let waits = meta.is_deleting() && meta.has_finalizer(FOREGROUND);
        Ok(if waits {
            Standing::Waiting
        } else {
            Standing::Solid
        })
    }

    /// Asks the API server for an object of the graph; caches are not trusted with deletions.
    fn fetch(&self, node: &Value, s: &mut Sync<'_, '_>) -> Step<Option<Value>> {
        let request = Request::get(
            self.resource(node),
            node.shared_str("namespace"),
            node.shared_str("name"),
        );
        let found = found(s.call(request)?)?;
        Ok(found.filter(|object| Meta::of(object).uid() == node.str("uid")))
    }

    fn resource(&self, node: &Value) -> &Resource {
        self.graph
            .resource(node.int("resource").unwrap_or_default())
    }

    /// Replaces one list of the metadata, if the object is still at this version.
    fn patch(
        &self,
        node: &Value,
        latest: &Value,
        field: &'static str,
        values: Vec<Value>,
    ) -> Request {
        let values = if values.is_empty() {
            Value::Null
        } else {
            Value::from(values)
        };
        let version = Meta::of(latest).0.get("resourceVersion");
        Request::patch(
            self.resource(node),
            node.shared_str("namespace"),
            node.shared_str("name"),
            PatchKind::Merge,
            map! { "metadata": map! { "resourceVersion": version, field: values } },
        )
    }
}

impl Todo {
    fn keys(self) -> impl Iterator<Item = ObjectKey> {
        let delete = self.delete.into_iter().map(|u| ObjectKey::new(DELETE, u));
        let release = self.release.into_iter().map(|u| ObjectKey::new(RELEASE, u));
        delete.chain(release)
    }

    fn enqueue(self, s: &mut Sync<'_, '_>) {
        for key in self.keys() {
            s.enqueue(key);
        }
    }
}

impl Controller for Garbage {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn kind(&self) -> &'static str {
        "objects"
    }

    fn workers(&self) -> usize {
        20
    }

    fn watches(&self) -> Vec<Resource> {
        served::collectable()
    }

    fn watches_defined(&self) -> bool {
        true
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let todo = match &change.new {
            Some(object) => {
                let replaced = change.old.as_ref().map(Meta::of);
                let replaced = replaced.filter(|old| old.uid() != Meta::of(object).uid());
                let gone = replaced.map(|old| self.graph.remove(old.uid()));
                let mut todo = self.graph.upsert(resource, object, |owner| {
                    owner_collection(caches, object, owner)
                });
                todo.delete
                    .extend(gone.map(|todo| todo.delete).unwrap_or_default());
                todo
            }
            None => self.graph.remove(Meta::of(change.object()).uid()),
        };
        for key in todo.keys() {
            keys.add(key);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if key.namespace == RELEASE {
            self.release_dependents(&key.name, s)
        } else {
            self.attempt_to_delete(&key.name, s)
        }
    }
}

/// The collection and namespace where an owner of `dependent` would be.
fn owner_collection(
    caches: &Informers,
    dependent: &Value,
    owner: &Value,
) -> Option<(Resource, Str)> {
    let (resource, namespaced) =
        served::by_api_version(caches, owner.str("apiVersion"), owner.str("kind"))?;
    let namespace = if namespaced {
        Meta::of(dependent).shared_namespace()
    } else {
        Str::EMPTY
    };
    Some((resource, namespace))
}

fn unblocked(owner: Owner<'_>) -> Value {
    let mut owner = owner.0.clone();
    if owner.has("blockOwnerDeletion") {
        owner.set("blockOwnerDeletion", false);
    }
    owner
}

fn found(answer: Response) -> Step<Option<Value>> {
    match answer.code {
        404 => Ok(None),
        _ if answer.is_success() => Ok(Some(answer.body)),
        _ => Err(Halt::Retry(answer.message().to_owned())),
    }
}

/// A write to an object that has gone is as good as done.
fn settle(answer: Response) -> Step {
    found(answer).map(|_| ())
}
