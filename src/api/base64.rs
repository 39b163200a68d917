//! Base64 as Kubernetes has it: what Go's `encoding/base64` accepts, refuses and points at.
//!
//! The bytes are the `base64` crate's work. What it does not know is Go's dialect: line breaks mean nothing anywhere, bits
//! left over need not be zero, and an error tells one offset, by which messages speak of it.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, NO_PAD};

/// Padding is judged by [`fault`] before a reader sees the digits.
const LENIENT: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// With padding: what `[]byte` fields hold.
pub fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// For addresses and tokens: without padding.
pub fn encode_url(bytes: &[u8]) -> String {
    URL.encode(bytes)
}

/// Reads what [`encode`] wrote; the error is the offset that Go tells.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    fault(text).map_or_else(|| read(&PLAIN, text), Err)
}

/// Reads what [`encode_url`] wrote; the error is the offset that Go tells.
pub fn decode_url(text: &str) -> Result<Vec<u8>, usize> {
    fault_in(text, &URL_SAFE, false).map_or_else(|| read(&URL, text), Err)
}

/// Where padded text is wrong, if it is.
pub fn fault(text: &str) -> Option<usize> {
    fault_in(text, &STANDARD, true)
}

fn fault_in(text: &str, alphabet: &Alphabet, is_padded: bool) -> Option<usize> {
    let digits = alphabet.as_str().as_bytes();
    let mut letters = text.bytes().enumerate().filter(|(_, b)| !is_break(*b));
    let mut in_group = 0;
    while let Some((at, byte)) = letters.next() {
        if digits.contains(&byte) {
            in_group = (in_group + 1) % 4;
        } else if byte != b'=' || !is_padded || in_group < 2 {
            return Some(at);
        } else {
            if in_group == 2 {
                match letters.next() {
                    Some((_, b'=')) => {}
                    Some((at, _)) => return Some(at - 1),
                    None => return Some(text.len()),
                }
            }
            return letters.next().map(|(at, _)| at);
        }
    }
    let is_whole = in_group == 0 || !is_padded && in_group > 1;
    (!is_whole).then(|| text.len() - in_group)
}

fn read(engine: &GeneralPurpose, text: &str) -> Result<Vec<u8>, usize> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|b| *b != b'=' && !is_break(*b))
        .collect();
    // Nothing is wrong with it any more; if something were, the whole text would be.
    engine.decode(digits).map_err(|_| 0)
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_in_both_alphabets() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(decode(&encode(bytes)).as_deref(), Ok(bytes));
            assert_eq!(decode_url(&encode_url(bytes)).as_deref(), Ok(bytes));
        }
        assert_eq!(encode(b"\xff\xfe\xfd\xfc"), "//79/A==");
        assert_eq!(encode_url(b"\xff\xfe\xfd\xfc"), "__79_A");
    }

    #[test]
    fn what_go_accepts_is_read() {
        for (text, plain) in [
            ("", ""),
            ("\r\n", ""),
            ("dw==", "w"),
            ("d\nw=\r\n=\n", "w"),
            ("dx==", "w"),
            ("YWI=", "ab"),
        ] {
            assert_eq!(decode(text).as_deref(), Ok(plain.as_bytes()), "{text:?}");
        }
        assert_eq!(decode_url("YW\nJ").as_deref(), Ok(&b"ab"[..]));
    }

    #[test]
    fn faults_are_where_go_points() {
        for (text, at) in [
            ("not base64!", 3),
            ("dw=", 3),
            ("dw=\n", 4),
            ("dw", 0),
            ("YWJjd", 4),
            ("YWJjdwx", 4),
            ("d===", 1),
            ("=", 0),
            ("dw=x", 2),
            ("dw==x", 4),
            ("YWI=YWI=", 4),
            ("YWJjdw====", 8),
            ("d-==", 1),
            ("あ", 0),
        ] {
            assert_eq!(decode(text), Err(at), "{text:?}");
            assert_eq!(fault(text), Some(at), "{text:?}");
        }
        for (text, at) in [("d", 0), ("YWJjd", 4), ("dw==", 2), ("d+", 1)] {
            assert_eq!(decode_url(text), Err(at), "{text:?}");
        }
    }
}
