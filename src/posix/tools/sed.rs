//! `sed`: addresses, `s d p n N q Q a i c y = G H g h x D P w` and blocks, branches and labels.

use super::{Context, Filter, Options};
use crate::regex::Regex;
use std::sync::Arc;

/// Jumps within one cycle; a script that loops for ever ends there.
const JUMP_LIMIT: u32 = 20_000;

#[derive(Clone, Debug)]
enum Address {
    Line(u64),
    Last,
    Step {
        first: u64,
        step: u64,
    },
    Match(Arc<Regex>),
    /// `addr,+N`
    Plus(u64),
    /// The empty regular expression: the last one used.
    Again,
}

#[derive(Clone, Debug)]
enum Action {
    Substitute {
        regex: Option<Arc<Regex>>,
        with: Vec<Piece>,
        global: bool,
        print: bool,
        nth: usize,
        write: Option<Arc<str>>,
    },
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Next,
    AppendNext,
    Quit {
        print: bool,
        status: i32,
    },
    Append(Arc<str>),
    Insert(Arc<str>),
    Change(Arc<str>),
    Translate(Vec<(char, char)>),
    Number,
    Get,
    GetAppend,
    Hold,
    HoldAppend,
    Exchange,
    Branch {
        label: Arc<str>,
        if_changed: Option<bool>,
    },
    Label(Arc<str>),
    /// Index just past the block's end.
    Open(usize),
    Close,
    Write(Arc<str>),
    List,
    Nothing,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Group(usize),
    Case(char),
}

#[derive(Clone, Debug)]
struct Step {
    from: Option<Address>,
    to: Option<Address>,
    negate: bool,
    action: Action,
}

/// Where a range address stands.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    active: bool,
    until: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Sed {
    steps: Arc<[Step]>,
    ranges: Vec<Range>,
    quiet: bool,
    in_place: bool,
    suffix: Option<String>,
    line: u64,
    /// One line behind the input, so that `$` is known.
    next: Option<(String, bool)>,
    hold: String,
    name: Arc<str>,
    output: String,
    appended: Vec<String>,
    pattern: Option<String>,
    resume: usize,
    last_regex: Option<Arc<Regex>>,
    quit: Option<i32>,
    open: bool,
}

pub(super) fn sed(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let args: Vec<Arc<str>> = c
        .args()
        .iter()
        .map(|a| match a.strip_prefix("-i") {
            Some(suffix) if !a.starts_with("--") && !suffix.is_empty() => {
                format!("--in-place={suffix}").into()
            }
            _ => a.clone(),
        })
        .collect();
    let long = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression=", 'e'),
        ("file=", 'f'),
        ("regexp-extended", 'E'),
        ("in-place", 'i'),
        ("separate", 's'),
        ("unbuffered", 'u'),
        ("null-data", 'z'),
    ];
    let mut o = Options::parse_args(c, &args, "nErisuz", "ef", &long, false)?;
    let mut script: Vec<String> = o.values('e').iter().map(|t| t.to_string()).collect();
    if let Some(path) = o.value('f').map(String::from) {
        script.push(
            c.text_of(&path)
                .ok_or(1)?
                .trim_end_matches('\n')
                .to_string(),
        );
    }
    if script.is_empty() {
        if o.operands.is_empty() {
            let usage = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n";
            c.err.extend_from_slice(usage.as_bytes());
            return Err(1);
        }
        script.push(o.operands.remove(0).to_string());
    }
    let text = script.join("\n");
    let extended = o.has('E') || o.has('r');
    let steps = match Compiler::new(&text, extended).compile() {
        Ok(steps) => steps,
        Err((at, message)) => {
            let message = if c.busybox() {
                message
            } else {
                format!("-e expression #1, char {at}: {message}")
            };
            return Err(c.fail(1, &message));
        }
    };
    let in_place = o.has('i');
    let sed = Sed {
        ranges: vec![Range::default(); steps.len()],
        quiet: o.has('n') || text.starts_with("#n\n"),
        steps: steps.into(),
        in_place,
        suffix: o.value('i').map(String::from),
        line: 0,
        next: None,
        hold: String::new(),
        name: "-".into(),
        output: String::new(),
        appended: Vec::new(),
        pattern: None,
        resume: 0,
        last_regex: None,
        quit: None,
        open: false,
    };
    Ok((Filter::Sed(Box::new(sed)), o.sources()))
}

