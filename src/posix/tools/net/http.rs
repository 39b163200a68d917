//! `curl` and `wget`.

use super::super::context::{Context, Options};
use super::super::live::Live;
use super::{Net, ask};
use crate::host::{HttpRequest, NetError, Reply, Request};
use crate::system::{Turn, Wait};

/// Redirections followed, as curl does.
const REDIRECT_LIMIT: u32 = 50;

#[derive(Clone, Debug)]
pub(crate) struct Http {
    urls: Vec<String>,
    at: usize,
    request: HttpRequest,
    wget: bool,
    silent: bool,
    show_error: bool,
    fail: bool,
    include: bool,
    head: bool,
    verbose: bool,
    location: bool,
    spider: bool,
    output: Option<String>,
    remote_name: bool,
    write_out: Option<String>,
    server_response: bool,
    retries: u32,
    tries: u32,
    retry_at: Option<i64>,
    redirects: u32,
    status: i32,
    asked: bool,
    started: i64,
}

const CURL_LONG: [(&str, char); 44] = [
    ("silent", 's'),
    ("show-error", 'S'),
    ("fail", 'f'),
    ("include", 'i'),
    ("head", 'I'),
    ("verbose", 'v'),
    ("location", 'L'),
    ("insecure", 'k'),
    ("request=", 'X'),
    ("header=", 'H'),
    ("data=", 'd'),
    ("data-raw=", 'd'),
    ("data-ascii=", 'd'),
    ("data-binary=", 'D'),
    ("data-urlencode=", 'U'),
    ("json=", 'J'),
    ("form=", 'F'),
    ("output=", 'o'),
    ("remote-name", 'O'),
    ("write-out=", 'w'),
    ("user=", 'u'),
    ("user-agent=", 'A'),
    ("max-time=", 'm'),
    ("connect-timeout=", 'T'),
    ("cacert=", 'c'),
    ("cert=", 'E'),
    ("key=", 'K'),
    ("resolve=", 'R'),
    ("connect-to=", 'R'),
    ("proxy=", 'x'),
    ("retry=", 'r'),
    ("retry-delay=", 'y'),
    ("retry-connrefused", 'z'),
    ("get", 'G'),
    ("compressed", 'Z'),
    ("http1.1", 'Z'),
    ("http2", 'Z'),
    ("no-buffer", 'N'),
    ("no-progress-meter", 's'),
    ("progress-bar", '#'),
    ("cookie=", 'b'),
    ("url=", 'l'),
    ("proto=", 'P'),
    ("unix-socket=", 'P'),
];

fn empty_request(method: &str) -> HttpRequest {
    HttpRequest {
        method: method.into(),
        url: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        insecure: false,
        timeout_micros: None,
        connect_timeout_micros: None,
        extra: Vec::new(),
    }
}

fn new(request: HttpRequest, urls: Vec<String>, now: i64) -> Http {
    Http {
        urls,
        at: 0,
        request,
        wget: false,
        silent: false,
        show_error: false,
        fail: false,
        include: false,
        head: false,
        verbose: false,
        location: false,
        spider: false,
        output: None,
        remote_name: false,
        write_out: None,
        server_response: false,
        retries: 0,
        tries: 0,
        retry_at: None,
        redirects: 0,
        status: 0,
        asked: false,
        started: now,
    }
}

