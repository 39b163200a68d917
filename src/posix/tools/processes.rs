//! `ps`, `top`, `kill`, `killall`, `pgrep`, `pkill`, `pidof`.

use super::Context;
use crate::host::Pid;
use crate::regex::Regex;
use crate::system::ProcessInfo;
use crate::system::signal::Signal;

/// All processes, this one among them.
fn all(c: &Context<'_, '_>) -> Vec<ProcessInfo> {
    let mut list = c.k.sys.processes();
    let own = ProcessInfo {
        pid: c.p.pid,
        parent: c.p.parent,
        argv: c.p.argv.to_vec(),
        uid: c.p.user.uid,
        started: c.p.started,
        stopped: false,
        zombie: false,
        ready: true,
        steps: c.p.steps,
    };
    let at = list.partition_point(|p| p.pid < own.pid);
    list.insert(at, own);
    list
}

fn command(p: &ProcessInfo) -> String {
    let text = p.argv.join(" ");
    if p.zombie {
        format!(
            "[{}]",
            p.argv
                .first()
                .map_or("", |a| a.rsplit('/').next().unwrap_or(a))
        )
    } else {
        text.replace('\n', " ")
    }
}

fn short(p: &ProcessInfo) -> String {
    let name = p
        .argv
        .first()
        .map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    name.chars().take(15).collect()
}

fn state(p: &ProcessInfo, own: Pid) -> char {
    match p {
        p if p.zombie => 'Z',
        p if p.stopped => 'T',
        p if p.pid == own || p.ready => 'R',
        _ => 'S',
    }
}

pub(super) fn ps(c: &mut Context<'_, '_>) -> i32 {
    let text: String = c
        .args()
        .iter()
        .map(|a| a.trim_start_matches('-').to_string())
        .collect();
    let list = all(c);
    let own = c.p.pid;
    if c.busybox() {
        c.line("PID   USER     TIME  COMMAND");
        for p in &list {
            let user = super::identity::user_name(c, p.uid);
            c.line(&format!("{:>5} {user:<8.8} 0:00  {}", p.pid, command(p)));
        }
        return 0;
    }
    let machine = c.k.host.machine();
    let start = |p: &ProcessInfo| super::date::format("%H:%M", p.started);
    if text.contains('o') && !text.contains("aux") {
        return custom(c, &list, own);
    }
    if text.contains('u') {
        c.line("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND");
        for p in &list {
            let user = super::identity::user_name(c, p.uid);
            let rss = 1_800;
            let share = rss * 10_240 * 100 / machine.memory_bytes.max(1);
            c.line(&format!(
                "{user:<8} {:>7}  0.0 {:>2}.{} {:>6} {rss:>5} ?        {:<4} {}   0:00 {}",
                p.pid,
                share / 10,
                share % 10,
                4_364,
                if p.pid == 1 {
                    format!("{}s", state(p, own))
                } else {
                    state(p, own).to_string()
                },
                start(p),
                command(p)
            ));
        }
    } else if text.contains('f') {
        c.line("UID          PID    PPID  C STIME TTY          TIME CMD");
        for p in &list {
            let user = super::identity::user_name(c, p.uid);
            let parent = if p.parent == Pid::MAX { 1 } else { p.parent };
            c.line(&format!(
                "{user:<8} {:>7} {parent:>7}  0 {} ?        00:00:00 {}",
                p.pid,
                start(p),
                command(p)
            ));
        }
    } else {
        c.line("    PID TTY          TIME CMD");
        for p in &list {
            c.line(&format!("{:>7} ?        00:00:00 {}", p.pid, short(p)));
        }
    }
    0
}

/// `ps -o pid,args`
fn custom(c: &mut Context<'_, '_>, list: &[ProcessInfo], own: Pid) -> i32 {
    let args = c.args();
    let spec = args
        .iter()
        .enumerate()
        .find_map(|(i, a)| {
            let letters = a.strip_prefix('-')?;
            let (_, after) = letters.split_once('o')?;
            if after.is_empty() {
                args.get(i + 1).map(|s| s.to_string())
            } else {
                Some(after.to_string())
            }
        })
        .unwrap_or_default();
    let columns: Vec<(String, String)> = spec
        .split(',')
        .map(|column| match column.split_once('=') {
            Some((name, title)) => (name.to_string(), title.to_string()),
            None => (
                column.to_string(),
                column.to_uppercase().replace("ARGS", "COMMAND"),
            ),
        })
        .collect();
    let cell = |c: &mut Context<'_, '_>, p: &ProcessInfo, name: &str| match name {
        "pid" => p.pid.to_string(),
        "ppid" => p.parent.to_string(),
        "user" | "uname" => super::identity::user_name(c, p.uid),
        "uid" => p.uid.to_string(),
        "comm" => short(p),
        "stat" | "state" | "s" => state(p, own).to_string(),
        "time" => "00:00:00".into(),
        "args" | "cmd" | "command" => command(p),
        _ => "-".into(),
    };
    let mut rows = vec![columns.iter().map(|(_, t)| t.clone()).collect::<Vec<_>>()];
    for p in list {
        rows.push(columns.iter().map(|(n, _)| cell(c, p, n)).collect());
    }
    if columns.iter().all(|(_, t)| t.is_empty()) {
        rows.remove(0);
    }
    for row in &rows {
        let mut line = String::new();
        for (i, text) in row.iter().enumerate() {
            let width = rows.iter().map(|r| r[i].len()).max().unwrap_or(0);
            let numeric = matches!(columns[i].0.as_str(), "pid" | "ppid" | "uid");
            let last = i + 1 == row.len();
            let gap = if i > 0 { " " } else { "" };
            line.push_str(gap);
            line.push_str(&match (numeric, last) {
                (true, _) => format!("{text:>w$}", w = width.max(7)),
                (false, true) => text.clone(),
                (false, false) => format!("{text:<width$}"),
            });
        }
        c.line(&line);
    }
    0
}

