//! The live objects that a modifying command is about, and how a change of one, or what is made for one, is sent
//! and reported.
//!
//! `label`, `annotate`, `patch`, `set`, `expose`, `autoscale`, `wait` share this: objects by `-f` or by arguments, fetched
//! first; the change goes out as a patch of what differs. Models the resource builder with `ContinueOnError` and
//! `cmd/set/helper.go`.

use api::{PatchKind, Request, Str, Value, meta::Meta};

use crate::flags::Given;
use crate::print::{self, Format};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::verbs::apply::DryRun;
use crate::verbs::files;
use crate::{Context, Failure};

/// A live object (or one from a file, with `--local`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub mapping: Mapping,
    pub namespace: Str,
    pub object: Value,
}

/// What was found, and the messages about what was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Targets {
    pub found: Vec<Target>,
    pub errors: Vec<String>,
}

/// What kubectl says when no object was named.
pub(crate) const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

impl Target {
    pub(crate) fn name(&self) -> Str {
        Meta::of(&self.object).shared_name()
    }
}

impl Targets {
    /// Keeps a failure of one object for the end of the command; only waiting ends it now.
    pub(crate) fn keep(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(Failure::Exit { message, .. }) => {
                let line = message.strip_suffix('\n').unwrap_or(&message);
                self.errors.push(line.to_owned());
                Ok(())
            }
            other => other,
        }
    }

    /// Ends the command by its errors.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Failure::plain(self.errors.join("\n")))
        }
    }
}

/// Objects by `-f`, or by `args` with `--selector`, `--field-selector` and `--all`.
pub(crate) fn find(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    args: &[Str],
) -> Result<Targets, Failure> {
    let mut targets = Targets::default();
    if given.names_files() {
        for document in files::read(ctx, given)? {
            of_document(ctx, given, scope, document, &mut targets)?;
        }
        return Ok(targets);
    }
    if args.is_empty() {
        return Err(Failure::error(NOTHING_NAMED));
    }
    for selection in select(ctx, args)? {
        let namespace = selection.mapping.namespace(scope);
        if selection.names.is_empty() {
            let is_wide = ["selector", "field-selector"]
                .iter()
                .any(|flag| given.has(flag))
                || given.switch("all");
            if !is_wide {
                return Err(Failure::error(
                    "resource(s) were provided, but no name was specified",
                ));
            }
            let mut request = Request::list(&selection.mapping.resource, namespace);
            request.options.label_selector = given.text("selector");
            request.options.field_selector = given.text("field-selector");
            let list = ctx.object(request)?;
            for item in list.get("items").items() {
                targets.found.push(Target {
                    mapping: selection.mapping.clone(),
                    namespace: Meta::of(item).shared_namespace(),
                    object: item.clone(),
                });
            }
            continue;
        }
        if given.has("selector") {
            return Err(Failure::error(
                "name cannot be provided when a selector is specified",
            ));
        }
        for name in &selection.names {
            fetch(
                ctx,
                &selection.mapping,
                &namespace,
                name.clone(),
                &mut targets,
            )?;
        }
    }
    Ok(targets)
}

fn of_document(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    document: files::Document,
    targets: &mut Targets,
) -> Result<(), Failure> {
    let mut object = document.object;
    let (api_version, kind) = (
        object.str("apiVersion").to_owned(),
        object.str("kind").to_owned(),
    );
    let Some(mapping) = mapping_of(ctx, &api_version, &kind)? else {
        let meta = Meta::of(&object);
        targets.errors.push(format!(
            "error: resource mapping not found for name: {:?} namespace: {:?} from {:?}: no matches for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first",
            meta.name(),
            meta.namespace(),
            document.source.as_str()
        ));
        return Ok(());
    };
    let namespace = crate::verbs::apply::place(&mut object, &mapping, scope)?;
    if given.switch("local") {
        targets.found.push(Target {
            mapping,
            namespace,
            object,
        });
        return Ok(());
    }
    let name = Meta::of(&object).shared_name();
    fetch(ctx, &mapping, &namespace, name, targets)
}

