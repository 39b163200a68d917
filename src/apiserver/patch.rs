//! PATCH: JSON, merge, strategic merge, and server-side apply.

use api::patch::apply::{self, Manager};
use api::patch::{json, merge, strategic};
use api::{Body, PatchKind, Response, Status, Value, schema};

use crate::call::Call;
use crate::metadata::keep;
use crate::write::{check_version, match_name, match_namespace};
use crate::{ApiServer, decode, kinds};

/// Collections with many objects that the cluster makes for itself.
const IN_NUMBERS: [&str; 4] = ["pods", "events", "leases", "endpointslices"];

/// Whether the call is a server-side apply.
pub(crate) fn is_apply(call: &Call) -> bool {
    call.is_apply
}

/// `before` with the patch applied.
pub(crate) fn apply_patch(
    call: &Call,
    kind: PatchKind,
    before: &Value,
    patch: &Value,
) -> Result<Value, Status> {
    match kind {
        PatchKind::Json => {
            if !matches!(patch, Value::List(_)) {
                return Err(Status::bad_request(format!(
                    "error decoding patch: json: cannot unmarshal {} into Go value of type []handlers.jsonPatchOp",
                    api::decode::json_type(patch)
                )));
            }
            // What was wrong with it stands in the server's log only.
            json::apply(before, patch).map_err(|_| {
                Status::new(
                    422,
                    "Invalid",
                    "the server rejected our request due to an error in our request",
                )
                .with_details(Value::empty_map())
            })
        }
        PatchKind::Merge | PatchKind::Apply => {
            check_is_map(patch)?;
            Ok(merge::apply(before, patch))
        }
        PatchKind::Strategic => {
            check_is_map(patch)?;
            let Some(of) = schema::of_kind(&call.kind.group, &call.kind.version, &call.kind.kind)
            else {
                return Err(Status::new(
                    415,
                    "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
                ));
            };
            strategic::apply(of, before, patch).map_err(|why| Status::new(500, "", why))
        }
    }
}

fn check_is_map(patch: &Value) -> Result<(), Status> {
    if patch.is_map() {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
        api::decode::json_type(patch)
    )))
}

impl ApiServer {
    /// Server-side apply: create or merge by field ownership.
    pub(crate) fn apply(
        &mut self,
        call: &mut Call,
        patch: &Value,
        old: Option<Value>,
    ) -> Result<Response, Status> {
        if patch.str("apiVersion").is_empty() || patch.str("kind").is_empty() {
            return Err(Status::bad_request(format!(
                "invalid object type: /{}, Kind={}",
                patch.str("apiVersion"),
                patch.str("kind")
            )));
        }
        let mut named = patch.clone();
        match_namespace(call, &mut named)?;
        match_name(call, &mut named)?;
        let live = match &old {
            Some(old) => kinds::from_storage(&call.kind, old),
            None => Value::Null,
        };
        let manager = manager(call);
        let merged = apply::apply(type_of(call), &live, patch, &manager, call.options.force)?;
        let mut object = decode::patched(call, merged, &live)?;
        match_namespace(call, &mut object)?;
        match_name(call, &mut object)?;
        object = kinds::to_storage(&call.kind, object);
        let Some(old) = old else {
            let object = self.create_object(call, object)?;
            let object = kinds::from_storage(&call.kind, &object);
            return Ok(Response::created(self.in_form(call, object)));
        };
        check_version(call, &object, &old)?;
        let object = self.replace(call, object, &old)?;
        let object = kinds::from_storage(&call.kind, &object);
        Ok(Response::ok(self.in_form(call, object)))
    }

    /// Keeps `metadata.managedFields` up with a write other than apply.
    ///
    /// What the cluster's own parts make in great numbers (pods of a replica set, events, leases) is not tracked until
    /// somebody outside writes to it: the record would be larger than the object, and nobody could conflict with it.
    pub(crate) fn manage(&self, call: &Call, object: &mut Value, old: Option<&Value>) {
        if call.is_apply {
            return;
        }
        let is_tracked = old.is_some_and(|old| old.get("metadata").has("managedFields"));
        if call.is_trusted() && !is_tracked && IN_NUMBERS.contains(&call.kind.plural.as_str()) {
            return;
        }
        let manager = manager(call);
        // What this way of writing does not touch is nobody's through it.
        let without = |value: &Value| {
            let mut value = value.clone();
            for field in manager.ignores {
                value.remove(field);
            }
            value
        };
        let live = old.map_or(Value::Null, without);
        let mut written = without(object);
        apply::track(type_of(call), &live, &mut written, &manager);
        keep(
            object.entry("metadata"),
            written.get("metadata"),
            "managedFields",
        );
    }
}

fn type_of(call: &Call) -> Option<schema::Type> {
    schema::of_kind(&call.kind.group, &call.kind.version, &call.kind.kind)
}

/// Who writes: the field manager that the request names, else what the User-Agent begins with.
pub(crate) fn manager<'a>(call: &'a Call) -> Manager<'a> {
    let options = call.options;
    let agent = options.user_agent.split('/').next().unwrap_or_default();
    let name = if !options.field_manager.is_empty() {
        options.field_manager.as_str()
    } else if !agent.is_empty() {
        agent
    } else if call.is_trusted() {
        program(&call.user.name)
    } else {
        "unknown"
    };
    let ignores: &[&str] = match (call.subresource.as_str(), call.rules.has_status(&call.kind)) {
        ("", true) => &["status"],
        ("status", _) => &["spec"],
        _ => &[],
    };
    Manager {
        name,
        api_version: &call.api_version,
        subresource: &call.subresource,
        // Scaling leaves no time behind, as in Kubernetes, where the entry comes from the parent's.
        time: (call.subresource != *"scale").then_some(call.now),
        ignores,
    }
}

/// The program of a user of the system: `system:node:node-1` is a kubelet.
fn program(user: &str) -> &str {
    let name = user.trim_start_matches("system:");
    match name.split(':').next() {
        Some("node") => "kubelet",
        Some("apiserver") => "kube-apiserver",
        _ => name,
    }
}

/// Whether a body asks for server-side apply.
pub(crate) fn body_is_apply(body: &Body) -> bool {
    matches!(body, Body::Patch(PatchKind::Apply, _))
}
