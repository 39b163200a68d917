//! Services (`ValidateService`).

use api::{Value, list};

use super::{Problems, labels, names, numbers};
use crate::path::Path;

pub(crate) const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(crate) fn service(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let kind = spec.str("type");
    let ports = spec.get("ports").items();
    if ports.is_empty() && spec.str("clusterIP") != "None" && kind != "ExternalName" {
        out.push(path.child("ports").required(""));
    }
    if kind == "ExternalName" {
        let name = spec.str("externalName");
        if name.is_empty() {
            out.push(path.child("externalName").required(""));
        } else {
            for message in names::subdomain(name.trim_end_matches('.')) {
                out.push(
                    path.child("externalName")
                        .invalid(spec.get("externalName"), &message),
                );
            }
        }
    }
    let is_named = ports.len() > 1;
    let ports_path = path.child("ports");
    let mut names_seen: Vec<&str> = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        service_port(port, is_named, &ports_path.index(at), &mut names_seen, out);
    }
    labels::labels(spec.get("selector").entries(), &path.child("selector"), out);
    if !matches!(spec.str("sessionAffinity"), "ClientIP" | "None") {
        out.push(
            path.child("sessionAffinity")
                .not_supported(spec.get("sessionAffinity"), &["ClientIP", "None"]),
        );
    }
    if !TYPES.contains(&kind) {
        out.push(path.child("type").not_supported(spec.get("type"), &TYPES));
    }
}

fn service_port<'a>(
    port: &'a Value,
    is_named: bool,
    path: &Path,
    seen: &mut Vec<&'a str>,
    out: &mut Problems,
) {
    let name = port.str("name");
    if name.is_empty() {
        if is_named {
            out.push(path.child("name").required(""));
        }
    } else {
        for message in names::label(name) {
            out.push(path.child("name").invalid(port.get("name"), &message));
        }
        if seen.contains(&name) {
            out.push(path.child("name").duplicate(port.get("name")));
        }
        seen.push(name);
    }
    numbers::port(port.get("port"), &path.child("port"), out);
    if port.str("protocol").is_empty() {
        out.push(path.child("protocol").required(""));
    } else if !PROTOCOLS.contains(&port.str("protocol")) {
        out.push(
            path.child("protocol")
                .not_supported(port.get("protocol"), &PROTOCOLS),
        );
    }
    numbers::port_or_name(port.get("targetPort"), &path.child("targetPort"), out);
}

pub(crate) fn service_update(new: &Value, old: &Value, out: &mut Problems) {
    let (before, after) = (old.get("spec"), new.get("spec"));
    if before.str("type") != "ExternalName" && after.str("type") != "ExternalName" {
        let old_ip = before.str("clusterIP");
        if !old_ip.is_empty() && old_ip != after.str("clusterIP") {
            let path = Path::new("spec");
            out.push(path.child("clusterIPs").key("0").invalid(
                list![after.get("clusterIP").clone()],
                "may not change once set",
            ));
        }
    }
    service(new, out);
}
