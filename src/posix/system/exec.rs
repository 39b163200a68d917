//! Finding and starting programs, and the few files of `/proc` that scripts read.

use super::kernel::{Kernel, OpenMode};
use super::open::{Read, Target};
use super::process::*;
use super::{Flavour, Stream, System, signal::Signal};
use crate::files::{Access, Body, Disk, Errno, Files, Kind, User};
use crate::host::{self, Host};
use crate::shell::{Env, Shell};
use crate::syntax::Dialect;
use crate::tools::{self, Tool};
use std::sync::Arc;

/// Where programs are looked for when `$PATH` is not set.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Scripts that name scripts as their interpreter, at most so deep.
const INTERPRETER_LIMIT: u32 = 4;

/// Standard input collected for a program of the host, at most.
const INPUT_LIMIT: usize = 16 << 20;

/// Why a program cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// No directory of `$PATH` has it.
    NotInPath,
    /// The path leads nowhere, or to something that cannot run.
    Path(Errno),
}

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Program(Arc<str>),
    /// A script: its path and content.
    Script(String, Arc<Vec<u8>>),
}

/// Looks a program up as `execvp` does.
pub(crate) fn find_program(
    files: &Files<'_>,
    name: &str,
    path: Option<&str>,
) -> Result<(String, Found), StartError> {
    if name.contains('/') {
        return look(files, name)
            .map(|found| (name.to_string(), found))
            .map_err(StartError::Path);
    }
    let mut refused = None;
    for dir in path.unwrap_or(DEFAULT_PATH).split(':') {
        let dir = if dir.is_empty() { "." } else { dir };
        let full = format!("{}/{name}", dir.trim_end_matches('/'));
        match look(files, &full) {
            Ok(found) => return Ok((full, found)),
            Err(Errno::Access) => refused = Some(Errno::Access),
            Err(_) => {}
        }
    }
    match refused {
        Some(errno) => Err(StartError::Path(errno)),
        None => Err(StartError::NotInPath),
    }
}

fn look(files: &Files<'_>, path: &str) -> Result<Found, Errno> {
    let place = files.find(path, true)?;
    let node = files.at(&place)?;
    if node.kind() == Kind::Directory {
        return Err(Errno::IsDirectory);
    }
    files.check(node, Access::Execute)?;
    match &node.body {
        Body::Program(name) => Ok(Found::Program(name.clone())),
        Body::File(bytes) => Ok(Found::Script(path.to_string(), bytes.clone())),
        _ => Err(Errno::Access),
    }
}

impl System {
    /// Whether a program could start, before it is started: a container runtime asks this first.
    pub fn can_start(
        &self,
        name: &str,
        env: &Env,
        cwd: &str,
        user: &User,
        disk: &mut Disk,
    ) -> Result<(), StartError> {
        let files = Files {
            disk,
            mounts: &self.mounts,
            cwd,
            user,
            umask: 0o022,
            now: 0,
        };
        find_program(&files, name, env.get("PATH").map(|p| &**p)).map(|_| ())
    }
}

