//! When a task is done: predicates over the cluster's objects and the reader's commands, as data.
//!
//! A goal states what must be true, never how to get there. Evaluation is in [`Goal::progress`], over a
//! small trait, because the deck knows no API server.

use serde_yaml::{Mapping, Value};

use crate::Words;
use crate::fields;
use crate::problems::Problems;

mod eval;
mod path;

pub use eval::{Progress, Tree, World};
pub use path::{Path, PathStep};

/// What must be true.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    All(Vec<Goal>),
    Any(Vec<Goal>),
    Not(Box<Goal>),
    Objects(Objects),
    /// The reader ran a line that holds these words in this order.
    Ran(Vec<String>),
}

/// How many objects of a kind must match.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    pub kind: String,
    /// `None`: any namespace.
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// A label selector as kubectl's `-l` takes it: `app=web,tier!=db`, `env in (a,b)`, `app`, `!app`.
    pub selector: Vec<Requirement>,
    pub fields: Vec<FieldTest>,
    /// Count only those that are ready (Pod, Node: condition Ready; otherwise: Available) and not being deleted.
    pub ready: bool,
    pub amount: Amount,
}

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    pub key: String,
    /// `None`: the key only has to exist (or not).
    pub values: Option<Vec<String>>,
    /// Whether the label has to be among the values, or must not be.
    pub among: bool,
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldTest {
    pub path: Path,
    pub test: Test,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Equals(Scalar),
    Differs(Scalar),
    OneOf(Vec<Scalar>),
    Contains(String),
    Exists(bool),
    AtLeast(i64),
    AtMost(i64),
    /// Equal to another field of the same object.
    Same(Path),
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    Text(String),
    Number(i64),
    Bool(bool),
}

/// A number or a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub least: u32,
    pub most: u32,
}

impl Amount {
    /// `3`, `">=3"`, `">3"`, `"<3"`, `"<=3"`, `"2..4"`.
    pub(crate) fn parse(text: &str) -> Option<Amount> {
        let text = text.trim();
        let number = |text: &str| text.trim().parse::<u32>().ok();
        if let Some((least, most)) = text.split_once("..") {
            return Some(Amount {
                least: number(least)?,
                most: number(most)?,
            });
        }
        let (least, most) = if let Some(n) = text.strip_prefix(">=") {
            (number(n)?, u32::MAX)
        } else if let Some(n) = text.strip_prefix("<=") {
            (0, number(n)?)
        } else if let Some(n) = text.strip_prefix('>') {
            (number(n)?.checked_add(1)?, u32::MAX)
        } else if let Some(n) = text.strip_prefix('<') {
            (0, number(n)?.checked_sub(1)?)
        } else {
            (number(text)?, number(text)?)
        };
        Some(Amount { least, most })
    }

    /// Whether `count` is in the range.
    pub fn holds(self, count: u32) -> bool {
        (self.least..=self.most).contains(&count)
    }
}

const KEYS: [&str; 12] = [
    "kind",
    "namespace",
    "name",
    "selector",
    "where",
    "ready",
    "count",
    "exists",
    "all",
    "any",
    "not",
    "ran",
];

/// Goals nest no deeper than anyone writes by hand.
const DEEPEST: u32 = 8;

impl Goal {
    /// Reads a goal; a list means that all must hold.
    pub(crate) fn parse(value: &Value, line: u32, problems: &mut Problems) -> Option<Goal> {
        parse(value, line, problems, 0)
    }
}

fn parse(value: &Value, line: u32, problems: &mut Problems, depth: u32) -> Option<Goal> {
    if depth > DEEPEST {
        return fail(
            line,
            problems,
            Words::new(
                "goal の入れ子が深すぎます",
                "this goal is nested too deeply",
            ),
        );
    }
    let mapping = match value {
        Value::Sequence(items) => {
            let goals: Option<Vec<Goal>> = items
                .iter()
                .map(|item| parse(item, line, problems, depth + 1))
                .collect();
            return goals.map(Goal::All);
        }
        Value::Mapping(mapping) => mapping,
        _ => {
            return fail(
                line,
                problems,
                Words::new(
                    "goal は対応表かリストです",
                    "a goal is a mapping or a list of them",
                ),
            );
        }
    };
    fields::only(mapping, &KEYS, line, problems);
    for (key, make) in [
        ("all", Goal::All as fn(Vec<Goal>) -> Goal),
        ("any", Goal::Any),
    ] {
        if let Some(Value::Sequence(items)) = mapping.get(key) {
            let goals: Option<Vec<Goal>> = items
                .iter()
                .map(|item| parse(item, line, problems, depth + 1))
                .collect();
            return goals.map(make);
        }
    }
    if let Some(inner) = mapping.get("not") {
        return parse(inner, line, problems, depth + 1).map(|goal| Goal::Not(Box::new(goal)));
    }
    if let Some(line) = mapping.get("ran").and_then(fields::text) {
        return Some(Goal::Ran(
            line.split_whitespace().map(String::from).collect(),
        ));
    }
    objects(mapping, line, problems).map(Goal::Objects)
}

