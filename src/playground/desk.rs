//! What a recording is played on: a workstation that understands the page's commands.

use shell::{Prompt, Workstation};
use sim::{Machine, Time};

use crate::{Command, Options, TerminalId};

/// Client number of terminal 0; the page's terminals follow.
pub(crate) const FIRST_CLIENT: u32 = 100;

/// The nodes are Ready before anything can be done: what is applied first spreads over all of them.
const BOOT: sim::Micros = 12 * sim::SECOND;

#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) workstation: Workstation,
    /// When the learner sat down: the cluster had come up before.
    start: Time,
    /// The Apply that runs, if one does.
    pub(crate) applying: Option<Applying>,
}

/// An Apply whose command line has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Applying {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) terminal: TerminalId,
}

impl Desk {
    pub(crate) fn new(options: &Options) -> Desk {
        let options = shell::Options {
            seed: options.seed,
            nodes: options.nodes,
            ..shell::Options::default()
        };
        let mut workstation = Workstation::new(options);
        let start = workstation.now() + BOOT;
        workstation.advance(start, u64::MAX);
        Desk {
            workstation,
            start,
            applying: None,
        }
    }

    pub(crate) fn start(&self) -> Time {
        self.start
    }

    pub(crate) fn prompt(&self, terminal: TerminalId) -> Prompt {
        self.workstation.prompt(FIRST_CLIENT + terminal)
    }

    fn line(&mut self, terminal: TerminalId, text: String) {
        self.workstation.command(shell::Command::Line {
            terminal: FIRST_CLIENT + terminal,
            text,
        });
    }

    fn write(&mut self, path: String, text: String) {
        self.workstation
            .command(shell::Command::Write { path, text });
    }
}

impl Machine for Desk {
    type Command = Command;

    fn now(&self) -> Time {
        self.workstation.now()
    }

    fn advance(&mut self, until: Time, steps: u64) -> u64 {
        self.workstation.advance(until, steps)
    }

    fn weight(&self) -> u64 {
        self.workstation.weight()
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Apply {
                file,
                text,
                terminal,
            } => {
                self.write(file.clone(), text.clone());
                self.line(terminal, apply_line(&file));
                self.applying = Some(Applying {
                    file,
                    text,
                    terminal,
                });
            }
            Command::Save(file) => self.write(file.name, file.text),
            Command::Terminal { terminal, line } => self.line(terminal, line),
            Command::Interrupt { terminal } => {
                self.workstation.command(shell::Command::Interrupt {
                    terminal: FIRST_CLIENT + terminal,
                })
            }
        }
    }
}

/// The line that Apply stands for.
pub(crate) fn apply_line(file: &str) -> String {
    let is_plain = file
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    if is_plain {
        format!("kubectl apply -f {file}")
    } else {
        format!("kubectl apply -f '{}'", file.replace('\'', "'\\''"))
    }
}
