//! What is kept over a reload, read and checked.
//!
//! Language, colours, speed and measures belong to the browser. What is made belongs to one deck in one tab: its slide, its editor's
//! files, its run. Files and slide are also left for the next visit, which begins with those of the tab that wrote last.

use std::collections::BTreeSet;
use std::rc::Rc;

use playground::deck::Lang;

use crate::action::Pane;
use crate::bars::Theme;
use crate::driver::SPEEDS;
use crate::storage::{self, Shelf};
use crate::workbench::File;
use crate::workbench::examples::EXAMPLES;

/// The page's language: as the address asks, else as chosen before, else the browser's.
pub(crate) fn lang(asked: Option<Lang>, preferred: &[String]) -> Lang {
    let kept = || storage::get("lang").as_deref().and_then(Lang::named);
    let known = || preferred.iter().find_map(|tag| Lang::named(tag));
    asked.or_else(kept).or_else(known).unwrap_or(Lang::En)
}

pub(crate) fn theme() -> Theme {
    let kept = storage::get("theme").unwrap_or_default();
    Theme::ALL
        .into_iter()
        .find(|theme| theme.name() == kept)
        .unwrap_or_default()
}

pub(crate) fn speed() -> u32 {
    let kept = storage::get("speed").and_then(|speed| speed.parse().ok());
    kept.filter(|speed| SPEEDS.contains(speed)).unwrap_or(1_000)
}

/// Whether everything is drawn large, for a projector.
pub(crate) fn is_large() -> bool {
    storage::get("size").is_some_and(|size| size == "projector")
}

pub(crate) fn keep_large(is_large: bool) {
    storage::set("size", if is_large { "projector" } else { "normal" });
}

/// The ids of the tasks that were ever reached.
pub(crate) fn done() -> BTreeSet<String> {
    storage::get("done")
        .unwrap_or_default()
        .lines()
        .take(2_000)
        .map(String::from)
        .collect()
}

pub(crate) fn keep_done(done: &BTreeSet<String>) {
    let ids: Vec<&str> = done
        .iter()
        .map(String::as_str)
        .filter(|id| !id.contains('\n'))
        .collect();
    storage::set("done", &ids.join("\n"));
}

/// A column's share of the board in percent.
pub(crate) fn share(pane: Pane) -> Option<f64> {
    storage::get(&format!("share:{}", pane.name()))?
        .parse()
        .ok()
        .filter(|share| (12.0..=70.0).contains(share))
}

pub(crate) fn keep_share(pane: Pane, share: f64) {
    storage::set(&format!("share:{}", pane.name()), &format!("{share:.1}"));
}

/// The columns that are put away.
pub(crate) fn without() -> Vec<Pane> {
    storage::get("without")
        .unwrap_or_default()
        .split(' ')
        .filter_map(Pane::named)
        .filter(|pane| *pane != Pane::Stage)
        .collect()
}

pub(crate) fn keep_without(panes: &[Pane]) {
    let names: Vec<&str> = panes.iter().map(|pane| pane.name()).collect();
    storage::set("without", &names.join(" "));
}

/// The slide that was open. `deck` is the deck's key, empty for the page's own.
pub(crate) fn slide(deck: &str) -> Option<String> {
    recall(deck, "slide")
}

pub(crate) fn keep_slide(deck: &str, id: &str) {
    leave(deck, "slide", id);
}

/// The editor's files and which of them is open; at the first visit, the first example.
pub(crate) fn files(deck: &str) -> (Vec<File>, usize) {
    let kept = recall(deck, "desk").unwrap_or_default();
    match read_files(&kept) {
        Some((files, open)) if !files.is_empty() => {
            let open = open.min(files.len() - 1);
            (files, open)
        }
        _ => {
            let first = File {
                name: Rc::from(EXAMPLES[0].file),
                text: Rc::from(EXAMPLES[0].text),
            };
            (vec![first], 0)
        }
    }
}

/// `is_own`: the next visit begins with them, too. What came with someone else's link stays in its tab.
pub(crate) fn keep_files(deck: &str, files: &[File], open: usize, is_own: bool) {
    let text = write_files(files, open);
    if is_own {
        leave(deck, "desk", &text);
    } else {
        Shelf::Tab.set(&scoped(deck, "desk"), &text);
    }
}

/// Whether this tab works with someone else's files.
pub(crate) fn is_foreign(deck: &str) -> bool {
    Shelf::Tab.get(&scoped(deck, "foreign")).is_some()
}

pub(crate) fn set_foreign(deck: &str, is_foreign: bool) {
    mark(deck, "foreign", is_foreign);
}

/// The deck that this tab was given as a file: its name and its text.
pub(crate) fn given_deck() -> Option<(String, String)> {
    Shelf::Tab.get("given").and_then(|given| {
        let (name, text) = given.split_once('\n')?;
        Some((name.into(), text.into()))
    })
}

