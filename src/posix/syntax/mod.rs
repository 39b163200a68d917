//! Text to syntax tree: the grammar of the POSIX shell with the bash additions people type.
//!
//! Starts at [`Parser::next_command`], which reads one complete command (as a shell does, so that a syntax error on
//! line ten comes after line nine ran). Never panics; nesting is bounded.

mod ast;
mod braced;
mod braces;
mod compound;
mod cond;
mod error;
mod heredoc;
mod list;
mod parser;
mod redirection;
mod simple;
mod word;

pub(crate) use ast::*;
pub(crate) use braces::expand_braces;
pub use error::ParseError;
pub(crate) use parser::Parser;

/// Which shell a process is: it decides small matters of syntax and the wording of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// busybox's shell (busybox, alpine).
    Ash,
    /// Debian's and Ubuntu's `/bin/sh`.
    Dash,
    #[default]
    Bash,
}

/// Whether `name` may name a variable.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
