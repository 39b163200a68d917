//! `kubenkyo console`: the page's terminal on standard input and output.
//!
//! Each command line runs until it ends; virtual time passes only while something runs or sleeps. Files are read
//! from the real directory when a line names them, and written to the console's own disk only.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use shell::{Command, Options, Prompt, Workstation};
use sim::{Machine, Micros, Time};

use super::args::Args;

const TERMINAL: u32 = 1;
/// The control plane and the nodes are up before the first line, as they are when a learner opens the page.
const BOOT: Micros = 12 * sim::SECOND;
/// A command that runs longer than this without an end is interrupted (`kubectl get --watch`).
const PATIENCE: Micros = 24 * sim::HOUR;
/// Files and directories larger than these are not read in.
const FILE_MAX: u64 = 8 << 20;
const DIR_MAX: usize = 500;

pub(super) fn run(words: &[&str]) -> ExitCode {
    let args = match Args::parse(words, &["nodes", "seed"], &["json"]) {
        Ok(args) => args,
        Err(why) => return fail(&why),
    };
    let (nodes, seed) = match (args.number("nodes", 3), args.number("seed", 7)) {
        (Ok(nodes), Ok(seed)) => (nodes, seed),
        (Err(why), _) | (_, Err(why)) => return fail(&why),
    };
    let Ok(nodes) = u32::try_from(nodes.min(10_000)) else {
        return fail("--nodes is too large");
    };
    let input: Box<dyn BufRead> = match args.file {
        None => Box::new(std::io::stdin().lock()),
        Some(path) => match std::fs::File::open(path) {
            Ok(file) => Box::new(std::io::BufReader::new(file)),
            Err(why) => return fail(&format!("cannot read {path}: {why}")),
        },
    };
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/root"));
    let mut console = Console::new(
        Options {
            nodes,
            seed,
            ..Options::default()
        },
        dir,
        args.has("json"),
    );
    let mut status = 0;
    for line in input.lines() {
        match line {
            Ok(line) => status = console.line(&line),
            Err(why) => return fail(&format!("cannot read the input: {why}")),
        }
    }
    status = console.end(status);
    ExitCode::from(u8::try_from(status.clamp(0, 255)).unwrap_or(1))
}

fn fail(why: &str) -> ExitCode {
    eprintln!("kubenkyo console: {why}");
    ExitCode::from(2)
}

/// A workstation driven line by line.
struct Console {
    workstation: Workstation,
    dir: PathBuf,
    is_json: bool,
    start: Time,
    /// Lines of a command that is not complete yet.
    pending: String,
    status: i32,
}

impl Console {
    fn new(options: Options, dir: PathBuf, is_json: bool) -> Console {
        let mut workstation = Workstation::new(options);
        let boot = workstation.now() + BOOT;
        workstation.advance(boot, u64::MAX);
        workstation.open_terminal(TERMINAL, &dir.to_string_lossy());
        Console {
            start: workstation.now(),
            workstation,
            dir,
            is_json,
            pending: String::new(),
            status: 0,
        }
    }

    /// Runs a line, or keeps it until its command is complete; gives the exit status of the last command.
    fn line(&mut self, line: &str) -> i32 {
        if self.pending.is_empty() && (line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return self.status;
        }
        if !self.pending.is_empty() {
            self.pending.push('\n');
        }
        self.pending.push_str(line);
        if let Some(span) = sleep_span(&self.pending) {
            let at = self.workstation.now();
            self.workstation.advance(at + span, u64::MAX);
            let command = std::mem::take(&mut self.pending);
            self.status = 0;
            self.report(at, &command, "", "");
            return 0;
        }
        self.read_in(line);
        let at = self.workstation.now();
        self.workstation.command(Command::Line {
            terminal: TERMINAL,
            text: line.to_owned(),
        });
        if self.workstation.prompt(TERMINAL) == Prompt::More {
            return self.status;
        }
        self.finish(at)
    }

    /// The input is over: what was begun runs as it stands.
    fn end(&mut self, status: i32) -> i32 {
        if self.pending.is_empty() {
            return status;
        }
        let at = self.workstation.now();
        self.workstation.end_of_input(TERMINAL);
        self.finish(at)
    }

