//! `chmod`, `chown`.

use std::sync::Arc;

use super::super::{Context, identity};
use super::{DEPTH_LIMIT, parsed};
use crate::files::{Errno, Kind};

pub(in super::super) fn chmod(c: &mut Context<'_, '_>) -> i32 {
    let args: Vec<Arc<str>> = c.args();
    let recursive = args
        .iter()
        .any(|a| matches!(&**a, "-R" | "--recursive" | "-Rf" | "-fR" | "-Rv"));
    let mut rest = args.iter().filter(|a| {
        !matches!(
            &***a,
            "-R" | "--recursive" | "-f" | "-v" | "-Rf" | "-fR" | "-Rv" | "--"
        )
    });
    let Some(mode) = rest.next() else {
        return c.misuse(1, "missing operand");
    };
    let paths: Vec<Arc<str>> = rest.cloned().collect();
    if paths.is_empty() {
        return c.fail(1, &format!("missing operand after '{mode}'"));
    }
    let mut status = 0;
    for path in paths {
        let mut all = Vec::new();
        tree(c, &path, recursive, &mut all, 0);
        for path in all {
            let stat = match c.files().stat(&path, true) {
                Ok(stat) => stat,
                Err(errno) => {
                    status = c.fail_as(
                        1,
                        format!("{path}: {errno}"),
                        format!("cannot access '{path}': {errno}"),
                    );
                    continue;
                }
            };
            let Some(new) = changed_mode(mode, stat.meta.mode, stat.kind == Kind::Directory) else {
                return c.misuse(1, &format!("invalid mode: '{mode}'"));
            };
            if let Err(errno) = c.files().chmod(&path, new) {
                status = c.fail_as(
                    1,
                    format!("{path}: {errno}"),
                    format!("changing permissions of '{path}': {errno}"),
                );
            }
        }
    }
    status
}

pub(in super::super) fn chown(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(c, "RfvhL", "", &[("recursive", 'R')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let Some((owner, paths)) = o.operands.split_first() else {
        return c.misuse(1, "missing operand");
    };
    if paths.is_empty() {
        return c.fail(1, &format!("missing operand after '{owner}'"));
    }
    let group_only = c.name() == "chgrp";
    let (user, group) = match owner.split_once([':', '.']) {
        _ if group_only => ("", Some(&**owner)),
        Some((user, group)) => (user, Some(group)),
        None => (&**owner, None),
    };
    let uid = match user {
        "" => None,
        user => match identity::uid_of(c, user) {
            Some(uid) => Some(uid),
            None => return c.fail(1, &format!("invalid user: '{owner}'")),
        },
    };
    let gid = match group {
        None | Some("") => None,
        Some(group) => match identity::gid_of(c, group) {
            Some(gid) => Some(gid),
            None => return c.fail(1, &format!("invalid group: '{owner}'")),
        },
    };
    let mut status = 0;
    for path in paths {
        let mut all = Vec::new();
        tree(c, path, o.has('R'), &mut all, 0);
        for path in all {
            if let Err(errno) = c.files().chown(&path, uid, gid) {
                let message = match (c.busybox(), errno) {
                    (true, _) => format!("{path}: {errno}"),
                    (false, Errno::NoEntry) => format!("cannot access '{path}': {errno}"),
                    (false, _) => format!("changing ownership of '{path}': {errno}"),
                };
                status = c.fail(1, &message);
            }
        }
    }
    status
}

/// A mode as `chmod` reads it: octal or `u+x,go-w`.
pub(crate) fn changed_mode(text: &str, old: u16, is_dir: bool) -> Option<u16> {
    if text.bytes().all(|b| (b'0'..=b'7').contains(&b)) && !text.is_empty() {
        return u16::from_str_radix(text, 8).ok().map(|m| m & 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let ops = clause.find(['+', '-', '='])?;
        let (who, mut rest) = clause.split_at(ops);
        let mut mask = 0;
        for w in who.chars() {
            mask |= match w {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o7777;
        }
        while let Some(op) = rest.chars().next() {
            rest = &rest[1..];
            let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
            let mut bits = 0;
            for p in rest[..end].chars() {
                bits |= match p {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if is_dir || mode & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (mode >> 6 & 7) * 0o111,
                    'g' => (mode >> 3 & 7) * 0o111,
                    'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            rest = &rest[end..];
            match op {
                '+' => mode |= bits & mask,
                '-' => mode &= !(bits & mask),
                _ => mode = mode & !(mask & 0o777) | bits & mask,
            }
        }
    }
    Some(mode)
}

/// The path and, with `-R`, everything below it.
fn tree(c: &mut Context<'_, '_>, path: &str, recursive: bool, out: &mut Vec<String>, depth: u32) {
    out.push(path.to_string());
    if !recursive || depth > DEPTH_LIMIT {
        return;
    }
    if c.files()
        .stat(path, false)
        .is_ok_and(|s| s.kind == Kind::Directory)
    {
        for name in c.files().list(path).unwrap_or_default() {
            tree(
                c,
                &format!("{}/{name}", path.trim_end_matches('/')),
                true,
                out,
                depth + 1,
            );
        }
    }
}
