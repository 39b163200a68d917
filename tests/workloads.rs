//! Recorded workloads: each manifest that a real cluster ran is applied to a fresh cluster of ours, and after it has
//! settled objects, events and the order of state changes are compared.
//!
//! What differs from run to run is masked ([`mask`]). Differences are written to `target/workloads/` for reading;
//! `KUBENKYO_WORKLOADS=word` runs only the manifests whose name contains the word. The floors only rise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use api::{Str, Value};
use shell::{Options, Session};

mod mask;

use mask::{content, mask_text};

/// Never fewer than this.
const FLOOR: Score = Score {
    manifests: Of(264, 0),
    pods: Of(310, 0),
    objects: Of(573, 0),
    conditions: Of(1472, 0),
    events: Of(1019, 0),
    pod_order: Of(2506, 0),
    owner_order: Of(764, 0),
};

/// So many of so many.
#[derive(Clone, Copy, Default)]
struct Of(usize, usize);

#[derive(Clone, Copy, Default)]
struct Score {
    /// Manifests of which objects, events and pods' order agree.
    manifests: Of,
    /// Pods whose whole status agrees.
    pods: Of,
    /// Objects that agree with everything in them.
    objects: Of,
    conditions: Of,
    /// Events with reason, message and count.
    events: Of,
    /// States of pods and their events, in order.
    pod_order: Of,
    /// States of what owns pods, in order.
    owner_order: Of,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shared() -> PathBuf {
    std::env::var_os("KUBENKYO_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

#[test]
fn recorded_workloads_come_out_as_on_a_real_cluster() {
    let Ok(entries) = fs::read_dir(shared().join("golden/manifests")) else {
        eprintln!("skipped: no recordings beside the checkout (set KUBENKYO_SHARED)");
        return;
    };
    let word = std::env::var("KUBENKYO_WORKLOADS").unwrap_or_default();
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| path.to_string_lossy().contains(&word))
        .collect();
    files.sort();
    files.reverse();
    let out = root().join("target/workloads");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).expect("target can be written");
    let booted = Session::new(options(), "/tmp/workload");
    let left = Mutex::new(files);
    let total = Mutex::new(Score::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("no thread panics with it").pop();
                    let Some(file) = next else { break };
                    if let Some((score, report)) = compare(&booted, &file) {
                        if !report.is_empty() {
                            let name = file.with_extension("diff");
                            let name = name.file_name().expect("a file has a name");
                            fs::write(out.join(name), report).expect("target can be written");
                        }
                        total.lock().expect("no thread panics with it").add(&score);
                    }
                }
            });
        }
    });
    let total = total.into_inner().expect("no thread panicked");
    let mut fallen = Vec::new();
    for ((name, got), (_, floor)) in total.parts().into_iter().zip(FLOOR.parts()) {
        println!("{name} {} of {}", got.0, got.1);
        if got.0 < floor.0 && word.is_empty() {
            fallen.push(format!(
                "{name}: {} of {}, the floor is {}",
                got.0, got.1, floor.0
            ));
        }
    }
    assert!(fallen.is_empty(), "fewer than before: {fallen:?}");
}

