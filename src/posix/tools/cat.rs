//! `cat` and `tee`.

use super::{Context, Filter, Options};
use crate::system::{OpenId, OpenMode, Write};
use std::sync::Arc;

/// `cat` with its numbering and marking options.
#[derive(Clone, Debug)]
pub(crate) struct Cat {
    number: bool,
    number_filled: bool,
    ends: bool,
    tabs: bool,
    squeeze: bool,
    line: u64,
    at_start: bool,
    blank: u32,
}

pub(super) fn cat(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let o = Options::parse(
        c,
        "nbEeTtAsuv",
        "",
        &[("number", 'n'), ("show-all", 'A'), ("show-ends", 'E')],
    )?;
    let cat = Cat {
        number: o.has('n'),
        number_filled: o.has('b'),
        ends: o.has('E') || o.has('e') || o.has('A'),
        tabs: o.has('T') || o.has('t') || o.has('A'),
        squeeze: o.has('s'),
        line: 0,
        at_start: true,
        blank: 0,
    };
    Ok((Filter::Cat(cat), o.sources()))
}

impl Cat {
    pub(crate) fn take(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) -> bool {
        if !(self.number || self.number_filled || self.ends || self.tabs || self.squeeze) {
            c.out.extend_from_slice(bytes);
            return true;
        }
        for b in bytes {
            if self.at_start {
                self.blank = if *b == b'\n' { self.blank + 1 } else { 0 };
                if self.squeeze && self.blank > 1 {
                    continue;
                }
                if self.number && !self.number_filled || self.number_filled && *b != b'\n' {
                    self.line += 1;
                    c.say(&format!("{:>6}\t", self.line));
                }
            }
            self.at_start = *b == b'\n';
            match b {
                b'\n' if self.ends => c.say("$\n"),
                b'\t' if self.tabs => c.say("^I"),
                b => c.out.push(*b),
            }
        }
        true
    }
}

/// `tee`: standard output and files.
#[derive(Clone, Debug)]
pub(crate) struct Tee {
    files: Vec<OpenId>,
    failed: bool,
}

pub(super) fn tee(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let o = Options::parse(c, "ai", "", &[("append", 'a')])?;
    let mode = OpenMode {
        write: true,
        truncate: !o.has('a'),
        append: o.has('a'),
        ..OpenMode::default()
    };
    let mut tee = Tee {
        files: Vec::new(),
        failed: false,
    };
    for path in &o.operands {
        match c.k.open_path(c.p, path, mode) {
            Ok(open) => tee.files.push(open),
            Err(errno) => {
                c.warn(&format!("{path}: {errno}"));
                tee.failed = true;
            }
        }
    }
    Ok((Filter::Tee(tee), vec!["-".into()]))
}

impl Tee {
    pub(crate) fn take(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) -> bool {
        c.out.extend_from_slice(bytes);
        for open in &self.files {
            if let Write::Failed(errno) = c.k.write(*open, bytes)
                && !self.failed
            {
                self.failed = true;
                c.warn(&format!("write error: {errno}"));
            }
        }
        true
    }

    pub(crate) fn finish(&mut self, c: &mut Context<'_, '_>) -> i32 {
        for open in std::mem::take(&mut self.files) {
            c.k.close(open);
        }
        self.failed as i32
    }
}
