//! Words: quotes, parameters, substitutions.

use super::braced::param;
use super::error::Parsed;
use super::*;
use std::sync::Arc;

/// Where a word is read, which decides what ends it and what is special.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// An ordinary word: blanks and operators end it.
    Plain,
    /// Until an unquoted character (a subscript, `${x/pattern`).
    Until(char),
    /// The word of a `${x:-word}`: until `}`; blanks belong to it.
    Brace { in_double: bool },
    /// The right side of `=~`: parentheses and bars belong to it.
    Regex,
}

impl Parser<'_> {
    /// The next word, if one starts here.
    pub(super) fn word(&mut self) -> Parsed<Option<Word>> {
        let parts = self.parts(Mode::Plain)?;
        Ok(parts.map(Vec::into_boxed_slice))
    }

    pub(super) fn word_until(&mut self, end: char) -> Parsed<Word> {
        Ok(self.parts(Mode::Until(end))?.unwrap_or_default().into())
    }

    pub(super) fn regex_word(&mut self) -> Parsed<Word> {
        match self.parts(Mode::Regex)? {
            Some(parts) => Ok(parts.into()),
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn parts(&mut self, mode: Mode) -> Parsed<Option<Vec<Part>>> {
        self.deeper()?;
        let mut parts: Vec<Part> = Vec::new();
        let mut lit = String::new();
        let mut started = false;
        let mut parens = 0u32;
        while let Some(c) = self.peek() {
            let ends = match mode {
                Mode::Plain => c.is_ascii_whitespace() || ";&|()<>".contains(c),
                Mode::Until(end) => c == end || c == '\n',
                Mode::Brace { .. } => c == '}',
                Mode::Regex => parens == 0 && (c.is_ascii_whitespace() || c == ')') || c == '&',
            };
            let process = matches!(c, '<' | '>')
                && mode == Mode::Plain
                && self.dialect != Dialect::Dash
                && self.peek_at(1) == Some('(');
            if ends && !process {
                break;
            }
            started = true;
            match c {
                '<' | '>' if process => {
                    flush(&mut lit, &mut parts);
                    self.at += 2;
                    let cmd = self.nested_commands(')')?;
                    parts.push(Part::Process {
                        reads: c == '<',
                        cmd,
                    });
                }
                '\\' => {
                    self.bump();
                    match self.peek() {
                        Some('\n') => {
                            self.bump();
                            started = started && (!parts.is_empty() || !lit.is_empty());
                        }
                        Some(next) => {
                            if let (Mode::Brace { in_double: true }, false) =
                                (mode, "$`\"\\}".contains(next))
                            {
                                lit.push('\\');
                            } else if mode == Mode::Regex {
                                lit.push('\\');
                                lit.push(next);
                                self.bump();
                            } else {
                                flush(&mut lit, &mut parts);
                                self.bump();
                                parts.push(Part::Quoted(next.to_string().into()));
                            }
                        }
                        None if self.more_may_come => return self.incomplete("\\"),
                        None => lit.push('\\'),
                    }
                }
                '\'' if mode != (Mode::Brace { in_double: true }) => {
                    flush(&mut lit, &mut parts);
                    self.bump();
                    parts.push(Part::Quoted(self.until_quote()?.into()));
                }
                '"' => {
                    flush(&mut lit, &mut parts);
                    self.bump();
                    let inside = self.double_quoted()?;
                    parts.push(Part::Double(inside));
                }
                '$' | '`' => {
                    flush(&mut lit, &mut parts);
                    let in_double = mode == (Mode::Brace { in_double: true });
                    match self.dollar(in_double)? {
                        Some(part) => parts.push(part),
                        None => lit.push(self.bump().expect("a character was seen")),
                    }
                }
                '~' if parts.is_empty() && lit.is_empty() && mode == Mode::Plain => {
                    self.bump();
                    let user: String = self
                        .rest()
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || "_-+".contains(*c))
                        .collect();
                    self.at += user.len();
                    parts.push(Part::Tilde(user.into()));
                }
                _ => {
                    if mode == Mode::Regex {
                        match c {
                            '(' => parens += 1,
                            ')' => parens -= 1,
                            _ => {}
                        }
                    }
                    lit.push(c);
                    self.bump();
                }
            }
        }
        self.depth -= 1;
        flush(&mut lit, &mut parts);
        Ok(started.then_some(parts))
    }

    pub(super) fn until_quote(&mut self) -> Parsed<String> {
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.incomplete("'"),
                Some('\'') => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    /// The inside of double quotes; the opening quote was read.
    pub(super) fn double_quoted(&mut self) -> Parsed<Word> {
        self.deeper()?;
        let mut parts = Vec::new();
        let mut lit = String::new();
        loop {
            match self.peek() {
                None => return self.incomplete("\""),
                Some('"') => {
                    self.bump();
                    break;
                }
                Some(_) => self.quoted_piece(&mut lit, &mut parts, true)?,
            }
        }
        flush_quoted(&mut lit, &mut parts);
        self.depth -= 1;
        Ok(parts.into())
    }

    /// Text in which only `$`, backquotes and backslashes are special (here-documents, arithmetic).
    pub(super) fn quoted_text(text: &str, dialect: Dialect, line: u32, depth: u32) -> Parsed<Word> {
        let mut inner = Parser::resume(text, 0, line, dialect);
        inner.depth = depth;
        let mut parts = Vec::new();
        let mut lit = String::new();
        while inner.peek().is_some() {
            inner.quoted_piece(&mut lit, &mut parts, false)?;
        }
        flush_quoted(&mut lit, &mut parts);
        Ok(parts.into())
    }

    fn quoted_piece(
        &mut self,
        lit: &mut String,
        parts: &mut Vec<Part>,
        quote_escapes: bool,
    ) -> Parsed<()> {
        match self.peek() {
            Some('\\') => {
                self.bump();
                match self.peek() {
                    Some('\n') => {
                        self.bump();
                    }
                    Some(c) if "$`\\".contains(c) || (c == '"' && quote_escapes) => {
                        lit.push(c);
                        self.bump();
                    }
                    _ => lit.push('\\'),
                }
            }
            Some('$' | '`') => match self.dollar(true)? {
                Some(part) => {
                    flush_quoted(lit, parts);
                    parts.push(part);
                }
                None => lit.push(self.bump().expect("a character was seen")),
            },
            Some(c) => {
                lit.push(c);
                self.bump();
            }
            None => {}
        }
        Ok(())
    }

    /// What starts with `$` or a backquote. `None`: the character is just itself.
    pub(super) fn dollar(&mut self, in_double: bool) -> Parsed<Option<Part>> {
        if self.peek() == Some('`') {
            self.bump();
            return self.backquoted(in_double).map(Some);
        }
        let Some(next) = self.peek_at(1) else {
            return Ok(None);
        };
        match next {
            '(' => {
                if self.peek_at(2) == Some('(') {
                    let save = (self.at, self.line, self.depth);
                    self.at += 3;
                    if let Ok(word) = self.arith_until("))")
                        && self.rest().starts_with("))")
                    {
                        self.at += 2;
                        return Ok(Some(Part::Arith(word)));
                    }
                    (self.at, self.line, self.depth) = save;
                }
                self.at += 2;
                Ok(Some(Part::Command(self.nested_commands(')')?)))
            }
            '{' => {
                self.at += 2;
                self.braced(in_double).map(Some)
            }
            '\'' if !in_double => {
                self.at += 2;
                self.ansi_quoted().map(Some)
            }
            '"' if !in_double => {
                self.at += 1;
                self.bump();
                let inside = self.double_quoted()?;
                Ok(Some(Part::Double(inside)))
            }
            c if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.at += 2;
                Ok(Some(param(c.to_string(), None, ParamOp::Value)))
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                self.at += 1;
                let name = self.name();
                Ok(Some(param(name, None, ParamOp::Value)))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn name(&mut self) -> String {
        let name: String = self
            .rest()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        self.at += name.len();
        name
    }

    /// Commands up to an unquoted closer, which is read.
    fn nested_commands(&mut self, close: char) -> Parsed<Cmd> {
        self.deeper()?;
        let mut items: Vec<(Cmd, bool)> = Vec::new();
        let close_text = close.to_string();
        loop {
            self.skip_newlines();
            match self.peek() {
                None => return self.incomplete(&close_text),
                Some(c) if c == close => {
                    self.at += 1;
                    break;
                }
                _ => {}
            }
            let cmd = self.and_or()?;
            self.skip_blank();
            match self.peek() {
                Some('&') => {
                    self.bump();
                    items.push((cmd, true));
                }
                Some(';') => {
                    self.bump();
                    items.push((cmd, false));
                }
                Some('\n') | None => items.push((cmd, false)),
                Some(c) if c == close => items.push((cmd, false)),
                Some(_) => return Err(self.unexpected()),
            }
        }
        self.depth -= 1;
        Ok(match items.len() {
            0 => Arc::new(Command::Empty),
            1 if !items[0].1 => items.remove(0).0,
            _ => Arc::new(Command::List(items.into())),
        })
    }

    fn backquoted(&mut self, in_double: bool) -> Parsed<Part> {
        let line = self.line;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.incomplete("`"),
                Some('`') => break,
                Some('\\') => match self.peek() {
                    Some(c) if "`\\$".contains(c) || (c == '"' && in_double) => {
                        text.push(c);
                        self.bump();
                    }
                    _ => text.push('\\'),
                },
                Some(c) => text.push(c),
            }
        }
        let mut inner = Parser::resume(&text, 0, line, self.dialect);
        let mut items = Vec::new();
        loop {
            inner.depth = self.depth;
            let Some(cmd) = inner.next_command()? else {
                break;
            };
            items.push((cmd, false));
        }
        Ok(Part::Command(match items.len() {
            0 => Arc::new(Command::Empty),
            1 => items.remove(0).0,
            _ => Arc::new(Command::List(items.into())),
        }))
    }

    fn ansi_quoted(&mut self) -> Parsed<Part> {
        let mut text = Vec::new();
        loop {
            match self.bump() {
                None => return self.incomplete("'"),
                Some('\'') => break,
                Some('\\') => {
                    let Some(c) = self.bump() else {
                        return self.incomplete("'");
                    };
                    let max = match c {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    let value = match c {
                        'n' => 10,
                        't' => 9,
                        'r' => 13,
                        'a' => 7,
                        'b' => 8,
                        'e' | 'E' => 27,
                        'f' => 12,
                        'v' => 11,
                        '\\' | '\'' | '"' | '?' => c as u32,
                        'x' | 'u' | 'U' => {
                            let digits: String = self
                                .rest()
                                .chars()
                                .take(max)
                                .take_while(char::is_ascii_hexdigit)
                                .collect();
                            self.at += digits.len();
                            u32::from_str_radix(&digits, 16).unwrap_or(0)
                        }
                        '0'..='7' => {
                            let more: String = self
                                .rest()
                                .chars()
                                .take(2)
                                .take_while(|c| ('0'..='7').contains(c))
                                .collect();
                            self.at += more.len();
                            u32::from_str_radix(&format!("{c}{more}"), 8).unwrap_or(0)
                        }
                        _ => {
                            text.push('\\');
                            c as u32
                        }
                    };
                    text.push(char::from_u32(value).unwrap_or('\u{fffd}'));
                }
                Some(c) => text.push(c),
            }
        }
        Ok(Part::Quoted(text.into_iter().collect::<String>().into()))
    }

    /// Arithmetic text up to `;` or `))` outside parentheses, which is not read.
    pub(super) fn arith_until(&mut self, end: &str) -> Parsed<Word> {
        let (line, mut open, mut text) = (self.line, 0u32, String::new());
        loop {
            if open == 0 && self.rest().starts_with(end) {
                break;
            }
            match self.peek() {
                None => return self.incomplete(")"),
                Some(c) => {
                    match c {
                        '(' => open += 1,
                        ')' if open == 0 => return Err(self.unexpected()),
                        ')' => open -= 1,
                        '"' => {
                            self.bump();
                            continue;
                        }
                        _ => {}
                    }
                    text.push(c);
                    self.bump();
                }
            }
        }
        Parser::quoted_text(&text, self.dialect, line, self.depth)
    }
}

pub(super) fn flush(lit: &mut String, parts: &mut Vec<Part>) {
    if !lit.is_empty() {
        parts.push(Part::Lit(std::mem::take(lit).into()));
    }
}

fn flush_quoted(lit: &mut String, parts: &mut Vec<Part>) {
    if !lit.is_empty() {
        parts.push(Part::Quoted(std::mem::take(lit).into()));
    }
}
