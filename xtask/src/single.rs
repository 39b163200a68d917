//! `dist/kubenkyo.html`: the whole page in one file, for a double click with the network off.
//!
//! Made from the finished release: scripts and styles become inline, the wasm becomes compressed text that `static/boot.js` unpacks, and a
//! policy in the file itself forbids every request. It is no second build: what runs is byte for byte what `dist/` serves.

use crate::report::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::Path;

pub(crate) const NAME: &str = "kubenkyo.html";

/// The wasm as a script, for a page that may load scripts but fetch nothing: in a sandboxed frame, or opened from a folder. `static/boot.js`
/// asks for it when fetching has failed.
pub(crate) const PACKED: &str = "packed.js";

/// The elements that `static/boot.js` looks for.
const WASM_ID: &str = "kubenkyo-wasm";
const REST_ID: &str = "kubenkyo-rest";

/// Stands for the policy until all scripts are known.
const PLACE: &str = "@POLICY@";

/// Just the scripts and styles that stand in the file may run, known by their digests; nothing may be fetched, framed or sent.
fn policy(scripts: &[String], styles: &[String]) -> String {
    let known = |texts: &[String]| {
        texts
            .iter()
            .map(|text| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text))))
            .collect::<String>()
    };
    format!(
        "default-src 'none'; script-src{} 'wasm-unsafe-eval' blob:; worker-src blob:; style-src{}; style-src-attr 'unsafe-inline'; \
         img-src data: blob:; font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'",
        known(scripts),
        if styles.is_empty() {
            " 'none'".to_owned()
        } else {
            known(styles)
        },
    )
}

/// Writes the file into the release `folder`.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    let read = |name: &str| {
        let path = folder.join(name.trim_start_matches("./"));
        std::fs::read(&path).map_err(|error| {
            Failure::new(format!("read {}", path.display())).why(error.to_string())
        })
    };
    let html = String::from_utf8_lossy(&read("index.html")?).into_owned();
    let page = inline(&html, &read)?;
    let path = folder.join(NAME);
    std::fs::write(&path, page)
        .map_err(|error| Failure::new(format!("write {}", path.display())).why(error.to_string()))
}

/// Writes [`PACKED`] into the release `folder`.
pub(crate) fn pack(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(PACKED).why(error.to_string());
    let names = crate::size::files(folder).map_err(failed)?;
    let mut text = String::from("kubenkyoPacked={");
    for name in names.iter().filter(|name| name.ends_with(".wasm")) {
        let bytes = std::fs::read(folder.join(name)).map_err(failed)?;
        text.push_str(&format!(
            "\"{name}\":\"{}\",",
            STANDARD.encode(gzip(&bytes))
        ));
    }
    text.push('}');
    std::fs::write(folder.join(PACKED), text).map_err(failed)
}

