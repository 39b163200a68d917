//! The fields of a JSON text in the order in which they were sent.
//!
//! A decoded object knows neither the order of its fields nor those that were named twice; messages of strict
//! decoding speak of both (`sigs.k8s.io/json`). Starts at [`fields_of`].

use api::Str;

/// More fields than this are not listed: their problems then come in another order.
const MOST: usize = 20_000;

/// Paths (`spec.containers[0].image`) of all fields; a path that was sent twice stands here twice. `text` must be
/// valid JSON.
pub(super) fn fields_of(text: &str) -> Vec<Str> {
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::new(),
        found: Vec::new(),
    };
    while scan.at < text.len() && scan.found.len() < MOST {
        scan.step();
    }
    scan.found
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The objects and lists around, each with where it stands in the path.
    open: Vec<Open>,
    found: Vec<Str>,
}

enum Open {
    /// The key whose value comes or is being read; `None` while a key is expected.
    Object {
        key: Option<String>,
    },
    List {
        index: usize,
    },
}

impl Scan<'_> {
    /// Reads one token.
    fn step(&mut self) {
        let byte = self.text.as_bytes()[self.at];
        self.at += 1;
        match byte {
            b'{' => self.open.push(Open::Object { key: None }),
            b'[' => self.open.push(Open::List { index: 0 }),
            b'}' | b']' => {
                self.open.pop();
            }
            b',' => match self.open.last_mut() {
                Some(Open::Object { key }) => *key = None,
                Some(Open::List { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                let text = self.string();
                if let Some(Open::Object { key }) = self.open.last_mut()
                    && key.is_none()
                {
                    *key = Some(text);
                    let path = self.path();
                    self.found.push(path.into());
                }
            }
            _ => {}
        }
    }

    /// The string whose opening quote was just read.
    fn string(&mut self) -> String {
        let start = self.at - 1;
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(bytes.len());
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).unwrap_or_default()
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match open {
                Open::Object { key: Some(key) } if path.is_empty() => path += key,
                Open::Object { key: Some(key) } => {
                    path.push('.');
                    path += key;
                }
                Open::Object { key: None } => {}
                Open::List { index } => path += &format!("[{index}]"),
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::fields_of;

    #[test]
    fn fields_come_in_the_order_of_the_text() {
        let paths = fields_of(r#"{"z":{"b":[{"x":"{,\""},[1,{"y":2}]]},"a":1,"a":"q"}"#);
        let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
        assert_eq!(paths, ["z", "z.b", "z.b[0].x", "z.b[1][1].y", "a", "a"]);
    }
}
