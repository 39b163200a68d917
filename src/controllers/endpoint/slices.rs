//! EndpointSlices: up to a hundred endpoints with the same ports.

use api::core::{NODES, PODS, SERVICES};
use api::meta::{Meta, controller_reference};
use api::{Request, Resource, Value, list, map};
use client::{Change, Informers, ObjectKey};

use super::{
    HEADLESS, TRIGGER_TIME, add_keys, chooses, has_endpoint, hostname, is_headless, is_selecting,
    ports, target_reference, trigger_time,
};
use crate::pods;
use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

pub(crate) const ENDPOINT_SLICES: Resource =
    Resource::of("discovery.k8s.io", "v1", "endpointslices");
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const OURS: &str = "endpointslice-controller.k8s.io";
/// `--max-endpoints-per-slice`.
const MAX_PER_SLICE: usize = 100;

/// The EndpointSlice controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointSlices;

/// A slice as it should be, without a name yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) family: &'static str,
    pub(super) ports: Vec<Value>,
    pub(super) endpoints: Vec<Value>,
}

impl Wanted {
    pub(super) fn is_full(&self) -> bool {
        self.endpoints.len() >= MAX_PER_SLICE
    }
}

/// For whom slices are made, and what all of them carry.
pub(super) struct Made<'a> {
    pub(super) owner: &'a Value,
    pub(super) owner_kind: &'static str,
    pub(super) labels: Value,
    pub(super) annotations: Value,
}

impl Controller for EndpointSlices {
    fn name(&self) -> &'static str {
        "endpointslice-controller"
    }

    fn kind(&self) -> &'static str {
        "services"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SERVICES, PODS, NODES, ENDPOINT_SLICES]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == ENDPOINT_SLICES {
            let meta = Meta::of(change.object());
            if meta.label(MANAGED_BY) == Some(OURS)
                && let Some(service) = meta.labels().get(SERVICE_NAME)
            {
                let name = service.as_shared_str().cloned().unwrap_or_default();
                keys.add(ObjectKey::new(meta.shared_namespace(), name));
            }
        } else {
            add_keys(resource, change, caches, keys);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(service) = s.get_key(&SERVICES, key) else {
            return Ok(());
        };
        if !is_selecting(&service) || Meta::of(&service).is_deleting() {
            return Ok(());
        }
        let pods = s.list(&PODS, |cache| {
            cache
                .in_namespace(&key.namespace)
                .filter(|pod| chooses(&service, pod) && has_endpoint(pod))
        });
        let existing = s.list(&ENDPOINT_SLICES, |cache| {
            cache.in_namespace(&key.namespace).filter(|slice| {
                let meta = Meta::of(slice);
                meta.label(SERVICE_NAME) == Some(&key.name)
                    && meta.label(MANAGED_BY) == Some(OURS)
                    && !meta.is_deleting()
            })
        });
        let mut wanted = Vec::new();
        for family in families(&service) {
            let mut slices = group(&service, family, &pods, s);
            if slices.is_empty() {
                slices.push(Wanted {
                    family,
                    ports: Vec::new(),
                    endpoints: Vec::new(),
                });
            }
            wanted.extend(slices);
        }
        let made = Made {
            owner: &service,
            owner_kind: "Service",
            labels: labels(&service),
            annotations: map! { TRIGGER_TIME: trigger_time(&service, &pods) },
        };
        write(&made, wanted, &existing, s)
    }
}

fn families(service: &Value) -> Vec<&'static str> {
    let families = service.path("spec.ipFamilies").items();
    let mut found: Vec<&'static str> = families
        .iter()
        .map(|f| {
            if f.as_str() == Some("IPv6") {
                "IPv6"
            } else {
                "IPv4"
            }
        })
        .collect();
    if found.is_empty() {
        found.push("IPv4");
    }
    found
}

/// Endpoints with equal ports together, at most a hundred in a slice.
fn group(
    service: &Value,
    family: &'static str,
    pods: &[Value],
    s: &mut Sync<'_, '_>,
) -> Vec<Wanted> {
    let mut slices: Vec<Wanted> = Vec::new();
    for pod in pods {
        let ips = pod.path("status.podIPs").items().iter();
        let mut ips = ips.map(|ip| ip.str("ip"));
        let mut only = pod.path("status.podIP").as_str().into_iter();
        let is_of_family = |ip: &&str| ip.contains(':') == (family == "IPv6");
        let Some(ip) = ips.find(is_of_family).or_else(|| only.find(is_of_family)) else {
            continue;
        };
        let endpoint = endpoint(service, pod, ip, s);
        let ports = ports(service, pod);
        let found = slices
            .iter_mut()
            .find(|slice| slice.ports == ports && slice.endpoints.len() < MAX_PER_SLICE);
        match found {
            Some(slice) => slice.endpoints.push(endpoint),
            None => slices.push(Wanted {
                family,
                ports,
                endpoints: vec![endpoint],
            }),
        }
    }
    slices
}

