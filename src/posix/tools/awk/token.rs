//! awk's words: numbers, texts, names, operators, and regular expressions where an operand may stand.

use super::parse::{Parsed, Parser};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name right before `(`.
    Function(String),
    Op(&'static str),
    Newline,
    End,
}

pub(super) const OPS: [&str; 42] = [
    "**=", "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=",
    "**", ">>", "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    ">", "<", "|", "?", ":", "~", "$", "=", "&",
];

impl Parser {
    pub(super) fn advance(&mut self) -> Parsed<()> {
        self.token = self.read()?;
        self.operand_next = match &self.token {
            Token::Number(_)
            | Token::Text(_)
            | Token::Regex(_)
            | Token::Name(_)
            | Token::Function(_) => false,
            Token::Op(op) => !matches!(*op, ")" | "]" | "$" | "++" | "--"),
            _ => true,
        };
        Ok(())
    }

    fn read(&mut self) -> Parsed<Token> {
        loop {
            match self.chars.get(self.at) {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.chars.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.chars.get(self.at).is_some_and(|c| *c != '\n') {
                        self.at += 1;
                    }
                }
                _ => break,
            }
        }
        let Some(c) = self.chars.get(self.at).copied() else {
            return Ok(Token::End);
        };
        if c == '\n' {
            self.at += 1;
            return Ok(Token::Newline);
        }
        if c.is_ascii_digit()
            || c == '.'
                && self
                    .chars
                    .get(self.at + 1)
                    .is_some_and(char::is_ascii_digit)
        {
            let start = self.at;
            while self
                .chars
                .get(self.at)
                .is_some_and(|c| c.is_ascii_digit() || *c == '.')
            {
                self.at += 1;
            }
            if matches!(self.chars.get(self.at), Some('e' | 'E')) {
                let sign = matches!(self.chars.get(self.at + 1), Some('+' | '-')) as usize;
                if self
                    .chars
                    .get(self.at + 1 + sign)
                    .is_some_and(char::is_ascii_digit)
                {
                    self.at += 1 + sign;
                    while self.chars.get(self.at).is_some_and(char::is_ascii_digit) {
                        self.at += 1;
                    }
                }
            }
            let text: String = self.chars[start..self.at].iter().collect();
            return Ok(Token::Number(text.parse().unwrap_or(0.0)));
        }
        if c.is_alphabetic() || c == '_' {
            let start = self.at;
            while self
                .chars
                .get(self.at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                self.at += 1;
            }
            let name: String = self.chars[start..self.at].iter().collect();
            if self.chars.get(self.at) == Some(&'(') {
                return Ok(Token::Function(name));
            }
            return Ok(Token::Name(name));
        }
        if c == '"' {
            self.at += 1;
            return self.string();
        }
        if c == '/' && self.operand_next {
            self.at += 1;
            return self.regex();
        }
        for op in OPS {
            let length = op.len();
            let end = self.at + length;
            if end <= self.chars.len() && self.chars[self.at..end].iter().copied().eq(op.chars()) {
                self.at = end;
                return Ok(Token::Op(match op {
                    "**" => "^",
                    "**=" => "^=",
                    op => op,
                }));
            }
        }
        Err(format!("syntax error near `{c}'"))
    }

    fn string(&mut self) -> Parsed<Token> {
        let mut text = String::new();
        loop {
            let Some(c) = self.chars.get(self.at).copied() else {
                return Err("unterminated string".into());
            };
            self.at += 1;
            match c {
                '"' => return Ok(Token::Text(text)),
                '\n' => return Err("unterminated string".into()),
                '\\' => {
                    let next = self.chars.get(self.at).copied().unwrap_or('\\');
                    self.at += 1;
                    match next {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        'a' => text.push('\u{7}'),
                        'b' => text.push('\u{8}'),
                        'f' => text.push('\u{c}'),
                        'v' => text.push('\u{b}'),
                        '\\' | '"' | '/' => text.push(next),
                        '0'..='7' => {
                            let mut value = next as u32 - '0' as u32;
                            while let Some(d) = self.chars.get(self.at).and_then(|c| c.to_digit(8))
                            {
                                value = value * 8 + d;
                                self.at += 1;
                            }
                            text.push(char::from_u32(value).unwrap_or('?'));
                        }
                        other => {
                            text.push('\\');
                            text.push(other);
                        }
                    }
                }
                c => text.push(c),
            }
        }
    }

    fn regex(&mut self) -> Parsed<Token> {
        let mut text = String::new();
        let mut bracket = false;
        loop {
            let Some(c) = self.chars.get(self.at).copied() else {
                return Err("unterminated regular expression".into());
            };
            self.at += 1;
            match c {
                '/' if !bracket => return Ok(Token::Regex(text)),
                '\n' => return Err("unterminated regular expression".into()),
                '\\' => {
                    let next = self.chars.get(self.at).copied().unwrap_or('\\');
                    self.at += 1;
                    if next != '/' {
                        text.push('\\');
                    }
                    text.push(next);
                }
                c => {
                    match c {
                        '[' => bracket = true,
                        ']' => bracket = false,
                        _ => {}
                    }
                    text.push(c);
                }
            }
        }
    }
}
