//! Building the page with trunk.

use crate::report::{Failure, step};
use crate::run::shown;
use crate::tools::{self, Tools, root};
use crate::{classroom, installable, parts, single, size, tools::target};
use std::path::{Path, PathBuf};

/// What the page may do: load its own files, and nothing else anywhere. Style attributes are its own; style elements and inline scripts are
/// not allowed, so that no text from outside can become either.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; \
    worker-src 'self' blob:; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";

/// A release build into `folder`, which is emptied first.
pub(crate) fn build(tools: &Tools, folder: &Path) -> Result<(), Failure> {
    trunk(tools, folder)?;
    step("cut the wasm in two", || parts::page::halve(tools, folder))
}

/// The same before the cut: one wasm file, with the names of its functions.
pub(crate) fn trunk(tools: &Tools, folder: &Path) -> Result<(), Failure> {
    step("build the page (release)", || {
        let mut trunk = tools.command("trunk");
        trunk
            .current_dir(root())
            .args([
                "build",
                "--release",
                "--offline",
                "--skip-version-check",
                "--log",
                "warn",
                "--dist",
            ])
            .arg(folder);
        // trunk refuses the value `1` that other tools write there.
        trunk.env_remove("NO_COLOR");
        shown(&mut trunk).map_err(|failure| failure.hint("the compiler's messages are above"))
    })
}

/// `cargo xtask dist`: the release, installable, the same in one file, and their sizes against the budget.
pub(crate) fn dist() -> Result<(), Failure> {
    let tools = tools::setup()?;
    let folder = dist_folder();
    build(&tools, &folder)?;
    single::make(&folder)?;
    single::pack(&folder)?;
    seal(&folder)?;
    installable::make(&folder, &[single::NAME, single::PACKED])?;
    classroom::make(&folder)?;
    size::check(&folder)
}

/// Writes the policy into the page, for hosts that send no headers.
fn seal(folder: &Path) -> Result<(), Failure> {
    let index = folder.join("index.html");
    let failed = |error: std::io::Error| {
        Failure::new(format!("write the policy into {}", index.display())).why(error.to_string())
    };
    let html = std::fs::read_to_string(&index).map_err(failed)?;
    let meta =
        format!("<head>\n  <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
    if !html.contains("<head>") {
        return Err(
            Failure::new("write the policy into the page").why("index.html has no plain <head>")
        );
    }
    std::fs::write(&index, html.replacen("<head>", &meta, 1)).map_err(failed)
}

/// Where the static release goes.
pub(crate) fn dist_folder() -> PathBuf {
    root().join("dist")
}

/// Where `serve` builds, so that it never disturbs a release.
pub(crate) fn serve_folder() -> PathBuf {
    target().join("page")
}
