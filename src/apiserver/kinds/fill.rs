//! Filling in defaults without touching what is there: an object that has all its defaults stays the same shared parts.

use api::Value;

/// Sets a missing field.
pub(crate) fn fill(object: &mut Value, field: &'static str, default: impl Into<Value>) {
    if object.get(field).is_null() {
        object.set(field, default);
    }
}

/// Sets a missing or empty string field.
pub(crate) fn fill_text(object: &mut Value, field: &'static str, default: impl Into<Value>) {
    if object.str(field).is_empty() {
        object.set(field, default);
    }
}

/// Edits a field if it is there; writes it back only if the edit changed it.
pub(crate) fn edit(object: &mut Value, field: &'static str, change: impl FnOnce(&mut Value)) {
    let old = object.get(field);
    if old.is_null() {
        return;
    }
    let mut new = old.clone();
    change(&mut new);
    if !new.is_same(old) {
        object.set(field, new);
    }
}

/// Edits a field, made as an empty map if it is missing.
pub(crate) fn edit_made(object: &mut Value, field: &'static str, change: impl FnOnce(&mut Value)) {
    fill(object, field, Value::empty_map());
    edit(object, field, change);
}

/// Edits every item of a list field; writes back only what changed.
pub(crate) fn edit_each(object: &mut Value, field: &'static str, change: impl Fn(&mut Value)) {
    edit(object, field, |list| {
        for at in 0..list.items().len() {
            let mut item = list.items()[at].clone();
            change(&mut item);
            if !item.is_same(&list.items()[at]) {
                list.list_mut()[at] = item;
            }
        }
    });
}
