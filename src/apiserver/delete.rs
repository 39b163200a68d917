//! delete and deletecollection: at once, gracefully, or after finalizers.
//!
//! Models `registry/rest/delete.go`, `registry/generic/registry/store.go` and the pod and namespace strategies.

use api::meta::Meta;
use api::{Map, Response, Status, Value, map};
use sim::{SECOND, Time};
use store::Key;

use crate::ApiServer;
use crate::admission::Operation;
use crate::call::Call;
use crate::kinds;
use crate::path::Path;
use crate::select::Selection;

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

impl ApiServer {
    pub(crate) fn delete(&mut self, call: &mut Call) -> Result<Response, Status> {
        check_delete_options(call)?;
        let old = self.current(call).ok_or_else(|| call.not_found())?;
        let (object, is_gone) = self.delete_object(call, &old)?;
        if is_definition(call) && !call.is_dry_run() {
            self.finish_removal(&call.name);
        }
        let object = kinds::from_storage(&call.kind, &object);
        if is_gone && !call.rules.returns_deleted {
            return Ok(Response::ok(success(call, &object)));
        }
        Ok(Response::ok(self.in_form(call, object)))
    }

    pub(crate) fn delete_collection(&mut self, call: &mut Call) -> Result<Response, Status> {
        check_delete_options(call)?;
        let selection = Selection::of(&call.kind, call.options)?;
        let doomed: Vec<(Key, Value)> = self
            .store
            .list(call.collection, &call.namespace, None)
            .filter(|(_, entry)| selection.matches(&call.kind, &entry.object))
            .map(|(key, entry)| (key.clone(), entry.object.clone()))
            .collect();
        let mut items = Vec::new();
        for (key, old) in doomed {
            call.name = key.name.clone();
            call.namespace = key.namespace.clone();
            let (object, _) = self.delete_object(call, &old)?;
            items.push(kinds::from_storage(&call.kind, &object));
        }
        Ok(Response::ok(map! {
            "kind": call.kind.list_kind(), "apiVersion": call.kind.api_version(),
            "metadata": map! { "resourceVersion": self.store.revision().to_string() }, "items": items,
        }))
    }

    /// Deletes or begins to delete; returns the last state and whether the object is gone.
    pub(crate) fn delete_object(
        &mut self,
        call: &mut Call,
        old: &Value,
    ) -> Result<(Value, bool), Status> {
        check_preconditions(call, old)?;
        let mut unchanged = old.clone();
        self.admit(call, Operation::Delete, &mut unchanged, Some(old))?;
        self.check_admission(call, Operation::Delete, old, Some(old))?;
        let mut object = old.clone();
        if is_definition(call) {
            if Meta::of(&object).is_deleting() {
                return Ok((object, false));
            }
            return Ok((self.begin_removal(call, object), false));
        }
        let grace = if call.kind.group.is_empty() && call.kind.plural == *"namespaces" {
            return self.delete_namespace(call, object);
        } else {
            self.begin_grace(call, &mut object)
        };
        match grace {
            Grace::Pending => return Ok((object, false)),
            Grace::Running => {
                self.set_cascade_finalizer(call, &mut object);
                return Ok((self.write(call, object), false));
            }
            Grace::None => {}
        }
        self.set_cascade_finalizer(call, &mut object);
        if Meta::of(&object).finalizers().is_empty() {
            if call.is_dry_run() {
                return Ok((object, true));
            }
            if Meta::of(&object).is_deleting() {
                object
                    .entry("metadata")
                    .set("deletionGracePeriodSeconds", 0);
            }
            let key = call.key();
            self.release(call, &object);
            let removed = self
                .remove(call.collection, call.plural(), &key)
                .expect("it was read in this very call");
            object.entry("metadata").set(
                "resourceVersion",
                removed.get("metadata").get("resourceVersion"),
            );
            self.after_removal(call);
            return Ok((object, true));
        }
        mark_deleting(&mut object, call.now);
        Ok((self.write(call, object), false))
    }

    fn write(&mut self, call: &Call, object: Value) -> Value {
        if call.is_dry_run() {
            return object;
        }
        match self.current(call) {
            Some(old) if old == object => old,
            _ => self.commit(call, object),
        }
    }

    /// Graceful deletion (`rest.BeforeDelete`); only pods know it.
    fn begin_grace(&self, call: &Call, object: &mut Value) -> Grace {
        let asked = call
            .options
            .grace_period_secs
            .map(|secs| if secs < 0 { 1 } else { secs });
        let Some(default) = (call.rules.grace_secs)(object, asked) else {
            return Grace::None;
        };
        let meta = Meta::of(object);
        if let Some(deleted_at) = meta.deletion_time() {
            let current = meta.deletion_grace_secs().unwrap_or(0);
            if current == 0 {
                return Grace::None;
            }
            // Only a shorter period may follow a longer one.
            let Some(shorter) = call
                .options
                .grace_period_secs
                .map(|_| default)
                .filter(|s| *s < current)
            else {
                return Grace::Pending;
            };
            let ends = Time(deleted_at.0 - (current - shorter) as u64 * SECOND);
            let meta = object.entry("metadata");
            meta.set("deletionTimestamp", ends.rfc3339());
            meta.set("deletionGracePeriodSeconds", shorter);
            return if shorter == 0 {
                Grace::None
            } else {
                Grace::Running
            };
        }
        if default == 0 {
            return Grace::None;
        }
        let ends = call.now + default as u64 * SECOND;
        bump(object);
        let meta = object.entry("metadata");
        meta.set("deletionTimestamp", ends.rfc3339());
        meta.set("deletionGracePeriodSeconds", default);
        Grace::Running
    }

