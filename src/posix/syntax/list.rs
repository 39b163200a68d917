//! Lists: commands one after the other, joined by `&&` and `||`, piped into each other.
//!
//! [`Parser::next_command`] is where the grammar begins.

use super::error::Parsed;
use super::*;
use std::sync::Arc;

impl Parser<'_> {
    /// The next complete command: everything up to a newline that ends it.
    pub(crate) fn next_command(&mut self) -> Parsed<Option<Cmd>> {
        self.skip_newlines();
        if self.peek().is_none() {
            return Ok(None);
        }
        let depth = self.depth;
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None => break,
                Some('\n') => {
                    self.newline();
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
                Some(';') if self.peek_at(1) != Some(';') => {
                    self.bump();
                    items.push((cmd, false));
                }
                None | Some('\n') => items.push((cmd, false)),
                _ => return Err(self.unexpected()),
            }
        }
        self.depth = depth;
        Ok(Some(list(items)))
    }

    /// Commands up to one of the given reserved words or closers, which stays unread.
    pub(super) fn body(&mut self, ends: &[&str]) -> Parsed<Cmd> {
        self.deeper()?;
        let mut items = Vec::new();
        loop {
            self.skip_newlines();
            if self.peek().is_none() {
                return Err(self.unexpected());
            }
            let at_end = ends.iter().any(|end| match *end {
                ")" | ";;" | ";&" => self.rest().starts_with(end),
                word => self.word_is(word),
            });
            if at_end {
                break;
            }
            let cmd = self.and_or()?;
            self.skip_blank();
            match self.peek() {
                Some('&') => {
                    self.bump();
                    items.push((cmd, true));
                }
                Some(';') if !matches!(self.peek_at(1), Some(';' | '&')) => {
                    self.bump();
                    items.push((cmd, false));
                }
                _ => items.push((cmd, false)),
            }
        }
        self.depth -= 1;
        if items.is_empty() && !ends.contains(&";;") {
            return Err(self.unexpected());
        }
        Ok(list(items))
    }

    pub(super) fn and_or(&mut self) -> Parsed<Cmd> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blank();
            let join = match self.rest() {
                r if r.starts_with("&&") => Join::And,
                r if r.starts_with("||") => Join::Or,
                _ => break,
            };
            self.at += 2;
            self.skip_newlines();
            rest.push((join, self.pipeline()?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Arc::new(Command::AndOr {
                first,
                rest: rest.into(),
            })
        })
    }

    pub(super) fn pipeline(&mut self) -> Parsed<Cmd> {
        self.skip_blank();
        if self.word_is("!") {
            self.at += 1;
            self.deeper()?;
            let inner = self.pipeline()?;
            self.depth -= 1;
            return Ok(Arc::new(Command::Not(inner)));
        }
        if self.word_is("time") {
            self.at += 4;
            self.skip_blank();
            if self.rest().starts_with("-p ") {
                self.at += 3;
                self.skip_blank();
            }
            if matches!(self.peek(), None | Some('\n' | ';' | '&' | '|' | ')')) {
                return Ok(Arc::new(Command::Time(None)));
            }
            self.deeper()?;
            let inner = self.pipeline()?;
            self.depth -= 1;
            return Ok(Arc::new(Command::Time(Some(inner))));
        }
        let mut stages = vec![self.command()?];
        let mut join_stderr = Vec::new();
        loop {
            self.skip_blank();
            let rest = self.rest();
            if rest.starts_with("||") || !rest.starts_with('|') {
                break;
            }
            let both = rest.starts_with("|&");
            self.at += if both { 2 } else { 1 };
            join_stderr.push(both);
            self.skip_newlines();
            stages.push(self.command()?);
        }
        join_stderr.push(false);
        Ok(if stages.len() == 1 {
            stages.pop().expect("one stage was pushed")
        } else {
            Arc::new(Command::Pipeline {
                stages: stages.into(),
                join_stderr: join_stderr.into(),
            })
        })
    }

    pub(super) fn command(&mut self) -> Parsed<Cmd> {
        self.deeper()?;
        self.skip_blank();
        let line = self.line;
        let inner = if let Some(cmd) = self.compound()? {
            cmd
        } else {
            let cmd = self.simple(line)?;
            self.depth -= 1;
            return Ok(cmd);
        };
        let mut redirs = Vec::new();
        loop {
            self.skip_blank();
            match self.redirection()? {
                Some(more) => redirs.extend(more),
                None => break,
            }
        }
        self.depth -= 1;
        Ok(if redirs.is_empty() {
            inner
        } else {
            Arc::new(Command::Redirected {
                inner,
                redirs: redirs.into(),
            })
        })
    }
}

pub(super) fn list(mut items: Vec<(Cmd, bool)>) -> Cmd {
    match items.len() {
        0 => Arc::new(Command::Empty),
        1 if !items[0].1 => items.pop().expect("there is one item").0,
        _ => Arc::new(Command::List(items.into())),
    }
}
