//! One exchange over the wire: what is asked of an address, and what comes back.

use std::net::Ipv4Addr;

use posix::{HttpRequest, Record, RecordKind};
use sim::{Micros, SECOND};

/// Transport protocols, with echo requests beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
    Icmp,
}

/// A question to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub to: Ipv4Addr,
    /// 0 for an echo.
    pub port: u16,
    pub protocol: Protocol,
    pub payload: Payload,
    /// After this span without an answer the asker gives up.
    pub patience: Micros,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    Http { request: HttpRequest, tls: bool },
    Bytes(Vec<u8>),
    Dns { name: String, kind: RecordKind },
    Echo,
}

/// What came back, or why nothing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Http {
        status: u16,
        reason: String,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    Bytes(Vec<u8>),
    Records {
        name: String,
        records: Vec<Record>,
    },
    /// The name does not exist.
    NoName,
    Pong {
        micros: i64,
    },
    Refused,
    /// Nothing came back.
    Dropped,
    Unreachable,
    Reset,
    Tls(String),
}

/// How long the kernel tries to open a connection (six repeated SYNs).
pub(crate) const CONNECT: Micros = 130 * SECOND;

impl Protocol {
    /// As Kubernetes writes it; an echo belongs to none of its protocols.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Icmp => "ICMP",
        }
    }
}

impl Answer {
    /// A page of text.
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::page(status, "text/plain; charset=utf-8", body)
    }

    pub fn page(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        Answer::Http {
            status,
            reason: reason(status).to_owned(),
            headers: vec![
                ("Content-Type".to_owned(), kind.to_owned()),
                ("Content-Length".to_owned(), body.len().to_string()),
            ],
            body,
        }
    }

    pub fn with_status(mut self, code: u16) -> Answer {
        if let Answer::Http {
            status,
            reason: words,
            ..
        } = &mut self
        {
            *status = code;
            *words = reason(code).to_owned();
        }
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Answer {
        if let Answer::Http { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// A few words for the trace.
    pub fn word(&self) -> String {
        match self {
            Answer::Http { status, .. } => status.to_string(),
            Answer::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Answer::Records { records, .. } if records.is_empty() => "no data".to_owned(),
            Answer::Records { records, .. } => records[0].value.clone(),
            Answer::NoName => "no such name".to_owned(),
            Answer::Pong { .. } => "pong".to_owned(),
            Answer::Refused => "refused".to_owned(),
            Answer::Dropped => "no answer".to_owned(),
            Answer::Unreachable => "unreachable".to_owned(),
            Answer::Reset => "reset".to_owned(),
            Answer::Tls(_) => "no trust".to_owned(),
        }
    }
}

/// The usual words after a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
