//! `wait`, `jobs`, `kill`.

use super::super::frame::Frame;
use super::super::{Shell, run::Flow};
use super::{Args, Outcome};
use crate::host::Pid;
use crate::syntax::Dialect;
use crate::system::signal::{self, Default as Action, Signal};
use crate::system::{Ending, Kernel, Process, Wait};

fn job_pid(a: &Args<'_, '_>, text: &str) -> Option<Pid> {
    match text.strip_prefix('%') {
        Some("" | "%" | "+") => a.sh.jobs.last().map(|j| j.pid),
        Some("-") => a.sh.jobs.iter().rev().nth(1).map(|j| j.pid),
        Some(n) => match n.parse::<usize>() {
            Ok(n) => a.sh.jobs.get(n.checked_sub(1)?).map(|j| j.pid),
            Err(_) => {
                a.sh.jobs
                    .iter()
                    .find(|j| j.text.starts_with(n))
                    .map(|j| j.pid)
            }
        },
        None => text.parse().ok(),
    }
}

pub(super) fn wait(a: &mut Args<'_, '_>) -> Outcome {
    let args: Vec<String> = a.rest().iter().map(|s| s.to_string()).collect();
    let any = args.first().is_some_and(|f| f == "-n");
    let mut pids = Vec::new();
    for text in args.iter().filter(|t| *t != "-n" && *t != "-f") {
        match job_pid(a, text) {
            Some(pid) if a.sh.jobs.iter().any(|j| j.pid == pid) => pids.push(pid),
            Some(pid) => {
                if a.sh.dialect == Dialect::Bash {
                    a.fail(127, &format!("pid {pid} is not a child of this shell"));
                }
                return Outcome::Done(127);
            }
            None => {
                return a.fail(1, &format!("`{text}': not a pid or valid job spec"));
            }
        }
    }
    let all = pids.is_empty();
    if all {
        pids = a.sh.jobs.iter().map(|j| j.pid).collect();
        if pids.is_empty() {
            return Outcome::Done(if any { 127 } else { 0 });
        }
    }
    // Zero stands for "all of them", whose status does not matter.
    if all && !any {
        pids.push(0);
    }
    Outcome::Frames(vec![Frame::WaitFor {
        pids: pids.into(),
        any,
    }])
}

impl Shell {
    pub(crate) fn wait_for(
        &mut self,
        pids: Box<[Pid]>,
        any: bool,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        self.collect_jobs(k);
        let status_of = |sh: &Shell, pid: Pid| {
            let job = sh.jobs.iter().find(|j| j.pid == pid);
            match job {
                Some(job) => job.status,
                None => Some(127),
            }
        };
        let real = pids.iter().copied().filter(|pid| *pid != 0);
        let done: Vec<(Pid, i32)> = real
            .clone()
            .filter_map(|pid| Some((pid, status_of(self, pid)?)))
            .collect();
        let finished = if any {
            !done.is_empty()
        } else {
            done.len() == real.count()
        };
        if !finished {
            self.frames.push(Frame::WaitFor { pids, any });
            p.wait = Wait::Child;
            return Flow::Wait;
        }
        let status = if pids.last() == Some(&0) {
            0
        } else if any {
            done[0].1
        } else {
            done.last().map_or(0, |d| d.1)
        };
        let gone: Vec<Pid> = if any {
            vec![done[0].0]
        } else {
            done.iter().map(|d| d.0).collect()
        };
        self.jobs.retain(|j| !gone.contains(&j.pid));
        self.settle(status, p, k)
    }
}

pub(super) fn jobs(a: &mut Args<'_, '_>) -> Outcome {
    a.sh.collect_jobs(a.k);
    let only_pids = a.rest().contains(&"-p");
    let count = a.sh.jobs.len();
    let mut text = String::new();
    for (i, job) in a.sh.jobs.iter().enumerate() {
        if only_pids {
            text.push_str(&format!("{}\n", job.pid));
            continue;
        }
        let mark = match count - i {
            1 => '+',
            2 => '-',
            _ => ' ',
        };
        let (state, amp) = match job.status {
            None => ("Running".to_string(), " &"),
            Some(0) => ("Done".into(), ""),
            Some(n) if n > 128 => (Signal((n - 128) as u8).description().to_string(), ""),
            Some(n) => (format!("Exit {n}"), ""),
        };
        text.push_str(&format!(
            "[{}]{mark}  {state:<23} {}{amp}\n",
            i + 1,
            job.text
        ));
    }
    a.sh.jobs.retain(|j| j.status.is_none());
    a.print(&text)
}

