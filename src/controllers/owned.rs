//! Whose child is it: adopting matching orphans, releasing children that no longer match.
//!
//! A controller owns an object by its `controller` owner reference. An orphan that its selector chooses is adopted, an
//! owned object that it no longer chooses is released; both by a patch that fails if the object is another one by now.
//! Models `pkg/controller/controller_ref_manager.go`.

use std::sync::Arc;

use api::meta::{Meta, controller_reference};
use api::{PatchKind, Request, Resource, Value, list, map};

use crate::selection::selects;
use crate::sync::{Halt, Step, Sync};

/// A kind that owns others, for owner references and events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnerKind {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
}

/// An owner that claims its children.
pub(crate) struct Claim<'a> {
    pub(crate) owner: &'a Value,
    pub(crate) kind: OwnerKind,
    /// The collection of the owner: adoption asks for it once more, uncached.
    pub(crate) owners: &'a Resource,
    /// The collection of the children.
    pub(crate) children: &'a Resource,
    pub(crate) selector: &'a Value,
    /// Finalizers that adopted children get (Jobs).
    pub(crate) finalizer: Option<&'static str>,
}

impl OwnerKind {
    pub(crate) fn reference(self, owner: &Value) -> Value {
        controller_reference(owner, self.api_version, self.kind)
    }
}

impl Claim<'_> {
    /// Those of `candidates` (children and orphans) that belong to the owner, after adoption and release.
    pub(crate) fn claim(&self, candidates: &[Value], s: &mut Sync<'_, '_>) -> Step<Vec<Value>> {
        let owner = Meta::of(self.owner);
        let (mut adopt, mut release) = (Vec::new(), Vec::new());
        let is_ours = |object: &Value| {
            let meta = Meta::of(object);
            let controller = meta.controller();
            controller.is_some_and(|reference| reference.uid() == owner.uid())
                && selects(self.selector, meta.labels())
        };
        // Nearly always all are ours: this is then the only look at each, however often the sync is gone through.
        let all_ours = s.work_out(|| vec![Value::Bool(candidates.iter().all(is_ours))]);
        if all_ours[0] == Value::Bool(true) {
            return Ok(candidates.to_vec());
        }
        let mut claimed = Vec::new();
        for object in candidates {
            let meta = Meta::of(object);
            let matches = selects(self.selector, meta.labels());
            match meta.controller() {
                Some(reference) if reference.uid() != owner.uid() => {}
                Some(_) if matches => claimed.push(object.clone()),
                Some(_) if owner.is_deleting() => {}
                Some(_) => release.push(object),
                None if owner.is_deleting() || !matches || meta.is_deleting() => {}
                None => adopt.push(object),
            }
        }
        let patches = release.iter().map(|object| self.release(object));
        for answer in s.call_all(patches.collect())?.iter() {
            // Gone, or changed so that it is no longer ours: nothing to release.
            if !answer.is_success() && !matches!(answer.code, 404 | 422) {
                return Err(Halt::Retry(answer.message().to_owned()));
            }
        }
        if adopt.is_empty() {
            return Ok(claimed);
        }
        self.check_owner(s)?;
        let patches = adopt.iter().map(|object| self.adopt(object));
        let answers = s.call_all(patches.collect())?;
        for (object, answer) in adopt.into_iter().zip(answers.iter()) {
            if answer.is_success() {
                let mut adopted = object.clone();
                let reference = self.kind.reference(self.owner);
                adopted
                    .at_mut(&["metadata", "ownerReferences"])
                    .list_mut()
                    .push(reference);
                claimed.push(adopted);
            } else if answer.code != 404 {
                return Err(Halt::Retry(answer.message().to_owned()));
            }
        }
        Ok(claimed)
    }

    /// The cache may be stale: an owner that is gone or being deleted must not adopt.
    fn check_owner(&self, s: &mut Sync<'_, '_>) -> Step {
        let meta = Meta::of(self.owner);
        let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
        let fresh = s.must(Request::get(self.owners, namespace, name))?;
        let fresh = Meta::of(&fresh);
        if fresh.uid() != meta.uid() || fresh.is_deleting() {
            return Err(Halt::Retry(format!(
                "original {} {} is gone",
                self.kind.kind,
                meta.key()
            )));
        }
        Ok(())
    }

    fn adopt(&self, object: &Value) -> Request {
        let mut metadata = map! {
            "ownerReferences": list![self.kind.reference(self.owner)],
            "uid": Meta::of(object).shared_uid(),
        };
        if let Some(finalizer) = self.finalizer {
            metadata.set("finalizers", list![finalizer]);
        }
        self.patch(object, metadata)
    }

    fn release(&self, object: &Value) -> Request {
        let gone = map! { "$patch": "delete", "uid": Meta::of(self.owner).shared_uid() };
        let mut metadata =
            map! { "ownerReferences": list![gone], "uid": Meta::of(object).shared_uid() };
        if let Some(finalizer) = self.finalizer {
            metadata.set("$deleteFromPrimitiveList/finalizers", list![finalizer]);
        }
        self.patch(object, metadata)
    }

    fn patch(&self, object: &Value, metadata: Value) -> Request {
        let meta = Meta::of(object);
        Request::patch(
            self.children,
            meta.shared_namespace(),
            meta.shared_name(),
            PatchKind::Strategic,
            map! { "metadata": metadata },
        )
    }
}

/// The children of `owner` and the orphans of its namespace, from an indexed cache.
pub(crate) fn candidates(children: &Resource, owner: &Value, s: &mut Sync<'_, '_>) -> Arc<[Value]> {
    let meta = Meta::of(owner);
    let (uid, namespace) = (meta.uid(), meta.namespace());
    s.read(|caches| {
        let cache = caches.cache(children);
        let own = cache.controlled_by(uid);
        own.chain(cache.orphans(namespace)).cloned().collect()
    })
}
