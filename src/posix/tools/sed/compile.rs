//! Reads a sed script.

use std::sync::Arc;

use super::script::{Action, Address, Step};
use super::substitute::pieces;
use crate::regex::Regex;

pub(super) struct Compiler {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    steps: Vec<Step>,
    open: Vec<usize>,
}

pub(super) type Compiled<T> = Result<T, (usize, String)>;

impl Compiler {
    pub(super) fn new(text: &str, extended: bool) -> Compiler {
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

    pub(super) fn compile(mut self) -> Compiled<Vec<Step>> {
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
