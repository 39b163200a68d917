//! `kubectl rollout`: status, history, undo, pause, resume, restart.
//!
//! Models `kubectl/pkg/cmd/rollout` and `kubectl/pkg/polymorphichelpers`.

use api::{Map, PatchKind, Request, Str, Value, WatchKind, apps, map, meta::Meta};

use super::files;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::{Context, Failure};
use api::Arrival;

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

fn status(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    let targets = targets(ctx, given, scope)?;
    let [(mapping, object)] = &targets[..] else {
        return Err(Failure::error(format!(
            "rollout status is only supported on individual resources and resource collections - {} resources were found",
            targets.len()
        )));
    };
    let until = given
        .span("timeout")?
        .filter(|span| *span > 0)
        .map(|span| ctx.now() + span);
    let name = name_of(object);
    let revision = given.number("revision").unwrap_or(0);
    let namespace = mapping.namespace(scope);
    let version = object
        .path("metadata.resourceVersion")
        .as_shared_str()
        .cloned()
        .unwrap_or_default();
    let (text, is_done) = progress(mapping, object, revision)?;
    ctx.out(text);
    if is_done || !given.switch_or("watch", true) {
        return Ok(());
    }
    let stream = ctx.open(
        Request::watch(&mapping.resource, namespace, version)
            .fields(format!("metadata.name={name}")),
    )?;
    ctx.resume(Value::Null);
    loop {
        match ctx.next_arrival(stream, until)? {
            None => return Err(Failure::error("timed out waiting for the condition")),
            Some(Arrival::Watch(event)) => match event.kind {
                WatchKind::Deleted => return Err(Failure::error("object has been deleted")),
                WatchKind::Bookmark => {}
                WatchKind::Error => return Err(Failure::error(event.object.str("message"))),
                WatchKind::Added | WatchKind::Modified => {
                    let (text, is_done) = progress(mapping, &event.object, revision)?;
                    ctx.out(text);
                    if is_done {
                        return Ok(());
                    }
                }
            },
            Some(Arrival::Response(response)) if !response.is_success() => {
                return Err(Failure::server(&response));
            }
            Some(_) => {}
        }
        ctx.checkpoint(Value::Null);
    }
}

/// The line to print and whether the rollout is over (`rollout_status.go`).
fn progress(mapping: &Mapping, object: &Value, revision: i64) -> Result<(String, bool), Failure> {
    let name = name_of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    let number = |value: &Value, key: &str| value.int(key).unwrap_or(0);
    let observed = status.int("observedGeneration").unwrap_or(0);
    let generation = Meta::of(object).generation().unwrap_or(0);
    match mapping.kind.as_str() {
        "Deployment" => {
            if revision > 0 {
                let current: i64 = Meta::of(object)
                    .annotation(REVISION)
                    .and_then(|r| r.parse().ok())
                    .unwrap_or(0);
                if current != revision {
                    return Err(Failure::error(format!(
                        "desired revision ({revision}) is different from the running revision ({current})"
                    )));
                }
            }
            if generation > observed {
                return Ok((
                    "Waiting for deployment spec update to be observed...\n".into(),
                    false,
                ));
            }
            let condition = api::meta::condition(object, "Progressing");
            if condition.is_some_and(|c| c.reason() == "ProgressDeadlineExceeded") {
                return Err(Failure::error(format!(
                    "deployment {:?} exceeded its progress deadline",
                    name.as_str()
                )));
            }
            let (updated, replicas, available) = (
                number(status, "updatedReplicas"),
                number(status, "replicas"),
                number(status, "availableReplicas"),
            );
            let wanted = spec.int("replicas").unwrap_or(1);
            let prefix = format!(
                "Waiting for deployment {:?} rollout to finish:",
                name.as_str()
            );
            Ok(if updated < wanted {
                (
                    format!(
                        "{prefix} {updated} out of {wanted} new replicas have been updated...\n"
                    ),
                    false,
                )
            } else if replicas > updated {
                (
                    format!(
                        "{prefix} {} old replicas are pending termination...\n",
                        replicas - updated
                    ),
                    false,
                )
            } else if available < updated {
                (
                    format!(
                        "{prefix} {available} of {updated} updated replicas are available...\n"
                    ),
                    false,
                )
            } else {
                (
                    format!("deployment {:?} successfully rolled out\n", name.as_str()),
                    true,
                )
            })
        }
        "DaemonSet" => {
            if spec.path("updateStrategy.type").as_str() != Some("RollingUpdate") {
                return Err(Failure::error(
                    "rollout status is only available for RollingUpdate strategy type",
                ));
            }
            if generation > observed {
                return Ok((
                    "Waiting for daemon set spec update to be observed...\n".into(),
                    false,
                ));
            }
            let (updated, wanted, available) = (
                number(status, "updatedNumberScheduled"),
                number(status, "desiredNumberScheduled"),
                number(status, "numberAvailable"),
            );
            let prefix = format!(
                "Waiting for daemon set {:?} rollout to finish:",
                name.as_str()
            );
            Ok(if updated < wanted {
                (
                    format!("{prefix} {updated} out of {wanted} new pods have been updated...\n"),
                    false,
                )
            } else if available < wanted {
                (
                    format!("{prefix} {available} of {wanted} updated pods are available...\n"),
                    false,
                )
            } else {
                (
                    format!("daemon set {:?} successfully rolled out\n", name.as_str()),
                    true,
                )
            })
        }
        "StatefulSet" => {
            if spec.path("updateStrategy.type").as_str() != Some("RollingUpdate") {
                return Err(Failure::error(
                    "rollout status is only available for RollingUpdate strategy type",
                ));
            }
            if observed == 0 || generation > observed {
                return Ok((
                    "Waiting for statefulset spec update to be observed...\n".into(),
                    false,
                ));
            }
            let wanted = spec.int("replicas").unwrap_or(1);
            let (ready, updated) = (
                number(status, "readyReplicas"),
                number(status, "updatedReplicas"),
            );
            if ready < wanted {
                return Ok((
                    format!("Waiting for {} pods to be ready...\n", wanted - ready),
                    false,
                ));
            }
            if let Some(partition) = spec
                .path("updateStrategy.rollingUpdate.partition")
                .as_int()
                .filter(|p| *p > 0)
            {
                if updated < wanted - partition {
                    return Ok((
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...\n",
                            wanted - partition
                        ),
                        false,
                    ));
                }
                return Ok((
                    format!(
                        "partitioned roll out complete: {updated} new pods have been updated...\n"
                    ),
                    true,
                ));
            }
            if status.str("updateRevision") != status.str("currentRevision") {
                return Ok((
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...\n",
                        status.str("updateRevision")
                    ),
                    false,
                ));
            }
            Ok((
                format!(
                    "statefulset rolling update complete {} pods at revision {}...\n",
                    number(status, "currentReplicas"),
                    status.str("currentRevision")
                ),
                true,
            ))
        }
        _ => Err(Failure::error(format!(
            "no status viewer has been implemented for {}",
            mapping.kind
        ))),
    }
}

