//! The commands, one file each.

pub(crate) mod api_resources;
pub(crate) mod apply;
pub(crate) mod auth;
pub(crate) mod autoscale;
pub(crate) mod certificate;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod drain;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod expose;
pub(crate) mod files;
pub(crate) mod get;
pub(crate) mod help;
pub(crate) mod kustomize;
pub(crate) mod label;
pub(crate) mod logs;
pub(crate) mod patch;
pub(crate) mod plugin;
pub(crate) mod port_forward;
mod proxy;
pub(crate) mod replace;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod scale;
pub(crate) mod set;
pub(crate) mod taint;
mod top;
pub(crate) mod version;
pub(crate) mod wait;

use api::Str;

use crate::{Context, Failure};

pub(crate) type Verb = fn(&mut Context<'_>, &[Str]) -> Result<(), Failure>;

/// Every command with its aliases; order is that of `kubectl help`.
const COMMANDS: &[(&str, Verb)] = &[
    ("create", create::run),
    ("expose", expose::run),
    ("run", run::run),
    ("set", set::run),
    ("explain", explain::run),
    ("get", get::run),
    ("edit", edit::run),
    ("delete", delete::run),
    ("rollout", rollout::run),
    ("scale", scale::run),
    ("autoscale", autoscale::run),
    ("certificate", certificate::run),
    ("cluster-info", cluster::info),
    ("top", top::run),
    ("cordon", drain::cordon),
    ("uncordon", drain::uncordon),
    ("drain", drain::drain),
    ("taint", taint::run),
    ("describe", describe::run),
    ("logs", logs::run),
    ("log", logs::run),
    ("attach", exec::attach),
    ("exec", exec::run),
    ("port-forward", port_forward::run),
    ("proxy", proxy::run),
    ("cp", cp::run),
    ("debug", debug::run),
    ("auth", auth::run),
    ("events", events::run),
    ("diff", diff::run),
    ("apply", apply::run),
    ("patch", patch::run),
    ("replace", replace::run),
    ("wait", wait::run),
    ("kustomize", kustomize::run),
    ("label", label::run),
    ("annotate", label::annotate),
    ("completion", help::completion),
    ("api-resources", api_resources::run),
    ("api-versions", cluster::api_versions),
    ("config", config::run),
    ("plugin", plugin::run),
    ("version", version::run),
    ("options", help::options),
    ("help", help::run),
    ("alpha", help::alpha),
];

/// The names of all commands, in the order of `kubectl help`.
pub fn commands() -> impl Iterator<Item = &'static str> {
    COMMANDS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != "log")
}

/// Runs the command that `args` name. Global flags may stand before it.
pub(crate) fn dispatch(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let Some(at) = command_position(args) else {
        help::overview(ctx);
        return Ok(());
    };
    let name = &args[at];
    let Some((_, verb)) = COMMANDS.iter().find(|(known, _)| name == *known) else {
        return match plugin::call(ctx, &args[at..])? {
            Some(0) => Ok(()),
            Some(code) => Err(Failure::exit(code)),
            None => Err(unknown_command(name)),
        };
    };
    let mut rest: Vec<Str> = args[at + 1..].to_vec();
    if WITH_SUBCOMMANDS.contains(&name.as_str())
        && let Some(sub) = command_position(&rest)
        && rest[..sub]
            .iter()
            .all(|arg| is_global(arg) || !arg.starts_with('-'))
    {
        // What stands before the subcommand holds for it as well.
        rest.rotate_left(sub);
        let moved = rest.split_off(rest.len() - sub);
        insert_flags(&mut rest, moved);
    }
    insert_flags(&mut rest, args[..at].to_vec());
    let asks_for_help = rest
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--help" || arg == "-h");
    if asks_for_help {
        return help::asked(ctx, name, *verb, &rest);
    }
    impersonate(ctx, args)?;
    verb(ctx, &rest)
}

/// Commands whose first word says which of several is meant.
const WITH_SUBCOMMANDS: [&str; 8] = [
    "auth",
    "certificate",
    "cluster-info",
    "config",
    "create",
    "rollout",
    "set",
    "top",
];

/// Whether an argument is a flag of every command: `-n`, `--namespace=x`.
fn is_global(arg: &str) -> bool {
    let name = arg.split('=').next().unwrap_or_default();
    crate::flags::GLOBAL.iter().any(|flag| {
        name.strip_prefix("--") == Some(flag.name)
            || name
                .strip_prefix('-')
                .is_some_and(|s| flag.short != '\0' && s.starts_with(flag.short))
    })
}

/// Adds flags to a command line: at its end, or before what follows `--`.
fn insert_flags(args: &mut Vec<Str>, flags: Vec<Str>) {
    let at = args
        .iter()
        .position(|arg| *arg == "--")
        .unwrap_or(args.len());
    args.splice(at..at, flags);
}

/// `--as`, `--as-group`: wherever they stand before `--`.
fn impersonate(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let (mut user, mut groups) = (Str::EMPTY, Vec::new());
    let mut words = args.iter().take_while(|arg| *arg != "--");
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(Str::new(value))),
            None => (word.as_str(), None),
        };
        if !matches!(name, "--as" | "--as-group") {
            continue;
        }
        let value = inline.or_else(|| words.next().cloned()).unwrap_or_default();
        if name == "--as" {
            user = value;
        } else {
            groups.push(value);
        }
    }
    if user.is_empty() && !groups.is_empty() {
        return Err(Failure::error(
            "requesting uid, groups or user-extra for \"\" without impersonating a user",
        ));
    }
    ctx.act_as(user, groups);
    Ok(())
}

/// Where the command's name stands: after global flags and their values.
fn command_position(args: &[Str]) -> Option<usize> {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if !arg.starts_with('-') {
            return Some(at);
        }
        let takes_value = !arg.contains('=')
            && crate::flags::GLOBAL.iter().any(|flag| {
                flag.kind != crate::flags::Kind::Switch
                    && (arg.strip_prefix("--") == Some(flag.name)
                        || arg
                            .strip_prefix('-')
                            .is_some_and(|s| s.chars().eq([flag.short])))
            });
        at += if takes_value { 2 } else { 1 };
    }
    None
}

fn unknown_command(name: &str) -> Failure {
    let mut message = format!("error: unknown command {name:?} for \"kubectl\"\n");
    // cobra suggests names within two edits, and those that begin with what was typed.
    let near: Vec<&str> = COMMANDS
        .iter()
        .map(|(known, _)| *known)
        .filter(|known| *known != "log")
        .filter(|known| {
            distance(&name.to_lowercase(), known) <= 2 || known.starts_with(&name.to_lowercase())
        })
        .collect();
    if !near.is_empty() {
        message += "\nDid you mean this?\n";
        for known in near {
            message += &format!("\t{known}\n");
        }
    }
    Failure::Exit { code: 1, message }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = corner + usize::from(ca != *cb);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