fn endpoint(service: &Value, pod: &Value, ip: &str, s: &mut Sync<'_, '_>) -> Value {
    let is_terminating = Meta::of(pod).is_deleting();
    let is_published = service.path("spec.publishNotReadyAddresses").as_bool() == Some(true);
    let serving = pods::is_ready(pod);
    let ready = is_published || serving && !is_terminating;
    let mut endpoint = map! {
        "addresses": list![ip.to_owned()],
        "conditions": map! { "ready": ready, "serving": serving, "terminating": is_terminating },
        "targetRef": target_reference(pod),
    };
    if let Some(name) = hostname(service, pod) {
        endpoint.set("hostname", name.to_owned());
    }
    let node = pod.path("spec.nodeName");
    if let Some(name) = node.as_str().filter(|name| !name.is_empty()) {
        endpoint.set("nodeName", node);
        if let Some(node) = s.get(&NODES, "", name)
            && let Some(zone) = Meta::of(&node).labels().get("topology.kubernetes.io/zone")
        {
            endpoint.set("zone", zone);
        }
    }
    endpoint
}

/// Makes the slices as wanted with few writes: equal ones stay, others are changed in place, then made or deleted.
pub(super) fn write(
    made: &Made<'_>,
    mut wanted: Vec<Wanted>,
    existing: &[Value],
    s: &mut Sync<'_, '_>,
) -> Step {
    let labels = &made.labels;
    let mut left: Vec<&Value> = Vec::new();
    for slice in existing {
        let same = wanted
            .iter()
            .position(|wanted| is_as(slice, wanted) && Meta::of(slice).0.get("labels") == labels);
        match same {
            Some(at) => {
                wanted.remove(at);
            }
            None => left.push(slice),
        }
    }
    let mut requests = Vec::new();
    for slice in left {
        // One with the same ports is changed; failing that, any of its family.
        let of_family = |w: &Wanted| w.family == slice.str("addressType");
        let at = wanted
            .iter()
            .position(|w| of_family(w) && slice.get("ports").items() == &*w.ports)
            .or_else(|| wanted.iter().position(of_family));
        match at {
            Some(at) => {
                let mut slice = slice.clone();
                fill(&mut slice, wanted.remove(at), made);
                requests.push(Request::update(&ENDPOINT_SLICES, slice));
            }
            None => {
                let meta = Meta::of(slice);
                requests.push(Request::delete(
                    &ENDPOINT_SLICES,
                    meta.shared_namespace(),
                    meta.shared_name(),
                ));
            }
        }
    }
    let meta = Meta::of(made.owner);
    for wanted in wanted {
        let mut slice = map! {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": map! {
                "generateName": format!("{}-", meta.name()),
                "namespace": meta.shared_namespace(),
                "ownerReferences": list![controller_reference(made.owner, "v1", made.owner_kind)],
            },
            "addressType": wanted.family,
        };
        fill(&mut slice, wanted, made);
        requests.push(Request::create(
            &ENDPOINT_SLICES,
            meta.shared_namespace(),
            slice,
        ));
    }
    for answer in s.call_all(requests)?.iter() {
        let is_moot =
            answer.code == 404 || crate::replicaset::is_namespace_terminating(&answer.body);
        if !answer.is_success() && !is_moot {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
    }
    Ok(())
}

fn labels(service: &Value) -> Value {
    let mut labels = Meta::of(service).0.get("labels").clone();
    labels.set(MANAGED_BY, OURS);
    labels.set(SERVICE_NAME, Meta::of(service).shared_name());
    if is_headless(service) {
        labels.set(HEADLESS, "");
    }
    labels
}

fn is_as(slice: &Value, wanted: &Wanted) -> bool {
    slice.str("addressType") == wanted.family
        && slice.get("ports").items() == &*wanted.ports
        && slice.get("endpoints").items() == &*wanted.endpoints
}

fn fill(slice: &mut Value, wanted: Wanted, made: &Made<'_>) {
    let or_null = |list: Vec<Value>| {
        if list.is_empty() {
            Value::Null
        } else {
            Value::from(list)
        }
    };
    slice.set("ports", or_null(wanted.ports));
    slice.set("endpoints", or_null(wanted.endpoints));
    slice.at_mut(&["metadata"]).set("labels", &made.labels);
    for (key, value) in made.annotations.entries().iter() {
        slice
            .at_mut(&["metadata", "annotations"])
            .set(key.clone(), value);
    }
}
