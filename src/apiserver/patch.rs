//! PATCH: JSON, merge, strategic merge, and server-side apply.

use api::patch::{json, merge, strategic};
use api::{Body, PatchKind, Response, Status, Value, schema};

use crate::ApiServer;
use crate::call::Call;

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
        match old {
            None => {
                let mut object = crate::decode::object(call, patch.clone())?;
                crate::write::match_namespace(call, &mut object)?;
                crate::write::match_name(call, &mut object)?;
                let object = self.create_object(call, object)?;
                Ok(Response::created(self.in_form(call, object)))
            }
            Some(old) => {
                let mut object = old.clone();
                object = merge::apply(&object, patch);
                let object = crate::decode::patched(call, object)?;
                let object = self.replace(call, object, &old)?;
                Ok(Response::ok(self.in_form(call, object)))
            }
        }
    }

    /// Keeps `metadata.managedFields` up with a write.
    pub(crate) fn manage(&mut self, call: &Call, object: &mut Value, old: Option<&Value>) {
        let _ = (call, old);
        object.entry("metadata").remove("managedFields");
    }
}

/// Whether a body asks for server-side apply.
pub(crate) fn body_is_apply(body: &Body) -> bool {
    matches!(body, Body::Patch(PatchKind::Apply, _))
}
