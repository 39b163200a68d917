//! What the editor and the terminal ask while the user types. Pure questions: they change nothing and are not recorded.

use serde::{Deserialize, Serialize};

use api::Value;
use api::schema::Shape;
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

/// What is wrong with a manifest, as far as it can be told without a cluster: syntax, unknown and misspelt fields, wrong types.
pub(crate) fn diagnose(text: &str) -> Vec<Problem> {
    let documents = match api::yaml::split(text) {
        Ok(documents) => documents,
        Err(why) => return vec![at_line(text, 1, Text::new(why.problem(), why.problem()))],
    };
    let mut problems = Vec::new();
    for document in documents {
        let tree = match api::yaml::parse(document.text) {
            Ok(tree) => tree,
            Err(why) => {
                let at = why.place().map_or(0, |(_, at)| at) + document.from;
                problems.push(syntax(text, at, &why));
                continue;
            }
        };
        for duplicate in &tree.duplicates {
            problems.push(Problem {
                message: Text::new(
                    format!(
                        "{} が 2 度書かれています。後のものが使われます。",
                        duplicate.key
                    ),
                    format!("{} stands here twice; the later one counts.", duplicate.key),
                ),
                is_warning: true,
                ..placed(
                    text,
                    document.from + duplicate.place.from,
                    document.from + duplicate.place.to,
                )
            });
        }
        if let Some(root) = &tree.root {
            fields(text, document.from, root, &mut problems);
        }
    }
    problems.sort_by_key(|problem| problem.from);
    problems
}

fn fields(text: &str, offset: usize, root: &Node, problems: &mut Vec<Problem>) {
    let scalar = |key: &str| {
        root.pair(key).and_then(|pair| match &pair.value.content {
            Content::Scalar(value) => value.as_str().map(str::to_owned),
            _ => None,
        })
    };
    let (Some(api_version), Some(kind)) = (scalar("apiVersion"), scalar("kind")) else {
        for key in ["apiVersion", "kind"] {
            if scalar(key).is_none() {
                problems.push(Problem {
                    path: key.to_owned(),
                    message: Text::new("がありません。", "is missing."),
                    hint: Some(Text::new("最初の 2 行は apiVersion と kind です。例: apiVersion: apps/v1、kind: Deployment", "The first two lines are apiVersion and kind, for example apiVersion: apps/v1 and kind: Deployment.")),
                    ..placed(text, offset + root.place.from, offset + root.place.from + 1)
                });
            }
        }
        return;
    };
    let (group, version) = api::kinds::split_api_version(&api_version);
    let Some(of) = api::schema::of_kind(group, version, &kind) else {
        unknown_kind(text, offset, root, &api_version, &kind, problems);
        return;
    };
    let mut walk = Walk {
        text,
        offset,
        problems,
    };
    walk.node(root, Shape::Object(of), "");
}

fn unknown_kind(
    text: &str,
    offset: usize,
    root: &Node,
    api_version: &str,
    kind: &str,
    problems: &mut Vec<Problem>,
) {
    let same_kind = api::kinds::all().iter().find(|known| known.kind == kind);
    let (key, hint, replacement) = match same_kind {
        Some(known) => {
            let version = known.api_version().to_string();
            (
                "apiVersion",
                Some(Text::new(
                    format!("{kind} は {version} です。"),
                    format!("{kind} is in {version}."),
                )),
                Some(version),
            )
        }
        None => {
            let near = nearest(
                kind,
                api::kinds::all().iter().map(|known| known.kind.as_str()),
            );
            (
                "kind",
                near.map(|near| {
                    Text::new(
                        format!("もしかして {near}?"),
                        format!("Did you mean {near}?"),
                    )
                }),
                near.map(str::to_owned),
            )
        }
    };
    // A group with a dot that is not ours may belong to a custom resource.
    if same_kind.is_none() && replacement.is_none() && api_version.contains('.') {
        return;
    }
    let place = root.pair(key).map_or(root.place, |pair| pair.value.place);
    problems.push(Problem {
        path: key.to_owned(),
        message: Text::new(
            format!("{api_version} に {kind} という種類はありません。"),
            format!("there is no kind {kind} in {api_version}."),
        ),
        hint,
        replacement,
        ..placed(text, offset + place.from, offset + place.to)
    });
}

