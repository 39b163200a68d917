//! `kubectl set resources|selector|serviceaccount|subject`.
//!
//! Models `kubectl/pkg/cmd/set/set_{resources,selector,serviceaccount,subject}.go`.

use api::{Str, Value, map};

use super::{begin, each_container, finish_each, pod_spec_path};
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::Scope;
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("containers").short('c'),
    text("limits"),
    text("requests"),
    text("resource-version"),
    array("user"),
    array("group"),
    array("serviceaccount"),
    switch("all"),
    switch("local"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("selector").short('l'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("show-managed-fields"),
    switch("record"),
];

pub(super) fn resources(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set resources", FLAGS, args)?;
    if !given.has("limits") && !given.has("requests") {
        return Err(Failure::error(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let limits = amounts(&given.text("limits"))?;
    let requests = amounts(&given.text("requests"))?;
    let scope = Scope::of(ctx, &given)?;
    let mut targets = begin(ctx, &given, &scope, &given.args)?;
    let wanted = if given.has("containers") {
        given.text("containers")
    } else {
        "*".into()
    };
    let word = "resource requirements updated";
    finish_each(ctx, &given, &mut targets, word, |target, changed| {
        let mut found = false;
        each_container(&target.mapping.kind, changed, |container| {
            if wanted != "*" && container.str("name") != wanted.as_str() {
                return;
            }
            found = true;
            for (field, amounts) in [("limits", &limits), ("requests", &requests)] {
                for (resource, amount) in amounts {
                    container
                        .entry("resources")
                        .entry(field)
                        .set(resource.clone(), amount.clone());
                }
            }
        })?;
        if found {
            Ok(())
        } else {
            Err(format!("unable to find container named {wanted}"))
        }
    })?;
    targets.finish()
}

/// `cpu=200m,memory=512Mi`.
fn amounts(text: &str) -> Result<Vec<(Str, Str)>, Failure> {
    let mut amounts = Vec::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let Some((resource, amount)) = pair.split_once('=') else {
            return Err(Failure::error(format!(
                "invalid argument syntax {pair}, expected <resource>=<value>"
            )));
        };
        api::quantity::Quantity::parse(amount).map_err(|why| Failure::error(why.to_string()))?;
        amounts.push((Str::new(resource), Str::new(amount)));
    }
    Ok(amounts)
}

pub(super) fn service_account(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set serviceaccount", FLAGS, args)?;
    let Some((account, resources)) = given.args.split_last() else {
        return Err(Failure::error("serviceaccount is required"));
    };
    if resources.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let mut targets = begin(ctx, &given, &scope, resources)?;
    finish_each(
        ctx,
        &given,
        &mut targets,
        "serviceaccount updated",
        |target, changed| {
            let path = pod_spec_path(&target.mapping.kind)
                .ok_or_else(|| no_template(&target.mapping.kind))?;
            changed
                .at_mut(path)
                .set("serviceAccountName", account.clone());
            Ok(())
        },
    )?;
    targets.finish()
}

fn no_template(kind: &str) -> String {
    format!("the object is not a pod or does not have a pod template: {kind}")
}

pub(super) fn selector(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set selector", FLAGS, args)?;
    let Some((expression, resources)) = given
        .args
        .split_last()
        .filter(|(last, _)| last.contains('='))
    else {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    };
    let mut labels = map! {};
    for pair in expression.split(',') {
        match pair.split_once('=') {
            Some((key, value)) => labels.set(Str::new(key), Str::new(value)),
            None => {
                return Err(Failure::error(format!(
                    "unexpected selector expression: {pair}"
                )));
            }
        }
    }
    let scope = Scope::of(ctx, &given)?;
    let mut targets = begin(ctx, &given, &scope, resources)?;
    finish_each(
        ctx,
        &given,
        &mut targets,
        "selector updated",
        |target, changed| {
            if target.mapping.kind != "Service" {
                return Err(format!(
                    "setting a selector is only supported for Services, not {}",
                    target.mapping.kind
                ));
            }
            changed.set_path("spec.selector", labels.clone());
            Ok(())
        },
    )?;
    targets.finish()
}

pub(super) fn subject(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set subject", FLAGS, args)?;
    let subjects = crate::verbs::create::subjects(&given)?;
    if subjects.is_empty() {
        return Err(Failure::error(
            "you must specify at least one value of user, group or serviceaccount",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let mut targets = begin(ctx, &given, &scope, &given.args)?;
    finish_each(
        ctx,
        &given,
        &mut targets,
        "subjects updated",
        |target, changed| {
            if !target.mapping.kind.ends_with("RoleBinding") {
                return Err(
                    "setting subjects is only supported for RoleBinding/ClusterRoleBinding"
                        .to_owned(),
                );
            }
            let same = |a: &Value, b: &Value| {
                ["kind", "name", "namespace"]
                    .iter()
                    .all(|field| a.str(field) == b.str(field))
            };
            let known = changed.entry("subjects").list_mut();
            for subject in &subjects {
                if !known.iter().any(|other| same(other, subject)) {
                    known.push(subject.clone());
                }
            }
            Ok(())
        },
    )?;
    targets.finish()
}
