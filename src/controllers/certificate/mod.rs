//! Signing requests for certificates: approved for kubelets, signed when approved, and swept away when old.
//!
//! Models `pkg/controller/certificates` (`approver`, `signer`, `cleaner`) at v1.36. [`der`] reads the requests.

mod der;

#[cfg(test)]
pub(crate) use der::request as request_for;

use api::meta::{self, Meta};
use api::{Request, Resource, Value, map};
use client::{Change, Informers, ObjectKey};
use sim::{HOUR, MINUTE, Micros, SECOND, Time};

use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

pub(crate) const SIGNING_REQUESTS: Resource =
    Resource::of("certificates.k8s.io", "v1", "certificatesigningrequests");
const ACCESS_REVIEWS: Resource = Resource::of("authorization.k8s.io", "v1", "subjectaccessreviews");
const KUBELETS: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const CLIENTS: &str = "kubernetes.io/kube-apiserver-client";
const SERVING: &str = "kubernetes.io/kubelet-serving";
const LEGACY: &str = "kubernetes.io/legacy-unknown";
/// `--cluster-signing-duration`.
const LONGEST_SECS: i64 = 365 * 24 * 3600;
/// Shorter wishes are not granted (`minimum duration`).
const SHORTEST_SECS: i64 = 600;
/// Certificates begin in the past, for clocks that are behind.
const BACKDATE: Micros = 5 * MINUTE;
/// How long requests are kept: issued or denied ones, and those that nobody decided on.
const KEPT_DECIDED: Micros = HOUR;
const KEPT_PENDING: Micros = 24 * HOUR;

/// Approves what kubelets ask for themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approver;

/// Issues certificates for approved requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signer;

/// Deletes requests that have had their time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cleaner;

fn has(request: &Value, kind: &str) -> bool {
    meta::condition(request, kind).is_some_and(|condition| condition.status() != "False")
}

fn is_issued(request: &Value) -> bool {
    !request.path("status.certificate").is_empty()
}

fn usages(request: &Value) -> Vec<&str> {
    let usages = request.path("spec.usages").items();
    usages.iter().filter_map(Value::as_str).collect()
}

/// Adds a condition of now.
fn judge(
    request: &Value,
    kind: &'static str,
    reason: &'static str,
    message: String,
    now: Time,
) -> Value {
    let mut judged = request.clone();
    let condition = map! {
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastUpdateTime": now.rfc3339(), "lastTransitionTime": now.rfc3339(),
    };
    judged
        .at_mut(&["status", "conditions"])
        .list_mut()
        .push(condition);
    judged
}

/// Writes a subresource; what has changed meanwhile comes again by its change.
fn write(subresource: &'static str, request: Value, s: &mut Sync<'_, '_>) -> Step {
    let answer = s.call(Request::update(&SIGNING_REQUESTS, request).subresource(subresource))?;
    if answer.is_success() || matches!(answer.code, 404 | 409) {
        Ok(())
    } else {
        Err(Halt::Retry(answer.message().to_owned()))
    }
}

impl Controller for Approver {
    fn name(&self) -> &'static str {
        "certificate-controller"
    }

    fn kind(&self) -> &'static str {
        "certificatesigningrequests"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SIGNING_REQUESTS]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if !change.is_deleted()
            && change.object().path("spec.signerName").as_str() == Some(KUBELETS)
        {
            keys.add(ObjectKey::of(change.object()));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(request) = s.get_key(&SIGNING_REQUESTS, key) else {
            return Ok(());
        };
        if is_issued(&request) || has(&request, "Approved") || has(&request, "Denied") {
            return Ok(());
        }
        let spec = request.get("spec");
        let Some(asked) = der::read(spec.str("request")) else {
            return Ok(());
        };
        let is_for_kubelet = asked.organizations == ["system:nodes"]
            && asked.common_name.starts_with("system:node:")
            && refused_usage(KUBELETS, &usages(&request)).is_none();
        if !is_for_kubelet {
            return Ok(());
        }
        let is_own = asked.common_name == spec.str("username");
        let (permission, message) = if is_own {
            (
                "selfnodeclient",
                "Auto approving self kubelet client certificate after SubjectAccessReview.",
            )
        } else {
            (
                "nodeclient",
                "Auto approving kubelet client certificate after SubjectAccessReview.",
            )
        };
        let review = map! {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": map! {
                "user": spec.get("username"), "uid": spec.get("uid"), "groups": spec.get("groups"),
                "resourceAttributes": map! {
                    "group": "certificates.k8s.io", "resource": "certificatesigningrequests",
                    "subresource": permission, "verb": "create", "version": "*",
                },
            },
        };
        let answer = s.must(Request::create(&ACCESS_REVIEWS, "", review))?;
        if answer.path("status.allowed").as_bool() != Some(true) {
            return Ok(());
        }
        let approved = judge(
            &request,
            "Approved",
            "AutoApproved",
            message.to_owned(),
            s.now(),
        );
        write("approval", approved, s)
    }
}

