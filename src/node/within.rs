//! Where a pod's worker meets what runs inside its containers: starting it, giving it turns, and hearing of it.

use api::{Frame, Status, Str};
use client::Severity::Warning;
use posix::{Signal, System, User};
use sim::{SECOND, Time};

use crate::catalogue::Image;
use crate::environment;
use crate::files;
use crate::inside::{Inside, Keyboard, Outcome, Purpose, World};
use crate::kubelet::{Alarm, Timer};
use crate::log::Line;
use crate::pod::{Stage, Step};
use crate::probe::Answer;
use crate::process;
use crate::reference::Reference;
use crate::worker::Turn;

impl Turn<'_, '_> {
    pub(crate) fn image(&self, index: u16) -> Option<Image> {
        let container = &self.pod.containers[index as usize];
        let image = if container.is_running() {
            container.image.as_str()
        } else {
            self.pod.container_spec(index).str("image")
        };
        let reference = Reference::parse(image).ok()?;
        self.host.machine.find_image(&reference).ok()
    }

    /// Makes the inside of a container, if it has none yet.
    pub(crate) fn open_inside(&mut self, index: u16, image: &Image) {
        if self.pod.containers[index as usize].inside.is_some() {
            return;
        }
        let now = self.out.now();
        let mounts = files::mounts(self.host, self.pod, index, image, now);
        let spec = self.pod.container_spec(index).clone();
        let env = environment::environment(self.pod, &spec, self.host);
        let last = spec
            .str("image")
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let short = last.split([':', '@']).next().unwrap_or_default();
        let system = System::new(mounts, files::flavour(short));
        let cwd = match spec.str("workingDir") {
            "" => "/".to_owned(),
            dir => dir.to_owned(),
        };
        let inside = Inside::new(system, &env, cwd, self.user(index));
        self.pod.containers[index as usize].inside = Some(Box::new(inside));
    }

    fn user(&self, index: u16) -> User {
        let own = self.pod.container_spec(index).get("securityContext");
        let of_pod = self.pod.spec().get("securityContext");
        let pick = |field: &str| own.int(field).or(of_pod.int(field)).unwrap_or(0) as u32;
        let mut groups: Vec<u32> = of_pod
            .int("fsGroup")
            .into_iter()
            .map(|gid| gid as u32)
            .collect();
        groups.extend(
            of_pod
                .get("supplementalGroups")
                .items()
                .iter()
                .filter_map(|g| g.as_int())
                .map(|g| g as u32),
        );
        User {
            uid: pick("runAsUser"),
            gid: pick("runAsGroup"),
            groups,
        }
    }

    /// Whether a program can be found inside.
    pub(crate) fn has_program(&self, index: u16, program: &str) -> bool {
        let Some(inside) = &self.pod.containers[index as usize].inside else {
            return false;
        };
        let disk = &self.host.storage.disk;
        let is_there = |path: &str| {
            let (mount, below) = inside.system.mounts.covering(path);
            // Below a mounted part of a volume we only know that something may be there.
            disk.volume(mount.volume)
                .is_some_and(|v| v.find(&below).is_some())
                || mount.at.len() > 1
        };
        if program.starts_with('/') {
            return is_there(program);
        }
        if program.contains('/') {
            return is_there(&format!("{}/{program}", inside.cwd.trim_end_matches('/')));
        }
        let path = inside
            .env
            .get("PATH")
            .map_or("/usr/local/bin:/usr/bin:/bin:/sbin:/usr/sbin", |path| path);
        path.split(':').any(|dir| {
            let root = inside.system.mounts.covering("/").0.volume;
            disk.volume(root)
                .is_some_and(|v| v.find(&format!("{dir}/{program}")).is_some())
        })
    }

    /// Something to be started beside the container's own process.
    pub(crate) fn open_session(
        &mut self,
        index: u16,
        argv: Vec<String>,
        purpose: Purpose,
        until: Option<Time>,
    ) {
        self.open_session_with(index, argv, purpose, until, Keyboard::None);
    }

    fn open_session_with(
        &mut self,
        index: u16,
        argv: Vec<String>,
        purpose: Purpose,
        until: Option<Time>,
        keyboard: Keyboard,
    ) {
        let Some(image) = self.image(index) else {
            return;
        };
        self.open_inside(index, &image);
        self.with_inside(index, &image, |inside, world| {
            inside.open(argv, purpose, until, keyboard, world)
        });
        self.run_inside(index);
    }

