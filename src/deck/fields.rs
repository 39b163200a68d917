//! Reads values out of YAML mappings and says what is wrong with them.

use serde_yaml::{Mapping, Value};

use crate::problems::{Problems, suggest};
use crate::{Scalar, Words};

/// A scalar as its author wrote it; lists of scalars joined by a comma. `None` for anything nested.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null => Some(String::new()),
        Value::Sequence(items) => {
            let items: Option<Vec<String>> = items.iter().map(text).collect();
            items.map(|items| items.join(", "))
        }
        _ => None,
    }
}

/// A scalar to compare a field with.
pub(crate) fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Bool(bool) => Some(Scalar::Bool(*bool)),
        Value::Number(number) => Some(
            number
                .as_i64()
                .map_or_else(|| Scalar::Text(number.to_string()), Scalar::Number),
        ),
        _ => None,
    }
}

/// A sentence: one string for a deck of one language, or `{ja: …, en: …}`.
pub(crate) fn words(value: &Value) -> Option<Words> {
    match value {
        Value::Mapping(mapping) => {
            let ja = mapping.get("ja").and_then(text);
            let en = mapping.get("en").and_then(text);
            let either = ja.clone().or_else(|| en.clone())?;
            Some(Words::new(
                ja.unwrap_or_else(|| either.clone()),
                en.unwrap_or(either),
            ))
        }
        other => text(other).map(Words::same),
    }
}

/// A list of strings, of which a single one may stand for itself; a multi-line string is its lines.
pub(crate) fn lines(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Sequence(items) => items.iter().map(text).collect(),
        Value::Null => Some(Vec::new()),
        other => text(other).map(|text| command_lines(&text)),
    }
}

/// Reports keys that nothing reads.
pub(crate) fn only(mapping: &Mapping, known: &[&str], line: u32, problems: &mut Problems) {
    for key in mapping.keys() {
        let name = text(key).unwrap_or_default();
        if !known.contains(&name.as_str()) {
            let message = Words::new(
                format!("「{name}」というキーはありません"),
                format!("there is no key \"{name}\" here"),
            );
            problems.add(line, message, suggest(&name, known));
        }
    }
}

/// Splits shell text into command lines: comments and blank lines go, `\` continues, a heredoc stays whole.
pub(crate) fn command_lines(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut heredoc: Option<String> = None;
    let mut continued = false;
    for line in text.lines() {
        if let Some(end) = &heredoc {
            let done = line.trim() == end;
            join(&mut out, line);
            if done {
                heredoc = None;
            }
            continue;
        }
        let trimmed = line.trim();
        if continued {
            join(&mut out, line);
        } else if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        } else {
            out.push(String::from(trimmed.strip_prefix("$ ").unwrap_or(trimmed)));
        }
        continued = trimmed.ends_with('\\');
        heredoc = heredoc_end(trimmed);
    }
    out
}

fn join(out: &mut Vec<String>, line: &str) {
    match out.last_mut() {
        Some(last) => {
            last.push('\n');
            last.push_str(line);
        }
        None => out.push(String::from(line)),
    }
}

/// The word that ends the heredoc which this line opens.
fn heredoc_end(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("<<")?;
    if rest.starts_with('<') {
        return None;
    }
    let word: String = rest
        .trim_start_matches('-')
        .trim_start()
        .trim_matches(['\'', '"'])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

/// Loads YAML, but none that multiplies itself by aliases: a deck comes from strangers, and has no use for them.
pub(crate) fn load(source: &str) -> Result<Value, serde_yaml::Error> {
    let is_alias = |(at, _): &(usize, &str)| {
        let before = source[..*at].chars().next_back();
        let after = source[at + 1..].chars().next();
        before.is_none_or(|c| c.is_whitespace() || "[{,:".contains(c))
            && after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if source.match_indices('*').filter(is_alias).count() > MOST_ALIASES {
        return Err(serde::de::Error::custom("too many aliases"));
    }
    serde_yaml::from_str(source)
}

/// With so few, even each doubling the last makes a thousand nodes at most.
const MOST_ALIASES: usize = 10;

/// What is wrong with YAML, without the place: that is counted from the block and would mislead.
pub(crate) fn why(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    String::from(text.split(" at line ").next().unwrap_or(&text))
}

/// Parses YAML of a fence or a comment; an error becomes a problem on its line.
pub(crate) fn mapping(
    source: &str,
    line: u32,
    what: &str,
    problems: &mut Problems,
) -> Option<Mapping> {
    match load(source) {
        Ok(Value::Mapping(mapping)) => Some(mapping),
        Ok(Value::Null) => Some(Mapping::new()),
        Ok(_) => {
            let message = Words::new(
                format!("{what} は「キー: 値」の YAML です"),
                format!("{what} is YAML of \"key: value\""),
            );
            problems.add(
                line,
                message,
                Words::new("例: seed: 7", "for example: seed: 7"),
            );
            None
        }
        Err(error) => {
            let why = why(&error);
            let at = error
                .location()
                .map_or(0, |location| location.line().saturating_sub(1))
                as u32;
            let message = Words::new(
                format!("{what} の YAML が読めません: {why}"),
                format!("{what} is no valid YAML: {why}"),
            );
            let hint = Words::new(
                "字下げは空白で。: や # を含む値は引用符で囲みます",
                "indent with spaces, and quote values that contain : or #",
            );
            problems.add(line + at, message, hint);
            None
        }
    }
}
