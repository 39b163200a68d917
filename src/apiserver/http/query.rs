//! Query strings: decoding, and the parameters that the API knows.

use api::{Request, Status, Str, Verb};

/// The pairs of a query string, in order, decoded.
pub fn parse_query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                percent_decode(&key.replace('+', " ")),
                percent_decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// Undoes `%XX`; what is no valid escape stays as it is.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Fills the request's options from its query.
pub(super) fn options(pairs: &[(String, String)], request: &mut Request) -> Result<(), Status> {
    if request.verb == Verb::GetPath {
        let all = pairs.iter().map(|(k, v)| (Str::new(k), Str::new(v)));
        request.options.query = all.collect();
        return Ok(());
    }
    let options = &mut request.options;
    for (key, value) in pairs {
        let number = || {
            value.parse::<i64>().map_err(|_| {
                Status::bad_request(format!(
                    "strconv.ParseInt: parsing {value:?}: invalid syntax"
                ))
            })
        };
        let flag = matches!(value.as_str(), "true" | "1" | "");
        match key.as_str() {
            "labelSelector" => options.label_selector = Str::new(value),
            "fieldSelector" => options.field_selector = Str::new(value),
            "resourceVersion" => options.resource_version = Str::new(value),
            "resourceVersionMatch" => options.resource_version_match = Str::new(value),
            "limit" => options.limit = Some(number()?),
            "continue" => options.continue_token = Str::new(value),
            "allowWatchBookmarks" => options.allow_watch_bookmarks = flag,
            "sendInitialEvents" => options.send_initial_events = Some(flag),
            "timeoutSeconds" => options.timeout_secs = Some(number()?),
            "watch" | "pretty" => {}
            "fieldManager" => options.field_manager = Str::new(value),
            "force" => options.force = flag,
            "dryRun" if value == "All" => options.dry_run = true,
            "fieldValidation" => options.field_validation = Str::new(value),
            "propagationPolicy" => options.propagation_policy = Str::new(value),
            "orphanDependents" => {
                options.propagation_policy = if flag { "Orphan" } else { "Background" }.into();
            }
            "gracePeriodSeconds" => options.grace_period_secs = Some(number()?),
            "includeObject" => options.include_object = Str::new(value),
            _ => options.query.push((Str::new(key), Str::new(value))),
        }
    }
    Ok(())
}
