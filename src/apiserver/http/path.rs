//! Paths and methods: `/apis/apps/v1/namespaces/default/deployments/web/scale` and what PUT means there.
//!
//! Models `apiserver/pkg/endpoints/request/requestinfo.go`.

use api::{Request, Resource, Status, Str, Verb};

use super::percent_decode;

/// Subresources that open a stream.
const STREAMS: [&str; 3] = ["exec", "attach", "portforward"];

pub(super) fn parse(
    method: &str,
    path: &str,
    query: &[(String, String)],
) -> Result<Request, Status> {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(percent_decode)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, mut rest) = match parts[..] {
        ["api", version, ref rest @ ..] if !rest.is_empty() => ("", version, rest),
        ["apis", group, version, ref rest @ ..] if !rest.is_empty() => (group, version, rest),
        _ => return non_resource(method, path, &parts),
    };
    let mut is_watch = query
        .iter()
        .any(|(key, value)| key == "watch" && matches!(value.as_str(), "true" | "1" | ""));
    // The old form: /api/v1/watch/namespaces/x/pods.
    if rest.first() == Some(&"watch") && rest.len() > 1 {
        is_watch = true;
        rest = &rest[1..];
    }
    // `namespaces/x/status` and `namespaces/x/finalize` are parts of the namespace, not collections in it.
    let is_of_namespace = |name: &str| matches!(name, "status" | "finalize");
    let (namespace, rest) = match rest {
        ["namespaces", namespace, more @ ..]
            if !matches!(more, [] | [_]) || more.iter().any(|name| !is_of_namespace(name)) =>
        {
            (*namespace, more)
        }
        rest => ("", rest),
    };
    let resource = Resource {
        group: Str::new(group),
        version: Str::new(version),
        plural: Str::new(rest.first().copied().unwrap_or_default()),
    };
    let name = rest.get(1).copied().unwrap_or_default();
    let subresource = rest.get(2).copied().unwrap_or_default();
    let verb = verb_of(method, name, subresource, is_watch)?;
    let mut request = Request {
        subresource: Str::new(subresource),
        ..Request::new(verb, &resource, Str::new(namespace), Str::new(name))
    };
    if rest.len() > 3 {
        let more = ("path".into(), Str::from(rest[3..].join("/")));
        request.options.query.push(more);
    }
    Ok(request)
}

fn verb_of(method: &str, name: &str, subresource: &str, is_watch: bool) -> Result<Verb, Status> {
    let is_stream = STREAMS.contains(&subresource);
    Ok(match method {
        "GET" if is_stream => Verb::Connect,
        "GET" if is_watch => Verb::Watch,
        "GET" if name.is_empty() => Verb::List,
        "GET" => Verb::Get,
        "POST" if is_stream => Verb::Connect,
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" => Verb::Patch,
        "DELETE" if name.is_empty() => Verb::DeleteCollection,
        "DELETE" => Verb::Delete,
        _ => return Err(Status::method_not_allowed()),
    })
}

/// A path that is no resource can only be read.
fn non_resource(method: &str, path: &str, parts: &[&str]) -> Result<Request, Status> {
    if method == "GET" {
        return Ok(Request::path(Str::new(path)));
    }
    match parts {
        ["api", _] | ["apis", _, _] | ["api"] | ["apis"] => Err(Status::method_not_allowed()),
        _ => Err(crate::call::no_such_page()),
    }
}
