//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, as patches.
//!
//! Models `pkg/controller/history` at v1.36.

use api::apps::CONTROLLER_REVISIONS;
use api::meta::Meta;
use api::{Request, Str, Value, map};

use crate::hash::{fnv1_32, safe_encode};
use crate::owned::{Claim, OwnerKind, candidates};
use crate::sync::{Halt, Step, Sync};

/// The patch that makes the owner's template this one.
pub(crate) fn patch(owner: &Value) -> Value {
    let mut template = owner.path("spec.template").clone();
    template.set("$patch", "replace");
    map! { "spec": map! { "template": template } }
}

/// `spec.template` as a revision has it.
pub(crate) fn template(revision: &Value) -> Value {
    let mut template = revision.path("data.spec.template").clone();
    template.remove("$patch");
    template
}

pub(crate) fn number(revision: &Value) -> i64 {
    revision.int("revision").unwrap_or_default()
}

/// The hash of a revision's patch, with the salt of earlier collisions.
pub(crate) fn hash(patch: &Value, collision_count: i64) -> String {
    let mut bytes = go_json(patch).into_bytes();
    bytes.extend(collision_count.to_string().into_bytes());
    safe_encode(&fnv1_32(&bytes).to_string())
}

/// JSON as Go's `encoding/json` writes it: with `<`, `>` and `&` escaped.
fn go_json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_json().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text += &format!("\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text
}

/// The revisions of an owner, oldest first, orphans adopted.
pub(crate) fn list(
    owner: &Value,
    kind: OwnerKind,
    owners: &api::Resource,
    s: &mut Sync<'_, '_>,
) -> Step<Vec<Value>> {
    let all = candidates(&CONTROLLER_REVISIONS, owner, s);
    let selector = owner.path("spec.selector").clone();
    let claim = Claim {
        owner,
        kind,
        owners,
        children: &CONTROLLER_REVISIONS,
        selector: &selector,
        finalizer: None,
    };
    let mut revisions = claim.claim(&all, s)?;
    revisions.sort_by_cached_key(|revision| {
        let meta = Meta::of(revision);
        (
            number(revision),
            meta.creation_time(),
            meta.name().to_owned(),
        )
    });
    Ok(revisions)
}

/// A new revision object; `extra` is the label that carries the hash.
pub(crate) fn draft(
    owner: &Value,
    kind: OwnerKind,
    hash: &str,
    label: &'static str,
    revision: i64,
) -> Value {
    let meta = Meta::of(owner);
    let mut labels = owner.path("spec.template.metadata.labels").clone();
    labels.set(label, Str::new(hash));
    let mut metadata = map! {
        "name": format!("{}-{hash}", meta.name()),
        "namespace": meta.shared_namespace(),
        "labels": labels,
        "ownerReferences": vec![kind.reference(owner)],
    };
    let annotations = meta.0.get("annotations");
    if !annotations.is_empty() {
        metadata.set("annotations", annotations);
    }
    map! {
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": metadata, "data": patch(owner), "revision": revision,
    }
}

/// Creates a revision; if its name is taken by one with the same content, that one. `None`: taken by another.
pub(crate) fn create(draft: Value, s: &mut Sync<'_, '_>) -> Step<Option<Value>> {
    let meta = Meta::of(&draft);
    let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
    let answer = s.call(Request::create(
        &CONTROLLER_REVISIONS,
        namespace.clone(),
        draft.clone(),
    ))?;
    if answer.is_success() {
        return Ok(Some(answer.body));
    }
    if answer.reason() != "AlreadyExists" {
        return Err(Halt::Retry(answer.message().to_owned()));
    }
    let existing = s.must(Request::get(&CONTROLLER_REVISIONS, namespace, name))?;
    Ok((existing.get("data") == draft.get("data")).then_some(existing))
}

/// The same revision with a new number: it became the newest again.
pub(crate) fn renumber(revision: &Value, to: i64, s: &mut Sync<'_, '_>) -> Step<Value> {
    if number(revision) == to {
        return Ok(revision.clone());
    }
    let mut newest = revision.clone();
    newest.set("revision", to);
    s.must(Request::update(&CONTROLLER_REVISIONS, newest))
}

/// Deletes the oldest of `unused` (oldest first) until at most `limit` are left.
pub(crate) fn truncate(unused: &[&Value], limit: i64, s: &mut Sync<'_, '_>) -> Step {
    let surplus = unused.len().saturating_sub(limit.max(0) as usize);
    for revision in &unused[..surplus] {
        let meta = Meta::of(revision);
        let request = Request::delete(
            &CONTROLLER_REVISIONS,
            meta.shared_namespace(),
            meta.shared_name(),
        );
        let answer = s.call(request)?;
        if !answer.is_success() && answer.code != 404 {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
    }
    Ok(())
}
