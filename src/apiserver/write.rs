//! create, update and patch: decode, default, admit, prepare, validate, store, in that order.
//!
//! Models `registry/generic/registry/store.go` and `endpoints/handlers/{create,update,patch}.go`.

use api::status::Problem;
use api::{Body, PatchKind, Response, Status, Str, Value};
use store::Key;

use crate::admission::Operation;
use crate::call::Call;
use crate::metadata::{
    bump_generation, fill_system_fields, generate_name, is_unchanged, keep_system_fields, new_uid,
};
use crate::path::Path;
use crate::{ApiServer, decode, kinds, validate};

impl ApiServer {
    pub(crate) fn create(&mut self, call: &mut Call, body: Value) -> Result<Response, Status> {
        check_write_options(call, "CreateOptions")?;
        let mut object = decode::object(call, body)?;
        self.shape_custom(call, &mut object)?;
        match_namespace(call, &mut object)?;
        if kinds::is_answered_only(&call.kind) {
            return self.review(call, object);
        }
        let object = self.create_object(call, object)?;
        let object = kinds::from_storage(&call.kind, &object);
        Ok(Response::created(self.in_form(call, object)))
    }

    /// Creates a decoded object; returns what was stored (or would have been, for a dry run).
    pub(crate) fn create_object(
        &mut self,
        call: &mut Call,
        mut object: Value,
    ) -> Result<Value, Status> {
        object = kinds::to_storage(&call.kind, object);
        (call.rules.defaults)(&mut object);
        if !object.path("metadata.resourceVersion").is_empty() {
            return Err(Status::new(
                500,
                "",
                "resourceVersion should not be set on objects to be created",
            ));
        }
        call.name = object.get("metadata").shared_str("name");
        self.manage(call, &mut object, None);
        self.admit(call, Operation::Create, &mut object, None)?;
        let uid = new_uid(&mut self.uids);
        fill_system_fields(&mut object, uid, call.now);
        let base = object
            .path("metadata.generateName")
            .as_str()
            .unwrap_or_default();
        if object.path("metadata.name").is_empty() && !base.is_empty() {
            let name = generate_name(&mut self.names, base);
            object.entry("metadata").set("name", name);
        }
        call.name = object.get("metadata").shared_str("name");
        if call.kind.plural == *"pods" {
            // Ephemeral containers and node names are checked below like any other field.
            kinds::pod::name_token_volume(&mut object, &mut self.names);
        }
        if call.rules.has_status(&call.kind) {
            object.remove("status");
        }
        if call.rules.generation != kinds::Generation::None {
            object.entry("metadata").set("generation", 1);
        }
        (call.rules.prepare_create)(&mut object);
        if call.kind.plural == *"certificatesigningrequests" {
            kinds::access::sign_with_requestor(call.user, &mut object);
        }
        self.allocate(call, &mut object, None)?;
        let mut problems = validate::metadata::on_create(call, &object);
        self.validate_custom(call, &object, None, &mut problems);
        (call.rules.validate)(&object, &mut problems);
        self.check_admin_access(call, &object, &mut problems);
        call.check(&object, problems)?;
        self.check_admission(call, Operation::Create, &object, None)?;
        let key = call.key();
        if self.store.get(call.collection, &key).is_some() {
            return Err(Status::already_exists(
                &call.kind.group,
                &call.kind.plural,
                &call.name,
            ));
        }
        if call.is_dry_run() {
            return Ok(object);
        }
        self.note_unsimulated(call, &object);
        let object = self.commit(call, object);
        if call.kind.plural == *"customresourcedefinitions"
            && call.kind.group == *"apiextensions.k8s.io"
        {
            // Its names are accepted right after it was answered.
            let mut established = object.clone();
            self.establish(&mut established);
            self.commit(call, established);
        }
        Ok(object)
    }

    pub(crate) fn update(&mut self, call: &mut Call, body: Value) -> Result<Response, Status> {
        check_write_options(call, "UpdateOptions")?;
        let mut object = decode::object(call, body)?;
        self.shape_custom(call, &mut object)?;
        match_namespace(call, &mut object)?;
        match_name(call, &mut object)?;
        object = kinds::to_storage(&call.kind, object);
        let Some(old) = self.current(call) else {
            if !call.rules.creates_on_update || !call.subresource.is_empty() {
                return Err(call.not_found());
            }
            let created = self.create_object(call, object)?;
            return Ok(Response::created(self.in_form(call, created)));
        };
        check_version(call, &object, &old)?;
        let object = self.replace(call, object, &old)?;
        let object = kinds::from_storage(&call.kind, &object);
        Ok(Response::ok(self.in_form(call, object)))
    }

