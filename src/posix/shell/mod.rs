//! The shell: reads commands, expands them, runs them.
//!
//! Everything a shell is doing stands in an explicit stack of [`frame::Frame`]s, so that it can be cloned at any
//! moment and bounded at every step. `run` advances the top frame until something has to be waited for. Builtins
//! are in `builtins`, everything else is a child process.

mod arith;
mod assign;
mod builtins;
mod children;
mod compound;
mod cond;
mod ending;
mod expand;
mod frame;
mod param;
pub(crate) mod pattern;
mod redirect;
mod run;
mod simple;
mod source;
mod substitute;
mod vars;

pub(crate) use cond::test_expression;
pub(crate) use param::quote;
pub use vars::Env;

use crate::host::Pid;
use crate::syntax::{Cmd, Dialect};
use crate::system::signal::Signal;
use crate::system::{Process, background_ignores_of};
use frame::{Frame, Source, SourceKind};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use vars::{Value, Vars};

/// `set -e` and its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) errexit: bool,
    pub(crate) nounset: bool,
    pub(crate) xtrace: bool,
    pub(crate) noglob: bool,
    pub(crate) pipefail: bool,
    pub(crate) noexec: bool,
    pub(crate) noclobber: bool,
    pub(crate) allexport: bool,
    pub(crate) verbose: bool,
    pub(crate) monitor: bool,
}

impl Options {
    /// The value of `$-`.
    pub(crate) fn letters(&self, interactive: bool, bash: bool) -> String {
        let flags = [
            (bash, 'h'),
            (self.allexport, 'a'),
            (self.errexit, 'e'),
            (self.noglob, 'f'),
            (interactive, 'i'),
            (self.monitor, 'm'),
            (self.noexec, 'n'),
            (self.nounset, 'u'),
            (self.verbose, 'v'),
            (self.xtrace, 'x'),
            (bash, 'B'),
            (self.noclobber, 'C'),
        ];
        flags.iter().filter(|(on, _)| *on).map(|(_, c)| c).collect()
    }

    pub(crate) fn by_letter(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'e' => &mut self.errexit,
            'u' => &mut self.nounset,
            'x' => &mut self.xtrace,
            'f' => &mut self.noglob,
            'n' => &mut self.noexec,
            'C' => &mut self.noclobber,
            'a' => &mut self.allexport,
            'v' => &mut self.verbose,
            'm' => &mut self.monitor,
            _ => return None,
        })
    }

    pub(crate) fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.errexit,
            "nounset" => &mut self.nounset,
            "xtrace" => &mut self.xtrace,
            "noglob" => &mut self.noglob,
            "pipefail" => &mut self.pipefail,
            "noexec" => &mut self.noexec,
            "noclobber" => &mut self.noclobber,
            "allexport" => &mut self.allexport,
            "verbose" => &mut self.verbose,
            "monitor" => &mut self.monitor,
            _ => return None,
        })
    }
}

/// A child in the background.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) pid: Pid,
    pub(crate) status: Option<i32>,
    pub(crate) text: Arc<str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) vars: Arc<Vars>,
    functions: Arc<BTreeMap<Arc<str>, Cmd>>,
    aliases: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    pub(crate) options: Options,
    pub(crate) dialect: Dialect,
    /// `$0`
    pub(crate) name: Arc<str>,
    /// `$1` and on.
    pub(crate) args: Arc<[Arc<str>]>,
    pub(crate) status: i32,
    pipe_status: Vec<i32>,
    pub(crate) last_background: Option<Pid>,
    /// `$$`: the main shell, also in subshells.
    pub(crate) pid: Pid,
    pub(crate) own_pid: Pid,
    pub(crate) parent: Pid,
    pub(crate) line: u32,
    pub(crate) started: i64,
    pub(crate) random: u64,
    /// Prompts and survives errors.
    pub(crate) interactive: bool,
    /// Runs lines that the host hands in.
    session: bool,
    /// Errors name the line (a script, not `-c`).
    script: bool,
    /// Commands by signal number; 0 is EXIT. An empty one ignores.
    traps: Arc<BTreeMap<u8, Arc<str>>>,
    jobs: Vec<Job>,
    frames: Vec<Frame>,
    /// Status of the last command substitution of the command being expanded.
    substituted: Option<i32>,
    /// A subshell inside a condition does not end on failure.
    spared: bool,
    /// The EXIT trap is running; then end with this.
    exiting: Option<i32>,
    /// Characters of the option cluster `getopts` is in.
    getopts_at: usize,
}

