//! Services, Ingresses, NetworkPolicies, Endpoints and EndpointSlices.

use api::{Request, Resource, Value, core, meta::Meta};

use super::{Text, config::in_one, pod::plain, workload::selector};
use crate::{Context, Failure};

const SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices");

fn joined(list: &Value) -> String {
    list.items().iter().map(plain).collect::<Vec<_>>().join(",")
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        "<none>".to_owned()
    } else {
        text
    }
}

pub(super) fn service(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    super::config::head(text, object);
    text.labels(0, "Selector", spec.get("selector").entries());
    text.line(0, format!("Type:\t{}", spec.str("type")));
    if spec.has("ipFamilyPolicy") {
        text.line(
            0,
            format!("IP Family Policy:\t{}", spec.str("ipFamilyPolicy")),
        );
    }
    text.line(
        0,
        format!("IP Families:\t{}", or_none(joined(spec.get("ipFamilies")))),
    );
    text.line(0, format!("IP:\t{}", spec.str("clusterIP")));
    text.line(
        0,
        format!("IPs:\t{}", or_none(joined(spec.get("clusterIPs")))),
    );
    if !spec.get("externalIPs").is_empty() {
        text.line(
            0,
            format!("External IPs:\t{}", joined(spec.get("externalIPs"))),
        );
    }
    if spec.has("loadBalancerIP") {
        text.line(
            0,
            format!("Desired LoadBalancer IP:\t{}", spec.str("loadBalancerIP")),
        );
    }
    let ingress: Vec<String> = object
        .path("status.loadBalancer.ingress")
        .items()
        .iter()
        .map(|entry| {
            let place = if entry.str("ip").is_empty() {
                entry.str("hostname")
            } else {
                entry.str("ip")
            };
            match entry.str("ipMode") {
                "" => place.to_owned(),
                mode => format!("{place} ({mode})"),
            }
        })
        .collect();
    if !ingress.is_empty() {
        text.line(0, format!("LoadBalancer Ingress:\t{}", ingress.join(", ")));
    }
    if spec.has("externalName") {
        text.line(0, format!("External Name:\t{}", spec.str("externalName")));
    }
    let ports = spec.get("ports").items();
    let slices = if ports.is_empty() {
        Value::Null
    } else {
        ctx.object(
            Request::list(&SLICES, meta.shared_namespace())
                .labels(format!("kubernetes.io/service-name={}", meta.name())),
        )?
    };
    for port in ports {
        let name = match port.str("name") {
            "" => "<unset>",
            name => name,
        };
        let protocol = port.str("protocol");
        text.line(
            0,
            format!("Port:\t{name}\t{}/{protocol}", plain(port.get("port"))),
        );
        text.line(
            0,
            format!("TargetPort:\t{}/{protocol}", plain(port.get("targetPort"))),
        );
        if port.int("nodePort").is_some_and(|n| n != 0) {
            text.line(
                0,
                format!(
                    "NodePort:\t{name}\t{}/{protocol}",
                    plain(port.get("nodePort"))
                ),
            );
        }
        text.line(
            0,
            format!(
                "Endpoints:\t{}",
                endpoints(slices.get("items").items(), port.str("name"))
            ),
        );
    }
    text.line(
        0,
        format!("Session Affinity:\t{}", spec.str("sessionAffinity")),
    );
    if spec.has("externalTrafficPolicy") {
        text.line(
            0,
            format!(
                "External Traffic Policy:\t{}",
                spec.str("externalTrafficPolicy")
            ),
        );
    }
    if spec.has("internalTrafficPolicy") {
        text.line(
            0,
            format!(
                "Internal Traffic Policy:\t{}",
                spec.str("internalTrafficPolicy")
            ),
        );
    }
    if spec.int("healthCheckNodePort").is_some_and(|n| n != 0) {
        text.line(
            0,
            format!(
                "HealthCheck NodePort:\t{}",
                plain(spec.get("healthCheckNodePort"))
            ),
        );
    }
    if !spec.get("loadBalancerSourceRanges").is_empty() {
        text.line(
            0,
            format!(
                "LoadBalancer Source Ranges:\t{}",
                joined(spec.get("loadBalancerSourceRanges"))
            ),
        );
    }
    Ok(())
}

/// The first three ready endpoints of a port.
fn endpoints(slices: &[Value], port: &str) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for slice in slices {
        for slice_port in slice
            .get("ports")
            .items()
            .iter()
            .filter(|p| port.is_empty() || p.str("name") == port)
        {
            for endpoint in slice.get("endpoints").items() {
                if endpoint.path("conditions.ready").as_bool() == Some(false) {
                    continue;
                }
                for address in endpoint.get("addresses").items() {
                    let (address, number) = (plain(address), plain(slice_port.get("port")));
                    all.push(if address.contains(':') {
                        format!("[{address}]:{number}")
                    } else {
                        format!("{address}:{number}")
                    });
                }
            }
        }
    }
    let more = all.len().saturating_sub(3);
    all.truncate(3);
    let mut text = all.join(",");
    if more > 0 {
        text += &format!(" + {more} more...");
    }
    text
}

