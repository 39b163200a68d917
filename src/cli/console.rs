//! `kubenkyo console`: the page's terminal on standard input and output.
//!
//! Each command line runs until it ends; virtual time passes only while something runs or sleeps. Files are read
//! from the real directory when a line names them, and written to the console's own disk only.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use shell::{Chunk, Outcome, Session};

use super::args::{Args, CLUSTER_SWITCHES};

/// Files and directories larger than these are not read in.
const FILE_MAX: u64 = 8 << 20;
const DIR_MAX: usize = 500;

pub(super) fn run(words: &[&str]) -> ExitCode {
    let switches = [CLUSTER_SWITCHES, &["json"]].concat();
    let args = match Args::parse(words, &["nodes", "windows", "seed"], &switches) {
        Ok(args) => args,
        Err(why) => return fail(&why),
    };
    let options = match args.cluster() {
        Ok(options) => options,
        Err(why) => return fail(&why),
    };
    let input: Box<dyn BufRead> = match args.file {
        None => Box::new(std::io::stdin().lock()),
        Some(path) => match std::fs::File::open(path) {
            Ok(file) => Box::new(std::io::BufReader::new(file)),
            Err(why) => return fail(&format!("cannot read {path}: {why}")),
        },
    };
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/root"));
    let is_json = args.has("json");
    let mut session = Session::new(options, &dir.to_string_lossy());
    if let Some(texts) = super::texts::read() {
        session.set_field_texts(texts);
    }
    let mut console = Console { session, dir };
    let print = |chunk: &Chunk| {
        if !is_json {
            // A reader that went away ends the console with its next write error; nothing else to do here.
            let bytes = chunk.text.as_bytes();
            let _ = if chunk.is_error {
                std::io::stderr().write_all(bytes)
            } else {
                std::io::stdout().write_all(bytes)
            };
        }
    };
    for line in input.lines() {
        let line = match line {
            Ok(line) => line,
            Err(why) => return fail(&format!("cannot read the input: {why}")),
        };
        console.read_in(&line);
        let outcome = console.session.line(&line, print);
        report(outcome, is_json);
    }
    let outcome = console.session.end(print);
    report(outcome, is_json);
    ExitCode::from(u8::try_from(console.session.status().clamp(0, 255)).unwrap_or(1))
}

/// One JSON object for a command line that has ended.
fn report(outcome: Option<Outcome>, is_json: bool) {
    let Some(outcome) = outcome.filter(|_| is_json) else {
        return;
    };
    let at = format!(
        "{}.{:06}",
        outcome.at / sim::SECOND,
        outcome.at % sim::SECOND
    );
    let text = |text: &str| serde_json::to_string(text).expect("text always encodes");
    let line = format!(
        "{{\"at\":{at},\"cmd\":{},\"rc\":{},\"stdout\":{},\"stderr\":{}}}",
        text(&outcome.line),
        outcome.status,
        text(&outcome.text(false)),
        text(&outcome.text(true))
    );
    // A reader that went away is no failure of ours.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn fail(why: &str) -> ExitCode {
    eprintln!("kubenkyo console: {why}");
    ExitCode::from(2)
}

/// A session, and the real directory whose files it reads.
struct Console {
    session: Session,
    dir: PathBuf,
}

impl Console {
    /// Copies files that the line names onto the console's disk, unless they are there already.
    fn read_in(&mut self, line: &str) {
        let cwd = PathBuf::from(self.session.directory());
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
            // A directory that holds this one holds more than anybody means (`location / {`).
            if self.dir.starts_with(&path) && path != self.dir {
                continue;
            }
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
            && !self.session.workstation().has_file(&text)
            && let Ok(bytes) = std::fs::read(path)
            // What does not fit stays outside; the command that wants it will say that it is missing.
            && self.session.workstation_mut().put_file(&text, bytes).is_err()
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