    /// Works on the inside with the world around it.
    pub(crate) fn with_inside<T>(
        &mut self,
        index: u16,
        image: &Image,
        work: impl FnOnce(&mut Inside, &mut World<'_>) -> T,
    ) -> Option<T> {
        let mut inside = self.pod.containers[index as usize].inside.take()?;
        let hostname = environment::hostname(self.pod, &self.host.machine);
        let address = match self.pod.address {
            Some(number) => self.host.machine.pod_address(number).to_string(),
            None => self.host.machine.address().to_string(),
        };
        let mut world = World {
            now: self.out.now(),
            rng: self.out.rng,
            hostname,
            address,
            machine: &self.host.machine,
            image,
            busybox: busybox(self.pod.container_spec(index).str("image")),
            asked: Vec::new(),
        };
        let result = work(&mut inside, &mut world);
        let asked = std::mem::take(&mut world.asked);
        self.pod.containers[index as usize].inside = Some(inside);
        for (pid, request) in asked {
            self.process_asks(index, pid, request);
        }
        Some(result)
    }

    /// Gives the inside of a container a turn and acts on what came of it.
    pub(crate) fn run_inside(&mut self, index: u16) {
        let Some(image) = self.image(index) else {
            return;
        };
        let Some(mut inside) = self.pod.containers[index as usize].inside.take() else {
            return;
        };
        let before = inside.next;
        let hostname = environment::hostname(self.pod, &self.host.machine);
        let address = match self.pod.address {
            Some(number) => self.host.machine.pod_address(number).to_string(),
            None => self.host.machine.address().to_string(),
        };
        let mut world = World {
            now: self.out.now(),
            rng: self.out.rng,
            hostname,
            address,
            machine: &self.host.machine,
            image: &image,
            busybox: busybox(self.pod.container_spec(index).str("image")),
            asked: Vec::new(),
        };
        let outcomes = inside.run(&mut self.host.storage, &mut world);
        let asked = std::mem::take(&mut world.asked);
        if let Some(next) = inside.next
            && (before != Some(next) || next <= self.out.now())
        {
            let stamp = self.pod.containers[index as usize].stamp;
            self.out.wake_at(
                next,
                Timer::Pod {
                    id: self.pod.id,
                    alarm: Alarm::Inside(index, stamp),
                },
            );
        }
        self.pod.containers[index as usize].inside = Some(inside);
        for (pid, request) in asked {
            self.process_asks(index, pid, request);
        }
        for outcome in outcomes {
            self.came(index, outcome);
        }
    }

    /// The inside gets its next turn then.
    pub(crate) fn inside_wakes_at(&mut self, index: u16, at: Time) {
        let container = &mut self.pod.containers[index as usize];
        let alarm = Alarm::Inside(index, container.stamp);
        if let Some(inside) = &mut container.inside {
            inside.next = Some(at);
            let id = self.pod.id;
            self.out.wake_at(at, Timer::Pod { id, alarm });
        }
    }

    /// The time that the inside asked for has come.
    pub(crate) fn inside_wakes(&mut self, index: u16, stamp: u32) {
        let now = self.out.now();
        let Some(container) = self.pod.containers.get(index as usize) else {
            return;
        };
        let is_due = container
            .inside
            .as_ref()
            .and_then(|inside| inside.next)
            .is_some_and(|next| next <= now);
        if container.stamp == stamp && is_due {
            self.run_inside(index);
        }
    }

    fn came(&mut self, index: u16, outcome: Outcome) {
        let now = self.out.now();
        match outcome {
            Outcome::Wrote { channel, bytes } => {
                let container = &mut self.pod.containers[index as usize];
                let lines = container
                    .log
                    .get_or_insert_default()
                    .write(now, channel, &bytes);
                self.tell_attached(index, channel, &bytes);
                self.tell_readers(index, &lines);
            }
            Outcome::Said {
                purpose: Purpose::Exec { stream },
                channel,
                bytes,
            } => {
                self.out.frame(stream, Frame::output(channel, &bytes));
            }
            Outcome::Said { .. } => {}
            Outcome::Over {
                purpose,
                status,
                output,
            } => self.session_over(index, purpose, status, &output),
            Outcome::TimedOut {
                purpose: Purpose::Probe(kind),
            } => {
                let spec = self.pod.container_spec(index).get(kind.field());
                let words: Vec<&str> = spec
                    .path("exec.command")
                    .items()
                    .iter()
                    .filter_map(|w| w.as_str())
                    .collect();
                let secs = spec.int("timeoutSeconds").unwrap_or(1);
                let output = format!(
                    "command timed out: {:?} timed out after {secs}s",
                    words.join(" ")
                );
                self.probe_answered(
                    index,
                    kind,
                    &Answer {
                        is_ok: false,
                        output,
                        is_final: false,
                    },
                );
            }
            Outcome::TimedOut {
                purpose: Purpose::PreStop,
            } => self.term(index),
            Outcome::TimedOut { .. } => {}
            Outcome::Ended { status } => {
                let reason = if status == 0 { "Completed" } else { "Error" };
                self.finish(index, status, reason);
            }
        }
    }

    fn session_over(&mut self, index: u16, purpose: Purpose, status: i32, output: &[u8]) {
        match purpose {
            Purpose::Exec { stream } => self.out.frame(stream, Frame::End { exit_code: status }),
            Purpose::Probe(kind) => {
                let output = String::from_utf8_lossy(output).into_owned();
                self.probe_answered(
                    index,
                    kind,
                    &Answer {
                        is_ok: status == 0,
                        output,
                        is_final: false,
                    },
                );
            }
            Purpose::PreStop => {
                if status != 0 {
                    let about = self.pod.about_container(index);
                    self.host.tell(
                        &about,
                        Warning,
                        "FailedPreStopHook",
                        "PreStopHook failed",
                        self.out,
                    );
                }
                self.term(index);
            }
            Purpose::PostStart => {
                if self.pod.step
                    != (Step::Start {
                        index,
                        stage: Stage::PostStart,
                    })
                {
                    return;
                }
                if status != 0 {
                    let about = self.pod.about_container(index);
                    self.host.tell(
                        &about,
                        Warning,
                        "FailedPostStartHook",
                        "PostStartHook failed",
                        self.out,
                    );
                    let grace = self.pod.grace_secs();
                    self.stop(index, grace, "FailedPostStartHook".into());
                }
                self.pod.did_something = true;
                self.next();
            }
        }
    }

    /// The container's own server writes a line.
    pub(crate) fn log_line(&mut self, index: u16, line: &str) {
        let now = self.out.now();
        if self.pod.containers[index as usize].log.is_none() {
            let start = self.start_log(index);
            self.pod.containers[index as usize].log = Some(Box::new(start));
        }
        let log = self.pod.containers[index as usize]
            .log
            .get_or_insert_default();
        let lines = log.write(now, 1, line.as_bytes());
        self.tell_attached(index, 1, line.as_bytes());
        self.tell_readers(index, &lines);
    }

    /// What is written goes to those who are attached as it stands.
    fn tell_attached(&mut self, index: u16, channel: u8, bytes: &[u8]) {
        for follower in self
            .pod
            .followers
            .iter()
            .filter(|follower| follower.index == index && follower.is_attached)
        {
            let frame = if follower.is_terminal {
                Frame::output(1, &crate::tty::shown(bytes))
            } else {
                Frame::output(channel, bytes)
            };
            self.out.frame(follower.stream, frame);
        }
    }

    /// Lines of the log go to those who follow it.
    pub(crate) fn tell_readers(&mut self, index: u16, lines: &[Line]) {
        for follower in self
            .pod
            .followers
            .iter()
            .filter(|follower| follower.index == index && !follower.is_attached)
        {
            for line in lines {
                let text: Str = line.show(follower.timestamps).into();
                self.out
                    .frame(follower.stream, Frame::Data { channel: 1, text });
            }
        }
    }

    /// `kubectl exec`.
    pub(crate) fn exec(
        &mut self,
        stream: u64,
        index: u16,
        argv: Vec<String>,
        input: Option<crate::serve::Input>,
    ) {
        let refuse = |turn: &mut Turn<'_, '_>, status: Status| {
            turn.out
                .frame(stream, Frame::Response(status.into_response()));
        };
        let name = self.pod.container_spec(index).shared_str("name");
        if !self.pod.containers[index as usize].is_running() {
            let message = format!("unable to upgrade connection: container not found (\"{name}\")");
            return refuse(self, Status::new(404, "NotFound", message));
        }
        let Some(image) = self.image(index) else {
            return;
        };
        self.open_inside(index, &image);
        self.out.frame(stream, Frame::Opened);
        let program = argv.first().cloned().unwrap_or_default();
        if !self.has_program(index, &program) {
            let id = crate::images::hex64(&format!("{}/{index}/exec/{stream}", self.pod.uid()));
            let why = process::no_program(&program);
            let message = format!(
                "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
            );
            return refuse(self, Status::new(500, "InternalError", message));
        }
        let keyboard = match &input {
            None => Keyboard::None,
            Some(input) if input.is_tty && input.is_keys => Keyboard::Keys,
            Some(input) if input.is_tty => Keyboard::Terminal,
            Some(_) => Keyboard::Pipe,
        };
        self.open_session_with(index, argv, Purpose::Exec { stream }, None, keyboard);
        if let Some(input) = input {
            self.feed_inside(index, stream, input.text.as_bytes(), input.is_all);
        }
    }

    /// Gives bytes to the session `stream`, and lets it go on.
    pub(crate) fn feed_inside(&mut self, index: u16, stream: u64, bytes: &[u8], is_all: bool) {
        if let Some(inside) = &mut self.pod.containers[index as usize].inside {
            inside.feed(stream, bytes, is_all);
        }
        self.run_inside(index);
    }

    /// Starts an exec probe; its answer comes when the command has ended.
    pub(crate) fn exec_probe(
        &mut self,
        index: u16,
        kind: crate::probe::Kind,
        argv: Vec<String>,
        timeout_secs: i64,
    ) {
        let until = self.out.now() + timeout_secs.max(1) as u64 * SECOND;
        self.open_session(index, argv, Purpose::Probe(kind), Some(until));
    }

    pub(crate) fn signal_inside(&mut self, index: u16, signal: Signal) {
        if let Some(inside) = &mut self.pod.containers[index as usize].inside {
            inside.signal(signal);
        }
        self.run_inside(index);
    }
}

/// The 28 of `busybox:1.28`.
fn busybox(image: &str) -> u32 {
    let tag = image.split_once("busybox:1.").map(|(_, minor)| minor);
    let digits = tag.map(|tag| {
        tag.split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap_or_default()
    });
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(37)
}