fn objects(mapping: &Mapping, line: u32, problems: &mut Problems) -> Option<Objects> {
    let Some(kind) = mapping.get("kind").and_then(fields::text) else {
        return fail(
            line,
            problems,
            Words::new("goal に kind がありません", "the goal names no kind"),
        );
    };
    let namespace = mapping.get("namespace").and_then(fields::text);
    let mut out = Objects {
        kind,
        namespace: match namespace.as_deref() {
            None => Some(String::from("default")),
            Some("*") => None,
            Some(name) => Some(String::from(name)),
        },
        name: mapping.get("name").and_then(fields::text),
        selector: Vec::new(),
        fields: Vec::new(),
        ready: false,
        amount: Amount {
            least: 1,
            most: u32::MAX,
        },
    };
    if let Some(selector) = mapping.get("selector").and_then(fields::text) {
        match requirements(&selector) {
            Some(requirements) => out.selector = requirements,
            None => {
                let message = Words::new(
                    format!("セレクター「{selector}」が読めません"),
                    format!("cannot read the selector \"{selector}\""),
                );
                return fail(line, problems, message);
            }
        }
    }
    if let Some(Value::Mapping(wheres)) = mapping.get("where") {
        for (path, test) in wheres {
            let source = fields::text(path).unwrap_or_default();
            let (Some(path), Some(test)) = (Path::parse(&source), test_of(test)) else {
                let message = Words::new(
                    format!("where の「{source}」が読めません"),
                    format!("cannot read \"{source}\" under where"),
                );
                return fail(line, problems, message);
            };
            out.fields.push(FieldTest { path, test });
        }
    }
    let amount = |value: &Value| fields::text(value).and_then(|text| Amount::parse(&text));
    match (
        mapping.get("ready"),
        mapping.get("count"),
        mapping.get("exists"),
    ) {
        (Some(Value::Bool(true)), None, None) => out.ready = true,
        (Some(value), None, None) => {
            out.ready = true;
            let Some(amount) = amount(value) else {
                return fail(
                    line,
                    problems,
                    Words::new("ready は数です", "ready is a number"),
                );
            };
            out.amount = amount;
        }
        (None, Some(value), None) => {
            let Some(amount) = amount(value) else {
                return fail(
                    line,
                    problems,
                    Words::new("count は数です", "count is a number"),
                );
            };
            out.amount = amount;
        }
        (None, None, Some(Value::Bool(false))) => out.amount = Amount { least: 0, most: 0 },
        (None, None, None | Some(Value::Bool(true))) => {}
        _ => {
            let message = Words::new(
                "ready・count・exists は一つだけ書きます",
                "write only one of ready, count and exists",
            );
            return fail(line, problems, message);
        }
    }
    Some(out)
}

fn fail<T>(line: u32, problems: &mut Problems, message: Words) -> Option<T> {
    let hint = Words::new(
        "例: goal: {kind: Pod, selector: app=web, ready: 3}",
        "for example: goal: {kind: Pod, selector: app=web, ready: 3}",
    );
    problems.add(line, message, hint);
    None
}

fn test_of(value: &Value) -> Option<Test> {
    let Value::Mapping(mapping) = value else {
        return fields::scalar(value).map(Test::Equals);
    };
    let (key, value) = mapping.iter().next()?;
    if mapping.len() != 1 {
        return None;
    }
    match key.as_str()? {
        "is" => fields::scalar(value).map(Test::Equals),
        "not" => fields::scalar(value).map(Test::Differs),
        "in" => value
            .as_sequence()?
            .iter()
            .map(fields::scalar)
            .collect::<Option<Vec<_>>>()
            .map(Test::OneOf),
        "contains" => fields::text(value).map(Test::Contains),
        "exists" => value.as_bool().map(Test::Exists),
        "min" => value.as_i64().map(Test::AtLeast),
        "max" => value.as_i64().map(Test::AtMost),
        "same" => Path::parse(value.as_str()?).map(Test::Same),
        _ => None,
    }
}

/// Splits a label selector at the commas outside of parentheses.
fn requirements(selector: &str) -> Option<Vec<Requirement>> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in selector.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.iter().map(|part| requirement(part.trim())).collect()
}

fn requirement(part: &str) -> Option<Requirement> {
    let make = |key: &str, values: Option<Vec<String>>, among: bool| {
        let key = key.trim();
        let valid =
            !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "=!(),".contains(c));
        valid.then(|| Requirement {
            key: String::from(key),
            values,
            among,
        })
    };
    let one = |value: &str| Some(vec![String::from(value.trim())]);
    if let Some((key, value)) = part.split_once("!=") {
        return make(key, one(value), false);
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return make(key, one(value), true);
    }
    for (word, among) in [(" notin ", false), (" in ", true)] {
        if let Some((key, set)) = part.split_once(word) {
            let set = set.trim().strip_prefix('(')?.strip_suffix(')')?;
            return make(
                key,
                Some(
                    set.split(',')
                        .map(|value| String::from(value.trim()))
                        .collect(),
                ),
                among,
            );
        }
    }
    match part.strip_prefix('!') {
        Some(key) => make(key, None, false),
        None => make(part, None, true),
    }
}
