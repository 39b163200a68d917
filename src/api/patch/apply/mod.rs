//! Server-side apply, and the record of who set which field (`metadata.managedFields`).
//!
//! [`apply()`] merges a configuration into an object and finds conflicts; [`track`] keeps the record for every other
//! write. Whoever calls them decodes the result, runs defaults and admission, and stores it.
//! Models `apimachinery/pkg/util/managedfields` over `structured-merge-diff` at v1.36.
//!
//! ```
//! use api::patch::apply::{self, Manager};
//! use api::{map, schema};
//! let of = schema::of_kind("", "v1", "ConfigMap");
//! let mut new = map! { "metadata": map! { "name": "a" }, "data": map! { "k": "v" } };
//! apply::track(of, &api::Value::Null, &mut new, &Manager { name: "me", api_version: "v1", ..Manager::default() });
//! let config = map! { "metadata": map! { "name": "a" }, "data": map! { "k": "w" } };
//! let other = Manager { name: "you", api_version: "v1", ..Manager::default() };
//! let refused = apply::apply(of, &new, &config, &other, false).expect_err("a conflict");
//! assert_eq!(refused.0.message, "Apply failed with 1 conflict: conflict with \"me\" using v1: .data.k");
//! ```

mod fields;
mod walk;

use std::sync::LazyLock;

use fields::Set;
use sim::Time;
use walk::Kind;

use crate::schema::Type;
use crate::{Status, Str, Value, map};

/// Who writes, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manager<'a> {
    /// `fieldManager`, or the first part of the User-Agent.
    pub name: &'a str,
    pub api_version: &'a str,
    /// Empty for the object itself.
    pub subresource: &'a str,
    pub time: Option<Time>,
    /// Top-level fields that this way of writing does not touch (`status` for the object itself).
    pub ignores: &'a [&'a str],
}

/// Fields that nobody owns.
const UNOWNED: [&[&str]; 12] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Managers that only updated; more of them are counted together (`fieldmanager.go`).
const UPDATERS_MAX: usize = 10;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// One entry of `managedFields`.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    manager: Str,
    is_apply: bool,
    api_version: Str,
    subresource: Str,
    time: Value,
    set: Set,
}

/// Writes `metadata.managedFields` of `new` for a create, update or patch. `live` is what was stored before, `Null`
/// for a create. `of` is `None` for custom resources.
pub fn track(of: Option<Type>, live: &Value, new: &mut Value, manager: &Manager) {
    let given = new.path("metadata.managedFields");
    let stored = live.path("metadata.managedFields");
    let is_reset = matches!(given.items(), [only] if only.entries().is_empty());
    let is_given = !given.items().is_empty() && manager.subresource.is_empty() && given != stored;
    let entries = if is_reset {
        Vec::new()
    } else if is_given {
        read(given)
    } else {
        read(stored)
    };
    let mut stripped = new.clone();
    stripped.remove_path("metadata.managedFields");
    let mut before = live.clone();
    before.remove_path("metadata.managedFields");
    if before.is_null() {
        before = Value::empty_map();
    }
    let comparison = walk::compare(Kind::root(of), &before, &stripped);
    let is_quiet = comparison.is_empty() && !is_given && !is_reset;
    if is_quiet || is_quiet_but_for_unowned(&comparison) && !is_given && !is_reset {
        keep(new, stored);
        return;
    }
    let touched = fields::union(&comparison.added, &comparison.modified);
    let entries = entries.into_iter().filter_map(|mut entry| {
        if entry.is(manager, false) {
            entry.set = fields::difference(&entry.set, &comparison.removed);
        } else {
            let gone = fields::union(&touched, &comparison.removed);
            entry.set = fields::difference(&entry.set, &gone);
        }
        (!entry.set.is_empty() || entry.is(manager, false)).then_some(entry)
    });
    let mut entries: Vec<Entry> = entries.collect();
    let taken = fields::difference(&touched, unowned());
    match entries.iter_mut().find(|entry| entry.is(manager, false)) {
        Some(own) if !taken.is_empty() => {
            own.set = fields::union(&own.set, &taken);
            own.time = time_of(manager);
        }
        Some(_) => {}
        None => entries.push(Entry::new(manager, false, taken)),
    }
    entries.retain(|entry| !entry.set.is_empty());
    cap(&mut entries);
    keep(new, &write(entries));
}

