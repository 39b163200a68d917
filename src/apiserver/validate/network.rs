//! Ingresses and network policies (`pkg/apis/networking/validation`).

use api::Value;

use super::{Problems, labels, names, numbers};
use crate::path::Path;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

pub(crate) fn ingress(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let rules = spec.get("rules").items();
    let default = spec.get("defaultBackend");
    if rules.is_empty() && default.is_null() {
        out.push(path.invalid(
            Value::empty_map(),
            "either `defaultBackend` or `rules` must be specified",
        ));
        if let Some(problem) = out.last_mut() {
            problem.message = format!(
                "Invalid value: {}: either `defaultBackend` or `rules` must be specified",
                spec.to_json()
            );
        }
    }
    if !default.is_null() {
        backend(default, &path.child("defaultBackend"), out);
    }
    let rules_path = path.child("rules");
    for (at, rule) in rules.iter().enumerate() {
        let path = rules_path.index(at);
        host(rule, &path.child("host"), out);
        let http = path.child("http");
        if !rule.get("http").is_null() {
            http_paths(rule.get("http"), &http, out);
        }
    }
    let tls_path = path.child("tls");
    for (at, tls) in spec.get("tls").items().iter().enumerate() {
        let path = tls_path.index(at);
        let hosts = path.child("hosts");
        for (at, name) in tls.get("hosts").items().iter().enumerate() {
            let text = name.as_str().unwrap_or_default();
            let messages = if text.contains('*') {
                names::wildcard_subdomain(text)
            } else {
                names::subdomain(text)
            };
            for message in messages {
                out.push(hosts.index(at).invalid(name, &message));
            }
        }
    }
    if !spec.str("ingressClassName").is_empty() {
        for message in names::subdomain(spec.str("ingressClassName")) {
            out.push(
                path.child("ingressClassName")
                    .invalid(spec.get("ingressClassName"), &message),
            );
        }
    }
}

fn host(rule: &Value, path: &Path, out: &mut Problems) {
    let host = rule.str("host");
    if host.is_empty() {
        return;
    }
    if is_ip(host) {
        out.push(path.invalid(rule.get("host"), "must be a DNS name, not an IP address"));
        return;
    }
    let messages = if host.contains('*') {
        names::wildcard_subdomain(host)
    } else {
        names::subdomain(host)
    };
    for message in messages {
        out.push(path.invalid(rule.get("host"), &message));
    }
}

fn http_paths(http: &Value, path: &Path, out: &mut Problems) {
    let paths = http.get("paths").items();
    let paths_path = path.child("paths");
    if paths.is_empty() {
        out.push(paths_path.required(""));
    }
    for (at, entry) in paths.iter().enumerate() {
        let path = paths_path.index(at);
        let text = entry.str("path");
        match entry.str("pathType") {
            "" => {
                out.push(
                    path.child("pathType")
                        .required("pathType must be specified"),
                );
                // Without a type nothing more can be said of the path.
                continue;
            }
            "Exact" | "Prefix" => {
                if !text.starts_with('/') {
                    out.push(
                        path.child("path")
                            .invalid(text.to_owned(), "must be an absolute path"),
                    );
                }
                if !text.is_empty() {
                    for bad in ["//", "/./", "/../", "%2f", "%2F"] {
                        if text.contains(bad) {
                            out.push(
                                path.child("path")
                                    .invalid(text.to_owned(), &format!("must not contain '{bad}'")),
                            );
                        }
                    }
                    for bad in ["/..", "/."] {
                        if text.ends_with(bad) {
                            out.push(
                                path.child("path")
                                    .invalid(text.to_owned(), &format!("cannot end with '{bad}'")),
                            );
                        }
                    }
                }
            }
            "ImplementationSpecific" => {
                if !text.is_empty() && !text.starts_with('/') {
                    out.push(
                        path.child("path")
                            .invalid(text.to_owned(), "must be an absolute path"),
                    );
                }
            }
            _ => out.push(
                path.child("pathType")
                    .not_supported(entry.get("pathType"), &PATH_TYPES),
            ),
        }
        backend(entry.get("backend"), &path.child("backend"), out);
    }
}

