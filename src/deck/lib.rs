//! Slides as plain data: Markdown in, a [`Deck`] out.
//!
//! Reads the Markdown conventions that decks already use (reveal.js, reveal-md, GitPitch, Marp, Slidev) and
//! adds live cells: manifests to apply, lines to run, tasks with a goal, scenes. Draws nothing and knows no
//! HTML: raw HTML in a deck is reduced to a short allow-list and everything else becomes text, so whoever
//! draws a deck has nothing to sanitise. Never fails: what cannot be understood is a [`Problem`] with the
//! slide, the line and a hint, and the rest of the deck is still there. The format for authors is in
//! `slides/README.md`. Start at [`Deck::parse`] or, for the study group's own deck, at [`bundled`].

mod bundled;
mod fence;
mod fields;
mod gitpitch;
mod goal;
mod html;
mod markdown;
mod model;
mod problems;
mod slide;
mod split;
mod task;

pub use bundled::{File, beginning, bundled, figure, figure_names, lessons};
pub use goal::{
    Amount, FieldTest, Goal, Objects, Path, PathStep, Progress, Requirement, Scalar, Test, Tree,
    World,
};
pub use model::{
    Align, Apply, Block, BlockKind, Cell, Deck, FrontMatter, Highlight, Inline, Item, Lang, Run,
    Scene, Slide, Stage, View, Words, plain, sentence,
};
pub use problems::Problem;
pub use task::{Attempt, Mistake, Task};

#[cfg(test)]
mod tests;
