//! Redirections: `<`, `>`, `>>`, `2>&1`, `&>`, here-documents.

use super::Shell;
use super::expand::{Expanded, Expander};
use super::frame::Restore;
use crate::files::Errno;
use crate::host::Pid;
use crate::syntax::{Dialect, Redir, RedirOp};
use crate::system::{Kernel, OpenId, OpenMode, Process, Target};

/// A redirection whose target is expanded.
#[derive(Clone, Debug)]
pub(crate) struct ReadyRedir {
    pub(crate) fd: u16,
    pub(crate) op: RedirOp,
    pub(crate) target: String,
}

/// Expands the targets of redirections.
pub(crate) fn targets(e: &mut Expander<'_>, redirs: &[Redir]) -> Expanded<Vec<ReadyRedir>> {
    redirs
        .iter()
        .map(|r| {
            let target = match r.op {
                RedirOp::Text => e.text(&r.target)?,
                _ => e.target(&r.target)?,
            };
            Ok(ReadyRedir {
                fd: r.fd,
                op: r.op,
                target,
            })
        })
        .collect()
}

/// What a redirection does to a descriptor.
enum Change {
    Set(u16, OpenId),
    Close(u16),
}

impl Shell {
    /// Redirects this shell's own descriptors. With `restore` the old ones are kept there.
    pub(crate) fn redirect(
        &mut self,
        redirs: &[ReadyRedir],
        mut restore: Option<&mut Restore>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Result<(), String> {
        for redir in redirs {
            for change in self.changes(redir, p, k)? {
                let fd = match change {
                    Change::Set(fd, _) | Change::Close(fd) => fd,
                };
                let old = p.take_fd(fd);
                match &mut restore {
                    Some(restore) => restore.fds.push((fd, old)),
                    None => {
                        if let Some(old) = old {
                            k.close(old);
                        }
                    }
                }
                if let Change::Set(fd, open) = change {
                    p.set_fd(fd, open);
                }
            }
        }
        Ok(())
    }

    /// Redirects the descriptors of a child that was just forked and looks like this process.
    pub(crate) fn redirect_child(
        &mut self,
        redirs: &[ReadyRedir],
        child: Pid,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Result<(), String> {
        // The child's descriptors are looked up in a stand-in of this process, one redirection after another.
        let mut shadow = p.fds.clone();
        for redir in redirs {
            std::mem::swap(&mut p.fds, &mut shadow);
            let changes = self.changes(redir, p, k);
            std::mem::swap(&mut p.fds, &mut shadow);
            for change in changes? {
                match change {
                    Change::Set(fd, open) => {
                        k.redirect_child(child, fd, open);
                        match shadow.iter_mut().find(|(n, _)| *n == fd) {
                            Some(entry) => entry.1 = open,
                            None => shadow.push((fd, open)),
                        }
                    }
                    Change::Close(fd) => {
                        let old = k.sys.process_mut(child).and_then(|c| c.take_fd(fd));
                        if let Some(old) = old {
                            k.close(old);
                        }
                        shadow.retain(|(n, _)| *n != fd);
                    }
                }
            }
        }
        Ok(())
    }

    fn changes(
        &mut self,
        redir: &ReadyRedir,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Result<Vec<Change>, String> {
        let path = &redir.target;
        let read = OpenMode {
            read: true,
            ..OpenMode::default()
        };
        let write = OpenMode {
            write: true,
            truncate: true,
            ..OpenMode::default()
        };
        let append = OpenMode {
            write: true,
            append: true,
            ..OpenMode::default()
        };
        let mode = match redir.op {
            RedirOp::Text => {
                let bytes = path.as_bytes().into();
                let open = k.sys.open(Target::Text { bytes, at: 0 });
                return Ok(vec![Change::Set(redir.fd, open)]);
            }
            RedirOp::Duplicate => return self.duplicate(redir, p, k),
            RedirOp::Read => read,
            RedirOp::Write | RedirOp::Both => {
                if self.options.noclobber
                    && k.files(p)
                        .stat(path, true)
                        .is_ok_and(|s| s.kind == crate::files::Kind::File)
                {
                    return Err(match self.dialect {
                        Dialect::Bash => format!("{path}: cannot overwrite existing file"),
                        Dialect::Ash => format!("can't create {path}: File exists"),
                        Dialect::Dash => format!("cannot create {path}: File exists"),
                    });
                }
                write
            }
            RedirOp::Clobber => write,
            RedirOp::Append | RedirOp::BothAppend => append,
            RedirOp::ReadWrite => OpenMode {
                read: true,
                write: true,
                ..OpenMode::default()
            },
        };
        let open = k
            .open_path(p, path, mode)
            .map_err(|errno| self.cannot_open(path, errno, mode.write))?;
        if matches!(redir.op, RedirOp::Both | RedirOp::BothAppend) {
            k.sys.share(open);
            return Ok(vec![Change::Set(1, open), Change::Set(2, open)]);
        }
        Ok(vec![Change::Set(redir.fd, open)])
    }

    fn duplicate(
        &mut self,
        redir: &ReadyRedir,
        p: &Process,
        k: &mut Kernel<'_>,
    ) -> Result<Vec<Change>, String> {
        let text = &redir.target;
        if text == "-" {
            return Ok(vec![Change::Close(redir.fd)]);
        }
        let (digits, moves) = match text.strip_suffix('-') {
            Some(digits) => (digits, true),
            None => (text.as_str(), false),
        };
        let Ok(from) = digits.parse::<u16>() else {
            return Err(match self.dialect {
                Dialect::Bash => format!("{text}: ambiguous redirect"),
                _ => format!("{text}: bad fd number"),
            });
        };
        let Some(open) = p.fd(from) else {
            return Err(match self.dialect {
                Dialect::Ash => format!("dup2({from},{}): Bad file descriptor", redir.fd),
                _ => format!("{from}: Bad file descriptor"),
            });
        };
        k.sys.share(open);
        let mut changes = vec![Change::Set(redir.fd, open)];
        if moves {
            changes.push(Change::Close(from));
        }
        Ok(changes)
    }

    fn cannot_open(&self, path: &str, errno: Errno, write: bool) -> String {
        match (self.dialect, errno, write) {
            (Dialect::Bash, Errno::NoEntry, _) if path.is_empty() => format!("{path}: {errno}"),
            (Dialect::Bash, ..) => format!("{path}: {errno}"),
            (Dialect::Ash, Errno::NoEntry, true) => {
                format!("can't create {path}: nonexistent directory")
            }
            (Dialect::Ash, Errno::NoEntry, false) => format!("can't open {path}: no such file"),
            (Dialect::Ash, _, true) => format!("can't create {path}: {errno}"),
            (Dialect::Ash, _, false) => format!("can't open {path}: {errno}"),
            (Dialect::Dash, Errno::NoEntry, true) => {
                format!("cannot create {path}: Directory nonexistent")
            }
            (Dialect::Dash, Errno::NoEntry, false) => format!("cannot open {path}: No such file"),
            (Dialect::Dash, _, true) => format!("cannot create {path}: {errno}"),
            (Dialect::Dash, _, false) => format!("cannot open {path}: {errno}"),
        }
    }
}
