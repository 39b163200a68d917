//! `pwd`, `cd`.

use super::{Args, Outcome};
use crate::syntax::Dialect;
use std::sync::Arc;

pub(super) fn pwd(a: &mut Args<'_, '_>) -> Outcome {
    let cwd = if a.rest().contains(&"-P") {
        match a.k.files(a.p).find(".", true) {
            Ok(place) => place.path,
            Err(_) => a.p.cwd.to_string(),
        }
    } else {
        a.p.cwd.to_string()
    };
    a.print(&format!("{cwd}\n"))
}

pub(super) fn cd(a: &mut Args<'_, '_>) -> Outcome {
    let args: Vec<String> = a
        .rest()
        .iter()
        .filter(|t| !matches!(**t, "-L" | "-P" | "--" | "-e"))
        .map(|t| t.to_string())
        .collect();
    if args.len() > 1 && a.sh.dialect == Dialect::Bash {
        return a.fail(1, "too many arguments");
    }
    let mut show = false;
    let target = match args.first().map(String::as_str) {
        None => match a.sh.text("HOME") {
            Some(home) => home.to_string(),
            None => return a.fail(1, "HOME not set"),
        },
        Some("-") => match a.sh.text("OLDPWD") {
            Some(old) => {
                show = true;
                old.to_string()
            }
            None => return a.fail(1, "OLDPWD not set"),
        },
        Some("") => return Outcome::Done(0),
        Some(path) => path.to_string(),
    };
    let files = a.k.files(a.p);
    let found = files.stat(&target, true).and_then(|stat| {
        if stat.kind != crate::files::Kind::Directory {
            return Err(crate::files::Errno::NotDirectory);
        }
        let place = files.find(&target, true)?;
        files.check(files.at(&place)?, crate::files::Access::Execute)
    });
    if let Err(errno) = found {
        let message = match a.sh.dialect {
            Dialect::Bash => format!("{target}: {errno}"),
            Dialect::Ash => format!("can't cd to {target}: {errno}"),
            Dialect::Dash => format!("can't cd to {target}"),
        };
        return a.fail(if a.sh.dialect == Dialect::Dash { 2 } else { 1 }, &message);
    }
    let new: Arc<str> = logical(&a.p.cwd, &target).into();
    let old = std::mem::replace(&mut a.p.cwd, new.clone());
    a.sh.set_variable("OLDPWD", old);
    a.sh.vars_mut().export("OLDPWD", true);
    a.sh.set_variable("PWD", new.clone());
    if show {
        return a.print(&format!("{new}\n"));
    }
    Outcome::Done(0)
}

/// A path with `.` and `..` taken out by name, as `cd` does.
fn logical(cwd: &str, target: &str) -> String {
    let whole = if target.starts_with('/') {
        target.to_string()
    } else {
        format!("{cwd}/{target}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
