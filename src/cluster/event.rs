//! What waits in the queue. A closed list: every future of the cluster is one of these.

use std::net::Ipv4Addr;

use api::{Arrival, Input, Part, Request, RequestId};
use apiserver::User;
use network::{Answer, Call};
use sim::NoteId;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A part's process starts.
    Start(Part),
    /// A request reaches the API server.
    Request {
        from: Part,
        /// Who asks, if it is not the part itself.
        user: Option<Box<User>>,
        id: RequestId,
        request: Box<Request>,
        cause: NoteId,
    },
    /// An answer, a watch event or a frame reaches its receiver.
    Arrival {
        to: Part,
        id: RequestId,
        arrival: Arrival,
        cause: NoteId,
    },
    Timer {
        generation: u32,
        timer: Timer,
    },
    /// A proxied request reaches a kubelet.
    Proxy {
        node: u32,
        stream: u64,
        request: Box<Request>,
        cause: NoteId,
    },
    /// Something that was typed for the stream `id` reaches the kubelet.
    Typed {
        to: Part,
        id: RequestId,
        bytes: Vec<u8>,
        tries: u8,
    },
    /// What a client sends on a stream reaches the kubelet.
    Input {
        node: u32,
        stream: u64,
        input: Input,
    },
    /// Nobody reads a stream any more.
    CloseStream {
        node: u32,
        stream: u64,
    },
    /// A call over the pod network reaches its destination's machine.
    Call {
        ticket: u64,
        node: u32,
        client: Ipv4Addr,
        call: Box<Call>,
    },
    /// Its answer reaches who asked.
    CallEnds {
        ticket: u64,
        answer: Box<Answer>,
    },
    /// The API server has something to do by itself.
    ServerTick,
    /// kubeadm marks the control plane's Node, once it is registered.
    MarkControlPlane,
}

#[derive(Clone, Debug)]
pub(crate) enum Timer {
    Manager(controllers::Timer),
    Scheduler(scheduler::Timer),
    Kubelet(u32, node::Timer),
    Proxy(network::Timer),
}

impl From<(Part, controllers::Timer)> for Timer {
    fn from((_, timer): (Part, controllers::Timer)) -> Self {
        Timer::Manager(timer)
    }
}

impl From<(Part, scheduler::Timer)> for Timer {
    fn from((_, timer): (Part, scheduler::Timer)) -> Self {
        Timer::Scheduler(timer)
    }
}

impl From<(Part, network::Timer)> for Timer {
    fn from((_, timer): (Part, network::Timer)) -> Self {
        Timer::Proxy(timer)
    }
}

impl From<(Part, node::Timer)> for Timer {
    fn from((part, timer): (Part, node::Timer)) -> Self {
        let Part::Kubelet(number) = part else {
            unreachable!("kubelet timers come from kubelets")
        };
        Timer::Kubelet(number, timer)
    }
}
