//! Where a component runs: gives it turns, its own stream of chance and its request numbers.

use api::{Arrival, RequestId};
use client::{Component, Effect, Outbox};
use sim::{NoteId, Rng, Time};

#[derive(Clone, Debug)]
pub(crate) struct Host<C> {
    pub(crate) component: C,
    pub(crate) is_running: bool,
    /// Counts restarts: timers of an earlier life do not fire.
    pub(crate) generation: u32,
    rng: Rng,
    next_request: u64,
}

/// What a turn brought about, and in which life of the component.
#[derive(Debug)]
pub(crate) struct Effects<T> {
    pub(crate) list: Vec<Effect<T>>,
    pub(crate) generation: u32,
}

impl<C: Component> Host<C> {
    pub(crate) fn new(component: C, seed: u64, purpose: &str) -> Self {
        Host {
            component,
            is_running: true,
            generation: 0,
            rng: Rng::stream(seed, purpose),
            next_request: 0,
        }
    }

    pub(crate) fn turn(
        &mut self,
        now: Time,
        cause: NoteId,
        work: impl FnOnce(&mut C, &mut Outbox<'_, C::Timer>),
    ) -> Effects<C::Timer> {
        let mut out = Outbox::new(now, cause, &mut self.rng, &mut self.next_request);
        work(&mut self.component, &mut out);
        Effects {
            list: out.into_effects(),
            generation: self.generation,
        }
    }

    /// A message arrived; `None` if nobody is there to hear it.
    pub(crate) fn hear(
        &mut self,
        now: Time,
        id: RequestId,
        arrival: Arrival,
        cause: NoteId,
    ) -> Option<Effects<C::Timer>> {
        if !self.is_running {
            return None;
        }
        Some(self.turn(now, cause, |component, out| match arrival {
            Arrival::Response(response) => component.respond(id, response, out),
            Arrival::Watch(event) => component.observe(id, event, out),
            // Components open no streams of frames.
            Arrival::Frame(_) => {}
        }))
    }

    pub(crate) fn wake(
        &mut self,
        now: Time,
        generation: u32,
        timer: C::Timer,
    ) -> Option<Effects<C::Timer>> {
        if !self.is_running || generation != self.generation {
            return None;
        }
        Some(self.turn(now, NoteId(0), |component, out| component.wake(timer, out)))
    }

    /// The process is gone: `fresh` takes its place when it is started again.
    pub(crate) fn replace(&mut self, fresh: C) {
        self.component = fresh;
        self.generation += 1;
    }
}
