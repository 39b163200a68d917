//! What may be written at a place of a text, and what stands there.

use super::{join, type_of, values};
use crate::schema::{Field, Shape, Type};
use crate::yaml::{self, Content, Node};
use crate::{Value, kinds};

/// What may be written, and which part of the text it would replace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// Byte offsets of what has been typed of the word.
    pub from: usize,
    pub to: usize,
    pub candidates: Vec<Candidate>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub label: String,
    /// The type, as `kubectl explain` names it; empty for values.
    pub detail: String,
    /// What to put in place of the word; a line break in it is followed by the right indentation.
    pub insert: String,
    pub is_required: bool,
}

/// A field under the cursor.
#[derive(Clone, Debug)]
pub struct Located {
    /// `apps/v1` and `Deployment`.
    pub api_version: String,
    pub kind: String,
    /// Field names from the object's root, without indexes: what `kubectl explain` takes.
    pub path: Vec<String>,
    /// The struct that has the field.
    pub owner: Type,
    pub field: &'static Field,
}

/// Stands for the word at the cursor while the text is read; nobody types it.
const CURSOR: &str = "\u{e000}";

/// What may be written at byte `at`.
pub fn complete(text: &str, at: usize) -> Completion {
    let at = boundary(text, at);
    let Some(document) = document_at(text, at) else {
        return Completion::default();
    };
    let (doc, here) = (document.text, at - document.from);
    let start = doc[..here].rfind('\n').map_or(0, |newline| newline + 1);
    let end = doc[here..]
        .find('\n')
        .map_or(doc.len(), |newline| here + newline);
    let before = &doc[start..here];
    let lead = before.len() - before.trim_start_matches([' ', '-']).len();
    let (lead, typed) = before.split_at(lead);
    if let Some((key, value)) = typed
        .split_once(": ")
        .or_else(|| typed.strip_suffix(':').map(|key| (key, "")))
    {
        let word = value.trim_start();
        let line = format!("{lead}{CURSOR}:");
        let Some((root, parent)) = context(doc, start, end, &line) else {
            return Completion::default();
        };
        let candidates = value_candidates(&root, parent.of, key, word);
        return Completion {
            from: at - word.len(),
            to: at,
            candidates,
        };
    }
    if typed.contains([' ', '#', '"', '\'']) {
        return Completion::default();
    }
    // Items of a list of words, or keys.
    let is_item = lead.contains('-');
    let mut candidates = Vec::new();
    if is_item && let Some((_, parent)) = context(doc, start, end, &format!("{lead}{CURSOR}")) {
        candidates = parent
            .words
            .iter()
            .map(|word| Candidate::value(word))
            .collect();
    }
    if candidates.is_empty() {
        let Some((root, parent)) = context(doc, start, end, &format!("{lead}{CURSOR}:")) else {
            return Completion::default();
        };
        candidates = match parent.of {
            Some(of) => key_candidates(of, &parent.present, lead),
            None if parent.is_root => root_candidates(&root),
            None => Vec::new(),
        };
    }
    let typed_lower = typed.to_ascii_lowercase();
    candidates.retain(|candidate| {
        candidate
            .label
            .to_ascii_lowercase()
            .starts_with(&typed_lower)
    });
    Completion {
        from: at - typed.len(),
        to: at,
        candidates,
    }
}

/// The field whose key or scalar value stands at byte `at`.
pub fn locate(text: &str, at: usize) -> Option<Located> {
    let at = boundary(text, at);
    let document = document_at(text, at)?;
    let tree = yaml::parse(document.text).ok()?;
    let root = tree.root?;
    let here = at - document.from;
    let (api_version, kind) = (text_of(&root, "apiVersion"), text_of(&root, "kind"));
    let of = type_of(&api_version, &kind)?;
    let mut path = Vec::new();
    let (owner, field) = field_at(&root, Shape::Object(of), here, &mut path)?;
    Some(Located {
        api_version,
        kind,
        path,
        owner,
        field,
    })
}