    pub(crate) fn patch(&mut self, call: &mut Call, body: &Body) -> Result<Response, Status> {
        check_write_options(call, "PatchOptions")?;
        let Body::Patch(kind, patch) = body else {
            return Err(Status::bad_request("a patch has a body"));
        };
        let old = self.current(call);
        if *kind == PatchKind::Apply {
            return self.apply(call, patch, old);
        }
        let Some(old) = old else {
            return Err(call.not_found());
        };
        let before = kinds::from_storage(&call.kind, &old);
        let patched = crate::patch::apply_patch(call, *kind, &before, patch)?;
        let mut object = decode::patched(call, patched, &before)?;
        self.shape_custom(call, &mut object)?;
        match_namespace(call, &mut object)?;
        match_name(call, &mut object)?;
        object = kinds::to_storage(&call.kind, object);
        // A patch is made against what is stored now, so only a version that it names itself can conflict.
        check_version(call, &object, &old)?;
        let object = self.replace(call, object, &old)?;
        let object = kinds::from_storage(&call.kind, &object);
        Ok(Response::ok(self.in_form(call, object)))
    }

    /// What is stored under the call's path now.
    pub(crate) fn current(&self, call: &Call) -> Option<Value> {
        let entry = self.store.get(call.collection, &call.key())?;
        Some(entry.object.clone())
    }

    /// Replaces `old` by a decoded object of the same key. Changes nothing, not even the revision, if both are equal.
    pub(crate) fn replace(
        &mut self,
        call: &mut Call,
        mut object: Value,
        old: &Value,
    ) -> Result<Value, Status> {
        if call.subresource == *"resize" || call.subresource == *"ephemeralcontainers" {
            object = kinds::pod::only_part(&call.subresource, &object, old);
        }
        if call.subresource == *"approval" {
            object = kinds::access::only_verdict(&object, old, call.now);
        }
        (call.rules.defaults)(&mut object);
        keep_system_fields(&mut object, old);
        self.manage(call, &mut object, Some(old));
        if call.subresource == *"status" || call.subresource == *"approval" {
            // Everything but the status (and what the server itself keeps) stays as it is.
            kinds::keep_all_but_status(&mut object, old);
            (call.rules.prepare_status)(&mut object, old);
        } else {
            if call.rules.has_status(&call.kind) {
                crate::metadata::keep(&mut object, old, "status");
            }
            (call.rules.prepare_update)(&mut object, old);
            bump_generation(&mut object, old, call.rules.generation);
        }
        self.admit(call, Operation::Update, &mut object, Some(old))?;
        self.allocate(call, &mut object, Some(old))?;
        let mut problems = validate::metadata::on_update(call, &object, old);
        self.validate_custom(call, &object, Some(old), &mut problems);
        if call.subresource == *"status" || call.subresource == *"approval" {
            (call.rules.validate_status)(&object, old, &mut problems);
        } else if call.kind.plural == *"pods" && !call.subresource.is_empty() {
            validate::pod::on_part_update(&object, &mut problems);
        } else {
            (call.rules.validate_update)(&object, old, &mut problems);
        }
        call.check(&object, problems)?;
        self.check_admission(call, Operation::Update, &object, Some(old))?;
        self.store_update(call, object, old)
    }

    /// Writes a changed object; removes it instead when its last finalizer went and it was being deleted.
    pub(crate) fn store_update(
        &mut self,
        call: &Call,
        mut object: Value,
        old: &Value,
    ) -> Result<Value, Status> {
        crate::metadata::keep(
            object.entry("metadata"),
            old.get("metadata"),
            "resourceVersion",
        );
        if call.is_dry_run() {
            return Ok(object);
        }
        if is_unchanged(&object, old) {
            return Ok(old.clone());
        }
        if call.kind.plural == *"customresourcedefinitions"
            && call.kind.group == *"apiextensions.k8s.io"
        {
            self.establish(&mut object);
        }
        let meta = api::meta::Meta::of(&object);
        let is_finished = meta.is_deleting()
            && meta.finalizers().is_empty()
            && meta.deletion_grace_secs().unwrap_or(0) == 0
            && object.path("spec.finalizers").items().is_empty();
        let was_finalizing = !old.path("metadata.finalizers").items().is_empty()
            || !old.path("spec.finalizers").items().is_empty();
        if is_finished && was_finalizing {
            let key = Key::new(meta.shared_namespace(), meta.shared_name());
            self.remove(call.collection, call.plural(), &key);
            self.after_removal(call);
            return Ok(object);
        }
        self.note_unsimulated(call, &object);
        Ok(self.commit(call, object))
    }
}

