//! `kubectl help`, `--help`, `options`, and commands that need what a page does not have.

mod tables;

use api::Str;

use crate::flags::{Flag, Kind};
use crate::{Context, Failure};

/// `kubectl help [COMMAND]`.
pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.iter().find(|arg| !arg.starts_with('-')) {
        Some(name) if tables::command(name).is_some() => {
            of_command(ctx, name);
            Ok(())
        }
        Some(name) => {
            ctx.out(format!("Unknown help topic [`{name}`]\n"));
            overview(ctx);
            Ok(())
        }
        None => {
            overview(ctx);
            Ok(())
        }
    }
}

/// What only `create -f` has.
const OF_FILES: &[&str] = &["edit", "filename", "kustomize", "raw", "recursive"];
/// Old flags that are read and not shown.
const HIDDEN: &[&str] = &["record", "short"];

/// A command line with `--help`: the flags are those that the command itself would read.
pub(crate) fn asked(
    ctx: &mut Context<'_>,
    name: &str,
    verb: super::Verb,
    args: &[Str],
) -> Result<(), Failure> {
    let words: Vec<&str> = args
        .iter()
        .map(Str::as_str)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    // `create secret` is several commands as well.
    let group = match words[..] {
        [first, ..] => format!("{name} {first}"),
        [] => name.to_owned(),
    };
    let is_group = |name: &str| !tables::subcommands(name).is_empty();
    let has_more = if is_group(&group) && group != name {
        words.len() > 1
    } else {
        !words.is_empty()
    };
    if is_group(&group)
        && !has_more
        && !matches!(group.as_str(), "apply" | "cluster-info" | "create")
    {
        of_command(ctx, &group);
        return Ok(());
    }
    // Only what the command says about itself is wanted, not what it prints.
    match verb(ctx, args) {
        Err(Failure::Help { command, flags }) => {
            described(ctx, &command, &flags);
            Ok(())
        }
        _ => {
            of_command(ctx, name);
            Ok(())
        }
    }
}

/// What a command without flags of its own, or a group of commands, is.
pub(crate) fn of_command(ctx: &mut Context<'_>, name: &str) {
    described(ctx, name, &[]);
}

fn described(ctx: &mut Context<'_>, command: &str, flags: &[Flag]) {
    let (parent, last) = command.rsplit_once(' ').unwrap_or(("", command));
    let sub = tables::subcommands(parent)
        .into_iter()
        .find(|sub| sub.name == last);
    let (summary, usage) = match (tables::command(command), sub) {
        (Some(entry), _) => (entry.text, entry.usage.to_owned()),
        (None, Some(sub)) => (sub.text, command.to_owned()),
        (None, None) => return overview(ctx),
    };
    let mut out = format!("{summary}.\n\n");
    let subs = tables::subcommands(command);
    if !subs.is_empty() {
        out += "Available Commands:\n";
        out += &listed(&subs, 11);
        out += "\n";
    }
    let mut flags: Vec<Flag> = flags.to_vec();
    flags.sort_by_key(|flag| flag.name);
    flags.dedup_by_key(|flag| flag.name);
    flags.retain(|flag| {
        let is_of_files = command.starts_with("create ")
            && (OF_FILES.contains(&flag.name) || flag.name == "selector" && flag.short == 'l');
        !(tables::lacks(command, flag.name) || is_of_files || HIDDEN.contains(&flag.name))
    });
    if !flags.is_empty() {
        out += "Options:\n";
    }
    for flag in flags {
        let short = match flag.short {
            '\0' => String::new(),
            short => format!("-{short}, "),
        };
        out += &format!(
            "    {short}--{}={}:\n",
            flag.name,
            default_of(command, &flag)
        );
        if let Some(meaning) = tables::meaning(flag.name) {
            out += &format!("\t{}\n", meaning);
        }
        out.push('\n');
    }
    out += &format!("Usage:\n  kubectl {usage} [options]\n\n");
    if !subs.is_empty() {
        out += &format!(
            "Use \"kubectl {command} <command> --help\" for more information about a given command.\n"
        );
    }
    out += "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";
    ctx.out(out);
}

fn default_of(command: &str, flag: &Flag) -> String {
    let verb = command.split(' ').next().unwrap_or_default();
    if let Some(value) = tables::default(command, flag.name) {
        return value.to_owned();
    }
    if flag.name == "field-manager" {
        return format!("'kubectl-{verb}'");
    }
    match flag.kind {
        Kind::Switch => "false".into(),
        Kind::Number => "0".into(),
        Kind::Duration => "0s".into(),
        Kind::Many | Kind::Array => "[]".into(),
        Kind::Text | Kind::Optional(_) => "''".into(),
    }
}

pub(crate) fn overview(ctx: &mut Context<'_>) {
    ctx.out("kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n");
    for group in tables::commands().chunk_by(|one, next| one.section == next.section) {
        ctx.out(format!("{}:\n{}\n", group[0].section, listed(group, 13)));
    }
    ctx.out("Usage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
}

pub(crate) fn options(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("The following options can be passed to any command:\n");
    for (flag, text) in [
        (
            "--as=''",
            "Username to impersonate for the operation. User could be a regular user or a service account in a namespace.",
        ),
        (
            "--as-group=[]",
            "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.",
        ),
        ("--context=''", "The name of the kubeconfig context to use"),
        (
            "--kubeconfig=''",
            "Path to the kubeconfig file to use for CLI requests.",
        ),
        (
            "-n, --namespace=''",
            "If present, the namespace scope for this CLI request",
        ),
        (
            "--request-timeout='0'",
            "The length of time to wait before giving up on a single server request.",
        ),
        ("-v, --v=0", "number for the log level verbosity"),
    ] {
        ctx.out(format!("\n    {flag}:\n\t{text}\n"));
    }
    Ok(())
}

pub(crate) fn alpha(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("No alpha commands are available in this version of kubectl\n");
    Ok(())
}

pub(crate) fn completion(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("# Completion is part of this terminal: press Tab.\n");
    Ok(())
}

/// Names and what they do, in two columns.
fn listed(entries: &[tables::Entry], least: usize) -> String {
    let longest = entries.iter().map(|entry| entry.name.len()).max();
    let width = longest.unwrap_or(0).max(least);
    entries
        .iter()
        .map(|entry| format!("  {:width$}   {}\n", entry.name, entry.text))
        .collect()
}
