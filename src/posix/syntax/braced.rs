//! Parameters in braces: `${x:-word}`, `${x#pattern}`, `${x/a/b}`, `${x[1]}`.

use super::error::Parsed;
use super::word::{Mode, flush};
use super::*;

impl Parser<'_> {
    /// `${…}`; the `${` was read.
    pub(super) fn braced(&mut self, in_double: bool) -> Parsed<Part> {
        self.deeper()?;
        let start = self.at;
        let mut length = false;
        let mut indirect = false;
        let first = self.peek();
        let second = self.peek_at(1);
        if first == Some('#')
            && second != Some('}')
            && !matches!(second, Some(':' | '-' | '+' | '=' | '%' | '/'))
        {
            length = true;
            self.at += 1;
        } else if first == Some('!')
            && (second.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
                || second == Some('#') && self.peek_at(2) == Some('}'))
        {
            indirect = true;
            self.at += 1;
        }
        let mut name = self.name();
        if name.is_empty() {
            match self.peek() {
                Some(c) if "@*#?-$!".contains(c) => {
                    name.push(c);
                    self.at += 1;
                }
                None => return self.incomplete("}"),
                _ => return self.bad_substitution(start),
            }
        } else if name.as_bytes()[0].is_ascii_digit() && !name.bytes().all(|b| b.is_ascii_digit()) {
            return self.bad_substitution(start);
        }
        let mut index = None;
        if self.peek() == Some('[') {
            self.at += 1;
            index = Some(if self.rest().starts_with("@]") {
                self.at += 1;
                Index::All
            } else if self.rest().starts_with("*]") {
                self.at += 1;
                Index::Joined
            } else {
                Index::At(self.word_until(']')?)
            });
            if self.peek() != Some(']') {
                return match self.peek() {
                    None => self.incomplete("}"),
                    _ => self.bad_substitution(start),
                };
            }
            self.at += 1;
        }
        let op = if length {
            ParamOp::Length
        } else if indirect && index.is_some() {
            ParamOp::Keys
        } else if indirect {
            ParamOp::Indirect
        } else {
            self.param_op(in_double)?
        };
        match self.peek() {
            Some('}') => self.at += 1,
            None => return self.incomplete("}"),
            Some(_) => return self.bad_substitution(start),
        }
        self.depth -= 1;
        Ok(param(name, index, op))
    }

    fn param_op(&mut self, in_double: bool) -> Parsed<ParamOp> {
        let brace = Mode::Brace { in_double };
        let pattern_mode = Mode::Brace { in_double: false };
        let colon = self.peek() == Some(':');
        let at = if colon { 1 } else { 0 };
        Ok(match self.peek_at(at) {
            Some(c @ ('-' | '=' | '?' | '+')) => {
                self.at += at + 1;
                let word: Word = self.parts(brace)?.unwrap_or_default().into();
                match c {
                    '-' => ParamOp::Default { colon, word },
                    '=' => ParamOp::Assign { colon, word },
                    '?' => ParamOp::Error { colon, word },
                    _ => ParamOp::Alternative { colon, word },
                }
            }
            _ if colon => {
                self.at += 1;
                let text = self.balanced(&[':', '}'])?;
                let offset = Parser::quoted_text(&text, self.dialect, self.line, self.depth)?;
                let mut length = None;
                if self.peek() == Some(':') {
                    self.at += 1;
                    let text = self.balanced(&['}'])?;
                    length = Some(Parser::quoted_text(
                        &text,
                        self.dialect,
                        self.line,
                        self.depth,
                    )?);
                }
                ParamOp::Slice { offset, length }
            }
            Some(c @ ('#' | '%')) => {
                self.at += 1;
                let longest = self.peek() == Some(c);
                if longest {
                    self.at += 1;
                }
                let pattern: Word = self.parts(pattern_mode)?.unwrap_or_default().into();
                if c == '#' {
                    ParamOp::TrimStart { longest, pattern }
                } else {
                    ParamOp::TrimEnd { longest, pattern }
                }
            }
            Some('/') => {
                self.at += 1;
                let place = match self.peek() {
                    Some('/') => ReplaceAt::All,
                    Some('#') => ReplaceAt::Start,
                    Some('%') => ReplaceAt::End,
                    _ => ReplaceAt::First,
                };
                if place != ReplaceAt::First {
                    self.at += 1;
                }
                let pattern = self.replace_pattern()?;
                let with = if self.peek() == Some('/') {
                    self.at += 1;
                    self.parts(pattern_mode)?.unwrap_or_default().into()
                } else {
                    Word::default()
                };
                ParamOp::Replace {
                    place,
                    pattern,
                    with,
                }
            }
            Some(c @ ('^' | ',')) => {
                self.at += 1;
                let all = self.peek() == Some(c);
                if all {
                    self.at += 1;
                }
                ParamOp::Case {
                    upper: c == '^',
                    all,
                }
            }
            Some('@') if self.peek_at(2) == Some('}') => {
                let letter = self.peek_at(1).expect("a later character was seen");
                self.at += 1 + letter.len_utf8();
                ParamOp::Transform(letter)
            }
            _ => ParamOp::Value,
        })
    }

    /// A pattern that ends at `/` or `}`.
    fn replace_pattern(&mut self) -> Parsed<Word> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return self.incomplete("}"),
                Some('/' | '}') => break,
                _ => {}
            }
            let before = self.at;
            // One slash-free stretch at a time; quotes and substitutions may hold slashes.
            let stretch = self.parts_until_slash()?;
            parts.extend(stretch);
            if self.at == before {
                break;
            }
        }
        Ok(parts.into())
    }

    fn parts_until_slash(&mut self) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        let mut lit = String::new();
        loop {
            match self.peek() {
                None | Some('/' | '}') => break,
                Some('\\') => {
                    self.bump();
                    if let Some(c) = self.bump() {
                        flush(&mut lit, &mut parts);
                        parts.push(Part::Quoted(c.to_string().into()));
                    }
                }
                Some('\'') => {
                    self.bump();
                    flush(&mut lit, &mut parts);
                    parts.push(Part::Quoted(self.until_quote()?.into()));
                }
                Some('"') => {
                    self.bump();
                    flush(&mut lit, &mut parts);
                    parts.push(Part::Double(self.double_quoted()?));
                }
                Some('$' | '`') => match self.dollar(false)? {
                    Some(part) => {
                        flush(&mut lit, &mut parts);
                        parts.push(part);
                    }
                    None => lit.push(self.bump().expect("a character was seen")),
                },
                Some(c) => {
                    lit.push(c);
                    self.bump();
                }
            }
        }
        flush(&mut lit, &mut parts);
        Ok(parts)
    }

    /// Raw text up to one of the ends outside brackets and braces.
    pub(super) fn balanced(&mut self, ends: &[char]) -> Parsed<String> {
        let mut text = String::new();
        let mut open = 0u32;
        loop {
            let Some(c) = self.peek() else {
                return self.incomplete("}");
            };
            if open == 0 && ends.contains(&c) {
                return Ok(text);
            }
            match c {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            text.push(c);
            self.bump();
        }
    }

    pub(super) fn bad_substitution(&mut self, start: usize) -> Parsed<Part> {
        let _ = self.balanced(&['}'])?;
        let text = format!("${{{}}}", &self.src[start..self.at]);
        self.at += 1;
        self.depth = self.depth.saturating_sub(1);
        Ok(param("_".into(), None, ParamOp::Bad(text.into())))
    }
}

pub(super) fn param(name: String, index: Option<Index>, op: ParamOp) -> Part {
    Part::Param(Box::new(Param {
        name: name.into(),
        index,
        op,
    }))
}