fn backend(backend: &Value, path: &Path, out: &mut Problems) {
    let (service, resource) = (backend.get("service"), backend.get("resource"));
    if !service.is_null() && !resource.is_null() {
        out.push(path.invalid("", "cannot set both resource and service backends"));
        return;
    }
    if !resource.is_null() {
        return;
    }
    if service.is_null() {
        out.push(path.child("service").required("").clone());
        return;
    }
    let path = path.child("service");
    if service.str("name").is_empty() {
        out.push(path.child("name").required(""));
    } else {
        for message in names::label_1035(service.str("name")) {
            out.push(path.child("name").invalid(service.get("name"), &message));
        }
    }
    let port = service.get("port");
    let has_number = port.int("number").unwrap_or(0) != 0;
    let port_path = path.child("port");
    match (port.str("name"), has_number) {
        ("", false) => out.push(port_path.required("port name or number is required")),
        ("", true) => numbers::port(port.get("number"), &port_path.child("number"), out),
        (_, true) => {
            out.push(port_path.invalid(port.clone(), "cannot set both port name & port number"))
        }
        (name, false) => {
            for message in names::port_name(name) {
                out.push(port_path.child("name").invalid(port.get("name"), &message));
            }
        }
    }
}

pub(crate) fn ingress_class(object: &Value, out: &mut Problems) {
    let spec = Path::new("spec");
    let controller = object.get("spec").get("controller");
    let path = spec.child("controller");
    if controller.is_empty() {
        out.push(path.required(""));
        return;
    }
    let text = controller.as_str().unwrap_or_default();
    if text.split('/').count() < 2 {
        out.push(path.invalid(
            controller,
            "must be a domain-prefixed path (such as \"acme.io/foo\")",
        ));
    }
}

pub(crate) fn network_policy(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    labels::selector(spec.get("podSelector"), &path.child("podSelector"), out);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules_path = path.child(direction);
        for (at, rule) in spec.get(direction).items().iter().enumerate() {
            let path = rules_path.index(at);
            let ports = path.child("ports");
            for (at, port) in rule.get("ports").items().iter().enumerate() {
                policy_port(port, &ports.index(at), out);
            }
            let peers_path = path.child(peers);
            for (at, peer) in rule.get(peers).items().iter().enumerate() {
                policy_peer(peer, &peers_path.index(at), out);
            }
        }
    }
    let types = spec.get("policyTypes").items();
    let types_path = path.child("policyTypes");
    if types.len() > 2 {
        let mut problem = types_path.invalid(
            spec.get("policyTypes"),
            "may not specify more than two policyTypes",
        );
        problem.field = types_path.to_string();
        out.push(problem);
        return;
    }
    for (at, kind) in types.iter().enumerate() {
        if !matches!(kind.as_str(), Some("Ingress" | "Egress")) {
            out.push(
                types_path
                    .index(at)
                    .not_supported(kind, &["Ingress", "Egress"]),
            );
        }
    }
}

fn policy_port(port: &Value, path: &Path, out: &mut Problems) {
    if !matches!(port.str("protocol"), "" | "TCP" | "UDP" | "SCTP") {
        out.push(
            path.child("protocol")
                .not_supported(port.get("protocol"), &["SCTP", "TCP", "UDP"]),
        );
    }
    let number = port.get("port");
    match number {
        Value::Null => {
            if !port.get("endPort").is_null() {
                out.push(
                    path.child("endPort")
                        .required("may not be specified when `port` is not specified"),
                );
            }
        }
        Value::Int(first) => {
            numbers::port(number, &path.child("port"), out);
            if let Some(last) = port.int("endPort") {
                if last < *first {
                    out.push(
                        path.child("endPort")
                            .invalid(last, "must be greater than or equal to `port`"),
                    );
                }
                numbers::port(port.get("endPort"), &path.child("endPort"), out);
            }
        }
        _ => {
            numbers::port_or_name(number, &path.child("port"), out);
            if !port.get("endPort").is_null() {
                out.push(path.child("endPort").invalid(
                    port.get("endPort"),
                    "may not be specified when `port` is non-numeric",
                ));
            }
        }
    }
}

fn policy_peer(peer: &Value, path: &Path, out: &mut Problems) {
    let mut count = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if !peer.get(field).is_null() {
            count += 1;
            labels::selector(peer.get(field), &path.child(field), out);
        }
    }
    let block = peer.get("ipBlock");
    if !block.is_null() {
        let path = path.child("ipBlock");
        let cidr = block.str("cidr");
        if cidr.is_empty() {
            out.push(path.child("cidr").required(""));
        } else if !is_cidr(cidr) {
            out.push(path.child("cidr").invalid(
                block.get("cidr"),
                "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
            ));
        }
        if count > 0 {
            out.push(path.forbidden("may not specify both ipBlock and another peer"));
        }
        count += 1;
    }
    if count == 0 {
        out.push(path.required("must specify a peer"));
    }
}

pub(crate) fn is_ip(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

pub(crate) fn is_cidr(text: &str) -> bool {
    let Some((ip, bits)) = text.split_once('/') else {
        return false;
    };
    let Ok(ip) = ip.parse::<std::net::IpAddr>() else {
        return false;
    };
    let most = if ip.is_ipv4() { 32 } else { 128 };
    bits.bytes().all(|c| c.is_ascii_digit()) && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
}
