//! A pod's worker: one turn of work on one pod. What each [`Mode`] does stands in [`Turn::sync`].
//!
//! Models `syncPod`, `syncTerminatingPod` and `syncTerminatedPod` (here `Finished`) of `pkg/kubelet/kubelet.go` and the order of the
//! runtime manager's `SyncPod`: report, mount, sandbox, init containers, containers.

use std::collections::BTreeSet;

use api::core::PODS;
use api::note::{Key, Note};
use api::{Body, PatchKind, Request, RequestId, Response, Str};
use client::{Outbox, Severity};
use sim::{MILLI, Micros, SECOND, Time};

use crate::admission;
use crate::eviction;
use crate::host::{Asked, Host};
use crate::kubelet::{Alarm, Timer};
use crate::mirror::Mirror;
use crate::mount;
use crate::needs::{self, Need};
use crate::plan::{is_another, plan, stop_for_restart};
use crate::pod::{Mode, Planned, Pod, Run, Sandbox, Stage, Step};
use crate::resize::Resize;
use crate::status::{self, phase};

/// One turn on one pod.
pub(crate) struct Turn<'a, 'b> {
    pub(crate) host: &'a mut Host,
    pub(crate) pod: &'a mut Pod,
    pub(crate) out: &'a mut Outbox<'b, Timer>,
}

/// Making the sandbox and its network.
const SANDBOX: (Micros, Micros) = (180 * MILLI, 330 * MILLI);
const REMOVAL: (Micros, Micros) = (40 * MILLI, 160 * MILLI);
/// From the end of a start to the status that tells of it.
const SOON: (Micros, Micros) = (4 * MILLI, 14 * MILLI);
/// A sync that failed is tried again after so long, up to half as long again (`backOffPeriod`).
const AGAIN: Micros = 10 * SECOND;
/// The first retry of a mount; doubles.
const MOUNT_AGAIN: Micros = 500 * MILLI;
const MOUNT_AGAIN_MOST: Micros = 122 * SECOND;

impl Turn<'_, '_> {
    /// Looks at the pod and does the next thing.
    pub(crate) fn sync(&mut self) {
        if self.pod.step != Step::Idle {
            self.pod.wants_sync = true;
            return;
        }
        self.pod.wants_sync = false;
        self.pod.sync_at = None;
        match self.pod.mode {
            Mode::Syncing => self.sync_running(),
            Mode::Terminating { .. } => self.stop_all(),
            Mode::Finished => {
                // What it had is free for others, though the object may stay for long.
                self.host.requests.remove(&self.pod.id);
                self.tell_refusal();
                // The last word may not have reached the API server yet.
                self.report();
                self.delete_if_asked();
            }
        }
    }

    fn sync_running(&mut self) {
        let is_deferred = matches!(self.pod.resize, Some(Resize::Pending("Deferred", _)));
        if is_deferred || !self.pod.is_as_wished() {
            self.resize();
        }
        if self.pod.meta().is_deleting() || self.pod.is_gone || self.pod.rejected.is_some() {
            let grace_secs = if self.pod.is_gone {
                0
            } else {
                self.pod.grace_secs()
            };
            let is_evicted =
                matches!(&self.pod.rejected, Some((reason, _)) if *reason == "Evicted");
            // A machine in need does not wait.
            return self.terminate(if is_evicted { 0 } else { grace_secs });
        }
        self.report();
        if phase(self.pod).is_final() {
            let grace_secs = self.pod.grace_secs();
            return self.terminate(grace_secs);
        }
        if self.pod.sandbox.is_none() {
            self.mount();
        } else {
            self.act();
        }
    }

    /// Sets the end of the time that the pod may take.
    pub(crate) fn arm_deadline(&mut self) {
        if let Some(secs) = self.pod.spec().int("activeDeadlineSeconds") {
            let at = self.pod.start + secs.max(0) as u64 * SECOND;
            self.out.wake_at(
                at,
                Timer::Pod {
                    id: self.pod.id,
                    alarm: Alarm::Deadline,
                },
            );
        }
    }

    /// The pod took longer than it may.
    pub(crate) fn deadline(&mut self) {
        let Some(secs) = self.pod.spec().int("activeDeadlineSeconds") else {
            return;
        };
        let is_over = self.out.now() >= self.pod.start + secs.max(0) as u64 * SECOND;
        if !is_over || self.pod.mode != Mode::Syncing || phase(self.pod).is_final() {
            return;
        }
        let message = "Pod was active on the node longer than the specified deadline";
        let about = self.pod.about();
        self.host.tell(
            &about,
            Severity::Normal,
            "DeadlineExceeded",
            message,
            self.out,
        );
        self.pod.rejected = Some(("DeadlineExceeded".into(), message.into()));
        self.abort();
    }

