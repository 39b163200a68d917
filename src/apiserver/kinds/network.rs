//! Ingresses, their classes, and network policies (`pkg/apis/networking/v1/defaults.go`).

use api::{Value, list, map};

use super::fill::{edit, edit_each, edit_made, fill, fill_text};
use super::{Generation, Rules};
use crate::validate::network;

pub(crate) static INGRESS: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        fill(object, "spec", map! {});
        edit_made(object, "status", |status| {
            fill(status, "loadBalancer", map! {})
        });
    },
    prepare_create: |object| object.set("status", map! { "loadBalancer": map! {} }),
    validate: network::ingress,
    validate_update: |new, _, out| network::ingress(new, out),
    ..Rules::PLAIN
};

pub(crate) static INGRESS_CLASS: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit(object, "spec", |spec| {
            edit(spec, "parameters", |parameters| {
                fill_text(parameters, "scope", "Cluster")
            });
        });
    },
    validate: network::ingress_class,
    ..Rules::PLAIN
};

pub(crate) static NETWORK_POLICY: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill(spec, "podSelector", map! {});
            for direction in ["ingress", "egress"] {
                edit_each(spec, direction, |rule| {
                    edit_each(rule, "ports", |port| fill_text(port, "protocol", "TCP"));
                });
            }
            if spec.get("policyTypes").items().is_empty() {
                let types = if spec.get("egress").items().is_empty() {
                    list!["Ingress"]
                } else {
                    list!["Ingress", "Egress"]
                };
                spec.set("policyTypes", types);
            }
        });
    },
    validate: network::network_policy,
    validate_update: |new, _, out| network::network_policy(new, out),
    ..Rules::PLAIN
};

pub(crate) static SERVICE_CIDR: Rules = Rules {
    defaults: |object| fill(object, "status", Value::empty_map()),
    ..Rules::PLAIN
};