fn field_at(
    node: &Node,
    shape: Shape,
    at: usize,
    path: &mut Vec<String>,
) -> Option<(Type, &'static Field)> {
    match &node.content {
        Content::Map(pairs) => {
            for pair in pairs.iter() {
                let is_on = |from: usize, to: usize| (from..=to).contains(&at);
                let is_scalar = matches!(pair.value.content, Content::Scalar(_));
                let is_here = is_on(pair.key_place.from, pair.key_place.to)
                    || is_scalar && is_on(pair.value.place.from, pair.value.place.to);
                let field = shape
                    .object()
                    .and_then(|of| Some((of, of.field(&pair.key)?)));
                let inner = match (field, shape) {
                    (Some((_, field)), _) => field.shape,
                    (None, Shape::Map(_)) => shape.inner(),
                    _ => continue,
                };
                path.push(pair.key.to_string());
                if is_here && let Some(found) = field {
                    return Some(found);
                }
                if let Some(found) = field_at(&pair.value, inner, at, path) {
                    return Some(found);
                }
                path.pop();
            }
            None
        }
        Content::List(items) => items
            .iter()
            .find_map(|item| field_at(item, shape.inner(), at, path)),
        Content::Scalar(_) => None,
    }
}

/// Where the cursor stands.
struct Parent {
    /// The struct whose fields may stand here.
    of: Option<Type>,
    is_root: bool,
    present: Vec<String>,
    /// The words that an item of the list here may be.
    words: &'static [&'static str],
}

/// Reads the document with the cursor's line replaced, and finds the cursor in it.
fn context(doc: &str, start: usize, end: usize, line: &str) -> Option<(Node, Parent)> {
    let whole = format!("{}{line}{}", &doc[..start], &doc[end..]);
    let above = format!("{}{line}\n", &doc[..start]);
    [whole, above].iter().find_map(|text| {
        let root = yaml::parse(text).ok()?.root?;
        let of = type_of(&text_of(&root, "apiVersion"), &text_of(&root, "kind"));
        let shape = of.map_or(Shape::Any, Shape::Object);
        let parent = find(&root, shape, true, &[])?;
        Some((root, parent))
    })
}

fn find(
    node: &Node,
    shape: Shape,
    is_root: bool,
    words: &'static [&'static str],
) -> Option<Parent> {
    match &node.content {
        Content::Map(pairs) => {
            if pairs.iter().any(|pair| pair.key == *CURSOR) {
                return Some(Parent {
                    of: shape.object(),
                    is_root,
                    present: pairs.iter().map(|pair| pair.key.to_string()).collect(),
                    words: &[],
                });
            }
            pairs.iter().find_map(|pair| {
                let (inner, words): (Shape, &'static [&'static str]) = match shape {
                    Shape::Object(of) => (
                        of.field(&pair.key)?.shape,
                        values::words(of.name(), &pair.key),
                    ),
                    _ => (shape.inner(), &[]),
                };
                find(&pair.value, inner, false, words)
            })
        }
        Content::List(items) => items
            .iter()
            .find_map(|item| find(item, shape.inner(), false, words)),
        Content::Scalar(value) => (value.as_str() == Some(CURSOR)).then_some(Parent {
            of: None,
            is_root: false,
            present: Vec::new(),
            words,
        }),
    }
}

impl Candidate {
    fn value(word: &str) -> Candidate {
        Candidate {
            label: word.to_owned(),
            detail: String::new(),
            insert: word.to_owned(),
            is_required: false,
        }
    }

    fn key(name: &str, shape: Shape, is_required: bool, lead: &str) -> Candidate {
        let indent = " ".repeat(lead.chars().count());
        let insert = match shape {
            Shape::Object(_) | Shape::Map(_) => format!("{name}:\n{indent}  "),
            Shape::List(_) => format!("{name}:\n{indent}- "),
            _ => format!("{name}: "),
        };
        Candidate {
            label: name.to_owned(),
            detail: shape.explained(),
            insert,
            is_required,
        }
    }
}