pub(super) fn foreground(a: &mut Args<'_, '_>) -> Outcome {
    let text = a.argv.get(1).map_or("%%", |t| t).to_string();
    let found = job_pid(a, &text).filter(|pid| a.sh.jobs.iter().any(|j| j.pid == *pid));
    let Some(pid) = found else {
        return a.fail(1, &format!("{}: no such job", text.trim_start_matches('%')));
    };
    a.k.kill(pid, Signal::CONT);
    if &*a.argv[0] == "bg" {
        return Outcome::Done(0);
    }
    Outcome::Frames(vec![Frame::WaitFor {
        pids: [pid].into(),
        any: false,
    }])
}

pub(super) fn kill(a: &mut Args<'_, '_>) -> Outcome {
    let args: Vec<String> = a.rest().iter().map(|s| s.to_string()).collect();
    let mut rest = &args[..];
    let mut signal = Signal::TERM;
    if let Some(option) = rest.first().and_then(|o| o.strip_prefix('-')) {
        let name = match option {
            "l" | "L" => return list(a, &rest[1..]),
            "-" => None,
            "s" | "n" if rest.len() > 1 => {
                rest = &rest[1..];
                Some(rest[0].clone())
            }
            name => Some(name.to_string()),
        };
        rest = &rest[1..];
        if let Some(name) = name {
            match Signal::parse(&name) {
                Some(found) => signal = found,
                None => {
                    return match a.sh.dialect {
                        Dialect::Bash => {
                            a.fail(1, &format!("{name}: invalid signal specification"))
                        }
                        Dialect::Ash => a.fail(1, &format!("bad signal name '{name}'")),
                        Dialect::Dash => a.fail(2, &format!("Illegal option -{}", &name[..1])),
                    };
                }
            }
        }
    }
    if rest.is_empty() {
        let usage = "usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]";
        return a.fail(if a.sh.dialect == Dialect::Bash { 2 } else { 1 }, usage);
    }
    let mut status = 0;
    for text in rest {
        let Some(pid) = job_pid(a, text.trim_start_matches('-')) else {
            let message = match a.sh.dialect {
                Dialect::Bash if text.starts_with('%') => format!("{text}: no such job"),
                Dialect::Bash => format!("{text}: arguments must be process or job IDs"),
                Dialect::Ash => format!("invalid number '{text}'"),
                Dialect::Dash => format!("Illegal number: {text}"),
            };
            a.fail(1, &message);
            status = 1;
            continue;
        };
        if pid == a.p.pid || pid == 0 {
            signal_self(a, signal);
            continue;
        }
        if !a.k.kill(pid, signal) {
            let message = match a.sh.dialect {
                Dialect::Bash => format!("({pid}) - No such process"),
                Dialect::Ash => format!("can't kill pid {pid}: No such process"),
                Dialect::Dash => "No such process".to_string(),
            };
            a.fail(1, &message);
            status = 1;
        }
    }
    Outcome::Done(status)
}

/// A signal to this very shell, which is running and so not in the table.
fn signal_self(a: &mut Args<'_, '_>, signal: Signal) {
    if signal.0 == 0 || a.p.ignored & signal.bit() != 0 {
        return;
    }
    if signal != Signal::KILL && a.sh.catches(signal) {
        a.p.pending |= signal.bit();
    } else if a.p.pid == 1 {
        // The first process of a container survives what it does not catch.
    } else {
        match signal.default_action() {
            Action::Terminate => a.p.ending = Some(Ending::Killed(signal)),
            Action::Stop => a.p.stopped = true,
            _ => {}
        }
    }
}

fn list(a: &mut Args<'_, '_>, args: &[String]) -> Outcome {
    if let Some(text) = args.first() {
        let n = text
            .parse::<i32>()
            .map(|n| if n > 128 { n - 128 } else { n });
        return match (n, Signal::parse(text)) {
            (Ok(n), _) => a.print(&format!("{}\n", Signal(n as u8).name())),
            (_, Some(signal)) => a.print(&format!("{}\n", signal.0)),
            _ => a.fail(1, &format!("{text}: invalid signal specification")),
        };
    }
    let text: Vec<String> = signal::names()
        .iter()
        .enumerate()
        .map(|(i, n)| format!("{:>2}) SIG{n}", i + 1))
        .collect();
    a.print(&(text.join("\n") + "\n"))
}
