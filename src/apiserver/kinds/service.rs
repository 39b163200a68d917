//! Services and the endpoints behind them.
//!
//! Models `pkg/apis/core/v1/defaults.go` (`SetDefaults_Service`); addresses are allotted in `allocate`.

use api::{Value, map};

use super::fill::{edit, edit_each, edit_made, fill, fill_text};
use super::{Generation, NameRule, Rules};

pub(crate) static SERVICE: Rules = Rules {
    name: NameRule::Label1035,
    returns_deleted: true,
    defaults: |object| {
        edit_made(object, "spec", service_spec);
        edit_made(object, "status", |status| {
            fill(status, "loadBalancer", map! {})
        });
    },
    prepare_create: |object| object.set("status", map! { "loadBalancer": map! {} }),
    validate: crate::validate::service::service,
    validate_update: crate::validate::service::service_update,
    ..Rules::PLAIN
};

pub(crate) static ENDPOINTS: Rules = Rules {
    defaults: |object| {
        edit_each(object, "subsets", |subset| {
            edit_each(subset, "ports", |port| fill_text(port, "protocol", "TCP"));
        });
    },
    ..Rules::PLAIN
};

pub(crate) static ENDPOINT_SLICE: Rules = Rules {
    generation: Generation::Content,
    defaults: |object| {
        edit_each(object, "ports", |port| {
            fill(port, "name", "");
            fill(port, "protocol", "TCP");
        });
        fill(object, "ports", Value::Null);
        fill(object, "endpoints", Value::Null);
    },
    ..Rules::PLAIN
};

fn service_spec(spec: &mut Value) {
    fill_text(spec, "sessionAffinity", "None");
    if spec.str("sessionAffinity") == "None" {
        spec.remove("sessionAffinityConfig");
    } else {
        edit_made(spec, "sessionAffinityConfig", |config| {
            edit_made(config, "clientIP", |ip| fill(ip, "timeoutSeconds", 10800));
        });
    }
    fill_text(spec, "type", "ClusterIP");
    edit_each(spec, "ports", |port| {
        fill_text(port, "protocol", "TCP");
        if matches!(port.get("targetPort"), Value::Null) || port.get("targetPort").is_empty() {
            let number = port.get("port").clone();
            port.set("targetPort", number);
        }
    });
    let kind = spec.shared_str("type");
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") || !spec.get("externalIPs").is_empty() {
        fill_text(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == *"LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
    }
    edit(spec, "clusterIP", |_| {});
}
