//! Cuts a Markdown file into slides, line by line, before any Markdown is parsed.
//!
//! Knows the separators of reveal.js, reveal-md, GitPitch and Slidev, front matter at the top and per slide,
//! and speaker notes. Fences and comments are opaque to it, so that a manifest's `---` never cuts a slide.

use serde_yaml::{Mapping, Value};

use crate::{fields, gitpitch};

/// A slide before its Markdown is parsed.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// Whether it stands below the slide before it.
    pub(crate) below: bool,
    /// Line of `text`'s first line in the file, from 1.
    pub(crate) line: u32,
    pub(crate) text: String,
    pub(crate) notes: Option<(u32, String)>,
    /// From per-slide front matter and from `---?key=value`.
    pub(crate) front: Mapping,
    /// Line of an opening fence that nothing closes.
    pub(crate) open_fence: Option<u32>,
    /// Line and error of what looked like per-slide front matter and is none.
    pub(crate) broken_front: Option<(u32, String)>,
}

/// A file's own front matter and its slides.
#[derive(Debug, Default)]
pub(crate) struct Split {
    pub(crate) front: Mapping,
    /// Line and text of what looked like front matter and is none.
    pub(crate) broken_front: Option<(u32, String)>,
    pub(crate) slides: Vec<Raw>,
}

/// Per-slide front matter is short; beyond this a `---` is a separator after all.
const FRONT_LINES: usize = 40;

/// Cuts `text`. `heading_divider` is that of the deck, when an earlier file already set it.
pub(crate) fn split(text: &str, heading_divider: u8) -> Split {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Split::default();
    let mut at = 0;
    let first = lines
        .iter()
        .position(|line| !line.trim().is_empty())
        .unwrap_or(0);
    if lines
        .get(first)
        .is_some_and(|line| line.trim_end() == "---")
    {
        match front_matter(&lines, first + 1) {
            Front::Mapping(mapping, next) => {
                out.front = mapping;
                at = next;
            }
            Front::Broken(line, why, next) => {
                out.broken_front = Some((line, why));
                at = next;
            }
            Front::None => {}
        }
    }
    let divider = out
        .front
        .get("headingDivider")
        .and_then(divider_level)
        .unwrap_or(heading_divider);
    cut(&lines, at, divider, &mut out.slides);
    out
}

/// `headingDivider: 2`, or Marp's list form, of which the deepest level counts.
pub(crate) fn divider_level(value: &Value) -> Option<u8> {
    let level = match value {
        Value::Sequence(levels) => levels.iter().filter_map(Value::as_u64).max()?,
        other => other.as_u64()?,
    };
    Some(level.min(6) as u8)
}

fn cut(lines: &[&str], start: usize, divider: u8, slides: &mut Vec<Raw>) {
    let mut state = Inside::Prose;
    let mut slide = Open::new(start, false);
    let mut at = start;
    while let Some(line) = lines.get(at) {
        if state == Inside::Prose {
            if let Some((below, query)) = separator(lines, at, start) {
                slide.finish(slides);
                slide = Open::new(at + 1, below);
                slide.raw.front = query;
                at += 1;
                let content_follows = lines.get(at).is_some_and(|next| !next.trim().is_empty());
                if !below && content_follows && heading_level(lines[at]).is_none() {
                    match front_matter(lines, at) {
                        Front::Mapping(mapping, next) => {
                            slide.raw.front.extend(mapping);
                            slide.raw.line = next as u32 + 1;
                            at = next;
                        }
                        Front::Broken(line, why, _) => slide.raw.broken_front = Some((line, why)),
                        Front::None => {}
                    }
                }
                continue;
            }
            if divider > 0
                && heading_level(line).is_some_and(|level| level <= divider)
                && slide.has_content
            {
                slide.finish(slides);
                slide = Open::new(at, false);
            }
            if slide.notes.is_none()
                && let Some(rest) = note(line)
            {
                slide.notes = Some((at as u32 + 1, String::from(rest)));
                at += 1;
                continue;
            }
            if let Some(text) = aside(lines, at) {
                let taken = text.lines().count().max(1);
                slide.aside.get_or_insert((at as u32 + 1, text));
                // The lines after it keep their numbers.
                for _ in 0..taken {
                    slide.push("", true);
                }
                at += taken;
                continue;
            }
        }
        state = state.after(line, at);
        slide.push(line, state == Inside::Prose);
        at += 1;
    }
    if let Inside::Fence { line, .. } = state {
        slide.raw.open_fence = Some(line as u32 + 1);
    }
    slide.finish(slides);
}

/// The slide being read.
#[derive(Debug)]
struct Open {
    raw: Raw,
    notes: Option<(u32, String)>,
    /// Notes in reveal.js's own element, after which the slide goes on.
    aside: Option<(u32, String)>,
    has_content: bool,
}

impl Open {
    fn new(at: usize, below: bool) -> Open {
        let raw = Raw {
            below,
            line: at as u32 + 1,
            ..Raw::default()
        };
        Open {
            raw,
            notes: None,
            aside: None,
            has_content: false,
        }
    }

    fn push(&mut self, line: &str, prose: bool) {
        let target = match &mut self.notes {
            Some((_, notes)) => notes,
            None => &mut self.raw.text,
        };
        if prose && line.contains('@') {
            target.push_str(&gitpitch::strip(line));
        } else {
            target.push_str(line);
        }
        target.push('\n');
        self.has_content |= !line.trim().is_empty();
    }

    fn finish(mut self, slides: &mut Vec<Raw>) {
        self.raw.notes = self.notes.or(self.aside);
        let empty = !self.has_content && self.raw.notes.is_none() && self.raw.front.is_empty();
        if !empty {
            slides.push(self.raw);
        }
    }
}

