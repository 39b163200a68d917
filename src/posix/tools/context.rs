//! What a tool works with: arguments, environment, files, output buffers.

use crate::files::{Errno, Files};
use crate::shell::Env;
use crate::system::{Argv, Flavour, Kernel, OpenMode, Process, Read};
use std::sync::Arc;

/// Content of one input read at once.
const READ_LIMIT: usize = 32 << 20;

pub(crate) struct Context<'a, 'k> {
    pub(crate) argv: &'a Argv,
    pub(crate) env: &'a Arc<Env>,
    pub(crate) p: &'a mut Process,
    pub(crate) k: &'a mut Kernel<'k>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
    input: Option<Vec<u8>>,
    /// Standard input was asked for but is not collected.
    pub(crate) wants_input: bool,
    pub(crate) failed_write: bool,
}

impl<'a, 'k> Context<'a, 'k> {
    pub(crate) fn new(
        argv: &'a Argv,
        env: &'a Arc<Env>,
        p: &'a mut Process,
        k: &'a mut Kernel<'k>,
        input: Option<Vec<u8>>,
    ) -> Context<'a, 'k> {
        Context {
            argv,
            env,
            p,
            k,
            out: Vec::new(),
            err: Vec::new(),
            input,
            wants_input: false,
            failed_write: false,
        }
    }

    /// The tool's name as it shows in messages.
    pub(crate) fn name(&self) -> &'a str {
        let name: &'a str = &self.argv[0];
        name.rsplit('/').next().unwrap_or(name)
    }

    /// The arguments after the name.
    pub(crate) fn args(&self) -> Vec<Arc<str>> {
        self.argv[1..].to_vec()
    }

    pub(crate) fn busybox(&self) -> bool {
        self.k.sys.flavour == Flavour::Busybox
    }

    pub(crate) fn files(&mut self) -> Files<'_> {
        self.k.files(self.p)
    }

    pub(crate) fn now(&self) -> i64 {
        self.k.now
    }

    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(|v| &**v)
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.say(text);
        self.out.push(b'\n');
    }

    /// `name: message` on standard error, after what was said so far.
    pub(crate) fn warn(&mut self, message: &str) {
        self.flush();
        let text = format!("{}: {message}\n", self.name());
        self.err.extend_from_slice(text.as_bytes());
        self.flush();
    }

    /// The same, with a status.
    pub(crate) fn fail(&mut self, status: i32, message: &str) -> i32 {
        self.warn(message);
        status
    }

    /// The same, in the words of BusyBox or of the GNU tools.
    pub(crate) fn fail_as(&mut self, status: i32, busybox: String, gnu: String) -> i32 {
        self.fail(status, if self.busybox() { &busybox } else { &gnu })
    }

    /// What this family of tools says when a file cannot be opened.
    pub(crate) fn cannot_open(&mut self, path: &str, errno: Errno) {
        let message = match (self.busybox(), self.name()) {
            (true, "grep" | "egrep" | "fgrep" | "sed" | "awk" | "head") => {
                format!("{path}: {errno}")
            }
            (true, _) => format!("can't open '{path}': {errno}"),
            (false, "sed") => format!("can't read {path}: {errno}"),
            (false, "head" | "tail" | "tac") => {
                format!("cannot open '{path}' for reading: {errno}")
            }
            (false, "sort") => format!("cannot read: {path}: {errno}"),
            (false, "base64") => format!("{path}: {errno}"),
            (false, "awk") => {
                format!("warning: command line argument `{path}': cannot open file ({errno})")
            }
            (false, _) => format!("{path}: {errno}"),
        };
        self.warn(&message);
    }

    pub(crate) fn read_error(&mut self, path: &str, errno: Errno) {
        let message = match (self.busybox(), self.name()) {
            (true, _) => format!("read error: {errno}"),
            (false, "sed") => format!("couldn't edit {path}: not a regular file"),
            (false, "head" | "tail" | "tac") => format!("error reading '{path}': {errno}"),
            (false, "sort") => format!("read failed: {path}: {errno}"),
            (false, _) => format!("{path}: {errno}"),
        };
        self.warn(&message);
    }

    /// All of standard input. Empty and noted if it has still to be collected.
    pub(crate) fn stdin(&mut self) -> Vec<u8> {
        match &self.input {
            Some(bytes) => bytes.clone(),
            None => {
                self.wants_input = true;
                Vec::new()
            }
        }
    }

    /// A whole input: a file, or standard input for `-`.
    pub(crate) fn input(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        if path == "-" || path == "/dev/stdin" {
            return Ok(self.stdin());
        }
        let mode = OpenMode {
            read: true,
            ..OpenMode::default()
        };
        let open = self.k.open_path(self.p, path, mode)?;
        let mut bytes = Vec::new();
        let result = loop {
            match self.k.read(open, 65_536) {
                Read::Data(more) => bytes.extend(more),
                Read::Failed(errno) => break Err(errno),
                Read::End | Read::Wait => break Ok(()),
            }
            if bytes.len() > READ_LIMIT {
                break Ok(());
            }
        };
        self.k.close(open);
        result.map(|()| bytes)
    }

    /// A whole input as text; failure is reported.
    pub(crate) fn text_of(&mut self, path: &str) -> Option<String> {
        match self.input(path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(errno) if errno == Errno::IsDirectory => {
                self.read_error(path, errno);
                None
            }
            Err(errno) => {
                self.cannot_open(path, errno);
                None
            }
        }
    }

    /// Writes what was said to the descriptors.
    pub(crate) fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        if !out.is_empty()
            && !self.failed_write
            && let Err(errno) = self.k.put(self.p, 1, &out)
        {
            self.failed_write = true;
            let message = format!("{}: write error: {errno}\n", self.name());
            self.err.extend_from_slice(message.as_bytes());
        }
        let err = std::mem::take(&mut self.err);
        if !err.is_empty() {
            // Without a standard error there is nobody to tell.
            let _ = self.k.put(self.p, 2, &err);
        }
    }

    /// Flushes and gives the exit status: failed writes count.
    pub(crate) fn finish(&mut self, status: i32) -> i32 {
        self.flush();
        if self.failed_write && status == 0 {
            1
        } else {
            status
        }
    }

    /// A failure that comes from using the tool wrongly: GNU points at its help.
    pub(crate) fn misuse(&mut self, status: i32, message: &str) -> i32 {
        self.warn(message);
        if !self.busybox() {
            let text = format!("Try '{} --help' for more information.\n", self.name());
            self.err.extend_from_slice(text.as_bytes());
        }
        status
    }

    /// The message for an option that does not exist.
    pub(crate) fn bad_option(&mut self, option: &str) -> i32 {
        let name = self.name().to_string();
        let letter = option.trim_start_matches('-');
        let message = if option.starts_with("--") {
            format!("unrecognized option '{option}'")
        } else {
            format!("invalid option -- '{letter}'")
        };
        self.warn(&message);
        if !self.busybox() {
            let text = format!("Try '{name} --help' for more information.\n");
            self.err.extend_from_slice(text.as_bytes());
        }
        match name.as_str() {
            "ls" | "grep" | "sort" | "diff" => 2,
            _ => 1,
        }
    }
}

