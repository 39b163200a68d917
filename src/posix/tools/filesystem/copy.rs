//! `cp`, `mv`, `ln`.

use std::sync::Arc;

use super::super::{Context, Options};
use super::remove::remove;
use super::{DEPTH_LIMIT, parsed};
use crate::files::{Body, Errno, Kind};

pub(in super::super) fn cp(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("recursive", 'r'),
        ("archive", 'a'),
        ("force", 'f'),
        ("no-clobber", 'n'),
        ("verbose", 'v'),
        ("target-directory=", 't'),
        ("no-target-directory", 'T'),
        ("preserve", 'p'),
        ("dereference", 'L'),
    ];
    let o = match parsed(c, "rRafnvpLPdiTHux", "t", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let recursive = o.has('r') || o.has('R') || o.has('a');
    let keep = o.has('p') || o.has('a');
    let links = (o.has('d') || o.has('P') || recursive) && !o.has('L');
    let list = match pairs(c, &o) {
        Ok(list) => list,
        Err(status) => return status,
    };
    let mut status = 0;
    for (from, to) in list {
        if o.has('n') && c.files().exists(&to) {
            continue;
        }
        if o.has('v') {
            c.line(&format!("'{from}' -> '{to}'"));
        }
        status |= copy(c, &from, &to, recursive, keep, links, 0);
    }
    status
}

pub(in super::super) fn mv(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("force", 'f'),
        ("no-clobber", 'n'),
        ("verbose", 'v'),
        ("target-directory=", 't'),
        ("no-target-directory", 'T'),
    ];
    let o = match parsed(c, "fnviTu", "t", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let list = match pairs(c, &o) {
        Ok(list) => list,
        Err(status) => return status,
    };
    let mut status = 0;
    for (from, to) in list {
        if o.has('n') && c.files().exists(&to) {
            continue;
        }
        if let Err(errno) = c.files().stat(&from, false) {
            status = c.fail_as(
                1,
                format!("can't rename '{from}': {errno}"),
                format!("cannot stat '{from}': {errno}"),
            );
            continue;
        }
        match c.files().rename(&from, &to) {
            Ok(()) => {
                if o.has('v') {
                    c.line(&format!("renamed '{from}' -> '{to}'"));
                }
            }
            Err(Errno::CrossDevice) => {
                let copied = copy(c, &from, &to, true, true, true, 0);
                status |= copied;
                if copied == 0 {
                    status |= remove(c, &from, true, true, true, false, 0);
                }
            }
            Err(errno) => {
                status = c.fail_as(
                    1,
                    format!("can't rename '{from}': {errno}"),
                    format!("cannot move '{from}' to '{to}': {errno}"),
                );
            }
        }
    }
    status
}

pub(in super::super) fn ln(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("symbolic", 's'),
        ("force", 'f'),
        ("no-dereference", 'n'),
        ("verbose", 'v'),
        ("relative", 'r'),
    ];
    let o = match parsed(c, "sfnvrTi", "t", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let list = match pairs(c, &o) {
        Ok(list) => list,
        Err(status) => return status,
    };
    let mut status = 0;
    for (from, to) in list {
        if o.has('f') && c.files().stat(&to, false).is_ok() {
            // If it cannot go, making the link says why.
            let _ = c.files().unlink(&to);
        }
        let result = if o.has('s') {
            c.files().symlink(&from, &to)
        } else {
            c.files().link(&from, &to)
        };
        if let Err(errno) = result {
            let message = match (c.busybox(), o.has('s')) {
                (true, _) => format!("{to}: {errno}"),
                (false, true) => format!("failed to create symbolic link '{to}': {errno}"),
                (false, false) => format!("failed to create hard link '{to}' => '{from}': {errno}"),
            };
            status = c.fail(1, &message);
        }
    }
    status
}

fn into(target: &str, source: &str) -> String {
    let name = source
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(source);
    format!("{}/{name}", target.trim_end_matches('/'))
}

