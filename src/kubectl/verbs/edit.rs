//! `kubectl edit` and `kubectl apply edit-last-applied`: a live object in an editor, and what was changed sent as a patch.
//!
//! Models `kubectl/pkg/cmd/util/editor`. The editor is a program of the terminal (`KUBE_EDITOR`, `EDITOR`, else `vi`).

use api::{PatchKind, Request, Str, Value, map};

use super::apply::{self, DryRun};
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::print;
use crate::resource::Scope;
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("allow-missing-template-keys"),
    text("field-manager"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    text("output").short('o'),
    switch("output-patch"),
    switch("recursive").short('R'),
    switch("save-config"),
    text("selector").short('l'),
    switch("show-managed-fields"),
    text("subresource"),
    text("template"),
    optional("validate", "strict"),
    switch("windows-line-endings"),
];

/// The comment that stands before the objects.
const INTRODUCTION: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n";

/// Attempts to send a file that the server or the parser refuses.
const ATTEMPTS: usize = 20;

/// What is edited of an object, and what becomes of the change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Live,
    LastApplied,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    edit(ctx, args, "edit", Mode::Live)
}

pub(crate) fn last_applied(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    edit(ctx, args, "apply edit-last-applied", Mode::LastApplied)
}

fn edit(ctx: &mut Context<'_>, args: &[Str], command: &str, mode: Mode) -> Result<(), Failure> {
    let given = Given::parse(command, FLAGS, args)?;
    let is_json = match given.text("output").as_str() {
        "json" => true,
        "" | "yaml" => false,
        other => {
            return Err(Failure::error(format!(
                "The flag 'output' must be one of yaml|json, not {other:?}"
            )));
        }
    };
    if given.args.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "must specify one of -f or resource and name",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let found = targets::find(ctx, &given, &scope, &given.args)?;
    if let Some(first) = found.errors.first() {
        return Err(Failure::plain(first.clone()));
    }
    let targets = found.found;
    if targets.is_empty() {
        return Err(Failure::error("edit cancelled, no objects found."));
    }
    let before: Vec<Value> = targets
        .iter()
        .map(|target| shown(&given, target, mode))
        .collect::<Result<_, _>>()?;
    let document = match &before[..] {
        [one] => one.clone(),
        many => {
            map! { "apiVersion": "v1", "kind": "List", "items": many.to_vec(), "metadata": map! {} }
        }
    };
    let body = if is_json {
        print::json(&document)
    } else {
        api::yaml::emit(&document)
    };
    let ending = if is_json { "json" } else { "yaml" };
    let path = scratch(ctx, ending);
    let mut complaint = String::new();
    let mut text = format!("{INTRODUCTION}{body}");
    for _ in 0..ATTEMPTS {
        written(ctx, &path, &text)?;
        launch(ctx, &path)?;
        let edited = edited(ctx, &path)?;
        if edited.as_str() == text.as_str() {
            if complaint.is_empty() {
                ctx.err("Edit cancelled, no changes made.\n");
                return Ok(());
            }
            return Err(aborted(&complaint, &path));
        }
        let plain = uncommented(&edited);
        if plain.trim().is_empty() {
            ctx.err("Edit cancelled, saved file was empty.\n");
            return Ok(());
        }
        if plain == uncommented(&text) && complaint.is_empty() {
            ctx.err("Edit cancelled, no changes made.\n");
            return Ok(());
        }
        complaint = match changed(&plain, before.len()) {
            Ok(after) => match save(ctx, &given, &targets, &before, &after, mode) {
                Ok(()) => return Ok(()),
                Err(Failure::Exit { message, .. }) => message,
                Err(waiting) => return Err(waiting),
            },
            Err(why) => format!("error: {why}\n"),
        };
        // The file comes back with what was wrong at its top.
        let comments: String = complaint
            .trim_end()
            .lines()
            .map(|line| format!("# {}\n", line.trim_start_matches("error: ")))
            .collect();
        text = format!("{INTRODUCTION}{comments}#\n{}", uncommented(&edited));
    }
    Err(aborted(&complaint, &path))
}

/// What an object has become in the editor before it is created; nothing if it was left as it was.
pub(crate) fn before_create(
    ctx: &mut Context<'_>,
    object: &Value,
) -> Result<Option<Value>, Failure> {
    let path = scratch(ctx, "yaml");
    let text = format!("{INTRODUCTION}{}", api::yaml::emit(object));
    written(ctx, &path, &text)?;
    launch(ctx, &path)?;
    let plain = uncommented(&edited(ctx, &path)?);
    if plain.trim().is_empty() {
        ctx.err("Edit cancelled, saved file was empty.\n");
        return Ok(None);
    }
    if plain == uncommented(&text) {
        ctx.err("Edit cancelled, no changes made.\n");
        return Ok(None);
    }
    match changed(&plain, 1) {
        Ok(mut objects) => Ok(objects.pop()),
        Err(why) => Err(aborted(&format!("error: {why}\n"), &path)),
    }
}

/// The file that an editor is given.
fn scratch(ctx: &Context<'_>, ending: &str) -> String {
    let number = ctx.now().0 % 10_000_000_000;
    format!("/tmp/kubectl-edit-{number}.{ending}")
}

fn edited(ctx: &mut Context<'_>, path: &str) -> Result<Str, Failure> {
    ctx.read_file(path)?
        .map_err(|why| Failure::error(format!("open {path}: {why}")))
}