    /// Lets virtual time pass until the command has ended; prints as it goes.
    fn finish(&mut self, at: Time) -> i32 {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let patience = at + PATIENCE;
        loop {
            for chunk in self.workstation.take_output(TERMINAL) {
                if !self.is_json {
                    // A reader that went away ends the console with its next write error; nothing else to do here.
                    let _ = if chunk.is_error {
                        std::io::stderr().write_all(chunk.text.as_bytes())
                    } else {
                        std::io::stdout().write_all(chunk.text.as_bytes())
                    };
                }
                if chunk.is_error {
                    &mut stderr
                } else {
                    &mut stdout
                }
                .push_str(&chunk.text);
            }
            match self.workstation.prompt(TERMINAL) {
                Prompt::Ready { status } => {
                    self.status = status;
                    break;
                }
                Prompt::More => break,
                Prompt::Busy => {}
            }
            if self.workstation.now() >= patience {
                self.workstation
                    .command(Command::Interrupt { terminal: TERMINAL });
            }
            let until = patience + sim::SECOND;
            if self.workstation.advance(until, 1) == 0 && self.workstation.now() >= until {
                break;
            }
        }
        let command = std::mem::take(&mut self.pending);
        self.report(at, &command, &stdout, &stderr);
        self.status
    }

    fn report(&self, at: Time, command: &str, stdout: &str, stderr: &str) {
        if !self.is_json {
            return;
        }
        let seconds = at.since(self.start);
        let at = format!("{}.{:06}", seconds / sim::SECOND, seconds % sim::SECOND);
        let text = |text: &str| serde_json::to_string(text).expect("text always encodes");
        println!(
            "{{\"at\":{at},\"cmd\":{},\"rc\":{},\"stdout\":{},\"stderr\":{}}}",
            text(command),
            self.status,
            text(stdout),
            text(stderr)
        );
    }

    /// Copies files that the line names onto the console's disk, unless they are there already.
    fn read_in(&mut self, line: &str) {
        let cwd = PathBuf::from(self.workstation.directory(TERMINAL));
        let words = line
            .split(|c: char| c.is_whitespace() || "'\"=,;|&<>()".contains(c))
            .filter(|word| !word.is_empty());
        for word in words {
            // A pattern means what stands in its directory.
            let word = match word.find(['*', '?', '[']) {
                Some(at) => word[..at].rsplit_once('/').map_or(".", |(dir, _)| dir),
                None => word,
            };
            if word.starts_with('-') || word.len() > 4096 {
                continue;
            }
            let path = normal(&cwd.join(word));
            if path.starts_with(&self.dir)
                || Path::new(word).is_absolute()
                || word.starts_with("..")
            {
                self.read_path(&path, 0);
            }
        }
    }

    fn read_path(&mut self, path: &Path, depth: usize) {
        let Ok(meta) = std::fs::metadata(path) else {
            return;
        };
        if meta.is_dir() {
            let Ok(entries) = std::fs::read_dir(path) else {
                return;
            };
            let mut entries: Vec<PathBuf> = entries
                .flatten()
                .map(|entry| entry.path())
                .take(DIR_MAX)
                .collect();
            entries.sort();
            let is_hidden = |path: &Path| {
                path.file_name().is_some_and(|name| {
                    name.to_string_lossy().starts_with('.')
                        || name == "target"
                        || name == "node_modules"
                })
            };
            for entry in entries
                .iter()
                .filter(|entry| depth < 3 && !is_hidden(entry))
            {
                self.read_path(entry, depth + 1);
            }
            return;
        }
        let text = path.to_string_lossy();
        if meta.is_file()
            && meta.len() <= FILE_MAX
            && !self.workstation.has_file(&text)
            && let Ok(bytes) = std::fs::read(path)
            // What does not fit stays outside; the command that wants it will say that it is missing.
            && self.workstation.put_file(&text, bytes).is_err()
        {
            eprintln!("kubenkyo console: no room for {text}");
        }
    }
}

/// `a/./b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}

/// The span of a line that only sleeps: `sleep 30s`, `sleep 1m30s`, `sleep 5`.
fn sleep_span(line: &str) -> Option<Micros> {
    let span = line.trim().strip_prefix("sleep ")?.trim();
    if let Ok(seconds) = span.parse::<u64>() {
        return Some(seconds.saturating_mul(sim::SECOND));
    }
    let nanos = api::duration::parse(span).ok()?;
    u64::try_from(nanos).ok().map(|nanos| nanos / 1_000)
}
