//! The page as a part of another one: a slide deck, an article. What the address asks for is in `params`; `jobs` works off what is to be
//! done in the terminal; `call` and `host` are the messages of the page around; `bar` is the line beneath. `dialog` makes the text
//! that an author pastes. `EMBEDDING.md` is for authors.

pub(crate) mod bar;
pub(crate) mod call;
pub(crate) mod dialog;
pub(crate) mod host;
pub(crate) mod jobs;
pub(crate) mod params;
mod snippet;