impl Score {
    fn parts(&self) -> [(&'static str, Of); 7] {
        [
            ("manifests", self.manifests),
            ("pods", self.pods),
            ("objects", self.objects),
            ("conditions", self.conditions),
            ("events", self.events),
            ("order of pods' states", self.pod_order),
            ("order of owners' states", self.owner_order),
        ]
    }

    fn add(&mut self, other: &Score) {
        let parts = [
            (&mut self.manifests, other.manifests),
            (&mut self.pods, other.pods),
            (&mut self.objects, other.objects),
            (&mut self.conditions, other.conditions),
            (&mut self.events, other.events),
            (&mut self.pod_order, other.pod_order),
            (&mut self.owner_order, other.owner_order),
        ];
        for (mine, more) in parts {
            mine.0 += more.0;
            mine.1 += more.1;
        }
    }
}

/// Manifests whose recording says nothing about Kubernetes, with the reason.
const NOT_EVIDENCE: [(&str, &str); 10] = [
    (
        "manifests/controllers/job-success-policy",
        "the recorder's Python did not get the variables of the container",
    ),
    (
        "manifests/controllers/job-backoff-limit-per-index-example",
        "the recorder's Python did not get the variables of the container",
    ),
    (
        "inline/concepts/scheduling-eviction/pod-overhead/02",
        "the recorder's runtime closed the input of a container that reads a terminal",
    ),
    (
        "inline/concepts/storage/dynamic-provisioning/03",
        "its class was one that another manifest had left behind",
    ),
    (
        "manifests/windows/deploy-resource",
        "the recorder's scheduler was not running any more",
    ),
    (
        "manifests/controllers/job-pod-failure-policy-example",
        "bash was missing where the recorder ran its containers",
    ),
    (
        "manifests/application/job/indexed-job",
        "bash was missing where the recorder ran its containers",
    ),
    (
        "inline/tasks/job/job-with-pod-to-pod-communication/01",
        "bash was missing where the recorder ran its containers",
    ),
    (
        "k8s-examples/_archived/nodesjs-mongodb/web-controller-demo",
        "the recorder's shell has its own exit status for a missing program",
    ),
    (
        "k8s-examples/AI/vllm-deployment/hpa/prometheus-adapter",
        "an extension API server that is not there",
    ),
];

/// The recorder's images came in no time.
fn options() -> Options {
    Options {
        pull_speed: 2_000_000_000,
        metrics_server: false,
        ..Options::default()
    }
}

/// What a run left behind, in the words of the recordings.
struct Run {
    objects: Vec<Value>,
    /// Kind, name, type, reason, message → count.
    events: Tally,
    /// Collection and name → states.
    states: BTreeMap<(String, String), Vec<String>>,
}

type Tally = BTreeMap<String, usize>;

/// `None` if nothing ran that could be compared.
fn compare(booted: &Session, file: &Path) -> Option<(Score, String)> {
    let text = fs::read_to_string(file).expect("readable");
    let recording = Value::from_json(&text).expect("a recording is JSON");
    let is_settled = recording.str("settled").starts_with("settled after");
    let is_applied = recording.path("apply.rc").as_int() == Some(0);
    let real = recorded(&recording);
    if !is_settled || !is_applied || real.states.is_empty() && real.events.is_empty() {
        return None;
    }
    let manifest = recording.str("manifest");
    if NOT_EVIDENCE.iter().any(|(name, _)| *name == manifest) {
        return None;
    }
    let (ext, text) = ["yaml", "yml", "json"].iter().find_map(|ext| {
        let path = shared().join(format!("corpus/{manifest}.{ext}"));
        Some((ext, fs::read_to_string(path).ok()?))
    })?;
    let ours = run(booted, &recording, &format!("manifest.{ext}"), &text);
    let mut score = Score::default();
    let mut report = String::new();
    compare_objects(&real, &ours, &mut score, &mut report);
    compare_events(&real, &ours, &mut score, &mut report);
    compare_states(&real, &ours, &mut score, &mut report);
    let is_same = [score.objects, score.events, score.pod_order]
        .iter()
        .all(|of| of.0 == of.1);
    score.manifests = Of(usize::from(is_same), 1);
    Some((score, report))
}

fn recorded(recording: &Value) -> Run {
    let mut events = Tally::new();
    for event in recording.get("events").items() {
        let count = event.int("count").unwrap_or(1) as usize;
        let about = (event.str("kind"), event.str("name"));
        tally(&mut events, about, event, count);
    }
    let settled = settled_secs(recording) as f64;
    let mut states: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut elsewhere: BTreeMap<&str, Tally> = BTreeMap::new();
    for line in recording.str("timeline").lines() {
        let mut words = line.trim_start().splitn(3, ' ');
        let seconds: f64 = words.next().unwrap_or_default().parse().unwrap_or(0.0);
        let change = words.next().unwrap_or_default();
        let rest = words.next().unwrap_or_default().trim_start();
        if seconds > settled {
            // The recorder cleaned up.
            break;
        }
        if change == "DELETED" || rest.contains(" deleting ") {
            continue;
        }
        let (place, state) = rest.split_once(' ').unwrap_or((rest, ""));
        // Where there are several namespaces the name has its own before it.
        let (collection, name) = (
            place.split('/').next().unwrap_or_default(),
            place.rsplit('/').next().unwrap_or_default(),
        );
        let state = match collection {
            "pods" => state
                .split(' ')
                .filter(|word| !word.starts_with("node=") && !word.starts_with("ip="))
                .collect::<Vec<_>>()
                .join(" "),
            "events" => {
                let words: Vec<&str> = state.splitn(5, ' ').collect();
                let [about, severity, reason, count, message] = words[..] else {
                    continue;
                };
                let (kind, about) = about.split_once('/').unwrap_or((about, ""));
                if change == "ADDED" && kind == "Pod" && reason != "Pulling" {
                    let key = ("pods' events".to_owned(), about.to_owned());
                    states.entry(key).or_default().push(reason.to_owned());
                }
                if place.matches('/').count() > 1 {
                    // Events of other namespaces stand only here.
                    let count = count.trim_start_matches('x').parse().unwrap_or(1);
                    let event = api::map! {
                        "type": Str::new(severity), "reason": Str::new(reason), "message": Str::new(message),
                    };
                    let mut newest = Tally::new();
                    tally(&mut newest, (kind, about), &event, count);
                    elsewhere.insert(place, newest);
                }
                continue;
            }
            _ if OWNERS.contains(&collection) => owner_words(state),
            _ => continue,
        };
        let key = (collection.to_owned(), name.to_owned());
        states.entry(key).or_default().push(state);
    }
    for (line, count) in elsewhere.into_values().flatten() {
        *events.entry(line).or_default() += count;
    }
    Run {
        objects: recording.get("objects").items().to_vec(),
        events,
        states,
    }
}

const OWNERS: [&str; 6] = [
    "deployments",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
    "daemonsets",
    "jobs",
];

/// Numbers and conditions of an owner's state; times are left out.
fn owner_words(state: &str) -> String {
    let words = state.split(' ').filter(|word| {
        word.starts_with("cond=")
            || word.split_once('=').is_some_and(|(name, value)| {
                name != "spec.replicas" && value.parse::<i64>().is_ok()
            })
    });
    words.collect::<Vec<_>>().join(" ")
}

fn tally(events: &mut Tally, about: (&str, &str), event: &Value, count: usize) {
    let reason = event.str("reason");
    let message = match reason {
        // Whether an image was there already is the recorder's history.
        "Pulling" => return,
        "Pulled" => {
            let image = event.str("message").split('"').nth(1).unwrap_or_default();
            format!("pulled {image}")
        }
        _ => mask_text(event.str("message")),
    };
    // The first two are tried again whenever something else in the cluster changes, and the recorder's cluster had
    // others' changes; the last is told once more when something wakes the kubelet (see the recordings' README).
    let count = match reason {
        "FailedScheduling" | "ProvisioningFailed" | "BackOff" => 0,
        _ => count,
    };
    let (kind, name) = (about.0, mask_text(about.1));
    let line = format!("{kind}/{name} {} {reason}: {message}", event.str("type"));
    *events.entry(line).or_default() += count;
}

fn settled_secs(recording: &Value) -> u32 {
    let words = recording.str("settled").split(' ');
    words
        .filter_map(|word| word.parse().ok())
        .next()
        .unwrap_or(4)
}

/// Applies the manifest and waits until nothing changes for four seconds, as the recorder did.
fn run(booted: &Session, recording: &Value, name: &str, text: &str) -> Run {
    let mut session = booted.clone();
    session.patience = 5 * sim::MINUTE;
    let path = format!("/tmp/workload/{name}");
    session
        .workstation_mut()
        .put_file(&path, text)
        .expect("the directory is there");
    for namespace in recording.get("made_namespaces").items() {
        let namespace = namespace.as_str().unwrap_or_default();
        session.line(&format!("kubectl create namespace {namespace}"), |_| {});
        session.wait(sim::SECOND);
    }
    for (at, object) in leftovers(recording).iter().enumerate() {
        let path = format!("/tmp/workload/before-{at}.json");
        session
            .workstation_mut()
            .put_file(&path, object.to_json())
            .expect("the directory is there");
        session.line(&format!("kubectl create -f {path}"), |_| {});
    }
    let before = session.workstation().cluster().server().revision();
    session.line(&format!("kubectl apply -f {name}"), |_| {});
    let least = settled_secs(recording);
    let (mut last, mut quiet) = (before, 0);
    for second in 0..60 {
        session.wait(sim::SECOND);
        let server = session.workstation().cluster().server();
        let changes = server.changes_since(last).expect("a minute is kept");
        last = server.revision();
        let is_quiet = changes.iter().all(|(collection, _, _)| {
            matches!(
                &**collection,
                "nodes" | "leases.coordination.k8s.io" | "events"
            )
        });
        quiet = if is_quiet { quiet + 1 } else { 0 };
        if quiet >= 4 && second + 1 >= least {
            break;
        }
    }
    let server = session.workstation().cluster().server();
    observed(server, before)
}

/// Classes that earlier manifests of the same page had left in the recorder's cluster.
fn leftovers(recording: &Value) -> Vec<Value> {
    let Some((page, number)) = recording.str("manifest").rsplit_once('/') else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for earlier in 1..number.parse().unwrap_or(0) {
        let file = format!("{page}/{earlier:02}").replace('/', "__") + ".json";
        let Ok(text) = fs::read_to_string(shared().join("golden/manifests").join(file)) else {
            continue;
        };
        let recording = Value::from_json(&text).expect("a recording is JSON");
        for object in recording.get("objects").items() {
            if matches!(object.str("kind"), "RuntimeClass" | "StorageClass") {
                let mut object = object.clone();
                for field in ["uid", "resourceVersion", "creationTimestamp"] {
                    object.entry("metadata").remove(field);
                }
                found.push(object);
            }
        }
    }
    found
}

fn observed(server: &apiserver::ApiServer, before: u64) -> Run {
    let mut objects = Vec::new();
    let mut events = Tally::new();
    for (collection, object) in server.everything() {
        let revision = object.path("metadata.resourceVersion").as_str();
        let is_new = revision
            .and_then(|r| r.parse().ok())
            .is_some_and(|r: u64| r > before);
        match &**collection {
            "events" if is_new => {
                let count = object.int("count").unwrap_or(1) as usize;
                let about = object.get("involvedObject");
                if about.str("kind") != "Node" {
                    tally(
                        &mut events,
                        (about.str("kind"), about.str("name")),
                        object,
                        count,
                    );
                }
            }
            "events" => {}
            _ => objects.push(object.clone()),
        }
    }
    let mut states: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let changes = server.changes_since(before).expect("minutes are kept");
    for (collection, kind, object) in changes {
        let name = object.path("metadata.name").as_str().unwrap_or_default();
        let collection = collection.split('.').next().unwrap_or_default();
        let (collection, name, state) = match collection {
            _ if kind == api::WatchKind::Deleted => continue,
            "pods" => (collection, name, pod_state(&object)),
            "events" if kind == api::WatchKind::Added => {
                let about = object.get("involvedObject");
                if about.str("kind") != "Pod" || object.str("reason") == "Pulling" {
                    continue;
                }
                (
                    "pods' events",
                    about.str("name"),
                    object.str("reason").to_owned(),
                )
            }
            _ if OWNERS.contains(&collection) => (collection, name, owner_state(&object)),
            _ => continue,
        };
        let key = (collection.to_owned(), name.to_owned());
        states.entry(key).or_default().push(state);
    }
    Run {
        objects,
        events,
        states,
    }
}

/// A pod's state as the recorder wrote it.
fn pod_state(pod: &Value) -> String {
    let status = pod.get("status");
    let conditions = status.get("conditions").items().iter();
    let conditions: Vec<&str> = conditions
        .filter(|c| c.str("status") == "True")
        .map(|c| c.str("type"))
        .collect();
    let mut words = vec![
        status.str("phase").to_owned(),
        format!("cond={}", conditions.join(",")),
    ];
    for list in ["initContainerStatuses", "containerStatuses"] {
        for container in status.get(list).items() {
            let state = container.get("state");
            let shown = if state.has("running") {
                "running".to_owned()
            } else if state.has("terminated") {
                let end = state.get("terminated");
                let code = end.int("exitCode").unwrap_or(0);
                format!("terminated:{}({code})", end.str("reason"))
            } else {
                format!("waiting:{}", state.get("waiting").str("reason"))
            };
            let word = |is: bool| if is { "True" } else { "False" };
            words.push(format!(
                "{}[{shown} ready={} started={} restarts={}]",
                container.str("name"),
                word(container.bool("ready")),
                word(container.bool("started")),
                container.int("restartCount").unwrap_or(0)
            ));
        }
    }
    words.join(" ")
}

fn owner_state(owner: &Value) -> String {
    let status = owner.get("status");
    let mut words: Vec<String> = status
        .entries()
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_int()?)))
        .collect();
    let conditions = status.get("conditions").items().iter();
    let conditions: Vec<String> = conditions
        .map(|c| format!("{}:{}:{}", c.str("type"), c.str("status"), c.str("reason")))
        .collect();
    if !conditions.is_empty() {
        words.push(format!("cond={}", conditions.join(",")));
    }
    words.join(" ")
}

