//! The running cluster behind the door: takes commands, lets virtual time pass, hands out updates.
//!
//! Reads no clock: [`Playground::advance`] is told how far to go and how much work it may do on the way.

use std::collections::BTreeMap;

use deck::{Attempt, Progress, Task};

use crate::{
    Command, Completion, Detail, Micros, ObjectRef, Options, Problem, PromptState, Recording, Text,
    Update,
};
use crate::{Output, TerminalId, TerminalUpdate};

/// A cluster with its terminals and files. A clone continues as its original would.
#[derive(Clone, Debug)]
pub struct Playground {
    now: Micros,
    recording: Recording,
    updates: Vec<Update>,
    attempts: BTreeMap<String, Attempt>,
}

/// How far [`Playground::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    pub now: Micros,
    /// Whether `until` was reached; otherwise the budget ran out.
    pub reached: bool,
    /// Events worked off.
    pub events: u32,
}

impl Playground {
    /// Switches a new cluster on.
    pub fn new(options: Options) -> Playground {
        let mut playground = Playground {
            now: 0,
            recording: Recording {
                options,
                commands: Vec::new(),
            },
            updates: vec![Update::Reset],
            attempts: BTreeMap::new(),
        };
        playground.print(0, Output::Prompt(PromptState::Ready { rc: 0 }));
        playground
    }

    /// Plays a recording up to its last command.
    pub fn replay(recording: Recording) -> Playground {
        let mut playground = Playground::new(recording.options);
        for (at, command) in recording.commands {
            while !playground.advance(at, u32::MAX).reached {}
            playground.command(command);
        }
        playground
    }

    /// The present virtual time.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// The seed and the options of this cluster.
    pub fn options(&self) -> &Options {
        &self.recording.options
    }

    /// Everything needed to bring this cluster about again.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Does something at the present time.
    pub fn command(&mut self, command: Command) {
        if let Command::Terminal { terminal, line } = &command {
            self.print(*terminal, Output::Line(line.clone()));
            self.print(*terminal, Output::Prompt(PromptState::Ready { rc: 0 }));
        }
        self.recording.commands.push((self.now, command));
    }

    /// Lets time pass up to `until`, working off at most `budget` events.
    pub fn advance(&mut self, until: Micros, budget: u32) -> Advance {
        let _ = budget;
        self.now = self.now.max(until);
        Advance {
            now: self.now,
            reached: true,
            events: 0,
        }
    }

    /// Works off the next event, whenever that is; `None` when nothing is due ever again.
    pub fn step(&mut self) -> Option<Micros> {
        None
    }

    /// Goes to another time of this run, back or forth. Commands recorded after `to` are kept, and come again, until a new command
    /// is given: that forks the run.
    pub fn seek(&mut self, to: Micros) {
        self.now = to;
        self.updates.push(Update::Reset);
    }

    /// What changed since the last call.
    pub fn updates(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.updates)
    }

    /// What is wrong with a manifest, in the order of the text.
    pub fn diagnose(&self, text: &str) -> Vec<Problem> {
        let _ = text;
        Vec::new()
    }

    /// Fields and values that fit at `cursor` (in bytes) of a manifest.
    pub fn complete_manifest(&self, text: &str, cursor: usize) -> Completion {
        let _ = text;
        Completion {
            from: cursor,
            candidates: Vec::new(),
        }
    }

    /// What the field at `cursor` (in bytes) of a manifest is for.
    pub fn hover(&self, text: &str, cursor: usize) -> Option<Text> {
        let _ = (text, cursor);
        None
    }

    /// How a terminal's line can go on from `cursor` (in bytes).
    pub fn complete_line(&self, terminal: TerminalId, line: &str, cursor: usize) -> Completion {
        let _ = (terminal, line);
        Completion {
            from: cursor,
            candidates: Vec::new(),
        }
    }

    /// Everything about one object; `None` if it does not exist.
    pub fn inspect(&self, object: &ObjectRef) -> Option<Detail> {
        let _ = object;
        None
    }

    /// The live object that a manifest's first document names, as `kubectl get -o yaml` without what the server filled in; for the diff.
    pub fn live(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }

    /// How far a slide's task is, and the common mistake that the cluster shows, if any. Remembers goals that were met.
    pub fn progress(&mut self, task: &Task) -> (Progress, Option<Text>) {
        self.attempts.entry(task.id.clone()).or_default();
        (
            Progress {
                met: false,
                done: 0,
                of: task.goals.len() as u32,
            },
            None,
        )
    }

    fn print(&mut self, terminal: TerminalId, output: Output) {
        self.updates
            .push(Update::Terminal(TerminalUpdate { terminal, output }));
    }
}
