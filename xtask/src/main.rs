//! The project's own commands: `cargo xtask setup | serve | dist | test | env`.
//!
//! Every step first takes the ordinary way (what is on the PATH, rustup, cargo install) and then a way that works where only package
//! registries answer. Nothing but Debian packages and one compiled standard library is put outside the tool cache ([`tools::cache`]).
//! It knows nothing of Kubernetes; what it builds is the page. Starts at [`main`].
#![allow(
    clippy::disallowed_types,
    reason = "reports how long steps take; nothing here is simulated"
)]

mod checks;
mod classroom;
mod installable;
mod page;
mod parts;
mod report;
mod run;
mod serve;
mod single;
mod size;
mod tools;
mod wasm_std;

use report::Failure;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask setup [--browser]              check and install what building the page needs (and a browser for its tests)
cargo xtask serve [--port P] [--no-open]   build the page in release mode and serve it at http://127.0.0.1:P/ (8080)
                  [--dev]                  the same through `trunk serve`: unoptimised, rebuilt when a file changes
cargo xtask dist                           the static release in dist/, the archive for a classroom, and the size budget
cargo xtask test [STAGE ...]               every check, one summary line a stage; only the named stages if any are named
cargo xtask bless                          native tests, with snapshots rewritten to what is now
cargo xtask bench-page [RUNS]              how long a visitor waits, in headless Chromium
cargo xtask bench-wasm [CASE ...]          `kubenkyo bench` in the page's own wasm, in headless Chromium
cargo xtask shots                          pictures of the page into target/shots
cargo xtask first-load                     start the page with every function marked, and write anew which of them may come later
cargo xtask explain                        what fields mean, for `kubectl explain`, into target/explain.txt
cargo xtask env                            shell lines that make plain `trunk` and `cargo --target wasm32-unknown-unknown` work";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["setup"] => tools::setup().map(drop),
        ["setup", "--browser"] => tools::setup().and_then(|_| tools::browser()).map(drop),
        ["serve", rest @ ..] => serve::command(rest),
        ["dist"] => page::dist(),
        ["test", stages @ ..] => checks::command_line(stages),
        ["bless"] => checks::bless(),
        ["bench-page", runs @ ..] => checks::script("bench.mjs", runs),
        ["bench-wasm", cases @ ..] => checks::script("bench_wasm.mjs", cases),
        ["shots"] => checks::script("shots.mjs", &[]),
        ["first-load"] => parts::observe::command(),
        ["explain"] => explain(),
        ["env"] => tools::print_env(),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(
            Failure::new(format!("unknown command `{}`", other.join(" ")))
                .hint(format!("the commands are:\n{HELP}")),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The texts come from a crate that nothing else needs, so its maker is a package of its own.
fn explain() -> Result<(), Failure> {
    let maker = tools::root().join("xtask/explain/Cargo.toml");
    let target = tools::root().join("target");
    let mut cargo = tools::cargo();
    cargo
        .args(["run", "--quiet", "--manifest-path"])
        .arg(maker)
        .arg("--target-dir")
        .arg(&target);
    let text = run::read(&mut cargo)?;
    let file = target.join("explain.txt");
    std::fs::write(&file, text)
        .map_err(|why| Failure::new(format!("cannot write {}: {why}", file.display())))?;
    println!("{}", file.display());
    Ok(())
}
