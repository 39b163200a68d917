//! NetworkPolicy: which calls are let through between two places.
//!
//! Models the semantics of `networking.k8s.io/v1`: a pod that no policy selects is open, a selected one takes what any of
//! its policies allows. What a network plug-in would enforce on each node is judged here once per call.

use std::net::Ipv4Addr;

use api::selector::LabelSelector;
use api::{Str, Value};

use crate::{Protocol, Tables};

/// One end of a call.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    pub address: Ipv4Addr,
    /// The pod, unless it is somebody outside or shares its node's network.
    pub pod: Option<&'a Value>,
}

impl Tables {
    pub fn has_policies(&self) -> bool {
        !self.policies.is_empty()
    }

    /// Whether a call may pass.
    pub fn allows(&self, from: &Peer<'_>, to: &Peer<'_>, port: u16, protocol: Protocol) -> bool {
        self.is_open(from, to, "Egress", to, port, protocol)
            && self.is_open(to, from, "Ingress", to, port, protocol)
    }

    /// Whether the policies of `own` for one direction let `other` through.
    fn is_open(
        &self,
        own: &Peer<'_>,
        other: &Peer<'_>,
        direction: &str,
        target: &Peer<'_>,
        port: u16,
        protocol: Protocol,
    ) -> bool {
        let Some(pod) = own.pod else { return true };
        let meta = pod.get("metadata");
        let namespace = meta.shared_str("namespace");
        let mut is_selected = false;
        for ((_, _), policy) in self
            .policies
            .range((namespace.clone(), Str::EMPTY)..)
            .take_while(|((ns, _), _)| *ns == namespace)
        {
            let spec = policy.get("spec");
            let applies = spec
                .get("policyTypes")
                .items()
                .iter()
                .any(|kind| kind.as_str() == Some(direction));
            if !applies || !selects(spec.get("podSelector"), pod) {
                continue;
            }
            is_selected = true;
            let (rules, peers) = if direction == "Ingress" {
                ("ingress", "from")
            } else {
                ("egress", "to")
            };
            let passes = spec.get(rules).items().iter().any(|rule| {
                let ports = rule.get("ports").items();
                let peers = rule.get(peers).items();
                (ports.is_empty() || ports.iter().any(|p| has_port(p, target, port, protocol)))
                    && (peers.is_empty()
                        || peers
                            .iter()
                            .any(|peer| self.is_peer(peer, other, &namespace)))
            });
            if passes {
                return true;
            }
        }
        !is_selected
    }

    fn is_peer(&self, rule: &Value, other: &Peer<'_>, namespace: &str) -> bool {
        let block = rule.get("ipBlock");
        if block.is_map() {
            let is_excepted = block
                .get("except")
                .items()
                .iter()
                .filter_map(Value::as_str)
                .any(|cidr| contains(cidr, other.address));
            return contains(block.str("cidr"), other.address) && !is_excepted;
        }
        let Some(pod) = other.pod else { return false };
        let theirs = pod.get("metadata").str("namespace");
        let namespaces = rule.get("namespaceSelector");
        let is_namespace = if namespaces.is_map() {
            self.namespaces
                .get(theirs)
                .is_some_and(|object| selects(namespaces, object))
        } else {
            theirs == namespace
        };
        is_namespace && (!rule.has("podSelector") || selects(rule.get("podSelector"), pod))
    }
}

/// An empty selector selects everything.
fn selects(selector: &Value, object: &Value) -> bool {
    LabelSelector::of(selector)
        .is_ok_and(|selector| selector.is_everything() || selector.matches_object(object))
        || selector.as_map().is_some_and(|map| map.is_empty())
}

fn has_port(rule: &Value, target: &Peer<'_>, port: u16, protocol: Protocol) -> bool {
    if crate::tables::protocol(rule.str("protocol")) != Some(protocol) {
        return false;
    }
    match rule.get("port") {
        Value::Null => true,
        Value::Int(first) => {
            let last = rule.int("endPort").unwrap_or(*first);
            (*first..=last).contains(&i64::from(port))
        }
        Value::Str(name) => {
            let containers = target
                .pod
                .map_or(&[][..], |pod| pod.path("spec.containers").items());
            containers
                .iter()
                .flat_map(|c| c.get("ports").items())
                .any(|own| {
                    own.str("name") == name.as_str()
                        && own.int("containerPort") == Some(i64::from(port))
                })
        }
        _ => false,
    }
}

/// Whether `10.0.0.0/8` contains an address.
pub fn contains(cidr: &str, address: Ipv4Addr) -> bool {
    let Some((base, bits)) = cidr.split_once('/') else {
        return false;
    };
    let (Ok(base), Ok(bits)) = (base.parse::<Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    u32::from(base) & mask == u32::from(address) & mask
}
