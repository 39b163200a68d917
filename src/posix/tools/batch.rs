//! Tools that run other programs: `xargs`, `find -exec`, `timeout`, `watch`, `env`, `nohup`, `nice`, `setsid`.

use super::context::{Context, Options};
use super::live::{Live, seconds};
use crate::host::Pid;
use crate::shell::Env;
use crate::system::signal::Signal;
use crate::system::{Argv, Ending, Exec, Program, Turn, Wait};
use std::collections::VecDeque;
use std::sync::Arc;

/// What a batch is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Status 123 if one failed, 124 and so on as xargs does.
    Xargs,
    /// `find -exec`: failures do not matter.
    Find,
    Timeout {
        signal: Signal,
        deadline: Option<i64>,
        fired: bool,
        kill_after: Option<i64>,
        preserve: bool,
    },
    Watch {
        interval: i64,
    },
    Time {
        started: i64,
    },
}

/// Programs to run one after another.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) commands: VecDeque<Argv>,
    pub(crate) running: Option<Pid>,
    pub(crate) purpose: Purpose,
    pub(crate) status: i32,
    pub(crate) wake: Option<i64>,
}

impl Batch {
    pub(crate) fn new(commands: VecDeque<Argv>, purpose: Purpose) -> Batch {
        Batch {
            commands,
            running: None,
            purpose,
            status: 0,
            wake: None,
        }
    }

    pub(crate) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        if let Some(wake) = self.wake {
            if c.now() < wake {
                c.p.wait = Wait::Until(wake);
                return Turn::Continue;
            }
            self.wake = None;
        }
        if let Some(pid) = self.running {
            match c.k.reap(c.p.pid, Some(pid)) {
                Some((_, ending)) => {
                    self.running = None;
                    if let Some(status) = self.ended(ending, c) {
                        return Turn::Exit(status);
                    }
                }
                None => return self.wait(pid, c),
            }
        }
        if self.wake.is_some() {
            return Turn::Continue;
        }
        let Some(argv) = self.commands.pop_front() else {
            return Turn::Exit(self.status);
        };
        let exec = Exec {
            argv: argv.clone(),
            env: c.env.clone(),
            who: c.name().into(),
            dialect: crate::syntax::Dialect::Bash,
        };
        c.flush();
        let Some(pid) = c.k.fork(c.p, Program::Exec(Box::new(exec)), false) else {
            return Turn::Exit(c.fail(125, "cannot fork: Resource temporarily unavailable"));
        };
        if let Some(child) = c.k.sys.process_mut(pid) {
            child.argv = argv.clone();
        }
        if let Purpose::Watch { .. } = self.purpose {
            self.commands.push_back(argv);
        }
        self.running = Some(pid);
        self.wait(pid, c)
    }

    fn wait(&mut self, pid: Pid, c: &mut Context<'_, '_>) -> Turn {
        c.p.wait = Wait::Child;
        if let Purpose::Timeout {
            signal,
            deadline,
            fired,
            kill_after,
            ..
        } = &mut self.purpose
        {
            if deadline.is_some_and(|t| c.k.now >= t) {
                c.k.kill(pid, *signal);
                *fired = true;
                *deadline = kill_after.take().map(|after| c.k.now + after);
                *signal = Signal::KILL;
            }
            if let Some(t) = deadline {
                c.p.wait = Wait::ChildUntil(*t);
            }
        }
        Turn::Continue
    }

    /// A program ended; `Some`: all is over.
    fn ended(&mut self, ending: Ending, c: &mut Context<'_, '_>) -> Option<i32> {
        let status = ending.status();
        match &self.purpose {
            Purpose::Xargs => match status {
                0 => {}
                126 | 127 => return Some(status),
                255 => return Some(124),
                _ if matches!(ending, Ending::Killed(_)) => return Some(125),
                _ => self.status = 123,
            },
            Purpose::Find => {}
            Purpose::Timeout {
                fired, preserve, ..
            } => {
                return Some(match (fired, preserve, ending) {
                    (true, false, Ending::Killed(Signal::KILL)) => 137,
                    (true, false, _) => 124,
                    _ => status,
                });
            }
            Purpose::Watch { interval } => {
                let t = c.now() + interval;
                self.wake = Some(t);
                c.p.wait = Wait::Until(t);
            }
            Purpose::Time { started } => {
                let micros = c.now() - started;
                let text = format!(
                    "real\t{}m {}.{:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n",
                    micros / 60_000_000,
                    micros / 1_000_000 % 60,
                    micros / 10_000 % 100
                );
                c.err.extend_from_slice(text.as_bytes());
                return Some(status);
            }
        }
        None
    }
}

