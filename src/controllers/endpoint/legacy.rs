//! Endpoints: one object for a Service, with subsets by port.

use std::collections::BTreeMap;

use api::core::{ENDPOINTS, PODS, SERVICES};
use api::meta::{self, Meta};
use api::{Request, Resource, Value, map};
use client::{Change, Informers, ObjectKey};

use super::{
    HEADLESS, TRIGGER_TIME, add_keys, chooses, has_endpoint, hostname, is_headless, is_selecting,
    ports, target_reference, trigger_time,
};
use crate::pods;
use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
/// More addresses than this are cut off (`maxCapacity`).
const MAX_ADDRESSES: usize = 1000;

/// The Endpoints controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct LegacyEndpoints;

impl Controller for LegacyEndpoints {
    fn name(&self) -> &'static str {
        "endpoint-controller"
    }

    fn kind(&self) -> &'static str {
        "services"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SERVICES, PODS, ENDPOINTS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        caches: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == ENDPOINTS {
            if change.is_deleted() {
                keys.add(ObjectKey::of(change.object()));
            }
        } else {
            add_keys(resource, change, caches, keys);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(service) = s.get_key(&SERVICES, key) else {
            // The Service is gone: nothing owns its Endpoints but we.
            let Some(old) = s.get_key(&ENDPOINTS, key) else {
                return Ok(());
            };
            if Meta::of(&old).label(MANAGED_BY) == Some("endpoint-controller") {
                let request = Request::delete(&ENDPOINTS, key.namespace.clone(), key.name.clone());
                s.call(request)?;
            }
            return Ok(());
        };
        if !is_selecting(&service) {
            return Ok(());
        }
        let is_published = service.path("spec.publishNotReadyAddresses").as_bool() == Some(true);
        let pods = s.list(&PODS, |cache| {
            cache.in_namespace(&key.namespace).filter(|pod| {
                chooses(&service, pod)
                    && has_endpoint(pod)
                    && (is_published || !Meta::of(pod).is_deleting())
            })
        });
        let subsets = subsets(&service, &pods, is_published);
        let mut labels = Meta::of(&service).0.get("labels").clone();
        labels.set(MANAGED_BY, "endpoint-controller");
        if is_headless(&service) {
            labels.set(HEADLESS, "");
        }
        let old = s.get_key(&ENDPOINTS, key);
        let is_same = old.as_ref().is_some_and(|old| {
            old.get("subsets").items() == &*subsets && *Meta::of(old).0.get("labels") == labels
        });
        if is_same {
            return Ok(());
        }
        let is_new = old.is_none();
        let mut endpoints = old.unwrap_or_else(|| {
            map! {
                "apiVersion": "v1", "kind": "Endpoints",
                "metadata": map! { "name": &key.name, "namespace": &key.namespace },
            }
        });
        endpoints.at_mut(&["metadata"]).set("labels", labels);
        endpoints
            .at_mut(&["metadata", "annotations"])
            .set(TRIGGER_TIME, trigger_time(&service, &pods));
        if subsets.is_empty() {
            endpoints.remove("subsets");
        } else {
            endpoints.set("subsets", subsets);
        }
        let request = if is_new {
            Request::create(&ENDPOINTS, key.namespace.clone(), endpoints)
        } else {
            Request::update(&ENDPOINTS, endpoints)
        };
        let answer = s.call(request)?;
        let is_moot = crate::replicaset::is_namespace_terminating(&answer.body);
        if answer.is_success() || is_moot {
            Ok(())
        } else {
            Err(Halt::Retry(answer.message().to_owned()))
        }
    }
}

/// Addresses with equal ports together, ready ones apart; sorted by address.
fn subsets(service: &Value, pods: &[Value], is_published: bool) -> Vec<Value> {
    let mut by_ports: BTreeMap<String, (Value, Vec<Value>, Vec<Value>)> = BTreeMap::new();
    let is_portless = service.path("spec.ports").items().is_empty();
    for pod in pods.iter().take(MAX_ADDRESSES) {
        let mut ports = ports(service, pod);
        for port in &mut ports {
            if port.str("name").is_empty() {
                port.remove("name");
            }
        }
        if ports.is_empty() && !is_portless {
            continue;
        }
        let mut address =
            map! { "ip": pod.path("status.podIP"), "targetRef": target_reference(pod) };
        let node = pod.path("spec.nodeName");
        if !node.is_empty() {
            address.set("nodeName", node);
        }
        if let Some(name) = hostname(service, pod) {
            address.set("hostname", name.to_owned());
        }
        let is_never_again = pods::is_finished(pod)
            || meta::condition(pod, "Ready").is_none()
                && !is_published
                && pod.path("status.phase").as_str() == Some("Failed");
        if is_never_again {
            continue;
        }
        let ports = Value::from(ports);
        let entry = by_ports
            .entry(ports.to_json())
            .or_insert((ports, Vec::new(), Vec::new()));
        if is_published || pods::is_ready(pod) {
            entry.1.push(address);
        } else {
            entry.2.push(address);
        }
    }
    let by_ip = |addresses: &mut Vec<Value>| {
        addresses.sort_by_cached_key(|a| (ip_number(a.str("ip")), a.str("ip").to_owned()));
    };
    by_ports
        .into_values()
        .map(|(ports, mut ready, mut waiting)| {
            by_ip(&mut ready);
            by_ip(&mut waiting);
            let mut subset = map! {};
            for (field, list) in [("addresses", ready), ("notReadyAddresses", waiting)] {
                if !list.is_empty() {
                    subset.set(field, list);
                }
            }
            if !ports.is_empty() {
                subset.set("ports", ports);
            }
            subset
        })
        .collect()
}

/// Addresses sort by their bytes, not by their text.
fn ip_number(ip: &str) -> Option<std::net::IpAddr> {
    ip.parse().ok()
}
