//! Fenced code: what the word after the backticks asks for, and which lines it highlights.

use crate::Words;
use crate::fields;
use crate::model::{Apply, Cell, Highlight, Run, Scene, Stage, View};
use crate::problems::{Problems, suggest};
use crate::task::Task;

/// What a fence turned out to be.
#[derive(Debug)]
pub(crate) enum Fence {
    Code {
        lang: String,
        highlight: Highlight,
    },
    Live(Cell),
    Scene(Scene),
    /// Lines that belong to the task before them.
    Solution(Vec<String>),
    Wrong(Vec<String>),
    Figure {
        name: String,
        alt: String,
    },
    /// Not understood, and reported.
    Nothing,
}

/// What the fence needs to know of the slide.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// Stem for the names of things that their author did not name.
    pub(crate) stem: &'a str,
    /// How many cells the slide has already.
    pub(crate) cells: usize,
    pub(crate) line: u32,
}

/// The info string, taken apart.
#[derive(Debug, Default)]
struct Info {
    lang: String,
    words: Vec<String>,
    options: Vec<(String, String)>,
    highlight: Highlight,
    fails: bool,
}

impl Info {
    fn parse(info: &str) -> Info {
        let mut out = Info::default();
        let mut text = String::new();
        let mut rest = info;
        // `{1|2-3}` (Slidev) and `[1|2-3]` (reveal.js) may hold blanks, so they are cut out first.
        while let Some(open) = rest.find(['{', '[']) {
            let close = if rest[open..].starts_with('{') {
                '}'
            } else {
                ']'
            };
            text.push_str(&rest[..open]);
            let inner = &rest[open + 1..];
            let Some(end) = inner.find(close) else {
                rest = "";
                break;
            };
            if let Some(stops) = stops(&inner[..end]) {
                out.highlight.stops = stops;
            }
            text.push(' ');
            rest = &inner[end + 1..];
        }
        text.push_str(rest);
        for (index, word) in text.split_whitespace().enumerate() {
            if index == 0 {
                out.lang = word.to_ascii_lowercase();
            } else if let Some((key, value)) = word.split_once('=') {
                out.options.push((
                    key.to_ascii_lowercase(),
                    String::from(value.trim_matches(['"', '\''])),
                ));
            } else if index > 1 && word == "fails" {
                out.fails = true;
            } else {
                out.words.push(String::from(word));
            }
        }
        out
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// `1-3,5|all|none`; `None` when this is something else, such as a file name in brackets.
pub(crate) fn stops(source: &str) -> Option<Vec<Vec<(u32, u32)>>> {
    // reveal.js lets the numbering start elsewhere: `[100: 1|2]`.
    let source = source.split_once(':').map_or(source, |(_, stops)| stops);
    source.split('|').map(|stop| ranges(stop.trim())).collect()
}

fn ranges(stop: &str) -> Option<Vec<(u32, u32)>> {
    match stop {
        "all" | "*" => return Some(Vec::new()),
        "none" | "hide" => return Some(vec![(0, 0)]),
        _ => {}
    }
    stop.split(',')
        .map(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
        })
        .collect()
}

const SHELLS: [&str; 6] = ["sh", "bash", "shell", "zsh", "console", "shell-session"];
const LIVE: [&str; 6] = ["apply", "run", "task", "scene", "solution", "wrong"];

/// Decides what a fence is.
pub(crate) fn parse(info: &str, text: &str, place: &Place<'_>, problems: &mut Problems) -> Fence {
    let mut info = Info::parse(info);
    let is_yaml = matches!(info.lang.as_str(), "yaml" | "yml");
    let is_shell = SHELLS.contains(&info.lang.as_str());
    let word = info
        .words
        .first()
        .map(|word| word.to_ascii_lowercase())
        .unwrap_or_default();
    let what = if is_yaml || is_shell {
        word.as_str()
    } else {
        info.lang.as_str()
    };
    match (what, is_yaml, is_shell) {
        ("apply", true, _) => Fence::Live(Cell::Apply(apply(&mut info, text, place))),
        ("task", true, _) => {
            let id = format!("{}-{}", place.stem, place.cells + 1);
            match Task::parse(text, id, place.line + 1, problems) {
                Some(task) => Fence::Live(Cell::Task(task)),
                None => Fence::Nothing,
            }
        }
        ("scene", true, _) => fields::mapping(text, place.line + 1, "scene", problems)
            .and_then(|mapping| scene(&mapping, place.line + 1, problems))
            .map_or(Fence::Nothing, Fence::Scene),
        ("run", _, true) | ("kubectl", false, false) => {
            let lines = fields::command_lines(text);
            if lines.is_empty() {
                let message = Words::new("実行する行がありません", "there is no line to run");
                let hint = Words::new("例: kubectl get pods", "for example: kubectl get pods");
                problems.add(place.line, message, hint);
                return Fence::Nothing;
            }
            Fence::Live(Cell::Run(Run {
                lines,
                fails: info.fails,
            }))
        }
        ("solution", _, true) => Fence::Solution(fields::command_lines(text)),
        ("wrong", _, true) => Fence::Wrong(fields::command_lines(text)),
        ("playground", false, false) => stage(&info, text, place.line, problems),
        ("figure", false, false) => Fence::Figure {
            name: info.words.first().cloned().unwrap_or_default(),
            alt: String::from(text.trim()),
        },
        _ => {
            if (is_yaml || is_shell) && !word.is_empty() {
                unknown_word(&word, is_yaml, place.line, problems);
            }
            Fence::Code {
                lang: info.lang,
                highlight: info.highlight,
            }
        }
    }
}

/// Words after a language mean nothing to us, unless they look like a live cell misspelt or misplaced.
fn unknown_word(word: &str, is_yaml: bool, line: u32, problems: &mut Problems) {
    let near = suggest(word, &LIVE);
    if LIVE.contains(&word) {
        let lang = if is_yaml { "sh" } else { "yaml" };
        let message = Words::new(
            format!("「{word}」は {lang} のブロックに書きます"),
            format!("\"{word}\" belongs to a block of {lang}"),
        );
        let hint = Words::new(format!("```{lang} {word}"), format!("```{lang} {word}"));
        problems.add(line, message, hint);
    } else if near.en.starts_with("did you mean") {
        let message = Words::new(
            format!("「{word}」という種類はありません"),
            format!("there is no kind of block \"{word}\""),
        );
        problems.add(line, message, near);
    }
}

fn apply(info: &mut Info, text: &str, place: &Place<'_>) -> Apply {
    let named = info
        .option("name")
        .map(String::from)
        .or_else(|| info.words.get(1).cloned());
    let name = named.unwrap_or_else(|| match place.cells {
        0 => format!("{}.yaml", place.stem),
        cells => format!("{}-{}.yaml", place.stem, cells + 1),
    });
    Apply {
        // A name is one path segment: it becomes a file of the terminal.
        name: name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or("manifest.yaml")
            .to_string(),
        yaml: String::from(text),
        highlight: std::mem::take(&mut info.highlight),
        kinds: kinds(text),
        fails: info.fails,
    }
}

/// `(apiVersion, kind)` of each document, by the lines that start with these keys.
fn kinds(yaml: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut current = (String::new(), String::new());
    for line in yaml.lines().chain(["---"]) {
        let value = |rest: &str| {
            let bare = rest.split(" #").next().unwrap_or(rest);
            String::from(bare.trim().trim_matches(['"', '\'']))
        };
        if line.starts_with("---") {
            let done = std::mem::take(&mut current);
            if !done.1.is_empty() {
                out.push(done);
            }
        } else if let Some(rest) = line.strip_prefix("apiVersion:") {
            current.0 = value(rest);
        } else if let Some(rest) = line.strip_prefix("kind:") {
            current.1 = value(rest);
        }
    }
    out
}

/// Reads a scene's mapping, from a fence or from per-slide front matter.
pub(crate) fn scene(
    mapping: &serde_yaml::Mapping,
    line: u32,
    problems: &mut Problems,
) -> Option<Scene> {
    fields::only(
        mapping,
        &["seed", "nodes", "options", "commands"],
        line,
        problems,
    );
    let mut out = Scene::default();
    let number = |key: &str, problems: &mut Problems| {
        let value = mapping.get(key)?;
        if value.as_u64().is_none() {
            let message = Words::new(
                format!("{key} は 0 以上の整数です"),
                format!("{key} is a whole number"),
            );
            problems.add(
                line,
                message,
                Words::new(format!("例: {key}: 3"), format!("for example: {key}: 3")),
            );
        }
        value.as_u64()
    };
    out.seed = number("seed", problems);
    out.nodes = number("nodes", problems).map(|nodes| nodes.min(u64::from(u32::MAX)) as u32);
    if let Some(options) = mapping
        .get("options")
        .and_then(|options| options.as_mapping())
    {
        let pairs = options
            .iter()
            .filter_map(|(key, value)| Some((fields::text(key)?, fields::text(value)?)));
        out.options = pairs.collect();
    }
    if let Some(commands) = mapping.get("commands") {
        match fields::lines(commands) {
            Some(commands) => out.commands = commands,
            None => {
                let message =
                    Words::new("commands は行のリストです", "commands is a list of lines");
                let hint = Words::new(
                    "例: commands: [\"kubectl apply -f web.yaml\", \"sleep 10s\"]",
                    "for example: commands: [\"kubectl apply -f web.yaml\", \"sleep 10s\"]",
                );
                problems.add(line, message, hint);
                return None;
            }
        }
    }
    Some(out)
}

fn stage(info: &Info, text: &str, line: u32, problems: &mut Problems) -> Fence {
    // Options stand behind the word, or in the body one a line.
    let body = text.lines().filter_map(|line| line.split_once([':', '=']));
    let pairs: Vec<(String, String)> = info
        .options
        .iter()
        .cloned()
        .chain(
            body.map(|(key, value)| (key.trim().to_ascii_lowercase(), String::from(value.trim()))),
        )
        .collect();
    let get = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let name = get("view").unwrap_or("architecture");
    let view = View::named(name).unwrap_or_else(|| {
        unknown_view(name, line, problems);
        View::Architecture
    });
    Fence::Live(Cell::Stage(Stage {
        view,
        focus: get("focus").map(focus).unwrap_or_default(),
        height: get("height").and_then(|height| height.trim_end_matches('%').parse().ok()),
    }))
}

/// Reports a view that does not exist.
pub(crate) fn unknown_view(name: &str, line: u32, problems: &mut Problems) {
    let known: Vec<&str> = View::ALL.iter().map(|(_, name)| *name).collect();
    let message = Words::new(
        format!("「{name}」というビューはありません"),
        format!("there is no view \"{name}\""),
    );
    problems.add(line, message, suggest(name, &known));
}

/// `a, b` as names.
pub(crate) fn focus(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(String::from)
        .collect()
}
