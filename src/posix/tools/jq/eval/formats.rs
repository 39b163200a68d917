//! `@csv`, `@sh`, `@base64`, …: values as text for other programs.

use super::super::json::Json;
use super::describe;
use crate::tools::base64::{decode_base64, encode_base64};

pub(super) fn apply_format(format: &str, value: &Json) -> Result<String, String> {
    let plain = |value: &Json| match value {
        Json::Text(t) => t.to_string(),
        other => other.write(None),
    };
    let row = |value: &Json| match value {
        Json::List(items) => Ok(items.to_vec()),
        other => Err(format!(
            "{} cannot be {format}-formatted, only an array can be",
            describe(other)
        )),
    };
    Ok(match format {
        "text" => plain(value),
        "json" => value.write(None),
        "base64" => encode_base64(plain(value).as_bytes()),
        "base64d" => {
            let (bytes, _) = decode_base64(plain(value).as_bytes());
            String::from_utf8_lossy(&bytes).into_owned()
        }
        "html" => plain(value)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;"),
        "uri" => plain(value)
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                    (b as char).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect(),
        "csv" => row(value)?
            .iter()
            .map(|v| match v {
                Json::Text(t) => format!("\"{}\"", t.replace('"', "\"\"")),
                Json::Null => String::new(),
                other => other.write(None),
            })
            .collect::<Vec<_>>()
            .join(","),
        "tsv" => row(value)?
            .iter()
            .map(|v| match v {
                Json::Text(t) => t
                    .replace('\\', "\\\\")
                    .replace('\t', "\\t")
                    .replace('\n', "\\n"),
                Json::Null => String::new(),
                other => other.write(None),
            })
            .collect::<Vec<_>>()
            .join("\t"),
        "sh" => {
            let quote = |v: &Json| match v {
                Json::Text(t) => format!("'{}'", t.replace('\'', "'\\''")),
                other => other.write(None),
            };
            match value {
                Json::List(items) => items.iter().map(quote).collect::<Vec<_>>().join(" "),
                other => quote(other),
            }
        }
        other => return Err(format!("{other} is not a valid format")),
    })
}
