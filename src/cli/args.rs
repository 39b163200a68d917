//! Options of the native commands: `--name VALUE`, `--name=VALUE`, switches, and at most one file.

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Args<'a> {
    options: Vec<(&'a str, &'a str)>,
    pub(super) file: Option<&'a str>,
}

/// Options that say what the cluster is made of, besides `--nodes` and `--seed`.
pub(super) const CLUSTER_SWITCHES: &[&str] = &["load-balancer", "control-plane"];

impl<'a> Args<'a> {
    /// The cluster that `--nodes`, `--windows`, `--seed` and [`CLUSTER_SWITCHES`] ask for.
    pub(super) fn cluster(&self) -> Result<shell::Options, String> {
        let nodes = u32::try_from(self.number("nodes", 3)?.min(10_000))
            .expect("ten thousand is a small number");
        let windows = u32::try_from(self.number("windows", 0)?.min(10_000))
            .expect("ten thousand is a small number");
        Ok(shell::Options {
            nodes,
            windows_nodes: windows,
            seed: self.number("seed", 7)?,
            load_balancer: self.has("load-balancer"),
            control_plane: self.has("control-plane"),
            ..shell::Options::default()
        })
    }

    /// `valued` take a value, `switches` none; anything else is an error with a hint.
    pub(super) fn parse(
        words: &[&'a str],
        valued: &[&str],
        switches: &[&str],
    ) -> Result<Args<'a>, String> {
        let mut args = Args::default();
        let mut at = 0;
        while let Some(word) = words.get(at).copied() {
            at += 1;
            let Some(name) = word.strip_prefix("--") else {
                if args.file.replace(word).is_some() {
                    return Err(format!("one file is enough, {word:?} is another"));
                }
                continue;
            };
            let (name, inline) = name
                .split_once('=')
                .map_or((name, None), |(name, value)| (name, Some(value)));
            if switches.contains(&name) {
                args.options.push((name, inline.unwrap_or("true")));
            } else if valued.contains(&name) {
                let value = match inline {
                    Some(value) => value,
                    None => {
                        at += 1;
                        words
                            .get(at - 1)
                            .copied()
                            .ok_or_else(|| format!("--{name} needs a value"))?
                    }
                };
                args.options.push((name, value));
            } else {
                let known: Vec<String> = valued
                    .iter()
                    .chain(switches)
                    .map(|name| format!("--{name}"))
                    .collect();
                return Err(format!(
                    "unknown option --{name}; hint: there are {}",
                    known.join(", ")
                ));
            }
        }
        Ok(args)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.options
            .iter()
            .any(|(n, value)| *n == name && *value != "false")
    }

    /// The last value that was given.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let given = self.options.iter().rev().find(|(n, _)| *n == name);
        given.map(|(_, value)| *value)
    }

    /// A number, or `default` if it was not given.
    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| format!("--{name} wants a whole number, not {text:?}")),
        }
    }
}
