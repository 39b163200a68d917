//! `tail`, with `-f` and `-F`.

use super::context::{Context, Options};
use super::live::Live;
use crate::files::{Errno, Ino, VolumeId};
use crate::system::{OpenId, OpenMode, Read, Target, Turn, Wait};
use std::sync::Arc;

/// How often a followed file is looked at, as GNU and busybox do.
const INTERVAL: i64 = 1_000_000;

/// One followed input.
#[derive(Clone, Debug)]
struct Followed {
    name: Arc<str>,
    open: Option<OpenId>,
    place: Option<(VolumeId, Ino)>,
    at: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Tail {
    count: u64,
    /// `+N`: from the Nth on.
    from_start: bool,
    bytes: bool,
    follow: bool,
    by_name: bool,
    headers: bool,
    interval: i64,
    files: Vec<Followed>,
    started: bool,
    /// Standard input while it is gathered.
    piped: Option<Vec<u8>>,
    last_header: Option<usize>,
    status: i32,
}

pub(super) fn tail(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args: Vec<Arc<str>> = c
        .args()
        .iter()
        .enumerate()
        .map(|(i, a)| {
            let digits = a.trim_start_matches(['-', '+']);
            let old = i == 0 && a.len() == digits.len() + 1 && !digits.is_empty();
            let plain = digits.trim_end_matches('f');
            if old
                && !plain.is_empty()
                && plain.bytes().all(|b| b.is_ascii_digit())
                && !a.starts_with(|c: char| c.is_ascii_digit())
            {
                let sign = if a.starts_with('+') { "+" } else { "" };
                let follow = if digits.ends_with('f') { "-f" } else { "" };
                if follow.is_empty() {
                    return format!("-n{sign}{plain}").into();
                }
                return format!("-fn{sign}{plain}").into();
            }
            a.clone()
        })
        .collect();
    let long = [
        ("lines=", 'n'),
        ("bytes=", 'c'),
        ("follow", 'f'),
        ("retry", 'R'),
        ("quiet", 'q'),
        ("verbose", 'v'),
        ("sleep-interval=", 's'),
        ("pid=", 'p'),
    ];
    let o = Options::parse_args(c, &args, "fFqvRz", "ncsp", &long, false)?;
    let text = o.value('c').or(o.value('n')).unwrap_or("10").to_string();
    let (from_start, digits) = match text.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, text.trim_start_matches('-')),
    };
    let Some(count) = super::usage::number_with_suffix(digits) else {
        let what = if o.has('c') { "bytes" } else { "lines" };
        return Err(c.fail(1, &format!("invalid number of {what}: '{text}'")));
    };
    let by_name = o.has('F') || o.value('f') == Some("name") || o.has('R');
    let tail = Tail {
        count,
        from_start,
        bytes: o.has('c'),
        follow: o.has('f') || o.has('F'),
        by_name,
        headers: (o.operands.len() > 1 || o.has('v')) && !o.has('q'),
        interval: o
            .value('s')
            .and_then(super::seconds)
            .unwrap_or(INTERVAL)
            .max(100_000),
        files: o
            .sources()
            .into_iter()
            .map(|name| Followed {
                name,
                open: None,
                place: None,
                at: 0,
            })
            .collect(),
        started: false,
        piped: None,
        last_header: None,
        status: 0,
    };
    Ok(Live::Tail(Box::new(tail)))
}