/// `html` with everything it names taken in.
fn inline(html: &str, read: &dyn Fn(&str) -> Result<Vec<u8>, Failure>) -> Result<String, Failure> {
    let mut page = String::new();
    let mut packed = String::new();
    let (mut scripts, mut styles) = (Vec::new(), Vec::new());
    let mut rest = html;
    while let Some((before, tag, after)) = next_tag(rest) {
        page.push_str(before);
        rest = after;
        let (src, href) = (attribute(tag, "src"), attribute(tag, "href"));
        match (name(tag), src, href) {
            ("script", Some(address), _) => {
                // A deferred script runs after the document; an inline one must stand at its end for that.
                let text = String::from_utf8_lossy(&read(address)?).into_owned();
                scripts.push(harmless(address, &text)?);
                rest = rest.strip_prefix("</script>").unwrap_or(rest);
            }
            ("link", _, Some(address)) if attribute(tag, "rel") == Some("stylesheet") => {
                let text = String::from_utf8_lossy(&read(address)?).into_owned();
                let fetches = |(at, _): (usize, &str)| {
                    let address = text[at + 4..].trim_start_matches(['"', '\'']);
                    !address.starts_with("data:") && !address.starts_with('#')
                };
                if text.contains("@import") || text.match_indices("url(").any(fetches) {
                    return Err(Failure::new(NAME)
                        .why(format!("{address} fetches something"))
                        .hint("use a data: URL in the style sheet"));
                }
                page.push_str(&format!("<style>{text}</style>"));
                styles.push(text);
            }
            ("link", _, Some(address)) if address.ends_with(".wasm") => {
                let text = STANDARD.encode(gzip(&read(address)?));
                let id = if attribute(tag, "rel") == Some("rest") {
                    REST_ID
                } else {
                    WASM_ID
                };
                packed.push_str(&format!(
                    "<script id=\"{id}\" type=\"application/octet-stream\">{text}</script>\n"
                ));
            }
            // What a release loads later is here from the start.
            ("link", _, Some(address)) if attribute(tag, "rel") == Some("rest-script") => {
                let text = String::from_utf8_lossy(&read(address)?).into_owned();
                scripts.push(harmless(address, &text)?);
            }
            // A manifest makes a page installable, which a file is not.
            ("link", _, Some(_)) if attribute(tag, "rel") == Some("manifest") => {}
            (_, Some(address), _) | ("link", _, Some(address)) if !address.starts_with("data:") => {
                return Err(Failure::new(NAME).why(format!(
                    "index.html names {address} in <{}>, which cannot be taken in",
                    name(tag)
                )));
            }
            ("head", ..) => page.push_str(&format!(
                "{tag}\n  <meta http-equiv=\"Content-Security-Policy\" content=\"{PLACE}\">"
            )),
            ("/body", ..) => {
                page.push_str(&packed);
                for script in &scripts {
                    page.push_str(&format!("<script>{script}</script>\n"));
                }
                page.push_str(tag);
            }
            _ => page.push_str(tag),
        }
    }
    page.push_str(rest);
    if packed.is_empty() || !page.contains(&packed) || !page.contains(PLACE) {
        return Err(
            Failure::new(NAME).why("index.html lacks <head>, </body> or the preloaded wasm")
        );
    }
    Ok(page.replacen(PLACE, &policy(&scripts, &styles), 1))
}

/// The text before the next tag, the tag, and what follows. Comments are text.
fn next_tag(html: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + html[from..].find('<')?;
        if html[start..].starts_with("<!--") {
            from = start + html[start..].find("-->")?;
            continue;
        }
        let end = start + html[start..].find('>')? + 1;
        return Some((&html[..start], &html[start..end], &html[end..]));
    }
}

fn name(tag: &str) -> &str {
    tag.trim_matches(['<', '>'])
        .split([' ', '\n', '\t'])
        .next()
        .unwrap_or_default()
}

/// The value of an attribute as trunk writes it: in quotes.
fn attribute<'tag>(tag: &'tag str, name: &str) -> Option<&'tag str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// JavaScript that HTML does not mistake for its own end.
fn harmless(address: &str, text: &str) -> Result<String, Failure> {
    if text.contains("<!--") {
        return Err(Failure::new(NAME)
            .why(format!(
                "{address} holds `<!--`, which HTML takes for a comment"
            ))
            .hint("write it as \"<!\" + \"--\""));
    }
    // HTML reads these line ends as one sign, and the digest is of what it reads.
    let text = text.replace("\r\n", "\n");
    Ok(text.replace("</script", "<\\/script"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_the_page_names_is_inside_and_scripts_come_last() {
        let html = "<html><head><!-- <link href=\"no\"> --><link rel=\"stylesheet\" href=\"./a.css\"><script defer src=\"./b.js\"></script>\
                    <link rel=\"preload\" href=\"./c.wasm\"></head><body>text</body></html>";
        let read = |name: &str| -> Result<Vec<u8>, Failure> {
            Ok(match name {
                "./a.css" => b"p{color:red}".to_vec(),
                "./b.js" => b"f('</script>')".to_vec(),
                _ => b"\0asm".to_vec(),
            })
        };
        let page = inline(html, &read).expect("all of it can be taken in");
        assert!(page.contains("<style>p{color:red}</style>"), "{page}");
        assert!(
            page.contains("f('<\\/script>')</script>\n</body>"),
            "{page}"
        );
        assert!(page.contains("<head>\n  <meta http-equiv"), "{page}");
        assert!(!page.contains("src="), "{page}");
    }

    #[test]
    fn what_cannot_be_taken_in_is_an_error() {
        let read =
            |_: &str| -> Result<Vec<u8>, Failure> { Ok(b"p{background:url(x.png)}".to_vec()) };
        for html in [
            "<head></head><body><img src=\"x.png\"></body>",
            "<head><link rel=\"stylesheet\" href=\"a.css\"></head>",
            "<p>",
        ] {
            assert!(inline(html, &read).is_err(), "{html}");
        }
    }
}
