//! SPDY/3.1, the part that kubectl speaks: streams opened by the client, their data, pings.
//!
//! kubectl up to 1.30 runs exec, attach and port-forward over it, later ones port-forward (inside a WebSocket). Priorities,
//! push and flow control are not simulated; Kubernetes' own library has none of them either.

mod headers;
mod peer;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

pub(crate) use peer::SpdyPeer;

/// No frame is larger.
const LARGEST: usize = 1 << 20;
const FIN: u8 = 1;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;

/// What the client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Open {
        id: u32,
        headers: Vec<(String, String)>,
    },
    Data {
        id: u32,
        bytes: Vec<u8>,
        is_last: bool,
    },
    Reset {
        id: u32,
    },
}

/// A connection: events come in, frames go out.
pub(crate) struct Connection {
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) out: Out,
}

/// Where frames are written; may be cloned.
#[derive(Clone)]
pub(crate) struct Out(mpsc::Sender<Vec<u8>>);

impl Connection {
    pub(crate) fn new(io: impl AsyncRead + AsyncWrite + Send + 'static) -> Connection {
        let (mut reading, mut writing) = tokio::io::split(io);
        let (events, heard) = mpsc::channel(64);
        let (frames, mut to_write) = mpsc::channel::<Vec<u8>>(64);
        let out = Out(frames);
        let pongs = out.clone();
        tokio::spawn(async move {
            while let Some(frame) = to_write.recv().await {
                if writing.write_all(&frame).await.is_err() {
                    return;
                }
            }
            let _ = writing.shutdown().await;
        });
        tokio::spawn(async move {
            let mut reader = headers::Reader::new();
            let mut writer = headers::Writer::new();
            // A frame that cannot be read ends the connection.
            while let Some(frame) = read_frame(&mut reading).await {
                let event = match frame.kind {
                    None => Event::Data {
                        id: frame.id,
                        bytes: frame.body,
                        is_last: frame.flags & FIN != 0,
                    },
                    Some(SYN_STREAM) => {
                        let Some((id, headers)) = opened(&frame.body, &mut reader) else {
                            return;
                        };
                        let Some(reply) = writer.as_mut().and_then(|w| w.write(&[])) else {
                            return;
                        };
                        let body = [&id.to_be_bytes()[..], &reply].concat();
                        if !pongs.control(SYN_REPLY, 0, &body).await {
                            return;
                        }
                        Event::Open { id, headers }
                    }
                    Some(RST_STREAM) => match frame.body.first_chunk::<4>() {
                        Some(id) => Event::Reset {
                            id: u32::from_be_bytes(*id) & 0x7fff_ffff,
                        },
                        None => return,
                    },
                    Some(PING) => {
                        if !pongs.control(PING, 0, &frame.body).await {
                            return;
                        }
                        continue;
                    }
                    Some(GOAWAY) => return,
                    Some(_) => continue,
                };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        });
        Connection { events: heard, out }
    }
}

impl Out {
    /// Data on a stream; false once nobody reads.
    pub(crate) async fn data(&self, id: u32, bytes: &[u8], is_last: bool) -> bool {
        let mut pieces = bytes.chunks(16 << 10).peekable();
        if pieces.peek().is_none() {
            return !is_last || self.frame(id, &[], true).await;
        }
        while let Some(piece) = pieces.next() {
            let ends = is_last && pieces.peek().is_none();
            if !self.frame(id, piece, ends).await {
                return false;
            }
        }
        true
    }

    async fn frame(&self, id: u32, bytes: &[u8], is_last: bool) -> bool {
        let mut frame = Vec::with_capacity(bytes.len() + 8);
        frame.extend((id & 0x7fff_ffff).to_be_bytes());
        frame.extend(length(u8::from(is_last) * FIN, bytes.len()));
        frame.extend(bytes);
        self.0.send(frame).await.is_ok()
    }

    async fn control(&self, kind: u16, flags: u8, body: &[u8]) -> bool {
        let mut frame = Vec::with_capacity(body.len() + 8);
        frame.extend(0x8003_u16.to_be_bytes());
        frame.extend(kind.to_be_bytes());
        frame.extend(length(flags, body.len()));
        frame.extend(body);
        self.0.send(frame).await.is_ok()
    }
}

/// Flags and a length in 24 bits.
fn length(flags: u8, length: usize) -> [u8; 4] {
    ((u32::from(flags) << 24) | (length as u32 & 0x00ff_ffff)).to_be_bytes()
}

struct RawFrame {
    /// `None`: data.
    kind: Option<u16>,
    id: u32,
    flags: u8,
    body: Vec<u8>,
}

async fn read_frame(io: &mut (impl AsyncRead + Unpin)) -> Option<RawFrame> {
    let mut head = [0; 8];
    io.read_exact(&mut head).await.ok()?;
    let first = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let second = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let length = (second & 0x00ff_ffff) as usize;
    if length > LARGEST {
        return None;
    }
    let is_control = first >> 31 == 1;
    if is_control && (first >> 16) & 0x7fff != 3 {
        return None;
    }
    let mut body = vec![0; length];
    io.read_exact(&mut body).await.ok()?;
    Some(RawFrame {
        kind: is_control.then_some(first as u16),
        id: first & 0x7fff_ffff,
        flags: (second >> 24) as u8,
        body,
    })
}

/// Number and headers of a stream that the client opens.
fn opened(body: &[u8], reader: &mut headers::Reader) -> Option<(u32, Vec<(String, String)>)> {
    let id = u32::from_be_bytes(*body.first_chunk::<4>()?) & 0x7fff_ffff;
    // The stream it belongs to, priority and slot are of no interest.
    Some((id, reader.read(body.get(10..)?)?))
}
