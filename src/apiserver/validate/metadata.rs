//! `metadata` of every kind (`ValidateObjectMeta`, `ValidateObjectMetaUpdate`).

use api::Value;
use api::status::Problem;

use super::{Problems, immutable, labels, names};
use crate::call::Call;
use crate::kinds::NameRule;
use crate::path::Path;

pub(crate) fn on_create(call: &Call, object: &Value) -> Problems {
    let mut out = Vec::new();
    check(object, call.rules.name, &mut out);
    out
}

fn check(object: &Value, rule: NameRule, out: &mut Problems) {
    let meta = object.get("metadata");
    let path = Path::new("metadata");
    let name = meta.str("name");
    let prefix = meta.str("generateName");
    if !prefix.is_empty() {
        // A generated name ends in letters and digits, so a prefix may end in a dash.
        let probe = mask_trailing_dash(prefix);
        for message in name_messages(rule, &probe) {
            out.push(
                path.child("generateName")
                    .invalid(meta.get("generateName"), &message),
            );
        }
    }
    if name.is_empty() {
        out.push(
            path.child("name")
                .required("name or generateName is required"),
        );
    } else {
        for message in name_messages(rule, name) {
            out.push(path.child("name").invalid(meta.get("name"), &message));
        }
    }
    common(meta, &path, out);
}

fn common(meta: &Value, path: &Path, out: &mut Problems) {
    labels::labels(meta.get("labels").entries(), &path.child("labels"), out);
    labels::annotations(
        meta.get("annotations").entries(),
        &path.child("annotations"),
        out,
    );
    owners(
        meta.get("ownerReferences").items(),
        &path.child("ownerReferences"),
        out,
    );
    let finalizers = path.child("finalizers");
    for finalizer in meta.get("finalizers").items() {
        let text = finalizer.as_str().unwrap_or_default();
        for message in names::qualified(text) {
            out.push(finalizers.invalid(finalizer, &message));
        }
    }
}

fn owners(owners: &[Value], path: &Path, out: &mut Problems) {
    let mut controller: Option<&Value> = None;
    for (at, owner) in owners.iter().enumerate() {
        let path = path.index(at);
        let (_, version) = api::kinds::split_api_version(owner.str("apiVersion"));
        if version.is_empty() {
            out.push(
                path.child("apiVersion")
                    .invalid(owner.get("apiVersion"), "version must not be empty"),
            );
        }
        for field in ["kind", "name", "uid"] {
            if owner.str(field).is_empty() {
                out.push(
                    path.child(field)
                        .invalid(owner.str(field).to_owned(), "must not be empty"),
                );
            }
        }
        if owner.bool("controller") {
            if let Some(first) = controller {
                out.push(Path::new("metadata").child("ownerReferences").invalid(
                    owners.to_vec(),
                    &format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
                        first.str("name"),
                        owner.str("name")
                    ),
                ));
            }
            controller = Some(owner);
        }
    }
}

pub(crate) fn on_update(call: &Call, new: &Value, old: &Value) -> Problems {
    let mut out: Vec<Problem> = Vec::new();
    let (new, old) = (new.get("metadata"), old.get("metadata"));
    if new.is_same(old) {
        return out;
    }
    let path = Path::new("metadata");
    if call.subresource.is_empty() && old.get("deletionTimestamp").as_str().is_some() {
        let added = new
            .get("finalizers")
            .items()
            .iter()
            .filter(|f| !old.get("finalizers").items().contains(f));
        let added: Vec<Value> = added.cloned().collect();
        if !added.is_empty() {
            let listed: Vec<String> = added
                .iter()
                .map(|f| format!("{:?}", f.as_str().unwrap_or_default()))
                .collect();
            out.push(path.child("finalizers").forbidden(&format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                listed.join(", ")
            )));
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp"] {
        immutable(new.get(field), old.get(field), &path.child(field), &mut out);
    }
    common(new, &path, &mut out);
    out
}

pub(crate) fn name_messages(rule: NameRule, name: &str) -> Vec<String> {
    match rule {
        NameRule::Subdomain => names::subdomain(name),
        NameRule::Label => names::label(name),
        NameRule::Label1035 => names::label_1035(name),
        NameRule::PathSegment => names::path_segment(name),
    }
}

/// `maskTrailingDash`.
fn mask_trailing_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(head) if !head.is_empty() => format!("{head}a"),
        _ => prefix.to_owned(),
    }
}
