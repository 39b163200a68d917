//! A program's question on its way: names are resolved first, then the wire is asked.
//!
//! Models the C library's resolver (search list, `ndots`, one server after another) and a client's socket. Plain data:
//! the owner sends each [`Call`] and hands its [`Answer`] back until a [`Reply`] is there.

use std::net::Ipv4Addr;

use posix::{NetError, Record, RecordKind, Reply, Request};
use sim::{Micros, SECOND};

use crate::call::CONNECT;
use crate::{Answer, Call, Payload, Protocol, Resolver};

/// A nameserver is waited for this long …
const DNS_PATIENCE: Micros = 5 * SECOND;
/// … and all of them are asked so many times.
const DNS_ATTEMPTS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    request: Request,
    resolver: Resolver,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// The name at `at` of `names` is asked of the server number `server` (counting attempts on).
    Name {
        names: Vec<String>,
        at: usize,
        kind: RecordKind,
        servers: Vec<Ipv4Addr>,
        server: usize,
    },
    Wire {
        to: Ipv4Addr,
    },
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Send(Call),
    Done(Reply),
}

/// Where an HTTP request goes: scheme `https`, host, port.
fn target(request: &posix::HttpRequest) -> (bool, String, u16) {
    let (host, port, _) = posix::split_url(&request.url);
    (request.url.starts_with("https://"), host, port)
}

impl Dialog {
    pub fn begin(request: Request, resolver: Resolver) -> (Dialog, Next) {
        let mut dialog = Dialog {
            stage: Stage::Wire {
                to: Ipv4Addr::UNSPECIFIED,
            },
            request,
            resolver,
        };
        let next = dialog.first();
        (dialog, next)
    }

