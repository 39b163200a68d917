//! `kubectl taint`.
//!
//! Models `kubectl/pkg/cmd/taint`.

use api::{Str, Value};

use super::apply::DryRun;
use crate::flags::{Flag, Given, optional, switch, text};
use crate::resource::Scope;
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("overwrite"),
    switch("all"),
    text("selector").short('l'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    optional("validate", "strict"),
    text("field-manager"),
    switch("show-managed-fields"),
];

/// `KEY[=VALUE][:EFFECT]`.
struct Spec {
    key: Str,
    value: Str,
    effect: Str,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("taint", FLAGS, args)?;
    let is_taint = |arg: &Str| arg.contains(['=', ':']) || arg.ends_with('-');
    let (specs, resources): (Vec<Str>, Vec<Str>) = given.args.iter().cloned().partition(is_taint);
    let Some(kind) = resources.first() else {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name>",
        ));
    };
    if specs.is_empty() {
        return Err(Failure::error("at least one taint update is required"));
    }
    if api::kinds::by_name(kind).is_none_or(|known| known.kind != "Node") && !kind.contains('/') {
        return Err(Failure::error(format!(
            "invalid resource type {kind}, only node(s) is supported"
        )));
    }
    let (add, remove) = parse(&specs)?;
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let mut targets = targets::find(ctx, &given, &scope, &resources)?;
    for target in std::mem::take(&mut targets.found) {
        let result = one(ctx, &given, &target, &add, &remove, dry_run);
        targets.keep(result)?;
    }
    targets.finish()
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    add: &[Spec],
    remove: &[Spec],
    dry_run: DryRun,
) -> Result<(), Failure> {
    let current = target.object.path("spec.taints").items();
    let same = |taint: &Value, spec: &Spec| {
        taint.str("key") == spec.key.as_str() && taint.str("effect") == spec.effect.as_str()
    };
    let taken: Vec<&str> = add
        .iter()
        .filter(|spec| current.iter().any(|taint| same(taint, spec)))
        .map(|spec| spec.key.as_str())
        .collect();
    if !taken.is_empty() && !given.switch("overwrite") {
        return Err(Failure::error(format!(
            "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
            target.name(),
            taken.join(",")
        )));
    }
    let removed = |taint: &Value, spec: &Spec| {
        taint.str("key") == spec.key.as_str()
            && (spec.effect.is_empty() || taint.str("effect") == spec.effect.as_str())
    };
    let absent: Vec<String> = remove
        .iter()
        .filter(|spec| !current.iter().any(|taint| removed(taint, spec)))
        .map(|spec| {
            let shown = if spec.effect.is_empty() {
                spec.key.to_string()
            } else {
                format!("{}:{}", spec.key, spec.effect)
            };
            format!("taint {shown:?} not found")
        })
        .collect();
    if !absent.is_empty() {
        return Err(Failure::error(absent.join("\n")));
    }
    let mut taints: Vec<Value> = Vec::new();
    for spec in add {
        let mut taint = api::map! { "effect": spec.effect.clone(), "key": spec.key.clone() };
        if !spec.value.is_empty() {
            taint.set("value", spec.value.clone());
        }
        taints.push(taint);
    }
    taints.extend(
        current
            .iter()
            .filter(|taint| !add.iter().any(|spec| same(taint, spec)))
            .filter(|taint| !remove.iter().any(|spec| removed(taint, spec)))
            .cloned(),
    );
    let mut changed = target.object.clone();
    if taints.is_empty() {
        changed.remove_path("spec.taints");
    } else {
        changed.set_path("spec.taints", taints);
    }
    let word = match (add.is_empty(), remove.is_empty()) {
        (true, _) => "untainted",
        (false, false) => "modified",
        (false, true) if !taken.is_empty() => "modified",
        _ => "tainted",
    };
    let made = targets::send(ctx, given, target, &changed, "kubectl-taint", dry_run)?;
    targets::report(ctx, given, &target.mapping, &made, word, dry_run)
}

fn parse(specs: &[Str]) -> Result<(Vec<Spec>, Vec<Spec>), Failure> {
    let (mut add, mut remove): (Vec<Spec>, Vec<Spec>) = (Vec::new(), Vec::new());
    for text in specs {
        let (body, is_removal) = match text.strip_suffix('-') {
            Some(body) => (body, true),
            None => (text.as_str(), false),
        };
        let invalid = || Failure::error(format!("invalid taint spec: {text}"));
        let mut parts = body.split(':');
        let (pair, effect) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        if parts.next().is_some() || pair.is_empty() {
            return Err(invalid());
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.contains('=') || (effect.is_empty() && !is_removal) {
            return Err(invalid());
        }
        if !effect.is_empty() && !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect)
        {
            return Err(Failure::error(format!(
                "invalid taint effect: {effect}, unsupported taint effect"
            )));
        }
        let spec = Spec {
            key: Str::new(key),
            value: Str::new(value),
            effect: Str::new(effect),
        };
        if is_removal {
            remove.push(spec);
        } else if add
            .iter()
            .any(|other| other.key == spec.key && other.effect == spec.effect)
        {
            return Err(Failure::error(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            )));
        } else {
            add.push(spec);
        }
    }
    let both: Vec<String> = add
        .iter()
        .filter(|spec| {
            remove.iter().any(|other| {
                other.key == spec.key && (other.effect.is_empty() || other.effect == spec.effect)
            })
        })
        .map(|spec| format!("{}:{}", spec.key, spec.effect))
        .collect();
    if !both.is_empty() {
        return Err(Failure::error(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        )));
    }
    Ok((add, remove))
}
