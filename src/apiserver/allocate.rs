//! Addresses and ports of services: cluster IPs and node ports, each at most once.
//!
//! Models `registry/core/service/storage/alloc.go` with the default ranges of kubeadm: 10.96.0.0/12, 30000-32767.

use api::status::Problem;
use api::{Status, Value, list};

use crate::ApiServer;
use crate::call::Call;
use crate::path::Path;

/// 10.96.0.0/12 without its network address.
const FIRST_IP: u32 = 0x0a60_0001;
const LAST_IP: u32 = 0x0a6f_fffe;
const NODE_PORTS: (u64, u64) = (30000, 32767);

impl ApiServer {
    /// Fills in what a service is to be given.
    pub(crate) fn allocate(
        &mut self,
        call: &Call,
        object: &mut Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        let is_service = call.kind.group.is_empty() && call.kind.plural == *"services";
        if !is_service || !call.subresource.is_empty() {
            return Ok(());
        }
        let mut problems = Vec::new();
        let old = old.unwrap_or(&Value::Null);
        self.cluster_ip(object, old, &mut problems);
        if !problems.is_empty() {
            return call.check(object, problems);
        }
        self.node_ports(object, old, &mut problems);
        call.check(object, problems)
    }

    fn cluster_ip(&mut self, service: &mut Value, old: &Value, problems: &mut Vec<Problem>) {
        let spec = service.get("spec");
        if spec.str("type") == "ExternalName" {
            let spec = service.entry("spec");
            for field in [
                "clusterIP",
                "clusterIPs",
                "ipFamilies",
                "ipFamilyPolicy",
                "internalTrafficPolicy",
            ] {
                spec.remove(field);
            }
            return;
        }
        let families = spec.get("ipFamilies").items();
        let is_lenient =
            spec.str("clusterIP") == "None" || spec.str("ipFamilyPolicy") == "PreferDualStack";
        for (at, family) in families.iter().enumerate() {
            // Only the first family is the service's own choice where dual stack is a wish.
            if family.as_str() != Some("IPv4")
                && (at == 0 || !is_lenient)
                && spec.str("clusterIP") != "None"
            {
                let path = Path::new("spec");
                let families = path.child("ipFamilies");
                problems.push(
                    families
                        .index(at)
                        .invalid(family, "not configured on this cluster"),
                );
            }
        }
        let given = spec.shared_str("clusterIP");
        let before = old.get("spec").shared_str("clusterIP");
        let ip = if given.is_empty() && !before.is_empty() {
            before
        } else if given.is_empty() {
            self.free_ip().into()
        } else {
            let path = Path::new("spec");
            let address: Option<std::net::Ipv4Addr> = given.parse().ok();
            if given != *"None" && address.is_none() {
                let ips = path.child("clusterIPs");
                problems.push(ips.index(0).invalid(
                    &given,
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                ));
            } else if address.is_some_and(|ip| !(FIRST_IP..=LAST_IP).contains(&u32::from(ip))) {
                problems.push(path.child("clusterIPs").invalid(
                    list![given.clone()],
                    &format!("failed to allocate IP {given}: the provided network does not match the current range"),
                ));
            } else if given != before && given != *"None" && self.is_ip_taken(&given) {
                problems.push(path.child("clusterIPs").invalid(
                    list![given.clone()],
                    &format!("failed to allocate IP {given}: provided IP is already allocated"),
                ));
            }
            given
        };
        let is_headless_without_selector = ip == *"None" && spec.get("selector").is_empty();
        let spec = service.entry("spec");
        spec.set("clusterIPs", list![ip.clone()]);
        spec.set("clusterIP", ip);
        if spec.get("ipFamilies").is_empty() {
            let (families, policy) = if is_headless_without_selector {
                (list!["IPv4", "IPv6"], "RequireDualStack")
            } else {
                (list!["IPv4"], "SingleStack")
            };
            spec.set("ipFamilies", families);
            if spec.str("ipFamilyPolicy").is_empty() {
                spec.set("ipFamilyPolicy", policy);
            }
        }
    }

    fn node_ports(&mut self, service: &mut Value, old: &Value, problems: &mut Vec<Problem>) {
        let spec = service.get("spec");
        let wants = match spec.str("type") {
            "NodePort" => true,
            "LoadBalancer" => spec.get("allocateLoadBalancerNodePorts").as_bool() != Some(false),
            _ => false,
        };
        let ports = spec.get("ports").items().to_vec();
        let mut mine: Vec<i64> = Vec::new();
        let mut changed = Vec::with_capacity(ports.len());
        for (at, mut port) in ports.into_iter().enumerate() {
            let had = old
                .path("spec.ports")
                .items()
                .iter()
                .find(|p| {
                    p.get("port") == port.get("port") && p.get("protocol") == port.get("protocol")
                })
                .and_then(|p| p.int("nodePort"));
            match port.int("nodePort").filter(|n| *n != 0) {
                Some(number) => {
                    if had != Some(number)
                        && (self.is_node_port_taken(number) || mine.contains(&number))
                    {
                        let spec = Path::new("spec");
                        let ports = spec.child("ports");
                        problems.push(
                            ports
                                .index(at)
                                .child("nodePort")
                                .invalid(number, "provided port is already allocated"),
                        );
                    } else if !(NODE_PORTS.0 as i64..=NODE_PORTS.1 as i64).contains(&number) {
                        let spec = Path::new("spec");
                        let ports = spec.child("ports");
                        problems.push(ports.index(at).child("nodePort").invalid(
                            number,
                            "provided port is not in the valid range. The range of valid ports is 30000-32767",
                        ));
                    }
                    mine.push(number);
                }
                None if wants => {
                    let number = had.unwrap_or_else(|| self.free_node_port(&mine));
                    mine.push(number);
                    port.set("nodePort", number);
                }
                None => {
                    port.remove("nodePort");
                }
            }
            changed.push(port);
        }
        if changed != service.path("spec.ports").items() {
            service.set_path("spec.ports", changed);
        }
    }

    /// A random address that no service has; the upper part of the range first, as the real allocator does.
    fn free_ip(&mut self) -> String {
        let reserved = 256;
        loop {
            let ip = self
                .addresses
                .between(u64::from(FIRST_IP + reserved), u64::from(LAST_IP))
                as u32;
            let text = std::net::Ipv4Addr::from(ip).to_string();
            if !self.is_ip_taken(&text) {
                return text;
            }
        }
    }

    fn is_ip_taken(&self, ip: &str) -> bool {
        self.objects("services", "")
            .any(|service| service.get("spec").str("clusterIP") == ip)
    }

    fn free_node_port(&mut self, mine: &[i64]) -> i64 {
        loop {
            let port = self.addresses.between(NODE_PORTS.0, NODE_PORTS.1) as i64;
            if !mine.contains(&port) && !self.is_node_port_taken(port) {
                return port;
            }
        }
    }

    fn is_node_port_taken(&self, number: i64) -> bool {
        self.objects("services", "").any(|service| {
            service
                .path("spec.ports")
                .items()
                .iter()
                .any(|port| port.int("nodePort") == Some(number))
        })
    }

    /// Nothing is kept aside for services, so there is nothing to give back.
    pub(crate) fn release(&mut self, call: &Call, object: &Value) {
        let _ = (call, object);
    }
}
