//! On which ports the known servers listen, by their arguments and environment.

use std::collections::BTreeMap;

use network::Protocol;

/// The ports of a server whose arguments we understand; `None` for others.
pub(super) fn of(
    short: &str,
    argv: &[String],
    env: &BTreeMap<String, String>,
    protocol: Protocol,
) -> Option<Vec<u16>> {
    let option = |names: &[&str]| {
        option(argv, names).and_then(|text| text.trim_start_matches(':').parse::<u16>().ok())
    };
    let is_udp = protocol == Protocol::Udp;
    let tcp = |port: u16| Some(if is_udp { Vec::new() } else { vec![port] });
    let from_env = |name: &str| env.get(name).and_then(|text| text.parse::<u16>().ok());
    match short {
        "agnhost" => {
            let word = argv
                .iter()
                .skip(1)
                .find(|word| !word.starts_with('-'))
                .map_or("pause", String::as_str);
            let (http, udp) = match word {
                "netexec" => (
                    Some(option(&["http-port"]).unwrap_or(8080)),
                    Some(option(&["udp-port"]).unwrap_or(8081)),
                ),
                "serve-hostname" => (Some(option(&["port"]).unwrap_or(9376)), None),
                "liveness" => (Some(8080), None),
                "guestbook" => (Some(option(&["http-port"]).unwrap_or(80)), None),
                "test-webserver" => (Some(option(&["port"]).unwrap_or(80)), None),
                "http-server" | "net" | "entrypoint-tester" => {
                    (Some(option(&["port"]).unwrap_or(8080)), None)
                }
                "porter" => (None, None),
                "nettest" => (Some(option(&["port"]).unwrap_or(8080)), None),
                "grpc-health-checking" => (Some(option(&["http-port"]).unwrap_or(8080)), None),
                _ => (None, None),
            };
            let mut ports: Vec<u16> = (if is_udp { udp } else { http }).into_iter().collect();
            if word == "porter" && !is_udp {
                ports.extend(
                    env.keys()
                        .filter_map(|name| name.strip_prefix("SERVE_PORT_"))
                        .filter_map(|n| n.parse::<u16>().ok()),
                );
            }
            if word == "grpc-health-checking" && !is_udp {
                ports.push(option(&["port"]).unwrap_or(5000));
            }
            Some(ports)
        }
        "http-echo" => tcp(option(&["listen"]).unwrap_or(5678)),
        "hello-app" => tcp(from_env("PORT").unwrap_or(8080)),
        "kubernetes-bootcamp" => tcp(8080),
        "redis" => tcp(option(&["port"]).unwrap_or(6379)),
        "pause" => Some(Vec::new()),
        // Its ports are found in its configuration; without one it is this.
        "nginx" | "nginx-slim" => tcp(80),
        "nginx-unprivileged" => tcp(8080),
        "nginxhttps" => Some(if is_udp { Vec::new() } else { vec![80, 443] }),
        _ => None,
    }
}

/// The value of `--name=value`, `--name value` or `-name=value`.
pub(super) fn option<'a>(argv: &'a [String], names: &[&str]) -> Option<&'a str> {
    for (at, word) in argv.iter().enumerate() {
        let Some(bare) = word
            .strip_prefix('-')
            .map(|word| word.trim_start_matches('-'))
        else {
            continue;
        };
        for name in names {
            if let Some(value) = bare.strip_prefix(name) {
                match value.strip_prefix('=') {
                    Some(value) => return Some(value),
                    None if value.is_empty() => return argv.get(at + 1).map(String::as_str),
                    None => {}
                }
            }
        }
    }
    None
}

/// Port and directory of a small file server, by its words.
pub(super) fn file_server(words: &[&str], cwd: &str) -> Option<(u16, String)> {
    let base = |word: &&str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let name = words.first().map(base)?;
    let value = |letter: &str| {
        words
            .iter()
            .position(|word| *word == letter)
            .and_then(|at| words.get(at + 1).copied())
            .or_else(|| {
                words
                    .iter()
                    .find_map(|word| word.strip_prefix(letter).filter(|rest| !rest.is_empty()))
            })
    };
    let within = |dir: &str| {
        if dir.starts_with('/') {
            dir.to_owned()
        } else {
            format!("{}/{dir}", cwd.trim_end_matches('/'))
        }
    };
    if name == "httpd" || name == "busybox" && words.get(1) == Some(&"httpd") {
        let port = value("-p")
            .and_then(|text| text.rsplit(':').next()?.parse().ok())
            .unwrap_or(80);
        return Some((port, value("-h").map_or_else(|| cwd.to_owned(), within)));
    }
    let is_python = name.starts_with("python")
        && words
            .iter()
            .any(|word| matches!(*word, "http.server" | "SimpleHTTPServer"));
    if is_python {
        let port = words
            .iter()
            .rev()
            .find_map(|word| word.parse::<u16>().ok())
            .unwrap_or(8000);
        let dir = value("--directory")
            .or(value("-d"))
            .map_or_else(|| cwd.to_owned(), within);
        return Some((port, dir));
    }
    None
}
