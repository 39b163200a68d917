//! YAML as Kubernetes reads and writes it: go-yaml v2's dialect, with the place of every field.
//!
//! [`load`] and [`load_documents`] give values, [`parse`] trees with spans for the editor, [`emit`] text as
//! `kubectl -o yaml` prints it. Models `sigs.k8s.io/yaml` and the document reader of `apimachinery/pkg/util/yaml`.
//! What a document may cost is bounded: nesting, aliases and size end in an error, never in a panic.

mod emit;
mod error;
mod load;
mod resolve;

pub use emit::emit;
pub use error::Error;
pub use load::{Content, Duplicate, Node, Pair, Place, Tree, parse};

use crate::Value;

/// The first document of `text`; `Null` if there is none.
pub fn load(text: &str) -> Result<Value, Error> {
    Ok(load_documents(text)?.into_iter().next().unwrap_or_default())
}

/// All documents of `text`, as kubectl takes them apart: a stream of JSON values if it begins with `{`, else at
/// lines that begin with `---`. Empty documents are left out; the first error ends it.
pub fn load_documents(text: &str) -> Result<Vec<Value>, Error> {
    if text.trim_start().starts_with('{') {
        let stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        if let Ok(values) = stream.collect::<Result<Vec<Value>, _>>() {
            return Ok(values);
        }
        // Flow mappings look like JSON; what is no JSON may still be YAML.
    }
    let mut values = Vec::new();
    for document in split(text)? {
        let tree = parse(document.text)?;
        if let Some(root) = tree.root {
            let value = root.to_value(true);
            if !value.is_null() {
                values.push(value);
            }
        }
    }
    Ok(values)
}

/// One document of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    pub text: &'a str,
    /// Byte offset of `text` in the stream.
    pub from: usize,
    /// Lines before it.
    pub lines_before: usize,
}

/// Splits a stream at lines that begin with `---`, wherever they stand.
pub fn split(text: &str) -> Result<Vec<Document<'_>>, Error> {
    let mut documents = Vec::new();
    let (mut from, mut line_of_from) = (0, 0);
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Error::Separator(line.trim_end().to_owned()));
            }
            documents.push(Document {
                text: &text[from..at],
                from,
                lines_before: line_of_from,
            });
            from = at + line.len();
            line_of_from = number + 1;
        }
        at += line.len();
    }
    documents.push(Document {
        text: &text[from..],
        from,
        lines_before: line_of_from,
    });
    documents.retain(|document| !document.text.trim().is_empty());
    Ok(documents)
}

#[cfg(test)]
mod tests;
