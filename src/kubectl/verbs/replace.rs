//! `kubectl replace`: the file takes the object's place; with `--force` by deleting it first.
//!
//! Models `kubectl/pkg/cmd/replace`.

use api::{Request, Str, Value, meta::Meta};

use super::apply::DryRun;
use super::files;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Context, Failure, targets};

const FLAGS: &[Flag] = &[
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    switch("force"),
    optional("cascade", "background"),
    number("grace-period"),
    duration("timeout"),
    switch("wait"),
    switch("save-config"),
    text("raw"),
    text("subresource"),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    optional("validate", "strict"),
    text("field-manager"),
    switch("show-managed-fields"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("replace", FLAGS, args)?;
    if !given.names_files() {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let mut errors = Vec::new();
    for document in files::read(ctx, &given)? {
        match one(ctx, &given, &scope, &document, dry_run) {
            Err(Failure::Exit { message, .. }) => errors.push(message.trim_end().to_owned()),
            other => other?,
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    document: &files::Document,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let mut object = document.object.clone();
    let source = document.source.as_str();
    let (api_version, kind) = (object.shared_str("apiVersion"), object.shared_str("kind"));
    let Some(mapping) = mapping_of(ctx, &api_version, &kind)? else {
        let meta = Meta::of(&object);
        return Err(Failure::error(format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {source:?}: no matches for kind {:?} in version {:?}\nensure CRDs are installed first",
            meta.name(),
            meta.namespace(),
            kind.as_str(),
            api_version.as_str()
        )));
    };
    let namespace = super::apply::place(&mut object, &mapping, scope)?;
    let name = Meta::of(&object).shared_name();
    if given.switch("save-config") {
        object = super::apply::with_last_applied(&object);
    }
    if dry_run == DryRun::Client {
        return targets::report(ctx, given, &mapping, &object, "replaced", dry_run);
    }
    if given.switch("force") {
        remove(ctx, given, &mapping, &namespace, &name, dry_run)?;
        object.remove_path("metadata.resourceVersion");
        object.remove_path("metadata.uid");
    } else if Meta::of(&object).0.str("resourceVersion").is_empty() {
        // What was not read cannot conflict: the newest version is replaced.
        let live = ctx.call(Request::get(&mapping.resource, namespace.clone(), name))?;
        if !live.is_success() {
            return Err(Failure::server_while(
                &live,
                &format!("error when replacing {source:?}"),
            ));
        }
        let version = Meta::of(&live.body).0.shared_str("resourceVersion");
        object.set_path("metadata.resourceVersion", version);
    }
    let mut request = if given.switch("force") {
        Request::create(&mapping.resource, namespace, object)
    } else {
        Request::update(&mapping.resource, object).subresource(given.text("subresource"))
    };
    super::apply::options(&mut request, given, dry_run);
    if !given.has("field-manager") {
        request.options.field_manager = "kubectl-replace".into();
    }
    let response = ctx.call(request)?;
    if !response.is_success() {
        if response.reason() == "Invalid" {
            return Err(Failure::plain(crate::failure::invalid_text(&response)));
        }
        return Err(Failure::server_while(
            &response,
            &format!("error when replacing {source:?}"),
        ));
    }
    let made: Value = response.body;
    targets::report(ctx, given, &mapping, &made, "replaced", dry_run)
}

/// Deletes the object and waits until it is gone.
fn remove(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    namespace: &Str,
    name: &Str,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let mut request = Request::delete(&mapping.resource, namespace.clone(), name.clone());
    request.options.propagation_policy = "Background".into();
    request.options.grace_period_secs = given.number("grace-period").filter(|n| *n >= 0);
    request.options.dry_run = dry_run == DryRun::Server;
    let response = ctx.call(request)?;
    if !response.is_success() {
        return if response.code == 404 {
            Ok(())
        } else {
            Err(Failure::server(&response))
        };
    }
    let place = if namespace.is_empty() {
        String::new()
    } else {
        format!(" from {namespace} namespace")
    };
    ctx.out(format!(
        "{} {:?} deleted{place}\n",
        mapping.singular_group(),
        name.as_str()
    ));
    let limit = given.span("timeout")?.filter(|span| *span > 0);
    let until = ctx.now() + limit.unwrap_or(300 * sim::SECOND);
    loop {
        let live = ctx.call(Request::get(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        if !live.is_success() {
            return Ok(());
        }
        if ctx.now() >= until {
            return Err(Failure::error("timed out waiting for the condition"));
        }
        ctx.sleep(sim::SECOND)?;
    }
}
