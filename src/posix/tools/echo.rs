//! `echo`, and the backslash escapes it shares with `printf`.

use super::Context;
use std::sync::Arc;

pub(super) fn echo(c: &mut Context<'_, '_>) -> i32 {
    let text = echo_text(&c.argv[1..], false);
    c.out.extend_from_slice(&text);
    0
}

/// What `echo` writes. With `always_escapes` (dash) backslashes are read without `-e`.
pub(crate) fn echo_text(args: &[Arc<str>], always_escapes: bool) -> Vec<u8> {
    let (mut newline, mut escapes) = (true, always_escapes);
    let mut rest = args;
    while let Some((first, more)) = rest.split_first() {
        let letters = match first.strip_prefix('-') {
            Some(letters) if !letters.is_empty() && letters.chars().all(|c| "neE".contains(c)) => {
                letters
            }
            _ => break,
        };
        // dash knows only -n.
        if always_escapes && letters != "n" {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = more;
    }
    let mut out = Vec::new();
    for (i, arg) in rest.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        if !escapes {
            out.extend_from_slice(arg.as_bytes());
            continue;
        }
        if !unescape(arg, &mut out, true) {
            return out;
        }
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// Reads backslash escapes; `false`: `\c` ends all output. With `zero` octal numbers are written `\0nnn`.
pub(crate) fn unescape(text: &str, out: &mut Vec<u8>, zero: bool) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    let mut utf8 = [0; 4];
    while i < chars.len() {
        let c = chars[i];
        i += 1;
        if c != '\\' || i == chars.len() {
            out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            continue;
        }
        let next = chars[i];
        i += 1;
        match next {
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'r' => out.push(b'\r'),
            'a' => out.push(7),
            'b' => out.push(8),
            'e' | 'E' => out.push(27),
            'f' => out.push(12),
            'v' => out.push(11),
            '\\' => out.push(b'\\'),
            '"' if !zero => out.push(b'"'),
            'c' => return false,
            'x' | 'u' => {
                let max = if next == 'x' { 2 } else { 4 };
                let start = i;
                while i < chars.len() && i - start < max && chars[i].is_ascii_hexdigit() {
                    i += 1;
                }
                let digits: String = chars[start..i].iter().collect();
                match u32::from_str_radix(&digits, 16) {
                    Ok(value) if next == 'x' => out.push(value as u8),
                    Ok(value) => {
                        let c = char::from_u32(value).unwrap_or('\u{fffd}');
                        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                    }
                    Err(_) => out.extend_from_slice(&[b'\\', next as u8]),
                }
            }
            '0'..='7' => {
                let start = if next == '0' && zero { i } else { i - 1 };
                i = start;
                while i < chars.len() && i - start < 3 && ('0'..='7').contains(&chars[i]) {
                    i += 1;
                }
                let digits: String = chars[start..i].iter().collect();
                out.push(u32::from_str_radix(&digits, 8).unwrap_or(0) as u8);
            }
            other => {
                out.push(b'\\');
                out.extend_from_slice(other.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }
    true
}
