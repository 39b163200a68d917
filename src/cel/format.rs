//! `"%s and %d".format([…])`, and Kubernetes' named formats.

use api::{Str, names};

use crate::functions::plain;
use crate::value::{Key, Val};

/// Formats by their names; `format.dns1123Label()` is the name itself.
const NAMED: &[&str] = &[
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

pub(crate) fn is_named_format(name: &str) -> bool {
    name.strip_prefix("format.")
        .is_some_and(|name| NAMED.contains(&name))
}

pub(crate) fn named(name: &str) -> Option<Str> {
    NAMED
        .iter()
        .find(|known| **known == name)
        .map(|known| Str::Static(known))
}

/// What is wrong with a text by a named format; `None` for no format.
pub(crate) fn validate(format: &str, text: &str) -> Option<Vec<String>> {
    let base = format.strip_suffix("Prefix");
    // A prefix may end in a dash that the generated part follows.
    let padded = match text.strip_suffix('-') {
        Some(head) if base.is_some() => format!("{head}a"),
        _ => text.to_owned(),
    };
    Some(match base.unwrap_or(format) {
        "dns1123Label" => names::dns_label(&padded),
        "dns1123Subdomain" => names::dns_subdomain(&padded),
        "dns1035Label" => names::dns_1035_label(&padded),
        "qualifiedName" => names::qualified_name(text),
        "labelValue" => names::label_value(text),
        "uri" if crate::net::Url::parse(text).is_none() => {
            vec![format!("parse {text:?}: invalid URI for request")]
        }
        "uuid" if !is_uuid(text) => vec!["does not match the UUID format".to_owned()],
        "byte" if !is_base64(text) => vec!["invalid base64".to_owned()],
        "date" if !is_date(text) => vec!["invalid date".to_owned()],
        "datetime" if crate::value::timestamp(text).is_none() => {
            vec!["invalid datetime".to_owned()]
        }
        "uri" | "uuid" | "byte" | "date" | "datetime" => Vec::new(),
        _ => return None,
    })
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && crate::value::timestamp(&format!("{text}T00:00:00Z")).is_some()
}

/// A text with its verbs replaced.
pub(crate) fn printed(text: &str, values: &[Val]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut precision = None;
        if chars.peek() == Some(&'.') {
            chars.next();
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = digits.parse().ok();
        }
        let verb = chars.next().ok_or("unexpected end of string")?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        let value = values
            .next()
            .ok_or_else(|| "index out of range: not enough arguments".to_owned())?;
        out += &one(verb, precision, value)?;
    }
    Ok(out)
}

fn one(verb: char, precision: Option<usize>, value: &Val) -> Result<String, String> {
    let precision: usize = precision.unwrap_or(6).min(100);
    let bad = || {
        format!(
            "could not convert argument to a formatting clause: %{verb} does not take {}",
            value.type_name()
        )
    };
    Ok(match (verb, value) {
        ('s', value) => shown(value),
        ('d', Val::Int(n)) => n.to_string(),
        ('d', Val::Uint(n)) => n.to_string(),
        ('f', Val::Double(n)) => format!("{n:.precision$}"),
        ('f', Val::Int(n)) => format!("{:.precision$}", *n as f64),
        ('e', Val::Double(n)) => format!("{n:.precision$e}"),
        ('b', Val::Int(n)) => format!("{n:b}"),
        ('b', Val::Bool(b)) => u8::from(*b).to_string(),
        ('x', Val::Int(n)) => format!("{n:x}"),
        ('X', Val::Int(n)) => format!("{n:X}"),
        ('x', Val::Text(text)) => text.bytes().map(|b| format!("{b:02x}")).collect(),
        ('X', Val::Text(text)) => text.bytes().map(|b| format!("{b:02X}")).collect(),
        ('o', Val::Int(n)) => format!("{n:o}"),
        ('d' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o', _) => return Err(bad()),
        (other, _) => return Err(format!("unrecognized formatting clause: %{other}")),
    })
}

/// `%s`: lists and maps with their items.
fn shown(value: &Val) -> String {
    match value {
        Val::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Val::Map(_) | Val::Object(..) => {
            let keys = value.keys().unwrap_or_default();
            let entries: Vec<String> = keys
                .iter()
                .map(|key| {
                    let value = value.entry(key).unwrap_or(Val::Null);
                    format!(
                        "{}: {}",
                        key.key().as_ref().map_or_else(String::new, key_text),
                        shown(&value)
                    )
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => plain(other),
    }
}

fn key_text(key: &Key) -> String {
    plain(&key.to_val())
}
