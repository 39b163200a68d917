//! `rm`, `rmdir`.

use super::super::Context;
use super::{DEPTH_LIMIT, parsed};
use crate::files::{Errno, Kind};

pub(in super::super) fn rm(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("recursive", 'r'),
        ("force", 'f'),
        ("verbose", 'v'),
        ("dir", 'd'),
    ];
    let o = match parsed(c, "rRfivdI", "", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let (recursive, force) = (o.has('r') || o.has('R'), o.has('f'));
    let mut status = 0;
    for path in &o.operands {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
        if last == "." || last == ".." {
            c.warn(&format!(
                "refusing to remove '.' or '..' directory: skipping '{path}'"
            ));
            status = 1;
            continue;
        }
        if path.trim_end_matches('/').is_empty() && recursive {
            c.warn("it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe");
            status = 1;
            continue;
        }
        status |= remove(c, path, recursive, force, o.has('d'), o.has('v'), 0);
    }
    status
}

pub(super) fn remove(
    c: &mut Context<'_, '_>,
    path: &str,
    recursive: bool,
    force: bool,
    dirs: bool,
    verbose: bool,
    depth: u32,
) -> i32 {
    let fail = |c: &mut Context<'_, '_>, what: String| {
        c.fail_as(
            1,
            format!("can't remove '{path}': {what}"),
            format!("cannot remove '{path}': {what}"),
        )
    };
    let stat = match c.files().stat(path, false) {
        Ok(stat) => stat,
        Err(Errno::NoEntry | Errno::NotDirectory) if force => return 0,
        Err(errno) => return fail(c, errno.to_string()),
    };
    let result = if stat.kind == Kind::Directory {
        if !recursive && !dirs {
            if c.busybox() {
                return c.fail(1, &format!("'{path}' is a directory"));
            }
            return fail(c, Errno::IsDirectory.to_string());
        }
        let mut status = 0;
        if recursive && depth < DEPTH_LIMIT {
            for name in c.files().list(path).unwrap_or_default() {
                let child = format!("{}/{name}", path.trim_end_matches('/'));
                status |= remove(c, &child, recursive, force, dirs, verbose, depth + 1);
            }
        }
        if status != 0 {
            return status;
        }
        c.files().remove_dir(path)
    } else {
        c.files().unlink(path)
    };
    match result {
        Ok(()) => {
            if verbose {
                c.line(&format!("removed '{path}'"));
            }
            0
        }
        Err(errno) => fail(c, errno.to_string()),
    }
}

pub(in super::super) fn rmdir(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(c, "pv", "", &[("parents", 'p')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for path in &o.operands {
        let mut path = path.to_string();
        loop {
            if let Err(errno) = c.files().remove_dir(&path) {
                status = c.fail_as(
                    1,
                    format!("'{path}': {errno}"),
                    format!("failed to remove '{path}': {errno}"),
                );
                break;
            }
            match path.rsplit_once('/') {
                Some((above, _)) if o.has('p') && !above.is_empty() => path = above.to_string(),
                _ => break,
            }
        }
    }
    status
}
