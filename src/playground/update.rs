//! What the audience learns, as deltas. Folding every update since the last [`Update::Reset`] gives the whole picture; an update says
//! only what changed, so that a tick of time redraws nothing that stayed.

use serde::{Deserialize, Serialize};

use crate::{FileText, Micros, Text};

/// One change of what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// Everything learnt so far is void (restart, seek, fork); the new picture follows in the same batch. Terminals keep their text.
    Reset,
    /// The numbers of the control plane's boxes.
    Control(Control),
    /// A node is new or changed.
    Node(NodeRow),
    NodeGone {
        name: String,
    },
    /// An object is new or changed. Nodes come as objects too, for the tree.
    Object(ObjectRow),
    ObjectGone {
        uid: String,
    },
    /// Something was sent.
    Message(Message),
    /// What a terminal prints.
    Terminal(TerminalUpdate),
    /// A command wrote a file.
    File(FileText),
    /// How an Apply ended.
    Applied(Applied),
    /// A moment for the time bar.
    Mark(Mark),
    /// The causes that lead from a user's command to what it brought about; replaces the chain of the same `id`.
    Chain(Chain),
}

/// A part of the cluster that sends and receives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    /// The person with kubectl.
    User,
    ApiServer,
    Etcd,
    Scheduler,
    /// One controller within kube-controller-manager, by its short name: `Deployment`, `ReplicaSet`, `Node`, …
    Controller(String),
    CloudController(String),
    Kubelet(String),
    KubeProxy(String),
    Runtime(String),
    /// Cluster DNS, ingress controller, metrics server and other add-ons, by name.
    Addon(String),
}

/// What the control plane's boxes say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Whether the API server answers already.
    pub is_up: bool,
    /// The last version of the store.
    pub revision: u64,
    /// Requests of the last virtual second, watches not counted.
    pub requests_per_sec: u32,
    pub watches: u32,
    /// Pods that wait for a node.
    pub scheduler_queue: u32,
    /// In the order to be drawn.
    pub controllers: Vec<Controller>,
    /// Whether a cloud-controller-manager runs, with its controllers.
    pub cloud: Vec<Controller>,
    /// Components that are stopped on purpose (`kubenkyo stop …` or `pause …` in the terminal).
    pub stopped: Vec<Part>,
}

/// One controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    pub name: String,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    pub name: String,
    pub uid: String,
    pub zone: String,
    /// Condition Ready: `None` is Unknown.
    pub ready: Option<bool>,
    /// Names of other conditions that are true and bad: `MemoryPressure`, …
    pub pressure: Vec<String>,
    pub cordoned: bool,
    /// The machine is off, or cut off from the control plane.
    pub fall: Option<Fall>,
    /// `key=value:Effect`.
    pub taints: Vec<String>,
    /// Sum of requests and what can be allocated, in thousandths of a core.
    pub cpu_requested_milli: u64,
    pub cpu_allocatable_milli: u64,
    pub memory_requested: u64,
    pub memory_allocatable: u64,
    pub pods_allocatable: u32,
}

/// What the user did to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fall {
    PoweredOff,
    CutOff,
}

/// The name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    pub kind: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    pub name: String,
}

/// How an object is, reduced to what a shape can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Neither good nor bad: a ConfigMap.
    #[default]
    Plain,
    /// Runs, is not ready (yet).
    Running,
    Ready,
    Succeeded,
    Pending,
    Failed,
    Terminating,
    Unknown,
}

/// An object, as the tree and the diagrams need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRow {
    pub uid: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub created: Micros,
    pub state: State,
    /// One word or two: `2 / 3`, `node-1`, `waits for a node`, `ClusterIP`.
    pub note: Text,
    /// UIDs of owners, the controlling one first.
    pub owners: Vec<String>,
    /// References that are not ownership.
    pub relations: Vec<Relation>,
    pub pod: Option<PodRow>,
    /// An object of the cluster itself (`kube-system`, leases, default service accounts), which views hide until asked.
    pub is_system: bool,
}

/// A reference from one object to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// `selects`, `routes to`, `mounts`, `scales`, `binds`, …
    pub verb: String,
    pub to: ObjectRef,
}

/// What is special about a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRow {
    /// Empty until scheduled.
    pub node: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// What kubectl's STATUS column says: `ContainerCreating`, `CrashLoopBackOff`, `Terminating`, …
    pub status: String,
    pub ready: bool,
    pub ip: String,
    pub restarts: u32,
    pub cpu_requested_milli: u64,
    pub memory_requested: u64,
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub is_init: bool,
    /// An init container that keeps running.
    pub is_sidecar: bool,
    pub state: ContainerState,
    pub ready: bool,
    /// `ImagePullBackOff`, `OOMKilled`, …
    pub reason: String,
}

/// The three states of a container, the last in its two endings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerState {
    #[default]
    Waiting,
    Running,
    Done,
    Failed,
}

/// Something that crosses a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: u64,
    pub from: Part,
    pub to: Part,
    /// Short: `POST binding`, `PATCH status`, `ADDED Pod`.
    pub label: String,
    /// Raw: `POST /api/v1/namespaces/default/pods/web-x/binding`.
    pub raw: String,
    pub sent_at: Micros,
    pub arrives_at: Micros,
    /// The message that caused this one.
    pub cause: Option<u64>,
    pub about: Option<ObjectRef>,
    /// Routine traffic (leases, heartbeats), which the picture draws faintly.
    pub is_routine: bool,
    /// An answer that says no: the code.
    pub error: Option<u16>,
}

/// Terminals are numbered from 0.
pub type TerminalId = u32;

/// Something a terminal shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalUpdate {
    pub terminal: TerminalId,
    pub output: Output,
}

/// What is printed, or where the prompt stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// A line that was typed (or run by a slide), to be shown behind its prompt.
    Line(String),
    Stdout(String),
    Stderr(String),
    /// `clear`.
    Clear,
    Prompt(PromptState),
}

/// What the terminal waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptState {
    /// A command; `rc` is the exit status of the last one.
    Ready { rc: i32 },
    /// The rest of a command: an open quote or a heredoc.
    Continue,
    /// A command runs (`-w`, `logs -f`, `sleep`).
    #[default]
    Busy,
}

/// How an Apply ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub file: String,
    pub rc: i32,
    /// What the server refused, at its place in the file.
    pub problems: Vec<crate::Problem>,
}

/// A moment on the time bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at: Micros,
    pub kind: MarkKind,
    pub label: Text,
}

/// What a mark is about; each kind has its own shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkKind {
    /// The user did something.
    Command,
    Good,
    Bad,
}

/// Causes and effects, from what the user did to what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub id: u64,
    /// What it follows, such as a Pod.
    pub subject: ObjectRef,
    /// In order of time. Grows while the cluster works.
    pub steps: Vec<ChainStep>,
    /// Whether nothing more will follow.
    pub is_done: bool,
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStep {
    pub at: Micros,
    /// Who acted.
    pub part: Part,
    /// What it did, beginning after the actor's name.
    pub says: Text,
    /// The raw request.
    pub raw: String,
    /// The message that carried it.
    pub message: Option<u64>,
}