/// The fields not there yet, required ones first; nobody writes a status.
fn key_candidates(of: Type, present: &[String], lead: &str) -> Vec<Candidate> {
    let is_free = |field: &&Field| !present.iter().any(|name| name == field.name);
    let is_status = |field: &&Field| field.name == "status" && of.field("kind").is_some();
    let fields = of
        .fields()
        .iter()
        .filter(|field| is_free(field) && !is_status(field));
    let candidate =
        |field: &Field| Candidate::key(field.name, field.shape, field.is_required, lead);
    let mut candidates: Vec<Candidate> = fields.map(candidate).collect();
    candidates.sort_by_key(|candidate| !candidate.is_required);
    candidates
}

/// Keys for an object that has not said yet what it is.
fn root_candidates(root: &Node) -> Vec<Candidate> {
    let names = ["apiVersion", "kind", "metadata", "spec"];
    let missing = names.iter().filter(|name| root.pair(name).is_none());
    let shape = |name: &str| {
        if name == "metadata" || name == "spec" {
            Shape::Any
        } else {
            Shape::Str
        }
    };
    missing
        .map(|name| Candidate::key(name, shape(name), name.len() < 11 && *name != "spec", ""))
        .collect()
}

fn value_candidates(root: &Node, of: Option<Type>, key: &str, typed: &str) -> Vec<Candidate> {
    let mut words: Vec<String> = Vec::new();
    let is_object = of.is_none() || of.is_some_and(|of| of.field("metadata").is_some());
    match key {
        "kind" if is_object => {
            let version = text_of(root, "apiVersion");
            let fits = |kind: &&kinds::Kind| version.is_empty() || kind.api_version() == *version;
            words.extend(
                kinds::all()
                    .iter()
                    .filter(fits)
                    .map(|kind| kind.kind.to_string()),
            );
        }
        "apiVersion" if is_object => {
            let kind = text_of(root, "kind");
            let fits = |k: &&kinds::Kind| kind.is_empty() || k.kind == *kind;
            words.extend(
                kinds::all()
                    .iter()
                    .filter(fits)
                    .map(|kind| kind.api_version().to_string()),
            );
        }
        _ => {
            let Some(field) = of.and_then(|of| of.field(key)) else {
                return Vec::new();
            };
            match field.shape {
                Shape::Bool => words.extend(["true".to_owned(), "false".to_owned()]),
                _ => {
                    let known = of.map_or(&[][..], |of| values::words(of.name(), key));
                    words.extend(known.iter().map(|word| (*word).to_owned()));
                }
            }
        }
    }
    let mut seen: Vec<String> = Vec::new();
    let typed_lower = typed.to_ascii_lowercase();
    for word in words {
        if word.to_ascii_lowercase().starts_with(&typed_lower) && !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen.iter().map(|word| Candidate::value(word)).collect()
}

fn text_of(root: &Node, name: &str) -> String {
    match root.pair(name).map(|pair| &pair.value.content) {
        Some(Content::Scalar(Value::Str(text))) => text.to_string(),
        _ => String::new(),
    }
}

fn document_at(text: &str, at: usize) -> Option<yaml::Document<'_>> {
    let documents = yaml::split(text).ok()?;
    let is_here = |document: &&yaml::Document| {
        (document.from..=document.from + document.text.len()).contains(&at)
    };
    documents
        .iter()
        .rfind(is_here)
        .copied()
        .or(documents.is_empty().then_some(yaml::Document {
            text,
            from: 0,
            lines_before: 0,
        }))
}

fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Located {
    /// `spec.containers.image`.
    pub fn dotted(&self) -> String {
        self.path
            .iter()
            .fold(String::new(), |path, name| join(&path, name))
    }
}
