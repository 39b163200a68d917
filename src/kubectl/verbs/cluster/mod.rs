//! `kubectl cluster-info`, `api-versions` and `top`: about the cluster as a whole.
//!
//! Models `kubectl/pkg/cmd/{clusterinfo,apiresources,top}`. No metrics server runs here, so `top` says what it says then.

mod dump;

use std::collections::BTreeSet;

use api::{Request, Resource, Str, meta::Meta};

use crate::flags::{Flag, Given, switch, text};
use crate::{Context, Failure};

pub(crate) fn info(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    if args.first().is_some_and(|arg| arg == "dump") {
        return dump::run(ctx, &args[1..]);
    }
    Given::parse("cluster-info", &[], args)?;
    let config = super::config::server(ctx)?;
    ctx.out(format!("Kubernetes control plane is running at {config}\n"));
    let services = ctx.object(
        Request::list(&Resource::of("", "v1", "services"), "kube-system")
            .labels("kubernetes.io/cluster-service=true"),
    )?;
    for service in services.get("items").items() {
        let meta = Meta::of(service);
        let name = meta
            .label("kubernetes.io/name")
            .unwrap_or_else(|| meta.name());
        let port = service
            .path("spec.ports")
            .items()
            .first()
            .map_or("", |port| port.str("name"));
        let path = if port.is_empty() {
            meta.name().to_owned()
        } else {
            format!("{}:{port}", meta.name())
        };
        ctx.out(format!(
            "{name} is running at {config}/api/v1/namespaces/kube-system/services/{path}/proxy\n"
        ));
    }
    ctx.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    Ok(())
}

pub(crate) fn api_versions(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    Given::parse("api-versions", &[], args)?;
    let mut all: BTreeSet<String> = api::kinds::all()
        .iter()
        // Metrics are served by an addition to the cluster, which is not there.
        .filter(|kind| kind.group != "metrics.k8s.io")
        .map(|kind| kind.api_version().to_string())
        .collect();
    let definitions = ctx.object(Request::list(
        &Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
        "",
    ))?;
    for definition in definitions.get("items").items() {
        let spec = definition.get("spec");
        for version in spec.get("versions").items() {
            if version.bool("served") {
                all.insert(format!("{}/{}", spec.str("group"), version.str("name")));
            }
        }
    }
    for version in all {
        ctx.out(format!("{version}\n"));
    }
    Ok(())
}

pub(crate) fn top(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const FLAGS: &[Flag] = &[
        text("selector").short('l'),
        text("field-selector"),
        text("sort-by"),
        switch("all-namespaces").short('A'),
        switch("containers"),
        switch("no-headers"),
        switch("sum"),
        switch("show-capacity"),
        switch("show-swap"),
        switch("use-protocol-buffers"),
    ];
    let given = Given::parse("top", FLAGS, args)?;
    match given.args.first().map(Str::as_str) {
        Some("pod" | "pods" | "po" | "node" | "nodes" | "no") => {
            Err(Failure::error("Metrics API not available"))
        }
        Some(other) => Err(Failure::usage("top", format!("unknown command {other:?}"))),
        None => {
            ctx.out("Display resource (CPU/memory) usage.\n\n This command provides a view of recent resource consumption for nodes and pods.\n\n The metrics shown come from the Metrics API, which needs a metrics server in the cluster.\n\nAvailable Commands:\n  node          Display resource (CPU/memory) usage of nodes\n  pod           Display resource (CPU/memory) usage of pods\n\nUsage:\n  kubectl top [flags] [options]\n\nUse \"kubectl top <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
            Ok(())
        }
    }
}
