//! What can be asked about one object: its summary, YAML and events, and *Why?* — why a Pod waits, node by node.

use serde::{Deserialize, Serialize};

use crate::{ChainStep, Micros, ObjectRef, Text};

/// Everything the inspector shows about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub object: ObjectRef,
    /// Name and value, in order.
    pub facts: Vec<Fact>,
    /// As `kubectl get -o yaml` prints it.
    pub yaml: String,
    pub events: Vec<EventRow>,
    pub why: Option<Why>,
}

/// One line of the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: Text,
    pub value: String,
    /// An object that the value names.
    pub link: Option<ObjectRef>,
}

/// An Event of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    pub at: Micros,
    pub count: u32,
    pub is_warning: bool,
    pub reason: String,
    pub from: String,
    pub message: String,
}

/// Why an object is as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The answer in a few words: "No node fits."
    pub lead: Text,
    /// The rest of the sentence.
    pub rest: Text,
    /// The scheduler's filter plugins, as columns. Empty when it is not about scheduling.
    pub plugins: Vec<String>,
    pub nodes: Vec<WhyNode>,
    pub fixes: Vec<Fix>,
    /// How it came to this.
    pub history: Vec<ChainStep>,
}

/// How one node did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyNode {
    pub node: String,
    /// One for each plugin.
    pub verdicts: Vec<PluginVerdict>,
    /// What the refusing plugin said.
    pub reason: String,
}

/// What a plugin said about a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVerdict {
    pub verdict: Verdict,
    /// Its score, when the node came so far.
    pub score: Option<i64>,
}

/// A filter's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Passed,
    Refused,
    /// An earlier one refused, so this one was not asked.
    #[default]
    NotAsked,
}

/// Something that would help.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    pub says: Text,
    /// The line to run, when a command does it.
    pub command: Option<String>,
    pub effect: Text,
}

/// A deck's words as text of the page.
pub(crate) fn words(words: &deck::Words) -> Text {
    Text::new(words.ja.clone(), words.en.clone())
}
