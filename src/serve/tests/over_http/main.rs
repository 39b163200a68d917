//! The server over real sockets: the same bytes as in process, and hostile input.
#![allow(clippy::disallowed_types, reason = "the server lives in real time")]

mod client;
mod hostile;
mod same;
