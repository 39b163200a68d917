//! `kubectl rollout`: status, history, undo, pause, resume, restart.
//!
//! Models `kubectl/pkg/cmd/rollout` and `kubectl/pkg/polymorphichelpers`.

mod history;
mod status;

use api::{PatchKind, Request, Str, Value, apps, map};

use super::files;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::{Context, Failure};
use history::{history, undo};
use status::status;

const FLAGS: &[Flag] = &[
    number("revision"),
    number("to-revision"),
    switch("watch").short('w'),
    duration("timeout"),
    text("output").short('o'),
    text("template"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("kustomize").short('k'),
    text("selector").short('l'),
    optional("dry-run", "unchanged"),
    text("field-manager"),
];

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let Some(subcommand) = args.first() else {
        ctx.out("Manage the rollout of one or many resources.\n\nAvailable Commands:\n  history       View rollout history\n  pause         Mark the provided resource as paused\n  restart       Restart a resource\n  resume        Resume a paused resource\n  status        Show the status of the rollout\n  undo          Undo a previous rollout\n\nUsage:\n  kubectl rollout SUBCOMMAND\n");
        return Ok(());
    };
    let given = Given::parse(&format!("rollout {subcommand}"), FLAGS, &args[1..])?;
    let scope = Scope::of(ctx, &given)?;
    match subcommand.as_str() {
        "status" => status(ctx, &given, &scope),
        "history" => history(ctx, &given, &scope),
        "undo" => undo(ctx, &given, &scope),
        "pause" => pause(ctx, &given, &scope, true),
        "resume" => pause(ctx, &given, &scope, false),
        "restart" => restart(ctx, &given, &scope),
        other => Err(Failure::error(format!(
            "unknown command {other:?} for \"kubectl rollout\""
        ))),
    }
}

fn targets(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
) -> Result<Vec<(Mapping, Value)>, Failure> {
    let mut found = Vec::new();
    if given.names_files() {
        for document in files::read(ctx, given)? {
            if let Some(mapping) = mapping_of(
                ctx,
                document.object.str("apiVersion"),
                document.object.str("kind"),
            )? {
                let name = document.object.get("metadata").shared_str("name");
                let object = ctx.object(Request::get(
                    &mapping.resource,
                    mapping.namespace(scope),
                    name,
                ))?;
                found.push((mapping, object));
            }
        }
        return Ok(found);
    }
    if given.args.is_empty() {
        return Err(Failure::error("required resource not specified"));
    }
    for selection in select(ctx, &given.args)? {
        let namespace = selection.mapping.namespace(scope);
        if selection.names.is_empty() {
            let list = ctx.object(
                Request::list(&selection.mapping.resource, namespace)
                    .labels(given.text("selector")),
            )?;
            found.extend(
                list.get("items")
                    .items()
                    .iter()
                    .map(|item| (selection.mapping.clone(), item.clone())),
            );
            continue;
        }
        for name in &selection.names {
            let object = ctx.object(Request::get(
                &selection.mapping.resource,
                namespace.clone(),
                name.clone(),
            ))?;
            found.push((selection.mapping.clone(), object));
        }
    }
    Ok(found)
}

fn name_of(object: &Value) -> Str {
    object.get("metadata").shared_str("name")
}

fn pause(ctx: &mut Context<'_>, given: &Given, scope: &Scope, pause: bool) -> Result<(), Failure> {
    let mut errors = Vec::new();
    for (mapping, object) in targets(ctx, given, scope)? {
        let name = name_of(&object);
        let (word, done) = if pause {
            ("paused", "is already paused")
        } else {
            ("resumed", "is not paused")
        };
        if mapping.kind != "Deployment" {
            errors.push(format!(
                "error: {} {:?} {}",
                mapping.resource.group_resource(),
                name.as_str(),
                if pause {
                    "pausing is not supported"
                } else {
                    "resuming is not supported"
                }
            ));
            continue;
        }
        if apps::Deployment(&object).is_paused() == pause {
            errors.push(format!(
                "error: {} {:?} {done}",
                mapping.resource.group_resource(),
                name.as_str()
            ));
            continue;
        }
        let patch =
            map! { "spec": map! { "paused": if pause { Value::Bool(true) } else { Value::Null } } };
        ctx.object(Request::patch(
            &mapping.resource,
            mapping.namespace(scope),
            name.clone(),
            PatchKind::Strategic,
            patch,
        ))?;
        ctx.out(format!("{} {word}\n", mapping.qualified(&name)));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

fn restart(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    for (mapping, object) in targets(ctx, given, scope)? {
        let name = name_of(&object);
        if !["Deployment", "DaemonSet", "StatefulSet"].contains(&mapping.kind.as_str()) {
            return Err(Failure::error(format!(
                "{} {:?} restarting is not supported",
                mapping.resource.group_resource(),
                name.as_str()
            )));
        }
        if mapping.kind == "Deployment" && apps::Deployment(&object).is_paused() {
            return Err(Failure::error(format!(
                "{} {:?} can't restart paused deployment (run rollout resume first)",
                mapping.resource.group_resource(),
                name.as_str()
            )));
        }
        let annotations = map! { "kubectl.kubernetes.io/restartedAt": ctx.now().rfc3339() };
        let patch = map! { "spec": map! { "template": map! { "metadata": map! { "annotations": annotations } } } };
        let mut request = Request::patch(
            &mapping.resource,
            mapping.namespace(scope),
            name.clone(),
            PatchKind::Strategic,
            patch,
        );
        request.options.field_manager = "kubectl-rollout".into();
        ctx.object(request)?;
        ctx.out(format!("{} restarted\n", mapping.qualified(&name)));
    }
    Ok(())
}
