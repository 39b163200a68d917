//! Gives Services of type LoadBalancer an address, as a cloud or MetalLB does.
//!
//! Only for Services without a `loadBalancerClass`. The address comes from a small range of the machines' own network;
//! packets to it are kube-proxy's business. Off unless a cluster is made with it, because a cluster by kubeadm has none
//! and its Services stay `<pending>`. Models `k8s.io/cloud-provider/controllers/service` at v1.36.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::core::SERVICES;
use api::meta::Meta;
use api::{PatchKind, Request, Resource, Value, list, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};

use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
/// The last numbers of `172.18.255.N` that may be given, the range of kind's guide to load balancers.
const RANGE: std::ops::RangeInclusive<u8> = 200..=250;

/// The service controller of a cloud-controller-manager.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadBalancers {
    given: BTreeMap<ObjectKey, Ipv4Addr>,
}

impl Controller for LoadBalancers {
    fn name(&self) -> &'static str {
        "service-controller"
    }

    fn kind(&self) -> &'static str {
        "services"
    }

    /// One after another, so that no address is given twice.
    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![SERVICES]
    }

    fn start(&mut self, _: &mut Keys<'_>) {
        self.given.clear();
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        let key = ObjectKey::of(change.object());
        if change.is_deleted() {
            self.given.remove(&key);
            return;
        }
        let service = change.object();
        if let Some(address) = address_of(service) {
            self.given.insert(key.clone(), address);
        }
        if is_wanted(service) || has_finalizer(service) {
            keys.add(key);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(service) = s.get_key(&SERVICES, key) else {
            return Ok(());
        };
        if is_wanted(&service) && !Meta::of(&service).is_deleting() {
            self.ensure(key, &service, s)
        } else if has_finalizer(&service) {
            self.clean_up(key, &service, s)
        } else {
            Ok(())
        }
    }
}

impl LoadBalancers {
    fn ensure(&mut self, key: &ObjectKey, service: &Value, s: &mut Sync<'_, '_>) -> Step {
        if address_of(service).is_some() && has_finalizer(service) {
            return Ok(());
        }
        let about = ObjectRef::of(service, "v1", "Service");
        s.event(
            &about,
            Severity::Normal,
            "EnsuringLoadBalancer",
            "Ensuring load balancer",
        );
        if !has_finalizer(service) {
            let mut kept = finalizers(service);
            kept.push(FINALIZER.into());
            s.must(keep_finalizers(key, kept))?;
        }
        let address = match self.choose(key, service, s) {
            Ok(address) => address,
            Err(why) => {
                let why = format!("failed to ensure load balancer: {why}");
                s.event(
                    &about,
                    Severity::Warning,
                    "SyncLoadBalancerFailed",
                    format!("Error syncing load balancer: {why}"),
                );
                return Err(Halt::Retry(why));
            }
        };
        let ingress = list![map! { "ip": address.to_string(), "ipMode": "VIP" }];
        s.must(tell(key, ingress))?;
        s.event(
            &about,
            Severity::Normal,
            "EnsuredLoadBalancer",
            "Ensured load balancer",
        );
        Ok(())
    }

    /// The address that the Service asks for, or the first free one.
    fn choose(
        &mut self,
        key: &ObjectKey,
        service: &Value,
        s: &mut Sync<'_, '_>,
    ) -> Result<Ipv4Addr, String> {
        // The choice is kept in the sync's log: it must not change when the sync goes on.
        let given = &self.given;
        let asked = service.path("spec.loadBalancerIP").as_str().unwrap_or("");
        let chosen = s.work_out(|| {
            let mut free = RANGE
                .map(|number| Ipv4Addr::new(172, 18, 255, number))
                .filter(|address| {
                    given
                        .iter()
                        .all(|(owner, taken)| taken != address || owner == key)
                });
            let found = free.find(|address| asked.is_empty() || address.to_string() == asked);
            found
                .map(|address| Value::from(address.to_string()))
                .into_iter()
                .collect()
        });
        let text = chosen.first().and_then(Value::as_str);
        let address = text.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let range = format!("172.18.255.{} to 172.18.255.{}", RANGE.start(), RANGE.end());
            if asked.is_empty() {
                format!("no address of {range} is left")
            } else {
                format!("{asked} is taken, or none of {range}")
            }
        })?;
        self.given.insert(key.clone(), address);
        Ok(address)
    }

    fn clean_up(&mut self, key: &ObjectKey, service: &Value, s: &mut Sync<'_, '_>) -> Step {
        let about = ObjectRef::of(service, "v1", "Service");
        s.event(
            &about,
            Severity::Normal,
            "DeletingLoadBalancer",
            "Deleting load balancer",
        );
        self.given.remove(key);
        if !Meta::of(service).is_deleting() && address_of(service).is_some() {
            s.must(tell(key, Value::Null))?;
        }
        let mut kept = finalizers(service);
        kept.retain(|finalizer| finalizer.as_str() != Some(FINALIZER));
        s.must(keep_finalizers(key, kept))?;
        s.event(
            &about,
            Severity::Normal,
            "DeletedLoadBalancer",
            "Deleted load balancer",
        );
        Ok(())
    }
}

fn is_wanted(service: &Value) -> bool {
    let spec = service.get("spec");
    spec.str("type") == "LoadBalancer" && spec.str("loadBalancerClass").is_empty()
}

fn address_of(service: &Value) -> Option<Ipv4Addr> {
    let ingress = service.path("status.loadBalancer.ingress").items();
    ingress.first()?.str("ip").parse().ok()
}

fn finalizers(service: &Value) -> Vec<Value> {
    service.path("metadata.finalizers").items().to_vec()
}

fn has_finalizer(service: &Value) -> bool {
    let mut all = service.path("metadata.finalizers").items().iter();
    all.any(|finalizer| finalizer.as_str() == Some(FINALIZER))
}

fn keep_finalizers(key: &ObjectKey, finalizers: Vec<Value>) -> Request {
    let patch = map! { "metadata": map! { "finalizers": finalizers } };
    Request::patch(
        &SERVICES,
        key.namespace.clone(),
        key.name.clone(),
        PatchKind::Merge,
        patch,
    )
}

fn tell(key: &ObjectKey, ingress: Value) -> Request {
    let patch = map! { "status": map! { "loadBalancer": map! { "ingress": ingress } } };
    Request::patch(
        &SERVICES,
        key.namespace.clone(),
        key.name.clone(),
        PatchKind::Merge,
        patch,
    )
    .subresource("status")
}
