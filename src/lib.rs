//! Kubenkyo: a Kubernetes cluster that lives in a web page.

pub mod bench;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod same_run;

pub use api::KUBERNETES_VERSION;
