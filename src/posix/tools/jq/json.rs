//! JSON values that keep the order of keys, with `jq`'s writing and ordering.

use std::cmp::Ordering;
use std::sync::Arc;

/// Lists and objects inside each other.
const DEPTH_LIMIT: u32 = 256;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    List(Arc<[Json]>),
    Object(Arc<Vec<(Arc<str>, Json)>>),
}

impl Json {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::Text(_) => "string",
            Json::List(_) => "array",
            Json::Object(_) => "object",
        }
    }

    pub(super) fn truth(&self) -> bool {
        !matches!(self, Json::Null | Json::Bool(false))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(k, _)| **k == *key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(super) fn object(mut fields: Vec<(Arc<str>, Json)>) -> Json {
        // The last of equal keys wins, in the place of the first.
        let mut out: Vec<(Arc<str>, Json)> = Vec::with_capacity(fields.len());
        for (key, value) in fields.drain(..) {
            match out.iter_mut().find(|(k, _)| *k == key) {
                Some(old) => old.1 = value,
                None => out.push((key, value)),
            }
        }
        Json::Object(Arc::new(out))
    }

    pub(super) fn sorted(&self) -> Json {
        match self {
            Json::List(items) => Json::List(items.iter().map(Json::sorted).collect()),
            Json::Object(fields) => {
                let mut fields: Vec<_> = fields
                    .iter()
                    .map(|(k, v)| (k.clone(), v.sorted()))
                    .collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(Arc::new(fields))
            }
            other => other.clone(),
        }
    }

    pub(super) fn write(&self, indent: Option<&str>) -> String {
        let mut out = String::new();
        self.write_into(&mut out, indent, 0);
        out
    }

    fn write_into(&self, out: &mut String, indent: Option<&str>, depth: usize) {
        let newline = |out: &mut String, depth: usize| {
            if let Some(indent) = indent {
                out.push('\n');
                out.push_str(&indent.repeat(depth));
            }
        };
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => out.push_str(&number(*n)),
            Json::Text(t) => write_text(out, t),
            Json::List(items) if items.is_empty() => out.push_str("[]"),
            Json::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    newline(out, depth + 1);
                    item.write_into(out, indent, depth + 1);
                }
                newline(out, depth);
                out.push(']');
            }
            Json::Object(fields) if fields.is_empty() => out.push_str("{}"),
            Json::Object(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    newline(out, depth + 1);
                    write_text(out, key);
                    out.push_str(if indent.is_some() { ": " } else { ":" });
                    value.write_into(out, indent, depth + 1);
                }
                newline(out, depth);
                out.push('}');
            }
        }
    }

    /// jq's order: null, false, true, numbers, strings, arrays, objects.
    pub(super) fn order(&self, other: &Json) -> Ordering {
        let rank = |j: &Json| match j {
            Json::Null => 0,
            Json::Bool(false) => 1,
            Json::Bool(true) => 2,
            Json::Number(_) => 3,
            Json::Text(_) => 4,
            Json::List(_) => 5,
            Json::Object(_) => 6,
        };
        match (self, other) {
            (Json::Number(a), Json::Number(b)) => a.total_cmp(b),
            (Json::Text(a), Json::Text(b)) => a.cmp(b),
            (Json::List(a), Json::List(b)) => {
                for (x, y) in a.iter().zip(b.iter()) {
                    match x.order(y) {
                        Ordering::Equal => {}
                        order => return order,
                    }
                }
                a.len().cmp(&b.len())
            }
            (Json::Object(_), Json::Object(_)) => {
                let (Json::Object(a), Json::Object(b)) = (self.sorted(), other.sorted()) else {
                    return Ordering::Equal;
                };
                let keys = a.iter().map(|f| &f.0).cmp(b.iter().map(|f| &f.0));
                keys.then_with(|| {
                    for (x, y) in a.iter().zip(b.iter()) {
                        match x.1.order(&y.1) {
                            Ordering::Equal => {}
                            order => return order,
                        }
                    }
                    Ordering::Equal
                })
            }
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

pub(super) fn number(n: f64) -> String {
    if n.is_nan() {
        return "null".into();
    }
    if n.is_infinite() {
        return format!("{}1.7976931348623157e+308", if n < 0.0 { "-" } else { "" });
    }
    if n == n.trunc() && n.abs() < 1e17 {
        return format!("{}", n as i64);
    }
    format!("{n}")
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 32 || c as u32 == 127 => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// All values of a text.
pub(super) fn parse_all(text: &str) -> Result<Vec<Json>, String> {
    match parse_prefix(text) {
        (values, None) => Ok(values),
        (_, Some(message)) => Err(message),
    }
}

/// The values up to the first error, and the error.
pub(super) fn parse_prefix(text: &str) -> (Vec<Json>, Option<String>) {
    let mut reader = Reader {
        rest: text,
        text,
        depth: 0,
    };
    let mut values = Vec::new();
    loop {
        reader.blank();
        if reader.rest.is_empty() {
            return (values, None);
        }
        match reader.value() {
            Ok(value) => values.push(value),
            Err(message) => return (values, Some(reader.located(message))),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    fn located(&self, message: &str) -> String {
        let read = &self.text[..self.text.len() - self.rest.len()];
        let line = read.matches('\n').count() + 1;
        let column = read.len() - read.rfind('\n').map_or(0, |i| i + 1);
        format!("{message} at line {line}, column {}", column + 1)
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn value(&mut self) -> Result<Json, &'static str> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err("Exceeds depth limit for parsing");
        }
        self.blank();
        let value = match self.rest.as_bytes().first() {
            None => return Err("Unfinished JSON term"),
            Some(b'"') => Json::Text(self.text()?.into()),
            Some(b'[') => {
                self.rest = &self.rest[1..];
                let mut items = Vec::new();
                loop {
                    self.blank();
                    if let (true, Some(rest)) = (items.is_empty(), self.rest.strip_prefix(']')) {
                        self.rest = rest;
                        break;
                    }
                    items.push(self.value()?);
                    self.blank();
                    if let Some(rest) = self.rest.strip_prefix(',') {
                        self.rest = rest;
                    } else if let Some(rest) = self.rest.strip_prefix(']') {
                        self.rest = rest;
                        break;
                    } else {
                        return Err("Expected separator between values");
                    }
                }
                Json::List(items.into())
            }
            Some(b'{') => {
                self.rest = &self.rest[1..];
                let mut fields = Vec::new();
                loop {
                    self.blank();
                    if let (true, Some(rest)) = (fields.is_empty(), self.rest.strip_prefix('}')) {
                        self.rest = rest;
                        break;
                    }
                    if !self.rest.starts_with('"') {
                        return Err("Object keys must be strings");
                    }
                    let key: Arc<str> = self.text()?.into();
                    self.blank();
                    let Some(rest) = self.rest.strip_prefix(':') else {
                        return Err("Objects must consist of key:value pairs");
                    };
                    self.rest = rest;
                    fields.push((key, self.value()?));
                    self.blank();
                    if let Some(rest) = self.rest.strip_prefix(',') {
                        self.rest = rest;
                    } else if let Some(rest) = self.rest.strip_prefix('}') {
                        self.rest = rest;
                        break;
                    } else {
                        return Err("Expected separator between values");
                    }
                }
                Json::object(fields)
            }
            Some(_) => {
                let end = self
                    .rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                    .unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                let value = match word {
                    "null" => Json::Null,
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    word if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                        match word.parse() {
                            Ok(n) => Json::Number(n),
                            Err(_) => return Err("Invalid numeric literal"),
                        }
                    }
                    _ => return Err("Invalid literal"),
                };
                self.rest = rest;
                value
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let mut out = String::new();
        let mut chars = self.rest[1..].char_indices();
        let unfinished = "Unfinished string";
        loop {
            let (i, c) = chars.next().ok_or(unfinished)?;
            match c {
                '"' => {
                    self.rest = &self.rest[i + 2..];
                    return Ok(out);
                }
                '\\' => {
                    let (_, escape) = chars.next().ok_or(unfinished)?;
                    match escape {
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        'b' => out.push('\u{8}'),
                        'f' => out.push('\u{c}'),
                        'u' => {
                            let mut unit = || -> Result<u32, &'static str> {
                                let mut n = 0;
                                for _ in 0..4 {
                                    let (_, d) = chars.next().ok_or(unfinished)?;
                                    n = n * 16 + d.to_digit(16).ok_or("Invalid escape")?;
                                }
                                Ok(n)
                            };
                            let mut code = unit()?;
                            if (0xd800..0xdc00).contains(&code) {
                                // The second half of a pair follows as another escape.
                                let second = match (chars.next(), chars.next()) {
                                    (Some((_, '\\')), Some((_, 'u'))) => {
                                        let mut n = 0;
                                        for _ in 0..4 {
                                            let (_, d) = chars.next().ok_or(unfinished)?;
                                            n = n * 16 + d.to_digit(16).ok_or("Invalid escape")?;
                                        }
                                        n
                                    }
                                    _ => 0,
                                };
                                if (0xdc00..0xe000).contains(&second) {
                                    code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
                                }
                            }
                            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                        }
                        '"' | '\\' | '/' => out.push(escape),
                        _ => return Err("Invalid escape"),
                    }
                }
                c => out.push(c),
            }
        }
    }
}
