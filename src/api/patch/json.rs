//! JSON patch (RFC 6902) with the failures that the API server reports.

use crate::{Str, Value};

/// Applies the operations in order; the first failure ends it and nothing is changed.
pub fn apply(target: &Value, patch: &Value) -> Result<Value, String> {
    let Some(operations) = patch.as_list() else {
        return Err("json: cannot unmarshal object into Go value of type jsonpatch.Patch".into());
    };
    let mut result = target.clone();
    for operation in operations {
        let path = operation
            .get("path")
            .as_str()
            .ok_or("operation has no path")?;
        let from = operation.get("from").as_str();
        match operation.str("op") {
            "add" => add(&mut result, path, value_of(operation)?)?,
            "remove" => drop(remove(&mut result, path)?),
            "replace" => replace(&mut result, path, value_of(operation)?)?,
            "move" => {
                let value = remove(&mut result, from.ok_or("move operation has no from")?)?;
                add(&mut result, path, value)?;
            }
            "copy" => {
                let value = find(&result, from.ok_or("copy operation has no from")?)?.clone();
                add(&mut result, path, value)?;
            }
            "test" => {
                let expected = operation.get("value");
                let actual = find(&result, path).ok();
                if actual.unwrap_or(&Value::Null) != expected {
                    return Err(format!("testing value {path} failed: test failed"));
                }
            }
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(result)
}

fn value_of(operation: &Value) -> Result<Value, String> {
    if operation.has("value") {
        Ok(operation.get("value").clone())
    } else {
        Err("operation has no value".into())
    }
}

/// The parts of a JSON pointer, unescaped.
fn parts(path: &str) -> Result<Vec<String>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("path {path:?} does not start with /"));
    };
    Ok(rest
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect())
}

fn missing(path: &str, what: &str) -> String {
    format!("{what} operation does not apply: doc is missing path: {path:?}: missing value")
}

fn find<'a>(value: &'a Value, path: &str) -> Result<&'a Value, String> {
    let mut at = value;
    for part in parts(path)? {
        at = match at {
            Value::Map(map) => map.get(&part).ok_or_else(|| missing(path, "test"))?,
            Value::List(list) => list
                .get(index(&part, list.len())?)
                .ok_or_else(|| missing(path, "test"))?,
            _ => return Err(missing(path, "test")),
        };
    }
    Ok(at)
}

/// A list index; negative ones count from the end, as the Go library allows.
fn index(part: &str, len: usize) -> Result<usize, String> {
    let number: i64 = part
        .parse()
        .map_err(|_| format!("strconv.Atoi: parsing {part:?}: invalid syntax"))?;
    let at = if number < 0 {
        number + len as i64
    } else {
        number
    };
    usize::try_from(at)
        .map_err(|_| format!("Unable to access invalid index: {number}: invalid index referenced"))
}

/// The container of the last part, to change.
fn container<'a>(
    value: &'a mut Value,
    path: &str,
    what: &str,
) -> Result<(&'a mut Value, String), String> {
    let mut parts = parts(path)?;
    let last = parts.pop().ok_or_else(|| missing(path, what))?;
    let mut at = value;
    for part in parts {
        at = match at {
            Value::Map(_) => {
                if !at.has(&part) {
                    return Err(missing(path, what));
                }
                at.entry(Str::from(part))
            }
            Value::List(list) => {
                let i = index(&part, list.len())?;
                if i >= list.len() {
                    return Err(missing(path, what));
                }
                &mut at.list_mut()[i]
            }
            _ => return Err(missing(path, what)),
        };
    }
    Ok((at, last))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (at, last) = container(target, path, "add")?;
    match at {
        Value::Map(_) => at.set(Str::from(last), value),
        Value::List(list) => {
            let len = list.len();
            let i = if last == "-" { len } else { index(&last, len)? };
            if i > len {
                return Err(format!(
                    "add operation does not apply: doc is missing path: {path:?}: Unable to access invalid index: {i}: invalid index referenced"
                ));
            }
            at.list_mut().insert(i, value);
        }
        _ => return Err(missing(path, "add")),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let gone =
        || format!("remove operation does not apply: doc is missing path: {path:?}: missing value");
    let (at, last) = container(target, path, "remove")?;
    match at {
        Value::Map(_) => at.remove(&last).ok_or_else(|| {
            format!("remove operation does not apply: doc is missing key: {path}: missing value")
        }),
        Value::List(list) => {
            let i = index(&last, list.len())?;
            if i >= list.len() {
                return Err(format!(
                    "remove operation does not apply: doc is missing path: {path:?}: Unable to access invalid index: {i}: invalid index referenced"
                ));
            }
            Ok(at.list_mut().remove(i))
        }
        _ => Err(gone()),
    }
}

fn replace(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let gone =
        || format!("replace operation does not apply: doc is missing key: {path}: missing value");
    let (at, last) = container(target, path, "replace")?;
    match at {
        Value::Map(_) if at.has(&last) => at.set(Str::from(last), value),
        Value::List(list) => {
            let i = index(&last, list.len())?;
            if i >= list.len() {
                return Err(gone());
            }
            at.list_mut()[i] = value;
        }
        _ => return Err(gone()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_do_what_rfc_6902_says() {
        let json = |text: &str| Value::from_json(text).expect(text);
        for (target, patch, result) in [
            (
                r#"{"a":1}"#,
                r#"[{"op":"add","path":"/b","value":2}]"#,
                Some(r#"{"a":1,"b":2}"#),
            ),
            (
                r#"{"a":[1,3]}"#,
                r#"[{"op":"add","path":"/a/1","value":2},{"op":"add","path":"/a/-","value":4}]"#,
                Some(r#"{"a":[1,2,3,4]}"#),
            ),
            (
                r#"{"a":{"b/c":1}}"#,
                r#"[{"op":"remove","path":"/a/b~1c"}]"#,
                Some(r#"{"a":{}}"#),
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"replace","path":"/a","value":{"x":1}}]"#,
                Some(r#"{"a":{"x":1}}"#),
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"move","from":"/a","path":"/b"},{"op":"copy","from":"/b","path":"/c"}]"#,
                Some(r#"{"b":1,"c":1}"#),
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"test","path":"/a","value":1}]"#,
                Some(r#"{"a":1}"#),
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"test","path":"/a","value":2}]"#,
                None,
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"replace","path":"/x","value":2}]"#,
                None,
            ),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"/x/y"}]"#, None),
            (r#"{"a":1}"#, r#"{"op":"add"}"#, None),
        ] {
            assert_eq!(
                apply(&json(target), &json(patch)).ok(),
                result.map(json),
                "{target} + {patch}"
            );
        }
    }
}
