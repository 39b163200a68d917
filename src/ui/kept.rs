//! What is kept over a reload, read and checked, written at once.

use std::collections::BTreeSet;
use std::rc::Rc;

use playground::deck::Lang;

use crate::action::Pane;
use crate::bars::Theme;
use crate::driver::SPEEDS;
use crate::storage;
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

/// The slide that was open. `deck` is the deck's key, empty for the page's own.
pub(crate) fn slide(deck: &str) -> Option<String> {
    storage::get(&scoped(deck, "slide"))
}

pub(crate) fn keep_slide(deck: &str, id: &str) {
    storage::set(&scoped(deck, "slide"), id);
}

fn scoped(deck: &str, key: &str) -> String {
    if deck.is_empty() {
        key.into()
    } else {
        format!("deck:{deck}:{key}")
    }
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

/// The editor's files; at the first visit, the first example.
pub(crate) fn files() -> Vec<File> {
    let names = storage::get("files").unwrap_or_default();
    let files: Vec<File> = names
        .lines()
        .filter(|name| !name.is_empty())
        .enumerate()
        .map(|(index, name)| File {
            name: name.into(),
            text: storage::get(&format!("file:{index}"))
                .unwrap_or_default()
                .into(),
        })
        .collect();
    if files.is_empty() {
        return vec![File {
            name: Rc::from(EXAMPLES[0].file),
            text: Rc::from(EXAMPLES[0].text),
        }];
    }
    files
}

/// Keeps one file's text.
pub(crate) fn keep_file(index: usize, file: &File) {
    storage::set(&format!("file:{index}"), &file.text);
}

/// Keeps the list of files and all their texts.
pub(crate) fn keep_files(files: &[File]) {
    let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    let before = storage::get("files").unwrap_or_default().lines().count();
    storage::set("files", &names.join("\n"));
    for (index, file) in files.iter().enumerate() {
        keep_file(index, file);
    }
    for index in files.len()..before {
        storage::remove(&format!("file:{index}"));
    }
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
        storage::remove("lang");
    }

    #[test]
    fn files_come_back_as_they_were_kept() {
        let file = |name: &str, text: &str| File {
            name: name.into(),
            text: text.into(),
        };
        keep_files(&[file("a.yaml", "one"), file("b.yaml", "two\nlines")]);
        keep_files(&[file("b.yaml", "two\nlines")]);
        assert_eq!(files(), [file("b.yaml", "two\nlines")]);
        assert_eq!(storage::get("file:1"), None);
        storage::remove("files");
        assert_eq!(&*files()[0].name, "web.yaml");
    }
}
