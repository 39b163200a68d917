//! The shell's main loop: one frame at a time.
//!
//! What each frame does next is in the file of its matter: `source`, `compound`, `children`, `substitute`, `ending`.

use super::Shell;
use super::compound::find_arm;
use super::expand::Stop;
use super::frame::*;
use crate::syntax::{Cmd, Command, Dialect};
use crate::system::signal::Signal;
use crate::system::{Event, Kernel, Process, Program, Turn, Wait};
use std::sync::Arc;

/// Frames a shell may pile up: a runaway recursion ends here.
const FRAME_LIMIT: usize = 2_000;

/// What follows a step of a frame.
pub(crate) enum Flow {
    Go,
    /// The process's `wait` is set.
    Wait,
    Turn(Turn),
}

impl Shell {
    /// Advances until something has to be waited for or the quantum is used up.
    pub(crate) fn run(
        &mut self,
        p: &mut Process,
        k: &mut Kernel<'_>,
        quantum: u32,
        used: &mut u32,
    ) -> Turn {
        p.wait = Wait::Ready;
        self.own_pid = p.pid;
        for n in 1..=quantum {
            *used = n;
            if p.ending.is_some() {
                return Turn::Continue;
            }
            if !p.out.is_empty() && !k.flush(p) {
                return Turn::Continue;
            }
            if p.pending != 0 && self.takes_signals_now() {
                self.take_signals(p, k);
            }
            match self.advance(p, k) {
                Flow::Go => {}
                Flow::Wait => return Turn::Continue,
                Flow::Turn(turn) => return turn,
            }
        }
        Turn::Continue
    }

    fn take_signals(&mut self, p: &mut Process, k: &mut Kernel<'_>) {
        let pending = std::mem::take(&mut p.pending);
        for n in 1..64u8 {
            let signal = Signal(n);
            if pending & signal.bit() == 0 {
                continue;
            }
            match self.traps.get(&n).cloned() {
                Some(text) if !text.is_empty() => {
                    let mut status = self.status;
                    if let Some(Frame::WaitFor { .. }) = self.frames.last() {
                        // `wait` gives up when a trapped signal arrives.
                        self.frames.pop();
                        status = 128 + n as i32;
                        self.status = status;
                    }
                    self.frames.push(Frame::Trap { status });
                    self.push_source(&text, SourceKind::Eval);
                }
                _ if self.interactive && signal == Signal::INT => {
                    let keep = match self.frames.first() {
                        Some(Frame::Source(s)) if s.kind == SourceKind::Stdin => 1,
                        _ => 0,
                    };
                    self.unwind(keep, p, k);
                    if let Some(Frame::Source(source)) = self.frames.first_mut() {
                        source.at = source.text.len();
                    }
                    self.status = 130;
                }
                _ => {}
            }
        }
    }

    fn advance(&mut self, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        if self.frames.len() > FRAME_LIMIT {
            self.complain(p, k, "maximum function nesting level exceeded");
            return self.exit(2, p, k);
        }
        let Some(frame) = self.frames.pop() else {
            if self.session && self.exiting.is_none() {
                self.collect_jobs(k);
                k.sys.events.push(Event::Prompt {
                    pid: p.pid,
                    status: self.status,
                });
                p.wait = Wait::Line;
                return Flow::Wait;
            }
            let status = self.exiting.unwrap_or(self.status);
            return self.exit(status, p, k);
        };
        match frame {
            Frame::Source(source) => self.read_command(source, p, k),
            Frame::Run(cmd) => self.run_command(cmd, p, k),
            Frame::Start(start) => self.start(*start, p, k),
            Frame::List { cmd, next } => self.next_of_list(cmd, next, p, k),
            Frame::AndOr { cmd, next } => self.next_of_and_or(cmd, next),
            Frame::Not => {
                self.status = (self.status == 0) as i32;
                Flow::Go
            }
            Frame::Time { started } => self.timed(started, p, k),
            Frame::If {
                cmd,
                clause,
                in_cond,
            } => self.next_of_if(cmd, clause, in_cond),
            Frame::While { cmd, in_cond, last } => self.next_of_while(cmd, in_cond, last),
            Frame::For { cmd, items, next } => self.next_of_for(cmd, items, next, p, k),
            Frame::ForArith { cmd, after_body } => self.for_arith(cmd, after_body, p, k),
            Frame::Case { cmd, arm, text } => self.case_fell_through(cmd, arm, text, p, k),
            Frame::Wait(waiting) => self.wait_foreground(waiting, p, k),
            Frame::Capture(capture) => self.capture(capture, p, k),
            Frame::Restore(restore) => {
                self.restore(*restore, p, k);
                Flow::Go
            }
            Frame::Call(call) => {
                self.leave_call(*call);
                Flow::Go
            }
            Frame::Read(reading) => self.read_more(reading, p, k),
            Frame::WaitFor { pids, any } => self.wait_for(pids, any, p, k),
            Frame::Trap { status } => {
                self.status = status;
                Flow::Go
            }
        }
    }

