//! The texts of the help, read from the tables beside this file.
//!
//! A table has sections (`[rollout]`) of lines `name: text`; an indented line belongs to the one above it.

/// A line of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The section that it stands in.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// The indented line below it: how a command is called.
    pub(super) usage: &'static str,
}

/// The commands of `kubectl help`, in its groups.
pub(super) fn commands() -> Vec<Entry> {
    entries(include_str!("commands.txt"))
}

pub(super) fn command(name: &str) -> Option<Entry> {
    commands().into_iter().find(|entry| entry.name == name)
}

/// The subcommands of a command that is several.
pub(super) fn subcommands(group: &str) -> Vec<Entry> {
    let mut all = entries(include_str!("subcommands.txt"));
    all.retain(|entry| entry.section == group);
    all
}

/// What the flags of many commands are for.
pub(super) fn meaning(flag: &str) -> Option<&'static str> {
    let all = entries(include_str!("flags.txt"));
    all.iter()
        .find(|entry| entry.name == flag)
        .map(|entry| entry.text)
}

/// What a flag is worth where it is not given, if that is not empty, zero or false; one command's own comes first.
pub(super) fn default(command: &str, flag: &str) -> Option<&'static str> {
    let verb = command.split(' ').next().unwrap_or_default();
    let is_of = |of: &str| of == "any" || of == verb || of.contains(' ') && command.starts_with(of);
    let all = entries(include_str!("defaults.txt"));
    all.iter()
        .find(|entry| entry.name == flag && is_of(entry.section))
        .map(|entry| entry.text)
}

/// Whether a command shares a table of flags that has this one, and does not have it itself.
pub(super) fn lacks(command: &str, flag: &str) -> bool {
    let all = entries(include_str!("absent.txt"));
    all.iter()
        .any(|entry| entry.name == command && entry.text.split(' ').any(|name| name == flag))
}

fn entries(table: &'static str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = "";
    for line in table.lines() {
        if let Some(title) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = title;
        } else if let Some(usage) = line.strip_prefix("    ") {
            if let Some(last) = entries.last_mut() {
                last.usage = usage;
            }
        } else if let Some((name, text)) = line.split_once(": ") {
            entries.push(Entry {
                section,
                name,
                text,
                usage: "",
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of a table is a section, an entry or what belongs to one.
    #[test]
    fn tables_are_read_whole() {
        for table in [
            include_str!("commands.txt"),
            include_str!("subcommands.txt"),
            include_str!("flags.txt"),
            include_str!("defaults.txt"),
            include_str!("absent.txt"),
        ] {
            let read = entries(table);
            let lines = table
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with(['[', ' ']));
            assert_eq!(read.len(), lines.count());
            assert!(read.iter().all(|entry| !entry.text.is_empty()));
        }
    }
}
