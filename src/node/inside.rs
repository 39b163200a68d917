//! The inside of a container: its processes, what they write, and sessions that others open in it.
//!
//! Made when a command must really run: by the container itself, by a probe or hook, by `kubectl exec`.
//! A server that only serves has none.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Input;
use posix::{
    Call, Channel, Done, Env, Event, External, Files, Machine as Facts, Pid, Poll, Reply, Request,
    Signal, Spawn, Stream, System, User,
};
use sim::{MILLI, Micros, Rng, Time};

use crate::catalogue::Image;
use crate::probe::Kind;
use crate::tty::{self, Tty, Typed};

/// Steps in one turn, and how soon the next turn comes while there is more to do; a process that never rests gets slower
/// turns, so that it costs virtual time instead of real time.
const BUDGET: u32 = 20_000;
const LAZY_BUDGET: u32 = 2_000;
const TURN: Micros = 2 * MILLI;
const LAZY_TURN: Micros = 200 * MILLI;
const PATIENCE: u32 = 50;

/// Where the container's own output goes.
const MAIN: Channel = Channel(0);

#[derive(Clone, Debug)]
pub struct Inside {
    pub(crate) system: System,
    /// The container's own process, if it runs in here.
    main: Option<Pid>,
    /// Its terminal, if it has one.
    main_tty: Option<Tty>,
    pub(crate) env: Env,
    pub(crate) cwd: String,
    user: User,
    sessions: Vec<Session>,
    /// Streams that feed the container's own process.
    attached: Vec<u64>,
    next_channel: u32,
    busy: u32,
    /// When the next turn is set for.
    pub(crate) next: Option<Time>,
}

/// Something that was started beside the container's own process.
#[derive(Clone, Debug)]
struct Session {
    pid: Pid,
    channel: Channel,
    purpose: Purpose,
    tty: Option<Tty>,
    /// Whether it believes that it has a terminal.
    is_terminal: bool,
    output: Vec<u8>,
    until: Option<Time>,
}

/// What a session has for standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyboard {
    None,
    Pipe,
    /// Lines come as they are typed on the page.
    Terminal,
    /// Keys come from a real terminal, which also shows what it gets.
    Keys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The proxied request with this number.
    Exec {
        stream: u64,
    },
    Probe(Kind),
    PreStop,
    PostStart,
}

/// What one turn brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The container's own process wrote.
    Wrote { channel: u8, bytes: Vec<u8> },
    /// A session wrote.
    Said {
        purpose: Purpose,
        channel: u8,
        bytes: Vec<u8>,
    },
    /// A session is over; its output if nobody listened.
    Over {
        purpose: Purpose,
        status: i32,
        output: Vec<u8>,
    },
    /// A session took too long.
    TimedOut { purpose: Purpose },
    /// The container's own process has ended.
    Ended { status: i32 },
}

/// What the processes see of the world.
pub(crate) struct World<'a> {
    pub(crate) now: Time,
    pub(crate) rng: &'a mut Rng,
    pub(crate) hostname: String,
    pub(crate) address: String,
    pub(crate) machine: &'a crate::machine::Machine,
    pub(crate) image: &'a Image,
    /// The minor number of the image's busybox.
    pub(crate) busybox: u32,
    /// What processes asked the network in this turn.
    pub(crate) asked: Vec<(Pid, Request)>,
}

impl Inside {
    pub(crate) fn new(
        system: System,
        env: &BTreeMap<String, String>,
        cwd: String,
        user: User,
    ) -> Inside {
        Inside {
            system,
            main: None,
            main_tty: None,
            env: env
                .iter()
                .map(|(k, v)| (Arc::from(k.as_str()), Arc::from(v.as_str())))
                .collect(),
            cwd,
            user,
            sessions: Vec::new(),
            attached: Vec::new(),
            next_channel: 1,
            busy: 0,
            next: None,
        }
    }

    /// Starts the container's own process.
    pub(crate) fn start(
        &mut self,
        argv: Vec<String>,
        has_stdin: bool,
        tty: bool,
        world: &World<'_>,
    ) {
        let spawn = Spawn {
            argv,
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            user: self.user.clone(),
            channel: MAIN,
            tty,
            stdin: has_stdin,
        };
        self.main = Some(self.system.spawn(spawn, world));
        self.main_tty = tty.then(Tty::default);
    }

    /// Standard input for the container's own process; returns what its terminal shows of it.
    pub(crate) fn main_input(&mut self, input: &Input) -> Vec<u8> {
        let Some(pid) = self.main else {
            return Vec::new();
        };
        feed(&mut self.system, MAIN, pid, self.main_tty.as_mut(), input)
    }

