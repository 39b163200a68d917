//! agnhost, the image that Kubernetes' own tests and tutorials use: one program with many small servers.
//!
//! Models `test/images/agnhost` (netexec, serve-hostname, liveness, porter, test-webserver).

use network::Answer;
use sim::SECOND;

use super::Ask;
use crate::process::Process;
use crate::worker::Turn;

impl Turn<'_, '_> {
    pub(super) fn agnhost(&mut self, ask: &Ask<'_>) -> Answer {
        let word = ask
            .argv
            .iter()
            .skip(1)
            .find(|word| !word.starts_with('-'))
            .map_or("", String::as_str);
        let (path, query) = ask.path();
        let host = self.name_of_host();
        match word {
            "serve-hostname" => Answer::text(200, host),
            "liveness" => self.liveness(&path),
            "porter" => {
                let name = format!("SERVE_PORT_{}", ask.port);
                Answer::text(
                    200,
                    self.variables(ask.index)
                        .get(&name)
                        .cloned()
                        .unwrap_or_default(),
                )
            }
            "test-webserver" => Answer::page(200, "text/html; charset=utf-8", "<pre>\n</pre>\n"),
            "grpc-health-checking" => Answer::text(200, "ok"),
            _ => self.netexec(ask, &path, &query, &host),
        }
    }

    fn liveness(&self, path: &str) -> Answer {
        if path != "/healthz" {
            return Answer::text(200, "404 page not found\n".to_owned()).with_status(404);
        }
        let since =
            self.pod
                .containers
                .iter()
                .find_map(|container| match container.process.as_deref() {
                    Some(Process::Server { since, .. }) => Some(*since),
                    _ => None,
                });
        let age = since.map_or(0, |since| self.out.now().since(since));
        if age > 10 * SECOND {
            let secs = format!("{}.{:09}", age / SECOND, age % SECOND * 1000);
            return Answer::text(500, format!("error: {secs}"));
        }
        Answer::text(200, "ok")
    }

    fn netexec(&mut self, ask: &Ask<'_>, path: &str, query: &str, host: &str) -> Answer {
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(decoded))
                .unwrap_or_default()
        };
        let client = format!(
            "{}:{}",
            ask.client,
            32_768 + self.out.now().0 / 1_000 % 28_000
        );
        match path {
            "/" => Answer::text(200, format!("NOW: {}", self.out.now().rfc3339())),
            "/hostname" | "/hostName" => Answer::text(200, host.to_owned()),
            "/clientip" => Answer::text(200, client),
            "/echo" => {
                let status = value("code").parse().unwrap_or(200);
                Answer::text(status, value("msg"))
            }
            "/header" => {
                let wanted = value("key");
                let found = ask
                    .http
                    .headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(&wanted));
                Answer::text(
                    200,
                    found.map(|(_, value)| value.clone()).unwrap_or_default(),
                )
            }
            "/healthz" => Answer::text(200, ""),
            "/exit" => {
                self.finish(ask.index, value("code").parse().unwrap_or(0), "Completed");
                Answer::Reset
            }
            _ => Answer::text(404, "404 page not found\n"),
        }
    }
}

/// netexec's answer to a datagram.
pub(super) fn datagram(host: &str, bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    match text.split_once(' ') {
        Some(("echo", rest)) => Answer::Bytes(rest.as_bytes().to_vec()),
        _ if text.eq_ignore_ascii_case("hostname") => Answer::Bytes(host.as_bytes().to_vec()),
        _ => Answer::Bytes(Vec::new()),
    }
}

/// `%20` and `+` in a query.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = after;
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
