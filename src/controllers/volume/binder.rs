//! Finds each claim a volume, or makes one; and says what becomes of a volume whose claim is gone.
//!
//! Keys are claims; a key without a namespace is a volume. Provisioning is simulated for the provisioners of local
//! clusters ([`SIMULATED`]); others are awaited, as they would be if their driver were not installed.

use api::core::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS};
use api::meta::Meta;
use api::quantity::Quantity;
use api::{Request, Resource, Str, Value, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND};

use super::{STORAGE_CLASSES, protection::claims_of};
use crate::runner::{Controller, Keys, update_status};
use crate::selection::selects;
use crate::sync::{Step, Sync};

/// The controller looks at unbound claims again this often.
const RESYNC: Micros = 15 * SECOND;
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// A class whose volumes somebody makes by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// Provisioners whose volumes are directories of a node.
const SIMULATED: [&str; 4] = [
    "kubernetes.io/host-path",
    "rancher.io/local-path",
    "k8s.io/minikube-hostpath",
    "hostpath.csi.k8s.io",
];

/// The volume binder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Binder;

/// The class of a claim or volume; `None` where a claim does not name one.
fn class_of(object: &Value) -> Option<&str> {
    let annotated = Meta::of(object).annotation(CLASS_ANNOTATION);
    annotated.or(object.path("spec.storageClassName").as_str())
}

fn claim_reference(claim: &Value) -> Value {
    let meta = Meta::of(claim);
    map! {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": meta.shared_name(),
        "namespace": meta.shared_namespace(), "uid": meta.shared_uid(),
        "resourceVersion": meta.0.get("resourceVersion"),
    }
}

fn is_claimed_by(volume: &Value, claim: &Value) -> bool {
    let reference = volume.path("spec.claimRef");
    let meta = Meta::of(claim);
    reference.is_map()
        && reference.str("name") == meta.name()
        && reference.str("namespace") == meta.namespace()
        && (reference.str("uid").is_empty() || reference.str("uid") == meta.uid())
}

fn annotate(object: &mut Value, key: &'static str, value: impl Into<Value>) {
    object.at_mut(&["metadata", "annotations"]).set(key, value);
}

impl Controller for Binder {
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    fn kind(&self) -> &'static str {
        "persistentvolumeclaims"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![
            PERSISTENT_VOLUME_CLAIMS,
            PERSISTENT_VOLUMES,
            STORAGE_CLASSES,
            PODS,
        ]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let object = change.object();
        if *resource == PERSISTENT_VOLUME_CLAIMS {
            keys.add(ObjectKey::of(object));
            let volume = object.path("spec.volumeName").as_shared_str();
            if let (Some(volume), true) = (volume, change.is_deleted()) {
                keys.add(ObjectKey::new("", volume.clone()));
            }
        } else if *resource == PERSISTENT_VOLUMES {
            keys.add(ObjectKey::of(object));
            let claim = object.path("spec.claimRef");
            if claim.is_map() {
                let key = ObjectKey::new(claim.shared_str("namespace"), claim.shared_str("name"));
                keys.add(key);
            } else if change.is_added() {
                // It may be what a claim has been waiting for.
                let claims = caches.cache(&PERSISTENT_VOLUME_CLAIMS).all();
                for claim in claims.filter(|c| c.path("spec.volumeName").is_empty()) {
                    keys.add(ObjectKey::of(claim));
                }
            }
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if key.namespace.is_empty() {
            return sync_volume(key, s);
        }
        let Some(claim) = s.get_key(&PERSISTENT_VOLUME_CLAIMS, key) else {
            return Ok(());
        };
        let volume = claim.path("spec.volumeName").as_shared_str().cloned();
        let is_bound = Meta::of(&claim).annotation(BIND_COMPLETED).is_some();
        match (volume.filter(|name| !name.is_empty()), is_bound) {
            (Some(volume), true) => check_bound(claim, &volume, s),
            (Some(volume), false) => bind_named(claim, &volume, s),
            (None, _) if Meta::of(&claim).is_deleting() => Ok(()),
            (None, _) => find_or_provision(claim, s),
        }
    }
}

