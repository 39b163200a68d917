//! `tests/known_failures.txt`: what does not work yet, `name: reason` a line, and leaves the list by itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The tests run side by side and share the file.
static FILE: Mutex<()> = Mutex::new(());

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/known_failures.txt")
}

/// Compares what failed with the lines that begin with `prefix`. A failure that is not listed and a listed one
/// that works are both wrong; `cargo bless` takes the latter out of the list.
pub(crate) fn compare(prefix: &str, failed: &BTreeMap<String, String>) {
    let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = std::fs::read_to_string(path()).expect("the list of known failures is there");
    let name = |line: &str| {
        line.starts_with(prefix)
            .then(|| line.split(": ").next().map(String::from))
            .flatten()
    };
    let known: Vec<String> = text.lines().filter_map(name).collect();
    let works: Vec<&String> = known
        .iter()
        .filter(|name| !failed.contains_key(*name))
        .collect();
    let mut wrong: Vec<String> = failed
        .iter()
        .filter(|(name, _)| !known.contains(name))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let kept = text
            .lines()
            .filter(|line| name(line).is_none_or(|name| !works.contains(&&name)));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        std::fs::write(path(), kept).expect("the list of known failures can be written");
    } else {
        wrong.extend(works.iter().map(|name| {
            format!(
                "{name} works now: `cargo bless` takes it out of {}",
                path().display()
            )
        }));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