pub(crate) fn keep_given_deck(given: Option<(&str, &str)>) {
    match given {
        Some((name, text)) => {
            Shelf::Tab.set("given", &format!("{}\n{text}", name.replace('\n', " ")))
        }
        None => Shelf::Tab.remove("given"),
    }
}

/// A run as it is kept for a reload of this tab: the packed run, and where one stood in it.
pub(crate) fn run(deck: &str) -> Option<(String, String)> {
    let at = Shelf::Tab.get(&scoped(deck, "at")).unwrap_or_default();
    Some((Shelf::Tab.get(&scoped(deck, "run"))?, at))
}

pub(crate) fn keep_run(deck: &str, packed: &str) {
    Shelf::Tab.set(&scoped(deck, "run"), packed);
}

pub(crate) fn keep_at(deck: &str, at: &str) {
    Shelf::Tab.set(&scoped(deck, "at"), at);
}

/// Whether the last load of this tab ended while its run was being played again.
pub(crate) fn is_unfinished(deck: &str) -> bool {
    Shelf::Tab.get(&scoped(deck, "unfinished")).is_some()
}

pub(crate) fn set_unfinished(deck: &str, is_unfinished: bool) {
    mark(deck, "unfinished", is_unfinished);
}

fn mark(deck: &str, key: &str, is_set: bool) {
    if is_set {
        Shelf::Tab.set(&scoped(deck, key), "1");
    } else {
        Shelf::Tab.remove(&scoped(deck, key));
    }
}

pub(crate) fn forget_run(deck: &str) {
    Shelf::Tab.remove(&scoped(deck, "run"));
    Shelf::Tab.remove(&scoped(deck, "at"));
}

fn recall(deck: &str, key: &str) -> Option<String> {
    let key = scoped(deck, key);
    Shelf::Tab.get(&key).or_else(|| Shelf::Browser.get(&key))
}

fn leave(deck: &str, key: &str, value: &str) {
    let key = scoped(deck, key);
    Shelf::Tab.set(&key, value);
    Shelf::Browser.set(&key, value);
}

fn scoped(deck: &str, key: &str) -> String {
    if deck.is_empty() {
        key.into()
    } else {
        format!("deck:{deck}:{key}")
    }
}

/// One text, so that tabs which write at the same time never mix: the open file's number, then name, length and text of each.
fn write_files(files: &[File], open: usize) -> String {
    let mut out = format!("{open}\n");
    for file in files {
        out.push_str(&format!(
            "{}\n{}\n{}\n",
            file.name.replace(['\n', '\r'], " "),
            file.text.len(),
            file.text
        ));
    }
    out
}

fn read_files(kept: &str) -> Option<(Vec<File>, usize)> {
    let (open, mut rest) = kept.split_once('\n')?;
    let mut files = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('\n')?;
        let (length, after) = after.split_once('\n')?;
        let length: usize = length.parse().ok()?;
        files.push(File {
            name: name.into(),
            text: after.get(..length)?.into(),
        });
        rest = after.get(length.checked_add(1)?..)?;
    }
    Some((files, open.parse().ok()?))
}

pub(crate) fn history() -> Vec<String> {
    storage::get("history")
        .unwrap_or_default()
        .lines()
        .map(String::from)
        .collect()
}

pub(crate) fn keep_history(history: &[String]) {
    storage::set("history", &history.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides_the_language_then_the_last_choice_then_the_browser() {
        assert_eq!(lang(None, &["fr".into(), "ja-JP".into()]), Lang::Ja);
        assert_eq!(lang(None, &[]), Lang::En);
        storage::set("lang", "en");
        assert_eq!(lang(None, &["ja".into()]), Lang::En);
        assert_eq!(lang(Some(Lang::Ja), &[]), Lang::Ja);
        Shelf::Browser.remove("lang");
    }

    #[test]
    fn files_come_back_as_they_were_kept_for_each_deck() {
        let file = |name: &str, text: &str| File {
            name: name.into(),
            text: text.into(),
        };
        let two = [file("a.yaml", "one"), file("b.yaml", "two\n日本\n3\n")];
        keep_files("mine", &two, 1, true);
        assert_eq!(files("mine"), (two.to_vec(), 1));
        assert_eq!(&*files("").0[0].name, "web.yaml", "another deck's");
        keep_files("mine", &two[..1], 7, false);
        assert_eq!(files("mine"), (two[..1].to_vec(), 0));
    }

    #[test]
    fn what_someone_else_wrote_there_is_not_believed() {
        for kept in [
            "",
            "x",
            "0\n",
            "0\na\n",
            "0\na\n99\nb\n",
            "0\na\n-1\nb\n",
            "0\na\n1\n語\n",
            "0\na\n18446744073709551615\nb",
        ] {
            leave("odd", "desk", kept);
            assert_eq!(&*files("odd").0[0].name, "web.yaml", "{kept:?}");
        }
    }
}
