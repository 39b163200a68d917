//! `kubectl apply`: client-side (three-way, with the last-applied annotation) and server-side.
//!
//! Models `kubectl/pkg/cmd/apply`.

mod last_applied;
mod prune;
mod server_side;

use api::{Body, PatchKind, Request, Response, Str, Value, map};

use super::files::{self, Document};
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Context, Failure};
use server_side::server_side;

pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const FLAGS: &[Flag] = &[
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("kustomize").short('k'),
    text("output").short('o'),
    text("template"),
    text("selector").short('l'),
    switch("server-side"),
    switch("force-conflicts"),
    text("field-manager"),
    optional("dry-run", "unchanged"),
    optional("validate", "strict"),
    switch("force"),
    switch("overwrite"),
    switch("prune"),
    array("prune-allowlist"),
    switch("all"),
    switch("wait"),
    switch("allow-missing-template-keys"),
    switch("openapi-patch"),
    switch("show-managed-fields"),
    text("subresource"),
    optional("cascade", "background"),
    crate::flags::number("grace-period"),
    crate::flags::duration("timeout"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.first().map(Str::as_str) {
        Some("view-last-applied") => return last_applied::view(ctx, &args[1..]),
        Some("edit-last-applied") => return super::edit::last_applied(ctx, &args[1..]),
        Some("set-last-applied") => return last_applied::set(ctx, &args[1..]),
        _ => {}
    }
    let given = Given::parse("apply", FLAGS, args)?;
    if !given.args.is_empty() {
        return Err(Failure::usage(
            "apply",
            format!("Unexpected args: [{}]", join(&given.args)),
        ));
    }
    if !given.names_files() {
        return Err(Failure::plain("error: must specify one of -f and -k"));
    }
    prune::check(&given)?;
    let format = Format::of(&given)?;
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let documents = files::read(ctx, &given)?;
    if documents.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    let mut errors = Vec::new();
    let mut seen = prune::Seen::default();
    let selector = given.text("selector");
    let selector = (!selector.is_empty())
        .then(|| api::selector::LabelSelector::parse(&selector))
        .transpose()
        .map_err(|why| Failure::error(why.to_string()))?;
    for document in documents {
        if let Some(selector) = &selector
            && !selector.matches(api::meta::Meta::of(&document.object).labels())
        {
            continue;
        }
        match one(ctx, &given, &scope, &document, dry_run) {
            Ok(Applied {
                mapping,
                object,
                word,
            }) => {
                let meta = api::meta::Meta::of(&object);
                seen.uids.insert(meta.0.shared_str("uid"));
                if mapping.is_namespaced {
                    seen.namespaces.insert(meta.shared_namespace());
                }
                let name = object
                    .path("metadata.name")
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                if format.is_table() {
                    ctx.out(format!(
                        "{} {word}{}\n",
                        mapping.qualified(&name),
                        dry_run.suffix()
                    ));
                } else {
                    let object = if format.hides_managed_fields(&given) {
                        print::without_managed_fields(&object)
                    } else {
                        object
                    };
                    ctx.out(print::object(&format, &mapping, &object)?);
                }
            }
            Err(Failure::Exit { message, .. }) => errors.push(message),
            Err(waiting) => return Err(waiting),
        }
    }
    match &errors[..] {
        [] if given.switch("prune") => prune::run(ctx, &given, &seen, dry_run),
        [] => Ok(()),
        many => Err(Failure::Exit {
            code: 1,
            message: many.concat(),
        }),
    }
}

/// `--dry-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    pub(crate) fn of(given: &Given) -> Result<DryRun, Failure> {
        let value = given.text("dry-run");
        match value.as_str() {
            "" | "none" | "false" => Ok(DryRun::None),
            "client" => Ok(DryRun::Client),
            "server" => Ok(DryRun::Server),
            "unchanged" | "true" => Err(Failure::error(
                "a value must be specified for --dry-run: none, client or server",
            )),
            other => Err(Failure::error(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

struct Applied {
    mapping: Mapping,
    object: Value,
    word: &'static str,
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    document: &Document,
    dry_run: DryRun,
) -> Result<Applied, Failure> {
    let mut object = document.object.clone();
    let source = &document.source;
    let (api_version, kind) = (
        object.str("apiVersion").to_owned(),
        object.str("kind").to_owned(),
    );
    let Some(mapping) = mapping_of(ctx, &api_version, &kind)? else {
        return Err(no_match(&object, source, &api_version, &kind));
    };
    let namespace = place(&mut object, &mapping, scope)?;
    let name = object.get("metadata").shared_str("name");
    if given.switch("server-side") {
        return server_side(
            ctx, given, &mapping, object, namespace, name, source, dry_run,
        );
    }
    let modified = with_last_applied(&object);
    if name.is_empty() {
        if object.path("metadata.generateName").is_null() {
            return Err(Failure::error(format!(
                "error when retrieving current configuration of:\n{}from server for: {source:?}: resource name may not be empty",
                described(&mapping, &namespace, &name)
            )));
        }
        return Err(Failure::error(format!(
            "from {}: cannot use generate name with apply",
            object
                .path("metadata.generateName")
                .as_str()
                .unwrap_or_default()
        )));
    }
    let current = ctx.call(Request::get(
        &mapping.resource,
        namespace.clone(),
        name.clone(),
    ))?;
    if !current.is_success() && current.reason() == "NotFound" && current.code == 404 {
        if dry_run == DryRun::Client {
            return Ok(Applied {
                mapping,
                object,
                word: "created",
            });
        }
        let mut request = Request::create(&mapping.resource, namespace, modified);
        options(&mut request, given, dry_run);
        let response = ctx.call(request)?;
        if !response.is_success() {
            return Err(refused(&response, "creating", source));
        }
        return Ok(Applied {
            mapping,
            object: response.body,
            word: "created",
        });
    }
    if !current.is_success() {
        return Err(Failure::plain(crate::failure::server_text(
            &current,
            &format!(
                "error when retrieving current configuration of:\n{}from server for: {source:?}",
                described(&mapping, &namespace, &name)
            ),
        )));
    }
    let current = current.body;
    let original = match api::meta::Meta::of(&current).annotation(LAST_APPLIED) {
        Some(text) => Value::from_json(text).unwrap_or_default(),
        None => {
            ctx.err(format!(
                "Warning: resource {}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n",
                mapping.resource.plural
            ));
            Value::Null
        }
    };
    let builtin = api::patch::strategic::type_of(
        &mapping.resource.group,
        &mapping.resource.version,
        &mapping.kind,
    );
    let patch = match builtin {
        Some(of) => api::patch::strategic::three_way(of, &original, &modified, &current)
            .map_err(|why| Failure::error(format!("error when creating patch: {why}")))?,
        None => api::patch::merge::three_way(&original, &modified, &current),
    };
    if patch.is_empty() {
        return Ok(Applied {
            mapping,
            object: current,
            word: "unchanged",
        });
    }
    if dry_run == DryRun::Client {
        return Ok(Applied {
            mapping,
            object: modified,
            word: "configured",
        });
    }
    let kind = if builtin.is_some() {
        PatchKind::Strategic
    } else {
        PatchKind::Merge
    };
    let mut request = Request::patch(
        &mapping.resource,
        namespace.clone(),
        name.clone(),
        kind,
        patch.clone(),
    );
    options(&mut request, given, dry_run);
    let response = ctx.call(request)?;
    if !response.is_success() {
        if given.switch("force")
            && (response.reason() == "Invalid" || response.reason() == "Conflict")
        {
            return replace(ctx, given, mapping, modified, namespace, name, source);
        }
        let doing = format!(
            "error when applying patch:\n{}\nto:\n{}for: {source:?}: error when patching {source:?}",
            patch.to_json(),
            described(&mapping, &namespace, &name)
        );
        let text = if response.reason() == "Invalid" {
            format!(
                "The {} {:?} is invalid: {}",
                mapping.kind,
                name.as_str(),
                crate::failure::invalid_text(&response)
                    .split_once(" is invalid: ")
                    .map_or_else(String::new, |(_, rest)| rest.to_owned())
            )
        } else {
            crate::failure::server_text(&response, &doing)
        };
        return Err(Failure::plain(text));
    }
    Ok(Applied {
        mapping,
        object: response.body,
        word: "configured",
    })
}

/// `--force`: what cannot be patched is deleted and made anew.
fn replace(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: Mapping,
    modified: Value,
    namespace: Str,
    name: Str,
    source: &Str,
) -> Result<Applied, Failure> {
    ctx.object(Request::delete(
        &mapping.resource,
        namespace.clone(),
        name.clone(),
    ))?;
    for _ in 0..600 {
        let response = ctx.call(Request::get(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        if response.code == 404 {
            break;
        }
        ctx.sleep(sim::SECOND)?;
    }
    let mut request = Request::create(&mapping.resource, namespace, modified);
    options(&mut request, given, DryRun::None);
    let response = ctx.call(request)?;
    if response.is_success() {
        Ok(Applied {
            mapping,
            object: response.body,
            word: "configured",
        })
    } else {
        Err(refused(&response, "replacing", source))
    }
}

/// Puts the object into the namespace that counts; a contradiction with `-n` is an error.
pub(crate) fn place(object: &mut Value, mapping: &Mapping, scope: &Scope) -> Result<Str, Failure> {
    if !mapping.is_namespaced {
        return Ok(Str::EMPTY);
    }
    let own = object.get("metadata").shared_str("namespace");
    if own.is_empty() {
        object.set_path("metadata.namespace", scope.namespace.clone());
        return Ok(scope.namespace.clone());
    }
    if scope.is_explicit && own != scope.namespace {
        return Err(Failure::error(format!(
            "the namespace from the provided object {:?} does not match the namespace {:?}. You must pass '--namespace={own}' to perform this operation.",
            own.as_str(),
            scope.namespace.as_str()
        )));
    }
    Ok(own)
}

pub(crate) fn options(request: &mut Request, given: &Given, dry_run: DryRun) {
    request.options.dry_run = dry_run == DryRun::Server;
    request.options.field_manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        default_manager(request)
    };
    request.options.field_validation = match given.text("validate").as_str() {
        "false" | "ignore" => "Ignore".into(),
        "warn" => "Warn".into(),
        _ => "Strict".into(),
    };
}

fn default_manager(request: &Request) -> Str {
    match request.body {
        Body::Patch(PatchKind::Apply, _) => "kubectl".into(),
        _ => "kubectl-client-side-apply".into(),
    }
}

/// The object with itself, as JSON, in the last-applied annotation.
pub(crate) fn with_last_applied(object: &Value) -> Value {
    let plain = with_annotations(object.clone());
    let text = print::escaped(&plain.to_json()) + "\n";
    let mut modified = plain;
    modified
        .entry("metadata")
        .entry("annotations")
        .set(LAST_APPLIED, text);
    modified
}

/// The object with annotations, if only an empty map of them, and without the last-applied one.
pub(crate) fn with_annotations(mut object: Value) -> Value {
    if object.path("metadata.annotations").is_map() {
        object
            .entry("metadata")
            .entry("annotations")
            .remove(LAST_APPLIED);
    } else {
        object.set_path("metadata.annotations", map! {});
    }
    object
}

fn refused(response: &Response, doing: &str, source: &Str) -> Failure {
    if response.reason() == "Invalid" {
        return Failure::plain(crate::failure::invalid_text(response));
    }
    Failure::server_while(
        response,
        &format!("error when {doing} {:?}", source.as_str()),
    )
}

fn no_match(object: &Value, source: &str, api_version: &str, kind: &str) -> Failure {
    let meta = api::meta::Meta::of(object);
    Failure::error(format!(
        "resource mapping not found for name: {:?} namespace: {:?} from {source:?}: no matches for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first",
        meta.name(),
        meta.namespace()
    ))
}

/// `Resource: "apps/v1, Resource=deployments", GroupVersionKind: …` and the name, as errors describe an object.
fn described(mapping: &Mapping, namespace: &str, name: &str) -> String {
    let api_version = mapping.resource.api_version();
    format!(
        "Resource: \"{api_version}, Resource={}\", GroupVersionKind: \"{api_version}, Kind={}\"\nName: {name:?}, Namespace: {namespace:?}\n",
        mapping.resource.plural, mapping.kind
    )
}

fn join(args: &[Str]) -> String {
    args.iter().map(Str::as_str).collect::<Vec<_>>().join(" ")
}