/// Objects of one kind and masked name.
type Groups<'a> = BTreeMap<(Str, String), Vec<&'a Value>>;

fn grouped(objects: &[Value]) -> Groups<'_> {
    let mut groups = Groups::new();
    for object in objects {
        let name = object.path("metadata.name").as_str().unwrap_or_default();
        let key = (object.shared_str("kind"), mask_text(name));
        groups.entry(key).or_default().push(object);
    }
    groups
}

fn compare_objects(real: &Run, ours: &Run, score: &mut Score, report: &mut String) {
    let mine = grouped(&ours.objects);
    for (key, recorded) in grouped(&real.objects) {
        let empty = Vec::new();
        let found = mine.get(&key).unwrap_or(&empty);
        let found: Vec<&&Value> = found
            .iter()
            .filter(|object| {
                let namespace = |object: &Value| object.path("metadata.namespace").clone();
                namespace(object) == namespace(recorded[0])
            })
            .collect();
        let (kind, name) = &key;
        if recorded.len() != found.len() {
            let _ = writeln!(
                report,
                "{kind} {name}: {} recorded, {} of ours",
                recorded.len(),
                found.len()
            );
        }
        let mut left: Vec<(Value, &Value)> = found.into_iter().map(|o| (content(o), *o)).collect();
        left.sort_by_cached_key(|(content, _)| content.to_json());
        let mut pairs: Vec<(Value, &Value)> =
            recorded.into_iter().map(|o| (content(o), o)).collect();
        pairs.sort_by_cached_key(|(content, _)| content.to_json());
        // Equal ones first, so that one that differs does not shift its siblings.
        pairs.sort_by_key(|(content, _)| !left.iter().any(|(other, _)| other == content));
        for (expected, real) in pairs {
            let at = left
                .iter()
                .position(|(other, _)| *other == expected)
                .or((!left.is_empty()).then_some(0));
            let ours = at.map(|at| left.remove(at));
            let null = Value::Null;
            let got = ours.as_ref().map_or(&null, |(content, _)| content);
            compare_object(kind, name, &expected, got, score, report);
            let raw = ours.map_or(&null, |(_, raw)| raw);
            compare_conditions(real, raw, score);
        }
    }
}

