//! The grammar: commands, compound commands, redirections.

use super::*;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Nesting deeper than this is refused rather than followed.
const DEPTH_LIMIT: u32 = 60;

/// Aliases expanded in one command line.
const ALIAS_LIMIT: u32 = 32;

/// Why text is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// More lines may complete it: an open quote, here-document or compound command.
    Incomplete {
        wanted: String,
        line: u32,
    },
    Syntax {
        near: String,
        line: u32,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Incomplete { wanted, .. } if wanted.is_empty() => {
                f.write_str("syntax error: unexpected end of file")
            }
            ParseError::Incomplete { wanted, .. } => {
                write!(f, "unexpected EOF while looking for matching `{wanted}'")
            }
            ParseError::Syntax { near, .. } => {
                write!(f, "syntax error near unexpected token `{near}'")
            }
        }
    }
}

impl ParseError {
    pub fn line(&self) -> u32 {
        match self {
            ParseError::Incomplete { line, .. } | ParseError::Syntax { line, .. } => *line,
        }
    }

    /// The words each shell uses for it.
    pub fn message(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (_, Dialect::Bash) => self.to_string(),
            (ParseError::Incomplete { wanted, .. }, _) if wanted == "\"" || wanted == "'" => {
                if dialect == Dialect::Ash {
                    "syntax error: unterminated quoted string".into()
                } else {
                    "Syntax error: Unterminated quoted string".into()
                }
            }
            (ParseError::Incomplete { .. }, Dialect::Ash) => {
                "syntax error: unexpected end of file".into()
            }
            (ParseError::Incomplete { .. }, _) => "Syntax error: end of file unexpected".into(),
            (ParseError::Syntax { near, .. }, Dialect::Ash) => {
                format!("syntax error: unexpected {}", quoted_token(near))
            }
            (ParseError::Syntax { near, .. }, _) => {
                format!("Syntax error: {} unexpected", quoted_token(near))
            }
        }
    }
}

fn quoted_token(near: &str) -> String {
    match near {
        "newline" => "newline".into(),
        other => format!("\"{other}\""),
    }
}