pub(super) fn ingress(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    text.line(0, format!("Name:\t{}", meta.name()));
    text.labels(0, "Labels", meta.labels());
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    let addresses: Vec<&str> = object
        .path("status.loadBalancer.ingress")
        .items()
        .iter()
        .map(|entry| {
            if entry.str("ip").is_empty() {
                entry.str("hostname")
            } else {
                entry.str("ip")
            }
        })
        .collect();
    text.line(0, format!("Address:\t{}", addresses.join(",")));
    let class = match spec.str("ingressClassName") {
        "" => "<none>",
        name => name,
    };
    text.line(0, format!("Ingress Class:\t{class}"));
    let default = spec.get("defaultBackend");
    if default.is_null() {
        text.line(0, "Default backend:\t<default>");
    } else {
        let shown = backend(ctx, &meta, default)?;
        text.line(0, format!("Default backend:\t{shown}"));
    }
    let tls = spec.get("tls").items();
    if !tls.is_empty() {
        text.line(0, "TLS:");
        for entry in tls {
            let hosts = joined(entry.get("hosts"));
            match entry.str("secretName") {
                "" => text.line(1, format!("SNI routes {hosts}")),
                secret => text.line(1, format!("{secret} terminates {hosts}")),
            }
        }
    }
    text.line(0, "Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------");
    let rules = spec.get("rules").items();
    for rule in rules {
        let host = match rule.str("host") {
            "" => "*",
            host => host,
        };
        text.line(1, format!("{host}\t"));
        for path in rule.path("http.paths").items() {
            let shown = backend(ctx, &meta, path.get("backend"))?;
            text.line(0, format!("    \t{} \t{shown}", path.str("path")));
        }
    }
    if rules.is_empty() {
        let shown = if default.is_null() {
            "<default>".to_owned()
        } else {
            backend(ctx, &meta, default)?
        };
        text.line(1, format!("*\t*\t{shown}"));
    }
    text.annotations(0, "Annotations", meta.annotations());
    Ok(())
}

/// `web:80 (10.244.0.2:80,…)`.
fn backend(ctx: &mut Context<'_>, meta: &Meta<'_>, backend: &Value) -> Result<String, Failure> {
    let service = backend.get("service");
    if service.is_null() {
        let resource = backend.get("resource");
        return Ok(format!(
            "APIGroup: {}, Kind: {}, Name: {}",
            resource.str("apiGroup"),
            resource.str("kind"),
            resource.str("name")
        ));
    }
    let name = service.shared_str("name");
    let port = service.get("port");
    let shown = if port.has("number") {
        plain(port.get("number"))
    } else {
        port.str("name").to_owned()
    };
    let found = ctx.call(Request::get(
        &core::SERVICES,
        meta.shared_namespace(),
        name.clone(),
    ))?;
    if !found.is_success() {
        return Ok(format!("{name}:{shown} (<error: {}>)", found.message()));
    }
    let port_name = found
        .body
        .path("spec.ports")
        .items()
        .iter()
        .find(|p| p.str("name") == port.str("name") || p.int("port") == port.int("number"))
        .map(|p| p.str("name").to_owned())
        .unwrap_or_default();
    let slices = ctx.object(
        Request::list(&SLICES, meta.shared_namespace())
            .labels(format!("kubernetes.io/service-name={name}")),
    )?;
    let list = endpoints(slices.get("items").items(), &port_name);
    Ok(format!("{name}:{shown} ({list})"))
}

pub(super) fn ingress_class(text: &mut Text, object: &Value) {
    super::config::head(text, object);
    let spec = object.get("spec");
    text.line(0, format!("Controller:\t{}", spec.str("controller")));
    let parameters = spec.get("parameters");
    if !parameters.is_null() {
        text.line(0, "Parameters:");
        if parameters.has("apiGroup") {
            text.line(1, format!("APIGroup:\t{}", parameters.str("apiGroup")));
        }
        text.line(1, format!("Kind:\t{}", parameters.str("kind")));
        text.line(1, format!("Name:\t{}", parameters.str("name")));
    }
}

pub(super) fn policy(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    let created = meta
        .0
        .str("creationTimestamp")
        .replace('T', " ")
        .replace('Z', " +0000 UTC");
    text.line(0, format!("Created on:\t{created}"));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(0, "Spec:");
    let pods = match selector(spec.get("podSelector")).as_str() {
        "<none>" => {
            "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
        }
        some => some.to_owned(),
    };
    text.line(1, format!("PodSelector:     {pods}"));
    let types: Vec<&str> = spec
        .get("policyTypes")
        .items()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for (kind, field, peers, way, place) in [
        ("Ingress", "ingress", "from", "From", "source"),
        ("Egress", "egress", "to", "To", "destination"),
    ] {
        if !types.contains(&kind) {
            text.line(1, format!("Not affecting {field} traffic"));
            continue;
        }
        text.line(1, format!("Allowing {field} traffic:"));
        let rules = spec.get(field).items();
        if rules.is_empty() {
            text.line(
                2,
                format!("<none> (Selected pods are isolated for {field} connectivity)"),
            );
        }
        for (at, rule) in rules.iter().enumerate() {
            if at > 0 {
                text.line(2, "----------");
            }
            policy_rule(text, rule, peers, way, place);
        }
    }
    text.line(1, format!("Policy Types: {}", types.join(", ")));
}

