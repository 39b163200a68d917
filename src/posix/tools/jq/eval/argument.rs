//! The built-in functions of one value (and flags) besides their input.

use super::super::json::Json;
use super::arithmetic::as_number;
use super::matching::{compile, matches, named_groups};
use super::parts::{contains, flatten, index, values};
use super::paths::get;
use super::{Done, describe, text};

pub(super) fn with_argument(
    name: &str,
    input: &Json,
    arg: &Json,
    flags: &Json,
    out: &mut Vec<Json>,
) -> Done {
    let flags = match flags {
        Json::Text(t) => t.to_string(),
        _ => String::new(),
    };
    let source = || match input {
        Json::Text(t) => Ok(t.clone()),
        other => Err(format!(
            "{} cannot be matched, as it is not a string",
            describe(other)
        )),
    };
    out.push(match name {
        "has" => Json::Bool(match (input, arg) {
            (Json::Object(_), Json::Text(key)) => input.get(key).is_some(),
            (Json::List(items), Json::Number(n)) => *n >= 0.0 && (*n as usize) < items.len(),
            _ => {
                return Err(format!(
                    "Cannot check whether {} has a {} key",
                    input.kind(),
                    arg.kind()
                ));
            }
        }),
        "in" => return with_argument("has", arg, input, &Json::Null, out),
        "contains" => Json::Bool(contains(input, arg)),
        "inside" => Json::Bool(contains(arg, input)),
        "startswith" | "endswith" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) => Json::Bool(if name == "startswith" {
                a.starts_with(&**b)
            } else {
                a.ends_with(&**b)
            }),
            _ => return Err(format!("{name}() requires string inputs")),
        },
        "ltrimstr" | "rtrimstr" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) => {
                let cut = if name == "ltrimstr" {
                    a.strip_prefix(&**b)
                } else {
                    a.strip_suffix(&**b)
                };
                text(cut.unwrap_or(a))
            }
            _ => input.clone(),
        },
        "split" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) if a.is_empty() => {
                let _ = b;
                Json::List([].into())
            }
            (Json::Text(a), Json::Text(b)) if b.is_empty() => {
                Json::List(a.chars().map(|c| text(c.to_string())).collect())
            }
            (Json::Text(a), Json::Text(b)) => Json::List(a.split(&**b).map(text).collect()),
            _ => return Err("split input and separator must be strings".into()),
        },
        "join" => {
            let Json::Text(glue) = arg else {
                return Err(format!("{} cannot be added to a string", describe(arg)));
            };
            let mut parts = Vec::new();
            for item in values(input)? {
                parts.push(match item {
                    Json::Text(t) => t.to_string(),
                    Json::Null => String::new(),
                    Json::List(_) | Json::Object(_) => {
                        return Err(format!(
                            "string (\"\") and {} cannot be added",
                            describe(&item)
                        ));
                    }
                    other => other.write(None),
                });
            }
            text(parts.join(glue))
        }
        "test" => Json::Bool(compile(arg, &flags)?.is_match(&source()?)),
        "capture" => {
            let source = source()?;
            let regex = compile(arg, &flags)?;
            match regex.spans_at(&source, 0) {
                Some(spans) => named_groups(&regex, &source, &spans),
                None => return Ok(()),
            }
        }
        "match" | "scan" => {
            let source = source()?;
            let regex = compile(arg, &flags)?;
            let all = name == "scan" || flags.contains('g');
            matches(&regex, &source, name == "match", all, out);
            return Ok(());
        }
        "index" | "indices" | "rindex" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) if !b.is_empty() => {
                let found: Vec<Json> = a
                    .match_indices(&**b)
                    .map(|(i, _)| Json::Number(i as f64))
                    .collect();
                match name {
                    "index" => found.first().cloned().unwrap_or(Json::Null),
                    "rindex" => found.last().cloned().unwrap_or(Json::Null),
                    _ => Json::List(found.into()),
                }
            }
            (Json::List(items), needle) => {
                let found: Vec<Json> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| *v == needle)
                    .map(|(i, _)| Json::Number(i as f64))
                    .collect();
                match name {
                    "index" => found.first().cloned().unwrap_or(Json::Null),
                    "rindex" => found.last().cloned().unwrap_or(Json::Null),
                    _ => Json::List(found.into()),
                }
            }
            _ => Json::Null,
        },
        "flatten" => {
            let mut flat = Vec::new();
            flatten(input, as_number(arg).unwrap_or(1.0) as u32, &mut flat);
            Json::List(flat.into())
        }
        "getpath" => match arg {
            Json::List(path) => get(input, path)?,
            _ => return Err("Path must be specified as an array".into()),
        },
        "nth" => index(input, arg)?,
        "strftime" => match (input, arg) {
            (Json::Number(n), Json::Text(format)) => {
                text(crate::tools::date::format(format, (*n as i64) * 1_000_000))
            }
            _ => return Err("strftime/1 requires parsed datetime inputs".into()),
        },
        "pow" => return Err("pow is not simulated".into()),
        other => return Err(format!("{other}/1 is not defined")),
    });
    Ok(())
}
