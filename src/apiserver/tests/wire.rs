//! Replays recorded exchanges with a real API server, in process, and counts how many answers are the same.
//!
//! Masked: what differs from run to run (times, versions, UIDs, addresses, random suffixes) and texts of others
//! (descriptions of columns). `KUBENKYO_WIRE=3-list` prints what differs in the recordings whose name begins so.

use std::collections::BTreeMap;

use api::{Part, RequestId, Str, Value, Verb, WatchEvent};
use sim::Time;

use super::slice::server;
use crate::http::{self, HttpRequest};
use crate::{ApiServer, Caller, Reply, User};

/// Answers equal to the recorded ones; may only rise.
const FLOOR: usize = 212;

const RECORDINGS: [&str; 8] = [
    "1-discovery",
    "2-crud",
    "3-list-watch",
    "4-patch-apply",
    "5-validation",
    "6-subresources",
    "7-access",
    "8-crd",
];

#[test]
fn answers_are_those_of_a_real_server() {
    let (mut same, mut statuses, mut all) = (0, 0, 0);
    let shown = std::env::var("KUBENKYO_WIRE").ok();
    for name in RECORDINGS {
        let Some(recording) = super::recording(&format!("golden/wire/{name}.json")) else {
            return;
        };
        let show = shown
            .as_ref()
            .is_some_and(|prefix| name.starts_with(prefix.as_str()));
        let mut replay = Replay::new();
        let (mut same_here, mut statuses_here) = (0, 0);
        let steps = recording.get("steps").items();
        for (at, step) in steps.iter().enumerate() {
            let (code, answer) = replay.run(step);
            let wanted = step.int("status").unwrap_or(0);
            let (a, b) = (mask(&answer), mask(step.get("response")));
            same_here += usize::from(a == b && code == wanted);
            statuses_here += usize::from(code == wanted);
            if show && (a != b || code != wanted) {
                println!("#{at} {} {}", step.str("method"), step.str("path"));
                if !step.str("body").is_empty() {
                    println!("  body {}", step.str("body"));
                }
                println!("  status {code}, recorded {wanted}");
                let mut lines = Vec::new();
                differ("", &a, &b, &mut lines);
                for line in lines.iter().take(12) {
                    println!("    {line}");
                }
            }
        }
        println!(
            "wire {name}: {same_here} of {} (status {statuses_here})",
            steps.len()
        );
        same += same_here;
        statuses += statuses_here;
        all += steps.len();
    }
    println!("wire: {same} of {all} (status {statuses})");
    assert!(
        same >= FLOOR,
        "{same} answers are as recorded, {FLOOR} were"
    );
}

/// The places where two answers differ, as lines.
pub(super) fn differ(path: &str, ours: &Value, real: &Value, out: &mut Vec<String>) {
    match (ours, real) {
        (Value::Map(a), Value::Map(b)) => {
            let keys: std::collections::BTreeSet<&Str> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = &Value::Null;
                let (x, y) = (a.get(key).unwrap_or(null), b.get(key).unwrap_or(null));
                if x != y {
                    differ(&format!("{path}.{key}"), x, y, out);
                }
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (at, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                if x != y {
                    differ(&format!("{path}[{at}]"), x, y, out);
                }
            }
        }
        _ => out.push(format!("{path}: ours {ours:?} real {real:?}")),
    }
}

struct Replay {
    server: ApiServer,
    saved: BTreeMap<String, String>,
    next: u64,
}

impl Replay {
    fn new() -> Replay {
        Replay {
            server: server(),
            saved: BTreeMap::new(),
            next: 1,
        }
    }