    fn first(&mut self) -> Next {
        let host = match &self.request {
            Request::Lookup { name, kind, server } => {
                let (name, kind, server) = (name.clone(), *kind, server.clone());
                return self.look_up(&name, kind, server.as_deref());
            }
            Request::Http(request) => {
                let (_, host, port) = target(request);
                let resolved = request.extra.iter().find_map(|option| {
                    let rest = option.strip_prefix("R:")?;
                    rest.strip_prefix(&format!("{host}:{port}:"))
                        .map(str::to_owned)
                });
                resolved.unwrap_or(host)
            }
            Request::Tcp { host, .. } | Request::Udp { host, .. } | Request::Ping { host, .. } => {
                host.clone()
            }
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(to) = host.parse::<Ipv4Addr>() {
            return self.connect(to);
        }
        if let Some(to) = self.resolver.host(host) {
            return self.connect(to);
        }
        if host.contains(':') {
            return Next::Done(Reply::Failed(NetError::Unreachable));
        }
        if host.is_empty() || host.contains(['/', ' ', '_']) && !host.contains('.') {
            return Next::Done(Reply::Failed(NetError::NameNotFound {
                server: String::new(),
            }));
        }
        self.ask_for(self.resolver.candidates(host), RecordKind::Address, None)
    }

    fn look_up(&mut self, name: &str, kind: RecordKind, server: Option<&str>) -> Next {
        let server = match server.map(|server| self.server(server)) {
            None => None,
            Some(Some(server)) => Some(server),
            Some(None) => {
                return Next::Done(Reply::Failed(NetError::ResolverTimeout {
                    server: server.unwrap_or_default().to_owned(),
                }));
            }
        };
        let names = match (kind, name.parse::<Ipv4Addr>()) {
            (RecordKind::Pointer, Ok(address)) => vec![reversed(address)],
            _ => self.resolver.candidates(name),
        };
        self.ask_for(names, kind, server)
    }

    fn server(&self, name: &str) -> Option<Ipv4Addr> {
        name.parse().ok().or_else(|| self.resolver.host(name))
    }

    fn ask_for(&mut self, names: Vec<String>, kind: RecordKind, server: Option<Ipv4Addr>) -> Next {
        let servers = match server {
            Some(server) => vec![server],
            None => self.resolver.servers.clone(),
        };
        if servers.is_empty() {
            return Next::Done(Reply::Failed(NetError::ResolverTimeout {
                server: "127.0.0.1".to_owned(),
            }));
        }
        self.stage = Stage::Name {
            names,
            at: 0,
            kind,
            servers,
            server: 0,
        };
        self.question()
    }

    /// The question that the stage is at.
    fn question(&self) -> Next {
        let Stage::Name {
            names,
            at,
            kind,
            servers,
            server,
        } = &self.stage
        else {
            return Next::Done(Reply::Failed(NetError::Unreachable));
        };
        Next::Send(Call {
            to: servers[server % servers.len()],
            port: 53,
            protocol: Protocol::Udp,
            payload: Payload::Dns {
                name: names[*at].clone(),
                kind: *kind,
            },
            patience: DNS_PATIENCE,
        })
    }

    fn connect(&mut self, to: Ipv4Addr) -> Next {
        self.stage = Stage::Wire { to };
        let micros = |time: &Option<i64>| time.map(|time| time.max(0) as Micros);
        let call = match &self.request {
            Request::Http(request) => {
                let (tls, _, port) = target(request);
                let times = [
                    micros(&request.timeout_micros),
                    micros(&request.connect_timeout_micros),
                ];
                Call {
                    to,
                    port,
                    protocol: Protocol::Tcp,
                    payload: Payload::Http {
                        request: request.clone(),
                        tls,
                    },
                    patience: times.into_iter().flatten().min().unwrap_or(CONNECT),
                }
            }
            Request::Tcp {
                port,
                send,
                timeout_micros,
                ..
            } => Call {
                to,
                port: *port,
                protocol: Protocol::Tcp,
                payload: Payload::Bytes(send.clone()),
                patience: micros(timeout_micros).unwrap_or(CONNECT),
            },
            Request::Udp {
                port,
                send,
                timeout_micros,
                ..
            } => Call {
                to,
                port: *port,
                protocol: Protocol::Udp,
                payload: Payload::Bytes(send.clone()),
                patience: micros(timeout_micros).unwrap_or(3 * SECOND),
            },
            Request::Ping { timeout_micros, .. } => Call {
                to,
                port: 0,
                protocol: Protocol::Icmp,
                payload: Payload::Echo,
                patience: (*timeout_micros).max(0) as Micros,
            },
            Request::Lookup { .. } => return Next::Done(Reply::Failed(NetError::Unreachable)),
        };
        Next::Send(call)
    }

    /// The answer to the call that was sent last.
    pub fn answer(&mut self, answer: Answer) -> Next {
        match &mut self.stage {
            Stage::Wire { to } => Next::Done(reply(answer, *to)),
            Stage::Name {
                names,
                at,
                servers,
                server,
                ..
            } => {
                let asked = servers[*server % servers.len()];
                match answer {
                    Answer::Records { name, records } if !records.is_empty() => {
                        self.named(asked, name, records)
                    }
                    Answer::Records { .. } | Answer::NoName if *at + 1 < names.len() => {
                        *at += 1;
                        self.question()
                    }
                    Answer::Records { name, .. } => Next::Done(match self.request {
                        // The name is there, but has nothing of the wanted kind.
                        Request::Lookup { .. } => Reply::Records {
                            server: asked.to_string(),
                            name,
                            records: Vec::new(),
                        },
                        _ => Reply::Failed(NetError::NameNotFound {
                            server: asked.to_string(),
                        }),
                    }),
                    Answer::NoName => Next::Done(Reply::Failed(NetError::NameNotFound {
                        server: asked.to_string(),
                    })),
                    _ if *server + 1 < servers.len() * DNS_ATTEMPTS => {
                        *server += 1;
                        self.question()
                    }
                    _ => Next::Done(Reply::Failed(NetError::ResolverTimeout {
                        server: asked.to_string(),
                    })),
                }
            }
        }
    }

    /// A name has an answer: it is the reply, or the address to go on with.
    fn named(&mut self, server: Ipv4Addr, name: String, records: Vec<Record>) -> Next {
        if matches!(self.request, Request::Lookup { .. }) {
            return Next::Done(Reply::Records {
                server: server.to_string(),
                name,
                records,
            });
        }
        let address = records
            .iter()
            .find(|record| record.kind == RecordKind::Address)
            .and_then(|record| record.value.parse().ok());
        match address {
            Some(address) => self.connect(address),
            None => Next::Done(Reply::Failed(NetError::NameNotFound {
                server: server.to_string(),
            })),
        }
    }
}

/// `4.3.2.1.in-addr.arpa` of `1.2.3.4`.
fn reversed(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

/// What the program sees.
fn reply(answer: Answer, to: Ipv4Addr) -> Reply {
    let peer = to.to_string();
    match answer {
        Answer::Http {
            status,
            reason,
            headers,
            body,
        } => Reply::Http {
            peer,
            status,
            reason,
            headers,
            body,
        },
        Answer::Bytes(bytes) => Reply::Data { peer, bytes },
        Answer::Pong { micros } => Reply::Pong { peer, micros },
        Answer::Refused => Reply::Failed(NetError::Refused { peer }),
        Answer::Dropped => Reply::Failed(NetError::Timeout { peer }),
        Answer::Unreachable => Reply::Failed(NetError::Unreachable),
        Answer::Reset | Answer::Records { .. } | Answer::NoName => {
            Reply::Failed(NetError::Reset { peer })
        }
        Answer::Tls(why) => Reply::Failed(NetError::Tls(why)),
    }
}
