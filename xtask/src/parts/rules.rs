//! Which functions wait for the second part, by the paths in their names.
//!
//! A line of `later.txt` is `later PATH` or `first PATH`; the longest path that fits a function decides. A path fits the function itself,
//! or the type that a method belongs to. A path that starts with `./` is that of a file or folder whose text
//! waits. `later =DIGEST …` and `first =DIGEST …` speak of single functions, by their whole names. `watched PATH` speaks of generic code and
//! libraries: of these only what is listed so waits.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The rules of `later.txt`.
pub(crate) struct Rules {
    /// Paths and whether what they fit waits, longest first.
    rules: Vec<(String, bool)>,
    /// Paths whose functions are listed one by one.
    watched: Vec<String>,
    /// Digests of names, and whether their functions wait, whatever the paths say.
    listed: BTreeMap<String, bool>,
    /// Files and folders whose text waits.
    pub(crate) texts: Vec<String>,
    /// Files in them whose text does not.
    pub(crate) kept_texts: Vec<String>,
}

impl Rules {
    /// Reads the lines of `text`; `Err` says which one is wrong.
    pub(crate) fn read(text: &str) -> Result<Rules, String> {
        let mut rules = Vec::new();
        let (mut texts, mut kept_texts) = (Vec::new(), Vec::new());
        let mut watched = Vec::new();
        let mut listed = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            match line.split_once(' ') {
                None if line.is_empty() => {}
                Some(("watched", path)) => watched.push(path.trim().to_owned()),
                Some((verdict @ ("later" | "first"), names)) if names.starts_with('=') => {
                    let names = names[1..].split(' ').map(str::to_owned);
                    listed.extend(names.map(|name| (name, verdict == "later")));
                }
                Some((verdict @ ("later" | "first"), path)) => {
                    match (path.trim().strip_prefix("./"), verdict) {
                        (None, _) => rules.push((path.trim().to_owned(), verdict == "later")),
                        (Some(path), "later") => texts.push(path.to_owned()),
                        (Some(path), _) => kept_texts.push(path.to_owned()),
                    }
                }
                _ => {
                    return Err(format!(
                        "line {}: `{line}` is none of `later PATH`, `first PATH` and `watched PATH`",
                        at + 1
                    ));
                }
            }
        }
        rules.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Ok(Rules {
            rules,
            watched,
            listed,
            texts,
            kept_texts,
        })
    }

    /// Whether a function with this (demangled) name waits; nothing if no rule speaks of it.
    pub(crate) fn judge(&self, name: &str) -> Option<bool> {
        let plain = plain(name);
        if let Some(is_later) = self.listed.get(&digest(&plain)) {
            return Some(*is_later);
        }
        let own = own_path(&plain)?;
        // Generic code of the standard library goes where its callers are, but for what is listed.
        if is_standard(&own) || self.is_watched(&own) {
            return None;
        }
        self.verdict(&own).or_else(|| {
            let mut types = types(&plain);
            let is_later = types.clone().any(|path| self.verdict(path) == Some(true))
                && types.all(|path| self.verdict(path) != Some(false));
            is_later.then_some(true)
        })
    }

    /// Whether a function may be listed: it is of a watched path, and for no type that does not wait.
    pub(crate) fn may_be_listed(&self, name: &str) -> bool {
        let plain = plain(name);
        own_path(&plain).is_some_and(|own| self.is_watched(&own))
            && types(&plain).all(|path| self.verdict(path) != Some(false))
    }

    fn is_watched(&self, path: &str) -> bool {
        self.watched.iter().any(|watched| is_within(path, watched))
    }

    fn verdict(&self, path: &str) -> Option<bool> {
        self.rules
            .iter()
            .find(|(rule, _)| is_within(path, rule))
            .map(|(_, is_later)| *is_later)
    }
}

fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The types that a name speaks of, but for those of the standard library.
fn types(plain: &str) -> impl Iterator<Item = &str> + Clone {
    paths(plain).skip(1).filter(|path| !is_standard(path))
}

