//! The remote command protocol over SPDY: a stream for each of error, stdin, stdout, stderr and resize.
//!
//! Models `cri/streaming/remotecommand` with protocol version 4.

use std::time::Duration;

use api::{Input, Value};

use super::{Connection, Event};
use crate::remote::{ERROR, Peer, RESIZE, STDERR, STDIN, STDOUT, Wants, resize};

/// How long a client may take to close once all is said.
const GOODBYE: Duration = Duration::from_secs(5);

pub(crate) struct SpdyPeer {
    connection: Connection,
    /// Stream numbers by channel.
    streams: [Option<u32>; 5],
    wants: Wants,
}

impl SpdyPeer {
    pub(crate) fn new(connection: Connection, wants: Wants) -> SpdyPeer {
        SpdyPeer {
            connection,
            streams: [None; 5],
            wants,
        }
    }

    fn heard(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Open { id, headers } => {
                let kind = headers.iter().find(|(name, _)| name == "streamtype")?;
                let channel = match kind.1.as_str() {
                    "stdin" => STDIN,
                    "stdout" => STDOUT,
                    "stderr" => STDERR,
                    "error" => ERROR,
                    "resize" => RESIZE,
                    _ => return None,
                };
                self.streams[usize::from(channel)] = Some(id);
                None
            }
            Event::Data { id, bytes, is_last } => {
                if self.streams[usize::from(RESIZE)] == Some(id) {
                    return resize(&bytes);
                }
                if self.streams[usize::from(STDIN)] != Some(id) {
                    return None;
                }
                if bytes.is_empty() {
                    return is_last.then_some(Input::End);
                }
                // Data with the end in one frame does not happen: the library sends an empty frame at the end.
                Some(Input::Data(bytes.into()))
            }
            Event::Reset { id } => {
                (self.streams[usize::from(STDIN)] == Some(id)).then_some(Input::End)
            }
        }
    }
}

impl Peer for SpdyPeer {
    async fn next(&mut self) -> Option<Input> {
        loop {
            let event = self.connection.events.recv().await?;
            let was_ready = self.is_ready();
            let input = self.heard(event);
            if input.is_some() {
                return input;
            }
            // Whoever waits for the streams looks again.
            if !was_ready && self.is_ready() {
                return Some(Input::Resize {
                    columns: 80,
                    rows: 24,
                });
            }
        }
    }

    fn is_ready(&self) -> bool {
        let has = |channel: u8| self.streams[usize::from(channel)].is_some();
        has(ERROR)
            && (has(STDOUT) || !self.wants.stdout)
            && (has(STDERR) || !self.wants.stderr)
            && (has(STDIN) || !self.wants.stdin)
    }

    async fn output(&mut self, channel: u8, bytes: &[u8]) -> bool {
        match self.streams[usize::from(channel)] {
            Some(id) => self.connection.out.data(id, bytes, false).await,
            None => true,
        }
    }

    async fn finish(mut self, status: &Value) {
        let out = &self.connection.out;
        for channel in [STDOUT, STDERR] {
            if let Some(id) = self.streams[usize::from(channel)] {
                out.data(id, &[], true).await;
            }
        }
        if let Some(id) = self.streams[usize::from(ERROR)] {
            out.data(id, status.to_json().as_bytes(), true).await;
        }
        let goodbye = async { while self.connection.events.recv().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}
