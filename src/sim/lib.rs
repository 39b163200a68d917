//! Time, chance and order: what makes a run reproducible. Knows nothing of Kubernetes.
//!
//! A run is a function of its seed, options and commands. Everything here is plain data, so that a clone
//! of a simulation continues exactly as its original.

pub mod queue;
pub mod ring;
pub mod rng;
pub mod time;
pub mod timeline;
pub mod trace;

pub use queue::Queue;
pub use ring::Ring;
pub use rng::Rng;
pub use time::{HOUR, MICROS_PER_SEC, MILLI, MINUTE, Micros, SECOND, Time};
pub use timeline::{Machine, Timeline};
pub use trace::{Digest, NoteId, Trace, Traced};
