//! The label and field selectors of a list, watch or deletecollection, ready to match objects.

use api::kinds::Kind;
use api::{Options, Status, Str, Value};

use crate::fields;

/// What a request selects. Empty selects everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug)]
pub(crate) struct FieldTerm {
    pub(crate) field: Str,
    pub(crate) value: Str,
    pub(crate) is_equal: bool,
}

#[derive(Clone, Debug)]
struct Requirement {
    key: Str,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<Str>),
    NotIn(Vec<Str>),
    Exists,
    Missing,
}

impl Selection {
    pub(crate) fn of(kind: &Kind, options: &Options) -> Result<Selection, Status> {
        let fields = parse_fields(&options.field_selector).map_err(Status::bad_request)?;
        for term in &fields {
            fields::check(kind, &term.field)?;
        }
        Ok(Selection {
            labels: parse_labels(&options.label_selector).map_err(Status::bad_request)?,
            fields,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, kind: &Kind, object: &Value) -> bool {
        let labels = object.get("metadata").get("labels");
        self.labels.iter().all(|r| r.matches(labels))
            && self.fields.iter().all(|term| {
                (fields::text_of(kind, object, &term.field) == *term.value) == term.is_equal
            })
    }

    /// The value that `field` must have, if the selector demands one.
    pub(crate) fn demanded(&self, field: &str) -> Option<&Str> {
        self.fields
            .iter()
            .find(|term| term.is_equal && term.field == *field)
            .map(|term| &term.value)
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).as_str();
        let is_among = |values: &[Str]| value.is_some_and(|v| values.iter().any(|w| w == v));
        match &self.test {
            Test::In(values) => is_among(values),
            Test::NotIn(values) => !is_among(values),
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
        }
    }
}

/// `a=b,c!=d`; `==` is `=`. Backslash escapes `,`, `=` and itself in values.
fn parse_fields(text: &str) -> Result<Vec<FieldTerm>, String> {
    let mut terms = Vec::new();
    for term in split_unescaped(text) {
        if term.is_empty() {
            continue;
        }
        let found = ["!=", "==", "="]
            .iter()
            .filter_map(|op| term.find(op).map(|at| (at, *op)))
            .min_by_key(|(at, op)| (*at, usize::MAX - op.len()));
        let Some((at, op)) = found else {
            return Err(format!(
                "invalid selector: '{text}'; can't understand '{term}'"
            ));
        };
        terms.push(FieldTerm {
            field: Str::new(&term[..at]),
            value: unescape(&term[at + op.len()..]).into(),
            is_equal: op != "!=",
        });
    }
    Ok(terms)
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let open = rest.find('(').unwrap_or(usize::MAX);
        let end = match rest.find(',') {
            Some(comma) if comma < open => comma,
            _ if open != usize::MAX => rest[open..]
                .find(')')
                .map(|at| open + at + 1)
                .ok_or_else(|| format!("unable to parse requirement: {rest}"))?,
            _ => rest.len(),
        };
        out.push(parse_requirement(rest[..end].trim())?);
        rest = rest[end..]
            .trim_start()
            .trim_start_matches(',')
            .trim_start();
    }
    Ok(out)
}

fn parse_requirement(term: &str) -> Result<Requirement, String> {
    let values = |list: &str| -> Vec<Str> {
        list.trim_matches(|c| matches!(c, '(' | ')' | ' '))
            .split(',')
            .map(|v| Str::new(v.trim()))
            .collect()
    };
    let (key, test) = if let Some(key) = term.strip_prefix('!') {
        (key.trim(), Test::Missing)
    } else if let Some((key, list)) = term.split_once(" notin ") {
        (key.trim(), Test::NotIn(values(list)))
    } else if let Some((key, list)) = term.split_once(" in ") {
        (key.trim(), Test::In(values(list)))
    } else if let Some((key, value)) = term.split_once("!=") {
        (key.trim(), Test::NotIn(vec![Str::new(value.trim())]))
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (key.trim(), Test::In(vec![Str::new(value.trim())]))
    } else {
        (term, Test::Exists)
    };
    if let Some((_, second)) = key.split_once(' ') {
        return Err(format!(
            "unable to parse requirement: found '{second}', expected: in, notin, =, ==, !=, gt, lt"
        ));
    }
    Ok(Requirement {
        key: Str::new(key),
        test,
    })
}
