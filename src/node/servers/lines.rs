//! Servers that speak their own protocol over TCP, as far as a client sees that they are there: Redis and memcached keep
//! what they are told, databases greet.

use network::Answer;

use crate::worker::Turn;

/// Where Redis and memcached keep their values in the container's files.
const STORE: &str = "/run/kept-values";

impl Turn<'_, '_> {
    pub(super) fn serve_bytes(&mut self, index: u16, short: &str, bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match short {
            "redis" | "redis-follower" | "redis-slave" | "redis-leader" | "gb-redis-follower"
            | "gb-redisslave" | "valkey" => {
                let replies: String = commands(&text)
                    .iter()
                    .map(|words| self.redis(index, words))
                    .collect();
                Answer::Bytes(replies.into_bytes())
            }
            "memcached" => {
                let replies: String = text.lines().map(|line| self.memcached(line)).collect();
                Answer::Bytes(replies.into_bytes())
            }
            "mysql" | "mariadb" => Answer::Bytes(greeting(short)),
            // It waits for the client's first packet.
            "postgres" | "mongo" | "cassandra" | "zookeeper" | "rabbitmq" => {
                Answer::Bytes(Vec::new())
            }
            _ if text.starts_with("GET ") || text.starts_with("HEAD ") => {
                Answer::Bytes(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec())
            }
            _ => Answer::Bytes(Vec::new()),
        }
    }

    fn redis(&mut self, index: u16, words: &[String]) -> String {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        match word(0).to_uppercase().as_str() {
            "PING" => "+PONG\r\n".to_owned(),
            "QUIT" | "FLUSHALL" | "SELECT" | "SAVE" => "+OK\r\n".to_owned(),
            "ECHO" => bulk(Some(word(1))),
            "SET" if words.len() > 2 => {
                self.keep(index, word(1), &words[2..].join(" "));
                "+OK\r\n".to_owned()
            }
            "GET" => bulk(self.kept(index, word(1)).as_deref()),
            "INCR" => {
                let next = self
                    .kept(index, word(1))
                    .and_then(|text| text.parse::<i64>().ok())
                    .unwrap_or(0)
                    + 1;
                self.keep(index, word(1), &next.to_string());
                format!(":{next}\r\n")
            }
            "INFO" => bulk(Some(
                "# Server\r\nredis_version:7.4.6\r\nredis_mode:standalone\r\n# Replication\r\nrole:master\r\n",
            )),
            "" => String::new(),
            other => format!("-ERR unknown command '{}'\r\n", other.to_lowercase()),
        }
    }

    fn memcached(&mut self, line: &str) -> String {
        match line.split_whitespace().next().unwrap_or_default() {
            "version" => "VERSION 1.6.39\r\n".to_owned(),
            "stats" => {
                "STAT pid 1\r\nSTAT version 1.6.39\r\nSTAT curr_connections 1\r\nEND\r\n".to_owned()
            }
            "get" | "gets" => "END\r\n".to_owned(),
            "quit" | "" => String::new(),
            "set" | "add" => String::new(),
            _ => "ERROR\r\n".to_owned(),
        }
    }

    fn kept(&mut self, index: u16, key: &str) -> Option<String> {
        let text = String::from_utf8(self.read_file(index, STORE)?).ok()?;
        text.lines().find_map(|line| {
            line.strip_prefix(key)?
                .strip_prefix('\t')
                .map(str::to_owned)
        })
    }

    fn keep(&mut self, index: u16, key: &str, value: &str) {
        if let Some(image) = self.image(index) {
            self.open_inside(index, &image);
        }
        let old = self
            .read_file(index, STORE)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default();
        let prefix = format!("{key}\t");
        let mut text: String = old
            .lines()
            .filter(|line| !line.starts_with(&prefix))
            .map(|line| format!("{line}\n"))
            .collect();
        text += &format!("{prefix}{}\n", value.replace('\n', " "));
        self.write_file(index, STORE, text.as_bytes());
    }
}

fn bulk(text: Option<&str>) -> String {
    match text {
        Some(text) => format!("${}\r\n{text}\r\n", text.len()),
        None => "$-1\r\n".to_owned(),
    }
}

/// Commands as lines of words, or in Redis' own framing.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(count) = line.strip_prefix('*').and_then(|n| n.parse::<usize>().ok()) {
            let mut words = Vec::new();
            for _ in 0..count.min(64) {
                let _length = lines.next();
                words.extend(lines.next().map(str::to_owned));
            }
            found.push(words);
        } else if !line.trim().is_empty() {
            found.push(
                line.split_whitespace()
                    .map(|word| word.trim_matches('"').to_owned())
                    .collect(),
            );
        }
    }
    found
}

/// The first packet of MySQL's protocol.
fn greeting(short: &str) -> Vec<u8> {
    let version = if short == "mysql" {
        "8.4.6"
    } else {
        "11.8.3-MariaDB"
    };
    let mut body = vec![10];
    body.extend_from_slice(version.as_bytes());
    body.extend_from_slice(&[0, 8, 0, 0, 0]);
    body.extend_from_slice(b"Kb1nQz7x\0");
    body.extend_from_slice(&[0xff, 0xff, 0xff, 2, 0, 0xff, 0xc7, 21]);
    body.extend_from_slice(&[0; 10]);
    body.extend_from_slice(b"caching_sha2_password\0");
    let mut packet = vec![body.len() as u8, 0, 0, 0];
    packet.extend(body);
    packet
}
