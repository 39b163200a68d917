//! What the servers in containers answer.
//!
//! Which server listens where follows from the image, its arguments and its configuration files; what it answers from its
//! files. Everything that is only a protocol's surface (databases) answers as far as a client sees that it is there.

mod agnhost;
mod lines;
mod nginx;
mod pages;
mod ports;

use std::net::Ipv4Addr;

use network::{Answer, Call, Payload, Protocol};
use posix::{HttpRequest, NetError, Reply, Request};
use sim::{MILLI, Micros};

use crate::catalogue::Image;
use crate::process::Process;
use crate::worker::Turn;

/// What a server does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Answer(Answer, Micros),
    /// It asks another server first.
    Ask {
        index: u16,
        request: Request,
        then: Then,
    },
}

/// What becomes of the other server's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is passed on (a reverse proxy).
    Pass,
    /// Redis' reply becomes a page of the guest book.
    Guestbook { is_get: bool },
}

/// What a server is asked, with what it may need to know of itself.
pub(crate) struct Ask<'a> {
    pub(crate) index: u16,
    pub(crate) client: Ipv4Addr,
    pub(crate) port: u16,
    pub(crate) argv: Vec<String>,
    pub(crate) image: &'a Image,
    pub(crate) short: String,
    pub(crate) tag: String,
    pub(crate) http: &'a HttpRequest,
    pub(crate) tls: bool,
}

impl Ask<'_> {
    /// Path and query of the request.
    pub(crate) fn path(&self) -> (String, String) {
        let (_, _, path) = posix::split_url(&self.http.url);
        match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), query.to_owned()),
            None => (path, String::new()),
        }
    }

    /// The host as the client named it.
    pub(crate) fn host(&self) -> String {
        let named = self
            .http
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        match named {
            Some((_, host)) => host.clone(),
            None => {
                let (host, port, _) = posix::split_url(&self.http.url);
                let is_usual = port == if self.tls { 443 } else { 80 };
                if is_usual {
                    host
                } else {
                    format!("{host}:{port}")
                }
            }
        }
    }
}

impl Then {
    pub(crate) fn answer(self, reply: Reply) -> Answer {
        match (self, reply) {
            (
                Then::Pass,
                Reply::Http {
                    status,
                    reason,
                    headers,
                    body,
                    ..
                },
            ) => Answer::Http {
                status,
                reason,
                headers,
                body,
            },
            (Then::Pass, Reply::Failed(NetError::Timeout { .. })) => nginx::error_page(504),
            (Then::Pass, _) => nginx::error_page(502),
            (Then::Guestbook { is_get }, reply) => pages::guestbook_reply(is_get, &reply),
        }
    }
}

impl Turn<'_, '_> {
    /// The container's answer, if something in it listens on the call's port.
    pub(crate) fn serve_call(
        &mut self,
        index: u16,
        client: Ipv4Addr,
        call: &Call,
    ) -> Option<Reaction> {
        let image = self.image(index)?;
        let argv = self.argv(index, &image);
        let (short, tag) = self.image_name(index);
        let now = |answer| Some(Reaction::Answer(answer, 300));
        if let Some(root) = self.file_server(index, call) {
            let Payload::Http {
                request,
                tls: false,
            } = &call.payload
            else {
                return now(Answer::Reset);
            };
            let ask = Ask {
                index,
                client,
                port: call.port,
                argv,
                image: &image,
                short,
                tag,
                http: request,
                tls: false,
            };
            return Some(self.serve_files(&ask, &root, &["index.html"], true));
        }
        if !self.listens(index, &image, &short, &argv, call) {
            return None;
        }
        match &call.payload {
            Payload::Http { request, tls } => {
                let ask = Ask {
                    index,
                    client,
                    port: call.port,
                    argv,
                    image: &image,
                    short,
                    tag,
                    http: request,
                    tls: *tls,
                };
                Some(self.serve_http(&ask))
            }
            Payload::Bytes(bytes) if call.protocol == Protocol::Udp => {
                now(agnhost::datagram(&self.name_of_host(), bytes))
            }
            Payload::Bytes(bytes) => {
                let answer = self.serve_bytes(index, &short, bytes);
                now(answer)
            }
            Payload::Dns { .. } => now(Answer::Refused),
            Payload::Echo => now(Answer::Pong { micros: 60 }),
        }
    }

