//! The running cluster behind the door: takes commands, lets virtual time pass, hands out updates.
//!
//! Reads no clock: [`Playground::advance`] is told how far to go and how much work it may do on the way. Everything
//! that makes a run is in its [`Recording`]; going back is a checkpoint and a replay (`sim::Timeline`).

use std::collections::BTreeMap;

use deck::{Attempt, Progress, Task};
use shell::Prompt;
use sim::{Time, Timeline};

use crate::desk::{Desk, FIRST_CLIENT, apply_line};
use crate::watch::Watcher;
use crate::{
    Applied, Command, Completion, Detail, Micros, ObjectRef, Options, Output, Problem, PromptState,
    Recording, TerminalId, TerminalUpdate, Text, Update, ask, editing, inspect,
};

/// A cluster with its terminals and files. A clone continues as its original would.
#[derive(Clone, Debug)]
pub struct Playground {
    options: Options,
    line: Timeline<Desk>,
    watcher: Watcher,
    updates: Vec<Update>,
    /// Prompts as last told, by terminal.
    prompts: BTreeMap<TerminalId, PromptState>,
    /// What was printed before this time has been handed out; a replay does not print it again.
    printed_until: Time,
    /// Error output of the Apply that runs, for its problems.
    refusals: String,
    attempts: BTreeMap<String, Attempt>,
    /// Commands ever given, those of futures left behind included.
    given: u64,
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
        let desk = Desk::new(&options);
        Playground::with(options, Timeline::new(desk))
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

    fn with(options: Options, line: Timeline<Desk>) -> Playground {
        let mut playground = Playground {
            options,
            printed_until: line.now(),
            line,
            watcher: Watcher::default(),
            updates: vec![Update::Reset],
            prompts: BTreeMap::new(),
            refusals: String::new(),
            attempts: BTreeMap::new(),
            given: 0,
        };
        playground.prompt(0);
        playground
    }

    /// The present virtual time.
    pub fn now(&self) -> Micros {
        self.line.now().since(self.start())
    }

    /// The latest time of this run that is known: seeking up to there only replays.
    pub fn horizon(&self) -> Micros {
        self.line.horizon().since(self.start())
    }

    /// The seed and the options of this cluster.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Everything needed to bring this cluster about again.
    pub fn recording(&self) -> Recording {
        let start = self.start();
        let commands = self
            .line
            .commands()
            .iter()
            .map(|(at, command)| (at.since(start), command.clone()))
            .collect();
        Recording {
            options: self.options.clone(),
            commands,
        }
    }

    /// The digest of everything that has happened: equal runs have equal digests.
    pub fn digest(&self) -> u64 {
        self.line.machine().workstation.cluster().trace().digest()
    }

    /// How many commands were ever given: as long as it stays the same, so does the recording.
    pub fn commands_given(&self) -> u64 {
        self.given
    }

    /// Does something at the present time. In the past this begins a new future.
    pub fn command(&mut self, command: Command) {
        self.given += 1;
        self.printed_until = self.printed_until.min(self.line.now());
        match &command {
            Command::Terminal { terminal, line } => {
                self.print(*terminal, Output::Line(line.clone()))
            }
            Command::Apply { file, terminal, .. } => {
                self.refusals.clear();
                self.print(*terminal, Output::Line(apply_line(file)));
            }
            Command::Save(_) | Command::Interrupt { .. } => {}
        }
        match &command {
            // Whoever sends a line waits for the prompt, also when it is back at the same moment.
            Command::Terminal { terminal, .. } | Command::Apply { terminal, .. } => {
                self.prompts.insert(*terminal, PromptState::Busy);
            }
            Command::Interrupt { terminal } => {
                self.prompts.entry(*terminal).or_default();
            }
            _ => {}
        }
        self.line.command(command);
        self.hear();
    }

    /// Lets time pass up to `until`, working off at most `budget` events.
    pub fn advance(&mut self, until: Micros, budget: u32) -> Advance {
        let before = self.steps();
        let reached = self.line.advance(self.start() + until, u64::from(budget));
        self.hear();
        Advance {
            now: self.now(),
            reached,
            events: (self.steps() - before).min(u64::from(u32::MAX)) as u32,
        }
    }

    /// Works off what is still due at this moment, which a budget may have left.
    pub(crate) fn settle(&mut self) {
        self.line.settle();
        self.hear();
    }

    /// Works off the next event, whenever that is; `None` when nothing is due ever again.
    pub fn step(&mut self) -> Option<Micros> {
        let next = self.line.machine().workstation.next_at()?;
        self.line.advance(next, 1);
        self.hear();
        Some(self.now())
    }

    /// Goes to another time of this run, back or forth. Commands recorded after `to` are kept, and come again, until a new command
    /// is given: that forks the run.
    pub fn seek(&mut self, to: Micros) {
        let to = self.start() + to;
        self.printed_until = self.printed_until.max(self.line.horizon());
        let is_back = to < self.line.now();
        while !self.line.seek(to, u64::MAX) {}
        self.hear();
        if is_back {
            self.tell_all();
        }
    }

    /// About how many bytes the cluster takes.
    pub fn weight(&self) -> u64 {
        sim::Machine::weight(self.line.machine())
    }

    /// Tells everything from the beginning, for an audience that knows nothing of it, or something else.
    pub fn tell_all(&mut self) {
        self.watcher = Watcher::default();
        self.updates.push(Update::Reset);
        for terminal in self.prompts.keys().copied().collect::<Vec<_>>() {
            self.prompts.insert(terminal, PromptState::Busy);
            self.prompt(terminal);
        }
    }

