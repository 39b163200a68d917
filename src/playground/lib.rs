//! The only door to the cluster: [`Command`] in, [`Update`] out, plain data both ways.
//!
//! Whoever draws the cluster folds the updates into what it shows and never sees an object of the core; so the core can move into a
//! worker, or be replayed, without its audience noticing. Texts for people come in both languages ([`Text`]); what kubectl or the API
//! server say stays English, as with the real ones. Start at [`Playground`].

mod ask;
mod command;
mod desk;
mod editing;
mod inspect;
mod replay;
mod rows;
mod run;
pub mod share;
mod update;
mod watch;

pub use command::{Command, FileText, Options, Recording};
pub use editing::{Candidate, Completion, Problem};
pub use inspect::{Detail, EventRow, Fact, Fix, PluginVerdict, Verdict, Why, WhyNode};
pub use replay::Replay;
pub use run::{Advance, Playground};
pub use update::{
    Applied, Chain, ChainStep, Container, ContainerState, Control, Controller, Fall, Mark,
    MarkKind, Message, NodeRow, ObjectRef, ObjectRow, Output, Part, PodRow, PromptState, Relation,
    State, TerminalId, TerminalUpdate, Update,
};

/// Slides, their live cells and tasks.
pub use deck;

use serde::{Deserialize, Serialize};

/// Longest text of a manifest or a file, in bytes: no object of more fits into etcd (`--max-request-bytes`), and a page that reads more
/// stands still for seconds.
pub const TEXT_MAX: usize = 3 << 19;

/// Virtual time in microseconds since the cluster was switched on.
pub type Micros = u64;

/// A sentence in both languages of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub ja: String,
    pub en: String,
}

impl Text {
    /// A sentence with its translation.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Text {
        Text {
            ja: ja.into(),
            en: en.into(),
        }
    }

    /// Words that are the same in both, such as a name.
    pub fn same(text: impl Into<String>) -> Text {
        let text = text.into();
        Text {
            ja: text.clone(),
            en: text,
        }
    }
}

/// Whether the cluster does anything about objects of this `apiVersion` and `kind`, beyond keeping and showing them.
pub fn acts_on(version: &str, kind: &str) -> bool {
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let known = api::kinds::all().iter();
    let mut named = known.filter(|known| known.group == *group && known.kind == *kind);
    // What is not ours the server refuses, or somebody added it.
    named
        .next()
        .is_none_or(|known| cluster::acts_on(group, &known.plural))
}

#[cfg(test)]
mod tests;
