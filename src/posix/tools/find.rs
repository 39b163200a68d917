//! `find`: names, kinds, sizes, times; `-print`, `-delete`, `-exec`.

use super::batch::{Batch, Purpose};
use super::context::Context;
use super::live::Live;
use crate::files::{Kind, Stat};
use crate::shell::pattern::matches;
use crate::system::Argv;
use std::collections::VecDeque;
use std::sync::Arc;

/// Paths looked at in one run.
const PATH_LIMIT: usize = 50_000;

enum Test {
    Name(String, bool),
    Path(String),
    Kind(Kind),
    Size(i64, i64, char),
    Age { unit: i64, days: i64, sign: char },
    Newer(i64),
    Empty,
    Perm(u16, char),
    User(u32),
    Print,
    Print0,
    Prune,
    Delete,
    Always(bool),
    Exec { argv: Vec<Arc<str>>, many: bool },
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

struct Reader<'a> {
    args: &'a [Arc<str>],
    at: usize,
    acts: bool,
    max_depth: u32,
    min_depth: u32,
    now: i64,
    depth: u32,
}

pub(super) fn find(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let split = args
        .iter()
        .position(|a| {
            a.starts_with('-') && a.len() > 1 && !matches!(&**a, "-L" | "-H" | "-P")
                || matches!(&**a, "!" | "(")
        })
        .unwrap_or(args.len());
    let mut roots: Vec<Arc<str>> = args[..split]
        .iter()
        .filter(|a| !a.starts_with('-') || &***a == "-")
        .cloned()
        .collect();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let mut reader = Reader {
        args: &args[split..],
        at: 0,
        acts: false,
        max_depth: u32::MAX,
        min_depth: 0,
        now: c.now(),
        depth: 0,
    };
    let test = if reader.args.is_empty() {
        Test::Always(true)
    } else {
        match reader.or(c) {
            Ok(_) if reader.at < reader.args.len() => {
                let extra = reader.args[reader.at].clone();
                return Err(c.fail(1, &format!("unknown predicate `{extra}'")));
            }
            Ok(test) => test,
            Err(message) => return Err(c.fail(1, &message)),
        }
    };
    let mut walk = Walk {
        acts: reader.acts,
        min: reader.min_depth,
        max: reader.max_depth,
        now: reader.now,
        commands: VecDeque::new(),
        gathered: Vec::new(),
        count: 0,
        status: 0,
    };
    for root in &roots {
        if let Err(errno) = c.files().stat(root, false) {
            let message = if c.busybox() {
                format!("{root}: {errno}")
            } else {
                format!("'{root}': {errno}")
            };
            c.warn(&message);
            walk.status = 1;
            continue;
        }
        walk.visit(c, root, 0, &test);
    }
    for (argv, paths) in std::mem::take(&mut walk.gathered) {
        let mut full = argv;
        if full.last().is_some_and(|l| &**l == "{}") {
            full.pop();
        }
        full.extend(paths);
        walk.commands.push_back(full.into());
    }
    let mut batch = Batch::new(walk.commands, Purpose::Find);
    batch.status = walk.status;
    Ok(Live::Batch(Box::new(batch)))
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(|a| &**a)
    }

    fn value(&mut self, name: &str) -> Result<Arc<str>, String> {
        let value = self.args.get(self.at).cloned();
        self.at += 1;
        value.ok_or_else(|| format!("missing argument to `{name}'"))
    }

    fn or(&mut self, c: &mut Context<'_, '_>) -> Result<Test, String> {
        let mut left = self.and(c)?;
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            let right = self.and(c)?;
            left = Test::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn and(&mut self, c: &mut Context<'_, '_>) -> Result<Test, String> {
        let mut left = self.one(c)?;
        loop {
            match self.peek() {
                None | Some("-o" | "-or" | ")") => return Ok(left),
                Some("-a" | "-and") => self.at += 1,
                _ => {}
            }
            let right = self.one(c)?;
            left = Test::And(Box::new(left), Box::new(right));
        }
    }

    fn one(&mut self, c: &mut Context<'_, '_>) -> Result<Test, String> {
        self.depth += 1;
        if self.depth > 200 {
            return Err("too many arguments".into());
        }
        let name = self.value("expression")?;
        Ok(match &*name {
            "!" | "-not" => Test::Not(Box::new(self.one(c)?)),
            "(" => {
                let inner = self.or(c)?;
                if self.peek() != Some(")") {
                    return Err("missing closing ')'".into());
                }
                self.at += 1;
                inner
            }
            "-name" => Test::Name(self.value(&name)?.to_string(), false),
            "-iname" => Test::Name(self.value(&name)?.to_lowercase(), true),
            "-path" | "-wholename" => Test::Path(self.value(&name)?.to_string()),
            "-type" => Test::Kind(match &*self.value(&name)? {
                "f" => Kind::File,
                "d" => Kind::Directory,
                "l" => Kind::Symlink,
                "c" => Kind::Device,
                other => return Err(format!("Unknown argument to -type: {other}")),
            }),
            "-size" => {
                let text = self.value(&name)?;
                let sign = text
                    .chars()
                    .next()
                    .filter(|ch| "+-".contains(*ch))
                    .unwrap_or('=');
                let digits = text.trim_start_matches(['+', '-']);
                let end = digits
                    .find(|ch: char| !ch.is_ascii_digit())
                    .unwrap_or(digits.len());
                let unit = match &digits[end..] {
                    "c" => 1,
                    "k" => 1 << 10,
                    "M" => 1 << 20,
                    "G" => 1 << 30,
                    _ => 512,
                };
                let n = digits[..end]
                    .parse()
                    .map_err(|_| format!("invalid argument `{text}' to `-size'"))?;
                Test::Size(n, unit, sign)
            }
            "-mtime" | "-mmin" | "-atime" | "-amin" | "-ctime" | "-cmin" => {
                let text = self.value(&name)?;
                let sign = text
                    .chars()
                    .next()
                    .filter(|ch| "+-".contains(*ch))
                    .unwrap_or('=');
                let days = text
                    .trim_start_matches(['+', '-'])
                    .parse()
                    .map_err(|_| format!("invalid argument `{text}' to `{name}'"))?;
                let unit = if name.ends_with("min") {
                    60_000_000
                } else {
                    86_400_000_000
                };
                Test::Age { unit, days, sign }
            }
            "-newer" => {
                let other = self.value(&name)?;
                match c.files().stat(&other, true) {
                    Ok(stat) => Test::Newer(stat.meta.modified),
                    Err(errno) => return Err(format!("'{other}': {errno}")),
                }
            }
            "-empty" => Test::Empty,
            "-perm" => {
                let text = self.value(&name)?;
                let sign = text
                    .chars()
                    .next()
                    .filter(|ch| "/-".contains(*ch))
                    .unwrap_or('=');
                let digits = text.trim_start_matches(['/', '-']);
                let mode = super::filesystem::changed_mode(digits, 0, false);
                Test::Perm(mode.ok_or_else(|| format!("invalid mode '{text}'"))?, sign)
            }
            "-user" => {
                let user = self.value(&name)?;
                let uid = super::identity::uid_of(c, &user);
                Test::User(uid.ok_or_else(|| format!("'{user}' is not the name of a known user"))?)
            }
            "-maxdepth" | "-mindepth" => {
                let text = self.value(&name)?;
                let depth = text
                    .parse()
                    .map_err(|_| format!("invalid argument `{text}' to `{name}'"))?;
                if &*name == "-maxdepth" {
                    self.max_depth = depth;
                } else {
                    self.min_depth = depth;
                }
                Test::Always(true)
            }
            "-print" => self.action(Test::Print),
            "-print0" => self.action(Test::Print0),
            "-delete" => self.action(Test::Delete),
            "-prune" => Test::Prune,
            "-true" | "-xdev" | "-mount" | "-depth" | "-follow" | "-noleaf" => Test::Always(true),
            "-false" => Test::Always(false),
            "-exec" | "-execdir" | "-ok" => {
                let mut argv = Vec::new();
                let many = loop {
                    let word = self.value(&name)?;
                    match &*word {
                        ";" => break false,
                        "+" if argv.last().is_some_and(|l: &Arc<str>| &**l == "{}") => break true,
                        _ => argv.push(word),
                    }
                };
                self.action(Test::Exec { argv, many })
            }
            other => return Err(format!("unknown predicate `{other}'")),
        })
    }

    fn action(&mut self, test: Test) -> Test {
        self.acts = true;
        test
    }
}

