//! One running kubectl command as plain data: its arguments and what it has learnt so far.
//!
//! Commands are written as straight-line code against [`Context`], yet hold no future and no thread: whenever
//! a command asks for something that has not arrived, it is abandoned, and run again from the start once it has.
//! Everything that it asked before is answered from the record, and what it printed before is not printed
//! again. So a command may be cloned in the middle of its run, and every request really crosses the link to
//! the API server. Long loops (`get --watch`) keep their state with [`Context::resume`] and
//! [`Context::checkpoint`], so that the record stays short.
//!
//! Entry point: [`Invocation::poll`].

use std::collections::{BTreeMap, VecDeque};

use api::{Arrival, Request, RequestId, Response, Str, Value};
use sim::{Micros, Time};

use crate::failure::Failure;

/// The machine on which kubectl runs.
pub trait Host {
    fn now(&self) -> Time;
    /// Sends a request to the API server; what comes back is given to [`Invocation::deliver`].
    fn send(&mut self, request: Request) -> RequestId;
    /// Closes a watch or stream.
    fn cancel(&mut self, id: RequestId);
    /// The content of a file, or why not (`no such file or directory`). Relative to the current directory.
    fn read_file(&mut self, path: &str) -> Result<Str, String>;
    /// The names of a directory's entries, sorted, directories ending in `/`; an error if it is none.
    fn list_dir(&mut self, path: &str) -> Result<Vec<Str>, String>;
    fn write_file(&mut self, path: &str, text: &str) -> Result<(), String>;
    fn env(&self, name: &str) -> Option<Str>;
    /// Starts another program in the same terminal; how it ends is told by [`Invocation::child_ended`].
    fn start(&mut self, argv: Vec<Str>);
}

/// A command that was started.
#[derive(Clone, Debug)]
pub struct Invocation {
    args: Vec<Str>,
    stdin: Option<Str>,
    started: Time,
    record: Vec<(Time, Outcome)>,
    loop_state: Option<LoopState>,
    waiting: Waiting,
    streams: BTreeMap<RequestId, VecDeque<(Time, Arrival)>>,
    emitted: u64,
    interrupted: bool,
    exit_code: Option<i32>,
    /// Standard input is a terminal's keyboard: nothing was piped in.
    is_typed: bool,
    /// What is typed goes into this stream.
    typed_into: Option<RequestId>,
    /// That stream has a terminal at its other end.
    is_terminal: bool,
    forwards: Vec<Forward>,
}

/// A port of this machine that leads to a port of a pod while the command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    pub local: u16,
    /// The pod's address; empty for the API server.
    pub address: Str,
    pub remote: u16,
}

/// What a poll brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// New output in order: file descriptor (1 or 2) and text.
    pub output: Vec<(u8, String)>,
    /// Set once the command has ended.
    pub exit_code: Option<i32>,
    /// When to poll again even if nothing arrives.
    pub wake_at: Option<Time>,
}

/// An answer that the command has already been given.
#[derive(Clone, Debug)]
enum Outcome {
    Response(Response),
    Opened(RequestId),
    Arrival(Arrival),
    TimedOut,
    Slept,
    File(Result<Str, String>),
    Dir(Result<Vec<Str>, String>),
    Written(Result<(), String>),
    Env(Option<Str>),
    Ran(i32),
}

#[derive(Clone, Debug)]
enum Waiting {
    Nothing,
    Response(RequestId),
    Stream(RequestId, Option<Time>),
    Sleep(Time),
    /// A program that was started in the terminal.
    Child,
}

#[derive(Clone, Debug)]
struct LoopState {
    /// Length of the record when the loop was entered.
    base: usize,
    /// Output position at the newest checkpoint.
    position: u64,
    at: Time,
    value: Value,
}

