//! Clients of the network: `curl`, `wget`, `nslookup`, `dig`, `host`, `ping`, `nc`. The host answers; here is what is
//! asked and how the answer is shown.

mod dns;
mod http;

use super::context::{Context, Options};
use super::live::Live;
use crate::host::{NetError, Reply, Request};
use crate::system::{Read, Turn, Wait};
use dns::Dns;
use http::Http;

/// A network tool that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) enum Net {
    Http(Box<Http>),
    Dns(Box<Dns>),
    Ping(Ping),
    Connect(Connect),
}

impl Net {
    pub(crate) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        match self {
            Net::Http(http) => http.run(c),
            Net::Dns(dns) => dns.run(c),
            Net::Ping(ping) => ping.run(c),
            Net::Connect(connect) => connect.run(c),
        }
    }
}

/// Asks, or takes the answer that came since. `None`: wait.
fn ask(c: &mut Context<'_, '_>, asked: &mut bool, request: &Request) -> Option<Reply> {
    if *asked {
        let reply = c.p.reply.take().map(|r| *r);
        if reply.is_none() {
            c.p.wait = Wait::Reply;
        } else {
            *asked = false;
        }
        return reply;
    }
    c.flush();
    let reply = c.k.ask(c.p, request);
    *asked = reply.is_none();
    reply
}

/// `ping`.
#[derive(Clone, Debug)]
pub(crate) struct Ping {
    host: String,
    count: Option<u64>,
    interval: i64,
    timeout: i64,
    deadline: Option<i64>,
    quiet: bool,
    sent: u64,
    received: u64,
    peer: Option<String>,
    times: Vec<i64>,
    asked: bool,
    next: i64,
    started: i64,
}

pub(super) fn ping(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let o = Options::parse_args(c, &args, "46nqvbAa", "ciWwstIt", &[], false)?;
    let Some(host) = o.operands.first() else {
        return Err(c.fail(2, "usage error: Destination address required"));
    };
    let time = |letter: char| o.value(letter).and_then(super::seconds);
    let ping = Ping {
        host: host.to_string(),
        count: o.value('c').and_then(|n| n.parse().ok()),
        interval: time('i').unwrap_or(1_000_000).max(2_000),
        timeout: time('W').unwrap_or(10_000_000),
        deadline: time('w').map(|t| c.now() + t),
        quiet: o.has('q'),
        sent: 0,
        received: 0,
        peer: None,
        times: Vec::new(),
        asked: false,
        next: 0,
        started: c.now(),
    };
    Ok(Live::Net(Box::new(Net::Ping(ping))))
}

impl Ping {
    fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        if !self.asked {
            let over = self.count.is_some_and(|n| self.sent >= n)
                || self.deadline.is_some_and(|t| c.now() >= t);
            if over {
                return self.finish(c);
            }
            if c.now() < self.next {
                c.p.wait = Wait::Until(self.next);
                return Turn::Continue;
            }
        }
        let request = Request::Ping {
            host: self.host.clone(),
            timeout_micros: self.timeout,
        };
        let was_asked = self.asked;
        let Some(reply) = ask(c, &mut self.asked, &request) else {
            if !was_asked {
                self.next = c.now() + self.interval;
            }
            return Turn::Continue;
        };
        if !was_asked {
            self.next = c.now() + self.interval;
        }
        match reply {
            Reply::Pong { peer, micros } => {
                if self.peer.is_none() {
                    self.banner(&peer, c);
                }
                self.sent += 1;
                self.received += 1;
                if self.times.len() < 10_000 {
                    self.times.push(micros);
                }
                if !self.quiet {
                    let (whole, part) = (micros / 1000, micros % 1000);
                    let line = if c.busybox() {
                        format!(
                            "64 bytes from {peer}: seq={} ttl=63 time={whole}.{part:03} ms",
                            self.sent - 1
                        )
                    } else {
                        format!(
                            "64 bytes from {peer}: icmp_seq={} ttl=63 time={whole}.{part:03} ms",
                            self.sent
                        )
                    };
                    c.line(&line);
                }
            }
            Reply::Failed(
                NetError::NameNotFound { .. }
                | NetError::ResolverTimeout { .. }
                | NetError::BadUrl(_),
            ) => {
                let host = self.host.clone();
                let (status, message) = if c.busybox() {
                    (1, format!("bad address '{host}'"))
                } else {
                    (2, format!("{host}: Name or service not known"))
                };
                return Turn::Exit(c.fail(status, &message));
            }
            Reply::Failed(error) => {
                if self.peer.is_none() {
                    let peer = match &error {
                        NetError::Timeout { peer }
                        | NetError::Refused { peer }
                        | NetError::Reset { peer } => peer.clone(),
                        _ => self.host.clone(),
                    };
                    self.banner(&peer, c);
                }
                self.sent += 1;
            }
            _ => self.sent += 1,
        }
        c.p.wait = Wait::Ready;
        Turn::Continue
    }

    fn banner(&mut self, peer: &str, c: &mut Context<'_, '_>) {
        let line = if c.busybox() {
            format!("PING {} ({peer}): 56 data bytes", self.host)
        } else {
            format!("PING {} ({peer}) 56(84) bytes of data.", self.host)
        };
        c.line(&line);
        self.peer = Some(peer.to_string());
    }

    fn finish(&mut self, c: &mut Context<'_, '_>) -> Turn {
        let lost = ((self.sent - self.received) * 100)
            .checked_div(self.sent)
            .unwrap_or(0);
        let millis = |t: i64| format!("{}.{:03}", t / 1000, t % 1000);
        c.line(&format!("\n--- {} ping statistics ---", self.host));
        let (least, most) = (self.times.iter().min(), self.times.iter().max());
        let mean = self.times.iter().sum::<i64>() / (self.times.len() as i64).max(1);
        if c.busybox() {
            c.line(&format!(
                "{} packets transmitted, {} packets received, {lost}% packet loss",
                self.sent, self.received
            ));
            if let (Some(least), Some(most)) = (least, most) {
                c.line(&format!(
                    "round-trip min/avg/max = {}/{}/{} ms",
                    millis(*least),
                    millis(mean),
                    millis(*most)
                ));
            }
        } else {
            c.line(&format!(
                "{} packets transmitted, {} received, {lost}% packet loss, time {}ms",
                self.sent,
                self.received,
                (c.now() - self.started) / 1000
            ));
            if let (Some(least), Some(most)) = (least, most) {
                c.line(&format!(
                    "rtt min/avg/max/mdev = {}/{}/{}/0.000 ms",
                    millis(*least),
                    millis(mean),
                    millis(*most)
                ));
            }
        }
        Turn::Exit((self.received == 0) as i32)
    }
}

