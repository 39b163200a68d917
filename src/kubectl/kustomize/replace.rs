//! Replacements: a field of one object copied into fields of others.
//!
//! Models `api/filters/replacement`.

use api::{Str, Value};

use super::{Item, read};
use crate::{Context, Failure};

pub(super) fn run(
    ctx: &mut Context<'_>,
    dir: &str,
    config: &Value,
    items: &mut [Item],
) -> Result<(), Failure> {
    for entry in config.get("replacements").items() {
        let path = entry.str("path");
        if path.is_empty() {
            one(entry, items)?;
            continue;
        }
        let text = read(ctx, dir, path)?;
        let loaded = api::yaml::load(&text).map_err(|why| Failure::error(why.to_string()))?;
        match loaded.as_list() {
            Some(list) => {
                for entry in list {
                    one(entry, items)?;
                }
            }
            None => one(&loaded, items)?,
        }
    }
    Ok(())
}

fn one(entry: &Value, items: &mut [Item]) -> Result<(), Failure> {
    let source = entry.get("source");
    let (value, is_literal) = match entry.get("sourceValue") {
        Value::Null => (Value::Null, false),
        value => (value.clone(), true),
    };
    let value = if is_literal {
        value
    } else {
        let mut found = items.iter().filter(|item| is_selected(source, item));
        let Some(item) = found.next() else {
            return Err(Failure::error(format!(
                "nothing selected by {}",
                described(source)
            )));
        };
        if found.next().is_some() {
            return Err(Failure::error(format!(
                "multiple matches for selector {}",
                described(source)
            )));
        }
        let path = match source.str("fieldPath") {
            "" => "metadata.name",
            path => path,
        };
        let mut object = item.object.clone();
        let mut value = Value::Null;
        walk(&mut object, &steps(path), false, &mut |found| {
            value = found.clone()
        });
        if value.is_null() {
            return Err(Failure::error(format!(
                "fieldPath `{path}` is missing for replacement source {}",
                item.id()
            )));
        }
        part(&value, source.get("options"))
    };
    for target in entry.get("targets").items() {
        let options = target.get("options");
        let default = [Value::from("metadata.name")];
        let paths = match target.get("fieldPaths").items() {
            [] => &default[..],
            paths => paths,
        };
        for item in items.iter_mut() {
            let is_rejected = target
                .get("reject")
                .items()
                .iter()
                .any(|reject| is_selected(reject, item));
            if is_rejected || !is_selected(target.get("select"), item) {
                continue;
            }
            for path in paths {
                let path = path.as_str().unwrap_or_default();
                let mut has_any = false;
                walk(
                    &mut item.object,
                    &steps(path),
                    options.bool("create"),
                    &mut |field| {
                        has_any = true;
                        *field = placed(field, &value, options);
                    },
                );
                if !has_any {
                    return Err(Failure::error(format!(
                        "unable to find field {path:?} in replacement target"
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Exact names here, unlike the targets of patches.
fn is_selected(select: &Value, item: &Item) -> bool {
    let (group, version) = item.group_version();
    let fits = |field: &str, own: &str| select.str(field).is_empty() || select.str(field) == own;
    let name = select.str("name");
    let namespace = select.str("namespace");
    fits("group", group)
        && fits("version", version)
        && fits("kind", item.kind())
        && (name.is_empty() || item.is_called(name))
        && (namespace.is_empty()
            || item.namespace() == *namespace
            || item.namespaces.iter().any(|old| old == namespace))
        && super::patches::is_meant(
            &api::map! {
                "labelSelector": select.shared_str("labelSelector"),
                "annotationSelector": select.shared_str("annotationSelector"),
            },
            item,
        )
}

fn described(source: &Value) -> String {
    let or = |field: &str, none: &'static str| match source.str(field) {
        "" => none.to_owned(),
        text => text.to_owned(),
    };
    format!(
        "{}.{}.{}/{}.{}:{}",
        or("kind", "[noKind]"),
        or("version", "[noVer]"),
        or("group", "[noGrp]"),
        or("name", "[noName]"),
        or("namespace", "[noNs]"),
        or("fieldPath", "metadata.name")
    )
}

/// `spec.containers.[name=app].image`, `metadata.annotations.[a.b/c]` taken apart; `\.` is a dot.
fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let (mut depth, mut chars) = (0, path.chars());
    while let Some(c) = chars.next() {
        let last = steps.last_mut().expect("there is always one");
        match c {
            '\\' => last.extend(chars.next()),
            '.' if depth == 0 => steps.push(String::new()),
            c => {
                depth += match c {
                    '[' => 1,
                    ']' => -1,
                    _ => 0,
                };
                last.push(c);
            }
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

fn walk(value: &mut Value, steps: &[String], create: bool, change: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return change(value);
    };
    let inner = step.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
    if value.as_list().is_some() {
        let list = value.list_mut();
        if step == "*" {
            for element in list {
                walk(element, rest, create, change);
            }
        } else if step == "-" {
            list.push(Value::Null);
            let last = list.last_mut().expect("just pushed");
            walk(last, rest, create, change);
        } else if let Ok(at) = step.parse::<usize>() {
            if let Some(element) = list.get_mut(at) {
                walk(element, rest, create, change);
            }
        } else if let Some((key, wanted)) = inner.and_then(|inner| inner.split_once('=')) {
            for element in list
                .iter_mut()
                .filter(|element| crate::print::jsonpath::shown(element.get(key)) == wanted)
            {
                walk(element, rest, create, change);
            }
        }
        return;
    }
    let key = inner.unwrap_or(step);
    if value.is_map() && (create || value.has(key)) || create && value.is_null() {
        walk(value.entry(Str::new(key)), rest, create, change);
    }
}

/// The part of a source that its delimiter and index mean.
fn part(value: &Value, options: &Value) -> Value {
    let delimiter = options.str("delimiter");
    if delimiter.is_empty() {
        return value.clone();
    }
    let text = crate::print::jsonpath::shown(value);
    let at = options.int("index").unwrap_or(0);
    let part = usize::try_from(at)
        .ok()
        .and_then(|at| text.split(delimiter).nth(at));
    part.map_or_else(|| value.clone(), |part| Value::from(Str::new(part)))
}

/// What a target field becomes: the value, or itself with one of its parts replaced.
fn placed(field: &Value, value: &Value, options: &Value) -> Value {
    let delimiter = options.str("delimiter");
    if delimiter.is_empty() {
        // A text stays a text.
        return match (field, value) {
            (Value::Str(_), Value::Int(_) | Value::Bool(_)) => {
                Value::from(crate::print::jsonpath::shown(value))
            }
            _ => value.clone(),
        };
    }
    let (text, new) = (
        crate::print::jsonpath::shown(field),
        crate::print::jsonpath::shown(value),
    );
    let mut parts: Vec<String> = text.split(delimiter).map(str::to_owned).collect();
    match options.int("index").unwrap_or(0) {
        at if at < 0 => parts.insert(0, new),
        at => match parts.get_mut(usize::try_from(at).unwrap_or(usize::MAX)) {
            Some(part) => *part = new,
            None => parts.push(new),
        },
    }
    Value::from(parts.join(delimiter))
}
