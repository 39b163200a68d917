//! The native command line: adapters around the same parts that the page uses, with no logic of their own.

mod args;
mod bench;
mod console;
mod serve;
mod texts;

use std::process::ExitCode;

/// Runs `kubenkyo ARGS…`.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["console", rest @ ..] => console::run(rest),
        ["serve", rest @ ..] => serve::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["trace-hash", seeds] => trace_hashes(seeds),
        [] | ["help" | "--help" | "-h", ..] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["version" | "--version"] => {
            println!(
                "kubenkyo {} (Kubernetes {})",
                env!("CARGO_PKG_VERSION"),
                crate::KUBERNETES_VERSION
            );
            ExitCode::SUCCESS
        }
        [other, ..] => {
            eprintln!("kubenkyo: there is no command {other:?}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "\
A Kubernetes cluster that lives in a web page, on the command line.

usage:
  kubenkyo console [--nodes N] [--windows N] [--seed S] [--load-balancer] [--control-plane] [--json] [FILE]
      run command lines from FILE or standard input in a simulated cluster; `sleep 30s` passes virtual time
  kubenkyo serve [--port P] [--address IP] [--nodes N] [--seed S] [--speed X] [--start TIME] [--kubeconfig PATH]
      the Kubernetes API over HTTPS for kubectl and others; prints KUBECONFIG=PATH once it is ready, ends on SIGTERM
      with --load-balancer Services of type LoadBalancer get an address; with --control-plane the control plane is a
      Node too, with kubeadm's pods in kube-system; --windows N adds machines with Windows
  kubenkyo bench [NAME | all]
      the README's benchmarks as JSON lines; without a name, the names
  kubenkyo trace-hash SEED | FIRST..LAST
      the digest of a fixed run for each seed, to compare machines";

/// Prints a line `SEED HASH` for each seed.
fn trace_hashes(seeds: &str) -> ExitCode {
    let (first, last) = seeds.split_once("..").unwrap_or((seeds, seeds));
    let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        eprintln!("`{seeds}` is neither a seed nor two with `..` between");
        return ExitCode::FAILURE;
    };
    for seed in first..=last {
        println!("{seed} {}", crate::same_run::trace_hash(seed));
    }
    ExitCode::SUCCESS
}
