//! Services and what is behind and before them.

use api::Value;

use super::Printer;
use super::cells::{NONE, UNSET, age, joined, labels, name, or, or_none, selector, text};

pub(super) const SERVICE: Printer = Printer {
    columns: "Name|Type|Cluster-IP|External-IP|Port(s)|Age|+Selector",
    cells: |object, now| {
        let spec = object.get("spec");
        let ip = spec
            .get("clusterIPs")
            .items()
            .first()
            .map(text)
            .unwrap_or_default();
        vec![
            name(object),
            spec.get("type").clone(),
            or_none(&ip),
            Value::from(external_ip(object)),
            or_none(&ports(spec.get("ports"))),
            age(object, now),
            labels(spec.get("selector").entries()),
        ]
    },
};

fn external_ip(service: &Value) -> String {
    let spec = service.get("spec");
    let own = joined(spec.get("externalIPs"), ",");
    match spec.str("type") {
        "ExternalName" => spec.str("externalName").to_owned(),
        "LoadBalancer" => {
            let mut ips = balancer_addresses(service.path("status.loadBalancer"));
            if !own.is_empty() {
                ips = if ips.is_empty() {
                    own
                } else {
                    format!("{ips},{own}")
                };
            }
            if ips.is_empty() {
                "<pending>".to_owned()
            } else {
                ips
            }
        }
        "ClusterIP" | "NodePort" if own.is_empty() => NONE.to_owned(),
        "ClusterIP" | "NodePort" => own,
        _ => "<unknown>".to_owned(),
    }
}

fn balancer_addresses(balancer: &Value) -> String {
    let mut all: Vec<&str> = Vec::new();
    for entry in balancer.get("ingress").items() {
        let address = match entry.str("ip") {
            "" => entry.str("hostname"),
            ip => ip,
        };
        if !address.is_empty() && !all.contains(&address) {
            all.push(address);
        }
    }
    all.sort_unstable();
    all.join(",")
}

fn ports(ports: &Value) -> String {
    let shown: Vec<String> = ports
        .items()
        .iter()
        .map(|port| {
            let (number, protocol) = (text(port.get("port")), port.str("protocol"));
            match port.int("nodePort").unwrap_or(0) {
                0 => format!("{number}/{protocol}"),
                node => format!("{number}:{node}/{protocol}"),
            }
        })
        .collect();
    shown.join(",")
}

pub(super) const ENDPOINTS: Printer = Printer {
    columns: "Name|Endpoints|Age",
    cells: |object, now| {
        vec![
            name(object),
            Value::from(endpoints(object)),
            age(object, now),
        ]
    },
};

/// The first three addresses, and how many more.
fn endpoints(object: &Value) -> String {
    let subsets = object.get("subsets").items();
    if subsets.is_empty() {
        return NONE.to_owned();
    }
    let (mut shown, mut count) = (Vec::new(), 0);
    for subset in subsets {
        let ports = subset.get("ports").items();
        let addresses = subset.get("addresses").items();
        let mut show = |text: String| {
            count += 1;
            if shown.len() < 3 {
                shown.push(text);
            }
        };
        if ports.is_empty() {
            for address in addresses {
                show(address.str("ip").to_owned());
            }
        }
        for port in ports {
            for address in addresses {
                show(format!("{}:{}", address.str("ip"), text(port.get("port"))));
            }
        }
    }
    let list = shown.join(",");
    if count > 3 {
        format!("{list} + {} more...", count - 3)
    } else {
        list
    }
}

pub(super) const ENDPOINT_SLICE: Printer = Printer {
    columns: "Name|AddressType|Ports|Endpoints|Age",
    cells: |object, now| {
        let mut ports: Vec<String> = Vec::new();
        for port in object.get("ports").items() {
            ports.push(match port.get("port") {
                Value::Null => "*".to_owned(),
                number => text(number),
            });
        }
        let mut addresses: Vec<&str> = Vec::new();
        for endpoint in object.get("endpoints").items() {
            addresses.extend(
                endpoint
                    .get("addresses")
                    .items()
                    .iter()
                    .filter_map(Value::as_str),
            );
        }
        vec![
            name(object),
            object.get("addressType").clone(),
            or(&few(&ports), UNSET),
            or(&few(&addresses), UNSET),
            age(object, now),
        ]
    },
};

/// The first three, and how many more.
fn few<T: AsRef<str>>(all: &[T]) -> String {
    let shown: Vec<&str> = all.iter().take(3).map(AsRef::as_ref).collect();
    let list = shown.join(",");
    if all.len() > 3 {
        format!("{list} + {} more...", all.len() - 3)
    } else {
        list
    }
}

pub(super) const INGRESS: Printer = Printer {
    columns: "Name|Class|Hosts|Address|Ports|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        let mut hosts: Vec<&str> = spec
            .get("rules")
            .items()
            .iter()
            .map(|rule| rule.str("host"))
            .filter(|host| !host.is_empty())
            .collect();
        let more = hosts.len().saturating_sub(3);
        hosts.truncate(3);
        let mut hosts = hosts.join(",");
        if more > 0 {
            hosts += &format!(" + {more} more...");
        }
        let ports = if spec.get("tls").items().is_empty() {
            "80"
        } else {
            "80, 443"
        };
        vec![
            name(object),
            or_none(spec.str("ingressClassName")),
            or(&hosts, "*"),
            Value::from(balancer_addresses(object.path("status.loadBalancer"))),
            Value::from(ports),
            age(object, now),
        ]
    },
};

pub(super) const INGRESS_CLASS: Printer = Printer {
    columns: "Name|Controller|Parameters|Age",
    cells: |object, now| {
        let (spec, parameters) = (object.get("spec"), object.path("spec.parameters"));
        let shown = match parameters.str("kind") {
            "" => NONE.to_owned(),
            kind => {
                let group = parameters.str("apiGroup");
                let dotted = if group.is_empty() {
                    kind.to_owned()
                } else {
                    format!("{kind}.{group}")
                };
                format!("{dotted}/{}", parameters.str("name"))
            }
        };
        vec![
            default_marked(object, "ingressclass.kubernetes.io/is-default-class"),
            spec.get("controller").clone(),
            Value::from(shown),
            age(object, now),
        ]
    },
};

/// The name, with ` (default)` where an annotation says so.
pub(super) fn default_marked(object: &Value, annotation: &str) -> Value {
    let marks = object.path("metadata.annotations");
    if marks.str(annotation) == "true" {
        return Value::from(format!("{} (default)", object.get("metadata").str("name")));
    }
    name(object)
}

pub(super) const NETWORK_POLICY: Printer = Printer {
    columns: "Name|Pod-Selector|Age",
    cells: |object, now| {
        vec![
            name(object),
            selector(object.path("spec.podSelector")),
            age(object, now),
        ]
    },
};

pub(super) const SERVICE_CIDR: Printer = Printer {
    columns: "Name|CIDRs|Age",
    cells: |object, now| {
        vec![
            name(object),
            Value::from(joined(object.path("spec.cidrs"), ",")),
            age(object, now),
        ]
    },
};

pub(super) const IP_ADDRESS: Printer = Printer {
    columns: "Name|ParentRef|Age",
    cells: |object, now| vec![name(object), Value::from(parent(object)), age(object, now)],
};

fn parent(object: &Value) -> String {
    let parent = object.path("spec.parentRef");
    let parts = [
        parent.str("group"),
        parent.str("resource"),
        parent.str("namespace"),
        parent.str("name"),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/")
}