    /// Whether this machine takes the pod at all; a pod that it refuses has failed.
    pub(crate) fn admit(&mut self) {
        let strained = || {
            let why = eviction::refusal(&self.host.strains, self.pod)?;
            Some(("Evicted", Str::from(why)))
        };
        let refusal = admission::refusal(self.pod, &self.host.machine)
            .map(|(reason, why)| (reason, Str::from(why)));
        let misfit = || admission::misfit(self.pod, self.host);
        let Some((reason, message)) = refusal.or_else(misfit).or_else(strained) else {
            return;
        };
        self.pod.rejected = Some((reason.into(), message));
        self.pod.refused = Some(reason);
        self.pod.mode = Mode::Finished;
    }

    /// Tells of a refusal, once.
    fn tell_refusal(&mut self) {
        let (Some(reason), Some((_, why))) = (self.pod.refused.take(), &self.pod.rejected) else {
            return;
        };
        let (about, why) = (self.pod.about(), why.clone());
        self.host
            .tell(&about, Severity::Warning, reason, why, self.out);
    }

    /// Leaves whatever start is under way: the pod is to be stopped.
    pub(crate) fn abort(&mut self) {
        if matches!(
            self.pod.step,
            Step::Mounting { .. } | Step::Sandbox | Step::Start { .. }
        ) {
            self.pod.step = Step::Idle;
            self.pod.stamp += 1;
            self.pod.plan.clear();
        }
        self.sync();
    }

    /// Begins to stop everything; never turns back.
    pub(crate) fn terminate(&mut self, grace_secs: i64) {
        self.pod.mode = Mode::Terminating { grace_secs };
        self.pod.plan.clear();
        self.state("Terminating", Str::EMPTY);
        self.stop_all();
    }

    fn act(&mut self) {
        self.pod.plan = if !self.pod.restarts_all {
            let mut plan = plan(self.pod);
            for kill in self.pod.resize_kills.drain(..) {
                if let Planned::Kill(index, _) = kill {
                    plan.push_back(kill);
                    plan.push_back(Planned::Start(index));
                }
            }
            plan
        } else if self.pod.anything_runs() {
            stop_for_restart(self.pod)
        } else {
            self.begin_anew();
            plan(self.pod)
        };
        self.pod.did_something = false;
        self.next();
    }

    /// All containers have ended: the pod starts from its first init container again.
    fn begin_anew(&mut self) {
        self.pod.restarts_all = false;
        for container in &mut self.pod.containers {
            if let Run::Exited(exit) = std::mem::take(&mut container.run) {
                container.last = Some(exit);
                container.restarts += 1;
            }
            container.was_created = false;
            container.waiting = None;
        }
        self.report();
    }

    /// The next planned thing, or the end of this sync.
    pub(crate) fn next(&mut self) {
        self.pod.step = Step::Idle;
        if self.pod.mode != Mode::Syncing {
            return self.sync();
        }
        match self.pod.plan.pop_front() {
            Some(Planned::Sandbox) => {
                self.pod.step = Step::Sandbox;
                let span = self.out.rng.latency(SANDBOX.0, SANDBOX.1);
                self.step_after(span);
            }
            Some(Planned::Start(index)) => self.begin(index),
            Some(Planned::Kill(index, why)) => {
                self.pod.step = Step::Stopping;
                let grace = if is_another(self.pod, index) {
                    self.pod.grace_secs()
                } else {
                    self.grace_after_probe(index)
                };
                self.stop(index, grace, why);
                self.check_stopped();
            }
            None => {
                self.conclude_resize();
                self.end_of_sync();
            }
        }
    }

    fn end_of_sync(&mut self) {
        if self.pod.did_something {
            let span = self.out.rng.latency(SOON.0, SOON.1);
            self.sync_at(self.out.now() + span);
        } else if self.pod.wants_sync {
            let look = self.host.next_look(self.out.now());
            self.sync_at(look);
        }
    }

    /// Sets the next sync, unless an earlier one is set.
    pub(crate) fn sync_at(&mut self, at: Time) {
        if self
            .pod
            .sync_at
            .is_some_and(|set| set <= at && set >= self.out.now())
        {
            return;
        }
        self.pod.sync_at = Some(at);
        self.out.wake_at(
            at,
            Timer::Pod {
                id: self.pod.id,
                alarm: Alarm::Sync,
            },
        );
    }

    /// Tries a failed sync again, as the workers' queue does.
    pub(crate) fn sync_again(&mut self) {
        let span = AGAIN + self.out.rng.below(AGAIN / 2);
        self.sync_at(self.out.now() + span);
    }

