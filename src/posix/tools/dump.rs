//! Bytes as they are: `od`, `hexdump`, `xxd`.

use super::digest::hex;
use super::{Context, Options};

pub(super) fn od(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "cbxdov", "AtNjw", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut bytes = match gather(c, &o) {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let number = |letter: char, default: usize| {
        o.value(letter)
            .and_then(super::usage::number_with_suffix)
            .map_or(default, |n| n as usize)
    };
    bytes.drain(..number('j', 0).min(bytes.len()));
    bytes.truncate(number('N', usize::MAX));
    let width = number('w', 16).max(1);
    let kind = if o.has('c') {
        "c"
    } else {
        o.value('t').unwrap_or(if o.has('x') {
            "x2"
        } else if o.has('b') {
            "o1"
        } else {
            "o2"
        })
    };
    let radix = o.value('A').unwrap_or("o").to_string();
    let address = |n: usize| match radix.as_str() {
        "n" => String::new(),
        "x" => format!("{n:06x}"),
        "d" => format!("{n:07}"),
        _ => format!("{n:07o}"),
    };
    let letter = kind.chars().next().unwrap_or('o');
    let size = kind[1..]
        .parse::<usize>()
        .unwrap_or(if letter == 'c' { 1 } else { 4 })
        .clamp(1, 8);
    for (row, chunk) in bytes.chunks(width).enumerate() {
        let mut line = address(row * width);
        for unit in chunk.chunks(size) {
            let value = unit.iter().rev().fold(0u64, |n, b| n << 8 | *b as u64);
            let text = match letter {
                'x' => format!(" {value:0w$x}", w = size * 2),
                'd' | 'u' => format!(" {value:>w$}", w = [0, 3, 5, 8, 10, 13, 15, 18, 20][size]),
                'c' | 'a' => format!(" {:>3}", character(unit[0])),
                _ => format!(" {value:0w$o}", w = [0, 3, 6, 8, 11, 14, 16, 19, 22][size]),
            };
            line.push_str(&text);
        }
        c.line(&line);
    }
    if radix != "n" {
        let end = address(bytes.len());
        c.line(&end);
    }
    0
}

fn character(b: u8) -> String {
    match b {
        0 => "\\0".into(),
        b'\n' => "\\n".into(),
        b'\t' => "\\t".into(),
        b'\r' => "\\r".into(),
        7 => "\\a".into(),
        8 => "\\b".into(),
        11 => "\\v".into(),
        12 => "\\f".into(),
        32..=126 => (b as char).to_string(),
        b => format!("{b:03o}"),
    }
}

fn printable(chunk: &[u8]) -> String {
    chunk
        .iter()
        .map(|b| {
            if (32..127).contains(b) {
                *b as char
            } else {
                '.'
            }
        })
        .collect()
}

pub(super) fn hexdump(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "Cvbcdox", "nse", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut bytes = match gather(c, &o) {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    if let Some(n) = o.value('n').and_then(|n| n.parse().ok()) {
        bytes.truncate(n);
    }
    let canonical = o.has('C') || c.name() == "hd";
    let width = if canonical { 8 } else { 7 };
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (row, chunk) in bytes.chunks(16).enumerate() {
        if last == Some(chunk) && !o.has('v') && chunk.len() == 16 {
            if !starred {
                c.line("*");
            }
            starred = true;
            continue;
        }
        starred = false;
        last = Some(chunk);
        if canonical {
            let mut line = format!("{:08x} ", row * 16);
            for i in 0..16 {
                if i % 8 == 0 {
                    line.push(' ');
                }
                match chunk.get(i) {
                    Some(b) => line.push_str(&format!("{b:02x} ")),
                    None => line.push_str("   "),
                }
            }
            c.line(&format!("{line} |{}|", printable(chunk)));
        } else {
            let mut line = format!("{:07x}", row * 16);
            for pair in chunk.chunks(2) {
                let value = pair[0] as u16 | (*pair.get(1).unwrap_or(&0) as u16) << 8;
                line.push_str(&format!(" {value:04x}"));
            }
            c.line(&line);
        }
    }
    if !bytes.is_empty() {
        c.line(&format!("{:0width$x}", bytes.len()));
    }
    0
}

pub(super) fn xxd(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "pr", "lcs", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let bytes = match gather(c, &o) {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    if o.has('r') {
        let digits: Vec<u32> = bytes
            .iter()
            .filter_map(|b| (*b as char).to_digit(16))
            .collect();
        c.out.extend(
            digits
                .chunks(2)
                .filter(|p| p.len() == 2)
                .map(|p| (p[0] * 16 + p[1]) as u8),
        );
        return 0;
    }
    if o.has('p') {
        for chunk in bytes.chunks(30) {
            c.line(&hex(chunk));
        }
        return 0;
    }
    for (row, chunk) in bytes.chunks(16).enumerate() {
        let pairs: Vec<String> = chunk.chunks(2).map(hex).collect();
        c.line(&format!(
            "{:08x}: {:<39}  {}",
            row * 16,
            pairs.join(" "),
            printable(chunk)
        ));
    }
    0
}

fn gather(c: &mut Context<'_, '_>, o: &Options) -> Result<Vec<u8>, i32> {
    let mut bytes = Vec::new();
    for source in o.sources() {
        match c.input(&source) {
            Ok(more) => bytes.extend(more),
            Err(errno) => {
                c.cannot_open(&source, errno);
                return Err(1);
            }
        }
    }
    Ok(bytes)
}
