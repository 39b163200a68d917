//! Stopping containers: hooks, SIGTERM, patience, SIGKILL; and what happens when a process ends by itself.

use api::Str;
use client::Severity;
use sim::{MILLI, Micros, SECOND};

use crate::kubelet::{Alarm, Timer};
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
        let grace = grace_secs.max(LEAST_GRACE_SECS) as u64 * SECOND;
        let hook = self.pod.container_spec(index).path("lifecycle.preStop");
        let mut before = 0;
        if hook.is_map() {
            let sleep = hook
                .path("sleep.seconds")
                .as_int()
                .map(|secs| secs.max(0) as u64 * SECOND);
            before = sleep
                .unwrap_or_else(|| self.out.rng.latency(HOOK.0, HOOK.1))
                .min(grace);
        }
        let id = self.pod.id;
        self.state(
            "Stopping",
            self.pod.container_spec(index).shared_str("name"),
        );
        let container = &mut self.pod.containers[index as usize];
        let own_end = container
            .process
            .as_ref()
            .and_then(|process| process.ends_at());
        let obeys = container
            .process
            .as_ref()
            .and_then(|process| process.on_term())
            .filter(|(span, _)| before + span < grace);
        let (at, code) = match obeys {
            Some((span, code)) => (now + before + span, code),
            None => (now + grace, 137),
        };
        container.kill_at = Some(at);
        if own_end.is_some_and(|end| end <= at) {
            return;
        }
        container.process = Some(Box::new(Process::Ends {
            at,
            code,
            reason: "",
            hears_term: false,
        }));
        self.out.wake_at(
            at,
            Timer::Pod {
                id,
                alarm: Alarm::Exit(index, container.stamp),
            },
        );
    }

    /// A process may have ended.
    pub(crate) fn exited(&mut self, index: u16, stamp: u32) {
        let now = self.out.now();
        let Some(container) = self.pod.containers.get_mut(index as usize) else {
            return;
        };
        let Run::Running { number, since } = container.run else {
            return;
        };
        let end = match container.process.as_deref() {
            Some(Process::Ends {
                at, code, reason, ..
            }) if *at <= now => (*code, *reason),
            _ => return,
        };
        if container.stamp != stamp {
            return;
        }
        let reason = match end {
            (0, _) => "Completed",
            (_, "") | (_, "Completed") => "Error",
            (_, reason) => reason,
        };
        container.run = Run::Exited(Box::new(Exit {
            number,
            code: end.0,
            reason: reason.into(),
            message: Str::EMPTY,
            started: Some(since),
            finished: now,
        }));
        container.process = None;
        container.probes = Vec::new();
        container.is_ready = false;
        container.is_started = false;
        container.waiting = None;
        container.kill_at = None;
        self.state("Exited", self.pod.container_spec(index).shared_str("name"));
        if self.pod.step == Step::Stopping {
            return self.check_stopped();
        }
        let look = self.host.next_look(now);
        self.sync_at(look);
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
            self.arm_probes(index);
        }
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
