//! Operators and functions: cel-go's own and Kubernetes' libraries (lists, regex, quantity, url, ip, cidr, semver,
//! authorizer). Those of strings stand in `strings.rs`.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use api::Str;
use api::quantity::Quantity;
use sim::Time;

use crate::eval::{Failure, Outcome, Run, failure, no_overload};
use crate::net::{self, Cidr, Url};
use crate::value::{Key, Val, timestamp};
use crate::{format, strings};

/// Functions whose names have several parts.
const QUALIFIED: &[&str] = &[
    "optional.of",
    "optional.none",
    "optional.ofNonZeroValue",
    "ip.isCanonical",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "strings.quote",
    "format.named",
    "math.greatest",
    "math.least",
];

const GLOBAL: &[&str] = &[
    "size",
    "type",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "timestamp",
    "duration",
    "dyn",
    "matches",
    "quantity",
    "isQuantity",
    "url",
    "isURL",
    "ip",
    "isIP",
    "cidr",
    "isCIDR",
    "semver",
    "isSemver",
];

const METHODS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "lowerAscii",
    "upperAscii",
    "replace",
    "split",
    "substring",
    "trim",
    "join",
    "reverse",
    "format",
    "find",
    "findAll",
    "isSorted",
    "sum",
    "min",
    "max",
    "distinct",
    "flatten",
    "slice",
    "sort",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "isInteger",
    "asInteger",
    "asApproximateFloat",
    "sign",
    "add",
    "sub",
    "isLessThan",
    "isGreaterThan",
    "compareTo",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "family",
    "isLoopback",
    "isUnspecified",
    "isGlobalUnicast",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "containsIP",
    "containsCIDR",
    "ip",
    "masked",
    "prefixLength",
    "hasValue",
    "value",
    "or",
    "orValue",
    "major",
    "minor",
    "patch",
    "path",
    "group",
    "resource",
    "subresource",
    "namespace",
    "name",
    "fieldSelector",
    "labelSelector",
    "serviceAccount",
    "check",
    "allowed",
    "reason",
    "errored",
    "error",
    "validate",
];

pub(crate) fn is_qualified(name: &str) -> bool {
    QUALIFIED.contains(&name) || format::is_named_format(name)
}

pub(crate) fn is_global(name: &str) -> bool {
    GLOBAL.contains(&name)
}

pub(crate) fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

/// A type's name as a value: `type(x) == int`.
pub(crate) fn type_named(name: &str) -> Option<&'static str> {
    const TYPES: &[&str] = &[
        "null_type",
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "type",
    ];
    TYPES.iter().copied().find(|of| *of == name)
}

