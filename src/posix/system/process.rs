//! One process: what it runs, its descriptors, and what it waits for.

use super::open::OpenId;
use super::signal::Signal;
use crate::files::User;
use crate::host::{Pid, Reply};
use crate::shell::{Env, Shell};
use crate::tools::Tool;
use std::sync::Arc;

/// Arguments, the name first.
pub(crate) type Argv = Arc<[Arc<str>]>;

/// Why a process does not run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Ready,
    Until(i64),
    Read(OpenId),
    /// Data to read, or this time.
    ReadUntil(OpenId, i64),
    /// Its own output does not drain.
    Flush,
    /// A child that ended.
    Child,
    /// A child that ended, or this time.
    ChildUntil(i64),
    /// The network's or the host's answer.
    Reply,
    /// A line of the person at the terminal.
    Line,
    /// Until a signal.
    Pause,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Exited(i32),
    Killed(Signal),
}

impl Ending {
    /// The number a shell shows: 128 + n for signal n.
    pub fn status(self) -> i32 {
        match self {
            Ending::Exited(status) => status,
            Ending::Killed(signal) => 128 + signal.0 as i32,
        }
    }
}

/// What a process runs.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// About to become a program, found by name.
    Exec(Box<Exec>),
    Shell(Box<Shell>),
    Tool(Box<Tool>),
    External(Box<External>),
    /// Taken out while it runs, or gone.
    Gone,
}

/// A program to be found and started.
#[derive(Clone, Debug)]
pub(crate) struct Exec {
    pub(crate) argv: Argv,
    pub(crate) env: Arc<Env>,
    /// Who complains if it cannot start: `bash: line 1`.
    pub(crate) who: Arc<str>,
    pub(crate) dialect: crate::syntax::Dialect,
}

/// A program that the host runs.
#[derive(Clone, Debug)]
pub(crate) struct External {
    pub(crate) argv: Argv,
    pub(crate) env: Arc<Env>,
    pub(crate) who: Arc<str>,
    pub(crate) dialect: crate::syntax::Dialect,
    /// Standard input so far, while it is collected.
    pub(crate) input: Option<Vec<u8>>,
    /// The descriptors that the arguments name, as far as they are collected.
    pub(crate) descriptors: Vec<(u16, Vec<u8>)>,
    pub(crate) running: bool,
    pub(crate) catches_signals: bool,
    pub(crate) finished: Option<i32>,
}

/// Bytes on their way to an open file.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub(crate) open: OpenId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: Pid,
    /// Started with `&`: the terminal's interrupt passes it by.
    pub(crate) background: bool,
    pub(crate) argv: Argv,
    pub(crate) program: Program,
    pub(crate) fds: Vec<(u16, OpenId)>,
    pub(crate) cwd: Arc<str>,
    pub(crate) user: Arc<User>,
    pub(crate) umask: u16,
    pub(crate) wait: Wait,
    pub(crate) stopped: bool,
    /// Signals that arrived for a handler.
    pub(crate) pending: u64,
    /// Signals that are ignored, inherited by children.
    pub(crate) ignored: u64,
    pub(crate) out: Vec<Out>,
    pub(crate) ending: Option<Ending>,
    /// It has ended and waits for its parent to ask.
    pub(crate) zombie: bool,
    /// Its parent has seen that it ended, and waits for others.
    pub(crate) told: bool,
    pub(crate) reply: Option<Box<Reply>>,
    pub(crate) started: i64,
    pub(crate) steps: u64,
}

impl Process {
    pub(crate) fn fd(&self, fd: u16) -> Option<OpenId> {
        self.fds.iter().find(|(n, _)| *n == fd).map(|(_, o)| *o)
    }

    /// Points a descriptor somewhere; what it pointed to before comes back, to be closed.
    pub(crate) fn set_fd(&mut self, fd: u16, open: OpenId) -> Option<OpenId> {
        match self.fds.iter_mut().find(|(n, _)| *n == fd) {
            Some(entry) => Some(std::mem::replace(&mut entry.1, open)),
            None => {
                self.fds.push((fd, open));
                None
            }
        }
    }

    /// Takes a descriptor away; the caller closes what it pointed to.
    pub(crate) fn take_fd(&mut self, fd: u16) -> Option<OpenId> {
        let i = self.fds.iter().position(|(n, _)| *n == fd)?;
        Some(self.fds.remove(i).1)
    }
}

/// What a turn of a process leads to.
pub(crate) enum Turn {
    /// `wait` says when it goes on.
    Continue,
    Become(Program),
    Exit(i32),
}
