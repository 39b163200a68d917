//! `printf`: formats shared by the builtin, the tool and `awk`.

use super::Context;
use super::echo::unescape;
use std::sync::Arc;

/// Padding a format may ask for.
const WIDTH_LIMIT: usize = 4096;

/// What a format made, and what it had to complain about.
#[derive(Debug, Default)]
pub(crate) struct Formatted {
    pub(crate) bytes: Vec<u8>,
    pub(crate) problems: Vec<String>,
}

pub(super) fn printf(c: &mut Context<'_, '_>) -> i32 {
    let Some((format, values)) = c.argv[1..].split_first() else {
        return c.fail(1, "missing operand");
    };
    let made = format_text(format, values);
    c.out.extend_from_slice(&made.bytes);
    for problem in &made.problems {
        c.warn(problem);
    }
    !made.problems.is_empty() as i32
}

/// One conversion of a format.
#[derive(Debug, Default, Clone)]
pub(crate) struct Conversion {
    pub(crate) minus: bool,
    pub(crate) zero: bool,
    pub(crate) plus: bool,
    pub(crate) space: bool,
    pub(crate) alternate: bool,
    pub(crate) width: usize,
    pub(crate) precision: Option<usize>,
    pub(crate) letter: char,
}

/// Applies a format; it is used again while values are left.
pub(crate) fn format_text(format: &str, values: &[Arc<str>]) -> Formatted {
    let mut made = Formatted::default();
    let mut values = values.iter();
    loop {
        let before = values.len();
        if !once(format, &mut values, &mut made) {
            return made;
        }
        if values.len() == 0 || values.len() == before || made.bytes.len() > 8 << 20 {
            return made;
        }
    }
}

fn once<'a>(
    format: &str,
    values: &mut impl Iterator<Item = &'a Arc<str>>,
    made: &mut Formatted,
) -> bool {
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        made.bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        if rest.starts_with('\\') {
            let length = escape_length(rest);
            if !unescape(&rest[..length], &mut made.bytes, false) {
                return false;
            }
            rest = &rest[length..];
            continue;
        }
        let (conversion, length) = conversion(rest, || {
            values.next().and_then(|v| v.parse().ok()).unwrap_or(0)
        });
        let text = &rest[..length];
        rest = &rest[length..];
        match conversion.letter {
            '%' => made.bytes.push(b'%'),
            's' => {
                let value = values.next().map_or("", |v| v);
                let cut = cut(value, conversion.precision);
                made.bytes
                    .extend_from_slice(pad(cut, &conversion).as_bytes());
            }
            'q' => {
                let value = values.next().map_or("", |v| v);
                let quoted = backslashed(value);
                made.bytes
                    .extend_from_slice(pad(&quoted, &conversion).as_bytes());
            }
            'b' => {
                let value = values.next().map_or("", |v| v);
                if !unescape(value, &mut made.bytes, true) {
                    return false;
                }
            }
            'c' => {
                let value = values.next().map_or("", |v| v);
                let first: String = value.chars().take(1).collect();
                made.bytes
                    .extend_from_slice(pad(&first, &conversion).as_bytes());
            }
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let value = values.next().map_or("", |v| v);
                let number = integer(value).unwrap_or_else(|partial| {
                    made.problems.push(format!("{value}: invalid number"));
                    partial
                });
                made.bytes
                    .extend_from_slice(format_integer(number, &conversion).as_bytes());
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let value = values.next().map_or("", |v| v);
                let number = match value.trim() {
                    "" => 0.0,
                    text => text.parse::<f64>().unwrap_or_else(|_| {
                        made.problems.push(format!("{value}: invalid number"));
                        0.0
                    }),
                };
                made.bytes
                    .extend_from_slice(format_float(number, &conversion).as_bytes());
            }
            _ => {
                made.problems
                    .push(format!("`{text}': invalid format character"));
                return false;
            }
        }
    }
    made.bytes.extend_from_slice(rest.as_bytes());
    true
}

/// A text quoted as bash's `%q` does it.
fn backslashed(text: &str) -> String {
    if text.is_empty() {
        return "''".into();
    }
    if text.contains(char::is_control) {
        let inner = text
            .replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\n', "\\n")
            .replace('\t', "\\t")
            .replace('\r', "\\r");
        return format!("$'{inner}'");
    }
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if " !\"$&'()*,;<>?[\\]^`{|}".contains(c) || i == 0 && "#~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn escape_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        None => 1,
        Some((_, '0'..='7')) => {
            let digits = text[1..]
                .chars()
                .take(3)
                .take_while(|c| ('0'..='7').contains(c))
                .count();
            1 + digits
        }
        Some((_, 'x')) => {
            2 + text[2..]
                .chars()
                .take(2)
                .take_while(char::is_ascii_hexdigit)
                .count()
        }
        Some((_, 'u')) => {
            2 + text[2..]
                .chars()
                .take(4)
                .take_while(char::is_ascii_hexdigit)
                .count()
        }
        Some((i, c)) => i + c.len_utf8(),
    }
}