pub(super) fn top(c: &mut Context<'_, '_>) -> i32 {
    let list = all(c);
    let machine = c.k.host.machine();
    let (total, used) = (machine.memory_bytes >> 10, machine.memory_used_bytes >> 10);
    c.line(&format!(
        "Mem: {used}K used, {}K free, 0K shrd, 0K buff, 0K cached",
        total.saturating_sub(used)
    ));
    c.line("CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq");
    c.line(&format!(
        "Load average: 0.00 0.00 0.00 1/{} {}",
        list.len(),
        c.p.pid
    ));
    c.line("  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND");
    let own = c.p.pid;
    for p in &list {
        let user = super::identity::user_name(c, p.uid);
        c.line(&format!(
            "{:>5} {:>5} {user:<8} {:<4} {:>5}   0%   0   0% {}",
            p.pid,
            p.parent,
            state(p, own),
            4_364,
            command(p)
        ));
    }
    0
}

pub(super) fn kill(c: &mut Context<'_, '_>) -> i32 {
    let args = c.args();
    let mut rest = &args[..];
    let mut signal = Signal::TERM;
    if let Some(option) = rest.first().and_then(|o| o.strip_prefix('-')) {
        let name = match option {
            "s" => {
                rest = rest.get(1..).unwrap_or(&[]);
                rest.first().map(|n| n.to_string()).unwrap_or_default()
            }
            "l" => {
                let names = crate::system::signal::names().join(" ");
                c.line(&names);
                return 0;
            }
            name => name.to_string(),
        };
        rest = rest.get(1..).unwrap_or(&[]);
        match Signal::parse(&name) {
            Some(found) => signal = found,
            None => return c.fail(1, &format!("bad signal name '{name}'")),
        }
    }
    let mut status = 0;
    for text in rest {
        match text.parse::<Pid>() {
            Ok(pid) if c.k.kill(pid, signal) => {}
            Ok(pid) => status = c.fail(1, &format!("can't kill pid {pid}: No such process")),
            Err(_) => status = c.fail(1, &format!("invalid number '{text}'")),
        }
    }
    status
}

/// Splits off a signal option; the rest are patterns or options.
fn with_signal(c: &Context<'_, '_>) -> (Signal, Vec<String>) {
    let mut signal = Signal::TERM;
    let mut rest = Vec::new();
    let args = c.args();
    let mut i = 0;
    while i < args.len() {
        let arg = &args[i];
        i += 1;
        match arg.strip_prefix('-') {
            Some("s") => {
                signal = args.get(i).and_then(|n| Signal::parse(n)).unwrap_or(signal);
                i += 1;
            }
            Some(name) => match Signal::parse(name) {
                Some(found) => signal = found,
                None => rest.push(arg.to_string()),
            },
            None => rest.push(arg.to_string()),
        }
    }
    (signal, rest)
}

pub(super) fn killall(c: &mut Context<'_, '_>) -> i32 {
    let (signal, rest) = with_signal(c);
    let own = c.p.pid;
    let mut status = 0;
    for name in rest.iter().filter(|n| !n.starts_with('-')) {
        let pids: Vec<Pid> = all(c)
            .iter()
            .filter(|p| p.pid != own && !p.zombie && short(p) == *name)
            .map(|p| p.pid)
            .collect();
        if pids.is_empty() && !rest.iter().any(|o| o == "-q") {
            status = c.fail(
                1,
                &format!(
                    "{name}: no process {}",
                    if c.busybox() { "killed" } else { "found" }
                ),
            );
        }
        for pid in pids {
            c.k.kill(pid, signal);
        }
    }
    status
}

pub(super) fn pgrep(c: &mut Context<'_, '_>) -> i32 {
    let (signal, rest) = with_signal(c);
    let kills = c.name() == "pkill";
    let has = |letter: char| {
        rest.iter()
            .any(|o| o.starts_with('-') && o.contains(letter))
    };
    let Some(pattern) = rest.iter().find(|o| !o.starts_with('-')) else {
        return c.fail(2, "no matching criteria specified");
    };
    let regex = match Regex::extended(pattern, false) {
        Ok(regex) => regex,
        Err(message) => return c.fail(2, &message),
    };
    let own = c.p.pid;
    let found: Vec<ProcessInfo> = all(c)
        .into_iter()
        .filter(|p| p.pid != own && !p.zombie)
        .filter(|p| {
            let text = if has('f') { command(p) } else { short(p) };
            if has('x') {
                text == *pattern
            } else {
                regex.is_match(&text)
            }
        })
        .collect();
    for p in &found {
        if kills {
            c.k.kill(p.pid, signal);
        } else if has('a') || has('l') {
            let text = if has('a') { command(p) } else { short(p) };
            c.line(&format!("{} {text}", p.pid));
        } else {
            c.line(&p.pid.to_string());
        }
    }
    found.is_empty() as i32
}

pub(super) fn pidof(c: &mut Context<'_, '_>) -> i32 {
    let names = c.args();
    let mut pids: Vec<String> = all(c)
        .iter()
        .filter(|p| !p.zombie && names.iter().any(|n| **n == *short(p)))
        .map(|p| p.pid.to_string())
        .collect();
    pids.reverse();
    if pids.is_empty() {
        return 1;
    }
    c.line(&pids.join(" "));
    0
}
