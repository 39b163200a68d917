//! A pod on this machine: what runs, what is being done with it, and what the API server was told.
//!
//! One worker per pod does one thing at a time; its [`Mode`] is the kubelet's SyncPod, TerminatingPod or TerminatedPod,
//! its [`Step`] what it waits for. Models `pkg/kubelet/pod_workers.go` and the runtime's view of a pod.

use std::collections::{BTreeSet, VecDeque};

use api::core::Pod as PodView;
use api::meta::Meta;
use api::{RequestId, Str, Value};
use client::ObjectRef;
use sim::{Micros, NoteId, SECOND, Time};

use crate::environment::Sources;
use crate::files::PodFiles;
use crate::inside::Inside;
use crate::log::Log;
use crate::mirror::Mirror;
use crate::probe::Probe;
use crate::process::Process;
use crate::resize::Resize;
use crate::serve::Follower;
use crate::usage::Work;

/// A pod's place in the kubelet.
pub type PodId = u32;

#[derive(Clone, Debug)]
pub struct Pod {
    pub id: PodId,
    pub object: Value,
    pub mode: Mode,
    pub step: Step,
    /// Distinguishes step timers; one that does not carry it is late.
    pub stamp: u32,
    /// What is left to do in this sync.
    pub plan: VecDeque<Planned>,
    /// Init containers first, then containers, then ephemeral ones.
    pub containers: Vec<Container>,
    pub init_count: u16,
    pub sandbox: Option<Sandbox>,
    /// The number of the sandbox's address in the machine's network; kept until the pod is gone.
    pub address: Option<u8>,
    /// The status that the API server has, as far as is known.
    pub reported: Value,
    pub patch: Option<RequestId>,
    /// The status changed while the patch was on its way.
    pub wants_report: bool,
    pub start: Time,
    /// Something happened while the worker was busy.
    pub wants_sync: bool,
    /// When the next sync is set for; later wishes do not need another timer.
    pub sync_at: Option<Time>,
    /// Did this sync change anything that a status should tell?
    pub did_something: bool,
    /// Reason and message of a pod that this node refuses or gave up.
    pub rejected: Option<(Str, Str)>,
    /// Why this machine does not take the pod, until that is told.
    pub refused: Option<&'static str>,
    /// What the API has of a static pod; `None` if the pod came from there.
    pub mirror: Option<Mirror>,
    /// The API object is gone.
    pub is_gone: bool,
    pub mount_failures: u32,
    /// A container's end asked for all of them to begin anew; they are being stopped for it.
    pub restarts_all: bool,
    /// Its mounted objects are looked at again from time to time.
    pub refreshes: bool,
    /// Resources of the containers as allocated; those of the spec may be a wish.
    pub allocated: Vec<Value>,
    pub resize: Option<Resize>,
    /// CPU time that requests took.
    pub work: Work,
    /// Containers to be restarted for their new resources.
    pub resize_kills: Vec<Planned>,
    /// ConfigMaps and Secrets as they were when the pod was started.
    pub(crate) sources: Sources,
    pub(crate) files: Option<PodFiles>,
    /// Who reads logs as they grow.
    pub followers: Vec<Follower>,
    pub cause: NoteId,
}

/// What the worker works towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything that should run, runs.
    Syncing,
    /// Nothing is started any more; containers are stopped within this grace.
    Terminating { grace_secs: i64 },
    /// Nothing runs any more and the API server is told the last word; then the object goes, if that is asked for.
    Finished,
}

