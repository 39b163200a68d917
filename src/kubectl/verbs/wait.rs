//! `kubectl wait`: until objects are in a condition, deleted, created, or a field has a value.
//!
//! Models `kubectl/pkg/cmd/wait`.

use api::{Request, Str, Value, WatchKind, meta::Meta};

use crate::flags::{Flag, Given, array, duration, switch, text};
use crate::resource::{Mapping, Scope, select};
use crate::targets::{self, Target};
use crate::{Arrival, Context, Failure};

const FLAGS: &[Flag] = &[
    text("for"),
    duration("timeout"),
    switch("all"),
    switch("all-namespaces").short('A'),
    switch("local"),
    text("selector").short('l'),
    text("field-selector"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("template"),
];

/// What is waited for.
enum Goal {
    Condition { name: String, status: String },
    Delete,
    Create,
    Field { path: String, value: Option<String> },
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("wait", FLAGS, args)?;
    let goal = Goal::parse(&given.text("for"))?;
    let limit = if given.has("timeout") {
        given.span("timeout")?.unwrap_or(0)
    } else {
        30 * sim::SECOND
    };
    let is_endless = given.text("timeout").starts_with('-');
    let scope = Scope::of(ctx, &given)?;
    let started = ctx.now();
    let until = started
        + if is_endless {
            7 * 24 * 3600 * sim::SECOND
        } else {
            limit
        };
    if matches!(goal, Goal::Create) {
        return created(ctx, &given, &scope, until);
    }
    let mut targets = targets::find(ctx, &given, &scope, &given.args)?;
    if matches!(goal, Goal::Delete) {
        targets
            .errors
            .retain(|error| !error.starts_with("Error from server (NotFound)"));
    } else if targets.found.is_empty() && targets.errors.is_empty() {
        return Err(Failure::error("no matching resources found"));
    }
    for target in std::mem::take(&mut targets.found) {
        if reached(ctx, &goal, &target, until)? {
            targets::report(
                ctx,
                &given,
                &target.mapping,
                &target.object,
                "condition met",
                super::apply::DryRun::None,
            )?;
        } else {
            targets
                .errors
                .push(timed_out(&target.mapping, &target.name()));
        }
    }
    targets.finish()
}

fn timed_out(mapping: &Mapping, name: &str) -> String {
    format!(
        "error: timed out waiting for the condition on {}/{name}",
        mapping.resource.plural
    )
}

/// Looks at the object as it is, then at what a watch shows.
fn reached(
    ctx: &mut Context<'_>,
    goal: &Goal,
    target: &Target,
    until: sim::Time,
) -> Result<bool, Failure> {
    if goal.is_met(&target.object)? {
        return Ok(true);
    }
    if until <= ctx.now() {
        return Ok(false);
    }
    let meta = Meta::of(&target.object);
    let watch = Request::watch(
        &target.mapping.resource,
        target.namespace.clone(),
        meta.0.shared_str("resourceVersion"),
    )
    .fields(format!("metadata.name={}", meta.name()));
    let stream = ctx.open(watch)?;
    loop {
        match ctx.next_arrival(stream, Some(until))? {
            None => {
                ctx.close(stream);
                return Ok(false);
            }
            Some(Arrival::Watch(event)) => {
                let is_met = match event.kind {
                    WatchKind::Deleted => matches!(goal, Goal::Delete),
                    WatchKind::Added | WatchKind::Modified => goal.is_met(&event.object)?,
                    _ => false,
                };
                if is_met {
                    ctx.close(stream);
                    return Ok(true);
                }
            }
            Some(Arrival::Response(response)) if !response.is_success() => {
                return Err(Failure::server(&response));
            }
            Some(_) => {}
        }
    }
}

/// `--for=create`: asks again until the objects exist.
fn created(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    until: sim::Time,
) -> Result<(), Failure> {
    let mut errors = Vec::new();
    for selection in select(ctx, &given.args)? {
        let namespace = selection.mapping.namespace(scope);
        for name in &selection.names {
            loop {
                let response = ctx.call(Request::get(
                    &selection.mapping.resource,
                    namespace.clone(),
                    name.clone(),
                ))?;
                if response.is_success() {
                    ctx.out(format!(
                        "{} condition met\n",
                        selection.mapping.qualified(name)
                    ));
                    break;
                }
                if response.code != 404 {
                    return Err(Failure::server(&response));
                }
                if ctx.now() >= until {
                    errors.push(timed_out(&selection.mapping, name));
                    break;
                }
                ctx.sleep(sim::SECOND)?;
            }
        }
        if !selection.names.is_empty() {
            continue;
        }
        loop {
            let mut request = Request::list(&selection.mapping.resource, namespace.clone());
            request.options.label_selector = given.text("selector");
            let list = ctx.object(request)?;
            let names: Vec<Str> = list
                .get("items")
                .items()
                .iter()
                .map(|item| Meta::of(item).shared_name())
                .collect();
            for name in &names {
                ctx.out(format!(
                    "{} condition met\n",
                    selection.mapping.qualified(name)
                ));
            }
            if !names.is_empty() {
                break;
            }
            if ctx.now() >= until {
                return Err(Failure::error("no matching resources found"));
            }
            ctx.sleep(sim::SECOND)?;
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

impl Goal {
    fn parse(text: &str) -> Result<Goal, Failure> {
        let lower = text.to_lowercase();
        if lower == "delete" {
            return Ok(Goal::Delete);
        }
        if lower == "create" {
            return Ok(Goal::Create);
        }
        if let Some(condition) = text.strip_prefix("condition=") {
            let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Goal::Condition {
                name: name.to_lowercase(),
                status: status.to_lowercase(),
            });
        }
        if let Some(rest) = text.strip_prefix("jsonpath=") {
            return Goal::field(rest);
        }
        Err(Failure::error(format!("unrecognized condition: {text:?}")))
    }

    /// `'{.status.phase}'=Running`; the value may be left out.
    fn field(text: &str) -> Result<Goal, Failure> {
        let text = text.replace(['\'', '"'], "");
        let bad = || {
            Failure::error(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
            )
        };
        let (path, value) = match text.rfind('}') {
            Some(end) => {
                let (path, rest) = text.split_at(end + 1);
                match rest.strip_prefix('=') {
                    Some("") => {
                        return Err(Failure::error(
                            "jsonpath wait has to have a value after equal sign",
                        ));
                    }
                    Some(value) => (path, Some(value)),
                    None if rest.is_empty() => (path, None),
                    None => return Err(bad()),
                }
            }
            None => match text.split_once('=') {
                Some((path, value)) => (path, Some(value)),
                None => (text.as_str(), None),
            },
        };
        let path = path.trim_start_matches('{').trim_end_matches('}');
        if path.is_empty() {
            return Err(bad());
        }
        let path = if path.starts_with('.') || path.starts_with('[') {
            path.to_owned()
        } else {
            format!(".{path}")
        };
        Ok(Goal::Field {
            path,
            value: value.map(str::to_owned),
        })
    }

    fn is_met(&self, object: &Value) -> Result<bool, Failure> {
        match self {
            Goal::Delete | Goal::Create => Ok(false),
            Goal::Condition { name, status } => {
                let generation = object.path("metadata.generation").as_int();
                Ok(object.path("status.conditions").items().iter().any(|c| {
                    let is_old = matches!((c.int("observedGeneration"), generation), (Some(seen), Some(now)) if seen < now);
                    !is_old
                        && c.str("type").to_lowercase() == *name
                        && c.str("status").to_lowercase() == *status
                }))
            }
            Goal::Field { path, value } => {
                let found = crate::print::jsonpath::find(path, object).unwrap_or_default();
                let [one] = &found[..] else {
                    return if found.len() > 1 {
                        Err(Failure::error(
                            "given jsonpath expression matches more than one list",
                        ))
                    } else {
                        Ok(false)
                    };
                };
                match value {
                    None => Ok(!one.is_null() && one.as_str() != Some("")),
                    Some(_) if one.is_map() || one.as_list().is_some() => {
                        Err(Failure::error(format!(
                            "jsonpath leads to a nested object or list, got {}",
                            one.to_json()
                        )))
                    }
                    Some(value) => Ok(crate::print::jsonpath::shown(one) == *value),
                }
            }
        }
    }
}
