//! `base64`, checksums, `od`, `hexdump`, `xxd`.

use super::{Context, Options};
use std::sync::Arc;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn encode_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = (chunk[0] as u32) << 16
            | (*chunk.get(1).unwrap_or(&0) as u32) << 8
            | *chunk.get(2).unwrap_or(&0) as u32;
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(ALPHABET[(n >> (18 - 6 * i)) as usize & 63] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// Decoded bytes, and whether all of the text was valid.
pub fn decode_base64(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let (mut n, mut have, mut pads, mut good) = (0u32, 0, 0, true);
    for b in text.iter().filter(|b| **b != b'\n') {
        if *b == b'=' {
            pads += 1;
            continue;
        }
        let Some(value) = ALPHABET.iter().position(|a| a == b).filter(|_| pads == 0) else {
            good = false;
            break;
        };
        n = n << 6 | value as u32;
        have += 1;
        if have == 4 {
            out.extend_from_slice(&n.to_be_bytes()[1..]);
            (n, have) = (0, 0);
        }
    }
    match have {
        2 => out.push((n >> 4) as u8),
        3 => out.extend_from_slice(&[(n >> 10) as u8, (n >> 2) as u8]),
        0 => {}
        _ => good = false,
    }
    if have > 0 && pads != 4 - have {
        good = false;
    }
    (out, good)
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
        "md5sum" => md5,
        "sha1sum" => sha1,
        "sha512sum" => sha512,
        _ => sha256,
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

fn padded(bytes: &[u8], block: usize, big_endian: bool) -> Vec<u8> {
    let length_bytes = block / 8;
    let mut data = bytes.to_vec();
    data.push(0x80);
    while data.len() % block != block - length_bytes {
        data.push(0);
    }
    let bits = (bytes.len() as u64).wrapping_mul(8);
    if length_bytes == 16 {
        data.extend_from_slice(&[0; 8]);
    }
    if big_endian {
        data.extend_from_slice(&bits.to_be_bytes());
    } else {
        data.extend_from_slice(&bits.to_le_bytes());
    }
    data
}

/// RFC 1321.
pub(crate) fn md5(bytes: &[u8]) -> String {
    const SHIFTS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded(bytes, 64, false).chunks(64) {
        let words: Vec<u32> = block
            .chunks(4)
            .map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
            .collect();
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (f, g) = match i / 16 {
                0 => (b & c | !b & d, i),
                1 => (d & b | !d & c, (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), (7 * i) % 16),
            };
            let sum = a
                .wrapping_add(f)
                .wrapping_add(MD5_SINES[i])
                .wrapping_add(words[g]);
            a = d;
            d = c;
            c = b;
            b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4]));
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d]) {
            *s = s.wrapping_add(v);
        }
    }
    hex(&state
        .iter()
        .flat_map(|s| s.to_le_bytes())
        .collect::<Vec<_>>())
}

