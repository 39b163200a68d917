//! Random chaos, seed by seed: whatever breaks, the cluster keeps its promises, and once everything is mended it
//! comes to rest as asked.
//!
//! The promises: no pod runs on two machines; a rollout takes no ready pod away below what `maxUnavailable` leaves; every
//! owner of an object exists or the object is gone; caches hold what the store holds. A failure prints the command that
//! replays its seed; `KUBENKYO_SEEDS` sets how many are tried, `KUBENKYO_SEED` runs one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use api::core::PODS;
use api::{PatchKind, Request, Resource, Str, Value, WatchKind, list, map};
use cluster::{Cluster, Fault, Options};
use sim::{Machine, Micros, Rng, SECOND, Time};

/// In an unoptimised build a seed takes a quarter of a second: the thousand are for `KUBENKYO_SEEDS=1000`.
const SEEDS: u64 = 200;
const NODES: u32 = 3;
const REPLICAS: usize = 4;
const MAX_UNAVAILABLE: usize = 1;
/// While things break, and how long the cluster may take to come to rest afterwards.
const CHAOS: Micros = 60 * SECOND;
const REST: Micros = 240 * SECOND;
/// The world is looked at this often.
const LOOK: Micros = 500_000;
/// What was ready so recently may still count as ready for who decided on it.
const RECENT: Micros = 15 * SECOND;
/// A reflector whose server was away tries again after half a minute at most (client-go's longest back-off): so long
/// one controller may see what another one does not know of yet, in real clusters too.
const BLIND: Micros = 30 * SECOND;

const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const JOBS: Resource = Resource::of("batch", "v1", "jobs");
const NODE_KIND: Resource = Resource::of("", "v1", "nodes");

