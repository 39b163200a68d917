//! A page of the documentation as a list of steps, read from the corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::prepared::{self, Extra};

/// One page's command lines, in order.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// `tutorials/hello-minikube.md`.
    pub(crate) name: String,
    /// Third rank is run and shown, but not counted.
    pub(crate) counts: bool,
    pub(crate) steps: Vec<Step>,
    /// Files that the page tells the learner to have: path and content.
    pub(crate) files: BTreeMap<String, String>,
}

/// One command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) command: String,
    /// The command whose shell this line is typed into.
    pub(crate) inside: Option<String>,
    /// What the page shows as its output.
    pub(crate) shown: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// The file that the learner makes before this step.
    pub(crate) makes: Option<(String, String)>,
    /// What the learner does besides.
    pub(crate) extra: Extra,
}

impl Step {
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// What the learner does besides belongs to the step; names that were to be filled in are.
    fn take(&mut self, extra: Extra) {
        if let Some(command) = &extra.instead {
            self.command = command.clone();
            self.tags.retain(|tag| {
                !matches!(tag.as_str(), "placeholder" | "editor") && !tag.starts_with("host:")
            });
        }
        self.extra = extra;
    }

    /// Why the step is not run: it needs something of the learner's own machine, or names nothing definite.
    pub(crate) fn not_ours(&self) -> Option<&'static str> {
        const MACHINE: &[&str] = &[
            "host:minikube",
            "host:sudo",
            "host:docker",
            "host:kind",
            "host:apt-get",
            "host:kube-apiserver",
            "host:crontab",
            "host:make",
            "host:openssl",
            "host:mongosh",
            "host:/usr/bin/amqp-declar",
        ];
        let asks_address = self.command.contains("$(minikube ip)");
        if !asks_address && self.tags.iter().any(|tag| MACHINE.contains(&tag.as_str())) {
            return Some("a tool of the learner's own machine");
        }
        if self.has("placeholder") || self.command.contains('<') && self.command.contains("-name>")
        {
            return Some("names nothing definite");
        }
        let of_manifest = [
            "for i in {1..100}",
            "/bin/sh -c \"touch",
            "sleep 60",
            "rev data.txt",
            "echo Hello from the debian container",
        ];
        if of_manifest
            .iter()
            .any(|begin| self.command.starts_with(begin))
        {
            return Some("a line of a manifest");
        }
        if self.command.contains(":51082") {
            return Some("a port that the learner's machine chose");
        }
        if self.has("editor") {
            return Some("opens an editor");
        }
        if self.command.starts_with("exit") {
            return Some("ends a shell whose lines are given to it one by one");
        }
        None
    }
}

pub(crate) fn load(corpus: &Path, judgments: &str) -> Vec<Page> {
    let judgments: Value = serde_json::from_str(judgments).expect("judgments are JSON");
    let mut tiers = BTreeMap::new();
    for judgment in judgments.as_array().expect("a list of pages") {
        tiers.insert(text(judgment, "page"), text(judgment, "tier"));
    }
    let examples = examples(corpus);
    let mut extras = prepared::read();
    let mut pages = Vec::new();
    for file in files_of(&corpus.join("sessions")) {
        let session = fs::read_to_string(&file).expect("a session is readable");
        let session: Value = serde_json::from_str(&session).expect("a session is JSON");
        let name = text(&session, "page");
        if let Some(tier) = tiers.get(&name) {
            let extras = extras.remove(&name).unwrap_or_default();
            pages.push(page(name, tier != "P2", &session, &examples, extras));
        }
    }
    assert!(extras.is_empty(), "no such pages: {:?}", extras.keys());
    pages
}

