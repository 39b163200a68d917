//! `sed`: addresses, `s d p n N q Q a i c y = G H g h x D P w` and blocks, branches and labels.

mod choose;
mod compile;
mod script;
mod substitute;

use super::{Context, Filter, Options};
use crate::regex::Regex;
use choose::Range;
use compile::Compiler;
use script::{Action, Step};
use std::sync::Arc;
use substitute::substitute;

/// Jumps within one cycle; a script that loops for ever ends there.
const JUMP_LIMIT: u32 = 20_000;

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
