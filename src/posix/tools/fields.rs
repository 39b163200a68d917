//! `cut`, `rev`, `uniq`: one line at a time.

use super::{Context, Filter, Options};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// Inclusive ranges, from one.
    ranges: Vec<(usize, usize)>,
    delimiter: Option<String>,
    output: Option<String>,
    only_delimited: bool,
    complement: bool,
}

pub(super) fn cut(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let long = [
        ("fields=", 'f'),
        ("characters=", 'c'),
        ("bytes=", 'b'),
        ("delimiter=", 'd'),
        ("only-delimited", 's'),
        ("output-delimiter=", 'O'),
        ("complement", 'C'),
    ];
    let o = Options::parse(c, "snC", "fcbd", &long)?;
    let Some(list) = o
        .value('f')
        .or(o.value('c'))
        .or(o.value('b'))
        .map(String::from)
    else {
        return Err(c.fail(1, "you must specify a list of bytes, characters, or fields"));
    };
    let mut ranges = Vec::new();
    for item in list.split([',', ' ']) {
        let number = |text: &str, default: usize| match text {
            "" => Some(default),
            text => text.parse::<usize>().ok().filter(|n| *n > 0),
        };
        let range = match item.split_once('-') {
            Some((a, b)) => number(a, 1)
                .zip(number(b, usize::MAX))
                .filter(|_| item != "-"),
            None => number(item, 0).filter(|n| *n > 0).map(|n| (n, n)),
        };
        match range {
            Some(range) => ranges.push(range),
            None if item.starts_with('0') => return Err(c.fail(1, "fields are numbered from 1")),
            None => return Err(c.fail(1, &format!("invalid field value '{item}'"))),
        }
    }
    let delimiter = o.value('d').unwrap_or("\t").to_string();
    if o.has('f') && delimiter.chars().count() > 1 {
        return Err(c.fail(1, "the delimiter must be a single character"));
    }
    let cut = Cut {
        ranges,
        delimiter: o.has('f').then_some(delimiter),
        output: o.value('O').map(String::from),
        only_delimited: o.has('s'),
        complement: o.has('C'),
    };
    Ok((Filter::Cut(cut), o.sources()))
}

impl Cut {
    pub(crate) fn line(&mut self, text: &str, c: &mut Context<'_, '_>) -> bool {
        let wanted =
            |n: usize| self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&n)) != self.complement;
        match &self.delimiter {
            Some(delimiter) => {
                if !text.contains(delimiter.as_str()) {
                    if !self.only_delimited {
                        c.line(text);
                    }
                    return true;
                }
                let fields: Vec<&str> = text
                    .split(delimiter.as_str())
                    .enumerate()
                    .filter(|(i, _)| wanted(i + 1))
                    .map(|(_, f)| f)
                    .collect();
                c.line(&fields.join(self.output.as_deref().unwrap_or(delimiter)));
            }
            None => {
                let chars: String = text
                    .chars()
                    .enumerate()
                    .filter(|(i, _)| wanted(i + 1))
                    .map(|(_, ch)| ch)
                    .collect();
                c.line(&chars);
            }
        }
        true
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Rev;

pub(super) fn rev(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let o = Options::parse(c, "", "", &[])?;
    Ok((Filter::Rev(Rev), o.sources()))
}

impl Rev {
    pub(crate) fn line(&mut self, text: &str, c: &mut Context<'_, '_>) -> bool {
        let text: String = text.chars().rev().collect();
        c.line(&text);
        true
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Uniq {
    count: bool,
    repeated: bool,
    unique: bool,
    ignore_case: bool,
    skip_fields: usize,
    skip_chars: usize,
    last: Option<(String, u64)>,
}

pub(super) fn uniq(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let long = [
        ("count", 'c'),
        ("repeated", 'd'),
        ("unique", 'u'),
        ("ignore-case", 'i'),
        ("skip-fields=", 'f'),
        ("skip-chars=", 's'),
    ];
    let o = Options::parse(c, "cdui", "fsw", &long)?;
    let number = |letter| o.value(letter).and_then(|t| t.parse().ok()).unwrap_or(0);
    let uniq = Uniq {
        count: o.has('c'),
        repeated: o.has('d'),
        unique: o.has('u'),
        ignore_case: o.has('i'),
        skip_fields: number('f'),
        skip_chars: number('s'),
        last: None,
    };
    Ok((
        Filter::Uniq(uniq),
        o.sources().into_iter().take(1).collect(),
    ))
}

impl Uniq {
    fn key<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        let mut rest = text;
        for _ in 0..self.skip_fields {
            rest = rest.trim_start();
            rest = rest.find(char::is_whitespace).map_or("", |i| &rest[i..]);
        }
        let start = rest
            .char_indices()
            .nth(self.skip_chars)
            .map_or(rest.len(), |(i, _)| i);
        let rest = &rest[start..];
        if self.ignore_case {
            rest.to_lowercase().into()
        } else {
            rest.into()
        }
    }

    pub(crate) fn line(&mut self, text: &str, c: &mut Context<'_, '_>) -> bool {
        let same = self
            .last
            .as_ref()
            .is_some_and(|(old, _)| self.key(old) == self.key(text));
        if same {
            if let Some((_, count)) = &mut self.last {
                *count += 1;
            }
            return true;
        }
        self.print(c);
        self.last = Some((text.to_string(), 1));
        true
    }

    fn print(&mut self, c: &mut Context<'_, '_>) {
        let Some((text, count)) = self.last.take() else {
            return;
        };
        if self.repeated && count == 1 || self.unique && count > 1 {
            return;
        }
        if self.count {
            c.say(&format!("{count:>7} "));
        }
        c.line(&text);
    }

    pub(crate) fn finish(&mut self, c: &mut Context<'_, '_>) {
        self.print(c);
    }
}