    /// `deletionFinalizersForGarbageCollection`: what the caller's propagation policy asks of the garbage collector.
    fn set_cascade_finalizer(&self, call: &Call, object: &mut Value) {
        let (orphan, foreground) = match call.options.propagation_policy.as_str() {
            "Orphan" => (true, false),
            "Foreground" => (false, true),
            "Background" => (false, false),
            // The policy of an earlier delete stands unless a new one is given.
            _ => return,
        };
        let old: Vec<Value> = Meta::of(object).finalizers().to_vec();
        let mut new: Vec<Value> = old
            .iter()
            .filter(|f| !matches!(f.as_str(), Some(ORPHAN | FOREGROUND)))
            .cloned()
            .collect();
        if orphan {
            new.push(ORPHAN.into());
        }
        if foreground {
            new.push(FOREGROUND.into());
        }
        if new == old {
            return;
        }
        let meta = object.entry("metadata");
        if new.is_empty() {
            meta.remove("finalizers");
        } else {
            meta.set("finalizers", new);
        }
    }

    /// Namespaces stay, terminating, until their controller has emptied them (`namespace/storage`).
    fn delete_namespace(
        &mut self,
        call: &mut Call,
        mut object: Value,
    ) -> Result<(Value, bool), Status> {
        if !Meta::of(&object).is_deleting() {
            bump(&mut object);
            object
                .entry("metadata")
                .set("deletionTimestamp", call.now.rfc3339());
            object.set_path("status.phase", "Terminating");
            self.set_cascade_finalizer(call, &mut object);
            return Ok((self.write(call, object), false));
        }
        if object.path("spec.finalizers").items().is_empty()
            && Meta::of(&object).finalizers().is_empty()
        {
            if !call.is_dry_run() {
                let key = call.key();
                self.remove(call.collection, call.plural(), &key);
            }
            return Ok((object, true));
        }
        Ok((object, false))
    }
}

fn is_definition(call: &Call) -> bool {
    call.kind.plural == *"customresourcedefinitions" && call.kind.group == *"apiextensions.k8s.io"
}

/// What graceful deletion says.
enum Grace {
    /// Nothing holds the object.
    None,
    /// The period begins (or is shortened): write the object, its kubelet will finish.
    Running,
    /// It is already on its way; nothing changes.
    Pending,
}

/// `markAsDeleting`: deletion waits for finalizers only.
fn mark_deleting(object: &mut Value, now: Time) {
    if !Meta::of(object).is_deleting() {
        bump(object);
        object
            .entry("metadata")
            .set("deletionTimestamp", now.rfc3339());
    }
    object
        .entry("metadata")
        .set("deletionGracePeriodSeconds", 0);
}

fn bump(object: &mut Value) {
    if let Some(generation) = Meta::of(object).generation().filter(|n| *n > 0) {
        object.entry("metadata").set("generation", generation + 1);
    }
}

/// The answer where an object is gone at once and its kind does not return it.
fn success(call: &Call, object: &Value) -> Value {
    let mut details = Map::default();
    details.insert("name", call.name.clone());
    if !call.kind.group.is_empty() {
        details.insert("group", call.kind.group.clone());
    }
    details.insert("kind", call.kind.plural.clone());
    details.insert("uid", object.get("metadata").get("uid"));
    map! { "kind": "Status", "apiVersion": "v1", "metadata": map! {}, "status": "Success", "details": details }
}

fn check_delete_options(call: &Call) -> Result<(), Status> {
    let policy = &call.options.propagation_policy;
    if matches!(policy.as_str(), "" | "Foreground" | "Background" | "Orphan") {
        return crate::write::check_write_options(call, "DeleteOptions");
    }
    let problem = Path::new("propagationPolicy")
        .not_supported(policy, &["Foreground", "Background", "Orphan", "nil"]);
    Err(Status::invalid(
        "meta.k8s.io",
        "DeleteOptions",
        "",
        &[problem],
    ))
}

fn check_preconditions(call: &Call, object: &Value) -> Result<(), Status> {
    let meta = object.get("metadata");
    let conflict = |why: String| {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": {why}",
            call.kind.group_kind(),
            call.name
        );
        let mut details = map! { "name": call.name.clone(), "kind": call.kind.kind.clone() };
        if !call.kind.group.is_empty() {
            details.set("group", call.kind.group.clone());
        }
        Status::new(409, "Conflict", message).with_details(details)
    };
    if let Some(uid) = &call.options.precondition_uid
        && uid.as_str() != meta.str("uid")
    {
        return Err(conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            meta.str("uid")
        )));
    }
    if let Some(version) = &call.options.precondition_resource_version
        && version.as_str() != meta.str("resourceVersion")
    {
        return Err(conflict(format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            meta.str("resourceVersion")
        )));
    }
    Ok(())
}
