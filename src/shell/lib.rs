//! The machine in front of the learner: terminals with a shell, files and kubectl, beside a cluster.
//!
//! A [`Workstation`] owns the cluster and steps it together with its terminals, so that one virtual clock rules
//! both. The shell and its tools are [`posix`]'s; kubectl is [`kubectl::Invocation`]; this room joins them and has
//! one command of its own, `kubenkyo`, which breaks things. Plain data: a clone continues as its original.

mod breaking;
mod image;
mod kubectl_host;
mod minikube;
mod session;
mod terminal;
mod workstation;

pub use breaking::commands as breaking_commands;
pub use session::{Outcome, Session};
pub use terminal::{Chunk, Prompt};
pub use workstation::{Command, Options, Workstation};
