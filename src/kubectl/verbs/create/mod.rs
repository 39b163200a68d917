//! `kubectl create`: from files, or by a generator (`create deployment`, `create namespace`, …).
//!
//! Models `kubectl/pkg/cmd/create`.

mod access;
mod batch;
mod config;
mod ingress;
mod policy;
mod service;

pub(crate) use access::subjects;

use api::{Request, Str, Value, list, map};

use super::apply::{DryRun, place, with_last_applied};
use super::files;
use crate::flags::{Flag, Given, array, number, optional, switch, text};
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
];

type Generator = fn(&mut Context<'_>, &[Str]) -> Result<(), Failure>;

/// Generators with their aliases, in the order of `kubectl create --help`.
const GENERATORS: &[(&str, Generator)] = &[
    ("clusterrole", access::cluster_role),
    ("clusterrolebinding", access::cluster_role_binding),
    ("configmap", config::config_map),
    ("cm", config::config_map),
    ("cronjob", batch::cron_job),
    ("cj", batch::cron_job),
    ("deployment", deployment),
    ("deploy", deployment),
    ("ingress", ingress::run),
    ("ing", ingress::run),
    ("job", batch::job),
    ("namespace", namespace),
    ("ns", namespace),
    ("poddisruptionbudget", policy::disruption_budget),
    ("pdb", policy::disruption_budget),
    ("priorityclass", policy::priority_class),
    ("pc", policy::priority_class),
    ("quota", policy::quota),
    ("resourcequota", policy::quota),
    ("role", access::role),
    ("rolebinding", access::role_binding),
    ("secret", config::secret),
    ("service", service::run),
    ("svc", service::run),
    ("serviceaccount", access::service_account),
    ("sa", access::service_account),
    ("token", access::token),
];

/// The generators' full names.
pub fn generators() -> impl Iterator<Item = &'static str> {
    GENERATORS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.len() > 3 && *name != "deploy" && *name != "resourcequota")
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let Some(at) = super::command_position(args).filter(|_| {
        !args
            .iter()
            .take_while(|arg| *arg != "--")
            .any(|arg| arg.starts_with("-f") || arg.starts_with("--filename") || arg == "-k")
            || args.first().is_some_and(|first| !first.starts_with('-'))
    }) else {
        return from_files(ctx, args);
    };
    let mut rest = args[..at].to_vec();
    rest.extend_from_slice(&args[at + 1..]);
    match GENERATORS.iter().find(|(name, _)| args[at] == *name) {
        Some((_, generator)) => generator(ctx, &rest),
        None => Err(Failure::usage(
            "create",
            format!("Unexpected args: [{}]", args[at..].join(" ")),
        )),
    }
}

fn from_files(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("create", COMMON, args)?;
    if !given.names_files() {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let scope = Scope::of(ctx, &given)?;
    let mut errors = String::new();
    for document in files::read(ctx, &given)? {
        let mut object = document.object;
        if given.switch("edit") {
            match super::edit::before_create(ctx, &object)? {
                Some(edited) => object = edited,
                None => continue,
            }
        }
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
        let doing = Doing::Reading(&document.source);
        match submit(ctx, &given, &scope, &mapping, object, doing) {
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

/// Where an object comes from; failures are worded by it.
#[derive(Clone, Copy)]
enum Doing<'a> {
    /// A file.
    Reading(&'a str),
    /// A generator: what stands after `failed to create`; empty if the failure stands alone.
    Generating(&'a str),
}

/// Sends the object and prints what was made.
fn submit(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    mapping: &Mapping,
    mut object: Value,
    doing: Doing<'_>,
) -> Result<(), Failure> {
    let format = Format::of(given)?;
    let dry_run = DryRun::of(given)?;
    let namespace = place(&mut object, mapping, scope)?;
    let is_generated = matches!(doing, Doing::Generating(_));
    if is_generated && dry_run == DryRun::Client && !scope.is_explicit {
        object.remove_path("metadata.namespace");
    }
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
            "kubectl-create".into()
        };
        let response = ctx.call(request)?;
        if !response.is_success() {
            return Err(match doing {
                Doing::Generating("") => Failure::server(&response),
                Doing::Generating(what) => {
                    Failure::error(format!("failed to create {what} {}", response.message()))
                }
                Doing::Reading(_) if response.reason() == "Invalid" => {
                    Failure::plain(crate::failure::invalid_text(&response))
                }
                Doing::Reading(source) => {
                    Failure::server_while(&response, &format!("error when creating {source:?}"))
                }
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
    let object = map! { "apiVersion": "v1", "kind": "Namespace", "metadata": map! { "name": name }, "spec": map! {}, "status": map! {} };
    generated(ctx, &given, object, "")
}

/// Sends what a generator made. `what` is how a failure names it: `deployment:`, `secret`.
fn generated(
    ctx: &mut Context<'_>,
    given: &Given,
    object: Value,
    what: &str,
) -> Result<(), Failure> {
    let mut object = object;
    if given.switch("append-hash") {
        let name = object.get("metadata").shared_str("name");
        let hash = crate::hash::of(&object, &name);
        object.set_path("metadata.name", format!("{name}-{hash}"));
    }
    let scope = Scope::of(ctx, given)?;
    let (api_version, kind) = (object.shared_str("apiVersion"), object.shared_str("kind"));
    let mapping = mapping_of(ctx, &api_version, &kind)?.expect("generators make built-in kinds");
    submit(
        ctx,
        given,
        &scope,
        &mapping,
        object,
        Doing::Generating(what),
    )
}

/// The flags of every generator and its own.
fn parse(command: &str, own: &[Flag], args: &[Str]) -> Result<Given, Failure> {
    Given::parse(command, &[COMMON, own].concat(), args)
}

fn missing(flag: &str) -> Failure {
    Failure::Exit {
        code: 1,
        message: format!("error: required flag(s) {flag:?} not set\n"),
    }
}

/// Five letters that make a changed name unique, the same for the same moment and image (or whatever it is about).
pub(crate) fn suffix(ctx: &Context<'_>, image: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rng = sim::Rng::stream(ctx.now().0, image);
    (0..5)
        .map(|_| LETTERS[(rng.next_u64() % LETTERS.len() as u64) as usize] as char)
        .collect()
}

fn deployment(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[
        array("image"),
        number("replicas").short('r'),
        number("port"),
    ];
    let given = parse("create deployment", OWN, args)?;
    let images: Vec<Str> = given
        .all("image")
        .iter()
        .flat_map(|i| i.split(',').map(Str::new).collect::<Vec<_>>())
        .collect();
    if images.is_empty() {
        return Err(missing("image"));
    }
    let name = name_of(&given, "deployment")?;
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
        let mut base = base.split(['@', ':']).next().unwrap_or_default().to_owned();
        if base.contains(['_', '.']) {
            base = format!("{}-{}", base.replace(['_', '.'], "-"), suffix(ctx, image));
        }
        let mut container = map! { "name": base, "image": image, "resources": map! {} };
        if !command.is_empty() {
            container.set(
                "command",
                command.iter().map(Value::from).collect::<Vec<_>>(),
            );
        }
        // The first container is the one that has the port.
        let port = given.number("port").filter(|port| *port > 0);
        if let Some(port) = port.filter(|_| containers.is_empty()) {
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
    generated(ctx, &given, object, "deployment:")
}
