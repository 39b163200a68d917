//! Which pods answer for each Service: EndpointSlices, and Endpoints for those who still read them.
//!
//! Models `pkg/controller/endpointslice` with `staging/src/k8s.io/endpointslice`, and `pkg/controller/endpoint`, at v1.36.
//! [`slices`] and [`legacy`] are the two controllers; both take their pods and ports from here. [`mirror`] makes slices of
//! Endpoints that have no pods behind them.

pub(crate) mod legacy;
pub(crate) mod mirror;
pub(crate) mod slices;

use api::core::{PODS, SERVICES};
use api::meta::{self, Meta};
use api::{Resource, Value, map};
use client::{Change, Informers, ObjectKey};
use sim::Time;

use crate::pods;
use crate::runner::Keys;
use crate::selection::chooses_pairs;

const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// Whether the controllers keep endpoints for a Service: it has a selector and is no alias.
fn is_selecting(service: &Value) -> bool {
    !service.path("spec.selector").is_empty()
        && service.path("spec.type").as_str() != Some("ExternalName")
}

fn is_headless(service: &Value) -> bool {
    service.path("spec.clusterIP").as_str() == Some("None")
}

fn chooses(service: &Value, pod: &Value) -> bool {
    is_selecting(service)
        && chooses_pairs(service.path("spec.selector").entries(), pods::labels(pod))
}

/// The Services that a change of a pod or Service concerns.
fn add_keys(resource: &Resource, change: &Change, caches: &Informers, keys: &mut Keys<'_>) {
    if *resource == SERVICES {
        return keys.add(ObjectKey::of(change.object()));
    }
    if *resource != PODS {
        return;
    }
    if let Some((old, new)) = change.updated()
        && matters(old) == matters(new)
    {
        return;
    }
    let namespace = Meta::of(change.object()).namespace();
    for service in caches.cache(&SERVICES).in_namespace(namespace) {
        let sides = change.old.iter().chain(&change.new);
        if sides.into_iter().any(|pod| chooses(service, pod)) {
            keys.add(ObjectKey::of(service));
        }
    }
}

/// What of a pod its endpoint shows.
fn matters(pod: &Value) -> [Value; 6] {
    let ready = meta::condition(pod, "Ready").map(|c| c.0.get("status").clone());
    [
        pod.path("status.podIP").clone(),
        pod.path("spec.nodeName").clone(),
        Value::from(pods::is_finished(pod)),
        Value::from(Meta::of(pod).is_deleting()),
        Value::from(ready),
        Meta::of(pod).0.get("labels").clone(),
    ]
}

/// Pods with an address that have not ended.
fn has_endpoint(pod: &Value) -> bool {
    !pods::is_finished(pod)
        && pod
            .path("status.podIP")
            .as_str()
            .is_some_and(|ip| !ip.is_empty())
}

/// The ports of a Service for one pod: names are looked up in its containers; a port that the pod lacks is left out.
fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    let ports = service.path("spec.ports").items().iter();
    ports
        .filter_map(|port| {
            let target = port.get("targetPort");
            let number = match target.as_str() {
                Some(name) => named_port(pod, name, port.str("protocol"))?,
                None => match target.as_int() {
                    Some(number) if number != 0 => number,
                    _ => port.int("port")?,
                },
            };
            let mut made = map! { "port": number, "protocol": port.get("protocol") };
            made.set(
                "name",
                port.get("name").as_str().unwrap_or_default().to_owned(),
            );
            if port.has("appProtocol") {
                made.set("appProtocol", port.get("appProtocol"));
            }
            Some(made)
        })
        .collect()
}

fn named_port(pod: &Value, name: &str, protocol: &str) -> Option<i64> {
    let spec = pod.get("spec");
    let sidecars = spec
        .get("initContainers")
        .items()
        .iter()
        .filter(|c| c.str("restartPolicy") == "Always");
    let containers = spec.get("containers").items().iter().chain(sidecars);
    let mut ports = containers.flat_map(|c| c.get("ports").items());
    ports
        .find(|port| port.str("name") == name && port.str("protocol") == protocol)?
        .int("containerPort")
}

/// When what the endpoints show last changed.
fn trigger_time(service: &Value, pods: &[Value]) -> String {
    let created = Meta::of(service).creation_time();
    let ready = pods.iter().filter_map(pods::ready_since);
    let newest: Option<Time> = ready.chain(created).max();
    newest.unwrap_or_default().rfc3339()
}

fn target_reference(pod: &Value) -> Value {
    let meta = Meta::of(pod);
    map! {
        "kind": "Pod", "namespace": meta.shared_namespace(), "name": meta.shared_name(), "uid": meta.shared_uid(),
    }
}

/// The name that a pod answers to in a headless Service.
fn hostname<'a>(service: &Value, pod: &'a Value) -> Option<&'a str> {
    let hostname = pod.path("spec.hostname").as_str()?;
    let subdomain = pod.path("spec.subdomain").as_str();
    let is_in = subdomain == Some(Meta::of(service).name())
        && Meta::of(service).namespace() == Meta::of(pod).namespace();
    (!hostname.is_empty() && is_in).then_some(hostname)
}
