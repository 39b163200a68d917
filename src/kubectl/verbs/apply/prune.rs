//! `kubectl apply --prune`: what was applied before and is not among the manifests any more is deleted.
//!
//! Models `kubectl/pkg/cmd/apply/prune.go` (the pruning by allow-list, not ApplySets).

use std::collections::BTreeSet;

use api::{Request, Resource, Str, meta::Meta};

use super::{DryRun, LAST_APPLIED};
use crate::flags::Given;
use crate::resource::Mapping;
use crate::{Context, Failure};

/// What is pruned unless `--prune-allowlist` says otherwise, cluster-scoped kinds aside.
const NAMESPACED: &[(&str, &str, &str)] = &[
    ("", "v1", "ConfigMap"),
    ("", "v1", "Endpoints"),
    ("", "v1", "PersistentVolumeClaim"),
    ("", "v1", "Pod"),
    ("", "v1", "ReplicationController"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"),
    ("apps", "v1", "StatefulSet"),
];
const CLUSTER: &[(&str, &str, &str)] = &[("", "v1", "Namespace"), ("", "v1", "PersistentVolume")];

/// What has been applied: by uid, and in which namespaces.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) uids: BTreeSet<Str>,
    pub(super) namespaces: BTreeSet<Str>,
}

/// What the flags must be for pruning.
pub(super) fn check(given: &Given) -> Result<(), Failure> {
    if !given.switch("prune") {
        return Ok(());
    }
    if given.switch("all") == given.has("selector") {
        return Err(Failure::error(if given.has("selector") {
            "cannot set --all and --selector at the same time"
        } else {
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector"
        }));
    }
    if given.switch("server-side") {
        return Err(Failure::error(
            "--prune is in alpha and doesn't currently work on objects created by server-side apply",
        ));
    }
    Ok(())
}

/// Deletes what is left over.
pub(super) fn run(
    ctx: &mut Context<'_>,
    given: &Given,
    seen: &Seen,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let allowed = given.all("prune-allowlist");
    let mut wanted: Vec<(Mapping, Vec<Str>)> = Vec::new();
    let namespaces: Vec<Str> = seen.namespaces.iter().cloned().collect();
    if allowed.is_empty() {
        for (list, places) in [(NAMESPACED, &namespaces), (CLUSTER, &vec![Str::EMPTY])] {
            for (group, version, kind) in list {
                let api_version = Resource::of(group, version, "").api_version();
                if let Some(mapping) = crate::resource::mapping_of(ctx, &api_version, kind)? {
                    wanted.push((mapping, places.clone()));
                }
            }
        }
    } else {
        for entry in allowed {
            let parts: Vec<&str> = entry.split('/').collect();
            let [group, version, kind] = parts[..] else {
                return Err(Failure::error(format!(
                    "invalid GroupVersionKind format: {entry}, please follow <group/version/kind>"
                )));
            };
            let api_version = match group {
                "core" | "" => version.to_owned(),
                group => format!("{group}/{version}"),
            };
            let Some(mapping) = crate::resource::mapping_of(ctx, &api_version, kind)? else {
                return Err(Failure::error(format!(
                    "no matches for kind {kind:?} in version {api_version:?}"
                )));
            };
            let places = if mapping.is_namespaced {
                namespaces.clone()
            } else {
                vec![Str::EMPTY]
            };
            wanted.push((mapping, places));
        }
    }
    for (mapping, places) in wanted {
        for namespace in places {
            one(ctx, given, seen, dry_run, &mapping, namespace)?;
        }
    }
    Ok(())
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    seen: &Seen,
    dry_run: DryRun,
    mapping: &Mapping,
    namespace: Str,
) -> Result<(), Failure> {
    let list = ctx.object(
        Request::list(&mapping.resource, namespace.clone()).labels(given.text("selector")),
    )?;
    for object in list.get("items").items() {
        let meta = Meta::of(object);
        // Only what apply has made is pruned.
        if meta.annotation(LAST_APPLIED).is_none() || seen.uids.contains(&meta.0.shared_str("uid"))
        {
            continue;
        }
        if dry_run != DryRun::Client {
            let mut request =
                Request::delete(&mapping.resource, namespace.clone(), meta.shared_name());
            request.options.propagation_policy = match given.text("cascade").as_str() {
                "foreground" => "Foreground".into(),
                "orphan" => "Orphan".into(),
                _ => "Background".into(),
            };
            request.options.grace_period_secs = given.number("grace-period").filter(|n| *n >= 0);
            request.options.dry_run = dry_run == DryRun::Server;
            ctx.object(request)?;
        }
        ctx.out(format!(
            "{} pruned{}\n",
            mapping.qualified(meta.name()),
            dry_run.suffix()
        ));
    }
    Ok(())
}