    /// Sets the timer of the current step.
    pub(crate) fn step_after(&mut self, span: Micros) {
        self.pod.stamp += 1;
        let alarm = Alarm::Step(self.pod.stamp);
        self.out.wake_after(
            span,
            Timer::Pod {
                id: self.pod.id,
                alarm,
            },
        );
    }

    /// The timer of the current step fired.
    pub(crate) fn step_over(&mut self) {
        match self.pod.step.clone() {
            Step::Sandbox => self.sandbox_made(),
            Step::Start { index, stage } => self.stage_over(index, stage),
            Step::Mounting { .. } => self.mount(),
            Step::Removing => self.sandbox_removed(),
            Step::Idle | Step::Stopping | Step::Deleting(_) => {}
        }
    }

    fn sandbox_made(&mut self) {
        self.pod.sandbox = Some(Sandbox { is_ready: true });
        if self.pod.address.is_none() && !self.pod.spec().bool("hostNetwork") {
            self.pod.address = self.host.take_address();
        }
        self.report();
        // The next look at the runtime sees the sandbox, whatever becomes of the containers.
        let look = self.host.next_look(self.out.now());
        self.sync_at(look);
        self.next();
    }

    /// Asks for what the volumes need; goes on at once if that is nothing.
    fn mount(&mut self) {
        if self.pod.mode != Mode::Syncing || self.pod.meta().is_deleting() || self.pod.is_gone {
            self.pod.step = Step::Idle;
            return self.sync();
        }
        let namespace = self.pod.namespace();
        let unmountable = mount::unmountable(self.pod.spec());
        if !unmountable.is_empty() {
            let about = self.pod.about();
            for message in unmountable.into_iter().flatten() {
                self.host
                    .tell(&about, Severity::Warning, "FailedMount", message, self.out);
            }
            self.pod.step = Step::Mounting {
                asked: BTreeSet::new(),
                problems: Vec::new(),
            };
            if mount::lacks_plugin(self.pod.spec()) {
                let span = AGAIN + self.out.rng.below(AGAIN / 2);
                return self.step_after(span);
            }
            return self.mount_later();
        }
        let mut asked = BTreeSet::new();
        for need in needs::of_volumes(self.pod.spec()) {
            if is_root_certificate(&need) && self.host.certified.contains_key(&namespace) {
                continue;
            }
            let request = Request::get(&need.kind.resource(), namespace.clone(), need.name.clone());
            let id = self.out.send(request);
            self.host.asked.insert(id, Asked::Volume(self.pod.id, need));
            asked.insert(id);
        }
        if asked.is_empty() {
            self.pod.step = Step::Idle;
            return self.act();
        }
        self.pod.step = Step::Mounting {
            asked,
            problems: Vec::new(),
        };
    }

