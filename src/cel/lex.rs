//! Text to tokens.

use api::Str;

use crate::ast::Literal;
use crate::{Fault, fault};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Literal(Literal),
    Name(Str),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "{", "}", "(", ")", "[", "]", ".", ",", ":", "?", "+", "-",
    "*", "/", "%", "<", ">", "!",
];

/// Names that no variable may have (`Syntax error: mismatched input`).
pub(crate) const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "in",
];

/// The tokens of a text with their places, the end last.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
    };
    let mut found = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        found.push((at, token));
        if is_end {
            return Ok(found);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip_space(&mut self) {
        loop {
            match self.peek(0) {
                ' ' | '\t' | '\n' | '\r' => self.at += 1,
                '/' if self.peek(1) == '/' => {
                    while self.at < self.chars.len() && self.peek(0) != '\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let c = self.peek(0);
        if self.at >= self.chars.len() {
            return Ok(Token::End);
        }
        if c.is_ascii_digit() || c == '.' && self.peek(1).is_ascii_digit() {
            return self.number();
        }
        if let Some(token) = self.text()? {
            return Ok(token);
        }
        if c.is_ascii_alphabetic() || c == '_' {
            let start = self.at;
            while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == '_' {
                self.at += 1;
            }
            let name: String = self.chars[start..self.at].iter().collect();
            return Ok(match name.as_str() {
                "true" => Token::Literal(Literal::Bool(true)),
                "false" => Token::Literal(Literal::Bool(false)),
                "null" => Token::Literal(Literal::Null),
                "in" => Token::Sign("in"),
                _ => Token::Name(name.into()),
            });
        }
        let ahead: String = (0..2).map(|n| self.peek(n)).collect();
        let sign = SIGNS.iter().find(|sign| ahead.starts_with(**sign));
        let Some(sign) = sign else {
            let shown: String = self.chars[self.at..=self.at].iter().collect();
            return Err(fault(
                self.at,
                format!("Syntax error: token recognition error at: '{shown}'"),
            ));
        };
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        if self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X') {
            self.at += 2;
            let digits = self.take(|c| c.is_ascii_hexdigit());
            return self.whole(start, &digits, 16);
        }
        let mut digits = self.take(|c| c.is_ascii_digit());
        let mut is_double = false;
        if self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            is_double = true;
            self.at += 1;
            digits.push('.');
            digits += &self.take(|c| c.is_ascii_digit());
        }
        let exponent = usize::from(matches!(self.peek(1), '+' | '-'));
        if matches!(self.peek(0), 'e' | 'E') && self.peek(1 + exponent).is_ascii_digit() {
            is_double = true;
            digits.extend(&self.chars[self.at..=self.at + exponent]);
            self.at += 1 + exponent;
            digits += &self.take(|c| c.is_ascii_digit());
        }
        if is_double {
            let number = digits.parse().unwrap_or(f64::INFINITY);
            return Ok(Token::Literal(Literal::Double(number)));
        }
        self.whole(start, &digits, 10)
    }

    fn whole(&mut self, start: usize, digits: &str, radix: u32) -> Result<Token, Fault> {
        if matches!(self.peek(0), 'u' | 'U') {
            self.at += 1;
            let number = u64::from_str_radix(digits, radix)
                .map_err(|_| fault(start, "invalid uint literal".to_owned()))?;
            return Ok(Token::Literal(Literal::Uint(number)));
        }
        // The least integer is written as a negated literal that is one too large.
        match u64::from_str_radix(digits, radix) {
            Ok(number) if number <= 1 << 63 => Ok(Token::Literal(Literal::Int(number as i64))),
            _ => Err(fault(start, "invalid int literal".to_owned())),
        }
    }

    fn take(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.at < self.chars.len() && is_part(self.peek(0)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// A string or bytes, if one begins here.
    fn text(&mut self) -> Result<Option<Token>, Fault> {
        let start = self.at;
        let (mut is_raw, mut is_bytes, mut ahead) = (false, false, 0);
        while ahead < 2 {
            match self.peek(ahead) {
                'r' | 'R' if !is_raw => is_raw = true,
                'b' | 'B' if !is_bytes => is_bytes = true,
                _ => break,
            }
            ahead += 1;
        }
        let quote = self.peek(ahead);
        if quote != '"' && quote != '\'' {
            return Ok(None);
        }
        self.at += ahead;
        let is_long = self.peek(1) == quote && self.peek(2) == quote;
        let width = if is_long { 3 } else { 1 };
        self.at += width;
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            if self.at >= self.chars.len() || !is_long && self.peek(0) == '\n' {
                let shown: String = self.chars[start..].iter().collect();
                return Err(fault(
                    start,
                    format!("Syntax error: token recognition error at: '{shown}'"),
                ));
            }
            if (0..width).all(|n| self.peek(n) == quote) {
                self.at += width;
                break;
            }
            let c = self.peek(0);
            self.at += 1;
            if c == '\\' && !is_raw {
                self.escape(start, is_bytes, &mut bytes)?;
            } else {
                bytes.extend(c.to_string().as_bytes());
            }
        }
        if is_bytes {
            return Ok(Some(Token::Literal(Literal::Bytes(bytes))));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| fault(start, "invalid string literal".to_owned()))?;
        Ok(Some(Token::Literal(Literal::Text(text.into()))))
    }

    fn escape(&mut self, start: usize, is_bytes: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let c = self.peek(0);
        self.at += 1;
        let simple = match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'v' => Some('\u{b}'),
            '\\' | '"' | '\'' | '`' | '?' => Some(c),
            _ => None,
        };
        if let Some(c) = simple {
            out.extend(c.to_string().as_bytes());
            return Ok(());
        }
        let (len, radix) = match c {
            'x' | 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='3' => {
                self.at -= 1;
                (3, 8)
            }
            _ => (0, 16),
        };
        let digits: String = (0..len).map(|n| self.peek(n)).collect();
        self.at += len;
        let code = u32::from_str_radix(&digits, radix).ok();
        match (code, is_bytes && len < 4) {
            (Some(code), true) if code < 256 => out.push(code as u8),
            (Some(code), false) if char::from_u32(code).is_some() => {
                let c = char::from_u32(code).unwrap_or_default();
                out.extend(c.to_string().as_bytes());
            }
            _ => {
                return Err(fault(
                    start,
                    format!("Syntax error: token recognition error at: '\\{c}'"),
                ));
            }
        }
        Ok(())
    }
}
