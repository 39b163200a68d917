//! Child processes: pipelines, background jobs, and waiting for those in the foreground.

use super::frame::*;
use super::run::Flow;
use super::{Job, Shell};
use crate::files::Device;
use crate::syntax::{Cmd, Command, Dialect, Part};
use crate::system::{Ending, Kernel, Process, Program, Target, Wait};

/// Finished background children whose status is kept.
const JOB_LIMIT: usize = 64;

impl Shell {
    pub(super) fn pipeline(
        &mut self,
        stages: &[Cmd],
        join: &[bool],
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let mut pids = Vec::new();
        let mut input = None;
        for (i, stage) in stages.iter().enumerate() {
            let last = i + 1 == stages.len();
            let shell = self.subshell(stage);
            let Some(pid) = k.fork(p, Program::Shell(Box::new(shell)), false) else {
                if let Some(open) = input {
                    k.close(open);
                }
                return self.cannot_fork(p, k);
            };
            if let Some(open) = input.take() {
                k.redirect_child(pid, 0, open);
            }
            if !last {
                let (read, write) = k.sys.pipe();
                if join[i] {
                    k.sys.share(write);
                    k.redirect_child(pid, 2, write);
                }
                k.redirect_child(pid, 1, write);
                input = Some(read);
            }
            pids.push(pid);
        }
        self.wait_on(pids, "");
        Flow::Go
    }

    pub(crate) fn wait_on(&mut self, pids: Vec<u32>, text: &str) {
        self.frames.push(Frame::Wait(Box::new(Waiting {
            pids: pids.into_iter().map(|pid| (pid, None)).collect(),
            text: text.into(),
        })));
    }

    pub(super) fn wait_foreground(
        &mut self,
        mut waiting: Box<Waiting>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let mut death = None;
        for (pid, status) in waiting.pids.iter_mut().filter(|(_, s)| s.is_none()) {
            if let Some((_, ending)) = k.reap(p.pid, Some(*pid)) {
                *status = Some(ending.status());
                if let Ending::Killed(signal) = ending {
                    death = Some((*pid, signal));
                }
            } else if !k.has_child(p.pid, *pid) {
                *status = Some(127);
            }
        }
        if let Some((pid, signal)) = death {
            let what = signal.description();
            let last = waiting.pids.last().is_some_and(|(last, _)| *last == pid);
            if !what.is_empty() && last && !waiting.text.is_empty() {
                let text = match self.dialect {
                    Dialect::Bash if !self.interactive => {
                        format!("{}: {pid:>5} {what:<23} {}\n", self.who(), waiting.text)
                    }
                    _ => format!("{what}\n"),
                };
                let _ = k.put(p, 2, text.as_bytes());
            }
        }
        if waiting.pids.iter().any(|(_, s)| s.is_none()) {
            self.frames.push(Frame::Wait(waiting));
            p.wait = Wait::Child;
            return Flow::Wait;
        }
        let statuses: Vec<i32> = waiting.pids.iter().map(|(_, s)| s.unwrap_or(0)).collect();
        let mut status = statuses.last().copied().unwrap_or(0);
        if self.options.pipefail {
            status = statuses
                .iter()
                .rev()
                .copied()
                .find(|s| *s != 0)
                .unwrap_or(0);
        }
        let flow = self.settle(status, p, k);
        if statuses.len() > 1 {
            self.pipe_status = statuses;
        }
        flow
    }

    pub(super) fn start_background(&mut self, cmd: &Cmd, p: &mut Process, k: &mut Kernel<'_>) {
        let mut shell = self.subshell(cmd);
        shell.spared = false;
        let Some(pid) = k.fork(p, Program::Shell(Box::new(shell)), true) else {
            let _ = self.cannot_fork(p, k);
            return;
        };
        if !self.interactive {
            let null = k.sys.open(Target::Device(Device::Null));
            k.redirect_child(pid, 0, null);
        }
        let ignores = self.background_ignores();
        if let Some(child) = k.sys.process_mut(pid) {
            child.ignored |= ignores;
        }
        self.last_background = Some(pid);
        self.collect_jobs(k);
        if self.jobs.len() >= JOB_LIMIT {
            let done = self.jobs.iter().position(|j| j.status.is_some());
            if let Some(done) = done {
                self.jobs.remove(done);
            }
        }
        self.jobs.push(Job {
            pid,
            status: None,
            text: command_text(cmd).into(),
        });
        self.status = 0;
    }

    /// Takes the statuses of background children that have ended.
    pub(crate) fn collect_jobs(&mut self, k: &mut Kernel<'_>) {
        let own = self.own_pid;
        for job in self.jobs.iter_mut().filter(|j| j.status.is_none()) {
            if let Some((_, ending)) = k.reap(own, Some(job.pid)) {
                job.status = Some(ending.status());
            }
        }
    }

    pub(crate) fn cannot_fork(&mut self, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        let message = match self.dialect {
            Dialect::Bash => "fork: retry: Resource temporarily unavailable",
            Dialect::Ash => "can't fork: Resource temporarily unavailable",
            Dialect::Dash => "Cannot fork",
        };
        self.complain(p, k, message);
        self.fatal(2, p, k)
    }
}

/// A short text of a command, for `jobs`.
pub(crate) fn command_text(cmd: &Cmd) -> String {
    match &**cmd {
        Command::Simple(simple) => {
            let words: Vec<String> = simple.words.iter().map(|w| word_text(w)).collect();
            words.join(" ")
        }
        Command::Pipeline { stages, .. } => {
            let texts: Vec<String> = stages.iter().map(command_text).collect();
            texts.join(" | ")
        }
        Command::Subshell(inner) => format!("( {} )", command_text(inner)),
        Command::Redirected { inner, .. } => command_text(inner),
        Command::While { .. } => "while ...".into(),
        Command::For { name, .. } => format!("for {name} in ..."),
        _ => "...".into(),
    }
}

fn word_text(word: &[Part]) -> String {
    let texts: Vec<String> = word
        .iter()
        .map(|part| match part {
            Part::Lit(t) => t.to_string(),
            Part::Quoted(t) => super::quote(t),
            Part::Double(inside) => format!("\"{}\"", word_text(inside)),
            Part::Param(param) => format!("${}", param.name),
            Part::Command(cmd) => format!("$({})", command_text(cmd)),
            Part::Tilde(user) => format!("~{user}"),
            Part::Arith(inside) => format!("$(({}))", word_text(inside)),
            Part::Process { cmd, .. } => format!("<({})", command_text(cmd)),
        })
        .collect();
    texts.concat()
}
