//! nginx' configuration language: words, blocks, and the servers that they describe.

/// `name words…;` or `name words… { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// At least the name.
    pub(super) words: Vec<String>,
    pub(super) block: Vec<Directive>,
}

/// One `server` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) listens: Vec<Listen>,
    pub(super) names: Vec<String>,
    pub(super) body: Vec<Directive>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    pub(super) port: u16,
    pub(super) tls: bool,
}

impl Directive {
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// The path of a `location`.
    pub(super) fn prefix(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }
}

/// Blocks nest at most so deep.
const DEPTH: usize = 16;

pub(super) fn parse(text: &str) -> Vec<Directive> {
    let words = split(text);
    let mut at = 0;
    block(&words, &mut at, 0)
}

fn block(words: &[String], at: &mut usize, depth: usize) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut current: Vec<String> = Vec::new();
    while let Some(word) = words.get(*at) {
        *at += 1;
        match word.as_str() {
            ";" => {
                let words = std::mem::take(&mut current);
                if !words.is_empty() {
                    found.push(Directive {
                        words,
                        block: Vec::new(),
                    });
                }
            }
            "{" if depth < DEPTH => {
                let inner = block(words, at, depth + 1);
                let words = std::mem::take(&mut current);
                if !words.is_empty() {
                    found.push(Directive {
                        words,
                        block: inner,
                    });
                }
            }
            "}" => return found,
            _ => current.push(word.clone()),
        }
    }
    found
}

/// Words, with `;`, `{` and `}` as words of their own; comments left out, quotes taken off.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' if word.is_empty() => while letters.next_if(|c| *c != '\n').is_some() {},
            '"' | '\'' if word.is_empty() => {
                let mut quoted = String::new();
                while let Some(inner) = letters.next() {
                    match inner {
                        '\\' if letters.peek() == Some(&letter) => quoted.extend(letters.next()),
                        _ if inner == letter => break,
                        _ => quoted.push(inner),
                    }
                }
                words.push(quoted);
            }
            '{' if word.ends_with('$') => {
                word.push('{');
                for inner in letters.by_ref() {
                    word.push(inner);
                    if inner == '}' {
                        break;
                    }
                }
            }
            ';' | '{' | '}' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                words.push(letter.to_string());
            }
            _ if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(letter),
        }
    }
    words
}

/// All servers, wherever they stand.
pub(super) fn servers(directives: &[Directive]) -> Vec<Server> {
    let mut found = Vec::new();
    for directive in directives {
        match directive.word(0) {
            "server" if !directive.block.is_empty() => found.push(server(&directive.block)),
            "http" => found.extend(servers(&directive.block)),
            _ => {}
        }
    }
    found
}

fn server(body: &[Directive]) -> Server {
    let mut listens: Vec<Listen> = body
        .iter()
        .filter(|d| d.words[0] == "listen")
        .filter_map(listen)
        .collect();
    if listens.is_empty() {
        listens.push(Listen {
            port: 80,
            tls: false,
        });
    }
    let names = body
        .iter()
        .filter(|d| d.words[0] == "server_name")
        .flat_map(|d| d.words[1..].to_vec())
        .collect();
    Server {
        listens,
        names,
        body: body.to_vec(),
    }
}

/// `80`, `*:80`, `[::]:443 ssl default_server`.
fn listen(directive: &Directive) -> Option<Listen> {
    let port = directive.word(1).rsplit(':').next()?.trim_end_matches(']');
    let tls = directive.words.iter().any(|word| word == "ssl");
    Some(Listen {
        port: port.parse().unwrap_or(80),
        tls,
    })
}

/// The location that a path belongs to: exact, then the longest prefix unless a pattern matches.
pub(super) fn location<'a>(body: &'a [Directive], path: &str) -> Option<&'a Directive> {
    let all = || body.iter().filter(|d| d.words[0] == "location");
    if let Some(exact) = all().find(|d| d.word(1) == "=" && d.word(2) == path) {
        return Some(exact);
    }
    let is_prefix =
        |d: &&Directive| (d.words.len() == 2 || d.word(1) == "^~") && path.starts_with(d.prefix());
    let longest = all().filter(is_prefix).max_by_key(|d| d.prefix().len());
    if longest.is_some_and(|d| d.word(1) == "^~") {
        return longest;
    }
    let pattern = all().find(|d| matches!(d.word(1), "~" | "~*") && matches(d.word(2), path));
    pattern.or(longest)
}

/// Patterns as tutorials write them: an ending `\.php$`, a beginning `^/api`, or a part.
fn matches(pattern: &str, path: &str) -> bool {
    let plain = pattern.replace('\\', "");
    let (from_start, rest) = match plain.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, plain.as_str()),
    };
    let (to_end, part) = match rest.strip_suffix('$') {
        Some(part) => (true, part),
        None => (false, rest),
    };
    let choices: Vec<String> = match (part.find('('), part.rfind(')')) {
        (Some(open), Some(close)) if open < close => part[open + 1..close]
            .split('|')
            .map(|choice| format!("{}{choice}{}", &part[..open], &part[close + 1..]))
            .collect(),
        _ => vec![part.to_owned()],
    };
    choices.iter().any(|part| match (from_start, to_end) {
        (true, true) => path == part,
        (true, false) => path.starts_with(part.as_str()),
        (false, true) => path.ends_with(part.as_str()),
        (false, false) => path.contains(part.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        worker_processes auto; # as many as there are
        http {
            server {
                listen 80;
                listen [::]:443 ssl;
                server_name example.com "www.example.com";
                location / { proxy_pass http://backend; }
                location = /exact { return 200 "a; b"; }
                location ~ \.(gif|png)$ { root /images; }
                location ^~ /static/ { alias /files/; }
            }
        }"#;

    #[test]
    fn servers_are_read_with_their_ports_and_names() {
        let servers = servers(&parse(TEXT));
        assert_eq!(servers.len(), 1);
        assert_eq!(
            servers[0].listens,
            [
                Listen {
                    port: 80,
                    tls: false
                },
                Listen {
                    port: 443,
                    tls: true
                }
            ]
        );
        assert_eq!(servers[0].names, ["example.com", "www.example.com"]);
    }

    #[test]
    fn a_path_finds_its_location() {
        let servers = servers(&parse(TEXT));
        let prefix = |path: &str| location(&servers[0].body, path).map(|d| d.prefix().to_owned());
        for (path, expected) in [
            ("/", "/"),
            ("/exact", "/exact"),
            ("/a/b.png", r"\.(gif|png)$"),
            ("/static/b.png", "/static/"),
            ("/other", "/"),
        ] {
            assert_eq!(prefix(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_broken_is_read_as_far_as_it_goes() {
        for text in ["", "server", "server {", "}}};", "a { b { c", "listen \"80"] {
            let _ = servers(&parse(text));
        }
    }
}
