//! The life of pods on one machine, as the API server sees it: a transcript per case.

use std::collections::BTreeMap;

use api::core::{EVENTS, PODS};
use api::{Body, Request, RequestId, Response, Str, Value, Verb, WatchEvent, WatchKind, list, map};
use client::{Component, Effect, Outbox};
use expect_test::{Expect, expect};
use node::{Kubelet, Machine, Timer};
use sim::{MILLI, NoteId, Queue, Rng, SECOND, Time};

/// A kubelet with the least of an API server: it keeps objects and tells the kubelet of its pods.
struct World {
    kubelet: Kubelet,
    queue: Queue<Event>,
    now: Time,
    rng: Rng,
    next_request: u64,
    watch: Option<RequestId>,
    objects: BTreeMap<String, Value>,
    revision: i64,
    log: Vec<String>,
    born: Time,
}

enum Event {
    Answer(RequestId, Response),
    Watch(WatchEvent),
    Timer(Timer),
}

impl World {
    fn new() -> World {
        let mut world = World {
            kubelet: Kubelet::new(Machine::worker(0)),
            queue: Queue::new(),
            now: Time::from_secs(1_790_000_000),
            rng: Rng::stream(1, "life"),
            next_request: 0,
            watch: None,
            objects: BTreeMap::new(),
            revision: 1,
            log: Vec::new(),
            born: Time::default(),
        };
        world.turn(|kubelet, out| kubelet.start(out));
        world.run(2 * SECOND);
        world.born = world.now;
        world.log.clear();
        world
    }

    fn turn(&mut self, work: impl FnOnce(&mut Kubelet, &mut Outbox<'_, Timer>)) {
        let mut out = Outbox::new(self.now, NoteId(0), &mut self.rng, &mut self.next_request);
        work(&mut self.kubelet, &mut out);
        for effect in out.into_effects() {
            match effect {
                Effect::Timer { at, timer } => {
                    self.queue.push(at, Event::Timer(timer));
                }
                Effect::Send { id, request, .. } => {
                    if let Some(response) = self.serve(id, &request) {
                        self.queue
                            .push(self.now + 2 * MILLI, Event::Answer(id, response));
                    }
                }
                Effect::Frame { frame, .. } => self.say(format!("{frame:?}")),
                _ => {}
            }
        }
    }

    /// Passes a request on to the kubelet, as the API server does.
    fn ask(&mut self, subresource: &'static str, query: &[(&'static str, &'static str)]) {
        let mut request = Request::get(&PODS, "default", "web").subresource(subresource);
        request.options.query = query
            .iter()
            .map(|(k, v)| (Str::from(*k), Str::from(*v)))
            .collect();
        self.turn(|kubelet, out| kubelet.serve(1, &request, out));
    }

    fn run(&mut self, span: u64) {
        let until = self.now + span;
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let Some((at, event)) = self.queue.pop() else {
                break;
            };
            self.now = at;
            match event {
                Event::Timer(timer) => self.turn(|kubelet, out| kubelet.wake(timer, out)),
                Event::Answer(id, response) => {
                    self.turn(|kubelet, out| kubelet.respond(id, response, out))
                }
                Event::Watch(event) => {
                    let Some(id) = self.watch else { continue };
                    self.turn(|kubelet, out| kubelet.observe(id, event, out));
                }
            }
        }
        self.now = until;
    }

