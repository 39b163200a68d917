//! What the editor and the terminal ask while the user types. Pure questions: they change nothing and are not recorded.

use serde::{Deserialize, Serialize};

use api::diagnose::{Diagnosis, Fault};
use api::yaml::{Content, Node, Place};

use crate::Text;

/// Something wrong with a manifest, at its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Byte offsets into the text.
    pub from: usize,
    pub to: usize,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// `spec.template.spec.containers[0].port`; empty when it is about the whole document.
    pub path: String,
    /// After the path, as a sentence.
    pub message: Text,
    /// What to do, when that is known.
    pub hint: Option<Text>,
    /// The text that would mend it, in place of `from..to`.
    pub replacement: Option<String>,
    /// Whether the server would still take it.
    pub is_warning: bool,
}

/// Ways to go on from the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Where the replaced text begins, in bytes; it ends at the cursor.
    pub from: usize,
    pub candidates: Vec<Candidate>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub text: String,
    /// A type or a short note.
    pub detail: String,
}

/// What is wrong with a manifest, as far as it can be told without a cluster.
pub(crate) fn diagnose(text: &str) -> Vec<Problem> {
    if text.len() > LOOKED_THROUGH {
        return vec![too_long(text.len())];
    }
    let found = api::diagnose::diagnose(text).into_iter();
    found.take(PROBLEMS).map(problem).collect()
}

/// Longer texts are not looked through while one types, in bytes.
const LOOKED_THROUGH: usize = 1 << 18;
/// Nobody reads more of them at a time.
const PROBLEMS: usize = 200;

fn too_long(bytes: usize) -> Problem {
    let kb = bytes / 1_000;
    let is_warning = bytes <= crate::TEXT_MAX;
    let message = if is_warning {
        Text::new(
            format!("長いので（{kb} KB）、書いている間の確認はしません。"),
            format!("This is long ({kb} KB): it is not looked through while you type."),
        )
    } else {
        Text::new(
            format!("大きすぎて（{kb} KB）適用できません。1 つのオブジェクトは 1.5 MB までです。"),
            format!("This is too large ({kb} KB) to apply: an object has 1.5 MB at most."),
        )
    };
    let hint = Text::new(
        "いくつかのファイルに分けてください。",
        "Split it into several files.",
    );
    Problem {
        line: 1,
        column: 1,
        message,
        hint: Some(hint),
        is_warning,
        ..Problem::default()
    }
}

/// A diagnosis in the words of both languages. The path stands before the message where both are shown.
fn problem(diagnosis: Diagnosis) -> Problem {
    let Diagnosis {
        kind,
        from,
        to,
        line,
        column,
        path,
        message,
        replacement,
    } = diagnosis;
    let about = message
        .strip_prefix(&format!("{path}: "))
        .unwrap_or(&message)
        .to_owned();
    let did_you_mean = replacement.as_ref().map(|near| {
        Text::new(
            format!("もしかして {near}?"),
            format!("Did you mean {near}?"),
        )
    });
    let write = replacement
        .as_ref()
        .map(|mended| Text::new(format!("{mended} と書きます。"), format!("Write {mended}.")));
    let (message, hint) = match kind {
        Fault::Syntax => (
            Text::new(
                format!("YAML として読めません: {about}"),
                format!("This is no YAML: {about}"),
            ),
            Some(Text::new(
                "字下げと、「:」の後の空白を見てください。",
                "Look at the indentation and at the blank after a colon.",
            )),
        ),
        Fault::Duplicate => (
            Text::new(
                "が 2 度書かれています。後のものが使われます。",
                "stands here twice; the later one counts.",
            ),
            None,
        ),
        Fault::NotSet => {
            let name = about.strip_suffix(" not set").unwrap_or(&about);
            (
                Text::new(
                    format!("{name} がありません。"),
                    format!("{name} is missing."),
                ),
                Some(Text::new(
                    "はじめに apiVersion と kind を書きます。例: apiVersion: apps/v1、kind: Deployment",
                    "A manifest begins with apiVersion and kind, for example apiVersion: apps/v1 and kind: Deployment.",
                )),
            )
        }
        Fault::UnknownKind => (
            Text::new(
                "そのような種類のリソースはありません。",
                "names no kind of resource.",
            ),
            did_you_mean,
        ),
        Fault::UnknownField => match about.split_once(": it belongs below ") {
            Some((_, place)) => (
                Text::new(
                    "というフィールドはここにはありません。",
                    "is not a field here.",
                ),
                Some(Text::new(
                    format!("{place} の下に書きます。"),
                    format!("It belongs below {place}."),
                )),
            ),
            None => (
                Text::new("というフィールドはありません。", "is not a field."),
                did_you_mean,
            ),
        },
        Fault::WrongType => {
            let parts = about
                .strip_prefix("expected ")
                .and_then(|rest| rest.rsplit_once(", got "));
            match parts {
                Some((wanted, got)) => (
                    Text::new(
                        format!(
                            "には{}が入ります。ここにあるのは{}です。",
                            in_japanese(wanted),
                            in_japanese(got)
                        ),
                        format!("takes {wanted}, not {got}."),
                    ),
                    write,
                ),
                None => (Text::new("の型が違います。", about), write),
            }
        }
        Fault::WrongValue => (
            Text::new(
                format!("の値が読めません: {about}"),
                format!("cannot be read: {about}"),
            ),
            write,
        ),
        Fault::Required => (Text::new("は必須です。", "is required."), None),
    };
    Problem {
        from,
        to,
        line: line as u32,
        column: column as u32,
        path,
        message,
        hint,
        replacement,
        is_warning: kind.is_warning(),
    }
}

