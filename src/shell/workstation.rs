//! Cluster and terminals on one clock.

use std::collections::BTreeMap;

use api::Note;
use cluster::{Cluster, Fault};
use posix::{Disk, Flavour, ImageFiles, Meta, Mounts, Volume, VolumeId, standard_root};
use serde::{Deserialize, Serialize};
use sim::{Machine, Rng, Time};

use crate::terminal::{Chunk, Prompt, Terminal};

pub use cluster::Options;

/// The user's home, where terminals start.
pub(crate) const HOME: &str = "/root";
/// The volume with the user's files.
const FILES: VolumeId = VolumeId(0);
/// Steps a shell may take at one moment of virtual time before others get their turn.
const SHELL_BUDGET: u32 = 20_000;
/// The user's disk: a page keeps several pasts of it in memory.
const DISK_BYTES: u64 = 64 << 20;
/// Turns of that many steps after which a shell that never waits is told to rest for a while.
const REST: sim::Micros = 10 * sim::MILLI;

/// What is done to a workstation: the commands of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A line for a terminal (with its further lines, if it has a heredoc).
    Line {
        terminal: u32,
        text: String,
    },
    /// Ctrl+C.
    Interrupt {
        terminal: u32,
    },
    /// The files of the editor; then the command line is run in the terminal.
    Write {
        path: String,
        text: String,
    },
    Fault(Fault),
}

/// A cluster with somebody in front of it.
#[derive(Clone, Debug)]
pub struct Workstation {
    cluster: Cluster,
    disk: Disk,
    terminals: BTreeMap<u32, Terminal>,
    rng: Rng,
}

impl Workstation {
    pub fn new(options: Options) -> Workstation {
        let rng = Rng::stream(options.seed, "workstation");
        let mut disk = Disk::default();
        disk.insert(FILES, user_files());
        Workstation {
            cluster: Cluster::new(options),
            disk,
            terminals: BTreeMap::new(),
            rng,
        }
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// For clients beside the terminals (the page's own informer).
    pub fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// New output of a terminal since the last call.
    pub fn take_output(&mut self, terminal: u32) -> Vec<Chunk> {
        self.terminals
            .get_mut(&terminal)
            .map(Terminal::take_output)
            .unwrap_or_default()
    }

    /// Whether a terminal waits for a line, for more of one, or runs something.
    pub fn prompt(&self, terminal: u32) -> Prompt {
        self.terminals
            .get(&terminal)
            .map_or(Prompt::Ready { status: 0 }, Terminal::prompt)
    }

    /// Whether somebody in the terminal waits for a line: an editor that is open, or a program in a container.
    pub fn is_awaited(&self, terminal: u32) -> bool {
        let terminal = self.terminals.get(&terminal);
        terminal.is_some_and(|terminal| terminal.is_awaited(&self.cluster))
    }

    /// Files that an editor in the terminal has opened since the last call: path and text. A line tells the editor
    /// that it is done with.
    pub fn take_opened(&mut self, terminal: u32) -> Vec<(String, String)> {
        let paths = self
            .terminals
            .get_mut(&terminal)
            .map(Terminal::take_opened)
            .unwrap_or_default();
        let volume = self.disk.volume(FILES);
        paths
            .into_iter()
            .map(|path| {
                let bytes = volume.and_then(|volume| volume.read(&path));
                let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                (path, text.unwrap_or_default())
            })
            .collect()
    }

    /// The directory a terminal is in.
    pub fn directory(&self, terminal: u32) -> String {
        self.terminals
            .get(&terminal)
            .map_or_else(|| HOME.to_owned(), Terminal::directory)
    }

    /// Puts a file on the user's disk (absolute path), with the directories above it.
    pub fn put_file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<(), String> {
        let meta = Meta {
            mode: 0o644,
            ..Meta::default()
        };
        let volume = self
            .disk
            .volume_mut(FILES)
            .expect("the user's volume is there from the start");
        volume
            .write(path, bytes, meta)
            .map(drop)
            .map_err(|why| why.to_string())
    }

    /// Whether the user's disk has something at this absolute path.
    pub fn has_file(&self, path: &str) -> bool {
        self.disk
            .volume(FILES)
            .is_some_and(|volume| volume.find(path).is_some())
    }

    /// Makes `dir` exist and a new terminal start there (the console's current directory).
    pub fn open_terminal(&mut self, number: u32, dir: &str) {
        let volume = self
            .disk
            .volume_mut(FILES)
            .expect("the user's volume is there from the start");
        // A path that cannot be made leaves the terminal at home.
        let is_there = volume
            .make_dirs(
                dir,
                Meta {
                    mode: 0o755,
                    ..Meta::default()
                },
            )
            .is_ok();
        self.terminal(number, if is_there { dir } else { HOME });
    }

    /// The input of a terminal has ended: what was begun runs as it stands.
    pub fn end_of_input(&mut self, terminal: u32) {
        self.terminal(terminal, HOME).end_of_input();
        self.run_terminals();
    }

    fn terminal(&mut self, number: u32, dir: &str) -> &mut Terminal {
        let (rng, now) = (&mut self.rng, self.cluster.now());
        self.terminals
            .entry(number)
            .or_insert_with(|| Terminal::new(number, Mounts::new(FILES), dir, rng, now))
    }

    /// Lets every terminal do what it can at this moment. Answers how much work that was, in events of a cluster.
    fn run_terminals(&mut self) -> u64 {
        let mut work = 0;
        let numbers: Vec<u32> = self.terminals.keys().copied().collect();
        for number in numbers {
            let Some(mut terminal) = self.terminals.remove(&number) else {
                continue;
            };
            if terminal.is_due(self.cluster.now()) || self.cluster.has_mail(number) {
                work += terminal.run(
                    &mut self.cluster,
                    &mut self.disk,
                    &mut self.rng,
                    SHELL_BUDGET,
                    REST,
                );
            }
            self.terminals.insert(number, terminal);
        }
        work
    }

    /// When anything is due next, in the cluster or in a terminal.
    pub fn next_at(&self) -> Option<Time> {
        let terminals = self.terminals_at().map(|at| at.max(self.cluster.now()));
        self.cluster.next_at().into_iter().chain(terminals).min()
    }

    /// When a terminal wants its next turn.
    fn terminals_at(&self) -> Option<Time> {
        self.terminals.values().filter_map(Terminal::wakes_at).min()
    }
}

/// The user's machine: a small Debian with kubectl.
fn user_files() -> Volume {
    let mut root = standard_root(&ImageFiles {
        flavour: Flavour::Gnu,
        os_release: "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nID=debian\n",
        programs: &[
            "/usr/local/bin/kubectl",
            "/usr/local/bin/k",
            "/usr/local/bin/kubenkyo",
            "/usr/local/bin/minikube",
            "curl",
            "jq",
            "dig",
            "nslookup",
            "ping",
            "wget",
            "nc",
        ],
        has_tools: true,
    })
    .limit(DISK_BYTES);
    for (path, text) in [
        ("etc/hostname", "kubenkyo\n"),
        ("etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tkubenkyo\n"),
        ("etc/resolv.conf", "nameserver 10.0.2.3\n"),
    ] {
        root.write(path, text, Meta::default())
            .expect("a fresh root has room for its own files");
    }
    root
}

impl Machine for Workstation {
    type Command = Command;

