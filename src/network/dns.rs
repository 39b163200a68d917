//! The cluster's zone: names of services, of the pods behind them, and back.
//!
//! Models CoreDNS' `kubernetes` plugin (`pods insecure`) and the specification "Kubernetes DNS-Based Service Discovery".

use std::net::Ipv4Addr;

use api::{Str, Value};
use posix::{Record, RecordKind};

use crate::tables::{Endpoint, Tables};

/// Where the cluster's DNS is asked.
pub const NAMESERVER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// The zone that it answers for.
pub const ZONE: &str = "cluster.local";

/// What the zone says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Empty if the name is there without anything of the wanted kind.
    Records(Vec<Record>),
    NoName,
    /// The name is in no zone of the cluster.
    Outside,
}

impl Tables {
    /// Answers a question for a full name.
    pub fn look_up(&self, name: &str, kind: RecordKind) -> Found {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(address) = name.strip_suffix(".in-addr.arpa") {
            return self.reverse(address, &name);
        }
        let Some(below) = name
            .strip_suffix(ZONE)
            .and_then(|rest| rest.strip_suffix('.'))
        else {
            return if name == ZONE {
                Found::Records(Vec::new())
            } else {
                Found::Outside
            };
        };
        let labels: Vec<&str> = below.split('.').collect();
        let found = match &labels[..] {
            ["dns-version"] if matches!(kind, RecordKind::Text | RecordKind::Any) => {
                Some(vec![record(&name, RecordKind::Text, "1.1.0".to_owned())])
            }
            ["dns-version"] | ["svc"] | ["pod"] => Some(Vec::new()),
            [namespace, "svc" | "pod"] => self.has_namespace(namespace).then(Vec::new),
            [dashed, namespace, "pod"] => self.pod(&name, dashed, namespace, kind),
            [service, namespace, "svc"] => self.of_service(&name, service, namespace, kind),
            [host, service, namespace, "svc"] => {
                self.of_host(&name, host, service, namespace, kind)
            }
            [port, transport, service, namespace, "svc"] => {
                let (Some(port), Some(transport)) =
                    (port.strip_prefix('_'), transport.strip_prefix('_'))
                else {
                    return Found::NoName;
                };
                self.of_port(&name, (port, transport), service, namespace)
            }
            _ => None,
        };
        match found {
            Some(records) => Found::Records(
                records
                    .into_iter()
                    .filter(|r| {
                        kind == RecordKind::Any || r.kind == kind || r.kind == RecordKind::CName
                    })
                    .collect(),
            ),
            None => Found::NoName,
        }
    }

    fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name)
    }

    /// `10-244-1-7.default.pod.cluster.local` is what it says.
    fn pod(
        &self,
        name: &str,
        dashed: &str,
        namespace: &str,
        kind: RecordKind,
    ) -> Option<Vec<Record>> {
        let address: Ipv4Addr = dashed.replace('-', ".").parse().ok()?;
        let _ = kind;
        self.has_namespace(namespace)
            .then(|| vec![record(name, RecordKind::Address, address.to_string())])
    }

    fn of_service(
        &self,
        name: &str,
        service: &str,
        namespace: &str,
        kind: RecordKind,
    ) -> Option<Vec<Record>> {
        let object = self.service(namespace, service)?;
        let spec = object.get("spec");
        if spec.str("type") == "ExternalName" {
            return Some(vec![record(
                name,
                RecordKind::CName,
                format!("{}.", spec.str("externalName")),
            )]);
        }
        if kind == RecordKind::Service {
            return Some(self.services_of(name, None, service, namespace, object));
        }
        if spec.str("clusterIP") != "None" {
            let address = spec.str("clusterIP").to_owned();
            return Some(vec![record(name, RecordKind::Address, address)]);
        }
        let mut addresses: Vec<Ipv4Addr> = self
            .behind(namespace, service)
            .iter()
            .map(|row| row.address)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        // A headless service without a ready endpoint is no name at all.
        (!addresses.is_empty()).then(|| {
            addresses
                .iter()
                .map(|address| record(name, RecordKind::Address, address.to_string()))
                .collect()
        })
    }

    fn of_host(
        &self,
        name: &str,
        host: &str,
        service: &str,
        namespace: &str,
        kind: RecordKind,
    ) -> Option<Vec<Record>> {
        let object = self.service(namespace, service)?;
        if let Some(port) = host
            .strip_prefix('_')
            .filter(|_| kind == RecordKind::Service)
        {
            return self.of_port(name, (port, "tcp"), service, namespace);
        }
        if object.path("spec.clusterIP").as_str() != Some("None") {
            return None;
        }
        let row = self
            .behind(namespace, service)
            .into_iter()
            .find(|row| host_of(row) == host)?;
        Some(vec![record(
            name,
            RecordKind::Address,
            row.address.to_string(),
        )])
    }

    fn of_port(
        &self,
        name: &str,
        port: (&str, &str),
        service: &str,
        namespace: &str,
    ) -> Option<Vec<Record>> {
        let object = self.service(namespace, service)?;
        let records = self.services_of(name, Some(port), service, namespace, object);
        (!records.is_empty()).then_some(records)
    }

    /// SRV records: of the service itself, or of each pod behind a headless one.
    fn services_of(
        &self,
        name: &str,
        wanted: Option<(&str, &str)>,
        service: &str,
        namespace: &str,
        object: &Value,
    ) -> Vec<Record> {
        let full = format!("{service}.{namespace}.svc.{ZONE}.");
        let is_wanted = |port_name: &str, transport: &str| {
            wanted
                .is_none_or(|(port, own)| port == port_name && own.eq_ignore_ascii_case(transport))
        };
        let mut records = Vec::new();
        let is_headless = object.path("spec.clusterIP").as_str() == Some("None");
        for port in object.path("spec.ports").items() {
            let transport = match port.str("protocol") {
                "" => "TCP",
                transport => transport,
            };
            if !is_wanted(port.str("name"), transport) {
                continue;
            }
            if !is_headless {
                let number = port.int("port").unwrap_or(0);
                records.push(record(
                    name,
                    RecordKind::Service,
                    format!("0 100 {number} {full}"),
                ));
                continue;
            }
            for row in self
                .behind(namespace, service)
                .iter()
                .filter(|row| row.port_name == port.str("name"))
            {
                let target = format!("0 100 {} {}.{full}", row.port, host_of(row));
                records.push(record(name, RecordKind::Service, target));
            }
        }
        let many = records.len().max(1);
        if many > 1 {
            // The weight is shared among equals.
            for record in &mut records {
                record.value = record
                    .value
                    .replacen("0 100 ", &format!("0 {} ", 100 / many), 1);
            }
        }
        records
    }

    fn behind(&self, namespace: &str, service: &str) -> Vec<Endpoint> {
        let mut rows = self.endpoints(&(Str::new(namespace), Str::new(service)));
        rows.retain(|row| row.is_ready);
        rows.sort_by_key(|row| (row.address, row.port));
        rows
    }

    fn reverse(&self, text: &str, name: &str) -> Found {
        let turned: Vec<&str> = text.split('.').rev().collect();
        let Ok(address) = turned.join(".").parse::<Ipv4Addr>() else {
            return Found::NoName;
        };
        if let Some(((namespace, service), object)) = self.service_at(address)
            && object.path("spec.clusterIP").as_str() == Some(&address.to_string())
        {
            let full = format!("{service}.{namespace}.svc.{ZONE}.");
            return Found::Records(vec![record(name, RecordKind::Pointer, full)]);
        }
        let mut names = Vec::new();
        for ((namespace, service), _) in self.services() {
            for row in self
                .behind(namespace, service)
                .iter()
                .filter(|row| row.address == address)
            {
                let full = format!("{}.{service}.{namespace}.svc.{ZONE}.", host_of(row));
                if !names.contains(&full) {
                    names.push(full);
                }
            }
        }
        if names.is_empty() {
            return Found::NoName;
        }
        Found::Records(
            names
                .into_iter()
                .map(|full| record(name, RecordKind::Pointer, full))
                .collect(),
        )
    }
}

/// The label of a pod below its service: its hostname, or its address with dashes.
fn host_of(row: &Endpoint) -> String {
    if row.hostname.is_empty() {
        row.address.to_string().replace('.', "-")
    } else {
        row.hostname.to_string()
    }
}

fn record(name: &str, kind: RecordKind, value: String) -> Record {
    Record {
        name: name.to_owned(),
        kind,
        value,
    }
}
