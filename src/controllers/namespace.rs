//! Empties a namespace that is being deleted, then lets it go; tells in conditions what still holds it.
//!
//! Pods go first, everything else after them. Models `pkg/controller/namespace` at v1.36; starts at [`Namespaces::sync`].

use std::collections::BTreeMap;

use api::core::{NAMESPACES, PODS, Pod};
use api::meta::Meta;
use api::{Request, Resource, Value, Verb, map};
use client::{Change, Informers, ObjectKey};
use sim::{Micros, SECOND};

use crate::runner::{Controller, Keys, update_status};
use crate::served;
use crate::sync::{Halt, Step, Sync};

/// Other API servers must have seen the deletion, and refuse new content, before the old is deleted
/// (`namespaceDeletionGracePeriod`).
const GRACE: Micros = 5 * SECOND;

/// How long finalizers are given before looking again (`finalizerEstimateSeconds`).
const FINALIZER_ESTIMATE_SECS: i64 = 15;

/// The namespace controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespaces;

/// What is left of a namespace's content.
#[derive(Clone, Debug, Default)]
struct Remains {
    /// Objects by `plural.group`.
    objects: BTreeMap<String, usize>,
    finalizers: BTreeMap<String, usize>,
    /// What could not be deleted.
    errors: Vec<String>,
    estimate_secs: i64,
}

impl Controller for Namespaces {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn kind(&self) -> &'static str {
        "namespaces"
    }

    fn workers(&self) -> usize {
        10
    }

    fn watches(&self) -> Vec<Resource> {
        vec![NAMESPACES]
    }

    fn observe(&mut self, _: &Resource, change: &Change, _: &Informers, keys: &mut Keys<'_>) {
        if let Some(namespace) = &change.new
            && Meta::of(namespace).is_deleting()
        {
            keys.add_after(GRACE, ObjectKey::of(namespace));
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(cached) = s.get_key(&NAMESPACES, key) else {
            return Ok(());
        };
        if !Meta::of(&cached).is_deleting() {
            return Ok(());
        }
        let answer = s.call(Request::get(&NAMESPACES, "", key.name.clone()))?;
        if answer.code == 404 {
            return Ok(());
        }
        if !answer.is_success() {
            return Err(Halt::Retry(answer.message().to_owned()));
        }
        let mut namespace = answer.body;
        let uid = Meta::of(&cached).uid();
        if Meta::of(&namespace).uid() != uid || !Meta::of(&namespace).is_deleting() {
            return Ok(());
        }
        if namespace.path("status.phase").as_str() != Some("Terminating") {
            namespace.set_path("status.phase", "Terminating");
            namespace = s.must(update_status(&NAMESPACES, namespace))?;
        }
        if namespace.path("spec.finalizers").is_empty() {
            return Ok(());
        }
        let remains = empty(key, s)?;
        let conditions = conditions(&namespace, &remains, s);
        if *namespace.path("status.conditions") != conditions {
            namespace.set_path("status.conditions", conditions);
            namespace = s.must(update_status(&NAMESPACES, namespace))?;
        }
        if let Some(error) = remains.errors.first() {
            return Err(Halt::Retry(error.clone()));
        }
        if !remains.objects.is_empty() {
            // Half of what it may take, so that the end is not missed by much.
            s.again_after((remains.estimate_secs / 2 + 1) as Micros * SECOND);
            return Ok(());
        }
        let kept = namespace.path("spec.finalizers").items().iter();
        let kept: Vec<Value> = kept
            .filter(|f| f.as_str() != Some("kubernetes"))
            .cloned()
            .collect();
        namespace.set_path("spec.finalizers", kept);
        let answer = s.call(Request::update(&NAMESPACES, namespace).subresource("finalize"))?;
        match answer.code {
            404 => Ok(()),
            _ if answer.is_success() => Ok(()),
            _ => Err(Halt::Retry(answer.message().to_owned())),
        }
    }
}

