//! How things end: the status of a command, an error, the shell itself; and putting back what was changed.

use super::Shell;
use super::frame::*;
use super::run::Flow;
use crate::system::{Kernel, Process, Turn};
use std::sync::Arc;

impl Shell {
    /// A command ended with this status: `set -e` and the ERR trap look at it.
    pub(crate) fn settle(&mut self, status: i32, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        self.status = status;
        self.pipe_status.clear();
        if status == 0 || !self.options.errexit || self.interactive {
            return Flow::Go;
        }
        if self.spared || self.is_spared() {
            return Flow::Go;
        }
        self.exit(status, p, k)
    }

    /// Whether a failure now is part of a condition.
    pub(crate) fn is_spared(&self) -> bool {
        self.frames.iter().any(|f| match f {
            Frame::Not | Frame::AndOr { .. } => true,
            Frame::If { in_cond, .. } | Frame::While { in_cond, .. } => *in_cond,
            _ => false,
        })
    }

    /// An error that ends a script but not a session.
    pub(crate) fn fatal(&mut self, status: i32, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        self.status = status;
        if !self.interactive {
            return self.exit(status, p, k);
        }
        let keep = match self.frames.first() {
            Some(Frame::Source(s)) if s.kind == SourceKind::Stdin => 1,
            _ => 0,
        };
        self.unwind(keep, p, k);
        Flow::Go
    }

    /// Ends the shell, after its EXIT trap.
    pub(crate) fn exit(&mut self, status: i32, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        self.unwind(0, p, k);
        let trap = self.traps.get(&0).cloned();
        if let Some(text) = trap
            && !text.is_empty()
        {
            Arc::make_mut(&mut self.traps).remove(&0);
            self.status = status;
            self.exiting = Some(status);
            self.push_source(&text, SourceKind::Eval);
            return Flow::Go;
        }
        Flow::Turn(Turn::Exit(status & 0xff))
    }

    /// Pops frames down to a depth and puts back what they changed.
    pub(crate) fn unwind(&mut self, depth: usize, p: &mut Process, k: &mut Kernel<'_>) {
        while self.frames.len() > depth {
            match self.frames.pop() {
                Some(Frame::Restore(restore)) => self.restore(*restore, p, k),
                Some(Frame::Call(call)) => self.leave_call(*call),
                Some(Frame::Capture(capture)) => {
                    if let Some(open) = capture.open {
                        k.close(open);
                    }
                }
                Some(Frame::Start(start)) => {
                    for fd in start.pipes {
                        k.close_fd(p, fd);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn leave_call(&mut self, call: Call) {
        self.args = call.args;
        for (name, var) in call.locals.into_iter().rev() {
            self.vars_mut().restore(&name, var);
        }
    }

    pub(crate) fn restore(&mut self, restore: Restore, p: &mut Process, k: &mut Kernel<'_>) {
        for (fd, old) in restore.fds.into_iter().rev() {
            match old {
                Some(open) => k.redirect(p, fd, open),
                None => k.close_fd(p, fd),
            }
        }
        for fd in restore.pipes {
            k.close_fd(p, fd);
        }
        for (name, var) in restore.vars.into_iter().rev() {
            self.vars_mut().restore(&name, var);
        }
    }

    /// Says something on standard error, as this shell begins its messages.
    pub(crate) fn complain(&mut self, p: &mut Process, k: &mut Kernel<'_>, message: &str) {
        let text = format!("{}: {message}\n", self.who());
        // Without a standard error there is nobody to tell.
        let _ = k.put(p, 2, text.as_bytes());
    }
}