impl Sed {
    pub(crate) fn begin(&mut self, name: &Arc<str>) {
        self.name = name.clone();
        self.open = true;
        if self.in_place {
            self.line = 0;
        }
    }

    /// With `-i` every file is a text of its own.
    pub(crate) fn separate(&self) -> bool {
        self.in_place
    }

    pub(crate) fn line(&mut self, text: &str, ended: bool, c: &mut Context<'_, '_>) -> bool {
        if let Some((before, _)) = self.next.replace((text.to_string(), ended)) {
            self.feed(before, false, true, c);
        }
        self.quit.is_none()
    }

    /// The input ends: the line held back is the last.
    pub(crate) fn end(&mut self, c: &mut Context<'_, '_>) {
        if let Some((last, ended)) = self.next.take()
            && self.quit.is_none()
        {
            self.feed(last, true, ended, c);
        }
        if let Some(pattern) = self.pattern.take() {
            // `n` or `N` without a next line: GNU prints what there is.
            if !self.quiet {
                self.put(&pattern, true, c);
            }
            self.flush_appended(c);
        }
        if self.in_place && self.open && &*self.name != "-" {
            let name = self.name.clone();
            let old = c.input(&name).unwrap_or_default();
            if let Some(suffix) = self.suffix.clone() {
                let _ = c.files().write(&format!("{name}{suffix}"), &old);
            }
            // Lines after a quit stay as they are.
            let output = std::mem::take(&mut self.output);
            if let Err(errno) = c.files().write(&name, output.as_bytes()) {
                c.warn(&format!("couldn't open file {name}: {errno}"));
                self.quit.get_or_insert(4);
            }
        }
        self.open = false;
    }

    pub(crate) fn finish(&mut self, failed: bool, c: &mut Context<'_, '_>) -> i32 {
        self.end(c);
        self.quit.unwrap_or(if failed { 2 } else { 0 })
    }

    fn put(&mut self, text: &str, newline: bool, c: &mut Context<'_, '_>) {
        if self.in_place {
            self.output.push_str(text);
            if newline {
                self.output.push('\n');
            }
        } else {
            c.say(text);
            if newline {
                c.out.push(b'\n');
            }
        }
    }

    fn flush_appended(&mut self, c: &mut Context<'_, '_>) {
        for text in std::mem::take(&mut self.appended) {
            self.put(&text, true, c);
        }
    }

