//! The objects that exist before anyone asks: those that the API server and kubeadm make themselves.

mod roles;

use api::patch::apply::{self, Manager};
use api::patch::merge;
use api::{Resource, Value, list, map, schema};
use sim::Rng;
use store::Key;

use crate::metadata::{fill_system_fields, new_uid};
use crate::{ApiServer, collection_name};

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The first address of the service network, by which pods reach the API server.
pub(crate) const KUBERNETES_SERVICE_IP: &str = "10.96.0.1";

/// Where the API server itself listens, beside the machines of the nodes.
const OWN_ADDRESS: &str = "172.18.0.1";

impl ApiServer {
    pub(crate) fn bootstrap(&mut self) {
        for name in NAMESPACES {
            let namespace = map! {
                "metadata": map! { "name": name, "labels": map! { "kubernetes.io/metadata.name": name } },
            };
            let completed = map! {
                "spec": map! { "finalizers": list!["kubernetes"] }, "status": map! { "phase": "Active" },
            };
            self.plant("", "v1", "namespaces", "Namespace", namespace, completed);
        }
        for (name, value) in [
            ("system-node-critical", 2_000_001_000_i64),
            ("system-cluster-critical", 2_000_000_000),
        ] {
            let description = if name == "system-node-critical" {
                "Used for system critical pods that must not be moved from their current node."
            } else {
                "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
            };
            let class = map! {
                "metadata": map! { "name": name, "generation": 1 }, "value": value,
                "description": description, "preemptionPolicy": "PreemptLowerPriority",
            };
            self.plant(
                "scheduling.k8s.io",
                "v1",
                "priorityclasses",
                "PriorityClass",
                class,
                map! {},
            );
        }
        let service = map! {
            "metadata": map! {
                "name": "kubernetes", "namespace": "default",
                "labels": map! { "component": "apiserver", "provider": "kubernetes" },
            },
            "spec": map! {
                "clusterIP": KUBERNETES_SERVICE_IP, "internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack",
                "ports": list![map! { "name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443 }],
                "sessionAffinity": "None", "type": "ClusterIP",
            },
        };
        let completed = map! {
            "spec": map! { "clusterIPs": list![KUBERNETES_SERVICE_IP], "ipFamilies": list!["IPv4"] },
            "status": map! { "loadBalancer": map! {} },
        };
        self.plant("", "v1", "services", "Service", service, completed);
        let service_cidr = map! {
            "metadata": map! { "name": "kubernetes", "finalizers": list!["networking.k8s.io/service-cidr-finalizer"] },
            "spec": map! { "cidrs": list!["10.96.0.0/12"] },
        };
        let ready = map! {
            "lastTransitionTime": self.now.rfc3339(), "message": "Kubernetes Service CIDR is ready", "reason": "",
            "status": "True", "type": "Ready",
        };
        self.plant(
            "networking.k8s.io",
            "v1",
            "servicecidrs",
            "ServiceCIDR",
            service_cidr,
            map! { "status": map! { "conditions": list![ready] } },
        );
        // Their names must not shift those of everything that follows.
        let uids = std::mem::replace(&mut self.uids, Rng::stream(self.token_key, "roles"));
        self.plant_roles();
        self.plant_own_endpoints();
        self.plant_services();
        self.uids = uids;
        self.tell_watchers();
        self.notes.clear();
    }

    /// Who answers for the service `kubernetes`: the API server tells it itself, as its lease reconciler does
    /// (`pkg/controlplane/reconcilers`), because no pod stands behind it.
    fn plant_own_endpoints(&mut self) {
        let meta = |label: &'static str, value: &'static str| {
            map! {
                "name": "kubernetes", "namespace": "default", "labels": map! { label: value },
            }
        };
        let port = map! { "name": "https", "port": 6443, "protocol": "TCP" };
        let endpoints = map! {
            "metadata": meta("endpointslice.kubernetes.io/skip-mirror", "true"),
            "subsets": list![map! {
                "addresses": list![map! { "ip": OWN_ADDRESS }], "ports": list![port.clone()],
            }],
        };
        self.plant("", "v1", "endpoints", "Endpoints", endpoints, map! {});
        let slice = map! {
            "metadata": meta("kubernetes.io/service-name", "kubernetes"),
            "addressType": "IPv4",
            "endpoints": list![map! {
                "addresses": list![OWN_ADDRESS], "conditions": map! { "ready": true },
            }],
            "ports": list![port],
        };
        self.plant(
            "discovery.k8s.io",
            "v1",
            "endpointslices",
            "EndpointSlice",
            slice,
            map! {},
        );
    }

    /// Stores an object that is made without asking anyone; `completed` is what was not sent but filled in.
    pub(crate) fn plant(
        &mut self,
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
        mut object: Value,
        completed: Value,
    ) {
        let resource = Resource::of(group, version, plural);
        object.set("apiVersion", resource.api_version());
        object.set("kind", kind);
        let uid = new_uid(&mut self.uids);
        fill_system_fields(&mut object, uid, self.now);
        let api_version = resource.api_version();
        let manager = Manager {
            name: "kube-apiserver",
            api_version: &api_version,
            time: Some(self.now),
            ..Manager::default()
        };
        let of = schema::of_kind(group, version, kind);
        apply::track(of, &Value::Null, &mut object, &manager);
        let object = merge::apply(&object, &completed);
        let collection = self.store.collection(&collection_name(&resource));
        let meta = object.get("metadata");
        let key = Key::new(meta.shared_str("namespace"), meta.shared_str("name"));
        self.store.put(collection, key, object);
    }
}
