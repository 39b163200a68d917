//! The benchmarks of the README: fixed scenarios, each told as one JSON line, the same natively and in the page's wasm.
//!
//! The scenarios read no clock: whoever runs them brings a [`Meter`]. Their virtual side (`virtual_secs`, `events`) is the same on every
//! machine; only CPU and memory differ. Starts at [`run`]; `kubenkyo bench` and `cargo xtask bench-wasm` call it.

use api::{Arrival, Request, Response, Value, apps, core, list, map};
use cluster::{Cluster, Options};
use shell::{Command, Session, Workstation};
use sim::{Micros, Rng, Timeline};

/// What a machine has used.
pub trait Meter {
    /// Seconds of CPU since some moment.
    fn cpu_secs(&self) -> f64;
    /// Bytes of memory in use.
    fn memory(&self) -> u64;
    /// The most that was ever in use.
    fn peak_memory(&self) -> u64;
}

/// Every case, in the order of the README's table. Each is run in a process (or page) of its own, so that peaks are its own.
pub const CASES: &[&str] = &[
    "boot",
    "deployment-100",
    "deployment-300",
    "deployment-1000",
    "deployment-10000",
    "bytes-per-pod",
    "kubectl",
    "seek",
    "idle",
];

/// Who asks.
const USER: u32 = 1;

/// The cases that `name` stands for: itself, all whose name begins with it (`deployment`), or `all`.
pub fn cases(name: &str) -> Vec<&'static str> {
    CASES
        .iter()
        .copied()
        .filter(|case| {
            name == "all"
                || *case == name
                || case
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-'))
        })
        .collect()
}

/// Runs one case; `None` if there is no such case.
// By itself, so that in the page it can come with the rest.
#[inline(never)]
pub fn run(case: &str, meter: &dyn Meter) -> Option<String> {
    if let Some(replicas) = case.strip_prefix("deployment-") {
        return Some(deployment(case, replicas.parse().ok()?, meter));
    }
    Some(match case {
        "boot" => boot(meter),
        "bytes-per-pod" => bytes_per_pod(meter),
        "kubectl" => kubectl(meter),
        "seek" => seek(meter),
        "idle" => idle(meter),
        _ => return None,
    })
}

/// Three nodes Ready from nothing; the mean of many times, as one is shorter than what an accounting of CPU can tell.
fn boot(meter: &dyn Meter) -> String {
    let times = 50;
    let start = meter.cpu_secs();
    let mut last = (0, 0);
    for seed in 0..times {
        let cluster = booted(seed, 3);
        last = (
            cluster.now().since(cluster.options().start),
            cluster.steps(),
        );
    }
    let cpu = (meter.cpu_secs() - start) / times as f64;
    line("boot")
        .int("nodes", 3)
        .secs("virtual_secs", last.0)
        .int("events", last.1)
        .number("cpu_secs", cpu)
        .end()
}

/// A Deployment of so many replicas, from its creation until all are ready.
fn deployment(case: &str, replicas: u32, meter: &dyn Meter) -> String {
    let nodes = nodes_for(replicas);
    let mut cluster = booted(7, nodes);
    let (steps, begun) = (cluster.steps(), cluster.now());
    let memory = meter.memory();
    let start = meter.cpu_secs();
    let is_ready = deploy(&mut cluster, replicas);
    let cpu = meter.cpu_secs() - start;
    let events = cluster.steps() - steps;
    line(case)
        .int("replicas", u64::from(replicas))
        .int("nodes", u64::from(nodes))
        .text("outcome", if is_ready { "ready" } else { "not ready" })
        .secs("virtual_secs", cluster.now().since(begun))
        .int("events", events)
        .number("cpu_secs", cpu)
        .number("cpu_ms_per_pod", cpu * 1_000.0 / f64::from(replicas))
        .int("events_per_cpu_sec", (events as f64 / cpu.max(1e-9)) as u64)
        .int("peak_memory_bytes", meter.peak_memory())
        .int(
            "bytes_per_pod",
            meter.memory().saturating_sub(memory) / u64::from(replicas),
        )
        .end()
}