/// A bound claim whose volume is gone has lost its data.
fn check_bound(claim: Value, volume: &Str, s: &mut Sync<'_, '_>) -> Step {
    match s.get(&PERSISTENT_VOLUMES, "", volume) {
        Some(volume) if is_claimed_by(&volume, &claim) => {
            write_claim_status(claim, &volume, s).map(|_| ())
        }
        None if claim.path("status.phase").as_str() != Some("Lost") => {
            let about = ObjectRef::of(&claim, "v1", "PersistentVolumeClaim");
            let mut lost = claim.clone();
            lost.set_path("status.phase", "Lost");
            s.must(update_status(&PERSISTENT_VOLUME_CLAIMS, lost))?;
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            s.event(&about, Severity::Warning, "ClaimLost", message);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The user named the volume.
fn bind_named(claim: Value, volume: &Str, s: &mut Sync<'_, '_>) -> Step {
    let Some(volume) = s.get(&PERSISTENT_VOLUMES, "", volume) else {
        s.again_after(RESYNC);
        return pending(claim, s);
    };
    if !volume.path("spec.claimRef").is_map() || is_claimed_by(&volume, &claim) {
        return bind(volume, claim, s);
    }
    s.again_after(RESYNC);
    pending(claim, s)
}

fn find_or_provision(claim: Value, s: &mut Sync<'_, '_>) -> Step {
    let about = ObjectRef::of(&claim, "v1", "PersistentVolumeClaim");
    let class_name = class_of(&claim).map(str::to_owned);
    let class = match &class_name {
        Some(name) if !name.is_empty() => s.get(&STORAGE_CLASSES, "", name),
        _ => None,
    };
    if class_name.is_none() && assign_default_class(&claim, s)? {
        return Ok(());
    }
    let volumes = s.list(&PERSISTENT_VOLUMES, |cache| cache.all());
    let waits = class.as_ref().is_some_and(|class| {
        class.str("volumeBindingMode") == "WaitForFirstConsumer"
            && Meta::of(&claim).annotation(SELECTED_NODE).is_none()
    });
    let prebound = volumes.iter().find(|volume| is_claimed_by(volume, &claim));
    let fitting = prebound.or_else(|| best(&volumes, &claim));
    if let Some(volume) = fitting.filter(|_| !waits || prebound.is_some()) {
        return bind(volume.clone(), claim, s);
    }
    s.again_after(RESYNC);
    if waits {
        let users = s.read(|caches| {
            let meta = Meta::of(&claim);
            let pods = caches.cache(&PODS).in_namespace(meta.namespace());
            let uses = |pod: &&Value| {
                claims_of(pod).any(|c| c == meta.name()) && pod.path("spec.nodeName").is_empty()
            };
            pods.filter(uses).take(1).cloned().collect()
        });
        let (reason, message) = match users.first() {
            None => (
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding".to_owned(),
            ),
            Some(pod) => (
                "WaitForPodScheduled",
                format!("waiting for pod {} to be scheduled", Meta::of(pod).name()),
            ),
        };
        s.event(&about, Severity::Normal, reason, message);
        return pending(claim, s);
    }
    match (class_name.as_deref(), class) {
        (None | Some(""), _) => {
            let message =
                "no persistent volumes available for this claim and no storage class is set";
            s.event(&about, Severity::Normal, "FailedBinding", message);
            pending(claim, s)
        }
        (Some(name), None) => {
            let message = format!("storageclass.storage.k8s.io {name:?} not found");
            s.event(&about, Severity::Warning, "ProvisioningFailed", message);
            pending(claim, s)
        }
        (Some(_), Some(class)) => provision(claim, &class, &about, s),
    }
}

/// A claim that was made before there was a default class gets it now.
fn assign_default_class(claim: &Value, s: &mut Sync<'_, '_>) -> Step<bool> {
    let defaults = s.list(&STORAGE_CLASSES, |cache| {
        cache
            .all()
            .filter(|class| Meta::of(class).annotation(DEFAULT_CLASS) == Some("true"))
    });
    let newest = defaults
        .iter()
        .max_by_key(|class| Meta::of(class).creation_time());
    let Some(class) = newest else {
        return Ok(false);
    };
    let mut claim = claim.clone();
    claim.set_path("spec.storageClassName", Meta::of(class).shared_name());
    s.must(Request::update(&PERSISTENT_VOLUME_CLAIMS, claim))?;
    Ok(true)
}

/// The smallest free volume that the claim accepts.
fn best<'a>(volumes: &'a [Value], claim: &Value) -> Option<&'a Value> {
    let spec = claim.get("spec");
    let wanted = Quantity::of(spec.path("resources.requests.storage"));
    let fits = |volume: &&Value| {
        let offered = volume.get("spec");
        let modes = offered.get("accessModes").items();
        let mode = |spec: &Value| {
            spec.get("volumeMode")
                .as_str()
                .unwrap_or("Filesystem")
                .to_owned()
        };
        let phase = volume.path("status.phase").as_str();
        let selector = spec.get("selector");
        !offered.get("claimRef").is_map()
            && !Meta::of(volume).is_deleting()
            && matches!(phase, Some("Available" | "Pending") | None)
            && class_of(volume).unwrap_or_default() == class_of(claim).unwrap_or_default()
            && spec
                .get("accessModes")
                .items()
                .iter()
                .all(|m| modes.contains(m))
            && mode(offered) == mode(spec)
            && (!selector.is_map() || selects(selector, Meta::of(volume).labels()))
            && Quantity::of(offered.path("capacity.storage")) >= wanted
    };
    volumes
        .iter()
        .filter(fits)
        .min_by_key(|volume| Quantity::of(volume.path("spec.capacity.storage")))
}

fn provision(claim: Value, class: &Value, about: &ObjectRef, s: &mut Sync<'_, '_>) -> Step {
    let provisioner = class.shared_str("provisioner");
    if provisioner == *NO_PROVISIONER {
        return pending(claim, s);
    }
    let has_source = ["dataSource", "dataSourceRef"]
        .iter()
        .any(|field| !claim.get("spec").get(field).is_empty());
    if has_source && provisioner.starts_with("kubernetes.io/") {
        let message = format!(
            "plugin {:?} is not a CSI plugin. Only CSI plugin can provision a claim with a datasource",
            provisioner.as_str()
        );
        s.event(about, Severity::Warning, "ProvisioningFailed", message);
        return pending(claim, s);
    }
    let mut claim = claim;
    if Meta::of(&claim).annotation(PROVISIONER) != Some(&provisioner) {
        annotate(&mut claim, PROVISIONER, &provisioner);
        annotate(&mut claim, BETA_PROVISIONER, &provisioner);
        claim = s.must(Request::update(&PERSISTENT_VOLUME_CLAIMS, claim))?;
    }
    if !SIMULATED.contains(&provisioner.as_str()) {
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        );
        s.event(about, Severity::Normal, "ExternalProvisioning", message);
        return pending(claim, s);
    }
    if claim.path("spec.volumeMode").as_str() == Some("Block") {
        let message = format!(
            "Failed to provision volume with StorageClass {:?}: {provisioner} does not support block volume provisioning",
            Meta::of(class).name()
        );
        s.event(about, Severity::Warning, "ProvisioningFailed", message);
        return pending(claim, s);
    }
    let meta = Meta::of(&claim);
    let name: Str = format!("pvc-{}", meta.uid()).into();
    let spec = claim.get("spec");
    let policy = class.get("reclaimPolicy").as_str().unwrap_or("Delete");
    let mut volume = map! {
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": map! {
            "name": &name,
            "annotations": map! {
                "kubernetes.io/createdby": "hostpath-dynamic-provisioner",
                BOUND_BY_CONTROLLER: "yes",
                PROVISIONED_BY: &provisioner,
            },
        },
        "spec": map! {
            "accessModes": spec.get("accessModes"),
            "capacity": map! { "storage": spec.path("resources.requests.storage") },
            "claimRef": claim_reference(&claim),
            "hostPath": map! { "path": format!("/tmp/hostpath_pv/{}", meta.uid()), "type": "" },
            "persistentVolumeReclaimPolicy": policy.to_owned(),
            "storageClassName": Meta::of(class).shared_name(),
            "volumeMode": spec.get("volumeMode"),
        },
    };
    let options = class.get("mountOptions");
    if !options.is_empty() {
        volume.set_path("spec.mountOptions", options);
    }
    let answer = s.call(Request::create(&PERSISTENT_VOLUMES, "", volume))?;
    let volume = if answer.is_success() {
        let message = format!("Successfully provisioned volume {name} using {provisioner}");
        s.event(about, Severity::Normal, "ProvisioningSucceeded", message);
        answer.body
    } else {
        s.must(Request::get(&PERSISTENT_VOLUMES, "", name))?
    };
    bind(volume, claim, s)
}