fn page(
    name: String,
    counts: bool,
    session: &Value,
    examples: &BTreeMap<String, String>,
    mut extras: BTreeMap<usize, Extra>,
) -> Page {
    let mut files = BTreeMap::new();
    for (path, content) in examples {
        files.insert(format!("/examples/{path}"), content.clone());
    }
    for path in list(session, "manifests").iter().filter_map(Value::as_str) {
        if let Some(content) = examples.get(path) {
            let short = path.rsplit('/').next().unwrap_or(path);
            files.insert(format!("/root/{path}"), content.clone());
            files.insert(format!("/root/{short}"), content.clone());
        }
    }
    let mut steps = Vec::new();
    // What the page shows as YAML; how much of it was there at the last step that named a file.
    let mut inline: Vec<String> = Vec::new();
    let mut used = 0;
    let mut made = BTreeSet::new();
    for section in list(session, "sections") {
        let data: Vec<(u64, String)> = list(section, "inline_data")
            .iter()
            .filter(|data| text(data, "lang") == "yaml")
            .map(|data| (data["after_step"].as_u64().unwrap_or(0), text(data, "text")))
            .collect();
        for (at, step) in list(section, "steps").iter().enumerate() {
            let before = data.iter().filter(|(after, _)| *after == at as u64);
            inline.extend(before.map(|(_, text)| text.clone()));
            let makes = shown_file(step, &inline, &inline[used..], &files, &made);
            let mut step = read_step(step);
            if let Some((path, _)) = &makes {
                made.insert(path.clone());
                used = inline.len();
            }
            step.makes = makes;
            if let Some(extra) = extras.remove(&(steps.len() + 1)) {
                step.take(extra);
            }
            steps.push(step);
        }
    }
    assert!(extras.is_empty(), "{name} has no such steps: {extras:?}");
    Page {
        name,
        counts,
        steps,
        files,
    }
}

fn read_step(step: &Value) -> Step {
    let words = |field: &str| -> Vec<String> {
        list(step, field)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let shown = list(step, "outputs")
        .iter()
        .map(|output| text(output, "text"))
        .collect();
    let inside = step["where"].as_str().and_then(|place| {
        place
            .strip_prefix("inside container shell of: ")
            .map(str::to_owned)
    });
    Step {
        command: text(step, "cmd"),
        inside,
        shown,
        tags: words("tags"),
        ..Step::default()
    }
}

/// The file that a command names and the page shows: what is new since the last such file, or, for a file that the
/// learner does not have yet, what was shown last.
fn shown_file(
    step: &Value,
    inline: &[String],
    fresh: &[String],
    files: &BTreeMap<String, String>,
    made: &BTreeSet<String>,
) -> Option<(String, String)> {
    let command = text(step, "cmd");
    let is_kustomization = command.contains("-k .");
    let name = if is_kustomization {
        "kustomization.yaml".to_owned()
    } else {
        let said = step["uses_inline_file"].as_str().map(str::to_owned);
        said.or_else(|| named_file(&command))?
    };
    if name.contains('<') {
        return None;
    }
    let path = format!("/root/{name}");
    // A manifest with parts left out is none.
    let is_whole = |text: &&String| {
        let is_it = if is_kustomization {
            text.contains("Generator:") && !text.contains("EOF")
        } else {
            text.contains("apiVersion:")
        };
        is_it && !text.lines().any(|line| line.trim() == "...")
    };
    let has = files.contains_key(&path) || made.contains(&path);
    let shown = fresh.iter().rfind(is_whole).or_else(|| {
        let old = inline.iter().rfind(is_whole);
        old.filter(|_| !has && !is_kustomization)
    })?;
    Some((path, shown.clone()))
}

/// `NAME.yaml` of a command's `-f`.
fn named_file(command: &str) -> Option<String> {
    let (_, named) = command.split_once("-f ")?;
    let name = named.split_whitespace().next()?.trim_start_matches("./");
    let is_plain = !name.contains(['/', '*']) && name.ends_with(".yaml");
    is_plain.then(|| name.to_owned())
}

/// The documentation's example files by their path.
fn examples(corpus: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (folder, prefix) in [("manifests", ""), ("k8s-examples", "examples/")] {
        let base = corpus.join(folder);
        let mut folders = vec![base.clone()];
        while let Some(folder) = folders.pop() {
            for path in files_of(&folder) {
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(content) = fs::read_to_string(&path) {
                    let below = path.strip_prefix(&base).expect("it was found below");
                    found.insert(format!("{prefix}{}", below.to_string_lossy()), content);
                }
            }
        }
    }
    found
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|e| e.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}
