//! The one output of a component: requests to send, timers to set, notes to record.

use api::{Frame, Note, Request, RequestId, Response, WatchEvent};
use sim::{Micros, NoteId, Rng, Time};

/// A part of the cluster that speaks to the API server. All its state is plain data.
pub trait Component {
    /// What a timer of this component carries.
    type Timer;

    /// Called once when the component's process starts (and again after a crash): list and watch.
    fn start(&mut self, out: &mut Outbox<Self::Timer>);
    /// The answer to a request. A watch is answered first with 200, then come its events.
    fn respond(&mut self, id: RequestId, response: Response, out: &mut Outbox<Self::Timer>);
    /// An event of the watch that was opened by request `id`.
    fn observe(&mut self, id: RequestId, event: WatchEvent, out: &mut Outbox<Self::Timer>);
    /// A timer fired. Timers cannot be cancelled: a component ignores those that no longer matter.
    fn wake(&mut self, timer: Self::Timer, out: &mut Outbox<Self::Timer>);
}

/// What a component asked for during one turn, in order.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are sent requests, and none lives longer than a turn"
)]
#[derive(Clone, Debug)]
pub enum Effect<T> {
    Send {
        id: RequestId,
        actor: &'static str,
        cause: NoteId,
        request: Request,
    },
    /// Closes the watch or stream of request `id`.
    Cancel(RequestId),
    Timer {
        at: Time,
        timer: T,
    },
    Note {
        cause: NoteId,
        note: Note,
    },
    /// Only kubelets: an answer on a proxied stream (see `node::Kubelet::serve`).
    Frame {
        stream: u64,
        frame: Frame,
    },
}

/// Collects the effects of one turn. Made by `cluster` for each turn; `next_request` and `rng` live on in the component's host.
#[derive(Debug)]
pub struct Outbox<'a, T> {
    now: Time,
    /// The note that caused the current work; a work queue sets it to the cause kept with a key.
    pub cause: NoteId,
    /// The controller that acts now, for the trace; empty in components that are one actor.
    pub actor: &'static str,
    /// This component's own stream of chance.
    pub rng: &'a mut Rng,
    next_request: &'a mut u64,
    effects: Vec<Effect<T>>,
}

impl<'a, T> Outbox<'a, T> {
    pub fn new(now: Time, cause: NoteId, rng: &'a mut Rng, next_request: &'a mut u64) -> Self {
        Outbox {
            now,
            cause,
            actor: "",
            rng,
            next_request,
            effects: Vec::new(),
        }
    }

    pub fn now(&self) -> Time {
        self.now
    }

    /// Sends a request; its answer arrives at `respond` with the returned id.
    pub fn send(&mut self, request: Request) -> RequestId {
        *self.next_request += 1;
        let id = RequestId(*self.next_request);
        self.effects.push(Effect::Send {
            id,
            actor: self.actor,
            cause: self.cause,
            request,
        });
        id
    }

    pub fn cancel(&mut self, id: RequestId) {
        self.effects.push(Effect::Cancel(id));
    }

    /// `wake` will be called with `timer` at `at` (not before now).
    pub fn wake_at(&mut self, at: Time, timer: T) {
        self.effects.push(Effect::Timer {
            at: at.max(self.now),
            timer,
        });
    }

    pub fn wake_after(&mut self, span: Micros, timer: T) {
        self.wake_at(self.now + span, timer);
    }

    pub fn note(&mut self, note: Note) {
        self.effects.push(Effect::Note {
            cause: self.cause,
            note,
        });
    }

    /// Only kubelets: answers the proxied request numbered `stream`.
    pub fn frame(&mut self, stream: u64, frame: Frame) {
        self.effects.push(Effect::Frame { stream, frame });
    }

    /// The effects in order; called by `cluster` after the turn.
    pub fn into_effects(self) -> Vec<Effect<T>> {
        self.effects
    }
}