pub(crate) fn curl(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let o = Options::parse_args(
        c,
        &args,
        "sSfiIvLkOGN#46jnqZ",
        "XHdFowuAmEcxbeTCrz",
        &CURL_LONG,
        false,
    )
    .map_err(|_| 2)?;
    let mut urls: Vec<String> = o.values('l').iter().map(|u| u.to_string()).collect();
    urls.extend(o.operands.iter().map(|u| u.to_string()));
    if urls.is_empty() {
        c.err
            .extend_from_slice(b"curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
        return Err(2);
    }
    let mut request = empty_request("GET");
    let mut body: Option<Vec<u8>> = None;
    for (letter, glue) in [('d', "&"), ('D', "&"), ('U', "&"), ('J', "")] {
        let values: Vec<String> = o.values(letter).iter().map(|v| v.to_string()).collect();
        for value in values {
            let mut bytes = match value.strip_prefix('@') {
                Some(path) => {
                    match c.input(path) {
                        Ok(bytes) => bytes,
                        Err(_) => {
                            c.err.extend_from_slice(
                            format!("curl: option -d: error encountered when reading a file: {path}\n").as_bytes(),
                        );
                            return Err(26);
                        }
                    }
                }
                None => value.into_bytes(),
            };
            if letter == 'd' && o.values('d').iter().any(|v| v.starts_with('@')) {
                bytes.retain(|b| *b != b'\n' && *b != b'\r');
            }
            match &mut body {
                Some(all) => {
                    all.extend_from_slice(glue.as_bytes());
                    all.extend(bytes);
                }
                None => body = Some(bytes),
            }
        }
    }
    if c.wants_input {
        return Err(0);
    }
    for header in o.values('H') {
        if let Some((name, value)) = header.split_once(':') {
            request
                .headers
                .push((name.trim().to_string(), value.trim().to_string()));
        }
    }
    let has =
        |r: &HttpRequest, name: &str| r.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if let Some(body) = body {
        if o.has('G') {
            let query = String::from_utf8_lossy(&body).into_owned();
            for url in &mut urls {
                let mark = if url.contains('?') { '&' } else { '?' };
                url.push(mark);
                url.push_str(&query);
            }
        } else {
            request.method = "POST".into();
            let kind = if o.has('J') {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            if !has(&request, "Content-Type") {
                request.headers.push(("Content-Type".into(), kind.into()));
            }
            request.body = body;
        }
    }
    if let Some(agent) = o.value('A') {
        request.headers.push(("User-Agent".into(), agent.into()));
    } else if !has(&request, "User-Agent") {
        request
            .headers
            .push(("User-Agent".into(), "curl/8.14.1".into()));
    }
    if !has(&request, "Accept") {
        request.headers.push(("Accept".into(), "*/*".into()));
    }
    if let Some(user) = o.value('u') {
        let token = super::super::base64::encode_base64(user.as_bytes());
        request
            .headers
            .push(("Authorization".into(), format!("Basic {token}")));
    }
    if let Some(cookie) = o.value('b') {
        request.headers.push(("Cookie".into(), cookie.into()));
    }
    if o.has('I') {
        request.method = "HEAD".into();
    }
    if let Some(method) = o.value('X') {
        request.method = method.to_string();
    }
    request.insecure = o.has('k');
    request.timeout_micros = o.value('m').and_then(super::super::seconds);
    request.connect_timeout_micros = o.value('T').and_then(super::super::seconds);
    for letter in ['R', 'x', 'c', 'E', 'K'] {
        request
            .extra
            .extend(o.values(letter).iter().map(|v| format!("{letter}:{v}")));
    }
    let mut http = new(request, urls, c.now());
    http.silent = o.has('s');
    http.show_error = o.has('S');
    http.fail = o.has('f');
    http.include = o.has('i');
    http.head = o.has('I');
    http.verbose = o.has('v');
    http.location = o.has('L');
    http.output = o.value('o').map(String::from);
    http.remote_name = o.has('O');
    http.write_out = o.value('w').map(String::from);
    http.retries = o.value('r').and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(Live::Net(Box::new(Net::Http(Box::new(http)))))
}

pub(crate) fn wget(c: &mut Context<'_, '_>) -> Result<Live, i32> {
    let args = c.args();
    let long = [
        ("quiet", 'q'),
        ("output-document=", 'O'),
        ("timeout=", 'T'),
        ("tries=", 't'),
        ("spider", 's'),
        ("server-response", 'S'),
        ("header=", 'H'),
        ("post-data=", 'd'),
        ("no-check-certificate", 'k'),
        ("no-verbose", 'n'),
        ("method=", 'X'),
        ("body-data=", 'd'),
        ("continue", 'c'),
        ("directory-prefix=", 'P'),
    ];
    // -qO- and -q -O- are written in every way; -nv is two letters of one option.
    let o = Options::parse_args(c, &args, "qsSckvn46", "OTtPUo", &long, false)?;
    let Some(url) = o.operands.first().cloned() else {
        c.err
            .extend_from_slice(b"wget: missing URL\nUsage: wget [OPTION]... [URL]...\n");
        return Err(1);
    };
    let mut request = empty_request("GET");
    if let Some(data) = o.value('d') {
        request.method = "POST".into();
        request.body = data.as_bytes().to_vec();
        request.headers.push((
            "Content-Type".into(),
            "application/x-www-form-urlencoded".into(),
        ));
    }
    if let Some(method) = o.value('X') {
        request.method = method.into();
    }
    for header in o.values('H') {
        if let Some((name, value)) = header.split_once(':') {
            request
                .headers
                .push((name.trim().to_string(), value.trim().to_string()));
        }
    }
    request.headers.push(("User-Agent".into(), "Wget".into()));
    request.insecure = o.has('k');
    request.timeout_micros = o.value('T').and_then(super::super::seconds);
    let mut http = new(request, vec![url.to_string()], c.now());
    http.wget = true;
    http.silent = o.has('q');
    http.spider = o.has('s');
    http.fail = true;
    http.location = true;
    http.server_response = o.has('S');
    http.output = o.value('O').map(String::from);
    http.remote_name = http.output.is_none();
    Ok(Live::Net(Box::new(Net::Http(Box::new(http)))))
}

impl Http {
    pub(super) fn run(&mut self, c: &mut Context<'_, '_>) -> Turn {
        if let Some(t) = self.retry_at {
            if c.now() < t {
                c.p.wait = Wait::Until(t);
                return Turn::Continue;
            }
            self.retry_at = None;
        }
        if self.request.url.is_empty() {
            let Some(url) = self.urls.get(self.at) else {
                return Turn::Exit(c.finish(self.status));
            };
            self.request.url = full_url(url);
            if self.wget && !self.silent && !self.asked {
                self.wget_banner(c);
            }
        }
        let request = Request::Http(self.request.clone());
        let Some(reply) = ask(c, &mut self.asked, &request) else {
            return Turn::Continue;
        };
        match reply {
            Reply::Http {
                peer,
                status,
                reason,
                headers,
                body,
            } => {
                if self.location
                    && (300..400).contains(&status)
                    && self.redirects < REDIRECT_LIMIT
                    && let Some((_, to)) = headers
                        .iter()
                        .find(|(n, _)| n.eq_ignore_ascii_case("location"))
                {
                    self.redirects += 1;
                    self.request.url = join_url(&self.request.url, to);
                    c.p.wait = Wait::Ready;
                    return Turn::Continue;
                }
                self.busybox_connecting(c, &peer);
                self.answered(c, &peer, status, &reason, &headers, &body);
            }
            Reply::Failed(error) => {
                let again = !matches!(
                    error,
                    NetError::BadUrl(_) | NetError::Tls(_) | NetError::NameNotFound { .. }
                );
                if again && self.tries < self.retries {
                    // curl waits one second, then twice as long each time.
                    let wait = 1_000_000i64 << self.tries.min(9);
                    self.tries += 1;
                    self.retry_at = Some(c.now() + wait);
                    c.p.wait = Wait::Until(c.now() + wait);
                    return Turn::Continue;
                }
                self.status = self.failed(c, &error);
            }
            _ => self.status = 1,
        }
        self.at += 1;
        self.request.url.clear();
        self.tries = 0;
        c.p.wait = Wait::Ready;
        Turn::Continue
    }

    /// What wget says before it asks; busybox says it once it knows the address.
    fn wget_banner(&self, c: &mut Context<'_, '_>) {
        if c.busybox() {
            return;
        }
        let (host, port, _) = split_url(&self.request.url);
        let time = super::super::date::format("%F %T", c.now());
        let url = &self.request.url;
        let text = format!("--{time}--  {url}\nConnecting to {host}:{port}... ");
        c.err.extend_from_slice(text.as_bytes());
    }

    fn busybox_connecting(&self, c: &mut Context<'_, '_>, peer: &str) {
        if self.wget && !self.silent && c.busybox() {
            let (host, port, _) = split_url(&self.request.url);
            let text = format!("Connecting to {host} ({peer}:{port})\n");
            c.err.extend_from_slice(text.as_bytes());
        }
    }

    fn answered(
        &mut self,
        c: &mut Context<'_, '_>,
        peer: &str,
        status: u16,
        reason: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if self.verbose {
            let (host, port, path) = split_url(&self.request.url);
            let mut text = format!(
                "* Connected to {host} ({peer}) port {port}\n> {} {path} HTTP/1.1\n> Host: {host}\n",
                self.request.method
            );
            for (name, value) in &self.request.headers {
                text.push_str(&format!("> {name}: {value}\n"));
            }
            text.push_str("> \n");
            for line in head.lines() {
                text.push_str(&format!("< {line}\n"));
            }
            c.err.extend_from_slice(text.as_bytes());
        }
        if self.server_response {
            for line in head.lines().filter(|l| !l.is_empty()) {
                c.err.extend_from_slice(format!("  {line}\n").as_bytes());
            }
        }
        if self.fail && status >= 400 {
            if self.wget {
                let text = if c.busybox() {
                    format!("wget: server returned error: HTTP/1.1 {status} {reason}\n")
                } else if self.silent {
                    String::new()
                } else {
                    let time = super::super::date::format("%F %T", c.now());
                    format!(
                        "HTTP request sent, awaiting response... {status} {reason}\n{time} ERROR {status}: {reason}.\n\n"
                    )
                };
                c.err.extend_from_slice(text.as_bytes());
                self.status = if c.busybox() { 1 } else { 8 };
            } else {
                if !self.silent || self.show_error {
                    let text = format!("curl: (22) The requested URL returned error: {status}\n");
                    c.err.extend_from_slice(text.as_bytes());
                }
                self.status = 22;
            }
            self.write_out(c, status, body.len());
            return;
        }
        let mut content = Vec::new();
        if self.include || self.head {
            content.extend_from_slice(head.as_bytes());
        }
        if !self.head && !self.spider {
            content.extend_from_slice(body);
        }
        let path = match &self.output {
            Some(path) => Some(path.clone()),
            None if self.remote_name && !self.spider => Some(remote_name(&self.request.url)),
            None => None,
        };
        match path.as_deref() {
            None | Some("-") => c.out.extend_from_slice(&content),
            Some(path) => {
                if let Err(errno) = c.files().write(path, &content) {
                    let text = if self.wget {
                        format!("wget: can't open '{path}': {errno}\n")
                    } else {
                        format!(
                            "curl: (23) client returned ERROR on write, {} bytes received\n",
                            content.len()
                        )
                    };
                    c.err.extend_from_slice(text.as_bytes());
                    self.status = if self.wget { 1 } else { 23 };
                    return;
                }
            }
        }
        if self.wget && !self.silent {
            self.wget_done(c, path.as_deref(), status, reason, body.len());
        }
        self.write_out(c, status, body.len());
    }

    fn wget_done(
        &self,
        c: &mut Context<'_, '_>,
        path: Option<&str>,
        status: u16,
        reason: &str,
        length: usize,
    ) {
        let text = match (c.busybox(), path) {
            (true, _) if self.spider => "remote file exists\n".to_string(),
            (true, Some("-")) => format!(
                "writing to stdout\n-                    100% |********************************| {length:>5}  0:00:00 ETA\nwritten to stdout\n"
            ),
            (true, Some(path)) => format!(
                "saving to '{path}'\n{path:<20} 100% |********************************| {length:>5}  0:00:00 ETA\n'{path}' saved\n"
            ),
            (true, None) => String::new(),
            (false, path) => {
                let time = super::super::date::format("%F %T", c.now());
                let mut text = format!(
                    "connected.\nHTTP request sent, awaiting response... {status} {reason}\nLength: {length}\n"
                );
                match path {
                    Some("-") => text.push_str("Saving to: 'STDOUT'\n\n"),
                    Some(path) => text.push_str(&format!("Saving to: '{path}'\n\n{time} (1.00 MB/s) - '{path}' saved [{length}/{length}]\n\n")),
                    None => text.push_str("Remote file exists.\n\n"),
                }
                text
            }
        };
        c.err.extend_from_slice(text.as_bytes());
    }

    fn write_out(&self, c: &mut Context<'_, '_>, status: u16, size: usize) {
        let Some(format) = &self.write_out else {
            return;
        };
        let micros = c.now() - self.started;
        let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let text = format
            .replace("%{http_code}", &format!("{status:03}"))
            .replace("%{response_code}", &format!("{status:03}"))
            .replace("%{time_total}", &seconds)
            .replace("%{size_download}", &size.to_string())
            .replace("%{url_effective}", &self.request.url)
            .replace("%{num_redirects}", &self.redirects.to_string())
            .replace("\\n", "\n")
            .replace("\\t", "\t");
        c.say(&text);
    }

    fn failed(&mut self, c: &mut Context<'_, '_>, error: &NetError) -> i32 {
        let (host, port, _) = split_url(&self.request.url);
        if let NetError::Refused { peer } | NetError::Timeout { peer } | NetError::Reset { peer } =
            error
        {
            self.busybox_connecting(c, peer);
        }
        if self.wget {
            let text = match error {
                NetError::NameNotFound { .. } | NetError::ResolverTimeout { .. } if c.busybox() => {
                    format!("wget: bad address '{host}'\n")
                }
                NetError::NameNotFound { .. } | NetError::ResolverTimeout { .. } => {
                    format!("wget: unable to resolve host address '{host}'\n")
                }
                NetError::Timeout { .. } if c.busybox() => "wget: download timed out\n".into(),
                NetError::Timeout { .. } => "failed: Connection timed out.\n".into(),
                NetError::Refused { peer } if c.busybox() => {
                    format!("wget: can't connect to remote host ({peer}): Connection refused\n")
                }
                NetError::Refused { .. } => "failed: Connection refused.\n".into(),
                NetError::Reset { .. } => {
                    "wget: error getting response: Connection reset by peer\n".into()
                }
                NetError::Tls(message) => format!("wget: TLS error: {message}\n"),
                NetError::BadUrl(message) => format!("wget: {message}\n"),
                NetError::Unreachable if c.busybox() => {
                    format!("wget: can't connect to remote host ({host}): Network unreachable\n")
                }
                NetError::Unreachable => "failed: Network is unreachable.\n".into(),
            };
            let hidden = self.silent && !c.busybox();
            if !hidden {
                c.err.extend_from_slice(text.as_bytes());
            }
            return if c.busybox() { 1 } else { 4 };
        }
        let millis = (c.now() - self.started) / 1000;
        let (status, message) = match error {
            NetError::NameNotFound { .. } | NetError::ResolverTimeout { .. } => {
                (6, format!("Could not resolve host: {host}"))
            }
            NetError::Refused { .. } | NetError::Unreachable => (
                7,
                format!(
                    "Failed to connect to {host} port {port} after {millis} ms: Could not connect to server"
                ),
            ),
            NetError::Timeout { .. } if self.request.timeout_micros.is_some() => (
                28,
                format!("Operation timed out after {millis} milliseconds with 0 bytes received"),
            ),
            NetError::Timeout { .. } if self.request.connect_timeout_micros.is_some() => (
                28,
                format!("Connection timed out after {millis} milliseconds"),
            ),
            NetError::Timeout { .. } => (
                28,
                format!(
                    "Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server"
                ),
            ),
            NetError::Reset { .. } => (56, "Recv failure: Connection reset by peer".to_string()),
            NetError::Tls(message) => (60, message.clone()),
            NetError::BadUrl(message) => (3, message.clone()),
        };
        if !self.silent || self.show_error {
            c.err
                .extend_from_slice(format!("curl: ({status}) {message}\n").as_bytes());
        }
        self.write_out(c, 0, 0);
        status
    }
}

fn full_url(url: &str) -> String {
    if url.contains("://") {
        url.to_string()
    } else {
        format!("http://{url}")
    }
}

/// Host, port and path of a URL.
pub fn split_url(url: &str) -> (String, u16, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let default = if scheme == "https" { 443 } else { 80 };
    let bracket_end = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority.rfind(':') {
        Some(i) if i > bracket_end => (
            &authority[..i],
            authority[i + 1..].parse().unwrap_or(default),
        ),
        _ => (authority, default),
    };
    let path = if path.starts_with('/') {
        path.to_string()
    } else {
        format!("/{path}")
    };
    (host.to_string(), port, path)
}

fn remote_name(url: &str) -> String {
    let (_, _, path) = split_url(url);
    let path = path.split(['?', '#']).next().unwrap_or("");
    match path.rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_string(),
        _ => "index.html".into(),
    }
}

fn join_url(base: &str, to: &str) -> String {
    if to.contains("://") {
        return to.to_string();
    }
    let scheme_end = base.find("://").map_or(0, |i| i + 3);
    let path = base[scheme_end..]
        .find('/')
        .map_or(base.len(), |i| scheme_end + i);
    if to.starts_with('/') {
        return format!("{}{to}", &base[..path]);
    }
    let dir = base[path..].rfind('/').map_or(base.len(), |i| path + i);
    format!("{}/{to}", &base[..dir])
}
