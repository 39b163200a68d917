//! Bodies of writes: the right kind and version, the right types, no unknown fields.

use std::collections::BTreeMap;

use api::decode::decode;
use api::status::Problem;
use api::{Status, Str, Value, schema};

use crate::call::Call;

/// An object that a client sent with POST or PUT.
pub(crate) fn object(call: &mut Call, mut body: Value) -> Result<Value, Status> {
    let kind = &call.kind;
    let (api_version, kind_name) = (body.shared_str("apiVersion"), body.shared_str("kind"));
    if !kind_name.is_empty() && kind_name != kind.kind {
        return Err(Status::bad_request(format!(
            "{kind_name} in version {:?} cannot be handled as a {}: converting ({}) to ({}): unknown conversion",
            kind.version,
            kind.kind,
            go_type(&api_version, &kind_name),
            internal_type(kind),
        )));
    }
    if !api_version.is_empty() && api_version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if api_version.is_empty() {
        body.set("apiVersion", kind.api_version());
    }
    if kind_name.is_empty() {
        body.set("kind", kind.kind.clone());
    }
    typed(call, body)
}

/// An object that a patch has made.
///
/// What the patch left alone (the same shared parts as in `before`) is typed already and not looked at again.
pub(crate) fn patched(call: &mut Call, mut object: Value, before: &Value) -> Result<Value, Status> {
    let mut untouched: Vec<(Str, Value)> = Vec::new();
    for (field, value) in before.entries().iter() {
        if value.is_map() && *field != "metadata" && object.get(field).is_same(value) {
            untouched.push((field.clone(), value.clone()));
        }
    }
    for (field, _) in &untouched {
        object.remove(field);
    }
    let mut object = whole(call, object, &untouched)?;
    for (field, value) in untouched {
        object.set(field, value);
    }
    Ok(object)
}

fn whole(call: &mut Call, object: Value, untouched: &[(Str, Value)]) -> Result<Value, Status> {
    let shown = object.clone();
    // The patch is to blame, so the answer shows the whole object that it would have made.
    typed(call, object).map_err(|why| {
        let prefix = format!(
            "{} in version {:?} cannot be handled as a {}: ",
            call.kind.kind, call.kind.version, call.kind.kind
        );
        let why = why.0.message.trim_start_matches(&prefix).to_owned();
        let mut shown = shown;
        for (field, value) in untouched {
            shown.set(field.clone(), value.clone());
        }
        let problem = Problem::invalid("patch", &Value::from(shown.to_json()), &why);
        Status::invalid("", "", "", &[problem])
    })
}

/// Checks the types and drops what the schema does not know, as the caller's field validation says.
fn typed(call: &mut Call, mut object: Value) -> Result<Value, Status> {
    let kind = &call.kind;
    let Some(schema) = schema::of_kind(&kind.group, &kind.version, &kind.kind) else {
        return custom(call, object);
    };
    let refused = |why: &str| {
        Status::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {why}",
            kind.kind, kind.version, kind.kind
        ))
    };
    if object.get("metadata").is_null() {
        object.set("metadata", Value::empty_map());
    }
    let mut decoded = decode(schema, &object).map_err(|error| refused(&error.0))?;
    if !call.options.fields_sent.is_empty() {
        decoded.problems = in_order(decoded.problems, &call.options.fields_sent);
    }
    if !decoded.problems.is_empty() {
        match call.options.field_validation.as_str() {
            "Ignore" => {}
            "Strict" => {
                let error = decoded.strict_error().unwrap_or_default();
                return Err(refused(&error));
            }
            _ => {
                for problem in decoded.problems {
                    call.warn(problem);
                }
            }
        }
    }
    Ok(decoded.value)
}

/// Problems with fields in the order in which the fields were sent, with those that were sent twice.
pub(crate) fn in_order(problems: Vec<String>, sent: &[Str]) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, path) in sent.iter().enumerate() {
        if seen.contains_key(path.as_str()) {
            found.push((at, format!("duplicate field {:?}", path.as_str())));
        }
        seen.entry(path).or_insert(at);
    }
    if found.is_empty() && problems.is_empty() {
        return problems;
    }
    for problem in problems {
        let path = problem.split('"').nth(1).unwrap_or_default();
        let at = seen.get(path).copied().unwrap_or(usize::MAX);
        found.push((at, problem));
    }
    found.sort();
    found.into_iter().map(|(_, problem)| problem).collect()
}

/// A custom object: only its metadata has a type of ours.
fn custom(call: &mut Call, mut object: Value) -> Result<Value, Status> {
    let Some(of) =
        schema::of_kind("", "v1", "ConfigMap").and_then(|of| schema::at(of, &["metadata"]))
    else {
        return Ok(object);
    };
    if let Some(of) = of.object() {
        let decoded =
            decode(of, object.get("metadata")).map_err(|error| Status::bad_request(error.0))?;
        for problem in decoded.problems {
            call.warn(problem);
        }
        object.set("metadata", decoded.value);
    }
    Ok(object)
}

/// `v1.Secret`: a type of the versioned API as Go prints it.
fn go_type(api_version: &str, kind: &str) -> String {
    let (_, version) = api::kinds::split_api_version(api_version);
    format!("{version}.{kind}")
}

/// `core.ConfigMap`: a type of the internal API as Go prints it.
fn internal_type(kind: &api::kinds::Kind) -> String {
    let group = match kind.group.split('.').next() {
        None | Some("") => "core",
        Some(group) => group,
    };
    format!("{group}.{}", kind.kind)
}
