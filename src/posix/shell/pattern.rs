//! Shell patterns: `*`, `?`, `[a-z]`, and path names that match them.

use crate::files::Files;

/// Names a pattern may produce.
const LIMIT: usize = 10_000;

/// Whether the whole text matches the pattern. A backslash takes the next character as it is.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    matches_chars(&pattern, &text)
}

pub(crate) fn matches_chars(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p, t));
            p += 1;
            continue;
        }
        let step = if p < pattern.len() && t < text.len() {
            one(pattern, p, text[t])
        } else {
            None
        };
        match (step, retry) {
            _ if p == pattern.len() && t == text.len() => return true,
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((star, from))) if from < text.len() => {
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
            _ => return false,
        }
    }
}

/// Matches one character; gives the position after the pattern's item.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern[p] {
        '?' => Some(p + 1),
        '\\' if p + 1 < pattern.len() => (pattern[p + 1] == c).then_some(p + 2),
        '[' => match set(pattern, p, c) {
            Some((found, next)) => found.then_some(next),
            None => (c == '[').then_some(p + 1),
        },
        other => (other == c).then_some(p + 1),
    }
}

/// A bracket expression: whether `c` is in it, and where it ends. `None`: not one.
fn set(pattern: &[char], p: usize, c: char) -> Option<(bool, usize)> {
    let mut i = p + 1;
    let negated = matches!(pattern.get(i), Some('!' | '^'));
    if negated {
        i += 1;
    }
    let mut found = false;
    let mut first = true;
    loop {
        let mut low = *pattern.get(i)?;
        if low == ']' && !first {
            return Some((found != negated, i + 1));
        }
        first = false;
        if low == '[' && pattern.get(i + 1) == Some(&':') {
            let end =
                (i + 2..pattern.len() - 1).find(|j| pattern[*j] == ':' && pattern[j + 1] == ']')?;
            let name: String = pattern[i + 2..end].iter().collect();
            found |= in_class(&name, c);
            i = end + 2;
            continue;
        }
        if low == '\\' && i + 1 < pattern.len() {
            i += 1;
            low = pattern[i];
        }
        i += 1;
        let mut high = low;
        if pattern.get(i) == Some(&'-') && pattern.get(i + 1).is_some_and(|c| *c != ']') {
            high = pattern[i + 1];
            i += 2;
        }
        found |= (low..=high).contains(&c);
    }
}

pub(crate) fn in_class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        "cntrl" => c.is_control(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Takes the backslashes out of a pattern.
pub(crate) fn unescape(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// Path names that match, in order; empty if none does.
pub(crate) fn glob(pattern: &str, files: &Files<'_>) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') {
        "/".to_string()
    } else {
        String::new()
    }];
    let parts: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty()).collect();
    for (i, part) in parts.iter().enumerate() {
        let last = i + 1 == parts.len();
        let mut next = Vec::new();
        let magic = part.contains(['*', '?', '[']);
        for base in &found {
            if !magic {
                let path = format!("{base}{}", unescape(part));
                if files.find(&path, false).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let dir = if base.is_empty() { "." } else { base };
            let hidden = part.starts_with('.') || part.starts_with("\\.");
            let mut names: Vec<String> = files
                .list(dir)
                .unwrap_or_default()
                .iter()
                .map(|n| n.to_string())
                .collect();
            if hidden {
                names.insert(0, "..".into());
                names.insert(0, ".".into());
            }
            for name in names {
                if name.starts_with('.') && !hidden || !matches(part, &name) {
                    continue;
                }
                next.push(format!("{base}{name}"));
                if next.len() > LIMIT {
                    return Vec::new();
                }
            }
        }
        if !last {
            next.retain(|p| files.is_dir(p));
            next.iter_mut().for_each(|p| p.push('/'));
        } else if pattern.ends_with('/') {
            next.retain(|p| files.is_dir(p));
            next.iter_mut().for_each(|p| p.push('/'));
        }
        found = next;
    }
    found.sort();
    found
}
