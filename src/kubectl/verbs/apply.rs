//! `kubectl apply`: client-side (three-way, with the last-applied annotation) and server-side.
//!
//! Models `kubectl/pkg/cmd/apply`.

use api::{Body, PatchKind, Request, Response, Str, Value, map};

use super::files::{self, Document};
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Context, Failure};

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
    switch("all"),
    switch("wait"),
    switch("openapi-patch"),
    switch("show-managed-fields"),
    text("subresource"),
    optional("cascade", "background"),
    crate::flags::number("grace-period"),
    crate::flags::duration("timeout"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.first().map(Str::as_str) {
        Some("view-last-applied") => return view_last_applied(ctx, &args[1..]),
        Some("set-last-applied") => return set_last_applied(ctx, &args[1..]),
        _ => {}
    }
    let given = Given::parse("apply", FLAGS, args)?;
    if !given.args.is_empty() {
        return Err(Failure::usage(
            "apply",
            format!("Unexpected args: [{}]", join(&given.args)),
        ));
    }
    if !given.has("filename") {
        return Err(Failure::plain("error: must specify one of -f and -k"));
    }
    let format = Format::of(&given)?;
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let documents = files::read(ctx, &given)?;
    if documents.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    let mut errors = Vec::new();
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
                    let object = if given.switch("show-managed-fields") {
                        object
                    } else {
                        print::without_managed_fields(&object)
                    };
                    ctx.out(print::object(&format, &mapping, &object)?);
                }
            }
            Err(Failure::Exit { message, .. }) => errors.push(message),
            Err(waiting) => return Err(waiting),
        }
    }
    match &errors[..] {
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

#[allow(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename them"
)]
fn server_side(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    object: Value,
    namespace: Str,
    name: Str,
    source: &Str,
    dry_run: DryRun,
) -> Result<Applied, Failure> {
    let mut request = Request::patch(&mapping.resource, namespace, name, PatchKind::Apply, object);
    options(&mut request, given, dry_run);
    request.options.field_manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        "kubectl".into()
    };
    request.options.force = given.switch("force-conflicts");
    let response = ctx.call(request)?;
    if !response.is_success() {
        if response.reason() == "Conflict" {
            return Err(Failure::error(conflict_text(&response)));
        }
        return Err(refused(&response, "applying", source));
    }
    Ok(Applied {
        mapping: mapping.clone(),
        object: response.body,
        word: "serverside-applied",
    })
}

fn conflict_text(response: &Response) -> String {
    format!(
        "{}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve this warning:\n* If you intend to manage all of these fields, please re-run the apply\n  command with the `--force-conflicts` flag.\n* If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n* You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).\nSee https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
        response.message()
    )
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
    let mut plain = object.clone();
    let has_annotations = plain.path("metadata.annotations").is_map();
    if has_annotations {
        plain
            .entry("metadata")
            .entry("annotations")
            .remove(LAST_APPLIED);
    } else {
        plain.set_path("metadata.annotations", map! {});
    }
    let text = escaped(&plain.to_json()) + "\n";
    let mut modified = plain;
    modified
        .entry("metadata")
        .entry("annotations")
        .set(LAST_APPLIED, text);
    modified
}

/// JSON as Go's encoder writes it: safe within HTML.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text += &format!("\\u{:04x}", c as u32),
            _ => text.push(c),
        }
    }
    text
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

fn view_last_applied(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("apply view-last-applied", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    let is_json = given.text("output") == "json";
    for (mapping, name) in targets(ctx, &given)? {
        let object = ctx.object(Request::get(
            &mapping.resource,
            mapping.namespace(&scope),
            name.clone(),
        ))?;
        let Some(text) = api::meta::Meta::of(&object).annotation(LAST_APPLIED) else {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {name}"
            )));
        };
        let value = Value::from_json(text).unwrap_or_default();
        let shown = if is_json {
            print::json(&value)
        } else {
            api::yaml::emit(&value)
        };
        ctx.out(shown);
    }
    Ok(())
}

fn set_last_applied(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const MORE: &[Flag] = &[
        switch("create-annotation"),
        array("filename").short('f'),
        text("output").short('o'),
        optional("dry-run", "unchanged"),
    ];
    let given = Given::parse("apply set-last-applied", MORE, args)?;
    let scope = Scope::of(ctx, &given)?;
    for document in files::read(ctx, &given)? {
        let mut object = document.object.clone();
        let Some(mapping) = mapping_of(ctx, object.str("apiVersion"), object.str("kind"))? else {
            return Err(no_match(
                &object,
                &document.source,
                object.str("apiVersion"),
                object.str("kind"),
            ));
        };
        let namespace = place(&mut object, &mapping, &scope)?;
        let name = object.get("metadata").shared_str("name");
        let current = ctx.object(Request::get(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        if api::meta::Meta::of(&current)
            .annotation(LAST_APPLIED)
            .is_none()
            && !given.switch("create-annotation")
        {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command with --create-annotation"
            )));
        }
        let annotated = with_last_applied(&object);
        let text = annotated
            .path("metadata.annotations")
            .get(LAST_APPLIED)
            .clone();
        let mut annotations = map! {};
        annotations.set(LAST_APPLIED, text);
        let patch = map! { "metadata": map! { "annotations": annotations } };
        ctx.object(Request::patch(
            &mapping.resource,
            namespace,
            name.clone(),
            PatchKind::Merge,
            patch,
        ))?;
        ctx.out(format!("{} configured\n", mapping.qualified(&name)));
    }
    Ok(())
}

fn targets(ctx: &mut Context<'_>, given: &Given) -> Result<Vec<(Mapping, Str)>, Failure> {
    if given.has("filename") {
        let mut found = Vec::new();
        for document in files::read(ctx, given)? {
            if let Some(mapping) = mapping_of(
                ctx,
                document.object.str("apiVersion"),
                document.object.str("kind"),
            )? {
                found.push((mapping, document.object.get("metadata").shared_str("name")));
            }
        }
        return Ok(found);
    }
    let selections = crate::resource::select(ctx, &given.args)?;
    Ok(selections
        .into_iter()
        .flat_map(|s| {
            s.names
                .into_iter()
                .map(move |name| (s.mapping.clone(), name))
        })
        .collect())
}
