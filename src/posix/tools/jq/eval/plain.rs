//! The built-in functions without arguments.

use super::super::json::{Json, parse_all};
use super::arithmetic::{as_number, binary};
use super::parts::{flatten, from_entries, index, keys, to_entries, values};
use super::{describe, text};

pub(super) fn simple(name: &str, input: &Json) -> Result<Json, String> {
    let wrong = |what: &str| Err(format!("{} {what}", describe(input)));
    let sorted = || -> Result<Vec<Json>, String> {
        match input {
            Json::List(items) => {
                let mut items = items.to_vec();
                items.sort_by(Json::order);
                Ok(items)
            }
            other => Err(format!(
                "{} cannot be sorted, as it is not an array",
                describe(other)
            )),
        }
    };
    Ok(match name {
        "length" => match input {
            Json::Null => Json::Number(0.0),
            Json::Number(n) => Json::Number(n.abs()),
            Json::Text(t) => Json::Number(t.chars().count() as f64),
            Json::List(items) => Json::Number(items.len() as f64),
            Json::Object(fields) => Json::Number(fields.len() as f64),
            Json::Bool(_) => return wrong("has no length"),
        },
        "utf8bytelength" => match input {
            Json::Text(t) => Json::Number(t.len() as f64),
            _ => return wrong("only strings have UTF-8 byte length"),
        },
        "keys" | "keys_unsorted" => match input {
            Json::Null => return wrong("has no keys"),
            other => {
                let mut list =
                    keys(other).map_err(|_| format!("{} has no keys", describe(other)))?;
                if name == "keys" {
                    list.sort_by(Json::order);
                }
                Json::List(list.into())
            }
        },
        "add" => {
            let mut sum = Json::Null;
            for item in values(input)? {
                sum = binary("+", &sum, &item)?;
            }
            sum
        }
        "type" => text(input.kind()),
        "tostring" => match input {
            Json::Text(_) => input.clone(),
            other => text(other.write(None)),
        },
        "tojson" => text(input.write(None)),
        "fromjson" => match input {
            Json::Text(t) => parse_all(t)?.pop().unwrap_or(Json::Null),
            _ => return wrong("cannot be parsed as JSON"),
        },
        "tonumber" => match input {
            Json::Number(_) => input.clone(),
            Json::Text(t) => match t.trim().parse() {
                Ok(n) => Json::Number(n),
                Err(_) => return wrong("cannot be parsed as a number"),
            },
            _ => return wrong("cannot be parsed as a number"),
        },
        "sort" => Json::List(sorted()?.into()),
        "unique" => {
            let mut items = sorted()?;
            items.dedup();
            Json::List(items.into())
        }
        "min" => sorted()?.into_iter().next().unwrap_or(Json::Null),
        "max" => sorted()?.pop().unwrap_or(Json::Null),
        "reverse" => match input {
            Json::Text(t) => text(t.chars().rev().collect::<String>()),
            Json::Null => Json::List([].into()),
            other => Json::List(values(other)?.into_iter().rev().collect()),
        },
        "first" => index(input, &Json::Number(0.0))?,
        "last" => index(input, &Json::Number(-1.0))?,
        "flatten" => {
            let mut out = Vec::new();
            flatten(input, 64, &mut out);
            Json::List(out.into())
        }
        "to_entries" => to_entries(input)?,
        "from_entries" => from_entries(input)?,
        "ascii_downcase" | "ascii_upcase" | "trim" | "ltrim" | "rtrim" | "explode" => match input {
            Json::Text(t) => match name {
                "ascii_downcase" => text(t.to_ascii_lowercase()),
                "ascii_upcase" => text(t.to_ascii_uppercase()),
                "trim" => text(t.trim()),
                "ltrim" => text(t.trim_start()),
                "rtrim" => text(t.trim_end()),
                _ => Json::List(t.chars().map(|c| Json::Number(c as u32 as f64)).collect()),
            },
            _ => return wrong("input must be a string"),
        },
        "implode" => text(
            values(input)?
                .iter()
                .filter_map(|v| char::from_u32(as_number(v)? as u32))
                .collect::<String>(),
        ),
        "floor" | "ceil" | "round" | "fabs" | "abs" | "sqrt" => match input {
            Json::Number(n) => Json::Number(match name {
                "floor" => n.floor(),
                "ceil" => n.ceil(),
                "round" => n.round(),
                "sqrt" => n.sqrt(),
                _ => n.abs(),
            }),
            _ => return wrong("number required"),
        },
        "isnan" => Json::Bool(as_number(input).is_some_and(f64::is_nan)),
        "todate" | "todateiso8601" => match input {
            Json::Number(n) => text(crate::tools::date::format(
                "%Y-%m-%dT%H:%M:%SZ",
                (*n as i64) * 1_000_000,
            )),
            _ => return wrong("strftime/1 requires parsed datetime inputs"),
        },
        "fromdate" | "fromdateiso8601" => match input {
            Json::Text(t) => match crate::tools::date::parse(t, 0) {
                Some(micros) => Json::Number((micros / 1_000_000) as f64),
                None => {
                    return Err(format!(
                        "date \"{t}\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""
                    ));
                }
            },
            _ => return wrong("cannot be parsed as a date"),
        },
        "halt" => Json::Null,
        other => return Err(format!("{other}/0 is not defined")),
    })
}
