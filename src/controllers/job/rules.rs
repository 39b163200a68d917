//! What a Job's policies say: which failures count, which successes suffice.
//!
//! Models `pod_failure_policy.go` and `success_policy.go`.

use std::collections::BTreeSet;

use api::core::Pod;
use api::meta::{self, Meta};
use api::{Str, Value};

use super::indexes;

/// What the pod failure policy makes of a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgment {
    /// It counts towards the back-off limit.
    Count,
    /// It does not count.
    Ignore,
    /// Its index has failed for good.
    FailIndex,
    /// The Job has failed, for this reason.
    FailJob(String),
}

/// Judges a failed pod by the first rule that matches.
pub(super) fn judge(job: &Value, pod: &Value) -> Judgment {
    let rules = job.path("spec.podFailurePolicy.rules").items();
    for (at, rule) in rules.iter().enumerate() {
        let action = rule.str("action");
        let key = Meta::of(pod).key();
        let codes = rule.get("onExitCodes");
        let why = if codes.is_map() {
            matching_exit(codes, pod).map(|(container, code)| {
                format!("Container {container} for pod {key} failed with exit code {code} matching {action} rule at index {at}")
            })
        } else {
            let patterns = rule.get("onPodConditions").items();
            let found = patterns.iter().find(|pattern| {
                meta::condition(pod, pattern.str("type"))
                    .is_some_and(|c| c.status() == pattern.str("status"))
            });
            found.map(|pattern| {
                format!(
                    "Pod {key} has condition {} matching {action} rule at index {at}",
                    pattern.str("type")
                )
            })
        };
        let Some(why) = why else { continue };
        return match action {
            "Ignore" => Judgment::Ignore,
            "FailIndex" => Judgment::FailIndex,
            "FailJob" => Judgment::FailJob(why),
            _ => Judgment::Count,
        };
    }
    Judgment::Count
}

/// The first container whose exit code the requirement names.
fn matching_exit(requirement: &Value, pod: &Value) -> Option<(Str, i64)> {
    let view = Pod(pod);
    let statuses = view
        .container_statuses()
        .iter()
        .chain(view.init_container_statuses());
    let only = requirement.str("containerName");
    for status in statuses {
        if !only.is_empty() && only != status.str("name") {
            continue;
        }
        let Some(code) = status.path("state.terminated.exitCode").as_int() else {
            continue;
        };
        let values = requirement.get("values").items();
        let is_listed = values.iter().any(|v| v.as_int() == Some(code));
        let matches = match requirement.str("operator") {
            "In" => is_listed,
            "NotIn" => code != 0 && !is_listed,
            _ => false,
        };
        if matches {
            return Some((status.shared_str("name"), code));
        }
    }
    None
}

/// The message of the first rule of the success policy that the succeeded indexes meet.
pub(super) fn success(job: &Value, succeeded: &BTreeSet<i64>) -> Option<String> {
    let completions = job.path("spec.completions").as_int().unwrap_or_default();
    let rules = job.path("spec.successPolicy.rules").items();
    let is_met = |rule: &Value| {
        let wanted = rule.get("succeededIndexes").as_str();
        let wanted = wanted.map(|text| indexes::parse(text, completions));
        let count = rule.int("succeededCount");
        match (wanted, count) {
            (Some(wanted), Some(count)) => wanted.intersection(succeeded).count() as i64 >= count,
            (Some(wanted), None) => wanted.is_subset(succeeded),
            (None, Some(count)) => succeeded.len() as i64 >= count,
            (None, None) => false,
        }
    };
    let at = rules.iter().position(is_met)?;
    Some(format!("Matched rules at index {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{list, map};

    #[test]
    fn failures_are_judged_by_the_first_rule_that_matches() {
        let pod = |code: i64, disrupted: &'static str| {
            map! {
                "metadata": map! { "namespace": "ns", "name": "p" },
                "status": map! {
                    "conditions": list![map! { "type": "DisruptionTarget", "status": disrupted }],
                    "containerStatuses": list![map! { "name": "main", "state": map! { "terminated": map! { "exitCode": code } } }],
                },
            }
        };
        let job = map! { "spec": map! { "podFailurePolicy": map! { "rules": list![
            map! { "action": "FailJob", "onExitCodes": map! { "containerName": "main", "operator": "In", "values": list![42] } },
            map! { "action": "Ignore", "onPodConditions": list![map! { "type": "DisruptionTarget", "status": "True" }] },
        ] } } };
        assert_eq!(
            judge(&job, &pod(42, "False")),
            Judgment::FailJob("Container main for pod ns/p failed with exit code 42 matching FailJob rule at index 0".into())
        );
        assert_eq!(judge(&job, &pod(1, "True")), Judgment::Ignore);
        assert_eq!(judge(&job, &pod(1, "False")), Judgment::Count);
    }
}
