//! The shell's main loop: one frame at a time.

use super::expand::{Expanded, Expander, Stop};
use super::frame::*;
use super::{Job, Shell};
use crate::files::Device;
use crate::syntax::{ArmEnd, Cmd, Command, Dialect, Join, ParseError, Parser, Part};
use crate::system::signal::Signal;
use crate::system::{Ending, Event, Kernel, Process, Program, Read, Target, Turn, Wait};
use std::sync::Arc;

/// Frames a shell may pile up: a runaway recursion ends here.
const FRAME_LIMIT: usize = 2_000;

/// Text a command substitution may give.
const CAPTURE_LIMIT: usize = 4 << 20;

/// Finished background children whose status is kept.
const JOB_LIMIT: usize = 64;

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
            Frame::List { cmd, next } => {
                let Command::List(items) = &*cmd else {
                    return Flow::Go;
                };
                if let Some((item, background)) = items.get(next as usize) {
                    let item = item.clone();
                    let background = *background;
                    if (next as usize) + 1 < items.len() {
                        self.frames.push(Frame::List {
                            cmd: cmd.clone(),
                            next: next + 1,
                        });
                    }
                    if background {
                        self.start_background(&item, p, k);
                    } else {
                        self.frames.push(Frame::Run(item));
                    }
                }
                Flow::Go
            }
            Frame::AndOr { cmd, mut next } => {
                let Command::AndOr { rest, .. } = &*cmd else {
                    return Flow::Go;
                };
                while let Some((join, item)) = rest.get(next as usize) {
                    next += 1;
                    if (*join == Join::And) == (self.status == 0) {
                        let item = item.clone();
                        if (next as usize) < rest.len() {
                            self.frames.push(Frame::AndOr {
                                cmd: cmd.clone(),
                                next,
                            });
                        }
                        self.frames.push(Frame::Run(item));
                        break;
                    }
                }
                Flow::Go
            }
            Frame::Not => {
                self.status = (self.status == 0) as i32;
                Flow::Go
            }
            Frame::Time { started } => {
                let micros = k.now - started;
                let (m, s, ms) = (
                    micros / 60_000_000,
                    micros / 1_000_000 % 60,
                    micros / 1000 % 1000,
                );
                let text = match self.dialect {
                    Dialect::Bash => {
                        format!("\nreal\t{m}m{s}.{ms:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n")
                    }
                    _ => format!(
                        "real\t{m}m {s}.{:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n",
                        ms / 10
                    ),
                };
                let _ = k.put(p, 2, text.as_bytes());
                Flow::Go
            }
            Frame::If {
                cmd,
                clause,
                in_cond,
            } => {
                let Command::If { clauses, otherwise } = &*cmd else {
                    return Flow::Go;
                };
                if !in_cond {
                    return Flow::Go;
                }
                if self.status == 0 {
                    self.frames
                        .push(Frame::Run(clauses[clause as usize].1.clone()));
                } else if let Some((cond, _)) = clauses.get(clause as usize + 1) {
                    let cond = cond.clone();
                    self.frames.push(Frame::If {
                        cmd: cmd.clone(),
                        clause: clause + 1,
                        in_cond: true,
                    });
                    self.frames.push(Frame::Run(cond));
                } else if let Some(otherwise) = otherwise {
                    self.frames.push(Frame::Run(otherwise.clone()));
                } else {
                    self.status = 0;
                }
                Flow::Go
            }
            Frame::While { cmd, in_cond, last } => {
                let Command::While { until, cond, body } = &*cmd else {
                    return Flow::Go;
                };
                if in_cond {
                    if (self.status == 0) == *until {
                        self.status = last;
                        return Flow::Go;
                    }
                    let body = body.clone();
                    self.frames.push(Frame::While {
                        cmd,
                        in_cond: false,
                        last,
                    });
                    self.frames.push(Frame::Run(body));
                } else {
                    let cond = cond.clone();
                    self.frames.push(Frame::While {
                        cmd,
                        in_cond: true,
                        last: self.status,
                    });
                    self.frames.push(Frame::Run(cond));
                }
                Flow::Go
            }
            Frame::For { cmd, items, next } => {
                let Command::For { name, body, .. } = &*cmd else {
                    return Flow::Go;
                };
                let Some(item) = items.get(next as usize).cloned() else {
                    return Flow::Go;
                };
                if self.options.xtrace && self.dialect == Dialect::Bash {
                    let words: Vec<String> = items.iter().map(|i| super::quote(i)).collect();
                    let _ = k.put(
                        p,
                        2,
                        format!("+ for {name} in {}\n", words.join(" ")).as_bytes(),
                    );
                }
                if !self.assign_checked(name, item, p, k) {
                    return self.fatal(1, p, k);
                }
                let body = body.clone();
                self.frames.push(Frame::For {
                    cmd,
                    items,
                    next: next + 1,
                });
                self.frames.push(Frame::Run(body));
                Flow::Go
            }
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

    fn read_command(
        &mut self,
        mut source: Box<Source>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let stdin = source.kind == SourceKind::Stdin;
        if stdin && source.text[source.at..].trim().is_empty() {
            source.text = "".into();
            source.at = 0;
            if self.interactive && !source.prompted {
                source.prompted = true;
                self.prompt(p, k, false);
            }
            match self.read_line(&mut source, p, k) {
                Some(true) => {}
                Some(false) => return Flow::Go,
                None => {
                    self.frames.push(Frame::Source(source));
                    return Flow::Wait;
                }
            }
        }
        loop {
            let aliases = self.aliases.clone();
            let mut parser = Parser::resume(&source.text, source.at, source.line, self.dialect);
            if self.interactive {
                parser = parser.with_aliases(&aliases);
            }
            if stdin {
                parser = parser.interactive();
            }
            let result = parser.next_command();
            let (at, line) = parser.position();
            let rewritten = parser.rewritten().map(Arc::from);
            match result {
                Err(ParseError::Incomplete { .. }) if stdin => {
                    if self.interactive {
                        self.prompt(p, k, true);
                    }
                    match self.read_line(&mut source, p, k) {
                        Some(true) => continue,
                        Some(false) => {
                            // The input ended in the middle: read what there is as it is.
                            source.kind = SourceKind::Eval;
                            self.frames.push(Frame::Source(source));
                            return Flow::Go;
                        }
                        None => {
                            self.frames.push(Frame::Source(source));
                            return Flow::Wait;
                        }
                    }
                }
                Err(error) => return self.syntax_error(&source, error, p, k),
                Ok(None) if stdin => {
                    source.at = source.text.len();
                    source.prompted = false;
                    self.frames.push(Frame::Source(source));
                    return Flow::Go;
                }
                Ok(None) => return Flow::Go,
                Ok(Some(cmd)) => {
                    if let Some(text) = rewritten {
                        source.text = text;
                    }
                    source.at = at;
                    source.line = line;
                    source.prompted = false;
                    if self.options.noexec && !self.interactive {
                        self.frames.push(Frame::Source(source));
                        return Flow::Go;
                    }
                    if !(source.kind != SourceKind::Stdin
                        && source.text[at..].trim().is_empty()
                        && source.kind != SourceKind::File)
                    {
                        self.frames.push(Frame::Source(source));
                    }
                    self.frames.push(Frame::Run(cmd));
                    return Flow::Go;
                }
            }
        }
    }

    /// Reads one more line of commands from standard input. `None`: it has to be waited for; `false`: the end.
    fn read_line(
        &mut self,
        source: &mut Source,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Option<bool> {
        let Some(open) = p.fd(0) else {
            return Some(false);
        };
        loop {
            match k.read(open, 1024) {
                Read::Data(bytes) => {
                    if let Some(end) = bytes.iter().position(|b| *b == b'\n') {
                        k.unread(open, &bytes[end + 1..]);
                        source.partial.extend_from_slice(&bytes[..=end]);
                        break;
                    }
                    source.partial.extend_from_slice(&bytes);
                }
                Read::Wait => {
                    p.wait = Wait::Read(open);
                    return None;
                }
                Read::End | Read::Failed(_) if source.partial.is_empty() => return Some(false),
                Read::End | Read::Failed(_) => break,
            }
        }
        let line = std::mem::take(&mut source.partial);
        source.text = format!("{}{}", source.text, String::from_utf8_lossy(&line)).into();
        Some(true)
    }

    fn prompt(&mut self, p: &mut Process, k: &mut Kernel<'_>, more: bool) {
        let text = match (more, self.dialect) {
            (true, _) => "> ".to_string(),
            (false, Dialect::Ash) => {
                let sign = if p.user.uid == 0 { '#' } else { '$' };
                format!("{} {sign} ", p.cwd)
            }
            (false, Dialect::Dash) => (if p.user.uid == 0 { "# " } else { "$ " }).into(),
            (false, Dialect::Bash) => {
                let user = if p.user.uid == 0 {
                    "root"
                } else {
                    "I have no name!"
                };
                let sign = if p.user.uid == 0 { '#' } else { '$' };
                format!("{user}@{}:{}{sign} ", k.host.hostname(), p.cwd)
            }
        };
        let _ = k.put(p, 2, text.as_bytes());
    }

    fn syntax_error(
        &mut self,
        source: &Source,
        error: ParseError,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let line = error.line();
        let message = error.message(self.dialect);
        let name = self.name.clone();
        let text = match self.dialect {
            Dialect::Bash => {
                let dash_c = if source.kind == SourceKind::Command {
                    " -c:"
                } else {
                    ""
                };
                let who = match source.kind {
                    SourceKind::Line => format!("{name}:"),
                    SourceKind::Eval => format!("{name}: eval: line {line}:"),
                    _ => format!("{name}:{dash_c} line {line}:"),
                };
                let mut text = format!("{who} {message}\n");
                if let ParseError::Syntax { .. } = error {
                    let shown = source.text.lines().nth(line as usize - 1).unwrap_or("");
                    text.push_str(&format!("{who} `{shown}'\n"));
                }
                text
            }
            Dialect::Ash if self.script => format!("{name}: line {line}: {message}\n"),
            Dialect::Ash => format!("{name}: {message}\n"),
            Dialect::Dash => format!("{name}: {line}: {message}\n"),
        };
        let _ = k.put(p, 2, text.as_bytes());
        if matches!(source.kind, SourceKind::Eval | SourceKind::File)
            && self.dialect == Dialect::Bash
        {
            // Only the text that was read is given up.
            return self.settle(2, p, k);
        }
        if source.kind == SourceKind::Stdin {
            let mut source = source.clone();
            source.at = source.text.len();
            source.prompted = false;
            self.frames.push(Frame::Source(Box::new(source)));
        }
        self.fatal(2, p, k)
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

    fn run_command(&mut self, cmd: Cmd, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
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

    pub(crate) fn cannot_fork(&mut self, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        let message = match self.dialect {
            Dialect::Bash => "fork: retry: Resource temporarily unavailable",
            Dialect::Ash => "can't fork: Resource temporarily unavailable",
            Dialect::Dash => "Cannot fork",
        };
        self.complain(p, k, message);
        self.fatal(2, p, k)
    }

    fn pipeline(
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

    fn start_background(&mut self, cmd: &Cmd, p: &mut Process, k: &mut Kernel<'_>) {
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

    fn wait_foreground(
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

    /// Runs a command substitution for the frame below.
    fn substitute(&mut self, cmd: &Cmd, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
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

    fn capture(&mut self, mut capture: Box<Capture>, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
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

    fn start(&mut self, start: Start, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
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

    fn for_arith(
        &mut self,
        cmd: Cmd,
        after_body: bool,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::ForArith {
            cond, step, body, ..
        } = &*cmd
        else {
            return Flow::Go;
        };
        let result = self.expand(&[], p, k, |e| {
            if after_body {
                e.arith(step)?;
            }
            if cond
                .iter()
                .all(|part| matches!(part, Part::Quoted(t) if t.trim().is_empty()))
            {
                return Ok(1);
            }
            e.arith(cond)
        });
        match result {
            Ok(0) => Flow::Go,
            Ok(_) => {
                let body = body.clone();
                self.frames.push(Frame::ForArith {
                    cmd,
                    after_body: true,
                });
                self.frames.push(Frame::Run(body));
                Flow::Go
            }
            Err(Stop::Fail(message)) => {
                self.complain(p, k, &format!("((: {message}"));
                self.settle(1, p, k)
            }
            Err(_) => {
                self.complain(p, k, "((: command substitution is not supported here");
                self.settle(1, p, k)
            }
        }
    }

    fn enter_arm(&mut self, cmd: &Cmd, arm: Option<usize>, text: Arc<str>) {
        let Command::Case { arms, .. } = &**cmd else {
            return;
        };
        let Some(i) = arm else {
            return;
        };
        if arms[i].then != ArmEnd::Stop {
            self.frames.push(Frame::Case {
                cmd: cmd.clone(),
                arm: i as u32,
                text,
            });
        }
        self.frames.push(Frame::Run(arms[i].body.clone()));
    }

    fn case_fell_through(
        &mut self,
        cmd: Cmd,
        arm: u32,
        text: Arc<str>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::Case { arms, .. } = &*cmd else {
            return Flow::Go;
        };
        let next = arm as usize + 1;
        let found = match arms[arm as usize].then {
            ArmEnd::FallThrough => Ok((next < arms.len()).then_some(next)),
            _ => self.expand(&[], p, k, |e| find_arm(e, &cmd, next, &text)),
        };
        if let Ok(found) = found {
            self.enter_arm(&cmd, found, text);
        }
        Flow::Go
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

    fn leave_call(&mut self, call: Call) {
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

fn find_arm(e: &mut Expander<'_>, cmd: &Cmd, from: usize, text: &str) -> Expanded<Option<usize>> {
    let Command::Case { arms, .. } = &**cmd else {
        return Ok(None);
    };
    for (i, arm) in arms.iter().enumerate().skip(from) {
        for pattern in arm.patterns.iter() {
            let pattern = e.pattern(pattern)?;
            if super::pattern::matches(&pattern, text) {
                return Ok(Some(i));
            }
        }
    }
    Ok(None)
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
