//! Cron schedules, as far as it takes to say what is wrong with one (`robfig/cron` v3's standard parser).

/// Names of months and days, and the bounds of each field.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (
        1,
        12,
        &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    ),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

const DESCRIPTORS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Regions of the time zone database, and zones without a region.
const REGIONS: [&str; 16] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];
const ZONES: [&str; 22] = [
    "UTC",
    "GMT",
    "UCT",
    "Zulu",
    "Universal",
    "Greenwich",
    "Japan",
    "Singapore",
    "Hongkong",
    "Israel",
    "Turkey",
    "Egypt",
    "Iran",
    "Poland",
    "Portugal",
    "Eire",
    "GB",
    "NZ",
    "PRC",
    "ROC",
    "ROK",
    "EST",
];

/// What is wrong with a schedule, in the parser's words.
pub(crate) fn problem(schedule: &str) -> Option<String> {
    if let Some(every) = schedule.strip_prefix("@every ") {
        return api::duration::parse(every)
            .err()
            .map(|error| format!("failed to parse duration {schedule}: {}", error.0));
    }
    if schedule.starts_with('@') {
        let is_known = DESCRIPTORS.contains(&schedule);
        return (!is_known).then(|| format!("unrecognized descriptor: {schedule}"));
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Some(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    fields
        .iter()
        .zip(FIELDS)
        .flat_map(|(field, bounds)| field.split(',').map(move |part| (part, bounds)))
        .find_map(|(part, bounds)| range(part, bounds).err())
}

/// `*`, `5`, `1-5`, `*/10`, `mon-fri/2`.
fn range(text: &str, (least, most, names): (u32, u32, &[&str])) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let (mut start, mut end) = (least, most);
    if !matches!(ends[0], "*" | "?") {
        start = number(ends[0], names)?;
        end = match ends[..] {
            [_] => start,
            [_, end] => number(end, names)?,
            _ => return Err(format!("too many hyphens: {text}")),
        };
    }
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = most;
            }
            number(step, &[])?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < least {
        return Err(format!(
            "beginning of range ({start}) below minimum ({least}): {text}"
        ));
    }
    if end > most {
        return Err(format!(
            "end of range ({end}) above maximum ({most}): {text}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        ));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number(text: &str, names: &[&str]) -> Result<u32, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = names.iter().position(|name| *name == lower) {
        return Ok(at as u32 + u32::from(names.len() == 12));
    }
    text.parse().map_err(|_| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")
    })
}

/// Whether a name can be one of the time zone database.
pub(crate) fn is_zone(name: &str) -> bool {
    match name.split_once('/') {
        Some((region, place)) => REGIONS.contains(&region) && !place.is_empty(),
        None => ZONES.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_refused_in_the_parsers_words() {
        for (schedule, words) in [
            ("*/5 * * * *", None),
            ("0 0 1 jan mon-fri", None),
            ("@hourly", None),
            ("* * *", Some("expected exactly 5 fields, found 3: [* * *]")),
            (
                "60 * * * *",
                Some("end of range (60) above maximum (59): 60"),
            ),
            (
                "5-3 * * * *",
                Some("beginning of range (5) beyond end of range (3): 5-3"),
            ),
            ("@often", Some("unrecognized descriptor: @often")),
        ] {
            assert_eq!(problem(schedule).as_deref(), words, "{schedule}");
        }
    }
}
