//! Compound commands that have begun: what comes next in a list, a condition, a loop, a `case`.

use super::Shell;
use super::expand::{Expanded, Expander, Stop};
use super::frame::*;
use super::run::Flow;
use crate::syntax::{ArmEnd, Cmd, Command, Dialect, Join, Part};
use crate::system::{Kernel, Process};
use std::sync::Arc;

impl Shell {
    pub(super) fn next_of_list(
        &mut self,
        cmd: Cmd,
        next: u32,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::List(items) = &*cmd else {
            return Flow::Go;
        };
        if let Some((item, background)) = items.get(next as usize) {
            let item = item.clone();
            let background = *background;
            if (next as usize) + 1 < items.len() {
                self.frames.push(Frame::List {
                    cmd: cmd.clone(),
                    next: next + 1,
                });
            }
            if background {
                self.start_background(&item, p, k);
            } else {
                self.frames.push(Frame::Run(item));
            }
        }
        Flow::Go
    }

    pub(super) fn next_of_and_or(&mut self, cmd: Cmd, mut next: u32) -> Flow {
        let Command::AndOr { rest, .. } = &*cmd else {
            return Flow::Go;
        };
        while let Some((join, item)) = rest.get(next as usize) {
            next += 1;
            if (*join == Join::And) == (self.status == 0) {
                let item = item.clone();
                if (next as usize) < rest.len() {
                    self.frames.push(Frame::AndOr {
                        cmd: cmd.clone(),
                        next,
                    });
                }
                self.frames.push(Frame::Run(item));
                break;
            }
        }
        Flow::Go
    }

    pub(super) fn timed(&self, started: i64, p: &mut Process, k: &mut Kernel<'_>) -> Flow {
        let micros = k.now - started;
        let (m, s, ms) = (
            micros / 60_000_000,
            micros / 1_000_000 % 60,
            micros / 1000 % 1000,
        );
        let text = match self.dialect {
            Dialect::Bash => {
                format!("\nreal\t{m}m{s}.{ms:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n")
            }
            _ => format!(
                "real\t{m}m {s}.{:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n",
                ms / 10
            ),
        };
        let _ = k.put(p, 2, text.as_bytes());
        Flow::Go
    }

    pub(super) fn next_of_if(&mut self, cmd: Cmd, clause: u32, in_cond: bool) -> Flow {
        let Command::If { clauses, otherwise } = &*cmd else {
            return Flow::Go;
        };
        if !in_cond {
            return Flow::Go;
        }
        if self.status == 0 {
            self.frames
                .push(Frame::Run(clauses[clause as usize].1.clone()));
        } else if let Some((cond, _)) = clauses.get(clause as usize + 1) {
            let cond = cond.clone();
            self.frames.push(Frame::If {
                cmd: cmd.clone(),
                clause: clause + 1,
                in_cond: true,
            });
            self.frames.push(Frame::Run(cond));
        } else if let Some(otherwise) = otherwise {
            self.frames.push(Frame::Run(otherwise.clone()));
        } else {
            self.status = 0;
        }
        Flow::Go
    }

    pub(super) fn next_of_while(&mut self, cmd: Cmd, in_cond: bool, last: i32) -> Flow {
        let Command::While { until, cond, body } = &*cmd else {
            return Flow::Go;
        };
        if in_cond {
            if (self.status == 0) == *until {
                self.status = last;
                return Flow::Go;
            }
            let body = body.clone();
            self.frames.push(Frame::While {
                cmd,
                in_cond: false,
                last,
            });
            self.frames.push(Frame::Run(body));
        } else {
            let cond = cond.clone();
            self.frames.push(Frame::While {
                cmd,
                in_cond: true,
                last: self.status,
            });
            self.frames.push(Frame::Run(cond));
        }
        Flow::Go
    }

    pub(super) fn next_of_for(
        &mut self,
        cmd: Cmd,
        items: Arc<[Arc<str>]>,
        next: u32,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::For { name, body, .. } = &*cmd else {
            return Flow::Go;
        };
        let Some(item) = items.get(next as usize).cloned() else {
            return Flow::Go;
        };
        if self.options.xtrace && self.dialect == Dialect::Bash {
            let words: Vec<String> = items.iter().map(|i| super::quote(i)).collect();
            let _ = k.put(
                p,
                2,
                format!("+ for {name} in {}\n", words.join(" ")).as_bytes(),
            );
        }
        if !self.assign_checked(name, item, p, k) {
            return self.fatal(1, p, k);
        }
        let body = body.clone();
        self.frames.push(Frame::For {
            cmd,
            items,
            next: next + 1,
        });
        self.frames.push(Frame::Run(body));
        Flow::Go
    }

    pub(super) fn for_arith(
        &mut self,
        cmd: Cmd,
        after_body: bool,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::ForArith {
            cond, step, body, ..
        } = &*cmd
        else {
            return Flow::Go;
        };
        let result = self.expand(&[], p, k, |e| {
            if after_body {
                e.arith(step)?;
            }
            if cond
                .iter()
                .all(|part| matches!(part, Part::Quoted(t) if t.trim().is_empty()))
            {
                return Ok(1);
            }
            e.arith(cond)
        });
        match result {
            Ok(0) => Flow::Go,
            Ok(_) => {
                let body = body.clone();
                self.frames.push(Frame::ForArith {
                    cmd,
                    after_body: true,
                });
                self.frames.push(Frame::Run(body));
                Flow::Go
            }
            Err(Stop::Fail(message)) => {
                self.complain(p, k, &format!("((: {message}"));
                self.settle(1, p, k)
            }
            Err(_) => {
                self.complain(p, k, "((: command substitution is not supported here");
                self.settle(1, p, k)
            }
        }
    }

    pub(super) fn enter_arm(&mut self, cmd: &Cmd, arm: Option<usize>, text: Arc<str>) {
        let Command::Case { arms, .. } = &**cmd else {
            return;
        };
        let Some(i) = arm else {
            return;
        };
        if arms[i].then != ArmEnd::Stop {
            self.frames.push(Frame::Case {
                cmd: cmd.clone(),
                arm: i as u32,
                text,
            });
        }
        self.frames.push(Frame::Run(arms[i].body.clone()));
    }

    pub(super) fn case_fell_through(
        &mut self,
        cmd: Cmd,
        arm: u32,
        text: Arc<str>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Command::Case { arms, .. } = &*cmd else {
            return Flow::Go;
        };
        let next = arm as usize + 1;
        let found = match arms[arm as usize].then {
            ArmEnd::FallThrough => Ok((next < arms.len()).then_some(next)),
            _ => self.expand(&[], p, k, |e| find_arm(e, &cmd, next, &text)),
        };
        if let Ok(found) = found {
            self.enter_arm(&cmd, found, text);
        }
        Flow::Go
    }
}

pub(super) fn find_arm(
    e: &mut Expander<'_>,
    cmd: &Cmd,
    from: usize,
    text: &str,
) -> Expanded<Option<usize>> {
    let Command::Case { arms, .. } = &**cmd else {
        return Ok(None);
    };
    for (i, arm) in arms.iter().enumerate().skip(from) {
        for pattern in arm.patterns.iter() {
            let pattern = e.pattern(pattern)?;
            if super::pattern::matches(&pattern, text) {
                return Ok(Some(i));
            }
        }
    }
    Ok(None)
}