fn is_standard(path: &str) -> bool {
    ["core", "alloc", "std", "hashbrown"].iter().any(|name| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with("::"))
    })
}

/// A name in few letters.
pub(super) fn digest(plain: &str) -> String {
    let digits = Sha256::digest(plain);
    digits
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A demangled name without the compiler's crate digests.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('[') {
        plain.push_str(&rest[..at]);
        let inner = &rest[at + 1..];
        match inner.find(']') {
            Some(end) if inner[..end].bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                rest = &inner[end + 1..]
            }
            _ => {
                plain.push('[');
                rest = inner;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Where a function stands: `a::b::f`, `a::B::f` for a method of the type `B`, whichever trait it is of. A closure stands for the function
/// that it is in.
pub(super) fn own_path(plain: &str) -> Option<String> {
    let (start, method) = match plain.strip_prefix('<') {
        Some(inner) => {
            let mut depth = 1;
            let end = inner.char_indices().find(|(at, letter)| {
                match letter {
                    '<' => depth += 1,
                    // The arrow of a function type closes nothing.
                    '>' if !inner[..*at].ends_with('-') => depth -= 1,
                    _ => {}
                }
                depth == 0
            })?;
            (paths(inner).next()?.to_owned(), &inner[end.0 + 1..])
        }
        None => (String::new(), plain),
    };
    let method = ["::{", "::<", "<", " "]
        .iter()
        .filter_map(|mark| method.find(mark))
        .min()
        .map_or(method, |end| &method[..end]);
    Some(start + method).filter(|path| path.contains("::"))
}

/// The paths in a name, in their order.
fn paths(plain: &str) -> impl Iterator<Item = &str> + Clone {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    plain
        .split(move |letter| !is_part(letter))
        .filter(|word| word.contains("::") && !word.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::{Rules, digest};

    #[test]
    fn the_longest_path_decides_and_generic_code_follows_its_types() {
        let cold = digest("core::slice::sort::stable::quicksort::<a::x::T>");
        let rules = Rules::read(&format!("later =0123 {cold}\nwatched core::slice::sort\nwatched a::w\nlater a\nfirst a::b # kept\nlater c::D\nlater c::E::g")).expect("seven rules");
        let cases = [
            ("a[12]::x::f", Some(true)),
            ("a[12]::b::f", Some(false)),
            ("a[12]::bc::f", Some(true)),
            ("<c[1]::D as core[2]::fmt::Debug>::fmt", Some(true)),
            (
                "<c[1]::E<fn(u8) -> c[1]::F>>::g::<u8>::{closure#0}",
                Some(true),
            ),
            ("<alloc[1]::vec::Vec<c[3]::D>>::push", None),
            ("<alloc[1]::vec::Vec<u8>>::push", None),
            ("<lib[1]::Holder<c[3]::D> as lib[1]::Hold>::go", Some(true)),
            ("<lib[1]::Holder<(c[3]::D, a[3]::b::E)>>::go", None),
            ("memcpy", None),
            (
                "core[1]::slice::sort::stable::quicksort::<a[1]::x::T>",
                Some(true),
            ),
            (
                "core[1]::slice::sort::stable::quicksort::<a[1]::b::T>",
                None,
            ),
            (
                "core[1]::slice::sort::stable::quicksort::<a[1]::x::U>",
                None,
            ),
            ("a[12]::w::f", None),
        ];
        for (name, verdict) in cases {
            assert_eq!(rules.judge(name), verdict, "{name}");
        }
        let listed = [
            ("core[1]::slice::sort::stable::drift::<a[1]::x::U>", true),
            ("core[1]::slice::sort::stable::drift::<a[1]::b::U>", false),
            ("a[12]::w::f", true),
            ("a[12]::x::f", false),
        ];
        for (name, may_be) in listed {
            assert_eq!(rules.may_be_listed(name), may_be, "{name}");
        }
        assert!(Rules::read("sometimes a").is_err());
    }
}
