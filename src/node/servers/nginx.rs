//! nginx: its configuration as it stands in the container's files, and the files that it serves.
//!
//! Understands what tutorials configure: `server`, `listen`, `server_name`, `location` (exact, prefix, `^~`, `~`), `root`, `alias`,
//! `index`, `return`, `proxy_pass`, `try_files`, `autoindex`, `add_header`, `default_type`, TLS. Other directives are read over.

mod config;

use network::Answer;
use posix::{HttpRequest, Request};

use super::{Ask, Reaction, Then};
use crate::worker::Turn;
use config::{Directive, Server};

const ROOT: &str = "/usr/share/nginx/html";

impl Turn<'_, '_> {
    /// Ports of the configured servers; empty if the configuration is the image's own.
    pub(super) fn nginx_ports(&mut self, index: u16) -> Vec<u16> {
        let servers = self.nginx_servers(index);
        let mut ports: Vec<u16> = servers
            .iter()
            .flat_map(|server| server.listens.iter().map(|l| l.port))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The configuration, if the container has its own.
    fn nginx_servers(&mut self, index: u16) -> Vec<Server> {
        let is_own = self
            .pod
            .container_spec(index)
            .get("volumeMounts")
            .items()
            .iter()
            .any(|mount| mount.str("mountPath").starts_with("/etc/nginx"));
        if !is_own && self.pod.containers[index as usize].inside.is_none() {
            return Vec::new();
        }
        if let Some(image) = self.image(index) {
            self.open_inside(index, &image);
        }
        let text = self.with_includes(index, "/etc/nginx/nginx.conf", 0);
        config::servers(&config::parse(&text))
    }

    /// A configuration file with the files that it includes.
    fn with_includes(&mut self, index: u16, path: &str, depth: usize) -> String {
        let Some(bytes) = self.read_file(index, path).filter(|_| depth < 5) else {
            return String::new();
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut whole = String::new();
        for line in text.lines() {
            let word = line
                .trim()
                .strip_prefix("include ")
                .and_then(|rest| rest.split(';').next())
                .map(str::trim);
            match word {
                Some(pattern) => {
                    for path in self.included(index, pattern) {
                        whole += &self.with_includes(index, &path, depth + 1);
                    }
                }
                None => {
                    whole += line;
                    whole.push('\n');
                }
            }
        }
        whole
    }

    fn included(&mut self, index: u16, pattern: &str) -> Vec<String> {
        let pattern = if pattern.starts_with('/') {
            pattern.to_owned()
        } else {
            format!("/etc/nginx/{pattern}")
        };
        if pattern.ends_with("mime.types") {
            return Vec::new();
        }
        let Some((dir, name)) = pattern.rsplit_once('/') else {
            return Vec::new();
        };
        let Some((before, after)) = name.split_once('*') else {
            return vec![pattern.clone()];
        };
        let mut names = self.list_dir(index, dir);
        names.retain(|name| {
            name.starts_with(before) && name.ends_with(after) && !name.starts_with('.')
        });
        names.sort();
        names.iter().map(|name| format!("{dir}/{name}")).collect()
    }

    pub(super) fn nginx(&mut self, ask: &Ask<'_>) -> Reaction {
        let reaction = self.nginx_answer(ask);
        self.access_log(ask, &reaction);
        match reaction {
            Reaction::Answer(answer, work) => Reaction::Answer(
                answer.with_header("Server", &format!("nginx/{}", version(&ask.tag))),
                work,
            ),
            asks => asks,
        }
    }

    fn nginx_answer(&mut self, ask: &Ask<'_>) -> Reaction {
        let at_once = |answer| Reaction::Answer(answer, 300);
        let servers = self.nginx_servers(ask.index);
        if servers.is_empty() {
            if ask.tls {
                return at_once(Answer::Tls(NO_TLS.to_owned()));
            }
            return self.serve_files(ask, ROOT, &["index.html", "index.htm"], false);
        }
        let host = ask.host();
        let host = host.split(':').next().unwrap_or_default();
        let mut here = servers
            .iter()
            .filter(|server| server.listens.iter().any(|l| l.port == ask.port));
        let Some(first) = here.clone().next() else {
            return at_once(Answer::Refused);
        };
        let server = here
            .find(|server| server.names.iter().any(|name| name == host))
            .unwrap_or(first);
        let is_tls = server.listens.iter().any(|l| l.port == ask.port && l.tls);
        match (ask.tls, is_tls) {
            (true, false) => return at_once(Answer::Tls(NO_TLS.to_owned())),
            (true, true)
                if !ask.http.insecure
                    && !ask.http.extra.iter().any(|option| option.starts_with("c:")) =>
            {
                return at_once(Answer::Tls(
                    "SSL certificate problem: self-signed certificate".to_owned(),
                ));
            }
            (false, true) => return at_once(error_page(400)),
            _ => {}
        }
        let (path, query) = ask.path();
        let location = config::location(&server.body, &path);
        let body: Vec<&Directive> = location
            .iter()
            .flat_map(|l| l.block.iter())
            .chain(server.body.iter())
            .collect();
        let find = |name: &str| body.iter().find(|d| d.words[0] == name);
        let own = |name: &str| location.and_then(|l| l.block.iter().find(|d| d.words[0] == name));
        if let Some(given) =
            own("return").or_else(|| server.body.iter().find(|d| d.words[0] == "return"))
        {
            return at_once(returned(given, ask, &path));
        }
        if let Some(pass) = own("proxy_pass") {
            return self.pass(
                ask,
                pass.word(1),
                location.map_or("/", |l| l.prefix()),
                &path,
                &query,
            );
        }
        if own("stub_status").is_some() {
            let text = "Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n";
            return at_once(Answer::text(200, text));
        }
        let indexes: Vec<&str> = match find("index") {
            Some(index) => index.words[1..].iter().map(String::as_str).collect(),
            None => vec!["index.html"],
        };
        let lists = find("autoindex").is_some_and(|d| d.word(1) == "on");
        let reaction = match own("alias") {
            Some(alias) => {
                let prefix = location.map_or("", |l| l.prefix());
                let below = path.strip_prefix(prefix).unwrap_or(&path);
                self.serve_path(ask, &format!("{}{below}", alias.word(1)), &indexes, lists)
            }
            None => {
                let root = find("root")
                    .map_or("/etc/nginx/html", |d| d.word(1))
                    .to_owned();
                self.serve_files(ask, &root, &indexes, lists)
            }
        };
        let mut reaction = reaction;
        if let (Some(tries), Reaction::Answer(Answer::Http { status: 404, .. }, _)) =
            (find("try_files"), &reaction)
            && let Some(last) = tries.words.last()
        {
            if let Some(code) = last.strip_prefix('=').and_then(|code| code.parse().ok()) {
                reaction = at_once(error_page(code));
            } else {
                let root = find("root")
                    .map_or("/etc/nginx/html", |d| d.word(1))
                    .to_owned();
                reaction = self.serve_path(ask, &format!("{root}{last}"), &indexes, false);
            }
        }
        for header in body
            .iter()
            .filter(|d| d.words[0] == "add_header" && d.words.len() > 2)
        {
            if let Reaction::Answer(answer, work) = reaction {
                reaction =
                    Reaction::Answer(answer.with_header(header.word(1), header.word(2)), work);
            }
        }
        reaction
    }

    /// A reverse proxy asks the server behind it.
    fn pass(&mut self, ask: &Ask<'_>, to: &str, prefix: &str, path: &str, query: &str) -> Reaction {
        let (base, own_path) = match to
            .find("://")
            .and_then(|at| to[at + 3..].find('/').map(|slash| at + 3 + slash))
        {
            Some(at) => (&to[..at], Some(&to[at..])),
            None => (to, None),
        };
        let path = match own_path {
            Some(own) => format!("{own}{}", path.strip_prefix(prefix).unwrap_or_default()),
            None => path.to_owned(),
        };
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        let request = HttpRequest {
            url: format!("{base}{path}{query}"),
            insecure: true,
            timeout_micros: Some(60_000_000),
            connect_timeout_micros: Some(60_000_000),
            extra: Vec::new(),
            ..ask.http.clone()
        };
        Reaction::Ask {
            index: ask.index,
            request: Request::Http(request),
            then: Then::Pass,
        }
    }

    /// Files below a directory by the request's path.
    pub(super) fn serve_files(
        &mut self,
        ask: &Ask<'_>,
        root: &str,
        indexes: &[&str],
        lists: bool,
    ) -> Reaction {
        let (path, _) = ask.path();
        if path.split('/').any(|part| part == "..") {
            return Reaction::Answer(error_page(400), 200);
        }
        self.serve_path(
            ask,
            &format!("{}{path}", root.trim_end_matches('/')),
            indexes,
            lists,
        )
    }

    fn serve_path(&mut self, ask: &Ask<'_>, path: &str, indexes: &[&str], lists: bool) -> Reaction {
        let at_once = |answer| Reaction::Answer(answer, 300);
        if !matches!(ask.http.method.as_str(), "GET" | "HEAD") {
            return at_once(error_page(405));
        }
        if !path.ends_with('/') {
            if let Some(bytes) = self.content(ask, path) {
                return at_once(Answer::page(200, kind_of(path), bytes));
            }
            if !self.list_dir(ask.index, path).is_empty() {
                let (asked, _) = ask.path();
                let to = format!("http://{}{asked}/", ask.host());
                return at_once(error_page(301).with_header("Location", &to));
            }
            return at_once(error_page(404));
        }
        for name in indexes {
            if let Some(bytes) = self.content(ask, &format!("{path}{name}")) {
                return at_once(Answer::page(200, kind_of(name), bytes));
            }
        }
        let names = self.list_dir(ask.index, path);
        if lists && !names.is_empty() {
            let (asked, _) = ask.path();
            let rows: String = names
                .iter()
                .map(|name| format!("<a href=\"{name}\">{name}</a>\n"))
                .collect();
            let body = format!(
                "<html>\n<head><title>Index of {asked}</title></head>\n<body>\n<h1>Index of {asked}</h1><hr><pre><a href=\"../\">../</a>\n{rows}</pre><hr></body>\n</html>\n"
            );
            return at_once(Answer::page(200, "text/html", body));
        }
        let is_there = self.pod.containers[ask.index as usize].inside.is_some();
        at_once(error_page(if is_there { 403 } else { 404 }))
    }

    /// A file of the container: its own, or the image's while nobody has touched them.
    fn content(&mut self, ask: &Ask<'_>, path: &str) -> Option<Vec<u8>> {
        let is_covered = self
            .pod
            .container_spec(ask.index)
            .get("volumeMounts")
            .items()
            .iter()
            .any(|mount| path.starts_with(mount.str("mountPath")));
        if !is_covered && self.pod.containers[ask.index as usize].inside.is_none() {
            let known = ask.image.files.iter().find(|(known, _)| *known == path);
            return known.map(|(_, text)| text.as_bytes().to_vec());
        }
        self.open_inside(ask.index, ask.image);
        self.read_file(ask.index, path)
    }

    /// A line of the access log, as the image links it to standard output.
    fn access_log(&mut self, ask: &Ask<'_>, reaction: &Reaction) {
        let Reaction::Answer(Answer::Http { status, body, .. }, _) = reaction else {
            return;
        };
        let (path, query) = ask.path();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        let agent = ask
            .http
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        let agent = agent.map_or("-", |(_, value)| value.as_str());
        let now = posix::format_date("%d/%b/%Y:%H:%M:%S +0000", self.out.now().0 as i64);
        let line = format!(
            "{} - - [{now}] \"{} {path}{query} HTTP/1.1\" {status} {} \"-\" \"{agent}\" \"-\"\n",
            ask.client,
            ask.http.method,
            body.len()
        );
        self.log_line(ask.index, &line);
    }
}

const NO_TLS: &str = "TLS connect error: error:0A00010B:SSL routines::wrong version number";

/// nginx' own page for a status.
pub(super) fn error_page(status: u16) -> Answer {
    let words = match status {
        400 => "400 The plain HTTP request was sent to HTTPS port".to_owned(),
        405 => "405 Not Allowed".to_owned(),
        504 => "504 Gateway Time-out".to_owned(),
        other => format!("{other} {}", network::reason(other)),
    };
    let body = format!(
        "<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n<center><h1>{words}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer::page(status, "text/html", body)
}

/// `return 301 https://$host$request_uri;`, `return 200 "text";`
fn returned(given: &Directive, ask: &Ask<'_>, path: &str) -> Answer {
    let expand = |text: &str| {
        let host = ask.host();
        text.replace("$request_uri", path)
            .replace("$uri", path)
            .replace("$host", host.split(':').next().unwrap_or_default())
            .replace("$hostname", "localhost")
            .replace("$remote_addr", &ask.client.to_string())
            .replace("$scheme", if ask.tls { "https" } else { "http" })
            .replace("\\n", "\n")
    };
    let (status, text) = match given.word(1).parse::<u16>() {
        Ok(status) => (status, expand(given.word(2))),
        Err(_) => (302, expand(given.word(1))),
    };
    if (300..400).contains(&status) {
        return error_page(status).with_header("Location", &text);
    }
    if text.is_empty() && status >= 400 {
        error_page(status)
    } else {
        Answer::page(status, "application/octet-stream", text)
    }
}

/// `1.27.3` of the tag `1.27.3-alpine`.
fn version(tag: &str) -> &str {
    let number = tag.split('-').next().unwrap_or_default();
    if number.starts_with(|c: char| c.is_ascii_digit()) && number.matches('.').count() == 2 {
        number
    } else {
        "1.29.3"
    }
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" => "application/javascript",
        "json" => "application/json",
        "txt" => "text/plain",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "xml" => "text/xml",
        _ => "application/octet-stream",
    }
}
