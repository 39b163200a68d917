//! `kubenkyo bench NAME`: the benchmarks with this process's CPU time and memory, one JSON line each.
//!
//! Several cases run in a process each. Reads Linux's `/proc`; elsewhere the measured figures are zero.

use std::process::{Command, ExitCode};

use crate::bench::{self, CASES, Meter};

pub(super) fn run(words: &[&str]) -> ExitCode {
    let [name] = words else {
        println!("{}\nall", CASES.join("\n"));
        return ExitCode::SUCCESS;
    };
    let cases = bench::cases(name);
    if cases.len() > 1 {
        return each_alone(&cases);
    }
    match bench::run(name, &Process) {
        Some(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!(
                "kubenkyo bench: there is no {name:?}; hint: there are {}, all",
                CASES.join(", ")
            );
            ExitCode::from(2)
        }
    }
}

fn each_alone(cases: &[&str]) -> ExitCode {
    for case in cases {
        let done = std::env::current_exe()
            .and_then(|program| Command::new(program).args(["bench", case]).status());
        match done {
            Ok(status) if status.success() => {}
            Ok(status) => {
                eprintln!("kubenkyo bench: {case} ended with {status}");
                return ExitCode::FAILURE;
            }
            Err(why) => {
                eprintln!("kubenkyo bench: cannot start {case}: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// This process as Linux accounts for it.
struct Process;

impl Meter for Process {
    fn cpu_secs(&self) -> f64 {
        // The first number is the nanoseconds that the main thread has run; there is no other thread.
        let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
        let nanos = text.split(' ').next().and_then(|n| n.parse::<u64>().ok());
        nanos.unwrap_or_default() as f64 / 1e9
    }

    fn memory(&self) -> u64 {
        status("VmRSS:")
    }

    fn peak_memory(&self) -> u64 {
        status("VmHWM:")
    }
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}
