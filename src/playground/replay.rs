//! Playing a recording a slice at a time, so that whoever waits can see how far it is, and stop.
//!
//! The same run as [`Playground::replay`], whatever the slices: a budget decides how long one waits for it, never what comes of it.

use std::collections::VecDeque;

use crate::share::{Shared, VERSION};
use crate::{Command, Micros, Playground};

/// A run that is being brought about again.
#[derive(Clone, Debug)]
pub struct Replay {
    commands: VecDeque<(Micros, Command)>,
    now: Micros,
    horizon: Micros,
    digest: u64,
    stage: Stage,
    is_same: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Up to where one stood.
    ToNow,
    /// On to where the run is known to, to go back from there.
    ToHorizon,
    Done,
}

impl Playground {
    /// The digest of this moment, once everything that is due at it has been done.
    pub fn digest_here(&mut self) -> u64 {
        self.settle();
        self.digest()
    }

    /// This run and where one stands in it, for a link. The files beside it are the caller's.
    pub fn shared(&mut self) -> Shared {
        let digest = self.digest_here();
        Shared {
            version: VERSION.into(),
            recording: self.recording(),
            now: self.now(),
            horizon: self.horizon(),
            digest,
            ..Shared::default()
        }
    }
}

impl Replay {
    /// Switches the cluster of a run on; [`Replay::play`] does the rest.
    pub fn new(shared: &Shared) -> (Playground, Replay) {
        let playground = Playground::new(shared.recording.options.clone());
        let commands: VecDeque<_> = shared.recording.commands.iter().cloned().collect();
        let last = commands.back().map_or(0, |(at, _)| *at);
        let replay = Replay {
            commands,
            now: shared.now,
            horizon: shared.horizon.max(shared.now).max(last),
            digest: shared.digest,
            stage: Stage::ToNow,
            is_same: None,
        };
        (playground, replay)
    }

    /// Plays on, working off about `budget` events; true once the run stands where it stood.
    pub fn play(&mut self, playground: &mut Playground, budget: u32) -> bool {
        let mut left = budget.max(1);
        while left > 0 {
            let end = match self.stage {
                Stage::ToNow => self.now,
                Stage::ToHorizon => self.horizon,
                Stage::Done => return true,
            };
            let due = self.commands.front().map(|(at, _)| *at);
            let due = due.filter(|at| *at <= end);
            let advance = playground.advance(due.unwrap_or(end), left);
            if !advance.reached {
                return false;
            }
            left = left.saturating_sub(advance.events.max(1));
            if due.is_none() {
                self.arrive(playground);
            } else if let Some((_, command)) = self.commands.pop_front() {
                playground.command(command);
            }
        }
        self.stage == Stage::Done
    }

    /// The end of a stage.
    fn arrive(&mut self, playground: &mut Playground) {
        if self.stage == Stage::ToNow {
            self.is_same = (self.digest != 0).then(|| playground.digest_here() == self.digest);
        }
        let has_future = self.horizon > self.now;
        self.stage = if self.stage == Stage::ToNow && has_future {
            Stage::ToHorizon
        } else {
            if has_future {
                playground.seek(self.now);
            }
            Stage::Done
        };
    }

    /// How much of the way lies behind, 0 to 1, by virtual time.
    pub fn progress(&self, playground: &Playground) -> f64 {
        match self.stage {
            Stage::Done => 1.0,
            _ if self.horizon == 0 => 0.0,
            _ => (playground.now() as f64 / self.horizon as f64).clamp(0.0, 1.0),
        }
    }

    /// Commands that have not been given yet.
    pub fn commands_left(&self) -> usize {
        self.commands.len()
    }

    /// Whether the run was the same as the one that was recorded, once that is known.
    pub fn is_same(&self) -> Option<bool> {
        self.is_same
    }
}