/// Empty tables that all shells start from, so that a sleeping one owns none.
static NO_FUNCTIONS: LazyLock<Arc<BTreeMap<Arc<str>, Cmd>>> = LazyLock::new(Arc::default);
static NO_ALIASES: LazyLock<Arc<BTreeMap<Arc<str>, Arc<str>>>> = LazyLock::new(Arc::default);
static NO_TRAPS: LazyLock<Arc<BTreeMap<u8, Arc<str>>>> = LazyLock::new(Arc::default);
static NO_ARGS: LazyLock<Arc<[Arc<str>]>> = LazyLock::new(Arc::default);

impl Shell {
    pub(crate) fn new(name: &str, dialect: Dialect, env: &Env, random: u64, now: i64) -> Shell {
        Shell {
            vars: Arc::new(Vars::from_env(env)),
            functions: NO_FUNCTIONS.clone(),
            aliases: NO_ALIASES.clone(),
            options: Options::default(),
            dialect,
            name: name.into(),
            args: NO_ARGS.clone(),
            status: 0,
            pipe_status: Vec::new(),
            last_background: None,
            pid: 0,
            own_pid: 0,
            parent: 0,
            line: 1,
            started: now,
            random,
            interactive: false,
            session: false,
            script: false,
            traps: NO_TRAPS.clone(),
            jobs: Vec::new(),
            frames: Vec::new(),
            substituted: None,
            spared: false,
            exiting: None,
            getopts_at: 0,
        }
    }

    pub(crate) fn set_pid(&mut self, pid: Pid, parent: Pid) {
        self.pid = pid;
        self.own_pid = pid;
        self.parent = if parent == Pid::MAX { 1 } else { parent };
    }

    /// Makes it an interactive shell that waits for lines from the host.
    pub(crate) fn become_session(&mut self) {
        self.session = true;
        self.interactive = true;
    }

    /// Variables every shell sets for itself.
    pub(crate) fn start_variables(&mut self, p: &Process) {
        let vars = Arc::make_mut(&mut self.vars);
        let cwd = p.cwd.clone();
        vars.set_text("PWD", cwd);
        vars.export("PWD", true);
        if self.dialect == Dialect::Bash {
            vars.set_text("BASH_VERSION", "5.2.37(1)-release");
            vars.set_text("BASH", "/bin/bash");
        }
        let level = vars
            .text("SHLVL")
            .and_then(|t| t.parse::<i64>().ok())
            .unwrap_or(0);
        if self.dialect != Dialect::Dash {
            vars.set_text("SHLVL", (level + 1).to_string());
            vars.export("SHLVL", true);
        }
        if vars.text("PATH").is_none() {
            vars.set_text(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            );
        }
    }

    /// Reads the shell's own arguments. `Some`: a script to open.
    pub(crate) fn configure(
        &mut self,
        args: &[Arc<str>],
        tty: bool,
    ) -> Result<Option<String>, String> {
        let mut rest = args;
        let mut command = false;
        let mut from_stdin = false;
        while let Some(arg) = rest.first() {
            let Some(letters) = arg.strip_prefix(['-', '+']).filter(|l| !l.is_empty()) else {
                break;
            };
            let on = arg.starts_with('-');
            rest = &rest[1..];
            match letters {
                "-" => break,
                "-login" | "-noprofile" | "-norc" | "-posix" => continue,
                _ => {}
            }
            for letter in letters.chars() {
                match letter {
                    'c' => command = true,
                    's' => from_stdin = true,
                    'i' => self.interactive = true,
                    'l' => {}
                    'o' | 'O' => {
                        let Some((name, after)) = rest.split_first() else {
                            return Err(format!("-{letter}: option requires an argument"));
                        };
                        rest = after;
                        if let Some(option) = self.options.by_name(name) {
                            *option = on;
                        } else if letter == 'o' {
                            return Err(format!("{name}: invalid option name"));
                        }
                    }
                    letter => match self.options.by_letter(letter) {
                        Some(option) => *option = on,
                        None => return Err(format!("-{letter}: invalid option")),
                    },
                }
            }
        }
        if command {
            let Some((text, after)) = rest.split_first() else {
                return Err("-c requires an argument".into());
            };
            if let Some((name, args)) = after.split_first() {
                self.name = name.clone();
                self.args = args.into();
            }
            self.push_source(text, SourceKind::Command);
            return Ok(None);
        }
        if let (Some((script, args)), false) = (rest.split_first(), from_stdin) {
            self.args = args.into();
            return Ok(Some(script.to_string()));
        }
        self.args = rest.into();
        self.interactive |= tty;
        self.push_source("", SourceKind::Stdin);
        Ok(None)
    }

