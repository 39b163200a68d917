//! Simple commands: assignments, functions, builtins, programs.

use super::Shell;
use super::assign::{ReadyAssign, ReadyValue, ready};
use super::builtins::{self, Outcome};
use super::frame::*;
use super::redirect::{ReadyRedir, targets};
use super::run::Flow;
use crate::syntax::{Dialect, Simple};
use crate::system::{Argv, Exec, Kernel, Process, Program, Turn};
use std::sync::Arc;

/// Function calls inside each other.
const CALL_LIMIT: usize = 500;

impl Shell {
    pub(crate) fn start_simple(
        &mut self,
        simple: &Simple,
        start: Start,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        self.line = simple.line;
        if start.results.is_empty() {
            self.substituted = None;
        }
        let expanded = self.expand(&start.results, p, k, |e| {
            let argv = e.words(&simple.words)?;
            let declared = ready(e, &simple.declared)?;
            let redirs = targets(e, &simple.redirs)?;
            let assigns = ready(e, &simple.assigns)?;
            Ok((argv, declared, redirs, assigns))
        });
        let (argv, declared, redirs, assigns) = match expanded {
            Ok(all) => all,
            Err(stop) => return self.need(start, stop, p, k),
        };
        if self.options.xtrace {
            self.trace(&argv, &assigns, &declared, p, k);
        }
        let mut restore = Restore {
            pipes: start.pipes,
            ..Restore::default()
        };
        if argv.is_empty() {
            return self.only_assign(assigns, &redirs, restore, p, k);
        }
        let argv: Argv = argv.into();
        if let Some(body) = self.functions.get(&argv[0]).cloned() {
            let depth = self
                .frames
                .iter()
                .filter(|f| matches!(f, Frame::Call(_)))
                .count();
            if depth >= CALL_LIMIT {
                self.complain(
                    p,
                    k,
                    &format!(
                        "{}: maximum function nesting level exceeded ({CALL_LIMIT})",
                        argv[0]
                    ),
                );
                return self.fatal(1, p, k);
            }
            if let Err(flow) = self.prepare(assigns, &redirs, &mut restore, p, k) {
                return flow;
            }
            if !restore.is_empty() {
                self.frames.push(Frame::Restore(Box::new(restore)));
            }
            let args = std::mem::replace(&mut self.args, argv[1..].into());
            self.frames.push(Frame::Call(Box::new(Call {
                name: argv[0].clone(),
                args,
                locals: Vec::new(),
            })));
            self.frames.push(Frame::Run(body));
            return Flow::Go;
        }
        if let Some(builtin) = builtins::find(&argv[0], self.dialect) {
            return self.run_builtin(builtin, &argv, declared, assigns, &redirs, restore, p, k);
        }
        self.run_program(argv, assigns, &redirs, restore, p, k)
    }

    fn trace(
        &mut self,
        argv: &[Arc<str>],
        assigns: &[ReadyAssign],
        declared: &[ReadyAssign],
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) {
        let assignment = |a: &ReadyAssign| match &a.value {
            ReadyValue::Text(text) => {
                format!("{}={}", a.name, super::quote(text).trim_start_matches("''"))
            }
            ReadyValue::Nothing => a.name.to_string(),
            ReadyValue::Array(items) => {
                let items: Vec<String> = items.iter().map(|(_, v)| super::quote(v)).collect();
                format!("{}=({})", a.name, items.join(" "))
            }
        };
        let mut words: Vec<String> = assigns.iter().map(assignment).collect();
        words.extend(argv.iter().map(|a| match self.dialect {
            Dialect::Dash => a.to_string(),
            _ => super::quote(a),
        }));
        words.extend(declared.iter().map(assignment));
        let prefix = self.text("PS4").unwrap_or("+ ".into());
        let _ = k.put(p, 2, format!("{prefix}{}\n", words.join(" ")).as_bytes());
    }

    /// Assignments and redirections without a command.
    fn only_assign(
        &mut self,
        assigns: Vec<ReadyAssign>,
        redirs: &[ReadyRedir],
        mut restore: Restore,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let mut status = self.substituted.unwrap_or(0);
        let result = self.redirect(redirs, Some(&mut restore), p, k);
        self.restore(restore, p, k);
        if let Err(message) = result {
            self.complain(p, k, &message);
            status = if self.dialect == Dialect::Bash { 1 } else { 2 };
        }
        for assign in assigns {
            if !self.assign(assign, p, k) {
                return self.fatal(if self.dialect == Dialect::Dash { 2 } else { 1 }, p, k);
            }
        }
        self.settle(status, p, k)
    }

