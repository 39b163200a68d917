//! `kubectl create service clusterip|nodeport|loadbalancer|externalname`.
//!
//! Models `create_service.go`.

use api::{Str, Value, map};

use super::config::required;
use super::{generated, name_of, parse};
use crate::flags::{Flag, Given, many, number, text};
use crate::{Context, Failure};

const OWN: &[Flag] = &[
    many("tcp"),
    text("clusterip"),
    number("node-port"),
    text("external-name"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let (command, kind) = match args.first().map(Str::as_str) {
        Some("clusterip") => ("clusterip", "ClusterIP"),
        Some("nodeport") => ("nodeport", "NodePort"),
        Some("loadbalancer") => ("loadbalancer", "LoadBalancer"),
        Some("externalname") => ("externalname", "ExternalName"),
        Some(other) => {
            return Err(Failure::error(format!(
                "unknown service type {other:?}: use clusterip, nodeport, loadbalancer or externalname"
            )));
        }
        None => {
            ctx.out("Create a service using a specified subcommand.\n\nAvailable Commands:\n  clusterip      Create a ClusterIP service\n  externalname   Create an ExternalName service\n  loadbalancer   Create a LoadBalancer service\n  nodeport       Create a NodePort service\n\nUsage:\n  kubectl create service [flags] [options]\n\nUse \"kubectl create service <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
            return Ok(());
        }
    };
    let given = parse(&format!("create service {command}"), OWN, &args[1..])?;
    let name = name_of(&given, &format!("service {command}"))?;
    let mut spec = map! { "type": kind, "selector": map! { "app": name.clone() } };
    if kind == "ExternalName" {
        spec.set("externalName", required(&given, "external-name")?);
    }
    let is_headless = given.text("clusterip") == "None";
    if given.all("tcp").is_empty() && kind != "ExternalName" && !is_headless {
        return Err(Failure::error(
            "at least one tcp port specifier must be provided",
        ));
    }
    if given.has("clusterip") {
        spec.set("clusterIP", given.text("clusterip"));
    }
    let ports = ports(&given, kind == "NodePort")?;
    if !ports.is_empty() {
        spec.set("ports", ports);
    }
    let object = map! {
        "apiVersion": "v1", "kind": "Service",
        "metadata": map! { "name": name.clone(), "labels": map! { "app": name } },
        "spec": spec,
        "status": map! { "loadBalancer": map! {} },
    };
    generated(ctx, &given, object, &format!("{kind} service:"))
}

/// `80` or `80:8080`, `80:http`.
fn ports(given: &Given, with_node_port: bool) -> Result<Vec<Value>, Failure> {
    let mut ports = Vec::new();
    for text in given.all("tcp") {
        let (port, target) = text.split_once(':').unwrap_or((text, text));
        let bad = || Failure::error(format!("invalid port format, {text}"));
        let number: i64 = port.parse().map_err(|_| {
            Failure::error(format!(
                "strconv.ParseInt: parsing {port:?}: invalid syntax"
            ))
        })?;
        if !(1..=65535).contains(&number) || target.is_empty() {
            return Err(bad());
        }
        let mut entry = map! {
            "name": text.replace(':', "-"), "port": number, "protocol": "TCP",
        };
        match target.parse::<i64>() {
            Ok(target) => entry.set("targetPort", target),
            Err(_) => entry.set("targetPort", Str::new(target)),
        }
        if let Some(node_port) = given
            .number("node-port")
            .filter(|n| with_node_port && *n > 0)
        {
            entry.set("nodePort", node_port);
        }
        ports.push(entry);
    }
    Ok(ports)
}
