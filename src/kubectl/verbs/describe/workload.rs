//! Deployments and ReplicaSets.

use api::{Request, Value, apps, core, meta::Meta};

use super::{Text, controlled_by, long_time, pod};
use crate::{Context, Failure};

pub(crate) fn deployment(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let deployment = apps::Deployment(object);
    let meta = deployment.meta();
    let (spec, status) = (object.get("spec"), object.get("status"));
    let number = |key: &str| status.int(key).unwrap_or(0);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            long_time(meta.0.get("creationTimestamp"))
        ),
    );
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(0, format!("Selector:\t{}", selector(deployment.selector())));
    text.line(
        0,
        format!(
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
            deployment.replicas().unwrap_or(1),
            number("updatedReplicas"),
            number("replicas"),
            number("availableReplicas"),
            number("unavailableReplicas")
        ),
    );
    text.line(0, format!("StrategyType:\t{}", deployment.strategy()));
    text.line(
        0,
        format!(
            "MinReadySeconds:\t{}",
            deployment.min_ready_secs().unwrap_or(0)
        ),
    );
    let rolling = spec.path("strategy.rollingUpdate");
    if !rolling.is_null() {
        text.line(
            0,
            format!(
                "RollingUpdateStrategy:\t{} max unavailable, {} max surge",
                pod::plain(rolling.get("maxUnavailable")),
                pod::plain(rolling.get("maxSurge"))
            ),
        );
    }
    pod::template(text, deployment.template());
    conditions(text, object);
    let list = ctx.object(
        Request::list(&apps::REPLICA_SETS, meta.shared_namespace())
            .labels(selector(deployment.selector())),
    )?;
    let mut own: Vec<&Value> = list
        .get("items")
        .items()
        .iter()
        .filter(|rs| {
            Meta::of(rs)
                .controller()
                .is_some_and(|owner| owner.uid() == meta.uid())
        })
        .collect();
    own.sort_by_key(|rs| (Meta::of(rs).creation_time(), Meta::of(rs).name()));
    let is_new = |rs: &&Value| same_template(rs.path("spec.template"), deployment.template());
    let new = own.iter().copied().find(is_new);
    let shown = |rs: &Value| {
        format!(
            "{} ({}/{} replicas created)",
            Meta::of(rs).name(),
            rs.path("status.replicas").as_int().unwrap_or(0),
            rs.path("spec.replicas").as_int().unwrap_or(0)
        )
    };
    let old: Vec<String> = own
        .iter()
        .filter(|rs| new.is_none_or(|new| Meta::of(new).uid() != Meta::of(rs).uid()))
        .map(|rs| shown(rs))
        .collect();
    text.line(
        0,
        format!(
            "OldReplicaSets:\t{}",
            if old.is_empty() {
                "<none>".to_owned()
            } else {
                old.join(", ")
            }
        ),
    );
    text.line(
        0,
        format!("NewReplicaSet:\t{}", new.map_or("<none>".to_owned(), shown)),
    );
    Ok(())
}

/// Equal but for the hash label (`deploymentutil.EqualIgnoreHash`).
fn same_template(a: &Value, b: &Value) -> bool {
    let plain = |template: &Value| {
        let mut template = template.clone();
        template.remove_path("metadata.labels.pod-template-hash");
        template
    };
    plain(a) == plain(b)
}

pub(crate) fn replica_set(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let set = apps::ReplicaSet(object);
    let meta = set.meta();
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(0, format!("Selector:\t{}", selector(set.selector())));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    controlled_by(text, object);
    text.line(
        0,
        format!(
            "Replicas:\t{} current / {} desired",
            set.status_replicas().unwrap_or(0),
            set.replicas().unwrap_or(1)
        ),
    );
    pods_status(ctx, text, object, &selector(set.selector()))?;
    pod::template(text, set.template());
    conditions(text, object);
    Ok(())
}

/// `Conditions:` by type, status and reason.
pub(super) fn conditions(text: &mut Text, object: &Value) {
    let conditions = object.path("status.conditions").items();
    if !conditions.is_empty() {
        text.line(
            0,
            "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------",
        );
        for condition in conditions {
            text.line(
                1,
                format!(
                    "{} \t{}\t{}",
                    condition.str("type"),
                    condition.str("status"),
                    condition.str("reason")
                ),
            );
        }
    }
}

/// `Pods Status:` counts of the pods that the object controls.
pub(crate) fn pods_status(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
    selector: &str,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let list = ctx
        .object(Request::list(&core::PODS, meta.shared_namespace()).labels(selector.to_owned()))?;
    let mut counts = [0; 4];
    for pod in list.get("items").items().iter().filter(|pod| {
        Meta::of(pod)
            .controller()
            .is_some_and(|owner| owner.uid() == meta.uid())
    }) {
        match core::Pod(pod).phase() {
            "Running" => counts[0] += 1,
            "Pending" => counts[1] += 1,
            "Succeeded" => counts[2] += 1,
            "Failed" => counts[3] += 1,
            _ => {}
        }
    }
    text.line(
        0,
        format!(
            "Pods Status:\t{} Running / {} Waiting / {} Succeeded / {} Failed",
            counts[0], counts[1], counts[2], counts[3]
        ),
    );
    Ok(())
}

/// A `metav1.LabelSelector` as text; `<none>` if empty.
pub(crate) fn selector(value: &Value) -> String {
    match api::selector::LabelSelector::of(value) {
        Ok(selector) => {
            let text = selector.to_string();
            if text.is_empty() {
                "<none>".to_owned()
            } else {
                text
            }
        }
        Err(_) => "<error>".to_owned(),
    }
}
