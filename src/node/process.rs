//! What a container's first process is: a server that only serves, something that ends by itself, or a command that
//! really runs inside the container.

use std::collections::BTreeMap;

use api::{Str, Value};
use sim::{MILLI, Micros, Time};

use crate::catalogue::{Behaviour, Image};
use crate::environment::expand;

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
    },
    /// Runs in the container's [`crate::inside::Inside`].
    Inside { ports: Vec<u16> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Every path answers 200.
    Plain,
    /// agnhost's `liveness`: 500 from the eleventh second on.
    FailsAfterTenSecs,
}

/// How a container is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    Process(Process),
    /// These words run inside.
    Run(Vec<String>),
}

/// Decides what the process of a container is.
pub fn choose(image: &Image, spec: &Value, env: &BTreeMap<String, String>, now: Time) -> Launch {
    let argv = argv(image, spec, env);
    let first = argv.first().map_or("", String::as_str);
    let ports = ports(image, spec);
    if image.behaviour == Behaviour::Stress
        && let Some(at) = out_of_memory(&argv, spec, now)
    {
        return Launch::Process(Process::Ends {
            at,
            code: 137,
            reason: "OOMKilled",
        });
    }
    if let Some((after, code)) = image.custom.as_ref().and_then(|custom| custom.exit)
        && !spec.has("command")
    {
        return Launch::Process(Process::Ends {
            at: now + after,
            code,
            reason: if code == 0 { "Completed" } else { "Error" },
        });
    }
    let is_own = image
        .entrypoint
        .first()
        .into_iter()
        .chain(image.cmd.first())
        .any(|own| base(own) == base(first));
    let exit_on_term = match image.behaviour {
        Behaviour::Server { exit_on_term } => Some(exit_on_term),
        Behaviour::Shell => None,
        Behaviour::Deaf | Behaviour::Stress => Some(143),
    };
    let is_tool = matches!(base(first), "sh" | "bash" | "ash" | "dash")
        || posix::tool_names().any(|tool| tool == base(first));
    let serves = exit_on_term.is_some()
        && (is_own
            || argv.is_empty()
            || image.is_generic && !is_tool
            || !spec.has("command") && !is_tool);
    match exit_on_term {
        Some(exit_on_term) if serves => {
            let is_liveness =
                base(first) == "agnhost" && argv.get(1).is_some_and(|a| a == "liveness");
            let kind = if is_liveness {
                Server::FailsAfterTenSecs
            } else {
                Server::Plain
            };
            Launch::Process(Process::Server {
                ports,
                exit_on_term,
                since: now,
                kind,
            })
        }
        _ => Launch::Run(argv),
    }
}

impl Process {
    /// When it ends if nobody stops it; unknown for what runs inside.
    pub fn ends_at(&self) -> Option<Time> {
        match self {
            Process::Ends { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// SIGTERM: after which span it ends with which status. What runs inside decides for itself.
    pub fn on_term(&self) -> Option<(Micros, i32)> {
        match self {
            Process::Server { exit_on_term, .. } => Some((30 * MILLI, *exit_on_term)),
            Process::Ends { .. } => Some((5 * MILLI, 143)),
            Process::Inside { .. } => None,
        }
    }
}

/// Ports on which the container answers.
pub fn ports(image: &Image, spec: &Value) -> Vec<u16> {
    let declared = spec
        .get("ports")
        .items()
        .iter()
        .filter_map(|port| u16::try_from(port.int("containerPort")?).ok());
    let own = image.custom.iter().flat_map(|custom| custom.ports.iter());
    let mut ports: Vec<u16> = image
        .ports
        .iter()
        .chain(own)
        .copied()
        .chain(declared)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The words that are run: `command` replaces the image's entry point, `args` its default arguments.
pub fn argv(image: &Image, spec: &Value, env: &BTreeMap<String, String>) -> Vec<String> {
    let words = |field: &str| -> Vec<String> {
        spec.get(field)
            .items()
            .iter()
            .filter_map(Value::as_str)
            .map(|word| expand(word, env))
            .collect()
    };
    let of_image =
        |words: &[&'static str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
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
    // An entry point script ends by becoming the program it is given.
    if argv.len() > 1 && !spec.has("command") && image.behaviour == Behaviour::Shell {
        argv.drain(..image.entrypoint.len());
    }
    argv
}

/// Why the runtime cannot start a program that is not there.
pub fn no_program(program: &str) -> String {
    if program.contains('/') {
        format!("exec: \"{program}\": stat {program}: no such file or directory")
    } else {
        format!("exec: \"{program}\": executable file not found in $PATH")
    }
}

/// The runtime's words for a container that cannot be started.
pub fn not_started(why: &str) -> String {
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {why}: unknown"
    )
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `stress --vm-bytes N` against the container's limit.
fn out_of_memory(argv: &[String], spec: &Value, now: Time) -> Option<Time> {
    let at = argv
        .iter()
        .position(|w| w == "--vm-bytes" || w == "-mem-total")?;
    let asked = Str::new(argv.get(at + 1)?);
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
    if limit.is_null() {
        return None;
    }
    let limit = api::quantity::Quantity::of(limit).value();
    (bytes > limit.max(0) as u64).then(|| now + 400 * MILLI)
}