/// A revision of a workload: its number, the pod template and the cause of change.
struct Revision {
    number: i64,
    template: Value,
    cause: Str,
    object: Value,
}

/// Every revision, oldest first: ReplicaSets of a Deployment, ControllerRevisions of the others.
fn revisions(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    object: &Value,
    namespace: &Str,
) -> Result<Vec<Revision>, Failure> {
    let uid = Meta::of(object).uid().to_owned();
    let selector = api::selector::LabelSelector::of(object.path("spec.selector"))
        .map_err(|why| Failure::error(why.to_string()))?
        .to_string();
    let is_deployment = mapping.kind == "Deployment";
    let resource = match mapping.kind.as_str() {
        "Deployment" => apps::REPLICA_SETS,
        "DaemonSet" | "StatefulSet" => api::Resource::of("apps", "v1", "controllerrevisions"),
        other => {
            return Err(Failure::error(format!(
                "no history viewer has been implemented for {other:?}"
            )));
        }
    };
    let list = ctx.object(Request::list(&resource, namespace.clone()).labels(selector))?;
    let mut revisions = Vec::new();
    for item in list.get("items").items().iter().filter(|item| {
        Meta::of(item)
            .controller()
            .is_some_and(|owner| owner.uid() == uid)
    }) {
        let meta = Meta::of(item);
        let cause = meta
            .annotation(CHANGE_CAUSE)
            .map(Str::new)
            .unwrap_or_default();
        let (number, template) = if is_deployment {
            (
                meta.annotation(REVISION)
                    .and_then(|r| r.parse().ok())
                    .unwrap_or(0),
                item.path("spec.template").clone(),
            )
        } else {
            (
                item.int("revision").unwrap_or(0),
                item.path("data.spec.template").clone(),
            )
        };
        revisions.push(Revision {
            number,
            template,
            cause,
            object: item.clone(),
        });
    }
    revisions.sort_by_key(|revision| revision.number);
    Ok(revisions)
}

