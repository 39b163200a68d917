//! A link as a QR code, for a classroom that points its telephones at the wall.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

/// The picture: a path in units of one module, with the quiet zone around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Code {
    pub(super) size: i32,
    pub(super) path: String,
}

/// White modules around the code, as the standard asks.
const QUIET: i32 = 4;
/// Finer codes (this one has 125 modules a side) are not read from a few metres.
const FINEST: u8 = 27;

/// `None`: the link is too long for a code that a camera would read.
pub(super) fn drawn(link: &str) -> Option<Code> {
    let segments = [QrSegment::make_bytes(link.as_bytes())];
    let code = QrCode::encode_segments_advanced(
        &segments,
        QrCodeEcc::Low,
        Version::MIN,
        Version::new(FINEST),
        None,
        true,
    )
    .ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let begun = x;
            while x < size && code.get_module(x, y) {
                x += 1;
            }
            if x > begun {
                // A row's run of dark modules at a time.
                path.push_str(&format!(
                    "M{} {}h{}v1h-{}z",
                    begun + QUIET,
                    y + QUIET,
                    x - begun,
                    x - begun
                ));
            }
            x += 1;
        }
    }
    Some(Code {
        size: size + 2 * QUIET,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_links_have_a_code_and_long_ones_none() {
        let code = drawn(&format!("https://example.com/#/pods?s={}", "A".repeat(230)))
            .expect("it is short");
        assert!((50..80).contains(&code.size), "{}", code.size);
        assert!(
            code.path.starts_with("M4 4h7v1h-7z"),
            "the finder in the corner"
        );
        assert!(drawn(&"x".repeat(1_400)).is_some());
        assert_eq!(drawn(&"x".repeat(3_000)), None);
    }
}
