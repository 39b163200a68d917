//! The core tools: one function or one small state machine each, on plain streams.
//!
//! Three shapes: a tool that does its work at once ([`Run::Now`]; if it asks for standard input it is run again
//! when that is complete), a filter that works while its input comes ([`Run::Filter`]), and one that waits for
//! something else ([`Run::Live`]). Messages follow busybox or the GNU tools, as the system's flavour says.

mod archive;
mod awk;
mod base64;
mod batch;
mod cat;
mod context;
mod date;
mod diff;
mod digest;
mod dump;
mod echo;
mod expr;
mod fields;
mod filesystem;
mod filter;
mod find;
mod grep;
mod head;
mod identity;
mod jq;
mod lines;
mod list;
mod live;
mod net;
mod paths;
mod printf;
mod processes;
mod sed;
mod sort;
mod stat;
mod table;
mod tail;
mod translate;
mod usage;

pub(crate) use context::{Context, Options};
pub use date::format as format_date;
pub(crate) use echo::echo_text;
pub(crate) use filter::{Feed, Filter};
pub(crate) use live::Live;
pub(crate) use live::seconds;
pub use net::split_url;
pub(crate) use printf::format_text;
pub use table::names;

use crate::shell::Env;
use crate::system::{Argv, Kernel, OpenMode, Process, Read, Turn, Wait};
use std::sync::Arc;

/// Standard input a tool that needs all of it may collect.
const INPUT_LIMIT: usize = 16 << 20;

/// Bytes a filter takes in one turn.
const CHUNK: usize = 16 << 10;

/// A tool in the table.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

/// A filter and the names of its inputs.
pub(crate) type Fed = (Filter, Vec<Arc<str>>);

/// How a tool works.
#[derive(Debug)]
pub(crate) enum Run {
    Now(fn(&mut Context<'_, '_>) -> i32),
    /// The names of its inputs come with the filter.
    Filter(fn(&mut Context<'_, '_>) -> Result<Fed, i32>),
    Live(fn(&mut Context<'_, '_>) -> Result<Live, i32>),
}

/// A running tool.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    spec: &'static Spec,
    pub(crate) argv: Argv,
    pub(crate) env: Arc<Env>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Start,
    Collecting(Vec<u8>),
    Filtering(Box<Feed>),
    Living(Box<Live>),
}

/// The tool of that name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    let table = table::TABLE;
    table
        .binary_search_by_key(&name, |spec| spec.name)
        .ok()
        .map(|i| &table[i])
}

impl Tool {
    pub(crate) fn new(spec: &'static Spec, argv: Argv, env: Arc<Env>) -> Tool {
        Tool {
            spec,
            argv,
            env,
            state: State::Start,
        }
    }

    pub(crate) fn run(&mut self, p: &mut Process, k: &mut Kernel<'_>, used: &mut u32) -> Turn {
        p.wait = Wait::Ready;
        let state = std::mem::replace(&mut self.state, State::Start);
        match state {
            State::Start => self.begin(None, p, k, used),
            State::Collecting(bytes) => self.collect(bytes, p, k, used),
            State::Filtering(feed) => self.filter(feed, p, k, used),
            State::Living(mut live) => {
                let mut context = Context::new(&self.argv, &self.env, p, k, None);
                let turn = live.run(&mut context);
                context.flush();
                if context.failed_write {
                    return Turn::Exit(1);
                }
                if matches!(turn, Turn::Continue) {
                    self.state = State::Living(live);
                }
                turn
            }
        }
    }

