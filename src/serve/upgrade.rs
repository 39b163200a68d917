//! Connections that become something else: which protocol a client wants, and the answer that agrees.
//!
//! Models `apimachinery/pkg/util/httpstream`.

use api::{Arrival, Frame, Status, Verb};
use apiserver::http::{HttpRequest, Parsed};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::engine::Asked;
use crate::forward;
use crate::remote::{Wants, carry};
use crate::spdy::{Connection, SpdyPeer};
use crate::websocket::{self, Coding, WebSocketPeer};

/// What a connection is about to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    WebSocket {
        accept: String,
        protocol: Option<&'static str>,
    },
    Spdy {
        protocol: &'static str,
    },
    /// Port-forward over SPDY, in the open or within a WebSocket.
    Forward,
    TunneledForward {
        accept: String,
    },
}

const COMMANDS: [&str; 6] = [
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
    "base64.binary.k8s.io",
];
const SPDY_COMMAND: &str = "v4.channel.k8s.io";
const SPDY_FORWARD: &str = "portforward.k8s.io";
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

impl Upgrade {
    /// What a request's headers ask for; nothing for ordinary requests.
    pub(crate) fn of(http: &HttpRequest, parsed: &Parsed) -> Result<Option<Upgrade>, Status> {
        let Some(wanted) = http.header("upgrade") else {
            return Ok(None);
        };
        let subresource = parsed.request.subresource.as_str();
        let is_command = matches!(subresource, "exec" | "attach");
        if wanted.eq_ignore_ascii_case("websocket") {
            let key = http.header("sec-websocket-key").unwrap_or_default();
            let offered = all(http, "sec-websocket-protocol");
            if subresource == "portforward" {
                if offered.iter().any(|name| name == TUNNEL) {
                    return Ok(Some(Upgrade::TunneledForward {
                        accept: accept(key),
                    }));
                }
                return Err(refused(&offered, &[TUNNEL]));
            }
            let known: &[&'static str] = match parsed.request.verb {
                _ if is_command => &COMMANDS,
                Verb::Watch => &["base64.binary.k8s.io", "binary.k8s.io"],
                _ => return Ok(None),
            };
            let protocol = offered
                .iter()
                .find_map(|name| known.iter().find(|known| *known == name).copied());
            if protocol.is_none() && !offered.is_empty() {
                return Err(refused(&offered, known));
            }
            return Ok(Some(Upgrade::WebSocket {
                accept: accept(key),
                protocol,
            }));
        }
        if wanted.eq_ignore_ascii_case("spdy/3.1") && subresource == "portforward" {
            let offered = all(http, "x-stream-protocol-version");
            if !offered.iter().any(|name| name == SPDY_FORWARD) {
                return Err(refused(&offered, &[SPDY_FORWARD]));
            }
            return Ok(Some(Upgrade::Forward));
        }
        if wanted.eq_ignore_ascii_case("spdy/3.1") && is_command {
            let offered = all(http, "x-stream-protocol-version");
            if !offered.iter().any(|name| name == SPDY_COMMAND) {
                return Err(refused(&offered, &[SPDY_COMMAND]));
            }
            return Ok(Some(Upgrade::Spdy {
                protocol: SPDY_COMMAND,
            }));
        }
        Ok(None)
    }

    /// The headers of the answer that agrees.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("connection", "Upgrade".to_owned())];
        match self {
            Upgrade::WebSocket { accept, protocol } => {
                headers.push(("upgrade", "websocket".to_owned()));
                headers.push(("sec-websocket-accept", accept.clone()));
                if let Some(protocol) = protocol {
                    headers.push(("sec-websocket-protocol", (*protocol).to_owned()));
                }
            }
            Upgrade::Spdy { protocol } => {
                headers.push(("upgrade", "SPDY/3.1".to_owned()));
                headers.push(("x-stream-protocol-version", (*protocol).to_owned()));
            }
            Upgrade::Forward => {
                headers.push(("upgrade", "SPDY/3.1".to_owned()));
                headers.push(("x-stream-protocol-version", SPDY_FORWARD.to_owned()));
            }
            Upgrade::TunneledForward { accept } => {
                headers.push(("upgrade", "websocket".to_owned()));
                headers.push(("sec-websocket-accept", accept.clone()));
                headers.push(("sec-websocket-protocol", TUNNEL.to_owned()));
            }
        }
        headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Serves the connection once it has become what it should.
    pub(crate) async fn serve(
        self,
        connection: OnUpgrade,
        parsed: Parsed,
        asked: Asked,
        first: Arrival,
    ) {
        let Ok(upgraded) = connection.await else {
            return;
        };
        let wants = Wants::of(&parsed.request);
        let first = match first {
            Arrival::Frame(frame) => frame,
            _ => Frame::Opened,
        };
        match self {
            Upgrade::WebSocket { protocol, .. } => {
                let socket = websocket::open(upgraded).await;
                let coding = protocol.map(|name| {
                    if name.contains("base64") {
                        Coding::Base64
                    } else {
                        Coding::Binary
                    }
                });
                if parsed.request.verb == Verb::Watch {
                    return websocket::watch(socket, asked, coding).await;
                }
                let peer = WebSocketPeer {
                    socket,
                    coding: coding.unwrap_or(Coding::Binary),
                };
                carry(peer, asked, first, wants).await;
            }
            Upgrade::Spdy { .. } => {
                let connection = Connection::new(TokioIo::new(upgraded));
                carry(SpdyPeer::new(connection, wants), asked, first, wants).await;
            }
            Upgrade::Forward => {
                let connection = Connection::new(TokioIo::new(upgraded));
                forward::serve(connection, asked).await;
            }
            Upgrade::TunneledForward { .. } => {
                let (near, far) = tokio::io::duplex(64 << 10);
                let socket = websocket::open(upgraded).await;
                tokio::spawn(websocket::tunnel(socket, far));
                forward::serve(Connection::new(near), asked).await;
            }
        }
    }
}

/// The words of a header that may stand several times and hold several.
fn all(http: &HttpRequest, name: &str) -> Vec<String> {
    http.headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(','))
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

fn refused(offered: &[String], known: &[&str]) -> Status {
    let message = format!(
        "unable to upgrade: unable to negotiate protocol: client supports [{}], server accepts [{}]",
        offered.join(" "),
        known.join(" ")
    );
    Status::new(403, "Forbidden", message)
}

/// What proves to a client that it speaks to a WebSocket server (RFC 6455, section 4.2.2).
fn accept(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    api::base64::encode(digest.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_gives_its_answer() {
        assert_eq!(
            accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
