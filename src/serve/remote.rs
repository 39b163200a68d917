//! exec and attach: a container's streams on one side, a client's on the other, whatever protocol carries them.
//!
//! Models what a kubelet's streaming server does once a connection is upgraded.

use api::{Arrival, Frame, Input, Request, Value, list, map};

use crate::engine::Asked;

/// Channel numbers of the remote command protocols.
pub(crate) const STDIN: u8 = 0;
pub(crate) const STDOUT: u8 = 1;
pub(crate) const STDERR: u8 = 2;
pub(crate) const ERROR: u8 = 3;
pub(crate) const RESIZE: u8 = 4;

/// Which streams a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    pub(crate) tty: bool,
}

impl Wants {
    pub(crate) fn of(request: &Request) -> Wants {
        let is_on = |name: &str| {
            let found = request.options.query.iter().find(|(key, _)| key == name);
            found.is_some_and(|(_, value)| matches!(value.as_str(), "true" | "1"))
        };
        let tty = is_on("tty");
        Wants {
            stdin: is_on("stdin"),
            stdout: is_on("stdout"),
            stderr: is_on("stderr") && !tty,
            tty,
        }
    }
}

/// The client's end of the streams.
pub(crate) trait Peer {
    /// What the client sends next; `None` once it is gone. May be dropped while it waits.
    async fn next(&mut self) -> Option<Input>;
    /// Whether every stream is there that output may go to.
    fn is_ready(&self) -> bool;
    /// Hands on output; false once the client is gone.
    async fn output(&mut self, channel: u8, bytes: &[u8]) -> bool;
    /// Says how it ended, and closes.
    async fn finish(self, status: &Value);
}

/// Carries both ways until one end is done.
pub(crate) async fn carry<P: Peer>(mut peer: P, mut asked: Asked, first: Frame, wants: Wants) {
    let mut pending = Some(first);
    let status = loop {
        let frame = match pending.take() {
            Some(frame) if peer.is_ready() => frame,
            waiting => {
                pending = waiting;
                let is_ready = pending.is_none() && peer.is_ready();
                tokio::select! {
                    input = peer.next() => match input {
                        Some(input) => {
                            asked.input(input);
                            continue;
                        }
                        None => return,
                    },
                    arrival = asked.answers.recv(), if is_ready => match arrival {
                        Some(Arrival::Frame(frame)) => frame,
                        Some(Arrival::Response(response)) => Frame::Response(response),
                        Some(Arrival::Watch(_)) => continue,
                        None => return,
                    },
                }
            }
        };
        let (channel, bytes) = match &frame {
            Frame::Opened => continue,
            Frame::Data { channel, text } => (*channel, text.as_bytes()),
            Frame::Bytes { channel, bytes } => (*channel, &**bytes),
            Frame::End { exit_code } => break ended(*exit_code),
            Frame::Response(response) => break response.body.clone(),
        };
        let is_wanted = match channel {
            STDERR => wants.stderr,
            _ => wants.stdout,
        };
        if is_wanted && !peer.output(channel, bytes).await {
            return;
        }
    };
    peer.finish(&status).await;
}

/// The `Status` at the end of a command.
fn ended(exit_code: i32) -> Value {
    if exit_code == 0 {
        return map! { "metadata": map! {}, "status": "Success" };
    }
    map! {
        "metadata": map! {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {exit_code}"),
        "details": map! { "causes": list![map! { "reason": "ExitCode", "message": exit_code.to_string() }] },
    }
}

/// The first size in what came on a resize channel: `{"Width":80,"Height":24}`.
pub(crate) fn resize(bytes: &[u8]) -> Option<Input> {
    let text = std::str::from_utf8(bytes).ok()?;
    let size = Value::from_json(text.lines().next()?).ok()?;
    let side = |name: &str| u16::try_from(size.int(name)?).ok();
    Some(Input::Resize {
        columns: side("Width")?,
        rows: side("Height")?,
    })
}