impl Controller for Signer {
    fn name(&self) -> &'static str {
        "certificate-controller"
    }

    fn kind(&self) -> &'static str {
        "certificatesigningrequests"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SIGNING_REQUESTS]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if !change.is_deleted() && has(change.object(), "Approved") {
            keys.add(ObjectKey::of(change.object()));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(request) = s.get_key(&SIGNING_REQUESTS, key) else {
            return Ok(());
        };
        let is_due = has(&request, "Approved")
            && !has(&request, "Denied")
            && !has(&request, "Failed")
            && !is_issued(&request);
        let spec = request.get("spec");
        let signer = spec.str("signerName");
        if !is_due || ![KUBELETS, CLIENTS, SERVING, LEGACY].contains(&signer) {
            return Ok(());
        }
        let usages = usages(&request);
        let refusal = refused_usage(signer, &usages);
        let asked = der::read(spec.str("request"));
        let (Some(asked), None) = (asked, &refusal) else {
            let why =
                refusal.unwrap_or_else(|| "unable to parse the certificate request".to_owned());
            let failed = judge(&request, "Failed", "SignerValidationFailure", why, s.now());
            return write("status", failed, s);
        };
        let wished = spec.int("expirationSeconds").unwrap_or(LONGEST_SECS);
        let secs = wished.clamp(SHORTEST_SECS, LONGEST_SECS);
        let from = Time(s.now().0.saturating_sub(BACKDATE));
        let lasts = secs + (BACKDATE / SECOND) as i64;
        let certificate = der::issue(&asked, from, lasts, &usages);
        let mut issued = request.clone();
        issued.set_path("status.certificate", certificate);
        write("status", issued, s)
    }
}

/// What a signer says of usages that it does not sign for.
fn refused_usage(signer: &str, usages: &[&str]) -> Option<String> {
    let (needed, others): (&str, &[&str]) = match signer {
        KUBELETS | CLIENTS => ("client auth", &["key encipherment", "digital signature"]),
        SERVING => ("server auth", &["key encipherment", "digital signature"]),
        _ => return None,
    };
    let is_right = usages.contains(&needed)
        && usages
            .iter()
            .all(|usage| *usage == needed || others.contains(usage));
    (!is_right).then(|| {
        format!(
            "invalid usage for client certificate: [{}]",
            usages.join(" ")
        )
    })
}

impl Controller for Cleaner {
    fn name(&self) -> &'static str {
        "certificate-controller"
    }

    fn kind(&self) -> &'static str {
        "certificatesigningrequests"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SIGNING_REQUESTS]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if !change.is_deleted() {
            keys.add(ObjectKey::of(change.object()));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(request) = s.get_key(&SIGNING_REQUESTS, key) else {
            return Ok(());
        };
        let decided = ["Approved", "Denied", "Failed"]
            .iter()
            .filter_map(|kind| meta::condition(&request, kind))
            .filter_map(|condition| Time::parse_rfc3339(condition.0.str("lastUpdateTime")))
            .max();
        let created = Meta::of(&request).creation_time().unwrap_or_default();
        let at = match decided {
            Some(decided)
                if is_issued(&request) || has(&request, "Denied") || has(&request, "Failed") =>
            {
                decided + KEPT_DECIDED
            }
            _ => created + KEPT_PENDING,
        };
        if at > s.now() {
            s.again_at(at);
            return Ok(());
        }
        s.must_unless_gone(Request::delete(&SIGNING_REQUESTS, "", key.name.clone()))
    }
}
