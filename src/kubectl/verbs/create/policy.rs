//! `kubectl create quota|poddisruptionbudget|priorityclass`.
//!
//! Models `create_quota.go`, `create_pdb.go` and `create_priorityclass.go`.

use api::{Str, Value, map};

use super::{generated, missing, name_of, parse};
use crate::flags::{Flag, number, switch, text};
use crate::{Context, Failure};

pub(super) fn quota(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[text("hard"), text("scopes")];
    let given = parse("create quota", OWN, args)?;
    let name = name_of(&given, "quota")?;
    let mut spec = map! {};
    let hard = given.text("hard");
    for pair in hard.split(',').filter(|pair| !pair.is_empty()) {
        let Some((resource, amount)) = pair.split_once('=') else {
            return Err(Failure::error(format!(
                "invalid argument syntax {pair}, expected <resource>=<value>"
            )));
        };
        api::quantity::Quantity::parse(amount).map_err(|why| Failure::error(why.to_string()))?;
        spec.entry("hard").set(Str::new(resource), Str::new(amount));
    }
    let scopes = given.text("scopes");
    if !scopes.is_empty() {
        let scopes: Vec<Value> = scopes
            .split(',')
            .map(|scope| Value::from(Str::new(scope)))
            .collect();
        spec.set("scopes", scopes);
    }
    let object = map! {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": map! { "name": name }, "spec": spec, "status": map! {},
    };
    generated(ctx, &given, object, "quota:")
}

pub(super) fn disruption_budget(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[text("min-available"), text("max-unavailable")];
    let given = parse("create poddisruptionbudget", OWN, args)?;
    let name = name_of(&given, "poddisruptionbudget")?;
    let selector = given.text("selector");
    if selector.is_empty() {
        return Err(Failure::error("a selector must be specified"));
    }
    let limits = [
        ("max-unavailable", "maxUnavailable"),
        ("min-available", "minAvailable"),
    ];
    match limits.iter().filter(|(flag, _)| given.has(flag)).count() {
        0 => {
            return Err(Failure::error(
                "one of min-available or max-unavailable must be specified",
            ));
        }
        2 => {
            return Err(Failure::error(
                "min-available and max-unavailable cannot be both specified",
            ));
        }
        _ => {}
    }
    let mut spec = map! {};
    for (flag, field) in limits {
        let value = given.text(flag);
        match value.parse::<i64>() {
            _ if value.is_empty() => {}
            Ok(number) => spec.set(field, number),
            Err(_) => spec.set(field, value),
        }
    }
    let mut labels = map! {};
    for pair in selector.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::error(format!(
                "couldn't parse the selector string {selector:?}: expected key=value"
            )));
        };
        labels.set(
            Str::new(key.trim_end_matches('=')),
            Str::new(value.trim_start_matches('=')),
        );
    }
    spec.set("selector", map! { "matchLabels": labels });
    let object = map! {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": map! { "name": name }, "spec": spec,
        "status": map! { "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 },
    };
    let mut given = given;
    given.forget("selector");
    generated(ctx, &given, object, "poddisruptionbudgets:")
}

pub(super) fn priority_class(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[
        number("value"),
        switch("global-default"),
        text("description"),
        text("preemption-policy"),
    ];
    let given = parse("create priorityclass", OWN, args)?;
    let Some(value) = given.number("value") else {
        return Err(missing("value"));
    };
    let name = name_of(&given, "priorityclass")?;
    let policy = if given.has("preemption-policy") {
        given.text("preemption-policy")
    } else {
        "PreemptLowerPriority".into()
    };
    let mut object = map! {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": map! { "name": name },
        "value": value, "preemptionPolicy": policy,
    };
    if given.switch("global-default") {
        object.set("globalDefault", true);
    }
    if given.has("description") {
        object.set("description", given.text("description"));
    }
    generated(ctx, &given, object, "priorityclass:")
}