    /// Whether an exec session is the one of this stream.
    pub(crate) fn has_session(&self, stream: u64) -> bool {
        self.sessions
            .iter()
            .any(|s| s.purpose == Purpose::Exec { stream })
    }

    /// Standard input for an exec session; returns what its terminal shows of it.
    pub(crate) fn input(&mut self, stream: u64, input: &Input) -> Vec<u8> {
        let purpose = Purpose::Exec { stream };
        let Some(s) = self.sessions.iter_mut().find(|s| s.purpose == purpose) else {
            return Vec::new();
        };
        feed(&mut self.system, s.channel, s.pid, s.tty.as_mut(), input)
    }

    /// Starts something else.
    pub(crate) fn open(
        &mut self,
        argv: Vec<String>,
        purpose: Purpose,
        until: Option<Time>,
        keyboard: Keyboard,
        world: &World<'_>,
    ) {
        let channel = Channel(self.next_channel);
        self.next_channel += 1;
        if self.main.is_none() {
            // The container's own process is not in here, and keeps the number 1 all the same.
            self.system.set_next_pid(20 + channel.0 * 7);
        }
        let spawn = Spawn {
            argv,
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            user: self.user.clone(),
            channel,
            tty: matches!(keyboard, Keyboard::Terminal | Keyboard::Keys),
            stdin: keyboard != Keyboard::None,
        };
        let pid = self.system.spawn(spawn, world);
        self.sessions.push(Session {
            pid,
            channel,
            purpose,
            tty: (keyboard == Keyboard::Keys).then(Tty::default),
            is_terminal: matches!(keyboard, Keyboard::Terminal | Keyboard::Keys),
            output: Vec::new(),
            until,
        });
    }

    /// What comes for `stream` goes to the container's own process.
    pub(crate) fn attach(&mut self, stream: u64) {
        self.attached.push(stream);
    }

    /// Whether a session takes what is typed into `stream`.
    pub(crate) fn reads(&self, stream: u64) -> bool {
        self.channel_of(stream).is_some()
    }

    fn channel_of(&self, stream: u64) -> Option<Channel> {
        let session = self
            .sessions
            .iter()
            .find(|s| s.purpose == Purpose::Exec { stream });
        session
            .map(|session| session.channel)
            .or_else(|| self.attached.contains(&stream).then_some(MAIN))
    }

    /// Whether somebody waits for what is typed into `stream`.
    pub(crate) fn awaits(&self, stream: u64) -> bool {
        self.channel_of(stream)
            .is_some_and(|channel| self.system.is_read(channel))
    }

    /// Bytes for a session's standard input; after `is_all` nothing follows.
    pub(crate) fn feed(&mut self, stream: u64, bytes: &[u8], is_all: bool) {
        if bytes == [tty::CTRL_C]
            && let Some(pid) = self.behind_terminal(stream)
        {
            self.system.interrupt(pid);
            return;
        }
        if let Some(channel) = self.channel_of(stream) {
            self.system.feed(channel, bytes);
            if is_all {
                self.system.close_input(channel);
            }
        }
    }

    /// The process that a stream's terminal belongs to, if the stream has one.
    fn behind_terminal(&self, stream: u64) -> Option<Pid> {
        let session = self
            .sessions
            .iter()
            .find(|s| s.purpose == Purpose::Exec { stream });
        match session {
            Some(session) => session.is_terminal.then_some(session.pid),
            None if self.attached.contains(&stream) && self.main_tty.is_some() => self.main,
            None => None,
        }
    }

