//! A machine's processes: starting them, running them in turns, ending them.
//!
//! [`System::step`] runs everything that can run now within a budget and tells when to come back. It is plain data:
//! a clone in the middle of `sleep 5` goes on exactly as the original. Processes run in order of their number, a
//! few steps each, so that the result depends on nothing but the inputs.

mod exec;
mod kernel;
mod open;
mod proc;
mod process;
pub(crate) mod signal;

pub use exec::StartError;
pub(crate) use exec::{background_ignores_of, find_program};
pub(crate) use kernel::Kernel;
pub(crate) use kernel::OpenMode;
pub(crate) use open::{Input, Open, OpenId, Pipe, Read, Target, Write};
pub use process::Ending;
pub(crate) use process::{Argv, Exec, Out, Process, Program, Turn, Wait};

use crate::files::{Disk, Mounts, User};
use crate::host::{Host, Pid, Reply};
use crate::shell::{Env, Shell};
use crate::syntax::Dialect;
use signal::{Default as Action, Signal};
use std::sync::Arc;

/// Steps one process runs before the next one's turn.
const QUANTUM: u32 = 64;

/// Processes a system holds; `fork` fails beyond.
const PROCESS_LIMIT: usize = 512;

/// A pair of input and output: a container's standard streams, an `exec` session, the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel(pub u32);

/// Which stream output came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Bytes a process wrote to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub channel: Channel,
    pub stream: Stream,
    pub bytes: Vec<u8>,
}

/// Something the host wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process that [`System::spawn`] started has ended.
    Ended { pid: Pid, ending: Ending },
    /// A process that the host runs and that catches signals got one.
    Signal { pid: Pid, signal: Signal },
    /// A process that the host runs (or whose question it answers) is gone; forget it.
    Cancelled { pid: Pid },
    /// An interactive shell has run its line.
    Prompt { pid: Pid, status: i32 },
}

/// When to call [`System::step`] again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// The budget is used up and there is more to do now.
    Busy,
    /// Nothing happens before this time (microseconds since 1970), unless something arrives.
    Until(i64),
    /// Everything waits for the host: input, an answer, a signal.
    Waiting,
    /// No process is left.
    Done,
}

/// Which family of tools a system has: it decides the wording of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    Busybox,
    #[default]
    Gnu,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    pub argv: Vec<String>,
    pub env: Env,
    pub cwd: String,
    pub user: User,
    pub channel: Channel,
    /// The channel is a terminal: shells prompt, `ls` uses columns.
    pub tty: bool,
    /// There is an input to feed; otherwise standard input is empty.
    pub stdin: bool,
}

/// A process as `ps` and the host see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    pub pid: Pid,
    pub parent: Pid,
    pub argv: Vec<Arc<str>>,
    pub uid: u32,
    pub started: i64,
    pub stopped: bool,
    pub zombie: bool,
    pub ready: bool,
    /// Work done, in steps.
    pub steps: u64,
}

/// Boxed, because a process is taken out and put back for every turn it runs.
#[allow(clippy::vec_box)]
type Table = Vec<Box<Process>>;

/// All processes of one container, or of the terminal.
#[derive(Clone, Debug)]
pub struct System {
    pub(crate) processes: Table,
    pub(crate) opens: Vec<Open>,
    pub(crate) pipes: Vec<Pipe>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Vec<Output>,
    pub(crate) output_bytes: usize,
    pub(crate) events: Vec<Event>,
    pub mounts: Mounts,
    pub(crate) next_pid: Pid,
    pub flavour: Flavour,
}

impl System {
    /// No processes yet. The first one gets the number 1 and, as on Linux, is not ended by signals it does not
    /// catch; use [`System::set_next_pid`] where that is not wanted.
    pub fn new(mounts: Mounts, flavour: Flavour) -> System {
        System {
            processes: Vec::new(),
            opens: Vec::new(),
            pipes: Vec::new(),
            inputs: Vec::new(),
            output: Vec::new(),
            output_bytes: 0,
            events: Vec::new(),
            mounts,
            next_pid: 1,
            flavour,
        }
    }

    /// The number of the next process.
    pub fn set_next_pid(&mut self, pid: Pid) {
        self.next_pid = pid;
    }

