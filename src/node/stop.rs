//! Stopping containers: hooks, SIGTERM, patience, SIGKILL; and what happens when a process ends by itself.

use api::{Str, Value};
use client::Severity;
use sim::{MILLI, Micros, SECOND};

use crate::inside::Purpose;
use crate::kubelet::{Alarm, Timer};
use crate::plan;
use crate::pod::{Exit, Mode, Run, Step};
use crate::process::Process;
use crate::worker::Turn;

/// Nothing is killed without this much warning (`minimumGracePeriodInSeconds`).
const LEAST_GRACE_SECS: i64 = 2;

/// What a preStop hook that does nothing special takes.
const HOOK: (Micros, Micros) = (10 * MILLI, 60 * MILLI);

impl Turn<'_, '_> {
    /// Stops what still runs: containers together, then sidecars one by one, the last first.
    pub(crate) fn stop_all(&mut self) {
        let Mode::Terminating { grace_secs } = self.pod.mode else {
            return;
        };
        let running = |index: &u16| self.pod.containers[*index as usize].is_running();
        let all = 0..self.pod.containers.len() as u16;
        let (sidecars, others): (Vec<u16>, Vec<u16>) = all
            .filter(running)
            .partition(|index| self.pod.is_sidecar(*index));
        let next: Vec<u16> = match (others.as_slice(), sidecars.last()) {
            ([], None) => {
                self.pod.step = Step::Idle;
                return self.remove_sandbox();
            }
            ([], Some(last)) => vec![*last],
            (others, _) => others.to_vec(),
        };
        self.pod.step = Step::Stopping;
        for index in next {
            if self.pod.containers[index as usize].kill_at.is_none() {
                let name = self.pod.container_spec(index).shared_str("name");
                self.stop(
                    index,
                    grace_secs,
                    format!("Stopping container {name}").into(),
                );
            }
        }
    }

    /// The grace of a container that a probe has condemned.
    pub(crate) fn grace_after_probe(&self, index: u16) -> i64 {
        let spec = self.pod.container_spec(index);
        ["startupProbe", "livenessProbe"]
            .iter()
            .find_map(|probe| spec.get(probe).int("terminationGracePeriodSeconds"))
            .or(self.pod.view().termination_grace_secs())
            .unwrap_or(30)
    }

    /// Asks one container to stop, and makes sure of it.
    pub(crate) fn stop(&mut self, index: u16, grace_secs: i64, why: Str) {
        let now = self.out.now();
        let about = self.pod.about_container(index);
        self.host
            .tell(&about, Severity::Normal, "Killing", why, self.out);
        self.state(
            "Stopping",
            self.pod.container_spec(index).shared_str("name"),
        );
        let grace = grace_secs.max(LEAST_GRACE_SECS) as u64 * SECOND;
        let id = self.pod.id;
        let container = &mut self.pod.containers[index as usize];
        container.kill_at = Some(now + grace);
        let stamp = container.stamp;
        self.out.wake_at(
            now + grace,
            Timer::Pod {
                id,
                alarm: Alarm::Kill(index, stamp),
            },
        );
        let hook = self
            .pod
            .container_spec(index)
            .path("lifecycle.preStop")
            .clone();
        if self.pod.restarts_all {
            // No hooks run when the whole pod begins anew.
            return self.term(index);
        }
        let words = hook.path("exec.command").items();
        if !words.is_empty() {
            let argv = words
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            return self.open_session(index, argv, Purpose::PreStop, Some(now + grace));
        }
        if hook.is_map() {
            let sleep = hook
                .path("sleep.seconds")
                .as_int()
                .map(|secs| secs.max(0) as u64 * SECOND);
            let span = sleep.unwrap_or_else(|| self.out.rng.latency(HOOK.0, HOOK.1));
            return self.out.wake_after(
                span,
                Timer::Pod {
                    id,
                    alarm: Alarm::Term(index, stamp),
                },
            );
        }
        self.term(index);
    }

    /// SIGTERM, once hooks are through.
    pub(crate) fn term(&mut self, index: u16) {
        let now = self.out.now();
        let id = self.pod.id;
        let container = &mut self.pod.containers[index as usize];
        if !container.is_running() {
            return;
        }
        let stamp = container.stamp;
        let Some((span, code)) = container
            .process
            .as_ref()
            .and_then(|process| process.on_term())
        else {
            return self.signal_inside(index, posix::Signal::TERM);
        };
        if let Some(Process::Server { .. }) = container.process.as_deref() {
            let log = self.start_log(index);
            self.pod.containers[index as usize]
                .log
                .get_or_insert_with(|| Box::new(log));
        }
        let container = &mut self.pod.containers[index as usize];
        let at = now + span;
        if container
            .process
            .as_ref()
            .and_then(|p| p.ends_at())
            .is_some_and(|end| end <= at)
        {
            return;
        }
        container.process = Some(Box::new(Process::Ends {
            at,
            code,
            reason: "",
        }));
        self.out.wake_at(
            at,
            Timer::Pod {
                id,
                alarm: Alarm::Exit(index, stamp),
            },
        );
    }

