//! The reader: a place in the text, what is next there, and how deep it is nested.
//!
//! The grammar stands on it, from the outside in: `list`, `compound`, `simple`, `redirection`, `cond`, `word`.

use super::error::Parsed;
use super::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nesting deeper than this is refused rather than followed.
const DEPTH_LIMIT: u32 = 60;

/// Reads commands from text, one complete command at a time.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    pub(super) src: std::borrow::Cow<'a, str>,
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    pub(super) depth: u32,
    /// After the newline at `.0`, go on at `.1`: here-documents in between were read already.
    pub(super) skip: Option<(usize, usize)>,
    /// At the end of the text a here-document may still go on in the next line.
    pub(super) more_may_come: bool,
    pub(super) aliases: Option<&'a BTreeMap<Arc<str>, Arc<str>>>,
    pub(super) aliased: u32,
    pub(super) alias_end: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(src: &'a str, dialect: Dialect) -> Parser<'a> {
        Parser::resume(src, 0, 1, dialect)
    }

    /// Goes on in a text where an earlier parser stopped.
    pub(crate) fn resume(src: &'a str, at: usize, line: u32, dialect: Dialect) -> Parser<'a> {
        Parser {
            src: src.into(),
            at,
            line,
            dialect,
            depth: 0,
            skip: None,
            more_may_come: false,
            aliases: None,
            aliased: 0,
            alias_end: 0,
        }
    }

    /// Replaces command words by their aliases.
    pub(crate) fn with_aliases(mut self, aliases: &'a BTreeMap<Arc<str>, Arc<str>>) -> Parser<'a> {
        self.aliases = (!aliases.is_empty()).then_some(aliases);
        self
    }

    /// Treats an open here-document at the end as incomplete instead of ended.
    pub(crate) fn interactive(mut self) -> Parser<'a> {
        self.more_may_come = true;
        self
    }

    /// How far the text was read, in bytes, and the line number there.
    pub(crate) fn position(&self) -> (usize, u32) {
        (self.at, self.line)
    }

    /// The text with aliases put in, if any were: positions refer to it.
    pub(crate) fn rewritten(&self) -> Option<&str> {
        match &self.src {
            std::borrow::Cow::Owned(text) => Some(text),
            std::borrow::Cow::Borrowed(_) => None,
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.src[self.at..].chars().next()
    }

    pub(super) fn peek_at(&self, n: usize) -> Option<char> {
        self.src[self.at..].chars().nth(n)
    }

    pub(super) fn rest(&self) -> &str {
        &self.src[self.at..]
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        if c == '\n' {
            self.newline();
        } else {
            self.at += c.len_utf8();
        }
        Some(c)
    }

    pub(super) fn newline(&mut self) {
        let here = self.at;
        self.at += 1;
        self.line += 1;
        if let Some((newline, resume)) = self.skip
            && here >= newline
        {
            self.line += self.src[self.at..resume.max(self.at)].matches('\n').count() as u32;
            self.at = resume.max(self.at);
            self.skip = None;
        }
    }

    pub(super) fn skip_blank(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.rest().starts_with("\\\n") => {
                    self.at += 1;
                    self.newline();
                }
                Some('#') => {
                    // Only reached at the start of a word: a comment.
                    while !matches!(self.peek(), None | Some('\n')) {
                        self.bump();
                    }
                }
                _ => return,
            }
        }
    }

    pub(super) fn skip_newlines(&mut self) {
        loop {
            self.skip_blank();
            if self.peek() != Some('\n') {
                return;
            }
            self.newline();
        }
    }

    /// Whether the next word is exactly this reserved word, unquoted.
    pub(super) fn word_is(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|after| {
            after
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c))
        })
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.skip_newlines();
        let found = self.word_is(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn incomplete<T>(&self, wanted: &str) -> Parsed<T> {
        Err(ParseError::Incomplete {
            wanted: wanted.to_string(),
            line: self.line,
        })
    }

    pub(super) fn unexpected(&self) -> ParseError {
        let rest = self.rest();
        let near = match rest.chars().next() {
            None => {
                return ParseError::Incomplete {
                    wanted: String::new(),
                    line: self.line,
                };
            }
            Some('\n') => "newline".to_string(),
            Some(_) => {
                let ops = [
                    ";;", "&&", "||", "<<", ">>", ";", "&", "|", "(", ")", "<", ">",
                ];
                match ops.iter().find(|op| rest.starts_with(**op)) {
                    Some(op) => op.to_string(),
                    None => rest
                        .split(|c: char| c.is_whitespace() || ";&|()<>".contains(c))
                        .next()
                        .unwrap_or(rest)
                        .to_string(),
                }
            }
        };
        ParseError::Syntax {
            near,
            line: self.line,
        }
    }

    fn unexpected_or(&self, what: &str) -> ParseError {
        match self.unexpected() {
            ParseError::Incomplete { line, .. } => ParseError::Syntax {
                near: what.into(),
                line,
            },
            other => other,
        }
    }

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.unexpected_or("nesting"));
        }
        Ok(())
    }
}
