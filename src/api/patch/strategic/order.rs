//! The order of merged lists: items of the patch as the patch has them, the others where they were.

use crate::Value;

/// Whether two list items are the same one: by `key`, or as a whole where there is none.
pub(super) fn is_same(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() {
        a == b
    } else {
        a.get(key) == b.get(key)
    }
}

fn position(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| is_same(other, item, key))
}

/// Those of `items` that are in `list`, and the others.
pub(super) fn partition(items: Vec<Value>, list: &[Value], key: &str) -> (Vec<Value>, Vec<Value>) {
    let is_in = |item: &Value| position(list, item, key).is_some();
    items.into_iter().partition(is_in)
}

/// Items sorted as they stand in `order`; unknown ones last, in their own order.
pub(super) fn sorted(mut items: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    items.sort_by_key(|item| position(order, item, key).unwrap_or(usize::MAX));
    items
}

/// Puts `patched` (in the order of `patch_order`) and `others` (in the order of `live_order`) into one list: an other
/// item goes before the next patched one that stood after it.
pub(super) fn interleave(
    patched: Vec<Value>,
    others: Vec<Value>,
    patch_order: &[Value],
    live_order: &[Value],
    key: &str,
) -> Vec<Value> {
    let mut patched = sorted(patched, patch_order, key).into_iter().peekable();
    let mut others = sorted(others, live_order, key).into_iter().peekable();
    let mut all = Vec::new();
    loop {
        let is_other_first = match (others.peek(), patched.peek()) {
            (None, None) => return all,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(item)) => {
                let places = (
                    position(live_order, other, key),
                    position(live_order, item, key),
                );
                matches!(places, (Some(other), Some(item)) if other < item)
            }
        };
        all.extend(if is_other_first {
            others.next()
        } else {
            patched.next()
        });
    }
}
