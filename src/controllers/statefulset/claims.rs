//! The claims of a StatefulSet's pods: made before the pod, kept or deleted by `persistentVolumeClaimRetentionPolicy`.
//!
//! Deletion is the garbage collector's work: a claim that is to go with its set or its pod is owned by it.
//! Models `stateful_pod_control.go` and the claim parts of `stateful_set_utils.go`.

use api::core::PERSISTENT_VOLUME_CLAIMS;
use api::meta::Meta;
use api::{Request, Value, map};
use client::Severity;

use super::{OWNER, Work, identity};
use crate::sync::{Halt, Step, Sync};

/// Makes the claims that the pod of an ordinal needs and that are not there.
pub(super) fn create(work: &Work, pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    let set = &work.set;
    let Some(ordinal) = identity::ordinal(set, pod) else {
        return Ok(());
    };
    for template in set.path("spec.volumeClaimTemplates").items() {
        let namespace = Meta::of(set).shared_namespace();
        let name = identity::claim_name(set, template, ordinal);
        if let Some(existing) = s.get(&PERSISTENT_VOLUME_CLAIMS, &namespace, &name) {
            if Meta::of(&existing).is_deleting() {
                return Err(Halt::Retry(format!("pvc {name} is being deleted")));
            }
            continue;
        }
        let mut claim = template.clone();
        claim.remove("status");
        claim.set_path("metadata.name", name.clone());
        claim.set_path("metadata.namespace", &namespace);
        for (key, value) in set.path("spec.selector.matchLabels").entries().iter() {
            claim
                .at_mut(&["metadata", "labels"])
                .set(key.clone(), value);
        }
        let owners = owners(work, pod, &[]);
        if !owners.is_empty() {
            claim.set_path("metadata.ownerReferences", owners);
        }
        let answer = s.call(Request::create(&PERSISTENT_VOLUME_CLAIMS, namespace, claim))?;
        let what = format!(
            "Create Claim {name} Pod {} in StatefulSet {}",
            Meta::of(pod).name(),
            work.name()
        );
        if answer.is_success() {
            let message = format!("{what} success");
            s.event(&work.about(), Severity::Normal, "SuccessfulCreate", message);
        } else {
            let why = answer.message().to_owned();
            let message = format!("{what} failed error: {why}");
            s.event(&work.about(), Severity::Warning, "FailedCreate", message);
            return Err(Halt::Retry(format!("failed to create PVC {name}: {why}")));
        }
    }
    Ok(())
}

/// Brings the owners of a pod's claims in line with the retention policy.
pub(super) fn settle(work: &Work, pod: &Value, s: &mut Sync<'_, '_>) -> Step {
    let set = &work.set;
    let Some(ordinal) = identity::ordinal(set, pod) else {
        return Ok(());
    };
    for template in set.path("spec.volumeClaimTemplates").items() {
        let name = identity::claim_name(set, template, ordinal);
        let namespace = Meta::of(set).namespace();
        let Some(claim) = s.get(&PERSISTENT_VOLUME_CLAIMS, namespace, &name) else {
            continue;
        };
        let old = claim.path("metadata.ownerReferences").items();
        let new = owners(work, pod, old);
        let uids = |owners: &[Value]| -> Vec<String> {
            let mut uids: Vec<String> = owners.iter().map(|o| o.str("uid").to_owned()).collect();
            uids.sort();
            uids
        };
        if uids(old) == uids(&new) {
            continue;
        }
        let mut claim = claim.clone();
        claim.set_path("metadata.ownerReferences", new);
        s.must(Request::update(&PERSISTENT_VOLUME_CLAIMS, claim))?;
    }
    Ok(())
}

/// Who owns the claims of a pod: the set, if they are to go with it; the pod, if it is condemned and they go with it.
fn owners(work: &Work, pod: &Value, old: &[Value]) -> Vec<Value> {
    let policy = work.set.path("spec.persistentVolumeClaimRetentionPolicy");
    let deletes = |field| policy.str(field) == "Delete";
    let (set_uid, pod_uid) = (Meta::of(&work.set).uid(), Meta::of(pod).uid());
    let condemned = work.condemned.iter();
    let is_condemned = condemned
        .map(|pod| Meta::of(pod).name())
        .any(|name| name == Meta::of(pod).name());
    let by_pod = deletes("whenScaled") && is_condemned && !pod_uid.is_empty();
    let by_set = deletes("whenDeleted") && !by_pod;
    let mut owners: Vec<Value> = old
        .iter()
        .filter(|o| o.str("uid") != set_uid && (o.str("uid") != pod_uid || pod_uid.is_empty()))
        .cloned()
        .collect();
    if by_set {
        owners.push(OWNER.reference(&work.set));
    }
    if by_pod {
        let meta = Meta::of(pod);
        owners.push(map! {
            "apiVersion": "v1", "kind": "Pod", "name": meta.shared_name(), "uid": meta.shared_uid(),
            "controller": true, "blockOwnerDeletion": true,
        });
    }
    owners
}