    fn serve_http(&mut self, ask: &Ask<'_>) -> Reaction {
        let at_once = |answer| Reaction::Answer(answer, 300);
        if let Some(custom) = &ask.image.custom {
            let since = match self.pod.containers[ask.index as usize].process.as_deref() {
                Some(Process::Server { since, .. }) => *since,
                _ => self.out.now(),
            };
            let age = self.out.now().since(since);
            let (path, _) = ask.path();
            return at_once(custom.answer(&path, age, &self.variables(ask.index)));
        }
        let is_nginx = matches!(
            ask.short.as_str(),
            "nginx" | "nginx-slim" | "nginx-unprivileged" | "nginxhttps" | "openresty"
        );
        if is_nginx {
            return self.nginx(ask);
        }
        if ask.tls {
            return at_once(Answer::Tls(
                "TLS connect error: error:0A00010B:SSL routines::wrong version number".to_owned(),
            ));
        }
        match ask.short.as_str() {
            "httpd" => self.serve_files(ask, "/usr/local/apache2/htdocs", &["index.html"], true),
            "php" | "apache" => {
                self.serve_files(ask, "/var/www/html", &["index.php", "index.html"], false)
            }
            "agnhost" => at_once(self.agnhost(ask)),
            "gb-frontend" | "guestbook-php-redis" => self.guestbook(ask),
            "hpa-example" | "php-apache" => Reaction::Answer(
                Answer::page(200, "text/html; charset=UTF-8", "OK!"),
                20 * MILLI,
            ),
            _ => at_once(self.page(ask)),
        }
    }

    /// The words that the container runs.
    pub(crate) fn argv(&self, index: u16, image: &Image) -> Vec<String> {
        let spec = self.pod.container_spec(index).clone();
        let env = crate::environment::environment(self.pod, &spec, self.host);
        crate::process::argv(image, &spec, &env)
    }

    /// The last part of the image's name, and its tag.
    fn image_name(&self, index: u16) -> (String, String) {
        let image = self.pod.container_spec(index).str("image");
        let last = image.rsplit('/').next().unwrap_or_default();
        let last = last.split('@').next().unwrap_or_default();
        match last.split_once(':') {
            Some((name, tag)) => (name.to_owned(), tag.to_owned()),
            None => (last.to_owned(), "latest".to_owned()),
        }
    }

    pub(crate) fn name_of_host(&self) -> String {
        crate::environment::hostname(self.pod, &self.host.machine)
    }

    /// Whether something in the container listens on the port of a call.
    fn listens(
        &mut self,
        index: u16,
        image: &Image,
        short: &str,
        argv: &[String],
        call: &Call,
    ) -> bool {
        let spec = self.pod.container_spec(index).clone();
        let declared = |port: u16| {
            spec.get("ports")
                .items()
                .iter()
                .any(|own| own.int("containerPort") == Some(i64::from(port)))
        };
        match self.pod.containers[index as usize].process.as_deref() {
            Some(Process::Server { .. }) => {
                if let Some(custom) = &image.custom {
                    return call.protocol == Protocol::Tcp && custom.ports.contains(&call.port);
                }
                let known = ports::of(short, argv, &self.variables(index), call.protocol);
                match known {
                    Some(ports) if short.starts_with("nginx") => {
                        let configured = self.nginx_ports(index);
                        if configured.is_empty() {
                            ports.contains(&call.port)
                        } else {
                            configured.contains(&call.port)
                        }
                    }
                    Some(ports) => ports.contains(&call.port),
                    None if call.protocol == Protocol::Udp => false,
                    None => image.ports.contains(&call.port) || declared(call.port),
                }
            }
            // A program that we do not know well runs in a shell or by a script: it is taken at its manifest's word.
            Some(Process::Inside { .. }) => {
                self.runs_a_server(index)
                    && (declared(call.port) || image.ports.contains(&call.port))
            }
            _ => false,
        }
    }

    fn variables(&self, index: u16) -> std::collections::BTreeMap<String, String> {
        let spec = self.pod.container_spec(index).clone();
        crate::environment::environment(self.pod, &spec, self.host)
    }

    /// Whether a program runs inside that is not one of the shell's tools.
    fn runs_a_server(&self, index: u16) -> bool {
        let Some(inside) = &self.pod.containers[index as usize].inside else {
            return false;
        };
        inside.system.processes().iter().any(|process| {
            let name = process
                .argv
                .first()
                .map_or("", |word| word.rsplit('/').next().unwrap_or(word));
            !process.zombie
                && !name.is_empty()
                && !posix::tool_names().any(|tool| tool == name)
                && !matches!(name, "sh" | "bash" | "ash" | "dash" | "-sh" | "-bash")
        })
    }

    /// The directory that `httpd` (busybox) or `python -m http.server` serves on the port of a call.
    fn file_server(&mut self, index: u16, call: &Call) -> Option<String> {
        if call.protocol != Protocol::Tcp {
            return None;
        }
        let inside = self.pod.containers[index as usize].inside.as_ref()?;
        let cwd = inside.cwd.clone();
        inside
            .system
            .processes()
            .iter()
            .filter(|process| !process.zombie)
            .find_map(|process| {
                let words: Vec<&str> = process.argv.iter().map(|word| &**word).collect();
                ports::file_server(&words, &cwd)
                    .filter(|(port, _)| *port == call.port)
                    .map(|(_, root)| root)
            })
    }
}
