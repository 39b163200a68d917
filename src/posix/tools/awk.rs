//! `awk`: patterns, actions, fields, arrays, functions, printf; one record at a time.
//!
//! Not here: user pipes (`cmd | getline`), `system`. Output to files is written when the program ends.

mod call;
mod expression;
mod format;
mod operators;
mod parse;
mod run;
mod statement;
mod syntax;
mod token;
mod value;
mod variables;

use super::{Context, Filter, Options};
use run::Machine;
use std::sync::Arc;
use syntax::Program;

#[derive(Clone, Debug)]
pub(crate) struct Awk {
    program: Arc<Program>,
    machine: Machine,
    started: bool,
    finished: Option<i32>,
}

pub(super) fn awk(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let args = c.args();
    let mut o = Options::parse_args(
        c,
        &args,
        "",
        "Fvf",
        &[("field-separator=", 'F'), ("assign=", 'v')],
        true,
    )?;
    let text = match o.value('f').map(String::from) {
        Some(path) => c.text_of(&path).ok_or(2)?,
        None if o.operands.is_empty() => {
            c.err.extend_from_slice(
                b"Usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n",
            );
            return Err(2);
        }
        None => o.operands.remove(0).to_string(),
    };
    let program = match parse::parse(&text) {
        Ok(program) => Arc::new(program),
        Err(message) => return Err(c.fail(2, &message)),
    };
    let mut machine = Machine::new(&program);
    for (name, value) in c.env.iter() {
        machine.set_environment(name, value);
    }
    if let Some(fs) = o.value('F') {
        let fs = if fs == "t" { "\t" } else { fs };
        machine.set_separator(fs);
    }
    for assign in o.values('v') {
        if let Some((name, value)) = assign.split_once('=') {
            machine.assign(&program, name, value);
        }
    }
    let mut sources = Vec::new();
    for operand in &o.operands {
        match operand.split_once('=') {
            Some((name, value)) if crate::syntax::is_name(name) => {
                machine.assign(&program, name, value)
            }
            _ => sources.push(operand.clone()),
        }
    }
    if sources.is_empty() {
        sources.push("-".into());
    }
    let mut awk = Awk {
        program,
        machine,
        started: false,
        finished: None,
    };
    awk.start(c);
    if !awk.program.reads_input() || awk.finished.is_some() {
        sources.clear();
    }
    Ok((Filter::Awk(Box::new(awk)), sources))
}

impl Awk {
    pub(crate) fn begin(&mut self, name: &Arc<str>) {
        self.machine
            .new_file(if &**name == "-" { "" } else { name });
    }

    fn start(&mut self, c: &mut Context<'_, '_>) {
        if self.started {
            return;
        }
        self.started = true;
        self.machine.now = c.now();
        if let Err(stop) = self.machine.begin(&self.program, c) {
            self.finished = Some(stop);
        }
    }

    pub(crate) fn line(&mut self, text: &str, c: &mut Context<'_, '_>) -> bool {
        self.machine.now = c.now();
        if self.finished.is_none()
            && let Err(stop) = self.machine.record(&self.program, text, c)
        {
            self.finished = Some(stop);
        }
        self.finished.is_none()
    }

    pub(crate) fn finish(&mut self, failed: bool, c: &mut Context<'_, '_>) -> i32 {
        let status = self.machine.end(&self.program, self.finished, c);
        if failed && status == 0 { 2 } else { status }
    }
}
