//! What a node's kube-proxy and the cluster's DNS know: services with their endpoints, namespaces, network policies.
//!
//! Nothing is computed in advance: a clone is a stale copy (a node that is cut off keeps what it knew), and the questions
//! are answered from the objects.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::{Str, Value};

use crate::Protocol;

/// Namespace and name.
pub type ServiceKey = (Str, Str);

#[derive(Clone, Debug, Default)]
pub struct Tables {
    services: BTreeMap<ServiceKey, Value>,
    slices: BTreeMap<ServiceKey, BTreeMap<Str, Value>>,
    pub(crate) policies: BTreeMap<ServiceKey, Value>,
    pub(crate) namespaces: BTreeMap<Str, Value>,
    /// Cluster addresses, external ones and those of load balancers.
    addresses: BTreeMap<Ipv4Addr, ServiceKey>,
    node_ports: BTreeMap<(u16, Protocol), ServiceKey>,
}

/// One endpoint of a service's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: Ipv4Addr,
    pub port: u16,
    pub port_name: Str,
    pub hostname: Str,
    pub node: Str,
    pub is_ready: bool,
    pub is_serving: bool,
    pub is_terminating: bool,
}

/// The kinds of objects that the tables are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Service,
    EndpointSlice,
    NetworkPolicy,
    Namespace,
}

pub(crate) fn protocol(text: &str) -> Option<Protocol> {
    match text {
        "" | "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        _ => None,
    }
}

fn key(object: &Value) -> ServiceKey {
    let meta = object.get("metadata");
    (meta.shared_str("namespace"), meta.shared_str("name"))
}

/// The service that a slice belongs to.
fn owner(slice: &Value) -> ServiceKey {
    let meta = slice.get("metadata");
    let name = meta.get("labels").shared_str("kubernetes.io/service-name");
    (meta.shared_str("namespace"), name)
}

impl Tables {
    pub fn replace(&mut self, kind: Kind, objects: Vec<Value>) {
        match kind {
            Kind::Service => {
                self.services.clear();
                self.addresses.clear();
                self.node_ports.clear();
            }
            Kind::EndpointSlice => self.slices.clear(),
            Kind::NetworkPolicy => self.policies.clear(),
            Kind::Namespace => self.namespaces.clear(),
        }
        for object in objects {
            self.learn(kind, object);
        }
    }

    pub fn learn(&mut self, kind: Kind, object: Value) {
        match kind {
            Kind::Service => {
                self.forget(kind, &object);
                let key = key(&object);
                for address in addresses_of(&object) {
                    self.addresses.insert(address, key.clone());
                }
                for port in object.path("spec.ports").items() {
                    let number = port.int("nodePort").and_then(|n| u16::try_from(n).ok());
                    if let (Some(number), Some(protocol)) =
                        (number.filter(|n| *n > 0), protocol(port.str("protocol")))
                    {
                        self.node_ports.insert((number, protocol), key.clone());
                    }
                }
                self.services.insert(key, object);
            }
            Kind::EndpointSlice => {
                let name = object.get("metadata").shared_str("name");
                let slices = self.slices.entry(owner(&object)).or_default();
                slices.insert(name, object);
            }
            Kind::NetworkPolicy => drop(self.policies.insert(key(&object), object)),
            Kind::Namespace => {
                drop(
                    self.namespaces
                        .insert(object.get("metadata").shared_str("name"), object),
                );
            }
        }
    }

    pub fn forget(&mut self, kind: Kind, object: &Value) {
        match kind {
            Kind::Service => {
                let key = key(object);
                self.services.remove(&key);
                self.addresses.retain(|_, owner| *owner != key);
                self.node_ports.retain(|_, owner| *owner != key);
            }
            Kind::EndpointSlice => {
                let owner = owner(object);
                if let Some(slices) = self.slices.get_mut(&owner) {
                    slices.remove(object.get("metadata").str("name"));
                    if slices.is_empty() {
                        self.slices.remove(&owner);
                    }
                }
            }
            Kind::NetworkPolicy => drop(self.policies.remove(&key(object))),
            Kind::Namespace => drop(self.namespaces.remove(object.get("metadata").str("name"))),
        }
    }

    pub fn service(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.services.get(&(Str::new(namespace), Str::new(name)))
    }

    /// The service that owns an address.
    pub fn service_at(&self, address: Ipv4Addr) -> Option<(&ServiceKey, &Value)> {
        let key = self.addresses.get(&address)?;
        self.services.get_key_value(key)
    }

    pub(crate) fn service_on_node(
        &self,
        port: u16,
        protocol: Protocol,
    ) -> Option<(&ServiceKey, &Value)> {
        let key = self.node_ports.get(&(port, protocol))?;
        self.services.get_key_value(key)
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = (&ServiceKey, &Value)> {
        self.services.iter()
    }

    /// All endpoints of a service, a row for each port.
    pub fn endpoints(&self, service: &ServiceKey) -> Vec<Endpoint> {
        let mut rows = Vec::new();
        for slice in self
            .slices
            .get(service)
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            if slice.str("addressType") != "IPv4" {
                continue;
            }
            for endpoint in slice.get("endpoints").items() {
                let Some(Ok(address)) = endpoint
                    .get("addresses")
                    .items()
                    .first()
                    .and_then(Value::as_str)
                    .map(str::parse)
                else {
                    continue;
                };
                let conditions = endpoint.get("conditions");
                let is =
                    |name: &str, default: bool| conditions.get(name).as_bool().unwrap_or(default);
                let is_ready = is("ready", true);
                let row = Endpoint {
                    address,
                    port: 0,
                    port_name: Str::EMPTY,
                    hostname: endpoint.shared_str("hostname"),
                    node: endpoint.shared_str("nodeName"),
                    is_ready,
                    is_serving: is("serving", is_ready),
                    is_terminating: is("terminating", false),
                };
                let ports = slice.get("ports").items();
                if ports.is_empty() {
                    rows.push(row.clone());
                }
                for port in ports {
                    rows.push(Endpoint {
                        port: port
                            .int("port")
                            .and_then(|n| u16::try_from(n).ok())
                            .unwrap_or(0),
                        port_name: port.shared_str("name"),
                        ..row.clone()
                    });
                }
            }
        }
        rows
    }
}

/// Addresses at which a service answers.
fn addresses_of(service: &Value) -> Vec<Ipv4Addr> {
    let spec = service.get("spec");
    let balancers = service.path("status.loadBalancer.ingress").items();
    let texts = [spec.str("clusterIP")]
        .into_iter()
        .chain(
            spec.get("clusterIPs")
                .items()
                .iter()
                .filter_map(Value::as_str),
        )
        .chain(
            spec.get("externalIPs")
                .items()
                .iter()
                .filter_map(Value::as_str),
        )
        .chain(balancers.iter().map(|balancer| balancer.str("ip")));
    texts.filter_map(|text| text.parse().ok()).collect()
}
