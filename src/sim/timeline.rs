//! Going back and forth in a run: checkpoints of a machine and the commands that were given to it.
//!
//! The state at any time is the newest checkpoint before it plus the commands since, replayed. Checkpoints are
//! clones, made every so many steps and thinned out towards the past, so that any seek replays a bounded part
//! of the run. Knows nothing of what the machine is.

use crate::Time;

/// Something that runs in virtual time and takes commands. A clone continues exactly as its original.
pub trait Machine: Clone {
    type Command: Clone;

    fn now(&self) -> Time;
    /// Does everything that is due up to `until`, at most `steps` events; returns how many it did.
    /// Afterwards `now` is `until` if everything was done.
    fn advance(&mut self, until: Time, steps: u64) -> u64;
    /// Takes a command at the current time.
    fn command(&mut self, command: Self::Command);
    /// About how many bytes a clone of it holds that the original does not share.
    fn weight(&self) -> u64 {
        0
    }
}

/// A machine with its past.
#[derive(Clone, Debug)]
pub struct Timeline<M: Machine> {
    machine: M,
    /// What was commanded, in order of time.
    commands: Vec<(Time, M::Command)>,
    /// How many of `commands` the machine has taken; fewer than all after a seek into the past.
    taken: usize,
    checkpoints: Vec<Checkpoint<M>>,
    steps: u64,
    steps_at_checkpoint: u64,
    /// Steps until the next checkpoint.
    interval: u64,
    /// The latest time that was ever reached; the future beyond it is not yet known.
    horizon: Time,
}

#[derive(Clone, Debug)]
struct Checkpoint<M> {
    machine: M,
    weight: u64,
    taken: usize,
    steps: u64,
}

/// Steps between checkpoints: a few dozen milliseconds of replay.
const CHECKPOINT_STEPS: u64 = 4_000;
/// A clone of so many bytes takes about as long as a tenth of a step: heavy machines get fewer checkpoints.
const BYTES_PER_STEP: u64 = 2_048;
/// More checkpoints than this, or heavier ones together, are thinned out; a few remain in any case.
const CHECKPOINTS_MAX: usize = 64;
const CHECKPOINT_BYTES_MAX: u64 = 256 << 20;
const CHECKPOINTS_MIN: usize = 4;

impl<M: Machine> Timeline<M> {
    pub fn new(machine: M) -> Self {
        let first = Checkpoint {
            machine: machine.clone(),
            weight: machine.weight(),
            taken: 0,
            steps: 0,
        };
        let horizon = machine.now();
        Timeline {
            machine,
            commands: Vec::new(),
            taken: 0,
            checkpoints: vec![first],
            steps: 0,
            steps_at_checkpoint: 0,
            interval: CHECKPOINT_STEPS,
            horizon,
        }
    }

    /// A machine whose commands are known in advance; it stands at its beginning.
    pub fn replay(machine: M, commands: Vec<(Time, M::Command)>) -> Self {
        let horizon = commands.last().map_or(machine.now(), |(at, _)| *at);
        Timeline {
            commands,
            horizon,
            ..Timeline::new(machine)
        }
    }

    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// For what is not part of the run: draining output, reading with caches.
    pub fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    pub fn now(&self) -> Time {
        self.machine.now()
    }

    /// The latest time ever reached.
    pub fn horizon(&self) -> Time {
        self.horizon
    }

    /// The commands of the run up to its horizon.
    pub fn commands(&self) -> &[(Time, M::Command)] {
        &self.commands
    }

    /// Whether the machine stands before commands that were already given.
    pub fn is_in_past(&self) -> bool {
        self.taken < self.commands.len()
    }

    /// Gives a command now. In the past this starts a new future: later commands are dropped.
    pub fn command(&mut self, command: M::Command) {
        self.commands.truncate(self.taken);
        self.settle();
        let now = self.machine.now();
        // Checkpoints of the future that is given up would lead back into it.
        let (taken, steps) = (self.taken, self.steps);
        self.checkpoints
            .retain(|c| c.taken <= taken && c.steps <= steps);
        self.commands.push((now, command.clone()));
        self.taken += 1;
        self.machine.command(command);
        self.horizon = self.machine.now();
    }

    /// Does what is still due at this very moment. A budget may have stopped between two of its events, and another budget would not
    /// have: what is done or compared between events begins here.
    pub fn settle(&mut self) {
        let now = self.machine.now();
        self.steps += self.machine.advance(now, u64::MAX);
    }

