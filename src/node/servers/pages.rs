//! Small web servers of the documentation: each answers with a page that says who answered.

use network::Answer;
use posix::{NetError, Reply, Request};

use super::agnhost::decoded;
use super::{Ask, Reaction, Then, ports};
use crate::worker::Turn;

impl Turn<'_, '_> {
    pub(super) fn page(&mut self, ask: &Ask<'_>) -> Answer {
        let host = self.name_of_host();
        match ask.short.as_str() {
            "hello-app" => {
                let version = if ask.tag.starts_with("2") {
                    "2.0.0"
                } else {
                    "1.0.0"
                };
                Answer::text(
                    200,
                    format!("Hello, world!\nVersion: {version}\nHostname: {host}\n"),
                )
            }
            "kubernetes-bootcamp" => {
                let version = if ask.tag.starts_with("v2") { "2" } else { "1" };
                Answer::text(
                    200,
                    format!("Hello Kubernetes bootcamp! | Running on: {host} | v={version}\n"),
                )
            }
            "http-echo" => {
                let text = ports::option(&ask.argv, &["text"]).map(str::to_owned);
                let text = text
                    .or_else(|| self.variables(ask.index).get("ECHO_TEXT").cloned())
                    .unwrap_or_default();
                Answer::text(200, format!("{text}\n"))
            }
            "echoserver" | "echo-server" | "echo" => Answer::text(200, self.echoed(ask, &host)),
            "hello-go-gke" | "hello-go" => {
                Answer::page(200, "application/json", "{\"message\":\"Hello\"}\n")
            }
            "whoami" => Answer::text(200, self.whoami(ask, &host)),
            "wordpress" => {
                let (path, _) = ask.path();
                if path == "/" {
                    let to = format!("http://{}/wp-admin/install.php", ask.host());
                    return Answer::page(302, "text/html; charset=UTF-8", "")
                        .with_header("Location", &to);
                }
                Answer::page(
                    200,
                    "text/html; charset=UTF-8",
                    "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>WordPress &rsaquo; Installation</title></head>\n<body><h1>Welcome</h1></body>\n</html>\n",
                )
            }
            "prometheus" => Answer::text(200, "Prometheus Server is Ready.\n"),
            "tomcat" => Answer::page(
                404,
                "text/html;charset=utf-8",
                "<!doctype html><html lang=\"en\"><head><title>HTTP Status 404 – Not Found</title></head><body><h1>HTTP Status 404 – Not Found</h1></body></html>",
            ),
            name => Answer::text(
                200,
                format!(
                    "{name}:{} on {host} (a generic image: the playground knows its name, not its program)\n",
                    ask.tag
                ),
            ),
        }
    }

    /// echoserver's report of a request.
    fn echoed(&self, ask: &Ask<'_>, host: &str) -> String {
        let (path, query) = ask.path();
        let uri = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        let mut headers: Vec<(String, String)> = ask
            .http
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        if !headers.iter().any(|(name, _)| name == "host") {
            headers.push(("host".to_owned(), ask.host()));
        }
        headers.sort();
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("\t{name}={value}\n"))
            .collect();
        let body = String::from_utf8_lossy(&ask.http.body);
        let body = if body.is_empty() {
            "\t-no body in request-".to_owned()
        } else {
            body.into_owned()
        };
        format!(
            "\n\nHostname: {host}\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n\tclient_address={}\n\tmethod={}\n\treal path={uri}\n\tquery={query}\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=http://{}:{}{uri}\n\nRequest Headers:\n{headers}\nRequest Body:\n{body}\n\n",
            ask.client,
            ask.http.method,
            ask.host().split(':').next().unwrap_or_default(),
            ask.port,
        )
    }

    fn whoami(&self, ask: &Ask<'_>, host: &str) -> String {
        let (path, _) = ask.path();
        let headers: String = ask
            .http
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        format!(
            "Hostname: {host}\nIP: 127.0.0.1\nIP: {}\nRemoteAddr: {}\n{} {path} HTTP/1.1\nHost: {}\n{headers}",
            self.own_address(),
            ask.client,
            ask.http.method,
            ask.host()
        )
    }

    /// The guest book's front end: a page, and a script that keeps its entries in Redis.
    pub(super) fn guestbook(&mut self, ask: &Ask<'_>) -> Reaction {
        let (path, query) = ask.path();
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(decoded))
        };
        if path != "/guestbook.php" {
            let body = "<html ng-app=\"redis\">\n  <head>\n    <title>Guestbook</title>\n  </head>\n  <body>\n    <h2>Guestbook</h2>\n  </body>\n</html>\n";
            return Reaction::Answer(Answer::page(200, "text/html", body), 300);
        }
        let key = value("key").unwrap_or_else(|| "messages".to_owned());
        let is_get = value("cmd").as_deref() != Some("set");
        let (host, send) = if is_get {
            ("redis-follower", format!("GET {key}\r\n"))
        } else {
            (
                "redis-leader",
                format!("SET {key} {}\r\n", value("value").unwrap_or_default()),
            )
        };
        let request = Request::Tcp {
            host: host.to_owned(),
            port: 6379,
            send: send.into_bytes(),
            timeout_micros: Some(5_000_000),
        };
        Reaction::Ask {
            index: ask.index,
            request,
            then: Then::Guestbook { is_get },
        }
    }
}

/// The guest book's page after Redis has answered.
pub(super) fn guestbook_reply(is_get: bool, reply: &Reply) -> Answer {
    match reply {
        Reply::Data { bytes, .. } => {
            let text = String::from_utf8_lossy(bytes);
            // `$5\r\nhello\r\n`, or `$-1` for nothing.
            let value = text
                .split("\r\n")
                .nth(1)
                .unwrap_or_default()
                .replace('"', "\\\"");
            let body = if is_get {
                format!("{{\"data\": \"{value}\"}}")
            } else {
                "{\"message\": \"Updated\"}".to_owned()
            };
            Answer::page(200, "application/json", body)
        }
        Reply::Failed(NetError::NameNotFound { .. } | NetError::ResolverTimeout { .. }) => {
            Answer::page(
                500,
                "text/html; charset=UTF-8",
                "Fatal error: Uncaught exception 'Predis\\Connection\\ConnectionException': php_network_getaddresses: getaddrinfo failed: Name or service not known",
            )
        }
        _ => Answer::page(
            500,
            "text/html; charset=UTF-8",
            "Fatal error: Uncaught exception 'Predis\\Connection\\ConnectionException': Connection refused",
        ),
    }
}