#[test]
fn no_kind_of_chaos_breaks_a_promise() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("KUBENKYO_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("KUBENKYO_SEEDS").unwrap_or(SEEDS),
    };
    let mut booted = Cluster::new(Options {
        nodes: NODES,
        pull_speed: 1_000_000_000,
        trace_capacity: 16,
        ..Options::default()
    });
    booted.run_for(5 * SECOND);
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            break;
                        }
                        let mut run = Run::new(&booted, seed);
                        if let Err(why) = run.run() {
                            let why = format!("{why}\n{}", run.story());
                            panic!(
                                "seed {seed}: {why}\nreplay: KUBENKYO_SEED={seed} cargo nextest run -p kubenkyo --test chaos"
                            );
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

struct Run {
    cluster: Cluster,
    rng: Rng,
    /// Up to which revision the changes have been looked at.
    seen: u64,
    /// The web pods as the API server has them.
    pods: BTreeMap<Str, Value>,
    /// When a pod was last ready.
    ready_until: BTreeMap<Str, Time>,
    /// Until then some caches may not have heard what happened since the API server came back.
    blind_until: Time,
    broken: Vec<Fault>,
    told: Vec<String>,
}

impl Run {
    fn new(booted: &Cluster, seed: u64) -> Run {
        let mut rng = Rng::stream(seed, "chaos");
        let mut cluster = booted.clone();
        // The same boot, continued at another time, draws other latencies.
        cluster.run_for(rng.below(3 * SECOND));
        Run {
            seen: cluster.server().revision(),
            cluster,
            rng,
            pods: BTreeMap::new(),
            ready_until: BTreeMap::new(),
            blind_until: Time::default(),
            broken: Vec::new(),
            told: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), String> {
        for (resource, object) in [
            (DEPLOYMENTS, deployment()),
            (STATEFUL_SETS, stateful_set()),
            (JOBS, job()),
        ] {
            self.cluster
                .submit(7, Request::create(&resource, "default", object));
        }
        let rollout_at = self.cluster.now() + 10 * SECOND + self.rng.below(30 * SECOND);
        let end = self.cluster.now() + CHAOS;
        let mut rolled_out = false;
        let mut next_fault = self.cluster.now() + self.rng.below(12 * SECOND);
        while self.cluster.now() < end {
            if !rolled_out && self.cluster.now() >= rollout_at && !self.server_is_down() {
                rolled_out = true;
                self.roll_out();
            }
            if self.cluster.now() >= next_fault {
                self.break_or_mend();
                next_fault = self.cluster.now() + SECOND + self.rng.below(15 * SECOND);
            }
            self.advance()?;
        }
        for fault in std::mem::take(&mut self.broken) {
            self.inflict(mended(&fault));
        }
        if !rolled_out {
            self.roll_out();
        }
        let deadline = self.cluster.now() + REST;
        loop {
            self.advance()?;
            let verdict = self.is_at_rest().and_then(|()| self.caches_converged());
            if verdict.is_ok() || self.cluster.now() >= deadline {
                return verdict;
            }
        }
    }

    /// What was broken when, and what became of the pods.
    fn story(&self) -> String {
        let mut story = self.told.join("\n");
        for (collection, object) in self.cluster.server().everything() {
            if &**collection == "pods" {
                let (meta, status) = (object.get("metadata"), object.get("status"));
                story += &format!(
                    "\n{} on {} {} ready {} deleted {:?}",
                    meta.str("name"),
                    object.path("spec.nodeName").to_json(),
                    status.str("phase"),
                    is_ready(object),
                    meta.str("deletionTimestamp"),
                );
            }
        }
        story
    }

    fn inflict(&mut self, fault: Fault) {
        self.told
            .push(format!("{} {fault:?}", self.cluster.now().rfc3339()));
        if fault == (Fault::StopApiServer { on: false }) {
            self.blind_until = self.cluster.now() + BLIND;
        }
        self.cluster.command(fault);
    }

    fn server_is_down(&self) -> bool {
        self.cluster.is_down(api::Part::ApiServer)
    }

    fn roll_out(&mut self) {
        let image = list![map! { "name": "web", "image": "nginx:1.27" }];
        let patch =
            map! { "spec": map! { "template": map! { "spec": map! { "containers": image } } } };
        let request = Request::patch(&DEPLOYMENTS, "default", "web", PatchKind::Strategic, patch);
        self.cluster.submit(7, request);
    }

    fn break_or_mend(&mut self) {
        if !self.broken.is_empty() && self.rng.below(2) == 0 {
            let at = self.rng.below(self.broken.len() as u64) as usize;
            let fault = self.broken.remove(at);
            self.inflict(mended(&fault));
            return;
        }
        let node = self.rng.below(u64::from(NODES)) as u32;
        let fault = match self.rng.below(12) {
            0 | 1 => Fault::PowerOff { node, on: true },
            2 | 3 => Fault::CutOff { node, on: true },
            4 => Fault::StopScheduler { on: true },
            5 => Fault::StopControllerManager { on: true },
            6 => Fault::StopApiServer { on: true },
            7 => Fault::SlowApiServer { times: 30 },
            8 | 9 => {
                let all = Cluster::controllers();
                let controller = all[self.rng.below(all.len() as u64) as usize].to_owned();
                if controller == "service-lb-controller" {
                    return;
                }
                Fault::PauseController {
                    controller,
                    on: true,
                }
            }
            10 => Fault::SlowScheduler { times: 1_000 },
            _ => return self.kill_something(),
        };
        if !self.broken.contains(&fault) {
            self.inflict(fault.clone());
            self.broken.push(fault);
        }
    }

    /// Kills a process of a pod of the Deployment; the kubelet mends that by itself.
    fn kill_something(&mut self) {
        let names: Vec<Str> = self.pods.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let pod = names[self.rng.below(names.len() as u64) as usize].to_string();
        let out_of_memory = self.rng.below(2) == 0;
        self.inflict(Fault::Kill {
            namespace: "default".to_owned(),
            pod,
            container: String::new(),
            out_of_memory,
        });
    }

    fn advance(&mut self) -> Result<(), String> {
        self.cluster.run_for(LOOK);
        self.no_pod_runs_twice()?;
        let changes = self.cluster.server().changes_since(self.seen);
        self.seen = self.cluster.server().revision();
        for (collection, kind, object) in changes.expect("half a second is kept") {
            if &*collection == "replicasets.apps" {
                self.told.push(format!(
                    "{} {} wants {} has {}",
                    self.cluster.now().rfc3339(),
                    object.path("metadata.name").to_json(),
                    object.path("spec.replicas").to_json(),
                    object.get("status").to_json(),
                ));
            }
            let is_web = object.path("metadata.labels.app").as_str() == Some("web");
            if &*collection == "pods" && is_web {
                self.pod_changed(kind, object)?;
            }
        }
        Ok(())
    }

    /// Two machines never run the same pod, nor two pods of one name (a StatefulSet's identity).
    fn no_pod_runs_twice(&self) -> Result<(), String> {
        let mut places: BTreeMap<(Str, Str), Str> = BTreeMap::new();
        for kubelet in self.cluster.kubelets() {
            for (namespace, name) in kubelet.running_pods() {
                let node = kubelet.machine().name.clone();
                if let Some(other) = places.insert((namespace, name.clone()), node.clone()) {
                    return Err(format!("{name} runs on {other} and on {node}"));
                }
            }
        }
        Ok(())
    }

    fn pod_changed(&mut self, kind: WatchKind, pod: Value) -> Result<(), String> {
        let name = pod.get("metadata").shared_str("name");
        let was = self.pods.get(&name).cloned().unwrap_or_default();
        let now = self.cluster.now();
        if is_ready(&was) {
            self.ready_until.insert(name.clone(), now);
        }
        if is_ready(&was) != is_ready(&pod) || is_deleting(&was) != is_deleting(&pod) {
            let what = if is_deleting(&pod) { "and" } else { "not" };
            let is = if is_ready(&pod) { "ready" } else { "unready" };
            self.told
                .push(format!("{} {name} {is} {what} deleted", now.rfc3339()));
        }
        if kind == WatchKind::Deleted {
            self.pods.remove(&name);
        } else {
            self.pods.insert(name.clone(), pod.clone());
        }
        // Evictions from lost machines are nobody's rollout.
        let is_evicted = api::meta::is_true(&pod, "DisruptionTarget");
        let is_taken = is_ready(&was) && !is_deleting(&was) && is_deleting(&pod) && !is_evicted;
        if !is_taken {
            return Ok(());
        }
        let recent = if now < self.blind_until {
            RECENT + BLIND
        } else {
            RECENT
        };
        let counts = |(other, pod): (&Str, &Value)| {
            let recently = self.ready_until.get(other);
            let is_recent = recently.is_some_and(|at| now.since(*at) < recent);
            !is_deleting(pod) && (is_ready(pod) || is_recent)
        };
        let left = self.pods.iter().filter(|entry| counts(*entry)).count();
        if left + MAX_UNAVAILABLE < REPLICAS {
            return Err(format!(
                "{name} was taken away when only {left} others were ready"
            ));
        }
        Ok(())
    }

    fn object(&self, collection: &str, name: &str) -> Value {
        let mut all = self.cluster.server().everything();
        let found = all.find(|(of, object)| {
            &***of == collection && object.path("metadata.name").as_str() == Some(name)
        });
        found.map(|(_, object)| object.clone()).unwrap_or_default()
    }

    fn is_at_rest(&self) -> Result<(), String> {
        let web = self.object("deployments.apps", "web");
        let status = web.get("status");
        let is_current =
            status.int("observedGeneration") == web.path("metadata.generation").as_int();
        for field in ["replicas", "updatedReplicas", "availableReplicas"] {
            if status.int(field) != Some(REPLICAS as i64) || !is_current {
                return Err(format!("the Deployment's status is {}", status.to_json()));
            }
        }
        let db = self.object("statefulsets.apps", "db");
        if db.path("status.availableReplicas").as_int() != Some(2) {
            return Err(format!(
                "the StatefulSet's status is {}",
                db.get("status").to_json()
            ));
        }
        let sum = self.object("jobs.batch", "sum");
        if sum.path("status.succeeded").as_int() != Some(2) {
            return Err(format!(
                "the Job's status is {}",
                sum.get("status").to_json()
            ));
        }
        let uids: BTreeSet<Str> = self
            .cluster
            .server()
            .everything()
            .map(|(_, object)| object.get("metadata").shared_str("uid"))
            .collect();
        for (collection, object) in self.cluster.server().everything() {
            for owner in object.path("metadata.ownerReferences").items() {
                if !uids.contains(owner.str("uid")) {
                    let name = object.path("metadata.name").to_json();
                    return Err(format!("the owner of {collection} {name} is gone"));
                }
            }
        }
        Ok(())
    }

    /// The controllers' caches and the store agree: after the last trouble a reflector waits up to a minute before it
    /// watches again.
    fn caches_converged(&self) -> Result<(), String> {
        for resource in [
            PODS,
            REPLICA_SETS,
            DEPLOYMENTS,
            STATEFUL_SETS,
            JOBS,
            NODE_KIND,
        ] {
            let cache = self.cluster.manager().cache(&resource);
            let cached: BTreeSet<String> = cache
                .expect("controllers watch it")
                .all()
                .map(version)
                .collect();
            let collection = match &*resource.group {
                "" => resource.plural.to_string(),
                group => format!("{}.{group}", resource.plural),
            };
            let stored: BTreeSet<String> = self
                .cluster
                .server()
                .everything()
                .filter(|(of, _)| ***of == *collection)
                .map(|(_, object)| version(object))
                .collect();
            if cached != stored {
                let differ: Vec<_> = cached.symmetric_difference(&stored).collect();
                return Err(format!("the cache of {collection} differs: {differ:?}"));
            }
        }
        Ok(())
    }
}

fn version(object: &Value) -> String {
    let meta = object.get("metadata");
    let fields = ["namespace", "name", "resourceVersion"];
    fields.map(|field| meta.str(field).to_owned()).join("/")
}

fn is_ready(pod: &Value) -> bool {
    api::meta::is_true(pod, "Ready")
}

fn is_deleting(pod: &Value) -> bool {
    pod.path("metadata.deletionTimestamp").as_str().is_some()
}

fn mended(fault: &Fault) -> Fault {
    match fault.clone() {
        Fault::PowerOff { node, .. } => Fault::PowerOff { node, on: false },
        Fault::CutOff { node, .. } => Fault::CutOff { node, on: false },
        Fault::FillMemory { node, .. } => Fault::FillMemory { node, on: false },
        Fault::FillDisk { node, .. } => Fault::FillDisk { node, on: false },
        Fault::StopScheduler { .. } => Fault::StopScheduler { on: false },
        Fault::StopControllerManager { .. } => Fault::StopControllerManager { on: false },
        Fault::StopApiServer { .. } => Fault::StopApiServer { on: false },
        Fault::SlowApiServer { .. } => Fault::SlowApiServer { times: 1 },
        Fault::SlowScheduler { .. } => Fault::SlowScheduler { times: 1 },
        Fault::PauseController { controller, .. } => Fault::PauseController {
            controller,
            on: false,
        },
        // Nothing is left to mend.
        done @ (Fault::Kill { .. } | Fault::Join { .. } | Fault::AddControlPlane) => done,
    }
}

fn template(app: &'static str, image: &'static str) -> Value {
    // Pods leave a lost machine after ten seconds instead of five minutes.
    let leaves = |key: &'static str| {
        map! { "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10 }
    };
    map! {
        "metadata": map! { "labels": map! { "app": app } },
        "spec": map! {
            "terminationGracePeriodSeconds": 2,
            "containers": list![map! { "name": app, "image": image }],
            "tolerations": list![
                leaves("node.kubernetes.io/not-ready"), leaves("node.kubernetes.io/unreachable"),
            ],
        },
    }
}

fn deployment() -> Value {
    map! {
        "metadata": map! { "name": "web" },
        "spec": map! {
            "replicas": REPLICAS as i64,
            "selector": map! { "matchLabels": map! { "app": "web" } },
            "strategy": map! { "rollingUpdate": map! { "maxSurge": 1, "maxUnavailable": MAX_UNAVAILABLE as i64 } },
            "template": template("web", "nginx:1.26"),
        },
    }
}

fn stateful_set() -> Value {
    map! {
        "metadata": map! { "name": "db" },
        "spec": map! {
            "replicas": 2,
            "serviceName": "db",
            "selector": map! { "matchLabels": map! { "app": "db" } },
            "template": template("db", "redis:7"),
        },
    }
}

fn job() -> Value {
    let mut template = template("sum", "busybox:1.36");
    template.set_path("spec.restartPolicy", "Never");
    let container = map! { "name": "sum", "image": "busybox:1.36", "command": list!["sleep", "8"] };
    template.set_path("spec.containers", list![container]);
    map! {
        "metadata": map! { "name": "sum" },
        "spec": map! { "completions": 2, "parallelism": 1, "backoffLimit": 100, "template": template },
    }
}
