//! `stat`, `du`, `df`, `mount`.

use super::date::format;
use super::list::mode_text;
use super::usage::human;
use super::{Context, Options};
use crate::files::{Errno, Kind};
use std::collections::BTreeMap;

pub(super) fn stat(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(
        c,
        "Lft",
        "c",
        &[("format=", 'c'), ("dereference", 'L'), ("printf=", 'c')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    if o.operands.is_empty() {
        return c.misuse(1, "missing operand");
    }
    let mut status = 0;
    for path in &o.operands {
        let stat = match c.files().stat(path, o.has('L')) {
            Ok(stat) => stat,
            Err(errno) => {
                status = c.fail_as(
                    1,
                    format!("can't stat '{path}': {errno}"),
                    format!("cannot statx '{path}': {errno}"),
                );
                continue;
            }
        };
        let kind = match stat.kind {
            Kind::File if stat.size == 0 => "regular empty file",
            Kind::File => "regular file",
            Kind::Directory => "directory",
            Kind::Symlink => "symbolic link",
            Kind::Device => "character special file",
        };
        let user = super::identity::user_name(c, stat.meta.uid);
        let group = super::identity::group_name(c, stat.meta.gid);
        let mode = mode_text(stat.kind, stat.meta.mode);
        let time = format("%F %T.%N +0000", stat.meta.modified);
        let blocks = stat.size.div_ceil(512);
        if let Some(spec) = o.value('c') {
            let mut out = String::new();
            let mut chars = spec.chars();
            while let Some(ch) = chars.next() {
                if ch != '%' {
                    out.push(ch);
                    continue;
                }
                out.push_str(&match chars.next() {
                    Some('n') => path.to_string(),
                    Some('s') => stat.size.to_string(),
                    Some('a') => format!("{:o}", stat.meta.mode),
                    Some('A') => mode.clone(),
                    Some('u') => stat.meta.uid.to_string(),
                    Some('U') => user.clone(),
                    Some('g') => stat.meta.gid.to_string(),
                    Some('G') => group.clone(),
                    Some('F') => kind.to_string(),
                    Some('i') => stat.ino.to_string(),
                    Some('h') => stat.links.to_string(),
                    Some('b') => blocks.to_string(),
                    Some('B') => "512".into(),
                    Some('y' | 'z' | 'x' | 'w') => time.clone(),
                    Some('Y' | 'Z' | 'X' | 'W') => (stat.meta.modified / 1_000_000).to_string(),
                    Some('%') => "%".into(),
                    other => other.map(String::from).unwrap_or_default(),
                });
            }
            c.line(&out);
            continue;
        }
        c.line(&format!("  File: {path}"));
        c.line(&format!(
            "  Size: {:<10}\tBlocks: {blocks:<10} IO Block: 4096   {kind}",
            stat.size
        ));
        c.line(&format!(
            "Device: {}\tInode: {:<11} Links: {}",
            stat.volume.0, stat.ino, stat.links
        ));
        c.line(&format!(
            "Access: ({:04o}/{mode})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})",
            stat.meta.mode, stat.meta.uid, stat.meta.gid
        ));
        for name in ["Access", "Modify", "Change"] {
            c.line(&format!("{name}: {time}"));
        }
    }
    status
}

pub(super) fn du(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(
        c,
        "shabkmcxL",
        "d",
        &[
            ("max-depth=", 'd'),
            ("summarize", 's'),
            ("human-readable", 'h'),
        ],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let depth = if o.has('s') {
        0
    } else {
        o.value('d')
            .and_then(|d| d.parse().ok())
            .unwrap_or(u32::MAX)
    };
    let paths = if o.operands.is_empty() {
        vec![".".into()]
    } else {
        o.operands.clone()
    };
    let mut status = 0;
    for path in paths {
        let mut rows = Vec::new();
        match measure(c, &path, depth, o.has('a'), &mut rows, 0) {
            Ok(_) => {
                for (bytes, path) in rows {
                    let size = if o.has('h') {
                        human(bytes)
                    } else if o.has('b') {
                        bytes.to_string()
                    } else if o.has('m') {
                        bytes.div_ceil(1 << 20).to_string()
                    } else {
                        bytes.div_ceil(1024).to_string()
                    };
                    c.line(&format!("{size}\t{path}"));
                }
            }
            Err(errno) => {
                status = c.fail_as(
                    1,
                    format!("{path}: {errno}"),
                    format!("cannot access '{path}': {errno}"),
                );
            }
        }
    }
    status
}

fn measure(
    c: &mut Context<'_, '_>,
    path: &str,
    depth: u32,
    files: bool,
    rows: &mut Vec<(u64, String)>,
    level: u32,
) -> Result<u64, Errno> {
    let stat = c.files().stat(path, false)?;
    let mut total = stat.size.div_ceil(4096) * 4096;
    let is_dir = stat.kind == Kind::Directory;
    if is_dir && level < 64 {
        for name in c.files().list(path).unwrap_or_default() {
            let child = format!("{}/{name}", path.trim_end_matches('/'));
            total += measure(c, &child, depth, files, rows, level + 1).unwrap_or(0);
        }
    }
    if level == 0 || level <= depth && (is_dir || files) {
        rows.push((total, path.to_string()));
    }
    Ok(total)
}

pub(super) fn df(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(
        c,
        "hkmTPaiH",
        "t",
        &[("human-readable", 'h'), ("print-type", 'T')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mounts: Vec<_> = c.k.sys.mounts.iter().cloned().collect();
    let mut chosen: BTreeMap<String, crate::files::VolumeId> = BTreeMap::new();
    if o.operands.is_empty() {
        chosen.extend(mounts.iter().map(|m| (m.at.to_string(), m.volume)));
    }
    let mut status = 0;
    for path in &o.operands {
        match c.files().find(path, true) {
            Ok(place) => {
                let (mount, _) = c.k.sys.mounts.covering(&place.path);
                chosen.insert(mount.at.to_string(), mount.volume);
            }
            Err(errno) => status = c.fail(1, &format!("{path}: {errno}")),
        }
    }
    let unit = if o.has('h') {
        "Size"
    } else if o.has('m') {
        "1M-blocks"
    } else {
        "1K-blocks"
    };
    let used_title = if o.has('h') && !c.busybox() {
        "Used Avail Use%"
    } else {
        "Used Available Use%"
    };
    let kind = if o.has('T') { " Type   " } else { "" };
    c.line(&format!(
        "Filesystem    {kind} {unit:>10} {used_title:>20} Mounted on"
    ));
    for (at, volume) in chosen {
        let Some(volume) = c.k.disk.volume(volume) else {
            continue;
        };
        // A volume without a limit shares the machine's disk of 100 GiB.
        let total = volume.capacity_bytes().unwrap_or(100 << 30);
        let used = volume.used_bytes().min(total);
        let show = |n: u64| {
            if o.has('h') {
                human(n)
            } else if o.has('m') {
                (n >> 20).to_string()
            } else {
                (n >> 10).to_string()
            }
        };
        let percent = (used * 100).div_ceil(total.max(1));
        let name = if at == "/" { "overlay" } else { "/dev/vda1" };
        let kind = if o.has('T') {
            if at == "/" { " overlay" } else { " ext4   " }
        } else {
            ""
        };
        c.line(&format!(
            "{name:<14}{kind} {:>10} {:>9} {:>9} {percent:>3}% {at}",
            show(total),
            show(used),
            show(total - used)
        ));
    }
    status
}

pub(super) fn mount(c: &mut Context<'_, '_>) -> i32 {
    if c.args().iter().any(|a| !a.starts_with('-')) {
        return c.fail(1, "permission denied (are you root?)");
    }
    let mounts: Vec<_> = c.k.sys.mounts.iter().cloned().collect();
    for m in mounts {
        let (name, kind) = if &*m.at == "/" {
            ("overlay", "overlay")
        } else {
            ("/dev/vda1", "ext4")
        };
        let how = if m.read_only { "ro" } else { "rw" };
        c.line(&format!("{name} on {} type {kind} ({how},relatime)", m.at));
    }
    0
}