impl Kernel<'_> {
    /// Turns a process into the program its arguments name.
    pub(crate) fn exec(&mut self, p: &mut Process, exec: Exec) -> Turn {
        let mut argv = exec.argv.clone();
        let mut name = argv.first().cloned().unwrap_or_default();
        for _ in 0..INTERPRETER_LIMIT {
            let path = exec.env.get("PATH").cloned();
            let found = find_program(&self.files(p), &name, path.as_deref());
            let (script, bytes) = match found {
                Ok((_, Found::Program(program))) => return self.start(p, &program, argv, &exec),
                Ok((_, Found::Script(script, bytes))) => (script, bytes),
                Err(error) => {
                    if error == StartError::NotInPath {
                        match self.call_host(p, &argv, &exec, None) {
                            host::External::NotFound => {}
                            answer => return self.started(p, answer, argv, &exec),
                        }
                    }
                    return self.cannot_start(p, &name, error, &exec);
                }
            };
            if bytes.starts_with(b"\x7fELF") {
                return self.cannot_start(p, &name, StartError::Path(Errno::NotExecutable), &exec);
            }
            let text = String::from_utf8_lossy(&bytes);
            let Some(line) = text.strip_prefix("#!") else {
                // No interpreter line: the shell runs it itself.
                let mut full: Vec<Arc<str>> = vec!["sh".into(), script.into()];
                full.extend(argv.iter().skip(1).cloned());
                return self.start(p, "sh", full.into(), &exec);
            };
            let line = line.lines().next().unwrap_or("").trim();
            let (interpreter, option) = match line.split_once(char::is_whitespace) {
                Some((i, o)) => (i, Some(o.trim())),
                None => (line, None),
            };
            let mut full: Vec<Arc<str>> = vec![interpreter.into()];
            full.extend(option.map(Arc::from));
            full.push(script.into());
            full.extend(argv.iter().skip(1).cloned());
            name = interpreter.into();
            argv = full.into();
        }
        self.cannot_start(p, &name, StartError::Path(Errno::Loop), &exec)
    }

    fn cannot_start(
        &mut self,
        p: &mut Process,
        name: &str,
        error: StartError,
        exec: &Exec,
    ) -> Turn {
        let (text, status) = match (error, exec.dialect) {
            (StartError::NotInPath, Dialect::Bash) => ("command not found".to_string(), 127),
            (StartError::NotInPath, _) => ("not found".into(), 127),
            (StartError::Path(Errno::NoEntry | Errno::NotDirectory), Dialect::Bash) => {
                (Errno::NoEntry.to_string(), 127)
            }
            (StartError::Path(Errno::NoEntry | Errno::NotDirectory), _) => {
                ("not found".into(), 127)
            }
            (StartError::Path(Errno::IsDirectory), Dialect::Ash | Dialect::Dash) => {
                (Errno::Access.to_string(), 126)
            }
            (StartError::Path(Errno::NotExecutable), Dialect::Bash) => {
                ("cannot execute binary file: Exec format error".into(), 126)
            }
            (StartError::Path(errno), _) => (errno.to_string(), 126),
        };
        let message = format!("{}: {name}: {text}\n", exec.who);
        // Nobody is left to tell if this fails.
        let _ = self.put(p, 2, message.as_bytes());
        Turn::Exit(status)
    }

    fn start(&mut self, p: &mut Process, program: &str, argv: Argv, exec: &Exec) -> Turn {
        p.argv = argv.clone();
        let dialect = match (program, self.sys.flavour) {
            ("bash", _) => Some(Dialect::Bash),
            ("ash", _) | ("sh", Flavour::Busybox) => Some(Dialect::Ash),
            ("dash" | "sh", _) => Some(Dialect::Dash),
            _ => None,
        };
        if let Some(dialect) = dialect {
            return self.start_shell(p, dialect, &argv, exec);
        }
        if program == "busybox" && argv.len() > 1 {
            let applet: Argv = argv[1..].into();
            let name = applet[0].clone();
            return self.start(p, &name, applet, exec);
        }
        match tools::find(program) {
            Some(spec) => Turn::Become(Program::Tool(Box::new(Tool::new(
                spec,
                argv,
                exec.env.clone(),
            )))),
            None => match self.call_host(p, &argv, exec, Some(program)) {
                host::External::NotFound => {
                    let error = StartError::Path(Errno::NotExecutable);
                    self.cannot_start(p, &argv[0], error, exec)
                }
                answer => self.started(p, answer, argv, exec),
            },
        }
    }

    fn start_shell(&mut self, p: &mut Process, dialect: Dialect, argv: &Argv, exec: &Exec) -> Turn {
        let random = self.host.random();
        let mut shell = Shell::new(&argv[0], dialect, &exec.env, random, self.now);
        shell.set_pid(p.pid, p.parent);
        shell.start_variables(p);
        let tty = p.fd(0).is_some_and(|open| self.sys.is_tty(open));
        match shell.configure(&argv[1..], tty) {
            Ok(None) => Turn::Become(Program::Shell(Box::new(shell))),
            Ok(Some(script)) => {
                let mode = OpenMode {
                    read: true,
                    ..OpenMode::default()
                };
                let text = self.open_path(p, &script, mode).and_then(|open| {
                    let mut text = Vec::new();
                    let result = loop {
                        match self.read(open, 65_536) {
                            Read::Data(bytes) => text.extend(bytes),
                            Read::Failed(errno) => break Err(errno),
                            Read::End | Read::Wait => break Ok(text),
                        }
                    };
                    self.close(open);
                    result
                });
                match text {
                    Ok(text) => {
                        shell.push_script(&String::from_utf8_lossy(&text), &script);
                        Turn::Become(Program::Shell(Box::new(shell)))
                    }
                    Err(errno) => {
                        let message = match dialect {
                            Dialect::Bash => format!("{}: {script}: {errno}\n", argv[0]),
                            Dialect::Ash => {
                                format!("{}: can't open '{script}': {errno}\n", argv[0])
                            }
                            Dialect::Dash => format!(
                                "{}: 0: cannot open {script}: {}\n",
                                argv[0],
                                if errno == Errno::NoEntry {
                                    "No such file".into()
                                } else {
                                    errno.to_string()
                                }
                            ),
                        };
                        let _ = self.put(p, 2, message.as_bytes());
                        let status = match dialect {
                            Dialect::Bash if errno != Errno::NoEntry => 126,
                            Dialect::Bash => 127,
                            _ => 2,
                        };
                        Turn::Exit(status)
                    }
                }
            }
            Err(message) => {
                let _ = self.put(p, 2, format!("{}: {message}\n", argv[0]).as_bytes());
                Turn::Exit(2)
            }
        }
    }

    fn call_host(
        &mut self,
        p: &Process,
        argv: &Argv,
        exec: &Exec,
        program: Option<&str>,
    ) -> host::External {
        let mut argv = argv.clone();
        if let Some(program) = program
            && argv.first().is_some_and(|a| **a != *program)
        {
            // The host knows programs by name, wherever their file stands.
            let mut named = argv.to_vec();
            named[0] = program.into();
            argv = named.into();
        }
        self.ask_host(p, &argv, &exec.env, None, Vec::new())
    }

    fn ask_host(
        &mut self,
        p: &Process,
        argv: &Argv,
        env: &Arc<Env>,
        stdin: Option<Vec<u8>>,
        descriptors: Vec<(u16, Vec<u8>)>,
    ) -> host::External {
        let reads_keyboard = p
            .fd(0)
            .is_some_and(|open| matches!(self.sys.target(open), Target::Input(_)));
        // What runs in the background has no keyboard: it finds nothing to read.
        let is_typed = reads_keyboard && !p.background;
        let call = host::Call {
            pid: p.pid,
            argv: argv.clone(),
            env: env.clone(),
            cwd: p.cwd.clone(),
            stdin: stdin.or_else(|| (reads_keyboard && p.background).then(Vec::new)),
            is_typed,
            descriptors,
            tty: p.fd(1).is_some_and(|open| self.sys.is_tty(open)),
        };
        let mut files = Files {
            disk: self.disk,
            mounts: &self.sys.mounts,
            cwd: &p.cwd,
            user: &p.user,
            umask: p.umask,
            now: self.now,
        };
        let host: &mut dyn Host = self.host;
        host.external(&call, &mut files)
    }

    fn started(
        &mut self,
        p: &mut Process,
        answer: host::External,
        argv: Argv,
        exec: &Exec,
    ) -> Turn {
        let mut external = External {
            argv,
            env: exec.env.clone(),
            who: exec.who.clone(),
            dialect: exec.dialect,
            input: None,
            descriptors: Vec::new(),
            running: false,
            catches_signals: false,
            finished: None,
        };
        match self.answered(p, &mut external, answer) {
            Turn::Continue => {
                // `Become` makes a process ready; what it waits for is set in its first turn.
                Turn::Become(Program::External(Box::new(external)))
            }
            turn => turn,
        }
    }

    fn answered(
        &mut self,
        p: &mut Process,
        external: &mut External,
        answer: host::External,
    ) -> Turn {
        match answer {
            host::External::Done(done) => {
                self.write_done(p, &done.stdout, &done.stderr);
                Turn::Exit(done.status)
            }
            host::External::NeedInput if external.input.is_none() => {
                external.input = Some(Vec::new());
                Turn::Continue
            }
            host::External::Running { catches_signals } => {
                external.running = true;
                external.input = None;
                external.catches_signals = catches_signals;
                Turn::Continue
            }
            host::External::NotFound | host::External::NeedInput => {
                let name = external.argv[0].clone();
                let exec = Exec {
                    argv: external.argv.clone(),
                    env: external.env.clone(),
                    who: external.who.clone(),
                    dialect: external.dialect,
                };
                self.cannot_start(p, &name, StartError::NotInPath, &exec)
            }
        }
    }

    fn write_done(&mut self, p: &mut Process, stdout: &[u8], stderr: &[u8]) {
        // A closed descriptor swallows the output, as for any program that does not check.
        let _ = self.put(p, 1, stdout);
        let _ = self.put(p, 2, stderr);
    }

    pub(crate) fn run_external(&mut self, p: &mut Process, external: &mut External) -> Turn {
        if let Some(status) = external.finished {
            return Turn::Exit(status);
        }
        if let Some(input) = &mut external.input {
            if let Some(open) = p.fd(0) {
                loop {
                    match self.read(open, 65_536) {
                        Read::Data(bytes) => input.extend(bytes),
                        Read::Wait => {
                            p.wait = Wait::Read(open);
                            return Turn::Continue;
                        }
                        Read::End | Read::Failed(_) => break,
                    }
                    if input.len() > INPUT_LIMIT {
                        break;
                    }
                }
            }
            for number in named_descriptors(&external.argv) {
                let Some(open) = p.fd(number) else {
                    continue;
                };
                if !external
                    .descriptors
                    .iter()
                    .any(|(known, _)| *known == number)
                {
                    external.descriptors.push((number, Vec::new()));
                }
                let at = external
                    .descriptors
                    .iter()
                    .position(|(known, _)| *known == number);
                let bytes = &mut external.descriptors[at.expect("pushed above")].1;
                loop {
                    match self.read(open, 65_536) {
                        Read::Data(more) if bytes.len() < INPUT_LIMIT => bytes.extend(more),
                        Read::Wait => {
                            p.wait = Wait::Read(open);
                            return Turn::Continue;
                        }
                        _ => break,
                    }
                }
            }
            let stdin = external.input.clone();
            let descriptors = std::mem::take(&mut external.descriptors);
            let answer = self.ask_host(
                p,
                &external.argv.clone(),
                &external.env.clone(),
                stdin,
                descriptors,
            );
            let turn = self.answered(p, external, answer);
            if matches!(turn, Turn::Continue) && external.running {
                p.wait = Wait::Reply;
            }
            return turn;
        }
        p.wait = Wait::Reply;
        Turn::Continue
    }
}

/// The numbers of `/dev/fd/63` and `--filename=/dev/fd/63`.
fn named_descriptors(argv: &Argv) -> Vec<u16> {
    let numbers = argv.iter().filter_map(|arg| {
        let (_, number) = arg.split_once("/dev/fd/")?;
        number.parse().ok()
    });
    numbers.collect()
}

impl Stream {
    /// The descriptor programs use for it.
    pub fn fd(self) -> u16 {
        match self {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        }
    }
}

/// Signals that a program started with `nohup` or in the background of a script ignores.
pub(crate) fn background_ignores_of() -> u64 {
    Signal::INT.bit() | Signal::QUIT.bit()
}
