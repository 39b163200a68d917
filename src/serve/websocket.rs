//! WebSockets: the remote command protocols in messages, and watches for browsers.
//!
//! Models `apimachinery/pkg/util/remotecommand` and `apiserver/pkg/util/wsstream`.

use api::{Input, Value};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::answer::{Piece, text_of};
use crate::engine::Asked;
use crate::remote::{ERROR, Peer, RESIZE, STDIN, resize};

/// The largest message that is read.
const LARGEST: usize = 1 << 20;
/// In version 5, this channel number and another say that the other is closed.
const CLOSED: u8 = 255;

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

pub(crate) async fn open(upgraded: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}

/// How channels are told apart in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// The first byte is the channel.
    Binary,
    /// The first character is the channel's digit; base64 follows.
    Base64,
}

/// A client of the remote command protocols.
pub(crate) struct WebSocketPeer {
    pub(crate) socket: Socket,
    pub(crate) coding: Coding,
}

impl WebSocketPeer {
    async fn send(&mut self, channel: u8, bytes: &[u8]) -> bool {
        let message = match self.coding {
            Coding::Binary => {
                let mut message = Vec::with_capacity(bytes.len() + 1);
                message.push(channel);
                message.extend_from_slice(bytes);
                Message::binary(message)
            }
            Coding::Base64 => Message::text(format!("{channel}{}", api::base64::encode(bytes))),
        };
        self.socket.send(message).await.is_ok()
    }

    fn read(&self, message: &[u8]) -> Option<Input> {
        let (channel, rest) = message.split_first()?;
        let (channel, bytes) = match self.coding {
            Coding::Binary => (*channel, rest.to_vec()),
            Coding::Base64 => {
                let text = std::str::from_utf8(rest).ok()?;
                (channel.wrapping_sub(b'0'), api::base64::decode(text).ok()?)
            }
        };
        match channel {
            STDIN if !bytes.is_empty() => Some(Input::Data(bytes.into())),
            RESIZE => resize(&bytes),
            CLOSED if bytes.first() == Some(&STDIN) => Some(Input::End),
            _ => None,
        }
    }
}

impl Peer for WebSocketPeer {
    async fn next(&mut self) -> Option<Input> {
        loop {
            let input = match self.socket.next().await?.ok()? {
                Message::Binary(bytes) => self.read(&bytes),
                Message::Text(text) => self.read(text.as_bytes()),
                Message::Close(_) => return None,
                _ => None,
            };
            if input.is_some() {
                return input;
            }
        }
    }

    fn is_ready(&self) -> bool {
        true
    }

    async fn output(&mut self, channel: u8, bytes: &[u8]) -> bool {
        // Clients read messages into buffers of 32 KiB and more.
        for piece in bytes.chunks(16 << 10) {
            if !self.send(channel, piece).await {
                return false;
            }
        }
        true
    }

    async fn finish(mut self, status: &Value) {
        if self.send(ERROR, status.to_json().as_bytes()).await {
            close(self.socket).await;
        }
    }
}

/// Says goodbye and waits a little for the answer, so that nothing on its way is lost.
async fn close(mut socket: Socket) {
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::default(),
    };
    if socket.close(Some(frame)).await.is_err() {
        return;
    }
    let goodbye = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), goodbye).await;
}

/// Carries the bytes of another protocol in messages.
pub(crate) async fn tunnel(socket: Socket, far: DuplexStream) {
    let (mut to_socket, mut from_socket) = socket.split();
    let (mut from_far, mut to_far) = tokio::io::split(far);
    let inward = async {
        while let Some(Ok(message)) = from_socket.next().await {
            let is_done = match message {
                Message::Binary(bytes) => to_far.write_all(&bytes).await.is_err(),
                Message::Close(_) => true,
                _ => false,
            };
            if is_done {
                break;
            }
        }
        let _ = to_far.shutdown().await;
    };
    let outward = async {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(count) = from_far.read(&mut buffer).await
            && count > 0
        {
            let message = Message::binary(buffer[..count].to_vec());
            if to_socket.send(message).await.is_err() {
                return;
            }
        }
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: Utf8Bytes::default(),
        };
        let _ = to_socket.send(Message::Close(Some(frame))).await;
    };
    tokio::select! {
        () = inward => {}
        () = outward => {}
    }
}

/// A watch, an event in each message.
pub(crate) async fn watch(mut socket: Socket, mut asked: Asked, coding: Option<Coding>) {
    loop {
        let piece = tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) if !message.is_close() => continue,
                _ => return,
            },
            arrival = asked.answers.recv() => match arrival {
                Some(arrival) => text_of(arrival),
                None => break,
            },
        };
        let (bytes, is_last) = match piece {
            Piece::More(bytes) => (Some(bytes), false),
            Piece::Nothing => continue,
            Piece::Last(bytes) => (bytes, true),
        };
        if let Some(bytes) = bytes {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let message = match coding {
                Some(Coding::Base64) => Message::text(api::base64::encode(&bytes)),
                _ => Message::text(text),
            };
            if socket.send(message).await.is_err() {
                return;
            }
        }
        if is_last {
            break;
        }
    }
    close(socket).await;
}