/// Four writes in an order that survives a crash after any of them.
fn bind(mut volume: Value, mut claim: Value, s: &mut Sync<'_, '_>) -> Step {
    let uid = Meta::of(&claim).shared_uid();
    if volume.path("spec.claimRef.uid").as_str() != Some(&uid) {
        if !volume.path("spec.claimRef").is_map() {
            annotate(&mut volume, BOUND_BY_CONTROLLER, "yes");
        }
        volume.set_path("spec.claimRef", claim_reference(&claim));
        volume = s.must(Request::update(&PERSISTENT_VOLUMES, volume))?;
    }
    volume = set_phase(volume, "Bound", s)?;
    let name = Meta::of(&volume).shared_name();
    let is_named = claim.path("spec.volumeName").as_str() == Some(&name);
    if !is_named || Meta::of(&claim).annotation(BIND_COMPLETED).is_none() {
        if !is_named {
            claim.set_path("spec.volumeName", name);
            annotate(&mut claim, BOUND_BY_CONTROLLER, "yes");
        }
        annotate(&mut claim, BIND_COMPLETED, "yes");
        claim = s.must(Request::update(&PERSISTENT_VOLUME_CLAIMS, claim))?;
    }
    write_claim_status(claim, &volume, s).map(|_| ())
}

fn write_claim_status(mut claim: Value, volume: &Value, s: &mut Sync<'_, '_>) -> Step<Value> {
    let mut status = claim.get("status").clone();
    status.set("phase", "Bound");
    status.set("accessModes", volume.path("spec.accessModes"));
    if !status.has("capacity") {
        let storage = volume.path("spec.capacity.storage");
        status.set("capacity", map! { "storage": storage });
    }
    if *claim.get("status") == status {
        return Ok(claim);
    }
    claim.set("status", status);
    s.must(update_status(&PERSISTENT_VOLUME_CLAIMS, claim))
}

