//! A simulated machine with its kubelet and container runtime.
//!
//! Runs the pods that are bound to its node and tells the API server how they are; knows nothing of other nodes and never
//! chooses where a pod goes. Models kubelet v1.36 over containerd; starts at [`Kubelet`].

mod admission;
pub mod catalogue;
mod custom;
mod environment;
mod eviction;
mod files;
mod health;
mod host;
pub mod images;
pub mod inside;
mod kubelet;
pub mod log;
mod machine;
mod mirror;
mod mount;
mod needs;
mod packages;
mod plan;
pub mod pod;
pub mod probe;
pub mod process;
mod programs;
pub mod reference;
mod refresh;
mod register;
mod resize;
mod resources;
mod serve;
mod servers;
mod start;
pub mod status;
mod stop;
mod token;
mod traffic;
mod tty;
mod usage;
mod within;
mod worker;

pub use custom::Custom;
pub use eviction::Resource;
pub use kubelet::{Alarm, Kubelet, Timer};
pub use machine::Machine;
pub use serve::Follower;
pub use token::is_token_of;
pub use traffic::{Answered, Packet};
pub use usage::{Usage, WINDOW};
