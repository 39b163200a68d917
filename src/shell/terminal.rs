//! One terminal: an interactive shell, what it prints, and the kubectl commands it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Str;
use cluster::Cluster;
use kubectl::Invocation;
use network::{Answer, Dialog, Next, Resolver};
use posix::{
    Disk, Done, Env, Event, External, Flavour, LineResult, Mounts, Pid, Poll, Request, Stream, User,
};
use sim::{Micros, NoteId, Rng, Time};

use crate::kubectl_host::KubectlHost;
use crate::workstation::HOME;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub is_error: bool,
    pub text: String,
}

/// What a terminal is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// It waits for a line; `status` is the exit code of the last one.
    Ready { status: i32 },
    /// It waits for more of the line: a heredoc, a quote or a loop is open.
    More,
    /// The program that runs reads lines: a shell in a container, an editor.
    Input,
    /// A command runs.
    Busy,
}

/// Loading a program and reading the kubeconfig takes this long before kubectl's first request.
const START_UP: Micros = 45 * sim::MILLI;
/// Steps of the shell between looks at its commands.
const SLICE: u32 = 2_000;
/// Such a slice takes as long as so many events of a cluster.
const SLICE_EVENTS: u64 = 64;
/// What a terminal takes in at one moment, in bytes; then the writer waits, as at a real one.
const OUTPUT_AT_ONCE: usize = 1 << 16;
/// What Ctrl+C is as a key.
const CTRL_C: u8 = 0x03;
/// What is kept of output that nobody has taken, in bytes: the newest.
const OUTPUT_MAX: usize = 4 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    number: u32,
    inner: posix::Terminal,
    jobs: BTreeMap<Pid, Job>,
    /// Editors that wait for the word that the file is as it shall be.
    editors: Vec<Pid>,
    /// Files that editors have opened: their paths.
    opened: Vec<String>,
    /// Lines that came while a command was running.
    waiting: Vec<String>,
    /// The stream that Ctrl+C went to as a key.
    interrupted: Option<api::RequestId>,
    output: Vec<Chunk>,
    /// When the shell itself wants its next turn.
    shell_at: Option<Time>,
    now: Time,
    /// The note of the line that runs.
    cause: NoteId,
    /// What programs here have asked the network: the process that waits, and how far its question is.
    calls: BTreeMap<u64, (Pid, Dialog)>,
    next_call: u64,
}

/// A running kubectl.
#[derive(Clone, Debug)]
struct Job {
    invocation: Invocation,
    descriptors: Vec<(u16, Vec<u8>)>,
    /// The program that it has started in the terminal.
    child: Option<Pid>,
    cwd: Arc<str>,
    env: Arc<Env>,
    /// When it wants its next turn even if nothing arrives.
    wakes_at: Option<Time>,
}

impl Terminal {
    pub(crate) fn new(
        number: u32,
        mounts: Mounts,
        dir: &str,
        rng: &mut Rng,
        now: Time,
    ) -> Terminal {
        let mut env = Env::default();
        for (name, value) in [
            ("HOME", HOME),
            ("USER", "root"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("PWD", dir),
            ("SHELL", "/bin/bash"),
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
        ] {
            env.insert(name.into(), value.into());
        }
        let mut host = ShellHost {
            now,
            rng,
            started: Vec::new(),
            broken: Vec::new(),
            images: Vec::new(),
            asked: Vec::new(),
            editing: Vec::new(),
            cluster: None,
        };
        let inner = posix::Terminal::new(mounts, Flavour::Gnu, env, dir, false, &mut host);
        Terminal {
            number,
            inner,
            jobs: BTreeMap::new(),
            editors: Vec::new(),
            opened: Vec::new(),
            waiting: Vec::new(),
            interrupted: None,
            output: Vec::new(),
            shell_at: None,
            now,
            cause: NoteId(0),
            calls: BTreeMap::new(),
            next_call: 0,
        }
    }

    pub(crate) fn take_output(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.output)
    }

    pub(crate) fn prompt(&self) -> Prompt {
        if self.inner.is_busy() {
            if self.typed_into().is_some() || !self.editors.is_empty() {
                Prompt::Input
            } else {
                Prompt::Busy
            }
        } else if self.inner.is_incomplete() {
            Prompt::More
        } else {
            Prompt::Ready {
                status: self.inner.status(),
            }
        }
    }