pub(crate) fn global(run: &mut Run, name: &str, args: &[Val]) -> Outcome {
    match (name, args) {
        ("_==_", [a, b]) => Ok(Val::Bool(a.equals(b))),
        ("_!=_", [a, b]) => Ok(Val::Bool(!a.equals(b))),
        ("_<_", [a, b]) => ordered(a, b).map(|o| Val::Bool(o == Ordering::Less)),
        ("_<=_", [a, b]) => ordered(a, b).map(|o| Val::Bool(o != Ordering::Greater)),
        ("_>_", [a, b]) => ordered(a, b).map(|o| Val::Bool(o == Ordering::Greater)),
        ("_>=_", [a, b]) => ordered(a, b).map(|o| Val::Bool(o != Ordering::Less)),
        ("_+_", [a, b]) => add(run, a, b),
        ("_-_" | "_*_" | "_/_" | "_%_", [a, b]) => arithmetic(name, a, b),
        ("!_", [Val::Bool(b)]) => Ok(Val::Bool(!b)),
        ("-_", [Val::Int(n)]) => n.checked_neg().map(Val::Int).ok_or_else(overflow),
        ("-_", [Val::Double(n)]) => Ok(Val::Double(-n)),
        ("-_", [Val::Duration(n)]) => Ok(Val::Duration(-n)),
        ("@in", [item, Val::List(items)]) => {
            run.spend(items.len())?;
            Ok(Val::Bool(items.iter().any(|other| other.equals(item))))
        }
        ("@in", [key, map]) if map.keys().is_some() => Ok(Val::Bool(map.entry(key).is_some())),
        ("size", [value]) => size(value),
        ("type", [value]) => Ok(Val::Type(value.type_name())),
        ("dyn", [value]) => Ok(value.clone()),
        ("matches", [target, Val::Text(_)]) => method(run, "matches", target, &args[1..]),
        ("int" | "uint" | "double" | "string" | "bool" | "bytes" | "timestamp" | "duration", [value]) => {
            convert(name, value)
        }
        ("quantity", [Val::Text(text)]) => Quantity::parse(text)
            .map(Val::Quantity)
            .map_err(|error| failure(error.to_string())),
        ("isQuantity", [Val::Text(text)]) => Ok(Val::Bool(Quantity::parse(text).is_ok())),
        ("url", [Val::Text(text)]) => Url::parse(text)
            .map(|url| Val::Url(Arc::new(url)))
            .ok_or_else(|| failure(format!("URL parse error during conversion from string: parse {text:?}: invalid URI for request"))),
        ("isURL", [Val::Text(text)]) => Ok(Val::Bool(Url::parse(text).is_some())),
        ("ip", [Val::Text(text)]) => net::ip(text).map(Val::Ip).map_err(failure),
        ("isIP", [Val::Text(text)]) => Ok(Val::Bool(net::ip(text).is_ok())),
        ("ip.isCanonical", [Val::Text(text)]) => net::ip(text)
            .map(|ip| Val::Bool(ip.to_string() == text.as_str()))
            .map_err(failure),
        ("cidr", [Val::Text(text)]) => Cidr::parse(text).map(Val::Cidr).map_err(failure),
        ("isCIDR", [Val::Text(text)]) => Ok(Val::Bool(Cidr::parse(text).is_ok())),
        ("semver", [Val::Text(text)]) => semver(text)
            .ok_or_else(|| failure(format!("semver parse error during conversion from string: {text}"))),
        ("isSemver", [Val::Text(text)]) => Ok(Val::Bool(semver(text).is_some())),
        ("optional.none", []) => Ok(Val::Optional(None)),
        ("optional.of", [value]) => Ok(Val::Optional(Some(Arc::new(value.clone())))),
        ("optional.ofNonZeroValue", [value]) => {
            Ok(Val::Optional((!is_zero(value)).then(|| Arc::new(value.clone()))))
        }
        ("sets.contains", [Val::List(a), Val::List(b)]) => {
            run.spend(a.len() * b.len())?;
            Ok(Val::Bool(b.iter().all(|item| a.iter().any(|o| o.equals(item)))))
        }
        ("sets.intersects", [Val::List(a), Val::List(b)]) => {
            run.spend(a.len() * b.len())?;
            Ok(Val::Bool(b.iter().any(|item| a.iter().any(|o| o.equals(item)))))
        }
        ("sets.equivalent", [Val::List(a), Val::List(b)]) => {
            run.spend(2 * a.len() * b.len())?;
            let covers = |a: &[Val], b: &[Val]| b.iter().all(|item| a.iter().any(|o| o.equals(item)));
            Ok(Val::Bool(covers(a, b) && covers(b, a)))
        }
        ("math.greatest" | "math.least", [Val::List(items)]) => extreme(items, name == "math.greatest"),
        ("math.greatest" | "math.least", items) => extreme(items, name == "math.greatest"),
        ("strings.quote", [Val::Text(text)]) => Ok(Val::text(format!("{:?}", text.as_str()))),
        ("format.named", [Val::Text(name)]) => Ok(Val::Optional(
            format::named(name).map(|format| Arc::new(Val::Text(format))),
        )),
        (name, []) if format::is_named_format(name) => {
            let name = name.trim_start_matches("format.");
            format::named(name).map(Val::Text).ok_or_else(no_overload)
        }
        _ => Err(no_overload()),
    }
}

