//! The hash of a pod template that names ReplicaSets.

use api::Value;

/// The text of the hash, as it stands in `pod-template-hash`.
pub fn template_hash(template: &Value, collision_count: Option<i64>) -> String {
    let mut hash = Fnv::new();
    hash.write(template.to_json().as_bytes());
    if let Some(count) = collision_count {
        hash.write(&(count as u32).to_le_bytes());
        hash.write(&[0; 4]);
    }
    safe_encode(&hash.0.to_string())
}

/// FNV-1, 32 bits: multiply, then xor.
pub(crate) fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte)
    })
}

/// FNV-1a, 32 bits.
struct Fnv(u32);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0x811c_9dc5)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // Go's `New32a`: xor, then multiply.
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// Letters and digits that cannot form words (`rand.SafeEncodeString`).
pub(crate) fn safe_encode(text: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let pick = |byte: u8| ALPHABET[usize::from(byte) % ALPHABET.len()] as char;
    text.bytes().map(pick).collect()
}