fn pending(mut claim: Value, s: &mut Sync<'_, '_>) -> Step {
    if claim.path("status.phase").as_str() == Some("Pending") {
        return Ok(());
    }
    claim.set_path("status.phase", "Pending");
    s.must(update_status(&PERSISTENT_VOLUME_CLAIMS, claim))
        .map(|_| ())
}

fn set_phase(mut volume: Value, phase: &'static str, s: &mut Sync<'_, '_>) -> Step<Value> {
    if volume.path("status.phase").as_str() == Some(phase) {
        return Ok(volume);
    }
    volume.set_path("status.phase", phase);
    volume.set_path("status.lastPhaseTransitionTime", s.now().rfc3339());
    s.must(update_status(&PERSISTENT_VOLUMES, volume))
}

/// A volume is available, bound, or released and reclaimed by its policy.
fn sync_volume(key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
    let Some(volume) = s.get_key(&PERSISTENT_VOLUMES, key) else {
        return Ok(());
    };
    let reference = volume.path("spec.claimRef").clone();
    if !reference.is_map() || reference.str("uid").is_empty() {
        return set_phase(volume, "Available", s).map(|_| ());
    }
    let claim = s.get(
        &PERSISTENT_VOLUME_CLAIMS,
        reference.str("namespace"),
        reference.str("name"),
    );
    let claim = claim.filter(|claim| is_claimed_by(&volume, claim));
    if let Some(claim) = claim {
        let is_named = claim.path("spec.volumeName").as_str() == Some(&key.name);
        if is_named {
            set_phase(volume, "Bound", s)?;
        }
        return Ok(());
    }
    // The cache may not have the claim yet: a volume is given up only if the API server has no such claim.
    let live = s.call(Request::get(
        &PERSISTENT_VOLUME_CLAIMS,
        reference.shared_str("namespace"),
        reference.shared_str("name"),
    ))?;
    if live.is_success() && is_claimed_by(&volume, &live.body)
        || !live.is_success() && live.code != 404
    {
        return Ok(());
    }
    let volume = set_phase(volume, "Released", s)?;
    let spec = volume.get("spec");
    let is_ours = Meta::of(&volume)
        .annotation(PROVISIONED_BY)
        .is_some_and(|p| SIMULATED.contains(&p));
    match spec.str("persistentVolumeReclaimPolicy") {
        "Delete" if is_ours && !Meta::of(&volume).is_deleting() => {
            let request = Request::delete(&PERSISTENT_VOLUMES, "", key.name.clone());
            s.call(request).map(|_| ())
        }
        _ => Ok(()),
    }
}
