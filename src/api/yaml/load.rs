//! Text to a tree that remembers where everything stood.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span};

use super::error::{Error, offset, translate};
use super::resolve;
use crate::{Map, Str, Value};

/// Where something stands: byte offsets, and line and column from 1 (columns in characters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub from: usize,
    pub to: usize,
    pub line: usize,
    pub column: usize,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A resolved scalar.
    Scalar(Value),
    List(Arc<Vec<Node>>),
    /// In the order of the text, merge keys resolved.
    Map(Arc<Vec<Pair>>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub key: Str,
    pub key_place: Place,
    pub value: Node,
}

/// A key that stands twice in one mapping; the later one counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    pub key: Str,
    pub place: Place,
}

/// A parsed document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Nothing for an empty text.
    pub root: Option<Node>,
    pub duplicates: Vec<Duplicate>,
}

/// Deeper nesting than this is refused; Kubernetes' own limit is 10,000, the stack of a page is smaller.
const DEPTH_MAX: usize = 250;
/// Nodes that aliases may add.
const ALIAS_NODES_MAX: usize = 10_000;

/// Parses one document.
pub fn parse(text: &str) -> Result<Tree, Error> {
    let mut options = Options::default();
    options.block_scalar_eof_without_line_feed = true;
    options.simple_key_max_lookahead = 1 << 20;
    let mut loader = Loader {
        text,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: Vec::new(),
        alias_nodes: 0,
        duplicates: Vec::new(),
    };
    let root = loader.document()?;
    Ok(Tree {
        root,
        duplicates: loader.duplicates,
    })
}

impl Node {
    /// The value; nulls of maps are kept if `keep_null`.
    pub fn to_value(&self, keep_null: bool) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::from(
                items
                    .iter()
                    .map(|item| item.to_value(keep_null))
                    .collect::<Vec<_>>(),
            ),
            Content::Map(pairs) => {
                let entries = pairs
                    .iter()
                    .map(|pair| (pair.key.clone(), pair.value.to_value(keep_null)));
                Value::from(
                    entries
                        .filter(|(_, value)| keep_null || !value.is_null())
                        .collect::<Map>(),
                )
            }
        }
    }

    /// The pair with this key.
    pub fn pair(&self, key: &str) -> Option<&Pair> {
        match &self.content {
            Content::Map(pairs) => pairs.iter().rev().find(|pair| pair.key == key),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        match &self.content {
            Content::Scalar(_) => 1,
            Content::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Content::Map(pairs) => 1 + pairs.iter().map(|pair| pair.value.count()).sum::<usize>(),
        }
    }
}

struct Loader<'a> {
    text: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// Finished nodes by anchor number.
    anchors: Vec<(usize, Node)>,
    alias_nodes: usize,
    duplicates: Vec<Duplicate>,
}

