//! The programs that building and testing the page needs, and how they come onto a machine.
//!
//! Each is looked for on the PATH in the right version, then in the tool cache, and only then installed, into the cache. Entry points:
//! [`setup`], [`browser`].

use crate::report::{Failure, present, step};
use crate::run::{self, command, find, is_program, read, shown};
use crate::wasm_std::{self, Compiler};
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// 0.22 asks for a compiler newer than the one the project is held to.
const TRUNK: &str = "0.21.14";
/// Of the npm package `binaryen`, which ships `wasm-opt`. Debian 12's is of 2022 and aborts on what rustc emits today.
const BINARYEN: &str = "132.0.0";
/// The oldest `wasm-opt` that knows every feature today's rustc emits.
const OLDEST_WASM_OPT: u32 = 116;

/// Everything a build of the page needs, found or installed.
pub(crate) struct Tools {
    pub(crate) compiler: Compiler,
    /// Folders that go before the PATH.
    folders: Vec<PathBuf>,
}

impl Tools {
    /// A command that sees these tools and compiles wasm32 with the right compiler.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        command.env("PATH", self.path());
        self.compiler.apply(&mut command);
        command
    }

    fn path(&self) -> OsString {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let all = self
            .folders
            .iter()
            .cloned()
            .chain(std::env::split_paths(&old));
        std::env::join_paths(all).expect("folders that came from a PATH hold no separator")
    }
}

/// Checks each tool and installs what is missing.
pub(crate) fn setup() -> Result<Tools, Failure> {
    let compiler = wasm_std::ensure()?;
    node()?;
    let mut folders = vec![trunk()?, wasm_bindgen()?, wasm_opt()?];
    folders.sort();
    folders.dedup();
    let editor = root().join("static/vendor/codemirror/codemirror.js");
    if !editor.is_file() {
        return Err(Failure::new("the editor's JavaScript")
            .why(format!("{} is missing", editor.display()))
            .hint("it is part of the repository: `git checkout static/vendor`; `static/vendor/codemirror/build.sh` makes it anew"));
    }
    Ok(Tools { compiler, folders })
}

/// Shell lines for those who call trunk or cargo themselves.
pub(crate) fn print_env() -> Result<(), Failure> {
    let tools = setup()?;
    println!("export PATH='{}'", tools.path().to_string_lossy());
    for (name, value) in tools.compiler.env() {
        println!("export {name}='{}'", value.display());
    }
    Ok(())
}

/// A Chromium that playwright can drive, with fonts for Japanese.
pub(crate) fn browser() -> Result<PathBuf, Failure> {
    let known = || {
        let named = std::env::var_os("KUBENKYO_CHROMIUM")
            .map(PathBuf::from)
            .filter(|path| is_program(path));
        named
            .or_else(|| {
                [
                    "chromium",
                    "chromium-browser",
                    "google-chrome-stable",
                    "google-chrome",
                ]
                .iter()
                .find_map(|name| find(name))
            })
            .or_else(|| {
                // Where macOS keeps it, which is on no PATH.
                let path =
                    PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
                is_program(&path).then_some(path)
            })
    };
    if let Some(path) = known() {
        present("browser", path.display());
        return Ok(path);
    }
    step("install Chromium and Japanese fonts", || {
        apt(&["chromium", "fonts-noto-cjk"])
    })
    .map_err(|failure| {
        failure.hint("install Chromium or Chrome, or set KUBENKYO_CHROMIUM to the program")
    })?;
    known().ok_or_else(|| {
        Failure::new("Chromium").why("the package was installed, but no `chromium` is on the PATH")
    })
}

/// `node`, with `npm` beside it.
pub(crate) fn node() -> Result<PathBuf, Failure> {
    let both = || find("npm").and(find("node"));
    if both().is_none() {
        step("install Node.js", || apt(&["nodejs", "npm"]))
            .map_err(|failure| failure.hint("install Node.js 18 or newer with npm"))?;
    }
    let node = both()
        .ok_or_else(|| Failure::new("Node.js").why("`node` and `npm` are not both on the PATH"))?;
    let version = read(command(&node).arg("--version"))?;
    let version = version.trim();
    let major = version.trim_start_matches('v').split('.').next();
    if major
        .and_then(|major| major.parse().ok())
        .is_none_or(|major: u32| major < 18)
    {
        return Err(Failure::new("Node.js")
            .why(format!("{} is version {version}", node.display()))
            .hint("install Node.js 18 or newer with npm"));
    }
    present("node", version);
    Ok(node)
}

/// Installs packages of the npm registry into a folder.
pub(crate) fn npm(folder: &Path, words: &[&str]) -> Result<(), Failure> {
    let program = find("npm").ok_or_else(|| Failure::new("npm").why("it is not on the PATH"))?;
    let mut npm = command(program);
    npm.current_dir(folder).args(words);
    shown(npm.args(["--no-audit", "--no-fund", "--loglevel=error"]))
}

fn trunk() -> Result<PathBuf, Failure> {
    // A debug build is fast enough, and a third of the work of a release build. Without TLS: nothing is downloaded by trunk itself.
    cargo_tool("trunk", "trunk", TRUNK, &[("CARGO_PROFILE_DEV_DEBUG", "0")])
}