/// What 3,000 pods hold once their Deployment has settled: store, caches, history; and what one more checkpoint of them costs.
fn bytes_per_pod(meter: &dyn Meter) -> String {
    let replicas = 3_000;
    let mut cluster = booted(7, nodes_for(replicas));
    let memory = meter.memory();
    let is_ready = deploy(&mut cluster, replicas);
    let settled = meter.memory();
    let start = meter.cpu_secs();
    let clone = cluster.clone();
    let cpu = meter.cpu_secs() - start;
    let cloned = meter.memory();
    let same = clone.steps() == cluster.steps();
    line("bytes-per-pod")
        .int("replicas", u64::from(replicas))
        .text(
            "outcome",
            if is_ready && same {
                "ready"
            } else {
                "not ready"
            },
        )
        .int(
            "bytes_per_pod",
            settled.saturating_sub(memory) / u64::from(replicas),
        )
        .int(
            "checkpoint_bytes_per_pod",
            cloned.saturating_sub(settled) / u64::from(replicas),
        )
        .number("checkpoint_cpu_ms", cpu * 1_000.0)
        .end()
}

/// `kubectl get pods` where there are 1,000.
fn kubectl(meter: &dyn Meter) -> String {
    let options = Options {
        nodes: nodes_for(1_000),
        ..Options::default()
    };
    let mut session = Session::new(options, "/root");
    session.line(
        "kubectl create deployment web --image=nginx:1.27 --replicas=1000",
        |_| {},
    );
    session.wait(5 * sim::MINUTE);
    let mut lines = 0;
    let times = 50;
    let start = meter.cpu_secs();
    for _ in 0..times {
        let outcome = session.line("kubectl get pods", |_| {});
        lines = outcome.map_or(0, |outcome| outcome.text(false).lines().count() as u64);
    }
    let cpu = (meter.cpu_secs() - start) / f64::from(times);
    line("kubectl")
        .text("command", "kubectl get pods")
        .int("lines", lines)
        .number("cpu_ms", cpu * 1_000.0)
        .end()
}

/// Anywhere in an hour of 500 pods, whose Deployment was restarted half-way.
fn seek(meter: &dyn Meter) -> String {
    let options = Options {
        nodes: nodes_for(500),
        ..Options::default()
    };
    let start = meter.cpu_secs();
    let mut timeline = Timeline::new(Workstation::new(options));
    let begin = timeline.now();
    let line_of = |text: &str| Command::Line {
        terminal: USER,
        text: text.to_owned(),
    };
    timeline.advance(begin + 12 * sim::SECOND, u64::MAX);
    timeline.command(line_of(
        "kubectl create deployment web --image=nginx:1.27 --replicas=500",
    ));
    timeline.advance(begin + 30 * sim::MINUTE, u64::MAX);
    timeline.command(line_of("kubectl rollout restart deployment web"));
    timeline.advance(begin + sim::HOUR, u64::MAX);
    let hour = meter.cpu_secs() - start;
    let events = timeline.machine().cluster().steps();
    let mut chance = Rng::stream(7, "seeks");
    let mut spent = Vec::new();
    for _ in 0..100 {
        let to = begin + chance.below(sim::HOUR);
        let start = meter.cpu_secs();
        timeline.seek(to, u64::MAX);
        spent.push((meter.cpu_secs() - start) * 1_000.0);
    }
    line("seek")
        .int("replicas", 500)
        .int("events", events)
        .number("hour_cpu_secs", hour)
        .number("p50_cpu_ms", quantile(&mut spent, 50))
        .number("p95_cpu_ms", quantile(&mut spent, 95))
        .int("peak_memory_bytes", meter.peak_memory())
        .end()
}

/// An hour in which 100 pods just run.
fn idle(meter: &dyn Meter) -> String {
    let mut cluster = booted(7, 3);
    let is_ready = deploy(&mut cluster, 100);
    cluster.run_for(2 * sim::MINUTE);
    let steps = cluster.steps();
    let start = meter.cpu_secs();
    cluster.run_for(sim::HOUR);
    let cpu = meter.cpu_secs() - start;
    line("idle")
        .int("replicas", 100)
        .text("outcome", if is_ready { "ready" } else { "not ready" })
        .int("events", cluster.steps() - steps)
        .number("cpu_secs", cpu)
        .int("speed", (3_600.0 / cpu.max(1e-9)) as u64)
        .end()
}

/// Enough nodes of 110 pods each.
fn nodes_for(replicas: u32) -> u32 {
    replicas.div_ceil(100).max(3)
}

