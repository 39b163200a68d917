//! Substitutions: a command stops in its expansion, what it needs runs, and its expansion begins again with the result.

use super::expand::{Expanded, Expander, Stop};
use super::frame::*;
use super::run::Flow;
use super::{Job, Shell};
use crate::syntax::{Cmd, Command, Dialect};
use crate::system::{Kernel, Process, Program, Read, Wait};
use std::sync::Arc;

/// Text a command substitution may give.
const CAPTURE_LIMIT: usize = 4 << 20;

impl Shell {
    /// Expands with the results so far, and applies the assignments it made once it is through.
    pub(crate) fn expand<T>(
        &mut self,
        results: &[Arc<str>],
        p: &Process,
        k: &mut Kernel<'_>,
        run: impl FnOnce(&mut Expander<'_>) -> Expanded<T>,
    ) -> Expanded<T> {
        let files = k.files(p);
        let mut expander = Expander::new(self, &files, results);
        let value = run(&mut expander)?;
        let (assigned, random) = (std::mem::take(&mut expander.assigned), expander.random);
        self.random = random;
        for a in assigned {
            if self.vars.get(&a.name).is_some_and(|v| v.readonly) {
                return Err(Stop::Fail(format!("{}: readonly variable", a.name)));
            }
            match a.index {
                Some(index) => self.vars_mut().set_element(&a.name, &index, a.value),
                None => self.set_variable(&a.name, a.value),
            }
        }
        Ok(value)
    }

    /// Puts a command back that stopped in its expansion, and does what it needs.
    pub(crate) fn need(
        &mut self,
        start: Start,
        stop: Stop,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        match stop {
            Stop::Command(cmd) => {
                self.frames.push(Frame::Start(Box::new(start)));
                if let Some(flow) = self.read_file_substitution(&cmd, p, k) {
                    return flow;
                }
                self.substitute(&cmd, p, k)
            }
            Stop::Process { reads, cmd } => {
                self.frames.push(Frame::Start(Box::new(start)));
                self.process_substitution(reads, &cmd, p, k)
            }
            stop @ (Stop::Fail(_) | Stop::Unset(_)) => {
                let unset = matches!(stop, Stop::Unset(_));
                let (Stop::Fail(message) | Stop::Unset(message)) = stop else {
                    return Flow::Go;
                };
                for fd in start.pipes {
                    k.close_fd(p, fd);
                }
                self.complain(p, k, &message);
                let status = match self.dialect {
                    Dialect::Bash if unset && !self.interactive => 127,
                    Dialect::Bash => 1,
                    _ => 2,
                };
                self.fatal(status, p, k)
            }
        }
    }

    /// Runs a command substitution for the frame below.
    pub(super) fn substitute(&mut self, cmd: &Cmd, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        let shell = self.subshell(cmd);
        let Some(child) = k.fork(p, Program::Shell(Box::new(shell)), false) else {
            return self.cannot_fork(p, k);
        };
        let (read, write) = k.sys.pipe();
        k.redirect_child(child, 1, write);
        self.frames.push(Frame::Capture(Box::new(Capture {
            child,
            open: Some(read),
            bytes: Vec::new(),
        })));
        Flow::Go
    }

    pub(super) fn capture(
        &mut self,
        mut capture: Box<Capture>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        if let Some(open) = capture.open {
            loop {
                match k.read(open, 65_536) {
                    Read::Data(bytes) => {
                        let room = CAPTURE_LIMIT.saturating_sub(capture.bytes.len());
                        capture.bytes.extend(bytes.iter().take(room));
                    }
                    Read::Wait => {
                        self.frames.push(Frame::Capture(capture));
                        p.wait = Wait::Read(open);
                        return Flow::Wait;
                    }
                    Read::End | Read::Failed(_) => break,
                }
            }
            k.close(open);
            capture.open = None;
        }
        let status = match k.reap(p.pid, Some(capture.child)) {
            Some((_, ending)) => ending.status(),
            None if k.has_child(p.pid, capture.child) => {
                self.frames.push(Frame::Capture(capture));
                p.wait = Wait::Child;
                return Flow::Wait;
            }
            None => 0,
        };
        let mut text = String::from_utf8_lossy(&capture.bytes).into_owned();
        text.retain(|c| c != '\0');
        let kept = text.trim_end_matches('\n').len();
        text.truncate(kept);
        self.status = status;
        self.substituted = Some(status);
        if let Some(Frame::Start(start)) = self.frames.last_mut() {
            start.results.push(text.into());
        }
        Flow::Go
    }

    /// Starts `<(…)`: its pipe becomes a descriptor of this shell.
    fn process_substitution(
        &mut self,
        reads: bool,
        cmd: &Cmd,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let shell = self.subshell(cmd);
        let Some(child) = k.fork(p, Program::Shell(Box::new(shell)), true) else {
            return self.cannot_fork(p, k);
        };
        let (read, write) = k.sys.pipe();
        let (theirs, ours) = if reads { (write, read) } else { (read, write) };
        k.redirect_child(child, if reads { 1 } else { 0 }, theirs);
        let fd = (10..=63u16)
            .rev()
            .find(|fd| p.fd(*fd).is_none())
            .unwrap_or(63);
        k.redirect(p, fd, ours);
        self.jobs.push(Job {
            pid: child,
            status: None,
            text: "".into(),
        });
        if let Some(Frame::Start(start)) = self.frames.last_mut() {
            start.results.push(format!("/dev/fd/{fd}").into());
            start.pipes.push(fd);
        }
        Flow::Go
    }

    /// `$(<file)`
    fn read_file_substitution(
        &mut self,
        cmd: &Cmd,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Option<Flow> {
        let Command::Simple(simple) = &**cmd else {
            return None;
        };
        let ([], [], [redir]) = (&*simple.words, &*simple.assigns, &*simple.redirs) else {
            return None;
        };
        if redir.op != crate::syntax::RedirOp::Read {
            return None;
        }
        let path = match self.expand(&[], p, k, |e| e.target(&redir.target)) {
            Ok(path) => path,
            Err(_) => return None,
        };
        let text = match k.files(p).read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(errno) => {
                self.complain(p, k, &format!("{path}: {errno}"));
                self.substituted = Some(1);
                String::new()
            }
        };
        if let Some(Frame::Start(start)) = self.frames.last_mut() {
            start.results.push(text.trim_end_matches('\n').into());
        }
        Some(Flow::Go)
    }
}
