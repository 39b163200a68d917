//! Tools that work while their input comes, line by line or piece by piece.

use super::awk::Awk;
use super::cat::{Cat, Tee};
use super::context::Context;
use super::fields::{Cut, Rev, Uniq};
use super::grep::Grep;
use super::head::Head;
use super::sed::Sed;
use super::translate::Tr;
use crate::system::OpenId;
use std::sync::Arc;

/// A filter's own state.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Cat(Cat),
    Tee(Tee),
    Head(Head),
    Grep(Box<Grep>),
    Sed(Box<Sed>),
    Awk(Box<Awk>),
    Cut(Cut),
    Rev(Rev),
    Uniq(Uniq),
    Tr(Box<Tr>),
}

/// A filter with the inputs it is fed from.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    filter: Filter,
    /// The inputs to come, the next one last.
    pub(crate) sources: Vec<Arc<str>>,
    pub(crate) open: Option<OpenId>,
    /// The input was opened here and is closed here.
    pub(crate) own: bool,
    pub(crate) name: Arc<str>,
    partial: Vec<u8>,
    pub(crate) stopped: bool,
    any_failed: bool,
}

/// A line longer than this is cut.
const LINE_LIMIT: usize = 4 << 20;

impl Feed {
    pub(crate) fn new(filter: Filter, mut sources: Vec<Arc<str>>) -> Feed {
        sources.reverse();
        Feed {
            filter,
            sources,
            open: None,
            own: false,
            name: "-".into(),
            partial: Vec::new(),
            stopped: false,
            any_failed: false,
        }
    }

    /// An input could not be read.
    pub(crate) fn failed(&mut self) {
        self.any_failed = true;
    }

    pub(crate) fn begin(&mut self, c: &mut Context<'_, '_>) {
        match &mut self.filter {
            Filter::Head(head) => head.begin(&self.name, c),
            Filter::Grep(grep) => grep.begin(&self.name),
            Filter::Sed(sed) => sed.begin(&self.name),
            Filter::Awk(awk) => awk.begin(&self.name),
            _ => {}
        }
    }

    pub(crate) fn take(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) {
        let go = match &mut self.filter {
            Filter::Cat(cat) => cat.take(bytes, c),
            Filter::Tee(tee) => tee.take(bytes, c),
            Filter::Head(head) => head.take(bytes, c),
            Filter::Tr(tr) => tr.take(bytes, c),
            _ => {
                self.lines(bytes, c);
                return;
            }
        };
        if !go {
            self.stop(c);
        }
    }

    fn lines(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let go = if self.partial.is_empty() {
                let text = String::from_utf8_lossy(&rest[..end]);
                line(&mut self.filter, &text, true, c)
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(&rest[..end]);
                line(&mut self.filter, &String::from_utf8_lossy(&whole), true, c)
            };
            rest = &rest[end + 1..];
            if !go {
                self.stop(c);
                return;
            }
        }
        let room = LINE_LIMIT.saturating_sub(self.partial.len());
        self.partial
            .extend_from_slice(&rest[..rest.len().min(room)]);
    }

    /// Reads no more of this input; most filters then end.
    fn stop(&mut self, c: &mut Context<'_, '_>) {
        self.partial.clear();
        if self.own
            && let Some(open) = self.open
        {
            c.k.close(open);
        }
        self.open = None;
        let next_file = match &mut self.filter {
            Filter::Head(_) | Filter::Grep(_) => true,
            Filter::Sed(sed) => {
                sed.end(c);
                false
            }
            _ => false,
        };
        if let Filter::Grep(grep) = &mut self.filter {
            grep.end(c);
        }
        if !next_file || self.sources.is_empty() {
            self.stopped = true;
        }
        if let Filter::Grep(grep) = &self.filter
            && grep.decided()
        {
            self.stopped = true;
        }
    }

    pub(crate) fn end(&mut self, c: &mut Context<'_, '_>) {
        if !self.partial.is_empty() {
            let whole = std::mem::take(&mut self.partial);
            if !line(&mut self.filter, &String::from_utf8_lossy(&whole), false, c) {
                self.stopped = true;
            }
        }
        match &mut self.filter {
            Filter::Grep(grep) => grep.end(c),
            Filter::Sed(sed) if self.sources.is_empty() || sed.separate() => sed.end(c),
            _ => {}
        }
    }

    /// The end of all inputs; the status.
    pub(crate) fn finish(&mut self, c: &mut Context<'_, '_>) -> i32 {
        let failed = self.any_failed;
        match &mut self.filter {
            Filter::Grep(grep) => grep.finish(failed),
            Filter::Sed(sed) => sed.finish(failed, c),
            Filter::Awk(awk) => awk.finish(failed, c),
            Filter::Uniq(uniq) => {
                uniq.finish(c);
                failed as i32
            }
            Filter::Tee(tee) => tee.finish(c),
            _ => failed as i32,
        }
    }
}

fn line(filter: &mut Filter, text: &str, ended: bool, c: &mut Context<'_, '_>) -> bool {
    match filter {
        Filter::Grep(grep) => grep.line(text, c),
        Filter::Sed(sed) => sed.line(text, ended, c),
        Filter::Awk(awk) => awk.line(text, c),
        Filter::Cut(cut) => cut.line(text, c),
        Filter::Rev(rev) => rev.line(text, c),
        Filter::Uniq(uniq) => uniq.line(text, c),
        _ => true,
    }
}
