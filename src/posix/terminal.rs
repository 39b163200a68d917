//! A person at a prompt: lines in, output out, with variables and directory that stay.

use crate::files::Mounts;
use crate::files::{Disk, User};
use crate::host::{Host, Pid};
use crate::shell::Env;
use crate::syntax::{Dialect, ParseError, Parser};
use crate::system::{Channel, Event, Flavour, Spawn, System};

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineResult {
    /// More lines belong to it: an open quote, here-document or compound command. It is kept.
    Incomplete,
    /// It runs; step the system until the shell prompts again.
    Running,
    /// The shell is still busy with the line before, or has ended.
    Refused,
}

/// An interactive bash with its system of processes.
#[derive(Clone, Debug)]
pub struct Terminal {
    pub system: System,
    shell: Pid,
    held: String,
    status: i32,
    busy: bool,
}

impl Terminal {
    /// A terminal whose shell starts in `cwd`. `tty` makes tools use columns and shells prompt.
    pub fn new(
        mounts: Mounts,
        flavour: Flavour,
        env: Env,
        cwd: &str,
        tty: bool,
        host: &mut dyn Host,
    ) -> Terminal {
        let mut system = System::new(mounts, flavour);
        system.set_next_pid(1000);
        let spawn = Spawn {
            argv: vec!["bash".into()],
            env,
            cwd: cwd.into(),
            user: User::root(),
            channel: Channel(0),
            tty,
            stdin: false,
        };
        let shell = system.spawn_shell(spawn, Dialect::Bash, host);
        Terminal {
            system,
            shell,
            held: String::new(),
            status: 0,
            busy: false,
        }
    }

    /// Whether a text is a whole command line; `Err(Incomplete)` asks for another line.
    pub fn check(text: &str) -> Result<(), ParseError> {
        let mut parser = Parser::new(text, Dialect::Bash).interactive();
        while parser.next_command()?.is_some() {}
        Ok(())
    }

    /// Takes the next line (without its newline). Lines are gathered until they make a command.
    pub fn line(&mut self, text: &str) -> LineResult {
        if self.busy || !self.is_alive() {
            return LineResult::Refused;
        }
        if !self.held.is_empty() {
            self.held.push('\n');
        }
        self.held.push_str(text);
        if let Err(ParseError::Incomplete { .. }) = Terminal::check(&self.held) {
            return LineResult::Incomplete;
        }
        self.run_held()
    }

    /// Runs what was gathered although it is not complete: the input has ended.
    pub fn end_of_input(&mut self) -> LineResult {
        if self.busy || self.held.is_empty() || !self.is_alive() {
            return LineResult::Refused;
        }
        self.run_held()
    }

    fn run_held(&mut self) -> LineResult {
        let text = std::mem::take(&mut self.held);
        if self.system.line(self.shell, &text) {
            self.busy = true;
            LineResult::Running
        } else {
            LineResult::Refused
        }
    }

    /// Learns from the system's events; call it with every batch of [`System::take_events`].
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::Prompt { pid, status } if *pid == self.shell => {
                self.status = *status;
                self.busy = false;
            }
            Event::Ended { pid, ending } if *pid == self.shell => {
                self.status = ending.status();
                self.busy = false;
            }
            _ => {}
        }
    }

    /// Ctrl-C: drops gathered lines and interrupts what runs.
    pub fn interrupt(&mut self) {
        self.held.clear();
        self.system.interrupt(self.shell);
    }

    /// A command line is running.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// The shell has not ended (`exit`).
    pub fn is_alive(&self) -> bool {
        self.system.is_alive(self.shell)
    }

    /// Lines are being gathered.
    pub fn is_incomplete(&self) -> bool {
        !self.held.is_empty()
    }

    /// Exit status of the last line.
    pub fn status(&self) -> i32 {
        self.status
    }

    /// The process number of the shell.
    pub fn shell(&self) -> Pid {
        self.shell
    }

    /// The shell's current directory.
    pub fn cwd(&self) -> String {
        self.system
            .processes
            .iter()
            .find(|p| p.pid == self.shell)
            .map_or_else(|| "/".into(), |p| p.cwd.to_string())
    }

    /// The value of a shell variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.system.variable(self.shell, name)
    }

    /// Steps until the shell prompts again, as long as nothing has to be waited for outside. For hosts whose
    /// programs all end at once; gives the time to come back if something sleeps.
    pub fn settle(
        &mut self,
        disk: &mut Disk,
        host: &mut dyn Host,
        budget: u32,
    ) -> crate::system::Poll {
        let poll = self.system.step(disk, host, budget);
        for event in self.system.take_events() {
            self.observe(&event);
        }
        poll
    }
}
