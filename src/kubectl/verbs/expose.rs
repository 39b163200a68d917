//! `kubectl expose`: a service for what a workload, pod or service selects.
//!
//! Models `kubectl/pkg/cmd/expose` with `polymorphichelpers` for selectors, ports and protocols.

use api::{Str, Value, map, meta::Meta};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::{Scope, mapping_of};
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("name"),
    text("port"),
    text("target-port"),
    text("protocol"),
    text("type"),
    text("selector"),
    text("labels").short('l'),
    text("external-ip"),
    text("load-balancer-ip"),
    text("cluster-ip"),
    text("session-affinity"),
    text("overrides"),
    text("override-type"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("save-config"),
    switch("show-managed-fields"),
];

/// A port with the protocol it was declared with, if it was found in the object.
struct Port {
    number: i64,
    protocol: Str,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("expose", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    let dry_run = DryRun::of(&given)?;
    // Here `--selector` is the service's, not a choice of objects.
    let mut choice = given.clone();
    choice.forget("selector");
    let targets = targets::find(ctx, &choice, &scope, &given.args)?;
    for target in &targets.found {
        let mut service = service(&given, target)?;
        if given.has("overrides") {
            let patch = Value::from_json(&given.text("overrides"))
                .map_err(|why| Failure::error(format!("Invalid JSON Patch: {why}")))?;
            service = api::patch::merge::apply(&service, &patch);
        }
        let mapping = mapping_of(ctx, "v1", "Service")?.expect("services are built in");
        let made = targets::create(
            ctx,
            &given,
            target,
            &mapping,
            service,
            "kubectl-expose",
            dry_run,
        )?;
        targets::report(ctx, &given, &mapping, &made, "exposed", dry_run)?;
    }
    targets.finish()
}

fn service(given: &Given, target: &Target) -> Result<Value, Failure> {
    let object = &target.object;
    let selector = if given.has("selector") {
        labels(&given.text("selector"))?
    } else {
        selector(target)?
    };
    let ports = ports(given, target)?;
    let labels = if given.has("labels") {
        labels(&given.text("labels"))?
    } else {
        Meta::of(object).0.get("labels").clone()
    };
    let name = if given.has("name") {
        given.text("name")
    } else {
        Str::new(&Meta::of(object).name().chars().take(63).collect::<String>())
    };
    let is_many = ports.len() > 1;
    let mut entries: Vec<Value> = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        let mut entry = map! {};
        if is_many {
            entry.set("name", format!("port-{}", at + 1));
        }
        let protocol = if given.has("protocol") {
            given.text("protocol").to_uppercase().into()
        } else {
            port.protocol.clone()
        };
        entry.set("port", port.number);
        entry.set("protocol", protocol);
        let wanted = given.text("target-port");
        match wanted.parse::<i64>() {
            _ if wanted.is_empty() => entry.set("targetPort", port.number),
            Ok(number) => entry.set("targetPort", number),
            Err(_) => entry.set("targetPort", wanted),
        }
        entries.push(entry);
    }
    let mut spec = map! { "ports": entries, "selector": selector };
    for (flag, field) in [
        ("type", "type"),
        ("load-balancer-ip", "loadBalancerIP"),
        ("session-affinity", "sessionAffinity"),
        ("cluster-ip", "clusterIP"),
    ] {
        if given.has(flag) {
            spec.set(field, given.text(flag));
        }
    }
    if given.has("external-ip") {
        let all: Vec<Value> = given
            .text("external-ip")
            .split(',')
            .map(|ip| Value::from(Str::new(ip)))
            .collect();
        spec.set("externalIPs", all);
    }
    let mut metadata = map! { "name": name };
    if !labels.is_empty() {
        metadata.set("labels", labels);
    }
    Ok(map! {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec,
        "status": map! { "loadBalancer": map! {} },
    })
}

/// `a=b,c=d`.
fn labels(text: &str) -> Result<Value, Failure> {
    let mut labels = map! {};
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::error(format!("unexpected label spec: {pair}")));
        };
        labels.set(Str::new(key), Str::new(value));
    }
    Ok(labels)
}

fn selector(target: &Target) -> Result<Value, Failure> {
    let object = &target.object;
    let none = |why: String| {
        Failure::error(format!(
            "couldn't retrieve selectors via --selector flag or introspection: {why}"
        ))
    };
    let selector = match target.mapping.kind.as_str() {
        "Pod" => {
            let labels = Meta::of(object).0.get("labels");
            if labels.is_empty() {
                return Err(none(
                    "the pod has no labels and cannot be exposed".to_owned(),
                ));
            }
            labels
        }
        "Service" | "ReplicationController" => object.path("spec.selector"),
        "Deployment" | "ReplicaSet" => {
            let selector = object.path("spec.selector");
            if !selector.get("matchExpressions").is_empty() {
                return Err(none(format!(
                    "couldn't convert expressions - \"{}\" to map-based selector format",
                    selector.get("matchExpressions").to_json()
                )));
            }
            selector.get("matchLabels")
        }
        _ => {
            return Err(Failure::error(format!(
                "cannot expose a {}",
                group_kind(target)
            )));
        }
    };
    if selector.is_empty() {
        return Err(none(
            "invalid deployment: no selectors, therefore cannot be exposed".to_owned(),
        ));
    }
    Ok(selector.clone())
}

/// `StatefulSet.apps`.
fn group_kind(target: &Target) -> String {
    let group = &target.mapping.resource.group;
    if group.is_empty() {
        target.mapping.kind.to_string()
    } else {
        format!("{}.{group}", target.mapping.kind)
    }
}

fn ports(given: &Given, target: &Target) -> Result<Vec<Port>, Failure> {
    let object = &target.object;
    let declared: Vec<Port> = if target.mapping.kind == "Service" {
        let ports = object.path("spec.ports").items().iter();
        ports.filter_map(|port| found(port, "port")).collect()
    } else {
        let path = super::set::pod_spec_path(&target.mapping.kind).unwrap_or(&["spec"]);
        let containers = object.at(path).get("containers").items().iter();
        containers
            .flat_map(|container| container.get("ports").items())
            .filter_map(|port| found(port, "containerPort"))
            .collect()
    };
    if !given.has("port") {
        if declared.is_empty() {
            return Err(Failure::error(
                "couldn't find port via --port flag or introspection",
            ));
        }
        return Ok(declared);
    }
    let mut ports = Vec::new();
    for text in given.text("port").split(',') {
        let number: i64 = text.parse().map_err(|_| {
            Failure::error(format!("strconv.Atoi: parsing {text:?}: invalid syntax"))
        })?;
        let known = declared.iter().find(|port| port.number == number);
        ports.push(Port {
            number,
            protocol: known.map_or_else(|| "TCP".into(), |port| port.protocol.clone()),
        });
    }
    Ok(ports)
}

fn found(port: &Value, key: &str) -> Option<Port> {
    let protocol = port.shared_str("protocol");
    Some(Port {
        number: port.int(key)?,
        protocol: if protocol.is_empty() {
            "TCP".into()
        } else {
            protocol
        },
    })
}