    pub(crate) fn directory(&self) -> String {
        self.inner.cwd()
    }

    /// Hands the shell a line; while a command runs, lines wait their turn. `cause` is the line's note.
    pub(crate) fn line(&mut self, cluster: &mut Cluster, text: &str, cause: NoteId) {
        self.cause = cause;
        if let Some(pid) = self.editors.pop() {
            self.inner.system.finish(pid, 0);
            self.shell_at = Some(self.now);
            return;
        }
        if let Some(stream) = self.typed_into() {
            cluster.feed(self.number, stream, format!("{text}\n").into_bytes());
            return;
        }
        self.waiting.extend(text.split('\n').map(str::to_owned));
        self.take_waiting();
    }

    /// The session in a container that takes what is typed.
    fn typed_into(&self) -> Option<api::RequestId> {
        self.jobs
            .values()
            .find_map(|job| job.invocation.typed_into())
    }

    /// Files that an editor has opened since the last call.
    pub(crate) fn take_opened(&mut self) -> Vec<String> {
        std::mem::take(&mut self.opened)
    }

    /// What was begun ends here: a heredoc without its end runs as it stands.
    pub(crate) fn end_of_input(&mut self) {
        if self.inner.end_of_input() == LineResult::Running {
            self.shell_at = Some(self.now);
        }
    }

    /// Whether somebody waits for a line: an editor that is open, or a program in a container.
    pub(crate) fn is_awaited(&self, cluster: &Cluster) -> bool {
        let reads = |stream| cluster.awaits(self.number, stream);
        !self.editors.is_empty() || self.typed_into().is_some_and(reads)
    }

