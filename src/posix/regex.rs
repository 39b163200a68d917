//! POSIX regular expressions, basic and extended, on top of `regex-lite`.
//!
//! Only the syntax is translated; matching is leftmost-first instead of leftmost-longest, which differs for
//! alternatives where one is a prefix of another, and back-references are refused.

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    inner: regex_lite::Regex,
}

/// Compiled size allowed, so that `{1000}{1000}` is refused.
const SIZE_LIMIT: usize = 1 << 20;

impl Regex {
    /// As `grep` and `sed` read it.
    pub(crate) fn basic(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::compile(&translate(pattern, false)?, ignore_case)
    }

    /// As `grep -E`, `awk` and `[[ =~ ]]` read it.
    pub(crate) fn extended(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::compile(&translate(pattern, true)?, ignore_case)
    }

    /// A plain text (`grep -F`).
    pub(crate) fn fixed(text: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::compile(&regex_lite::escape(text), ignore_case)
    }

    /// Syntax of `jq`'s `test` and of other tools whose dialect is close to ours.
    pub(crate) fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        regex_lite::RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(|inner| Regex { inner })
            .map_err(|e| e.to_string())
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.inner.is_match(text)
    }

    /// Start and end of the first match at or after `from`.
    pub(crate) fn find_at(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        self.inner.find_at(text, from).map(|m| (m.start(), m.end()))
    }

    /// Spans of the first match at or after `from` and of its groups.
    pub(crate) fn spans_at(&self, text: &str, from: usize) -> Option<Vec<Option<(usize, usize)>>> {
        let found = self.inner.captures_at(text, from)?;
        Some(
            (0..found.len())
                .map(|i| found.get(i).map(|m| (m.start(), m.end())))
                .collect(),
        )
    }

    /// The first match and its groups.
    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        let spans = self.spans_at(text, 0)?;
        Some(
            spans
                .into_iter()
                .map(|s| s.map(|(a, b)| &text[a..b]))
                .collect(),
        )
    }

    pub(crate) fn group_names(&self) -> Vec<Option<String>> {
        self.inner
            .capture_names()
            .map(|n| n.map(String::from))
            .collect()
    }
}

fn translate(pattern: &str, extended: bool) -> Result<String, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    // Whether a repetition here would have nothing to repeat.
    let mut at_start = true;
    let mut open = 0i32;
    while i < chars.len() {
        let c = chars[i];
        i += 1;
        let mut starts = false;
        match c {
            '\\' => {
                let Some(next) = chars.get(i).copied() else {
                    return Err("Trailing backslash".into());
                };
                i += 1;
                match next {
                    '(' | ')' | '{' | '}' | '|' if !extended => {
                        match next {
                            '(' => open += 1,
                            ')' => open -= 1,
                            _ => {}
                        }
                        if open < 0 {
                            return Err("Unmatched ) or \\)".into());
                        }
                        out.push(next);
                        starts = next == '(' || next == '|';
                    }
                    '+' | '?' if !extended => out.push(next),
                    '<' => out.push_str("\\b"),
                    '>' => out.push_str("\\b"),
                    '`' => out.push_str("\\A"),
                    '\'' => out.push_str("\\z"),
                    'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'd'
                    | 'D' => {
                        out.push('\\');
                        out.push(next);
                    }
                    '1'..='9' => return Err("back-references are not supported".into()),
                    next if next.is_ascii_punctuation() => {
                        out.push('\\');
                        out.push(next);
                    }
                    next => out.push(next),
                }
            }
            '[' => i = bracket(&chars, i, &mut out)?,
            '*' if at_start => out.push_str("\\*"),
            '+' | '?' if extended && at_start => {
                out.push('\\');
                out.push(c);
            }
            '(' | ')' | '|' if extended => {
                match c {
                    '(' => open += 1,
                    ')' if open == 0 => {
                        out.push_str("\\)");
                        at_start = false;
                        continue;
                    }
                    ')' => open -= 1,
                    _ => {}
                }
                out.push(c);
                starts = c != ')';
            }
            '{' if extended && is_interval(&chars[i..]) && !at_start => out.push('{'),
            '}' if extended
                && out
                    .rfind('{')
                    .is_some_and(|o| !out[..o].ends_with('\\') && !out[o..].contains('}')) =>
            {
                out.push('}');
            }
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if !extended || c == '{' || c == '}' => {
                out.push('\\');
                out.push(c);
            }
            '^' if !extended && !at_start => out.push_str("\\^"),
            '^' => {
                out.push('^');
                starts = true;
            }
            '$' if !extended => {
                let ends = i == chars.len()
                    || chars.get(i) == Some(&'\\') && matches!(chars.get(i + 1), Some(')' | '|'));
                out.push_str(if ends { "$" } else { "\\$" });
            }
            c => out.push(c),
        }
        at_start = starts;
    }
    if open > 0 {
        return Err("Unmatched ( or \\(".into());
    }
    Ok(out)
}

fn is_interval(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else {
        return false;
    };
    end > 0 && rest[..end].iter().all(|c| c.is_ascii_digit() || *c == ',') && rest[0] != ','
}

/// Copies a bracket expression; `i` is after the `[`. Gives the position after the `]`.
fn bracket(chars: &[char], mut i: usize, out: &mut String) -> Result<usize, String> {
    let unmatched = || "Unmatched [, [^, [:, [., or [=".to_string();
    out.push('[');
    if chars.get(i) == Some(&'^') {
        out.push('^');
        i += 1;
    }
    let mut first = true;
    loop {
        let c = *chars.get(i).ok_or_else(unmatched)?;
        i += 1;
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(i);
            }
            '[' if chars.get(i) == Some(&':') => {
                let rest = &chars[i..];
                let end = rest
                    .windows(2)
                    .skip(1)
                    .position(|w| w == [':', ']'])
                    .ok_or_else(unmatched)?
                    + 1;
                let name: String = rest[1..end].iter().collect();
                out.push_str(&format!("[:{name}:]"));
                i += end + 2;
            }
            '\\' if matches!(
                chars.get(i),
                Some('n' | 't' | 'r' | ']' | '\\' | '.' | '-' | '/' | '[' | '"' | 'w' | 's' | 'd')
            ) =>
            {
                // Not POSIX, but every tool people use reads these as escapes or does not care.
                out.push('\\');
                out.push(chars[i]);
                i += 1;
            }
            '\\' | '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        first = false;
    }
}
