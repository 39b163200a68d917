//! As much of DER as a certificate takes: pieces of a request are read, a certificate is written.
//!
//! The signature of what is written is no signature: no key lives in a simulation. Everything else is as the real
//! signer's (`pkg/controller/certificates/authority`), so that tools show who, until when and what for.

use api::base64;
use sim::{Rng, SECOND, Time};

/// What a request asks a certificate for, as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    subject: Vec<u8>,
    public_key: Vec<u8>,
    pub(crate) common_name: String,
    pub(crate) organizations: Vec<String>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
/// `ecdsa-with-SHA256`, as the certificate authority's own.
const SIGNED_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// The next piece: its tag, its content, all of its bytes, and what follows.
type Piece<'a> = (u8, &'a [u8], &'a [u8], &'a [u8]);

fn next(bytes: &[u8]) -> Option<Piece<'_>> {
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    let (length, head) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x83 => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(2..2 + count)?;
            let length = digits.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
            (length, 2 + count)
        }
        _ => return None,
    };
    let whole = bytes.get(..head + length)?;
    Some((tag, whole.get(head..)?, whole, bytes.get(head + length..)?))
}

/// The content of a piece that must have this tag, and what follows it.
fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, _, rest) = next(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Reads `spec.request`: PEM in base64, with a PKCS#10 request inside.
pub(crate) fn read(request: &str) -> Option<Asked> {
    let pem = String::from_utf8(base64::decode(request).ok()?).ok()?;
    let body = pem.split_once("-----BEGIN CERTIFICATE REQUEST-----")?.1;
    let body = body.split_once("-----END CERTIFICATE REQUEST-----")?.0;
    let body: String = body.split_whitespace().collect();
    let bytes = base64::decode(&body).ok()?;
    let (request, _) = expect(&bytes, SEQUENCE)?;
    let (info, _) = expect(request, SEQUENCE)?;
    let (_, rest) = expect(info, 2)?;
    let (_, names, subject, rest) = next(rest)?;
    let (_, _, public_key, _) = next(rest)?;
    let mut asked = Asked {
        subject: subject.to_vec(),
        public_key: public_key.to_vec(),
        common_name: String::new(),
        organizations: Vec::new(),
    };
    let mut left = names;
    while !left.is_empty() {
        let (set, rest) = expect(left, SET)?;
        let (pair, _) = expect(set, SEQUENCE)?;
        let (kind, value) = expect(pair, OID)?;
        let (_, text, _, _) = next(value)?;
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            COMMON_NAME => asked.common_name = text,
            ORGANIZATION => asked.organizations.push(text),
            _ => {}
        }
        left = rest;
    }
    Some(asked)
}

