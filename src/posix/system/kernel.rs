//! The system, its disk and its host together: what a running process can call.

use super::open::{OpenId, Target, Write};
use super::process::*;
use super::signal::Signal;
use super::{Event, System, deliver};
use crate::files::{Body, Disk, Errno, Files, Found, Kind};
use crate::host::{Host, Pid, Reply, Request};

/// Bytes a process may have on their way; a tool that makes more is cut off.
const OUT_LIMIT: usize = 32 << 20;

pub(crate) struct Kernel<'a> {
    pub(crate) sys: &'a mut System,
    pub(crate) disk: &'a mut Disk,
    pub(crate) host: &'a mut dyn Host,
    pub(crate) now: i64,
    /// Steps that the running process's output costs.
    pub(crate) charge: u32,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenMode {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    pub(crate) truncate: bool,
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(
        sys: &'a mut System,
        disk: &'a mut Disk,
        host: &'a mut dyn Host,
    ) -> Kernel<'a> {
        let now = host.now();
        Kernel {
            sys,
            disk,
            host,
            now,
            charge: 0,
        }
    }

    /// The files as a process sees them.
    pub(crate) fn files<'b>(&'b mut self, p: &'b Process) -> Files<'b> {
        Files {
            disk: self.disk,
            mounts: &self.sys.mounts,
            cwd: &p.cwd,
            user: &p.user,
            umask: p.umask,
            now: self.now,
        }
    }

    /// Lets the process at an index run; gives the steps it used.
    pub(crate) fn turn(&mut self, i: usize, quantum: u32) -> u32 {
        let mut p = self.sys.processes.remove(i);
        let mut used = 1;
        if self.flush(&mut p) && p.ending.is_none() && !p.stopped {
            let program = std::mem::replace(&mut p.program, Program::Gone);
            let turn = match program {
                Program::Exec(exec) => self.exec(&mut p, *exec),
                Program::Shell(mut shell) => {
                    let turn = shell.run(&mut p, self, quantum, &mut used);
                    if matches!(turn, Turn::Continue) {
                        p.program = Program::Shell(shell);
                    }
                    turn
                }
                Program::Tool(mut tool) => {
                    let turn = tool.run(&mut p, self, &mut used);
                    if matches!(turn, Turn::Continue) {
                        p.program = Program::Tool(tool);
                    }
                    turn
                }
                Program::External(mut external) => {
                    let turn = self.run_external(&mut p, &mut external);
                    if matches!(turn, Turn::Continue) {
                        p.program = Program::External(external);
                    }
                    turn
                }
                Program::Gone => Turn::Exit(0),
            };
            match turn {
                Turn::Continue => {}
                Turn::Become(program) => {
                    p.program = program;
                    p.wait = Wait::Ready;
                }
                Turn::Exit(status) => {
                    p.ending.get_or_insert(Ending::Exited(status));
                    p.wait = Wait::Flush;
                    self.flush(&mut p);
                }
            }
        }
        if matches!(p.wait, Wait::Child | Wait::ChildUntil(_)) {
            // Children that ended and are not waited for (jobs, what Ctrl-C left) are no news a second time.
            for child in self
                .sys
                .processes
                .iter_mut()
                .filter(|c| c.parent == p.pid && c.zombie)
            {
                child.told = true;
            }
        }
        used += std::mem::take(&mut self.charge);
        p.steps += used as u64;
        if let Some(ending) = p.ending
            && p.out.is_empty()
        {
            self.end(p, ending);
        } else {
            let at = self.sys.processes.partition_point(|o| o.pid < p.pid);
            self.sys.processes.insert(at, p);
        }
        used
    }

    /// Writes what a process has on its way. Tells whether all is gone.
    pub(crate) fn flush(&mut self, p: &mut Process) -> bool {
        while let Some(out) = p.out.first_mut() {
            match self.write(out.open, &out.bytes[out.at..]) {
                Write::Took(n) => {
                    out.at += n;
                    if out.at < out.bytes.len() {
                        return false;
                    }
                    p.out.remove(0);
                }
                Write::Failed(_) => {
                    p.out.remove(0);
                }
                Write::Broken => {
                    p.out.clear();
                    self.broken_pipe(p);
                }
            }
        }
        true
    }

    fn broken_pipe(&mut self, p: &mut Process) {
        if p.ignored & Signal::PIPE.bit() == 0 {
            p.ending = Some(Ending::Killed(Signal::PIPE));
        }
    }

    /// Writes to a descriptor; what a full pipe does not take waits in the process.
    pub(crate) fn put(&mut self, p: &mut Process, fd: u16, bytes: &[u8]) -> Result<(), Errno> {
        let open = p.fd(fd).ok_or(Errno::BadDescriptor)?;
        if bytes.is_empty() || p.ending.is_some() {
            return Ok(());
        }
        self.charge += (bytes.len() / 512) as u32;
        let mut taken = 0;
        if p.out.is_empty() {
            match self.write(open, bytes) {
                Write::Took(n) => taken = n,
                Write::Failed(errno) => return Err(errno),
                Write::Broken => {
                    self.broken_pipe(p);
                    return Ok(());
                }
            }
        }
        let waiting: usize = p.out.iter().map(|o| o.bytes.len()).sum();
        if taken < bytes.len() && waiting < OUT_LIMIT {
            p.out.push(Out {
                open,
                bytes: bytes[taken..].to_vec(),
                at: 0,
            });
        }
        Ok(())
    }

    /// A child of `parent` with the same descriptors.
    pub(crate) fn fork(
        &mut self,
        parent: &Process,
        program: Program,
        background: bool,
    ) -> Option<Pid> {
        if self.sys.is_full() {
            return None;
        }
        for (_, open) in &parent.fds {
            self.sys.share(*open);
        }
        Some(self.sys.add(Process {
            pid: 0,
            parent: parent.pid,
            background: background || parent.background,
            argv: parent.argv.clone(),
            program,
            fds: parent.fds.clone(),
            cwd: parent.cwd.clone(),
            user: parent.user.clone(),
            umask: parent.umask,
            wait: Wait::Ready,
            stopped: false,
            pending: 0,
            ignored: parent.ignored,
            out: Vec::new(),
            ending: None,
            zombie: false,
            told: false,
            reply: None,
            started: self.now,
            steps: 0,
        }))
    }

    /// Undoes a fork whose child must not run.
    pub(crate) fn cancel(&mut self, pid: Pid) {
        let Ok(i) = self.sys.processes.binary_search_by_key(&pid, |p| p.pid) else {
            return;
        };
        let child = self.sys.processes.remove(i);
        for (_, open) in child.fds {
            self.close(open);
        }
    }

    /// Points a process's descriptor somewhere; the old one is closed.
    pub(crate) fn redirect(&mut self, p: &mut Process, fd: u16, open: OpenId) {
        if let Some(old) = p.set_fd(fd, open) {
            self.close(old);
        }
    }

    /// The same for a process that is not running now.
    pub(crate) fn redirect_child(&mut self, pid: Pid, fd: u16, open: OpenId) {
        let old = match self.sys.process_mut(pid) {
            Some(p) => p.set_fd(fd, open),
            None => Some(open),
        };
        if let Some(old) = old {
            self.close(old);
        }
    }

    pub(crate) fn close_fd(&mut self, p: &mut Process, fd: u16) {
        if let Some(old) = p.take_fd(fd) {
            self.close(old);
        }
    }

    /// Opens a path.
    pub(crate) fn open_path(
        &mut self,
        p: &Process,
        path: &str,
        mode: OpenMode,
    ) -> Result<OpenId, Errno> {
        if let Some(fd) = descriptor_path(path) {
            let open = p.fd(fd).ok_or(Errno::NoEntry)?;
            self.sys.share(open);
            return Ok(open);
        }
        if let Some(text) = self.proc_file(p, path) {
            if mode.write {
                return Err(Errno::Access);
            }
            return Ok(self.sys.open(Target::Text {
                bytes: text.into_bytes().into(),
                at: 0,
            }));
        }
        let mut files = self.files(p);
        let place = if mode.write {
            files.create(path)?
        } else {
            match files.walk(path, true)? {
                Found::Node(place) => place,
                Found::Missing { .. } => return Err(Errno::NoEntry),
            }
        };
        let node = files.at(&place)?;
        if mode.read {
            files.check(node, crate::files::Access::Read)?;
        }
        if let Body::Device(device) = node.body {
            if let crate::files::Device::Descriptor(fd) = device {
                let open = p.fd(fd).ok_or(Errno::NoEntry)?;
                self.sys.share(open);
                return Ok(open);
            }
            return Ok(self.sys.open(Target::Device(device)));
        }
        if mode.write && node.kind() == Kind::Directory {
            return Err(Errno::IsDirectory);
        }
        let now = files.now;
        if mode.truncate {
            files.volume_mut(&place)?.truncate(place.ino, now)?;
        }
        files.volume_mut(&place)?.hold(place.ino);
        Ok(self.sys.open(Target::File {
            volume: place.volume,
            ino: place.ino,
            at: 0,
            read: mode.read,
            write: mode.write,
            append: mode.append,
        }))
    }

    /// Sends a signal from one process to another. Tells whether there is such a process.
    pub(crate) fn kill(&mut self, pid: Pid, signal: Signal) -> bool {
        let Some(p) = self.sys.process_mut(pid) else {
            return false;
        };
        if p.zombie {
            return true;
        }
        let events = deliver(p, signal, false);
        self.sys.events.extend(events);
        true
    }

    /// A child that ended, taken away. `None`: none has yet.
    pub(crate) fn reap(&mut self, parent: Pid, which: Option<Pid>) -> Option<(Pid, Ending)> {
        let i =
            self.sys.processes.iter().position(|p| {
                p.zombie && p.parent == parent && which.is_none_or(|pid| pid == p.pid)
            })?;
        let p = self.sys.processes.remove(i);
        p.ending.map(|ending| (p.pid, ending))
    }

    /// Whether `parent` has a child with this number.
    pub(crate) fn has_child(&self, parent: Pid, pid: Pid) -> bool {
        self.sys
            .processes
            .iter()
            .any(|p| p.pid == pid && p.parent == parent)
    }

    /// Asks the network; `None`: the process has to wait.
    pub(crate) fn ask(&mut self, p: &mut Process, request: &Request) -> Option<Reply> {
        let reply = self.host.request(p.pid, request);
        if reply.is_none() {
            p.wait = Wait::Reply;
        }
        reply
    }

    fn end(&mut self, mut p: Box<Process>, ending: Ending) {
        let asked = p.wait == Wait::Reply && p.reply.is_none();
        let ran = matches!(&p.program, Program::External(e) if e.running && e.finished.is_none());
        if asked || ran {
            self.sys.events.push(Event::Cancelled { pid: p.pid });
        }
        for (_, open) in std::mem::take(&mut p.fds) {
            self.close(open);
        }
        p.program = Program::Gone;
        p.out = Vec::new();
        let pid = p.pid;
        // Orphans have nobody who waits for them; a container dies with its first process.
        let mut i = 0;
        while i < self.sys.processes.len() {
            let child = &mut self.sys.processes[i];
            if child.parent == pid {
                child.parent = Pid::MAX;
            }
            if pid == 1 && child.ending.is_none() {
                child.parent = Pid::MAX;
                child.stopped = false;
                child.out.clear();
                child.ending = Some(Ending::Killed(Signal::KILL));
            }
            if child.zombie && child.parent == Pid::MAX {
                self.sys.processes.remove(i);
            } else {
                i += 1;
            }
        }
        let is_of_host = p.parent == 0
            || self
                .sys
                .process_mut(p.parent)
                .is_some_and(|parent| matches!(parent.program, Program::External(_)));
        if is_of_host {
            self.sys.events.push(Event::Ended { pid, ending });
            return;
        }
        if p.parent == Pid::MAX {
            return;
        }
        let parent = p.parent;
        p.zombie = true;
        p.argv = p.argv.iter().take(1).cloned().collect();
        let at = self.sys.processes.partition_point(|o| o.pid < pid);
        self.sys.processes.insert(at, p);
        if let Some(parent) = self.sys.process_mut(parent)
            && let Program::Shell(shell) = &parent.program
            && shell.catches(Signal::CHLD)
        {
            parent.pending |= Signal::CHLD.bit();
        }
    }
}

/// `/dev/fd/3`, `/proc/self/fd/3`, `/dev/stdin` and the like.
fn descriptor_path(path: &str) -> Option<u16> {
    match path {
        "/dev/stdin" => return Some(0),
        "/dev/stdout" => return Some(1),
        "/dev/stderr" => return Some(2),
        _ => {}
    }
    path.strip_prefix("/dev/fd/")
        .or_else(|| path.strip_prefix("/proc/self/fd/"))
        .and_then(|n| n.parse().ok())
}
