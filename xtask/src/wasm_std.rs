//! A Rust compiler that has the standard library for `wasm32-unknown-unknown`.
//!
//! The ordinary way is rustup's target. Where rustup's server does not answer, Debian's second compiler (package rustc-web) together with
//! its library's sources (rust-web-src) can build that library once, in about two minutes; native builds keep the first compiler.
//! Entry point: [`ensure`].

use crate::report::{Failure, present, step};
use crate::run::{command, find, is_program, line, read, shown, within};
use crate::tools::{apt, cache};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TARGET: &str = "wasm32-unknown-unknown";
const LINKER: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const SERVER: &str = "static.rust-lang.org:443";

/// Which compiler builds for wasm32.
pub(crate) enum Compiler {
    /// The `rustc` that cargo uses anyway.
    Ordinary,
    /// Another one, with the linker it needs.
    Second { rustc: PathBuf, linker: PathBuf },
}

impl Compiler {
    /// What cargo and trunk must find in their environment.
    pub(crate) fn env(&self) -> Vec<(&'static str, &Path)> {
        match self {
            Self::Ordinary => Vec::new(),
            Self::Second { rustc, linker } => vec![("RUSTC", rustc), (LINKER, linker)],
        }
    }

    pub(crate) fn apply(&self, command: &mut Command) {
        command.envs(self.env());
    }
}

/// Finds such a compiler, or makes one.
pub(crate) fn ensure() -> Result<Compiler, Failure> {
    let name = "wasm32 standard library";
    // For trying the second way on a machine where the first one works.
    let takes_ordinary = std::env::var_os("KUBENKYO_COMPILER").is_none_or(|name| name != "debian");
    if takes_ordinary && has_library("rustc") {
        present(name, "rustup's");
        return Ok(Compiler::Ordinary);
    }
    if has_library(DEBIAN_RUSTC)
        && is_ours_current()
        && let Some(linker) = linker()
    {
        present(name, format!("that of {DEBIAN_RUSTC}"));
        return Ok(Compiler::Second {
            rustc: DEBIAN_RUSTC.into(),
            linker,
        });
    }
    let mut reasons = Vec::new();
    match step("add rustup's wasm32 target", || {
        rustup_target(takes_ordinary)
    }) {
        Ok(()) if has_library("rustc") => return Ok(Compiler::Ordinary),
        Ok(()) => reasons.push(
            "rustup added the target, but to another toolchain than the one in use".to_owned(),
        ),
        Err(failure) => {
            eprintln!("   {failure}\n   … trying Debian's second compiler instead");
            reasons.push(failure.to_string());
        }
    }
    step(
        "build the wasm32 standard library with Debian's compiler",
        debian,
    )
    .map_err(|failure| {
        failure
            .why(format!("and before that: {}", reasons.join("; ")))
            .hint(format!("rustup target add {TARGET}"))
    })
}

fn has_library(rustc: &str) -> bool {
    let Ok(folder) = read(command(rustc).args(["--print", "target-libdir", "--target", TARGET]))
    else {
        return false;
    };
    std::fs::read_dir(folder.trim()).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn rustup_target(is_wanted: bool) -> Result<(), Failure> {
    if !is_wanted {
        return Err(Failure::new("rustup's target").why("KUBENKYO_COMPILER says debian"));
    }
    if find("rustup").is_none() {
        return Err(Failure::new(format!("rustup target add {TARGET}"))
            .why("there is no rustup on the PATH"));
    }
    let proxied = [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "RUSTUP_DIST_SERVER",
    ]
    .iter()
    .any(|name| std::env::var_os(name).is_some());
    if !proxied && !answers(SERVER) {
        return Err(Failure::new(format!("rustup target add {TARGET}"))
            .why(format!("{SERVER} does not answer")));
    }
    within(
        Duration::from_secs(300),
        command("rustup").args(["target", "add", TARGET]),
    )
}

/// Whether a connection opens soon. Name resolution has no time limit of its own, hence the thread.
fn answers(server: &'static str) -> bool {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut addresses = server.to_socket_addrs().into_iter().flatten();
        let _ =
            sender.send(addresses.any(|address| {
                TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok()
            }));
    });
    receiver
        .recv_timeout(Duration::from_secs(8))
        .unwrap_or(false)
}

