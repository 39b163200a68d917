//! A simulated machine with its kubelet and container runtime.
//!
//! Runs the pods that are bound to its node and tells the API server how they are; knows nothing of other nodes and never
//! chooses where a pod goes. Models kubelet v1.36 over containerd; starts at [`Kubelet`].

pub mod catalogue;
mod health;
mod host;
pub mod images;
mod kubelet;
mod machine;
mod needs;
mod plan;
pub mod pod;
pub mod probe;
pub mod process;
pub mod reference;
mod register;
mod resources;
mod start;
pub mod status;
mod stop;
mod worker;

pub use kubelet::{Alarm, Kubelet, Timer};
pub use machine::Machine;
