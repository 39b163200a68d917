//! The parser, convention by convention, and the bundled decks as readers get them.

mod deck;
mod decks;
mod format;
mod goals;
mod robust;
mod schema;
mod spelling;