    /// An answer about an object that a volume needs.
    pub(crate) fn volume_answered(&mut self, id: RequestId, need: &Need, response: &Response) {
        let namespace = self.pod.namespace();
        let found = response.is_success().then_some(&response.body);
        let problem = need.problem_of(&namespace, response);
        if let Some(object) = found {
            if is_root_certificate(need) {
                self.host.certified.insert(namespace, object.clone());
            } else {
                self.pod
                    .sources
                    .insert((need.kind, need.name.clone()), object.clone());
            }
        }
        let Step::Mounting { asked, problems } = &mut self.pod.step else {
            return;
        };
        if !asked.remove(&id) {
            return;
        }
        if let Some(problem) = problem {
            problems.push((need.volume.clone(), problem));
        }
        if !asked.is_empty() {
            return;
        }
        let problems = std::mem::take(problems);
        if problems.is_empty() {
            self.pod.mount_failures = 0;
            self.pod.step = Step::Idle;
            self.arm_refresh();
            return self.act();
        }
        let about = self.pod.about();
        let mut volumes: Vec<(Str, Vec<String>)> = Vec::new();
        for (volume, problem) in problems {
            match volumes.iter_mut().find(|(name, _)| *name == volume) {
                Some((_, list)) => list.push(problem),
                None => volumes.push((volume, vec![problem])),
            }
        }
        for (volume, list) in volumes {
            let why = match list.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(", ")),
            };
            let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
            self.host
                .tell(&about, Severity::Warning, "FailedMount", message, self.out);
        }
        self.mount_later();
    }

    fn mount_later(&mut self) {
        let span = (MOUNT_AGAIN << self.pod.mount_failures.min(8)).min(MOUNT_AGAIN_MOST);
        self.pod.mount_failures += 1;
        self.step_after(span);
    }

    /// Whether the API server has another idea of the pod's readiness: the machine was thought lost for a while.
    pub(crate) fn is_misjudged(&self) -> bool {
        if self.pod.mirror.is_some() {
            return false;
        }
        let known = api::meta::condition(&self.pod.object, "Ready");
        known.is_some_and(|known| {
            let computed = status::status(self.pod, &self.host.machine, self.out.now());
            let ready = computed.get("conditions").items();
            let ready = ready.iter().find(|c| c.str("type") == "Ready");
            ready.is_some_and(|ready| ready.str("status") != known.status())
        })
    }

    /// Tells the API server what changed in the pod's status.
    pub(crate) fn report(&mut self) {
        // A static pod is told of once its mirror is there.
        let is_unknown = matches!(self.pod.mirror, Some(Mirror::None | Mirror::Asked(_)));
        if self.pod.is_gone || is_unknown {
            return;
        }
        if self.pod.patch.is_some() {
            self.pod.wants_report = true;
            return;
        }
        self.pod.wants_report = false;
        let computed = status::status(self.pod, &self.host.machine, self.out.now());
        let was = self.pod.reported.str("phase");
        let Some(patch) = status::patch(self.pod, &computed) else {
            return;
        };
        if computed.str("phase") != was {
            let text = computed.shared_str("phase");
            self.state_text(text, Str::EMPTY);
        }
        self.pod.reported = computed;
        let (namespace, name) = (self.pod.namespace(), self.pod.name());
        let request = Request::patch(&PODS, namespace, name, PatchKind::Strategic, patch);
        let id = self.out.send(request.subresource("status"));
        self.pod.patch = Some(id);
        self.host.asked.insert(id, Asked::Status(self.pod.id));
    }

    /// The answer to a status patch.
    pub(crate) fn reported(&mut self, response: &Response) {
        self.pod.patch = None;
        if response.code == 404 {
            return;
        }
        if !response.is_success() {
            // Tried again with the next sync: what the server has is what the watch last showed.
            self.pod.reported = self.pod.object.get("status").clone();
            self.pod.wants_sync = true;
            return self.sync_again();
        }
        if self.pod.wants_report {
            self.report();
        }
        if self.pod.mode == Mode::Finished
            && self.pod.step == Step::Idle
            && self.pod.patch.is_none()
        {
            self.delete_if_asked();
        }
    }

    /// Nothing runs any more: the sandbox goes, and with it the network.
    pub(crate) fn remove_sandbox(&mut self) {
        self.report();
        if self.pod.sandbox.is_none() {
            return self.sandbox_removed();
        }
        self.pod.step = Step::Removing;
        let mut span = self.out.rng.latency(REMOVAL.0, REMOVAL.1);
        if !self.pod.meta().is_deleting() && !self.pod.is_gone {
            // Nobody is in a hurry: the end is told after the next look at the runtime.
            span += self.host.next_look(self.out.now()).since(self.out.now());
        }
        self.step_after(span);
    }

    fn sandbox_removed(&mut self) {
        self.pod.sandbox = None;
        self.pod.step = Step::Idle;
        self.pod.mode = Mode::Finished;
        self.host.requests.remove(&self.pod.id);
        self.report();
        self.delete_if_asked();
    }

    /// The last act: once the final status is known, the object goes.
    fn delete_if_asked(&mut self) {
        if !self.pod.meta().is_deleting() || self.pod.is_gone || self.pod.patch.is_some() {
            return;
        }
        let (namespace, name) = (self.pod.namespace(), self.pod.name());
        let mut request = Request::delete(&PODS, namespace, name);
        request.options.grace_period_secs = Some(0);
        request.options.precondition_uid = Some(self.pod.uid());
        request.body = Body::None;
        let id = self.out.send(request);
        self.host.asked.insert(id, Asked::Delete(self.pod.id));
        self.pod.step = Step::Deleting(id);
    }

    pub(crate) fn deleted(&mut self, response: &Response) {
        self.pod.step = Step::Idle;
        if !response.is_success() && response.code != 404 && response.code != 409 {
            self.sync_again();
        }
    }

    /// For the page: the pod or one of its containers entered a state.
    pub(crate) fn state(&mut self, state: &'static str, container: Str) {
        self.state_text(Str::from(state), container);
    }

    fn state_text(&mut self, state: Str, container: Str) {
        let pod = Key::of("pods", &self.pod.object);
        let node = self.host.machine.name.clone();
        self.out.note(Note::PodState {
            node,
            pod,
            container,
            state,
        });
    }

    /// The stage after which a container waits for nothing more.
    pub(crate) fn set_stage(&mut self, index: u16, stage: Stage) {
        self.pod.step = Step::Start { index, stage };
    }
}

/// Every namespace has this one; it is asked for once.
fn is_root_certificate(need: &Need) -> bool {
    need.name == "kube-root-ca.crt"
}
