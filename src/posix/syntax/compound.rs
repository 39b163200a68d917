//! Compound commands: groups, subshells, `if`, loops, `case`, and definitions of functions.

use super::error::Parsed;
use super::*;
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn compound(&mut self) -> Parsed<Option<Cmd>> {
        let rest = self.rest();
        if rest.starts_with("((") {
            let save = (self.at, self.line, self.skip);
            self.at += 2;
            if let Ok(word) = self.arith_until("))")
                && self.rest().starts_with("))")
            {
                self.at += 2;
                return Ok(Some(Arc::new(Command::Arith(word))));
            }
            (self.at, self.line, self.skip) = save;
        }
        if self.rest().starts_with('(') {
            self.at += 1;
            let inner = self.body(&[")"])?;
            self.at += 1;
            return Ok(Some(Arc::new(Command::Subshell(inner))));
        }
        if self.word_is("{") {
            self.at += 1;
            let inner = self.body(&["}"])?;
            self.at += 1;
            return Ok(Some(Arc::new(Command::Group(inner))));
        }
        if self.word_is("if") {
            self.at += 2;
            return self.if_clause().map(Some);
        }
        for (word, until) in [("while", false), ("until", true)] {
            if self.word_is(word) {
                self.at += word.len();
                let cond = self.body(&["do"])?;
                let body = self.do_done()?;
                return Ok(Some(Arc::new(Command::While { until, cond, body })));
            }
        }
        if self.word_is("for") {
            self.at += 3;
            return self.for_clause().map(Some);
        }
        if self.word_is("case") {
            self.at += 4;
            return self.case_clause().map(Some);
        }
        if self.word_is("[[") && self.dialect != Dialect::Dash {
            self.at += 2;
            let cond = self.cond_or()?;
            self.skip_newlines();
            if !self.word_is("]]") {
                return Err(self.unexpected());
            }
            self.at += 2;
            return Ok(Some(Arc::new(Command::Cond(cond))));
        }
        self.function()
    }

    fn if_clause(&mut self) -> Parsed<Cmd> {
        let mut clauses = Vec::new();
        let mut otherwise = None;
        loop {
            let cond = self.body(&["then"])?;
            self.expect_word("then")?;
            let then = self.body(&["elif", "else", "fi"])?;
            clauses.push((cond, then));
            if self.take_word("elif") {
                continue;
            }
            if self.take_word("else") {
                otherwise = Some(self.body(&["fi"])?);
            }
            self.expect_word("fi")?;
            return Ok(Arc::new(Command::If {
                clauses: clauses.into(),
                otherwise,
            }));
        }
    }

    fn do_done(&mut self) -> Parsed<Cmd> {
        self.expect_word("do")?;
        let body = self.body(&["done"])?;
        self.expect_word("done")?;
        Ok(body)
    }

    fn for_clause(&mut self) -> Parsed<Cmd> {
        self.skip_blank();
        if self.rest().starts_with("((") {
            self.at += 2;
            let init = self.arith_until(";")?;
            self.at += 1;
            let cond = self.arith_until(";")?;
            self.at += 1;
            let step = self.arith_until("))")?;
            self.at += 2;
            self.skip_blank();
            if self.peek() == Some(';') {
                self.at += 1;
            }
            self.skip_newlines();
            let body = if self.word_is("{") {
                self.at += 1;
                let body = self.body(&["}"])?;
                self.at += 1;
                body
            } else {
                self.do_done()?
            };
            return Ok(Arc::new(Command::ForArith {
                init,
                cond,
                step,
                body,
            }));
        }
        let name: String = self
            .rest()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        if !is_name(&name) {
            return Err(self.unexpected());
        }
        self.at += name.len();
        self.skip_newlines();
        let mut words = None;
        if self.word_is("in") {
            self.at += 2;
            let mut list = Vec::new();
            loop {
                self.skip_blank();
                match self.word()? {
                    Some(word) => self.add_words(&mut list, word),
                    None => break,
                }
            }
            words = Some(list.into());
        }
        self.skip_blank();
        if self.peek() == Some(';') {
            self.at += 1;
        }
        let body = self.do_done()?;
        Ok(Arc::new(Command::For {
            name: name.into(),
            words,
            body,
        }))
    }

    fn case_clause(&mut self) -> Parsed<Cmd> {
        self.skip_blank();
        let Some(word) = self.word()? else {
            return Err(self.unexpected());
        };
        self.skip_newlines();
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines();
            if self.word_is("esac") {
                self.at += 4;
                break;
            }
            if self.peek() == Some('(') {
                self.at += 1;
            }
            let mut patterns = Vec::new();
            loop {
                self.skip_blank();
                let Some(pattern) = self.word()? else {
                    return Err(self.unexpected());
                };
                patterns.push(pattern);
                self.skip_blank();
                if self.peek() != Some('|') {
                    break;
                }
                self.at += 1;
            }
            if self.peek() != Some(')') {
                return Err(self.unexpected());
            }
            self.at += 1;
            let body = self.body(&[";;", ";&", "esac"])?;
            let rest = self.rest();
            let (then, length) = if rest.starts_with(";;&") {
                (ArmEnd::TestNext, 3)
            } else if rest.starts_with(";&") {
                (ArmEnd::FallThrough, 2)
            } else if rest.starts_with(";;") {
                (ArmEnd::Stop, 2)
            } else {
                (ArmEnd::Stop, 0)
            };
            self.at += length;
            arms.push(Arm {
                patterns: patterns.into(),
                body,
                then,
            });
        }
        Ok(Arc::new(Command::Case {
            word,
            arms: arms.into(),
        }))
    }

    /// `name() body` or `function name body`.
    pub(super) fn function(&mut self) -> Parsed<Option<Cmd>> {
        let save = (self.at, self.line);
        let keyword = self.word_is("function") && self.dialect != Dialect::Dash;
        if keyword {
            self.at += 8;
            self.skip_blank();
        }
        let name: String = self
            .rest()
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_-.:".contains(*c))
            .collect();
        self.at += name.len();
        self.skip_blank();
        let mut parens = false;
        if self.peek() == Some('(') {
            let after = self.rest()[1..].trim_start_matches([' ', '\t']);
            if after.starts_with(')') {
                self.at = self.src.len() - after.len() + 1;
                parens = true;
            }
        }
        if name.is_empty() || !(parens || keyword) {
            (self.at, self.line) = save;
            return Ok(None);
        }
        self.skip_newlines();
        let body = self.command()?;
        if matches!(*body, Command::Simple(_)) {
            return Err(self.unexpected());
        }
        Ok(Some(Arc::new(Command::Function {
            name: name.into(),
            body,
        })))
    }
}
