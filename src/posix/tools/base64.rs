//! `base64`.

use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use base64::{Engine as _, alphabet};

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
