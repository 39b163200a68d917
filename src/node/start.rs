//! Starting one container: back-off, image, environment, create, start. Models `startContainer` of
//! `kuberuntime_container.go` and `images/image_manager.go`.

use std::collections::BTreeSet;

use api::core::SERVICES;
use api::duration;
use api::{Request, RequestId, Response, Str, Value};
use client::Severity::{Normal, Warning};
use sim::{MILLI, Micros, SECOND, Time};

use crate::environment;
use crate::host::Asked;
use crate::images::{Pulled, Waiter};
use crate::inside::Purpose;
use crate::kubelet::{Alarm, Timer};
use crate::needs::{self, Need};
use crate::pod::{Exit, Run, Stage, Step};
use crate::probe::{self, Probe};
use crate::process::{self, Launch, Process};
use crate::reference::Reference;
use crate::worker::Turn;

const CREATE: (Micros, Micros) = (3 * MILLI, 14 * MILLI);
const RUN: (Micros, Micros) = (8 * MILLI, 60 * MILLI);
/// From the start of a process to its first instruction.
const LOAD: (Micros, Micros) = (60 * MILLI, 150 * MILLI);

/// How soon the status shows `CrashLoopBackOff` after the first BackOff event.
const SHOW_BACKOFF: Micros = SECOND;

