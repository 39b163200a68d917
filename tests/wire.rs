//! Replays recorded exchanges with a real API server against a whole cluster and counts how many answers are the same.
//!
//! Masked: what differs from run to run (times, versions, UIDs, addresses, random suffixes, ages) and texts of others
//! (descriptions of columns). The recordings tell no pauses; each exchange is asked at the first of a few moments at
//! which the recorded answer is given, because controllers need time that is not recorded. What differs is written to
//! `target/wire/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use api::{Arrival, Frame, Status, Value, Verb, WatchEvent};
use apiserver::http::{self, HttpRequest};
use cluster::{Cluster, Options};

#[path = "../src/apiserver/tests/compare.rs"]
mod compare;
use compare::{differ, mask};

/// Answers equal to the recorded ones, and their status codes; may only rise.
const FLOOR: (usize, usize) = (273, 279);

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

/// When an exchange is tried, after the one before it.
const PAUSES: [sim::Micros; 6] = [
    0,
    50 * sim::MILLI,
    500 * sim::MILLI,
    2 * sim::SECOND,
    5 * sim::SECOND,
    10 * sim::SECOND,
];

const CLIENT: u32 = 1;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn answers_are_those_of_a_real_server() {
    let shared = std::env::var_os("KUBENKYO_SHARED")
        .map_or_else(|| root().join("../shared"), PathBuf::from)
        .join("golden/wire");
    if !shared.exists() {
        eprintln!("skipped: no recordings beside the checkout (set KUBENKYO_SHARED)");
        return;
    }
    let out = root().join("target/wire");
    fs::create_dir_all(&out).expect("target can be written");
    let (mut same, mut statuses, mut all) = (0, 0, 0);
    for name in RECORDINGS {
        let text = fs::read_to_string(shared.join(format!("{name}.json"))).expect("a recording");
        let recording = Value::from_json(&text).expect("a recording is JSON");
        let mut replay = Replay::new();
        let (mut same_here, mut statuses_here) = (0, 0);
        let mut report = String::new();
        let steps = recording.get("steps").items();
        for (at, step) in steps.iter().enumerate() {
            let answer = replay.run(step);
            same_here += usize::from(answer.is_same(step));
            statuses_here += usize::from(answer.code == step.int("status").unwrap_or(0));
            if !answer.is_same(step) {
                describe(at, step, &answer, &mut report);
            }
        }
        println!(
            "wire {name}: {same_here} of {} (status {statuses_here})",
            steps.len()
        );
        fs::write(out.join(format!("{name}.diff")), report).expect("target can be written");
        same += same_here;
        statuses += statuses_here;
        all += steps.len();
    }
    println!("wire: {same} of {all} (status {statuses})");
    assert!(
        same >= FLOOR.0 && statuses >= FLOOR.1,
        "fewer than before: {same} and {statuses}, the floor is {FLOOR:?}"
    );
}

fn describe(at: usize, step: &Value, answer: &Answer, report: &mut String) {
    let _ = writeln!(report, "#{at} {} {}", step.str("method"), step.str("path"));
    if !step.str("body").is_empty() {
        let _ = writeln!(report, "  body {}", step.str("body"));
    }
    for line in answer.differences(step) {
        let _ = writeln!(report, "    {line}");
    }
}

struct Answer {
    code: i64,
    body: Value,
}

impl Answer {
    fn is_same(&self, step: &Value) -> bool {
        self.differences(step).is_empty()
    }

    fn differences(&self, step: &Value) -> Vec<String> {
        let mut lines = Vec::new();
        let wanted = step.int("status").unwrap_or(0);
        if self.code != wanted {
            lines.push(format!("status: ours {}, real {wanted}", self.code));
        }
        let (ours, real) = (mask(&self.body), mask(step.get("response")));
        differ("", &ours, &real, &mut lines);
        lines
    }
}

#[derive(Clone)]
struct Replay {
    cluster: Cluster,
    saved: BTreeMap<String, String>,
}

impl Replay {
    fn new() -> Replay {
        // No metrics-server was recorded.
        let mut cluster = Cluster::new(Options {
            metrics_server: false,
            ..Options::default()
        });
        cluster.run_for(10 * sim::SECOND);
        Replay {
            cluster,
            saved: BTreeMap::new(),
        }
    }

