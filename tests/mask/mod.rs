//! Masks of what differs from run to run in recorded objects and messages: suffixes, UIDs, addresses, times, nodes.

use api::Value;

/// Fields whose content is never the same twice.
const DROPPED: [&str; 25] = [
    // Left out when the newest change fell into the same second as the one before.
    "endpoints.kubernetes.io/last-change-trigger-time",
    "clusterIP",
    "clusterIPs",
    "completionTime",
    "containerID",
    "creationTimestamp",
    "finishedAt",
    "healthCheckNodePort",
    "hostIP",
    "hostIPs",
    "imageID",
    "lastHeartbeatTime",
    "lastProbeTime",
    "lastScaleTime",
    "lastScheduleTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "managedFields",
    "nodeName",
    "nodePort",
    "podIP",
    "podIPs",
    "resourceVersion",
    "startTime",
    "startedAt",
];

/// An object without what differs from run to run.
pub(crate) fn content(object: &Value) -> Value {
    let mut masked = masked(object);
    calm_crash_loops(&mut masked);
    masked
}

fn masked(value: &Value) -> Value {
    match value {
        Value::Str(text) => mask_text(text).into(),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(masked).collect();
            // Addresses and ports of endpoints come in any order.
            if items
                .iter()
                .all(|item| item.has("targetRef") || item.has("protocol") && item.has("name"))
            {
                items.sort_by_cached_key(Value::to_json);
            }
            Value::from(items)
        }
        Value::Map(map) => {
            let mut copy = Value::empty_map();
            for (key, value) in map.iter() {
                let shown = masked(value);
                // Nothing but masked fields is as good as nothing.
                let is_emptied = shown.is_empty() && !value.is_empty();
                if !DROPPED.contains(&key.as_str()) && !is_emptied {
                    copy.set(key.clone(), shown);
                }
            }
            copy
        }
        other => other.clone(),
    }
}

/// `CrashLoopBackOff` and the end of the last run are equally true while a container waits for its next start.
fn calm_crash_loops(object: &mut Value) {
    for list in ["initContainerStatuses", "containerStatuses"] {
        if !object.get("status").has(list) {
            continue;
        }
        let statuses = object.entry("status").entry(list).list_mut();
        for status in statuses {
            let waiting = status.path("state.waiting.reason").as_str();
            if matches!(waiting, Some("CrashLoopBackOff" | "RunContainerError")) {
                let last = status.get("lastState").clone();
                status.set("state", last);
            }
            if status.get("state").has("terminated") {
                status.remove("lastState");
            }
        }
    }
}

/// Text whose generated names, UIDs, addresses and times are replaced.
pub(crate) fn mask_text(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_part(first) {
            rest.find(|c| !is_part(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        let bare = word.trim_end_matches(['.', ':']);
        masked += &mask_word(bare);
        masked += &word[bare.len()..];
        rest = after;
    }
    masked
}

fn mask_word(word: &str) -> String {
    if is_uid(word) {
        return "UID".to_owned();
    }
    if word.len() >= 20 && word.as_bytes().get(4) == Some(&b'-') && word.ends_with('Z') {
        return "TIME".to_owned();
    }
    if is_ip(word) {
        return "IP".to_owned();
    }
    match word.rsplit_once('-') {
        Some(("node", "1" | "2" | "3")) => "NODE".to_owned(),
        Some(("zone", "a" | "b" | "c")) => "ZONE".to_owned(),
        Some((stem, end)) if is_suffix(end) => format!("{}-SUFFIX", mask_uids(stem)),
        _ => mask_uids(word),
    }
}

/// `pvc-UID`
fn mask_uids(word: &str) -> String {
    match word.split_once('-') {
        Some((stem, rest)) if is_uid(rest) => format!("{stem}-UID"),
        _ => word.to_owned(),
    }
}

fn is_suffix(word: &str) -> bool {
    word.len() == 5
        && word
            .chars()
            .all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
}

fn is_ip(word: &str) -> bool {
    let host = word.split(':').next().unwrap_or_default();
    host.split('.').count() == 4
        && host.split('.').all(|part| {
            !part.is_empty() && part.len() <= 3 && part.chars().all(|c| c.is_ascii_digit())
        })
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
