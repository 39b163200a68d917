//! ConfigMaps and Secrets made of files, literals and env files.

use api::{Str, Value, base64, map};

use super::{Item, read};
use crate::{Context, Failure};

pub(super) fn run(
    ctx: &mut Context<'_>,
    dir: &str,
    config: &Value,
    items: &mut Vec<Item>,
) -> Result<(), Failure> {
    for (field, kind) in [
        ("configMapGenerator", "ConfigMap"),
        ("secretGenerator", "Secret"),
    ] {
        for entry in config.get(field).items() {
            let made = generated(ctx, dir, kind, entry, config.get("generatorOptions"))?;
            absorb(items, made, entry.str("behavior"))?;
        }
    }
    Ok(())
}

fn generated(
    ctx: &mut Context<'_>,
    dir: &str,
    kind: &'static str,
    entry: &Value,
    options: &Value,
) -> Result<Item, Failure> {
    let name = entry.shared_str("name");
    if name.is_empty() {
        return Err(Failure::error(format!(
            "{}Generator has no name",
            if kind == "Secret" {
                "secret"
            } else {
                "configMap"
            }
        )));
    }
    let mut data = map! {};
    let mut add = |key: &str, value: &str| {
        if data.has(key) {
            return Err(Failure::error(format!(
                "cannot add key '{key}', another key by that name already exists"
            )));
        }
        let value = if kind == "Secret" {
            Str::from(base64::encode(value.as_bytes()))
        } else {
            Str::new(value)
        };
        data.set(Str::new(key), value);
        Ok(())
    };
    let envs = entry
        .get("envs")
        .items()
        .iter()
        .chain(entry.get("env").as_str().map(|_| entry.get("env")));
    for path in envs {
        let text = read(ctx, dir, path.as_str().unwrap_or_default())?;
        for line in text.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((key, value)) => add(key, value)?,
                // A name alone takes what the environment has.
                None => {
                    if let Some(value) = ctx.env(line)? {
                        add(line, &value)?;
                    }
                }
            }
        }
    }
    for source in entry.get("files").items() {
        let source = source.as_str().unwrap_or_default();
        let (key, path) = source
            .split_once('=')
            .unwrap_or((source.rsplit('/').next().unwrap_or(source), source));
        let text = read(ctx, dir, path)?;
        add(key, &text)?;
    }
    for literal in entry.get("literals").items() {
        let literal = match literal.as_str() {
            Some(text) => text.to_owned(),
            None => crate::print::jsonpath::shown(literal),
        };
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::error(format!(
                "invalid literal source {literal}, expected key=value"
            )));
        };
        add(key, unquoted(value))?;
    }
    let mut metadata = map! { "name": name };
    if !entry.str("namespace").is_empty() {
        metadata.set("namespace", entry.shared_str("namespace"));
    }
    let own = entry.get("options");
    for field in ["labels", "annotations"] {
        let mut all = options.get(field).clone();
        for (key, value) in own.get(field).entries().iter() {
            all.set(key.clone(), value.clone());
        }
        if !all.is_empty() {
            metadata.set(field, all);
        }
    }
    let mut object = map! { "apiVersion": "v1", "kind": kind, "metadata": metadata };
    if !data.is_empty() {
        object.set("data", data);
    }
    if kind == "Secret" {
        let given = entry.shared_str("type");
        object.set(
            "type",
            if given.is_empty() {
                "Opaque".into()
            } else {
                given
            },
        );
    }
    if own.bool("immutable") || options.bool("immutable") {
        object.set("immutable", true);
    }
    let mut item = Item::new(object);
    item.needs_hash = !(own.bool("disableNameSuffixHash") || options.bool("disableNameSuffixHash"));
    Ok(item)
}

/// A new object, or one that adds to or takes the place of what a base has generated.
fn absorb(items: &mut Vec<Item>, made: Item, behavior: &str) -> Result<(), Failure> {
    let is_same = |item: &&mut Item| {
        item.kind() == made.kind()
            && item.is_called(&made.name())
            && (made.namespace().is_empty() || item.namespace() == made.namespace())
    };
    let known = items.iter_mut().find(is_same);
    match (behavior, known) {
        ("" | "create" | "unspecified", None) => items.push(made),
        ("" | "create" | "unspecified", Some(_)) => {
            return Err(Failure::error(format!(
                "merging from generator {{{0}}}: id resid.ResId{{{0}}} exists; behavior must be merge or replace",
                made.id()
            )));
        }
        ("merge" | "replace", None) => {
            return Err(Failure::error(format!(
                "merging from generator: id {0} does not exist; cannot merge or replace",
                made.id()
            )));
        }
        ("replace", Some(known)) => {
            let metadata = known.object.get("metadata").clone();
            known.object = made.object;
            known.object.set("metadata", metadata);
            known.needs_hash |= made.needs_hash;
        }
        ("merge", Some(known)) => {
            let mut added = made.object;
            if let Some(metadata) = Some(added.entry("metadata")).filter(|m| m.is_map()) {
                metadata.remove("name");
                metadata.remove("namespace");
            }
            added.remove("type");
            known.object = api::patch::merge::apply(&known.object, &added);
            known.needs_hash |= made.needs_hash;
        }
        (other, _) => {
            return Err(Failure::error(format!(
                "unknown behavior {other:?} of a generator"
            )));
        }
    }
    Ok(())
}

/// A literal in quotes stands for what is between them.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote) {
            return &value[1..value.len() - 1];
        }
    }
    value
}
