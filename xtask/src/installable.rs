//! What makes the release in `dist/` installable and lets it work offline after one visit: manifest, icons, service worker.
//!
//! Added to a finished release only: a development build has none of it, so that no old file is ever served from a cache while one works.

use crate::report::Failure;
use crate::size::files;
use crate::tools::root;
use std::path::Path;

const COPIED: &[&str] = &[
    "manifest.webmanifest",
    "icon.svg",
    "icon-192.png",
    "icon-512.png",
];
const LINKS: &str = "<link rel=\"manifest\" href=\"./manifest.webmanifest\">";

/// Adds to the release in `folder`. `apart` names files that are not the page's.
pub(crate) fn make(folder: &Path, apart: &[&str]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new("make the page installable").why(error.to_string());
    let from = root().join("static");
    for name in COPIED {
        std::fs::copy(from.join(name), folder.join(name)).map_err(failed)?;
    }
    let index = folder.join("index.html");
    let html = std::fs::read_to_string(&index).map_err(failed)?;
    std::fs::write(
        &index,
        html.replacen("</head>", &format!("{LINKS}</head>"), 1),
    )
    .map_err(failed)?;

    let mut names = files(folder).map_err(failed)?;
    names.retain(|name| !apart.contains(&name.as_str()) && name != "sw.js");
    let mut print = Fingerprint::default();
    for name in &names {
        print.take(name.as_bytes());
        print.take(&std::fs::read(folder.join(name)).map_err(failed)?);
    }
    // The page is kept under the folder's address, which is what one visits.
    let listed: Vec<String> = names
        .iter()
        .map(|name| format!("\"./{}\"", if name == "index.html" { "" } else { name }))
        .collect();
    let worker = std::fs::read_to_string(from.join("sw.js")).map_err(failed)?;
    let worker = worker
        .replace("@VERSION@", &format!("{:016x}", print.0))
        .replace("\"@FILES@\"", &listed.join(", "));
    std::fs::write(folder.join("sw.js"), worker).map_err(failed)
}

/// FNV-1a: tells releases apart; guards nothing.
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
