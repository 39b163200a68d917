//! What every namespace gets when it is made: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.
//!
//! Models `pkg/controller/serviceaccount/serviceaccounts_controller.go` and
//! `pkg/controller/certificates/rootcacertpublisher` at v1.36.

use api::core::{CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS};
use api::meta::Meta;
use api::{Request, Resource, Value, map};
use client::{Change, Informers, ObjectKey};

use crate::runner::{Controller, Keys};
use crate::sync::{Halt, Step, Sync};

/// The certificate of the simulated cluster's certificate authority. Its key was thrown away: nothing here does TLS.
const ROOT_CA: &str = include_str!("root_ca.pem");
const ROOT_CA_NAME: &str = "kube-root-ca.crt";
const ROOT_CA_DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/// Makes `default` ServiceAccounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct DefaultAccounts;

/// Publishes the root certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootCertificates;

fn namespace_key(name: impl Into<api::Str>) -> ObjectKey {
    ObjectKey::new("", name)
}

/// The namespace of the key, unless it is gone or going.
fn living(key: &ObjectKey, s: &mut Sync<'_, '_>) -> bool {
    let namespace = s.get_key(&NAMESPACES, key);
    namespace.is_some_and(|n| n.path("status.phase").as_str() != Some("Terminating"))
}

/// A creation that may meet the object already there, or a namespace that goes.
fn settle(answer: &api::Response) -> Step {
    let is_moot = answer.code == 409
        || answer.code == 404
        || crate::replicaset::is_namespace_terminating(&answer.body);
    if answer.is_success() || is_moot {
        Ok(())
    } else {
        Err(Halt::Retry(answer.message().to_owned()))
    }
}

impl Controller for DefaultAccounts {
    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn kind(&self) -> &'static str {
        "namespaces"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![NAMESPACES, SERVICE_ACCOUNTS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == NAMESPACES {
            if !change.is_deleted() {
                keys.add(ObjectKey::of(change.object()));
            }
        } else if change.is_deleted() {
            keys.add(namespace_key(Meta::of(change.object()).shared_namespace()));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if !living(key, s) || s.get(&SERVICE_ACCOUNTS, &key.name, "default").is_some() {
            return Ok(());
        }
        let account = map! {
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": map! { "name": "default", "namespace": &key.name },
        };
        settle(&s.call(Request::create(
            &SERVICE_ACCOUNTS,
            key.name.clone(),
            account,
        ))?)
    }
}

impl Controller for RootCertificates {
    fn name(&self) -> &'static str {
        "root-ca-certificate-publisher-controller"
    }

    fn kind(&self) -> &'static str {
        "namespaces"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> Vec<Resource> {
        vec![NAMESPACES, CONFIG_MAPS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource == NAMESPACES {
            if !change.is_deleted() {
                keys.add(ObjectKey::of(change.object()));
            }
        } else if Meta::of(change.object()).name() == ROOT_CA_NAME && !change.is_added() {
            keys.add(namespace_key(Meta::of(change.object()).shared_namespace()));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        if !living(key, s) {
            return Ok(());
        }
        let data = map! { "ca.crt": ROOT_CA };
        let Some(mut existing) = s.get(&CONFIG_MAPS, &key.name, ROOT_CA_NAME) else {
            let map = map! {
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": map! {
                    "name": ROOT_CA_NAME, "namespace": &key.name,
                    "annotations": map! { "kubernetes.io/description": ROOT_CA_DESCRIPTION },
                },
                "data": data,
            };
            return settle(&s.call(Request::create(&CONFIG_MAPS, key.name.clone(), map))?);
        };
        let description = Meta::of(&existing).annotation("kubernetes.io/description");
        if *existing.get("data") == data && description.is_some_and(|text| !text.is_empty()) {
            return Ok(());
        }
        existing.set("data", data);
        existing.at_mut(&["metadata", "annotations"]).set(
            "kubernetes.io/description",
            Value::from(ROOT_CA_DESCRIPTION),
        );
        s.must(Request::update(&CONFIG_MAPS, existing))?;
        Ok(())
    }
}
