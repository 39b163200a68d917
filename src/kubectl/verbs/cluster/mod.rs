//! `kubectl cluster-info` and `api-versions`: about the cluster as a whole.
//!
//! Models `kubectl/pkg/cmd/{clusterinfo,apiresources}`.

mod dump;

use std::collections::BTreeSet;

use api::{Request, Resource, Str, meta::Meta};

use crate::flags::Given;
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
    let groups = ctx.object(Request::path("/apis"))?;
    let mut all: BTreeSet<String> = BTreeSet::from(["v1".to_owned()]);
    for group in groups.get("groups").items() {
        let versions = group.get("versions").items().iter();
        all.extend(versions.map(|version| version.str("groupVersion").to_owned()));
    }
    for version in all {
        ctx.out(format!("{version}\n"));
    }
    Ok(())
}