/// The certificate for a request, as `status.certificate` has it.
pub(crate) fn issue(asked: &Asked, from: Time, secs: i64, usages: &[&str]) -> String {
    let mut chance = Rng::stream(from.0, &asked.common_name);
    let mut bytes = |count: usize| -> Vec<u8> {
        (0..count)
            .map(|_| (chance.next_u64() >> 56) as u8)
            .collect()
    };
    let mut serial = bytes(16);
    serial[0] &= 0x7f;
    let signed_with = piece(SEQUENCE, &piece(OID, SIGNED_WITH));
    let issuer = name(COMMON_NAME, "kubernetes");
    let until = from + secs.max(0) as u64 * SECOND;
    let validity = piece(SEQUENCE, &[utc(from), utc(until)].concat());
    let purposes = [("client auth", CLIENT_AUTH), ("server auth", SERVER_AUTH)];
    let purposes = purposes
        .iter()
        .filter(|(word, _)| usages.contains(word))
        .map(|(_, oid)| piece(OID, oid));
    let purposes: Vec<u8> = purposes.flatten().collect();
    // Key usage (critical: digital signature), extended key usage, basic constraints (critical: no authority).
    let extensions = [
        extension(&[0x55, 0x1d, 15], true, &[3, 2, 7, 0x80]),
        extension(&[0x55, 0x1d, 37], false, &piece(SEQUENCE, &purposes)),
        extension(&[0x55, 0x1d, 19], true, &piece(SEQUENCE, &[])),
    ]
    .concat();
    let told = [
        piece(0xa0, &[2, 1, 2]),
        piece(2, &serial),
        signed_with.clone(),
        issuer,
        validity,
        asked.subject.clone(),
        asked.public_key.clone(),
        piece(0xa3, &piece(SEQUENCE, &extensions)),
    ]
    .concat();
    let number = |mut bytes: Vec<u8>| {
        bytes[0] &= 0x7f;
        bytes[0] |= 1;
        piece(2, &bytes)
    };
    let signature = piece(SEQUENCE, &[number(bytes(32)), number(bytes(32))].concat());
    let signature = piece(3, &[&[0], signature.as_slice()].concat());
    let whole = piece(
        SEQUENCE,
        &[piece(SEQUENCE, &told), signed_with, signature].concat(),
    );
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let text = base64::encode(&whole);
    for at in (0..text.len()).step_by(64) {
        pem.push_str(&text[at..text.len().min(at + 64)]);
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    base64::encode(pem.as_bytes())
}

fn piece(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

fn extension(oid: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let mut out = piece(OID, oid);
    if is_critical {
        out.extend([1, 1, 0xff]);
    }
    out.extend(piece(4, value));
    piece(SEQUENCE, &out)
}

fn name(kind: &[u8], text: &str) -> Vec<u8> {
    let pair = [piece(OID, kind), piece(0x13, text.as_bytes())].concat();
    piece(SEQUENCE, &piece(SET, &piece(SEQUENCE, &pair)))
}

/// `YYMMDDhhmmssZ`.
fn utc(time: Time) -> Vec<u8> {
    let text = time.rfc3339();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    piece(0x17, format!("{}Z", &digits[2..14]).as_bytes())
}

/// A request for a common name and an organization, with a key that is no key.
#[cfg(test)]
pub(crate) fn request(common_name: &str, organization: &str) -> String {
    let names = [(COMMON_NAME, common_name), (ORGANIZATION, organization)];
    let names = names.map(|(kind, text)| {
        let pair = [piece(OID, kind), piece(0x0c, text.as_bytes())].concat();
        piece(SET, &piece(SEQUENCE, &pair))
    });
    let subject = piece(SEQUENCE, &names.concat());
    let key = piece(SEQUENCE, &[7; 300]);
    let info = [piece(2, &[0]), subject, key, piece(0xa0, &[])].concat();
    let whole = piece(SEQUENCE, &piece(SEQUENCE, &info));
    let pem = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        base64::encode(&whole)
    );
    base64::encode(pem.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_carries_the_subject_and_the_key_of_its_request() {
        let asked = read(&request("myuser", "dev")).expect("a request");
        assert_eq!(asked.common_name, "myuser");
        assert_eq!(asked.organizations, ["dev"]);
        let text = issue(
            &asked,
            Time::from_secs(1_767_225_600),
            3_600,
            &["client auth"],
        );
        let pem = String::from_utf8(base64::decode(&text).expect("base64")).expect("text");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let bytes = base64::decode(&body).expect("base64");
        let (tag, _, whole, rest) = next(&bytes).expect("one piece");
        assert_eq!((tag, whole.len(), rest.len()), (SEQUENCE, bytes.len(), 0));
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(has(&asked.subject) && has(&asked.public_key) && has(CLIENT_AUTH));
        assert!(has(b"260101000000Z") && has(b"260101010000Z") && !has(SERVER_AUTH));
    }

    #[test]
    fn what_is_no_request_is_none_however_it_is_cut() {
        let text = request("myuser", "dev");
        for at in 0..text.len() {
            read(&text[..at]);
        }
        assert_eq!(read("bm90aGluZw=="), None);
        let pem = base64::decode(&text).expect("base64");
        for at in 0..pem.len() {
            let mut changed = pem.clone();
            changed[at] ^= 0x55;
            read(&base64::encode(&changed));
        }
    }
}
