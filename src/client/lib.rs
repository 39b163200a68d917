//! How a component talks to the API server: client-go's role, without goroutines.
//!
//! A component is a plain struct with three inputs and one output, and no handle to anything else:
//! `respond` (an answer came), `observe` (a watch event came), `wake` (a timer fired), each with an
//! [`Outbox`] into which it puts requests, timers and notes. `cluster` turns those into queue events.
//! [`Informers`] keep local copies of collections, a [`WorkQueue`] the keys that need work, [`Expectations`]
//! what is awaited, a [`Recorder`] writes Events. A [`Feed`] is a reflector that keeps nothing.

pub mod cache;
pub mod expectations;
pub mod feed;
pub mod informers;
pub mod outbox;
pub mod recorder;
pub mod reflector;
pub mod workqueue;

pub use cache::{Cache, Change, ObjectKey};
pub use expectations::Expectations;
pub use feed::{Fed, Feed};
pub use informers::{InformerId, Informers};
pub use outbox::{Component, Effect, Outbox};
pub use recorder::{ObjectRef, Occurrence, Recorder, Severity};
pub use reflector::Reflector;
pub use workqueue::{PAUSES, WorkQueue};

/// The timers of this room. A component's own timer type has a variant for them and `From<client::Timer>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Forward to [`Informers::wake`].
    Reflector(InformerId),
    /// Forward to [`Recorder::wake`].
    Events,
}
