//! A terminal used from outside, line by line: each command runs until it ends, and virtual time passes only while
//! something runs or sleeps. The console and the tests that replay recorded sessions drive a workstation with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::{Machine, Micros, Time};

use crate::Prompt;
use crate::terminal::Chunk;
use crate::workstation::{Command, Options, Workstation};

/// The terminal that sessions use.
const TERMINAL: u32 = 1;
/// The control plane and the nodes are up before the first line, as they are when a learner opens the page.
const BOOT: Micros = 12 * sim::SECOND;
/// A command that runs longer than this without an end is interrupted (`kubectl get --watch`), unless told otherwise.
const PATIENCE: Micros = sim::HOUR;

/// How long a session in a container is given to answer a line before the next one is typed.
const INPUT_PAUSE: Micros = sim::SECOND;

/// A workstation driven line by line.
#[derive(Clone, Debug)]
pub struct Session {
    workstation: Workstation,
    start: Time,
    /// Lines of a command that is not complete yet.
    pending: String,
    status: i32,
    /// How long a command may run.
    pub patience: Micros,
}

/// A command line that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When it began, since the session's start.
    pub at: Micros,
    pub line: String,
    pub status: i32,
    pub output: Vec<Chunk>,
}

impl Session {
    /// A cluster that has come up, and a terminal in the directory `dir`.
    pub fn new(options: Options, dir: &str) -> Session {
        let mut workstation = Workstation::new(options);
        let boot = workstation.now() + BOOT;
        workstation.advance(boot, u64::MAX);
        workstation.open_terminal(TERMINAL, dir);
        Session {
            start: workstation.now(),
            workstation,
            pending: String::new(),
            status: 0,
            patience: PATIENCE,
        }
    }

    /// From now on `kubectl explain` says what fields mean.
    pub fn set_field_texts(&mut self, texts: Arc<BTreeMap<String, String>>) {
        self.workstation.cluster_mut().set_field_texts(texts);
    }

    /// Exit status of the last command.
    pub fn status(&self) -> i32 {
        self.status
    }

    pub fn workstation(&self) -> &Workstation {
        &self.workstation
    }

    pub fn workstation_mut(&mut self) -> &mut Workstation {
        &mut self.workstation
    }

    /// The terminal's current directory.
    pub fn directory(&self) -> String {
        self.workstation.directory(TERMINAL)
    }

    /// Lets virtual time pass.
    pub fn wait(&mut self, span: Micros) {
        let until = self.workstation.now() + span;
        self.workstation.advance(until, u64::MAX);
    }

    /// Runs a line to its end, handing out its output as it comes; `None` if more lines belong to it (or it was a
    /// comment). A line that only sleeps takes any Go duration.
    pub fn line(&mut self, line: &str, mut print: impl FnMut(&Chunk)) -> Option<Outcome> {
        let is_blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        let is_read = self.workstation.prompt(TERMINAL) == Prompt::Input;
        if self.pending.is_empty() && is_blank && !is_read {
            return None;
        }
        if !self.pending.is_empty() {
            self.pending.push('\n');
        }
        self.pending.push_str(line);
        let at = self.workstation.now();
        if let Some(span) = sleep_span(&self.pending).filter(|_| !is_read) {
            self.wait(span);
            self.status = 0;
            return Some(self.outcome(at, Vec::new()));
        }
        self.workstation.command(Command::Line {
            terminal: TERMINAL,
            text: line.to_owned(),
        });
        if self.workstation.prompt(TERMINAL) == Prompt::More {
            return None;
        }
        Some(self.finish(at, &mut print))
    }

    /// The input is over: what was begun runs as it stands.
    pub fn end(&mut self, mut print: impl FnMut(&Chunk)) -> Option<Outcome> {
        if self.pending.is_empty() {
            return None;
        }
        let at = self.workstation.now();
        self.workstation.end_of_input(TERMINAL);
        Some(self.finish(at, &mut print))
    }

    /// Lets virtual time pass until the command has ended.
    fn finish(&mut self, at: Time, print: &mut impl FnMut(&Chunk)) -> Outcome {
        let mut output: Vec<Chunk> = Vec::new();
        let patience = at + self.patience;
        let (mut interrupts, mut has_paused) = (0, false);
        loop {
            for chunk in self.workstation.take_output(TERMINAL) {
                print(&chunk);
                match output.last_mut() {
                    Some(last) if last.is_error == chunk.is_error => {
                        last.text.push_str(&chunk.text)
                    }
                    _ => output.push(chunk),
                }
            }
            match self.workstation.prompt(TERMINAL) {
                Prompt::Ready { status } => {
                    self.status = status;
                    break;
                }
                Prompt::More => break,
                Prompt::Input if self.workstation.is_awaited(TERMINAL) => {
                    if has_paused {
                        self.status = 0;
                        break;
                    }
                    // What it has written is still on its way.
                    has_paused = true;
                    self.wait(INPUT_PAUSE);
                    continue;
                }
                Prompt::Input | Prompt::Busy => has_paused = false,
            }
            // A program in a container may take Ctrl+C and go on; the second one is for the command itself.
            if self.workstation.now() >= patience + interrupts * sim::SECOND && interrupts < 2 {
                interrupts += 1;
                self.workstation
                    .command(Command::Interrupt { terminal: TERMINAL });
                continue;
            }
            let is_interrupted = interrupts == 2;
            let until = patience + interrupts * sim::SECOND;
            let did_nothing = self.workstation.advance(until, 1) == 0;
            if is_interrupted && did_nothing && self.workstation.now() >= until {
                break;
            }
        }
        self.outcome(at, output)
    }

    fn outcome(&mut self, at: Time, output: Vec<Chunk>) -> Outcome {
        Outcome {
            at: at.since(self.start),
            line: std::mem::take(&mut self.pending),
            status: self.status,
            output,
        }
    }
}

impl Outcome {
    /// All standard output, or all error output.
    pub fn text(&self, is_error: bool) -> String {
        self.output
            .iter()
            .filter(|chunk| chunk.is_error == is_error)
            .map(|chunk| chunk.text.as_str())
            .collect()
    }
}

/// The span of a line that only sleeps: `sleep 30s`, `sleep 1m30s`, `sleep 5`.
fn sleep_span(line: &str) -> Option<Micros> {
    let span = line.trim().strip_prefix("sleep ")?.trim();
    if let Ok(seconds) = span.parse::<u64>() {
        return Some(seconds.saturating_mul(sim::SECOND));
    }
    let nanos = api::duration::parse(span).ok()?;
    u64::try_from(nanos).ok().map(|nanos| nanos / 1_000)
}
