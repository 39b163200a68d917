//! `tar`, enough for `kubectl cp` and backups: create, extract and list ustar archives; `gzip` and its kind are not
//! simulated (`-z` is accepted and writes a plain archive, which our own `tar` reads back).

use super::{Context, Options};
use crate::files::{Errno, Kind};
use std::sync::Arc;

const BLOCK: usize = 512;

struct Entry {
    name: String,
    mode: u16,
    size: usize,
    modified: i64,
    kind: u8,
    link: String,
}

pub(super) fn tar(c: &mut Context<'_, '_>) -> i32 {
    let mut args: Vec<Arc<str>> = c.args();
    // The old spelling: `tar cf - x`, whose first word is all letters.
    if let Some(first) = args.first()
        && !first.starts_with('-')
    {
        args[0] = format!("-{first}").into();
    }
    let long = [
        ("create", 'c'),
        ("extract", 'x'),
        ("get", 'x'),
        ("list", 't'),
        ("file=", 'f'),
        ("directory=", 'C'),
        ("verbose", 'v'),
        ("gzip", 'z'),
        ("strip-components=", 'S'),
        ("no-same-owner", 'N'),
        ("no-same-permissions", 'N'),
        ("exclude=", 'X'),
        ("warning=", 'W'),
        ("to-stdout", 'O'),
        ("overwrite", 'N'),
    ];
    let o = match Options::parse_args(c, &args, "cxtvzjJpmokhOP", "fCTX", &long, false) {
        Ok(o) => o,
        Err(status) => return if status == 1 { 2 } else { status },
    };
    let mut archive = o.value('f').unwrap_or("-").to_string();
    if archive != "-" && !archive.starts_with('/') {
        // `-C` comes later and does not concern the archive.
        archive = format!("{}/{archive}", c.p.cwd.trim_end_matches('/'));
    }
    if let Some(dir) = o.value('C').map(String::from) {
        match c.files().find(&dir, true) {
            Ok(place) if c.files().is_dir(&dir) => c.p.cwd = place.path.into(),
            Ok(_) => return c.fail(2, &format!("{dir}: Cannot open: Not a directory")),
            Err(errno) if c.busybox() => {
                return c.fail(1, &format!("can't change directory to '{dir}': {errno}"));
            }
            Err(errno) => return c.fail(2, &format!("{dir}: Cannot open: {errno}")),
        }
    }
    let shown = o.value('f').unwrap_or("-").to_string();
    if o.has('c') {
        return create(c, &o, &archive);
    }
    if !o.has('x') && !o.has('t') {
        return c.fail(
            2,
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
        );
    }
    let bytes = match c.input(&archive) {
        Ok(bytes) => bytes,
        Err(errno) => {
            c.warn(&format!("{shown}: Cannot open: {errno}"));
            return c.fail(2, "Error is not recoverable: exiting now");
        }
    };
    if c.wants_input {
        return 0;
    }
    read(c, &o, &bytes)
}

fn create(c: &mut Context<'_, '_>, o: &Options, archive: &str) -> i32 {
    if o.operands.is_empty() {
        return c.fail(2, "Cowardly refusing to create an empty archive");
    }
    let mut out = Vec::new();
    let mut status = 0;
    let mut stripped = false;
    for path in &o.operands {
        if path.starts_with('/') && !stripped && !o.has('P') {
            stripped = true;
            c.warn(if c.busybox() {
                "removing leading '/' from member names"
            } else {
                "Removing leading `/' from member names"
            });
        }
        status |= add(c, o, path, archive, &mut out, 0);
    }
    let shown = o.value('f').unwrap_or("-").to_string();
    out.resize(out.len() + 2 * BLOCK, 0);
    let padded = out.len().div_ceil(20 * BLOCK) * 20 * BLOCK;
    out.resize(padded, 0);
    if archive == "-" {
        c.out.extend_from_slice(&out);
        return status;
    }
    match c.files().write(archive, &out) {
        Ok(()) => status,
        Err(errno) => c.fail(2, &format!("{shown}: Cannot open: {errno}")),
    }
}

fn add(
    c: &mut Context<'_, '_>,
    o: &Options,
    path: &str,
    archive: &str,
    out: &mut Vec<u8>,
    depth: u32,
) -> i32 {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    if o.values('X')
        .iter()
        .any(|x| crate::shell::pattern::matches(x, last) || *x == path)
        || depth > 64
    {
        return 0;
    }
    let stat = match c.files().stat(path, o.has('h')) {
        Ok(stat) => stat,
        Err(errno) => {
            let message = if c.busybox() {
                format!("{path}: {errno}")
            } else {
                format!(
                    "{path}: Cannot stat: {errno}\ntar: Exiting with failure status due to previous errors"
                )
            };
            return c.fail(if c.busybox() { 1 } else { 2 }, &message);
        }
    };
    if path == archive {
        return 0;
    }
    let name = if o.has('P') {
        path
    } else {
        path.trim_start_matches('/')
    };
    let mut entry = Entry {
        name: if name.is_empty() {
            ".".into()
        } else {
            name.to_string()
        },
        mode: stat.meta.mode,
        size: 0,
        modified: stat.meta.modified / 1_000_000,
        kind: b'0',
        link: String::new(),
    };
    let mut body = Vec::new();
    match stat.kind {
        Kind::Directory => {
            entry.kind = b'5';
            if !entry.name.ends_with('/') {
                entry.name.push('/');
            }
        }
        Kind::Symlink => {
            entry.kind = b'2';
            entry.link = c.files().read_link(path).unwrap_or_default().to_string();
        }
        Kind::Device => return 0,
        Kind::File => match c.input(path) {
            Ok(bytes) => body = bytes,
            Err(errno) => return c.fail(2, &format!("{path}: Cannot open: {errno}")),
        },
    }
    entry.size = body.len();
    if o.has('v') {
        // The listing goes where the archive does not.
        if archive == "-" {
            c.err
                .extend_from_slice(format!("{}\n", entry.name).as_bytes());
        } else {
            let name = entry.name.clone();
            c.line(&name);
        }
    }
    out.extend_from_slice(&header(&entry));
    out.extend_from_slice(&body);
    out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
    let mut status = 0;
    if stat.kind == Kind::Directory {
        for child in c.files().list(path).unwrap_or_default() {
            let child = format!("{}/{child}", path.trim_end_matches('/'));
            status |= add(c, o, &child, archive, out, depth + 1);
        }
    }
    status
}