    pub(super) fn run_command(&mut self, cmd: Cmd, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        match &*cmd {
            Command::Empty => self.status = 0,
            Command::List(_) => self.frames.push(Frame::List { cmd, next: 0 }),
            Command::Group(inner) => self.frames.push(Frame::Run(inner.clone())),
            Command::Not(inner) => {
                let inner = inner.clone();
                self.frames.push(Frame::Not);
                self.frames.push(Frame::Run(inner));
            }
            Command::Time(inner) => {
                let inner = inner.clone();
                self.frames.push(Frame::Time { started: k.now });
                self.frames.extend(inner.map(Frame::Run));
            }
            Command::AndOr { first, .. } => {
                let first = first.clone();
                self.frames.push(Frame::AndOr { cmd, next: 0 });
                self.frames.push(Frame::Run(first));
            }
            Command::If { clauses, .. } => {
                let cond = clauses[0].0.clone();
                self.frames.push(Frame::If {
                    cmd,
                    clause: 0,
                    in_cond: true,
                });
                self.frames.push(Frame::Run(cond));
            }
            Command::While { cond, .. } => {
                let cond = cond.clone();
                self.frames.push(Frame::While {
                    cmd,
                    in_cond: true,
                    last: 0,
                });
                self.frames.push(Frame::Run(cond));
            }
            Command::Function { name, body } => {
                Arc::make_mut(&mut self.functions).insert((**name).into(), body.clone());
                self.status = 0;
            }
            Command::Subshell(inner) => {
                let mut shell = self.subshell(inner);
                shell.own_pid = 0;
                let Some(pid) = k.fork(p, Program::Shell(Box::new(shell)), false) else {
                    return self.cannot_fork(p, k);
                };
                self.wait_on(vec![pid], "");
            }
            Command::Pipeline {
                stages,
                join_stderr,
            } => return self.pipeline(stages, join_stderr, p, k),
            Command::Simple(_)
            | Command::For { .. }
            | Command::ForArith { .. }
            | Command::Case { .. }
            | Command::Cond(_)
            | Command::Arith(_)
            | Command::Redirected { .. } => {
                return self.start(
                    Start {
                        cmd,
                        results: Vec::new(),
                        pipes: Vec::new(),
                    },
                    p,
                    k,
                );
            }
        }
        Flow::Go
    }

    pub(super) fn start(&mut self, start: Start, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        let cmd = start.cmd.clone();
        match &*cmd {
            Command::Simple(simple) => self.start_simple(simple, start, p, k),
            Command::For { words, .. } => {
                let items = match words {
                    Some(words) => self.expand(&start.results, p, k, |e| e.words(words)),
                    None => Ok(self.args.to_vec()),
                };
                match items {
                    Ok(items) => {
                        self.status = 0;
                        self.frames.push(Frame::For {
                            cmd: cmd.clone(),
                            items: items.into(),
                            next: 0,
                        });
                        Flow::Go
                    }
                    Err(stop) => self.need(start, stop, p, k),
                }
            }
            Command::ForArith { init, .. } => {
                match self.expand(&start.results, p, k, |e| e.arith(init)) {
                    Ok(_) => {
                        self.status = 0;
                        self.frames.push(Frame::ForArith {
                            cmd: cmd.clone(),
                            after_body: false,
                        });
                        Flow::Go
                    }
                    Err(stop) => self.need(start, stop, p, k),
                }
            }
            Command::Case { word, .. } => {
                let found = self.expand(&start.results, p, k, |e| {
                    let text: Arc<str> = e.text(word)?.into();
                    let arm = find_arm(e, &cmd, 0, &text)?;
                    Ok((text, arm))
                });
                match found {
                    Ok((text, arm)) => {
                        self.status = 0;
                        self.enter_arm(&cmd, arm, text);
                        Flow::Go
                    }
                    Err(stop) => self.need(start, stop, p, k),
                }
            }
            Command::Cond(cond) => {
                let result = self.expand(&start.results, p, k, |e| e.cond(cond));
                match result {
                    Ok(result) => {
                        if let Some(groups) = result.groups {
                            self.set_array("BASH_REMATCH", groups);
                        }
                        self.settle(!result.holds as i32, p, k)
                    }
                    Err(stop) => self.need(start, stop, p, k),
                }
            }
            Command::Arith(word) => match self.expand(&start.results, p, k, |e| e.arith(word)) {
                Ok(value) => self.settle((value == 0) as i32, p, k),
                Err(Stop::Fail(message)) => {
                    self.complain(p, k, &format!("((: {message}"));
                    self.settle(1, p, k)
                }
                Err(stop) => self.need(start, stop, p, k),
            },
            Command::Redirected { inner, redirs } => {
                match self.expand(&start.results, p, k, |e| {
                    super::redirect::targets(e, redirs)
                }) {
                    Ok(targets) => {
                        let mut restore = Restore {
                            pipes: start.pipes,
                            ..Restore::default()
                        };
                        if let Err(message) = self.redirect(&targets, Some(&mut restore), p, k) {
                            self.restore(restore, p, k);
                            self.complain(p, k, &message);
                            return self.settle(
                                if self.dialect == Dialect::Dash { 2 } else { 1 },
                                p,
                                k,
                            );
                        }
                        self.frames.push(Frame::Restore(Box::new(restore)));
                        self.frames.push(Frame::Run(inner.clone()));
                        Flow::Go
                    }
                    Err(stop) => self.need(start, stop, p, k),
                }
            }
            _ => Flow::Go,
        }
    }
}