struct Walk<'a> {
    text: &'a str,
    offset: usize,
    problems: &'a mut Vec<Problem>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, shape: Shape, path: &str) {
        match (&node.content, shape) {
            (_, Shape::Any) => {}
            (Content::Map(pairs), Shape::Object(of)) => {
                for pair in pairs.iter() {
                    let inner = join(path, &pair.key);
                    match of.field(&pair.key) {
                        Some(field) => self.node(&pair.value, field.shape, &inner),
                        None => self.unknown(
                            &pair.key,
                            pair.key_place,
                            &inner,
                            of.fields().iter().map(|field| field.name),
                        ),
                    }
                }
            }
            (Content::Map(pairs), Shape::Map(_)) => {
                for pair in pairs.iter() {
                    self.node(&pair.value, shape.inner(), &join(path, &pair.key));
                }
            }
            (Content::List(items), Shape::List(_)) => {
                for (at, item) in items.iter().enumerate() {
                    self.node(item, shape.inner(), &format!("{path}[{at}]"));
                }
            }
            (Content::Scalar(value), shape) if value.is_null() || fits(value, shape) => {}
            _ => self.wrong_type(node, shape, path),
        }
    }

    fn unknown<'f>(
        &mut self,
        key: &str,
        place: Place,
        path: &str,
        known: impl Iterator<Item = &'f str>,
    ) {
        let near = nearest(key, known);
        self.problems.push(Problem {
            path: path.to_owned(),
            message: Text::new("というフィールドはありません。", "is not a field."),
            hint: near.map(|near| {
                Text::new(
                    format!("もしかして {near}?"),
                    format!("Did you mean {near}?"),
                )
            }),
            replacement: near.map(str::to_owned),
            ..placed(self.text, self.offset + place.from, self.offset + place.to)
        });
    }

    fn wrong_type(&mut self, node: &Node, shape: Shape, path: &str) {
        let (ja, en) = expected(shape);
        let found = match &node.content {
            Content::Map(_) => ("フィールドの集まり", "a map"),
            Content::List(_) => ("リスト", "a list"),
            Content::Scalar(Value::Str(_)) => ("文字列", "text"),
            Content::Scalar(Value::Bool(_)) => ("真偽値", "true or false"),
            Content::Scalar(_) => ("数", "a number"),
        };
        // Quotes make text of a number; taking them away may mend it, and the other way round.
        let raw = self
            .text
            .get(self.offset + node.place.from..self.offset + node.place.to)
            .unwrap_or_default();
        let bare = raw.trim_matches(['"', '\'']);
        let replacement = match (&node.content, shape) {
            (Content::Scalar(Value::Str(_)), Shape::Int32 | Shape::Int64)
                if bare.parse::<i64>().is_ok() =>
            {
                Some(bare.to_owned())
            }
            (Content::Scalar(Value::Str(_)), Shape::Bool) if matches!(bare, "true" | "false") => {
                Some(bare.to_owned())
            }
            (Content::Scalar(value), Shape::Str) if !value.is_null() => Some(format!("\"{raw}\"")),
            _ => None,
        };
        self.problems.push(Problem {
            path: path.to_owned(),
            message: Text::new(
                format!("には{ja}が入ります。ここにあるのは{}です。", found.0),
                format!("takes {en}, not {}.", found.1),
            ),
            hint: replacement.as_ref().map(|mended| {
                Text::new(format!("{mended} と書きます。"), format!("Write {mended}."))
            }),
            replacement,
            ..placed(
                self.text,
                self.offset + node.place.from,
                self.offset + node.place.to,
            )
        });
    }
}

/// Whether a scalar may stand where `shape` is wanted.
fn fits(value: &Value, shape: Shape) -> bool {
    match shape {
        Shape::Str | Shape::Bytes | Shape::Time | Shape::MicroTime => value.as_str().is_some(),
        Shape::Int32 | Shape::Int64 => value.as_int().is_some(),
        Shape::Bool => value.as_bool().is_some(),
        Shape::Float => matches!(value, Value::Int(_) | Value::Float(_)),
        Shape::Quantity => match value {
            Value::Str(text) => api::quantity::Quantity::parse(text).is_ok(),
            other => matches!(other, Value::Int(_) | Value::Float(_)),
        },
        Shape::IntOrString => matches!(value, Value::Int(_) | Value::Str(_)),
        Shape::Any => true,
        Shape::Object(_) | Shape::List(_) | Shape::Map(_) => false,
    }
}

