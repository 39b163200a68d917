//! EndpointSlices for Endpoints that somebody wrote by hand, so that kube-proxy and DNS see them.
//!
//! Only for Services without a selector: the others get their slices from [`super::slices`]. Endpoints that say they are
//! mirrored already (the API server's own) or that hold a leader's lock are left alone. Models
//! `pkg/controller/endpointslicemirroring` at v1.36.

use api::core::{ENDPOINTS, SERVICES};
use api::meta::Meta;
use api::{Request, Resource, Value, list, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};

use super::TRIGGER_TIME;
use super::slices::{ENDPOINT_SLICES, MANAGED_BY, Made, SERVICE_NAME, Wanted, write};
use crate::runner::{Controller, Keys};
use crate::sync::{Step, Sync};

const MIRRORED_BY: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// `--mirroring-max-endpoints-per-subset`.
const MAX_PER_SUBSET: usize = 1000;

/// The EndpointSlice mirroring controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mirror;

impl Controller for Mirror {
    fn name(&self) -> &'static str {
        "endpointslice-mirroring-controller"
    }

    fn kind(&self) -> &'static str {
        "endpoints"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![ENDPOINTS, SERVICES, ENDPOINT_SLICES]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        let object = change.object();
        if *resource == ENDPOINT_SLICES {
            let meta = Meta::of(object);
            if meta.label(MANAGED_BY) == Some(MIRRORED_BY)
                && let Some(service) = meta.labels().get(SERVICE_NAME)
            {
                let name = service.as_shared_str().cloned().unwrap_or_default();
                keys.add(ObjectKey::new(meta.shared_namespace(), name));
            }
            return;
        }
        // Most Endpoints belong to Services with a selector and never concern us.
        let key = ObjectKey::of(object);
        let is_ours =
            |service: Option<&Value>| service.is_some_and(|service| !has_selector(service));
        let service = caches.cache(&SERVICES).get(&key.namespace, &key.name);
        let before = change.old.as_ref().filter(|_| *resource == SERVICES);
        if is_ours(service) || is_ours(before) {
            keys.add(key);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let service = s.get_key(&SERVICES, key);
        let endpoints = s.get_key(&ENDPOINTS, key);
        let existing = s.list(&ENDPOINT_SLICES, |cache| {
            cache.in_namespace(&key.namespace).filter(|slice| {
                let meta = Meta::of(slice);
                meta.label(SERVICE_NAME) == Some(&key.name)
                    && meta.label(MANAGED_BY) == Some(MIRRORED_BY)
                    && !meta.is_deleting()
            })
        });
        let is_wanted = service.is_some_and(|service| !has_selector(&service));
        let mirrored = endpoints.filter(|endpoints| is_wanted && is_to_be_mirrored(endpoints));
        let Some(endpoints) = mirrored else {
            for slice in existing.iter() {
                let meta = Meta::of(slice);
                let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
                s.must_unless_gone(Request::delete(&ENDPOINT_SLICES, namespace, name))?;
            }
            return Ok(());
        };
        let is_cut = endpoints
            .get("subsets")
            .items()
            .iter()
            .any(|subset| addresses(subset).count() > MAX_PER_SUBSET);
        if is_cut {
            s.event(
                &ObjectRef::of(&endpoints, "v1", "Endpoints"),
                Severity::Warning,
                "TooManyAddressesToMirror",
                "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. Some addresses were skipped",
            );
        }
        let mut labels = Meta::of(&endpoints).0.get("labels").clone();
        labels.set(SERVICE_NAME, key.name.clone());
        labels.set(MANAGED_BY, MIRRORED_BY);
        let mut annotations = Meta::of(&endpoints).0.get("annotations").clone();
        annotations.remove(TRIGGER_TIME);
        annotations.remove(LAST_APPLIED);
        let made = Made {
            owner: &endpoints,
            owner_kind: "Endpoints",
            labels,
            annotations,
        };
        write(&made, slices(&endpoints), &existing, s)
    }
}

fn has_selector(service: &Value) -> bool {
    !service.path("spec.selector").is_null()
}

fn is_to_be_mirrored(endpoints: &Value) -> bool {
    let meta = Meta::of(endpoints);
    meta.label(SKIP) != Some("true") && !meta.0.get("annotations").has(LEADER)
}

/// Addresses of a subset with whether they are ready.
fn addresses(subset: &Value) -> impl Iterator<Item = (&Value, bool)> {
    let ready = subset.get("addresses").items().iter();
    let waiting = subset.get("notReadyAddresses").items().iter();
    ready
        .map(|address| (address, true))
        .chain(waiting.map(|address| (address, false)))
}

/// A slice for each subset and family of addresses.
fn slices(endpoints: &Value) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for subset in endpoints.get("subsets").items() {
        let ports: Vec<Value> = subset
            .get("ports")
            .items()
            .iter()
            .map(|port| {
                let mut port = port.clone();
                if !port.has("name") {
                    port.set("name", "");
                }
                port
            })
            .collect();
        for (address, is_ready) in addresses(subset).take(MAX_PER_SUBSET) {
            let family = match address.str("ip").parse() {
                Ok(std::net::IpAddr::V4(_)) => "IPv4",
                Ok(std::net::IpAddr::V6(_)) => "IPv6",
                Err(_) => continue,
            };
            let at = wanted
                .iter()
                .position(|w| w.family == family && w.ports == ports && !w.is_full())
                .unwrap_or_else(|| {
                    wanted.push(Wanted {
                        family,
                        ports: ports.clone(),
                        endpoints: Vec::new(),
                    });
                    wanted.len() - 1
                });
            wanted[at].endpoints.push(endpoint(address, is_ready));
        }
    }
    wanted
}

fn endpoint(address: &Value, is_ready: bool) -> Value {
    let mut endpoint = map! {
        "addresses": list![address.get("ip").clone()], "conditions": map! { "ready": is_ready },
    };
    for field in ["hostname", "nodeName", "targetRef"] {
        if address.has(field) {
            endpoint.set(field, address.get(field));
        }
    }
    endpoint
}
