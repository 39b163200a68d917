//! The HTTP shape of the API, without sockets: bytes in, bytes out.
//!
//! [`parse`] turns a method, path, headers and body into a [`api::Request`]; [`encode`] turns an answer into bytes
//! as a real API server would send them. Adapters with sockets and tests that replay recordings share it.
//! Models `endpoints/request`, `endpoints/handlers/negotiation` and the serializers of apimachinery.

mod body;
mod fields;
mod path;
mod query;

use api::kinds;
use api::{Body, Options, Request, Response, Status, Str, Value, Verb};

pub use query::{parse_query, percent_decode};

/// One HTTP request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpRequest {
    pub method: String,
    /// As on the request line: `/api/v1/pods?limit=5`.
    pub path_and_query: String,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One HTTP response. A watch has no body; its events follow as lines, see [`encode_event`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Content types of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    #[default]
    Json,
    Yaml,
}

/// What a request asks for, and how it wants to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub request: Request,
    pub accept: Media,
}

impl HttpRequest {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads an HTTP request. The error is an answer already.
pub fn parse(http: &HttpRequest) -> Result<Parsed, Status> {
    let (path, query_text) = http
        .path_and_query
        .split_once('?')
        .unwrap_or((&http.path_and_query, ""));
    let pairs = parse_query(query_text);
    let accept = Accept::of(http.header("accept").unwrap_or("*/*"))?;
    let mut request = path::parse(&http.method, path, &pairs)?;
    let is_proxied = request.subresource == *"proxy";
    if is_proxied {
        proxied(path, query_text, &mut request);
    } else {
        query::options(&pairs, &mut request)?;
    }
    request.options.user_agent = Str::new(http.header("user-agent").unwrap_or_default());
    accept.apply(&mut request.options);
    impersonation(http, &mut request.options);
    if is_proxied {
        let media = http.header("content-type").unwrap_or_default();
        request.body = Body::Raw(http.body.as_slice().into(), Str::new(media));
    } else if let Err(status) = body::read(http, &mut request) {
        request.body = Body::Unreadable(Box::new(status));
    }
    Ok(Parsed {
        request,
        accept: accept.media,
    })
}

/// What stands behind a `proxy` gets the rest of the path and the query as they were sent.
fn proxied(path: &str, query: &str, request: &mut Request) {
    let rest = path
        .split_once("/proxy")
        .map_or("", |(_, rest)| rest)
        .trim_start_matches('/');
    let mark = if query.is_empty() { "" } else { "?" };
    request.options.query = vec![("path".into(), format!("/{rest}{mark}{query}").into())];
}

/// The `Impersonate-…` headers.
fn impersonation(http: &HttpRequest, options: &mut Options) {
    for (name, value) in &http.headers {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("impersonate-") {
            Some("user") => options.impersonate_user = Str::new(value),
            Some("uid") => options.impersonate_uid = Str::new(value),
            Some("group") => options.impersonate_groups.push(Str::new(value)),
            Some(other) => {
                if let Some(key) = other.strip_prefix("extra-") {
                    let key = percent_decode(key).into();
                    options.impersonate_extra.push((key, Str::new(value)));
                }
            }
            None => {}
        }
    }
}

/// What a GET of `path` (with its query) asks for, if it is a resource.
pub(crate) fn resource_of(path: &str) -> Result<Option<Request>, Status> {
    let (path, query_text) = path.split_once('?').unwrap_or((path, ""));
    let pairs = parse_query(query_text);
    let mut request = path::parse("GET", path, &pairs)?;
    if request.subresource == *"proxy" {
        self::proxied(path, query_text, &mut request);
    } else {
        query::options(&pairs, &mut request)?;
    }
    Ok((request.verb != api::Verb::GetPath).then_some(request))
}

/// An answer as bytes.
pub fn encode(request: &Request, accept: Media, response: &Response) -> HttpResponse {
    let mut headers = Vec::new();
    for warning in &response.warnings {
        headers.push((
            "warning".to_owned(),
            format!("299 - {:?}", warning.as_str()),
        ));
    }
    let (content_type, body) = match &response.body {
        Value::Str(text) => ("text/plain; charset=utf-8", text.as_bytes().to_vec()),
        // A path that nobody knows: a page, not an object.
        value if response.code == 404 && value.str("kind") == "Status" && !value.has("details") => {
            (
                "text/plain; charset=utf-8",
                b"404 page not found\n".to_vec(),
            )
        }
        value => {
            let value = for_wire(request, value);
            match accept {
                Media::Json => {
                    let mut text = value.to_json();
                    text.push('\n');
                    ("application/json", text.into_bytes())
                }
                Media::Yaml => ("application/yaml", api::yaml::emit(&value).into_bytes()),
            }
        }
    };
    let mut content_type = if response.media.is_empty() {
        content_type.to_owned()
    } else {
        response.media.to_string()
    };
    if response.body.str("kind") == "APIGroupDiscoveryList" {
        content_type += ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    }
    headers.push(("content-type".to_owned(), content_type));
    HttpResponse {
        status: response.code,
        headers,
        body,
    }
}

/// One event of a watch as a line of its stream.
pub fn encode_event(event: &api::WatchEvent) -> Vec<u8> {
    let mut line = event.to_value().to_json();
    line.push('\n');
    line.into_bytes()
}

/// Lists carry kind and version once, not in each item.
fn for_wire(request: &Request, value: &Value) -> Value {
    let is_list = matches!(request.verb, Verb::List | Verb::DeleteCollection)
        && value.has("items")
        && value.str("kind") != "PartialObjectMetadataList"
        && kinds::of(&request.resource).is_some();
    if !is_list {
        return value.clone();
    }
    let items: Vec<Value> = value
        .get("items")
        .items()
        .iter()
        .map(|item| {
            let mut item = item.clone();
            item.remove("kind");
            item.remove("apiVersion");
            item
        })
        .collect();
    let mut value = value.clone();
    value.set("items", items);
    value
}

/// What `Accept` asks for.
struct Accept {
    media: Media,
    /// `Table`, `PartialObjectMetadata`, `APIGroupDiscoveryList`, …
    form: Option<String>,
}

impl Accept {
    fn of(header: &str) -> Result<Accept, Status> {
        for clause in header.split(',') {
            let mut parts = clause.split(';').map(str::trim);
            let media = match parts.next().unwrap_or_default() {
                "application/json" | "*/*" | "application/*" | "" => Media::Json,
                "application/yaml" => Media::Yaml,
                _ => continue,
            };
            let (mut form, mut version) = (None, "");
            for part in parts {
                match part.split_once('=') {
                    Some(("as", name)) => form = Some(name),
                    Some(("v", name)) => version = name,
                    _ => {}
                }
            }
            // A form that is not known is passed over for the next clause.
            let is_known = match form {
                None | Some("") => true,
                Some("Table" | "PartialObjectMetadata" | "PartialObjectMetadataList") => {
                    matches!(version, "" | "v1" | "v1beta1")
                }
                Some("APIGroupDiscoveryList") => matches!(version, "" | "v2"),
                Some(_) => false,
            };
            if is_known {
                return Ok(Accept {
                    media,
                    form: form.filter(|form| !form.is_empty()).map(str::to_owned),
                });
            }
        }
        Err(Status::new(
            406,
            "NotAcceptable",
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )
        .with_details(Value::empty_map()))
    }

    fn apply(&self, options: &mut Options) {
        match self.form.as_deref() {
            Some("Table") => options.table = true,
            Some(form) => options.query.push(("as".into(), Str::new(form))),
            None => {}
        }
    }
}
