//! What a shell is in the middle of.

use super::vars::Var;
use crate::host::Pid;
use crate::syntax::Cmd;
use crate::system::OpenId;
use std::sync::Arc;

/// Where commands are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// `sh -c`
    Command,
    Script,
    Stdin,
    /// `eval`, a trap's command.
    Eval,
    /// `.` or `source`
    File,
    /// A line of the terminal.
    Line,
}

/// Text of which commands are read one by one.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) text: Arc<str>,
    pub(crate) at: usize,
    pub(crate) line: u32,
    pub(crate) kind: SourceKind,
    pub(crate) prompted: bool,
    /// The start of a line of standard input whose rest has not come.
    pub(crate) partial: Vec<u8>,
}

/// A command that waits for the results of its substitutions.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) cmd: Cmd,
    pub(crate) results: Vec<Arc<str>>,
    /// Descriptors of `<(…)`, closed when the command ends.
    pub(crate) pipes: Vec<u16>,
}

/// A command substitution that is running.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) child: Pid,
    pub(crate) open: Option<OpenId>,
    pub(crate) bytes: Vec<u8>,
}

/// Children in the foreground.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) pids: Vec<(Pid, Option<i32>)>,
    /// What ran, for messages about its death.
    pub(crate) text: Arc<str>,
}

/// What is put back when a command ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restore {
    pub(crate) fds: Vec<(u16, Option<OpenId>)>,
    pub(crate) vars: Vec<(Arc<str>, Option<Var>)>,
    pub(crate) pipes: Vec<u16>,
}

impl Restore {
    pub(crate) fn is_empty(&self) -> bool {
        self.fds.is_empty() && self.vars.is_empty() && self.pipes.is_empty()
    }
}

/// A function call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    /// The caller's arguments.
    pub(crate) args: Arc<[Arc<str>]>,
    pub(crate) locals: Vec<(Arc<str>, Option<Var>)>,
}

/// The builtin `read` in the middle of a line.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) fd: u16,
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) array: bool,
    pub(crate) raw: bool,
    pub(crate) delimiter: u8,
    pub(crate) count: Option<usize>,
    pub(crate) deadline: Option<i64>,
    pub(crate) bytes: Vec<u8>,
}

/// One thing being done; the top of the stack is what goes on.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Source(Box<Source>),
    Run(Cmd),
    Start(Box<Start>),
    List {
        cmd: Cmd,
        next: u32,
    },
    AndOr {
        cmd: Cmd,
        next: u32,
    },
    Not,
    Time {
        started: i64,
    },
    If {
        cmd: Cmd,
        clause: u32,
        in_cond: bool,
    },
    While {
        cmd: Cmd,
        in_cond: bool,
        last: i32,
    },
    For {
        cmd: Cmd,
        items: Arc<[Arc<str>]>,
        next: u32,
    },
    /// A `for ((…))`: `after_body` says whether the step comes first.
    ForArith {
        cmd: Cmd,
        after_body: bool,
    },
    /// Which arm of a `case` ran, for `;&`.
    Case {
        cmd: Cmd,
        arm: u32,
        text: Arc<str>,
    },
    Wait(Box<Waiting>),
    Capture(Box<Capture>),
    Restore(Box<Restore>),
    Call(Box<Call>),
    Read(Box<Reading>),
    /// The builtin `wait`: these children, or any one of them.
    WaitFor {
        pids: Box<[Pid]>,
        any: bool,
    },
    /// A trap's command runs above; then this is the status again.
    Trap {
        status: i32,
    },
}
