//! `kubectl plugin list`, and programs called `kubectl-NAME` as commands of kubectl.
//!
//! Models `kubectl/pkg/cmd/plugin` and the plugin handler of `kubectl/pkg/cmd/cmd.go`: the longest name that the words make
//! counts, dashes in words are underscores in names of files.

use api::Str;

use crate::{Context, Failure};

const PREFIX: &str = "kubectl-";

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let words: Vec<&str> = args
        .iter()
        .map(Str::as_str)
        .filter(|word| !word.starts_with('-'))
        .collect();
    match words[..] {
        ["list"] => list(ctx, args.iter().any(|arg| *arg == "--name-only")),
        [] => {
            super::help::of_command(ctx, "plugin");
            Ok(())
        }
        [other, ..] => Err(Failure::error(format!(
            "unknown command {other:?} for \"kubectl plugin\""
        ))),
    }
}

fn list(ctx: &mut Context<'_>, names_only: bool) -> Result<(), Failure> {
    let mut found: Vec<String> = Vec::new();
    let mut warnings = String::new();
    for dir in path(ctx)? {
        for name in ctx.list_dir(&dir)?.unwrap_or_default() {
            if !name.starts_with(PREFIX) || name.ends_with('/') {
                continue;
            }
            let place = if names_only {
                name.to_string()
            } else {
                format!("{dir}/{name}")
            };
            let command = name[PREFIX.len()..].split('-').next().unwrap_or_default();
            if super::commands().any(|known| known == command) {
                warnings += &format!(
                    "  - warning: {name} overwrites existing command: \"kubectl {command}\"\n"
                );
            }
            found.push(place);
        }
    }
    if found.is_empty() {
        return Err(Failure::error(
            "unable to find any kubectl plugins in your PATH",
        ));
    }
    ctx.out("The following compatible plugins are available:\n\n");
    for place in &found {
        ctx.out(format!("{place}\n"));
    }
    if warnings.is_empty() {
        return Ok(());
    }
    ctx.err(warnings);
    Err(Failure::error("one plugin warning was found"))
}

fn path(ctx: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    let path = ctx.env("PATH")?.unwrap_or_default();
    let mut dirs: Vec<String> = Vec::new();
    for dir in path.split(':').filter(|dir| !dir.is_empty()) {
        let dir = dir.trim_end_matches('/').to_owned();
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    Ok(dirs)
}

/// Runs the plugin that `args` name, if there is one; gives its exit code.
pub(crate) fn call(ctx: &mut Context<'_>, args: &[Str]) -> Result<Option<i32>, Failure> {
    let words: Vec<String> = args
        .iter()
        .take_while(|arg| !arg.starts_with('-'))
        .map(|word| word.replace('-', "_"))
        .collect();
    let dirs = path(ctx)?;
    for count in (1..=words.len()).rev() {
        let name = format!("{PREFIX}{}", words[..count].join("-"));
        for dir in &dirs {
            let place = format!("{dir}/{name}");
            if ctx.read_file(&place)?.is_err() {
                continue;
            }
            let mut argv = vec![Str::from(place)];
            argv.extend(args[count..].iter().cloned());
            return ctx.run_program(argv).map(Some);
        }
    }
    Ok(None)
}
