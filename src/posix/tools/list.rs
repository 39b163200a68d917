//! `ls`.

use super::date::format;
use super::{Context, Options};
use crate::files::{Kind, Stat};
use std::sync::Arc;

/// Six months: older files show the year instead of the time.
const RECENT: i64 = 15_778_476 * 1_000_000;

struct Entry {
    name: String,
    path: String,
    stat: Stat,
}

pub(super) fn ls(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("all", 'a'),
        ("almost-all", 'A'),
        ("human-readable", 'h'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("directory", 'd'),
        ("color", 'Z'),
        ("time-style=", 'Y'),
        ("full-time", 'e'),
        ("group-directories-first", 'Z'),
        ("inode", 'i'),
    ];
    let o = match Options::parse(c, "laAhRrdt1SFnipsgGoUcuxCLHZqQ", "I", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    let mut plain = Vec::new();
    let mut dirs: Vec<Arc<str>> = Vec::new();
    let operands = if o.operands.is_empty() {
        vec![Arc::from(".")]
    } else {
        o.operands.clone()
    };
    for path in &operands {
        let follow = !o.has('l') && !o.has('d') || path.ends_with('/');
        match c
            .files()
            .stat(path, follow)
            .or_else(|_| c.files().stat(path, false))
        {
            Ok(stat) if stat.kind == Kind::Directory && !o.has('d') => dirs.push(path.clone()),
            Ok(stat) => plain.push(Entry {
                name: path.to_string(),
                path: path.to_string(),
                stat,
            }),
            Err(errno) => {
                let message = if c.busybox() {
                    format!("{path}: {errno}")
                } else {
                    format!("cannot access '{path}': {errno}")
                };
                c.warn(&message);
                status = if c.busybox() { 1 } else { 2 };
            }
        }
    }
    dirs.sort();
    let headers = operands.len() > 1 || o.has('R');
    let mut first = true;
    if !plain.is_empty() {
        first = false;
        sort(&mut plain, &o);
        show(c, &plain, &o, false);
    }
    let mut todo: Vec<String> = dirs.iter().rev().map(|d| d.to_string()).collect();
    let mut shown = 0;
    while let Some(dir) = todo.pop() {
        shown += 1;
        if shown > 1000 {
            break;
        }
        let names = match c.files().list(&dir) {
            Ok(names) => names,
            Err(errno) => {
                let message = if c.busybox() {
                    format!("can't open '{dir}': {errno}")
                } else {
                    format!("cannot open directory '{dir}': {errno}")
                };
                c.warn(&message);
                status = if c.busybox() { 1 } else { 2 };
                continue;
            }
        };
        let mut names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        if !o.has('a') && !o.has('A') {
            names.retain(|n| !n.starts_with('.'));
        } else if o.has('a') {
            names.extend([".".to_string(), "..".to_string()]);
        }
        let mut entries = Vec::new();
        for name in names {
            let path = format!("{}/{name}", dir.trim_end_matches('/'));
            if let Ok(stat) = c.files().stat(&path, false) {
                entries.push(Entry { name, path, stat });
            }
        }
        sort(&mut entries, &o);
        if headers {
            let gap = if first { "" } else { "\n" };
            c.say(&format!("{gap}{dir}:\n"));
        }
        first = false;
        show(c, &entries, &o, true);
        if o.has('R') {
            let below: Vec<String> = entries
                .iter()
                .filter(|e| e.stat.kind == Kind::Directory && e.name != "." && e.name != "..")
                .map(|e| e.path.clone())
                .collect();
            todo.extend(below.into_iter().rev());
        }
    }
    status
}

fn sort(entries: &mut [Entry], o: &Options) {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if o.has('t') {
        entries.sort_by_key(|e| std::cmp::Reverse(e.stat.meta.modified));
    } else if o.has('S') {
        entries.sort_by_key(|e| std::cmp::Reverse(e.stat.size));
    }
    if o.has('r') {
        entries.reverse();
    }
}

fn suffix(entry: &Entry, o: &Options) -> &'static str {
    match entry.stat.kind {
        Kind::Directory if o.has('F') || o.has('p') => "/",
        Kind::Symlink if o.has('F') => "@",
        Kind::File if o.has('F') && entry.stat.meta.mode & 0o111 != 0 => "*",
        _ => "",
    }
}