impl Tail {
    pub(crate) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        if !self.started {
            if let Some(turn) = self.start(c) {
                return turn;
            }
            self.started = true;
        } else {
            self.look(c);
        }
        c.flush();
        if !self.follow {
            return Turn::Exit(c.finish(self.status));
        }
        let devices = self.files.iter().all(|f| {
            f.open
                .is_some_and(|o| matches!(c.k.sys.target(o), Target::Device(_)))
        });
        if self.files.iter().all(|f| f.open.is_none()) && !self.by_name {
            return Turn::Exit(c.finish(1));
        }
        // Nothing ever comes from /dev/null: sleep for good instead of looking every second.
        c.p.wait = if devices {
            Wait::Pause
        } else {
            Wait::Until(c.now() + self.interval)
        };
        Turn::Continue
    }

    fn start(&mut self, c: &mut Context<'_, '_>) -> Option<Turn> {
        for i in 0..self.files.len() {
            if self.files[i].open.is_some() && self.piped.is_none() {
                continue;
            }
            let name = self.files[i].name.clone();
            let open = if &*name == "-" {
                c.p.fd(0)
            } else {
                match self.open(i, c) {
                    Ok(open) => Some(open),
                    Err(errno) => {
                        c.cannot_open(&name, errno);
                        self.status = 1;
                        None
                    }
                }
            };
            let Some(open) = open else { continue };
            self.files[i].open = Some(open);
            if matches!(c.k.sys.target(open), Target::Device(_)) {
                continue;
            }
            let mut all = self.piped.take().unwrap_or_default();
            loop {
                match c.k.read(open, 65_536) {
                    Read::Data(bytes) => {
                        self.files[i].at += bytes.len() as u64;
                        all.extend(bytes);
                        if all.len() > 32 << 20 {
                            all.drain(..16 << 20);
                        }
                    }
                    Read::Wait => {
                        self.piped = Some(all);
                        c.p.wait = Wait::Read(open);
                        return Some(Turn::Continue);
                    }
                    Read::Failed(errno) => {
                        c.read_error(&name, errno);
                        self.status = 1;
                        break;
                    }
                    Read::End => break,
                }
            }
            self.header(i, c);
            let from = self.first_byte(&all);
            c.out.extend_from_slice(&all[from..]);
        }
        None
    }

    fn open(&mut self, i: usize, c: &mut Context<'_, '_>) -> Result<OpenId, Errno> {
        let name = self.files[i].name.clone();
        let mode = OpenMode {
            read: true,
            ..OpenMode::default()
        };
        let open = c.k.open_path(c.p, &name, mode)?;
        self.files[i].at = 0;
        self.files[i].place = match c.k.sys.target(open) {
            Target::File { volume, ino, .. } => Some((*volume, *ino)),
            _ => None,
        };
        Ok(open)
    }

    fn header(&mut self, i: usize, c: &mut Context<'_, '_>) {
        if !self.headers || self.last_header == Some(i) {
            return;
        }
        let gap = if self.last_header.is_some() { "\n" } else { "" };
        let name = match &*self.files[i].name {
            "-" => "standard input",
            name => name,
        };
        c.say(&format!("{gap}==> {name} <==\n"));
        self.last_header = Some(i);
    }

    fn first_byte(&self, all: &[u8]) -> usize {
        let count = self.count as usize;
        if self.bytes {
            return if self.from_start {
                count.saturating_sub(1).min(all.len())
            } else {
                all.len().saturating_sub(count)
            };
        }
        if self.from_start {
            let skip = count.saturating_sub(1);
            if skip == 0 {
                return 0;
            }
            return all
                .iter()
                .enumerate()
                .filter(|(_, b)| **b == b'\n')
                .nth(skip - 1)
                .map_or(all.len(), |(i, _)| i + 1);
        }
        if count == 0 {
            return all.len();
        }
        let body = all.strip_suffix(b"\n").unwrap_or(all);
        body.iter()
            .enumerate()
            .rev()
            .filter(|(_, b)| **b == b'\n')
            .nth(count - 1)
            .map_or(0, |(i, _)| i + 1)
    }

    /// Looks whether the files have grown, shrunk or been replaced.
    fn look(&mut self, c: &mut Context<'_, '_>) {
        for i in 0..self.files.len() {
            if self.by_name && &*self.files[i].name != "-" {
                self.follow_name(i, c);
            }
            let Some(open) = self.files[i].open else {
                continue;
            };
            if let Some((volume, ino)) = self.files[i].place {
                let size =
                    c.k.disk
                        .volume(volume)
                        .and_then(|v| v.node(ino))
                        .map_or(0, |n| n.size());
                if size < self.files[i].at {
                    let name = self.files[i].name.clone();
                    if !c.busybox() {
                        c.warn(&format!("{name}: file truncated"));
                    }
                    c.k.unread(open, &vec![0; self.files[i].at as usize]);
                    self.files[i].at = 0;
                }
            }
            while let Read::Data(bytes) = c.k.read(open, 65_536) {
                self.files[i].at += bytes.len() as u64;
                self.header(i, c);
                c.out.extend_from_slice(&bytes);
            }
        }
    }

    fn follow_name(&mut self, i: usize, c: &mut Context<'_, '_>) {
        let name = self.files[i].name.clone();
        let now = c.files().find(&name, true).ok().map(|p| (p.volume, p.ino));
        if now == self.files[i].place {
            return;
        }
        let had = self.files[i].open.take();
        if let Some(open) = had {
            c.k.close(open);
        }
        self.files[i].place = None;
        if now.is_none() {
            if had.is_some() && !c.busybox() {
                c.warn(&format!(
                    "'{name}' has become inaccessible: {}",
                    Errno::NoEntry
                ));
            }
            return;
        }
        if let Ok(open) = self.open(i, c) {
            if !c.busybox() {
                let what = if had.is_some() {
                    "has been replaced;  following new file"
                } else {
                    "has appeared;  following new file"
                };
                c.warn(&format!("'{name}' {what}"));
            }
            self.files[i].open = Some(open);
        }
    }
}