pub(crate) fn method(run: &mut Run, name: &str, target: &Val, args: &[Val]) -> Outcome {
    match (target, name, args) {
        (_, "size", []) => size(target),
        (Val::Text(text), _, _) => strings::method(run, name, text, args),
        (Val::List(items), _, _) => list(run, name, items, args),
        (Val::Timestamp(_) | Val::Duration(_), _, _) => time(name, target),
        (Val::Quantity(quantity), _, _) => of_quantity(name, *quantity, args),
        (Val::Url(url), _, []) => of_url(name, url),
        (Val::Ip(_) | Val::Cidr(_), _, _) => of_address(name, target, args),
        (Val::Semver(version), _, _) => match (name, args) {
            ("major", []) => Ok(Val::Int(version.0 as i64)),
            ("minor", []) => Ok(Val::Int(version.1 as i64)),
            ("patch", []) => Ok(Val::Int(version.2 as i64)),
            _ => compared(name, target, args),
        },
        (Val::Optional(inner), _, _) => match (name, inner, args) {
            ("hasValue", inner, []) => Ok(Val::Bool(inner.is_some())),
            ("value", Some(inner), []) => Ok((**inner).clone()),
            ("value", None, []) => Err(failure("optional.none() dereference")),
            ("or", Some(_), [_]) => Ok(target.clone()),
            ("or", None, [other]) => Ok(other.clone()),
            ("orValue", Some(inner), [_]) => Ok((**inner).clone()),
            ("orValue", None, [other]) => Ok(other.clone()),
            _ => Err(no_overload()),
        },
        (Val::Check(pairs), _, _) => authorizer(run, name, pairs, args),
        _ => Err(no_overload()),
    }
}

fn ordered(a: &Val, b: &Val) -> Result<Ordering, Failure> {
    a.compare(b).ok_or_else(no_overload)
}

fn overflow() -> Failure {
    failure("integer overflow")
}

fn size(value: &Val) -> Outcome {
    value
        .len()
        .map(|n| Val::Int(n as i64))
        .ok_or_else(no_overload)
}

fn add(run: &mut Run, a: &Val, b: &Val) -> Outcome {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => a.checked_add(*b).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => a.checked_add(*b).map(Val::Uint).ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
        (Val::Text(a), Val::Text(b)) => {
            run.spend((a.len() + b.len()) / 10)?;
            Ok(Val::text(format!("{a}{b}")))
        }
        (Val::Bytes(a), Val::Bytes(b)) => Ok(Val::Bytes(Arc::new([&a[..], &b[..]].concat()))),
        (Val::List(a), Val::List(b)) => {
            run.spend(a.len() + b.len())?;
            Ok(Val::List(Arc::new(
                a.iter().chain(b.iter()).cloned().collect(),
            )))
        }
        (Val::Timestamp(t), Val::Duration(d)) | (Val::Duration(d), Val::Timestamp(t)) => t
            .checked_add(d / 1000)
            .map(Val::Timestamp)
            .ok_or_else(overflow),
        (Val::Duration(a), Val::Duration(b)) => {
            a.checked_add(*b).map(Val::Duration).ok_or_else(overflow)
        }
        _ => Err(no_overload()),
    }
}

fn arithmetic(name: &str, a: &Val, b: &Val) -> Outcome {
    let by_zero = || {
        failure(if name == "_%_" {
            "modulus by zero"
        } else {
            "division by zero"
        })
    };
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => {
            if *b == 0 && matches!(name, "_/_" | "_%_") {
                return Err(by_zero());
            }
            let result = match name {
                "_-_" => a.checked_sub(*b),
                "_*_" => a.checked_mul(*b),
                "_/_" => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Val::Int).ok_or_else(overflow)
        }
        (Val::Uint(a), Val::Uint(b)) => {
            if *b == 0 && matches!(name, "_/_" | "_%_") {
                return Err(by_zero());
            }
            let result = match name {
                "_-_" => a.checked_sub(*b),
                "_*_" => a.checked_mul(*b),
                "_/_" => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Val::Uint).ok_or_else(overflow)
        }
        (Val::Double(a), Val::Double(b)) => match name {
            "_-_" => Ok(Val::Double(a - b)),
            "_*_" => Ok(Val::Double(a * b)),
            "_/_" => Ok(Val::Double(a / b)),
            _ => Err(no_overload()),
        },
        (Val::Timestamp(t), Val::Duration(d)) if name == "_-_" => t
            .checked_sub(d / 1000)
            .map(Val::Timestamp)
            .ok_or_else(overflow),
        (Val::Timestamp(a), Val::Timestamp(b)) if name == "_-_" => {
            let micros = a.checked_sub(*b).ok_or_else(overflow)?;
            micros
                .checked_mul(1000)
                .map(Val::Duration)
                .ok_or_else(overflow)
        }
        (Val::Duration(a), Val::Duration(b)) if name == "_-_" => {
            a.checked_sub(*b).map(Val::Duration).ok_or_else(overflow)
        }
        _ => Err(no_overload()),
    }
}

