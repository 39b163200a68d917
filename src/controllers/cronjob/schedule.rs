//! Cron schedules in the dialect of `robfig/cron` v3's standard parser: five fields, names, steps, `@hourly`, `@every 1h`.
//!
//! Times are found in the schedule's zone ([`super::zone`]) by walking its days.

use sim::time::{civil_from_days, days_in_month};
use sim::{MINUTE, Micros, SECOND, Time};

use super::zone::Zone;

/// A schedule that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    Fields(Box<Fields>),
    Every(Micros),
}

/// The fields as sets of bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
    /// Whether day or weekday is `*`: then both must fit, else one suffices.
    day_is_any: bool,
    weekday_is_any: bool,
    zone: Zone,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule that names no date at all in this many days never fires.
const HORIZON_DAYS: i64 = 5 * 366;

impl Schedule {
    /// Reads a schedule; `zone` is `spec.timeZone`. The error says what is wrong.
    pub(super) fn parse(text: &str, zone: Zone) -> Result<Schedule, String> {
        if let Some(span) = text.strip_prefix("@every ") {
            let nanos = api::duration::parse(span.trim())
                .map_err(|_| format!("failed to parse duration {text}"))?;
            // At least a second, and whole seconds.
            let secs = (nanos / 1_000_000_000).max(1) as Micros;
            return Ok(Schedule::Every(secs * SECOND));
        }
        let expanded = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other if other.starts_with('@') => {
                return Err(format!("unrecognized descriptor: {other}"));
            }
            other => other,
        };
        let parts: Vec<&str> = expanded.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            return Err(format!(
                "expected exactly 5 fields, found {}: {parts:?}",
                parts.len()
            ));
        };
        let is_any = |field: &str| {
            field.split(',').any(|part| {
                let base = part.split('/').next().unwrap_or_default();
                matches!(base, "*" | "?")
            })
        };
        Ok(Schedule::Fields(Box::new(Fields {
            minute: bits(minute, 0, 59, &[])?,
            hour: bits(hour, 0, 23, &[])?,
            day: bits(day, 1, 31, &[])?,
            month: bits(month, 1, 12, &MONTHS)?,
            weekday: bits(weekday, 0, 6, &WEEKDAYS)?,
            day_is_any: is_any(day),
            weekday_is_any: is_any(weekday),
            zone,
        })))
    }

    /// The first time after `after`; `None` if there is none.
    pub(super) fn next(&self, after: Time) -> Option<Time> {
        match self {
            Schedule::Every(span) => Some(Time(after.0 / SECOND * SECOND) + *span),
            Schedule::Fields(fields) => fields.next(after),
        }
    }
}

impl Fields {
    fn next(&self, after: Time) -> Option<Time> {
        let local = after.secs() + self.zone.offset(after);
        let first = local.div_euclid(86_400);
        (first..first + HORIZON_DAYS)
            .filter(|day| self.has_day(*day))
            .find_map(|day| {
                let minutes = (0..1440_i64).filter(|minute| {
                    self.hour >> (minute / 60) & 1 == 1 && self.minute >> (minute % 60) & 1 == 1
                });
                minutes
                    .filter_map(|minute| self.zone.at(day * 86_400 + minute * 60))
                    .find(|time| *time > after)
            })
    }

    fn has_day(&self, day: i64) -> bool {
        let (year, month, of_month) = civil_from_days(day);
        if self.month >> month & 1 == 0 || of_month > days_in_month(year, month) {
            return false;
        }
        let weekday = (day + 4).rem_euclid(7);
        let fits_day = self.day >> of_month & 1 == 1;
        let fits_weekday = self.weekday >> weekday & 1 == 1;
        if self.day_is_any || self.weekday_is_any {
            fits_day && fits_weekday
        } else {
            fits_day || fits_weekday
        }
    }
}

