//! What a visitor loads before the page is there, measured as a server would send it, and held to a budget.
//!
//! First-load files are `index.html` and whatever it names; anything else in the folder is fetched on demand and only listed.

use crate::report::Failure;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

/// wasm + JavaScript + CSS + HTML, brotli -q 11: what may be needed for the first slide and a running cluster. When it is exceeded, see
/// whether `cargo xtask first-load` finds more that can wait.
const BUDGET: usize = 700 * 1000;

/// Prints the table of `folder`; fails over the budget or when the page would not work under a sub-path.
pub(crate) fn check(folder: &Path) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(format!("read {}", folder.display())).why(error.to_string())
    };
    let html = std::fs::read_to_string(folder.join("index.html")).map_err(unreadable)?;
    let named = references(&html);
    let rooted: Vec<&String> = named
        .iter()
        .filter(|name| name.starts_with('/') || name.contains("://"))
        .collect();
    if !rooted.is_empty() {
        return Err(Failure::new("the page works under any path")
            .why(format!("index.html names {rooted:?}"))
            .hint("make the addresses relative"));
    }
    let mut first = vec!["index.html".to_owned()];
    first.extend(
        named
            .iter()
            .map(|name| name.trim_start_matches("./").to_owned()),
    );
    let mut later = files(folder).map_err(unreadable)?;
    later.retain(|name| !first.contains(name));

    println!(
        "\n{:<52} {:>9} {:>9} {:>9}",
        "first load", "raw", "gzip", "brotli"
    );
    let mut total = [0; 3];
    for name in &first {
        let bytes = std::fs::read(folder.join(name)).map_err(|error| {
            Failure::new(format!("read {name}, named by index.html")).why(error.to_string())
        })?;
        let sizes = [bytes.len(), gzip(&bytes), brotli(&bytes)];
        println!(
            "{name:<52} {:>9} {:>9} {:>9}",
            kilo(sizes[0]),
            kilo(sizes[1]),
            kilo(sizes[2])
        );
        for (sum, size) in total.iter_mut().zip(sizes) {
            *sum += size;
        }
    }
    println!(
        "{:<52} {:>9} {:>9} {:>9}",
        "total",
        kilo(total[0]),
        kilo(total[1]),
        kilo(total[2])
    );
    println!("budget {:>75}", kilo(BUDGET));
    if !later.is_empty() {
        println!("\n{:<52} {:>9}", "on demand", "raw");
        for name in &later {
            let size = folder.join(name).metadata().map_or(0, |meta| meta.len());
            println!(
                "{name:<52} {:>9}",
                kilo(usize::try_from(size).unwrap_or(usize::MAX))
            );
        }
    }
    if total[2] > BUDGET {
        return Err(Failure::new("the size budget").why(format!("the first load is {} over", kilo(total[2] - BUDGET))).hint(
            "look for what grew: `cargo xtask first-load` finds what may wait; what begins there must be smaller",
        ));
    }
    Ok(())
}

/// Relative addresses in `src` and `href` attributes, each once.
fn references(html: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for attribute in ["src=", "href="] {
        for (at, _) in html.match_indices(attribute) {
            let rest = &html[at + attribute.len()..];
            let value = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next(),
                _ => rest.split([' ', '>', '\n']).next(),
            };
            let value = value.unwrap_or_default();
            // What `static/boot.js` loads once the page stands.
            let tag = html[..at].rsplit('<').next().unwrap_or_default();
            if tag.contains("rel=\"rest") {
                continue;
            }
            if !value.is_empty() && !value.starts_with("data:") && !value.starts_with('#') {
                found.insert(value.to_owned());
            }
        }
    }
    found
}

/// Every file of a folder and of those in it, in order, relative to it.
pub(crate) fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    list(folder, "", &mut names)?;
    Ok(names)
}

fn list(folder: &Path, below: &str, names: &mut Vec<String>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder.join(below))?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = if below.is_empty() {
            name.to_string_lossy().into_owned()
        } else {
            format!("{below}/{}", name.to_string_lossy())
        };
        if entry.file_type()?.is_dir() {
            list(folder, &name, names)?
        } else {
            names.push(name)
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> usize {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
        .len()
}

fn brotli(bytes: &[u8]) -> usize {
    let mut sent = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut sent, 1 << 16, 11, 24);
        writer
            .write_all(bytes)
            .expect("writing to memory does not fail");
    }
    sent.len()
}

fn kilo(bytes: usize) -> String {
    format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_what_the_browser_fetches_with_the_page() {
        let html = r##"<link rel="icon" href="data:,"><link rel=stylesheet href=./a.css><script src='./b.js'></script><link href="./c.wasm" rel="preload"><link rel="rest" href="./d.wasm"><a href="#x">"##;
        assert_eq!(
            references(html).into_iter().collect::<Vec<_>>(),
            ["./a.css", "./b.js", "./c.wasm"]
        );
    }
}