fn convert(name: &str, value: &Val) -> Outcome {
    let bad = || {
        failure(format!(
            "type conversion error from '{}' to '{name}'",
            value.type_name()
        ))
    };
    Ok(match (name, value) {
        ("int", Val::Int(_)) | ("uint", Val::Uint(_)) | ("double", Val::Double(_)) => value.clone(),
        ("string", Val::Text(_)) | ("bool", Val::Bool(_)) | ("bytes", Val::Bytes(_)) => {
            value.clone()
        }
        ("timestamp", Val::Timestamp(_)) | ("duration", Val::Duration(_)) => value.clone(),
        ("int", Val::Uint(n)) => Val::Int(i64::try_from(*n).map_err(|_| overflow())?),
        ("int", Val::Double(n)) if n.abs() < 9.2e18 => Val::Int(*n as i64),
        ("int", Val::Text(text)) => Val::Int(text.parse().map_err(|_| bad())?),
        ("int", Val::Timestamp(micros)) => Val::Int(micros / 1_000_000),
        ("uint", Val::Int(n)) => {
            Val::Uint(u64::try_from(*n).map_err(|_| failure("unsigned integer overflow"))?)
        }
        ("uint", Val::Text(text)) => Val::Uint(text.parse().map_err(|_| bad())?),
        ("double", Val::Int(n)) => Val::Double(*n as f64),
        ("double", Val::Uint(n)) => Val::Double(*n as f64),
        ("double", Val::Text(text)) => Val::Double(text.parse().map_err(|_| bad())?),
        ("bool", Val::Text(text)) => match text.as_str() {
            "1" | "t" | "true" | "TRUE" | "True" => Val::Bool(true),
            "0" | "f" | "false" | "FALSE" | "False" => Val::Bool(false),
            _ => return Err(bad()),
        },
        ("bytes", Val::Text(text)) => Val::Bytes(Arc::new(text.as_bytes().to_vec())),
        ("timestamp", Val::Text(text)) => timestamp(text).ok_or_else(bad)?,
        ("timestamp", Val::Int(secs)) => {
            Val::Timestamp(secs.checked_mul(1_000_000).ok_or_else(overflow)?)
        }
        ("duration", Val::Text(text)) => {
            Val::Duration(api::duration::parse(text).map_err(|error| failure(error.to_string()))?)
        }
        ("string", Val::Bytes(bytes)) => Val::text(
            String::from_utf8(bytes.to_vec())
                .map_err(|_| failure("invalid UTF-8 in bytes, cannot convert to string"))?,
        ),
        (
            "string",
            Val::Bool(_)
            | Val::Int(_)
            | Val::Uint(_)
            | Val::Double(_)
            | Val::Timestamp(_)
            | Val::Duration(_)
            | Val::Quantity(_)
            | Val::Ip(_)
            | Val::Cidr(_)
            | Val::Url(_)
            | Val::Semver(_),
        ) => Val::text(plain(value)),
        _ => return Err(no_overload()),
    })
}