    fn feed(&mut self, text: String, last: bool, ended: bool, c: &mut Context<'_, '_>) {
        self.line += 1;
        let (mut space, mut at) = match self.pattern.take() {
            Some(held)
                if matches!(
                    self.steps
                        .get(self.resume.wrapping_sub(1))
                        .map(|s| &s.action),
                    Some(Action::AppendNext)
                ) =>
            {
                (format!("{held}\n{text}"), self.resume)
            }
            Some(_) => (text, self.resume),
            None => (text, 0),
        };
        let steps = self.steps.clone();
        let mut jumps = 0;
        let mut changed = false;
        let mut deleted = false;
        while at < steps.len() {
            let step = &steps[at];
            at += 1;
            if self.selects(at - 1, step, &space, last) == step.negate {
                if let Action::Open(end) = step.action {
                    at = end;
                }
                continue;
            }
            match &step.action {
                Action::Nothing | Action::Label(_) | Action::Open(_) | Action::Close => {}
                Action::Substitute {
                    regex,
                    with,
                    global,
                    print,
                    nth,
                    write,
                } => {
                    if let Some(regex) = regex.clone().or_else(|| self.last_regex.clone()) {
                        self.last_regex = Some(regex.clone());
                        if let Some(new) = substitute(&regex, with, &space, *global, *nth) {
                            space = new;
                            changed = true;
                            if *print {
                                self.put(&space, true, c);
                            }
                            if let Some(path) = write {
                                append_file(c, path, &space);
                            }
                        }
                    }
                }
                Action::Delete => {
                    deleted = true;
                    break;
                }
                Action::DeleteFirst => match space.split_once('\n') {
                    Some((_, rest)) if jumps < JUMP_LIMIT => {
                        space = rest.to_string();
                        self.flush_appended(c);
                        at = 0;
                        jumps += 1;
                    }
                    _ => {
                        deleted = true;
                        break;
                    }
                },
                Action::Print => self.put(&space, true, c),
                Action::PrintFirst => {
                    let first = space.split('\n').next().unwrap_or("").to_string();
                    self.put(&first, true, c);
                }
                Action::Next => {
                    if last {
                        break;
                    }
                    if !self.quiet {
                        self.put(&space, true, c);
                    }
                    self.flush_appended(c);
                    self.pattern = Some(String::new());
                    self.resume = at;
                    return;
                }
                Action::AppendNext => {
                    if last {
                        break;
                    }
                    self.flush_appended(c);
                    self.pattern = Some(space);
                    self.resume = at;
                    return;
                }
                Action::Quit { print, status } => {
                    self.quit = Some(*status);
                    if !print {
                        deleted = true;
                    }
                    break;
                }
                Action::Append(text) => self.appended.push(text.to_string()),
                Action::Insert(text) => self.put(&text.clone(), true, c),
                Action::Change(text) => {
                    let in_range = step.to.is_some() && self.ranges[at - 1].active;
                    if !in_range || step.negate {
                        self.put(&text.clone(), true, c);
                    }
                    deleted = true;
                    break;
                }
                Action::Translate(map) => {
                    space = space
                        .chars()
                        .map(|ch| {
                            map.iter()
                                .find(|(from, _)| *from == ch)
                                .map_or(ch, |(_, to)| *to)
                        })
                        .collect();
                }
                Action::Number => {
                    let n = self.line.to_string();
                    self.put(&n, true, c);
                }
                Action::Get => space = self.hold.clone(),
                Action::GetAppend => {
                    space.push('\n');
                    space.push_str(&self.hold);
                }
                Action::Hold => self.hold = space.clone(),
                Action::HoldAppend => {
                    self.hold.push('\n');
                    self.hold.push_str(&space);
                }
                Action::Exchange => std::mem::swap(&mut self.hold, &mut space),
                Action::Branch { label, if_changed } => {
                    let go = match if_changed {
                        None => true,
                        Some(when) => changed == *when,
                    };
                    if if_changed == &Some(true) && go {
                        changed = false;
                    }
                    jumps += 1;
                    if go && jumps < JUMP_LIMIT {
                        at = if label.is_empty() {
                            steps.len()
                        } else {
                            steps
                                .iter()
                                .position(|s| matches!(&s.action, Action::Label(l) if l == label))
                                .unwrap_or(steps.len())
                        };
                    }
                }
                Action::Write(path) => append_file(c, path, &space),
                Action::List => {
                    let text = space
                        .replace('\\', "\\\\")
                        .replace('\t', "\\t")
                        .replace('\n', "\\n")
                        + "$";
                    self.put(&text, true, c);
                }
            }
            if space.len() > 4 << 20 {
                break;
            }
        }
        if !deleted && !self.quiet {
            self.put(&space, ended, c);
        }
        self.flush_appended(c);
    }

    fn selects(&mut self, i: usize, step: &Step, space: &str, last: bool) -> bool {
        let Some(from) = &step.from else {
            return true;
        };
        let Some(to) = &step.to else {
            return self.hits(from, space, last);
        };
        let line = self.line;
        if self.ranges[i].active {
            let ends = match to {
                Address::Line(n) => line >= *n,
                Address::Plus(_) => line >= self.ranges[i].until,
                to => self.hits(to, space, last),
            };
            if ends {
                self.ranges[i].active = false;
                if let Address::Line(n) = to
                    && line > *n
                {
                    return self.start_range(i, from, to, space, last);
                }
            }
            return true;
        }
        self.start_range(i, from, to, space, last)
    }

    fn start_range(
        &mut self,
        i: usize,
        from: &Address,
        to: &Address,
        space: &str,
        last: bool,
    ) -> bool {
        if let Address::Line(0) = from {
            // `0,/re/`: the range may end in the first line.
            if self.line == 1 {
                self.ranges[i].active = !self.hits(to, space, last);
                return true;
            }
            return false;
        }
        if !self.hits(from, space, last) {
            return false;
        }
        let goes_on = match to {
            Address::Line(n) => *n > self.line,
            Address::Plus(n) => {
                self.ranges[i].until = self.line + n;
                *n > 0
            }
            _ => true,
        };
        self.ranges[i].active = goes_on && !last;
        true
    }