/// What a shape takes, in both languages.
fn expected(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Int32 | Shape::Int64 => ("整数", "a whole number"),
        Shape::Bool => (" true か false ", "true or false"),
        Shape::Float => ("数", "a number"),
        Shape::Quantity => ("量 (500m、128Mi など)", "a quantity such as 500m or 128Mi"),
        Shape::IntOrString => ("整数か文字列", "a whole number or text"),
        Shape::Time | Shape::MicroTime => ("日時", "a date and time"),
        Shape::List(_) => ("リスト (- で始まる行)", "a list (lines that begin with -)"),
        Shape::Object(_) | Shape::Map(_) => ("フィールドの集まり", "a map of fields"),
        _ => ("文字列", "text"),
    }
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

/// Fields that fit where the cursor is: those of the object that the cursor's indentation belongs to.
pub(crate) fn complete(text: &str, cursor: usize) -> Completion {
    let nothing = Completion {
        from: cursor,
        candidates: Vec::new(),
    };
    let Some(before) = text.get(..cursor) else {
        return nothing;
    };
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[line_start..];
    let word_start = line.rfind([' ', '-', ':']).map_or(0, |at| at + 1);
    let word = &line[word_start..];
    let from = cursor - word.len();
    // The document up to this line, its own line left out, tells where we are.
    let document_start = before[..line_start].rfind("\n---").map_or(0, |at| at + 4);
    let above: Vec<(usize, &str)> = before[document_start..line_start]
        .lines()
        .filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
        .map(|l| (indent_of(l), l))
        .collect();
    let scalar = |key: &str| {
        text.lines().find_map(|l| {
            l.strip_prefix(key)?
                .trim()
                .strip_prefix(':')
                .map(|v| v.trim().trim_matches('"').to_owned())
        })
    };
    if let Some((key, _)) = line.split_once(": ") {
        return values(key.trim().trim_start_matches("- "), word, from);
    }
    let (Some(api_version), Some(kind)) = (scalar("apiVersion"), scalar("kind")) else {
        let candidates = ["apiVersion", "kind", "metadata", "spec"]
            .iter()
            .filter(|name| name.starts_with(word))
            .map(|name| Candidate {
                text: format!("{name}:"),
                detail: String::new(),
            })
            .collect();
        return Completion { from, candidates };
    };
    let (group, version) = api::kinds::split_api_version(&api_version);
    let Some(of) = api::schema::of_kind(group, version, &kind) else {
        return nothing;
    };
    let mut indent = line.len() - line.trim_start_matches([' ', '-']).len();
    let mut path: Vec<String> = Vec::new();
    for (depth, above) in above.iter().rev() {
        let key_depth = depth
            + if above.trim_start().starts_with("- ") {
                2
            } else {
                0
            };
        let opens = above.trim_end().ends_with(':');
        if key_depth < indent && opens {
            let key = above
                .trim()
                .trim_start_matches("- ")
                .trim_end_matches(':')
                .trim();
            path.push(key.to_owned());
            indent = if above.trim_start().starts_with("- ") {
                *depth + 1
            } else {
                *depth
            };
        } else if *depth < indent && above.trim_start().starts_with("- ") {
            indent = *depth + 1;
        }
        // A list stands at its key's own column.
        if *depth + 1 == indent
            && opens
            && !above.trim_start().starts_with("- ")
            && path
                .last()
                .is_none_or(|last| !above.contains(last.as_str()))
        {
            path.push(above.trim().trim_end_matches(':').to_owned());
            indent = *depth;
        }
    }
    path.reverse();
    let mut shape = Shape::Object(of);
    for key in &path {
        let Some(object) = shape.innermost_object() else {
            return nothing;
        };
        let Some(field) = object.field(key) else {
            return nothing;
        };
        shape = field.shape;
    }
    let Some(object) = shape.innermost_object() else {
        return nothing;
    };
    let candidates = object
        .fields()
        .iter()
        .filter(|field| field.name.starts_with(word))
        .map(|field| Candidate {
            text: format!("{}:", field.name),
            detail: field.shape.go_name(),
        })
        .collect();
    Completion { from, candidates }
}

