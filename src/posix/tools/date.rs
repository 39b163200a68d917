//! `date`, and the calendar behind it. Time zones are UTC only, as in the images.

use super::{Context, Options};

/// A moment in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) weekday: i64,
    pub(crate) yearday: i64,
}

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days since 1970 of a date (Howard Hinnant's algorithm).
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

pub(crate) fn civil(seconds: i64) -> Civil {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + (month <= 2) as i64;
    Civil {
        year,
        month,
        day,
        hour: rest / 3_600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: (days + 4).rem_euclid(7),
        yearday: days - days_of(year, 1, 1),
    }
}

/// `strftime` for UTC.
pub fn format(format: &str, micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let t = civil(seconds);
    let hour12 = if t.hour % 12 == 0 { 12 } else { t.hour % 12 };
    let day = DAYS[t.weekday as usize];
    let month = MONTHS[(t.month - 1) as usize];
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut letter = chars.next().unwrap_or('%');
        let mut width = String::new();
        let mut pad = None;
        while matches!(letter, '-' | '_' | '0'..='9' | ':' | 'E' | 'O') {
            match letter {
                '-' | '_' => pad = Some(letter),
                d if d.is_ascii_digit() => width.push(d),
                _ => {}
            }
            letter = chars.next().unwrap_or('%');
        }
        let two = |n: i64| match pad {
            Some('-') => n.to_string(),
            Some(_) => format!("{n:>2}"),
            None => format!("{n:02}"),
        };
        match letter {
            'Y' => out.push_str(&t.year.to_string()),
            'C' => out.push_str(&two(t.year / 100)),
            'y' => out.push_str(&two(t.year.rem_euclid(100))),
            'm' => out.push_str(&two(t.month)),
            'd' => out.push_str(&two(t.day)),
            'e' => out.push_str(&format!("{:>2}", t.day)),
            'H' => out.push_str(&two(t.hour)),
            'k' => out.push_str(&format!("{:>2}", t.hour)),
            'I' => out.push_str(&two(hour12)),
            'l' => out.push_str(&format!("{hour12:>2}")),
            'M' => out.push_str(&two(t.minute)),
            'S' => out.push_str(&two(t.second)),
            'N' => {
                let nanos = format!("{:09}", micros.rem_euclid(1_000_000) * 1_000);
                let digits = width.parse::<usize>().unwrap_or(9).clamp(1, 9);
                out.push_str(&nanos[..digits]);
            }
            'p' => out.push_str(if t.hour < 12 { "AM" } else { "PM" }),
            'P' => out.push_str(if t.hour < 12 { "am" } else { "pm" }),
            's' => out.push_str(&seconds.to_string()),
            'a' => out.push_str(&day[..3]),
            'A' => out.push_str(day),
            'b' | 'h' => out.push_str(&month[..3]),
            'B' => out.push_str(month),
            'j' => out.push_str(&format!("{:03}", t.yearday + 1)),
            'u' => out.push_str(&(if t.weekday == 0 { 7 } else { t.weekday }).to_string()),
            'w' => out.push_str(&t.weekday.to_string()),
            'F' => out.push_str(&format!("{:04}-{:02}-{:02}", t.year, t.month, t.day)),
            'T' | 'X' => out.push_str(&format!("{:02}:{:02}:{:02}", t.hour, t.minute, t.second)),
            'R' => out.push_str(&format!("{:02}:{:02}", t.hour, t.minute)),
            'r' => out.push_str(&format!(
                "{hour12:02}:{:02}:{:02} {}",
                t.minute,
                t.second,
                if t.hour < 12 { "AM" } else { "PM" }
            )),
            'D' | 'x' => out.push_str(&format!(
                "{:02}/{:02}/{:02}",
                t.month,
                t.day,
                t.year.rem_euclid(100)
            )),
            'c' => out.push_str(&self::format("%a %b %e %H:%M:%S %Y", micros)),
            'Z' => out.push_str("UTC"),
            'z' => out.push_str("+0000"),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            other => {
                out.push('%');
                out.push(other);
            }
        }
    }
    out
}