/// A cluster at the moment when its last node is Ready.
fn booted(seed: u64, nodes: u32) -> Cluster {
    let mut cluster = Cluster::new(Options {
        seed,
        nodes,
        ..Options::default()
    });
    until(
        &mut cluster,
        Request::list(&core::NODES, ""),
        sim::HOUR,
        |found| {
            let ready = found.get("items").items().iter();
            ready
                .filter(|node| api::meta::is_true(node, "Ready"))
                .count()
                == nodes as usize
        },
    );
    cluster
}

/// Creates the Deployment and waits until all its pods are ready; false if two hours did not suffice.
fn deploy(cluster: &mut Cluster, replicas: u32) -> bool {
    let web = map! {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": map! { "name": "web" },
        "spec": map! {
            "replicas": i64::from(replicas), "selector": map! { "matchLabels": map! { "app": "web" } },
            "template": map! {
                "metadata": map! { "labels": map! { "app": "web" } },
                "spec": map! { "containers": list![map! { "name": "nginx", "image": "nginx:1.27" }] },
            },
        },
    };
    ask(cluster, Request::create(&apps::DEPLOYMENTS, "default", web));
    let get = Request::get(&apps::DEPLOYMENTS, "default", "web");
    until(cluster, get, 2 * sim::HOUR, |web| {
        web.get("status").int("readyReplicas") == Some(i64::from(replicas))
    })
}

/// Lets time pass until the answer to `request` is as wanted, asking every tenth of a second.
fn until(
    cluster: &mut Cluster,
    request: Request,
    span: Micros,
    is_wanted: impl Fn(&Value) -> bool,
) -> bool {
    let end = cluster.now() + span;
    while cluster.now() < end {
        if is_wanted(&ask(cluster, request.clone()).body) {
            return true;
        }
        cluster.run_for(100 * sim::MILLI);
    }
    false
}

/// Sends a request and runs until its answer is there.
fn ask(cluster: &mut Cluster, request: Request) -> Response {
    let id = cluster.submit(USER, request);
    loop {
        for (_, found, arrival) in cluster.receive(USER) {
            if let (true, Arrival::Response(response)) = (found == id, arrival) {
                return response;
            }
        }
        assert!(
            cluster.step(),
            "the answer to a request is always still to come"
        );
    }
}

/// The value that so many percent of the values do not exceed.
fn quantile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}

/// A JSON line in the making.
struct Line(String);

fn line(case: &str) -> Line {
    Line(format!("{{\"bench\":\"{case}\""))
}

impl Line {
    fn text(self, name: &str, value: &str) -> Line {
        Line(format!("{},\"{name}\":\"{value}\"", self.0))
    }

    fn int(self, name: &str, value: u64) -> Line {
        Line(format!("{},\"{name}\":{value}", self.0))
    }

    fn number(self, name: &str, value: f64) -> Line {
        Line(format!("{},\"{name}\":{value:.4}", self.0))
    }

    fn secs(self, name: &str, span: Micros) -> Line {
        self.number(name, span as f64 / 1e6)
    }

    fn end(self) -> String {
        format!("{}}}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks a second each time it is read.
    #[derive(Default)]
    struct Counting(std::cell::Cell<u32>);

    impl Meter for Counting {
        fn cpu_secs(&self) -> f64 {
            self.0.set(self.0.get() + 1);
            f64::from(self.0.get())
        }

        fn memory(&self) -> u64 {
            0
        }

        fn peak_memory(&self) -> u64 {
            0
        }
    }

    #[test]
    fn names_stand_for_cases() {
        assert_eq!(cases("all"), CASES);
        assert_eq!(cases("boot"), ["boot"]);
        assert_eq!(cases("deployment").len(), 4);
        assert!(cases("deploy").is_empty());
        assert!(run("deployment-many", &Counting::default()).is_none());
    }

    #[test]
    fn a_deployment_becomes_ready_and_its_line_is_json() {
        let line = run("deployment-5", &Counting::default()).expect("any number is a case");
        let value = serde_json::from_str::<serde_json::Value>(&line).expect("the line is JSON");
        assert_eq!(value["outcome"], "ready");
        assert_eq!(value["cpu_secs"], 1.0);
        assert!(value["events"].as_u64() > Some(100), "{line}");
    }
}
