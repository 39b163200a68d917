//! Regular expressions: `match`, `scan`, `sub`, and the groups they name.

use super::super::json::Json;
use super::super::parse::Filter;
use super::{Machine, Scope, describe, text};
use crate::regex::Regex;
use std::sync::Arc;

pub(super) fn compile(pattern: &Json, flags: &str) -> Result<Regex, String> {
    match pattern {
        Json::Text(t) => Regex::compile(t, flags.contains('i'))
            .map_err(|e| format!("{t} (at offset 0) is not a valid regex: {e}")),
        other => Err(format!(
            "{} cannot be matched, as it is not a string",
            describe(other)
        )),
    }
}

pub(super) fn named_groups(regex: &Regex, source: &str, spans: &[Option<(usize, usize)>]) -> Json {
    let fields = regex
        .group_names()
        .into_iter()
        .zip(spans)
        .filter_map(|(name, span)| {
            let value = span.map_or(Json::Null, |(a, b)| text(&source[a..b]));
            Some((Arc::from(name?), value))
        })
        .collect();
    Json::object(fields)
}

/// The matches of a text (all, or the first): with `details` as `match` gives them, else as `scan` does.
pub(super) fn matches(regex: &Regex, source: &str, details: bool, all: bool, out: &mut Vec<Json>) {
    let mut at = 0;
    while let Some(spans) = regex.spans_at(source, at) {
        let Some((start, end)) = spans[0] else { break };
        let groups: Vec<Json> = spans[1..]
            .iter()
            .map(|s| s.map_or(Json::Null, |(a, b)| text(&source[a..b])))
            .collect();
        let matched = text(&source[start..end]);
        out.push(if details {
            Json::object(vec![
                (
                    "offset".into(),
                    Json::Number(source[..start].chars().count() as f64),
                ),
                (
                    "length".into(),
                    Json::Number(source[start..end].chars().count() as f64),
                ),
                ("string".into(), matched),
                ("captures".into(), Json::List(groups.into())),
            ])
        } else if groups.is_empty() {
            matched
        } else {
            Json::List(groups.into())
        });
        at = match source[end..].chars().next() {
            _ if end > start => end,
            Some(c) => end + c.len_utf8(),
            None => break,
        };
        if !all {
            break;
        }
    }
}

impl Machine {
    /// `sub` and `gsub`: the replacement is a filter that sees the named groups.
    pub(super) fn substitute(
        &mut self,
        all: bool,
        pattern: &Filter,
        with: &Filter,
        input: &Json,
        scope: &Scope,
    ) -> Result<Json, String> {
        let Json::Text(source) = input else {
            return Err(format!(
                "{} cannot be matched, as it is not a string",
                describe(input)
            ));
        };
        let pattern = self
            .collect(pattern, input, scope)?
            .pop()
            .unwrap_or(Json::Null);
        let regex = compile(&pattern, "")?;
        let mut result = String::new();
        let (mut at, mut copied) = (0, 0);
        while let Some(spans) = regex.spans_at(source, at) {
            let Some((start, end)) = spans[0] else { break };
            result.push_str(&source[copied..start]);
            let groups = named_groups(&regex, source, &spans);
            if let Some(Json::Text(t)) = self.collect(with, &groups, scope)?.into_iter().next() {
                result.push_str(&t);
            }
            copied = end;
            if !all {
                break;
            }
            at = match source[end..].chars().next() {
                _ if end > start => end,
                Some(c) => end + c.len_utf8(),
                None => break,
            };
        }
        result.push_str(&source[copied..]);
        Ok(text(result))
    }
}
