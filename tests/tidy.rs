//! Holds what no compiler checks: which room may name which, and that every file opens with its reason.
//!
//! The table is that of ARCHITECTURE.md; a new edge is a decision, made in both places.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of `src/` with the rooms it may name.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("sim", &[]),
    ("posix", &[]),
    ("api", &["sim"]),
    ("store", &["sim", "api"]),
    ("cel", &["sim", "api"]),
    ("apiserver", &["sim", "api", "cel", "store"]),
    ("client", &["sim", "api"]),
    ("controllers", &["sim", "api", "client"]),
    ("scheduler", &["sim", "api", "client"]),
    ("network", &["sim", "api", "client", "posix"]),
    ("node", &["sim", "api", "client", "network", "posix"]),
    (
        "cluster",
        &[
            "sim",
            "api",
            "client",
            "apiserver",
            "controllers",
            "scheduler",
            "network",
            "node",
            "posix",
        ],
    ),
    ("kubectl", &["sim", "api"]),
    (
        "shell",
        &["sim", "api", "posix", "kubectl", "network", "cluster"],
    ),
    ("deck", &["sim", "api"]),
    (
        "playground",
        &["sim", "api", "cluster", "kubectl", "shell", "deck"],
    ),
    ("ui", &["playground"]),
    (
        "serve",
        &["sim", "api", "network", "apiserver", "cluster", "posix"],
    ),
];

#[test]
fn rooms_name_only_the_rooms_their_row_allows() {
    let mut wrong = Vec::new();
    for room in folders(&root().join("src"))
        .iter()
        .filter(|folder| folder.join("Cargo.toml").is_file())
    {
        let name = room
            .file_name()
            .expect("a folder has a name")
            .to_string_lossy()
            .into_owned();
        let Some((_, allowed)) = MAY_NAME.iter().find(|(row, _)| *row == name) else {
            wrong.push(format!("{name} has no row in the table"));
            continue;
        };
        let manifest = read(&room.join("Cargo.toml"));
        // A room's tests may bring in who it will meet.
        let manifest = manifest
            .split("[dev-dependencies]")
            .next()
            .expect("a split has a first part");
        for other in MAY_NAME
            .iter()
            .map(|(other, _)| *other)
            .filter(|other| *other != name)
        {
            let is_named = manifest.lines().any(|line| {
                line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ="))
            });
            if is_named && !allowed.contains(&other) {
                wrong.push(format!("{name} names {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_its_reason() {
    let mut files = Vec::new();
    for folder in ["src", "xtask/src", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(
        files.len() > MAY_NAME.len(),
        "only {} files were found",
        files.len()
    );
    let silent: Vec<String> = files
        .iter()
        .filter(|file| !read(file).starts_with("//! "))
        .map(|file| file.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "these do not begin with `//! ` and a reason:\n{}",
        silent.join("\n")
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Every `.rs` file but `tests.rs`, whose name is its reason.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_foreign = path.file_name().is_some_and(|name| name == "node_modules");
        if path.is_dir() && !is_foreign {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            found.push(path);
        }
    }
}