impl ApiServer {
    /// Claims may ask for devices as an administrator only where the namespace says so.
    fn check_admin_access(&self, call: &Call, object: &Value, out: &mut Vec<Problem>) {
        let devices = match call.kind.kind.as_str() {
            "ResourceClaim" => object.path("spec.devices"),
            "ResourceClaimTemplate" => object.path("spec.spec.devices"),
            _ => return,
        };
        let namespace = self.object("namespaces", &Str::EMPTY, &call.namespace);
        let label = "resource.kubernetes.io/admin-access";
        let is_allowed = namespace
            .is_some_and(|namespace| namespace.path("metadata.labels").str(label) == "true");
        let path = Path::new("spec");
        let path = path.child("devices");
        let path = path.child("requests");
        for (at, request) in devices.get("requests").items().iter().enumerate() {
            if request.get("exactly").bool("adminAccess") && !is_allowed {
                out.push(path.index(at).child("adminAccess").forbidden(
                    "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace",
                ));
            }
        }
    }
}

/// The options that every write shares (`metav1/validation`).
pub(crate) fn check_write_options(call: &Call, options_kind: &'static str) -> Result<(), Status> {
    let mut problems: Vec<Problem> = Vec::new();
    let options = call.options;
    if let Some(bad) = crate::read::query(options, "dryRun")
        && *bad != *"All"
    {
        problems.push(Path::new("dryRun").not_supported(api::list![bad.clone()], &["All"]));
    }
    if !matches!(
        options.field_validation.as_str(),
        "" | "Ignore" | "Warn" | "Strict"
    ) {
        problems.push(
            Path::new("fieldValidation")
                .not_supported(&options.field_validation, &["", "Ignore", "Strict", "Warn"]),
        );
    }
    if options_kind == "PatchOptions" {
        let is_apply = crate::patch::is_apply(call);
        if options.field_manager.is_empty() && is_apply {
            problems.push(Path::new("fieldManager").required("is required for apply patch"));
        }
        if options.force && !is_apply {
            problems.push(Path::new("force").forbidden("may not be specified for non-apply patch"));
        }
    }
    if options.field_manager.len() > 128 {
        problems.push(Path::new("fieldManager").too_long(128));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("meta.k8s.io", options_kind, "", &problems))
}

/// The object's namespace must be that of the path; an empty one becomes it.
pub(crate) fn match_namespace(call: &Call, object: &mut Value) -> Result<(), Status> {
    let named = object.get("metadata").shared_str("namespace");
    if !call.kind.namespaced {
        // Cluster-scoped objects have none, whatever was sent.
        if !named.is_empty() {
            object.entry("metadata").remove("namespace");
        }
        return Ok(());
    }
    if named.is_empty() {
        object
            .entry("metadata")
            .set("namespace", call.namespace.clone());
    } else if named != call.namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// The object's name must be that of the path; an empty one becomes it.
pub(crate) fn match_name(call: &Call, object: &mut Value) -> Result<(), Status> {
    let named = object.get("metadata").shared_str("name");
    if named.is_empty() {
        object.entry("metadata").set("name", call.name.clone());
    } else if named != call.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({named}) does not match the name on the URL ({})",
            call.name
        )));
    }
    Ok(())
}

/// Optimistic locking: a version that the caller names must be the stored one.
pub(crate) fn check_version(call: &Call, object: &Value, old: &Value) -> Result<(), Status> {
    let asked = object
        .path("metadata.resourceVersion")
        .as_str()
        .unwrap_or_default();
    let conflict = || Status::modified(&call.kind.group, &call.kind.plural, &call.name);
    if asked.is_empty() {
        if call.rules.unconditional_update || call.verb == api::Verb::Patch {
            return Ok(());
        }
        let problem =
            Path::new("metadata.resourceVersion").invalid("", "must be specified for an update");
        return Err(Status::invalid(
            &call.kind.group,
            &call.kind.plural,
            &call.name,
            &[problem],
        ));
    }
    if Some(asked) != old.path("metadata.resourceVersion").as_str() {
        return Err(conflict());
    }
    check_uid(call, object, old)
}

/// A PUT may name the object that it means; a patch that names another is refused by validation.
fn check_uid(call: &Call, object: &Value, old: &Value) -> Result<(), Status> {
    if call.verb == api::Verb::Patch {
        return Ok(());
    }
    let uid: Str = object.get("metadata").shared_str("uid");
    let old_uid = old.get("metadata").shared_str("uid");
    if !uid.is_empty() && uid != old_uid {
        return Err(Status::conflict(
            &call.kind.group,
            &call.kind.plural,
            &call.name,
            &format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {old_uid}"
            ),
        ));
    }
    Ok(())
}