fn header(entry: &Entry) -> [u8; BLOCK] {
    let mut block = [0u8; BLOCK];
    let (prefix, name) = if entry.name.len() <= 100 {
        ("", entry.name.as_str())
    } else {
        let cut = entry.name.len() - 100;
        match entry.name[cut..].find('/') {
            Some(i) if cut + i <= 155 => (&entry.name[..cut + i], &entry.name[cut + i + 1..]),
            _ => ("", &entry.name[..100]),
        }
    };
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, format!("{:07o}\0", entry.mode).as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", entry.size).as_bytes());
    put(136, format!("{:011o}\0", entry.modified.max(0)).as_bytes());
    put(148, b"        ");
    put(156, &[entry.kind]);
    let link = &entry.link.as_bytes()[..entry.link.len().min(100)];
    put(157, link);
    put(257, b"ustar\x0000");
    put(265, b"root");
    put(297, b"root");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|b| *b as u32).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn octal(bytes: &[u8]) -> u64 {
    u64::from_str_radix(text(bytes).trim(), 8).unwrap_or(0)
}

fn parse_header(block: &[u8]) -> Option<Entry> {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(i, b)| {
            if (148..156).contains(&i) {
                32
            } else {
                *b as u32
            }
        })
        .sum();
    if octal(&block[148..156]) != sum as u64 {
        return None;
    }
    let prefix = text(&block[345..500]);
    let name = text(&block[..100]);
    Some(Entry {
        name: if prefix.is_empty() || &block[257..262] != b"ustar" {
            name
        } else {
            format!("{prefix}/{name}")
        },
        mode: octal(&block[100..108]) as u16 & 0o7777,
        size: octal(&block[124..136]) as usize,
        modified: octal(&block[136..148]) as i64,
        kind: block[156],
        link: text(&block[157..257]),
    })
}

fn read(c: &mut Context<'_, '_>, o: &Options, bytes: &[u8]) -> i32 {
    let strip: usize = o.value('S').and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut at = 0;
    let mut status = 0;
    let mut long_name: Option<String> = None;
    while at + BLOCK <= bytes.len() && bytes[at..at + BLOCK].iter().any(|b| *b != 0) {
        let Some(mut entry) = parse_header(&bytes[at..at + BLOCK]) else {
            return c.fail(
                2,
                if c.busybox() {
                    "invalid tar magic"
                } else {
                    "This does not look like a tar archive"
                },
            );
        };
        at += BLOCK;
        let end = (at + entry.size).min(bytes.len());
        let body = &bytes[at..end];
        at = at.saturating_add(entry.size.div_ceil(BLOCK) * BLOCK);
        if entry.kind == b'L' {
            long_name = Some(text(body));
            continue;
        }
        if let Some(name) = long_name.take() {
            entry.name = name;
        }
        if matches!(entry.kind, b'x' | b'g') {
            continue;
        }
        let wanted = o.operands.is_empty()
            || o.operands.iter().any(|w| {
                let w = w.trim_end_matches('/');
                entry.name.trim_end_matches('/') == w || entry.name.starts_with(&format!("{w}/"))
            });
        if !wanted {
            continue;
        }
        if o.has('t') {
            if o.has('v') {
                let kind = match entry.kind {
                    b'5' => Kind::Directory,
                    b'2' => Kind::Symlink,
                    _ => Kind::File,
                };
                let mode = super::list::mode_text(kind, entry.mode);
                let time = super::date::format("%F %H:%M", entry.modified * 1_000_000);
                c.line(&format!(
                    "{mode} root/root {:>9} {time} {}",
                    entry.size, entry.name
                ));
            } else {
                c.line(&entry.name);
            }
            continue;
        }
        if o.has('O') {
            c.out.extend_from_slice(body);
            continue;
        }
        let name: Vec<&str> = entry
            .name
            .split('/')
            .filter(|p| !p.is_empty() && *p != "..")
            .skip(strip)
            .collect();
        if name.is_empty() {
            continue;
        }
        let path = name.join("/");
        if o.has('v') {
            c.line(&entry.name);
        }
        if let Err(errno) = extract(c, &entry, &path, body) {
            status = c.fail(
                if c.busybox() { 1 } else { 2 },
                &format!("{path}: Cannot open: {errno}"),
            );
        }
    }
    status
}

fn extract(c: &mut Context<'_, '_>, entry: &Entry, path: &str, body: &[u8]) -> Result<(), Errno> {
    if let Some((above, _)) = path.rsplit_once('/') {
        c.files().make_dirs(above)?;
    }
    match entry.kind {
        b'5' => c.files().make_dirs(path)?,
        b'2' => {
            // An old link gives way; if it cannot, the new one fails.
            let _ = c.files().unlink(path);
            return c.files().symlink(&entry.link, path);
        }
        b'1' => return c.files().link(&entry.link, path),
        _ => c.files().write(path, body)?,
    }
    c.files().chmod(path, entry.mode)?;
    c.files().touch(path, entry.modified * 1_000_000)
}
