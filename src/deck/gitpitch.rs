//! Takes GitPitch's `@` marks out of a line and keeps the text that they dress.
//!
//! The service is closed and its decks are still around. `@[1-3](caption)` after a code block becomes a
//! highlight step, `@ul` … `@ulend` lists that appear item by item; the rest is decoration.

/// Marks whose brackets hold arguments and whose parentheses hold the text.
const WITH_TEXT: [&str; 12] = [
    "size", "color", "css", "box", "note", "quote", "emphasis", "fa", "emoji", "math", "anchor",
    "title",
];
/// Marks that leave nothing behind.
const ALONE: [&str; 17] = [
    "snap",
    "snapend",
    "div",
    "divend",
    "ulend",
    "ul",
    "olend",
    "ol",
    "transition",
    "css",
    "fa",
    "emoji",
    "audio",
    "ui",
    "uidend",
    "title",
    "size",
];

/// The line without its marks; never adds or removes a line.
pub(crate) fn strip(line: &str) -> String {
    let trimmed = line.trim();
    if let Some(rest) = trimmed.strip_prefix("@[")
        && let Some((range, caption)) = rest.split_once(']')
        && range
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '-' | ',' | ' '))
    {
        let caption = caption.trim_start_matches('(').trim_end_matches(')');
        return format!("<!--@lines {range}-->{caption}");
    }
    if trimmed == "@ulend" || trimmed == "@olend" {
        return String::from("<!--@</v-clicks>-->");
    }
    if starts_mark(trimmed, "ul") || starts_mark(trimmed, "ol") {
        return String::from("<!--@<v-clicks>-->");
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('@') {
        let (before, mark) = rest.split_at(at);
        out.push_str(before);
        match take_mark(mark) {
            Some((text, after)) => {
                out.push_str(text);
                rest = after;
            }
            None => {
                out.push('@');
                rest = &mark[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn starts_mark(line: &str, name: &str) -> bool {
    line.strip_prefix('@')
        .and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| {
            rest.is_empty()
                || (rest.starts_with('[') || rest.starts_with('(')) && rest.ends_with([']', ')'])
        })
}

/// `(text that stays, what follows the mark)` if `mark` begins with one that we know.
fn take_mark(mark: &str) -> Option<(&str, &str)> {
    let name_end = mark[1..]
        .find(|c: char| !c.is_ascii_alphabetic())
        .map_or(mark.len(), |at| at + 1);
    let name = &mark[1..name_end];
    let mut rest = &mark[name_end..];
    let mut dressed = false;
    if let Some(inner) = rest.strip_prefix('[') {
        let close = inner.find(']')?;
        rest = &inner[close + 1..];
        dressed = true;
    }
    if dressed && WITH_TEXT.contains(&name) && rest.starts_with('(') {
        let close = rest.find(')')?;
        return Some((&rest[1..close], &rest[close + 1..]));
    }
    let known = ALONE.contains(&name) && (dressed || name.ends_with("end"));
    known.then_some(("", rest))
}
