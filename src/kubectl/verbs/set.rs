//! `kubectl set image`.
//!
//! Models `kubectl/pkg/cmd/set`.

use api::{PatchKind, Request, Str, Value, map};

use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::{Mapping, Scope, select};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("all"),
    switch("local"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("selector").short('l'),
    optional("dry-run", "unchanged"),
    text("field-manager"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.first().map(Str::as_str) {
        Some("image") => image(ctx, &args[1..]),
        Some(other) => Err(Failure::error(format!(
            "unknown command {other:?} for \"kubectl set\""
        ))),
        None => Err(Failure::error("set needs a subcommand")),
    }
}

/// Where a workload keeps its pod spec.
pub(crate) fn pod_spec_path(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["spec"],
        "Deployment"
        | "ReplicaSet"
        | "ReplicationController"
        | "DaemonSet"
        | "StatefulSet"
        | "Job" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    })
}

fn image(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set image", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    let dry_run = super::apply::DryRun::of(&given)?;
    let (pairs, resources): (Vec<Str>, Vec<Str>) = given
        .args
        .iter()
        .cloned()
        .partition(|arg| arg.contains('='));
    let mut images = Vec::new();
    for pair in &pairs {
        match pair.split_once('=') {
            Some((container, image)) if !container.is_empty() && !image.is_empty() => {
                images.push((container.to_owned(), Str::new(image)))
            }
            _ => {
                return Err(Failure::error(format!(
                    "invalid image: {pair}, expected CONTAINER=IMAGE"
                )));
            }
        }
    }
    if resources.is_empty() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if images.is_empty() {
        return Err(Failure::error("at least one image update is required"));
    }
    let mut errors = Vec::new();
    for selection in select(ctx, &resources)? {
        let namespace = selection.mapping.namespace(&scope);
        let objects: Vec<Value> = if selection.names.is_empty() {
            if !(given.switch("all") || given.has("selector")) {
                return Err(Failure::error(
                    "resource(s) were provided, but no name was specified",
                ));
            }
            ctx.object(
                Request::list(&selection.mapping.resource, namespace.clone())
                    .labels(given.text("selector")),
            )?
            .get("items")
            .items()
            .to_vec()
        } else {
            let mut objects = Vec::new();
            for name in &selection.names {
                objects.push(ctx.object(Request::get(
                    &selection.mapping.resource,
                    namespace.clone(),
                    name.clone(),
                ))?);
            }
            objects
        };
        for object in objects {
            one(
                ctx,
                &selection.mapping,
                &namespace,
                &object,
                &images,
                dry_run,
                &mut errors,
            )?;
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

fn one(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    namespace: &Str,
    object: &Value,
    images: &[(String, Str)],
    dry_run: super::apply::DryRun,
    errors: &mut Vec<String>,
) -> Result<(), Failure> {
    let name = object.get("metadata").shared_str("name");
    let Some(path) = pod_spec_path(&mapping.kind) else {
        errors.push(format!(
            "error: the object is not a pod or does not have a pod template: {}",
            mapping.kind
        ));
        return Ok(());
    };
    let spec = object.at(path);
    let mut patch_spec = map! {};
    for (wanted, image) in images {
        let mut found = false;
        for list in ["containers", "initContainers"] {
            for container in spec
                .get(list)
                .items()
                .iter()
                .filter(|c| wanted == "*" || c.str("name") == wanted)
            {
                found = true;
                if container.str("image") != image.as_str() {
                    patch_spec
                        .entry(list)
                        .list_mut()
                        .push(map! { "name": container.get("name"), "image": image });
                }
            }
        }
        if !found {
            errors.push(format!("error: unable to find container named {wanted:?}"));
        }
    }
    if patch_spec.is_empty() || !errors.is_empty() {
        return Ok(());
    }
    let patch = path.iter().rev().fold(patch_spec, |inner, key| {
        let mut outer = map! {};
        outer.set(*key, inner);
        outer
    });
    if dry_run != super::apply::DryRun::Client {
        let mut request = Request::patch(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
            PatchKind::Strategic,
            patch,
        );
        request.options.dry_run = dry_run == super::apply::DryRun::Server;
        request.options.field_manager = "kubectl-set".into();
        ctx.object(request)?;
    }
    ctx.out(format!(
        "{} image updated{}\n",
        mapping.qualified(&name),
        dry_run.suffix()
    ));
    Ok(())
}
