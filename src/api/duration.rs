//! Lengths of time in text: Go's `1h2m3.5s`, and the short ages that kubectl prints.
//!
//! Models `time.ParseDuration`, `time.Duration.String` and `apimachinery/pkg/util/duration`. A duration is a whole
//! number of nanoseconds, as in Go.

/// Why a text is no Go duration, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError(pub String);

pub const NANOS_PER_SEC: i64 = 1_000_000_000;

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
];

/// Reads a Go duration (`300ms`, `-1.5h`, `2h45m`, `0`) as nanoseconds.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let invalid = || DurationError(format!("time: invalid duration {}", quote(text)));
    let (is_negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        if name.is_empty() {
            return Err(DurationError(format!(
                "time: missing unit in duration {}",
                quote(text)
            )));
        }
        let Some((_, unit)) = UNITS.iter().find(|(unit, _)| *unit == name) else {
            return Err(DurationError(format!(
                "time: unknown unit {} in duration {}",
                quote(name),
                quote(text)
            )));
        };
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| invalid())?
        };
        let part = whole.checked_mul(*unit);
        let part = part.and_then(|part| part.checked_add(fraction_of(fraction, *unit)));
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(invalid)?;
        rest = after;
    }
    Ok(if is_negative { -total } else { total })
}

/// Writes nanoseconds as Go does: `1h0m0s`, `1.5s`, `300ms`, `0s`.
pub fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let second = NANOS_PER_SEC as u64;
    if n == 0 {
        return "0s".to_owned();
    }
    if n < second {
        let (unit, name) = match n {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", decimal(n, unit));
    }
    let secs = n / second;
    let (hours, minutes) = (secs / 3600, secs / 60 % 60);
    let rest = decimal(n % (60 * second), second);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, _) => format!("{sign}{minutes}m{rest}s"),
        _ => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

/// The age that kubectl's tables print: two or three significant figures (`45s`, `5m10s`, `3h`, `2d4h`, `3y20d`).
pub fn human(secs: i64) -> String {
    let both = |n: i64, unit: char, rest: i64, rest_unit: char| {
        if rest == 0 {
            format!("{n}{unit}")
        } else {
            format!("{n}{unit}{rest}{rest_unit}")
        }
    };
    let (minutes, hours) = (secs / 60, secs / 3600);
    let days = hours / 24;
    match secs {
        // Clocks may differ by a second between machines.
        ..-1 => "<invalid>".to_owned(),
        -1 | 0 => "0s".to_owned(),
        1..120 => format!("{secs}s"),
        _ if minutes < 10 => both(minutes, 'm', secs % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => both(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => both(days, 'd', hours % 24, 'h'),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2920 => both(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

/// The age in one unit (`45s`, `5m`, `3h`, `2d`, `3y`), as `kubectl rollout history`-like short columns print.
pub fn short_human(secs: i64) -> String {
    match secs {
        ..-1 => "<invalid>".to_owned(),
        -1 | 0 => "0s".to_owned(),
        1..60 => format!("{secs}s"),
        60..3_600 => format!("{}m", secs / 60),
        3_600..86_400 => format!("{}h", secs / 3_600),
        86_400..31_536_000 => format!("{}d", secs / 86_400),
        _ => format!("{}y", secs / 31_536_000),
    }
}

impl std::fmt::Display for DurationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DurationError {}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `0.digits` of a unit, in nanoseconds, cut off.
fn fraction_of(digits: &str, unit: i64) -> i64 {
    let mut rest = i128::from(unit);
    let mut sum: i128 = 0;
    let mut scale: i128 = 1;
    // Eighteen digits decide every nanosecond of an hour.
    for digit in digits.bytes().take(18) {
        sum = sum * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    rest *= sum;
    (rest / scale) as i64
}

fn decimal(n: u64, unit: u64) -> String {
    let (whole, fraction) = (n / unit, n % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let fraction = format!("{fraction:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_survive_a_round_trip() {
        for (text, canonical) in [
            ("0", "0s"),
            ("5s", "5s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            ("1h15m30.918s", "1h15m30.918s"),
            ("300ms", "300ms"),
            ("1.5ms", "1.5ms"),
            ("12us", "12µs"),
            ("7ns", "7ns"),
            ("-2m", "-2m0s"),
            (".5s", "500ms"),
            ("1m0.000000001s", "1m0.000000001s"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_in_gos_words() {
        for (text, message) in [
            ("", r#"time: invalid duration """#),
            ("x", r#"time: invalid duration "x""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5d", r#"time: unknown unit "d" in duration "5d""#),
            ("1h ", r#"time: unknown unit "h " in duration "1h ""#),
            ("99999999999h", r#"time: invalid duration "99999999999h""#),
        ] {
            assert_eq!(parse(text).map_err(|e| e.0), Err(message.to_owned()));
        }
    }

    #[test]
    fn ages_are_those_of_kubectl() {
        for (secs, age, short) in [
            (-5, "<invalid>", "<invalid>"),
            (0, "0s", "0s"),
            (119, "119s", "1m"),
            (120, "2m", "2m"),
            (310, "5m10s", "5m"),
            (600, "10m", "10m"),
            (3 * 3600 - 1, "179m", "2h"),
            (3 * 3600, "3h", "3h"),
            (3 * 3600 + 1500, "3h25m", "3h"),
            (8 * 3600, "8h", "8h"),
            (47 * 3600, "47h", "1d"),
            (49 * 3600, "2d1h", "2d"),
            (8 * 86400, "8d", "8d"),
            (730 * 86400, "2y", "2y"),
            (750 * 86400, "2y20d", "2y"),
            (3000 * 86400, "8y", "8y"),
        ] {
            assert_eq!(
                (human(secs).as_str(), short_human(secs).as_str()),
                (age, short)
            );
        }
    }
}
