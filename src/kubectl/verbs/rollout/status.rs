//! `kubectl rollout status`: how far it is, and waiting for its end.

use api::{Arrival, Request, Value, WatchKind, meta::Meta};

use super::{REVISION, name_of, targets};
use crate::flags::Given;
use crate::resource::{Mapping, Scope};
use crate::{Context, Failure};

pub(super) fn status(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
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
            if let Some(partition) = spec.path("updateStrategy.rollingUpdate.partition").as_int() {
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
