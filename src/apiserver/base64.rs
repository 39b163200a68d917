//! Base64, standard and URL-safe, as Go's `encoding/base64` reads and writes it.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// With padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = encode_with(bytes, STANDARD);
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// URL-safe, without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    encode_with(bytes, URL)
}

/// Reads padded standard base64 (line breaks allowed); the error is the offset of the first bad byte.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    decode_with(text, STANDARD, true)
}

pub(crate) fn decode_url(text: &str) -> Result<Vec<u8>, usize> {
    decode_with(text, URL, false)
}

fn encode_with(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let b = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let word = b(0) << 16 | b(1) << 8 | b(2);
        for i in 0..=chunk.len() {
            out.push(alphabet[(word >> (18 - 6 * i) & 63) as usize] as char);
        }
    }
    out
}

fn decode_with(text: &str, alphabet: &[u8; 64], is_padded: bool) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut count, mut padding) = (0u32, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        if matches!(byte, b'\n' | b'\r') {
            continue;
        }
        if byte == b'=' && is_padded && (count == 2 || count == 3) {
            padding += 1;
            if count + padding > 4 {
                return Err(at);
            }
            continue;
        }
        let digit = alphabet.iter().position(|c| *c == byte).ok_or(at)?;
        if padding > 0 {
            return Err(at);
        }
        word = word << 6 | digit as u32;
        count += 1;
        if count == 4 {
            out.extend_from_slice(&word.to_be_bytes()[1..]);
            (word, count) = (0, 0);
        }
    }
    let is_complete = match count {
        0 => padding == 0,
        1 => false,
        n => !is_padded || n + padding == 4,
    };
    if !is_complete {
        return Err(text.len());
    }
    match count {
        2 => out.push((word >> 4) as u8),
        3 => out.extend_from_slice(&[(word >> 10) as u8, (word >> 2) as u8]),
        _ => {}
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_points_at_what_is_wrong() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(
                decode(&encode(text.as_bytes())),
                Ok(text.as_bytes().to_vec())
            );
        }
        assert_eq!(encode(b"w"), "dw==");
        assert_eq!(decode("not base64!"), Err(3));
        assert_eq!(decode("dw="), Err(3));
    }
}
