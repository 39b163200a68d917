//! jq's grammar.

use super::json::{Json, parse_all};
use std::sync::Arc;

const DEPTH_LIMIT: u32 = 80;

#[derive(Clone, Debug)]
pub(super) enum Filter {
    Identity,
    Recurse,
    Literal(Json),
    /// Text with `\(…)` inside, and the `@format` for those.
    Format(Option<String>, Vec<Piece>),
    Field(Box<Filter>, Box<Filter>),
    Slice(Box<Filter>, Option<Box<Filter>>, Option<Box<Filter>>),
    Iterate(Box<Filter>),
    Try(Box<Filter>, Option<Box<Filter>>),
    Pipe(Box<Filter>, Box<Filter>),
    Comma(Box<Filter>, Box<Filter>),
    Negate(Box<Filter>),
    Binary(&'static str, Box<Filter>, Box<Filter>),
    Alternative(Box<Filter>, Box<Filter>),
    Update(&'static str, Box<Filter>, Box<Filter>),
    List(Option<Box<Filter>>),
    Object(Vec<(Filter, Filter)>),
    If(Vec<(Filter, Filter)>, Option<Box<Filter>>),
    Reduce(Box<Filter>, String, Box<Filter>, Box<Filter>),
    Foreach(
        Box<Filter>,
        String,
        Box<Filter>,
        Box<Filter>,
        Option<Box<Filter>>,
    ),
    As(Box<Filter>, String, Box<Filter>),
    Var(String),
    Call(String, Vec<Filter>),
    Def(String, Vec<String>, Arc<Filter>, Box<Filter>),
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Value(Filter),
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
}

type Parsed<T> = Result<T, String>;

pub(super) fn parse(text: &str) -> Parsed<Filter> {
    let mut p = Parser {
        chars: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    p.blank();
    if p.peek().is_none() {
        return Ok(Filter::Identity);
    }
    let filter = p.pipe()?;
    p.blank();
    match p.peek() {
        None => Ok(filter),
        Some(_) => p.error(),
    }
}

fn boxed(f: Filter) -> Box<Filter> {
    Box::new(f)
}

impl Parser {
    fn error<T>(&self) -> Parsed<T> {
        let near: String = self.chars[self.at.min(self.chars.len())..]
            .iter()
            .take(16)
            .collect();
        Err(if near.is_empty() {
            "syntax error, unexpected end of file".into()
        } else {
            format!("syntax error near `{near}`")
        })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn blank(&mut self) {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => self.at += 1,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn looking(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    fn take(&mut self, text: &str) -> bool {
        self.blank();
        let found = self.looking(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) {
            Ok(())
        } else {
            self.error()
        }
    }

    fn word_at(&self) -> String {
        self.chars[self.at.min(self.chars.len())..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || **c == '_')
            .collect()
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.blank();
        let found = self.word_at() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            Err("filter nested too deeply".into())
        } else {
            Ok(())
        }
    }

    fn pipe(&mut self) -> Parsed<Filter> {
        self.deeper()?;
        self.blank();
        if self.keyword("def") {
            self.blank();
            let name = self.name()?;
            let mut params = Vec::new();
            if self.take("(") {
                loop {
                    self.blank();
                    self.take("$");
                    params.push(self.name()?);
                    if !self.take(";") {
                        break;
                    }
                }
                self.expect(")")?;
            }
            self.expect(":")?;
            let body = self.pipe()?;
            self.expect(";")?;
            let rest = self.pipe()?;
            self.depth -= 1;
            return Ok(Filter::Def(name, params, Arc::new(body), boxed(rest)));
        }
        let left = self.comma()?;
        let filter = if self.keyword("as") {
            self.expect("$")?;
            let name = self.name()?;
            self.expect("|")?;
            let body = self.pipe()?;
            Filter::As(boxed(left), name, boxed(body))
        } else {
            self.blank();
            if self.looking("|") && !self.looking("|=") {
                self.at += 1;
                let right = self.pipe()?;
                Filter::Pipe(boxed(left), boxed(right))
            } else {
                left
            }
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comma(&mut self) -> Parsed<Filter> {
        let mut left = self.update()?;
        while self.take(",") {
            let right = self.update()?;
            left = Filter::Comma(boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn update(&mut self) -> Parsed<Filter> {
        let left = self.alternative()?;
        self.blank();
        for op in ["|=", "+=", "-=", "*=", "/=", "//=", "="] {
            if self.looking(op) && !self.looking("==") {
                self.at += op.len();
                let right = self.alternative()?;
                return Ok(Filter::Update(op, boxed(left), boxed(right)));
            }
        }
        Ok(left)
    }

    fn alternative(&mut self) -> Parsed<Filter> {
        let left = self.or()?;
        self.blank();
        if self.looking("//") && !self.looking("//=") {
            self.at += 2;
            let right = self.alternative()?;
            return Ok(Filter::Alternative(boxed(left), boxed(right)));
        }
        Ok(left)
    }

    fn or(&mut self) -> Parsed<Filter> {
        let mut left = self.and()?;
        while self.keyword("or") {
            let right = self.and()?;
            left = Filter::Binary("or", boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Filter> {
        let mut left = self.compare()?;
        while self.keyword("and") {
            let right = self.compare()?;
            left = Filter::Binary("and", boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn compare(&mut self) -> Parsed<Filter> {
        let left = self.sum()?;
        self.blank();
        for op in ["==", "!=", "<=", ">=", "<", ">"] {
            if self.looking(op) {
                self.at += op.len();
                let right = self.sum()?;
                return Ok(Filter::Binary(op, boxed(left), boxed(right)));
            }
        }
        Ok(left)
    }

    fn operator(&mut self, ops: [&'static str; 3]) -> Option<&'static str> {
        self.blank();
        let next = self.chars.get(self.at + 1).copied();
        let op = ops
            .into_iter()
            .find(|op| !op.is_empty() && self.looking(op))?;
        // `+=` and `//` are other operators.
        if next == Some('=') || op == "/" && next == Some('/') {
            return None;
        }
        self.at += 1;
        Some(op)
    }

    fn sum(&mut self) -> Parsed<Filter> {
        let mut left = self.product()?;
        while let Some(op) = self.operator(["+", "-", ""]) {
            let right = self.product()?;
            left = Filter::Binary(op, boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Filter> {
        let mut left = self.postfix()?;
        while let Some(op) = self.operator(["*", "/", "%"]) {
            let right = self.postfix()?;
            left = Filter::Binary(op, boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Parsed<Filter> {
        self.deeper()?;
        self.blank();
        let mut filter = self.primary()?;
        loop {
            match self.peek() {
                Some('.') => {
                    let next = self.chars.get(self.at + 1).copied();
                    match next {
                        Some(c) if c.is_alphabetic() || c == '_' => {
                            self.at += 1;
                            let name = self.name()?;
                            filter = field(filter, &name);
                        }
                        Some('"') => {
                            self.at += 1;
                            let key = self.string(None)?;
                            filter = Filter::Field(boxed(filter), boxed(key));
                        }
                        Some('[') => self.at += 1,
                        _ => break,
                    }
                }
                Some('[') => {
                    self.at += 1;
                    filter = self.bracket(filter)?;
                }
                Some('?') => {
                    self.at += 1;
                    filter = Filter::Try(boxed(filter), None);
                }
                Some(c) if c.is_whitespace() => {
                    // `.a [0]` is allowed, `.a .b` is not ours to join; look past the blank for a bracket or dot.
                    let save = self.at;
                    self.blank();
                    if !matches!(self.peek(), Some('[' | '?')) {
                        self.at = save;
                        break;
                    }
                }
                _ => break,
            }
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn bracket(&mut self, filter: Filter) -> Parsed<Filter> {
        if self.take("]") {
            return Ok(Filter::Iterate(boxed(filter)));
        }
        if self.take(":") {
            let to = self.pipe()?;
            self.expect("]")?;
            return Ok(Filter::Slice(boxed(filter), None, Some(boxed(to))));
        }
        let index = self.pipe()?;
        if self.take(":") {
            if self.take("]") {
                return Ok(Filter::Slice(boxed(filter), Some(boxed(index)), None));
            }
            let to = self.pipe()?;
            self.expect("]")?;
            return Ok(Filter::Slice(
                boxed(filter),
                Some(boxed(index)),
                Some(boxed(to)),
            ));
        }
        self.expect("]")?;
        Ok(Filter::Field(boxed(filter), boxed(index)))
    }

    fn name(&mut self) -> Parsed<String> {
        self.blank();
        let name = self.word_at();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return self.error();
        }
        self.at += name.chars().count();
        Ok(name)
    }

    fn primary(&mut self) -> Parsed<Filter> {
        let Some(c) = self.peek() else {
            return self.error();
        };
        match c {
            '.' => {
                if self.looking("..") {
                    self.at += 2;
                    return Ok(Filter::Recurse);
                }
                match self.chars.get(self.at + 1).copied() {
                    Some(c) if c.is_alphabetic() || c == '_' || c == '"' || c == '[' => {
                        Ok(Filter::Identity)
                    }
                    _ => {
                        self.at += 1;
                        Ok(Filter::Identity)
                    }
                }
            }
            '(' => {
                self.at += 1;
                let inner = self.pipe()?;
                self.expect(")")?;
                Ok(inner)
            }
            '[' => {
                self.at += 1;
                if self.take("]") {
                    return Ok(Filter::List(None));
                }
                let inner = self.pipe()?;
                self.expect("]")?;
                Ok(Filter::List(Some(boxed(inner))))
            }
            '{' => {
                self.at += 1;
                self.object()
            }
            '"' => self.string(None),
            '@' => {
                self.at += 1;
                let name = self.name()?;
                self.blank();
                if self.peek() == Some('"') {
                    return self.string(Some(name));
                }
                Ok(Filter::Call(format!("@{name}"), Vec::new()))
            }
            '$' => {
                self.at += 1;
                Ok(Filter::Var(self.name()?))
            }
            '-' => {
                self.at += 1;
                Ok(Filter::Negate(boxed(self.postfix()?)))
            }
            c if c.is_ascii_digit() => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
                    self.at += 1;
                }
                if matches!(self.peek(), Some('e' | 'E')) {
                    let sign = matches!(self.chars.get(self.at + 1), Some('+' | '-')) as usize;
                    if self
                        .chars
                        .get(self.at + 1 + sign)
                        .is_some_and(char::is_ascii_digit)
                    {
                        self.at += 1 + sign;
                        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                            self.at += 1;
                        }
                    }
                }
                let text: String = self.chars[start..self.at].iter().collect();
                match text.parse() {
                    Ok(n) => Ok(Filter::Literal(Json::Number(n))),
                    Err(_) => self.error(),
                }
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Parsed<Filter> {
        let name = self.name()?;
        Ok(match name.as_str() {
            "null" => Filter::Literal(Json::Null),
            "true" => Filter::Literal(Json::Bool(true)),
            "false" => Filter::Literal(Json::Bool(false)),
            "if" => {
                let mut clauses = Vec::new();
                loop {
                    let cond = self.pipe()?;
                    if !self.keyword("then") {
                        return self.error();
                    }
                    clauses.push((cond, self.pipe()?));
                    if !self.keyword("elif") {
                        break;
                    }
                }
                let otherwise = if self.keyword("else") {
                    Some(boxed(self.pipe()?))
                } else {
                    None
                };
                if !self.keyword("end") {
                    return self.error();
                }
                Filter::If(clauses, otherwise)
            }
            "try" => {
                let body = self.postfix()?;
                let catch = if self.keyword("catch") {
                    Some(boxed(self.postfix()?))
                } else {
                    None
                };
                Filter::Try(boxed(body), catch)
            }
            "reduce" | "foreach" => {
                let source = self.postfix()?;
                if !self.keyword("as") {
                    return self.error();
                }
                self.expect("$")?;
                let var = self.name()?;
                self.expect("(")?;
                let init = self.pipe()?;
                self.expect(";")?;
                let update = self.pipe()?;
                let extract = if name == "foreach" && self.take(";") {
                    Some(boxed(self.pipe()?))
                } else {
                    None
                };
                self.expect(")")?;
                if name == "reduce" {
                    Filter::Reduce(boxed(source), var, boxed(init), boxed(update))
                } else {
                    Filter::Foreach(boxed(source), var, boxed(init), boxed(update), extract)
                }
            }
            "then" | "else" | "elif" | "end" | "as" | "and" | "or" => return self.error(),
            _ => {
                let mut args = Vec::new();
                if self.looking("(") {
                    self.at += 1;
                    loop {
                        args.push(self.pipe()?);
                        if !self.take(";") {
                            break;
                        }
                    }
                    self.expect(")")?;
                }
                Filter::Call(name, args)
            }
        })
    }

    fn object(&mut self) -> Parsed<Filter> {
        let mut fields = Vec::new();
        loop {
            self.blank();
            if self.take("}") {
                return Ok(Filter::Object(fields));
            }
            let (key, short) = match self.peek() {
                Some('"') => {
                    let key = self.string(None)?;
                    (
                        key.clone(),
                        Filter::Field(boxed(Filter::Identity), boxed(key)),
                    )
                }
                Some('(') => {
                    self.at += 1;
                    let key = self.pipe()?;
                    self.expect(")")?;
                    (key, Filter::Identity)
                }
                Some('$') => {
                    self.at += 1;
                    let name = self.name()?;
                    (text(&name), Filter::Var(name))
                }
                _ => {
                    let name = self.name()?;
                    (text(&name), field(Filter::Identity, &name))
                }
            };
            let value = if self.take(":") {
                self.object_value()?
            } else {
                short
            };
            fields.push((key, value));
            self.blank();
            if !self.take(",") && !self.looking("}") {
                return self.error();
            }
        }
    }

    /// A value in an object: everything but commas.
    fn object_value(&mut self) -> Parsed<Filter> {
        let left = self.alternative()?;
        self.blank();
        if self.looking("|") {
            self.at += 1;
            let right = self.object_value()?;
            return Ok(Filter::Pipe(boxed(left), boxed(right)));
        }
        Ok(left)
    }

    fn string(&mut self, format: Option<String>) -> Parsed<Filter> {
        self.at += 1;
        let mut pieces = Vec::new();
        let mut raw = String::new();
        let flush = |raw: &mut String, pieces: &mut Vec<Piece>| -> Parsed<()> {
            if !raw.is_empty() {
                let quoted = format!("\"{}\"", std::mem::take(raw));
                match parse_all(&quoted)?.pop() {
                    Some(Json::Text(t)) => pieces.push(Piece::Text(t.to_string())),
                    _ => return Err("invalid string".into()),
                }
            }
            Ok(())
        };
        loop {
            let Some(c) = self.peek() else {
                return self.error();
            };
            self.at += 1;
            match c {
                '"' => break,
                '\\' if self.peek() == Some('(') => {
                    self.at += 1;
                    flush(&mut raw, &mut pieces)?;
                    let inner = self.pipe()?;
                    self.expect(")")?;
                    pieces.push(Piece::Value(inner));
                }
                '\\' => {
                    raw.push('\\');
                    raw.extend(self.peek());
                    self.at += 1;
                }
                c => raw.push(c),
            }
        }
        flush(&mut raw, &mut pieces)?;
        Ok(Filter::Format(format, pieces))
    }
}

fn text(name: &str) -> Filter {
    Filter::Literal(Json::Text(name.into()))
}

fn field(of: Filter, name: &str) -> Filter {
    Filter::Field(boxed(of), boxed(text(name)))
}
