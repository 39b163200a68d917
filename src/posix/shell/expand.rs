//! From words to arguments: parameters, substitutions, arithmetic, field splitting, path names.
//!
//! Expansion is pure: it cannot wait. Where a command substitution is met whose result is not there yet it stops
//! with [`Stop::Command`]; the shell runs that command and expands again from the start, with the results so far.
//! Assignments that an expansion makes (`${x:=1}`, `$((i++))`) are kept aside and applied once at the end.

use super::Shell;
use super::arith::{self, Names};
use super::param::Values;
use super::pattern::glob;
use super::vars::Value;
use crate::files::Files;
use crate::syntax::{Cmd, Part, Word};
use std::sync::Arc;

/// Text one expansion may grow to.
const TEXT_LIMIT: usize = 1 << 20;

/// Why expansion did not finish.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Run this, capture its output, and try again.
    Command(Cmd),
    /// Run this with a pipe and give the pipe's path.
    Process { reads: bool, cmd: Cmd },
    /// The command fails; a shell that is not interactive exits.
    Fail(String),
    /// The same for a variable that is not set: bash then exits with 127.
    Unset(String),
}

/// One argument in the making.
#[derive(Debug, Default, Clone)]
pub(crate) struct Field {
    pub(crate) text: String,
    /// The same with quoted characters escaped: for matching.
    pub(crate) pattern: String,
    magic: bool,
}

pub(crate) type Expanded<T> = Result<T, Stop>;

/// An assignment made while expanding.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    pub(crate) name: String,
    pub(crate) index: Option<String>,
    pub(crate) value: Arc<str>,
}

pub(crate) struct Expander<'a> {
    pub(crate) sh: &'a Shell,
    pub(crate) files: &'a Files<'a>,
    pub(crate) results: &'a [Arc<str>],
    pub(crate) used: usize,
    pub(crate) assigned: Vec<Assigned>,
    /// The state of `$RANDOM`.
    pub(crate) random: u64,
    pub(crate) depth: u32,
    /// Assignments of this command that were expanded already.
    pub(crate) seen: Vec<(String, Arc<str>)>,
}

/// Collects fields while pieces are added.
#[derive(Default)]
pub(crate) struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    /// The current gap came from white space of `$IFS`, which a following separator joins.
    gap: bool,
    splits: bool,
}

impl Fields {
    fn splitting(splits: bool) -> Fields {
        Fields {
            splits,
            ..Fields::default()
        }
    }

    pub(crate) fn quoted(&mut self, text: &str) {
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        for c in text.chars() {
            if c.is_ascii_punctuation() {
                field.pattern.push('\\');
            }
            field.pattern.push(c);
        }
    }

    /// Unquoted text of the command line: not split, but a pattern.
    pub(crate) fn literal(&mut self, text: &str) {
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        field.pattern.push_str(text);
        field.magic |= text.contains(['*', '?', '[']);
    }

    /// An unquoted value: split at `$IFS`, and a pattern.
    pub(crate) fn value(&mut self, text: &str, ifs: &str) {
        if !self.splits {
            self.literal_value(text);
            return;
        }
        let mut piece = String::new();
        for c in text.chars() {
            if !ifs.contains(c) {
                piece.push(c);
                self.gap = false;
                continue;
            }
            if !piece.is_empty() {
                self.literal_value(&std::mem::take(&mut piece));
            }
            let white = c == ' ' || c == '\t' || c == '\n';
            if let Some(field) = self.current.take() {
                self.done.push(field);
                self.gap = white;
            } else if !white {
                if self.gap {
                    self.gap = false;
                } else {
                    self.done.push(Field::default());
                }
            }
        }
        if !piece.is_empty() {
            self.literal_value(&piece);
        }
    }

    /// A value whose backslashes are characters, not escapes.
    fn literal_value(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        field.pattern.push_str(&text.replace('\\', "\\\\"));
        field.magic |= text.contains(['*', '?', '[']);
    }

    pub(crate) fn next_field(&mut self) {
        if let Some(field) = self.current.take() {
            self.done.push(field);
        }
    }

    fn len(&self) -> usize {
        self.done.len() + self.current.is_some() as usize
    }

    fn finish(mut self) -> Vec<Field> {
        self.next_field();
        self.done
    }
}