/// `live` with `config` applied in the name of `manager`; `Null` for `live` makes a new object. Without `force`,
/// fields that others set differently are a conflict. The result has its `managedFields`; if nothing changes it
/// equals `live`.
pub fn apply(
    of: Option<Type>,
    live: &Value,
    config: &Value,
    manager: &Manager,
    force: bool,
) -> Result<Value, Status> {
    let root = Kind::root(of);
    check(root, config)?;
    let stored = live.path("metadata.managedFields");
    let mut entries = read(stored);
    let mut before = live.clone();
    before.remove_path("metadata.managedFields");
    if before.is_null() {
        before = Value::empty_map();
    } else if entries.is_empty() {
        entries.push(first_entry(root, &before, manager));
    }
    let mut config = config.clone();
    config.remove_path("metadata.managedFields");
    for name in manager.ignores {
        config.remove(name);
    }

    let own = entries.iter().position(|entry| entry.is(manager, true));
    let last = own.map(|at| entries.remove(at));
    let set = fields::difference(&walk::set_of(root, &config), unowned());
    let entry = Entry::new(manager, true, set);
    let merged = walk::merge(root, &before, &config);
    let merged = match &last {
        Some(last) => prune(root, &merged, &last.set, &entries, &entry.set),
        None => merged,
    };

    let comparison = walk::compare(root, &before, &merged);
    let touched = fields::union(&comparison.added, &comparison.modified);
    let mut conflicts = conflicts(&entries, &touched);
    if !force && !conflicts.is_empty() && manager.name == "kubectl" {
        let allowed = from_last_applied(root, &before);
        for (_, set) in &mut conflicts {
            *set = fields::difference(set, &allowed);
        }
        conflicts.retain(|(_, set)| !set.is_empty());
    }
    if !force && !conflicts.is_empty() {
        return Err(conflict_status(&conflicts));
    }
    let gone = fields::union(&touched, &comparison.removed);
    for other in &mut entries {
        other.set = fields::difference(&other.set, &gone);
    }
    if let Some(last) = &last
        && comparison.is_empty()
        && last.set == entry.set
    {
        return Ok(live.clone());
    }
    entries.push(entry);
    entries.retain(|entry| !entry.set.is_empty());
    let mut result = merged;
    keep(&mut result, &write(entries));
    let annotation = result.at(&["metadata", "annotations", LAST_APPLIED]);
    if manager.name == "kubectl" && !annotation.is_null() {
        // Client-side apply would otherwise compare with what is no longer so (`lastappliedupdater.go`).
        let mut applied = config;
        if applied.path("metadata.annotations").is_map() {
            applied
                .entry("metadata")
                .entry("annotations")
                .remove(LAST_APPLIED);
        }
        let text = applied.to_json() + "\n";
        result
            .entry("metadata")
            .entry("annotations")
            .set(LAST_APPLIED, text);
    }
    Ok(result)
}

/// Removes what the manager applied last time, does not apply now, and nobody else owns.
fn prune(root: Kind, merged: &Value, last: &Set, others: &[Entry], own: &Set) -> Value {
    let named = |set: &Set| walk::with_named_fields(root, set);
    let last = named(last);
    let pruned = walk::remove(root, merged, &last);
    let owned = others
        .iter()
        .fold(own.clone(), |all, entry| fields::union(&all, &entry.set));
    let merged_set = named(&walk::set_of(root, merged));
    let kept = fields::union(&named(&walk::set_of(root, &pruned)), &named(&owned));
    let pruned = walk::remove(root, merged, &fields::difference(&merged_set, &kept));
    let gone = fields::difference(&merged_set, &named(&walk::set_of(root, &pruned)));
    walk::remove(root, merged, &fields::intersection(&gone, &last))
}

