//! `kubectl cordon`, `uncordon` and `drain`.
//!
//! Models `kubectl/pkg/cmd/drain` and `kubectl/pkg/drain`: which pods may go, eviction with retries, and the wait until
//! they are gone.

use api::{PatchKind, Request, Str, Value, core, map, meta::Meta};

use super::apply::DryRun;
use crate::flags::{Flag, Given, duration, number, optional, switch, text};
use crate::resource::{Mapping, mapping_of};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("selector").short('l'),
    optional("dry-run", "unchanged"),
    switch("force"),
    switch("ignore-daemonsets"),
    switch("delete-emptydir-data"),
    number("grace-period"),
    duration("timeout"),
    text("pod-selector"),
    switch("disable-eviction"),
    number("chunk-size"),
    number("skip-wait-for-delete-timeout"),
];

pub(crate) fn cordon(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("cordon", FLAGS, args)?;
    let (mapping, nodes) = nodes(ctx, &given, "cordon")?;
    set_unschedulable(ctx, &given, &mapping, &nodes, true)
}

pub(crate) fn uncordon(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("uncordon", FLAGS, args)?;
    let (mapping, nodes) = nodes(ctx, &given, "uncordon")?;
    set_unschedulable(ctx, &given, &mapping, &nodes, false)
}

pub(crate) fn drain(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("drain", FLAGS, args)?;
    let dry_run = DryRun::of(&given)?;
    let (mapping, nodes) = nodes(ctx, &given, "drain")?;
    set_unschedulable(ctx, &given, &mapping, &nodes, true)?;
    let mut failures = Vec::new();
    let mut pending: Vec<String> = nodes
        .iter()
        .map(|node| Meta::of(node).name().to_owned())
        .collect();
    for node in &nodes {
        let name = Meta::of(node).name().to_owned();
        match empty(ctx, &given, &name, dry_run)? {
            Ok(()) => {
                pending.retain(|other| *other != name);
                ctx.out(format!("node/{name} drained{}\n", dry_run.suffix()));
            }
            Err(why) => {
                ctx.err(format!(
                    "error: unable to drain node {name:?} due to error: {why}, continuing command...\n"
                ));
                ctx.err("There are pending nodes to be drained:\n");
                for other in &pending {
                    ctx.err(format!(" {other}\n"));
                }
                failures.push(why);
            }
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(failures.join("\n")))
    }
}