    /// Makes the redirections and temporary assignments of a command that runs in this shell.
    fn prepare(
        &mut self,
        assigns: Vec<ReadyAssign>,
        redirs: &[ReadyRedir],
        restore: &mut Restore,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Result<(), Flow> {
        if let Err(message) = self.redirect(redirs, Some(restore), p, k) {
            self.restore(std::mem::take(restore), p, k);
            self.complain(p, k, &message);
            return Err(self.settle(if self.dialect == Dialect::Dash { 2 } else { 1 }, p, k));
        }
        for assign in assigns {
            let saved = self.saved(&assign.name);
            let name = assign.name.clone();
            if !self.assign(assign, p, k) {
                self.restore(std::mem::take(restore), p, k);
                return Err(self.fatal(1, p, k));
            }
            self.vars_mut().export(&name, true);
            restore.vars.push(saved);
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn run_builtin(
        &mut self,
        builtin: builtins::Builtin,
        argv: &Argv,
        declared: Vec<ReadyAssign>,
        assigns: Vec<ReadyAssign>,
        redirs: &[ReadyRedir],
        mut restore: Restore,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        if let Err(flow) = self.prepare(assigns, redirs, &mut restore, p, k) {
            return flow;
        }
        let depth = self.frames.len();
        let outcome = builtins::run(self, builtin, argv, declared, p, k);
        match outcome {
            Outcome::Done(status) => {
                self.restore(restore, p, k);
                self.settle(status, p, k)
            }
            Outcome::Frames(frames) => {
                if !restore.is_empty() {
                    self.frames.push(Frame::Restore(Box::new(restore)));
                }
                self.frames.extend(frames);
                Flow::Go
            }
            Outcome::Keep(status) => {
                // `exec >file`: the redirections stay; what they replaced is closed.
                for (_, old) in restore.fds {
                    if let Some(old) = old {
                        k.close(old);
                    }
                }
                self.settle(status, p, k)
            }
            Outcome::Program(argv) => {
                self.restore_vars_only(&mut restore);
                self.exec_program(argv, p, k)
            }
            Outcome::Child(argv) => {
                self.restore(restore, p, k);
                self.run_program(argv, Vec::new(), redirs, Restore::default(), p, k)
            }
            Outcome::Exit(status) => {
                self.restore(restore, p, k);
                self.exit(status, p, k)
            }
            Outcome::Fatal(status) => {
                self.restore(restore, p, k);
                self.fatal(status, p, k)
            }
            Outcome::Unwind { depth: to, then } => {
                debug_assert!(to <= depth);
                self.restore(restore, p, k);
                self.unwind(to, p, k);
                self.frames.extend(then);
                Flow::Go
            }
        }
    }

    fn restore_vars_only(&mut self, restore: &mut Restore) {
        // `VAR=x exec cmd` gives the variable to the program, so nothing is put back.
        restore.vars.clear();
    }

    /// `exec cmd`: this process becomes the program.
    fn exec_program(&mut self, argv: Argv, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        self.set_ignored(p);
        self.unwind_for_exec(k);
        p.argv = argv.clone();
        let exec = Exec {
            argv,
            env: self.vars_mut().env(),
            who: self.who().into(),
            dialect: self.dialect,
        };
        Flow::Turn(Turn::Become(Program::Exec(Box::new(exec))))
    }

    fn unwind_for_exec(&mut self, k: &mut Kernel<'_>) {
        // Descriptors saved for later are not passed on.
        for frame in std::mem::take(&mut self.frames) {
            if let Frame::Restore(restore) = frame {
                for (_, old) in restore.fds {
                    if let Some(old) = old {
                        k.close(old);
                    }
                }
            }
        }
    }

    fn set_ignored(&self, p: &mut Process) {
        for (n, text) in self.traps.iter() {
            if text.is_empty() {
                p.ignored |= crate::system::signal::Signal(*n).bit();
            }
        }
    }

    /// Runs a program in a child, or in this process if nothing is left to do after it.
    fn run_program(
        &mut self,
        argv: Argv,
        assigns: Vec<ReadyAssign>,
        redirs: &[ReadyRedir],
        restore: Restore,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let mut env = self.vars_mut().env();
        if !assigns.is_empty() {
            let env = Arc::make_mut(&mut env);
            for assign in assigns {
                if let ReadyValue::Text(text) = assign.value {
                    env.insert(assign.name, text);
                }
            }
        }
        let exec = Exec {
            argv: argv.clone(),
            env,
            who: self.who().into(),
            dialect: self.dialect,
        };
        if self.is_last() && restore.is_empty() {
            if let Err(message) = self.redirect(redirs, None, p, k) {
                self.complain(p, k, &message);
                let status = if self.dialect == Dialect::Dash { 2 } else { 1 };
                return self.settle(status, p, k);
            }
            self.set_ignored(p);
            p.argv = argv;
            return Flow::Turn(Turn::Become(Program::Exec(Box::new(exec))));
        }
        let Some(pid) = k.fork(p, Program::Exec(Box::new(exec)), false) else {
            return self.cannot_fork(p, k);
        };
        let result = self.redirect_child(redirs, pid, p, k);
        // The command's `<(…)` belong to the child alone.
        self.restore(restore, p, k);
        if let Err(message) = result {
            k.cancel(pid);
            self.complain(p, k, &message);
            return self.settle(if self.dialect == Dialect::Dash { 2 } else { 1 }, p, k);
        }
        let ignores: Vec<u8> = self
            .traps
            .iter()
            .filter(|(_, t)| t.is_empty())
            .map(|(n, _)| *n)
            .collect();
        let text = argv.join(" ");
        if let Some(child) = k.sys.process_mut(pid) {
            child.argv = argv;
            for n in ignores {
                child.ignored |= crate::system::signal::Signal(n).bit();
            }
        }
        self.wait_on(vec![pid], &text);
        Flow::Go
    }

    /// Whether the shell ends with the command it is about to run.
    fn is_last(&self) -> bool {
        self.frames.is_empty()
            && !self.session
            && self.exiting.is_none()
            && !self.traps.values().any(|t| !t.is_empty())
            && self.jobs.iter().all(|j| j.status.is_some())
    }
}
