//! What an editor wants to know about a manifest while it is typed: all problems at once, each with its place.
//!
//! [`diagnose()`] lists problems, [`complete()`] what may be written at a place, [`locate()`] what stands there. Nothing
//! is asked of a cluster: only the schema and the registry are known. The words are for people; what the API server
//! would say, [`crate::decode`] says.

mod complete;
mod spelling;
mod values;

pub use complete::{Candidate, Completion, Located, complete, locate};
pub use spelling::closest;

use crate::quantity::Quantity;
use crate::schema::{self, Shape, Type};
use crate::yaml::{self, Content, Node, Place};
use crate::{Value, kinds};

/// One problem of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    pub kind: Fault,
    /// Byte offsets in the whole text.
    pub from: usize,
    pub to: usize,
    /// From 1; columns count characters.
    pub line: usize,
    pub column: usize,
    /// `spec.containers[0].image`; empty for problems of the text itself.
    pub path: String,
    pub message: String,
    /// What could stand there instead.
    pub replacement: Option<String>,
}

/// What kind of problem it is, for translations and colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No YAML.
    Syntax,
    /// A key stands twice.
    Duplicate,
    /// `apiVersion` or `kind` is missing.
    NotSet,
    /// No such kind, or not in this version.
    UnknownKind,
    UnknownField,
    WrongType,
    /// A text that does not read as what it must be: a quantity, a time, base64.
    WrongValue,
    /// A field that must be set is missing.
    Required,
}

impl Fault {
    /// Whether the object could be accepted all the same.
    pub fn is_warning(self) -> bool {
        matches!(self, Fault::Duplicate)
    }
}

/// All problems of a text of one or more documents, in the order of the text.
pub fn diagnose(text: &str) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let documents = match yaml::split(text) {
        Ok(documents) => documents,
        Err(error) => {
            let needle = error.problem();
            let needle = needle.rsplit(": ").next().unwrap_or_default();
            let is_separator = |line: &&str| {
                line.starts_with("---") && !needle.is_empty() && line.contains(needle)
            };
            let (mut from, mut line) = (0, 1);
            for (number, row) in text.split_inclusive('\n').enumerate() {
                if is_separator(&row) {
                    line = number + 1;
                    break;
                }
                from += row.len();
            }
            let to = text[from.min(text.len())..]
                .find('\n')
                .map_or(text.len(), |end| from + end);
            let place = Place {
                from,
                to,
                line,
                column: 1,
            };
            found.push(Diagnosis::new(Fault::Syntax, place, "", error.problem()));
            return found;
        }
    };
    for document in documents {
        let mut walk = Walk {
            found: Vec::new(),
            document,
        };
        walk.document();
        found.append(&mut walk.found);
    }
    found.sort_by_key(|diagnosis| (diagnosis.from, diagnosis.to));
    found
}

impl Diagnosis {
    fn new(kind: Fault, place: Place, path: &str, message: impl Into<String>) -> Diagnosis {
        Diagnosis {
            kind,
            from: place.from,
            to: place.to,
            line: place.line,
            column: place.column,
            path: path.to_owned(),
            message: message.into(),
            replacement: None,
        }
    }
}

struct Walk<'a> {
    found: Vec<Diagnosis>,
    document: yaml::Document<'a>,
}