/// What the worker waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Idle,
    /// Objects that volumes need are asked for.
    Mounting {
        asked: BTreeSet<RequestId>,
        problems: Vec<(Str, String)>,
    },
    /// The sandbox is being made.
    Sandbox,
    /// A container is being started.
    Start {
        index: u16,
        stage: Stage,
    },
    /// Containers are being stopped.
    Stopping,
    /// The sandbox is being removed.
    Removing,
    /// The API object is being deleted.
    Deleting(RequestId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Pull,
    /// Objects that the environment needs are asked for.
    Config {
        asked: BTreeSet<RequestId>,
        problem: Option<String>,
    },
    Create,
    Run,
    PostStart,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    Sandbox,
    Start(u16),
    Kill(u16, Str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandbox {
    pub is_ready: bool,
}

/// One container of a pod.
#[derive(Clone, Debug, Default)]
pub struct Container {
    pub run: Run,
    /// How many times it was started again.
    pub restarts: u32,
    /// Whether it was ever created.
    pub was_created: bool,
    /// The image of the newest instance: a changed spec means the next one.
    pub image: Str,
    pub last: Option<Box<Exit>>,
    /// Why it waits: what the last attempt to start it said.
    pub waiting: Option<Box<(Str, Str)>>,
    pub is_ready: bool,
    pub is_started: bool,
    pub crash: Backoff,
    pub pull: Backoff,
    /// Distinguishes timers of this start from those of earlier ones.
    pub stamp: u32,
    pub probes: Vec<Probe>,
    pub process: Option<Box<Process>>,
    /// What runs inside, once something does.
    pub inside: Option<Box<Inside>>,
    pub log: Option<Box<Log>>,
    /// The log of the run before.
    pub last_log: Option<Box<Log>>,
    /// When SIGKILL comes, if it is being stopped.
    pub kill_at: Option<Time>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Run {
    #[default]
    None,
    Running {
        number: u32,
        since: Time,
    },
    Exited(Box<Exit>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub number: u32,
    pub code: i32,
    pub reason: Str,
    pub message: Str,
    /// `None` if it never ran.
    pub started: Option<Time>,
    pub finished: Time,
}

/// Doubles from ten seconds to five minutes (`MaxContainerBackOff`); forgets after twice that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    span: Micros,
    updated: Time,
}

const FIRST: Micros = 10 * SECOND;
const LONGEST: Micros = 300 * SECOND;

impl Backoff {
    /// The end of the back-off that began with the event at `since`, if it is not over.
    pub fn until(&self, since: Time, now: Time) -> Option<Time> {
        if self.span == 0 || since.since(self.updated) > 2 * LONGEST {
            return None;
        }
        let end = since + self.span;
        (now < end).then_some(end)
    }

    /// The end of a back-off that began when it was last lengthened.
    pub fn until_since_update(&self, now: Time) -> Option<Time> {
        self.until(self.updated, now)
    }

    pub fn lengthen(&mut self, event: Time, now: Time) {
        let is_stale = event.since(self.updated) > 2 * LONGEST;
        self.span = if self.span == 0 || is_stale {
            FIRST
        } else {
            (self.span * 2).min(LONGEST)
        };
        self.updated = now;
    }

    pub fn span(&self) -> Micros {
        self.span
    }
}

impl Pod {
    pub fn new(id: PodId, object: Value, now: Time, cause: NoteId) -> Pod {
        let spec = object.get("spec");
        let init_count = spec.get("initContainers").items().len();
        let count = init_count + spec.get("containers").items().len();
        let mut containers = vec![Container::default(); count];
        remember(&object, &mut containers, now);
        Pod {
            id,
            mode: Mode::Syncing,
            step: Step::Idle,
            stamp: 0,
            plan: VecDeque::new(),
            containers,
            init_count: init_count as u16,
            sandbox: None,
            address: None,
            reported: object.get("status").clone(),
            patch: None,
            wants_report: false,
            start: PodView(&object).start_time().unwrap_or(now),
            wants_sync: false,
            sync_at: None,
            did_something: false,
            rejected: None,
            refused: None,
            mirror: None,
            is_gone: false,
            mount_failures: 0,
            restarts_all: false,
            refreshes: false,
            allocated: Vec::new(),
            resize: None,
            work: Work::default(),
            resize_kills: Vec::new(),
            sources: Sources::new(),
            files: None,
            followers: Vec::new(),
            cause,
            object,
        }
    }

    pub fn view(&self) -> PodView<'_> {
        PodView(&self.object)
    }

    pub fn meta(&self) -> Meta<'_> {
        Meta::of(&self.object)
    }

    pub fn namespace(&self) -> Str {
        self.meta().shared_namespace()
    }

    pub fn name(&self) -> Str {
        self.meta().shared_name()
    }

    pub fn uid(&self) -> Str {
        self.meta().shared_uid()
    }

    /// The UID of the API's object: a static pod's mirror has one of its own.
    pub fn api_uid(&self) -> Str {
        match &self.mirror {
            Some(Mirror::Known(uid)) => uid.clone(),
            _ => self.uid(),
        }
    }

    pub fn spec(&self) -> &Value {
        self.object.get("spec")
    }

    /// The spec of the container at a place in [`Pod::containers`].
    pub fn container_spec(&self, index: u16) -> &Value {
        let (field, at) = self.place(index);
        self.spec()
            .get(field)
            .items()
            .get(at)
            .unwrap_or(&Value::Null)
    }

    fn place(&self, index: u16) -> (&'static str, usize) {
        let (index, init) = (index as usize, self.init_count as usize);
        let main = self.spec().get("containers").items().len();
        if index < init {
            ("initContainers", index)
        } else if index < init + main {
            ("containers", index - init)
        } else {
            ("ephemeralContainers", index - init - main)
        }
    }

    /// Where the container of this name is.
    pub fn index_of(&self, name: &str) -> Option<u16> {
        (0..self.containers.len() as u16).find(|i| self.container_spec(*i).str("name") == name)
    }

    pub fn is_init(&self, index: u16) -> bool {
        index < self.init_count
    }

    /// An init container that runs beside the others (`restartPolicy: Always`).
    pub fn is_sidecar(&self, index: u16) -> bool {
        self.is_init(index) && self.container_spec(index).str("restartPolicy") == "Always"
    }

    pub fn is_ephemeral(&self, index: u16) -> bool {
        self.place(index).0 == "ephemeralContainers"
    }

    /// The containers that are not init or ephemeral ones.
    pub fn main_range(&self) -> std::ops::Range<u16> {
        let main = self.spec().get("containers").items().len() as u16;
        self.init_count..self.init_count + main
    }

    /// `spec.containers{name}` of this pod, for events.
    pub fn about_container(&self, index: u16) -> ObjectRef {
        let (field, _) = self.place(index);
        let name = self.container_spec(index).str("name");
        let mut about = self.about();
        about.field_path = format!("spec.{field}{{{name}}}").into();
        about
    }

    pub fn about(&self) -> ObjectRef {
        ObjectRef::of(&self.object, "v1", "Pod")
    }

    /// What decides whether this container is started again: its own policy, else the pod's.
    pub fn restart_policy(&self, index: u16) -> &str {
        match self.container_spec(index).str("restartPolicy") {
            "" if self.is_init(index) && self.view().restart_policy() == "Always" => "OnFailure",
            "" => self.view().restart_policy(),
            own => own,
        }
    }

    pub fn grace_secs(&self) -> i64 {
        self.meta()
            .deletion_grace_secs()
            .or(self.view().termination_grace_secs())
            .unwrap_or(30)
    }

    /// True while any container's process lives.
    /// Containers that run, by their places: first the main ones.
    pub(crate) fn running(&self) -> impl Iterator<Item = u16> {
        let main = self.main_range();
        let others =
            (0..self.containers.len() as u16).filter(|index| !self.main_range().contains(index));
        let all: Vec<u16> = main.chain(others).collect();
        all.into_iter().filter(|index| {
            self.containers
                .get(*index as usize)
                .is_some_and(Container::is_running)
        })
    }

    /// The names of the containers that run, first the main ones.
    pub fn running_containers(&self) -> Vec<Str> {
        let names = self
            .running()
            .map(|index| self.container_spec(index).shared_str("name"));
        names.collect()
    }

    pub fn anything_runs(&self) -> bool {
        self.containers.iter().any(|c| c.is_running())
    }
}

/// Containers that the status tells of and that this machine does not have any more: it was off in between.
fn remember(object: &Value, containers: &mut [Container], now: Time) {
    let spec = object.get("spec");
    let names = spec
        .get("initContainers")
        .items()
        .iter()
        .chain(spec.get("containers").items());
    let told = |name: &str| {
        ["initContainerStatuses", "containerStatuses"]
            .iter()
            .flat_map(|list| object.at(&["status", list]).items())
            .find(|status| status.str("name") == name)
    };
    for (container, spec) in containers.iter_mut().zip(names) {
        let Some(status) = told(spec.str("name")).filter(|status| status.has("containerID")) else {
            continue;
        };
        let state = status.get("state");
        let ended = state.get("terminated");
        container.restarts = status.int("restartCount").unwrap_or(0) as u32;
        container.was_created = true;
        container.image = status.shared_str("image");
        let started = state
            .path("running.startedAt")
            .as_str()
            .or(ended.get("startedAt").as_str());
        container.run = Run::Exited(Box::new(Exit {
            number: container.restarts,
            code: ended.int("exitCode").map_or(255, |code| code as i32),
            reason: if ended.is_map() {
                ended.shared_str("reason")
            } else {
                "Unknown".into()
            },
            message: ended.shared_str("message"),
            started: started.and_then(Time::parse_rfc3339),
            finished: ended
                .get("finishedAt")
                .as_str()
                .and_then(Time::parse_rfc3339)
                .unwrap_or(now),
        }));
    }
}

impl Container {
    pub fn is_running(&self) -> bool {
        matches!(self.run, Run::Running { .. })
    }

    pub fn exit(&self) -> Option<&Exit> {
        match &self.run {
            Run::Exited(exit) => Some(exit),
            _ => None,
        }
    }
}
