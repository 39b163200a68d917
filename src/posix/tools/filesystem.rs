//! `rm`, `rmdir`, `mkdir`, `cp`, `mv`, `ln`, `touch`, `chmod`, `chown`, `mktemp`, `truncate`, `dd`, `install`.

use super::{Context, Options};
use crate::files::{Body, Errno, Kind};
use std::sync::Arc;

/// Directories inside each other that a recursive tool follows.
const DEPTH_LIMIT: u32 = 64;

fn parsed(
    c: &mut Context<'_, '_>,
    flags: &str,
    valued: &str,
    long: &[(&str, char)],
) -> Result<Options, i32> {
    let o = Options::parse(c, flags, valued, long)?;
    if o.operands.is_empty() && !o.has('f') {
        let name = c.name().to_string();
        c.warn("missing operand");
        if !c.busybox() {
            c.err.extend_from_slice(
                format!("Try '{name} --help' for more information.\n").as_bytes(),
            );
        }
        return Err(1);
    }
    Ok(o)
}

pub(super) fn rm(c: &mut Context<'_, '_>) -> i32 {
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

fn remove(
    c: &mut Context<'_, '_>,
    path: &str,
    recursive: bool,
    force: bool,
    dirs: bool,
    verbose: bool,
    depth: u32,
) -> i32 {
    let fail = |c: &mut Context<'_, '_>, what: String| {
        let message = if c.busybox() {
            format!("can't remove '{path}': {what}")
        } else {
            format!("cannot remove '{path}': {what}")
        };
        c.fail(1, &message)
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

pub(super) fn rmdir(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(c, "pv", "", &[("parents", 'p')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for path in &o.operands {
        let mut path = path.to_string();
        loop {
            if let Err(errno) = c.files().remove_dir(&path) {
                let message = if c.busybox() {
                    format!("'{path}': {errno}")
                } else {
                    format!("failed to remove '{path}': {errno}")
                };
                status = c.fail(1, &message);
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

pub(super) fn mkdir(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(
        c,
        "pv",
        "m",
        &[("parents", 'p'), ("mode=", 'm'), ("verbose", 'v')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for path in &o.operands {
        let result = if o.has('p') {
            c.files().make_dirs(path)
        } else {
            c.files().make_dir(path.trim_end_matches('/'), 0o777)
        };
        if let Err(errno) = result {
            let message = if c.busybox() {
                format!("can't create directory '{path}': {errno}")
            } else {
                format!("cannot create directory '{path}': {errno}")
            };
            status = c.fail(1, &message);
            continue;
        }
        if let Some(mode) = o.value('m').and_then(|m| changed_mode(m, 0o777, true)) {
            // The directory was just made by this user.
            let _ = c.files().chmod(path, mode);
        }
        if o.has('v') {
            c.line(&format!("mkdir: created directory '{path}'"));
        }
    }
    status
}

pub(super) fn touch(c: &mut Context<'_, '_>) -> i32 {
    let long = [("no-create", 'c'), ("date=", 'd'), ("reference=", 'r')];
    let o = match parsed(c, "cam", "dtr", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut time = c.now();
    if let Some(text) = o.value('d').map(String::from) {
        match super::date::parse(&text, time) {
            Some(t) => time = t,
            None => return c.fail(1, &format!("invalid date format '{text}'")),
        }
    }
    if let Some(other) = o.value('r').map(String::from) {
        match c.files().stat(&other, true) {
            Ok(stat) => time = stat.meta.modified,
            Err(errno) => {
                return c.fail(
                    1,
                    &format!("failed to get attributes of '{other}': {errno}"),
                );
            }
        }
    }
    let mut status = 0;
    for path in &o.operands {
        let exists = c.files().exists(path);
        if !exists && o.has('c') {
            continue;
        }
        let result = if exists {
            c.files().touch(path, time)
        } else {
            c.files()
                .create(path)
                .and_then(|_| c.files().touch(path, time))
        };
        if let Err(errno) = result {
            let message = if c.busybox() {
                format!("{path}: {errno}")
            } else {
                format!("cannot touch '{path}': {errno}")
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

pub(super) fn cp(c: &mut Context<'_, '_>) -> i32 {
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
    if o.operands.is_empty() {
        return c.fail(1, "missing file operand");
    }
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
            let message = if c.busybox() {
                format!("can't stat '{from}': {errno}")
            } else {
                format!("cannot stat '{from}': {errno}")
            };
            return c.fail(1, &message);
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
                let message = if c.busybox() {
                    format!("omitting directory '{from}'")
                } else {
                    format!("-r not specified; omitting directory '{from}'")
                };
                return c.fail(1, &message);
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
                    let message = if c.busybox() {
                        format!("can't open '{from}': {errno}")
                    } else {
                        format!("cannot open '{from}' for reading: {errno}")
                    };
                    return c.fail(1, &message);
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

pub(super) fn mv(c: &mut Context<'_, '_>) -> i32 {
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
    if o.operands.is_empty() {
        return c.fail(1, "missing file operand");
    }
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
            let message = if c.busybox() {
                format!("can't rename '{from}': {errno}")
            } else {
                format!("cannot stat '{from}': {errno}")
            };
            status = c.fail(1, &message);
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
                let message = if c.busybox() {
                    format!("can't rename '{from}': {errno}")
                } else {
                    format!("cannot move '{from}' to '{to}': {errno}")
                };
                status = c.fail(1, &message);
            }
        }
    }
    status
}

pub(super) fn ln(c: &mut Context<'_, '_>) -> i32 {
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

pub(super) fn chmod(c: &mut Context<'_, '_>) -> i32 {
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
                    let message = if c.busybox() {
                        format!("{path}: {errno}")
                    } else {
                        format!("cannot access '{path}': {errno}")
                    };
                    status = c.fail(1, &message);
                    continue;
                }
            };
            let Some(new) = changed_mode(mode, stat.meta.mode, stat.kind == Kind::Directory) else {
                return c.misuse(1, &format!("invalid mode: '{mode}'"));
            };
            if let Err(errno) = c.files().chmod(&path, new) {
                let message = if c.busybox() {
                    format!("{path}: {errno}")
                } else {
                    format!("changing permissions of '{path}': {errno}")
                };
                status = c.fail(1, &message);
            }
        }
    }
    status
}

pub(super) fn chown(c: &mut Context<'_, '_>) -> i32 {
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
        user => match super::identity::uid_of(c, user) {
            Some(uid) => Some(uid),
            None => return c.fail(1, &format!("invalid user: '{owner}'")),
        },
    };
    let gid = match group {
        None | Some("") => None,
        Some(group) => match super::identity::gid_of(c, group) {
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

pub(super) fn mktemp(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("directory", 'd'),
        ("tmpdir=", 'p'),
        ("dry-run", 'u'),
        ("quiet", 'q'),
    ];
    let o = match Options::parse(c, "duqt", "p", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let dir = o
        .value('p')
        .or(c.var("TMPDIR"))
        .unwrap_or("/tmp")
        .to_string();
    let template = match o.operands.first() {
        Some(t) if o.has('t') || o.has('p') => format!("{dir}/{t}"),
        Some(t) => t.to_string(),
        None => format!("{dir}/tmp.XXXXXXXXXX"),
    };
    let count = template.len() - template.trim_end_matches('X').len();
    if count < 3 {
        return c.fail(1, &format!("too few X's in template '{template}'"));
    }
    let stem = &template[..template.len() - count];
    for _ in 0..20 {
        let mut random = c.k.host.random();
        let suffix: String = (0..count)
            .map(|_| {
                let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
                let letter = letters[(random % 62) as usize] as char;
                random = (random / 62) ^ random.rotate_left(17);
                letter
            })
            .collect();
        let path = format!("{stem}{suffix}");
        if c.files().exists(&path) {
            continue;
        }
        let result = if o.has('u') {
            Ok(())
        } else if o.has('d') {
            c.files().make_dir(&path, 0o700)
        } else {
            c.files()
                .create(&path)
                .and_then(|_| c.files().chmod(&path, 0o600))
        };
        return match result {
            Ok(()) => {
                c.line(&path);
                0
            }
            Err(errno) => {
                let what = if o.has('d') { "directory" } else { "file" };
                c.fail(
                    1,
                    &format!("failed to create {what} via template '{template}': {errno}"),
                )
            }
        };
    }
    1
}

pub(super) fn truncate(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(c, "c", "s", &[("size=", 's'), ("no-create", 'c')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let Some(size) = o.value('s').and_then(super::usage::number_with_suffix) else {
        return c.fail(1, "you must specify either '--size' or '--reference'");
    };
    let mut status = 0;
    for path in &o.operands {
        let mut bytes = c.input(path).unwrap_or_default();
        // Larger than any file may be: the write below says so.
        bytes.resize(size.min(1 << 25) as usize, 0);
        if let Err(errno) = c.files().write(path, &bytes) {
            status = c.fail(1, &format!("cannot open '{path}' for writing: {errno}"));
        }
    }
    status
}

pub(super) fn dd(c: &mut Context<'_, '_>) -> i32 {
    let (mut from, mut to) = ("-".to_string(), None);
    let (mut size, mut count, mut skip, mut quiet) = (512u64, None, 0u64, false);
    for arg in c.args() {
        let Some((key, value)) = arg.split_once('=') else {
            return c.fail(1, &format!("unrecognized operand '{arg}'"));
        };
        let number = super::usage::number_with_suffix(value);
        match (key, number) {
            ("if", _) => from = value.to_string(),
            ("of", _) => to = Some(value.to_string()),
            ("bs" | "ibs" | "obs", Some(n)) => size = n.max(1),
            ("count", Some(n)) => count = Some(n),
            ("skip", Some(n)) => skip = n,
            ("status", _) => quiet = value == "none",
            ("seek" | "conv" | "oflag" | "iflag", _) => {}
            _ => return c.fail(1, &format!("invalid number: '{value}'")),
        }
    }
    let endless = matches!(from.as_str(), "/dev/zero" | "/dev/urandom" | "/dev/random");
    let want = count.map(|n| n.saturating_mul(size));
    let bytes = if endless {
        // What does not fit into a file is not made.
        let total = want.unwrap_or(64 << 20).min(64 << 20) as usize;
        let mut bytes = vec![0; total];
        if from != "/dev/zero" {
            for chunk in bytes.chunks_mut(8) {
                let random = c.k.host.random().to_le_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
        }
        bytes
    } else {
        let all = match c.input(&from) {
            Ok(all) => all,
            Err(errno) => {
                let message = if c.busybox() {
                    format!("can't open '{from}': {errno}")
                } else {
                    format!("failed to open '{from}': {errno}")
                };
                return c.fail(1, &message);
            }
        };
        let start = (skip.saturating_mul(size) as usize).min(all.len());
        let end = want.map_or(all.len(), |n| {
            start.saturating_add(n as usize).min(all.len())
        });
        all[start..end].to_vec()
    };
    if c.wants_input {
        return 0;
    }
    let result = match &to {
        Some(path) => c.files().write(path, &bytes),
        None => {
            c.out.extend_from_slice(&bytes);
            Ok(())
        }
    };
    if let Err(errno) = result {
        let path = to.unwrap_or_default();
        return c.fail(1, &format!("error writing '{path}': {errno}"));
    }
    if !quiet {
        c.flush();
        let (whole, part) = (
            bytes.len() as u64 / size,
            !(bytes.len() as u64).is_multiple_of(size) as u64,
        );
        let text = format!(
            "{whole}+{part} records in\n{whole}+{part} records out\n{} bytes copied\n",
            bytes.len()
        );
        c.err.extend_from_slice(text.as_bytes());
    }
    0
}
