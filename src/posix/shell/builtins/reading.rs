//! `read` and `mapfile`.

use super::super::frame::{Frame, Reading};
use super::super::{Shell, run::Flow};
use super::{Args, Outcome};
use crate::system::{Kernel, Process, Read, Wait};
use std::sync::Arc;

pub(super) fn read(a: &mut Args<'_, '_>) -> Outcome {
    let mut reading = Reading {
        fd: 0,
        names: Vec::new(),
        array: false,
        raw: false,
        delimiter: b'\n',
        count: None,
        deadline: None,
        bytes: Vec::new(),
    };
    let args: Vec<Arc<str>> = a.argv[1..].to_vec();
    let mut i = 0;
    let mut prompt = None;
    while i < args.len() {
        let Some(letters) = args[i].strip_prefix('-').filter(|l| !l.is_empty()) else {
            break;
        };
        if letters == "-" {
            i += 1;
            break;
        }
        let chars: Vec<char> = letters.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let letter = chars[at];
            at += 1;
            if "pdntuaN".contains(letter) {
                let attached: String = chars[at..].iter().collect();
                at = chars.len();
                let value = if attached.is_empty() {
                    i += 1;
                    args.get(i).map(|v| v.to_string()).unwrap_or_default()
                } else {
                    attached
                };
                match letter {
                    'p' => prompt = Some(value),
                    'd' => reading.delimiter = value.bytes().next().unwrap_or(0),
                    'n' | 'N' => reading.count = value.parse().ok(),
                    'u' => reading.fd = value.parse().unwrap_or(0),
                    'a' => {
                        reading.array = true;
                        reading.names.push(value.into());
                    }
                    _ => match crate::tools::seconds(&value) {
                        Some(micros) => reading.deadline = Some(a.k.now + micros),
                        None => {
                            return a.fail(1, &format!("{value}: invalid timeout specification"));
                        }
                    },
                }
            } else if letter == 'r' {
                reading.raw = true;
            } else if !"es".contains(letter) {
                return a.fail(2, &format!("-{letter}: invalid option"));
            }
        }
        i += 1;
    }
    if let Some(prompt) = prompt
        && a.p.fd(0).is_some_and(|open| a.k.sys.is_tty(open))
    {
        let _ = a.k.put(a.p, 2, prompt.as_bytes());
    }
    reading
        .names
        .extend(args[i.min(args.len())..].iter().cloned());
    for name in &reading.names {
        if !crate::syntax::is_name(name) {
            return a.fail(1, &format!("`{name}': not a valid identifier"));
        }
    }
    if a.p.fd(reading.fd).is_none() {
        return a.fail(
            1,
            &format!("read error: {}: Bad file descriptor", reading.fd),
        );
    }
    Outcome::Frames(vec![Frame::Read(Box::new(reading))])
}

impl Shell {
    pub(crate) fn read_more(
        &mut self,
        mut reading: Box<Reading>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let Some(open) = p.fd(reading.fd) else {
            return self.settle(1, p, k);
        };
        loop {
            match k.read(open, 4096) {
                Read::Data(bytes) => {
                    let from = reading.bytes.len();
                    reading.bytes.extend_from_slice(&bytes);
                    if let Some(end) = line_end(&reading) {
                        let kept = end.max(from);
                        k.unread(open, &reading.bytes[kept..]);
                        reading.bytes.truncate(end);
                        return self.finish_read(*reading, 0, p, k);
                    }
                }
                Read::Wait => {
                    if reading.deadline.is_some_and(|t| k.now >= t) {
                        return self.finish_read(*reading, 142, p, k);
                    }
                    p.wait = match reading.deadline {
                        Some(t) => Wait::ReadUntil(open, t),
                        None => Wait::Read(open),
                    };
                    self.frames.push(Frame::Read(reading));
                    return Flow::Wait;
                }
                Read::End | Read::Failed(_) => return self.finish_read(*reading, 1, p, k),
            }
        }
    }

