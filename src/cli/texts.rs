//! What fields mean: read from `explain.txt`, which `cargo xtask explain` makes and nobody commits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The texts, if they were made: the file that `KUBENKYO_EXPLAIN` names, or the one beside the program (or above it,
/// where a build leaves it).
pub(super) fn read() -> Option<Arc<BTreeMap<String, String>>> {
    let named = std::env::var_os("KUBENKYO_EXPLAIN").map(PathBuf::from);
    let program = std::env::current_exe().ok();
    let beside = program.iter().flat_map(|path| {
        let folders = path.ancestors().skip(1).take(2);
        folders.map(|folder| folder.join("explain.txt"))
    });
    let text = named
        .into_iter()
        .chain(beside)
        .find_map(|path| std::fs::read_to_string(path).ok())?;
    Some(Arc::new(parse(&text)))
}

/// Lines of a name, a tab and a text in which `\n` is a line break.
fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines
        .map(|(name, text)| (name.to_owned(), unescaped(text)))
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_have_their_line_breaks_back() {
        let texts = super::parse("v1.Pod\tA pod.\nv1.Pod.spec\tone\\ntwo \\\\n\n");
        assert_eq!(texts["v1.Pod"], "A pod.");
        assert_eq!(texts["v1.Pod.spec"], "one\ntwo \\n");
    }
}
