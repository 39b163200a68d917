//! The operators between two values, and ranges of numbers.
//!
//! `and`, `or` and `//` are not here: they decide what is evaluated, so the machine itself does them.

use super::super::json::Json;
use super::{Done, describe, text};

pub(super) fn binary(op: &str, a: &Json, b: &Json) -> Result<Json, String> {
    let order = a.order(b);
    Ok(match (op, a, b) {
        ("==", ..) => Json::Bool(order.is_eq()),
        ("!=", ..) => Json::Bool(order.is_ne()),
        ("<", ..) => Json::Bool(order.is_lt()),
        ("<=", ..) => Json::Bool(order.is_le()),
        (">", ..) => Json::Bool(order.is_gt()),
        (">=", ..) => Json::Bool(order.is_ge()),
        ("+", Json::Null, x) | ("+", x, Json::Null) => x.clone(),
        ("+", Json::Number(x), Json::Number(y)) => Json::Number(x + y),
        ("+", Json::Text(x), Json::Text(y)) => text(format!("{x}{y}")),
        ("+", Json::List(x), Json::List(y)) => {
            Json::List(x.iter().chain(y.iter()).cloned().collect())
        }
        ("+", Json::Object(x), Json::Object(y)) => {
            Json::object(x.iter().chain(y.iter()).cloned().collect())
        }
        ("-", Json::Number(x), Json::Number(y)) => Json::Number(x - y),
        ("-", Json::List(x), Json::List(y)) => {
            Json::List(x.iter().filter(|i| !y.contains(i)).cloned().collect())
        }
        ("*", Json::Number(x), Json::Number(y)) => Json::Number(x * y),
        ("*", Json::Text(t), Json::Number(n)) if *n > 0.0 && t.len() as f64 * n < 1e6 => {
            text(t.repeat((*n as usize).max(1)))
        }
        ("*", Json::Object(x), Json::Object(y)) => {
            let mut fields = (**x).clone();
            for (key, value) in y.iter() {
                let merged = match (a.get(key), value) {
                    (Some(old @ Json::Object(_)), Json::Object(_)) => binary("*", old, value)?,
                    _ => value.clone(),
                };
                fields.push((key.clone(), merged));
            }
            Json::object(fields)
        }
        ("/" | "%", Json::Number(_), Json::Number(y)) if *y == 0.0 => {
            return Err(format!(
                "{} and {} cannot be divided because the divisor is zero",
                describe(a),
                describe(b)
            ));
        }
        ("/", Json::Number(x), Json::Number(y)) => Json::Number(x / y),
        ("/", Json::Text(x), Json::Text(y)) => Json::List(x.split(&**y).map(text).collect()),
        ("%", Json::Number(x), Json::Number(y)) => {
            Json::Number((*x as i64).wrapping_rem((*y as i64).max(1)) as f64)
        }
        (op, ..) => {
            let verb = match op {
                "+" => "added",
                "-" => "subtracted",
                "*" => "multiplied",
                _ => "divided",
            };
            return Err(format!(
                "{} and {} cannot be {verb}",
                describe(a),
                describe(b)
            ));
        }
    })
}

pub(super) fn as_number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(n) => Some(*n),
        _ => None,
    }
}

pub(super) fn range(from: &Json, to: &Json, by: f64, out: &mut Vec<Json>) -> Done {
    let (Some(from), Some(to)) = (as_number(from), as_number(to)) else {
        return Err("Range bounds must be numeric".into());
    };
    let mut n = from;
    while n < to && out.len() < 1_000_000 {
        out.push(Json::Number(n));
        n += by;
    }
    Ok(())
}