    pub(crate) fn push_script(&mut self, text: &str, name: &str) {
        self.name = name.into();
        self.script = true;
        self.push_source(text, SourceKind::Script);
    }

    /// A line of the person at the terminal.
    pub(crate) fn push_line(&mut self, text: &str) {
        self.push_source(text, SourceKind::Line);
    }

    fn push_source(&mut self, text: &str, kind: SourceKind) {
        self.frames.push(Frame::Source(Box::new(Source {
            text: text.into(),
            at: 0,
            line: 1,
            kind,
            prompted: false,
            partial: Vec::new(),
        })));
    }

    /// Whether it has a command for a signal (or, at the terminal, comes back to its prompt).
    pub(crate) fn catches(&self, signal: Signal) -> bool {
        if self.interactive
            && (signal == Signal::INT || signal == Signal::TERM || signal == Signal::QUIT)
        {
            return true;
        }
        self.traps.get(&signal.0).is_some_and(|t| !t.is_empty())
    }

    /// Whether a caught signal is handled now: a foreground child is waited for first.
    pub(crate) fn takes_signals_now(&self) -> bool {
        self.interactive || !matches!(self.frames.last(), Some(Frame::Wait(_) | Frame::Capture(_)))
    }

    pub(crate) fn pipe_status(&self) -> Vec<Arc<str>> {
        if self.pipe_status.is_empty() {
            return vec![self.status.to_string().into()];
        }
        self.pipe_status
            .iter()
            .map(|s| s.to_string().into())
            .collect()
    }

    pub(crate) fn function_name(&self) -> Option<Arc<str>> {
        self.frames.iter().rev().find_map(|f| match f {
            Frame::Call(call) => Some(call.name.clone()),
            _ => None,
        })
    }

    /// A copy for a subshell that runs one command.
    fn subshell(&self, cmd: &Cmd) -> Shell {
        let mut traps = (*self.traps).clone();
        traps.retain(|_, text| text.is_empty());
        let traps = if traps.is_empty() {
            NO_TRAPS.clone()
        } else {
            Arc::new(traps)
        };
        Shell {
            vars: self.vars.clone(),
            functions: self.functions.clone(),
            aliases: self.aliases.clone(),
            name: self.name.clone(),
            args: self.args.clone(),
            pipe_status: Vec::new(),
            traps,
            jobs: Vec::new(),
            frames: vec![Frame::Run(cmd.clone())],
            interactive: false,
            session: false,
            substituted: None,
            spared: self.spared || self.is_spared(),
            exiting: None,
            ..*self
        }
    }

    /// How errors begin.
    pub(crate) fn who(&self) -> String {
        match self.dialect {
            Dialect::Bash if self.interactive => self.name.to_string(),
            Dialect::Bash => format!("{}: line {}", self.name, self.line),
            Dialect::Ash if self.script => format!("{}: line {}", self.name, self.line),
            Dialect::Ash => self.name.to_string(),
            Dialect::Dash => format!("{}: {}", self.name, self.line),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<Arc<str>> {
        self.vars.text(name)
    }

    pub(crate) fn vars_mut(&mut self) -> &mut Vars {
        Arc::make_mut(&mut self.vars)
    }

    fn is_map(&self, name: &str) -> bool {
        matches!(
            self.vars.get(name).and_then(|v| v.value.as_ref()),
            Some(Value::Map(_))
        )
    }

    /// Signals that a background child of a script ignores.
    fn background_ignores(&self) -> u64 {
        if self.interactive {
            0
        } else {
            background_ignores_of()
        }
    }
}
