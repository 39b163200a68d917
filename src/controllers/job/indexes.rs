//! Sets of completion indexes and their text: `1,3-5,7`.
//!
//! Models `indexed_job_utils.go`.

use std::collections::BTreeSet;

use api::Value;
use api::meta::Meta;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The completion index of a pod.
pub(super) fn of(pod: &Value) -> Option<i64> {
    let index = Meta::of(pod).annotation(INDEX)?.parse().ok()?;
    (index >= 0).then_some(index)
}

/// Reads `1,3-5`; indexes from `completions` on are left out.
pub(super) fn parse(text: &str, completions: i64) -> BTreeSet<i64> {
    let mut indexes = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else {
            continue;
        };
        indexes.extend(first.max(0)..=last.min(completions - 1));
    }
    indexes
}

/// Writes runs of three and more as intervals; two neighbours are also one.
pub(super) fn text(indexes: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let part = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_survive_a_round_trip() {
        for written in ["", "0", "0,1", "1,3-5,7", "0-9"] {
            assert_eq!(text(&parse(written, 100)), written);
        }
        assert_eq!(text(&parse("1-5", 3)), "1,2");
    }
}