    /// Asks what a step asks; returns status and body.
    fn run(&mut self, step: &Value) -> (i64, Value) {
        let fill = |text: &str| {
            let mut text = text.to_owned();
            for (name, value) in &self.saved {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            text
        };
        let body = fill(step.str("body"));
        let method = match step.str("method") {
            "WATCH" => "GET",
            method => method,
        };
        let mut headers: Vec<(String, String)> = vec![("User-Agent".into(), "wire".into())];
        let given = step.get("headers").entries();
        for (name, value) in given.iter() {
            headers.push((
                name.to_string(),
                value.as_str().unwrap_or_default().to_owned(),
            ));
        }
        for (name, value) in [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ] {
            if !given.contains(name) {
                headers.push((name.into(), value.into()));
            }
        }
        let request = HttpRequest {
            method: method.to_owned(),
            path_and_query: fill(step.str("path")),
            headers,
            body: body.into_bytes(),
        };
        let (code, answer) = self.ask(&request);
        if step.str("path") == "/api/v1/namespaces" && code == 201 {
            // The recorded cluster's controllers make these at once.
            let name = answer
                .path("metadata.name")
                .as_shared_str()
                .cloned()
                .unwrap_or_default();
            let account = api::map! { "metadata": api::map! { "name": "default" } };
            let request = api::Request::create(&api::core::SERVICE_ACCOUNTS, name, account);
            super::slice::done(&mut self.server, &request);
        }
        for (name, path) in step.get("save").entries().iter() {
            let found = answer.path(path.as_str().unwrap_or_default());
            let text = found
                .as_str()
                .map_or_else(|| found.to_json(), str::to_owned);
            self.saved.insert(name.to_string(), text);
        }
        (code, answer)
    }

    fn ask(&mut self, http: &HttpRequest) -> (i64, Value) {
        let failed = |status: api::Status| (i64::from(status.0.code), status.to_value());
        let parsed = match http::parse(http) {
            Ok(parsed) => parsed,
            Err(status) => return failed(status),
        };
        if let Some(status) = parsed.problem {
            return failed(status);
        }
        let mut caller = Caller {
            part: Part::Client(0),
            user: User {
                name: "admin".into(),
                groups: vec!["system:masters".into(), "system:authenticated".into()],
            },
        };
        if let Some(user) = parsed.impersonate.clone() {
            caller.user = user;
        }
        self.next += 1;
        let id = RequestId(self.next);
        let now = self.server.now;
        let reply = self.server.handle(now, &caller, id, &parsed.request);
        match reply {
            Reply::Done(response) => {
                let encoded = http::encode(&parsed.request, parsed.accept, &response);
                let text = String::from_utf8(encoded.body).expect("answers are UTF-8");
                let body = match parsed.request.verb {
                    _ if response.body.as_str().is_some() => Value::from(text),
                    _ if parsed.accept == http::Media::Yaml => Value::from(text),
                    _ => Value::from_json(&text).expect("an answer is JSON"),
                };
                (i64::from(encoded.status), body)
            }
            Reply::Watching => {
                // The recorded watches last a second in which nothing more happens.
                let events: Vec<Value> = self
                    .server
                    .drain_events()
                    .into_iter()
                    .filter(|delivery| delivery.id == id)
                    .map(|delivery| WatchEvent::to_value(&delivery.event))
                    .collect();
                self.server.cancel(caller.part, id);
                (200, Value::from(events))
            }
            Reply::Proxy { .. } => (0, Value::Null),
        }
    }
}

const MASKED_FIELDS: [&str; 12] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "description",
    "managedFields",
    "clusterIP",
    "clusterIPs",
    "time",
    "continue",
    "token",
    "expirationTimestamp",
];

/// The value with what differs from run to run replaced.
pub(super) fn mask(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut out = api::Map::default();
            for (key, value) in map.iter() {
                let is_masked = MASKED_FIELDS.contains(&key.as_str())
                    && !(key == "clusterIP" && value.as_str() == Some("None"));
                if is_masked {
                    if key == "managedFields" {
                        out.insert(key.clone(), mask(value));
                    } else {
                        out.insert(key.clone(), "…");
                    }
                } else {
                    out.insert(key.clone(), mask(value));
                }
            }
            Value::from(out)
        }
        Value::List(list) => Value::from(list.iter().map(mask).collect::<Vec<_>>()),
        Value::Str(text) => Value::from(mask_text(text)),
        other => other.clone(),
    }
}

fn mask_text(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_uid = bare.len() == 36 && bare.split('-').count() == 5;
        let is_service_ip = bare.starts_with("10.") && bare.split('.').count() == 4;
        let is_generated = bare.starts_with("gen-");
        let is_time = Time::parse_rfc3339(bare).is_some();
        if let Some(suffix) = bare.strip_prefix("kube-api-access-")
            && suffix.len() == 5
        {
            words.push("kube-api-access-…".to_owned());
            continue;
        }
        if is_uid || is_service_ip || is_generated || is_time {
            words.push(word.replace(bare, "…"));
        } else {
            words.push(word.to_owned());
        }
    }
    let text = words.join(" ");
    // Revisions stand in messages, too.
    match text.split_once("current: ") {
        Some((head, _)) => format!("{head}current: …"),
        None => text,
    }
}

/// Kept so that a watch that is asked for as a list is seen.
#[test]
fn a_watch_is_a_get_with_a_parameter() {
    let request = HttpRequest {
        method: "GET".into(),
        path_and_query: "/api/v1/pods?watch=1".into(),
        ..HttpRequest::default()
    };
    let parsed = http::parse(&request).expect("a request");
    assert_eq!(parsed.request.verb, Verb::Watch);
}