/// Deletes the content; pods first, the rest once they are gone.
fn empty(key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step<Remains> {
    let mut remains = Remains::default();
    empty_collection(key, &PODS, &mut remains, s)?;
    if !remains.objects.is_empty() || !remains.errors.is_empty() {
        return Ok(remains);
    }
    // Discovery lists every collection; the caches tell which of them hold anything.
    let collections = s.read(|caches| {
        let ids = 0..caches.len();
        let holds = ids.filter(|id| {
            let reflector = caches.get(*id);
            let cache = &reflector.cache;
            cache.in_namespace(&key.name).next().is_some()
                && served::is_namespaced(caches, &reflector.resource)
        });
        holds.map(Value::from).collect()
    });
    for id in collections.iter() {
        let at = id.as_int().unwrap_or_default() as usize;
        let resource = s.caches.get(at).resource.clone();
        if resource != PODS {
            empty_collection(key, &resource, &mut remains, s)?;
        }
    }
    // Events are nobody's cache; they hold nothing back.
    let events = delete_collection(&api::core::EVENTS, key);
    s.call(events)?;
    Ok(remains)
}

fn delete_collection(resource: &Resource, key: &ObjectKey) -> Request {
    let mut request = Request::new(Verb::DeleteCollection, resource, key.name.clone(), "");
    request.options.propagation_policy = "Background".into();
    request
}

fn empty_collection(
    key: &ObjectKey,
    resource: &Resource,
    remains: &mut Remains,
    s: &mut Sync<'_, '_>,
) -> Step {
    if *resource == PODS {
        let pods = s.list(resource, |cache| cache.in_namespace(&key.name));
        let graces = pods.iter().filter_map(|pod| {
            let is_done = crate::pods::is_finished(pod) || Meta::of(pod).is_deleting();
            Pod(pod).termination_grace_secs().filter(|_| !is_done)
        });
        remains.estimate_secs = graces.max().unwrap_or_default();
    }
    let answer = s.call(delete_collection(resource, key))?;
    if !answer.is_success() && !matches!(answer.code, 404 | 405) {
        remains.errors.push(answer.message().to_owned());
        return Ok(());
    }
    let answer = s.call(Request::list(resource, key.name.clone()))?;
    if !answer.is_success() {
        if !matches!(answer.code, 404 | 405) {
            remains.errors.push(answer.message().to_owned());
        }
        return Ok(());
    }
    let items = answer.body.get("items").items();
    if items.is_empty() {
        return Ok(());
    }
    remains.objects.insert(qualified(resource), items.len());
    let mut has_finalizers = false;
    for finalizer in items
        .iter()
        .flat_map(|object| Meta::of(object).finalizers())
    {
        has_finalizers = true;
        let name = finalizer.as_str().unwrap_or_default().to_owned();
        *remains.finalizers.entry(name).or_default() += 1;
    }
    if has_finalizers {
        remains.estimate_secs = remains.estimate_secs.max(FINALIZER_ESTIMATE_SECS);
    }
    Ok(())
}

/// `pods.` for core, as the condition's message has it.
fn qualified(resource: &Resource) -> String {
    format!("{}.{}", resource.plural, resource.group)
}

fn conditions(namespace: &Value, remains: &Remains, s: &Sync<'_, '_>) -> Value {
    let list = |counts: &BTreeMap<String, usize>, joint: &str| -> String {
        let parts = counts
            .iter()
            .map(|(name, count)| format!("{name}{joint}{count} resource instances"));
        parts.collect::<Vec<_>>().join(", ")
    };
    let wanted = [
        (
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".to_owned(),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned(),
        ),
        if remains.errors.is_empty() {
            (
                "NamespaceDeletionContentFailure",
                false,
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization".to_owned(),
            )
        } else {
            (
                "NamespaceDeletionContentFailure",
                true,
                "ContentDeletionFailed",
                format!(
                    "Failed to delete all resource types, {} remaining: {}",
                    remains.errors.len(),
                    remains.errors.join(", ")
                ),
            )
        },
        if remains.objects.is_empty() {
            (
                "NamespaceContentRemaining",
                false,
                "ContentRemoved",
                "All content successfully removed".to_owned(),
            )
        } else {
            (
                "NamespaceContentRemaining",
                true,
                "SomeResourcesRemain",
                format!(
                    "Some resources are remaining: {}",
                    list(&remains.objects, " has ")
                ),
            )
        },
        if remains.finalizers.is_empty() {
            (
                "NamespaceFinalizersRemaining",
                false,
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished".to_owned(),
            )
        } else {
            (
                "NamespaceFinalizersRemaining",
                true,
                "SomeFinalizersRemain",
                format!(
                    "Some content in the namespace has finalizers remaining: {}",
                    list(&remains.finalizers, " in ")
                ),
            )
        },
    ];
    let old = namespace.path("status.conditions").items();
    let made = wanted.into_iter().map(|(kind, holds, reason, message)| {
        let status = if holds { "True" } else { "False" };
        let known = old.iter().find(|c| c.str("type") == kind);
        let same = known.filter(|c| c.str("status") == status);
        let since = same.map(|c| c.get("lastTransitionTime").clone());
        map! {
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since.unwrap_or_else(|| s.now().rfc3339().into()),
        }
    });
    Value::from(made.collect::<Vec<Value>>())
}
