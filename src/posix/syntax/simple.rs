//! Simple commands: assignments, words, and the aliases that stand for them.

use super::error::Parsed;
use super::*;
use std::sync::Arc;

/// Aliases expanded in one command line.
const ALIAS_LIMIT: u32 = 32;

impl Parser<'_> {
    pub(super) fn simple(&mut self, line: u32) -> Parsed<Cmd> {
        let mut simple = Simple {
            line,
            ..Simple::default()
        };
        let (mut assigns, mut words, mut redirs) = (Vec::new(), Vec::new(), Vec::new());
        let mut declared = Vec::new();
        let mut declares = false;
        loop {
            self.skip_blank();
            if let Some(more) = self.redirection()? {
                redirs.extend(more);
                continue;
            }
            if words.is_empty() {
                if let Some(assign) = self.assignment()? {
                    assigns.push(assign);
                    continue;
                }
                if self.expand_alias() {
                    continue;
                }
                if assigns.is_empty() && redirs.is_empty() && self.at_reserved_word() {
                    return Err(self.unexpected());
                }
            } else if declares && let Some(assign) = self.assignment()? {
                declared.push(assign);
                continue;
            }
            match self.word()? {
                Some(word) => {
                    if words.is_empty() {
                        declares = matches!(&*word, [Part::Lit(name)] if
                            matches!(&**name, "export" | "local" | "declare" | "readonly" | "typeset"));
                    }
                    self.add_words(&mut words, word);
                }
                None => break,
            }
        }
        if words.is_empty() && assigns.is_empty() && redirs.is_empty() {
            return Err(self.unexpected());
        }
        simple.assigns = assigns.into();
        simple.words = words.into();
        simple.redirs = redirs.into();
        simple.declared = declared.into();
        Ok(Arc::new(Command::Simple(simple)))
    }

    fn at_reserved_word(&self) -> bool {
        ["then", "else", "elif", "fi", "do", "done", "esac", "}"]
            .iter()
            .any(|w| self.word_is(w))
    }

    pub(super) fn add_words(&self, words: &mut Vec<Word>, word: Word) {
        if self.dialect == Dialect::Bash {
            expand_braces(word, words);
        } else {
            words.push(word);
        }
    }

    /// Puts an alias's text in the place of its name, once per name position.
    pub(super) fn expand_alias(&mut self) -> bool {
        let Some(aliases) = self.aliases else {
            return false;
        };
        let name: String = self
            .rest()
            .chars()
            .take_while(|c| !c.is_whitespace() && !"\\'\"$`;&|()<>=*?[".contains(*c))
            .collect();
        let Some(text) = aliases.get(name.as_str()) else {
            return false;
        };
        // What came from an alias is not replaced again: `alias ls='ls -l'`.
        if self.at < self.alias_end || self.aliased >= ALIAS_LIMIT {
            return false;
        }
        self.aliased += 1;
        let (at, text) = (self.at, text.clone());
        self.src.to_mut().replace_range(at..at + name.len(), &text);
        self.alias_end = at + text.len();
        if let Some((newline, resume)) = &mut self.skip {
            *newline = *newline + text.len() - name.len();
            *resume = *resume + text.len() - name.len();
        }
        true
    }

    pub(super) fn assignment(&mut self) -> Parsed<Option<Assign>> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let name = rest[..length].to_string();
        if !is_name(&name) {
            return Ok(None);
        }
        let save = (self.at, self.line);
        self.at += length;
        let mut index = None;
        if self.peek() == Some('[') && self.dialect == Dialect::Bash {
            self.at += 1;
            match self.word_until(']') {
                Ok(word) if self.peek() == Some(']') => {
                    self.at += 1;
                    index = Some(word);
                }
                _ => {
                    (self.at, self.line) = save;
                    return Ok(None);
                }
            }
        }
        let append = self.rest().starts_with("+=") && self.dialect == Dialect::Bash;
        if append {
            self.at += 1;
        }
        if self.peek() != Some('=') {
            (self.at, self.line) = save;
            return Ok(None);
        }
        self.at += 1;
        let value = if self.peek() == Some('(') && self.dialect == Dialect::Bash {
            self.at += 1;
            AssignValue::Array(self.array_elements()?)
        } else {
            let word = self.word()?.unwrap_or_default();
            AssignValue::Word(word)
        };
        Ok(Some(Assign {
            name: name.into(),
            index,
            append,
            value,
        }))
    }

    fn array_elements(&mut self) -> Parsed<Elements> {
        let mut elements = Vec::new();
        loop {
            self.skip_newlines();
            if self.peek() == Some(')') {
                self.at += 1;
                return Ok(elements.into());
            }
            if self.peek().is_none() {
                return self.incomplete(")");
            }
            if self.peek() == Some('[') {
                let save = (self.at, self.line);
                self.at += 1;
                if let Ok(index) = self.word_until(']')
                    && self.rest().starts_with("]=")
                {
                    self.at += 2;
                    let word = self.word()?.unwrap_or_default();
                    elements.push((Some(index), word));
                    continue;
                }
                (self.at, self.line) = save;
            }
            let Some(word) = self.word()? else {
                return Err(self.unexpected());
            };
            let mut words = Vec::new();
            self.add_words(&mut words, word);
            elements.extend(words.into_iter().map(|w| (None, w)));
        }
    }
}
