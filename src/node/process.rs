//! What a container's first process does: serve until stopped, run a command, or end.

use api::{Str, Value};
use sim::{MILLI, Micros, SECOND, Time};

use crate::catalogue::{Behaviour, Image};

/// A living process. Plain data; it acts when it is asked or when a timer of its pod fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// Answers on its ports until it is stopped.
    Server {
        ports: Vec<u16>,
        exit_on_term: i32,
        since: Time,
        kind: Server,
    },
    /// Ends by itself at a time.
    Ends {
        at: Time,
        code: i32,
        reason: &'static str,
        hears_term: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Every path answers 200.
    Plain,
    /// agnhost's `liveness`: 500 from the eleventh second on.
    FailsAfterTenSecs,
}

/// What starting a process led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    Runs(Process),
    /// It could not be started: the runtime's words.
    Fails(String),
}

/// Starts the process of a container.
pub fn launch(image: &Image, spec: &Value, now: Time) -> Launch {
    let argv = argv(image, spec);
    let declared = spec
        .get("ports")
        .items()
        .iter()
        .filter_map(|port| u16::try_from(port.int("containerPort").unwrap_or(0)).ok());
    let mut ports: Vec<u16> = image.ports.iter().copied().chain(declared).collect();
    ports.sort_unstable();
    ports.dedup();
    if let Some(first) = argv.first()
        && spec.has("command")
        && !is_program(image, first)
    {
        return Launch::Fails(not_found(first));
    }
    if image.behaviour == Behaviour::Stress
        && let Some(at) = out_of_memory(&argv, spec, now)
    {
        return Launch::Runs(Process::Ends {
            at,
            code: 137,
            reason: "OOMKilled",
            hears_term: true,
        });
    }
    if let Some(span) = sleep(&argv) {
        return Launch::Runs(Process::Ends {
            at: now + span,
            code: 0,
            reason: "Completed",
            hears_term: false,
        });
    }
    if image.behaviour == Behaviour::Shell
        && !spec.has("command")
        && !spec.has("args")
        && !spec.bool("stdin")
    {
        // A shell without input ends at once.
        let at = now + 5 * MILLI;
        return Launch::Runs(Process::Ends {
            at,
            code: 0,
            reason: "Completed",
            hears_term: false,
        });
    }
    let is_liveness = argv.first().is_some_and(|a| a.ends_with("agnhost"))
        && argv.get(1).is_some_and(|a| a == "liveness");
    let exit_on_term = match image.behaviour {
        Behaviour::Server { exit_on_term } => exit_on_term,
        _ => 143,
    };
    let kind = if is_liveness {
        Server::FailsAfterTenSecs
    } else {
        Server::Plain
    };
    Launch::Runs(Process::Server {
        ports,
        exit_on_term,
        since: now,
        kind,
    })
}

impl Process {
    /// When it ends if nobody stops it.
    pub fn ends_at(&self) -> Option<Time> {
        match self {
            Process::Server { .. } => None,
            Process::Ends { at, .. } => Some(*at),
        }
    }

    /// SIGTERM: after which span it ends with which status; `None` if it does not care.
    pub fn on_term(&self) -> Option<(Micros, i32)> {
        match self {
            Process::Server { exit_on_term, .. } => Some((30 * MILLI, *exit_on_term)),
            Process::Ends {
                hears_term: true, ..
            } => Some((5 * MILLI, 143)),
            Process::Ends {
                hears_term: false, ..
            } => None,
        }
    }
}

/// The words that are run: `command` replaces the image's entry point, `args` its default arguments.
pub fn argv(image: &Image, spec: &Value) -> Vec<Str> {
    let words = |field: &str| -> Vec<Str> {
        spec.get(field)
            .items()
            .iter()
            .filter_map(|w| w.as_shared_str().cloned())
            .collect()
    };
    let of_image = |words: &[&'static str]| words.iter().map(|w| Str::from(*w)).collect::<Vec<_>>();
    let mut argv = if spec.has("command") {
        words("command")
    } else {
        of_image(image.entrypoint)
    };
    if spec.has("args") {
        argv.extend(words("args"));
    } else if !spec.has("command") {
        argv.extend(of_image(image.cmd));
    }
    argv
}

/// The runtime's words for a program that is not there.
pub fn not_found(program: &str) -> String {
    let why = if program.contains('/') {
        format!("exec: \"{program}\": stat {program}: no such file or directory")
    } else {
        format!("exec: \"{program}\": executable file not found in $PATH")
    };
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {why}: unknown"
    )
}

/// Programs that a common image has.
const COMMON: &[&str] = &[
    "sh",
    "ash",
    "bash",
    "sleep",
    "echo",
    "cat",
    "ls",
    "env",
    "printenv",
    "true",
    "false",
    "tail",
    "head",
    "date",
    "wget",
    "curl",
    "nc",
    "nslookup",
    "ping",
    "seq",
    "test",
    "[",
    "top",
    "ps",
    "id",
    "hostname",
    "touch",
    "mkdir",
    "rm",
    "cp",
    "mv",
    "chmod",
    "chown",
    "grep",
    "sed",
    "awk",
    "sort",
    "yes",
    "uname",
    "whoami",
    "pwd",
    "tar",
    "base64",
    "dd",
    "df",
    "du",
    "free",
    "kill",
    "perl",
    "python",
    "python3",
    "node",
    "java",
    "npm",
    "redis-server",
    "redis-cli",
    "mysqld",
    "nginx",
    "httpd",
    "stress",
    "mongod",
    "postgres",
];

fn is_program(image: &Image, word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    image.is_generic
        || COMMON.contains(&name)
        || image.entrypoint.iter().chain(image.cmd).any(|w| *w == word)
        || word.starts_with('/')
}

/// `stress --vm-bytes N` against the container's limit.
fn out_of_memory(argv: &[Str], spec: &Value, now: Time) -> Option<Time> {
    let at = argv
        .iter()
        .position(|w| w == "--vm-bytes" || w == "-mem-total")?;
    let asked = argv.get(at + 1)?;
    let digits = asked.len() - asked.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit: u64 = match asked[digits..]
        .chars()
        .next()
        .map(|c| c.to_ascii_uppercase())
    {
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    let bytes = asked[..digits].parse::<u64>().ok()?.saturating_mul(unit);
    let limit = spec.path("resources.limits.memory");
    let limit = if limit.is_null() {
        return None;
    } else {
        api::quantity::Quantity::of(limit).value()
    };
    (bytes > limit.max(0) as u64).then(|| now + 400 * MILLI)
}

fn sleep(argv: &[Str]) -> Option<Micros> {
    let [program, span] = argv else { return None };
    if !(program == "sleep" || program.ends_with("/sleep")) {
        return None;
    }
    let (number, unit) = match span.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => span.split_at(at),
        None => (span.as_str(), "s"),
    };
    let unit = match unit {
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => 86_400 * SECOND,
        "inf" | "infinity" => return Some(u64::MAX / 4),
        _ => return None,
    };
    number.parse::<u64>().ok().map(|n| n.saturating_mul(unit))
}
