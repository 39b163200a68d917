//! kubectl: a command line in, requests out, text back, exactly as the real one of v1.36 prints it.
//!
//! Knows the API server only through requests (`api::request`); [`Invocation`] is a running command,
//! [`Host`] the machine it runs on. `verbs/` has a file per command, `print/` the output formats.

mod failure;
mod flags;
mod hash;
mod invocation;
mod kustomize;
mod print;
mod resource;
mod targets;
mod verbs;

pub use api::Arrival;
pub use failure::Failure;
pub use invocation::{Context, Forward, Host, Invocation, Progress};
pub use verbs::{commands, create::generators};

/// Runs the command of `ctx` from its start; called again whenever an answer has arrived.
fn run(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let args = ctx.args();
    verbs::dispatch(ctx, &args)
}
