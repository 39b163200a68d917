//! What the trace records: small plain notes about who did what. The page draws them, lessons judge by them,
//! tests compare their digest.

use sim::{NoteId, Time};

use crate::{RequestId, Str, Verb, WatchKind};

/// A part of the cluster that sends or receives messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Etcd,
    ApiServer,
    Scheduler,
    ControllerManager,
    CloudControllerManager,
    /// The kubelet of the node with this number (from 0).
    Kubelet(u32),
    KubeProxy(u32),
    /// Someone outside: a terminal, the page's informer, an HTTP connection.
    Client(u32),
}

/// Which object a note speaks of. `kind` is the plural (`pods`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub kind: Str,
    pub namespace: Str,
    pub name: Str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// A request left `from` and will reach `to` at `arrives`. `actor` is the controller inside `from`, if any.
    Sent {
        from: Part,
        to: Part,
        actor: &'static str,
        id: RequestId,
        verb: Verb,
        key: Key,
        subresource: Str,
        arrives: Time,
    },
    /// The answer to a request left the API server.
    Answered {
        to: Part,
        id: RequestId,
        code: u16,
        arrives: Time,
    },
    /// Somebody from outside asked, and it was decided with `code`. `acting_as` is whom they asked to be taken for, if
    /// anybody.
    Audited {
        id: RequestId,
        user: Str,
        acting_as: Str,
        verb: Verb,
        key: Key,
        subresource: Str,
        code: u16,
    },
    /// A request could not be delivered (link cut, server down) or timed out.
    Lost { from: Part, to: Part, id: RequestId },
    /// A write was committed.
    Stored {
        revision: u64,
        key: Key,
        kind: WatchKind,
    },
    /// A watch event left for `to`.
    Watched {
        to: Part,
        kind: WatchKind,
        key: Key,
        arrives: Time,
    },
    /// A controller worked on a key.
    Synced {
        controller: &'static str,
        key: Key,
        outcome: Str,
    },
    /// The scheduler's filter refused a node.
    Filtered {
        pod: Key,
        node: Str,
        plugin: &'static str,
        reason: Str,
    },
    /// The scheduler's weighted score of a node by one plugin.
    Scored {
        pod: Key,
        node: Str,
        plugin: &'static str,
        score: i64,
    },
    /// The scheduler's decision: a node, or empty with the reason.
    Decided { pod: Key, node: Str, reason: Str },
    /// A kubelet's pod worker entered a state; `container` may be empty.
    PodState {
        node: Str,
        pod: Key,
        container: Str,
        state: Str,
    },
    /// A call over the pod network: from whom to whom, through which service (empty if none), and what was asked.
    Called {
        from: Key,
        to: Key,
        via: Key,
        what: Str,
        arrives: Time,
    },
    /// What came of a call, in a few words.
    CalledBack {
        from: Key,
        to: Key,
        what: Str,
        arrives: Time,
    },
    /// A field or kind that was accepted but is not simulated.
    NotSimulated { key: Key, path: Str },
    /// Somebody broke or mended something on purpose.
    Fault { what: Str, on: bool },
    /// A line was entered in a terminal, or a button pressed.
    Command { client: u32, line: Str },
}

impl Key {
    pub fn new(kind: impl Into<Str>, namespace: impl Into<Str>, name: impl Into<Str>) -> Key {
        Key {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of an object of the collection `kind`.
    pub fn of(kind: impl Into<Str>, object: &crate::Value) -> Key {
        let meta = object.get("metadata");
        Key {
            kind: kind.into(),
            namespace: meta.shared_str("namespace"),
            name: meta.shared_str("name"),
        }
    }
}

/// A note that a component wants recorded, with its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub cause: NoteId,
    pub note: Note,
}