    /// Starts a program. Finding it happens in the first step; what cannot start ends with 126 or 127.
    pub fn spawn(&mut self, spawn: Spawn, host: &dyn Host) -> Pid {
        let argv: Argv = spawn.argv.iter().map(|a| Arc::from(a.as_str())).collect();
        let exec = Exec {
            argv: argv.clone(),
            env: Arc::new(spawn.env),
            who: "exec".into(),
            dialect: Dialect::Ash,
        };
        let fds = self.channel_fds(spawn.channel, spawn.stdin, spawn.tty);
        self.add(Process {
            pid: 0,
            parent: 0,
            background: false,
            argv,
            program: Program::Exec(Box::new(exec)),
            fds,
            cwd: spawn.cwd.into(),
            user: Arc::new(spawn.user),
            umask: 0o022,
            wait: Wait::Ready,
            stopped: false,
            pending: 0,
            ignored: 0,
            out: Vec::new(),
            ending: None,
            zombie: false,
            told: false,
            reply: None,
            started: host.now(),
            steps: 0,
        })
    }

    /// Starts an interactive shell that runs lines given with [`System::line`].
    pub fn spawn_shell(&mut self, spawn: Spawn, dialect: Dialect, host: &mut dyn Host) -> Pid {
        let fds = self.channel_fds(spawn.channel, spawn.stdin, spawn.tty);
        let name = spawn.argv.first().cloned().unwrap_or("bash".into());
        let random = host.random();
        let mut shell = Shell::new(&name, dialect, &spawn.env, random, host.now());
        shell.become_session();
        let pid = self.add(Process {
            pid: 0,
            parent: 0,
            background: false,
            argv: [Arc::from(name.as_str())].into(),
            program: Program::Gone,
            fds,
            cwd: spawn.cwd.into(),
            user: Arc::new(spawn.user),
            umask: 0o022,
            wait: Wait::Line,
            stopped: false,
            pending: 0,
            ignored: Signal::TERM.bit(),
            out: Vec::new(),
            ending: None,
            zombie: false,
            told: false,
            reply: None,
            started: host.now(),
            steps: 0,
        });
        shell.set_pid(pid, 0);
        let process = self.process_mut(pid).expect("it was just added");
        shell.start_variables(process);
        process.program = Program::Shell(Box::new(shell));
        pid
    }

    /// Starts a program as the child of one that the host runs, with its descriptors, directory and environment;
    /// [`Event::Ended`] tells how it ends. `None` if `parent` is no such program.
    pub fn spawn_child(&mut self, parent: Pid, argv: &[String], now: i64) -> Option<Pid> {
        let argv: Argv = argv.iter().map(|a| Arc::from(a.as_str())).collect();
        let process = self.process_mut(parent)?;
        let Program::External(external) = &process.program else {
            return None;
        };
        let exec = Exec {
            argv: argv.clone(),
            env: external.env.clone(),
            who: "exec".into(),
            dialect: Dialect::Bash,
        };
        let child = Process {
            pid: 0,
            parent,
            background: process.background,
            argv,
            program: Program::Exec(Box::new(exec)),
            fds: process.fds.clone(),
            cwd: process.cwd.clone(),
            user: process.user.clone(),
            umask: process.umask,
            wait: Wait::Ready,
            stopped: false,
            pending: 0,
            ignored: process.ignored,
            out: Vec::new(),
            ending: None,
            zombie: false,
            told: false,
            reply: None,
            started: now,
            steps: 0,
        };
        for (_, open) in child.fds.clone() {
            self.share(open);
        }
        Some(self.add(child))
    }

    fn channel_fds(&mut self, channel: Channel, stdin: bool, tty: bool) -> Vec<(u16, OpenId)> {
        if !self.inputs.iter().any(|i| i.channel == channel) {
            self.inputs.reserve_exact(1);
            self.inputs.push(Input {
                channel,
                closed: !stdin,
                tty,
                ..Input::default()
            });
        }
        self.opens.reserve_exact(3);
        let fd0 = self.open(Target::Input(channel));
        let fd1 = self.open(Target::Output(channel, Stream::Stdout));
        let fd2 = self.open(Target::Output(channel, Stream::Stderr));
        vec![(0, fd0), (1, fd1), (2, fd2)]
    }

    pub(crate) fn add(&mut self, mut process: Process) -> Pid {
        let pid = self.next_pid;
        self.next_pid += 1;
        process.pid = pid;
        if self.processes.len() < 4 {
            // Most containers have one or two processes; thousands of them sleep.
            self.processes.reserve_exact(1);
        }
        self.processes.push(Box::new(process));
        pid
    }

    pub(crate) fn is_full(&self) -> bool {
        self.processes.len() >= PROCESS_LIMIT
    }

