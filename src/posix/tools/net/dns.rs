//! `nslookup`, `dig`, `host`, `getent hosts`.

use super::super::context::{Context, Options};
use super::super::live::Live;
use super::{Net, ask};
use crate::host::{NetError, Record, RecordKind, Reply, Request};
use crate::system::Turn;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nslookup,
    Dig,
    DigShort,
    Host,
    Getent,
}

#[derive(Clone, Debug)]
pub(crate) struct Dns {
    name: String,
    kind: RecordKind,
    server: Option<String>,
    look: Look,
    asked: bool,
}

fn kind(text: &str) -> Option<RecordKind> {
    Some(match text.to_ascii_uppercase().as_str() {
        "A" => RecordKind::Address,
        "AAAA" => RecordKind::Address6,
        "SRV" => RecordKind::Service,
        "PTR" => RecordKind::Pointer,
        "CNAME" => RecordKind::CName,
        "TXT" => RecordKind::Text,
        "ANY" => RecordKind::Any,
        _ => return None,
    })
}

fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Address => "A",
        RecordKind::Address6 => "AAAA",
        RecordKind::Service => "SRV",
        RecordKind::Pointer => "PTR",
        RecordKind::CName => "CNAME",
        RecordKind::Text => "TXT",
        RecordKind::Any => "ANY",
    }
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok()
}

pub(crate) fn nslookup(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let look = match c.name() {
        "host" => Look::Host,
        "getent" => Look::Getent,
        _ => Look::Nslookup,
    };
    let mut names = Vec::new();
    let mut chosen = None;
    let args = c.args();
    let mut skip = false;
    for (i, arg) in args.iter().enumerate() {
        if skip {
            skip = false;
            continue;
        }
        match arg.strip_prefix('-') {
            Some("t") => {
                chosen = args.get(i + 1).and_then(|t| kind(t));
                skip = true;
            }
            Some(option) => {
                let value = option.split_once('=').map(|(_, v)| v);
                chosen = value.and_then(kind).or(chosen);
            }
            None => names.push(arg.to_string()),
        }
    }
    if look == Look::Getent {
        let database = names.first().cloned().unwrap_or_default();
        if !matches!(database.as_str(), "hosts" | "ahosts" | "ahostsv4") {
            return Err(c.fail(1, &format!("Unknown database: {database}")));
        }
        names.remove(0);
    }
    let Some(name) = names.first().cloned() else {
        return Err(c.fail(1, "usage: nslookup [-type=TYPE] NAME [SERVER]"));
    };
    let default = if is_address(&name) {
        RecordKind::Pointer
    } else {
        RecordKind::Address
    };
    Ok(live(Dns {
        kind: chosen.unwrap_or(default),
        name,
        server: names.get(1).cloned(),
        look,
        asked: false,
    }))
}

pub(crate) fn dig(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let mut dns = Dns {
        name: String::new(),
        kind: RecordKind::Address,
        server: None,
        look: Look::Dig,
        asked: false,
    };
    let args = c.args();
    let o = Options::parse_args(c, &args, "46", "tpxqb", &[], false)?;
    for word in &o.operands {
        if let Some(server) = word.strip_prefix('@') {
            dns.server = Some(server.to_string());
        } else if let Some(option) = word.strip_prefix('+') {
            if option.starts_with("short") {
                dns.look = Look::DigShort;
            }
        } else if let (Some(kind), false) =
            (kind(word), dns.name.is_empty() && o.operands.len() == 1)
        {
            dns.kind = kind;
        } else if &**word != "IN" {
            dns.name = word.to_string();
        }
    }
    if let Some(t) = o.value('t').and_then(kind) {
        dns.kind = t;
    }
    if let Some(address) = o.value('x') {
        dns.name = address.to_string();
        dns.kind = RecordKind::Pointer;
    }
    Ok(live(dns))
}

fn live(dns: Dns) -> Live {
    Live::Net(Box::new(Net::Dns(Box::new(dns))))
}

