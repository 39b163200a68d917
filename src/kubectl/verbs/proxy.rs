//! `kubectl proxy`: a port of this machine that leads to the API server, as the user of this kubectl.
//!
//! Models `kubectl/pkg/cmd/proxy`; filters of hosts and paths are read and not applied. What listens is the terminal's machine.

use api::{Str, Value};

use crate::flags::{Flag, Given, duration, number, switch, text};
use crate::{Context, Failure, Forward};

const FLAGS: &[Flag] = &[
    number("port").short('p'),
    text("address"),
    text("api-prefix"),
    text("accept-hosts"),
    text("accept-paths"),
    text("reject-paths"),
    text("reject-methods"),
    text("www").short('w'),
    text("www-prefix").short('P'),
    text("unix-socket").short('u'),
    switch("disable-filter"),
    switch("append-server-path"),
    duration("keepalive"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("proxy", FLAGS, args)?;
    let wanted = given.number("port").unwrap_or(8001);
    let Ok(local) = u16::try_from(wanted) else {
        return Err(Failure::error(format!(
            "listen tcp: address {wanted}: invalid port"
        )));
    };
    ctx.out(format!("Starting to serve on 127.0.0.1:{local}\n"));
    ctx.forward(Forward {
        local,
        address: Str::EMPTY,
        remote: 0,
    });
    ctx.resume(Value::Null);
    loop {
        ctx.sleep(sim::HOUR)?;
        ctx.checkpoint(Value::Null);
    }
}
