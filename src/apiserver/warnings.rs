//! What the API server warns clients of besides its answer: old kinds, and fields that will go.
//!
//! Models `APILifecycleDeprecated` of the core types and `pkg/api/service/warnings.go`.

use api::{Value, Verb};

use crate::call::Call;

/// Adds the warnings for a call that has succeeded with `answer`.
pub(crate) fn add(call: &mut Call<'_>, answer: &Value) {
    let kind = (call.kind.group.as_str(), call.kind.plural.as_str());
    let old = match kind {
        ("", "endpoints") => {
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
        }
        ("", "componentstatuses") => "v1 ComponentStatus is deprecated in v1.19+",
        _ => "",
    };
    let is_service = kind == ("", "services");
    if !old.is_empty() {
        call.warn(old);
    }
    let is_written = matches!(call.verb, Verb::Create | Verb::Update | Verb::Patch);
    let addresses = answer.path("spec.externalIPs").items();
    if is_service && is_written && !addresses.is_empty() {
        call.warn(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        );
    }
}
