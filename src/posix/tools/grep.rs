//! `grep`.

use super::{Context, Filter, Options};
use crate::files::{Errno, Kind};
use crate::regex::Regex;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Grep {
    patterns: Vec<Regex>,
    invert: bool,
    count: bool,
    number: bool,
    quiet: bool,
    only: bool,
    whole_line: bool,
    whole_word: bool,
    list: bool,
    list_without: bool,
    with_name: bool,
    no_messages: bool,
    max: Option<u64>,
    before: usize,
    after: usize,
    name: Arc<str>,
    line: u64,
    matched: u64,
    any: bool,
    /// An input could not be read, and it was not to be told.
    trouble: bool,
    held: Vec<(u64, String)>,
    after_left: usize,
    last_printed: Option<u64>,
}

pub(super) fn grep(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let args: Vec<Arc<str>> = c
        .args()
        .iter()
        .map(|a| match a.strip_prefix('-') {
            // grep -5: context of five lines.
            Some(n) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => {
                format!("-C{n}").into()
            }
            _ => a.clone(),
        })
        .collect();
    let long = [
        ("ignore-case", 'i'),
        ("invert-match", 'v'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("perl-regexp", 'P'),
        ("count", 'c'),
        ("line-number", 'n'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("only-matching", 'o'),
        ("recursive", 'r'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("files-with-matches", 'l'),
        ("files-without-match", 'L'),
        ("no-filename", 'h'),
        ("with-filename", 'H'),
        ("no-messages", 's'),
        ("line-buffered", 'Z'),
        ("color", 'Z'),
        ("colour", 'Z'),
        ("text", 'a'),
        ("regexp=", 'e'),
        ("file=", 'f'),
        ("max-count=", 'm'),
        ("after-context=", 'A'),
        ("before-context=", 'B'),
        ("context=", 'C'),
        ("include=", 'I'),
    ];
    let mut o = Options::parse_args(c, &args, "ivEFPGcnqorRwxlLhHsaZUz", "efmABC", &long, false)?;
    let mut texts: Vec<String> = o.values('e').iter().map(|t| t.to_string()).collect();
    if let Some(path) = o.value('f').map(String::from) {
        let text = c.text_of(&path).ok_or(2)?;
        texts.extend(text.lines().map(String::from));
    } else if texts.is_empty() {
        if o.operands.is_empty() {
            let usage = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
            c.err.extend_from_slice(usage.as_bytes());
            return Err(2);
        }
        texts.push(o.operands.remove(0).to_string());
    }
    let ignore_case = o.has('i');
    let extended = o.has('E') || c.name() == "egrep";
    let fixed = o.has('F') || c.name() == "fgrep";
    let mut patterns = Vec::new();
    for text in texts.iter().flat_map(|t| t.split('\n')) {
        let compiled = if fixed {
            Regex::fixed(text, ignore_case)
        } else if o.has('P') {
            Regex::compile(text, ignore_case)
        } else if extended {
            Regex::extended(text, ignore_case)
        } else {
            Regex::basic(text, ignore_case)
        };
        match compiled {
            Ok(regex) => patterns.push(regex),
            Err(message) => return Err(c.fail(2, &message)),
        }
    }
    let mut number = |letter: char| -> Result<Option<u64>, i32> {
        let Some(text) = o.value(letter).map(String::from) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(n) => Ok(Some(n)),
            Err(_) => Err(c.fail(2, &format!("{text}: invalid context length argument"))),
        }
    };
    let context = number('C')?.unwrap_or(0);
    let before = number('B')?.unwrap_or(context);
    let after = number('A')?.unwrap_or(context);
    let max = number('m')?;
    let mut trouble = false;
    let recursive = o.has('r') || o.has('R');
    let mut sources = o.sources();
    if recursive {
        if o.operands.is_empty() {
            sources = vec![".".into()];
        }
        let mut all = Vec::new();
        for source in &sources {
            walk(c, source, &mut all);
        }
        sources = all;
    } else {
        for source in &sources {
            if &**source != "-" && c.files().is_dir(source) && !o.has('s') && !c.busybox() {
                c.warn(&format!("{source}: {}", Errno::IsDirectory));
            }
        }
        let before = sources.len();
        sources.retain(|s| &**s == "-" || !c.files().is_dir(s));
        trouble |= sources.len() < before;
    }
    let mut grep = Grep {
        patterns,
        invert: o.has('v'),
        count: o.has('c'),
        number: o.has('n'),
        quiet: o.has('q'),
        only: o.has('o'),
        whole_line: o.has('x'),
        whole_word: o.has('w'),
        list: o.has('l'),
        list_without: o.has('L'),
        with_name: (o.operands.len() > 1 || recursive || o.has('H')) && !o.has('h'),
        no_messages: o.has('s'),
        max,
        before: before.min(1 << 30) as usize,
        after: after.min(1 << 40) as usize,
        name: "-".into(),
        line: 0,
        matched: 0,
        any: false,
        trouble,
        held: Vec::new(),
        after_left: 0,
        last_printed: None,
    };
    if grep.no_messages {
        let before = sources.len();
        sources.retain(|s| &**s == "-" || c.files().exists(s));
        grep.trouble |= sources.len() < before;
    }
    Ok((Filter::Grep(Box::new(grep)), sources))
}

fn walk(c: &mut Context<'_, '_>, path: &str, all: &mut Vec<Arc<str>>) {
    let is_dir = c
        .files()
        .stat(path, true)
        .is_ok_and(|s| s.kind == Kind::Directory);
    if !is_dir || all.len() > 10_000 {
        all.push(path.into());
        return;
    }
    for name in c.files().list(path).unwrap_or_default() {
        let child = format!("{}/{name}", path.trim_end_matches('/'));
        let link = c
            .files()
            .stat(&child, false)
            .is_ok_and(|s| s.kind == Kind::Symlink);
        if !link {
            walk(c, &child, all);
        }
    }
}

impl Grep {
    pub(crate) fn begin(&mut self, name: &Arc<str>) {
        self.name = if &**name == "-" {
            "(standard input)".into()
        } else {
            name.clone()
        };
        self.line = 0;
        self.matched = 0;
        self.held.clear();
        self.after_left = 0;
        self.last_printed = None;
    }

    /// With `-q` the first match decides.
    pub(crate) fn decided(&self) -> bool {
        self.quiet && self.any
    }

    fn first_match(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize)> = None;
        for regex in &self.patterns {
            let mut at = from;
            while let Some((start, end)) = regex.find_at(text, at) {
                if self.fits(text, start, end) {
                    let better = best.is_none_or(|(s, e)| start < s || start == s && end > e);
                    if better {
                        best = Some((start, end));
                    }
                    break;
                }
                let Some(next) = text[start..].chars().next() else {
                    break;
                };
                at = start + next.len_utf8();
            }
        }
        best
    }

    fn fits(&self, text: &str, start: usize, end: usize) -> bool {
        if self.whole_line {
            return start == 0 && end == text.len();
        }
        if self.whole_word {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            return !text[..start].chars().next_back().is_some_and(word)
                && !text[end..].chars().next().is_some_and(word);
        }
        true
    }

    pub(crate) fn line(&mut self, text: &str, c: &mut Context<'_, '_>) -> bool {
        self.line += 1;
        let found = self.first_match(text, 0);
        if found.is_some() == self.invert {
            self.no_match(text, c);
            return true;
        }
        self.matched += 1;
        self.any = true;
        if self.quiet {
            return false;
        }
        if self.list || self.list_without {
            return false;
        }
        if !self.count {
            if self.only && !self.invert {
                self.print_matches(text, c);
            } else {
                self.print_with_context(text, c);
            }
        }
        self.max.is_none_or(|max| self.matched < max)
    }

    fn no_match(&mut self, text: &str, c: &mut Context<'_, '_>) {
        if self.count || self.quiet || self.only || self.list || self.list_without {
            return;
        }
        if self.after_left > 0 {
            self.after_left -= 1;
            self.print(self.line, '-', text, c);
        } else if self.before > 0 {
            self.held.push((self.line, text.to_string()));
            if self.held.len() > self.before {
                self.held.remove(0);
            }
        }
    }

    fn print_matches(&mut self, text: &str, c: &mut Context<'_, '_>) {
        let mut at = 0;
        while let Some((start, end)) = self.first_match(text, at) {
            if end > start {
                self.print(self.line, ':', &text[start..end], c);
                at = end;
            } else {
                let Some(next) = text[end..].chars().next() else {
                    break;
                };
                at = end + next.len_utf8();
            }
            if at > text.len() {
                break;
            }
        }
    }

    fn print_with_context(&mut self, text: &str, c: &mut Context<'_, '_>) {
        let held = std::mem::take(&mut self.held);
        let first = held.first().map_or(self.line, |(n, _)| *n);
        if (self.before > 0 || self.after > 0)
            && self.last_printed.is_some_and(|last| last + 1 < first)
        {
            c.line("--");
        }
        for (n, line) in held {
            self.print(n, '-', &line, c);
        }
        self.print(self.line, ':', text, c);
        self.after_left = self.after;
    }

    fn print(&mut self, n: u64, mark: char, text: &str, c: &mut Context<'_, '_>) {
        if self.with_name {
            let name = self.name.clone();
            c.say(&format!("{name}{mark}"));
        }
        if self.number {
            c.say(&format!("{n}{mark}"));
        }
        c.line(text);
        self.last_printed = Some(n);
    }

    pub(crate) fn end(&mut self, c: &mut Context<'_, '_>) {
        if self.quiet {
            return;
        }
        let name = self.name.clone();
        if self.list && self.matched > 0 || self.list_without && self.matched == 0 {
            c.line(&name);
        } else if self.count && !self.list && !self.list_without {
            let prefix = if self.with_name {
                format!("{name}:")
            } else {
                String::new()
            };
            c.line(&format!("{prefix}{}", self.matched));
        }
        self.matched = 0;
    }

    pub(crate) fn finish(&mut self, failed: bool) -> i32 {
        match (self.any, failed || self.trouble) {
            (true, _) if self.quiet => 0,
            (_, true) => 2,
            (any, false) => !any as i32,
        }
    }
}