fn compare_object(
    kind: &str,
    name: &str,
    expected: &Value,
    got: &Value,
    score: &mut Score,
    report: &mut String,
) {
    score.objects.1 += 1;
    score.objects.0 += usize::from(expected == got);
    if kind == "Pod" {
        score.pods.1 += 1;
        score.pods.0 += usize::from(expected.get("status") == got.get("status"));
    }
    let mut lines = Vec::new();
    differ("", expected, got, &mut lines);
    for line in lines {
        let _ = writeln!(report, "{kind} {name}{line}");
    }
}

/// Where two trees differ, a line each.
fn differ(path: &str, real: &Value, ours: &Value, lines: &mut Vec<String>) {
    match (real, ours) {
        (Value::Map(a), Value::Map(b)) => {
            let mut keys: Vec<&Str> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                differ(
                    &format!("{path}.{key}"),
                    real.get(key),
                    ours.get(key),
                    lines,
                );
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                differ(&format!("{path}[{at}]"), a, b, lines);
            }
        }
        _ if real == ours => {}
        _ => lines.push(format!(
            " {path}\n    real {}\n    ours {}",
            real.to_json(),
            ours.to_json()
        )),
    }
}

fn compare_conditions(real: &Value, ours: &Value, score: &mut Score) {
    let told = |object: &Value| -> Vec<String> {
        let conditions = object.path("status.conditions").items().iter();
        let line = |c: &Value| {
            let message = mask_text(c.str("message"));
            [c.str("type"), c.str("status"), c.str("reason"), &message].join(" ")
        };
        conditions.map(line).collect()
    };
    let mine = told(ours);
    for condition in told(real) {
        score.conditions.1 += 1;
        score.conditions.0 += usize::from(mine.contains(&condition));
    }
}

