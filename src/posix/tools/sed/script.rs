//! What a sed script is once it is read: steps with their addresses.

use std::sync::Arc;

use crate::regex::Regex;

#[derive(Clone, Debug)]
pub(super) enum Address {
    Line(u64),
    Last,
    Step {
        first: u64,
        step: u64,
    },
    Match(Arc<Regex>),
    /// `addr,+N`
    Plus(u64),
    /// The empty regular expression: the last one used.
    Again,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Substitute {
        regex: Option<Arc<Regex>>,
        with: Vec<Piece>,
        global: bool,
        print: bool,
        nth: usize,
        write: Option<Arc<str>>,
    },
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Next,
    AppendNext,
    Quit {
        print: bool,
        status: i32,
    },
    Append(Arc<str>),
    Insert(Arc<str>),
    Change(Arc<str>),
    Translate(Vec<(char, char)>),
    Number,
    Get,
    GetAppend,
    Hold,
    HoldAppend,
    Exchange,
    Branch {
        label: Arc<str>,
        if_changed: Option<bool>,
    },
    Label(Arc<str>),
    /// Index just past the block's end.
    Open(usize),
    Close,
    Write(Arc<str>),
    List,
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Group(usize),
    Case(char),
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negate: bool,
    pub(super) action: Action,
}