/// The command of `-exec … +` and the paths it gets.
type Gathered = (Vec<Arc<str>>, Vec<Arc<str>>);

struct Walk {
    acts: bool,
    min: u32,
    max: u32,
    now: i64,
    commands: VecDeque<Argv>,
    gathered: Vec<Gathered>,
    count: usize,
    status: i32,
}

impl Walk {
    fn visit(&mut self, c: &mut Context<'_, '_>, path: &str, depth: u32, test: &Test) {
        self.count += 1;
        if self.count > PATH_LIMIT {
            return;
        }
        let Ok(stat) = c.files().stat(path, false) else {
            return;
        };
        let children = if stat.kind == Kind::Directory && depth < self.max.min(64) {
            match c.files().list(path) {
                Ok(names) => names,
                Err(errno) => {
                    c.warn(&format!("'{path}': {errno}"));
                    self.status = 1;
                    Vec::new()
                }
            }
        } else {
            Vec::new()
        };
        let deletes = contains_delete(test);
        let mut go_down = true;
        if !deletes {
            go_down = self.apply(c, path, &stat, depth, test);
        }
        if go_down {
            for name in children {
                let child = format!("{}/{name}", path.trim_end_matches('/'));
                self.visit(c, &child, depth + 1, test);
            }
        }
        if deletes {
            self.apply(c, path, &stat, depth, test);
        }
    }

