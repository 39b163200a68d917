//! Strategic merge patches and JSON patches, from files or inline, for one object or for all that a target selects.

use api::{Str, Value};

use super::{Item, read};
use crate::{Context, Failure};

pub(super) fn run(
    ctx: &mut Context<'_>,
    dir: &str,
    config: &Value,
    items: &mut Vec<Item>,
) -> Result<(), Failure> {
    for entry in config.get("patchesStrategicMerge").items() {
        let entry = entry.as_str().unwrap_or_default();
        // A patch may stand there itself.
        let text = if entry.contains('\n') {
            Str::new(entry)
        } else {
            read(ctx, dir, entry)?
        };
        one(&text, &Value::Null, &Value::Null, items)?;
    }
    for field in ["patches", "patchesJson6902"] {
        for entry in config.get(field).items() {
            let text = match entry.str("path") {
                "" => entry.shared_str("patch"),
                path => read(ctx, dir, path)?,
            };
            if text.is_empty() {
                return Err(Failure::error(
                    "must specify one of patch and path in PatchTransformer",
                ));
            }
            one(&text, entry.get("target"), entry.get("options"), items)?;
        }
    }
    Ok(())
}

/// Applies the patches of one text.
fn one(text: &str, target: &Value, options: &Value, items: &mut Vec<Item>) -> Result<(), Failure> {
    let documents = api::yaml::load_documents(text).map_err(|why| {
        Failure::error(format!(
            "unable to parse SM or JSON patch from [{text}]: {why}"
        ))
    })?;
    let is_operations = documents
        .iter()
        .any(|document| document.as_list().is_some());
    if is_operations {
        if target.is_null() {
            return Err(Failure::error("must specify a target for JSON patch"));
        }
        for item in items.iter_mut().filter(|item| is_meant(target, item)) {
            for operations in &documents {
                item.object =
                    api::patch::json::apply(&item.object, operations).map_err(Failure::error)?;
            }
        }
        return Ok(());
    }
    for patch in documents.iter().filter(|patch| patch.is_map()) {
        if target.is_null() {
            let wanted = Item::new(patch.clone());
            let at = items.iter().position(|item| is_same(item, &wanted));
            let Some(at) = at else {
                return Err(Failure::error(format!(
                    "no resource matches strategic merge patch {0:?}: no matches for Id {0}; failed to find unique target for patch {0}",
                    wanted.id()
                )));
            };
            merge(items, at, patch, &Value::Null)?;
        } else {
            let meant: Vec<usize> = (0..items.len())
                .rev()
                .filter(|at| is_meant(target, &items[*at]))
                .collect();
            for at in meant {
                merge(items, at, patch, options)?;
            }
        }
    }
    Ok(())
}

/// Merges a patch into an object; one that says so deletes it.
fn merge(items: &mut Vec<Item>, at: usize, patch: &Value, options: &Value) -> Result<(), Failure> {
    if patch.str("$patch") == "delete" {
        items.remove(at);
        return Ok(());
    }
    let item = &mut items[at];
    let (name, namespace) = (item.name(), item.namespace());
    let kind = item.object.shared_str("kind");
    let (group, version) = item.group_version();
    let of = api::patch::strategic::type_of(group, version, item.kind());
    item.object = match of {
        Some(of) => {
            api::patch::strategic::apply(of, &item.object, patch).map_err(Failure::error)?
        }
        None => api::patch::merge::apply(&item.object, patch),
    };
    // What an object is called is no matter of patches, unless they are told so.
    let patched = item.name();
    item.object.set_path("metadata.name", name);
    if options.bool("allowNameChange") {
        item.rename(patched);
    }
    if !options.bool("allowKindChange") {
        item.object.set("kind", kind);
    }
    if !namespace.is_empty() {
        item.object.set_path("metadata.namespace", namespace);
    }
    Ok(())
}

fn is_same(item: &Item, wanted: &Item) -> bool {
    item.kind() == wanted.kind()
        && item.group_version().0 == wanted.group_version().0
        && item.is_called(&wanted.name())
        && (item.namespace() == wanted.namespace()
            || item.namespaces.contains(&wanted.namespace())
            || is_default(&item.namespace()) && is_default(&wanted.namespace()))
}

fn is_default(namespace: &str) -> bool {
    matches!(namespace, "" | "default")
}

/// Whether a target's patterns and selectors fit.
pub(super) fn is_meant(target: &Value, item: &Item) -> bool {
    let (group, version) = item.group_version();
    let fits = |field: &str, own: &[Str]| {
        let pattern = target.str(field);
        pattern.is_empty()
            || regex_lite::Regex::new(&format!("^(?:{pattern})$"))
                .is_ok_and(|pattern| own.iter().any(|own| pattern.is_match(own)))
    };
    let labels = |field: &str, of: &str| {
        let text = target.str(field);
        text.is_empty()
            || api::selector::LabelSelector::parse(text).is_ok_and(|selector| {
                selector.matches(item.object.get("metadata").get(of).entries())
            })
    };
    let mut names = item.names.clone();
    names.push(item.name());
    let mut namespaces = item.namespaces.clone();
    namespaces.push(item.namespace());
    fits("group", &[Str::new(group)])
        && fits("version", &[Str::new(version)])
        && fits("kind", &[Str::new(item.kind())])
        && fits("name", &names)
        && fits("namespace", &namespaces)
        && labels("labelSelector", "labels")
        && labels("annotationSelector", "annotations")
}
