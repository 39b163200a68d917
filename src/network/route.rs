//! kube-proxy: what a packet to a service's address becomes.
//!
//! Models `pkg/proxy/iptables` at v1.36: a ready endpoint by chance, session affinity by client address, traffic policies,
//! terminating endpoints where there are no others, and a refusal where there are none at all.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::{Str, Value};
use sim::{Rng, SECOND, Time};

use crate::tables::{Endpoint, ServiceKey, Tables, protocol};
use crate::{Call, Protocol};

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The address is no service's.
    Direct,
    To {
        address: Ipv4Addr,
        port: u16,
        service: ServiceKey,
    },
    /// A service without endpoints.
    Refused { service: ServiceKey },
    /// A port that the service does not have, or a policy that lets only local endpoints answer.
    Dropped { service: ServiceKey },
}

/// From where a packet comes to its node's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub source: Ipv4Addr,
    /// The node whose kube-proxy handles it.
    pub node: Str,
    /// Whether the destination is that node's own address.
    pub is_node_address: bool,
}

/// Which client was sent where, for services with session affinity.
#[derive(Clone, Debug, Default)]
pub struct Affinity {
    chosen: BTreeMap<(ServiceKey, u16, Ipv4Addr), (Ipv4Addr, Time)>,
}

impl Tables {
    /// Rewrites the destination of a call as the rules of a node do.
    pub fn route(
        &self,
        call: &Call,
        place: &Place,
        affinity: &mut Affinity,
        now: Time,
        rng: &mut Rng,
    ) -> Route {
        let (key, service, port, is_external) = match self.service_at(call.to) {
            Some((key, service)) => {
                let ports = service.path("spec.ports").items();
                let port = ports.iter().find(|port| {
                    port.int("port") == Some(i64::from(call.port))
                        && protocol(port.str("protocol")) == Some(call.protocol)
                });
                let is_external =
                    service.path("spec.clusterIP").as_str() != Some(&call.to.to_string());
                match port {
                    Some(port) => (key, service, port, is_external),
                    None => {
                        return Route::Dropped {
                            service: key.clone(),
                        };
                    }
                }
            }
            None if place.is_node_address && call.protocol != Protocol::Icmp => {
                let Some((key, service)) = self.service_on_node(call.port, call.protocol) else {
                    return Route::Direct;
                };
                let ports = service.path("spec.ports").items();
                let port = ports.iter().find(|port| {
                    port.int("nodePort") == Some(i64::from(call.port))
                        && protocol(port.str("protocol")) == Some(call.protocol)
                });
                match port {
                    Some(port) => (key, service, port, true),
                    None => return Route::Direct,
                }
            }
            None => return Route::Direct,
        };
        let spec = service.get("spec");
        let policy = if is_external {
            "externalTrafficPolicy"
        } else {
            "internalTrafficPolicy"
        };
        let all = self.endpoints(key);
        let of_port: Vec<&Endpoint> = all
            .iter()
            .filter(|row| row.port_name == port.str("name") && row.port > 0)
            .collect();
        let usable = usable(&of_port);
        let is_local = spec.str(policy) == "Local";
        let near: Vec<&Endpoint> = usable
            .iter()
            .copied()
            .filter(|row| !is_local || row.node == place.node)
            .collect();
        if near.is_empty() {
            return if usable.is_empty() {
                Route::Refused {
                    service: key.clone(),
                }
            } else {
                Route::Dropped {
                    service: key.clone(),
                }
            };
        }
        let chosen = affinity.choose(key, spec, call.port, place.source, &near, now, rng);
        Route::To {
            address: chosen.address,
            port: chosen.port,
            service: key.clone(),
        }
    }
}

/// Ready endpoints; where none is, those that still serve while they terminate.
fn usable<'a>(rows: &[&'a Endpoint]) -> Vec<&'a Endpoint> {
    let ready: Vec<&Endpoint> = rows.iter().copied().filter(|row| row.is_ready).collect();
    if !ready.is_empty() {
        return ready;
    }
    rows.iter()
        .copied()
        .filter(|row| row.is_serving && row.is_terminating)
        .collect()
}

impl Affinity {
    #[expect(
        clippy::too_many_arguments,
        reason = "the rule's inputs are these, and it has one caller"
    )]
    fn choose<'a>(
        &mut self,
        key: &ServiceKey,
        spec: &Value,
        port: u16,
        source: Ipv4Addr,
        rows: &[&'a Endpoint],
        now: Time,
        rng: &mut Rng,
    ) -> &'a Endpoint {
        let by_chance = |rng: &mut Rng| rows[rng.below(rows.len() as u64) as usize];
        if spec.str("sessionAffinity") != "ClientIP" {
            return by_chance(rng);
        }
        let secs = spec
            .path("sessionAffinityConfig.clientIP.timeoutSeconds")
            .as_int()
            .unwrap_or(10_800);
        let place = (key.clone(), port, source);
        let known = self
            .chosen
            .get(&place)
            .filter(|(_, last)| now.since(*last) <= secs as u64 * SECOND);
        let row = known
            .and_then(|(address, _)| rows.iter().copied().find(|row| row.address == *address))
            .unwrap_or_else(|| by_chance(rng));
        self.chosen.insert(place, (row.address, now));
        row
    }
}
