//! Bodies: JSON and YAML objects, the four kinds of patch, and `DeleteOptions`.

use api::kinds;
use api::{Body, PatchKind, Request, Status, Str, Value, Verb};

use super::HttpRequest;
use super::fields::fields_of;

/// `MaxRequestBodyBytes`: what etcd takes, with room for the encoding.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// Reads the body into the request.
pub(super) fn read(http: &HttpRequest, request: &mut Request) -> Result<(), Status> {
    if http.body.is_empty() {
        return Ok(());
    }
    if http.body.len() > MAX_BODY {
        return Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {MAX_BODY}"),
        ));
    }
    let content_type = http.header("content-type").unwrap_or("application/json");
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    match request.verb {
        Verb::Patch => patch(http, content_type, request),
        Verb::Delete | Verb::DeleteCollection => delete_options(http, content_type, request),
        Verb::Create | Verb::Update => {
            request.body = Body::Object(object(http, content_type, request)?);
            if content_type == "application/json" {
                request.options.fields_sent = fields_of(&text_of(http)?);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn object(http: &HttpRequest, content_type: &str, request: &Request) -> Result<Value, Status> {
    let is_known = matches!(content_type, "application/json" | "application/yaml");
    let text = if is_known {
        text_of(http)?
    } else {
        String::new()
    };
    let kind = kind_name(request);
    let value = match content_type {
        "application/json" => Value::from_json(&text)
            .map_err(|error| unrecognized(&kind, &text, &json_error(&error, &text)))?,
        "application/yaml" => yaml(&text).map_err(|error| unrecognized(&kind, &text, &error))?,
        _ => {
            return Err(Status::new(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
            ));
        }
    };
    if value.is_map() {
        for field in ["apiVersion", "kind"] {
            let found = value.get(field);
            if !found.is_null() && found.as_str().is_none() {
                let what = match found {
                    Value::List(_) => "array",
                    Value::Bool(_) => "bool",
                    Value::Map(_) => "object",
                    _ => "number",
                };
                let error = format!(
                    "json: cannot unmarshal {what} into Go struct field .{field} of type string"
                );
                return Err(unrecognized(&kind, &text, &error));
            }
        }
        return Ok(value);
    }
    let what = match value {
        Value::List(_) => "array",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        _ => "null",
    };
    let error = format!(
        "json: cannot unmarshal {what} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    );
    Err(unrecognized(&kind, &text, &error))
}

fn patch(http: &HttpRequest, content_type: &str, request: &mut Request) -> Result<(), Status> {
    let kind = match content_type {
        "application/json-patch+json" => PatchKind::Json,
        "application/merge-patch+json" => PatchKind::Merge,
        "application/strategic-merge-patch+json" => PatchKind::Strategic,
        "application/apply-patch+yaml" => PatchKind::Apply,
        _ => {
            return Err(
                Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
                    .with_details(Value::empty_map()),
            );
        }
    };
    let text = text_of(http)?;
    let value = if kind == PatchKind::Apply {
        yaml(&text).map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?
    } else {
        Value::from_json(&text).map_err(|error| Status::bad_request(json_error(&error, &text)))?
    };
    request.body = Body::Patch(kind, value);
    Ok(())
}

fn delete_options(
    http: &HttpRequest,
    content_type: &str,
    request: &mut Request,
) -> Result<(), Status> {
    let value = object(http, content_type, request)?;
    let options = &mut request.options;
    if let Some(secs) = value.int("gracePeriodSeconds") {
        options.grace_period_secs = Some(secs);
    }
    if let Some(policy) = value.get("propagationPolicy").as_shared_str() {
        options.propagation_policy = policy.clone();
    }
    if let Some(orphan) = value.get("orphanDependents").as_bool() {
        options.propagation_policy = if orphan { "Orphan" } else { "Background" }.into();
    }
    let conditions = value.get("preconditions");
    let condition = |field: &str| conditions.get(field).as_shared_str().cloned();
    options.precondition_uid = condition("uid");
    options.precondition_resource_version = condition("resourceVersion");
    for item in value.get("dryRun").items() {
        match item.as_str() {
            Some("All") => options.dry_run = true,
            other => {
                let other = Str::new(other.unwrap_or_default());
                options.query.push(("dryRun".into(), other));
            }
        }
    }
    Ok(())
}

fn text_of(http: &HttpRequest) -> Result<String, Status> {
    String::from_utf8(http.body.clone())
        .map_err(|_| Status::bad_request("the body is not valid UTF-8"))
}

/// YAML as the API server reads it: one document.
fn yaml(text: &str) -> Result<Value, String> {
    api::yaml::load(text).map_err(|error| error.to_string())
}

fn kind_name(request: &Request) -> String {
    if matches!(request.verb, Verb::Delete | Verb::DeleteCollection) {
        return "DeleteOptions".to_owned();
    }
    kinds::of(&request.resource).map_or_else(String::new, |kind| kind.kind.to_string())
}

/// What Go's decoder says of broken JSON.
fn json_error(error: &serde_json::Error, text: &str) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let found: String = text[at..].chars().take(1).collect();
    format!("invalid character '{found}' looking for beginning of value")
}

fn unrecognized(kind: &str, text: &str, error: &str) -> Status {
    // Long bodies are cut, short ones that are no objects are shown in hexadecimal.
    let shown = if text.len() > 30 {
        let mut end = 30;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        format!("{} ...", &text[..end])
    } else if text.starts_with('{') {
        text.to_owned()
    } else {
        text.bytes().map(|b| format!("{b:02x}")).collect()
    };
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {error} ({shown})"
    ))
}
