//! Computing patches.

use super::merge::{Mode, merge_map};
use super::order::{is_same, sorted};
use super::{DELETE_FROM_LIST, DIRECTIVE, RETAIN_KEYS, SET_ORDER, field, no_merge_key};
use crate::decode::json_type;
use crate::schema::{PatchStrategy, Shape, Type};
use crate::{Map, Str, Value};

/// The patch that makes `original` into `modified`.
pub fn two_way(of: Type, original: &Value, modified: &Value) -> Result<Value, String> {
    let wanted = Wanted {
        changes: true,
        deletions: true,
    };
    wanted.maps(original, modified, Shape::Object(of), false)
}

/// The patch that `kubectl apply` sends: additions and changes from `current` to `modified`, deletions from
/// `original` (the last applied) to `modified`. An empty map if there is nothing to do.
pub fn three_way(
    of: Type,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Value, String> {
    let shape = Shape::Object(of);
    let changes = Wanted {
        changes: true,
        deletions: false,
    };
    let deletions = Wanted {
        changes: false,
        deletions: true,
    };
    let delta = changes.maps(current, modified, shape, false)?;
    let deleted = deletions.maps(original, modified, shape, false)?;
    merge_map(&deleted, &delta, shape, Mode::Patch)
}

/// Which differences go into the patch.
#[derive(Clone, Copy)]
struct Wanted {
    changes: bool,
    deletions: bool,
}

impl Wanted {
    fn maps(
        self,
        from: &Value,
        to: &Value,
        shape: Shape,
        retains_keys: bool,
    ) -> Result<Value, String> {
        let (old, new) = (from.entries(), to.entries());
        let mut patch = Map::default();
        for (key, value) in new.iter() {
            let Some(before) = old.get(key) else {
                if self.changes {
                    patch.insert(key, value);
                }
                continue;
            };
            let (inner, strategy) = field(shape, key);
            match (before, value) {
                (Value::Map(_), Value::Map(_)) if !strategy.is_replace => {
                    let inner = self.maps(before, value, inner, strategy.retains_keys)?;
                    if !inner.is_empty() {
                        patch.insert(key, inner);
                    }
                }
                (Value::List(before), Value::List(value)) if strategy.is_merge => {
                    self.lists(key, before, value, inner, strategy, &mut patch)?;
                }
                _ if before != value && self.changes => {
                    patch.insert(key, value);
                }
                _ => {}
            }
        }
        if self.deletions {
            for key in old.keys().filter(|key| !new.contains(key)) {
                patch.insert(key, Value::Null);
            }
        }
        let has_surplus = || old.keys().any(|key| !new.contains(key));
        if retains_keys && (!patch.is_empty() || has_surplus()) {
            let kept = new.iter().filter(|(_, value)| !value.is_null());
            let kept: Vec<Value> = kept.map(|(key, _)| Value::from(key)).collect();
            if !kept.is_empty() {
                patch.insert(RETAIN_KEYS, kept);
            }
        }
        Ok(Value::from(patch))
    }

    fn lists(
        self,
        name: &Str,
        from: &[Value],
        to: &[Value],
        shape: Shape,
        strategy: PatchStrategy,
        patch: &mut Map,
    ) -> Result<(), String> {
        if from.is_empty() {
            if !to.is_empty() && self.changes {
                patch.insert(name, to.to_vec());
            }
            return Ok(());
        }
        let key = strategy.merge_key;
        if key.is_empty() {
            self.plain_lists(name, from, to, patch);
            return Ok(());
        }
        if let Some(item) = from.iter().chain(to).find(|item| !item.has(key)) {
            return Err(no_merge_key(item, key));
        }
        let mut items = Vec::new();
        for item in to {
            match from.iter().find(|before| is_same(before, item, key)) {
                Some(before) => {
                    let mut inner =
                        self.maps(before, item, shape.inner(), strategy.retains_keys)?;
                    if !inner.is_empty() {
                        inner.set(key, item.get(key));
                        items.push(inner);
                    }
                }
                None if self.changes => items.push(item.clone()),
                None => {}
            }
        }
        if self.deletions {
            let is_gone = |item: &&Value| !to.iter().any(|other| is_same(other, item, key));
            let mut gone: Vec<&Value> = from.iter().filter(is_gone).collect();
            gone.sort_by_key(|item| item.get(key).to_json());
            for item in gone {
                let mut deletion = Map::default();
                deletion.insert(DIRECTIVE, "delete");
                deletion.insert(key, item.get(key));
                items.push(Value::from(deletion));
            }
        }
        let is_moved = || {
            let common = |a: &[Value], b: &[Value]| -> Vec<Value> {
                let is_common = |item: &&Value| b.iter().any(|other| is_same(other, item, key));
                a.iter()
                    .filter(is_common)
                    .map(|item| item.get(key).clone())
                    .collect()
            };
            common(from, to) != common(to, from)
        };
        let is_order_needed = self.changes && (!items.is_empty() || is_moved())
            || self.deletions && !items.is_empty();
        if is_order_needed && !to.is_empty() {
            let order = to.iter().map(|item| {
                let mut only_key = Map::default();
                only_key.insert(key, item.get(key));
                Value::from(only_key)
            });
            patch.insert(format!("{SET_ORDER}{name}"), order.collect::<Vec<_>>());
        }
        if !items.is_empty() {
            patch.insert(name, items);
        }
        Ok(())
    }

    fn plain_lists(self, name: &Str, from: &[Value], to: &[Value], patch: &mut Map) {
        let missing = |list: &[Value], other: &[Value]| {
            let mut missing: Vec<Value> = Vec::new();
            for item in list.iter().filter(|item| !other.contains(item)) {
                if !missing.contains(item) {
                    missing.push(item.clone());
                }
            }
            missing
        };
        let added = missing(to, from);
        let mut gone = missing(from, to);
        if self.changes && !added.is_empty() {
            patch.insert(name, sorted(added, to, ""));
        }
        let is_order_needed = self.deletions && !gone.is_empty() || self.changes && from != to;
        if self.deletions && !gone.is_empty() {
            gone.sort_by_key(|item| (json_type(item), item.to_json()));
            patch.insert(format!("{DELETE_FROM_LIST}{name}"), gone);
        }
        if is_order_needed && !to.is_empty() {
            patch.insert(format!("{SET_ORDER}{name}"), to.to_vec());
        }
    }
}