/// What `api::diagnose` calls the types of values.
fn in_japanese(name: &str) -> &str {
    match name {
        "text" => "文字列",
        "a whole number" => "整数",
        "a number" => "数",
        "true or false" => "真偽値 (true / false)",
        "a quantity like 500m or 1Gi" => "量 (500m、1Gi など)",
        "a whole number or text" => "整数か文字列",
        "a list" => "リスト (「- 」で始まる行)",
        "a mapping" | "an object" => "フィールドの集まり",
        other => other,
    }
}

/// Fields and values that fit where the cursor is.
pub(crate) fn complete(text: &str, cursor: usize) -> Completion {
    let found = api::diagnose::complete(text, cursor);
    let candidates = found
        .candidates
        .into_iter()
        .map(|candidate| Candidate {
            text: candidate.insert,
            detail: candidate.detail,
        })
        .collect();
    Completion {
        from: found.from,
        candidates,
    }
}

/// The path and type of the field under the cursor.
pub(crate) fn hover(text: &str, cursor: usize) -> Option<Text> {
    let found = api::diagnose::locate(text, cursor)?;
    Some(Text::same(format!(
        "{}: {}",
        found.dotted(),
        found.field.shape.explained()
    )))
}

/// What the server refused, each problem at its place: lines such as `* spec.replicas: Invalid value: -1: …`.
pub(crate) fn refused(text: &str, stderr: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let documents = api::yaml::split(text).unwrap_or_default();
    let mut trees = Vec::new();
    for document in &documents {
        if let Ok(tree) = api::yaml::parse(document.text) {
            trees.push((document.from, tree));
        }
    }
    let pieces = stderr.lines().flat_map(|line| {
        let line = line.trim_start_matches("* ").trim();
        // `The Pod "x" is invalid: spec.y: Required value` has its one problem on the line.
        let line = line
            .split_once(" is invalid: ")
            .map_or(line, |(_, rest)| rest);
        let unknown = line.split("unknown field \"").skip(1).filter_map(|rest| {
            rest.split_once('"')
                .map(|(path, _)| (path.to_owned(), "unknown field".to_owned()))
        });
        let named = line
            .split_once(": ")
            .filter(|(path, _)| is_path(path))
            .map(|(path, message)| (path.to_owned(), message.to_owned()));
        unknown.chain(named).collect::<Vec<_>>()
    });
    for (path, message) in pieces {
        let place = trees.iter().find_map(|(from, tree)| {
            let place = find(tree.root.as_ref()?, &path)?;
            Some((from + place.from, from + place.to))
        });
        let (from, to) = place.unwrap_or((0, 0));
        problems.push(Problem {
            path,
            message: Text::same(message),
            ..placed(text, from, to)
        });
    }
    if problems.is_empty() && !stderr.trim().is_empty() {
        problems.push(Problem {
            message: Text::same(stderr.trim()),
            ..placed(text, 0, 0)
        });
    }
    problems
}

fn is_path(text: &str) -> bool {
    let first = text.split(['.', '[']).next().unwrap_or_default();
    [
        "spec",
        "metadata",
        "data",
        "rules",
        "subsets",
        "roleRef",
        "subjects",
        "provisioner",
        "webhooks",
    ]
    .contains(&first)
}

/// The place of the deepest part of a path that the manifest has.
fn find(root: &Node, path: &str) -> Option<Place> {
    let mut at = root;
    let mut place = None;
    for part in path.replace('[', ".[").split('.') {
        if let Some(index) = part.strip_prefix('[') {
            let index = index.trim_end_matches(']');
            match (&at.content, index.parse::<usize>()) {
                (Content::List(items), Ok(n)) => match items.get(n) {
                    Some(item) => {
                        at = item;
                        place = Some(item.place);
                    }
                    None => break,
                },
                _ => match at.pair(index) {
                    Some(pair) => {
                        place = Some(pair.key_place);
                        at = &pair.value;
                    }
                    None => break,
                },
            }
        } else {
            match at.pair(part) {
                Some(pair) => {
                    place = Some(pair.key_place);
                    at = &pair.value;
                }
                None => break,
            }
        }
    }
    place
}

/// A problem at byte offsets, with its line and column.
fn placed(text: &str, from: usize, to: usize) -> Problem {
    let from = from.min(text.len());
    let before = text.get(..from).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Problem {
        from,
        to: to.clamp(from, text.len()),
        line: line as u32,
        column: column as u32,
        ..Problem::default()
    }
}
