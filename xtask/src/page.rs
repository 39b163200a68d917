//! Building the page with trunk.

use crate::report::{Failure, step};
use crate::run::shown;
use crate::tools::{self, Tools, root};
use crate::{installable, single, size, tools::target};
use std::path::{Path, PathBuf};

/// A release build into `folder`, which is emptied first.
pub(crate) fn build(tools: &Tools, folder: &Path) -> Result<(), Failure> {
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
    installable::make(&folder, &[single::NAME])?;
    size::check(&folder)
}

/// Where the static release goes.
pub(crate) fn dist_folder() -> PathBuf {
    root().join("dist")
}

/// Where `serve` builds, so that it never disturbs a release.
pub(crate) fn serve_folder() -> PathBuf {
    target().join("page")
}
