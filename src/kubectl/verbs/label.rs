//! `kubectl label` and `kubectl annotate`.
//!
//! Models `kubectl/pkg/cmd/{label,annotate}`.

use api::{Str, Value, meta::Meta};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::Scope;
use crate::targets::{self, Target, Targets};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("overwrite"),
    switch("list"),
    switch("local"),
    text("selector").short('l'),
    text("field-selector"),
    switch("all"),
    switch("all-namespaces").short('A'),
    text("resource-version"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("show-managed-fields"),
];

/// What sets labels and annotations apart.
struct Words {
    command: &'static str,
    /// `label`, `annotation`: one of them in messages.
    one: &'static str,
    field: &'static str,
}

const LABEL: Words = Words {
    command: "label",
    one: "label",
    field: "labels",
};
const ANNOTATE: Words = Words {
    command: "annotate",
    one: "annotation",
    field: "annotations",
};

/// What is asked for: values to set and keys to remove, in the order of the arguments.
struct Changes {
    set: Vec<(Str, Str)>,
    remove: Vec<Str>,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    change(ctx, args, &LABEL)
}

pub(crate) fn annotate(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    change(ctx, args, &ANNOTATE)
}

fn change(ctx: &mut Context<'_>, args: &[Str], words: &Words) -> Result<(), Failure> {
    let given = Given::parse(words.command, FLAGS, args)?;
    let (resources, pairs) = targets::split_pairs(&given.args, words.one)?;
    if resources.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    let changes = parse(&pairs, words)?;
    if changes.set.is_empty() && changes.remove.is_empty() && !given.switch("list") {
        return Err(Failure::error(format!(
            "at least one {} update is required",
            words.one
        )));
    }
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    let mut targets = targets::find(ctx, &given, &scope, &resources)?;
    if targets.found.is_empty() && targets.errors.is_empty() {
        return Err(Failure::error("no resources found"));
    }
    if given.switch("list") {
        list(ctx, &targets, words);
        return targets.finish();
    }
    for target in std::mem::take(&mut targets.found) {
        let result = one(ctx, &given, &target, &changes, words, dry_run);
        targets.keep(result)?;
    }
    targets.finish()
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    changes: &Changes,
    words: &Words,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let current = target.object.get("metadata").get(words.field);
    if !given.switch("overwrite") {
        let taken: Vec<String> = changes
            .set
            .iter()
            .filter_map(|(key, value)| {
                let now = current.get(key).as_str()?;
                (now != value.as_str()).then(|| format!("'{key}' already has a value ({now})"))
            })
            .collect();
        if !taken.is_empty() && words.field == "labels" {
            let all: Vec<String> = taken
                .iter()
                .map(|one| format!("{one}, and --overwrite is false"))
                .collect();
            return Err(Failure::error(all.join("\n")));
        }
        if !taken.is_empty() {
            return Err(Failure::error(format!(
                "--overwrite is false but found the following declared annotation(s): {}",
                taken.join("; ")
            )));
        }
    }
    let mut map = current.clone();
    for (key, value) in &changes.set {
        map.set(key.clone(), value.clone());
    }
    for key in &changes.remove {
        if map.remove(key).is_none() && words.field == "labels" {
            ctx.out(format!("label {:?} not found.\n", key.as_str()));
        }
    }
    let is_changed = map != *current && !(map.is_empty() && current.is_empty());
    let mut changed = target.object.clone();
    if map.is_empty() {
        changed.entry("metadata").remove(words.field);
    } else {
        changed.entry("metadata").set(words.field, map);
    }
    if given.has("resource-version") {
        changed.set_path("metadata.resourceVersion", given.text("resource-version"));
    }
    let word = match words.field {
        "annotations" => "annotated",
        _ if !is_changed => "not labeled",
        _ if changes.set.is_empty() => "unlabeled",
        _ => "labeled",
    };
    let made = if is_changed {
        let manager = if words.field == "labels" {
            "kubectl-label"
        } else {
            "kubectl-annotate"
        };
        targets::send(ctx, given, target, &changed, manager, dry_run)?
    } else {
        changed
    };
    targets::report(ctx, given, &target.mapping, &made, word, dry_run)
}

fn parse(pairs: &[Str], words: &Words) -> Result<Changes, Failure> {
    let mut changes = Changes {
        set: Vec::new(),
        remove: Vec::new(),
    };
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, value)) => {
                if words.field == "labels" && !is_label_value(value) {
                    return Err(Failure::error(format!(
                        "invalid label value: {:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
                        pair.as_str()
                    )));
                }
                changes.set.push((Str::new(key), Str::new(value)));
            }
            None => changes.remove.push(Str::new(pair.trim_end_matches('-'))),
        }
    }
    let both: Vec<&str> = changes
        .remove
        .iter()
        .filter(|key| changes.set.iter().any(|(k, _)| k == *key))
        .map(Str::as_str)
        .collect();
    if !both.is_empty() {
        return Err(Failure::error(format!(
            "can not both modify and remove the following {}(s) in the same command: {}",
            words.one,
            both.join(", ")
        )));
    }
    Ok(changes)
}

fn is_label_value(value: &str) -> bool {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    value.is_empty()
        || value.len() <= 63
            && value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && is_end(value.chars().next())
            && is_end(value.chars().last())
}

fn list(ctx: &mut Context<'_>, targets: &Targets, words: &Words) {
    let is_many = targets.found.len() > 1;
    for target in &targets.found {
        let mut indent = "";
        if is_many {
            indent = " ";
            ctx.out(format!(
                "Listing {} for {}:\n",
                words.field,
                kind_and_name(target)
            ));
        }
        let values: &Value = target.object.get("metadata").get(words.field);
        for (key, value) in values.entries().iter() {
            ctx.out(format!(
                "{indent}{key}={}\n",
                value.as_str().unwrap_or_default()
            ));
        }
    }
}

/// `Deployment.apps/web`.
fn kind_and_name(target: &Target) -> String {
    let group = &target.mapping.resource.group;
    let name = Meta::of(&target.object).name();
    if group.is_empty() {
        format!("{}/{name}", target.mapping.kind)
    } else {
        format!("{}.{group}/{name}", target.mapping.kind)
    }
}
