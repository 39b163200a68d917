//! The format, convention by convention.

use crate::Deck;

#[test]
fn an_empty_file_is_an_empty_deck() {
    assert!(Deck::parse(&[("a.md", "")]).is_empty());
}