/// The nodes by name or selector.
fn nodes(
    ctx: &mut Context<'_>,
    given: &Given,
    command: &str,
) -> Result<(Mapping, Vec<Value>), Failure> {
    let selector = given.text("selector");
    if given.args.is_empty() && selector.is_empty() {
        return Err(Failure::usage(
            command,
            format!("USAGE: {command} NODE [flags]"),
        ));
    }
    if !given.args.is_empty() && !selector.is_empty() {
        return Err(Failure::error(
            "cannot specify both a node name and a --selector option",
        ));
    }
    let mapping = mapping_of(ctx, "v1", "Node")?.expect("nodes are built in");
    let mut nodes = Vec::new();
    if !selector.is_empty() {
        let list = ctx.object(Request::list(&mapping.resource, "").labels(selector))?;
        nodes.extend(list.get("items").items().iter().cloned());
        if nodes.is_empty() {
            ctx.out("No resources found\n");
        }
        return Ok((mapping, nodes));
    }
    let mut errors = Vec::new();
    for arg in &given.args {
        let name = arg.rsplit('/').next().unwrap_or(arg);
        let response = ctx.call(Request::get(&mapping.resource, "", Str::new(name)))?;
        if response.is_success() {
            nodes.push(response.body);
        } else {
            errors.push(crate::failure::server_text(&response, ""));
        }
    }
    if errors.is_empty() {
        Ok((mapping, nodes))
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

fn set_unschedulable(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    nodes: &[Value],
    wanted: bool,
) -> Result<(), Failure> {
    let dry_run = DryRun::of(given)?;
    let word = if wanted { "cordoned" } else { "uncordoned" };
    for node in nodes {
        let name = Meta::of(node).shared_name();
        if node.get("spec").bool("unschedulable") == wanted {
            ctx.out(format!("node/{name} already {word}{}\n", dry_run.suffix()));
            continue;
        }
        if dry_run != DryRun::Client {
            let value = if wanted {
                Value::from(true)
            } else {
                Value::Null
            };
            let patch = map! { "spec": map! { "unschedulable": value } };
            let mut request = Request::patch(
                &mapping.resource,
                "",
                name.clone(),
                PatchKind::Strategic,
                patch,
            );
            request.options.dry_run = dry_run == DryRun::Server;
            request.options.field_manager = "kubectl-drain".into();
            let response = ctx.call(request)?;
            if !response.is_success() {
                let command = word.trim_end_matches("ed");
                return Err(Failure::error(format!(
                    "unable to {command} node {:?}: {}",
                    name.as_str(),
                    response.message()
                )));
            }
        }
        ctx.out(format!("node/{name} {word}{}\n", dry_run.suffix()));
    }
    Ok(())
}

/// Removes the pods of a node; the inner error is what stands in the way.
fn empty(
    ctx: &mut Context<'_>,
    given: &Given,
    node: &str,
    dry_run: DryRun,
) -> Result<Result<(), String>, Failure> {
    let mut request = Request::list(&core::PODS, "").fields(format!("spec.nodeName={node}"));
    request.options.label_selector = given.text("pod-selector");
    let list = ctx.object(request)?;
    let mut refused: Vec<(&'static str, Vec<String>)> = Vec::new();
    let mut warned: Vec<(&'static str, Vec<String>)> = Vec::new();
    let mut pods: Vec<Value> = Vec::new();
    let note = |to: &mut Vec<(&'static str, Vec<String>)>, why: &'static str, pod: &Value| {
        let name = Meta::of(pod).key();
        match to.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => to.push((why, vec![name])),
        }
    };
    for pod in list.get("items").items() {
        match judge(given, pod) {
            Verdict::Stays => {}
            Verdict::Goes => pods.push(pod.clone()),
            Verdict::StaysWith(why) => note(&mut warned, why, pod),
            Verdict::GoesWith(why) => {
                note(&mut warned, why, pod);
                pods.push(pod.clone());
            }
            Verdict::Refused(why) => note(&mut refused, why, pod),
        }
    }
    let shown = |(why, names): &(&str, Vec<String>)| format!("{why}: {}", names.join(", "));
    if !refused.is_empty() {
        let all: Vec<String> = refused.iter().map(shown).collect();
        return Ok(Err(if all.len() == 1 {
            all.concat()
        } else {
            format!("[{}]", all.join(", "))
        }));
    }
    if !warned.is_empty() {
        let all: Vec<String> = warned.iter().map(shown).collect();
        ctx.err(format!("Warning: {}\n", all.join("; ")));
    }
    remove(ctx, given, &pods, dry_run)
}

enum Verdict {
    Goes,
    GoesWith(&'static str),
    Stays,
    StaysWith(&'static str),
    Refused(&'static str),
}

fn judge(given: &Given, pod: &Value) -> Verdict {
    let meta = Meta::of(pod);
    let phase = pod.path("status.phase").as_str().unwrap_or_default();
    let is_finished = matches!(phase, "Succeeded" | "Failed");
    let controller = meta.controller();
    let is_daemon = controller
        .as_ref()
        .is_some_and(|owner| owner.kind() == "DaemonSet");
    if is_daemon && !is_finished {
        return if given.switch("ignore-daemonsets") {
            Verdict::StaysWith("ignoring DaemonSet-managed Pods")
        } else {
            Verdict::Refused(
                "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
            )
        };
    }
    if meta.annotation("kubernetes.io/config.mirror").is_some() {
        return Verdict::Stays;
    }
    let mut warning = None;
    let has_local = pod
        .path("spec.volumes")
        .items()
        .iter()
        .any(|volume| volume.has("emptyDir"));
    if has_local && !is_finished {
        if !given.switch("delete-emptydir-data") {
            return Verdict::Refused(
                "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
            );
        }
        warning = Some("deleting Pods with local storage");
    }
    if controller.is_none() && !is_finished {
        if !given.switch("force") {
            return Verdict::Refused(
                "cannot delete Pods that declare no controller (use --force to override)",
            );
        }
        warning = Some("deleting Pods that declare no controller");
    }
    match warning {
        Some(why) => Verdict::GoesWith(why),
        None => Verdict::Goes,
    }
}

/// Evicts until the API server lets every pod go, and waits until they are gone.
fn remove(
    ctx: &mut Context<'_>,
    given: &Given,
    pods: &[Value],
    dry_run: DryRun,
) -> Result<Result<(), String>, Failure> {
    let (doing, done) = if given.switch("disable-eviction") {
        ("deleting", "deleted")
    } else {
        ("evicting", "evicted")
    };
    if dry_run == DryRun::Client {
        for pod in pods {
            ctx.out(format!(
                "{doing} pod {}{}\n",
                Meta::of(pod).key(),
                dry_run.suffix()
            ));
        }
        return Ok(Ok(()));
    }
    let limit = given.span("timeout")?.filter(|span| *span > 0);
    let until = limit.map(|span| ctx.now() + span);
    let mut pending: Vec<(&Value, sim::Time)> = pods.iter().map(|pod| (pod, ctx.now())).collect();
    let mut leaving: Vec<&Value> = Vec::new();
    loop {
        let now = ctx.now();
        let mut later = Vec::new();
        let due: Vec<&Value> = pending
            .iter()
            .filter(|(_, at)| *at <= now)
            .map(|(pod, _)| *pod)
            .collect();
        // All that are due are announced first: the real one asks for them at the same time.
        for pod in &due {
            ctx.out(format!("{doing} pod {}\n", Meta::of(pod).key()));
        }
        for (pod, at) in pending {
            if at > now {
                later.push((pod, at));
                continue;
            }
            let meta = Meta::of(pod);
            let response = ctx.call(eviction(given, pod, dry_run))?;
            match response.code {
                _ if response.is_success() => leaving.push(pod),
                404 => {}
                429 => {
                    ctx.err(format!(
                        "error when evicting pods/{:?} -n {:?} (will retry after 5s): {}\n",
                        meta.name(),
                        meta.namespace(),
                        response.message()
                    ));
                    later.push((pod, now + 5 * sim::SECOND));
                }
                _ => {
                    return Ok(Err(format!(
                        "error when {doing} pods/{:?} -n {:?}: {}",
                        meta.name(),
                        meta.namespace(),
                        response.message()
                    )));
                }
            }
        }
        pending = later;
        if dry_run == DryRun::Server {
            return Ok(Ok(()));
        }
        let mut still = Vec::new();
        for pod in leaving {
            let meta = Meta::of(pod);
            let response = ctx.call(Request::get(
                &core::PODS,
                meta.shared_namespace(),
                meta.shared_name(),
            ))?;
            if response.is_success() && Meta::of(&response.body).uid() == meta.uid() {
                still.push(pod);
            } else {
                ctx.out(format!("pod/{} {done}\n", meta.name()));
            }
        }
        leaving = still;
        if pending.is_empty() && leaving.is_empty() {
            return Ok(Ok(()));
        }
        if let (Some(until), Some(limit)) = (until, limit)
            && ctx.now() >= until
        {
            let limit = api::duration::format(limit as i64 * 1_000);
            let pod = pending
                .first()
                .map(|(pod, _)| *pod)
                .or(leaving.first().copied());
            let meta = Meta::of(pod.expect("one of the two is not empty"));
            return Ok(Err(format!(
                "error when {doing} pods/{:?} -n {:?}: global timeout reached: {limit}",
                meta.name(),
                meta.namespace()
            )));
        }
        ctx.sleep(sim::SECOND)?;
    }
}

fn eviction(given: &Given, pod: &Value, dry_run: DryRun) -> Request {
    let meta = Meta::of(pod);
    let grace = given.number("grace-period").filter(|n| *n >= 0);
    let mut request = if given.switch("disable-eviction") {
        let mut request = Request::delete(&core::PODS, meta.shared_namespace(), meta.shared_name());
        request.options.grace_period_secs = grace;
        request
    } else {
        let mut body = map! {
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": map! { "name": meta.shared_name(), "namespace": meta.shared_namespace() },
            "deleteOptions": map! {},
        };
        if let Some(grace) = grace {
            body.entry("deleteOptions").set("gracePeriodSeconds", grace);
        }
        let mut request =
            Request::create(&core::PODS, meta.shared_namespace(), body).subresource("eviction");
        request.name = meta.shared_name();
        request
    };
    request.options.dry_run = dry_run == DryRun::Server;
    request
}