pub(super) fn xargs(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let input = c.stdin();
    if c.wants_input {
        return Err(0);
    }
    let args = c.args();
    let long = [
        ("null", '0'),
        ("no-run-if-empty", 'r'),
        ("max-args=", 'n'),
        ("replace=", 'I'),
        ("delimiter=", 'd'),
        ("max-procs=", 'P'),
        ("verbose", 't'),
    ];
    let o = Options::parse_args(c, &args, "0rtpx", "nILPdsEa", &long, true)?;
    let text = String::from_utf8_lossy(&input).into_owned();
    let mut base: Vec<Arc<str>> = o.operands.clone();
    if base.is_empty() {
        base.push("echo".into());
    }
    let items: Vec<String> = if o.has('0') {
        text.split('\0')
            .filter(|t| !t.is_empty())
            .map(String::from)
            .collect()
    } else if let Some(d) = o.value('d') {
        let d = d.replace("\\n", "\n").replace("\\t", "\t");
        text.trim_end_matches('\n')
            .split(&d)
            .map(String::from)
            .collect()
    } else if o.has('I') || o.has('L') {
        text.lines()
            .map(|l| l.trim_start().to_string())
            .filter(|l| !l.is_empty())
            .collect()
    } else {
        words(&text)
    };
    let mut commands: VecDeque<Argv> = VecDeque::new();
    if let Some(mark) = o.value('I') {
        for item in &items {
            commands.push_back(
                base.iter()
                    .map(|a| Arc::from(a.replace(mark, item)))
                    .collect(),
            );
        }
    } else {
        let per: usize = o
            .value('n')
            .or(o.value('L'))
            .and_then(|n| n.parse().ok())
            .unwrap_or(5000)
            .max(1);
        for chunk in items.chunks(per) {
            let mut argv = base.clone();
            for item in chunk {
                if o.has('L') {
                    argv.extend(words(item).into_iter().map(Arc::from));
                } else {
                    argv.push(Arc::from(item.as_str()));
                }
            }
            commands.push_back(argv.into());
        }
        // GNU runs once without input unless told not to; busybox does not.
        if items.is_empty() && !o.has('r') && !c.busybox() {
            commands.push_back(base.into());
        }
    }
    if o.has('t') {
        for argv in &commands {
            c.err
                .extend_from_slice(format!("{}\n", argv.join(" ")).as_bytes());
        }
    }
    Ok(Live::Batch(Box::new(Batch::new(commands, Purpose::Xargs))))
}

/// Blank-separated words with quotes and backslashes.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match (quote, ch) {
            (Some(q), ch) if q == ch => quote = None,
            (Some(_), ch) => word.get_or_insert_default().push(ch),
            (None, '\'' | '"') => {
                quote = Some(ch);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, ch) if ch.is_whitespace() => out.extend(word.take()),
            (None, ch) => word.get_or_insert_default().push(ch),
        }
    }
    out.extend(word);
    out
}

pub(super) fn timeout(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let long = [
        ("signal=", 's'),
        ("kill-after=", 'k'),
        ("preserve-status", 'p'),
        ("foreground", 'f'),
        ("verbose", 'v'),
    ];
    let o = Options::parse_args(c, &args, "pfv", "skt", &long, true)?;
    let mut operands = o.operands.clone();
    let limit = match o.value('t') {
        Some(t) => t.to_string(),
        None if operands.is_empty() => return Err(c.misuse(125, "missing operand")),
        None => operands.remove(0).to_string(),
    };
    let Some(micros) = seconds(&limit) else {
        return Err(c.fail(125, &format!("invalid time interval '{limit}'")));
    };
    if operands.is_empty() {
        return Err(c.misuse(125, "missing operand"));
    }
    let signal = match o.value('s') {
        Some(name) => match Signal::parse(name) {
            Some(signal) => signal,
            None => {
                let name = name.to_string();
                return Err(c.fail(125, &format!("'{name}': invalid signal")));
            }
        },
        None => Signal::TERM,
    };
    let purpose = Purpose::Timeout {
        signal,
        deadline: (micros > 0).then(|| c.now() + micros),
        fired: false,
        kill_after: o.value('k').and_then(seconds),
        preserve: o.has('p') || c.busybox(),
    };
    let mut batch = Batch::new(VecDeque::from([operands.into()]), purpose);
    if c.busybox()
        && let Purpose::Timeout { preserve, .. } = &mut batch.purpose
    {
        // busybox reports the signal's own status (143).
        *preserve = true;
    }
    Ok(Live::Batch(Box::new(batch)))
}