fn compare_events(real: &Run, ours: &Run, score: &mut Score, report: &mut String) {
    let mut lines: Vec<&String> = real.events.keys().chain(ours.events.keys()).collect();
    lines.sort();
    lines.dedup();
    for line in lines {
        let count = |run: &Run| run.events.get(line).copied();
        let is_same = match (count(real), count(ours)) {
            // What is tried again ever later was counted a moment after everything had settled.
            (Some(a), Some(b)) if line.contains(" Failed") => a.abs_diff(b) * 4 <= a.max(b),
            (a, b) => a == b,
        };
        score.events.1 += 1;
        if is_same {
            score.events.0 += 1;
        } else {
            let shown = |run: &Run| count(run).map_or("none".to_owned(), |n| format!("x{n}"));
            let (real, ours) = (shown(real), shown(ours));
            let _ = writeln!(report, "event {real} recorded, {ours} of ours: {line}");
        }
    }
}

fn compare_states(real: &Run, ours: &Run, score: &mut Score, report: &mut String) {
    let mine = tracks(ours);
    for (key, recorded) in tracks(real) {
        let empty = Vec::new();
        let mut left = mine.get(&key).unwrap_or(&empty).clone();
        for track in recorded {
            // The most similar of ours is its partner.
            let best =
                (0..left.len()).max_by_key(|at| (common(&track, &left[*at]), usize::MAX - at));
            let partner = best.map_or_else(Vec::new, |at| left.remove(at));
            let agree = Of(common(&track, &partner), track.len());
            let total = if OWNERS.contains(&key.0.as_str()) {
                &mut score.owner_order
            } else {
                &mut score.pod_order
            };
            total.0 += agree.0;
            total.1 += agree.1;
            if agree.0 < agree.1 {
                let _ = writeln!(
                    report,
                    "order of {} {}\n    real {}\n    ours {}",
                    key.0,
                    key.1,
                    track.join("\n         "),
                    partner.join("\n         ")
                );
            }
        }
    }
}

/// States by collection and masked name, without repetitions.
fn tracks(run: &Run) -> BTreeMap<(String, String), Vec<Vec<String>>> {
    let mut tracks: BTreeMap<(String, String), Vec<Vec<String>>> = BTreeMap::new();
    for ((collection, name), states) in &run.states {
        let mut track: Vec<String> = states
            .iter()
            .filter(|state| !state.contains("CrashLoopBackOff"))
            .cloned()
            .collect();
        track.dedup();
        let key = (collection.clone(), mask_text(name));
        tracks.entry(key).or_default().push(track);
    }
    tracks.values_mut().for_each(|tracks| tracks.sort());
    tracks
}

/// The length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (at, y) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if x == y {
                diagonal + 1
            } else {
                above.max(row[at])
            };
            diagonal = above;
        }
    }
    row[b.len()]
}
