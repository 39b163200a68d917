//! `kubectl apply view-last-applied|set-last-applied|edit-last-applied`: the annotation that client-side apply keeps.
//!
//! Models `kubectl/pkg/cmd/apply/apply_{view,set}_last_applied.go`.

use api::{PatchKind, Request, Str, Value, map};

use super::{DryRun, LAST_APPLIED, no_match, place};
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::{Mapping, Scope, mapping_of};
use crate::verbs::files;
use crate::{Context, Failure};

const VIEW: &[Flag] = &[
    switch("all"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    text("output").short('o'),
    switch("recursive").short('R'),
    text("selector").short('l'),
];
const SET: &[Flag] = &[
    switch("create-annotation"),
    optional("dry-run", "unchanged"),
    array("filename").short('f'),
    text("output").short('o'),
    switch("show-managed-fields"),
    text("template"),
    switch("allow-missing-template-keys"),
];

pub(super) fn view(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("apply view-last-applied", VIEW, args)?;
    let scope = Scope::of(ctx, &given)?;
    let is_json = match given.text("output").as_str() {
        "json" => true,
        "" | "yaml" => false,
        other => {
            return Err(Failure::usage(
                "view-last-applied",
                format!(
                    "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json"
                ),
            ));
        }
    };
    for (mapping, name) in targets(ctx, &given)? {
        let object = ctx.object(Request::get(
            &mapping.resource,
            mapping.namespace(&scope),
            name.clone(),
        ))?;
        let Some(text) = api::meta::Meta::of(&object).annotation(LAST_APPLIED) else {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {name}"
            )));
        };
        let value = Value::from_json(text).unwrap_or_default();
        let shown = if is_json {
            // Two blanks here, unlike `-o json` elsewhere.
            serde_json::to_string_pretty(&value).expect("a value tree always encodes") + "\n"
        } else {
            api::yaml::emit(&value)
        };
        ctx.out(shown);
    }
    Ok(())
}

pub(super) fn set(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("apply set-last-applied", SET, args)?;
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    for document in files::read(ctx, &given)? {
        let mut object = document.object.clone();
        let Some(mapping) = mapping_of(ctx, object.str("apiVersion"), object.str("kind"))? else {
            return Err(no_match(
                &object,
                &document.source,
                object.str("apiVersion"),
                object.str("kind"),
            ));
        };
        let namespace = place(&mut object, &mapping, &scope)?;
        let name = object.get("metadata").shared_str("name");
        let current = ctx.object(Request::get(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        let before = api::meta::Meta::of(&current)
            .annotation(LAST_APPLIED)
            .map(Str::new);
        if before.is_none() && !given.switch("create-annotation") {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command with --create-annotation"
            )));
        }
        let text = crate::print::escaped(&object.to_json()) + "\n";
        if before.is_some_and(|before| before.trim_end() == text.trim_end()) {
            ctx.err(format!("set-last-applied {name}: no changes required.\n"));
            continue;
        }
        let mut annotations = map! {};
        annotations.set(LAST_APPLIED, text);
        let patch = map! { "metadata": map! { "annotations": annotations } };
        let made = if dry_run == DryRun::Client {
            current
        } else {
            let mut request = Request::patch(
                &mapping.resource,
                namespace,
                name.clone(),
                PatchKind::Merge,
                patch,
            );
            request.options.dry_run = dry_run == DryRun::Server;
            ctx.object(request)?
        };
        crate::targets::report(ctx, &given, &mapping, &made, "configured", dry_run)?;
    }
    Ok(())
}

fn targets(ctx: &mut Context<'_>, given: &Given) -> Result<Vec<(Mapping, Str)>, Failure> {
    if given.names_files() {
        let mut found = Vec::new();
        for document in files::read(ctx, given)? {
            if let Some(mapping) = mapping_of(
                ctx,
                document.object.str("apiVersion"),
                document.object.str("kind"),
            )? {
                found.push((mapping, document.object.get("metadata").shared_str("name")));
            }
        }
        return Ok(found);
    }
    let selections = crate::resource::select(ctx, &given.args)?;
    Ok(selections
        .into_iter()
        .flat_map(|s| {
            s.names
                .into_iter()
                .map(move |name| (s.mapping.clone(), name))
        })
        .collect())
}