impl Dns {
    pub(super) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        // dig does not search: the name is full as it stands.
        let is_full =
            matches!(self.look, Look::Dig | Look::DigShort) && self.kind != RecordKind::Pointer;
        let name = if is_full && !self.name.ends_with('.') {
            format!("{}.", self.name)
        } else {
            self.name.clone()
        };
        let request = Request::Lookup {
            name,
            kind: self.kind,
            server: self.server.clone(),
        };
        let Some(reply) = ask(c, &mut self.asked, &request) else {
            return Turn::Continue;
        };
        let status = match reply {
            Reply::Records {
                server,
                name,
                records,
            } => self.show(c, &server, &name, &records),
            Reply::Failed(error) => self.failed(c, &error),
            _ => 1,
        };
        Turn::Exit(c.finish(status))
    }

    /// Before 1.29 busybox asked the C library and numbered its answers.
    fn is_old(&self, c: &mut Context<'_, '_>) -> bool {
        self.look == Look::Nslookup && c.busybox() && c.k.host.machine().busybox < 29
    }

    fn banner(&self, c: &mut Context<'_, '_>, server: &str) {
        if self.is_old(c) {
            let name = match server {
                "10.96.0.10" => " kube-dns.kube-system.svc.cluster.local",
                _ => "",
            };
            c.say(&format!(
                "Server:    {server}\nAddress 1: {server}{name}\n\n"
            ));
        } else if c.busybox() {
            c.say(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n"));
        } else {
            c.say(&format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n"));
        }
    }

    fn show(&self, c: &mut Context<'_, '_>, server: &str, name: &str, records: &[Record]) -> i32 {
        match self.look {
            Look::Nslookup if self.is_old(c) => {
                self.banner(c, server);
                c.line(&format!("Name:      {}", self.name));
                for (at, r) in records.iter().enumerate() {
                    c.line(&format!("Address {}: {} {}", at + 1, r.value, r.name));
                }
                0
            }
            Look::Nslookup => {
                self.banner(c, server);
                for r in records {
                    let text = match r.kind {
                        RecordKind::Address | RecordKind::Address6 => {
                            format!("Name:\t{}\nAddress: {}", r.name, r.value)
                        }
                        RecordKind::Pointer => format!("{}\tname = {}", r.name, r.value),
                        RecordKind::Service => format!("{}\tservice = {}", r.name, r.value),
                        RecordKind::CName => format!("{}\tcanonical name = {}", r.name, r.value),
                        _ => format!("{}\ttext = \"{}\"", r.name, r.value),
                    };
                    c.line(&text);
                }
                if records.is_empty() {
                    c.line(&format!("*** Can't find {}: No answer", self.name));
                }
                c.line("");
                0
            }
            Look::Getent => {
                for r in records {
                    c.line(&format!("{:<15} {}", r.value, name));
                }
                if records.is_empty() { 2 } else { 0 }
            }
            Look::Host => {
                for r in records {
                    let text = match r.kind {
                        RecordKind::Address => format!("{} has address {}", r.name, r.value),
                        RecordKind::Address6 => format!("{} has IPv6 address {}", r.name, r.value),
                        RecordKind::Pointer => {
                            format!("{} domain name pointer {}", r.name, r.value)
                        }
                        RecordKind::Service => format!("{} has SRV record {}", r.name, r.value),
                        _ => format!("{} has {} record {}", r.name, kind_name(r.kind), r.value),
                    };
                    c.line(&text);
                }
                0
            }
            Look::DigShort => {
                for r in records {
                    c.line(&r.value);
                }
                0
            }
            Look::Dig => {
                self.dig_answer(c, server, "NOERROR", records);
                0
            }
        }
    }

    fn dig_answer(&self, c: &mut Context<'_, '_>, server: &str, status: &str, records: &[Record]) {
        let full = |name: &str| {
            if name.ends_with('.') {
                name.to_string()
            } else {
                format!("{name}.")
            }
        };
        let question = full(&self.name);
        c.say(&format!(
            "\n; <<>> DiG 9.18 <<>> {}\n;; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {status}, id: 1\n;; flags: qr aa rd; QUERY: 1, ANSWER: {}, AUTHORITY: 0, ADDITIONAL: 0\n\n;; QUESTION SECTION:\n;{question}\t\tIN\t{}\n\n",
            self.name,
            records.len(),
            kind_name(self.kind)
        ));
        if !records.is_empty() {
            c.line(";; ANSWER SECTION:");
            for r in records {
                c.line(&format!(
                    "{}\t30\tIN\t{}\t{}",
                    full(&r.name),
                    kind_name(r.kind),
                    r.value
                ));
            }
            c.line("");
        }
        let when = super::super::date::format("%a %b %d %H:%M:%S UTC %Y", c.now());
        c.say(&format!(
            ";; Query time: 0 msec\n;; SERVER: {server}#53({server}) (UDP)\n;; WHEN: {when}\n\n"
        ));
    }

    fn failed(&self, c: &mut Context<'_, '_>, error: &NetError) -> i32 {
        let name = &self.name;
        match (self.look, error) {
            (Look::Getent, _) => 2,
            (Look::DigShort, NetError::NameNotFound { .. }) => 0,
            (Look::Dig, NetError::NameNotFound { server }) => {
                self.dig_answer(c, server, "NXDOMAIN", &[]);
                0
            }
            (Look::Dig | Look::DigShort, error) => {
                let server = match error {
                    NetError::ResolverTimeout { server } => server.as_str(),
                    _ => self.server.as_deref().unwrap_or("the server"),
                };
                c.say(&format!(";; communications error to {server}#53: timed out\n;; no servers could be reached\n"));
                9
            }
            (Look::Host, NetError::NameNotFound { .. }) => {
                c.line(&format!("Host {name} not found: 3(NXDOMAIN)"));
                1
            }
            (_, NetError::NameNotFound { server }) if self.is_old(c) => {
                self.banner(c, server);
                c.fail(1, &format!("can't resolve '{name}'"))
            }
            (_, NetError::NameNotFound { server }) => {
                self.banner(c, server);
                c.line(&format!("** server can't find {name}: NXDOMAIN"));
                c.line("");
                1
            }
            (_, NetError::ResolverTimeout { .. }) => {
                c.line(";; connection timed out; no servers could be reached");
                c.line("");
                1
            }
            _ => {
                c.line(";; connection timed out; no servers could be reached");
                1
            }
        }
    }
}
