//! `kubectl rollout history` and `undo`: the revisions that there are, and the way back to one.

use api::{Map, PatchKind, Request, Str, Value, apps, map, meta::Meta};

use super::{CHANGE_CAUSE, REVISION, name_of, targets};
use crate::flags::Given;
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope};
use crate::verbs::apply::{DryRun, LAST_APPLIED};
use crate::verbs::describe::pod;
use crate::{Context, Failure};

pub(super) fn history(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
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
                pod::template_unaligned(&template)
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

pub(super) fn undo(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    let to = given.number("to-revision").unwrap_or(0);
    if to < 0 {
        return Err(Failure::error(format!(
            "invalid to-revision value: {to}, expected a non-negative integer"
        )));
    }
    let dry_run = DryRun::of(given)?;
    for (mapping, object) in targets(ctx, given, scope)? {
        let namespace = mapping.namespace(scope);
        let name = name_of(&object);
        let all = revisions(ctx, &mapping, &object, &namespace)?;
        if Meta::of(&object).annotation(LAST_APPLIED).is_some() {
            ctx.err(format!(
                "Warning: resource {}/{name} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n",
                mapping.resource.plural,
                LAST_APPLIED
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
        if dry_run != DryRun::Client {
            let mut request = if mapping.kind == "Deployment" {
                // Annotations come from the revision too, but for kubectl's own and the revision's.
                let keep = |key: &str| {
                    [
                        LAST_APPLIED,
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
            request.options.dry_run = dry_run == DryRun::Server;
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