/// `floor(2^32 * abs(sin(i + 1)))`: constants, because sines differ between machines.
#[rustfmt::skip]
const MD5_SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// FIPS 180-4.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded(bytes, 64, true).chunks(64) {
        let mut w: Vec<u32> = block
            .chunks(4)
            .map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]))
            .collect();
        for i in 16..80 {
            w.push((w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in w.iter().enumerate() {
            let (f, k) = match i / 20 {
                0 => (b & c | !b & d, 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(f)
                .wrapping_add(e)
                .wrapping_add(k)
                .wrapping_add(*word);
            e = d;
            d = c;
            c = b.rotate_left(30);
            b = a;
            a = next;
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d, e]) {
            *s = s.wrapping_add(v);
        }
    }
    hex(&state
        .iter()
        .flat_map(|s| s.to_be_bytes())
        .collect::<Vec<_>>())
}

/// The first primes, whose roots give the constants of SHA-2.
fn primes(count: usize) -> Vec<u64> {
    (2u64..)
        .filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
        .take(count)
        .collect()
}

/// The first 64 bits after the point of the square or cube root of a small number, by integer search.
fn root_fraction(n: u64, cube: bool) -> u64 {
    // root * 2^64 as an integer below 2^72.
    let (mut low, mut high) = (0u128, 1u128 << 72);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if power_at_most(middle, n, cube) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u64
}

/// Whether (x / 2^64)^2 or ^3 is at most n, in exact arithmetic on 32-bit limbs.
fn power_at_most(x: u128, n: u64, cube: bool) -> bool {
    let limbs = |mut v: u128| {
        let mut out = Vec::new();
        while v > 0 {
            out.push(v as u32);
            v >>= 32;
        }
        out
    };
    let multiply = |a: &[u32], b: &[u32]| {
        let mut out = vec![0u32; a.len() + b.len()];
        for (i, x) in a.iter().enumerate() {
            let mut carry = 0u64;
            for (j, y) in b.iter().enumerate() {
                let sum = *x as u64 * *y as u64 + out[i + j] as u64 + carry;
                out[i + j] = sum as u32;
                carry = sum >> 32;
            }
            out[i + b.len()] = carry as u32;
        }
        out
    };
    let x = limbs(x);
    let mut product = multiply(&x, &x);
    let mut shift = 4;
    if cube {
        product = multiply(&product, &x);
        shift = 6;
    }
    // Compare with n * 2^(32 * shift).
    let mut right = vec![0u32; shift];
    right.extend(limbs(n as u128));
    let length = product.len().max(right.len());
    product.resize(length, 0);
    right.resize(length, 0);
    product.iter().rev().cmp(right.iter().rev()).is_le()
}

/// FIPS 180-4.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let primes = primes(64);
    let k: Vec<u32> = primes
        .iter()
        .map(|p| (root_fraction(*p, true) >> 32) as u32)
        .collect();
    let mut state: Vec<u32> = primes[..8]
        .iter()
        .map(|p| (root_fraction(*p, false) >> 32) as u32)
        .collect();
    for block in padded(bytes, 64, true).chunks(64) {
        let mut w: Vec<u32> = block
            .chunks(4)
            .map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]))
            .collect();
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ w[i - 15] >> 3;
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ w[i - 2] >> 10;
            w.push(
                w[i - 16]
                    .wrapping_add(s0)
                    .wrapping_add(w[i - 7])
                    .wrapping_add(s1),
            );
        }
        let mut v = state.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let t1 = v[7]
                .wrapping_add(s1)
                .wrapping_add(choice)
                .wrapping_add(k[i])
                .wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (s, v) in state.iter_mut().zip(v) {
            *s = s.wrapping_add(v);
        }
    }
    hex(&state
        .iter()
        .flat_map(|s| s.to_be_bytes())
        .collect::<Vec<_>>())
}

/// FIPS 180-4.
pub(crate) fn sha512(bytes: &[u8]) -> String {
    let primes = primes(80);
    let k: Vec<u64> = primes.iter().map(|p| root_fraction(*p, true)).collect();
    let mut state: Vec<u64> = primes[..8]
        .iter()
        .map(|p| root_fraction(*p, false))
        .collect();
    for block in padded(bytes, 128, true).chunks(128) {
        let mut w: Vec<u64> = block
            .chunks(8)
            .map(|w| w.iter().fold(0, |n, b| n << 8 | *b as u64))
            .collect();
        for i in 16..80 {
            let s0 = w[i - 15].rotate_right(1) ^ w[i - 15].rotate_right(8) ^ w[i - 15] >> 7;
            let s1 = w[i - 2].rotate_right(19) ^ w[i - 2].rotate_right(61) ^ w[i - 2] >> 6;
            w.push(
                w[i - 16]
                    .wrapping_add(s0)
                    .wrapping_add(w[i - 7])
                    .wrapping_add(s1),
            );
        }
        let mut v = state.clone();
        for i in 0..80 {
            let s1 = v[4].rotate_right(14) ^ v[4].rotate_right(18) ^ v[4].rotate_right(41);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let t1 = v[7]
                .wrapping_add(s1)
                .wrapping_add(choice)
                .wrapping_add(k[i])
                .wrapping_add(w[i]);
            let s0 = v[0].rotate_right(28) ^ v[0].rotate_right(34) ^ v[0].rotate_right(39);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (s, v) in state.iter_mut().zip(v) {
            *s = s.wrapping_add(v);
        }
    }
    hex(&state
        .iter()
        .flat_map(|s| s.to_be_bytes())
        .collect::<Vec<_>>())
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
