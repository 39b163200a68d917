//! Functions of strings: cel-go's `ext.Strings` and Kubernetes' regular expressions.

use std::sync::Arc;

use api::Str;
use regex_lite::Regex;

use crate::eval::{Outcome, Run, failure, no_overload};
use crate::format;
use crate::value::Val;

/// Longer patterns are refused.
const LONGEST_PATTERN: usize = 4_096;

pub(crate) fn method(run: &mut Run, name: &str, text: &Str, args: &[Val]) -> Outcome {
    run.spend(text.len() / 10)?;
    let place =
        |found: Option<usize>| Val::Int(found.map_or(-1, |at| text[..at].chars().count() as i64));
    match (name, args) {
        ("contains", [Val::Text(part)]) => Ok(Val::Bool(text.contains(part.as_str()))),
        ("startsWith", [Val::Text(part)]) => Ok(Val::Bool(text.starts_with(part.as_str()))),
        ("endsWith", [Val::Text(part)]) => Ok(Val::Bool(text.ends_with(part.as_str()))),
        ("matches", [Val::Text(pattern)]) => Ok(Val::Bool(regex(pattern)?.is_match(text))),
        ("find", [Val::Text(pattern)]) => {
            let found = regex(pattern)?
                .find(text)
                .map_or("", |found| found.as_str());
            Ok(Val::text(Str::new(found)))
        }
        ("findAll", [Val::Text(pattern)]) => find_all(text, pattern, usize::MAX),
        ("findAll", [Val::Text(pattern), Val::Int(most)]) => {
            find_all(text, pattern, usize::try_from(*most).unwrap_or(usize::MAX))
        }
        ("charAt", [Val::Int(at)]) => {
            let (count, at) = (text.chars().count(), usize::try_from(*at).ok());
            match at.filter(|at| *at <= count) {
                Some(at) => Ok(Val::text(text.chars().skip(at).take(1).collect::<String>())),
                None => Err(failure(format!("index out of range: {}", args_text(args)))),
            }
        }
        ("indexOf", [Val::Text(part)]) => Ok(place(text.find(part.as_str()))),
        ("indexOf", [Val::Text(part), Val::Int(from)]) => {
            let start = byte_at(text, *from)?;
            Ok(place(
                text[start..].find(part.as_str()).map(|at| at + start),
            ))
        }
        ("lastIndexOf", [Val::Text(part)]) => Ok(place(text.rfind(part.as_str()))),
        ("lastIndexOf", [Val::Text(part), Val::Int(to)]) => {
            let end = (byte_at(text, *to)? + part.len()).min(text.len());
            Ok(place(
                text.get(..end).and_then(|head| head.rfind(part.as_str())),
            ))
        }
        ("lowerAscii", []) => Ok(Val::text(text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Val::text(text.to_ascii_uppercase())),
        ("trim", []) => Ok(Val::text(Str::new(text.trim()))),
        ("reverse", []) => Ok(Val::text(text.chars().rev().collect::<String>())),
        ("replace", [Val::Text(old), Val::Text(new)]) => replaced(run, text, old, new, usize::MAX),
        ("replace", [Val::Text(old), Val::Text(new), Val::Int(most)]) => replaced(
            run,
            text,
            old,
            new,
            usize::try_from(*most).unwrap_or(usize::MAX),
        ),
        ("split", [Val::Text(between)]) => Ok(split(text, between, -1)),
        ("split", [Val::Text(between), Val::Int(most)]) => Ok(split(text, between, *most)),
        ("substring", [Val::Int(from)]) => Ok(Val::text(Str::new(&text[byte_at(text, *from)?..]))),
        ("substring", [Val::Int(from), Val::Int(to)]) => {
            let (start, end) = (byte_at(text, *from)?, byte_at(text, *to)?);
            if start > end {
                return Err(failure(format!(
                    "invalid substring range. start: {from}, end: {to}"
                )));
            }
            Ok(Val::text(Str::new(&text[start..end])))
        }
        ("format", [Val::List(values)]) => {
            run.spend(values.len())?;
            format::printed(text, values)
                .map(Val::text)
                .map_err(failure)
        }
        // The receiver is the name of a format: `format.dns1123Label().validate(x)`.
        ("validate", [Val::Text(value)]) => {
            let problems = format::validate(text, value).ok_or_else(no_overload)?;
            let problems: Vec<Val> = problems.into_iter().map(Val::text).collect();
            Ok(Val::Optional(
                (!problems.is_empty()).then(|| Arc::new(Val::List(Arc::new(problems)))),
            ))
        }
        _ => Err(no_overload()),
    }
}

fn args_text(args: &[Val]) -> String {
    args.iter()
        .map(crate::functions::plain)
        .collect::<Vec<_>>()
        .join(", ")
}

fn regex(pattern: &str) -> Result<Regex, crate::eval::Failure> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(failure("pattern is too long"));
    }
    Regex::new(pattern).map_err(|error| failure(format!("error parsing regexp: {error}")))
}

fn find_all(text: &str, pattern: &str, most: usize) -> Outcome {
    let regex = regex(pattern)?;
    let found = regex.find_iter(text).take(most);
    Ok(Val::List(Arc::new(
        found
            .map(|found| Val::text(Str::new(found.as_str())))
            .collect(),
    )))
}

/// The byte where the character of a number begins.
fn byte_at(text: &str, at: i64) -> Result<usize, crate::eval::Failure> {
    let out = || failure(format!("index out of range: {at}"));
    let at = usize::try_from(at).map_err(|_| out())?;
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.nth(at).ok_or_else(out)
}

fn replaced(run: &mut Run, text: &str, old: &str, new: &str, most: usize) -> Outcome {
    let times = (text.len() + 1).min(most);
    run.spend(times.saturating_mul(new.len()) / 100)?;
    Ok(Val::text(text.replacen(old, new, most)))
}

fn split(text: &str, between: &str, most: i64) -> Val {
    let parts: Vec<Val> = match most {
        0 => Vec::new(),
        most => {
            let limit = usize::try_from(most).unwrap_or(usize::MAX);
            if between.is_empty() {
                let mut chars: Vec<String> = text.chars().map(String::from).collect();
                if chars.len() > limit {
                    let rest = chars.split_off(limit - 1).concat();
                    chars.push(rest);
                }
                chars.into_iter().map(Val::text).collect()
            } else {
                text.splitn(limit, between)
                    .map(|part| Val::text(Str::new(part)))
                    .collect()
            }
        }
    };
    Val::List(Arc::new(parts))
}