impl Walk<'_> {
    fn document(&mut self) {
        let text = self.document.text;
        let tree = match yaml::parse(text) {
            Ok(tree) => tree,
            Err(error) => {
                let (line, at) = error.place().unwrap_or((1, 0));
                let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
                let place = Place {
                    from: at,
                    to: end,
                    line,
                    column: text[start..at].chars().count() + 1,
                };
                self.add(Fault::Syntax, place, "", error.problem());
                return;
            }
        };
        for duplicate in &tree.duplicates {
            let message = format!("key {:?} already set in map", duplicate.key.as_str());
            self.add(Fault::Duplicate, duplicate.place, &duplicate.key, message);
        }
        let Some(root) = &tree.root else { return };
        self.object(root, "");
    }

    /// An object that names its own kind: a document, or an item of a List.
    fn object(&mut self, root: &Node, path: &str) {
        let Content::Map(_) = &root.content else {
            if !matches!(&root.content, Content::Scalar(Value::Null)) {
                self.add(
                    Fault::WrongType,
                    first_line(root.place, self.document.text),
                    path,
                    "expected an object",
                );
            }
            return;
        };
        let text_of = |name: &str| {
            let pair = root.pair(name)?;
            match &pair.value.content {
                Content::Scalar(Value::Str(text)) => Some((text.clone(), pair.value.place)),
                _ => None,
            }
        };
        let (api_version, kind) = (text_of("apiVersion"), text_of("kind"));
        let top = first_line(root.place, self.document.text);
        for (name, found) in [("apiVersion", &api_version), ("kind", &kind)] {
            if found.is_none() {
                self.add(Fault::NotSet, top, path, format!("{name} not set"));
            }
        }
        let (Some((api_version, version_place)), Some((kind, kind_place))) = (api_version, kind)
        else {
            return;
        };
        if kind == "List" && api_version == "v1" {
            if let Some(items) = root.pair("items")
                && let Content::List(items) = &items.value.content
            {
                for (at, item) in items.iter().enumerate() {
                    self.object(item, &format!("{path}items[{at}]"));
                }
            }
            return;
        }
        match type_of(&api_version, &kind) {
            Some(of) => self.fields(of, root, path),
            None => self.unknown_kind(&api_version, version_place, &kind, kind_place),
        }
    }

    fn unknown_kind(
        &mut self,
        api_version: &str,
        version_place: Place,
        kind: &str,
        kind_place: Place,
    ) {
        let (group, version) = kinds::split_api_version(api_version);
        let message = format!("no matches for kind {kind:?} in version {api_version:?}");
        let of_kind: Vec<&kinds::Kind> = kinds::all().iter().filter(|k| k.kind == *kind).collect();
        if let Some(right) = of_kind.first() {
            // The kind is known elsewhere: the version is wrong, unless this is a custom resource of the same name.
            let is_built_in =
                kinds::all().iter().any(|k| k.group == *group) || !group.contains('.');
            if is_built_in {
                let replacement = right.api_version().to_string();
                self.suggest(
                    Fault::UnknownKind,
                    version_place,
                    "apiVersion",
                    message,
                    Some(replacement),
                );
            }
            return;
        }
        let in_version: Vec<&str> = kinds::of_version(group, version)
            .map(|k| k.kind.as_str())
            .collect();
        if in_version.is_empty() && group.contains('.') {
            // A custom resource, as far as one can tell here.
            return;
        }
        let all = kinds::all().iter().map(|k| k.kind.as_str());
        let near = closest(kind, in_version.into_iter()).or_else(|| closest(kind, all));
        let replacement = near.map(str::to_owned);
        self.suggest(Fault::UnknownKind, kind_place, "kind", message, replacement);
    }

    fn fields(&mut self, of: Type, node: &Node, path: &str) {
        let Content::Map(pairs) = &node.content else {
            return;
        };
        for pair in pairs.iter() {
            let here = join(path, &pair.key);
            match of.field(&pair.key) {
                Some(field) => self.value(field.shape, &pair.value, &here),
                None => self.unknown_field(of, &pair.key, pair.key_place, &here),
            }
        }
        for field in of.fields().iter().filter(|field| field.is_required) {
            // The API server fills in a status.
            if node.pair(field.name).is_none() && !path.starts_with("status") {
                let here = join(path, field.name);
                let place = first_line(node.place, self.document.text);
                self.add(
                    Fault::Required,
                    place,
                    &here,
                    format!("{here}: Required value"),
                );
            }
        }
    }

    fn unknown_field(&mut self, of: Type, key: &str, place: Place, path: &str) {
        let message = format!("unknown field {path:?}");
        let near = closest(key, of.fields().iter().map(|field| field.name));
        if let Some(near) = near {
            let message = format!("{message}: did you mean {near:?}?");
            self.suggest(
                Fault::UnknownField,
                place,
                path,
                message,
                Some(near.to_owned()),
            );
            return;
        }
        // A field at the wrong depth: the commonest slip of indentation.
        let message = match deeper(of, key) {
            Some(way) => {
                let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
                format!("{message}: it belongs below {:?}", join(parent, &way))
            }
            None => message,
        };
        self.add(Fault::UnknownField, place, path, message);
    }

    fn value(&mut self, shape: Shape, node: &Node, path: &str) {
        let scalar = match &node.content {
            Content::Scalar(Value::Null) => return,
            Content::Scalar(value) => Some(value),
            _ => None,
        };
        match (shape, &node.content, scalar) {
            (Shape::Any, ..) => {}
            (Shape::Object(of), Content::Map(_), _) => self.fields(of, node, path),
            (Shape::List(_), Content::List(items), _) => {
                for (at, item) in items.iter().enumerate() {
                    self.value(shape.inner(), item, &format!("{path}[{at}]"));
                }
            }
            (Shape::Map(_), Content::Map(pairs), _) => {
                for pair in pairs.iter() {
                    self.value(shape.inner(), &pair.value, &join(path, &pair.key));
                }
            }
            (_, _, Some(value)) if is_scalar(shape) => self.scalar(shape, value, node.place, path),
            _ => {
                let got = match &node.content {
                    Content::Map(_) => "a mapping",
                    Content::List(_) => "a list",
                    Content::Scalar(value) => named(value),
                };
                let place = first_line(node.place, self.document.text);
                let message = format!("{path}: expected {}, got {got}", expected(shape));
                self.add(Fault::WrongType, place, path, message);
            }
        }
    }

    fn scalar(&mut self, shape: Shape, value: &Value, place: Place, path: &str) {
        let source = self
            .document
            .text
            .get(place.from..place.to)
            .unwrap_or_default();
        let mut replacement = None;
        let is_right = match (shape, value) {
            (Shape::Str, Value::Str(_))
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Int64, Value::Int(_)) => true,
            (Shape::Int32, Value::Int(n)) => i32::try_from(*n).is_ok(),
            (Shape::Float, Value::Int(_) | Value::Float(_)) => true,
            (Shape::IntOrString, Value::Str(_) | Value::Int(_)) => true,
            (Shape::Quantity, Value::Str(_) | Value::Int(_) | Value::Float(_)) => {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_json(), str::to_owned);
                if let Err(error) = Quantity::parse(text.trim()) {
                    self.add(Fault::WrongValue, place, path, format!("{path}: {error}"));
                }
                true
            }
            (Shape::Time | Shape::MicroTime, Value::Str(text)) => {
                if sim::Time::parse_rfc3339(text).is_none() {
                    let message = format!("{path}: expected a time like 2026-01-31T09:00:00Z");
                    self.add(Fault::WrongValue, place, path, message);
                }
                true
            }
            (Shape::Bytes, Value::Str(_)) => true,
            (Shape::Str | Shape::Bytes, _) => {
                replacement = Some(format!("{source:?}"));
                false
            }
            (Shape::Int32 | Shape::Int64, Value::Str(text)) => {
                replacement = text.trim().parse::<i64>().ok().map(|n| n.to_string());
                false
            }
            (Shape::Bool, Value::Str(text)) => {
                replacement = match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" => Some("true".to_owned()),
                    "false" | "no" | "off" => Some("false".to_owned()),
                    _ => None,
                };
                false
            }
            _ => false,
        };
        if !is_right {
            let message = format!("{path}: expected {}, got {}", expected(shape), named(value));
            self.suggest(Fault::WrongType, place, path, message, replacement);
        }
    }

    fn add(&mut self, kind: Fault, place: Place, path: &str, message: impl Into<String>) {
        self.suggest(kind, place, path, message, None);
    }

    fn suggest(
        &mut self,
        kind: Fault,
        place: Place,
        path: &str,
        message: impl Into<String>,
        replacement: Option<String>,
    ) {
        let place = Place {
            from: place.from + self.document.from,
            to: place.to + self.document.from,
            line: place.line + self.document.lines_before,
            ..place
        };
        let mut diagnosis = Diagnosis::new(kind, place, path, message);
        diagnosis.replacement = replacement;
        self.found.push(diagnosis);
    }
}

