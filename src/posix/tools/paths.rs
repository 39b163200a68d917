//! `basename`, `dirname`, `readlink`, `realpath`, `which`, `pathchk`-like questions about names.

use super::{Context, Options};
use crate::files::Found;
use crate::system::find_program;

pub(super) fn basename(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "az", "s", &[("suffix=", 's'), ("multiple", 'a')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    if o.operands.is_empty() {
        return c.misuse(1, "missing operand");
    }
    let many = o.has('a') || o.has('s');
    let suffix = match o.value('s') {
        Some(s) => s.to_string(),
        None if !many => o.operands.get(1).map(|s| s.to_string()).unwrap_or_default(),
        None => String::new(),
    };
    let count = if many { o.operands.len() } else { 1 };
    for path in &o.operands[..count] {
        let trimmed = path.trim_end_matches('/');
        let name = if trimmed.is_empty() && !path.is_empty() {
            "/"
        } else {
            trimmed.rsplit('/').next().unwrap_or("")
        };
        let name = match name.strip_suffix(&*suffix) {
            Some(stem) if !stem.is_empty() && !suffix.is_empty() => stem,
            _ => name,
        };
        c.line(name);
    }
    0
}

pub(super) fn dirname(c: &mut Context<'_, '_>) -> i32 {
    let paths = c.args();
    if paths.is_empty() {
        return c.misuse(1, "missing operand");
    }
    for path in &paths {
        let trimmed = path.trim_end_matches('/');
        let dir = match trimmed.rsplit_once('/') {
            Some((dir, _)) => {
                let dir = dir.trim_end_matches('/');
                if dir.is_empty() { "/" } else { dir }
            }
            None if trimmed.is_empty() && !path.is_empty() => "/",
            None => ".",
        };
        c.line(dir);
    }
    0
}

fn canonical(c: &mut Context<'_, '_>, path: &str) -> Result<String, crate::files::Errno> {
    match c.files().walk(path, true)? {
        Found::Node(place) => Ok(place.path),
        Found::Missing { dir, name } => Ok(format!("{}/{name}", dir.path.trim_end_matches('/'))),
    }
}

pub(super) fn readlink(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "femnsqvz", "", &[("canonicalize", 'f')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    if o.operands.is_empty() {
        return c.misuse(1, "missing operand");
    }
    let mut status = 0;
    for path in &o.operands {
        let target = if o.has('f') || o.has('e') || o.has('m') {
            canonical(c, path).ok()
        } else {
            c.files().read_link(path).ok().map(|t| t.to_string())
        };
        match target {
            Some(target) if o.has('n') => c.say(&target),
            Some(target) => c.line(&target),
            None => status = 1,
        }
    }
    status
}

pub(super) fn realpath(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "emsqz", "", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for path in &o.operands {
        let found = canonical(c, path).and_then(|p| {
            if (o.has('e') || c.busybox()) && !c.files().exists(path) {
                Err(crate::files::Errno::NoEntry)
            } else {
                Ok(p)
            }
        });
        match found {
            Ok(path) => c.line(&path),
            Err(errno) => status = c.fail(1, &format!("{path}: {errno}")),
        }
    }
    status
}

pub(super) fn which(c: &mut Context<'_, '_>) -> i32 {
    let path = c.var("PATH").map(String::from);
    let mut status = 0;
    for name in c.args() {
        match find_program(&c.files(), &name, path.as_deref()) {
            Ok((found, _)) => c.line(&found),
            Err(_) => status = 1,
        }
    }
    status
}