/// `nc`: opens a connection, sends standard input, shows what comes back.
#[derive(Clone, Debug)]
pub(crate) struct Connect {
    host: String,
    port: u16,
    verbose: bool,
    udp: bool,
    timeout: Option<i64>,
    input: Vec<u8>,
    reading: bool,
    asked: bool,
}

pub(super) fn nc(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let o = Options::parse_args(c, &args, "zvunlkN46hd", "wpqis", &[], false)?;
    if o.has('l') {
        return Err(c.fail(1, "listening is not simulated; use a server image"));
    }
    let (Some(host), Some(port)) = (o.operands.first(), o.operands.get(1)) else {
        return Err(c.fail(1, "missing host and port"));
    };
    let Ok(port) = port.parse() else {
        return Err(c.fail_as(
            1,
            format!("bad port '{port}'"),
            format!("port number invalid: {port}"),
        ));
    };
    let connect = Connect {
        host: host.to_string(),
        port,
        verbose: o.has('v'),
        udp: o.has('u'),
        timeout: o.value('w').and_then(super::seconds),
        input: Vec::new(),
        reading: !o.has('z') && !o.has('d'),
        asked: false,
    };
    Ok(Live::Net(Box::new(Net::Connect(connect))))
}

impl Connect {
    fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        while self.reading {
            let Some(open) = c.p.fd(0) else { break };
            match c.k.read(open, 65_536) {
                Read::Data(bytes) if self.input.len() < 1 << 20 => self.input.extend(bytes),
                Read::Wait => {
                    c.p.wait = Wait::Read(open);
                    return Turn::Continue;
                }
                _ => self.reading = false,
            }
        }
        let request = if self.udp {
            Request::Udp {
                host: self.host.clone(),
                port: self.port,
                send: self.input.clone(),
                timeout_micros: self.timeout,
            }
        } else {
            Request::Tcp {
                host: self.host.clone(),
                port: self.port,
                send: self.input.clone(),
                timeout_micros: self.timeout,
            }
        };
        let Some(reply) = ask(c, &mut self.asked, &request) else {
            return Turn::Continue;
        };
        let (host, port) = (self.host.clone(), self.port);
        let status = match reply {
            Reply::Data { peer, bytes } => {
                if self.verbose {
                    let text = if c.busybox() {
                        format!("{host} ({peer}:{port}) open\n")
                    } else {
                        format!("Connection to {host} ({peer}) {port} port [tcp/*] succeeded!\n")
                    };
                    c.err.extend_from_slice(text.as_bytes());
                }
                c.out.extend_from_slice(&bytes);
                0
            }
            Reply::Failed(NetError::NameNotFound { .. } | NetError::ResolverTimeout { .. }) => c
                .fail_as(
                    1,
                    format!("bad address '{host}'"),
                    format!(
                        "getaddrinfo for host \"{host}\" port {port}: Name or service not known"
                    ),
                ),
            Reply::Failed(error) if self.verbose || c.busybox() => {
                let (peer, what) = match &error {
                    NetError::Refused { peer } => (peer.clone(), "Connection refused"),
                    NetError::Timeout { peer } => (peer.clone(), "Connection timed out"),
                    NetError::Reset { peer } => (peer.clone(), "Connection reset by peer"),
                    _ => (host.clone(), "Network is unreachable"),
                };
                c.fail_as(
                    1,
                    format!("{host} ({peer}:{port}): {what}"),
                    format!("connect to {host} ({peer}) port {port} (tcp) failed: {what}"),
                )
            }
            _ => 1,
        };
        Turn::Exit(status)
    }
}

pub(super) use dns::{dig, nslookup};
pub use http::split_url;
pub(super) use http::{curl, wget};