fn debian() -> Result<Compiler, Failure> {
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/Cargo.toml");
    if !is_program(Path::new(DEBIAN_RUSTC)) || !sources.is_file() || linker().is_none() {
        step("install rustc-web, rust-web-src and lld-19", || {
            apt(&["rustc-web", "rust-web-src", "lld-19"])
        })?;
    }
    let linker = linker().ok_or_else(|| {
        Failure::new("a linker for wasm32")
            .why("neither wasm-ld-19 nor wasm-ld nor rust-lld was found")
    })?;

    // An empty library of its own, outside any workspace: only its dependencies, the standard library, are wanted.
    let folder = cache().join("wasm32-std");
    let failed = |what: &str, error: std::io::Error| {
        Failure::new(format!("{what} in {}", folder.display())).why(error.to_string())
    };
    std::fs::create_dir_all(folder.join("src")).map_err(|error| failed("make a folder", error))?;
    let manifest = "[workspace]\n[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\"]\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).map_err(|error| failed("write", error))?;
    std::fs::write(folder.join("src/lib.rs"), "").map_err(|error| failed("write", error))?;
    let build = folder.join("target");
    let _ = std::fs::remove_dir_all(&build);
    let mut cargo = command("cargo");
    cargo.current_dir(&folder).args([
        "build",
        "--quiet",
        "--release",
        "--target",
        TARGET,
        "-Zbuild-std=std,panic_abort,test",
    ]);
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", DEBIAN_RUSTC)
        .env(LINKER, &linker)
        .env("CARGO_TARGET_DIR", &build);
    // Without the bitcode a later build with link-time optimisation fails ("Can't find section .llvmbc").
    cargo.env("RUSTFLAGS", "-Cembed-bitcode=yes");
    shown(&mut cargo)?;

    let made: Vec<PathBuf> = std::fs::read_dir(build.join(TARGET).join("release/deps"))
        .map_err(|error| failed("read the build", error))?
        .flatten()
        .map(|file| file.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rlib")
        })
        .collect();
    let place = PathBuf::from(
        read(command(DEBIAN_RUSTC).args(["--print", "target-libdir", "--target", TARGET]))?.trim(),
    );
    install(&made, &place)?;
    std::fs::write(stamp(), version()).map_err(|error| failed("write the version", error))?;
    let _ = std::fs::remove_dir_all(&build);
    if has_library(DEBIAN_RUSTC) {
        Ok(Compiler::Second {
            rustc: DEBIAN_RUSTC.into(),
            linker,
        })
    } else {
        Err(Failure::new("install the wasm32 library")
            .why(format!("{} still has no libstd", place.display())))
    }
}

/// Copies the libraries beside the compiler, in place of any older ones.
fn install(libraries: &[PathBuf], place: &Path) -> Result<(), Failure> {
    let is_writable = std::fs::create_dir_all(place).is_ok()
        && std::fs::metadata(place).is_ok_and(|meta| !meta.permissions().readonly());
    if is_writable {
        let old = std::fs::read_dir(place)
            .into_iter()
            .flatten()
            .flatten()
            .map(|file| file.path());
        for path in old.filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rlib")
        }) {
            let _ = std::fs::remove_file(path);
        }
        for library in libraries {
            let name = library.file_name().expect("a library has a name");
            std::fs::copy(library, place.join(name)).map_err(|error| {
                Failure::new(format!("copy {}", library.display())).why(error.to_string())
            })?;
        }
        return Ok(());
    }
    shown(command("sudo").args(["-n", "mkdir", "-p"]).arg(place))?;
    let mut copy = command("sudo");
    copy.args(["-n", "cp"]).args(libraries).arg(place);
    shown(&mut copy).map_err(|failure| failure.hint(format!("as root: {}", line(&copy))))
}

/// The library must be of the very compiler that is there now; a package upgrade makes it useless.
fn is_ours_current() -> bool {
    std::fs::read_to_string(stamp()).map_or(true, |built| built == version())
}

fn stamp() -> PathBuf {
    cache().join("wasm32-std.version")
}

fn version() -> String {
    read(command(DEBIAN_RUSTC).arg("-Vv")).unwrap_or_default()
}

fn linker() -> Option<PathBuf> {
    if let Some(found) = ["wasm-ld-19", "wasm-ld", "rust-lld"]
        .iter()
        .find_map(|name| find(name))
    {
        return Some(found);
    }
    let sysroot = read(command("rustc").args(["--print", "sysroot"])).ok()?;
    let hosts = std::fs::read_dir(Path::new(sysroot.trim()).join("lib/rustlib")).ok()?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|path| is_program(path))
}