    /// Asks what a step asks, at the moment at which the answer is most like the recorded one.
    fn run(&mut self, step: &Value) -> Answer {
        let mut best: Option<(usize, Replay, Answer)> = None;
        for pause in PAUSES {
            let mut trial = self.clone();
            trial.cluster.run_for(pause);
            let answer = trial.run_now(step);
            let differences = answer.differences(step).len();
            if best.as_ref().is_none_or(|(least, ..)| differences < *least) {
                best = Some((differences, trial, answer));
            }
            if differences == 0 {
                break;
            }
        }
        let (_, trial, answer) = best.expect("there is a first moment");
        *self = trial;
        answer
    }

    fn run_now(&mut self, step: &Value) -> Answer {
        let answer = self.ask(&self.request(step));
        for (name, path) in step.get("save").entries().iter() {
            let found = answer.body.path(path.as_str().unwrap_or_default());
            let text = found.as_str();
            let text = text.map_or_else(|| found.to_json(), str::to_owned);
            self.saved.insert(name.to_string(), text);
        }
        answer
    }

    fn request(&self, step: &Value) -> HttpRequest {
        let fill = |text: &str| {
            let mut text = text.to_owned();
            for (name, value) in &self.saved {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            text
        };
        let method = match step.str("method") {
            "WATCH" => "GET",
            method => method,
        };
        let mut headers: Vec<(String, String)> = vec![("User-Agent".into(), "wire".into())];
        let given = step.get("headers").entries();
        for (name, value) in given.iter() {
            let value = value.as_str().unwrap_or_default().to_owned();
            headers.push((name.to_string(), value));
        }
        for name in ["Accept", "Content-Type"] {
            if !given.contains(name) {
                headers.push((name.into(), "application/json".into()));
            }
        }
        HttpRequest {
            method: method.to_owned(),
            path_and_query: fill(step.str("path")),
            headers,
            body: fill(step.str("body")).into_bytes(),
        }
    }

    fn ask(&mut self, request: &HttpRequest) -> Answer {
        let parsed = match http::parse(request) {
            Ok(parsed) => parsed,
            // An answer to HEAD has no body, as HTTP has it.
            Err(status) if request.method == "HEAD" => {
                return Answer {
                    code: i64::from(status.0.code),
                    body: "".into(),
                };
            }
            Err(status) => return refused(status),
        };
        let number = CLIENT;
        let id = self.cluster.submit(number, parsed.request.clone());
        let mut events: Vec<Value> = Vec::new();
        let mut output: Option<String> = None;
        let until = self.cluster.now() + 3 * sim::SECOND;
        while self.cluster.next_at().is_some_and(|at| at < until) {
            self.cluster.step();
            for (_, found, arrival) in self.cluster.receive(number) {
                if found != id {
                    continue;
                }
                match arrival {
                    // A watch that has had its time ends without a word.
                    Arrival::Watch(event) if event.object.str("reason") == "Timeout" => {}
                    Arrival::Watch(event) => events.push(WatchEvent::to_value(&event)),
                    Arrival::Frame(Frame::Opened | Frame::Bytes { .. }) => {}
                    Arrival::Frame(Frame::Data { text, .. }) => {
                        output.get_or_insert_default().push_str(&text);
                    }
                    Arrival::Frame(Frame::End { .. }) => {
                        let text = Value::from(output.unwrap_or_default());
                        return Answer {
                            code: 200,
                            body: text,
                        };
                    }
                    Arrival::Response(response) if parsed.request.verb != Verb::Watch => {
                        return encoded(&parsed, &response);
                    }
                    Arrival::Frame(Frame::Response(response)) => {
                        return encoded(&parsed, &response);
                    }
                    Arrival::Response(response) if !response.is_success() => {
                        return encoded(&parsed, &response);
                    }
                    Arrival::Response(_) => {}
                }
            }
        }
        self.cluster.cancel(number, id);
        Answer {
            code: 200,
            body: Value::from(events),
        }
    }
}

fn refused(status: Status) -> Answer {
    Answer {
        code: i64::from(status.0.code),
        body: status.to_value(),
    }
}

fn encoded(parsed: &http::Parsed, response: &api::Response) -> Answer {
    let encoded = http::encode(&parsed.request, parsed.accept, response);
    let text = String::from_utf8(encoded.body).expect("answers are UTF-8");
    let is_json = encoded
        .headers
        .iter()
        .any(|(name, value)| name == "content-type" && value.starts_with("application/json"));
    let body = if is_json {
        Value::from_json(&text).expect("an answer is JSON")
    } else {
        Value::from(text)
    };
    Answer {
        code: i64::from(encoded.status),
        body,
    }
}