impl<'a> Expander<'a> {
    pub(crate) fn new(
        sh: &'a Shell,
        files: &'a Files<'a>,
        results: &'a [Arc<str>],
    ) -> Expander<'a> {
        Expander {
            sh,
            files,
            results,
            used: 0,
            assigned: Vec::new(),
            random: sh.random,
            depth: 0,
            seen: Vec::new(),
        }
    }

    /// Arguments: everything expands, splits and matches path names.
    pub(crate) fn words(&mut self, words: &[Word]) -> Expanded<Vec<Arc<str>>> {
        let mut out = Vec::new();
        for word in words {
            if let [Part::Lit(text)] = &**word
                && !text.contains(['*', '?', '['])
            {
                out.push(Arc::from(&**text));
                continue;
            }
            let mut fields = Fields::splitting(true);
            self.parts(word, &mut fields)?;
            for field in fields.finish() {
                if field.magic && !self.sh.options.noglob {
                    let found = glob(&field.pattern, self.files);
                    if !found.is_empty() {
                        out.extend(found.into_iter().map(Arc::from));
                        continue;
                    }
                }
                out.push(field.text.into());
            }
        }
        Ok(out)
    }

    /// One text without splitting: assignments, here-documents, `case` words.
    pub(crate) fn text(&mut self, word: &[Part]) -> Expanded<String> {
        Ok(self.single(word)?.text)
    }

    /// One pattern, in which quoted characters stand for themselves.
    pub(crate) fn pattern(&mut self, word: &[Part]) -> Expanded<String> {
        Ok(self.single(word)?.pattern)
    }

    /// A redirection's target: path names match only if exactly one does.
    pub(crate) fn target(&mut self, word: &Word) -> Expanded<String> {
        let field = self.single(word)?;
        if field.magic {
            let found = glob(&field.pattern, self.files);
            if let [one] = &found[..] {
                return Ok(one.clone());
            }
        }
        Ok(field.text)
    }

    fn single(&mut self, word: &[Part]) -> Expanded<Field> {
        let mut fields = Fields::splitting(false);
        self.parts(word, &mut fields)?;
        let mut all = fields.finish().into_iter();
        let mut first = all.next().unwrap_or_default();
        for more in all {
            first.text.push(' ');
            first.text.push_str(&more.text);
            first.pattern.push(' ');
            first.pattern.push_str(&more.pattern);
        }
        Ok(first)
    }

    pub(crate) fn parts(&mut self, parts: &[Part], fields: &mut Fields) -> Expanded<()> {
        self.depth += 1;
        if self.depth > 100 {
            return Err(Stop::Fail("expansion nested too deeply".into()));
        }
        for part in parts {
            self.part(part, false, fields)?;
        }
        self.depth -= 1;
        if let Some(field) = &fields.current
            && field.text.len() > TEXT_LIMIT
        {
            return Err(Stop::Fail("Argument list too long".into()));
        }
        Ok(())
    }

    fn part(&mut self, part: &Part, quoted: bool, fields: &mut Fields) -> Expanded<()> {
        match part {
            Part::Lit(text) if quoted => fields.quoted(text),
            Part::Lit(text) => fields.literal(text),
            Part::Quoted(text) => fields.quoted(text),
            Part::Double(inside) => self.double(inside, fields)?,
            Part::Tilde(user) => {
                let home = self.tilde(user);
                fields.quoted(&home);
            }
            Part::Command(cmd) => {
                let Some(result) = self.results.get(self.used) else {
                    return Err(Stop::Command(cmd.clone()));
                };
                self.used += 1;
                self.put(result, quoted, fields);
            }
            Part::Process { reads, cmd } => {
                let Some(path) = self.results.get(self.used) else {
                    return Err(Stop::Process {
                        reads: *reads,
                        cmd: cmd.clone(),
                    });
                };
                self.used += 1;
                fields.quoted(path);
            }
            Part::Arith(word) => {
                let value = self.arith(word)?;
                self.put(&value.to_string(), quoted, fields);
            }
            Part::Param(param) => match self.param(param, quoted, fields)? {
                None => {}
                Some(Values::One(text)) => self.put(&text, quoted, fields),
                Some(Values::Many { items, joined }) => self.many(&items, joined, quoted, fields),
            },
        }
        Ok(())
    }

    fn double(&mut self, inside: &[Part], fields: &mut Fields) -> Expanded<()> {
        let before = fields.len();
        let had_current = fields.current.is_some();
        let mut only_empty_list = !inside.is_empty();
        for part in inside {
            let length = fields.len();
            self.part(part, true, fields)?;
            let is_list = matches!(part, Part::Param(p) if p.name.as_ref() == "@"
                || matches!(p.index, Some(crate::syntax::Index::All)));
            only_empty_list &= is_list && fields.len() == length;
        }
        if fields.len() == before && !had_current && !only_empty_list {
            fields.quoted("");
        }
        Ok(())
    }

    fn put(&mut self, text: &str, quoted: bool, fields: &mut Fields) {
        if quoted {
            fields.quoted(text);
        } else {
            fields.value(text, &self.ifs());
        }
    }

    /// `$@` and `$*`, quoted or not.
    fn many(&mut self, items: &[Arc<str>], joined: bool, quoted: bool, fields: &mut Fields) {
        if quoted && joined || !fields.splits && !quoted {
            let ifs = self.ifs();
            let separator = if joined {
                ifs.chars().next().map(String::from).unwrap_or_default()
            } else {
                " ".to_string()
            };
            let text = items.join(&separator);
            self.put(&text, quoted, fields);
            return;
        }
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                fields.next_field();
            }
            self.put(item, quoted, fields);
        }
    }

    fn ifs(&self) -> String {
        self.variable("IFS")
            .map_or_else(|| " \t\n".to_string(), |t| t.to_string())
    }

    fn tilde(&self, user: &str) -> String {
        match user {
            "" => match self.variable("HOME") {
                Some(home) => home.to_string(),
                None => "/root".into(),
            },
            "+" => self.files.cwd.to_string(),
            "-" => self.variable("OLDPWD").unwrap_or_default().to_string(),
            user => {
                let passwd = self.files.read("/etc/passwd").unwrap_or_default();
                let passwd = String::from_utf8_lossy(&passwd);
                passwd
                    .lines()
                    .map(|l| l.split(':').collect::<Vec<_>>())
                    .find(|f| f.len() > 5 && f[0] == user)
                    .map_or_else(|| format!("~{user}"), |f| f[5].to_string())
            }
        }
    }

    pub(crate) fn arith(&mut self, word: &[Part]) -> Expanded<i64> {
        let text = self.text(word)?;
        self.number(&text)
    }

    pub(crate) fn number(&mut self, text: &str) -> Expanded<i64> {
        arith::evaluate(text, self).map_err(Stop::Fail)
    }

    /// A variable's text, as it is after the assignments made so far.
    pub(crate) fn variable(&self, name: &str) -> Option<Arc<str>> {
        for a in self.assigned.iter().rev() {
            if a.name == name && a.index.as_deref().is_none_or(|i| i == "0") {
                return Some(a.value.clone());
            }
        }
        if let Some((_, text)) = self.seen.iter().rev().find(|(n, _)| n == name) {
            return Some(text.clone());
        }
        self.sh.vars.text(name)
    }

    pub(crate) fn element(&self, name: &str, key: &str) -> Option<Arc<str>> {
        for a in self.assigned.iter().rev() {
            if a.name == name && a.index.as_deref().unwrap_or("0") == key {
                return Some(a.value.clone());
            }
        }
        match self.sh.vars.get(name)?.value.as_ref()? {
            Value::Text(text) => (key == "0").then(|| text.clone()),
            Value::Array(items) => {
                let mut index: i64 = key.parse().ok()?;
                if index < 0 {
                    index += items.last_key_value().map_or(0, |(k, _)| k + 1);
                }
                items.get(&index).cloned()
            }
            Value::Map(items) => items.get(key).cloned(),
        }
    }
}

impl Names for Expander<'_> {
    fn value(&mut self, name: &str, index: Option<i64>) -> Option<String> {
        if index.is_none()
            && let Some(special) = self.special(name)
        {
            return Some(special);
        }
        let value = match index {
            None => self.variable(name),
            Some(i) => self.element(name, &i.to_string()),
        };
        value.map(|v| v.to_string())
    }

    fn assign(&mut self, name: &str, index: Option<i64>, value: i64) {
        self.assigned.push(Assigned {
            name: name.to_string(),
            index: index.map(|i| i.to_string()),
            value: value.to_string().into(),
        });
    }
}
