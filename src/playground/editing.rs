//! What the editor and the terminal ask while the user types. Pure questions: they change nothing and are not recorded.

use serde::{Deserialize, Serialize};

use crate::Text;

/// Something wrong with a manifest, at its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Byte offsets into the text.
    pub from: usize,
    pub to: usize,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// `spec.template.spec.containers[0].port`; empty when it is about the whole document.
    pub path: String,
    /// After the path, as a sentence.
    pub message: Text,
    /// What to do, when that is known.
    pub hint: Option<Text>,
    /// The text that would mend it, in place of `from..to`.
    pub replacement: Option<String>,
    /// Whether the server would still take it.
    pub is_warning: bool,
}

/// Ways to go on from the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Where the replaced text begins, in bytes; it ends at the cursor.
    pub from: usize,
    pub candidates: Vec<Candidate>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub text: String,
    /// A type or a short note.
    pub detail: String,
}