/// Before the first apply, whoever made the object owns all of it.
fn first_entry(root: Kind, live: &Value, manager: &Manager) -> Entry {
    let all = walk::compare(root, &Value::empty_map(), live).added;
    let before = Manager {
        name: "before-first-apply",
        ..*manager
    };
    Entry::new(&before, false, fields::difference(&all, unowned()))
}

/// Fields that `kubectl apply` set on the client's side and that still are as it set them: kubectl's server-side
/// apply may take them over.
fn from_last_applied(root: Kind, live: &Value) -> Set {
    let annotation = live.at(&["metadata", "annotations", LAST_APPLIED]);
    let applied = annotation
        .as_str()
        .and_then(|text| Value::from_json(text).ok());
    let Some(applied) = applied else {
        return Set::default();
    };
    let comparison = walk::compare(root, live, &applied);
    let changed = fields::union(&comparison.modified, &comparison.added);
    fields::difference(&walk::set_of(root, &applied), &changed)
}

fn conflicts<'a>(entries: &'a [Entry], touched: &Set) -> Vec<(&'a Entry, Set)> {
    let mut found: Vec<(&Entry, Set)> = entries
        .iter()
        .map(|entry| (entry, fields::intersection(&entry.set, touched)))
        .filter(|(_, set)| !set.is_empty())
        .collect();
    found.sort_by_key(|(entry, _)| {
        (
            format!("{:?}", entry.manager),
            !entry.is_apply,
            entry.subresource.clone(),
        )
    });
    found
}

fn conflict_status(conflicts: &[(&Entry, Set)]) -> Status {
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for (entry, set) in conflicts {
        let who = entry.shown();
        lines.push(format!("conflicts with {who}:"));
        for path in fields::paths(set) {
            lines.push(format!("- {path}"));
            causes.push(map! { "reason": "FieldManagerConflict", "message": format!("conflict with {who}"), "field": path });
        }
    }
    let message = match &causes[..] {
        [cause] => format!(
            "Apply failed with 1 conflict: {}: {}",
            cause.str("message"),
            cause.str("field")
        ),
        many => format!(
            "Apply failed with {} conflicts: {}",
            many.len(),
            lines.join("\n")
        ),
    };
    Status::new(409, "Conflict", message).with_details(map! { "causes": causes })
}

/// Refuses a configuration that does not fit the schema.
fn check(root: Kind, config: &Value) -> Result<(), Status> {
    let faults = walk::faults(root, config);
    let text = match &faults[..] {
        [] => return Ok(()),
        [one] => one.clone(),
        many => {
            let lines = many.iter().map(|fault| format!("\n  {fault}"));
            format!("errors:{}", lines.collect::<String>())
        }
    };
    let meta = config.get("metadata");
    let api_version = config.str("apiVersion");
    let version = if api_version.contains('/') {
        api_version.to_owned()
    } else {
        format!("/{api_version}")
    };
    let message = format!(
        "failed to create typed patch object ({}/{}; {version}, Kind={}): {text}",
        meta.str("namespace"),
        meta.str("name"),
        config.str("kind")
    );
    Err(Status::new(500, "", message))
}

impl Entry {
    fn new(manager: &Manager, is_apply: bool, set: Set) -> Entry {
        Entry {
            manager: Str::new(manager.name),
            is_apply,
            api_version: Str::new(manager.api_version),
            subresource: Str::new(manager.subresource),
            time: time_of(manager),
            set,
        }
    }

    /// Whether this is the entry of that manager and operation.
    fn is(&self, manager: &Manager, is_apply: bool) -> bool {
        self.manager == *manager.name
            && self.is_apply == is_apply
            && self.subresource == *manager.subresource
            && self.api_version == *manager.api_version
    }

