//! `head`: the first lines or bytes.

use super::{Context, Filter, Options};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Head {
    count: usize,
    bytes: bool,
    /// `-n -N`: all but the last N lines; then lines are held back.
    all_but: bool,
    held: Vec<Vec<u8>>,
    partial: Vec<u8>,
    left: usize,
    headers: bool,
    first: bool,
}

pub(super) fn head(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let args: Vec<Arc<str>> = c
        .args()
        .iter()
        .enumerate()
        .map(|(i, a)| match a.strip_prefix('-').filter(|_| i == 0) {
            // The old spelling: head -5.
            Some(n) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => {
                format!("-n{n}").into()
            }
            _ => a.clone(),
        })
        .collect();
    let long = [
        ("lines=", 'n'),
        ("bytes=", 'c'),
        ("quiet", 'q'),
        ("verbose", 'v'),
    ];
    let o = Options::parse_args(c, &args, "qv", "nc", &long, false)?;
    let text = o.value('c').or(o.value('n')).unwrap_or("10").to_string();
    let (all_but, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let Some(count) = super::usage::number_with_suffix(digits) else {
        let what = if o.has('c') { "bytes" } else { "lines" };
        return Err(c.fail(1, &format!("invalid number of {what}: '{text}'")));
    };
    let head = Head {
        count: count as usize,
        bytes: o.has('c'),
        all_but,
        held: Vec::new(),
        partial: Vec::new(),
        left: count as usize,
        headers: (o.operands.len() > 1 || o.has('v')) && !o.has('q'),
        first: true,
    };
    Ok((Filter::Head(head), o.sources()))
}

impl Head {
    pub(crate) fn begin(&mut self, name: &str, c: &mut Context<'_, '_>) {
        self.left = self.count;
        self.held.clear();
        self.partial.clear();
        if self.headers {
            let gap = if self.first { "" } else { "\n" };
            let name = if name == "-" { "standard input" } else { name };
            c.say(&format!("{gap}==> {name} <==\n"));
        }
        self.first = false;
    }

    pub(crate) fn take(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) -> bool {
        if self.all_but {
            return self.hold_back(bytes, c);
        }
        if self.left == 0 {
            return false;
        }
        let mut end = bytes.len();
        if self.bytes {
            end = end.min(self.left);
            self.left -= end;
        } else {
            for (i, b) in bytes.iter().enumerate() {
                if *b == b'\n' {
                    self.left -= 1;
                    if self.left == 0 {
                        end = i + 1;
                        break;
                    }
                }
            }
        }
        c.out.extend_from_slice(&bytes[..end]);
        self.left > 0
    }

    fn hold_back(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) -> bool {
        for b in bytes {
            self.partial.push(*b);
            if *b == b'\n' || self.bytes {
                self.held.push(std::mem::take(&mut self.partial));
            }
            if self.held.len() > self.count {
                let line = self.held.remove(0);
                c.out.extend_from_slice(&line);
            }
        }
        true
    }
}