/// The operands of `cp`, `mv`, `ln`: pairs of source and full target.
fn pairs(c: &mut Context<'_, '_>, o: &Options) -> Result<Vec<(Arc<str>, String)>, i32> {
    let mut operands = o.operands.clone();
    if operands.is_empty() {
        return Err(c.fail(1, "missing file operand"));
    }
    let target = match o.value('t') {
        Some(t) => Arc::from(t),
        None if operands.len() < 2 => {
            let message = if c.name() == "ln" && operands.len() == 1 {
                let name = into(".", &operands[0]);
                return Ok(vec![(operands[0].clone(), name)]);
            } else {
                format!("missing destination file operand after '{}'", operands[0])
            };
            return Err(c.misuse(1, &message));
        }
        None => operands.pop().expect("there are two operands"),
    };
    let is_dir = c.files().is_dir(&target) && !o.has('T') && !(c.name() == "ln" && o.has('n'));
    if operands.len() > 1 && !is_dir {
        let message = format!("target '{target}' is not a directory");
        return Err(c.fail(1, &message));
    }
    Ok(operands
        .into_iter()
        .map(|source| {
            let to = if is_dir {
                into(&target, &source)
            } else {
                target.to_string()
            };
            (source, to)
        })
        .collect())
}

fn copy(
    c: &mut Context<'_, '_>,
    from: &str,
    to: &str,
    recursive: bool,
    keep: bool,
    links: bool,
    depth: u32,
) -> i32 {
    let follow = !(links && recursive);
    let stat = match c.files().stat(from, follow) {
        Ok(stat) => stat,
        Err(errno) => {
            return c.fail_as(
                1,
                format!("can't stat '{from}': {errno}"),
                format!("cannot stat '{from}': {errno}"),
            );
        }
    };
    let same = c
        .files()
        .stat(to, true)
        .is_ok_and(|s| s.ino == stat.ino && s.volume == stat.volume);
    if same {
        return c.fail(1, &format!("'{from}' and '{to}' are the same file"));
    }
    let cannot = |c: &mut Context<'_, '_>, errno: Errno| {
        let message = if c.busybox() {
            format!("can't create '{to}': {errno}")
        } else if stat.kind == Kind::Directory {
            format!("cannot create directory '{to}': {errno}")
        } else {
            format!("cannot create regular file '{to}': {errno}")
        };
        c.fail(1, &message)
    };
    match stat.kind {
        Kind::Directory => {
            if !recursive {
                return c.fail_as(
                    1,
                    format!("omitting directory '{from}'"),
                    format!("-r not specified; omitting directory '{from}'"),
                );
            }
            if depth > DEPTH_LIMIT {
                return c.fail(
                    1,
                    &format!("cannot copy a directory, '{from}', into itself, '{to}'"),
                );
            }
            let names = c.files().list(from).unwrap_or_default();
            match c
                .files()
                .make_dir(to.trim_end_matches('/'), stat.meta.mode & 0o777)
            {
                Err(Errno::Exists) if c.files().is_dir(to) => {}
                Err(errno) => return cannot(c, errno),
                Ok(()) => {}
            }
            let mut status = 0;
            for name in names {
                let inner = format!("{}/{name}", from.trim_end_matches('/'));
                let target = format!("{}/{name}", to.trim_end_matches('/'));
                status |= copy(c, &inner, &target, recursive, keep, links, depth + 1);
            }
            status
        }
        Kind::Symlink => {
            let target = c.files().read_link(from).unwrap_or_default();
            // An old file of that name gives way; if it cannot, the link fails below.
            let _ = c.files().unlink(to);
            match c.files().symlink(&target, to) {
                Ok(()) => 0,
                Err(errno) => cannot(c, errno),
            }
        }
        _ => {
            let program = {
                let files = c.files();
                match files
                    .find(from, true)
                    .and_then(|p| files.at(&p).map(|n| n.body.clone()))
                {
                    Ok(Body::Program(name)) => Some(name),
                    _ => None,
                }
            };
            let bytes = match c.input(from) {
                Ok(bytes) => bytes,
                Err(errno) => {
                    return c.fail_as(
                        1,
                        format!("can't open '{from}': {errno}"),
                        format!("cannot open '{from}' for reading: {errno}"),
                    );
                }
            };
            let existed = c.files().exists(to);
            if let Err(errno) = c.files().write(to, &bytes) {
                return cannot(c, errno);
            }
            if let Some(program) = program {
                let mut files = c.files();
                if let Ok(place) = files.find(to, true)
                    && let Ok(volume) = files.volume_mut(&place)
                    && let Some(node) = volume.node_mut(place.ino)
                {
                    node.body = Body::Program(program);
                }
            }
            if !existed || keep {
                let umask = c.p.umask;
                let mode = if keep {
                    stat.meta.mode
                } else {
                    stat.meta.mode & !umask
                };
                // The copy was just made by this user.
                let _ = c.files().chmod(to, mode);
            }
            if keep {
                let _ = c.files().touch(to, stat.meta.modified);
                let _ = c
                    .files()
                    .chown(to, Some(stat.meta.uid), Some(stat.meta.gid));
            }
            0
        }
    }
}