    fn now(&self) -> Time {
        self.cluster.now()
    }

    fn advance(&mut self, until: Time, steps: u64) -> u64 {
        let mut done = 0;
        while done < steps {
            let cluster_at = self.cluster.next_at();
            let terminal_at = self.terminals_at().map(|at| at.max(self.cluster.now()));
            // The cluster goes first where both are due: terminals then see what has happened.
            let is_terminal = match (cluster_at, terminal_at) {
                (Some(cluster), Some(terminal)) => terminal < cluster,
                (None, Some(_)) => true,
                _ => false,
            };
            let at = if is_terminal { terminal_at } else { cluster_at };
            let Some(at) = at.filter(|at| *at <= until) else {
                self.cluster.rest_until(until);
                break;
            };
            if is_terminal {
                self.cluster.rest_until(at);
            } else {
                self.cluster.step();
            }
            // A busy shell's turn is worth many events: whoever asks for a few gets back soon.
            done += 1 + self.run_terminals();
        }
        done
    }

    fn weight(&self) -> u64 {
        let files = self.disk.volume(FILES).map_or(0, Volume::used_bytes);
        self.cluster.weight() + files
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Line { terminal, text } => {
                let note = Note::Command {
                    client: terminal,
                    line: text.clone().into(),
                };
                let cause = self.cluster.note(note);
                self.terminal(terminal, HOME);
                if let Some(mut it) = self.terminals.remove(&terminal) {
                    it.line(&mut self.cluster, &text, cause);
                    self.terminals.insert(terminal, it);
                }
                self.run_terminals();
            }
            Command::Interrupt { terminal } => {
                self.terminal(terminal, HOME);
                if let Some(mut it) = self.terminals.remove(&terminal) {
                    it.interrupt(&mut self.cluster);
                    self.terminals.insert(terminal, it);
                }
                self.run_terminals();
            }
            Command::Write { path, text } => {
                let path = if path.starts_with('/') {
                    path
                } else {
                    format!("{HOME}/{path}")
                };
                // A path that is no place for a file changes nothing; the terminal will say so when it is read.
                let _ = self.put_file(&path, text);
            }
            Command::Fault(fault) => self.cluster.command(fault),
        }
    }
}