impl<'a> Loader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Error> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(translate(&error, self.text)),
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Error> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
                Some((event, span)) => {
                    let root = self.node(event, span, 0)?;
                    // The rest of the text must be well-formed too.
                    loop {
                        match self.next()? {
                            Some((Event::DocumentEnd, _)) => {}
                            None | Some((Event::StreamEnd, _)) => break,
                            // Further documents of one chunk are not reached by kubectl's reader.
                            Some(_) => break,
                        }
                    }
                    return Ok(Some(root));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Error> {
        let place = self.place(&span);
        if depth > DEPTH_MAX {
            return Err(Error::Depth {
                line: place.line,
                at: place.from,
            });
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag
                    .as_ref()
                    .and_then(|tag| tag.core_suffix().map(str::to_owned));
                let is_plain = style == ScalarStyle::Plain;
                let value = resolve::scalar(&text, is_plain, tag.as_deref());
                (
                    Node {
                        place,
                        content: Content::Scalar(value),
                    },
                    anchor,
                )
            }
            Event::Alias(anchor) => {
                let found = self
                    .anchors
                    .iter()
                    .rev()
                    .find(|(id, _)| *id == anchor)
                    .map(|(_, node)| node.clone());
                let Some(node) = found else {
                    let problem = "anchor contains itself".to_owned();
                    return Err(Error::Syntax {
                        line: place.line,
                        reported: 0,
                        at: place.from,
                        problem,
                    });
                };
                self.alias_nodes += node.count();
                if self.alias_nodes > ALIAS_NODES_MAX {
                    return Err(Error::Aliases);
                }
                return Ok(Node {
                    place,
                    content: node.content,
                });
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                let mut place = place;
                loop {
                    match self.next()? {
                        Some((Event::SequenceEnd, span)) => {
                            place.to = offset(self.text, &span.end).max(place.to);
                            break;
                        }
                        Some((event, span)) => items.push(self.node(event, span, depth + 1)?),
                        None => break,
                    }
                }
                (
                    Node {
                        place,
                        content: Content::List(Arc::new(items)),
                    },
                    anchor,
                )
            }
            Event::MappingStart(_, anchor, _) => {
                let mut place = place;
                let pairs = self.mapping(&mut place, depth)?;
                (
                    Node {
                        place,
                        content: Content::Map(Arc::new(pairs)),
                    },
                    anchor,
                )
            }
            _ => (
                Node {
                    place,
                    content: Content::Scalar(Value::Null),
                },
                0,
            ),
        };
        if anchor != 0 {
            self.anchors.push((anchor, node.clone()));
        }
        Ok(node)
    }

    fn mapping(&mut self, place: &mut Place, depth: usize) -> Result<Vec<Pair>, Error> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut merged: Vec<Pair> = Vec::new();
        // Which key stands where; anyone may have written a mapping of a million keys.
        let mut seen: BTreeMap<Str, usize> = BTreeMap::new();
        loop {
            let (event, span) = match self.next()? {
                None => break,
                Some((Event::MappingEnd, span)) => {
                    place.to = offset(self.text, &span.end).max(place.to);
                    break;
                }
                Some(found) => found,
            };
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, _) if text == "<<");
            let key_place = self.place(&span);
            let key = self.node(event, span, depth + 1)?;
            let value = match self.next()? {
                Some((event, span)) => self.node(event, span, depth + 1)?,
                None => break,
            };
            if is_merge {
                merge(&value, &mut merged);
                continue;
            }
            let key = key_text(&key);
            if seen.insert(key.clone(), pairs.len()).is_some() {
                self.duplicates.push(Duplicate {
                    key: key.clone(),
                    place: key_place,
                });
            }
            pairs.push(Pair {
                key,
                key_place,
                value,
            });
        }
        if seen.len() < pairs.len() {
            // The last of each key counts.
            let mut at = 0;
            pairs.retain(|pair| {
                at += 1;
                seen.get(&pair.key) == Some(&(at - 1))
            });
        }
        for pair in merged {
            let at = pairs.len();
            seen.entry(pair.key.clone()).or_insert_with(|| {
                pairs.push(pair);
                at
            });
        }
        Ok(pairs)
    }

    fn place(&self, span: &Span) -> Place {
        let from = offset(self.text, &span.start);
        let to = offset(self.text, &span.end).max(from);
        Place {
            from,
            to,
            line: span.start.line().max(1),
            column: span.start.col() + 1,
        }
    }
}

/// What `<<` adds: a mapping, or several of which earlier ones win.
fn merge(value: &Node, merged: &mut Vec<Pair>) {
    match &value.content {
        Content::Map(pairs) => {
            for pair in pairs.iter() {
                if !merged.iter().any(|own| own.key == pair.key) {
                    merged.push(pair.clone());
                }
            }
        }
        Content::List(items) => items.iter().for_each(|item| merge(item, merged)),
        Content::Scalar(_) => {}
    }
}

/// Keys become strings, as JSON needs them.
fn key_text(key: &Node) -> Str {
    match &key.content {
        Content::Scalar(Value::Str(text)) => text.clone(),
        Content::Scalar(Value::Null) => "null".into(),
        Content::Scalar(value) => Str::from(value.to_json()),
        _ => Str::from(Cow::Borrowed("").into_owned()),
    }
}