/// One field: `*`, `1,2`, `1-5`, `*/15`, `10-40/5`, names where there are some.
fn bits(field: &str, min: u64, max: u64, names: &[&str]) -> Result<u64, String> {
    let number = |text: &str| -> Result<u64, String> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = names.iter().position(|name| *name == lower) {
            return Ok(at as u64 + min);
        }
        text.parse()
            .map_err(|_| format!("failed to parse int from {text}"))
    };
    let mut set = 0;
    for part in field.split(',').filter(|part| !part.is_empty()) {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (part, None),
        };
        let (low, high) = if matches!(range, "*" | "?") {
            (min, max)
        } else if let Some((low, high)) = range.split_once('-') {
            (number(low)?, number(high)?)
        } else {
            let one = number(range)?;
            // `5/15` means from 5 on.
            (one, if step.is_some() { max } else { one })
        };
        if low < min {
            return Err(format!(
                "beginning of range ({low}) below minimum ({min}): {part}"
            ));
        }
        if high > max {
            return Err(format!(
                "end of range ({high}) above maximum ({max}): {part}"
            ));
        }
        if low > high {
            return Err(format!(
                "beginning of range ({low}) beyond end of range ({high}): {part}"
            ));
        }
        if step == Some(0) {
            return Err(format!("step of range should be a positive number: {part}"));
        }
        let mut at = low;
        while at <= high {
            set |= 1 << at;
            at += step.unwrap_or(1);
        }
    }
    if set == 0 {
        return Err(format!("empty field: {field:?}"));
    }
    Ok(set)
}

/// The newest time that was missed since `earliest`, and how many were, counted no further than needed.
pub(super) fn missed(schedule: &Schedule, earliest: Time, now: Time) -> Option<(Time, usize)> {
    let mut newest = None;
    let mut count = 0;
    let mut at = earliest;
    // A schedule fires at most once a minute or, with @every, once a second: skip far-away pasts at once.
    let far = now.since(earliest) > 10_000 * MINUTE;
    if far {
        count = 101;
        at = now - 2 * 366 * 24 * 60 * MINUTE;
        at = at.max(earliest);
    }
    while let Some(next) = schedule.next(at) {
        if next > now {
            break;
        }
        newest = Some(next);
        count += 1;
        at = next;
        if count > 100_000 {
            break;
        }
    }
    newest.map(|time| (time, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_fire_when_they_say() {
        let utc = Zone::find("UTC").expect("known");
        let tokyo = Zone::find("Asia/Tokyo").expect("known");
        for (text, zone, after, next) in [
            (
                "* * * * *",
                utc,
                "2026-11-22T21:04:28Z",
                "2026-11-22T21:05:00Z",
            ),
            (
                "*/5 * * * *",
                utc,
                "2026-11-22T21:05:00Z",
                "2026-11-22T21:10:00Z",
            ),
            (
                "0 3 * * *",
                tokyo,
                "2026-11-22T17:59:59Z",
                "2026-11-22T18:00:00Z",
            ),
            (
                "0 0 13 * 5",
                utc,
                "2026-11-22T00:00:00Z",
                "2026-11-27T00:00:00Z",
            ),
            (
                "@monthly",
                utc,
                "2026-11-22T00:00:00Z",
                "2026-12-01T00:00:00Z",
            ),
            (
                "30 6 29 feb *",
                utc,
                "2026-11-22T00:00:00Z",
                "2028-02-29T06:30:00Z",
            ),
            (
                "@every 1h30m",
                utc,
                "2026-11-22T00:00:00Z",
                "2026-11-22T01:30:00Z",
            ),
        ] {
            let schedule = Schedule::parse(text, zone).expect("a schedule");
            let after = Time::parse_rfc3339(after).expect("a time");
            let found = schedule.next(after).map(Time::rfc3339);
            assert_eq!(found.as_deref(), Some(next), "{text}");
        }
        for text in [
            "",
            "* * * *",
            "61 * * * *",
            "* * * * 7",
            "a * * * *",
            "*/0 * * * *",
        ] {
            assert!(Schedule::parse(text, utc).is_err(), "{text}");
        }
        let never = Schedule::parse("0 0 31 2 *", utc).expect("well formed");
        assert_eq!(never.next(Time(0)), None);
    }
}