    /// The listener of an exec session went away.
    pub(crate) fn close(&mut self, stream: u64) {
        self.attached.retain(|attached| *attached != stream);
        if let Some(at) = self
            .sessions
            .iter()
            .position(|s| s.purpose == Purpose::Exec { stream })
        {
            let session = self.sessions.remove(at);
            self.system.signal(session.pid, Signal::KILL);
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        if let Some(pid) = self.main {
            self.system.signal(pid, signal);
        }
    }

    /// Runs what can run now.
    pub(crate) fn run(
        &mut self,
        storage: &mut crate::files::Storage,
        world: &mut World<'_>,
    ) -> Vec<Outcome> {
        let budget = if self.busy > PATIENCE {
            LAZY_BUDGET
        } else {
            BUDGET
        };
        let poll = self.system.step(&mut storage.disk, world, budget);
        let mut outcomes = Vec::new();
        for output in self.system.take_output() {
            let channel = if output.stream == Stream::Stdout {
                1
            } else {
                2
            };
            if output.channel == MAIN {
                outcomes.push(Outcome::Wrote {
                    channel,
                    bytes: output.bytes,
                });
            } else if let Some(s) = self
                .sessions
                .iter_mut()
                .find(|s| s.channel == output.channel)
            {
                match s.purpose {
                    Purpose::Exec { .. } => {
                        // A terminal is one place for both kinds of output.
                        let (channel, bytes) = match s.tty {
                            Some(_) => (1, tty::shown(&output.bytes)),
                            None => (channel, output.bytes),
                        };
                        outcomes.push(Outcome::Said {
                            purpose: s.purpose,
                            channel,
                            bytes,
                        });
                    }
                    _ if s.output.len() < 10 << 10 => s.output.extend(output.bytes),
                    _ => {}
                }
            }
        }
        for event in self.system.take_events() {
            let Event::Ended { pid, ending } = event else {
                continue;
            };
            if self.main == Some(pid) {
                self.main = None;
                outcomes.push(Outcome::Ended {
                    status: ending.status(),
                });
            } else if let Some(at) = self.sessions.iter().position(|s| s.pid == pid) {
                let session = self.sessions.remove(at);
                self.system.drop_channel(session.channel);
                outcomes.push(Outcome::Over {
                    purpose: session.purpose,
                    status: ending.status(),
                    output: session.output,
                });
            }
        }
        while let Some(at) = self
            .sessions
            .iter()
            .position(|s| s.until.is_some_and(|t| t <= world.now))
        {
            let session = self.sessions.remove(at);
            self.system.signal(session.pid, Signal::KILL);
            outcomes.push(Outcome::TimedOut {
                purpose: session.purpose,
            });
        }
        self.busy = if poll == Poll::Busy {
            self.busy.saturating_add(1)
        } else {
            0
        };
        let step = match poll {
            Poll::Busy => Some(
                world.now
                    + if self.busy > PATIENCE {
                        LAZY_TURN
                    } else {
                        TURN
                    },
            ),
            Poll::Until(micros) => Some(Time(micros.max(0) as u64)),
            Poll::Waiting | Poll::Done => None,
        };
        let deadline = self.sessions.iter().filter_map(|s| s.until).min();
        self.next = step.into_iter().chain(deadline).min();
        outcomes
    }
}

/// Gives input to a channel, through its terminal if it has one; returns the echo.
fn feed(
    system: &mut System,
    channel: Channel,
    pid: Pid,
    tty: Option<&mut Tty>,
    input: &Input,
) -> Vec<u8> {
    let mut echo = Vec::new();
    match (input, tty) {
        (Input::Data(bytes), None) => system.feed(channel, bytes),
        (Input::Data(bytes), Some(tty)) => {
            for typed in tty.type_in(bytes) {
                match typed {
                    Typed::Echo(bytes) => echo.extend(bytes),
                    Typed::Line(line) => system.feed(channel, &line),
                    Typed::Interrupt => system.interrupt(pid),
                    Typed::End => system.close_input(channel),
                }
            }
        }
        (Input::End, _) => system.close_input(channel),
        (Input::Resize { .. }, _) => {}
    }
    echo
}

impl posix::Host for World<'_> {
    fn now(&self) -> i64 {
        self.now.0 as i64
    }

    fn hostname(&self) -> String {
        self.hostname.clone()
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    fn machine(&self) -> Facts {
        Facts {
            cpus: self.machine.cpus,
            memory_bytes: self.machine.memory_kib * 1024,
            memory_used_bytes: 1 << 30,
            kernel: "6.8.0-87-generic".to_owned(),
            arch: "x86_64".to_owned(),
            ip: self.address.clone(),
            booted: 0,
            busybox: self.busybox,
        }
    }

    fn request(&mut self, pid: Pid, request: &Request) -> Option<Reply> {
        self.asked.push((pid, request.clone()));
        None
    }

    fn external(&mut self, call: &Call, files: &mut Files<'_>) -> External {
        let words: Vec<&str> = call.argv.iter().map(|word| &**word).collect();
        crate::programs::run(self.image, &words, files)
    }
}

/// What came of a program that the host runs at once.
pub(crate) fn done(stdout: impl Into<Vec<u8>>, status: i32) -> External {
    External::Done(Done {
        stdout: stdout.into(),
        stderr: Vec::new(),
        status,
    })
}
