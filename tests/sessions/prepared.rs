//! What a reader does besides a page's command lines, from `prepared.txt`.

use std::collections::BTreeMap;

/// What belongs to one step, by its number on the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// Lines that are typed before it; each must succeed.
    pub(crate) before: Vec<String>,
    /// What is typed in its place.
    pub(crate) instead: Option<String>,
    /// Whether the page means it to be refused.
    pub(crate) is_refused: bool,
}

/// Every page's extras, by the page's name and the step's number.
pub(crate) fn read() -> BTreeMap<String, BTreeMap<usize, Extra>> {
    let mut pages: BTreeMap<String, BTreeMap<usize, Extra>> = BTreeMap::new();
    let mut page = String::new();
    let lines = include_str!("prepared.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            page = name.to_owned();
            continue;
        }
        let end = line.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = line.split_at(end.expect("a step's number is followed by a mark"));
        let number = number.parse().expect("a line begins with a step's number");
        let steps = pages.entry(page.clone()).or_default();
        let extra: &mut Extra = steps.entry(number).or_default();
        match rest.trim_start().split_at(1) {
            (":", line) => extra.before.push(line.trim().to_owned()),
            ("=", line) => extra.instead = Some(line.trim().to_owned()),
            ("!", _) => extra.is_refused = true,
            (other, _) => panic!("unknown mark {other} in {line}"),
        }
    }
    pages
}