    /// Runs up to `until`, at most `steps` events, giving known commands at their times. True once `until` is reached.
    pub fn advance(&mut self, until: Time, steps: u64) -> bool {
        let mut left = steps;
        loop {
            let next = self
                .commands
                .get(self.taken)
                .map(|(at, _)| *at)
                .filter(|at| *at <= until);
            let goal = next.unwrap_or(until);
            while self.machine.now() < goal || left == steps {
                let chunk = left.min(
                    self.interval - (self.steps - self.steps_at_checkpoint).min(self.interval - 1),
                );
                let done = self.machine.advance(goal, chunk);
                self.steps += done;
                left -= done.min(left);
                if self.steps - self.steps_at_checkpoint >= self.interval {
                    self.checkpoint();
                }
                if done < chunk || self.machine.now() >= goal {
                    break;
                }
                if left == 0 {
                    self.horizon = self.horizon.max(self.machine.now());
                    return false;
                }
            }
            self.horizon = self.horizon.max(self.machine.now());
            let Some(at) = next else { return true };
            if self.machine.now() < at {
                return false;
            }
            self.settle();
            let command = self.commands[self.taken].1.clone();
            self.taken += 1;
            self.machine.command(command);
            if left == 0 {
                return false;
            }
        }
    }

    /// Goes to any time: to the nearest checkpoint before it, then on by running. False if `steps` did not suffice.
    pub fn seek(&mut self, to: Time, steps: u64) -> bool {
        let now = self.machine.now();
        let at = self.checkpoints.partition_point(|c| c.machine.now() <= to);
        let checkpoint = &self.checkpoints[at.saturating_sub(1)];
        // Forward, a checkpoint is of use only if it is further than where the machine stands.
        if to < now || checkpoint.machine.now() > now {
            self.machine = checkpoint.machine.clone();
            self.taken = checkpoint.taken;
            self.steps = checkpoint.steps;
            self.steps_at_checkpoint = checkpoint.steps;
        }
        self.advance(to, steps)
    }

    /// Another timeline that shares this one's past up to now and has no future yet.
    pub fn fork(&self) -> Self {
        let mut fork = self.clone();
        fork.commands.truncate(self.taken);
        let now = self.machine.now();
        fork.checkpoints.retain(|c| c.machine.now() <= now);
        fork.horizon = now;
        fork
    }

    fn checkpoint(&mut self) {
        self.steps_at_checkpoint = self.steps;
        if self
            .checkpoints
            .last()
            .is_some_and(|last| last.machine.now() >= self.machine.now())
        {
            return;
        }
        let weight = self.machine.weight();
        self.interval = CHECKPOINT_STEPS.max(weight / BYTES_PER_STEP);
        self.checkpoints.push(Checkpoint {
            machine: self.machine.clone(),
            weight,
            taken: self.taken,
            steps: self.steps,
        });
        while self.checkpoints.len() > CHECKPOINTS_MIN && self.is_too_much() {
            // Every second one of the older half goes: the recent past stays fine-grained.
            let half = self.checkpoints.len() / 2;
            let mut at = 0;
            self.checkpoints.retain(|_| {
                at += 1;
                at > half || at % 2 == 1
            });
        }
    }

