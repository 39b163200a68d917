//! What an awk program is once it is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::regex::Regex;

#[derive(Debug)]
pub(super) struct Program {
    pub(super) begin: Vec<Arc<[Stmt]>>,
    pub(super) end: Vec<Arc<[Stmt]>>,
    pub(super) rules: Vec<(Pattern, Arc<[Stmt]>)>,
    pub(super) functions: BTreeMap<String, (Vec<String>, Arc<[Stmt]>)>,
}

impl Program {
    /// A program of `BEGIN` alone reads nothing.
    pub(super) fn reads_input(&self) -> bool {
        !self.rules.is_empty() || !self.end.is_empty()
    }
}

#[derive(Debug)]
pub(super) enum Pattern {
    Always,
    Expr(Expr),
    Range(Expr, Expr),
}

#[derive(Debug)]
pub(super) enum Stmt {
    Expr(Expr),
    Print {
        args: Vec<Expr>,
        to: Option<(bool, Expr)>,
    },
    Printf {
        args: Vec<Expr>,
        to: Option<(bool, Expr)>,
    },
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Do(Vec<Stmt>, Expr),
    For(
        Option<Box<Stmt>>,
        Option<Expr>,
        Option<Box<Stmt>>,
        Vec<Stmt>,
    ),
    ForIn(String, String, Vec<Stmt>),
    Block(Vec<Stmt>),
    Next,
    Exit(Option<Expr>),
    Break,
    Continue,
    Return(Option<Expr>),
    Delete(String, Option<Vec<Expr>>),
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    Number(f64),
    Text(Arc<str>),
    Regex(Arc<Regex>),
    Var(String),
    Field(Box<Expr>),
    Index(String, Vec<Expr>),
    Assign(&'static str, Box<Expr>, Box<Expr>),
    Unary(&'static str, Box<Expr>),
    Step {
        target: Box<Expr>,
        by: f64,
        before: bool,
    },
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Match(bool, Box<Expr>, Box<Expr>),
    In(Vec<Expr>, String),
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    Group(Box<Expr>),
}