/// Values of fields that have a closed list of them.
fn values(key: &str, word: &str, from: usize) -> Completion {
    let words: Vec<String> = match key {
        "kind" => api::kinds::all()
            .iter()
            .map(|kind| kind.kind.to_string())
            .collect(),
        "apiVersion" => {
            let mut all: Vec<String> = api::kinds::all()
                .iter()
                .map(|kind| kind.api_version().to_string())
                .collect();
            all.sort();
            all
        }
        "restartPolicy" => ["Always", "OnFailure", "Never"].map(str::to_owned).to_vec(),
        "imagePullPolicy" => ["IfNotPresent", "Always", "Never"]
            .map(str::to_owned)
            .to_vec(),
        "protocol" => ["TCP", "UDP", "SCTP"].map(str::to_owned).to_vec(),
        "type" => [
            "ClusterIP",
            "NodePort",
            "LoadBalancer",
            "ExternalName",
            "RollingUpdate",
            "Recreate",
            "OnDelete",
        ]
        .map(str::to_owned)
        .to_vec(),
        _ => Vec::new(),
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for text in words.into_iter().filter(|text| text.starts_with(word)) {
        if !candidates.iter().any(|c| c.text == text) {
            candidates.push(Candidate {
                text,
                detail: String::new(),
            });
        }
    }
    Completion { from, candidates }
}

/// The type of the field under the cursor.
pub(crate) fn hover(text: &str, cursor: usize) -> Option<Text> {
    for document in api::yaml::split(text).ok()? {
        let Some(inside) = cursor
            .checked_sub(document.from)
            .filter(|at| *at <= document.text.len())
        else {
            continue;
        };
        let root = api::yaml::parse(document.text).ok()?.root?;
        let scalar = |key: &str| {
            root.pair(key)
                .map(|pair| pair.value.to_value(true))
                .and_then(|v| v.as_str().map(str::to_owned))
        };
        let api_version = scalar("apiVersion")?;
        let (group, version) = api::kinds::split_api_version(&api_version);
        let of = api::schema::of_kind(group, version, &scalar("kind")?)?;
        if let Some((path, shape)) = under(&root, Shape::Object(of), "", inside) {
            return Some(Text::same(format!("{path}: {}", shape.go_name())));
        }
    }
    None
}

fn under(node: &Node, shape: Shape, path: &str, cursor: usize) -> Option<(String, Shape)> {
    match &node.content {
        Content::Map(pairs) => pairs.iter().find_map(|pair| {
            let inner = join(path, &pair.key);
            let shape = match shape {
                Shape::Object(of) => of.field(&pair.key)?.shape,
                other => other.inner(),
            };
            if (pair.key_place.from..=pair.key_place.to).contains(&cursor) {
                return Some((inner, shape));
            }
            under(&pair.value, shape, &inner, cursor)
        }),
        Content::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| under(item, shape.inner(), &format!("{path}[{at}]"), cursor)),
        Content::Scalar(_) => None,
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn syntax(text: &str, at: usize, why: &api::yaml::Error) -> Problem {
    // The parser notices an error where the line after it begins: show the text before it.
    let at = text[..at.min(text.len())].trim_end().len();
    let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let from = from + (text[from..at].len() - text[from..at].trim_start().len());
    Problem {
        message: Text::new(
            format!("YAML として読めません: {}", why.problem()),
            format!("This is no YAML: {}", why.problem()),
        ),
        hint: Some(Text::new(
            "字下げと「: 」の後の空白を見てください。",
            "Look at the indentation and at the blank after a colon.",
        )),
        ..placed(text, from, at)
    }
}

fn at_line(text: &str, line: usize, message: Text) -> Problem {
    let from = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    Problem {
        message,
        ..placed(text, from, from)
    }
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

/// The known word that is nearest to a misspelt one, if it is near at all.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    known
        .map(|other| (distance(word, other), other))
        .filter(|(d, _)| *d <= most)
        .min()
        .map(|(_, other)| other)
}

/// Edits between two words, without regard to case; two letters that changed places count once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.to_lowercase().chars().collect(),
        b.to_lowercase().chars().collect(),
    );
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
