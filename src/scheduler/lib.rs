//! Finds a node for every pod that has none.
//!
//! Watches pods, nodes and what groups pods; binds through the API server; starts and stops nothing itself.
//! Models kube-scheduler v1.36 with its default profile; starts at [`Scheduler`], and [`cycle::decide`] is its heart.

pub mod amount;
pub mod cache;
pub mod cycle;
mod events;
pub mod framework;
pub mod objects;
pub mod plugins;
pub mod pod;
pub mod preemption;
pub mod queue;
mod requeue;
mod scheduler;
pub mod selector;

pub use scheduler::{Scheduler, Timer};
