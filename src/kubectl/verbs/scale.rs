//! `kubectl scale`: through the scale subresource.
//!
//! Models `kubectl/pkg/cmd/scale`.

use api::{PatchKind, Request, Str, map};

use super::files;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    number("replicas"),
    number("current-replicas"),
    text("resource-version"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("selector").short('l'),
    switch("all"),
    text("output").short('o'),
    optional("dry-run", "unchanged"),
    duration("timeout"),
    text("kustomize").short('k'),
    text("template"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("scale", FLAGS, args)?;
    let Some(replicas) = given.number("replicas") else {
        return Err(Failure::Exit {
            code: 1,
            message: "error: required flag(s) \"replicas\" not set\n".into(),
        });
    };
    if replicas < 0 {
        return Err(Failure::error(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let dry_run = super::apply::DryRun::of(&given)?;
    let targets = targets(ctx, &given, &scope)?;
    if targets.is_empty() {
        return Err(Failure::error("no objects passed to scale"));
    }
    for (mapping, namespace, name) in targets {
        let object = Request::get(&mapping.resource, namespace.clone(), name.clone());
        let current = ctx.object(object.subresource("scale"))?;
        if let Some(expected) = given.number("current-replicas").filter(|n| *n >= 0) {
            let actual = current.path("spec.replicas").as_int().unwrap_or(0);
            if actual != expected {
                return Err(Failure::error(format!(
                    "Expected replicas to be {expected}, was {actual}"
                )));
            }
        }
        if dry_run != super::apply::DryRun::Client {
            let patch = map! { "spec": map! { "replicas": replicas } };
            let mut request = Request::patch(
                &mapping.resource,
                namespace,
                name.clone(),
                PatchKind::Merge,
                patch,
            )
            .subresource("scale");
            request.options.dry_run = dry_run == super::apply::DryRun::Server;
            ctx.object(request)?;
        }
        if given.text("output") == "name" {
            ctx.out(format!("{}\n", mapping.qualified(&name)));
        } else {
            ctx.out(format!(
                "{} scaled{}\n",
                mapping.qualified(&name),
                dry_run.suffix()
            ));
        }
    }
    Ok(())
}

fn targets(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
) -> Result<Vec<(Mapping, Str, Str)>, Failure> {
    let mut found = Vec::new();
    if given.names_files() {
        for document in files::read(ctx, given)? {
            if let Some(mapping) = mapping_of(
                ctx,
                document.object.str("apiVersion"),
                document.object.str("kind"),
            )? {
                let meta = document.object.get("metadata");
                let own = meta.shared_str("namespace");
                found.push((
                    mapping,
                    if own.is_empty() {
                        scope.namespace.clone()
                    } else {
                        own
                    },
                    meta.shared_str("name"),
                ));
            }
        }
        return Ok(found);
    }
    for selection in select(ctx, &given.args)? {
        let namespace = selection.mapping.namespace(scope);
        if selection.names.is_empty() {
            let list = ctx.object(
                Request::list(&selection.mapping.resource, namespace.clone())
                    .labels(given.text("selector")),
            )?;
            for item in list.get("items").items() {
                found.push((
                    selection.mapping.clone(),
                    namespace.clone(),
                    item.get("metadata").shared_str("name"),
                ));
            }
        }
        found.extend(
            selection
                .names
                .iter()
                .map(|name| (selection.mapping.clone(), namespace.clone(), name.clone())),
        );
    }
    Ok(found)
}
