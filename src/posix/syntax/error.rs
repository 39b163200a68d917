//! Why text is no command, in the words of each shell.

use super::Dialect;
use std::fmt;

/// Why text is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// More lines may complete it: an open quote, here-document or compound command.
    Incomplete {
        wanted: String,
        line: u32,
    },
    Syntax {
        near: String,
        line: u32,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Incomplete { wanted, .. } if wanted.is_empty() => {
                f.write_str("syntax error: unexpected end of file")
            }
            ParseError::Incomplete { wanted, .. } => {
                write!(f, "unexpected EOF while looking for matching `{wanted}'")
            }
            ParseError::Syntax { near, .. } => {
                write!(f, "syntax error near unexpected token `{near}'")
            }
        }
    }
}

impl ParseError {
    pub fn line(&self) -> u32 {
        match self {
            ParseError::Incomplete { line, .. } | ParseError::Syntax { line, .. } => *line,
        }
    }

    /// The words each shell uses for it.
    pub fn message(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (_, Dialect::Bash) => self.to_string(),
            (ParseError::Incomplete { wanted, .. }, _) if wanted == "\"" || wanted == "'" => {
                if dialect == Dialect::Ash {
                    "syntax error: unterminated quoted string".into()
                } else {
                    "Syntax error: Unterminated quoted string".into()
                }
            }
            (ParseError::Incomplete { .. }, Dialect::Ash) => {
                "syntax error: unexpected end of file".into()
            }
            (ParseError::Incomplete { .. }, _) => "Syntax error: end of file unexpected".into(),
            (ParseError::Syntax { near, .. }, Dialect::Ash) => {
                format!("syntax error: unexpected {}", quoted_token(near))
            }
            (ParseError::Syntax { near, .. }, _) => {
                format!("Syntax error: {} unexpected", quoted_token(near))
            }
        }
    }
}

fn quoted_token(near: &str) -> String {
    match near {
        "newline" => "newline".into(),
        other => format!("\"{other}\""),
    }
}

pub(super) type Parsed<T> = Result<T, ParseError>;
