//! A page of the documentation as a list of steps, read from the corpus.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

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
}

impl Step {
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
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
        let of_manifest = ["for i in {1..100}", "/bin/sh -c \"touch", "sleep 60"];
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
    let mut pages = Vec::new();
    for file in files_of(&corpus.join("sessions")) {
        let session = fs::read_to_string(&file).expect("a session is readable");
        let session: Value = serde_json::from_str(&session).expect("a session is JSON");
        let name = text(&session, "page");
        if let Some(tier) = tiers.get(&name) {
            pages.push(page(name, tier != "P2", &session, &examples));
        }
    }
    pages
}

fn page(name: String, counts: bool, session: &Value, examples: &BTreeMap<String, String>) -> Page {
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
    let mut inline: Vec<String> = Vec::new();
    for section in list(session, "sections") {
        let data: Vec<(u64, String)> = list(section, "inline_data")
            .iter()
            .filter(|data| text(data, "lang") == "yaml")
            .map(|data| (data["after_step"].as_u64().unwrap_or(0), text(data, "text")))
            .collect();
        for (at, step) in list(section, "steps").iter().enumerate() {
            let before = data.iter().filter(|(after, _)| *after == at as u64);
            inline.extend(before.map(|(_, text)| text.clone()));
            steps.push(read_step(step, &inline, &files));
        }
    }
    Page {
        name,
        counts,
        steps,
        files,
    }
}

fn read_step(step: &Value, inline: &[String], files: &BTreeMap<String, String>) -> Step {
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
    let makes = step["uses_inline_file"]
        .as_str()
        .filter(|name| !name.contains('<'));
    let makes = makes.and_then(|name| Some((format!("/root/{name}"), inline.last()?.clone())));
    // A manifest that the page shows just before is the file that the command names.
    let makes = makes.or_else(|| {
        let command = text(step, "cmd");
        let (_, named) = command.split_once("-f ")?;
        let name = named
            .split_whitespace()
            .next()?
            .trim_start_matches("./")
            .to_owned();
        let is_new = !name.contains(['/', '<', '*']) && name.ends_with(".yaml");
        let path = format!("/root/{name}");
        let shown = inline
            .iter()
            .rev()
            .find(|text| text.contains("apiVersion:"))?;
        (is_new && !files.contains_key(&path)).then(|| (path, shown.clone()))
    });
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
        makes,
    }
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