/// The version must equal that of the library in Cargo.lock.
fn wasm_bindgen() -> Result<PathBuf, Failure> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))
        .map_err(|error| Failure::new("read Cargo.lock").why(error.to_string()))?;
    let version = locked_version(&lock, "wasm-bindgen").ok_or_else(|| {
        Failure::new("wasm-bindgen's version")
            .why("Cargo.lock has no package wasm-bindgen")
            .hint("cargo update --workspace")
    })?;
    // Optimised a little: it works through megabytes of wasm at each build.
    cargo_tool(
        "wasm-bindgen-cli",
        "wasm-bindgen",
        version,
        &[
            ("CARGO_PROFILE_DEV_DEBUG", "0"),
            ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
        ],
    )
}

fn locked_version<'lock>(lock: &'lock str, package: &str) -> Option<&'lock str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines
        .nth(1)?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

/// Finds or installs `program` of the crate `package`; returns its folder.
fn cargo_tool(
    package: &str,
    program: &str,
    version: &str,
    profile: &[(&str, &str)],
) -> Result<PathBuf, Failure> {
    let has_version = |path: &Path| {
        read(command(path).arg("--version")).is_ok_and(|said| {
            said.split_whitespace()
                .any(|word| word.trim_start_matches('v') == version)
        })
    };
    let place = cache().join(format!("{package}-{version}"));
    let found = find(program)
        .into_iter()
        .chain([place.join("bin").join(format!("{program}{EXE_SUFFIX}"))])
        .find(|path| is_program(path) && has_version(path));
    if let Some(path) = found {
        present(program, format!("{version} at {}", path.display()));
        return Ok(path.parent().expect("a program has a folder").to_path_buf());
    }
    let install = |extra: &[&str]| {
        let mut cargo = command("cargo");
        cargo
            .args([
                "install",
                package,
                "--version",
                version,
                "--debug",
                "--quiet",
                "--force",
            ])
            .args(extra)
            .arg("--root")
            .arg(&place);
        cargo
            .env("CARGO_TARGET_DIR", cache().join("build"))
            .envs(profile.iter().copied());
        shown(&mut cargo)
    };
    step(&format!("install {package} {version}"), || {
        // Smallest first; then as its authors lock it; then with whatever versions the registry has.
        install(&["--locked", "--no-default-features"])
            .or_else(|_| install(&["--locked"]))
            .or_else(|_| install(&[]))
    })
    .map_err(|failure| {
        failure.hint(format!(
            "cargo install {package} --version {version} by hand, and put it on the PATH"
        ))
    })?;
    Ok(place.join("bin"))
}

fn wasm_opt() -> Result<PathBuf, Failure> {
    let is_current = |path: &Path| {
        let said = read(command(path).arg("--version")).unwrap_or_default();
        said.split_whitespace()
            .find_map(|word| word.parse::<u32>().ok())
            .filter(|version| *version >= OLDEST_WASM_OPT)
    };
    let place = cache().join(format!("binaryen-{BINARYEN}"));
    let folder = place.join("node_modules/.bin");
    for path in find("wasm-opt")
        .into_iter()
        .chain([folder.join("wasm-opt")])
    {
        if let Some(version) = is_current(&path) {
            present("wasm-opt", format!("{version} at {}", path.display()));
            return Ok(path.parent().expect("a program has a folder").to_path_buf());
        }
    }
    step(
        &format!("install wasm-opt (npm binaryen {BINARYEN})"),
        || {
            std::fs::create_dir_all(&place).map_err(|error| {
                Failure::new(format!("make {}", place.display())).why(error.to_string())
            })?;
            npm(
                &place,
                &["install", &format!("binaryen@{BINARYEN}"), "--prefix", "."],
            )?;
            is_current(&folder.join("wasm-opt")).ok_or_else(|| {
                Failure::new("wasm-opt")
                    .why("npm installed binaryen, but its wasm-opt does not run")
            })
        },
    )
    .map_err(|failure| {
        failure.hint("install binaryen 116 or newer, so that `wasm-opt` is on the PATH")
    })?;
    Ok(folder)
}

/// Installs Debian packages, as root or through a sudo that asks nothing.
pub(crate) fn apt(packages: &[&str]) -> Result<(), Failure> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if find("apt-get").is_none() {
        return Err(Failure::new(by_hand).why("this machine has no apt-get"));
    }
    let is_root = read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let apt_get = |args: &[&str]| {
        let mut apt_get = if is_root {
            command("apt-get")
        } else {
            command("sudo")
        };
        if !is_root {
            apt_get.args(["-n", "apt-get"]);
        }
        apt_get
            .args([
                "-qq",
                "-o",
                "DPkg::Lock::Timeout=300",
                "-o",
                "Dpkg::Use-Pty=0",
            ])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive");
        read(&mut apt_get).map(drop)
    };
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.set(()).is_ok() {
        // An old list may still do; the install tells.
        let _ = apt_get(&["update"]);
    }
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages);
    apt_get(&install).map_err(|failure| failure.hint(format!("as root: {by_hand}")))
}

/// Where installed tools are kept: `$KUBENKYO_TOOLS`, or a folder in the user's cache, so that clones share them.
pub(crate) fn cache() -> PathBuf {
    let given = std::env::var_os("KUBENKYO_TOOLS").map(PathBuf::from);
    let user = || {
        std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
    };
    given
        .or_else(|| user().map(|cache| cache.join("kubenkyo")))
        .unwrap_or_else(|| target().join("tools"))
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask
        .parent()
        .expect("xtask lies inside the repository")
        .to_path_buf()
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path))
}

/// A command inside the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = run::command("cargo");
    cargo.current_dir(root());
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_named_package_only() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.126\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.126"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