fn policy_rule(text: &mut Text, rule: &Value, peers: &str, way: &str, place: &str) {
    let ports = rule.get("ports").items();
    if ports.is_empty() {
        text.line(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = match port.str("protocol") {
            "" => "TCP",
            known => known,
        };
        let end = port.get("endPort");
        let number = if end.is_null() {
            plain(port.get("port"))
        } else {
            format!("{}-{}", plain(port.get("port")), plain(end))
        };
        text.line(2, format!("To Port: {number}/{protocol}"));
    }
    let peers = rule.get(peers).items();
    if peers.is_empty() {
        text.line(
            2,
            format!("{way}: <any> (traffic not restricted by {place})"),
        );
    }
    for peer in peers {
        text.line(2, format!("{way}:"));
        let block = peer.get("ipBlock");
        for (field, title) in [
            ("namespaceSelector", "NamespaceSelector"),
            ("podSelector", "PodSelector"),
        ] {
            if peer.has(field) {
                text.line(3, format!("{title}: {}", selector(peer.get(field))));
            }
        }
        if !block.is_null() {
            text.line(3, "IPBlock:");
            text.line(4, format!("CIDR: {}", block.str("cidr")));
            let except: Vec<String> = block.get("except").items().iter().map(plain).collect();
            text.line(4, format!("Except: {}", except.join(", ")));
        }
    }
}

pub(super) fn endpoints_object(text: &mut Text, object: &Value) {
    super::config::head(text, object);
    text.line(0, "Subsets:");
    for subset in object.get("subsets").items() {
        for (field, title) in [
            ("addresses", "Addresses"),
            ("notReadyAddresses", "NotReadyAddresses"),
        ] {
            let all: Vec<&str> = subset
                .get(field)
                .items()
                .iter()
                .map(|a| a.str("ip"))
                .collect();
            text.line(1, format!("{title}:\t{}", or_none(all.join(","))));
        }
        let ports = subset.get("ports").items();
        if !ports.is_empty() {
            text.line(1, "Ports:");
            text.line(2, "Name\tPort\tProtocol");
            text.line(2, "----\t----\t--------");
            for port in ports {
                port_line(text, 2, port);
            }
        }
        text.line(0, "");
    }
}

fn port_line(text: &mut Text, level: usize, port: &Value) {
    let name = match port.str("name") {
        "" => "<unset>",
        name => name,
    };
    text.line(
        level,
        format!(
            "{name}\t{}\t{}",
            plain(port.get("port")),
            port.str("protocol")
        ),
    );
}

pub(super) fn slice(text: &mut Text, object: &Value) {
    super::config::head(text, object);
    text.line(0, format!("AddressType:\t{}", object.str("addressType")));
    let ports = object.get("ports").items();
    if ports.is_empty() {
        text.line(0, "Ports: <unset>");
    } else {
        text.line(0, "Ports:");
        text.line(1, "Name\tPort\tProtocol");
        text.line(1, "----\t----\t--------");
        for port in ports {
            port_line(text, 1, port);
        }
    }
    let endpoints = object.get("endpoints").items();
    if endpoints.is_empty() {
        text.line(0, "Endpoints: <none>");
        return;
    }
    text.line(0, "Endpoints:");
    let unset = |name: &str| {
        if name.is_empty() {
            "<unset>".to_owned()
        } else {
            name.to_owned()
        }
    };
    for endpoint in endpoints {
        text.line(
            1,
            format!("- Addresses:\t{}", joined(endpoint.get("addresses"))),
        );
        text.line(2, "Conditions:");
        let ready = match endpoint.path("conditions.ready").as_bool() {
            Some(ready) => ready.to_string(),
            None => "<unset>".to_owned(),
        };
        text.line(3, format!("Ready:\t{ready}"));
        text.line(2, format!("Hostname:\t{}", unset(endpoint.str("hostname"))));
        let target = endpoint.get("targetRef");
        if !target.is_null() {
            text.line(
                2,
                format!("TargetRef:\t{}/{}", target.str("kind"), target.str("name")),
            );
        }
        text.line(2, format!("NodeName:\t{}", unset(endpoint.str("nodeName"))));
        text.line(2, format!("Zone:\t{}", unset(endpoint.str("zone"))));
        let topology = endpoint.get("deprecatedTopology");
        if !topology.is_empty() {
            text.line(2, format!("Topology:\t{}", in_one(topology)));
        }
    }
}
