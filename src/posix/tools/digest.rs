//! `md5sum`, `sha1sum`, `sha256sum`, `sha512sum`.

use std::sync::Arc;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Context, Options};

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

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn hex_digest<D: Digest>(bytes: &[u8]) -> String {
    hex(&D::digest(bytes))
}
