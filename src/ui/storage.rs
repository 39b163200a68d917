//! What outlives a reload. The browser's storage where it may be used, memory where not (a sandboxed frame, a full disk).
//!
//! An embedded page keeps everything in memory: it neither sees nor changes what the reader's own page has kept, and several on one page do
//! not disturb each other.
//!
//! Two shelves: what all pages of this browser share, and what belongs to this tab alone. A write that is refused is kept in memory and
//! costs nothing but its persistence; [`trouble`] says so once. Every key carries a prefix, because all pages opened from files share one
//! storage area. What is read may have been written by anything, so readers check it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

const PREFIX: &str = "kubenkyo:v1:";

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shelf {
    /// For every page of this browser, and for the next visit.
    Browser,
    /// For this tab, until it is closed.
    Tab,
}

/// Why something is kept in memory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no storage here, or it may not be used.
    Refused,
    /// It takes no more.
    Full,
}

thread_local! {
    static MEMORY: RefCell<BTreeMap<(Shelf, String), String>> = const { RefCell::new(BTreeMap::new()) };
    static TROUBLE: Cell<Option<Trouble>> = const { Cell::new(None) };
    static IS_TOLD: Cell<bool> = const { Cell::new(false) };
    static IS_FLEETING: Cell<bool> = const { Cell::new(false) };
}

/// From now on nothing outlives the page, and nothing kept before is seen. That is no trouble.
pub(crate) fn stay_in_memory() {
    IS_FLEETING.set(true);
    IS_TOLD.set(true);
}

/// The text kept under `key` for every page of this browser.
pub(crate) fn get(key: &str) -> Option<String> {
    Shelf::Browser.get(key)
}

/// Keeps `value` under `key` for every page of this browser.
pub(crate) fn set(key: &str, value: &str) {
    Shelf::Browser.set(key, value);
}

/// What went wrong with keeping, once for the whole life of the page.
pub(crate) fn trouble() -> Option<Trouble> {
    let trouble = TROUBLE.get().filter(|_| !IS_TOLD.get());
    IS_TOLD.set(IS_TOLD.get() || trouble.is_some());
    trouble
}

impl Shelf {
    /// The text kept under `key`.
    pub(crate) fn get(self, key: &str) -> Option<String> {
        // What the browser refused to take is newer than what it has.
        let in_memory = MEMORY.with_borrow(|memory| memory.get(&(self, key.into())).cloned());
        in_memory.or_else(|| self.area().ok()?.get_item(&name(key)).ok()?)
    }

    /// Keeps `value` under `key`.
    pub(crate) fn set(self, key: &str, value: &str) {
        let refused = match self.area() {
            Ok(area) => area
                .set_item(&name(key), value)
                .err()
                .map(|_| Trouble::Full),
            Err(trouble) => Some(trouble),
        };
        MEMORY.with_borrow_mut(|memory| {
            if refused.is_some() {
                memory.insert((self, key.into()), value.into());
            } else {
                memory.remove(&(self, key.into()));
            }
        });
        if refused.is_some() && TROUBLE.get().is_none() {
            TROUBLE.set(refused);
        }
    }

    /// Forgets `key`.
    pub(crate) fn remove(self, key: &str) {
        if let Ok(area) = self.area() {
            // Refused where storage is refused; then there is nothing to forget either.
            let _ = area.remove_item(&name(key));
        }
        MEMORY.with_borrow_mut(|memory| memory.remove(&(self, key.into())));
    }

    /// Native builds have no browser; a sandboxed frame throws on the mere look.
    fn area(self) -> Result<web_sys::Storage, Trouble> {
        if IS_FLEETING.get() || !cfg!(target_arch = "wasm32") {
            return Err(Trouble::Refused);
        }
        let window = web_sys::window().ok_or(Trouble::Refused)?;
        let area = match self {
            Shelf::Browser => window.local_storage(),
            Shelf::Tab => window.session_storage(),
        };
        area.ok().flatten().ok_or(Trouble::Refused)
    }
}

fn name(key: &str) -> String {
    format!("{PREFIX}{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_can_be_stored_memory_serves_and_one_message_says_so() {
        Shelf::Tab.set("a", "one");
        Shelf::Browser.set("a", "other");
        assert_eq!(Shelf::Tab.get("a").as_deref(), Some("one"));
        assert_eq!(get("a").as_deref(), Some("other"));
        Shelf::Tab.remove("a");
        assert_eq!(Shelf::Tab.get("a"), None);
        assert_eq!(trouble(), Some(Trouble::Refused));
        set("b", "more");
        assert_eq!(trouble(), None);
    }
}