impl Turn<'_, '_> {
    /// Begins to start the container, unless it has to wait.
    pub(crate) fn begin(&mut self, index: u16) {
        let now = self.out.now();
        let container = &self.pod.containers[index as usize];
        if let Some(finished) = container.exit().map(|exit| exit.finished) {
            if let Some(end) = container.crash.until(finished, now) {
                return self.back_off(index, end);
            }
            self.pod.containers[index as usize]
                .crash
                .lengthen(finished, now);
        }
        let image = self.pod.container_spec(index).shared_str("image");
        let reference = match Reference::parse(&image) {
            Ok(reference) => reference,
            Err(why) => {
                let message = format!(
                    "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {why}"
                );
                let about = self.pod.about_container(index);
                self.host
                    .tell(&about, Warning, "InspectFailed", message.clone(), self.out);
                return self.fail_start(index, "InvalidImageName", message, "InvalidImageName");
            }
        };
        let policy = self.pod.container_spec(index).shared_str("imagePullPolicy");
        let is_present = self.host.images.has(&reference);
        let about = self.pod.about_container(index);
        match (policy.as_str(), is_present) {
            ("Never", false) => {
                let message =
                    format!("Container image \"{image}\" is not present with pull policy of Never");
                self.host.tell(
                    &about,
                    Warning,
                    "ErrImageNeverPull",
                    message.clone(),
                    self.out,
                );
                self.fail_start(index, "ErrImageNeverPull", message, "ErrImageNeverPull");
            }
            ("IfNotPresent" | "Never", true) => {
                let message = format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                );
                self.host.tell(&about, Normal, "Pulled", message, self.out);
                self.configure(index);
            }
            _ => self.pull(index, &image, reference),
        }
    }

    fn back_off(&mut self, index: u16, end: Time) {
        let (uid, name, namespace) = (self.pod.uid(), self.pod.name(), self.pod.namespace());
        let container = self.pod.container_spec(index).shared_str("name");
        let about = self.pod.about_container(index);
        let message = format!(
            "Back-off restarting failed container {container} in pod {name}_{namespace}({uid})"
        );
        self.host
            .tell(&about, Warning, "BackOff", message, self.out);
        let span =
            duration::format((self.pod.containers[index as usize].crash.span() * 1000) as i64);
        let message = format!(
            "back-off {span} restarting failed container={container} pod={name}_{namespace}({uid})"
        );
        let reason: Str = "CrashLoopBackOff".into();
        let was = self.pod.containers[index as usize]
            .waiting
            .replace(Box::new((reason.clone(), message.into())));
        if was.is_none_or(|was| was.0 != reason) {
            self.sync_at(self.out.now() + SHOW_BACKOFF);
        } else {
            self.sync_at(end);
        }
        self.next();
    }

    fn pull(&mut self, index: u16, image: &str, reference: Reference) {
        let now = self.out.now();
        let about = self.pod.about_container(index);
        if let Some(end) = self.pod.containers[index as usize]
            .pull
            .until_since_update(now)
        {
            let text = format!("Back-off pulling image \"{image}\"");
            self.host
                .tell(&about, Normal, "BackOff", text.clone(), self.out);
            let last = match &self.pod.containers[index as usize].waiting {
                Some(why) if why.0 == "ErrImagePull" => format!("ErrImagePull: {}", why.1),
                Some(why) => why
                    .1
                    .split_once(": ")
                    .map_or_else(String::new, |(_, rest)| rest.to_owned()),
                None => String::new(),
            };
            self.set_waiting(index, "ImagePullBackOff", format!("{text}: {last}"));
            self.host.tell(
                &about,
                Warning,
                "Failed",
                "Error: ImagePullBackOff",
                self.out,
            );
            self.sync_at(end);
            return self.next();
        }
        self.host.tell(
            &about,
            Normal,
            "Pulling",
            format!("Pulling image \"{image}\""),
            self.out,
        );
        self.state("Pulling", self.pod.container_spec(index).shared_str("name"));
        self.set_stage(index, Stage::Pull);
        self.pod.stamp += 1;
        let waiter = Waiter {
            pod: self.pod.id,
            container: index,
            stamp: self.pod.stamp,
        };
        let found = self
            .host
            .machine
            .find_image(&reference)
            .map(|image| image.bytes);
        let wanted = (reference, found);
        if let Some(end) = self.host.images.pull(waiter, wanted, now, self.out.rng) {
            self.out.wake_at(end, Timer::Pull);
        }
    }

    /// The pull that this pod waited for is over.
    pub(crate) fn pulled(&mut self, waiter: Waiter, pulled: Pulled) {
        let index = waiter.container;
        let waits = self.pod.step
            == Step::Start {
                index,
                stage: Stage::Pull,
            };
        if !waits || self.pod.stamp != waiter.stamp {
            return;
        }
        let image = self.pod.container_spec(index).shared_str("image");
        let about = self.pod.about_container(index);
        match pulled {
            Pulled::Done {
                took,
                with_waiting,
                bytes,
            } => {
                let span =
                    |micros: Micros| duration::format((micros / MILLI * MILLI * 1000) as i64);
                let message = format!(
                    "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {bytes} bytes.",
                    span(took),
                    span(with_waiting)
                );
                self.host.tell(&about, Normal, "Pulled", message, self.out);
                self.pod.containers[index as usize].pull = Default::default();
                self.configure(index);
            }
            Pulled::Failed { why } => {
                let now = self.out.now();
                self.pod.containers[index as usize].pull.lengthen(now, now);
                let message = format!("Failed to pull image \"{image}\": {why}");
                self.host.tell(&about, Warning, "Failed", message, self.out);
                self.fail_start(index, "ErrImagePull", why, "ErrImagePull");
                if let Some(end) = self.pod.containers[index as usize]
                    .pull
                    .until_since_update(now)
                {
                    self.sync_at(end);
                }
            }
        }
    }

    /// Asks for what the environment needs.
    fn configure(&mut self, index: u16) {
        if self.pod.mode != crate::pod::Mode::Syncing {
            return self.next();
        }
        if let Some(why) = self.identity_problem(index) {
            return self.fail_start(index, "CreateContainerConfigError", why.clone(), &why);
        }
        let mut asked = BTreeSet::new();
        for need in needs::of_env(self.pod.container_spec(index)) {
            let request = Request::get(
                &need.kind.resource(),
                self.pod.namespace(),
                need.name.clone(),
            );
            let id = self.out.send(request);
            self.host
                .asked
                .insert(id, Asked::Env(self.pod.id, index, need));
            asked.insert(id);
        }
        if self.reads_services(index) {
            let id = self
                .out
                .send(Request::list(&SERVICES, self.pod.namespace()));
            self.host
                .asked
                .insert(id, Asked::Services(self.pod.id, index));
            asked.insert(id);
        }
        if asked.is_empty() {
            return self.create(index);
        }
        self.set_stage(
            index,
            Stage::Config {
                asked,
                problem: None,
            },
        );
    }

    /// `runAsNonRoot` of a container whose user would be root.
    fn identity_problem(&self, index: u16) -> Option<String> {
        let spec = self.pod.container_spec(index);
        let (own, of_pod) = (
            spec.get("securityContext"),
            self.pod.spec().get("securityContext"),
        );
        let pick = |field: &str| {
            if own.has(field) {
                own.get(field).clone()
            } else {
                of_pod.get(field).clone()
            }
        };
        if pick("runAsNonRoot").as_bool() != Some(true) {
            return None;
        }
        let pod = format!(
            "{}_{}({})",
            self.pod.name(),
            self.pod.namespace(),
            self.pod.uid()
        );
        let container = spec.str("name");
        match pick("runAsUser").as_int() {
            Some(0) => Some(format!(
                "container's runAsUser breaks non-root policy (pod: \"{pod}\", container: {container})"
            )),
            Some(_) => None,
            None => Some(format!(
                "container has runAsNonRoot and image will run as root (pod: \"{pod}\", container: {container})"
            )),
        }
    }

    /// Whether the container runs something that could look at variables of services.
    fn reads_services(&self, index: u16) -> bool {
        let is_wanted = self.pod.spec().get("enableServiceLinks").as_bool() != Some(false);
        let spec = self.pod.container_spec(index);
        let runs = spec.has("command")
            || self
                .image(index)
                .is_some_and(|image| image.behaviour == crate::catalogue::Behaviour::Shell);
        is_wanted && runs
    }

    pub(crate) fn services_answered(&mut self, id: RequestId, index: u16, response: &Response) {
        if response.is_success() {
            self.host
                .services
                .insert(self.pod.namespace(), response.body.get("items").clone());
        }
        self.config_answered(id, index, None);
    }

    pub(crate) fn env_answered(
        &mut self,
        id: RequestId,
        index: u16,
        need: &Need,
        response: &Response,
    ) {
        let namespace = self.pod.namespace();
        let found = response.is_success().then_some(&response.body);
        if let Some(object) = found {
            self.pod
                .sources
                .insert((need.kind, need.name.clone()), object.clone());
        }
        let why = need.problem_of(&namespace, response);
        self.config_answered(id, index, why);
    }

    /// One of the objects that were asked for is here, or is known to be missing.
    fn config_answered(&mut self, id: RequestId, index: u16, why: Option<String>) {
        let Step::Start {
            index: at,
            stage: Stage::Config { asked, problem },
        } = &mut self.pod.step
        else {
            return;
        };
        if *at != index || !asked.remove(&id) {
            return;
        }
        if problem.is_none() {
            *problem = why;
        }
        if !asked.is_empty() {
            return;
        }
        match problem.take() {
            None => self.create(index),
            Some(why) => self.fail_start(index, "CreateContainerConfigError", why.clone(), &why),
        }
    }

    fn create(&mut self, index: u16) {
        self.set_stage(index, Stage::Create);
        let span = self.out.rng.latency(CREATE.0, CREATE.1);
        self.step_after(span);
    }

    /// The timer of a stage fired.
    pub(crate) fn stage_over(&mut self, index: u16, stage: Stage) {
        match stage {
            Stage::Create => {
                let about = self.pod.about_container(index);
                self.host
                    .tell(&about, Normal, "Created", "Container created", self.out);
                self.set_stage(index, Stage::Run);
                let span = self.out.rng.latency(RUN.0, RUN.1);
                self.step_after(span);
            }
            Stage::Run => self.run(index),
            Stage::PostStart => {
                self.pod.did_something = true;
                self.next();
            }
            Stage::Pull | Stage::Config { .. } => {}
        }
    }

    /// Starts the process.
    fn run(&mut self, index: u16) {
        let now = self.out.now();
        let Some(image) = self.image(index) else {
            return self.next();
        };
        let spec = self.pod.container_spec(index).clone();
        let env = environment::environment(self.pod, &spec, self.host);
        self.renew(index);
        let number = self.number_of_run(index);
        match process::choose(&image, &spec, &env, now) {
            Launch::Process(process) => self.began(index, number, process, &spec),
            Launch::Run(argv) => {
                self.open_inside(index, &image);
                let program = argv.first().cloned().unwrap_or_default();
                if argv.is_empty() {
                    return self.could_not_run(index, number, "no command specified".to_owned());
                }
                if !self.has_program(index, &program) {
                    let why = process::not_started(&process::no_program(&program));
                    return self.could_not_run(index, number, why);
                }
                let (has_stdin, tty) = (spec.bool("stdin"), spec.bool("tty"));
                self.with_inside(index, &image, |inside, world| {
                    inside.start(argv, has_stdin, tty, world)
                });
                let ports = process::ports(&image, &spec);
                self.began(index, number, Process::Inside { ports }, &spec);
            }
        }
    }

    /// A container that is made again has a fresh root and a fresh log.
    fn renew(&mut self, index: u16) {
        let container = &mut self.pod.containers[index as usize];
        container.inside = None;
        if container.was_created {
            container.last_log = container.log.take();
        }
        if let Some(files) = &mut self.pod.files {
            self.host.storage.forget_root(files, index);
        }
    }

    /// Makes way for a new run and gives it its number.
    fn number_of_run(&mut self, index: u16) -> u32 {
        let image = self.pod.container_spec(index).shared_str("image");
        let container = &mut self.pod.containers[index as usize];
        container.image = image;
        let number = match std::mem::take(&mut container.run) {
            Run::Exited(exit) => {
                let number = exit.number + 1;
                container.last = Some(exit);
                container.restarts += 1;
                number
            }
            _ => container.last.as_ref().map_or(0, |last| last.number + 1),
        };
        container.was_created = true;
        container.stamp += 1;
        container.waiting = None;
        container.kill_at = None;
        number
    }

    /// The runtime could not start the process.
    fn could_not_run(&mut self, index: u16, number: u32, why: String) {
        let now = self.out.now();
        let container = &mut self.pod.containers[index as usize];
        container.inside = None;
        container.run = Run::Exited(Box::new(Exit {
            number,
            code: 128,
            reason: "StartError".into(),
            message: Str::new(&why),
            started: None,
            finished: now,
        }));
        container.waiting = Some(Box::new(("RunContainerError".into(), Str::new(&why))));
        let about = self.pod.about_container(index);
        self.host
            .tell(&about, Warning, "Failed", format!("Error: {why}"), self.out);
        let look = self.host.next_look(now);
        self.sync_at(look);
        self.next();
    }

    /// The process runs: its timers are set, and the rest of the sync goes on.
    fn began(&mut self, index: u16, number: u32, process: Process, spec: &Value) {
        let now = self.out.now();
        let id = self.pod.id;
        let about = self.pod.about_container(index);
        self.host
            .tell(&about, Normal, "Started", "Container started", self.out);
        self.state("Running", spec.shared_str("name"));
        let container = &mut self.pod.containers[index as usize];
        container.run = Run::Running { number, since: now };
        container.probes = probe::declared(spec).map(Probe::new).collect();
        let has = |kind| container.probes.iter().any(|probe| probe.kind == kind);
        container.is_started = !has(probe::Kind::Startup);
        container.is_ready = container.is_started && !has(probe::Kind::Readiness);
        if let Some(at) = process.ends_at() {
            self.out.wake_at(
                at,
                Timer::Pod {
                    id,
                    alarm: Alarm::Exit(index, container.stamp),
                },
            );
        }
        let is_inside = matches!(process, Process::Inside { .. });
        container.process = Some(Box::new(process));
        self.arm_probes(index);
        let hook = spec.path("lifecycle.postStart");
        if is_inside {
            // A program takes a moment to load, so that the status tells that it runs before it tells how it ended.
            let at = now + self.out.rng.latency(LOAD.0, LOAD.1);
            self.inside_wakes_at(index, at);
        }
        if hook.is_map() && self.pod.containers[index as usize].is_running() {
            self.set_stage(index, Stage::PostStart);
            let words = hook.path("exec.command").items();
            if words.is_empty() {
                let span = match hook.path("sleep.seconds").as_int() {
                    Some(secs) => secs.max(0) as u64 * SECOND,
                    None => self.out.rng.latency(RUN.0, RUN.1),
                };
                return self.step_after(span);
            }
            let argv = words
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            return self.open_session(index, argv, Purpose::PostStart, None);
        }
        self.pod.did_something = true;
        self.next();
    }

    fn set_waiting(&mut self, index: u16, reason: &'static str, message: impl Into<Str>) {
        let why = Box::new((Str::from(reason), message.into()));
        self.pod.containers[index as usize].waiting = Some(why);
    }

    /// The container cannot be started now; the others are tried all the same.
    fn fail_start(
        &mut self,
        index: u16,
        reason: &'static str,
        message: impl Into<Str>,
        event: &str,
    ) {
        self.set_waiting(index, reason, message);
        let about = self.pod.about_container(index);
        self.host.tell(
            &about,
            Warning,
            "Failed",
            format!("Error: {event}"),
            self.out,
        );
        self.sync_again();
        if self.pod.is_init(index) {
            // What comes after an init container waits for it.
            self.pod.plan.clear();
        }
        self.next();
    }
}