    fn finish_read(
        &mut self,
        reading: Reading,
        status: i32,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let mut bytes = reading.bytes;
        if bytes.last() == Some(&reading.delimiter) && status == 0 && reading.count.is_none() {
            bytes.pop();
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let ifs = self
            .text("IFS")
            .map_or(" \t\n".to_string(), |t| t.to_string());
        let raw = reading.raw;
        if reading.array {
            let items = split_fields(&text, &ifs, raw, usize::MAX);
            let items = items.into_iter().map(Arc::from).collect();
            self.set_array(&reading.names[0], items);
            return self.settle(status, p, k);
        }
        if reading.names.is_empty() {
            let text = if raw { text } else { unescape(&text) };
            self.set_variable("REPLY", text.into());
            return self.settle(status, p, k);
        }
        let mut fields = split_fields(&text, &ifs, raw, reading.names.len()).into_iter();
        for name in &reading.names {
            let value = fields.next().unwrap_or_default();
            if !self.assign_checked(name, value.into(), p, k) {
                return self.settle(1, p, k);
            }
        }
        self.settle(status, p, k)
    }
}

/// Where the line ends (after its delimiter), if it does.
fn line_end(reading: &Reading) -> Option<usize> {
    if let Some(count) = reading.count
        && reading.bytes.len() >= count
    {
        return Some(count);
    }
    let mut escaped = false;
    for (i, b) in reading.bytes.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if *b == b'\\' && !reading.raw {
            escaped = true;
        } else if *b == reading.delimiter {
            return Some(i + 1);
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
        } else if let Some(next) = chars.next()
            && next != '\n'
        {
            out.push(next);
        }
    }
    out
}

/// Splits a line at `$IFS` into at most `max` fields; the last takes the rest.
fn split_fields(text: &str, ifs: &str, raw: bool, max: usize) -> Vec<String> {
    // Escaped characters are never separators.
    let mut chars: Vec<(char, bool)> = Vec::new();
    let mut it = text.chars();
    while let Some(c) = it.next() {
        if c == '\\' && !raw {
            match it.next() {
                Some('\n') | None => {}
                Some(next) => chars.push((next, false)),
            }
        } else {
            chars.push((c, ifs.contains(c)));
        }
    }
    let white = |i: usize, chars: &[(char, bool)]| chars[i].1 && chars[i].0.is_whitespace();
    let mut end = chars.len();
    while end > 0 && white(end - 1, &chars) {
        end -= 1;
    }
    let mut fields = Vec::new();
    let mut i = 0;
    while i < end && white(i, &chars) {
        i += 1;
    }
    while i < end {
        if fields.len() + 1 == max {
            let mut rest: String = chars[i..end].iter().map(|c| c.0).collect();
            // A single trailing separator of the last field goes away.
            if chars[end - 1].1 && !chars[i..end - 1].iter().any(|c| c.1) {
                rest.pop();
            }
            fields.push(rest);
            return fields;
        }
        let mut field = String::new();
        while i < end && !chars[i].1 {
            field.push(chars[i].0);
            i += 1;
        }
        fields.push(field);
        while i < end && white(i, &chars) {
            i += 1;
        }
        if i < end && chars[i].1 {
            i += 1;
            while i < end && white(i, &chars) {
                i += 1;
            }
        }
    }
    fields
}

/// Reads all lines into an array. Its input has to be there already or to end soon: it is collected by a child.
pub(super) fn mapfile(a: &mut Args<'_, '_>) -> Outcome {
    let mut strip = false;
    let mut name: Arc<str> = "MAPFILE".into();
    for arg in &a.argv[1..] {
        match &**arg {
            "-t" => strip = true,
            other if !other.starts_with('-') => name = other.into(),
            _ => {}
        }
    }
    let Some(open) = a.p.fd(0) else {
        return Outcome::Done(1);
    };
    let mut bytes = Vec::new();
    loop {
        match a.k.read(open, 65_536) {
            Read::Data(more) => bytes.extend(more),
            Read::Wait => {
                a.k.unread(open, &bytes);
                // Ask again once there is more: the loop below does what a real one would, line by line.
                let n = super::super::quote(&name);
                let keep = if strip {
                    "\"$REPLY\""
                } else {
                    "\"$REPLY\"$'\\n'"
                };
                let text = format!("{n}=(); while IFS= read -r; do {n}+=({keep}); done");
                return Outcome::Frames(vec![Frame::Source(Box::new(
                    super::super::frame::Source {
                        text: text.into(),
                        at: 0,
                        line: 1,
                        kind: super::super::frame::SourceKind::Eval,
                        prompted: false,
                        partial: Vec::new(),
                    },
                ))]);
            }
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text
        .split_inclusive('\n')
        .map(|l| Arc::from(if strip { l.trim_end_matches('\n') } else { l }))
        .collect();
    a.sh.set_array(&name, lines);
    Outcome::Done(0)
}