pub(super) fn watch(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let long = [("interval=", 'n'), ("differences", 'd'), ("no-title", 't')];
    let o = Options::parse_args(c, &args, "dteg", "n", &long, true)?;
    if o.operands.is_empty() {
        return Err(c.fail(1, "no command given"));
    }
    let interval = o
        .value('n')
        .and_then(seconds)
        .unwrap_or(2_000_000)
        .max(100_000);
    let text = o.operands.join(" ");
    let argv: Argv = [Arc::from("sh"), "-c".into(), text.into()].into();
    let batch = Batch::new(VecDeque::from([argv]), Purpose::Watch { interval });
    Ok(Live::Batch(Box::new(batch)))
}

pub(super) fn time(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let o = Options::parse_args(c, &args, "pv", "", &[], true)?;
    if o.operands.is_empty() {
        return Err(c.fail(1, "no command given"));
    }
    let purpose = Purpose::Time { started: c.now() };
    Ok(Live::Batch(Box::new(Batch::new(
        VecDeque::from([o.operands.into()]),
        purpose,
    ))))
}

fn become_program(c: &mut Context<'_, '_>, argv: Argv, env: Arc<Env>) -> Live {
    Live::Become(Box::new(Exec {
        argv,
        env,
        who: c.name().into(),
        dialect: crate::syntax::Dialect::Bash,
    }))
}

pub(super) fn env(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let long = [
        ("ignore-environment", 'i'),
        ("unset=", 'u'),
        ("null", '0'),
        ("chdir=", 'C'),
        ("split-string=", 'S'),
    ];
    let o = Options::parse_args(c, &args, "i0v", "uCS", &long, true)?;
    let mut env = if o.has('i') {
        Env::new()
    } else {
        (**c.env).clone()
    };
    for name in o.values('u') {
        env.remove(name);
    }
    if let Some(dir) = o.value('C') {
        c.p.cwd = dir.into();
    }
    let mut rest: Vec<Arc<str>> = match o.value('S') {
        Some(text) => words(text).into_iter().map(Arc::from).collect(),
        None => Vec::new(),
    };
    rest.extend(o.operands.iter().cloned());
    let mut rest = &rest[..];
    if rest.first().is_some_and(|f| &**f == "-") {
        env.clear();
        rest = &rest[1..];
    }
    while let Some((name, value)) = rest.first().and_then(|a| a.split_once('=')) {
        env.insert(name.into(), value.into());
        rest = &rest[1..];
    }
    if rest.is_empty() {
        let end = if o.has('0') { '\0' } else { '\n' };
        for (name, value) in &env {
            c.say(&format!("{name}={value}{end}"));
        }
        return Err(0);
    }
    Ok(become_program(c, rest.into(), Arc::new(env)))
}

/// `nohup`, `nice`, `setsid`, `stdbuf`, `ionice`, `sudo`: run a program as it is, or nearly.
pub(super) fn wrapper(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let valued = match c.name() {
        "nice" | "ionice" => "nc",
        "stdbuf" => "ioe",
        "sudo" => "u",
        _ => "",
    };
    let o = Options::parse_args(c, &args, "EHnwfbks", valued, &[("adjustment=", 'n')], true)?;
    if c.name() == "nohup" {
        c.p.ignored |= Signal::HUP.bit();
    }
    if o.operands.is_empty() {
        return Err(c.misuse(125, "missing operand"));
    }
    let env = c.env.clone();
    Ok(become_program(c, o.operands.into(), env))
}