fn history(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    let format = Format::of(given)?;
    let wanted = given.number("revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Failure::error(format!(
            "revision must be a positive integer: {wanted}"
        )));
    }
    for (mapping, object) in targets(ctx, given, scope)? {
        let namespace = mapping.namespace(scope);
        let all = revisions(ctx, &mapping, &object, &namespace)?;
        let qualified = mapping.qualified(&name_of(&object));
        if !format.is_table() {
            for revision in all.iter().filter(|r| wanted == 0 || r.number == wanted) {
                ctx.out(print::object(
                    &format,
                    &mapping,
                    &print::without_managed_fields(&revision.object),
                )?);
            }
            continue;
        }
        if wanted > 0 {
            let Some(revision) = all.iter().find(|r| r.number == wanted) else {
                return Err(Failure::error("unable to find the specified revision"));
            };
            let mut template = revision.template.clone();
            if !revision.cause.is_empty() {
                template
                    .entry("metadata")
                    .entry("annotations")
                    .set(CHANGE_CAUSE, &revision.cause);
            }
            ctx.out(format!(
                "{qualified} with revision #{wanted}\n{}\n",
                super::describe::pod::template_unaligned(&template)
            ));
            continue;
        }
        let mut text = "REVISION\tCHANGE-CAUSE\n".to_owned();
        for revision in &all {
            let cause = if revision.cause.is_empty() {
                "<none>"
            } else {
                &revision.cause
            };
            text += &format!("{}\t{cause}\n", revision.number);
        }
        ctx.out(format!(
            "{qualified} \n{}\n",
            print::tabwriter::align(&text, print::tabwriter::DESCRIBE)
        ));
    }
    Ok(())
}

fn undo(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    let to = given.number("to-revision").unwrap_or(0);
    if to < 0 {
        return Err(Failure::error(format!(
            "invalid to-revision value: {to}, expected a non-negative integer"
        )));
    }
    let dry_run = super::apply::DryRun::of(given)?;
    for (mapping, object) in targets(ctx, given, scope)? {
        let namespace = mapping.namespace(scope);
        let name = name_of(&object);
        let all = revisions(ctx, &mapping, &object, &namespace)?;
        if Meta::of(&object)
            .annotation(super::apply::LAST_APPLIED)
            .is_some()
        {
            ctx.err(format!(
                "Warning: resource {}/{name} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n",
                mapping.resource.plural,
                super::apply::LAST_APPLIED
            ));
        }
        let target = if to > 0 {
            all.iter().find(|r| r.number == to)
        } else {
            all.len().checked_sub(2).map(|at| &all[at])
        };
        let Some(target) = target else {
            return Err(Failure::error(if to > 0 {
                format!("unable to find specified revision {to} in history")
            } else {
                format!(
                    "no rollout history found for {} {:?}",
                    mapping.kind.to_lowercase(),
                    name.as_str()
                )
            }));
        };
        if mapping.kind == "Deployment" && apps::Deployment(&object).is_paused() {
            return Err(Failure::error(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
            ));
        }
        let mut template = target.template.clone();
        if let Some(labels) = template.entry("metadata").entry("labels").as_map().cloned() {
            let mut labels = labels;
            labels.remove("pod-template-hash");
            template.entry("metadata").set("labels", labels);
        }
        if without_hash(object.path("spec.template")) == without_hash(&template) {
            ctx.out(format!(
                "{} skipped rollback (current template already matches revision {})\n",
                mapping.qualified(&name),
                target.number
            ));
            continue;
        }
        if dry_run != super::apply::DryRun::Client {
            let mut request = if mapping.kind == "Deployment" {
                // Annotations come from the revision too, but for kubectl's own and the revision's.
                let keep = |key: &str| {
                    [
                        super::apply::LAST_APPLIED,
                        REVISION,
                        "deployment.kubernetes.io/revision-history",
                        "deployment.kubernetes.io/desired-replicas",
                        "deployment.kubernetes.io/max-replicas",
                        "deprecated.deployment.rollback.to",
                    ]
                    .contains(&key)
                };
                let mut annotations = Map::default();
                for (key, value) in Meta::of(&object)
                    .annotations()
                    .iter()
                    .filter(|(key, _)| keep(key))
                {
                    annotations.insert(key.clone(), value.clone());
                }
                for (key, value) in Meta::of(&target.object)
                    .annotations()
                    .iter()
                    .filter(|(key, _)| !keep(key))
                {
                    annotations.insert(key.clone(), value.clone());
                }
                let patch = api::list![
                    map! { "op": "replace", "path": "/spec/template", "value": template },
                    map! { "op": "replace", "path": "/metadata/annotations", "value": annotations },
                ];
                Request::patch(
                    &mapping.resource,
                    namespace.clone(),
                    name.clone(),
                    PatchKind::Json,
                    patch,
                )
            } else {
                Request::patch(
                    &mapping.resource,
                    namespace.clone(),
                    name.clone(),
                    PatchKind::Strategic,
                    target.object.get("data").clone(),
                )
            };
            request.options.dry_run = dry_run == super::apply::DryRun::Server;
            request.options.field_manager = "kubectl-rollout".into();
            ctx.object(request)?;
        }
        ctx.out(format!(
            "{} rolled back{}\n",
            mapping.qualified(&name),
            dry_run.suffix()
        ));
    }
    Ok(())
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    template.remove_path("metadata.labels.pod-template-hash");
    template
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