fn fetch(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    namespace: &Str,
    name: Str,
    targets: &mut Targets,
) -> Result<(), Failure> {
    let response = ctx.call(Request::get(&mapping.resource, namespace.clone(), name))?;
    if response.is_success() {
        targets.found.push(Target {
            mapping: mapping.clone(),
            namespace: namespace.clone(),
            object: response.body,
        });
    } else {
        targets
            .errors
            .push(crate::failure::server_text(&response, ""));
    }
    Ok(())
}

/// Sends what differs between the target and `changed`; gives the object as it is then. With `--dry-run=client` or
/// `--local` nothing is sent.
pub(crate) fn send(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    changed: &Value,
    manager: &'static str,
    dry_run: DryRun,
) -> Result<Value, Failure> {
    if dry_run == DryRun::Client || given.switch("local") {
        return Ok(changed.clone());
    }
    let resource = &target.mapping.resource;
    let of =
        api::patch::strategic::type_of(&resource.group, &resource.version, &target.mapping.kind);
    let (kind, patch) = match of {
        Some(of) => {
            let patch = api::patch::strategic::two_way(of, &target.object, changed)
                .map_err(|why| Failure::error(format!("failed to create patch: {why}")))?;
            (PatchKind::Strategic, patch)
        }
        None => (
            PatchKind::Merge,
            api::patch::merge::diff(&target.object, changed),
        ),
    };
    let patch = if patch.is_null() {
        Value::empty_map()
    } else {
        patch
    };
    let mut request = Request::patch(
        resource,
        target.namespace.clone(),
        target.name(),
        kind,
        patch,
    );
    options(&mut request, given, manager, dry_run);
    ctx.object(request)
}

/// Creates an object that was made for a target (a service, an autoscaler); gives it as it is then. With
/// `--dry-run=client` nothing is sent.
pub(crate) fn create(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    mapping: &Mapping,
    mut object: Value,
    manager: &'static str,
    dry_run: DryRun,
) -> Result<Value, Failure> {
    if dry_run == DryRun::Client {
        return Ok(object);
    }
    object.set_path("metadata.namespace", target.namespace.clone());
    if given.switch("save-config") {
        object = crate::verbs::apply::with_last_applied(&object);
    }
    let mut request = Request::create(&mapping.resource, target.namespace.clone(), object);
    options(&mut request, given, manager, dry_run);
    ctx.object(request)
}

/// `deployment.apps/web labeled`, or the object as `-o` asks.
pub(crate) fn report(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    object: &Value,
    word: &str,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let format = Format::of(given)?;
    if format.is_table() {
        let name = Meta::of(object).shared_name();
        ctx.out(format!(
            "{} {word}{}\n",
            mapping.qualified(&name),
            dry_run.suffix()
        ));
        return Ok(());
    }
    let object = if format.hides_managed_fields(given) {
        print::without_managed_fields(object)
    } else {
        object.clone()
    };
    let text = print::object(&format, mapping, &object)?;
    ctx.out(text);
    Ok(())
}

/// Splits `RESOURCE… KEY=VALUE… KEY-…` into resources and changes; `what` names the changes in messages.
pub(crate) fn split_pairs(args: &[Str], what: &str) -> Result<(Vec<Str>, Vec<Str>), Failure> {
    let (mut resources, mut pairs): (Vec<Str>, Vec<Str>) = (Vec::new(), Vec::new());
    for arg in args {
        let is_pair =
            (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg.len() > 1);
        if is_pair {
            pairs.push(arg.clone());
        } else if pairs.is_empty() {
            resources.push(arg.clone());
        } else {
            return Err(Failure::error(format!(
                "all resources must be specified before {what} changes: {arg}"
            )));
        }
    }
    Ok((resources, pairs))
}

fn options(request: &mut Request, given: &Given, manager: &'static str, dry_run: DryRun) {
    request.options.dry_run = dry_run == DryRun::Server;
    request.options.field_manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        manager.into()
    };
}