/// What a command sees while it runs.
pub struct Context<'a> {
    run: &'a mut Invocation,
    host: &'a mut dyn Host,
    /// How much of the record this run has consumed.
    cursor: usize,
    now: Time,
    position: u64,
    output: Vec<(u8, String)>,
    /// `--as` and `--as-group`: goes with every request.
    acting_as: (Str, Vec<Str>),
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl Invocation {
    /// `args` without the leading `kubectl`. `stdin` is what is piped in, if anything.
    pub fn new(args: Vec<Str>, stdin: Option<Str>, now: Time) -> Invocation {
        Invocation {
            args,
            stdin,
            started: now,
            record: Vec::new(),
            loop_state: None,
            waiting: Waiting::Nothing,
            streams: BTreeMap::new(),
            emitted: 0,
            interrupted: false,
            exit_code: None,
            is_typed: false,
            typed_into: None,
            is_terminal: false,
            forwards: Vec::new(),
        }
    }

    /// The ports that it forwards.
    pub fn forwards(&self) -> &[Forward] {
        &self.forwards
    }

    /// Standard input is a keyboard: what is typed may go to [`Invocation::typed_into`].
    #[must_use]
    pub fn typed(mut self) -> Invocation {
        self.is_typed = true;
        self
    }

    /// The stream that takes what is typed, if the command passes it on.
    pub fn typed_into(&self) -> Option<RequestId> {
        self.typed_into
    }

    /// The stream to which Ctrl+C goes as a key, because a terminal is at its other end.
    pub fn interrupted_at(&self) -> Option<RequestId> {
        self.typed_into.filter(|_| self.is_terminal)
    }

    /// The program that [`Host::start`] has started has ended.
    pub fn child_ended(&mut self, now: Time, status: i32) {
        if matches!(self.waiting, Waiting::Child) {
            self.waiting = Waiting::Nothing;
            self.record.push((now, Outcome::Ran(status)));
        }
    }

    /// Hands over what arrived for a request of this command; ignored if nobody waits for it any more.
    pub fn deliver(&mut self, id: RequestId, now: Time, arrival: Arrival) {
        if let Some(queue) = self.streams.get_mut(&id) {
            queue.push_back((now, arrival));
        } else if let (Waiting::Response(waiting), Arrival::Response(response)) =
            (&self.waiting, arrival)
            && *waiting == id
        {
            self.waiting = Waiting::Nothing;
            self.record.push((now, Outcome::Response(response)));
        }
    }

    /// Ctrl+C: the command ends at the next poll with exit code 130.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
    }

    /// Whether `id` is a request of this command.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.streams.contains_key(&id)
            || matches!(self.waiting, Waiting::Response(w) | Waiting::Stream(w, _) if w == id)
    }

    /// Runs as far as possible now.
    pub fn poll(&mut self, host: &mut dyn Host) -> Progress {
        if self.exit_code.is_some() {
            return Progress {
                exit_code: self.exit_code,
                ..Progress::default()
            };
        }
        if self.interrupted {
            return self.exit(130, Vec::new(), host);
        }
        if !self.settle(host.now()) {
            return Progress {
                wake_at: self.wake_at(),
                ..Progress::default()
            };
        }
        let started = self.started;
        let mut context = Context {
            run: self,
            host,
            cursor: 0,
            now: started,
            position: 0,
            output: Vec::new(),
            acting_as: Default::default(),
        };
        let result = crate::run(&mut context);
        let mut exit_code = None;
        match result {
            Ok(()) => exit_code = Some(0),
            Err(Failure::Waiting) => {}
            // Dispatch has printed it.
            Err(Failure::Help { .. }) => exit_code = Some(0),
            Err(Failure::Exit { code, message }) => {
                if !message.is_empty() {
                    context.print(2, &message);
                }
                exit_code = Some(code);
            }
        }
        let (position, output) = (context.position, std::mem::take(&mut context.output));
        self.emitted = self.emitted.max(position);
        match exit_code {
            Some(code) => self.exit(code, output, host),
            None => Progress {
                output,
                exit_code: None,
                wake_at: self.wake_at(),
            },
        }
    }

    fn exit(&mut self, code: i32, output: Vec<(u8, String)>, host: &mut dyn Host) -> Progress {
        self.exit_code = Some(code);
        for id in std::mem::take(&mut self.streams).into_keys() {
            host.cancel(id);
        }
        self.record.clear();
        Progress {
            output,
            exit_code: Some(code),
            wake_at: None,
        }
    }

    /// Turns what was waited for into a record entry if it is there; false if the wait goes on.
    fn settle(&mut self, now: Time) -> bool {
        match self.waiting {
            Waiting::Nothing => true,
            Waiting::Response(_) | Waiting::Child => false,
            Waiting::Sleep(until) => {
                if now < until {
                    return false;
                }
                self.waiting = Waiting::Nothing;
                self.record.push((now, Outcome::Slept));
                true
            }
            Waiting::Stream(id, until) => {
                let arrival = self.streams.get_mut(&id).and_then(VecDeque::pop_front);
                let outcome = match (arrival, until) {
                    (Some((at, arrival)), _) => (at, Outcome::Arrival(arrival)),
                    (None, Some(until)) if until <= now => (now, Outcome::TimedOut),
                    _ => return false,
                };
                self.waiting = Waiting::Nothing;
                self.record.push(outcome);
                true
            }
        }
    }

    fn wake_at(&self) -> Option<Time> {
        match self.waiting {
            Waiting::Sleep(until) => Some(until),
            Waiting::Stream(_, until) => until,
            _ => None,
        }
    }
}

