//! The ways to change an object in part.
//!
//! [`json`] is RFC 6902, [`merge`] RFC 7386; both know nothing of types. [`strategic`] goes by the schema,
//! and so does [`apply`], which also keeps the record of who set what.

pub mod apply;
pub mod json;
pub mod merge;
pub mod strategic;
