//! Numbers, ports and percentages.

use api::Value;

use super::Problems;
use crate::path::Path;

/// `ValidateNonnegativeField`.
pub(crate) fn not_negative(value: &Value, path: &Path, out: &mut Problems) {
    if value.as_int().is_some_and(|n| n < 0) {
        out.push(path.invalid(value, "must be greater than or equal to 0"));
    }
}

pub(crate) fn positive(value: &Value, path: &Path, out: &mut Problems) {
    if value.as_int().is_some_and(|n| n <= 0) {
        out.push(path.invalid(value, "must be greater than 0"));
    }
}

/// A port's number.
pub(crate) fn port(value: &Value, path: &Path, out: &mut Problems) {
    if !(1..=65535).contains(&value.as_int().unwrap_or(0)) {
        let shown = value.as_int().unwrap_or(0);
        out.push(path.invalid(shown, "must be between 1 and 65535, inclusive"));
    }
}

/// A port by number or by name.
pub(crate) fn port_or_name(value: &Value, path: &Path, out: &mut Problems) {
    match value {
        Value::Str(name) => {
            for message in super::names::port_name(name) {
                out.push(path.invalid(value, &message));
            }
        }
        _ => port(value, path, out),
    }
}

/// `PositiveIntOrPercent`: not negative, or a percentage.
pub(crate) fn int_or_percent(value: &Value, path: &Path, out: &mut Problems) {
    match value {
        Value::Str(text) => {
            let digits = text.strip_suffix('%').unwrap_or("");
            if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
                out.push(path.invalid(
                    value,
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                ));
            }
        }
        Value::Int(_) => not_negative(value, path, out),
        _ => {}
    }
}

/// A percentage above 100 makes no sense for what cannot exceed the whole.
pub(crate) fn not_more_than_whole(value: &Value, path: &Path, out: &mut Problems) {
    if percent(value).is_some_and(|p| p > 100) {
        out.push(path.invalid(value, "must not be greater than 100%"));
    }
}

/// 25 of `25%`.
pub(crate) fn percent(value: &Value) -> Option<i64> {
    value.as_str()?.strip_suffix('%')?.parse().ok()
}

/// Whether an int-or-percent is nothing at all.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Int(n) => *n == 0,
        Value::Str(_) => percent(value) == Some(0),
        _ => true,
    }
}