    /// Ctrl+C: for the program at the other end of a terminal, if the command holds one; a second time for the command.
    pub(crate) fn interrupt(&mut self, cluster: &mut Cluster) {
        let mut jobs = self.jobs.values();
        let stream = jobs.find_map(|job| job.invocation.interrupted_at());
        if let Some(stream) = stream.filter(|stream| self.interrupted != Some(*stream)) {
            self.interrupted = Some(stream);
            cluster.feed(self.number, stream, vec![CTRL_C]);
            return;
        }
        self.waiting.clear();
        self.inner.interrupt();
        self.shell_at = Some(self.now);
    }

    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.wakes_at().is_some_and(|at| at <= now)
    }

    pub(crate) fn wakes_at(&self) -> Option<Time> {
        self.jobs
            .values()
            .filter_map(|job| job.wakes_at)
            .chain(self.shell_at)
            .min()
    }

    fn take_waiting(&mut self) {
        while !self.inner.is_busy() && !self.waiting.is_empty() {
            let line = self.waiting.remove(0);
            if self.inner.line(&line) == LineResult::Running {
                self.shell_at = Some(self.now);
            }
        }
    }

    /// Runs the shell and its kubectl commands as far as they go at this moment. Answers how much work that was, in events of a cluster.
    pub(crate) fn run(
        &mut self,
        cluster: &mut Cluster,
        disk: &mut Disk,
        rng: &mut Rng,
        budget: u32,
        rest: Micros,
    ) -> u64 {
        let now = cluster.now();
        self.now = now;
        for (at, id, arrival) in cluster.receive(self.number) {
            if let Some(job) = self.jobs.values_mut().find(|job| job.invocation.awaits(id)) {
                job.invocation.deliver(id, at, arrival);
                job.wakes_at = Some(now);
            }
        }
        for (number, answer) in cluster.receive_answers(self.number) {
            if let Some((pid, mut dialog)) = self.calls.remove(&number) {
                let next = dialog.answer(answer);
                self.go_on(pid, dialog, next, cluster);
            }
        }
        let (mut left, mut work, mut written) = (budget, 0, 0);
        loop {
            let has_run_job = self.run_jobs(cluster, disk);
            let mut host = ShellHost {
                now,
                rng,
                started: Vec::new(),
                broken: Vec::new(),
                images: Vec::new(),
                asked: Vec::new(),
                editing: Vec::new(),
                cluster: Some(cluster),
            };
            let poll = self.inner.system.step(disk, &mut host, left.min(SLICE));
            let ShellHost {
                started,
                broken,
                images,
                asked,
                editing,
                ..
            } = host;
            self.jobs.extend(started);
            for (pid, path) in editing {
                self.editors.push(pid);
                self.output.push(Chunk {
                    is_error: true,
                    text: format!(
                        "{path} is open in the editor. Change it there, then press Enter here; Ctrl+C gives up.\n"
                    ),
                });
                self.opened.push(path);
            }
            for image in &images {
                cluster.define_image(image);
            }
            crate::breaking::inflict(cluster, broken);
            let has_asked = !asked.is_empty();
            for (pid, request) in asked {
                self.ask(pid, request, cluster, disk);
            }
            left = left.saturating_sub(SLICE);
            if matches!(poll, Poll::Busy) {
                work += SLICE_EVENTS;
            }
            let (has_ended_line, bytes) = self.collect(cluster, disk);
            written += bytes;
            if written > OUTPUT_AT_ONCE {
                left = 0;
            }
            self.shell_at = match poll {
                Poll::Busy => Some(now + rest),
                Poll::Until(at) => Some(Time(at.max(0) as u64)),
                Poll::Waiting | Poll::Done => None,
            };
            if has_ended_line {
                self.take_waiting();
            }
            let goes_on =
                matches!(poll, Poll::Busy) || has_asked || has_run_job || self.is_due(now);
            if !goes_on || left == 0 {
                return work;
            }
        }
    }

    /// A program of this machine asks the network.
    fn ask(&mut self, pid: Pid, request: Request, cluster: &mut Cluster, disk: &mut Disk) {
        let user = User::root();
        let files = posix::Files {
            disk,
            mounts: &self.inner.system.mounts,
            cwd: "/",
            user: &user,
            umask: 0o022,
            now: 0,
        };
        let text = |path: &str| {
            let bytes = files.read(path).map(|bytes| bytes.to_vec());
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        };
        let resolver = Resolver::read(&text("/etc/hosts"), &text("/etc/resolv.conf"));
        let (dialog, next) = Dialog::begin(request, resolver);
        self.go_on(pid, dialog, next, cluster);
    }

    /// The `kubectl port-forward` that listens on a port.
    fn forward_of(&self, port: u16) -> Option<(Pid, kubectl::Forward)> {
        self.jobs.iter().find_map(|(pid, job)| {
            let forwards = job.invocation.forwards().iter();
            let forward = forwards.clone().find(|forward| forward.local == port)?;
            Some((*pid, forward.clone()))
        })
    }

    fn go_on(&mut self, pid: Pid, mut dialog: Dialog, next: Next, cluster: &mut Cluster) {
        match next {
            Next::Send(mut call) if call.to.is_loopback() => {
                if let Some((job, forward)) = self.forward_of(call.port) {
                    if forward.address.is_empty() {
                        self.next_call += 1;
                        self.calls.insert(self.next_call, (pid, dialog));
                        let place = (self.number, self.next_call);
                        return cluster.call_api(place, &call, self.cause);
                    }
                    let said = format!("Handling connection for {}\n", forward.local);
                    let system = &mut self.inner.system;
                    system.deliver(job, Stream::Stdout, said.as_bytes());
                    if let Ok(address) = forward.address.parse() {
                        (call.to, call.port) = (address, forward.remote);
                        return self.go_on(pid, dialog, Next::Send(call), cluster);
                    }
                }
                // Nothing else listens on this machine.
                let next = dialog.answer(Answer::Refused);
                self.go_on(pid, dialog, next, cluster);
            }
            Next::Send(call) => {
                self.next_call += 1;
                self.calls.insert(self.next_call, (pid, dialog));
                cluster.call(self.number, self.next_call, call, self.cause);
            }
            Next::Done(reply) => {
                self.inner.system.reply(pid, reply);
                self.shell_at = Some(cluster.now());
            }
        }
    }

    /// Polls the commands that are due; true if any of them did something.
    fn run_jobs(&mut self, cluster: &mut Cluster, disk: &mut Disk) -> bool {
        let now = cluster.now();
        let due: Vec<Pid> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.wakes_at.is_some_and(|at| at <= now))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in &due {
            let Some(mut job) = self.jobs.remove(pid) else {
                continue;
            };
            let mut children = Vec::new();
            let progress = job.poll(
                (self.number, self.cause),
                &self.inner.system.mounts,
                cluster,
                disk,
                &mut children,
            );
            for (descriptor, text) in progress.output {
                let stream = if descriptor == 2 {
                    Stream::Stderr
                } else {
                    Stream::Stdout
                };
                self.inner.system.deliver(*pid, stream, text.as_bytes());
            }
            match progress.exit_code {
                Some(code) => self.inner.system.finish(*pid, code),
                None => {
                    job.wakes_at = progress.wake_at;
                    for argv in children {
                        let child = self.inner.system.spawn_child(*pid, &argv, now.0 as i64);
                        job.child = child;
                        self.shell_at = Some(now);
                    }
                    self.jobs.insert(*pid, job);
                }
            }
        }
        !due.is_empty()
    }

    /// Takes what the shell has printed and what became of its processes. Answers whether a line has ended, and how much was printed.
    fn collect(&mut self, cluster: &mut Cluster, disk: &mut Disk) -> (bool, usize) {
        let mut bytes = 0;
        for output in self.inner.system.take_output() {
            let is_error = output.stream == Stream::Stderr;
            let text = String::from_utf8_lossy(&output.bytes).into_owned();
            bytes += text.len();
            match self.output.last_mut() {
                Some(last) if last.is_error == is_error => last.text.push_str(&text),
                _ => self.output.push(Chunk { is_error, text }),
            }
        }
        self.forget_old_output();
        let was_busy = self.inner.is_busy();
        for event in self.inner.system.take_events() {
            self.inner.observe(&event);
            if let Event::Ended { pid, ending } = event
                && let Some(job) = self.jobs.values_mut().find(|job| job.child == Some(pid))
            {
                job.child = None;
                job.invocation.child_ended(cluster.now(), ending.status());
                job.wakes_at = Some(cluster.now());
            }
            if let Event::Cancelled { pid } = event {
                self.editors.retain(|editor| *editor != pid);
            }
            if let Event::Cancelled { pid } | Event::Signal { pid, .. } = event
                && let Some(mut job) = self.jobs.remove(&pid)
            {
                // Its watches and streams are closed.
                job.invocation.interrupt();
                job.poll(
                    (self.number, self.cause),
                    &self.inner.system.mounts,
                    cluster,
                    disk,
                    &mut Vec::new(),
                );
            }
        }
        (was_busy && !self.inner.is_busy(), bytes)
    }

    /// A loop that prints while nobody looks must not fill the memory.
    fn forget_old_output(&mut self) {
        let mut whole: usize = self.output.iter().map(|chunk| chunk.text.len()).sum();
        while whole > OUTPUT_MAX {
            let Some(first) = self.output.first_mut() else {
                return;
            };
            let cut = first
                .text
                .ceil_char_boundary(first.text.len().min(whole - OUTPUT_MAX / 2));
            first.text.drain(..cut);
            whole -= cut;
            if first.text.is_empty() {
                self.output.remove(0);
            }
        }
    }
}

