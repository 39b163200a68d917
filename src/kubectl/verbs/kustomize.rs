//! `kubectl kustomize`: prints what a kustomization makes.
//!
//! Models `kubectl/pkg/cmd/kustomize`, which is kustomize's own `build`.

use api::{Str, Value};

use crate::flags::{Flag, Given, array, switch, text};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("as-current-user"),
    switch("enable-alpha-plugins"),
    switch("enable-helm"),
    array("env").short('e'),
    text("helm-api-versions"),
    text("helm-command"),
    text("helm-kube-version"),
    text("load-restrictor"),
    array("mount"),
    switch("network"),
    text("network-name"),
    text("output").short('o'),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("kustomize", FLAGS, args)?;
    let dir = match &given.args[..] {
        [] => Str::from("."),
        [dir] => dir.clone(),
        _ => {
            return Err(Failure::error("specify one path to kustomization.yaml"));
        }
    };
    let objects = crate::kustomize::build(ctx, &dir)?;
    let texts: Vec<String> = objects.iter().map(api::yaml::emit).collect();
    let path = given.text("output");
    if path.is_empty() {
        ctx.out(texts.join("---\n"));
        return Ok(());
    }
    if ctx.list_dir(&path)?.is_err() {
        return written(ctx, &path, &texts.join("---\n"));
    }
    for (object, text) in objects.iter().zip(&texts) {
        written(ctx, &format!("{path}/{}", file_name(object)), text)?;
    }
    Ok(())
}

fn written(ctx: &mut Context<'_>, path: &str, text: &str) -> Result<(), Failure> {
    ctx.write_file(path, text)?
        .map_err(|why| Failure::error(format!("open {path}: {why}")))
}

/// `apps_v1_deployment_web.yaml`
fn file_name(object: &Value) -> String {
    let api_version = object.str("apiVersion").replace('/', "_");
    let meta = object.get("metadata");
    format!(
        "{api_version}_{}_{}.yaml",
        object.str("kind"),
        meta.str("name")
    )
    .to_lowercase()
}