    pub(crate) fn process_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        let i = self.processes.binary_search_by_key(&pid, |p| p.pid).ok()?;
        Some(&mut self.processes[i])
    }

    /// Hands an interactive shell its next line. Tells whether the shell was waiting for one.
    pub fn line(&mut self, pid: Pid, text: &str) -> bool {
        let Some(process) = self.process_mut(pid) else {
            return false;
        };
        if process.wait != Wait::Line {
            return false;
        }
        let Program::Shell(shell) = &mut process.program else {
            return false;
        };
        shell.push_line(text);
        process.wait = Wait::Ready;
        true
    }

    /// Gives bytes to a channel's standard input.
    pub fn feed(&mut self, channel: Channel, bytes: &[u8]) {
        if let Some(input) = self.inputs.iter_mut().find(|i| i.channel == channel) {
            input.data.extend(bytes);
        }
    }

    /// Whether somebody waits for more of a channel's standard input.
    pub fn is_read(&self, channel: Channel) -> bool {
        self.processes.iter().any(|process| match process.wait {
            Wait::Read(open) | Wait::ReadUntil(open, _) => {
                matches!(self.target(open), Target::Input(of) if *of == channel)
            }
            _ => false,
        })
    }

    /// Ends a channel's standard input.
    pub fn close_input(&mut self, channel: Channel) {
        if let Some(input) = self.inputs.iter_mut().find(|i| i.channel == channel) {
            input.closed = true;
        }
    }

    /// Forgets a channel whose processes have ended.
    pub fn drop_channel(&mut self, channel: Channel) {
        self.inputs.retain(|i| i.channel != channel);
    }

    /// Takes what was written since the last call. Writers wait when a mebibyte is not taken.
    pub fn take_output(&mut self) -> Vec<Output> {
        self.output_bytes = 0;
        std::mem::take(&mut self.output)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The answer to a [`Host::request`] that was `None`.
    pub fn reply(&mut self, pid: Pid, reply: Reply) {
        if let Some(process) = self.process_mut(pid)
            && process.wait == Wait::Reply
        {
            process.reply = Some(Box::new(reply));
        }
    }

    /// Output of a program that the host runs.
    pub fn deliver(&mut self, pid: Pid, stream: Stream, bytes: &[u8]) {
        let fd = match stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        };
        if let Some(process) = self.process_mut(pid)
            && let Some(open) = process.fd(fd)
            && process.ending.is_none()
        {
            process.out.push(Out {
                open,
                bytes: bytes.to_vec(),
                at: 0,
            });
        }
    }

    /// A program that the host runs has ended; its output is written first.
    pub fn finish(&mut self, pid: Pid, status: i32) {
        if let Some(process) = self.process_mut(pid)
            && let Program::External(external) = &mut process.program
        {
            external.finished = Some(status);
        }
    }

    /// Standard input of a program that the host runs, as far as it is there. `None`: it has ended.
    pub fn read_stdin(
        &mut self,
        pid: Pid,
        disk: &mut Disk,
        host: &mut dyn Host,
    ) -> Option<Vec<u8>> {
        let fd = self.process_mut(pid)?.fd(0)?;
        let mut kernel = Kernel::new(self, disk, host);
        match kernel.read(fd, 65_536) {
            Read::Data(bytes) => Some(bytes),
            Read::Wait => Some(Vec::new()),
            Read::End | Read::Failed(_) => None,
        }
    }

    /// Whether such a process exists and has not ended.
    pub fn is_alive(&self, pid: Pid) -> bool {
        self.processes
            .iter()
            .any(|p| p.pid == pid && p.ending.is_none())
    }

    /// All processes in order of their number.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.processes
            .iter()
            .map(|p| ProcessInfo {
                pid: p.pid,
                parent: p.parent,
                argv: p.argv.to_vec(),
                uid: p.user.uid,
                started: p.started,
                stopped: p.stopped,
                zombie: p.zombie,
                ready: p.wait == Wait::Ready,
                steps: p.steps,
            })
            .collect()
    }

    /// Sends a signal from outside: KILL always works, and process 1 gets only what it catches of the others.
    pub fn signal(&mut self, pid: Pid, signal: Signal) -> bool {
        let Some(process) = self.process_mut(pid) else {
            return false;
        };
        if process.ending.is_some() {
            return false;
        }
        let from_outside = true;
        let events = deliver(process, signal, from_outside);
        self.events.extend(events);
        true
    }

    /// Sends a signal to every process (KILL when a container is removed).
    pub fn signal_all(&mut self, signal: Signal) {
        let pids: Vec<Pid> = self.processes.iter().map(|p| p.pid).collect();
        for pid in pids {
            self.signal(pid, signal);
        }
    }

    /// Ctrl-C: interrupts a shell's foreground, and brings an interactive shell back to its prompt.
    pub fn interrupt(&mut self, shell: Pid) {
        for pid in self.descendants(shell) {
            if self.process_mut(pid).is_some_and(|p| !p.background) {
                self.signal(pid, Signal::INT);
            }
        }
        self.signal(shell, Signal::INT);
    }

    fn descendants(&self, root: Pid) -> Vec<Pid> {
        let mut family = vec![root];
        for p in &self.processes {
            if family.contains(&p.parent) {
                family.push(p.pid);
            }
        }
        family.remove(0);
        family
    }

    /// Runs what can run now, at most `budget` steps.
    pub fn step(&mut self, disk: &mut Disk, host: &mut dyn Host, budget: u32) -> Poll {
        let now = host.now();
        let mut left = budget;
        let mut kernel = Kernel::new(self, disk, host);
        kernel.now = now;
        loop {
            let mut ran = false;
            let mut i = 0;
            while i < kernel.sys.processes.len() {
                if !kernel.sys.is_ready(i, now) {
                    i += 1;
                    continue;
                }
                if left == 0 {
                    return Poll::Busy;
                }
                ran = true;
                let pid = kernel.sys.processes[i].pid;
                let used = kernel.turn(i, left.min(QUANTUM));
                left = left.saturating_sub(used.max(1));
                // The process may be gone, and others too.
                i = match kernel.sys.processes.binary_search_by_key(&pid, |p| p.pid) {
                    Ok(i) => i + 1,
                    Err(i) => i,
                };
            }
            if !ran {
                break;
            }
        }
        self.when()
    }

    /// When something happens next by itself.
    fn when(&self) -> Poll {
        if self.processes.is_empty() {
            return Poll::Done;
        }
        let next = self
            .processes
            .iter()
            .filter(|p| !p.stopped && p.ending.is_none())
            .filter_map(|p| match p.wait {
                Wait::Until(t) | Wait::ReadUntil(_, t) | Wait::ChildUntil(t)
                    if p.out.is_empty() =>
                {
                    Some(t)
                }
                _ => None,
            })
            .min();
        match next {
            Some(t) => Poll::Until(t),
            None => Poll::Waiting,
        }
    }

    fn is_ready(&self, i: usize, now: i64) -> bool {
        let p = &self.processes[i];
        if p.zombie {
            return false;
        }
        if p.ending.is_some() && p.out.is_empty() || p.pending != 0 && p.interruptible() {
            return true;
        }
        if p.stopped {
            return false;
        }
        if let Some(out) = p.out.first() {
            return self.can_write(out.open);
        }
        match p.wait {
            Wait::Ready | Wait::Flush => true,
            Wait::Until(t) => now >= t,
            Wait::Read(open) => self.can_read(open),
            Wait::ReadUntil(open, t) => now >= t || self.can_read(open),
            Wait::Child => self.has_news_for(p.pid),
            Wait::ChildUntil(t) => now >= t || self.has_news_for(p.pid),
            Wait::Reply => {
                p.reply.is_some()
                    || matches!(&p.program, Program::External(e) if e.finished.is_some())
            }
            Wait::Line | Wait::Pause => false,
        }
    }

    fn has_news_for(&self, parent: Pid) -> bool {
        let mut children = self.processes.iter().filter(|p| p.parent == parent);
        children.any(|p| p.zombie && !p.told) || !self.processes.iter().any(|p| p.parent == parent)
    }
}