/// Arguments split into options and operands, GNU style: options may follow operands.
#[derive(Debug, Default)]
pub(crate) struct Options {
    list: Vec<(String, Option<String>)>,
    pub(crate) operands: Vec<Arc<str>>,
}

impl Options {
    /// `flags` are letters without and `valued` letters with a value; `long` maps long names to letters (a name
    /// ending in `=` takes a value). `Err` is the exit status after a message.
    pub(crate) fn parse(
        c: &mut Context<'_, '_>,
        flags: &str,
        valued: &str,
        long: &[(&str, char)],
    ) -> Result<Options, i32> {
        Options::parse_args(c, &c.args(), flags, valued, long, false)
    }

    pub(crate) fn parse_args(
        c: &mut Context<'_, '_>,
        args: &[Arc<str>],
        flags: &str,
        valued: &str,
        long: &[(&str, char)],
        stop_at_operand: bool,
    ) -> Result<Options, i32> {
        let mut options = Options::default();
        let mut i = 0;
        while i < args.len() {
            let arg = &args[i];
            i += 1;
            if &**arg == "--" {
                options.operands.extend(args[i..].iter().cloned());
                break;
            }
            if let Some(name) = arg.strip_prefix("--") {
                let (name, mut value) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_string())),
                    None => (name, None),
                };
                let found = long.iter().find(|(n, _)| n.trim_end_matches('=') == name);
                let Some((known, letter)) = found else {
                    return Err(c.bad_option(arg));
                };
                if known.ends_with('=') && value.is_none() {
                    value = args.get(i).map(|v| v.to_string());
                    i += 1;
                }
                options.list.push((letter.to_string(), value));
                continue;
            }
            let letters = match arg.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => letters,
                _ => {
                    if stop_at_operand {
                        options.operands.extend(args[i - 1..].iter().cloned());
                        break;
                    }
                    options.operands.push(arg.clone());
                    continue;
                }
            };
            let chars: Vec<char> = letters.chars().collect();
            let mut at = 0;
            while at < chars.len() {
                let letter = chars[at];
                at += 1;
                if valued.contains(letter) {
                    let attached: String = chars[at..].iter().collect();
                    at = chars.len();
                    let value = if attached.is_empty() {
                        i += 1;
                        match args.get(i - 1) {
                            Some(value) => value.to_string(),
                            None => {
                                c.warn(&format!("option requires an argument -- '{letter}'"));
                                return Err(if c.name() == "grep" { 2 } else { 1 });
                            }
                        }
                    } else {
                        attached
                    };
                    options.list.push((letter.to_string(), Some(value)));
                } else if flags.contains(letter) {
                    options.list.push((letter.to_string(), None));
                } else {
                    return Err(c.bad_option(&format!("-{letter}")));
                }
            }
        }
        Ok(options)
    }

    pub(crate) fn has(&self, letter: char) -> bool {
        self.list.iter().any(|(l, _)| l.starts_with(letter))
    }

    /// The last value of an option.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.list
            .iter()
            .rev()
            .find(|(l, _)| l.starts_with(letter))
            .and_then(|(_, v)| v.as_deref())
    }

    /// All values of an option, in order.
    pub(crate) fn values(&self, letter: char) -> Vec<&str> {
        self.list
            .iter()
            .filter(|(l, _)| l.starts_with(letter))
            .filter_map(|(_, v)| v.as_deref())
            .collect()
    }

    /// Letters in the order given.
    pub(crate) fn letters(&self) -> impl Iterator<Item = char> + '_ {
        self.list.iter().filter_map(|(l, _)| l.chars().next())
    }

    /// The operands, or `-` if there are none.
    pub(crate) fn sources(&self) -> Vec<Arc<str>> {
        if self.operands.is_empty() {
            vec!["-".into()]
        } else {
            self.operands.clone()
        }
    }
}
