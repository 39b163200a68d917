//! The ways to change an object in part.
//!
//! [`json`] is RFC 6902, [`merge`] RFC 7386; both know nothing of types.

pub mod json;
pub mod merge;