    fn serve(&mut self, id: RequestId, request: &Request) -> Option<Response> {
        let missing = || Response {
            code: 404,
            body: map! { "reason": "NotFound" },
            warnings: Vec::new(),
            media: api::Str::EMPTY,
        };
        let path = format!("{}/{}", request.resource.plural, request.name);
        Some(match (request.verb, &request.body) {
            (Verb::List, _) => {
                Response::ok(map! { "metadata": map! { "resourceVersion": "1" }, "items": list![] })
            }
            (Verb::Watch, _) => {
                if request.resource == PODS {
                    self.watch = Some(id);
                }
                Response::ok(Value::Null)
            }
            (Verb::Get, _) => match self.objects.get(&path) {
                Some(object) => Response::ok(object.clone()),
                None if request.name == "kube-root-ca.crt" => Response::ok(map! {}),
                None => missing(),
            },
            (Verb::Create, Body::Object(object)) if request.resource == EVENTS => {
                let (reason, message) = (object.str("reason"), object.str("message"));
                self.say(format!("event {reason}: {message}"));
                Response::created(object.clone())
            }
            (Verb::Patch, Body::Patch(_, patch)) if request.resource == EVENTS => {
                self.say(format!("event again, {}", patch.int("count").unwrap_or(0)));
                Response::ok(patch.clone())
            }
            (Verb::Patch, Body::Patch(_, patch)) if request.resource == PODS => {
                let Some(mut pod) = self.objects.get(&path).cloned() else {
                    return Some(missing());
                };
                for (key, value) in patch.get("status").entries().iter() {
                    if value.is_null() {
                        pod.remove_path(&format!("status.{key}"));
                    } else if !key.starts_with('$') {
                        pod.entry("status").set(key.clone(), value);
                    }
                }
                self.say(describe(&pod));
                self.store(path, pod.clone(), WatchKind::Modified);
                Response::ok(pod)
            }
            (Verb::Delete, _) => match self.objects.remove(&path) {
                Some(pod) => {
                    self.say("deleted".to_owned());
                    self.queue.push(
                        self.now + MILLI,
                        Event::Watch(WatchEvent {
                            kind: WatchKind::Deleted,
                            object: pod,
                        }),
                    );
                    Response::ok(Value::Null)
                }
                None => missing(),
            },
            (_, Body::Object(object)) => Response::created(object.clone()),
            _ => Response::ok(Value::Null),
        })
    }

    fn store(&mut self, path: String, mut object: Value, kind: WatchKind) {
        self.revision += 1;
        object.set_path("metadata.resourceVersion", self.revision.to_string());
        self.objects.insert(path, object.clone());
        self.queue
            .push(self.now + MILLI, Event::Watch(WatchEvent { kind, object }));
    }

    fn create(&mut self, spec: Value) {
        let mut spec = spec;
        for (key, value) in [("restartPolicy", "Always"), ("nodeName", "node-1")] {
            if !spec.has(key) {
                spec.set(key, value);
            }
        }
        let pod = map! {
            "metadata": map! { "name": "web", "namespace": "default", "uid": "u-1", "generation": 1 },
            "spec": spec,
            "status": map! {
                "phase": "Pending", "qosClass": "BestEffort",
                "conditions": list![map! { "type": "PodScheduled", "status": "True" }],
            },
        };
        self.store("pods/web".to_owned(), pod, WatchKind::Added);
    }

    fn delete(&mut self, grace: i64) {
        let mut pod = self.objects["pods/web"].clone();
        pod.set_path("metadata.deletionTimestamp", self.now.rfc3339());
        pod.set_path("metadata.deletionGracePeriodSeconds", grace);
        self.say("is deleted by a user".to_owned());
        self.store("pods/web".to_owned(), pod, WatchKind::Modified);
    }

    fn say(&mut self, text: String) {
        let at = self.now.since(self.born) / MILLI;
        self.log
            .push(format!("+{}.{} {text}", at / 1000, at % 1000 / 100));
    }

    fn check(&self, expected: Expect) {
        expected.assert_eq(&(self.log.join("\n") + "\n"));
    }
}

fn describe(pod: &Value) -> String {
    let status = pod.get("status");
    let mut text = status.str("phase").to_owned();
    if status.has("podIP") {
        text += &format!(" {}", status.str("podIP"));
    }
    let mut conditions = String::new();
    for c in status
        .get("conditions")
        .items()
        .iter()
        .filter(|c| c.str("status") == "True")
    {
        conditions.extend(c.str("type").chars().filter(|c| c.is_uppercase()));
        conditions.push(' ');
    }
    text += &format!(" [{}]", conditions.trim());
    for list in ["initContainerStatuses", "containerStatuses"] {
        for c in status.get(list).items() {
            let (state, detail) = c.get("state").entries().iter().next().expect("a state");
            let reason: Str = match detail.int("exitCode") {
                Some(code) => format!("{} {code}", detail.str("reason")).into(),
                None => detail.shared_str("reason"),
            };
            text += &format!(" {}={state}", c.str("name"));
            for extra in [reason.as_str(), if c.bool("ready") { "ready" } else { "" }] {
                if !extra.is_empty() {
                    text += &format!(" {extra}");
                }
            }
            if let Some(n) = c.int("restartCount").filter(|n| *n > 0) {
                text += &format!(" x{n}");
            }
        }
    }
    text
}

