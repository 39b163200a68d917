//! `sort`.

use super::{Context, Options};
use std::cmp::Ordering;

#[derive(Clone, Copy, Default)]
struct How {
    numeric: bool,
    human: bool,
    version: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    month: bool,
    general: bool,
}

struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    how: Option<How>,
}

fn how(letters: &str) -> How {
    How {
        numeric: letters.contains('n'),
        human: letters.contains('h'),
        version: letters.contains('V'),
        reverse: letters.contains('r'),
        fold: letters.contains('f'),
        blanks: letters.contains('b'),
        month: letters.contains('M'),
        general: letters.contains('g'),
    }
}

fn key(text: &str) -> Option<Key> {
    let position = |text: &str| -> Option<((usize, usize), String)> {
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let (field, char) = text[..end].split_once('.').unwrap_or((&text[..end], "0"));
        Some((
            (field.parse().ok()?, char.parse().ok()?),
            text[end..].to_string(),
        ))
    };
    let (from, to) = match text.split_once(',') {
        Some((from, to)) => (position(from)?, Some(position(to)?)),
        None => (position(text)?, None),
    };
    if from.0.0 == 0 {
        return None;
    }
    let letters = format!("{}{}", from.1, to.as_ref().map_or("", |t| &t.1));
    Some(Key {
        from: from.0,
        to: to.map(|t| t.0),
        how: (!letters.is_empty()).then(|| how(&letters)),
    })
}

/// Byte offsets of the fields of a line.
fn fields(line: &str, separator: Option<char>) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    match separator {
        Some(separator) => {
            let mut start = 0;
            for part in line.split(separator) {
                out.push((start, start + part.len()));
                start += part.len() + separator.len_utf8();
            }
        }
        None => {
            // Blanks before a field belong to it.
            let mut start = 0;
            let mut seen = false;
            for (i, c) in line.char_indices() {
                let blank = c == ' ' || c == '\t';
                if blank && seen {
                    out.push((start, i));
                    start = i;
                    seen = false;
                } else if !blank {
                    seen = true;
                }
            }
            out.push((start, line.len()));
        }
    }
    out
}

fn part<'t>(line: &'t str, key: &Key, separator: Option<char>) -> &'t str {
    let fields = fields(line, separator);
    let Some((start, end)) = fields.get(key.from.0 - 1).copied() else {
        return "";
    };
    let mut start = start;
    let skip = key.from.1.saturating_sub(1);
    if skip > 0 {
        start = line[start..end]
            .char_indices()
            .nth(skip)
            .map_or(end, |(i, _)| start + i);
    }
    let stop = match key.to {
        None => line.len(),
        Some((field, char)) => match fields.get(field.wrapping_sub(1)) {
            None => line.len(),
            Some((_, end)) if char == 0 => *end,
            Some((from, end)) => line[*from..*end]
                .char_indices()
                .nth(char)
                .map_or(*end, |(i, _)| from + i),
        },
    };
    if start <= stop {
        &line[start..stop]
    } else {
        ""
    }
}

fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || *c == '-' && *i == 0))
        .map_or(text.len(), |(i, _)| i);
    text[..end].parse().unwrap_or(0.0)
}

fn human_number(text: &str) -> f64 {
    let scale = match text
        .trim_end()
        .trim_end_matches(['i', 'B'])
        .chars()
        .next_back()
    {
        Some('k' | 'K') => 1024.0,
        Some('M') => 1024.0 * 1024.0,
        Some('G') => 1024.0 * 1024.0 * 1024.0,
        Some('T') => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    number(text) * scale
}

fn month(text: &str) -> usize {
    let names = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start: String = text
        .trim_start()
        .chars()
        .take(3)
        .collect::<String>()
        .to_lowercase();
    names.iter().position(|n| *n == start).map_or(0, |i| i + 1)
}

fn version(a: &str, b: &str) -> Ordering {
    let split = |t: &str| -> Vec<(bool, String)> {
        let mut out: Vec<(bool, String)> = Vec::new();
        for c in t.chars() {
            let digit = c.is_ascii_digit();
            match out.last_mut() {
                Some((d, text)) if *d == digit => text.push(c),
                _ => out.push((digit, c.to_string())),
            }
        }
        out
    };
    for (x, y) in split(a).iter().zip(split(b).iter()) {
        let order = if x.0 && y.0 {
            let (p, q) = (x.1.trim_start_matches('0'), y.1.trim_start_matches('0'));
            p.len().cmp(&q.len()).then_with(|| p.cmp(q))
        } else {
            x.1.cmp(&y.1)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn compare(a: &str, b: &str, how: How) -> Ordering {
    let (a, b) = if how.blanks {
        (a.trim_start(), b.trim_start())
    } else {
        (a, b)
    };
    let order = if how.numeric || how.general {
        number(a).total_cmp(&number(b))
    } else if how.human {
        human_number(a).total_cmp(&human_number(b))
    } else if how.version {
        version(a, b)
    } else if how.month {
        month(a).cmp(&month(b))
    } else if how.fold {
        a.to_uppercase().cmp(&b.to_uppercase())
    } else {
        a.cmp(b)
    };
    if how.reverse { order.reverse() } else { order }
}

pub(super) fn sort(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("unique", 'u'),
        ("key=", 'k'),
        ("field-separator=", 't'),
        ("ignore-case", 'f'),
        ("human-numeric-sort", 'h'),
        ("version-sort", 'V'),
        ("stable", 's'),
        ("check", 'c'),
        ("output=", 'o'),
    ];
    let o = match Options::parse(c, "nrufbhVscMgdiCz", "kto", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let letters: String = o.letters().collect();
    let global = how(&letters);
    let mut keys = Vec::new();
    for text in o.values('k') {
        match key(text) {
            Some(key) => keys.push(key),
            None => {
                let text = text.to_string();
                return c.fail(2, &format!("-: invalid field specification '{text}'"));
            }
        }
    }
    let separator = o.value('t').and_then(|t| {
        let t = if t == "\\t" { "\t" } else { t };
        t.chars().next()
    });
    let mut lines: Vec<String> = Vec::new();
    for source in o.sources() {
        match c.text_of(&source) {
            Some(text) => lines.extend(text.lines().map(String::from)),
            None => return 2,
        }
    }
    if c.wants_input {
        return 0;
    }
    let by_keys = |a: &String, b: &String| {
        if keys.is_empty() {
            return compare(a, b, global);
        }
        for key in &keys {
            let how = key.how.unwrap_or(global);
            let order = compare(part(a, key, separator), part(b, key, separator), how);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    };
    let last_resort = |a: &String, b: &String| {
        if o.has('s') || o.has('u') {
            return Ordering::Equal;
        }
        let order = a.cmp(b);
        if global.reverse {
            order.reverse()
        } else {
            order
        }
    };
    if o.has('c') || o.has('C') {
        for (i, pair) in lines.windows(2).enumerate() {
            if by_keys(&pair[0], &pair[1]) == Ordering::Greater {
                let source = o.sources()[0].clone();
                return c.fail(1, &format!("{source}:{}: disorder: {}", i + 2, pair[1]));
            }
        }
        return 0;
    }
    lines.sort_by(|a, b| by_keys(a, b).then_with(|| last_resort(a, b)));
    if o.has('u') {
        lines.dedup_by(|a, b| by_keys(a, b) == Ordering::Equal);
    }
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    match o.value('o').map(String::from) {
        Some(path) => match c.files().write(&path, text.as_bytes()) {
            Ok(()) => 0,
            Err(errno) => c.fail(2, &format!("open failed: {path}: {errno}")),
        },
        None => {
            c.say(&text);
            0
        }
    }
}