impl Job {
    fn poll(
        &mut self,
        (client, cause): (u32, NoteId),
        mounts: &Mounts,
        cluster: &mut Cluster,
        disk: &mut Disk,
        children: &mut Vec<Vec<String>>,
    ) -> kubectl::Progress {
        let user = User::root();
        let now = cluster.now().0 as i64;
        let files = posix::Files {
            disk,
            mounts,
            cwd: &self.cwd,
            user: &user,
            umask: 0o022,
            now,
        };
        self.invocation.poll(&mut KubectlHost {
            cluster,
            client,
            cause,
            files,
            env: &self.env,
            descriptors: &self.descriptors,
            children,
        })
    }
}

/// What the shell sees of the world.
struct ShellHost<'a> {
    now: Time,
    rng: &'a mut Rng,
    started: Vec<(Pid, Job)>,
    /// What `kubenkyo` was asked to break.
    broken: Vec<cluster::Fault>,
    /// Images that the user defined.
    images: Vec<Arc<cluster::CustomImage>>,
    /// What programs asked the network.
    asked: Vec<(Pid, Request)>,
    /// Editors that were started, with the file that each opens.
    editing: Vec<(Pid, String)>,
    /// Nobody is there while the shell starts.
    cluster: Option<&'a Cluster>,
}

