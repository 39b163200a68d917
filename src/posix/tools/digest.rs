//! `base64`, checksums, `od`, `hexdump`, `xxd`.

use std::sync::Arc;

use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use base64::{Engine as _, alphabet};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Context, Options};

/// Digits up to the first that is none, as one reads what a pipe gave so far: bits left over need not be zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// With padding.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decoded bytes, and whether all of the text was valid.
pub(super) fn decode_base64(text: &[u8]) -> (Vec<u8>, bool) {
    let text: Vec<u8> = text.iter().copied().filter(|b| *b != b'\n').collect();
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let end = text.iter().position(|b| !is_digit(b));
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let pads = rest.iter().take_while(|b| **b == b'=').count();
    let in_group = digits.len() % 4;
    let good = pads == rest.len() && (in_group == 0 || in_group > 1 && pads == 4 - in_group);
    // A single digit is less than a byte.
    let whole = &digits[..digits.len() - usize::from(in_group == 1)];
    let bytes = LENIENT
        .decode(whole)
        .expect("digits only, and enough of them for the last byte");
    (bytes, good)
}

pub(super) fn base64(c: &mut Context<'_, '_>) -> i32 {
    let long = [("decode", 'd'), ("wrap=", 'w'), ("ignore-garbage", 'i')];
    let o = match Options::parse(c, "dDi", "w", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let source = o.sources()[0].clone();
    let bytes = match c.input(&source) {
        Ok(bytes) => bytes,
        Err(errno) => {
            c.cannot_open(&source, errno);
            return 1;
        }
    };
    if o.has('d') || o.has('D') {
        let (decoded, good) = decode_base64(&bytes);
        c.out.extend_from_slice(&decoded);
        if !good && !c.wants_input {
            return c.fail(
                1,
                if c.busybox() {
                    "truncated input"
                } else {
                    "invalid input"
                },
            );
        }
        return 0;
    }
    let encoded = encode_base64(&bytes);
    let width: usize = match o.value('w').map(str::parse) {
        Some(Ok(w)) => w,
        Some(Err(_)) => {
            let text = o.value('w').unwrap_or("").to_string();
            return c.fail(1, &format!("invalid wrap size: '{text}'"));
        }
        None => 76,
    };
    if width == 0 {
        c.say(&encoded);
        return 0;
    }
    for chunk in encoded.as_bytes().chunks(width) {
        c.out.extend_from_slice(chunk);
        c.out.push(b'\n');
    }
    0
}

pub(super) fn sum(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(
        c,
        "bctwqs",
        "",
        &[("check", 'c'), ("status", 's'), ("quiet", 'q')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let digest: fn(&[u8]) -> String = match c.name() {
        "md5sum" => hex_digest::<Md5>,
        "sha1sum" => hex_digest::<Sha1>,
        "sha512sum" => hex_digest::<Sha512>,
        _ => hex_digest::<Sha256>,
    };
    let mut status = 0;
    for source in o.sources() {
        if o.has('c') {
            let Some(list) = c.text_of(&source) else {
                status = 1;
                continue;
            };
            status |= check(c, &list, digest, o.has('s'));
            continue;
        }
        match c.input(&source) {
            Ok(bytes) => {
                let sum = digest(&bytes);
                c.line(&format!("{sum}  {source}"));
            }
            Err(errno) => {
                c.cannot_open(&source, errno);
                status = 1;
            }
        }
    }
    status
}

fn check(c: &mut Context<'_, '_>, list: &str, digest: fn(&[u8]) -> String, silent: bool) -> i32 {
    let (mut bad, mut missing) = (0, 0);
    for line in list.lines() {
        let Some((want, name)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let name: Arc<str> = name.trim_start_matches([' ', '*']).into();
        match c.input(&name) {
            Ok(bytes) => {
                let good = digest(&bytes) == want.to_lowercase();
                bad += !good as u32;
                if !silent {
                    c.line(&format!("{name}: {}", if good { "OK" } else { "FAILED" }));
                }
            }
            Err(errno) => {
                c.cannot_open(&name, errno);
                c.line(&format!("{name}: FAILED open or read"));
                missing += 1;
            }
        }
    }
    if missing > 0 {
        c.warn(&format!(
            "WARNING: {missing} listed file{} could not be read",
            if missing == 1 { "" } else { "s" }
        ));
    }
    if bad > 0 {
        c.warn(&format!(
            "WARNING: {bad} computed checksum{} did NOT match",
            if bad == 1 { "" } else { "s" }
        ));
    }
    (bad + missing > 0) as i32
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn hex_digest<D: Digest>(bytes: &[u8]) -> String {
    hex(&D::digest(bytes))
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