    fn begin(
        &mut self,
        input: Option<Vec<u8>>,
        p: &mut Process,
        k: &mut Kernel<'_>,
        used: &mut u32,
    ) -> Turn {
        let mut context = Context::new(&self.argv, &self.env, p, k, input);
        match self.spec.run {
            Run::Now(run) => {
                let status = run(&mut context);
                if context.wants_input {
                    return self.collect(Vec::new(), p, k, used);
                }
                *used += (context.out.len() / 256) as u32;
                Turn::Exit(context.finish(status))
            }
            Run::Filter(start) => match start(&mut context) {
                Ok((filter, sources)) => {
                    context.flush();
                    let feed = Box::new(Feed::new(filter, sources));
                    self.filter(feed, p, k, used)
                }
                Err(status) => Turn::Exit(context.finish(status)),
            },
            Run::Live(start) => match start(&mut context) {
                Ok(mut live) => {
                    let turn = live.run(&mut context);
                    context.flush();
                    if matches!(turn, Turn::Continue) {
                        self.state = State::Living(Box::new(live));
                    }
                    turn
                }
                Err(_) if context.wants_input => self.collect(Vec::new(), p, k, used),
                Err(status) => Turn::Exit(context.finish(status)),
            },
        }
    }

    fn collect(
        &mut self,
        mut bytes: Vec<u8>,
        p: &mut Process,
        k: &mut Kernel<'_>,
        used: &mut u32,
    ) -> Turn {
        if let Some(open) = p.fd(0) {
            loop {
                match k.read(open, 65_536) {
                    Read::Data(more) => bytes.extend(more),
                    Read::Wait => {
                        p.wait = Wait::Read(open);
                        self.state = State::Collecting(bytes);
                        return Turn::Continue;
                    }
                    Read::End | Read::Failed(_) => break,
                }
                if bytes.len() > INPUT_LIMIT {
                    break;
                }
            }
        }
        *used += (bytes.len() / 256) as u32;
        self.begin(Some(bytes), p, k, used)
    }

    fn filter(
        &mut self,
        mut feed: Box<Feed>,
        p: &mut Process,
        k: &mut Kernel<'_>,
        used: &mut u32,
    ) -> Turn {
        loop {
            if !p.out.is_empty() && !k.flush(p) || p.ending.is_some() || *used > 64 {
                self.state = State::Filtering(feed);
                return Turn::Continue;
            }
            let mut context = Context::new(&self.argv, &self.env, p, k, None);
            if feed.stopped {
                let status = feed.finish(&mut context);
                return Turn::Exit(context.finish(status));
            }
            let open = match feed.open {
                Some(open) => open,
                None => {
                    let Some(source) = feed.sources.pop() else {
                        feed.stopped = true;
                        continue;
                    };
                    feed.name = source.clone();
                    if &*source == "-" {
                        feed.own = false;
                        let Some(open) = context.p.fd(0) else {
                            continue;
                        };
                        feed.open = Some(open);
                        feed.begin(&mut context);
                        context.flush();
                        continue;
                    }
                    let mode = OpenMode {
                        read: true,
                        ..OpenMode::default()
                    };
                    match context.k.open_path(context.p, &source, mode) {
                        Ok(open) => {
                            feed.own = true;
                            feed.open = Some(open);
                            feed.begin(&mut context);
                        }
                        Err(errno) => {
                            context.cannot_open(&source, errno);
                            feed.failed();
                        }
                    }
                    context.flush();
                    continue;
                }
            };
            match context.k.read(open, CHUNK) {
                Read::Data(bytes) => {
                    *used += 1 + (bytes.len() / 256) as u32;
                    feed.take(&bytes, &mut context);
                    context.flush();
                    if context.failed_write {
                        return Turn::Exit(1);
                    }
                }
                Read::Wait => {
                    context.flush();
                    if p.out.is_empty() {
                        p.wait = Wait::Read(open);
                    }
                    self.state = State::Filtering(feed);
                    return Turn::Continue;
                }
                Read::End => {
                    feed.end(&mut context);
                    feed.open = None;
                    if feed.own {
                        context.k.close(open);
                    }
                    context.flush();
                }
                Read::Failed(errno) => {
                    context.read_error(&feed.name.clone(), errno);
                    feed.failed();
                    feed.end(&mut context);
                    feed.open = None;
                    if feed.own {
                        context.k.close(open);
                    }
                    context.flush();
                }
            }
        }
    }
}
