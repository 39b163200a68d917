//! What outlives a reload. The browser's storage where it may be used, memory where not (a sandboxed frame, a full disk).
//!
//! An embedded page keeps everything in memory: it neither sees nor changes what the reader's own page has kept, and several on one page do
//! not disturb each other.
//!
//! Every key carries a prefix, because all pages opened from files share one storage area. What is read may have been written by
//! anything, so readers check it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

const PREFIX: &str = "kubenkyo:v1:";

thread_local! {
    static MEMORY: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    static IS_FLEETING: Cell<bool> = const { Cell::new(false) };
}

/// From now on nothing outlives the page, and nothing kept before is seen.
pub(crate) fn stay_in_memory() {
    IS_FLEETING.set(true);
}

/// The text kept under `key`.
pub(crate) fn get(key: &str) -> Option<String> {
    let key = format!("{PREFIX}{key}");
    let kept = browser().and_then(|storage| storage.get_item(&key).ok().flatten());
    kept.or_else(|| MEMORY.with_borrow(|memory| memory.get(&key).cloned()))
}

/// Keeps `value` under `key`.
pub(crate) fn set(key: &str, value: &str) {
    let key = format!("{PREFIX}{key}");
    let is_kept = browser().is_some_and(|storage| storage.set_item(&key, value).is_ok());
    if !is_kept {
        MEMORY.with_borrow_mut(|memory| memory.insert(key, String::from(value)));
    }
}

/// Forgets `key`.
pub(crate) fn remove(key: &str) {
    let key = format!("{PREFIX}{key}");
    if let Some(storage) = browser() {
        // Refused where storage is refused; then there is nothing to forget either.
        let _ = storage.remove_item(&key);
    }
    MEMORY.with_borrow_mut(|memory| memory.remove(&key));
}

/// Native builds have no browser; a sandboxed frame throws on the mere look.
#[cfg(target_arch = "wasm32")]
fn browser() -> Option<web_sys::Storage> {
    if IS_FLEETING.get() {
        return None;
    }
    web_sys::window()?.local_storage().ok().flatten()
}

#[cfg(not(target_arch = "wasm32"))]
fn browser() -> Option<web_sys::Storage> {
    None
}