fn container(name: &'static str, image: &'static str) -> Value {
    map! { "name": name, "image": image, "imagePullPolicy": "IfNotPresent" }
}

#[test]
fn a_server_is_pulled_started_and_stopped() {
    let mut world = World::new();
    world.create(map! { "containers": list![container("nginx", "nginx:1.27")] });
    world.run(10 * SECOND);
    world.delete(30);
    world.run(60 * SECOND);
    assert_eq!(world.kubelet.pod_count(), 0);
    world.check(expect![[r#"
        +0.0 Pending [I PS] nginx=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] nginx=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "nginx:1.27"
        +3.0 event Pulled: Successfully pulled image "nginx:1.27" in 2.782s (2.782s including waiting). Image size: 69653747 bytes.
        +3.0 event Created: Container created
        +3.0 event Started: Container started
        +3.0 Running 10.244.0.2 [PRTSC I R CR PS] nginx=running ready
        +10.0 is deleted by a user
        +10.0 event Killing: Stopping container nginx
        +10.0 Running 10.244.0.2 [PRTSC I PS] nginx=terminated Completed 0
        +10.1 Succeeded 10.244.0.2 [I PS] nginx=terminated Completed 0
        +10.1 deleted
    "#]]);
}

#[test]
fn a_container_that_ends_is_started_again_ever_later() {
    let mut world = World::new();
    let mut c = container("c", "busybox");
    c.set("command", list!["sleep", "1"]);
    world.create(map! { "containers": list![c] });
    world.run(100 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +2.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0
        +2.0 event Pulled: Container image "busybox" already present on machine and can be accessed by the pod
        +2.0 event again, 2
        +2.0 event again, 2
        +2.0 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x1
        +4.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0 x1
        +4.0 event BackOff: Back-off restarting failed container c in pod web_default(u-1)
        +5.0 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x1
        +5.0 event again, 2
        +13.1 event again, 2
        +13.1 event again, 3
        +13.2 event again, 3
        +13.2 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x2
        +15.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0 x2
        +15.0 event again, 3
        +16.0 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x2
        +16.0 event again, 4
        +34.3 event again, 3
        +34.3 event again, 4
        +34.3 event again, 4
        +34.3 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x3
        +36.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0 x3
        +36.0 event again, 5
        +37.0 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x3
        +37.0 event again, 6
        +75.4 event again, 4
        +75.4 event again, 5
        +75.5 event again, 5
        +75.5 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x4
        +77.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0 x4
        +77.0 event again, 7
        +78.0 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x4
        +78.0 event again, 8
    "#]]);
}

#[test]
fn an_image_that_does_not_exist_is_tried_ever_later() {
    let mut world = World::new();
    world.create(map! { "containers": list![container("c", "nginx:1.999")] });
    world.run(45 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "nginx:1.999"
        +0.5 event Failed: Failed to pull image "nginx:1.999": failed to pull and unpack image "docker.io/library/nginx:1.999": failed to resolve reference "docker.io/library/nginx:1.999": docker.io/library/nginx:1.999: not found
        +0.5 event Failed: Error: ErrImagePull
        +1.0 Pending 10.244.0.2 [PRTSC I PS] c=waiting ErrImagePull
        +1.0 event BackOff: Back-off pulling image "nginx:1.999"
        +1.0 event Failed: Error: ImagePullBackOff
        +10.5 Pending 10.244.0.2 [PRTSC I PS] c=waiting ImagePullBackOff
        +10.5 event again, 2
        +10.6 event again, 2
        +10.6 event again, 2
        +22.0 Pending 10.244.0.2 [PRTSC I PS] c=waiting ErrImagePull
        +22.0 event again, 2
        +22.0 event again, 2
        +30.6 Pending 10.244.0.2 [PRTSC I PS] c=waiting ImagePullBackOff
        +30.6 event again, 3
        +30.8 event again, 3
        +30.8 event again, 3
        +43.0 Pending 10.244.0.2 [PRTSC I PS] c=waiting ErrImagePull
        +43.0 event again, 3
        +43.0 event again, 3
    "#]]);
}

#[test]
fn init_containers_run_one_after_the_other() {
    let mut world = World::new();
    let mut one = container("one", "busybox");
    one.set("command", list!["sleep", "2"]);
    let mut two = one.clone();
    two.set("name", "two");
    world.create(
        map! { "initContainers": list![one, two], "containers": list![container("main", "nginx")] },
    );
    world.run(20 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [PS] one=waiting PodInitializing two=waiting PodInitializing main=waiting PodInitializing
        +0.2 Pending [PRTSC PS] one=waiting PodInitializing two=waiting PodInitializing main=waiting PodInitializing
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Pending 10.244.0.2 [PRTSC PS] one=running two=waiting PodInitializing main=waiting PodInitializing
        +3.0 Pending 10.244.0.2 [PRTSC PS] one=terminated Completed 0 ready two=waiting PodInitializing main=waiting PodInitializing
        +3.0 event Pulled: Container image "busybox" already present on machine and can be accessed by the pod
        +3.0 event Created: Container created
        +3.0 event Started: Container started
        +3.0 Pending 10.244.0.2 [PRTSC PS] one=terminated Completed 0 ready two=running main=waiting PodInitializing
        +6.0 Pending 10.244.0.2 [PRTSC I PS] one=terminated Completed 0 ready two=terminated Completed 0 ready main=waiting PodInitializing
        +6.0 event Pulling: Pulling image "nginx"
        +7.7 event Pulled: Successfully pulled image "nginx" in 1.711s (1.711s including waiting). Image size: 69653747 bytes.
        +7.7 event Created: Container created
        +7.7 event Started: Container started
        +7.7 Running 10.244.0.2 [PRTSC I R CR PS] one=terminated Completed 0 ready two=terminated Completed 0 ready main=running ready
    "#]]);
}

#[test]
fn a_pod_that_completes_ends() {
    let mut world = World::new();
    let mut c = container("c", "busybox");
    c.set("command", list!["sleep", "1"]);
    world.create(map! { "containers": list![c], "restartPolicy": "Never" });
    world.run(10 * SECOND);
    world.delete(30);
    world.run(5 * SECOND);
    assert_eq!(world.kubelet.pod_count(), 0);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +2.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0
        +3.0 Succeeded 10.244.0.2 [I PS] c=terminated Completed 0
        +10.0 is deleted by a user
        +10.0 Succeeded 10.244.0.2 [I PS] c=terminated Completed 0
        +10.0 deleted
    "#]]);
}

#[test]
fn what_is_missing_is_waited_for() {
    let mut world = World::new();
    let mut c = container("c", "nginx");
    c.set(
        "envFrom",
        list![map! { "configMapRef": map! { "name": "settings" } }],
    );
    let volume = map! { "name": "v", "secret": map! { "secretName": "keys" } };
    world.create(map! { "containers": list![c], "volumes": list![volume] });
    world.run(3 * SECOND);
    world.objects.insert("secrets/keys".to_owned(), map! {});
    world.run(20 * SECOND);
    world
        .objects
        .insert("configmaps/settings".to_owned(), map! {});
    world.run(20 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.0 event FailedMount: MountVolume.SetUp failed for volume "v" : secret "keys" not found
        +0.5 event again, 2
        +1.5 event again, 3
        +3.7 Pending [PRTSC I PS] c=waiting ContainerCreating
        +3.7 event Pulling: Pulling image "nginx"
        +6.7 event Pulled: Successfully pulled image "nginx" in 2.988s (2.988s including waiting). Image size: 69653747 bytes.
        +6.7 event Failed: Error: configmap "settings" not found
        +7.0 Pending 10.244.0.2 [PRTSC I PS] c=waiting CreateContainerConfigError
        +7.0 event Pulled: Container image "nginx" already present on machine and can be accessed by the pod
        +7.0 event again, 2
        +17.7 event again, 2
        +17.7 event again, 3
        +29.1 event again, 3
        +29.1 event Created: Container created
        +29.1 event Started: Container started
        +29.2 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
    "#]]);
}

#[test]
fn a_failing_liveness_probe_restarts() {
    let mut world = World::new();
    let mut c = container("c", "registry.k8s.io/e2e-test-images/agnhost:2.40");
    c.set("args", list!["liveness"]);
    c.set(
        "livenessProbe",
        map! { "httpGet": map! { "path": "/healthz", "port": 8080 }, "initialDelaySeconds": 3, "periodSeconds": 3, "failureThreshold": 3 },
    );
    world.create(map! { "containers": list![c] });
    world.run(45 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "registry.k8s.io/e2e-test-images/agnhost:2.40"
        +2.4 event Pulled: Successfully pulled image "registry.k8s.io/e2e-test-images/agnhost:2.40" in 2.184s (2.184s including waiting). Image size: 51713410 bytes.
        +2.4 event Created: Container created
        +2.4 event Started: Container started
        +2.4 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +14.8 event Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500
        +17.8 event again, 2
        +20.8 event again, 3
        +20.8 event Killing: Container c failed liveness probe, will be restarted
        +20.8 event Pulled: Container image "registry.k8s.io/e2e-test-images/agnhost:2.40" already present on machine and can be accessed by the pod
        +20.8 event again, 2
        +20.9 event again, 2
        +20.9 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x1
        +33.1 event again, 4
        +36.1 event again, 5
        +39.1 event again, 6
        +39.1 event again, 2
        +39.1 event BackOff: Back-off restarting failed container c in pod web_default(u-1)
        +40.1 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x1
        +40.1 event again, 2
    "#]]);
}

fn shell(name: &'static str, script: &'static str) -> Value {
    let mut c = container(name, "busybox");
    c.set("command", list!["sh", "-c", script]);
    c
}

#[test]
fn a_script_runs_and_its_output_is_the_log() {
    let mut world = World::new();
    let mut c = shell(
        "c",
        "echo hello $NAME from $(hostname); for i in 1 2 3; do echo line $i; sleep 1; done; echo oops >&2; exit 3",
    );
    c.set(
        "env",
        list![map! { "name": "NAME", "value": "$(HOSTNAME)!" }],
    );
    world.create(map! { "containers": list![c], "restartPolicy": "Never" });
    world.run(2 * SECOND);
    world.ask("log", &[("follow", "true")]);
    world.run(8 * SECOND);
    world.ask("log", &[("tailLines", "2"), ("timestamps", "true")]);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +2.0 Opened
        +2.0 Data { channel: 1, text: "hello web! from web\nline 1\nline 2\n" }
        +2.9 Data { channel: 1, text: "line 3\n" }
        +3.9 Data { channel: 1, text: "oops\n" }
        +3.9 End { exit_code: 0 }
        +4.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Error 3
        +5.0 Failed 10.244.0.2 [I PS] c=terminated Error 3
        +10.0 Response(Response { code: 200, body: "2026-09-21T14:13:24.912698000Z line 3\n2026-09-21T14:13:25.912698000Z oops\n", warnings: [], media: "" })
    "#]]);
}

#[test]
fn commands_run_in_a_running_container() {
    let mut world = World::new();
    world.create(map! { "containers": list![container("nginx", "nginx")] });
    world.run(10 * SECOND);
    world.log.clear();
    world.ask("exec", &[("command", "cat"), ("command", "/etc/hostname")]);
    world.ask(
        "exec",
        &[("command", "sh"), ("command", "-c"), ("command", "exit 3")],
    );
    world.ask("exec", &[("command", "nosuchcommand")]);
    world.ask(
        "exec",
        &[
            ("command", "head"),
            ("command", "-n1"),
            ("command", "/usr/share/nginx/html/index.html"),
        ],
    );
    world.ask("log", &[("tailLines", "1")]);
    world.check(expect![[r#"
        +10.0 Opened
        +10.0 Data { channel: 1, text: "web\n" }
        +10.0 End { exit_code: 0 }
        +10.0 Opened
        +10.0 End { exit_code: 3 }
        +10.0 Opened
        +10.0 Response(Response { code: 500, body: {"apiVersion":"v1","code":500,"kind":"Status","message":"Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"19d23142bd1ff62c782bc5415731919ec00e6147b9dab37f340f4217cb9dbfb6\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuchcommand\": executable file not found in $PATH: unknown","metadata":{},"reason":"InternalError","status":"Failure"}, warnings: [], media: "" })
        +10.0 Opened
        +10.0 Data { channel: 1, text: "<!DOCTYPE html>\n" }
        +10.0 End { exit_code: 0 }
        +10.0 Response(Response { code: 200, body: "/docker-entrypoint.sh: Configuration complete; ready for start up\n", warnings: [], media: "" })
    "#]]);
}

#[test]
fn an_exec_probe_asks_the_files_of_the_container() {
    let mut world = World::new();
    let mut c = shell("c", "touch /tmp/ok; sleep 20; rm /tmp/ok; sleep 600");
    c.set(
        "livenessProbe",
        map! { "exec": map! { "command": list!["cat", "/tmp/ok"] }, "initialDelaySeconds": 3, "periodSeconds": 5 },
    );
    world.create(map! { "containers": list![c] });
    world.run(75 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +21.2 event Unhealthy: Liveness probe failed: cat: can't open '/tmp/ok': No such file or directory

        +26.2 event again, 2
        +31.2 event again, 3
        +31.2 event Killing: Container c failed liveness probe, will be restarted
        +61.2 event Pulled: Container image "busybox" already present on machine and can be accessed by the pod
        +61.2 event again, 2
        +61.2 event again, 2
        +61.2 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready x1
    "#]]);
}

#[test]
fn a_trap_ends_a_container_within_its_grace() {
    let mut world = World::new();
    world.create(map! { "containers": list![shell("c", "trap 'echo bye; exit 0' TERM; while true; do sleep 1; done")] });
    world.run(5 * SECOND);
    world.delete(30);
    world.run(40 * SECOND);
    assert_eq!(world.kubelet.pod_count(), 0);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "busybox"
        +0.7 event Pulled: Successfully pulled image "busybox" in 539ms (539ms including waiting). Image size: 2355959 bytes.
        +0.7 event Created: Container created
        +0.8 event Started: Container started
        +0.8 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +5.0 is deleted by a user
        +5.0 event Killing: Stopping container c
        +5.9 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0
        +6.0 Succeeded 10.244.0.2 [I PS] c=terminated Completed 0
        +6.0 deleted
    "#]]);
}

#[test]
fn a_script_that_never_rests_costs_little() {
    let mut world = World::new();
    world.create(map! { "containers": list![shell("c", "while true; do :; done")] });
    world.run(30 * SECOND);
    world.delete(5);
    world.run(20 * SECOND);
    assert_eq!(world.kubelet.pod_count(), 0);
}

#[test]
fn a_program_that_is_not_there_cannot_be_started() {
    let mut world = World::new();
    let mut c = container("c", "nginx");
    c.set("command", list!["start", "--now"]);
    world.create(map! { "containers": list![c] });
    world.run(6 * SECOND);
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "nginx"
        +3.0 event Pulled: Successfully pulled image "nginx" in 2.782s (2.782s including waiting). Image size: 69653747 bytes.
        +3.0 event Created: Container created
        +3.0 event Failed: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "start": executable file not found in $PATH: unknown
        +4.0 Running 10.244.0.2 [PRTSC I PS] c=waiting RunContainerError
        +4.0 event Pulled: Container image "nginx" already present on machine and can be accessed by the pod
        +4.0 event again, 2
        +4.0 event again, 2
        +5.0 Running 10.244.0.2 [PRTSC I PS] c=waiting RunContainerError x1
        +5.0 event BackOff: Back-off restarting failed container c in pod web_default(u-1)
        +6.0 Running 10.244.0.2 [PRTSC I PS] c=waiting CrashLoopBackOff x1
        +6.0 event again, 2
    "#]]);
}

#[test]
fn volumes_hold_what_they_should() {
    let mut world = World::new();
    world.objects.insert(
        "configmaps/settings".to_owned(),
        map! { "data": map! { "a.conf": "colour=blue\n" } },
    );
    world.objects.insert(
        "secrets/keys".to_owned(),
        map! { "data": map! { "pass": "aHVzaA==" } },
    );
    let script = "cat /conf/a.conf; cat /keys/pw; echo; cat /info/labels; echo; env | grep -e COLOUR -e LIMIT; cat /shared/x 2>&1; cat /etc/resolv.conf";
    let mut c = shell("c", script);
    c.set(
        "volumeMounts",
        list![
            map! { "name": "conf", "mountPath": "/conf" },
            map! { "name": "keys", "mountPath": "/keys" },
            map! { "name": "info", "mountPath": "/info" },
            map! { "name": "shared", "mountPath": "/shared" },
        ],
    );
    c.set(
        "env",
        list![
            map! { "name": "COLOUR", "valueFrom": map! { "configMapKeyRef": map! { "name": "settings", "key": "a.conf" } } },
            map! { "name": "LIMIT", "valueFrom": map! { "resourceFieldRef": map! { "resource": "limits.cpu" } } },
        ],
    );
    let mut init = shell("init", "echo made by init > /shared/x");
    init.set(
        "volumeMounts",
        list![map! { "name": "shared", "mountPath": "/shared" }],
    );
    let labels = map! { "path": "labels", "fieldRef": map! { "fieldPath": "metadata.name" } };
    world.create(map! {
        "restartPolicy": "Never", "initContainers": list![init], "containers": list![c],
        "volumes": list![
            map! { "name": "conf", "configMap": map! { "name": "settings" } },
            map! { "name": "keys", "secret": map! { "secretName": "keys", "items": list![map! { "key": "pass", "path": "pw" }] } },
            map! { "name": "info", "downwardAPI": map! { "items": list![labels] } },
            map! { "name": "shared", "emptyDir": map! {} },
        ],
    });
    world.run(8 * SECOND);
    world.log.clear();
    world.ask("log", &[("container", "c")]);
    world.check(expect![[r#"
        +8.0 Response(Response { code: 200, body: "colour=blue\nhush\nweb\nCOLOUR=colour=blue\nLIMIT=4\nmade by init\nsearch default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n", warnings: [], media: "" })
    "#]]);
}

#[test]
fn a_deadline_ends_a_pod() {
    let mut world = World::new();
    world.create(map! { "containers": list![container("c", "nginx")], "activeDeadlineSeconds": 6 });
    world.run(15 * SECOND);
    let status = world.objects["pods/web"].get("status").clone();
    assert_eq!(
        (status.str("phase"), status.str("reason")),
        ("Failed", "DeadlineExceeded")
    );
    world.check(expect![[r#"
        +0.0 Pending [I PS] c=waiting ContainerCreating
        +0.2 Pending [PRTSC I PS] c=waiting ContainerCreating
        +0.2 event Pulling: Pulling image "nginx"
        +3.0 event Pulled: Successfully pulled image "nginx" in 2.782s (2.782s including waiting). Image size: 69653747 bytes.
        +3.0 event Created: Container created
        +3.0 event Started: Container started
        +3.0 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
        +6.0 event DeadlineExceeded: Pod was active on the node longer than the specified deadline
        +6.0 event Killing: Stopping container c
        +6.0 Running 10.244.0.2 [PRTSC I PS] c=terminated Completed 0
        +7.0 Failed 10.244.0.2 [I PS] c=terminated Completed 0
    "#]]);
}

#[test]
fn a_page_that_is_not_there_is_not_ready() {
    let mut world = World::new();
    let mut c = container("c", "nginx");
    c.set(
        "readinessProbe",
        map! { "httpGet": map! { "path": "/ready", "port": 80 }, "periodSeconds": 2 },
    );
    world.create(map! { "containers": list![c] });
    world.run(8 * SECOND);
    world.log.clear();
    world.ask(
        "exec",
        &[
            ("command", "sh"),
            ("command", "-c"),
            ("command", "echo yes > /usr/share/nginx/html/ready"),
        ],
    );
    world.run(4 * SECOND);
    world.check(expect![[r#"
        +8.0 Opened
        +8.0 End { exit_code: 0 }
        +9.4 Running 10.244.0.2 [PRTSC I R CR PS] c=running ready
    "#]]);
}
