//! `tr`.

use super::{Context, Filter, Options};
use crate::shell::pattern::in_class;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Tr {
    from: Vec<u8>,
    to: Vec<u8>,
    complement: bool,
    delete: bool,
    squeeze: Option<Vec<u8>>,
    last: Option<u8>,
}

pub(super) fn tr(c: &mut Context<'_, '_>) -> Result<(Filter, Vec<Arc<str>>), i32> {
    let args = c.args();
    let long = [
        ("delete", 'd'),
        ("squeeze-repeats", 's'),
        ("complement", 'c'),
        ("truncate-set1", 't'),
    ];
    let o = Options::parse_args(c, &args, "dscCt", "", &long, true)?;
    let Some(first) = o.operands.first().cloned() else {
        return Err(c.misuse(1, "missing operand"));
    };
    let from = set(&first);
    let second = o.operands.get(1).map(|s| set(s));
    let (delete, squeezes) = (o.has('d'), o.has('s'));
    if second.is_none() && !delete && !squeezes {
        return Err(c.misuse(1, &format!("missing operand after '{first}'")));
    }
    let squeeze = squeezes.then(|| second.clone().unwrap_or_else(|| from.clone()));
    let squeeze_complement = squeezes && second.is_none();
    let mut to = if delete {
        Vec::new()
    } else {
        second.unwrap_or_default()
    };
    if let Some(last) = to.last().copied() {
        while to.len() < from.len().max(256) {
            to.push(last);
        }
    }
    let complement = o.has('c') || o.has('C');
    let tr = Tr {
        squeeze: match squeeze {
            Some(set) if squeeze_complement && complement => {
                Some((0..=255u8).filter(|b| !set.contains(b)).collect())
            }
            other => other,
        },
        from,
        to,
        complement,
        delete,
        last: None,
    };
    Ok((Filter::Tr(Box::new(tr)), vec!["-".into()]))
}

impl Tr {
    pub(crate) fn take(&mut self, bytes: &[u8], c: &mut Context<'_, '_>) -> bool {
        for b in bytes {
            let position = self.from.iter().position(|f| f == b);
            let hit = position.is_some() != self.complement;
            if hit && self.delete {
                continue;
            }
            let mut out = *b;
            if hit && !self.to.is_empty() {
                out = match position {
                    Some(i) => self.to[i],
                    None => self.to[self.to.len() - 1],
                };
            }
            if let Some(set) = &self.squeeze
                && self.last == Some(out)
                && set.contains(&out)
            {
                continue;
            }
            self.last = Some(out);
            c.out.push(out);
        }
        true
    }
}

/// `a-z`, `[:upper:]`, `\n`, `\012`.
fn set(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::new();
    let mut i = 0;
    // `[[:space:]]` is not tr's syntax, but people write it; its brackets are then members of the set.
    while i < bytes.len() {
        if bytes[i..].starts_with(b"[:")
            && let Some(end) = text[i + 2..].find(":]")
        {
            let name = &text[i + 2..i + 2 + end];
            out.extend((0..=127u8).filter(|b| in_class(name, *b as char)));
            i += end + 4;
            continue;
        }
        let (low, next) = one(bytes, i);
        i = next;
        if bytes.get(i) == Some(&b'-') && i + 1 < bytes.len() {
            let (high, next) = one(bytes, i + 1);
            i = next;
            out.extend(low..=high);
        } else {
            out.push(low);
        }
    }
    out
}

fn one(bytes: &[u8], i: usize) -> (u8, usize) {
    if bytes[i] != b'\\' || i + 1 == bytes.len() {
        return (bytes[i], i + 1);
    }
    let c = bytes[i + 1];
    let simple = match c {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'0'..=b'7' => {
            let mut n = i + 1;
            let mut value = 0u32;
            while n < bytes.len() && n < i + 4 && (b'0'..=b'7').contains(&bytes[n]) {
                value = value * 8 + (bytes[n] - b'0') as u32;
                n += 1;
            }
            return (value as u8, n);
        }
        other => other,
    };
    (simple, i + 2)
}
