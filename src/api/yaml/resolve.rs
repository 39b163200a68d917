//! What a plain scalar means: go-yaml v2's rules (`resolve.go`), as they end in JSON.

use crate::{Str, Value};

/// Resolves a scalar. Quoted ones are strings, unless a core tag says otherwise.
pub(super) fn scalar(text: &str, is_plain: bool, tag: Option<&str>) -> Value {
    match tag {
        Some("str") => return Value::from(Str::new(text)),
        Some("binary") => return Value::from(Str::new(text)),
        _ if !is_plain && tag.is_none() => return Value::from(Str::new(text)),
        _ => {}
    }
    plain(text).unwrap_or_else(|| Value::from(Str::new(text)))
}

/// The meaning of a plain scalar that is no string.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        _ => {}
    }
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'.' | b'+' | b'-')) {
        return None;
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| float(&digits))
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
fn integer(text: &str) -> Option<Value> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = rest.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if is_negative { -value } else { value };
    match i64::try_from(value) {
        Ok(n) => Some(Value::Int(n)),
        Err(_) => u64::try_from(value).ok().map(|n| Value::Float(n as f64)),
    }
}

fn float(text: &str) -> Option<Value> {
    // JSON has no infinities: go-yaml's .inf and .nan end as errors there, so they stay text here.
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && is_digits(mantissa),
    };
    let is_exponent = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
        !digits.is_empty() && is_digits(digits)
    });
    if !(is_mantissa && is_exponent) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    // JSON writes whole numbers below 10^21 without a fraction, and reads them back as integers.
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Value::Int(value as i64));
    }
    Some(Value::Float(value))
}

/// Whether go-yaml would write `text` with quotes because it would read as something else.
pub(super) fn is_ambiguous(text: &str) -> bool {
    plain(text).is_some()
        || is_timestamp(text)
        || is_base_60(text)
        || matches!(
            text.to_ascii_lowercase().as_str(),
            ".inf" | "+.inf" | "-.inf" | ".nan" | "<<" | "="
        )
}

/// `2024-01-01`, with or without a time.
fn is_timestamp(text: &str) -> bool {
    let b = text.as_bytes();
    if b.len() < 8 || !b[..4].iter().all(u8::is_ascii_digit) || b[4] != b'-' {
        return false;
    }
    let parts: Vec<&str> = text.splitn(3, '-').collect();
    let [_, month, rest] = parts[..] else {
        return false;
    };
    let day: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let after = &rest[day.len()..];
    let is_small =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
    is_small(month)
        && is_small(&day)
        && (after.is_empty()
            || after.starts_with(['T', 't', ' '])
                && after[1..]
                    .trim_start()
                    .starts_with(|c: char| c.is_ascii_digit())
                && after.contains(':'))
}

/// `1:30`: YAML 1.1 read these as numbers.
fn is_base_60(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some((head, tail)) = rest.split_once(':') else {
        return false;
    };
    let is_number =
        |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit() || c == b'_');
    let (minutes, fraction) = tail.split_once('.').unwrap_or((tail, ""));
    is_number(head)
        && head.starts_with(|c: char| c.is_ascii_digit())
        && minutes.split(':').all(|part| {
            (1..=2).contains(&part.len())
                && part.bytes().all(|c| c.is_ascii_digit())
                && part.parse::<u32>().is_ok_and(|n| n < 60)
        })
        && fraction.bytes().all(|c| c.is_ascii_digit() || c == b'_')
}
