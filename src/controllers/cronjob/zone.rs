//! Time zones by name: a short list of those that people use, with today's summer-time rules.
//!
//! Not the tz database: past changes of rules are unknown here, and so are small zones.

use sim::Time;
use sim::time::{civil_from_days, days_from_civil};

/// An offset from UTC, with or without summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Minutes east of UTC in winter.
    minutes: i16,
    summer: Summer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summer {
    None,
    /// From the last Sunday of March to the last Sunday of October, at 01:00 UTC.
    Europe,
    /// From the second Sunday of March to the first Sunday of November, at 02:00 local time.
    America,
    /// From the first Sunday of October to the first Sunday of April, at 02:00 standard time.
    Australia,
}

use Summer::{America, Australia, Europe};

const ZONES: &[(&str, i16, Summer)] = &[
    ("UTC", 0, Summer::None),
    ("Etc/UTC", 0, Summer::None),
    ("Etc/GMT", 0, Summer::None),
    ("GMT", 0, Summer::None),
    ("Africa/Cairo", 120, Summer::None),
    ("Africa/Johannesburg", 120, Summer::None),
    ("Africa/Lagos", 60, Summer::None),
    ("Africa/Nairobi", 180, Summer::None),
    ("America/Argentina/Buenos_Aires", -180, Summer::None),
    ("America/Bogota", -300, Summer::None),
    ("America/Chicago", -360, America),
    ("America/Denver", -420, America),
    ("America/Los_Angeles", -480, America),
    ("America/Mexico_City", -360, Summer::None),
    ("America/New_York", -300, America),
    ("America/Phoenix", -420, Summer::None),
    ("America/Sao_Paulo", -180, Summer::None),
    ("America/Toronto", -300, America),
    ("America/Vancouver", -480, America),
    ("Asia/Bangkok", 420, Summer::None),
    ("Asia/Calcutta", 330, Summer::None),
    ("Asia/Dubai", 240, Summer::None),
    ("Asia/Ho_Chi_Minh", 420, Summer::None),
    ("Asia/Hong_Kong", 480, Summer::None),
    ("Asia/Jakarta", 420, Summer::None),
    ("Asia/Kolkata", 330, Summer::None),
    ("Asia/Manila", 480, Summer::None),
    ("Asia/Seoul", 540, Summer::None),
    ("Asia/Shanghai", 480, Summer::None),
    ("Asia/Singapore", 480, Summer::None),
    ("Asia/Taipei", 480, Summer::None),
    ("Asia/Tokyo", 540, Summer::None),
    ("Australia/Brisbane", 600, Summer::None),
    ("Australia/Melbourne", 600, Australia),
    ("Australia/Perth", 480, Summer::None),
    ("Australia/Sydney", 600, Australia),
    ("Europe/Amsterdam", 60, Europe),
    ("Europe/Berlin", 60, Europe),
    ("Europe/Brussels", 60, Europe),
    ("Europe/Dublin", 0, Europe),
    ("Europe/Helsinki", 120, Europe),
    ("Europe/Istanbul", 180, Summer::None),
    ("Europe/Kyiv", 120, Europe),
    ("Europe/Lisbon", 0, Europe),
    ("Europe/London", 0, Europe),
    ("Europe/Madrid", 60, Europe),
    ("Europe/Moscow", 180, Summer::None),
    ("Europe/Paris", 60, Europe),
    ("Europe/Prague", 60, Europe),
    ("Europe/Rome", 60, Europe),
    ("Europe/Stockholm", 60, Europe),
    ("Europe/Vienna", 60, Europe),
    ("Europe/Warsaw", 60, Europe),
    ("Europe/Zurich", 60, Europe),
    ("Japan", 540, Summer::None),
    ("Pacific/Auckland", 720, Australia),
    ("Pacific/Honolulu", -600, Summer::None),
    ("US/Central", -360, America),
    ("US/Eastern", -300, America),
    ("US/Pacific", -480, America),
];

impl Zone {
    pub(super) const UTC: Zone = Zone {
        minutes: 0,
        summer: Summer::None,
    };

    /// The zone of a name; `None` if it is not in the list.
    pub(super) fn find(name: &str) -> Option<Zone> {
        let (_, minutes, summer) = ZONES.iter().find(|(known, ..)| *known == name)?;
        Some(Zone {
            minutes: *minutes,
            summer: *summer,
        })
    }

    /// Seconds east of UTC at a time.
    pub(super) fn offset(self, time: Time) -> i64 {
        let base = i64::from(self.minutes) * 60;
        if self.is_summer(time.secs(), base) {
            base + 3600
        } else {
            base
        }
    }

    /// The time at which clocks of the zone show `local` seconds; `None` in the hour that spring skips.
    pub(super) fn at(self, local: i64) -> Option<Time> {
        let base = i64::from(self.minutes) * 60;
        [base + 3600, base].into_iter().find_map(|offset| {
            let time = Time::from_secs(local - offset);
            (local >= offset && self.offset(time) == offset).then_some(time)
        })
    }

    fn is_summer(self, secs: i64, base: i64) -> bool {
        let (year, ..) = civil_from_days(secs.div_euclid(86_400));
        match self.summer {
            Summer::None => false,
            Europe => {
                let begin = sunday(year, 4, 0) * 86_400 + 3600;
                let end = sunday(year, 11, 0) * 86_400 + 3600;
                (begin..end).contains(&secs)
            }
            America => {
                let begin = sunday(year, 3, 2) * 86_400 + 7200 - base;
                let end = sunday(year, 11, 1) * 86_400 + 3600 - base;
                (begin..end).contains(&secs)
            }
            Australia => {
                let end = sunday(year, 4, 1) * 86_400 + 7200 - base;
                let begin = sunday(year, 10, 1) * 86_400 + 7200 - base;
                secs < end || secs >= begin
            }
        }
    }
}

/// The day of the n-th Sunday of a month; the 0th is the last of the month before.
fn sunday(year: i64, month: u32, nth: i64) -> i64 {
    let first = days_from_civil(year, month, 1);
    let to_sunday = (7 - (first + 4).rem_euclid(7)) % 7;
    first + to_sunday + (nth - 1) * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_begins_and_ends() {
        let hours = |name: &str, at: &str| {
            let zone = Zone::find(name).expect("known");
            zone.offset(Time::parse_rfc3339(at).expect("a time")) / 3600
        };
        for (name, at, expected) in [
            ("Europe/Berlin", "2026-03-29T00:59:59Z", 1),
            ("Europe/Berlin", "2026-03-29T01:00:00Z", 2),
            ("Europe/Berlin", "2026-10-25T01:00:00Z", 1),
            ("America/New_York", "2026-03-08T06:59:59Z", -5),
            ("America/New_York", "2026-03-08T07:00:00Z", -4),
            ("America/New_York", "2026-11-01T06:00:00Z", -5),
            ("Australia/Sydney", "2026-01-01T00:00:00Z", 11),
            ("Asia/Tokyo", "2026-07-01T00:00:00Z", 9),
        ] {
            assert_eq!(hours(name, at), expected, "{name} at {at}");
        }
    }

    #[test]
    fn the_skipped_hour_does_not_exist() {
        let berlin = Zone::find("Europe/Berlin").expect("known");
        let local = days_from_civil(2026, 3, 29) * 86_400 + 2 * 3600 + 1800;
        assert_eq!(berlin.at(local), None);
        assert!(berlin.at(local + 3600).is_some());
    }
}