/// Reads a conversion that starts with `%`; gives it and its length. `star` gives the value of `*`.
pub(crate) fn conversion(text: &str, mut star: impl FnMut() -> i64) -> (Conversion, usize) {
    let chars: Vec<char> = text.chars().collect();
    let mut c = Conversion::default();
    let mut i = 1;
    while let Some(flag) = chars.get(i) {
        match flag {
            '-' => c.minus = true,
            '0' => c.zero = true,
            '+' => c.plus = true,
            ' ' => c.space = true,
            '#' => c.alternate = true,
            '\'' => {}
            _ => break,
        }
        i += 1;
    }
    let mut number = |i: &mut usize| -> i64 {
        if chars.get(*i) == Some(&'*') {
            *i += 1;
            return star();
        }
        let mut n = 0i64;
        while let Some(d) = chars.get(*i).and_then(|c| c.to_digit(10)) {
            n = (n * 10 + d as i64).min(WIDTH_LIMIT as i64);
            *i += 1;
        }
        n
    };
    let width = number(&mut i);
    c.minus |= width < 0;
    c.width = (width.unsigned_abs() as usize).min(WIDTH_LIMIT);
    if chars.get(i) == Some(&'.') {
        i += 1;
        let precision = number(&mut i);
        c.precision = usize::try_from(precision).ok().map(|p| p.min(WIDTH_LIMIT));
    }
    while matches!(chars.get(i), Some('l' | 'h' | 'z' | 'j')) {
        i += 1;
    }
    c.letter = chars.get(i).copied().unwrap_or('\0');
    let length = chars[..(i + 1).min(chars.len())]
        .iter()
        .map(|c| c.len_utf8())
        .sum();
    (c, length)
}

fn cut(text: &str, precision: Option<usize>) -> &str {
    match precision.and_then(|p| text.char_indices().nth(p)) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

pub(crate) fn format_string(text: &str, c: &Conversion) -> String {
    pad(cut(text, c.precision), c)
}

fn pad(text: &str, c: &Conversion) -> String {
    let fill = " ".repeat(c.width.saturating_sub(text.chars().count()));
    if c.minus {
        format!("{text}{fill}")
    } else {
        format!("{fill}{text}")
    }
}

/// A number as C reads it; on trouble what was readable of it.
fn integer(text: &str) -> Result<i64, i64> {
    let text = text.trim();
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return Ok(quoted.chars().next().map_or(0, |c| c as i64));
    }
    if text.is_empty() {
        return Ok(0);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(d) => (true, d),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X"))
    {
        (16, hex)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else {
        (10, digits)
    };
    let good = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let value =
        i64::from_str_radix(&digits[..good], radix).unwrap_or(if good > 15 { i64::MAX } else { 0 });
    let value = if negative { -value } else { value };
    if good == digits.len() && !digits.is_empty() {
        Ok(value)
    } else {
        Err(value)
    }
}

pub(crate) fn format_integer(value: i64, c: &Conversion) -> String {
    let (sign, mut digits) = match c.letter {
        'x' => ("", format!("{value:x}")),
        'X' => ("", format!("{value:X}")),
        'o' => ("", format!("{value:o}")),
        'u' => ("", (value as u64).to_string()),
        _ => {
            let sign = if value < 0 {
                "-"
            } else if c.plus {
                "+"
            } else if c.space {
                " "
            } else {
                ""
            };
            (sign, value.unsigned_abs().to_string())
        }
    };
    if let Some(precision) = c.precision {
        digits = format!(
            "{}{digits}",
            "0".repeat(precision.saturating_sub(digits.len()))
        );
    }
    let prefix = match c.letter {
        'x' if c.alternate && value != 0 => "0x",
        'X' if c.alternate && value != 0 => "0X",
        'o' if c.alternate => "0",
        _ => "",
    };
    zero_fill(
        &format!("{sign}{prefix}"),
        &digits,
        c.zero && c.precision.is_none(),
        c,
    )
}

fn zero_fill(sign: &str, digits: &str, zero: bool, c: &Conversion) -> String {
    if zero && !c.minus {
        let fill = c.width.saturating_sub(sign.len() + digits.len());
        return format!("{sign}{}{digits}", "0".repeat(fill));
    }
    pad(&format!("{sign}{digits}"), c)
}

pub(crate) fn format_float(value: f64, c: &Conversion) -> String {
    let sign = if value.is_sign_negative() && !value.is_nan() {
        "-"
    } else if c.plus {
        "+"
    } else if c.space {
        " "
    } else {
        ""
    };
    let v = value.abs();
    if !v.is_finite() {
        let text = if v.is_nan() { "nan" } else { "inf" };
        return pad(&format!("{sign}{text}"), c);
    }
    let precision = c.precision.unwrap_or(6);
    let digits = match c.letter.to_ascii_lowercase() {
        'f' => format!("{v:.precision$}"),
        'e' => exponent(v, precision),
        _ => general(v, precision.max(1), c.alternate),
    };
    let digits = if c.letter.is_ascii_uppercase() {
        digits.to_uppercase()
    } else {
        digits
    };
    zero_fill(sign, &digits, c.zero, c)
}

fn exponent(v: f64, precision: usize) -> String {
    let text = format!("{v:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `%g`: the shorter of both, without trailing zeros.
pub(crate) fn general(v: f64, precision: usize, keep_zeros: bool) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let scientific = format!("{v:.*e}", precision - 1);
    let exponent_value: i32 = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let strip = |text: String| {
        if keep_zeros || !text.contains('.') {
            text
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
    };
    if exponent_value < -4 || exponent_value >= precision as i32 {
        let text = exponent(v, precision - 1);
        let (mantissa, e) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{e}", strip(mantissa.to_string()));
    }
    let decimals = (precision as i32 - 1 - exponent_value).max(0) as usize;
    strip(format!("{v:.decimals$}"))
}
