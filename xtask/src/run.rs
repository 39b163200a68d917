//! Starts other programs: found on the PATH, without standard input, with a failure that quotes what they said.

use crate::report::Failure;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command that neither reads the terminal nor inherits what `cargo run` set for xtask itself.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    // `cargo run` points this at the native toolchain's libraries, which a second compiler must not load.
    command.env_remove("LD_LIBRARY_PATH");
    for name in [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs to the end with output shown.
pub(crate) fn shown(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| not_started(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(line(command)).why(format!("it ended with {status}")))
    }
}

/// Runs to the end and returns standard output; the failure quotes standard error.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(line(command))
        .why(format!("it ended with {}", output.status))
        .why(tail(&String::from_utf8_lossy(&output.stderr), 12)))
}

/// Runs with output shown and kept; returns both streams' lines in the order they came, and whether it succeeded.
pub(crate) fn teed(command: &mut Command) -> Result<(String, bool), Failure> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let (out, err) = (
        child.stdout.take().expect("stdout was piped"),
        child.stderr.take().expect("stderr was piped"),
    );
    let (sender, lines) = std::sync::mpsc::channel();
    let pump = |stream: Box<dyn Read + Send>, sender: std::sync::mpsc::Sender<Vec<u8>>| {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                if sender.send(std::mem::take(&mut bytes)).is_err() {
                    return;
                }
            }
        })
    };
    let pumps = [
        pump(Box::new(out), sender.clone()),
        pump(Box::new(err), sender),
    ];
    let mut kept = String::new();
    for bytes in lines {
        let _ = std::io::stderr().write_all(&bytes);
        kept.push_str(&String::from_utf8_lossy(&bytes));
    }
    for pump in pumps {
        pump.join().expect("a pump thread only copies bytes");
    }
    let status = child
        .wait()
        .map_err(|error| Failure::new(line(command)).why(error.to_string()))?;
    Ok((kept, status.success()))
}

/// Runs with output shown, and ends the program when it takes longer than `limit`.
pub(crate) fn within(limit: Duration, command: &mut Command) -> Result<(), Failure> {
    let mut child = command
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let start = Instant::now();
    loop {
        match child
            .try_wait()
            .map_err(|error| Failure::new(line(command)).why(error.to_string()))?
        {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                return Err(Failure::new(line(command)).why(format!("it ended with {status}")));
            }
            None if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(
                    Failure::new(line(command)).why(format!("no end after {} s", limit.as_secs()))
                );
            }
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The first program of this name on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let names = [
        program.to_owned(),
        format!("{program}.exe"),
        format!("{program}.cmd"),
    ];
    let names = if cfg!(windows) {
        &names[1..]
    } else {
        &names[..1]
    };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| is_program(path))
}

#[cfg(unix)]
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(line(command)).why(format!("it could not be started: {error}"))
}

fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
