//! Runs a script in the simulated shell: `cargo run -p kubenkyo-posix --example sh -- bash 'echo hi'`.
//! With `--json` first it prints one JSON object with both streams and the status.

use posix::{Flavour, Volume, run_script_as};

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let json = args.first().is_some_and(|a| a == "--json");
    if json {
        args.remove(0);
    }
    let mut args = args.into_iter();
    let shell = args.next().unwrap_or_else(|| "bash".into());
    let script = args.next().unwrap_or_default();
    let flavour = if shell == "ash" {
        Flavour::Busybox
    } else {
        Flavour::Gnu
    };
    let done = run_script_as(&shell, flavour, &script, Volume::new());
    if json {
        let status = done.status.map_or("null".into(), |s| s.to_string());
        println!(
            "{{\"stdout\":{},\"stderr\":{},\"status\":{status}}}",
            quoted(&done.stdout),
            quoted(&done.stderr)
        );
        return;
    }
    print!("{}", done.stdout);
    eprint!("{}", done.stderr);
    eprintln!(
        "[status {:?} after {} s]",
        done.status,
        done.micros / 1_000_000
    );
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 32 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}