pub(super) fn date(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("utc", 'u'),
        ("universal", 'u'),
        ("date=", 'd'),
        ("reference=", 'r'),
        ("rfc-3339=", '3'),
        ("iso-8601", 'I'),
        ("rfc-email", 'R'),
        ("set=", 's'),
    ];
    let mut args = c.args();
    for arg in &mut args {
        if let Some(kind) = arg.strip_prefix("-I").filter(|k| !k.is_empty()) {
            *arg = format!("--iso-8601={kind}").into();
        }
    }
    let o = match Options::parse_args(c, &args, "uRI", "drDs", &long, false) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut micros = c.now();
    if let Some(text) = o.value('d').map(String::from) {
        match parse(&text, micros) {
            Some(t) => micros = t,
            None => return c.fail(1, &format!("invalid date '{text}'")),
        }
    }
    if let Some(path) = o.value('r').map(String::from) {
        match c.files().stat(&path, true) {
            Ok(stat) => micros = stat.meta.modified,
            Err(errno) => return c.fail(1, &format!("{path}: {errno}")),
        }
    }
    let mut pattern = "%a %b %e %H:%M:%S %Z %Y".to_string();
    if o.has('R') {
        pattern = "%a, %d %b %Y %H:%M:%S +0000".into();
    }
    if o.has('I') {
        pattern = match o.value('I') {
            Some(kind) if kind.starts_with('s') => "%Y-%m-%dT%H:%M:%S+00:00",
            Some(kind) if kind.starts_with('m') => "%Y-%m-%dT%H:%M+00:00",
            Some(kind) if kind.starts_with('n') => "%Y-%m-%dT%H:%M:%S,%N+00:00",
            _ => "%Y-%m-%d",
        }
        .into();
    }
    if let Some(kind) = o.value('3') {
        pattern = if kind.starts_with('s') {
            "%F %T+00:00"
        } else {
            "%F"
        }
        .into();
    }
    if let Some(operand) = o.operands.first().cloned() {
        match operand.strip_prefix('+') {
            Some(custom) => pattern = custom.to_string(),
            None => return c.fail(1, &format!("invalid date '{operand}'")),
        }
    }
    let text = format(&pattern, micros);
    c.line(&text);
    0
}

/// `@SECONDS`, `2026-04-01 12:00:00`, RFC 3339, `now`, `yesterday`, `+1 day`, `2 hours ago`.
pub(crate) fn parse(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        let seconds: f64 = seconds.parse().ok()?;
        return Some((seconds * 1e6) as i64);
    }
    let mut base = now;
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if let Some(first) = words.first()
        && let Some((date, time)) = date_and_time(first)
    {
        base = date * 1_000_000;
        words.remove(0);
        if let Some(time) = time {
            base += time * 1_000_000;
        } else if let Some(next) = words.first()
            && let Some(time) = clock(next)
        {
            base += time * 1_000_000;
            words.remove(0);
        }
    }
    let mut i = 0;
    while i < words.len() {
        let word = words[i].trim_end_matches(',');
        i += 1;
        match word {
            "now" | "UTC" | "Z" | "GMT" => continue,
            "today" => continue,
            "yesterday" => {
                base -= 86_400_000_000;
                continue;
            }
            "tomorrow" => {
                base += 86_400_000_000;
                continue;
            }
            _ => {}
        }
        let split = word
            .find(|ch: char| ch.is_ascii_alphabetic())
            .unwrap_or(word.len());
        let (number, mut unit) = word.split_at(split);
        let number: i64 = match number {
            "" if word == "next" => 1,
            "" if word == "last" => -1,
            number => number.trim_start_matches('+').parse().ok()?,
        };
        if unit.is_empty() || matches!(word, "next" | "last") {
            unit = words.get(i)?;
            i += 1;
        }
        let factor = match unit.trim_end_matches('s') {
            "second" | "sec" | "" => 1,
            "minute" | "min" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            "week" => 604_800,
            "month" => 2_592_000,
            "year" => 31_536_000,
            _ => return None,
        };
        let sign = if words.get(i) == Some(&"ago") {
            i += 1;
            -1
        } else {
            1
        };
        base = base.checked_add(number.checked_mul(factor)?.checked_mul(sign * 1_000_000)?)?;
    }
    Some(base)
}

fn date_and_time(word: &str) -> Option<(i64, Option<i64>)> {
    let (date, time) = match word.split_once(['T', '_']) {
        Some((date, time)) => (date, Some(time)),
        None => (word, None),
    };
    let fields: Vec<&str> = date.split('-').collect();
    let [year, month, day] = fields[..] else {
        return None;
    };
    let (year, month, day): (i64, i64, i64) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    let seconds = match time {
        Some(time) => Some(clock(time)?),
        None => None,
    };
    Some((days_of(year, month, day) * 86_400, seconds))
}

/// `12:30`, `12:30:15`, with `Z` or an offset.
fn clock(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('Z');
    let (text, offset) = match text.rfind(['+', '-']) {
        Some(i) => {
            let (hours, minutes) = text[i + 1..]
                .split_once(':')
                .unwrap_or((&text[i + 1..], "0"));
            let seconds = hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60;
            (
                &text[..i],
                if text[i..].starts_with('+') {
                    -seconds
                } else {
                    seconds
                },
            )
        }
        None => (text, 0),
    };
    let text = text.split('.').next()?;
    let mut fields = text.split(':').map(|f| f.parse::<i64>().ok());
    let hour = fields.next()??;
    let minute = fields.next()??;
    let second = fields.next().unwrap_or(Some(0))?;
    ((0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second))
        .then_some(hour * 3_600 + minute * 60 + second + offset)
}
