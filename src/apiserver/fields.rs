//! Which fields a field selector may name for each kind, and where they stand in the object.
//!
//! Models the `AddFieldLabelConversionFunc`s of `pkg/apis/*/v1/conversion.go` and the `GetAttrs` of the registries
//! at v1.36.

use api::kinds::Kind;
use api::{Status, Str, Value};

/// The fields that every kind has.
const COMMON: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// The further fields of a kind.
fn supported(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    Some(match (group, kind) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Namespace") => &["name", "status.phase"],
        ("", "Secret") => &["type"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("", "ReplicationController") => &["status.replicas"],
        ("", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("events.k8s.io", "Event") => &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
        ("apps", "ReplicaSet") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        ("certificates.k8s.io", "CertificateSigningRequest") => &["spec.signerName"],
        ("resource.k8s.io", "ResourceSlice") => &["spec.nodeName", "spec.driver"],
        _ => return None,
    })
}

/// Refuses a field that cannot be selected by.
pub(crate) fn check(kind: &Kind, field: &str) -> Result<(), Status> {
    if COMMON.contains(&field) || kind.selectable.iter().any(|known| known == field) {
        return Ok(());
    }
    match supported(&kind.group, &kind.kind) {
        Some(fields) if fields.contains(&field) => Ok(()),
        Some(_) if kind.group.is_empty() || kind.group == *"apps" || kind.group == *"batch" => Err(
            Status::bad_request(format!("field label not supported: {field}")),
        ),
        _ => {
            let selectable = kind.selectable.iter().map(Str::as_str);
            let known: Vec<String> = COMMON
                .into_iter()
                .chain(selectable)
                .map(|known| format!("{known:?}"))
                .collect();
            Err(Status::bad_request(format!(
                "{field:?} is not a known field selector: only {}",
                known.join(", ")
            )))
        }
    }
}

/// The text that a selector compares, as `GetAttrs` computes it.
pub(crate) fn text_of(kind: &Kind, object: &Value, field: &str) -> String {
    let field = match (kind.kind.as_str(), field) {
        ("Namespace", "name") => "metadata.name",
        ("Job", "status.successful") => "status.succeeded",
        ("Event", "source") => "source.component",
        (_, field) => field,
    };
    match object.path(field) {
        Value::Str(text) => text.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        _ => match field {
            "spec.unschedulable" | "spec.hostNetwork" => "false".to_owned(),
            "status.replicas" | "status.succeeded" => "0".to_owned(),
            "source.component" => object.str("reportingComponent").to_owned(),
            _ => String::new(),
        },
    }
}