    /// Tests and acts; `false`: do not go further down (`-prune`).
    fn apply(
        &mut self,
        c: &mut Context<'_, '_>,
        path: &str,
        stat: &Stat,
        depth: u32,
        test: &Test,
    ) -> bool {
        if depth < self.min {
            return true;
        }
        let mut pruned = false;
        let holds = self.holds(c, path, stat, test, &mut pruned);
        if holds && !self.acts {
            c.line(path);
        }
        !pruned
    }

    fn holds(
        &mut self,
        c: &mut Context<'_, '_>,
        path: &str,
        stat: &Stat,
        test: &Test,
        pruned: &mut bool,
    ) -> bool {
        let signed = |value: i64, want: i64, sign: char| match sign {
            '+' => value > want,
            '-' => value < want,
            _ => value == want,
        };
        let name = || {
            let trimmed = path.trim_end_matches('/');
            trimmed
                .rsplit('/')
                .next()
                .filter(|n| !n.is_empty())
                .unwrap_or("/")
                .to_string()
        };
        match test {
            Test::Name(pattern, false) => matches(pattern, &name()),
            Test::Name(pattern, true) => matches(pattern, &name().to_lowercase()),
            Test::Path(pattern) => matches(pattern, path),
            Test::Kind(kind) => stat.kind == *kind,
            Test::Size(n, unit, sign) => signed((stat.size as i64 + unit - 1) / unit, *n, *sign),
            Test::Age { unit, days, sign } => {
                signed((self.now - stat.meta.modified) / unit, *days, *sign)
            }
            Test::Newer(time) => stat.meta.modified > *time,
            Test::Empty => match stat.kind {
                Kind::Directory => c.files().list(path).is_ok_and(|l| l.is_empty()),
                _ => stat.size == 0,
            },
            Test::Perm(mode, sign) => match sign {
                '-' => stat.meta.mode & mode == *mode,
                '/' => stat.meta.mode & mode != 0 || *mode == 0,
                _ => stat.meta.mode & 0o7777 == *mode,
            },
            Test::User(uid) => stat.meta.uid == *uid,
            Test::Print => {
                c.line(path);
                true
            }
            Test::Print0 => {
                c.say(path);
                c.out.push(0);
                true
            }
            Test::Prune => {
                *pruned = true;
                true
            }
            Test::Delete => {
                let result = if stat.kind == Kind::Directory {
                    c.files().remove_dir(path)
                } else {
                    c.files().unlink(path)
                };
                if let Err(errno) = result {
                    c.warn(&format!("cannot delete '{path}': {errno}"));
                    self.status = 1;
                }
                true
            }
            Test::Always(value) => *value,
            Test::Exec { argv, many: true } => {
                let path = Arc::from(path);
                match self.gathered.iter_mut().find(|(a, _)| a == argv) {
                    Some((_, paths)) => paths.push(path),
                    None => self.gathered.push((argv.clone(), vec![path])),
                }
                true
            }
            Test::Exec { argv, many: false } => {
                let full = argv
                    .iter()
                    .map(|a| Arc::from(a.replace("{}", path)))
                    .collect();
                self.commands.push_back(full);
                true
            }
            Test::Not(inner) => !self.holds(c, path, stat, inner, pruned),
            Test::And(a, b) => {
                self.holds(c, path, stat, a, pruned) && self.holds(c, path, stat, b, pruned)
            }
            Test::Or(a, b) => {
                self.holds(c, path, stat, a, pruned) || self.holds(c, path, stat, b, pruned)
            }
        }
    }
}

fn contains_delete(test: &Test) -> bool {
    match test {
        Test::Delete => true,
        Test::Not(inner) => contains_delete(inner),
        Test::And(a, b) | Test::Or(a, b) => contains_delete(a) || contains_delete(b),
        _ => false,
    }
}
