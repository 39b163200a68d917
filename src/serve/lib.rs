//! The simulated cluster on a socket: the Kubernetes API over HTTPS, so that stock clients connect to it.
//!
//! Everything that the API says is decided elsewhere ([`apiserver`], [`cluster`]); here are only the clock on the wall,
//! TLS, HTTP, and the streams of exec, attach and port-forward. Native only. Starts at [`run`].
#![allow(
    clippy::disallowed_types,
    reason = "a socket lives in real time; what is simulated hears only of virtual time"
)]

mod answer;
mod engine;
mod forward;
mod front;
mod gnostic;
mod identity;
mod kubeconfig;
mod listen;
mod protobuf;
mod remote;
mod spdy;
mod upgrade;
mod websocket;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use apiserver::FieldTexts;
pub use cluster::Options as ClusterOptions;

/// What `kubenkyo serve` was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub cluster: ClusterOptions,
    /// The address that is listened on; loopback unless told otherwise.
    pub address: std::net::IpAddr,
    /// 0 takes any free port.
    pub port: u16,
    /// Virtual seconds in a second of the wall clock.
    pub speed: f64,
    /// Where the kubeconfig goes; a directory of its own if not given.
    pub kubeconfig: Option<PathBuf>,
    /// What types and fields mean, for the OpenAPI documents by which `kubectl explain` answers.
    pub field_texts: Option<Arc<FieldTexts>>,
}

/// Serves until the process is told to end (SIGTERM, SIGINT). `ready` is called once with the path of the kubeconfig.
pub fn run(options: Options, ready: impl FnOnce(&Path)) -> Result<(), String> {
    run_until(options, ready, std::future::pending())
}

/// The same, until `end` at the latest.
pub fn run_until(
    options: Options,
    ready: impl FnOnce(&Path),
    end: impl Future<Output = ()>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|why| format!("cannot start the runtime: {why}"))?;
    let outcome = runtime.block_on(listen::serve(options, ready, end));
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    outcome
}
