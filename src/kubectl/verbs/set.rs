//! `kubectl set image|env|resources|selector|serviceaccount|subject`: a change of one aspect of objects.
//!
//! Models `kubectl/pkg/cmd/set`.

mod env;
mod others;

use api::{Str, Value};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::Scope;
use crate::targets::{self, Target, Targets};
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
    text("template"),
    text("kustomize").short('k'),
    switch("show-managed-fields"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.first().map(Str::as_str) {
        Some("env") => env::run(ctx, &args[1..]),
        Some("image") => image(ctx, &args[1..]),
        Some("resources") => others::resources(ctx, &args[1..]),
        Some("selector") => others::selector(ctx, &args[1..]),
        Some("serviceaccount" | "sa") => others::service_account(ctx, &args[1..]),
        Some("subject") => others::subject(ctx, &args[1..]),
        Some(other) => Err(Failure::error(format!(
            "unknown command {other:?} for \"kubectl set\""
        ))),
        None => {
            ctx.out("Configure application resources.\n\n These commands help you make changes to existing application resources.\n\nAvailable Commands:\n  env              Update environment variables on a pod template\n  image            Update the image of a pod template\n  resources        Update resource requests/limits on objects with pod templates\n  selector         Set the selector on a resource\n  serviceaccount   Update the service account of a resource\n  subject          Update the user, group, or service account in a role binding or cluster role binding\n\nUsage:\n  kubectl set SUBCOMMAND [options]\n\nUse \"kubectl set <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
            Ok(())
        }
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

/// The objects meant, fetched.
fn begin(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    resources: &[Str],
) -> Result<Targets, Failure> {
    DryRun::of(given)?;
    targets::find(ctx, given, scope, resources)
}

/// Changes every target, sends what differs and reports it; what `change` refuses joins the errors.
fn finish_each(
    ctx: &mut Context<'_>,
    given: &Given,
    targets: &mut Targets,
    word: &str,
    mut change: impl FnMut(&Target, &mut Value) -> Result<(), String>,
) -> Result<(), Failure> {
    let dry_run = DryRun::of(given)?;
    for target in std::mem::take(&mut targets.found) {
        let mut changed = target.object.clone();
        if let Err(why) = change(&target, &mut changed) {
            targets.errors.push(format!("error: {why}"));
            continue;
        }
        if changed == target.object {
            continue;
        }
        match targets::send(ctx, given, &target, &changed, "kubectl-set", dry_run) {
            Ok(made) => targets::report(ctx, given, &target.mapping, &made, word, dry_run)?,
            failed => targets.keep(failed.map(|_| ()))?,
        }
    }
    Ok(())
}

/// Goes through the containers and init containers of an object of this kind.
fn each_container(
    kind: &str,
    object: &mut Value,
    mut visit: impl FnMut(&mut Value),
) -> Result<(), String> {
    let path = pod_spec_path(kind).ok_or_else(|| {
        format!("the object is not a pod or does not have a pod template: {kind}")
    })?;
    let spec = object.at_mut(path);
    for field in ["initContainers", "containers"] {
        if spec.get(field).is_empty() {
            continue;
        }
        for container in spec.entry(field).list_mut() {
            visit(container);
        }
    }
    Ok(())
}

fn image(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set image", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
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
    if resources.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if images.is_empty() {
        return Err(Failure::error("at least one image update is required"));
    }
    let mut targets = begin(ctx, &given, &scope, &resources)?;
    finish_each(
        ctx,
        &given,
        &mut targets,
        "image updated",
        |target, changed| {
            let mut missing = Vec::new();
            for (wanted, image) in &images {
                let mut found = false;
                each_container(&target.mapping.kind, changed, |container| {
                    if wanted == "*" || container.str("name") == wanted {
                        found = true;
                        container.set("image", image.clone());
                    }
                })?;
                if !found {
                    missing.push(format!("unable to find container named {wanted:?}"));
                }
            }
            if missing.is_empty() {
                Ok(())
            } else {
                Err(missing.join("\nerror: "))
            }
        },
    )?;
    targets.finish()
}