impl posix::Host for ShellHost<'_> {
    fn now(&self) -> i64 {
        self.now.0 as i64
    }

    fn hostname(&self) -> String {
        "kubenkyo".into()
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn request(&mut self, pid: Pid, request: &Request) -> Option<posix::Reply> {
        self.asked.push((pid, request.clone()));
        None
    }

    fn external(&mut self, call: &posix::Call, files: &mut posix::Files<'_>) -> External {
        let name = call.argv.first().and_then(|name| name.rsplit('/').next());
        if name == Some("kubenkyo") && call.argv.get(1).is_some_and(|word| &**word == "image") {
            return crate::image::run(call, files, &mut self.images);
        }
        if name == Some("kubenkyo")
            && let Some(cluster) = self.cluster
        {
            let (fault, done) = crate::breaking::run(&call.argv[1..], cluster);
            self.broken.extend(fault);
            return External::Done(done);
        }
        if name.is_some_and(|name| EDITORS.contains(&name)) {
            return self.edit(call, files);
        }
        if name == Some("minikube") {
            return External::Done(crate::minikube::run(&call.argv[1..]));
        }
        if !matches!(name, Some("kubectl" | "k")) {
            return External::NotFound;
        }
        let args: Vec<Str> = call.argv[1..]
            .iter()
            .map(|arg| Str::Shared(arg.clone()))
            .collect();
        let reads_files = args.iter().any(|arg| {
            arg == "-" || arg == "-f-" || arg.ends_with("=-") || arg.contains("/dev/fd/")
        });
        // What is piped into a container goes along as a whole; what is typed follows line by line.
        let reads_pipe = !call.is_typed && passes_input(&args);
        if (reads_files || reads_pipe) && call.stdin.is_none() {
            return External::NeedInput;
        }
        let stdin = call
            .stdin
            .as_ref()
            .map(|bytes| Str::from(String::from_utf8_lossy(bytes).into_owned()));
        let starts_at = self.now + START_UP;
        let mut invocation = Invocation::new(args, stdin, starts_at);
        if call.is_typed {
            invocation = invocation.typed();
        }
        let job = Job {
            invocation,
            descriptors: call.descriptors.clone(),
            child: None,
            cwd: call.cwd.clone(),
            env: call.env.clone(),
            wakes_at: Some(starts_at),
        };
        self.started.push((call.pid, job));
        External::Running {
            catches_signals: false,
        }
    }
}

impl ShellHost<'_> {
    /// An editor: the file is changed elsewhere, in the page's editor, until a line says that it is done.
    fn edit(&mut self, call: &posix::Call, files: &posix::Files<'_>) -> External {
        let path = call.argv[1..].iter().rfind(|arg| !arg.starts_with('-'));
        let Some(path) = path else {
            return External::Done(Done {
                stderr: format!("usage: {} FILE\n", call.argv[0]).into_bytes(),
                status: 1,
                ..Done::default()
            });
        };
        let path = if path.starts_with('/') {
            path.to_string()
        } else {
            format!("{}/{path}", files.cwd.trim_end_matches('/'))
        };
        self.editing.push((call.pid, path));
        External::Running {
            catches_signals: false,
        }
    }
}

/// Names under which the one editor answers.
const EDITORS: [&str; 8] = [
    "code", "edit", "editor", "emacs", "nano", "vi", "vim", "view",
];

/// Whether a kubectl command line hands its standard input on: `exec -i`, `run -it`, `attach --stdin`.
fn passes_input(args: &[Str]) -> bool {
    let own = || args.iter().take_while(|arg| *arg != "--");
    let is_verb = own().any(|arg| matches!(arg.as_str(), "exec" | "attach" | "run" | "debug"));
    let is_asked = own().any(|arg| {
        *arg == "--stdin"
            || *arg == "--stdin=true"
            || arg.len() > 1
                && arg.starts_with('-')
                && !arg.starts_with("--")
                && arg[1..].chars().all(|c| c.is_ascii_alphabetic())
                && arg.contains('i')
    });
    is_verb && is_asked
}