    fn is_too_much(&self) -> bool {
        let weights = self.checkpoints.iter().map(|c| c.weight);
        self.checkpoints.len() > CHECKPOINTS_MAX || weights.sum::<u64>() > CHECKPOINT_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts one event a microsecond and remembers commands with their times.
    #[derive(Clone, Debug, PartialEq)]
    struct Counter {
        now: Time,
        heard: Vec<(u64, u32)>,
    }

    impl Machine for Counter {
        type Command = u32;
        fn now(&self) -> Time {
            self.now
        }
        fn advance(&mut self, until: Time, steps: u64) -> u64 {
            let done = until.since(self.now).min(steps);
            self.now += done;
            done
        }
        fn command(&mut self, command: u32) {
            self.heard.push((self.now.0, command));
        }
    }

    fn counter() -> Timeline<Counter> {
        Timeline::new(Counter {
            now: Time(0),
            heard: Vec::new(),
        })
    }

    #[test]
    fn a_seek_gives_the_state_that_was() {
        let mut line = counter();
        for n in 1..=20_u32 {
            assert!(line.advance(Time(u64::from(n) * 30_000), u64::MAX));
            line.command(n);
        }
        let end = line.machine().clone();
        for to in [0, 15, 30_000, 30_001, 299_999, 600_000] {
            assert!(line.seek(Time(to), u64::MAX));
            assert_eq!(line.now(), Time(to));
            let heard = (to / 30_000).min(20) as usize;
            assert_eq!(line.machine().heard, end.heard[..heard], "at {to}");
        }
        assert_eq!(line.machine(), &end);
    }

    #[test]
    fn a_command_in_the_past_starts_a_new_future() {
        let mut line = counter();
        line.advance(Time(10), u64::MAX);
        line.command(1);
        line.advance(Time(20), u64::MAX);
        line.command(2);
        line.seek(Time(15), u64::MAX);
        assert!(line.is_in_past());
        let mut fork = line.fork();
        line.command(3);
        line.advance(Time(30), u64::MAX);
        assert_eq!(line.machine().heard, [(10, 1), (15, 3)]);
        fork.advance(Time(30), u64::MAX);
        assert_eq!(fork.machine().heard, [(10, 1)]);
    }

    #[test]
    fn checkpoints_of_a_future_given_up_are_not_gone_back_to() {
        let mut line = counter();
        line.advance(Time(10_000), u64::MAX);
        line.command(1);
        line.advance(Time(90_000), u64::MAX);
        line.seek(Time(5_000), u64::MAX);
        line.command(2);
        line.advance(Time(90_000), u64::MAX);
        for to in [60_000, 4_000, 70_000] {
            line.seek(Time(to), u64::MAX);
            let heard: &[(u64, u32)] = if to < 5_000 { &[] } else { &[(5_000, 2)] };
            assert_eq!(line.machine().heard, heard, "at {to}");
        }
    }

    #[test]
    fn commands_of_one_moment_come_again_in_between_the_same_events() {
        /// Every command makes events at its own moment, each of which is remembered.
        #[derive(Clone, Debug, PartialEq)]
        struct Burst(Counter, u32);
        impl Machine for Burst {
            type Command = u32;
            fn now(&self) -> Time {
                self.0.now
            }
            fn advance(&mut self, until: Time, steps: u64) -> u64 {
                let due = u64::from(self.1).min(steps);
                for _ in 0..due {
                    self.0.heard.push((self.0.now.0, 1_000 + self.1));
                    self.1 -= 1;
                }
                if self.1 > 0 {
                    return due;
                }
                due + self.0.advance(until, steps - due)
            }
            fn command(&mut self, command: u32) {
                self.0.command(command);
                self.1 += command;
            }
        }
        let mut line = Timeline::new(Burst(counter().machine, 0));
        for (at, command) in [(10, 3), (10, 2), (20, 9_000), (20, 4), (20, 5)] {
            line.advance(Time(at), 2);
            line.advance(Time(at), u64::MAX);
            line.command(command);
        }
        line.advance(Time(30), u64::MAX);
        let end = line.machine().clone();
        for steps in [1, 7, u64::MAX] {
            line.seek(Time(0), u64::MAX);
            while !line.seek(Time(30), steps) {}
            assert_eq!(line.machine(), &end, "{steps} steps at a time");
        }
    }

    #[test]
    fn a_seek_forward_uses_checkpoints_too() {
        let mut line = counter();
        line.advance(Time(100_000), u64::MAX);
        line.seek(Time(10), u64::MAX);
        assert!(
            line.seek(Time(99_000), CHECKPOINT_STEPS),
            "little is replayed"
        );
        assert_eq!(line.now(), Time(99_000));
    }

    #[test]
    fn heavy_machines_keep_few_checkpoints_and_seeks_stay_right() {
        #[derive(Clone, Debug)]
        struct Heavy(Counter);
        impl Machine for Heavy {
            type Command = u32;
            fn now(&self) -> Time {
                self.0.now
            }
            fn advance(&mut self, until: Time, steps: u64) -> u64 {
                self.0.advance(until, steps)
            }
            fn command(&mut self, command: u32) {
                self.0.command(command);
            }
            fn weight(&self) -> u64 {
                CHECKPOINT_BYTES_MAX / 6
            }
        }
        let mut line = Timeline::new(Heavy(counter().machine));
        for n in 1..=20_u32 {
            line.advance(Time(u64::from(n) * 500_000), u64::MAX);
            line.command(n);
        }
        assert_eq!(line.checkpoints.len(), 6);
        for to in [9_999_999, 3_000_001, 0, 8_000_000] {
            line.seek(Time(to), u64::MAX);
            assert_eq!(line.machine().0.heard.len() as u64, to / 500_000, "at {to}");
        }
    }

    #[test]
    fn a_budget_stops_half_way() {
        let mut line = counter();
        assert!(!line.advance(Time(100), 40));
        assert_eq!(line.now(), Time(40));
        assert!(line.advance(Time(100), 60));
    }
}
