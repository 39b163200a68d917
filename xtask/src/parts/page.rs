//! The cut, done to a built page: two wasm files for one, and the editor's script named for later.

use super::{Parts, cut, rules::Rules};
use crate::report::Failure;
use crate::run::shown;
use crate::tools::{Tools, root, target};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// What rustc's code for browsers uses beyond the first version of WebAssembly.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Cuts the wasm that `folder`'s `index.html` preloads.
pub(crate) fn halve(tools: &Tools, folder: &Path) -> Result<(), Failure> {
    let failed = |why: String| Failure::new("cut the page's wasm in two").why(why);
    let write = |path: PathBuf, bytes: &[u8]| {
        std::fs::write(&path, bytes).map_err(|error| failed(format!("{}: {error}", path.display())))
    };
    let index = folder.join("index.html");
    let html = std::fs::read_to_string(&index)
        .map_err(|error| failed(format!("{}: {error}", index.display())))?;
    let name = wasm_of(folder)?;
    let wasm =
        std::fs::read(folder.join(&name)).map_err(|error| failed(format!("{name}: {error}")))?;
    let rules = Rules::read(include_str!("later.txt"))
        .map_err(|why| failed(format!("xtask/src/parts/later.txt, {why}")))?;
    let texts = texts(&rules).map_err(&failed)?;
    let linked = target().join("wasm32-unknown-unknown/release/kubenkyo.wasm");
    let linked =
        std::fs::read(&linked).map_err(|error| failed(format!("{}: {error}", linked.display())))?;
    let parts = cut(&wasm, &linked, &rules, &texts).map_err(&failed)?;
    let parts = Parts {
        first: optimised(tools, folder, &parts.first)?,
        rest: optimised(tools, folder, &parts.rest)?,
        ..parts
    };
    let (first, rest) = (
        named("kubenkyo", &parts.first, "_bg.wasm"),
        named("rest", &parts.rest, ".wasm"),
    );
    write(folder.join(&first), &parts.first)?;
    write(folder.join(&rest), &parts.rest)?;
    std::fs::remove_file(folder.join(&name)).map_err(|error| failed(format!("{name}: {error}")))?;
    let html = html.replace(&name, &first).replacen(
        "</head>",
        &format!("  <link rel=\"rest\" href=\"./{rest}\">\n</head>"),
        1,
    );
    let (before, editor, after) =
        between(&html, "<script src=\"./codemirror", "\" defer></script>")
            .ok_or_else(|| failed("index.html has no script of the editor".to_owned()))?;
    let html = format!("{before}<link rel=\"rest-script\" href=\"./codemirror{editor}\">{after}");
    write(index, html.as_bytes())?;
    println!(
        "   {} functions in the first part, {} in the rest",
        parts.functions[0], parts.functions[1]
    );
    Ok(())
}

/// What wasm-opt makes of `wasm`. It comes after the cut, so that it does not inline what waits into what does not.
fn optimised(tools: &Tools, folder: &Path, wasm: &[u8]) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::new("run wasm-opt").why(error.to_string());
    let (plain, small) = (folder.join("plain.wasm"), folder.join("small.wasm"));
    std::fs::write(&plain, wasm).map_err(failed)?;
    let mut command = tools.command("wasm-opt");
    command
        .args(["-Oz", "--strip-debug", "--strip-producers"])
        .args(FEATURES);
    shown(command.arg(&plain).arg("-o").arg(&small))?;
    let wasm = std::fs::read(&small).map_err(failed)?;
    std::fs::remove_file(&plain).map_err(failed)?;
    std::fs::remove_file(&small).map_err(failed)?;
    Ok(wasm)
}

/// The wasm that the page in `folder` starts with.
pub(crate) fn wasm_of(folder: &Path) -> Result<String, Failure> {
    let failed = |why: String| Failure::new("find the page's wasm").why(why);
    let index = folder.join("index.html");
    let html = std::fs::read_to_string(&index)
        .map_err(|error| failed(format!("{}: {error}", index.display())))?;
    let (_, address, _) = between(&html, "crossorigin href=\"./", ".wasm\"")
        .ok_or_else(|| failed("index.html preloads none".to_owned()))?;
    Ok(format!("{address}.wasm"))
}

/// `text` before `start`, between it and the next `end`, and after that.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = text.split_once(start)?;
    let (inner, after) = rest.split_once(end)?;
    Some((before, inner, after))
}

fn named(stem: &str, bytes: &[u8], end: &str) -> String {
    let digits: String = Sha256::digest(bytes)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{stem}-{digits}{end}")
}

/// The files whose text waits.
fn texts(rules: &Rules) -> Result<Vec<Vec<u8>>, String> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = rules.texts.iter().map(|path| root().join(path)).collect();
    let kept: Vec<PathBuf> = rules
        .kept_texts
        .iter()
        .map(|path| root().join(path))
        .collect();
    while let Some(path) = folders.pop() {
        let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(unreadable)? {
                folders.push(entry.map_err(unreadable)?.path());
            }
        } else if !kept.contains(&path) {
            texts.push(std::fs::read(&path).map_err(unreadable)?);
        }
    }
    Ok(texts)
}