    fn hits(&mut self, address: &Address, space: &str, last: bool) -> bool {
        match address {
            Address::Line(n) => self.line == *n,
            Address::Last => last,
            Address::Step { first, step } => {
                if *step == 0 {
                    self.line == *first
                } else {
                    self.line >= *first && (self.line - first).is_multiple_of(*step)
                }
            }
            Address::Match(regex) => {
                self.last_regex = Some(regex.clone());
                regex.is_match(space)
            }
            Address::Again => self.last_regex.as_ref().is_some_and(|r| r.is_match(space)),
            Address::Plus(_) => false,
        }
    }
}

fn append_file(c: &mut Context<'_, '_>, path: &str, text: &str) {
    match path {
        "/dev/stdout" => c.line(text),
        "/dev/stderr" => c.err.extend_from_slice(format!("{text}\n").as_bytes()),
        path => {
            let mut all = c.input(path).unwrap_or_default();
            all.extend_from_slice(text.as_bytes());
            all.push(b'\n');
            if let Err(errno) = c.files().write(path, &all) {
                c.warn(&format!("couldn't open file {path}: {errno}"));
            }
        }
    }
}

fn substitute(
    regex: &Regex,
    with: &[Piece],
    text: &str,
    global: bool,
    nth: usize,
) -> Option<String> {
    let mut out = String::new();
    let (mut at, mut copied, mut count, mut hit) = (0, 0, 0, false);
    while at <= text.len() {
        let Some(spans) = regex.spans_at(text, at) else {
            break;
        };
        let Some((start, end)) = spans[0] else { break };
        // An empty match right after a match does not count.
        let empty_again = start == end && start == copied && count > 0 && copied == at && at > 0;
        if !empty_again {
            count += 1;
            if count >= nth {
                hit = true;
                out.push_str(&text[copied..start]);
                replacement(&mut out, with, text, &spans);
                copied = end;
                if !global {
                    break;
                }
            }
        }
        at = if end > start {
            end
        } else {
            match text[end..].chars().next() {
                Some(ch) => end + ch.len_utf8(),
                None => break,
            }
        };
    }
    if !hit {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

fn replacement(out: &mut String, with: &[Piece], text: &str, spans: &[Option<(usize, usize)>]) {
    let mut case = 'E';
    let mut once: Option<char> = None;
    for piece in with {
        let piece = match piece {
            Piece::Text(t) => t.as_str(),
            Piece::Group(n) => match spans.get(*n).copied().flatten() {
                Some((a, b)) => &text[a..b],
                None => "",
            },
            Piece::Case(letter @ ('u' | 'l')) => {
                once = Some(*letter);
                continue;
            }
            Piece::Case(letter) => {
                case = *letter;
                continue;
            }
        };
        let changed = match case {
            'U' => piece.to_uppercase(),
            'L' => piece.to_lowercase(),
            _ => piece.to_string(),
        };
        match (once, changed.chars().next()) {
            (Some(letter), Some(first)) => {
                once = None;
                if letter == 'u' {
                    out.extend(first.to_uppercase());
                } else {
                    out.extend(first.to_lowercase());
                }
                out.push_str(&changed[first.len_utf8()..]);
            }
            _ => out.push_str(&changed),
        }
    }
}

struct Compiler {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    steps: Vec<Step>,
    open: Vec<usize>,
}

type Compiled<T> = Result<T, (usize, String)>;

impl Compiler {
    fn new(text: &str, extended: bool) -> Compiler {
        Compiler {
            chars: text.chars().collect(),
            at: 0,
            extended,
            steps: Vec::new(),
            open: Vec::new(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn error<T>(&self, message: &str) -> Compiled<T> {
        Err((self.at, message.to_string()))
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn compile(mut self) -> Compiled<Vec<Step>> {
        loop {
            while matches!(self.peek(), Some(c) if c.is_whitespace() || c == ';') {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            if self.peek() == Some('#') {
                self.rest_of_line();
                continue;
            }
            let from = self.address()?;
            let mut to = None;
            self.blank();
            if from.is_some() && self.peek() == Some(',') {
                self.at += 1;
                self.blank();
                to = self.address()?;
                if to.is_none() {
                    return self.error("unexpected `,'");
                }
            }
            self.blank();
            let negate = self.peek() == Some('!');
            if negate {
                self.at += 1;
                self.blank();
            }
            let action = self.action()?;
            self.steps.push(Step {
                from,
                to,
                negate,
                action,
            });
        }
        if !self.open.is_empty() {
            self.at = 0;
            return self.error("unmatched `{'");
        }
        Ok(self.steps)
    }

    fn number(&mut self) -> Option<u64> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        text.parse().ok()
    }

    fn address(&mut self) -> Compiled<Option<Address>> {
        Ok(Some(match self.peek() {
            Some('$') => {
                self.at += 1;
                Address::Last
            }
            Some('+') => {
                self.at += 1;
                match self.number() {
                    Some(n) => Address::Plus(n),
                    None => return self.error("expected number"),
                }
            }
            Some(c) if c.is_ascii_digit() => {
                let first = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    let step = self.number().unwrap_or(0);
                    Address::Step { first, step }
                } else {
                    Address::Line(first)
                }
            }
            Some(c @ ('/' | '\\')) => {
                self.at += 1;
                let delimiter = if c == '\\' {
                    let d = self.peek().unwrap_or('/');
                    self.at += 1;
                    d
                } else {
                    '/'
                };
                let Some(pattern) = self.until(delimiter, true) else {
                    return self.error("unterminated address regex");
                };
                let ignore = self.peek() == Some('I');
                if ignore {
                    self.at += 1;
                }
                if pattern.is_empty() {
                    Address::Again
                } else {
                    Address::Match(self.regex(&pattern, ignore)?)
                }
            }
            _ => return Ok(None),
        }))
    }

    fn regex(&self, pattern: &str, ignore: bool) -> Compiled<Arc<Regex>> {
        let regex = if self.extended {
            Regex::extended(pattern, ignore)
        } else {
            Regex::basic(pattern, ignore)
        };
        regex.map(Arc::new).map_err(|m| (self.at, m))
    }

    /// Text up to an unescaped delimiter, which is read. In a pattern brackets hide it, and an escaped delimiter
    /// stands for itself.
    fn until(&mut self, delimiter: char, pattern: bool) -> Option<String> {
        let mut text = String::new();
        let mut bracket = false;
        loop {
            let c = self.peek()?;
            self.at += 1;
            match c {
                '\\' => {
                    let next = self.peek()?;
                    self.at += 1;
                    if next == delimiter {
                        text.push(next);
                    } else if next == '\n' && pattern {
                        text.push('\n');
                    } else {
                        text.push('\\');
                        text.push(next);
                    }
                }
                '[' if pattern && !bracket => {
                    bracket = true;
                    text.push(c);
                    // A closing bracket right at the start belongs to the set.
                    if self.peek() == Some('^') {
                        text.push('^');
                        self.at += 1;
                    }
                    if self.peek() == Some(']') {
                        text.push(']');
                        self.at += 1;
                    }
                }
                ']' if bracket => {
                    bracket = false;
                    text.push(c);
                }
                c if c == delimiter && !bracket => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn rest_of_line(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn label(&mut self) -> Arc<str> {
        self.blank();
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| c != '\n' && c != ';' && c != '}')
        {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        text.trim().into()
    }

    /// The text of `a`, `i`, `c`: after a backslash and newline, or on the same line.
    fn text(&mut self) -> Arc<str> {
        self.blank();
        if self.peek() == Some('\\') {
            self.at += 1;
            self.blank();
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '\\' => {
                    match self.peek() {
                        Some('t') => text.push('\t'),
                        Some(next) => text.push(next),
                        None => {}
                    }
                    self.at += 1;
                }
                '\n' => break,
                c => text.push(c),
            }
        }
        text.into()
    }

    fn action(&mut self) -> Compiled<Action> {
        let Some(c) = self.peek() else {
            return self.error("missing command");
        };
        self.at += 1;
        let action = match c {
            '{' => {
                self.open.push(self.steps.len());
                return Ok(Action::Open(0));
            }
            '}' => {
                let Some(open) = self.open.pop() else {
                    return self.error("unexpected `}'");
                };
                self.steps[open].action = Action::Open(self.steps.len() + 1);
                Action::Close
            }
            's' => self.substitution()?,
            'y' => {
                let Some(delimiter) = self.peek() else {
                    return self.error("unterminated `y' command");
                };
                self.at += 1;
                let (Some(from), Some(to)) =
                    (self.until(delimiter, false), self.until(delimiter, false))
                else {
                    return self.error("unterminated `y' command");
                };
                let plain = |t: &str| {
                    t.replace("\\n", "\n")
                        .replace("\\t", "\t")
                        .replace("\\\\", "\\")
                };
                let (from, to) = (plain(&from), plain(&to));
                if from.chars().count() != to.chars().count() {
                    return self.error("strings for `y' command are different lengths");
                }
                Action::Translate(from.chars().zip(to.chars()).collect())
            }
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            'n' => Action::Next,
            'N' => Action::AppendNext,
            'q' | 'Q' => {
                self.blank();
                let status = self.number().unwrap_or(0) as i32;
                Action::Quit {
                    print: c == 'q',
                    status,
                }
            }
            'a' => return Ok(Action::Append(self.text())),
            'i' => return Ok(Action::Insert(self.text())),
            'c' => return Ok(Action::Change(self.text())),
            '=' => Action::Number,
            'l' => Action::List,
            'g' => Action::Get,
            'G' => Action::GetAppend,
            'h' => Action::Hold,
            'H' => Action::HoldAppend,
            'x' => Action::Exchange,
            'b' | 't' | 'T' => Action::Branch {
                label: self.label(),
                if_changed: match c {
                    'b' => None,
                    't' => Some(true),
                    _ => Some(false),
                },
            },
            ':' => Action::Label(self.label()),
            'w' => {
                self.blank();
                let path: Arc<str> = self.rest_of_line().trim().into();
                Action::Write(path)
            }
            '#' => {
                self.rest_of_line();
                Action::Nothing
            }
            _ => return self.error(&format!("unknown command: `{c}'")),
        };
        self.blank();
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(action),
            Some(_) => {
                self.at += 1;
                self.error("extra characters after command")
            }
        }
    }

    fn substitution(&mut self) -> Compiled<Action> {
        let Some(delimiter) = self.peek() else {
            return self.error("unterminated `s' command");
        };
        self.at += 1;
        let (Some(pattern), Some(with)) =
            (self.until(delimiter, true), self.until(delimiter, false))
        else {
            return self.error("unterminated `s' command");
        };
        let (mut global, mut print, mut ignore, mut nth, mut write) =
            (false, false, false, 1, None);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore = true,
                Some('m' | 'M' | 'e') => {}
                Some(c) if c.is_ascii_digit() => {
                    nth = self.number().unwrap_or(1).max(1) as usize;
                    continue;
                }
                Some('w') => {
                    self.at += 1;
                    self.blank();
                    write = Some(Arc::from(self.rest_of_line().trim()));
                    break;
                }
                Some('\n' | ';' | '}' | '#' | ' ' | '\t') | None => break,
                Some(_) => {
                    self.at += 1;
                    return self.error("unknown option to `s'");
                }
            }
            self.at += 1;
        }
        let regex = if pattern.is_empty() {
            None
        } else {
            Some(self.regex(&pattern, ignore)?)
        };
        Ok(Action::Substitute {
            regex,
            with: pieces(&with),
            global,
            print,
            nth,
            write,
        })
    }
}

fn pieces(with: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = with.chars();
    let mut flush = |text: &mut String, piece: Piece| {
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(text)));
        }
        pieces.push(piece);
    };
    while let Some(c) = chars.next() {
        match c {
            '&' => flush(&mut text, Piece::Group(0)),
            '\\' => match chars.next() {
                Some(d @ '0'..='9') => flush(&mut text, Piece::Group(d as usize - '0' as usize)),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(letter @ ('U' | 'L' | 'E' | 'u' | 'l')) => {
                    flush(&mut text, Piece::Case(letter))
                }
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}
