//! What a Kubernetes object is and what may be asked about one.
//!
//! An object is a [`Value`]: a compact JSON-like tree whose parts are shared between versions and siblings.
//! Its shape is checked against one static table of every type of v1.36 ([`schema`]); typed views
//! ([`view!`](crate::view), [`meta`], [`core`], [`apps`]) give its fields names. A kind is a row of a table,
//! never a Rust type of its own.

pub mod base64;
pub mod decode;
pub mod diagnose;
pub mod duration;
pub mod kinds;
pub mod names;
pub mod note;
pub mod patch;
pub mod quantity;
pub mod request;
pub mod schema;
pub mod selector;
pub mod status;
pub mod text;
pub mod usage;
pub mod value;
pub mod view;
pub mod yaml;

pub mod apps;
pub mod batch;
pub mod core;
pub mod meta;

pub use note::{Note, Part};
pub use request::{
    Arrival, Body, Frame, Input, Options, PatchKind, Request, RequestId, Resource, Response, Verb,
    WatchEvent, WatchKind,
};
pub use status::Status;
pub use text::Str;
pub use value::{Map, Value};

#[cfg(test)]
mod golden;

/// The version of Kubernetes whose behaviour is modelled.
pub const KUBERNETES_VERSION: &str = "v1.36.2";

/// What the programs of that release say of their own build: commit, time, compiler.
pub const KUBERNETES_BUILD: [&str; 3] = [
    "b2b5a5d1c6a5c1c9c2ee5cd2d0e1ee4a4aaaf5a1",
    "2026-06-09T17:20:11Z",
    "go1.26.6",
];