impl Process {
    /// Whether a caught signal gets through to what it does now.
    fn interruptible(&self) -> bool {
        match &self.program {
            Program::Shell(shell) => shell.takes_signals_now() || self.wait != Wait::Child,
            _ => false,
        }
    }
}

/// Brings a signal to a process; what the host must know comes back.
pub(crate) fn deliver(process: &mut Process, signal: Signal, from_outside: bool) -> Option<Event> {
    let is_kill = signal == Signal::KILL || signal == Signal::STOP;
    if signal == Signal::CONT {
        process.stopped = false;
    }
    if signal.0 == 0 || !is_kill && process.ignored & signal.bit() != 0 {
        return None;
    }
    match &process.program {
        Program::Shell(shell) if !is_kill && shell.catches(signal) => {
            process.pending |= signal.bit();
            return None;
        }
        Program::External(external) if !is_kill && external.catches_signals => {
            return Some(Event::Signal {
                pid: process.pid,
                signal,
            });
        }
        _ => {}
    }
    // The first process of a container gets no signal it does not catch, and no KILL from inside.
    if process.pid == 1 && !(from_outside && is_kill) {
        return None;
    }
    match signal.default_action() {
        Action::Terminate => {
            process.ending = Some(Ending::Killed(signal));
            process.out.clear();
        }
        Action::Stop => process.stopped = true,
        Action::Ignore | Action::Continue => {}
    }
    None
}

impl System {
    /// The value of a variable of a shell process.
    pub fn variable(&self, pid: Pid, name: &str) -> Option<String> {
        let process = self.processes.iter().find(|p| p.pid == pid)?;
        match &process.program {
            Program::Shell(shell) => shell.text(name).map(|t| t.to_string()),
            _ => None,
        }
    }
}
