//! `kubectl create job` and `kubectl create cronjob`.
//!
//! Models `create_job.go` and `create_cronjob.go`.

use api::{Request, Str, Value, list, map, meta::Meta};

use super::{generated, missing, name_of, parse};
use crate::flags::{Flag, Given, text};
use crate::resource::{Scope, select};
use crate::{Context, Failure};

pub(super) fn job(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[text("image"), text("from")];
    let given = parse("create job", OWN, args)?;
    let name = name_of(&given, "job")?;
    let command = given.after_dashes.clone().unwrap_or_default();
    match (given.has("image"), given.has("from")) {
        (false, false) => {
            return Err(Failure::error("either --image or --from must be specified"));
        }
        (true, true) => {
            return Err(Failure::error(
                "cannot specify --image and --from at the same time",
            ));
        }
        (false, true) if !command.is_empty() => {
            return Err(Failure::error("cannot specify --from and command"));
        }
        _ => {}
    }
    let object = if given.has("from") {
        of_cron_job(ctx, &given, name)?
    } else {
        map! {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": map! { "name": name.clone() },
            "spec": map! { "template": template(&name, &given.text("image"), &command, "Never") },
            "status": map! {},
        }
    };
    generated(ctx, &given, object, "job:")
}

/// What the schedule would make, now.
fn of_cron_job(ctx: &mut Context<'_>, given: &Given, name: Str) -> Result<Value, Failure> {
    let scope = Scope::of(ctx, given)?;
    let selection = select(ctx, &[given.text("from")])?.remove(0);
    let from = selection.names.first().cloned().unwrap_or_default();
    let owner = ctx.object(Request::get(
        &selection.mapping.resource,
        scope.namespace.clone(),
        from,
    ))?;
    if selection.mapping.kind != "CronJob" {
        return Err(Failure::error(format!(
            "unknown object type {}",
            selection.mapping.kind
        )));
    }
    let template = owner.path("spec.jobTemplate");
    let mut annotations = map! { "cronjob.kubernetes.io/instantiate": "manual" };
    for (key, value) in Meta::of(template).annotations().iter() {
        annotations.set(key.clone(), value.clone());
    }
    let meta = Meta::of(&owner);
    let mut metadata = map! {
        "name": name,
        "annotations": annotations,
        "ownerReferences": list![map! {
            "apiVersion": "batch/v1", "kind": "CronJob", "name": meta.shared_name(), "uid": Str::new(meta.uid()), "controller": true,
        }],
    };
    let labels = template.path("metadata.labels");
    if !labels.is_empty() {
        metadata.set("labels", labels.clone());
    }
    Ok(map! {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
        "spec": template.get("spec").clone(), "status": map! {},
    })
}

fn template(name: &Str, image: &Str, command: &[Str], restart: &str) -> Value {
    let mut container = map! { "name": name.clone(), "image": image.clone(), "resources": map! {} };
    if !command.is_empty() {
        let words: Vec<Value> = command.iter().map(Value::from).collect();
        container.set("command", words);
    }
    map! {
        "metadata": map! {},
        "spec": map! { "containers": list![container], "restartPolicy": Str::new(restart) },
    }
}

pub(super) fn cron_job(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[text("image"), text("schedule"), text("restart")];
    let given = parse("create cronjob", OWN, args)?;
    let unset: Vec<&str> = ["image", "schedule"]
        .into_iter()
        .filter(|flag| !given.has(flag))
        .collect();
    if !unset.is_empty() {
        return Err(missing(&unset.join("\", \"")));
    }
    let name = name_of(&given, "cronjob")?;
    let restart = if given.has("restart") {
        given.text("restart")
    } else {
        "OnFailure".into()
    };
    let command = given.after_dashes.clone().unwrap_or_default();
    let object = map! {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": map! { "name": name.clone() },
        "spec": map! {
            "schedule": given.text("schedule"),
            "jobTemplate": map! {
                "metadata": map! { "name": name.clone() },
                "spec": map! { "template": template(&name, &given.text("image"), &command, &restart) },
            },
        },
        "status": map! {},
    };
    generated(ctx, &given, object, "cronjob:")
}
