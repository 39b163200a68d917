//! DaemonSets, StatefulSets and ReplicationControllers.

use api::{Value, meta::Meta};

use super::{Text, config::in_one, long_time, pod, pod::plain, workload};
use crate::{Context, Failure};

pub(super) fn daemon_set(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    let selector = workload::selector(spec.get("selector"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(0, format!("Selector:\t{selector}"));
    text.line(
        0,
        format!(
            "Node-Selector:\t{}",
            in_one(spec.path("template.spec.nodeSelector"))
        ),
    );
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    for (title, field) in [
        (
            "Desired Number of Nodes Scheduled",
            "desiredNumberScheduled",
        ),
        (
            "Current Number of Nodes Scheduled",
            "currentNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Up-to-date Pods",
            "updatedNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Available Pods",
            "numberAvailable",
        ),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        text.line(0, format!("{title}: {}", status.int(field).unwrap_or(0)));
    }
    workload::pods_status(ctx, text, object, &selector)?;
    pod::template(text, spec.get("template"));
    Ok(())
}

pub(super) fn stateful_set(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    let selector = workload::selector(spec.get("selector"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            long_time(meta.0.get("creationTimestamp"))
        ),
    );
    text.line(0, format!("Selector:\t{selector}"));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    let total = object.path("status.replicas").as_int().unwrap_or(0);
    text.line(
        0,
        format!(
            "Replicas:\t{} desired | {total} total",
            spec.int("replicas").unwrap_or(1)
        ),
    );
    let strategy = spec.get("updateStrategy");
    text.line(0, format!("Update Strategy:\t{}", strategy.str("type")));
    let rolling = strategy.get("rollingUpdate");
    for (field, title) in [
        ("partition", "Partition"),
        ("maxUnavailable", "MaxUnavailable"),
    ] {
        if rolling.has(field) {
            text.line(1, format!("{title}:\t{}", plain(rolling.get(field))));
        }
    }
    workload::pods_status(ctx, text, object, &selector)?;
    pod::template(text, spec.get("template"));
    let claims = spec.get("volumeClaimTemplates").items();
    if claims.is_empty() {
        text.line(0, "Volume Claims:\t<none>");
        return Ok(());
    }
    text.line(0, "Volume Claims:");
    for claim in claims {
        let claim_meta = Meta::of(claim);
        let claim_spec = claim.get("spec");
        text.line(1, format!("Name:\t{}", claim_meta.name()));
        text.line(
            1,
            format!("StorageClass:\t{}", claim_spec.str("storageClassName")),
        );
        text.labels(1, "Labels", claim_meta.labels());
        text.annotations(1, "Annotations", claim_meta.annotations());
        let storage = claim_spec.path("resources.requests.storage");
        if storage.is_null() {
            text.line(1, "Capacity:\t<default>");
        } else {
            text.line(1, format!("Capacity:\t{}", plain(storage)));
        }
        let modes: Vec<String> = claim_spec
            .get("accessModes")
            .items()
            .iter()
            .map(plain)
            .collect();
        text.line(1, format!("Access Modes:\t[{}]", modes.join(" ")));
    }
    Ok(())
}

pub(super) fn replication_controller(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let spec = object.get("spec");
    let selector = in_one(spec.get("selector"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(0, format!("Selector:\t{selector}"));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(
        0,
        format!(
            "Replicas:\t{} current / {} desired",
            object.path("status.replicas").as_int().unwrap_or(0),
            spec.int("replicas").unwrap_or(1)
        ),
    );
    workload::pods_status(ctx, text, object, &selector)?;
    pod::template(text, spec.get("template"));
    workload::conditions(text, object);
    Ok(())
}