impl Context<'_> {
    /// The arguments after `kubectl`.
    pub fn args(&self) -> Vec<Str> {
        self.run.args.clone()
    }

    pub fn stdin(&self) -> Option<Str> {
        self.run.stdin.clone()
    }

    /// Whether standard input is a keyboard.
    pub fn is_typed(&self) -> bool {
        self.run.is_typed
    }

    /// From now on a port of this machine leads to a pod.
    pub fn forward(&mut self, forward: Forward) {
        if !self.run.forwards.contains(&forward) {
            self.run.forwards.push(forward);
        }
    }

    /// From now on what is typed goes into `stream`, Ctrl+C too if a terminal is there.
    pub fn pass_on_typing(&mut self, stream: RequestId, is_terminal: bool) {
        self.run.typed_into = Some(stream);
        self.run.is_terminal = is_terminal;
    }

    /// Runs another program in the terminal, to its end; gives its exit code.
    pub fn run_program(&mut self, argv: Vec<Str>) -> Result<i32, Failure> {
        match self.next() {
            Some(Outcome::Ran(status)) => Ok(status),
            Some(_) => Err(diverged()),
            None => {
                self.host.start(argv);
                self.run.waiting = Waiting::Child;
                Err(Failure::Waiting)
            }
        }
    }

    /// The time at this point of the command: when the last answer arrived.
    pub fn now(&self) -> Time {
        self.now
    }

    pub fn out(&mut self, text: impl AsRef<str>) {
        self.print(1, text.as_ref());
    }

    pub fn err(&mut self, text: impl AsRef<str>) {
        self.print(2, text.as_ref());
    }

    /// Every further request is made in the name of `user`.
    pub(crate) fn act_as(&mut self, user: Str, groups: Vec<Str>) {
        self.acting_as = (user, groups);
    }

    /// Says who asks, and in whose name.
    fn sign(&self, request: &mut Request) {
        request.options.user_agent = "kubectl".into();
        (
            request.options.impersonate_user,
            request.options.impersonate_groups,
        ) = self.acting_as.clone();
    }

    /// Sends a request and waits for its answer, whatever it is.
    pub fn call(&mut self, mut request: Request) -> Result<Response, Failure> {
        self.sign(&mut request);
        match self.next() {
            Some(Outcome::Response(response)) => {
                for warning in &response.warnings {
                    self.err(format!("Warning: {warning}\n"));
                }
                Ok(response)
            }
            Some(_) => Err(diverged()),
            None => {
                let id = self.host.send(request);
                self.run.waiting = Waiting::Response(id);
                Err(Failure::Waiting)
            }
        }
    }

    /// Sends a request whose answer must be a success; gives the object, or kubectl's error.
    pub fn object(&mut self, request: Request) -> Result<Value, Failure> {
        let response = self.call(request)?;
        if response.is_success() {
            Ok(response.body)
        } else {
            Err(Failure::server(&response))
        }
    }

    /// Opens a watch or stream; read it with [`Context::next_arrival`].
    pub fn open(&mut self, mut request: Request) -> Result<RequestId, Failure> {
        self.sign(&mut request);
        match self.next() {
            Some(Outcome::Opened(id)) => Ok(id),
            Some(_) => Err(diverged()),
            None => {
                let id = self.host.send(request);
                self.run.streams.insert(id, VecDeque::new());
                self.push(Outcome::Opened(id));
                Ok(id)
            }
        }
    }

    /// The next arrival of a stream; `None` if `until` passes first.
    pub fn next_arrival(
        &mut self,
        stream: RequestId,
        until: Option<Time>,
    ) -> Result<Option<Arrival>, Failure> {
        loop {
            match self.next() {
                Some(Outcome::Arrival(arrival)) => return Ok(Some(arrival)),
                Some(Outcome::TimedOut) => return Ok(None),
                Some(_) => return Err(diverged()),
                None => {
                    self.run.waiting = Waiting::Stream(stream, until);
                    if !self.run.settle(self.host.now()) {
                        return Err(Failure::Waiting);
                    }
                }
            }
        }
    }

    pub fn close(&mut self, stream: RequestId) {
        if self.run.typed_into == Some(stream) {
            self.run.typed_into = None;
        }
        if self.run.streams.remove(&stream).is_some() {
            self.host.cancel(stream);
        }
    }

    pub fn sleep(&mut self, span: Micros) -> Result<(), Failure> {
        match self.next() {
            Some(Outcome::Slept) => Ok(()),
            Some(_) => Err(diverged()),
            None => {
                self.run.waiting = Waiting::Sleep(self.host.now() + span);
                Err(Failure::Waiting)
            }
        }
    }

    pub fn read_file(&mut self, path: &str) -> Result<Result<Str, String>, Failure> {
        match self.next() {
            Some(Outcome::File(content)) => Ok(content),
            Some(_) => Err(diverged()),
            None => {
                let content = self.host.read_file(path);
                self.push(Outcome::File(content.clone()));
                Ok(content)
            }
        }
    }

    pub fn list_dir(&mut self, path: &str) -> Result<Result<Vec<Str>, String>, Failure> {
        match self.next() {
            Some(Outcome::Dir(names)) => Ok(names),
            Some(_) => Err(diverged()),
            None => {
                let names = self.host.list_dir(path);
                self.push(Outcome::Dir(names.clone()));
                Ok(names)
            }
        }
    }

    pub fn write_file(&mut self, path: &str, text: &str) -> Result<Result<(), String>, Failure> {
        match self.next() {
            Some(Outcome::Written(result)) => Ok(result),
            Some(_) => Err(diverged()),
            None => {
                let result = self.host.write_file(path, text);
                self.push(Outcome::Written(result.clone()));
                Ok(result)
            }
        }
    }

    pub fn env(&mut self, name: &str) -> Result<Option<Str>, Failure> {
        match self.next() {
            Some(Outcome::Env(value)) => Ok(value),
            Some(_) => Err(diverged()),
            None => {
                let value = self.host.env(name);
                self.push(Outcome::Env(value.clone()));
                Ok(value)
            }
        }
    }

    /// Enters a loop whose state is `initial` at first, or what the newest [`Context::checkpoint`] kept.
    /// A command has at most one such loop, and opens its streams before it.
    pub fn resume(&mut self, initial: Value) -> Value {
        if self.run.loop_state.is_none() {
            self.run.loop_state = Some(LoopState {
                base: self.cursor,
                position: self.position,
                at: self.now,
                value: initial,
            });
        }
        let state = self.run.loop_state.as_ref().expect("set above");
        self.position = state.position;
        self.now = state.at;
        state.value.clone()
    }

    /// Inside the loop: `state` stands for everything the loop has learnt so far.
    pub fn checkpoint(&mut self, state: Value) {
        let (cursor, position, now) = (self.cursor, self.position, self.now);
        let Some(saved) = self.run.loop_state.as_mut() else {
            return;
        };
        saved.value = state;
        saved.position = position;
        saved.at = now;
        let base = saved.base;
        self.run.record.drain(base..cursor);
        self.cursor = base;
    }

    fn next(&mut self) -> Option<Outcome> {
        let (at, outcome) = self.run.record.get(self.cursor)?.clone();
        self.cursor += 1;
        self.now = at;
        Some(outcome)
    }

    fn push(&mut self, outcome: Outcome) {
        self.now = self.host.now();
        self.run.record.push((self.now, outcome));
        self.cursor += 1;
    }

    fn print(&mut self, descriptor: u8, text: &str) {
        let start = self.position;
        self.position += text.len() as u64;
        let skip = self
            .run
            .emitted
            .saturating_sub(start)
            .min(text.len() as u64) as usize;
        let fresh = text.get(skip..).unwrap_or_default();
        if fresh.is_empty() {
            return;
        }
        match self.output.last_mut() {
            Some((last, buffer)) if *last == descriptor => buffer.push_str(fresh),
            _ => self.output.push((descriptor, fresh.to_owned())),
        }
    }
}

/// A command must ask the same questions each time it is run; this is a bug of ours, shown instead of a panic.
fn diverged() -> Failure {
    Failure::error("internal error: the command took another path when it was resumed")
}
