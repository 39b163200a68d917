//! Runs a script in the simulated shell: `cargo run -p kubenkyo-posix --example sh -- bash 'echo hi'`.

use posix::{Flavour, Volume, run_script_as};

fn main() {
    let mut args = std::env::args().skip(1);
    let shell = args.next().unwrap_or_else(|| "bash".into());
    let script = args.next().unwrap_or_default();
    let flavour = if shell == "ash" {
        Flavour::Busybox
    } else {
        Flavour::Gnu
    };
    let done = run_script_as(&shell, flavour, &script, Volume::new());
    print!("{}", done.stdout);
    eprint!("{}", done.stderr);
    eprintln!(
        "[status {:?} after {} s]",
        done.status,
        done.micros / 1_000_000
    );
}