pub(super) type Parsed<T> = Result<T, ParseError>;

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
    aliases: Option<&'a BTreeMap<Arc<str>, Arc<str>>>,
    aliased: u32,
    alias_end: usize,
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

    fn newline(&mut self) {
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

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.unexpected_or("nesting"));
        }
        Ok(())
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

    fn pipeline(&mut self) -> Parsed<Cmd> {
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

    /// Whether the next word is exactly this reserved word, unquoted.
    pub(super) fn word_is(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|after| {
            after
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c))
        })
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.skip_newlines();
        let found = self.word_is(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Commands up to one of the given reserved words or closers, which stays unread.
    fn body(&mut self, ends: &[&str]) -> Parsed<Cmd> {
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

    fn command(&mut self) -> Parsed<Cmd> {
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

    fn compound(&mut self) -> Parsed<Option<Cmd>> {
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
    fn function(&mut self) -> Parsed<Option<Cmd>> {
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

    fn simple(&mut self, line: u32) -> Parsed<Cmd> {
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

    fn add_words(&self, words: &mut Vec<Word>, word: Word) {
        if self.dialect == Dialect::Bash {
            expand_braces(word, words);
        } else {
            words.push(word);
        }
    }

    /// Puts an alias's text in the place of its name, once per name position.
    fn expand_alias(&mut self) -> bool {
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

    fn assignment(&mut self) -> Parsed<Option<Assign>> {
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

    /// A redirection, if one is next. `&>` gives one, `>&file` too.
    fn redirection(&mut self) -> Parsed<Option<Vec<Redir>>> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let ops = [
            ("<<<", RedirOp::Text, 0),
            ("<<-", RedirOp::Text, 0),
            ("<<", RedirOp::Text, 0),
            ("<&", RedirOp::Duplicate, 0),
            ("<>", RedirOp::ReadWrite, 0),
            ("<", RedirOp::Read, 0),
            ("&>>", RedirOp::BothAppend, 1),
            ("&>", RedirOp::Both, 1),
            (">>", RedirOp::Append, 1),
            (">|", RedirOp::Clobber, 1),
            (">&", RedirOp::Duplicate, 1),
            (">", RedirOp::Write, 1),
        ];
        let Some((text, op, default)) = ops.iter().find(|(t, ..)| after.starts_with(t)) else {
            return Ok(None);
        };
        let (text, op, default) = (*text, *op, *default);
        let is_process = matches!(text, "<" | ">") && after[1..].starts_with('(');
        if is_process && self.dialect != Dialect::Dash {
            return Ok(None);
        }
        let both = matches!(op, RedirOp::Both | RedirOp::BothAppend);
        if both && (digits > 0 || self.dialect == Dialect::Dash) {
            return Ok(None);
        }
        let fd = match rest[..digits].parse::<u16>() {
            Ok(n) => n,
            Err(_) if digits == 0 => default,
            Err(_) => return Ok(None),
        };
        self.at += digits + text.len();
        if matches!(text, "<<" | "<<-") {
            let target = self.here_document(text == "<<-")?;
            return Ok(Some(vec![Redir { fd, op, target }]));
        }
        self.skip_blank();
        let Some(mut target) = self.word()? else {
            return Err(self.unexpected());
        };
        if text == "<<<" {
            let mut parts = target.into_vec();
            parts = vec![Part::Double(parts.into()), Part::Quoted("\n".into())];
            target = parts.into();
        }
        // `>&file` is an old spelling of `&>file`.
        let mut op = op;
        if op == RedirOp::Duplicate && text == ">&" && digits == 0 {
            let plain = match &*target {
                [Part::Lit(t)] => !(t.chars().all(|c| c.is_ascii_digit()) || &**t == "-"),
                [Part::Param(_)] => false,
                _ => true,
            };
            if plain {
                op = RedirOp::Both;
            }
        }
        Ok(Some(vec![Redir { fd, op, target }]))
    }

    fn cond_or(&mut self) -> Parsed<Cond> {
        self.deeper()?;
        let mut left = self.cond_and()?;
        loop {
            self.skip_newlines();
            if !self.rest().starts_with("||") {
                break;
            }
            self.at += 2;
            let right = self.cond_and()?;
            left = Cond::Or(Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn cond_and(&mut self) -> Parsed<Cond> {
        let mut left = self.cond_not()?;
        loop {
            self.skip_newlines();
            if !self.rest().starts_with("&&") {
                return Ok(left);
            }
            self.at += 2;
            let right = self.cond_not()?;
            left = Cond::And(Box::new(left), Box::new(right));
        }
    }

    fn cond_not(&mut self) -> Parsed<Cond> {
        self.skip_newlines();
        if self.word_is("!") {
            self.at += 1;
            self.deeper()?;
            let inner = self.cond_not()?;
            self.depth -= 1;
            return Ok(Cond::Not(Box::new(inner)));
        }
        if self.peek() == Some('(') {
            self.at += 1;
            let inner = self.cond_or()?;
            self.skip_newlines();
            if self.peek() != Some(')') {
                return Err(self.unexpected());
            }
            self.at += 1;
            return Ok(inner);
        }
        let Some(first) = self.word()? else {
            return Err(self.unexpected());
        };
        self.skip_blank();
        if let [Part::Lit(op)] = &*first
            && op.len() == 2
            && op.starts_with('-')
            && !self.word_is("]]")
            && !self.rest().starts_with("&&")
            && !self.rest().starts_with("||")
            && self.peek() != Some(')')
        {
            let op = op.clone();
            let Some(operand) = self.word()? else {
                return Err(self.unexpected());
            };
            return Ok(Cond::Unary(op, operand));
        }
        for op in ["==", "=~", "!=", "=", "<", ">"] {
            if self.rest().starts_with(op) {
                self.at += op.len();
                self.skip_blank();
                let right = if op == "=~" {
                    self.regex_word()?
                } else {
                    match self.word()? {
                        Some(word) => word,
                        None => return Err(self.unexpected()),
                    }
                };
                return Ok(Cond::Binary(first, op.into(), right));
            }
        }
        for op in [
            "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
        ] {
            if self.word_is(op) {
                self.at += op.len();
                self.skip_blank();
                let Some(right) = self.word()? else {
                    return Err(self.unexpected());
                };
                return Ok(Cond::Binary(first, op.into(), right));
            }
        }
        Ok(Cond::Word(first))
    }
}

fn list(mut items: Vec<(Cmd, bool)>) -> Cmd {
    match items.len() {
        0 => Arc::new(Command::Empty),
        1 if !items[0].1 => items.pop().expect("there is one item").0,
        _ => Arc::new(Command::List(items.into())),
    }
}
