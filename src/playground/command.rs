//! What the user can do to the cluster. A run is its [`Options`] and the list of (time, command): a [`Recording`].

use serde::{Deserialize, Serialize};

use crate::{Micros, TerminalId};

/// How the cluster begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    pub seed: u64,
    pub nodes: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { seed: 7, nodes: 3 }
    }
}

/// Something the user does. Takes effect at the present virtual time; what comes of it arrives as updates while time advances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Writes `file` into the terminal's file system and runs `kubectl apply -f FILE` in `terminal`; answered by [`Update::Applied`](crate::Update::Applied).
    Apply {
        file: String,
        text: String,
        terminal: TerminalId,
    },
    /// Writes a file into the terminal's file system, so that typed commands see what the editor shows.
    Save(FileText),
    /// One line typed into a terminal, without its line end. While the prompt is [`Continue`](crate::PromptState::Continue) it continues
    /// the command before; while it is `Busy` it is the command's standard input.
    Terminal { terminal: TerminalId, line: String },
    /// Ctrl+C.
    Interrupt { terminal: TerminalId },
}

/// A file of the terminal's file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileText {
    pub name: String,
    pub text: String,
}

/// A run, complete: the same recording gives the same cluster, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    pub options: Options,
    pub commands: Vec<(Micros, Command)>,
}
