//! What a [`crate::System`] asks of the world around it: time, chance, programs it does not know, the network.

use crate::files::Files;
use crate::shell::Env;
use std::sync::Arc;

/// The number of a process.
pub type Pid = u32;

/// The world outside. Implemented by a simulated container runtime, by the terminal, by tests.
pub trait Host {
    /// Microseconds since 1970.
    fn now(&self) -> i64;

    fn hostname(&self) -> String {
        "localhost".into()
    }

    /// A number from the generator that this machine draws from.
    fn random(&mut self) -> u64;

    /// What `uname`, `nproc`, `free` and `df` tell.
    fn machine(&self) -> Machine {
        Machine::default()
    }

    /// Runs a program that is not one of ours. See [`External`].
    fn external(&mut self, call: &Call, files: &mut Files<'_>) -> External {
        let _ = (call, files);
        External::NotFound
    }

    /// Asks the network. `None`: the answer comes later by [`crate::System::reply`].
    fn request(&mut self, pid: Pid, request: &Request) -> Option<Reply> {
        let _ = (pid, request);
        Some(Reply::Failed(NetError::Unreachable))
    }
}

/// Facts about the simulated machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub cpus: u32,
    pub memory_bytes: u64,
    pub memory_used_bytes: u64,
    pub kernel: String,
    pub arch: String,
    /// Addresses of the network interface, for `hostname -i`.
    pub ip: String,
    /// When it booted, in microseconds since 1970.
    pub booted: i64,
    /// The minor number of busybox 1.x; some tools' output changed over its releases.
    pub busybox: u32,
}

impl Default for Machine {
    fn default() -> Self {
        Machine {
            cpus: 2,
            memory_bytes: 4 << 30,
            memory_used_bytes: 1 << 30,
            kernel: "6.12.0".into(),
            arch: "x86_64".into(),
            ip: "127.0.0.1".into(),
            booted: 0,
            busybox: 37,
        }
    }
}

/// A program the host is asked to run.
#[derive(Clone, Debug)]
pub struct Call {
    /// The process; later output and the exit status are delivered to it.
    pub pid: Pid,
    pub argv: Arc<[Arc<str>]>,
    pub env: Arc<Env>,
    pub cwd: Arc<str>,
    /// All of standard input, once the host asked for it.
    pub stdin: Option<Vec<u8>>,
    /// Standard input is the session's own channel, not a pipe or a file: a person may type into it.
    pub is_typed: bool,
    /// What the descriptors named in `argv` (`/dev/fd/63`) hold, once the host asked for input.
    pub descriptors: Vec<(u16, Vec<u8>)>,
    /// Whether standard output is a terminal.
    pub tty: bool,
}

/// What the host makes of a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum External {
    /// There is no such program: the shell says so, with status 127.
    NotFound,
    /// It ran at once.
    Done(Done),
    /// It needs all of its standard input first; it is called again with `stdin` filled.
    NeedInput,
    /// It runs on: the host calls [`crate::System::deliver`] and [`crate::System::finish`] for this pid. With
    /// `catches_signals`, signals other than KILL and STOP become [`crate::Event::Signal`] instead of ending it.
    Running { catches_signals: bool },
}

/// Output and status of a program that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub status: i32,
}

/// A question to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Addresses of a name. `server` overrides the resolver.
    Lookup {
        name: String,
        kind: RecordKind,
        server: Option<String>,
    },
    /// One HTTP exchange.
    Http(HttpRequest),
    /// Whether a TCP connection opens; what is sent over it, and what comes back until the peer closes.
    Tcp {
        host: String,
        port: u16,
        send: Vec<u8>,
        timeout_micros: Option<i64>,
    },
    /// One datagram and, if any, its answer.
    Udp {
        host: String,
        port: u16,
        send: Vec<u8>,
        timeout_micros: Option<i64>,
    },
    /// One ICMP echo.
    Ping { host: String, timeout_micros: i64 },
}

/// DNS record types that the tools ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    Address,
    Address6,
    Service,
    Pointer,
    CName,
    Text,
    Any,
}

/// An HTTP request as a client program makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// `-k`
    pub insecure: bool,
    /// Time for the whole exchange.
    pub timeout_micros: Option<i64>,
    /// Time to connect.
    pub connect_timeout_micros: Option<i64>,
    /// `--resolve`, `--connect-to`, `-x` and the like, as given.
    pub extra: Vec<String>,
}

/// The network's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Records {
        /// Address of the server that answered.
        server: String,
        /// The full name that was found.
        name: String,
        records: Vec<Record>,
    },
    Http {
        /// The address that was connected to.
        peer: String,
        status: u16,
        reason: String,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// What came back, and from where.
    Data {
        peer: String,
        bytes: Vec<u8>,
    },
    Pong {
        peer: String,
        micros: i64,
    },
    Failed(NetError),
}

/// One record of a DNS answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    pub kind: RecordKind,
    pub value: String,
}

/// Why the network did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name does not exist. `server` is who said so.
    NameNotFound {
        server: String,
    },
    /// The resolver did not answer.
    ResolverTimeout {
        server: String,
    },
    Refused {
        peer: String,
    },
    /// Nothing came back in time.
    Timeout {
        peer: String,
    },
    Unreachable,
    Reset {
        peer: String,
    },
    /// TLS: the certificate is not trusted, or the peer speaks no TLS.
    Tls(String),
    /// The URL or host cannot be understood.
    BadUrl(String),
}
