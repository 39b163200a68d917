//! awk's values: numbers, texts, and input that is either.

use std::sync::Arc;

use super::super::printf::general;
use super::run::{Ran, Stop, TEXT_LIMIT};

#[derive(Clone, Debug)]
pub(super) enum Value {
    Unset,
    Number(f64),
    Text(Arc<str>),
    /// Input that looks like a number: compares as one.
    Numeric(f64, Arc<str>),
}

pub(super) fn number_of(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let mut end = 0;
    let mut digits = false;
    if matches!(bytes.first(), Some(b'+' | b'-')) {
        end = 1;
    }
    while end < bytes.len() && (bytes[end].is_ascii_digit() || bytes[end] == b'.') {
        digits |= bytes[end].is_ascii_digit();
        end += 1;
    }
    if !digits {
        return 0.0;
    }
    if end < bytes.len() && matches!(bytes[end], b'e' | b'E') {
        let mut e = end + 1;
        if matches!(bytes.get(e), Some(b'+' | b'-')) {
            e += 1;
        }
        if bytes.get(e).is_some_and(u8::is_ascii_digit) {
            while bytes.get(e).is_some_and(u8::is_ascii_digit) {
                e += 1;
            }
            end = e;
        }
    }
    // Two points end the number at the second.
    let mut text = &text[..end];
    if text.matches('.').count() > 1 {
        let first = text.find('.').unwrap_or(0);
        let second = text[first + 1..]
            .find('.')
            .map_or(text.len(), |i| first + 1 + i);
        text = &text[..second];
    }
    text.parse().unwrap_or(0.0)
}

pub(super) fn looks_numeric(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    let first = trimmed.trim_start_matches(['+', '-']).chars().next()?;
    if !(first.is_ascii_digit() || first == '.') {
        return None;
    }
    trimmed.parse().ok()
}

pub(super) fn input(text: &str) -> Value {
    match looks_numeric(text) {
        Some(n) => Value::Numeric(n, text.into()),
        None => Value::Text(text.into()),
    }
}

pub(super) fn show(n: f64) -> String {
    if n == n.trunc() && n.abs() < 1e16 {
        return format!("{}", n as i64);
    }
    let sign = if n < 0.0 { "-" } else { "" };
    if n.is_nan() {
        return "nan".into();
    }
    if n.is_infinite() {
        return format!("{sign}inf");
    }
    format!("{sign}{}", general(n.abs(), 6, false))
}

impl Value {
    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(n) | Value::Numeric(n, _) => *n,
            Value::Text(t) => number_of(t),
        }
    }

    pub(super) fn text(&self) -> Arc<str> {
        match self {
            Value::Unset => "".into(),
            Value::Number(n) => show(*n).into(),
            Value::Text(t) | Value::Numeric(_, t) => t.clone(),
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(n) | Value::Numeric(n, _) => *n != 0.0,
            Value::Text(t) => !t.is_empty(),
        }
    }
}

/// An operator between two values.
pub(super) fn binary(op: &str, a: &Value, b: &Value) -> Ran<Value> {
    if op == " " {
        let (a, b) = (a.text(), b.text());
        if a.len() + b.len() > TEXT_LIMIT {
            return Err(Stop::Error("string too long".into()));
        }
        return Ok(Value::Text(format!("{a}{b}").into()));
    }
    let order = match op {
        "==" | "!=" | "<" | "<=" | ">" | ">=" => {
            if matches!(a, Value::Text(_)) || matches!(b, Value::Text(_)) {
                a.text().cmp(&b.text())
            } else {
                a.number().total_cmp(&b.number())
            }
        }
        op => return Ok(Value::Number(arithmetic(op, a.number(), b.number())?)),
    };
    let holds = match op {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    };
    Ok(Value::Number(holds as i32 as f64))
}

pub(super) fn arithmetic(op: &str, a: f64, b: f64) -> Ran<f64> {
    Ok(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "%" if b == 0.0 => return Err(Stop::Error("division by zero".into())),
        "/" => a / b,
        "%" => a % b,
        _ => power(a, b),
    })
}

/// Powers with whole exponents; the only ones that are the same on every machine.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 0.5 {
        return base.sqrt();
    }
    let n = exponent.abs().trunc().min(4096.0) as u32;
    let value = (0..n).fold(1.0, |acc, _| acc * base);
    if exponent < 0.0 { 1.0 / value } else { value }
}