    /// As messages name it: `"kubectl" with subresource "scale" using apps/v1`.
    fn shown(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text += &format!(" with subresource {:?}", self.subresource);
        }
        if !self.is_apply {
            text += &format!(" using {}", self.api_version);
        }
        text
    }
}

fn read(managed: &Value) -> Vec<Entry> {
    let entry = |value: &Value| Entry {
        manager: value.shared_str("manager"),
        is_apply: value.str("operation") == "Apply",
        api_version: value.shared_str("apiVersion"),
        subresource: value.shared_str("subresource"),
        time: value.get("time").clone(),
        set: value.get("fieldsV1").entries().clone(),
    };
    managed.items().iter().map(entry).collect()
}

fn write(mut entries: Vec<Entry>) -> Value {
    entries.sort_by(|a, b| {
        let order = |e: &Entry| {
            let time = e.time.as_str().unwrap_or_default().to_owned();
            (
                !e.is_apply,
                time,
                e.manager.clone(),
                e.api_version.clone(),
                e.subresource.clone(),
            )
        };
        order(a).cmp(&order(b))
    });
    let written = entries.into_iter().map(|entry| {
        let mut value = map! {
            "manager": entry.manager,
            "operation": if entry.is_apply { "Apply" } else { "Update" },
            "apiVersion": entry.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": entry.set,
        };
        if !entry.time.is_null() {
            value.set("time", entry.time);
        }
        if !entry.subresource.is_empty() {
            value.set("subresource", entry.subresource);
        }
        value
    });
    Value::from(written.collect::<Vec<_>>())
}

/// Joins the oldest updaters into one when there are too many.
fn cap(entries: &mut Vec<Entry>) {
    loop {
        let updaters = entries.iter().filter(|entry| !entry.is_apply).count();
        if updaters <= UPDATERS_MAX {
            return;
        }
        let is_ancient = |entry: &Entry| entry.manager == "ancient-changes";
        let age = |entry: &Entry| entry.time.as_str().unwrap_or_default().to_owned();
        let oldest = (0..entries.len())
            .filter(|at| !entries[*at].is_apply && !is_ancient(&entries[*at]))
            .min_by_key(|at| (age(&entries[*at]), entries[*at].manager.clone()));
        let Some(oldest) = oldest else { return };
        let mut joined = entries.remove(oldest);
        let same =
            |entry: &&mut Entry| is_ancient(entry) && entry.api_version == joined.api_version;
        match entries.iter_mut().find(same) {
            Some(ancient) => {
                ancient.set = fields::union(&ancient.set, &joined.set);
                ancient.time = joined.time;
            }
            None => {
                joined.manager = "ancient-changes".into();
                joined.subresource = Str::EMPTY;
                entries.push(joined);
                // Renaming alone made nothing fewer.
                if updaters == UPDATERS_MAX + 1 {
                    continue;
                }
            }
        }
    }
}

fn keep(object: &mut Value, managed: &Value) {
    if managed.items().is_empty() {
        object.remove_path("metadata.managedFields");
    } else {
        object.entry("metadata").set("managedFields", managed);
    }
}

fn time_of(manager: &Manager) -> Value {
    manager.time.map(Time::rfc3339).into()
}

fn unowned() -> &'static Set {
    static SET: LazyLock<Set> = LazyLock::new(|| {
        let mut set = Set::default();
        for path in UNOWNED {
            let path: Vec<Str> = path.iter().map(|name| fields::named(name)).collect();
            fields::insert(&mut set, &path);
        }
        set
    });
    &SET
}

/// Whether only fields changed that nobody owns (the resource version, the generation).
fn is_quiet_but_for_unowned(comparison: &walk::Comparison) -> bool {
    let unowned = unowned();
    let is_quiet = |set: &Set| fields::difference(set, unowned).is_empty();
    is_quiet(&comparison.added) && is_quiet(&comparison.modified) && is_quiet(&comparison.removed)
}

#[cfg(test)]
mod tests;