/// What the lines are inside of: only prose can hold a separator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Inside {
    Prose,
    Fence {
        mark: char,
        length: usize,
        line: usize,
    },
    Comment,
}

impl Inside {
    fn after(self, line: &str, at: usize) -> Inside {
        let trimmed = line.trim_start();
        match self {
            Inside::Fence { mark, length, .. } => {
                let run = trimmed.chars().take_while(|c| *c == mark).count();
                let closes = run >= length && trimmed[run..].trim().is_empty();
                if closes { Inside::Prose } else { self }
            }
            Inside::Comment => {
                if line.contains("-->") {
                    Inside::Prose
                } else {
                    self
                }
            }
            Inside::Prose => {
                for mark in ['`', '~'] {
                    let length = trimmed.chars().take_while(|c| *c == mark).count();
                    if length >= 3 && (mark == '~' || !trimmed[length..].contains('`')) {
                        return Inside::Fence {
                            mark,
                            length,
                            line: at,
                        };
                    }
                }
                match line.rfind("<!--") {
                    // A comment's opening in a code span is prose; an odd number of backticks tells.
                    Some(open)
                        if !line[open..].contains("-->")
                            && line[..open].matches('`').count().is_multiple_of(2) =>
                    {
                        Inside::Comment
                    }
                    _ => Inside::Prose,
                }
            }
        }
    }
}

/// Whether the line at `at` separates slides: `(below, its query)`.
fn separator(lines: &[&str], at: usize, start: usize) -> Option<(bool, Mapping)> {
    let line = lines[at].trim_end();
    let blank = |index: Option<usize>| {
        index.is_none_or(|index| {
            index < start || lines.get(index).is_none_or(|line| line.trim().is_empty())
        })
    };
    match line {
        "---" => Some((false, Mapping::new())),
        "+++" | "----" => Some((true, Mapping::new())),
        "--" if blank(at.checked_sub(1)) && blank(Some(at + 1)) => Some((true, Mapping::new())),
        _ => {
            let (below, query) = match (line.strip_prefix("---?"), line.strip_prefix("+++?")) {
                (Some(query), _) => (false, query),
                (_, Some(query)) => (true, query),
                _ => return None,
            };
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            Some((
                below,
                pairs
                    .map(|(key, value)| (Value::from(key), Value::from(value)))
                    .collect(),
            ))
        }
    }
}

/// The level of an ATX heading.
fn heading_level(line: &str) -> Option<u8> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let rest = line.get(level..)?;
    ((1..=6).contains(&level) && (rest.is_empty() || rest.starts_with([' ', '\t'])))
        .then_some(level as u8)
}

/// What follows `Note:` or `Notes:` on a line that begins with it.
fn note(line: &str) -> Option<&str> {
    let (word, rest) = line.split_once(':')?;
    let notes = word.eq_ignore_ascii_case("note") || word.eq_ignore_ascii_case("notes");
    notes.then(|| rest.trim_start())
}

/// The text of `<aside class="notes">…</aside>` that begins on this line and ends at a line's end, line for line, without its tags.
fn aside(lines: &[&str], at: usize) -> Option<String> {
    /// Nobody speaks longer about one slide.
    const LINES: usize = 400;
    let (tag, rest) = lines[at]
        .trim_start()
        .strip_prefix("<aside")?
        .split_once('>')?;
    if !tag.contains("notes") {
        return None;
    }
    let mut text = String::new();
    for (index, line) in lines[at..].iter().take(LINES).enumerate() {
        let line = if index == 0 { rest } else { line };
        if let Some((last, after)) = line.split_once("</aside>") {
            text.push_str(last);
            return after.trim().is_empty().then_some(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    None
}

enum Front {
    /// The mapping, and the index of the line after its closing `---`.
    Mapping(Mapping, usize),
    /// The line and reason why a block between two `---` that reads like front matter is none.
    /// Also the index of the line after its closing `---`.
    Broken(u32, String, usize),
    None,
}

/// Whether the lines from `from` up to the next `---` are a YAML mapping of identifiers.
fn front_matter(lines: &[&str], from: usize) -> Front {
    let window = lines.iter().skip(from).take(FRONT_LINES);
    let Some(length) = window.clone().position(|line| line.trim_end() == "---") else {
        return Front::None;
    };
    let body = &lines[from..from + length];
    let looks_like = body.iter().any(|line| key(line).is_some())
        && body.iter().all(|line| {
            let text = line.trim_start();
            key(line).is_some()
                || text.is_empty()
                || text.starts_with(['#', '-'])
                || text.len() < line.len()
        });
    match fields::load(&body.join("\n")) {
        Ok(Value::Mapping(mapping))
            if mapping
                .keys()
                .all(|key| key.as_str().is_some_and(identifier)) =>
        {
            Front::Mapping(mapping, from + length + 1)
        }
        Ok(Value::Null) if length > 0 && body.iter().all(|line| line.trim().is_empty()) => {
            Front::Mapping(Mapping::new(), from + length + 1)
        }
        Err(error) if looks_like => {
            let line = error.location().map_or(0, |location| location.line());
            Front::Broken(
                (from + line.max(1)) as u32,
                fields::why(&error),
                from + length + 1,
            )
        }
        _ => Front::None,
    }
}

fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.split_once(':')?;
    (identifier(key) && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

fn identifier(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !word.is_empty()
        && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(letters)
        && !word.eq_ignore_ascii_case("note")
        && !word.eq_ignore_ascii_case("notes")
}