/// The type that an object's `apiVersion` and `kind` name.
fn type_of(api_version: &str, kind: &str) -> Option<Type> {
    let kind = kinds::by_api_version(api_version, kind)?;
    schema::of_kind(&kind.group, &kind.version, &kind.kind)
}

/// The way from a struct to the nearest struct inside that has the field: `template.spec`.
fn deeper(of: Type, name: &str) -> Option<String> {
    let mut ways: Vec<(Type, String)> = vec![(of, String::new())];
    for _ in 0..3 {
        let mut next = Vec::new();
        for (of, way) in ways {
            for field in of.fields() {
                let Some(inner) = field.shape.object() else {
                    continue;
                };
                let way = join(&way, field.name);
                if inner.field(name).is_some() {
                    return Some(way);
                }
                next.push((inner, way));
            }
        }
        ways = next;
    }
    None
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn is_scalar(shape: Shape) -> bool {
    !matches!(shape, Shape::Object(_) | Shape::List(_) | Shape::Map(_))
}

fn expected(shape: Shape) -> &'static str {
    match shape {
        Shape::Str | Shape::Bytes | Shape::Time | Shape::MicroTime => "text",
        Shape::Int32 | Shape::Int64 => "a whole number",
        Shape::Float => "a number",
        Shape::Bool => "true or false",
        Shape::Quantity => "a quantity like 500m or 1Gi",
        Shape::IntOrString => "a whole number or text",
        Shape::List(_) => "a list",
        Shape::Object(_) | Shape::Map(_) | Shape::Any => "a mapping",
    }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Int(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Str(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}

/// A place cut to its first line.
fn first_line(place: Place, text: &str) -> Place {
    let to = place.to.min(text.len());
    let end = text.get(place.from..to).and_then(|part| part.find('\n'));
    Place {
        to: end.map_or(to, |end| place.from + end),
        ..place
    }
}

#[cfg(test)]
mod tests;