fn aborted(complaint: &str, path: &str) -> Failure {
    Failure::Exit {
        code: 1,
        message: format!(
            "{complaint}A copy of your changes has been stored to {path:?}\nerror: Edit cancelled, no valid changes were saved.\n"
        ),
    }
}

/// The object as the editor shows it.
fn shown(given: &Given, target: &Target, mode: Mode) -> Result<Value, Failure> {
    match mode {
        Mode::Live if given.switch("show-managed-fields") => Ok(target.object.clone()),
        Mode::Live => Ok(print::without_managed_fields(&target.object)),
        Mode::LastApplied => api::meta::Meta::of(&target.object)
            .annotation(apply::LAST_APPLIED)
            .and_then(|text| Value::from_json(text).ok())
            .ok_or_else(|| {
                Failure::error(format!(
                    "no last-applied-configuration annotation found on resource: {}, to create the annotation, use the --create-annotation flag",
                    target.name()
                ))
            }),
    }
}

fn written(ctx: &mut Context<'_>, path: &str, text: &str) -> Result<(), Failure> {
    ctx.write_file(path, text)?
        .map_err(|why| Failure::error(format!("open {path}: {why}")))
}

/// Runs the editor on the file. What is more than words is the shell's to read.
fn launch(ctx: &mut Context<'_>, path: &str) -> Result<(), Failure> {
    let mut editor = Str::EMPTY;
    for name in ["KUBE_EDITOR", "EDITOR"] {
        if editor.is_empty() {
            editor = ctx.env(name)?.unwrap_or_default();
        }
    }
    if editor.is_empty() {
        editor = "vi".into();
    }
    let argv: Vec<Str> = if editor.contains(['"', '\'', '\\']) {
        let line = format!("{editor} {path:?}");
        vec!["/bin/bash".into(), "-c".into(), line.into()]
    } else {
        editor
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(Str::new)
            .chain([Str::new(path)])
            .collect()
    };
    match ctx.run_program(argv)? {
        0 => Ok(()),
        _ => Err(Failure::error(format!(
            "there was a problem with the editor {:?}",
            editor.as_str()
        ))),
    }
}

fn uncommented(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The objects of the edited file.
fn changed(text: &str, count: usize) -> Result<Vec<Value>, String> {
    let loaded = api::yaml::load(text)
        .map_err(|why| format!("The edited file had a syntax error: {why}"))?;
    let objects = if loaded.str("kind") == "List" && loaded.has("items") {
        loaded.get("items").items().to_vec()
    } else {
        vec![loaded]
    };
    if objects.len() == count {
        Ok(objects)
    } else {
        Err(format!(
            "The edited file had a syntax error: expected {count} objects, found {}",
            objects.len()
        ))
    }
}

fn save(
    ctx: &mut Context<'_>,
    given: &Given,
    targets: &[Target],
    before: &[Value],
    after: &[Value],
    mode: Mode,
) -> Result<(), Failure> {
    let mut has_any = false;
    for ((target, before), after) in targets.iter().zip(before).zip(after) {
        if before == after {
            continue;
        }
        has_any = true;
        let name = target.name();
        for (field, was, is) in [
            (
                "apiVersion",
                before.str("apiVersion"),
                after.str("apiVersion"),
            ),
            ("kind", before.str("kind"), after.str("kind")),
            (
                "name",
                before.get("metadata").str("name"),
                after.get("metadata").str("name"),
            ),
        ] {
            if was != is {
                return Err(Failure::error(format!(
                    "At least one of apiVersion, kind and name was changed: {field} of {name}"
                )));
            }
        }
        let resource = &target.mapping.resource;
        let of = api::patch::strategic::type_of(
            &resource.group,
            &resource.version,
            &target.mapping.kind,
        );
        let (kind, patch) = match (mode, of) {
            (Mode::LastApplied, _) => {
                let mut annotations = map! {};
                annotations.set(apply::LAST_APPLIED, print::escaped(&after.to_json()) + "\n");
                (
                    PatchKind::Merge,
                    map! { "metadata": map! { "annotations": annotations } },
                )
            }
            (Mode::Live, Some(of)) => {
                let patch = api::patch::strategic::two_way(of, before, after)
                    .map_err(|why| Failure::error(format!("failed to create patch: {why}")))?;
                (PatchKind::Strategic, patch)
            }
            (Mode::Live, None) => (PatchKind::Merge, api::patch::merge::diff(before, after)),
        };
        if given.switch("output-patch") {
            ctx.out(format!("Patch: {}\n", patch.to_json()));
        }
        let mut request = Request::patch(
            resource,
            target.namespace.clone(),
            name.clone(),
            kind,
            patch,
        )
        .subresource(given.text("subresource"));
        apply::options(&mut request, given, DryRun::None);
        if !given.has("field-manager") {
            request.options.field_manager = "kubectl-edit".into();
        }
        let response = ctx.call(request)?;
        if !response.is_success() {
            if response.reason() == "Invalid" {
                return Err(Failure::plain(format!(
                    "error: {} {:?} is invalid",
                    target.mapping.resource.group_resource(),
                    name.as_str()
                )));
            }
            return Err(Failure::plain(format!(
                "error: {} {:?} could not be patched: {}",
                target.mapping.resource.group_resource(),
                name.as_str(),
                response.message()
            )));
        }
        ctx.out(format!("{} edited\n", target.mapping.qualified(&name)));
    }
    if !has_any {
        ctx.err("Edit cancelled, no changes made.\n");
    }
    Ok(())
}