fn show(c: &mut Context<'_, '_>, entries: &[Entry], o: &Options, is_dir: bool) {
    if o.has('l') || o.has('n') || o.has('g') || o.has('o') || o.has('e') {
        show_long(c, entries, o, is_dir);
        return;
    }
    let names: Vec<String> = entries
        .iter()
        .map(|e| {
            let number = if o.has('i') {
                format!("{} ", e.stat.ino)
            } else {
                String::new()
            };
            format!("{number}{}{}", e.name, suffix(e, o))
        })
        .collect();
    let tty = c.p.fd(1).is_some_and(|open| c.k.sys.is_tty(open));
    if tty && !o.has('1') || o.has('C') {
        columns(c, &names);
        return;
    }
    for name in names {
        c.line(&name);
    }
}

/// Names in columns of an 80-character line, filled downwards.
fn columns(c: &mut Context<'_, '_>, names: &[String]) {
    let width = |n: &String| n.chars().count();
    let mut rows = 1;
    let layout = |rows: usize| -> Vec<usize> {
        names
            .chunks(rows)
            .map(|column| column.iter().map(width).max().unwrap_or(0) + 2)
            .collect()
    };
    while rows < names.len() && layout(rows).iter().sum::<usize>() > 82 {
        rows += 1;
    }
    let widths = layout(rows);
    for row in 0..rows.min(names.len()) {
        let mut line = String::new();
        for (i, column) in names.chunks(rows).enumerate() {
            if let Some(name) = column.get(row) {
                line.push_str(&format!("{name:<w$}", w = widths[i]));
            }
        }
        c.line(line.trim_end());
    }
}

/// `-rwxr-xr-x`
pub(crate) fn mode_text(kind: Kind, mode: u16) -> String {
    let first = match kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Device => 'c',
    };
    let mut text = String::from(first);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    text
}

fn show_long(c: &mut Context<'_, '_>, entries: &[Entry], o: &Options, is_dir: bool) {
    let blocks = |e: &Entry| match e.stat.kind {
        Kind::File | Kind::Directory => e.stat.size.div_ceil(4096) * 4,
        _ => 0,
    };
    if is_dir {
        let total: u64 = entries.iter().map(blocks).sum();
        let text = if o.has('h') {
            super::usage::human(total * 1024)
        } else {
            total.to_string()
        };
        c.line(&format!("total {text}"));
    }
    let mut rows = Vec::new();
    for e in entries {
        let owner = |c: &mut Context<'_, '_>, gid: bool, id: u32| {
            if o.has('n') {
                id.to_string()
            } else if gid {
                super::identity::group_name(c, id)
            } else {
                super::identity::user_name(c, id)
            }
        };
        let user = owner(c, false, e.stat.meta.uid);
        let group = owner(c, true, e.stat.meta.gid);
        let size = if o.has('h') {
            super::usage::human(e.stat.size)
        } else {
            e.stat.size.to_string()
        };
        let age = c.now() - e.stat.meta.modified;
        let time = if o.has('e') || o.value('Y') == Some("full-iso") {
            format("%F %T.%N +0000", e.stat.meta.modified)
        } else if (0..RECENT).contains(&age) {
            format("%b %e %H:%M", e.stat.meta.modified)
        } else {
            format("%b %e  %Y", e.stat.meta.modified)
        };
        let mut name = format!("{}{}", e.name, suffix(e, o));
        if e.stat.kind == Kind::Symlink
            && let Ok(target) = c.files().read_link(&e.path)
        {
            name = format!("{} -> {target}", e.name);
        }
        let mode = mode_text(e.stat.kind, e.stat.meta.mode);
        let mut columns = vec![e.stat.links.to_string()];
        if !o.has('g') {
            columns.push(user);
        }
        if !o.has('G') && !o.has('o') {
            columns.push(group);
        }
        columns.push(size);
        rows.push((mode, columns, time, name));
    }
    let count = rows.first().map_or(0, |r| r.1.len());
    let widths: Vec<usize> = (0..count)
        .map(|i| {
            let widest = rows.iter().map(|r| r.1[i].len()).max().unwrap_or(0);
            if !c.busybox() {
                widest
            } else if i == 0 {
                widest.max(5)
            } else if i + 1 == count {
                widest.max(9)
            } else {
                widest.max(8)
            }
        })
        .collect();
    for (mode, columns, time, name) in rows {
        let mut line = mode;
        for (i, column) in columns.iter().enumerate() {
            let right = i == 0 || i + 1 == columns.len();
            let w = widths[i];
            let cell = if right {
                format!(" {column:>w$}")
            } else {
                format!(" {column:<w$}")
            };
            line.push_str(&cell);
        }
        c.line(&format!("{line} {time} {name}"));
    }
}
