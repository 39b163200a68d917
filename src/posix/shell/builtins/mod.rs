//! Commands that run inside the shell.

mod control;
mod directory;
mod jobs;
mod names;
mod options;
mod output;
mod reading;
mod variables;

use super::Shell;
use super::assign::ReadyAssign;
use super::frame::Frame;
use crate::syntax::Dialect;
use crate::system::{Argv, Kernel, Process};

/// What follows a builtin.
pub(crate) enum Outcome {
    Done(i32),
    /// Goes on with these frames; redirections hold until they end.
    Frames(Vec<Frame>),
    /// Done, and its redirections stay (`exec`).
    Keep(i32),
    /// This process becomes a program.
    Program(Argv),
    /// A program runs in a child (`command ls`).
    Child(Argv),
    Exit(i32),
    /// An error that ends a script.
    Fatal(i32),
    /// Leaves loops, functions or sourced files.
    Unwind {
        depth: usize,
        then: Vec<Frame>,
    },
}

/// A builtin by number in the table of names.
pub(crate) type Builtin = fn(&mut Args<'_, '_>) -> Outcome;

/// What a builtin works with.
pub(crate) struct Args<'a, 'k> {
    pub(crate) sh: &'a mut Shell,
    pub(crate) argv: &'a Argv,
    pub(crate) declared: Vec<ReadyAssign>,
    pub(crate) p: &'a mut Process,
    pub(crate) k: &'a mut Kernel<'k>,
}

impl Args<'_, '_> {
    /// The arguments after the name.
    fn rest(&self) -> Vec<&str> {
        self.argv.iter().skip(1).map(|a| &**a).collect()
    }

    /// Writes to standard output; a failure is the builtin's status.
    fn print(&mut self, text: &str) -> Outcome {
        self.print_bytes(text.as_bytes())
    }

    fn print_bytes(&mut self, bytes: &[u8]) -> Outcome {
        match self.k.put(self.p, 1, bytes) {
            Ok(()) => Outcome::Done(0),
            Err(errno) => {
                let name = self.argv[0].clone();
                let message = match self.sh.dialect {
                    Dialect::Bash => format!("{name}: write error: {errno}"),
                    _ => format!("write error: {errno}"),
                };
                self.sh.complain(self.p, self.k, &message);
                Outcome::Done(1)
            }
        }
    }

    /// Complains and fails: `bash: line 1: cd: /x: No such file or directory`.
    fn fail(&mut self, status: i32, message: &str) -> Outcome {
        let name = self.argv[0].clone();
        self.sh
            .complain(self.p, self.k, &format!("{name}: {message}"));
        Outcome::Done(status)
    }
}

pub(crate) fn find(name: &str, dialect: Dialect) -> Option<Builtin> {
    let bash = dialect == Dialect::Bash;
    Some(match name {
        ":" | "true" => |_| Outcome::Done(0),
        "false" => |_| Outcome::Done(1),
        "echo" => output::echo,
        "printf" => output::printf,
        "test" | "[" => output::test,
        "pwd" => directory::pwd,
        "cd" | "chdir" => directory::cd,
        "export" => variables::export,
        "readonly" => variables::readonly,
        "local" => variables::local,
        "declare" | "typeset" if bash => variables::declare,
        "unset" => variables::unset,
        "set" => options::set,
        "shift" => options::shift,
        "shopt" | "complete" | "compgen" | "bind" | "enable" | "history" if bash => {
            |_| Outcome::Done(0)
        }
        "umask" => options::umask,
        "alias" => names::alias,
        "unalias" => names::unalias,
        "let" if dialect != Dialect::Dash => options::let_,
        "getopts" => options::getopts,
        "hash" | "ulimit" => options::accepted,
        "type" => names::type_,
        "command" => names::command,
        "builtin" if bash => names::builtin,
        "read" => reading::read,
        "mapfile" | "readarray" if bash => reading::mapfile,
        "eval" => control::eval,
        "." => control::source,
        "source" if dialect != Dialect::Dash => control::source,
        "exec" => control::exec,
        "exit" => control::exit,
        "logout" if bash => control::exit,
        "return" => control::return_,
        "break" => control::break_,
        "continue" => control::continue_,
        "trap" => control::trap,
        "times" => |a| a.print("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n"),
        "wait" => jobs::wait,
        "jobs" => jobs::jobs,
        "fg" | "bg" => jobs::foreground,
        "disown" if bash => |_| Outcome::Done(0),
        "kill" => jobs::kill,
        _ => return None,
    })
}

pub(crate) fn run(
    sh: &mut Shell,
    builtin: Builtin,
    argv: &Argv,
    declared: Vec<ReadyAssign>,
    p: &mut Process,
    k: &mut Kernel<'_>,
) -> Outcome {
    builtin(&mut Args {
        sh,
        argv,
        declared,
        p,
        k,
    })
}