/// A value as `string(x)` and messages show it.
pub(crate) fn plain(value: &Val) -> String {
    match value {
        Val::Null => "null".to_owned(),
        Val::Bool(b) => b.to_string(),
        Val::Int(n) => n.to_string(),
        Val::Uint(n) => n.to_string(),
        Val::Double(n) => n.to_string(),
        Val::Text(text) => text.to_string(),
        Val::Duration(nanos) => {
            let (secs, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            if rest == 0 {
                format!("{secs}s")
            } else {
                format!("{}s", *nanos as f64 / 1e9)
            }
        }
        Val::Ip(ip) => ip.to_string(),
        Val::Cidr(cidr) => format!("{}/{}", cidr.address, cidr.prefix),
        Val::Url(url) if url.scheme.is_empty() => url.path.clone(),
        Val::Url(url) => format!("{}://{}{}", url.scheme, url.host, url.path),
        Val::Type(name) => (*name).to_owned(),
        Val::Semver(version) => format!("{}.{}.{}", version.0, version.1, version.2),
        other => other
            .to_value()
            .map_or_else(String::new, |value| match value.as_str() {
                Some(text) => text.to_owned(),
                None => value.to_json(),
            }),
    }
}

fn is_zero(value: &Val) -> bool {
    match value {
        Val::Null => true,
        Val::Bool(b) => !b,
        Val::Int(n) => *n == 0,
        Val::Uint(n) => *n == 0,
        Val::Double(n) => *n == 0.0,
        Val::Optional(inner) => inner.is_none(),
        other => other.len() == Some(0),
    }
}

fn extreme(items: &[Val], wants_greatest: bool) -> Outcome {
    let mut best: Option<&Val> = None;
    for item in items {
        let is_better = match best {
            None => true,
            Some(best) => {
                (ordered(item, best)? == Ordering::Greater) == wants_greatest && !item.equals(best)
            }
        };
        if is_better {
            best = Some(item);
        }
    }
    best.cloned().ok_or_else(|| {
        failure(format!(
            "{} called on empty list",
            if wants_greatest { "max" } else { "min" }
        ))
    })
}

fn list(run: &mut Run, name: &str, items: &[Val], args: &[Val]) -> Outcome {
    run.spend(items.len())?;
    let place = |found: Option<usize>| Val::Int(found.map_or(-1, |at| at as i64));
    match (name, args) {
        ("isSorted", []) => {
            for pair in items.windows(2) {
                if ordered(&pair[0], &pair[1])? == Ordering::Greater {
                    return Ok(Val::Bool(false));
                }
            }
            Ok(Val::Bool(true))
        }
        ("sum", []) => {
            let Some((first, rest)) = items.split_first() else {
                return Ok(Val::Int(0));
            };
            rest.iter()
                .try_fold(first.clone(), |sum, item| add(run, &sum, item))
        }
        ("min" | "max", []) => extreme(items, name == "max"),
        ("indexOf", [item]) => Ok(place(items.iter().position(|other| other.equals(item)))),
        ("lastIndexOf", [item]) => Ok(place(items.iter().rposition(|other| other.equals(item)))),
        ("join", _) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| match item {
                    Val::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            let between = match args {
                [] => "",
                [Val::Text(between)] => between.as_str(),
                _ => return Err(no_overload()),
            };
            Ok(Val::text(texts.ok_or_else(no_overload)?.join(between)))
        }
        ("distinct", []) => {
            run.spend(items.len() * items.len() / 8)?;
            let mut seen: Vec<Val> = Vec::new();
            for item in items {
                if !seen.iter().any(|other| other.equals(item)) {
                    seen.push(item.clone());
                }
            }
            Ok(Val::List(Arc::new(seen)))
        }
        ("flatten", []) => {
            let mut flat = Vec::new();
            for item in items {
                match item {
                    Val::List(inner) => flat.extend(inner.iter().cloned()),
                    other => flat.push(other.clone()),
                }
            }
            Ok(Val::List(Arc::new(flat)))
        }
        ("reverse", []) => Ok(Val::List(Arc::new(items.iter().rev().cloned().collect()))),
        ("slice", [Val::Int(from), Val::Int(to)]) => {
            let (from, to) = (usize::try_from(*from), usize::try_from(*to));
            let part = from
                .ok()
                .zip(to.ok())
                .and_then(|(from, to)| items.get(from..to));
            part.map(|part| Val::List(Arc::new(part.to_vec())))
                .ok_or_else(|| failure("cannot slice, index out of bounds"))
        }
        ("sort", []) => {
            let mut sorted = items.to_vec();
            let mut is_ordered = true;
            sorted.sort_by(|a, b| {
                a.compare(b).unwrap_or_else(|| {
                    is_ordered = false;
                    Ordering::Equal
                })
            });
            if !is_ordered {
                return Err(no_overload());
            }
            Ok(Val::List(Arc::new(sorted)))
        }
        _ => Err(no_overload()),
    }
}

fn time(name: &str, value: &Val) -> Outcome {
    Ok(Val::Int(match value {
        Val::Duration(nanos) => match name {
            "getHours" => nanos / 3_600_000_000_000,
            "getMinutes" => nanos / 60_000_000_000,
            "getSeconds" => nanos / 1_000_000_000,
            "getMilliseconds" => nanos / 1_000_000 % 1000,
            _ => return Err(no_overload()),
        },
        Val::Timestamp(micros) => {
            let time = Time((*micros).max(0) as u64);
            let civil = time.civil();
            match name {
                "getFullYear" => civil.year,
                "getMonth" => i64::from(civil.month) - 1,
                "getDate" => i64::from(civil.day),
                "getDayOfMonth" => i64::from(civil.day) - 1,
                "getDayOfWeek" => i64::from(time.weekday()),
                "getDayOfYear" => {
                    sim::time::days_from_civil(civil.year, civil.month, civil.day)
                        - sim::time::days_from_civil(civil.year, 1, 1)
                }
                "getHours" => i64::from(civil.hour),
                "getMinutes" => i64::from(civil.minute),
                "getSeconds" => i64::from(civil.second),
                "getMilliseconds" => micros / 1000 % 1000,
                _ => return Err(no_overload()),
            }
        }
        _ => return Err(no_overload()),
    }))
}

fn compared(name: &str, target: &Val, args: &[Val]) -> Outcome {
    let [other] = args else {
        return Err(no_overload());
    };
    let order = ordered(target, other)?;
    Ok(match name {
        "isLessThan" => Val::Bool(order == Ordering::Less),
        "isGreaterThan" => Val::Bool(order == Ordering::Greater),
        "compareTo" => Val::Int(order as i64),
        _ => return Err(no_overload()),
    })
}

fn of_quantity(name: &str, quantity: Quantity, args: &[Val]) -> Outcome {
    let whole = |n: &i64| Quantity::from_millis(n.saturating_mul(1000));
    match (name, args) {
        ("isInteger", []) => Ok(Val::Bool(!quantity.has_fraction())),
        ("asInteger", []) if !quantity.has_fraction() => Ok(Val::Int(quantity.value())),
        ("asInteger", []) => Err(failure("cannot convert value to integer")),
        ("asApproximateFloat", []) => Ok(Val::Double(quantity.millis() as f64 / 1000.0)),
        ("sign", []) if quantity.is_zero() => Ok(Val::Int(0)),
        ("sign", []) => Ok(Val::Int(if quantity.is_negative() { -1 } else { 1 })),
        ("add", [Val::Quantity(other)]) => Ok(Val::Quantity(quantity + *other)),
        ("sub", [Val::Quantity(other)]) => Ok(Val::Quantity(quantity - *other)),
        ("add", [Val::Int(n)]) => Ok(Val::Quantity(quantity + whole(n))),
        ("sub", [Val::Int(n)]) => Ok(Val::Quantity(quantity - whole(n))),
        _ => compared(name, &Val::Quantity(quantity), args),
    }
}

fn of_url(name: &str, url: &Url) -> Outcome {
    Ok(match name {
        "getScheme" => Val::text(url.scheme.clone()),
        "getHost" => Val::text(url.host.clone()),
        "getHostname" => Val::text(Str::new(url.hostname())),
        "getPort" => Val::text(Str::new(url.port())),
        "getEscapedPath" => Val::text(url.path.clone()),
        "getQuery" => {
            let mut map: std::collections::BTreeMap<Key, Val> = std::collections::BTreeMap::new();
            for (key, value) in &url.query {
                let entry = map
                    .entry(Key::Text(key.clone().into()))
                    .or_insert_with(|| Val::List(Arc::new(Vec::new())));
                if let Val::List(items) = entry {
                    Arc::make_mut(items).push(Val::text(value.clone()));
                }
            }
            Val::Map(Arc::new(map))
        }
        _ => return Err(no_overload()),
    })
}

fn of_address(name: &str, target: &Val, args: &[Val]) -> Outcome {
    let address = |value: &Val| match value {
        Val::Ip(ip) => Ok(*ip),
        Val::Text(text) => net::ip(text).map_err(failure),
        _ => Err(no_overload()),
    };
    match (target, name, args) {
        (Val::Ip(ip), "family", []) => Ok(Val::Int(if ip.is_ipv4() { 4 } else { 6 })),
        (Val::Ip(ip), "isLoopback", []) => Ok(Val::Bool(ip.is_loopback())),
        (Val::Ip(ip), "isUnspecified", []) => Ok(Val::Bool(ip.is_unspecified())),
        (Val::Ip(ip), "isGlobalUnicast", []) => Ok(Val::Bool(
            !ip.is_loopback()
                && !ip.is_unspecified()
                && !ip.is_multicast()
                && !is_link_local(*ip)
                && *ip != IpAddr::from([255, 255, 255, 255]),
        )),
        (Val::Ip(ip), "isLinkLocalUnicast", []) => Ok(Val::Bool(is_link_local(*ip))),
        (Val::Ip(ip), "isLinkLocalMulticast", []) => Ok(Val::Bool(match ip {
            IpAddr::V4(four) => four.octets()[..3] == [224, 0, 0],
            IpAddr::V6(six) => six.segments()[0] & 0xff0f == 0xff02,
        })),
        (Val::Cidr(cidr), "containsIP", [other]) => Ok(Val::Bool(cidr.contains(address(other)?))),
        (Val::Cidr(cidr), "containsCIDR", [other]) => {
            let other = match other {
                Val::Cidr(other) => *other,
                Val::Text(text) => Cidr::parse(text).map_err(failure)?,
                _ => return Err(no_overload()),
            };
            Ok(Val::Bool(
                cidr.prefix <= other.prefix && cidr.contains(other.address),
            ))
        }
        (Val::Cidr(cidr), "ip", []) => Ok(Val::Ip(cidr.address)),
        (Val::Cidr(cidr), "masked", []) => Ok(Val::Cidr(cidr.masked())),
        (Val::Cidr(cidr), "prefixLength", []) => Ok(Val::Int(i64::from(cidr.prefix))),
        _ => Err(no_overload()),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    }
}

/// `1.2.3-rc.1+build`; the build does not count.
fn semver(text: &str) -> Option<Val> {
    let text = text.split('+').next()?;
    let (numbers, before) = text.split_once('-').unwrap_or((text, ""));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number = |text: &str| -> Option<u64> {
        let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (is_plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
    };
    let [major, minor, patch] = parts[..] else {
        return None;
    };
    // A release comes after its candidates.
    let rank = if before.is_empty() {
        "~".to_owned()
    } else {
        before.to_owned()
    };
    Some(Val::Semver(Arc::new((
        number(major)?,
        number(minor)?,
        number(patch)?,
        rank,
    ))))
}

fn authorizer(run: &mut Run, name: &str, pairs: &[(Str, Str)], args: &[Val]) -> Outcome {
    let with = |key: &'static str, value: &Str| {
        let mut pairs = pairs.to_vec();
        pairs.retain(|(other, _)| other != key);
        pairs.push((key.into(), value.clone()));
        Ok(Val::Check(Arc::new(pairs)))
    };
    match (name, args) {
        ("path", [Val::Text(text)]) => with("path", text),
        ("group", [Val::Text(text)]) => with("group", text),
        ("resource", [Val::Text(text)]) => with("resource", text),
        ("subresource", [Val::Text(text)]) => with("subresource", text),
        ("namespace", [Val::Text(text)]) => with("namespace", text),
        ("name", [Val::Text(text)]) => with("name", text),
        ("check", [Val::Text(text)]) => with("verb", text),
        ("serviceAccount", [Val::Text(namespace), Val::Text(name)]) => with(
            "user",
            &format!("system:serviceaccount:{namespace}:{name}").into(),
        ),
        ("fieldSelector" | "labelSelector", [_]) => Ok(Val::Check(Arc::new(pairs.to_vec()))),
        ("allowed", []) => {
            run.spend(350_000 / 10)?;
            Ok(Val::Bool(run.world.allows(pairs)))
        }
        ("reason" | "error", []) => Ok(Val::text("")),
        ("errored", []) => Ok(Val::Bool(false)),
        _ => Err(no_overload()),
    }
}