    /// A hook that only takes time is through.
    pub(crate) fn term_due(&mut self, index: u16, stamp: u32) {
        if self
            .pod
            .containers
            .get(index as usize)
            .is_some_and(|container| container.stamp == stamp)
        {
            self.term(index);
        }
    }

    /// SIGKILL, if it is still wanted.
    pub(crate) fn kill(&mut self, index: u16, stamp: u32) {
        let now = self.out.now();
        let Some(container) = self.pod.containers.get(index as usize) else {
            return;
        };
        let is_due = container.kill_at.is_some_and(|at| at <= now);
        if container.stamp == stamp && container.is_running() && is_due {
            self.finish(index, 137, "Error");
        }
    }

    /// Somebody kills the main process of a container, or its memory has run over.
    pub(crate) fn kill_from_outside(&mut self, name: &str, out_of_memory: bool) {
        let is_meant =
            |index: &u16| name.is_empty() || self.pod.container_spec(*index).str("name") == name;
        let index = self.pod.running().find(is_meant);
        if let Some(index) = index {
            let reason = if out_of_memory { "OOMKilled" } else { "Error" };
            self.finish(index, 137, reason);
        }
    }

    /// A process may have ended by itself.
    pub(crate) fn exited(&mut self, index: u16, stamp: u32) {
        let now = self.out.now();
        let Some(container) = self.pod.containers.get(index as usize) else {
            return;
        };
        if container.stamp != stamp {
            return;
        }
        if let Some(Process::Ends { at, code, reason }) = container.process.as_deref()
            && *at <= now
        {
            let reason = match (*code, *reason) {
                (0, _) => "Completed",
                (_, "") => "Error",
                (_, reason) => reason,
            };
            let code = *code;
            self.finish(index, code, reason);
        }
    }

    /// The container's process has ended.
    pub(crate) fn finish(&mut self, index: u16, code: i32, reason: &'static str) {
        let now = self.out.now();
        let Run::Running { number, since } = self.pod.containers[index as usize].run else {
            return;
        };
        let lines = self.pod.containers[index as usize]
            .log
            .as_mut()
            .map(|log| log.close(now))
            .unwrap_or_default();
        self.tell_readers(index, &lines);
        self.end_followers(index);
        let message = self.termination_message(index, code);
        let container = &mut self.pod.containers[index as usize];
        container.run = Run::Exited(Box::new(Exit {
            number,
            code,
            reason: reason.into(),
            message,
            started: Some(since),
            finished: now,
        }));
        container.process = None;
        container.inside = None;
        container.probes = Vec::new();
        container.is_ready = false;
        container.is_started = false;
        container.waiting = None;
        container.kill_at = None;
        if self.pod.mode == Mode::Syncing
            && plan::asks_for(self.pod, index, code, "RestartAllContainers")
        {
            self.pod.restarts_all = true;
        }
        self.state("Exited", self.pod.container_spec(index).shared_str("name"));
        if self.pod.step == Step::Stopping {
            return self.check_stopped();
        }
        let look = self.host.next_look(now);
        self.sync_at(look);
    }

    /// What the container left for whoever asks why it ended.
    fn termination_message(&self, index: u16, code: i32) -> Str {
        let spec = self.pod.container_spec(index);
        let path = match spec.str("terminationMessagePath") {
            "" => "/dev/termination-log",
            path => path,
        };
        let written = self
            .pod
            .files
            .as_ref()
            .and_then(|files| self.host.storage.read(files, index, path));
        let text = String::from_utf8_lossy(&written.unwrap_or_default()).into_owned();
        if text.is_empty()
            && code != 0
            && spec.str("terminationMessagePolicy") == "FallbackToLogsOnError"
        {
            let log = self.pod.containers[index as usize].log.as_ref();
            return log.map(|log| log.tail(80, 2048)).unwrap_or_default().into();
        }
        Str::new(text.get(..text.len().min(4096)).unwrap_or(&text))
    }

    /// Sets the timers of living processes again, after the kubelet was restarted.
    pub(crate) fn rearm(&mut self) {
        for index in 0..self.pod.containers.len() as u16 {
            let container = &self.pod.containers[index as usize];
            if !container.is_running() {
                continue;
            }
            let stamp = container.stamp;
            if let Some(at) = container
                .process
                .as_ref()
                .and_then(|process| process.ends_at())
            {
                let alarm = Alarm::Exit(index, stamp);
                self.out.wake_at(
                    at,
                    Timer::Pod {
                        id: self.pod.id,
                        alarm,
                    },
                );
            }
            if let Some(at) = container.inside.as_ref().and_then(|inside| inside.next) {
                let alarm = Alarm::Inside(index, stamp);
                self.out.wake_at(
                    at,
                    Timer::Pod {
                        id: self.pod.id,
                        alarm,
                    },
                );
            }
            self.arm_probes(index);
        }
        self.arm_deadline();
    }

    /// Goes on once everything that was to stop has stopped.
    pub(crate) fn check_stopped(&mut self) {
        match self.pod.mode {
            Mode::Terminating { .. } => self.stop_all(),
            _ => {
                let still = |c: &crate::pod::Container| c.is_running() && c.kill_at.is_some();
                if !self.pod.containers.iter().any(still) {
                    self.next();
                }
            }
        }
    }
}
