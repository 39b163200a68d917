//! How a component talks to the API server: client-go's role, without goroutines.
//!
//! A component is a plain struct with three inputs and one output, and no handle to anything else:
//! `respond` (an answer came), `observe` (a watch event came), `wake` (a timer fired), each with an
//! [`Outbox`] into which it puts requests, timers and notes. `cluster` turns those into queue events.

pub mod outbox;

pub use outbox::{Component, Effect, Outbox};
