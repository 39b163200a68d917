//! `kubectl autoscale`: a HorizontalPodAutoscaler for a scalable object.
//!
//! Models `kubectl/pkg/cmd/autoscale`.

use api::{Str, Value, map};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, number, optional, switch, text};
use crate::resource::{Scope, mapping_of};
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    number("min"),
    number("max"),
    number("cpu-percent"),
    text("cpu"),
    text("memory"),
    text("name"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("save-config"),
    switch("show-managed-fields"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("autoscale", FLAGS, args)?;
    if given.has("cpu-percent") {
        ctx.err("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).\n");
    }
    let (min, max) = (
        given.number("min").unwrap_or(-1),
        given.number("max").unwrap_or(-1),
    );
    if max < 1 {
        return Err(Failure::error(format!(
            "--max=MAXPODS is required and must be at least 1, max: {max}"
        )));
    }
    if max < min {
        return Err(Failure::error(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    let metrics = metrics(&given)?;
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let targets = targets::find(ctx, &given, &scope, &given.args)?;
    for target in &targets.found {
        if api::kinds::of(&target.mapping.resource)
            .is_some_and(|kind| kind.subresource("scale").is_none())
        {
            return Err(Failure::error(format!(
                "cannot autoscale a {}: no scale subresource",
                target.mapping.kind
            )));
        }
        let object = autoscaler(&given, target, min, max, &metrics);
        let mapping = mapping_of(ctx, "autoscaling/v2", "HorizontalPodAutoscaler")?
            .expect("autoscalers are built in");
        let made = targets::create(
            ctx,
            &given,
            target,
            &mapping,
            object,
            "kubectl-autoscale",
            dry_run,
        )?;
        targets::report(ctx, &given, &mapping, &made, "autoscaled", dry_run)?;
    }
    targets.finish()
}

fn metrics(given: &Given) -> Result<Vec<Value>, Failure> {
    let mut metrics = Vec::new();
    let cpu: Str = match given.number("cpu-percent").filter(|n| *n > 0) {
        Some(percent) => format!("{percent}%").into(),
        None => given.text("cpu"),
    };
    for (resource, wanted) in [("cpu", cpu), ("memory", given.text("memory"))] {
        if wanted.is_empty() {
            continue;
        }
        let target = match wanted.strip_suffix('%') {
            Some(percent) => {
                let percent: i64 = percent.parse().map_err(|_| {
                    Failure::error(format!("invalid value for --{resource}: {wanted}"))
                })?;
                map! { "averageUtilization": percent, "type": "Utilization" }
            }
            None => {
                api::quantity::Quantity::parse(&wanted)
                    .map_err(|why| Failure::error(why.to_string()))?;
                map! { "averageValue": wanted, "type": "AverageValue" }
            }
        };
        metrics.push(map! {
            "resource": map! { "name": resource, "target": target }, "type": "Resource",
        });
    }
    Ok(metrics)
}

fn autoscaler(given: &Given, target: &Target, min: i64, max: i64, metrics: &[Value]) -> Value {
    let name = if given.has("name") {
        given.text("name")
    } else {
        target.name()
    };
    let mut spec = map! {
        "maxReplicas": max,
        "scaleTargetRef": map! {
            "apiVersion": target.mapping.resource.api_version(), "kind": target.mapping.kind.clone(), "name": target.name(),
        },
    };
    if !metrics.is_empty() {
        spec.set("metrics", metrics.to_vec());
    }
    if min > 0 {
        spec.set("minReplicas", min);
    }
    map! {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": map! { "name": name }, "spec": spec,
        "status": map! { "currentMetrics": Value::Null, "desiredReplicas": 0 },
    }
}
