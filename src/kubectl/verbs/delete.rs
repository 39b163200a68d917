//! `kubectl delete`: by name, selector, file or all; waits until the objects are gone.
//!
//! Models `kubectl/pkg/cmd/delete`.

use api::{Request, Str};

use super::files;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("all"),
    switch("all-namespaces").short('A'),
    optional("cascade", "background"),
    optional("dry-run", "unchanged"),
    text("field-selector"),
    array("filename").short('f'),
    switch("force"),
    number("grace-period"),
    switch("ignore-not-found"),
    switch("interactive").short('i'),
    text("kustomize").short('k'),
    switch("now"),
    text("output").short('o'),
    text("raw"),
    switch("recursive").short('R'),
    text("selector").short('l'),
    duration("timeout"),
    switch("wait"),
];

struct Target {
    mapping: Mapping,
    namespace: Str,
    name: Str,
    /// The file that named it; empty if the command line did.
    source: Str,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("delete", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    let dry_run = super::apply::DryRun::of(&given)?;
    let is_now = given.switch("now");
    let mut grace = given.number("grace-period").filter(|n| *n >= 0);
    if is_now {
        grace = Some(1);
    }
    let is_forced = given.switch("force");
    if is_forced && grace.is_some_and(|secs| secs > 0) {
        return Err(Failure::error(
            "--force and --grace-period greater than 0 cannot be specified together",
        ));
    }
    if is_forced && grace.is_none() {
        grace = Some(0);
    }
    if grace == Some(0) && !is_forced {
        // Without --force kubectl waits for the shortest graceful deletion instead.
        grace = Some(1);
    }
    let propagation = match given.text("cascade").as_str() {
        "" | "background" | "true" => "Background",
        "foreground" => "Foreground",
        "orphan" | "false" => "Orphan",
        other => {
            return Err(Failure::error(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    let mut errors = Vec::new();
    let targets = targets(ctx, &given, &scope, &mut errors)?;
    if is_forced && dry_run == super::apply::DryRun::None {
        ctx.err("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n");
    }
    let mut deleted = Vec::new();
    for target in targets {
        if dry_run != super::apply::DryRun::Client {
            let mut request = Request::delete(
                &target.mapping.resource,
                target.namespace.clone(),
                target.name.clone(),
            );
            request.options.propagation_policy = propagation.into();
            request.options.grace_period_secs = grace;
            request.options.dry_run = dry_run == super::apply::DryRun::Server;
            let response = ctx.call(request)?;
            if !response.is_success() {
                if !(response.reason() == "NotFound"
                    && (given.switch("ignore-not-found") || given.switch("all")))
                {
                    let doing = if target.source.is_empty() {
                        String::new()
                    } else {
                        format!("error when deleting {:?}", target.source.as_str())
                    };
                    errors.push(crate::failure::server_text(&response, &doing));
                }
                continue;
            }
            // A finished deletion answers with a Status that carries the uid, a graceful one with the object.
            let uid = if response.body.str("kind") == "Status" {
                response.body.path("details.uid")
            } else {
                response.body.path("metadata.uid")
            };
            let uid = uid.as_shared_str().cloned().unwrap_or_default();
            report(ctx, &given, &target, is_forced, dry_run);
            deleted.push((target, uid));
        } else {
            report(ctx, &given, &target, is_forced, dry_run);
        }
    }
    if given.switch_or("wait", true) && dry_run == super::apply::DryRun::None {
        wait(ctx, &given, &deleted)?;
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

fn report(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    is_forced: bool,
    dry_run: super::apply::DryRun,
) {
    if given.text("output") == "name" {
        ctx.out(format!("{}\n", target.mapping.qualified(&target.name)));
        return;
    }
    let verb = if is_forced {
        "force deleted"
    } else {
        "deleted"
    };
    let place = if target.namespace.is_empty() {
        String::new()
    } else {
        format!(" from {} namespace", target.namespace)
    };
    ctx.out(format!(
        "{} {:?} {verb}{place}{}\n",
        target.mapping.singular_group(),
        target.name.as_str(),
        dry_run.suffix()
    ));
}

fn targets(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    errors: &mut Vec<String>,
) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    if given.names_files() {
        for document in files::read(ctx, given)? {
            let object = document.object;
            let Some(mapping) = mapping_of(ctx, object.str("apiVersion"), object.str("kind"))?
            else {
                errors.push(format!(
                    "error: resource mapping not found for name: {:?} namespace: {:?} from {:?}: no matches for kind {:?} in version {:?}\nensure CRDs are installed first",
                    object.path("metadata.name").as_str().unwrap_or_default(),
                    object.path("metadata.namespace").as_str().unwrap_or_default(),
                    document.source.as_str(),
                    object.str("kind"),
                    object.str("apiVersion")
                ));
                continue;
            };
            let own = object.get("metadata").shared_str("namespace");
            let namespace = if !mapping.is_namespaced || !own.is_empty() {
                own
            } else {
                scope.namespace.clone()
            };
            targets.push(Target {
                name: object.get("metadata").shared_str("name"),
                mapping,
                namespace,
                source: document.source,
            });
        }
        return Ok(targets);
    }
    if given.args.is_empty() {
        return Err(Failure::error(
            "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        ));
    }
    for selection in select(ctx, &given.args)? {
        let namespace = selection.mapping.namespace(scope);
        if !selection.names.is_empty() {
            if given.switch("all") || given.has("selector") {
                return Err(Failure::error(if given.has("selector") {
                    "name cannot be provided when a selector is specified"
                } else {
                    "setting 'all' parameter but found a non empty selector. "
                }));
            }
            targets.extend(selection.names.iter().map(|name| Target {
                mapping: selection.mapping.clone(),
                namespace: namespace.clone(),
                name: name.clone(),
                source: Str::EMPTY,
            }));
            continue;
        }
        if !(given.switch("all") || given.has("selector") || given.has("field-selector")) {
            return Err(Failure::error(
                "resource(s) were provided, but no name was specified",
            ));
        }
        let mut request = Request::list(&selection.mapping.resource, namespace);
        request.options.label_selector = given.text("selector");
        request.options.field_selector = given.text("field-selector");
        let found = ctx.object(request)?;
        targets.extend(found.get("items").items().iter().map(|item| {
            let meta = item.get("metadata");
            Target {
                mapping: selection.mapping.clone(),
                namespace: meta.shared_str("namespace"),
                name: meta.shared_str("name"),
                source: Str::EMPTY,
            }
        }));
    }
    if targets.is_empty() {
        ctx.out("No resources found\n");
    }
    Ok(targets)
}

/// Until every object is gone or replaced by one with another uid.
fn wait(ctx: &mut Context<'_>, given: &Given, deleted: &[(Target, Str)]) -> Result<(), Failure> {
    let until = given
        .span("timeout")?
        .filter(|span| *span > 0)
        .map(|span| ctx.now() + span);
    for (target, uid) in deleted {
        // Each look at an object that is still there is followed by a watch, as the real one does.
        let first = ctx.call(Request::get(
            &target.mapping.resource,
            target.namespace.clone(),
            target.name.clone(),
        ))?;
        if !first.is_success()
            || (!uid.is_empty() && first.body.path("metadata.uid").as_str() != Some(uid))
        {
            continue;
        }
        let version = first
            .body
            .path("metadata.resourceVersion")
            .as_shared_str()
            .cloned()
            .unwrap_or_default();
        let stream = ctx.open(
            Request::watch(&target.mapping.resource, target.namespace.clone(), version)
                .fields(format!("metadata.name={}", target.name)),
        )?;
        loop {
            let Some(arrival) = ctx.next_arrival(stream, until)? else {
                return Err(Failure::error(format!(
                    "timed out waiting for the condition on {}/{}",
                    target.mapping.resource.plural, target.name
                )));
            };
            if let crate::Arrival::Watch(event) = &arrival
                && matches!(event.kind, api::WatchKind::Deleted | api::WatchKind::Error)
            {
                break;
            }
        }
        ctx.close(stream);
    }
    Ok(())
}
