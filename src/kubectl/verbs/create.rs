//! `kubectl create`: from files, or by a generator (`create deployment`, `create namespace`, …).
//!
//! Models `kubectl/pkg/cmd/create`.

use api::{Request, Str, Value, list, map};

use super::apply::{DryRun, place, with_last_applied};
use super::files;
use crate::flags::{Flag, Given, array, many, number, optional, switch, text};
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Context, Failure};

/// Flags that every `create` has.
const COMMON: &[Flag] = &[
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    optional("validate", "strict"),
    switch("save-config"),
    text("field-manager"),
    switch("show-managed-fields"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("kustomize").short('k'),
    text("selector").short('l'),
    switch("edit"),
    text("raw"),
    array("image"),
    number("replicas").short('r'),
    number("port"),
    many("class"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let generator = args
        .first()
        .filter(|first| !first.starts_with('-'))
        .cloned();
    match generator.as_deref() {
        None => from_files(ctx, args),
        Some("deployment" | "deploy") => deployment(ctx, &args[1..]),
        Some("namespace" | "ns") => namespace(ctx, &args[1..]),
        Some(other) => Err(Failure::Exit {
            code: 1,
            message: format!(
                "error: Unexpected args: [{other}]\nSee 'kubectl create -h' for help and examples\n"
            ),
        }),
    }
}

fn from_files(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("create", COMMON, args)?;
    if !given.has("filename") {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let scope = Scope::of(ctx, &given)?;
    let mut errors = String::new();
    for document in files::read(ctx, &given)? {
        let object = document.object;
        let Some(mapping) = mapping_of(ctx, object.str("apiVersion"), object.str("kind"))? else {
            errors += &format!(
                "error: resource mapping not found for name: {:?} namespace: {:?} from {:?}: no matches for kind {:?} in version {:?}\nensure CRDs are installed first\n",
                object.path("metadata.name").as_str().unwrap_or_default(),
                object
                    .path("metadata.namespace")
                    .as_str()
                    .unwrap_or_default(),
                document.source.as_str(),
                object.str("kind"),
                object.str("apiVersion")
            );
            continue;
        };
        let doing = format!("error when creating {:?}", document.source.as_str());
        match submit(
            ctx,
            &given,
            &scope,
            &mapping,
            object,
            &doing,
            "kubectl-create",
        ) {
            Err(Failure::Exit { message, .. }) => errors += &message,
            other => other?,
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Exit {
            code: 1,
            message: errors,
        })
    }
}

/// Sends the object and prints what was made.
fn submit(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    mapping: &Mapping,
    mut object: Value,
    doing: &str,
    manager: &'static str,
) -> Result<(), Failure> {
    let format = Format::of(given)?;
    let dry_run = DryRun::of(given)?;
    let namespace = place(&mut object, mapping, scope)?;
    if given.switch("save-config") {
        object = with_last_applied(&object);
    }
    let made = if dry_run == DryRun::Client {
        object
    } else {
        let mut request = Request::create(&mapping.resource, namespace, object);
        super::apply::options(&mut request, given, dry_run);
        request.options.field_manager = if given.has("field-manager") {
            given.text("field-manager")
        } else {
            manager.into()
        };
        let response = ctx.call(request)?;
        if !response.is_success() {
            return Err(match (response.reason(), doing) {
                ("Invalid", _) => Failure::plain(crate::failure::invalid_text(&response)),
                (_, "") => Failure::plain(format!(
                    "error: failed to create {}: {}",
                    mapping.singular,
                    response.message()
                )),
                _ => Failure::server_while(&response, doing),
            });
        }
        response.body
    };
    if format.is_table() {
        let name = made
            .path("metadata.name")
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ctx.out(format!(
            "{} created{}\n",
            mapping.qualified(&name),
            dry_run.suffix()
        ));
    } else {
        let made = if given.switch("show-managed-fields") {
            made
        } else {
            print::without_managed_fields(&made)
        };
        ctx.out(print::object(&format, mapping, &made)?);
    }
    Ok(())
}

fn builtin(
    group: &str,
    version: &str,
    kind: &str,
    ctx: &mut Context<'_>,
) -> Result<Mapping, Failure> {
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    Ok(mapping_of(ctx, &api_version, kind)?.expect("a built-in kind"))
}

/// The one NAME argument that generators take.
fn name_of(given: &Given, command: &str) -> Result<Str, Failure> {
    match &given.args[..] {
        [name] => Ok(name.clone()),
        others => Err(Failure::usage(
            &format!("create {command}"),
            format!("exactly one NAME is required, got {}", others.len()),
        )),
    }
}

fn namespace(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("create namespace", COMMON, args)?;
    let name = name_of(&given, "namespace")?;
    let scope = Scope::of(ctx, &given)?;
    let object = map! { "apiVersion": "v1", "kind": "Namespace", "metadata": map! { "name": name }, "spec": map! {}, "status": map! {} };
    let mapping = builtin("", "v1", "Namespace", ctx)?;
    generated(ctx, &given, &scope, &mapping, object)
}

/// Generators report failures without the file's name.
fn generated(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    mapping: &Mapping,
    object: Value,
) -> Result<(), Failure> {
    submit(ctx, given, scope, mapping, object, "", "kubectl-create")
}

fn deployment(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("create deployment", COMMON, args)?;
    let name = name_of(&given, "deployment")?;
    let scope = Scope::of(ctx, &given)?;
    let images: Vec<Str> = given
        .all("image")
        .iter()
        .flat_map(|i| i.split(',').map(Str::new).collect::<Vec<_>>())
        .collect();
    if images.is_empty() {
        return Err(Failure::Exit {
            code: 1,
            message: "error: required flag(s) \"image\" not set\n".into(),
        });
    }
    let command = given.after_dashes.clone().unwrap_or_default();
    if images.len() > 1 && !command.is_empty() {
        return Err(Failure::error(
            "cannot specify multiple --image options and command",
        ));
    }
    if given.number("replicas").is_some_and(|n| n < 0) {
        return Err(Failure::error(
            "--replicas must be greater than or equal to 0",
        ));
    }
    let mut containers: Vec<Value> = Vec::new();
    for image in &images {
        // The container's name is the image's last path part, made a DNS label.
        let base = image.rsplit('/').next().unwrap_or_default();
        let base = base
            .split(['@', ':'])
            .next()
            .unwrap_or_default()
            .replace('_', "-")
            .to_lowercase();
        let mut container = map! { "name": base, "image": image, "resources": map! {} };
        if !command.is_empty() {
            container.set(
                "command",
                command.iter().map(Value::from).collect::<Vec<_>>(),
            );
        }
        if let Some(port) = given.number("port").filter(|port| *port > 0) {
            container.set("ports", list![map! { "containerPort": port }]);
        }
        containers.push(container);
    }
    let labels = map! { "app": name.clone() };
    let object = map! {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": map! { "name": name, "labels": labels.clone() },
        "spec": map! {
            "replicas": given.number("replicas").unwrap_or(1),
            "selector": map! { "matchLabels": labels.clone() },
            "strategy": map! {},
            "template": map! { "metadata": map! { "labels": labels }, "spec": map! { "containers": containers } },
        },
        "status": map! {},
    };
    let mapping = builtin("apps", "v1", "Deployment", ctx)?;
    generated(ctx, &given, &scope, &mapping, object)
}