    /// Leaves what is recorded after this moment, and opens another future. Answers with the run as it was.
    pub fn go_on_from_here(&mut self) -> Playground {
        let left = self.clone();
        self.line = self.line.fork();
        self.printed_until = self.line.now();
        self.given += 1;
        left
    }

    /// Another playground with the same past and its future open.
    pub fn fork(&self) -> Playground {
        let mut fork = Playground::with(self.options.clone(), self.line.fork());
        fork.given = self.given + 1;
        fork.attempts = self.attempts.clone();
        fork
    }

    /// What changed since the last call.
    pub fn updates(&mut self) -> Vec<Update> {
        self.watcher.look(
            self.line.machine().workstation.cluster(),
            self.line.machine().start(),
            &mut self.updates,
        );
        std::mem::take(&mut self.updates)
    }

    /// What is wrong with a manifest, in the order of the text.
    pub fn diagnose(&self, text: &str) -> Vec<Problem> {
        editing::diagnose(text)
    }

    /// Fields and values that fit at `cursor` (in bytes) of a manifest.
    pub fn complete_manifest(&self, text: &str, cursor: usize) -> Completion {
        editing::complete(text, cursor)
    }

    /// What the field at `cursor` (in bytes) of a manifest is for.
    pub fn hover(&self, text: &str, cursor: usize) -> Option<Text> {
        editing::hover(text, cursor)
    }

    /// How a terminal's line can go on from `cursor` (in bytes).
    pub fn complete_line(&self, _terminal: TerminalId, line: &str, cursor: usize) -> Completion {
        ask::complete_line(self.cluster(), line, cursor)
    }

    /// Everything about one object; `None` if it does not exist.
    pub fn inspect(&self, object: &ObjectRef) -> Option<Detail> {
        ask::inspect(self.cluster(), self.start(), object)
    }

    /// The live object that a manifest's first document names, as `kubectl get -o yaml` without what the server filled in; for the diff.
    pub fn live(&self, text: &str) -> Option<String> {
        ask::live(self.cluster(), text)
    }

    /// How far a slide's task is, and the common mistake that the cluster shows, if any. Remembers goals that were met.
    pub fn progress(&mut self, task: &Task) -> (Progress, Option<Text>) {
        let world = ask::Live {
            cluster: self.line.machine().workstation.cluster(),
            commands: self.line.commands(),
        };
        let attempt = self.attempts.entry(task.id.clone()).or_default();
        let progress = attempt.observe(task, &world);
        let mistake = if progress.met {
            None
        } else {
            task.mistake(&world)
        };
        (
            progress,
            mistake.map(|mistake| inspect::words(&mistake.say)),
        )
    }

    fn start(&self) -> Time {
        self.line.machine().start()
    }

    fn cluster(&self) -> &cluster::Cluster {
        self.line.machine().workstation.cluster()
    }

    fn steps(&self) -> u64 {
        self.cluster().steps()
    }

    fn print(&mut self, terminal: TerminalId, output: Output) {
        self.updates
            .push(Update::Terminal(TerminalUpdate { terminal, output }));
    }

    /// Takes what the terminals printed, and tells how an Apply ended.
    fn hear(&mut self) {
        let is_again = self.line.now() < self.printed_until;
        let terminals: Vec<TerminalId> = self.prompts.keys().copied().collect();
        for terminal in terminals {
            let chunks = self
                .line
                .machine_mut()
                .workstation
                .take_output(FIRST_CLIENT + terminal);
            let is_applying = self
                .line
                .machine()
                .applying
                .as_ref()
                .is_some_and(|a| a.terminal == terminal);
            for chunk in chunks {
                if is_applying && chunk.is_error {
                    self.refusals.push_str(&chunk.text);
                }
                if !is_again {
                    self.print(
                        terminal,
                        if chunk.is_error {
                            Output::Stderr(chunk.text)
                        } else {
                            Output::Stdout(chunk.text)
                        },
                    );
                }
            }
            let opened = self
                .line
                .machine_mut()
                .workstation
                .take_opened(FIRST_CLIENT + terminal);
            for (name, text) in opened {
                if !is_again {
                    self.updates
                        .push(Update::File(crate::FileText { name, text }));
                }
            }
            self.prompt(terminal);
            if is_applying && let Prompt::Ready { status } = self.line.machine().prompt(terminal) {
                let applying = self.line.machine_mut().applying.take().expect("just seen");
                let problems = if status == 0 {
                    Vec::new()
                } else {
                    editing::refused(&applying.text, &self.refusals)
                };
                self.refusals.clear();
                self.updates.push(Update::Applied(Applied {
                    file: applying.file,
                    rc: status,
                    problems,
                }));
            }
        }
        self.printed_until = self.printed_until.max(self.line.now());
    }

    /// Tells where a terminal's prompt stands, if that is new.
    fn prompt(&mut self, terminal: TerminalId) {
        let state = match self.line.machine().prompt(terminal) {
            Prompt::Ready { status } => PromptState::Ready { rc: status },
            Prompt::More | Prompt::Input => PromptState::Continue,
            Prompt::Busy => PromptState::Busy,
        };
        if self.prompts.insert(terminal, state) != Some(state) {
            self.print(terminal, Output::Prompt(state));
        }
    }
}
