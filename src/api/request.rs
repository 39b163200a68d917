//! What is asked of the API server and what it answers: the vocabulary that components, kubectl and the
//! HTTP adapter share. Plain data; `apiserver` and `client` never name each other, both speak this.

use std::sync::Arc;

use crate::{Map, Status, Str, Value};

/// Numbers a client's requests; unique per client ([`crate::Part`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A collection of the API: `apps/v1 deployments`. `group` is empty for core.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    pub group: Str,
    pub version: Str,
    pub plural: Str,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    #[default]
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    /// A GET of a path that is no resource: `/version`, `/apis`, `/openapi/v3`, … The path stands in `name`.
    GetPath,
    /// Opens a stream to a container: `exec`, `attach`, `portforward` (POST or upgraded GET of the subresource).
    Connect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    #[default]
    None,
    /// A decoded object (also `DeleteOptions`, which the adapter folds into [`Options`]).
    Object(Value),
    Patch(PatchKind, Value),
    /// Bytes and their content type, for whoever stands behind a `proxy`.
    Raw(Arc<[u8]>, Str),
    /// It could not be read: the answer, unless something else is wrong before it (permission, an unknown path).
    Unreadable(Box<Status>),
}

/// One call of the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub verb: Verb,
    pub resource: Resource,
    /// Empty for cluster-scoped resources and for lists across all namespaces.
    pub namespace: Str,
    /// Empty for collections; the path for [`Verb::GetPath`].
    pub name: Str,
    /// `status`, `scale`, `binding`, `log`, `eviction`, …; empty for the object itself.
    pub subresource: Str,
    pub body: Body,
    pub options: Options,
}

/// Query parameters and `DeleteOptions`, by their Kubernetes names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub label_selector: Str,
    pub field_selector: Str,
    /// For get, list and watch; empty means "most recent".
    pub resource_version: Str,
    pub resource_version_match: Str,
    pub limit: Option<i64>,
    pub continue_token: Str,
    pub allow_watch_bookmarks: bool,
    pub send_initial_events: Option<bool>,
    pub timeout_secs: Option<i64>,
    pub field_manager: Str,
    pub force: bool,
    pub dry_run: bool,
    /// `Ignore`, `Warn` or `Strict`; empty means the server's default (`Warn`).
    pub field_validation: Str,
    /// `Background`, `Foreground` or `Orphan`; empty means the resource's default.
    pub propagation_policy: Str,
    pub grace_period_secs: Option<i64>,
    pub precondition_uid: Option<Str>,
    pub precondition_resource_version: Option<Str>,
    /// Ask for `meta.k8s.io/v1 Table` instead of objects; `includeObject` as given (`Metadata` if empty).
    pub table: bool,
    pub include_object: Str,
    /// Paths of the body's fields in the order in which they were sent, where the body was a text. One that was sent
    /// twice stands here twice.
    pub fields_sent: Vec<Str>,
    /// Further query parameters of a subresource (`container`, `tailLines`, `command`, …), in order.
    pub query: Vec<(Str, Str)>,
    /// User-Agent: names the field manager where none is given, and shows in the trace.
    pub user_agent: Str,
    /// In whose name the caller asks (`Impersonate-User`); empty: in its own.
    pub impersonate_user: Str,
    pub impersonate_groups: Vec<Str>,
    pub impersonate_uid: Str,
    /// `Impersonate-Extra-KEY`, one pair for each value.
    pub impersonate_extra: Vec<(Str, Str)>,
}

/// What the API server answers to a [`Request`] (watch events come separately, by the request's id).
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// HTTP status code.
    pub code: u16,
    /// The object, list, `Table` or `Status`; text (logs) as a string.
    pub body: Value,
    /// Texts of `Warning` headers.
    pub warnings: Vec<Str>,
    /// The content type of a text that is not the API's own; empty for all others.
    pub media: Str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchKind {
    Added,
    Modified,
    Deleted,
    Bookmark,
    /// The object is a `Status`; the watch has ended.
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WatchEvent {
    pub kind: WatchKind,
    pub object: Value,
}

/// What comes back over a stream that a kubelet serves (logs, exec, attach).
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The answer, when nothing streams (or the refusal).
    Response(Response),
    /// The stream is open; its output follows, some time.
    Opened,
    /// Output on a channel: 1 standard output (and logs), 2 standard error.
    Data { channel: u8, text: Str },
    /// Output that is no text.
    Bytes { channel: u8, bytes: Arc<[u8]> },
    /// The stream is over; `exit_code` of the command for exec.
    End { exit_code: i32 },
}

/// What a client sends on an open stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// To standard input.
    Data(Arc<[u8]>),
    /// Standard input ends.
    End,
    /// The client's terminal has another size.
    Resize { columns: u16, rows: u16 },
}

impl Frame {
    /// Output on a channel.
    pub fn output(channel: u8, bytes: &[u8]) -> Frame {
        match std::str::from_utf8(bytes) {
            Ok(text) => Frame::Data {
                channel,
                text: Str::new(text),
            },
            Err(_) => Frame::Bytes {
                channel,
                bytes: bytes.into(),
            },
        }
    }
}

/// What arrives at a client for one of its requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    Response(Response),
    Watch(WatchEvent),
    Frame(Frame),
}

impl Resource {
    pub const fn of(group: &'static str, version: &'static str, plural: &'static str) -> Resource {
        Resource {
            group: Str::Static(group),
            version: Str::Static(version),
            plural: Str::Static(plural),
        }
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> Str {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version).into()
        }
    }

    /// `pods` or `deployments.apps`.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

impl Request {
    pub fn new(
        verb: Verb,
        resource: &Resource,
        namespace: impl Into<Str>,
        name: impl Into<Str>,
    ) -> Request {
        Request {
            verb,
            resource: resource.clone(),
            namespace: namespace.into(),
            name: name.into(),
            ..Request::default()
        }
    }

    pub fn get(resource: &Resource, namespace: impl Into<Str>, name: impl Into<Str>) -> Request {
        Request::new(Verb::Get, resource, namespace, name)
    }

    pub fn list(resource: &Resource, namespace: impl Into<Str>) -> Request {
        Request::new(Verb::List, resource, namespace, "")
    }

    pub fn watch(
        resource: &Resource,
        namespace: impl Into<Str>,
        resource_version: impl Into<Str>,
    ) -> Request {
        let mut request = Request::new(Verb::Watch, resource, namespace, "");
        request.options.resource_version = resource_version.into();
        request.options.allow_watch_bookmarks = true;
        request
    }

    /// Creates `object` in `namespace`.
    pub fn create(resource: &Resource, namespace: impl Into<Str>, object: Value) -> Request {
        Request {
            body: Body::Object(object),
            ..Request::new(Verb::Create, resource, namespace, "")
        }
    }

    /// Replaces the object that has `object`'s name and namespace.
    pub fn update(resource: &Resource, object: Value) -> Request {
        let (namespace, name) = (
            object.get("metadata").shared_str("namespace"),
            object.get("metadata").shared_str("name"),
        );
        Request {
            body: Body::Object(object),
            ..Request::new(Verb::Update, resource, namespace, name)
        }
    }

    pub fn patch(
        resource: &Resource,
        namespace: impl Into<Str>,
        name: impl Into<Str>,
        kind: PatchKind,
        patch: Value,
    ) -> Request {
        Request {
            body: Body::Patch(kind, patch),
            ..Request::new(Verb::Patch, resource, namespace, name)
        }
    }

    pub fn delete(resource: &Resource, namespace: impl Into<Str>, name: impl Into<Str>) -> Request {
        Request::new(Verb::Delete, resource, namespace, name)
    }

    /// A GET of a path that is no resource.
    pub fn path(path: impl Into<Str>) -> Request {
        Request {
            verb: Verb::GetPath,
            name: path.into(),
            ..Request::default()
        }
    }

    pub fn subresource(mut self, subresource: impl Into<Str>) -> Request {
        self.subresource = subresource.into();
        self
    }

    pub fn labels(mut self, selector: impl Into<Str>) -> Request {
        self.options.label_selector = selector.into();
        self
    }

    pub fn fields(mut self, selector: impl Into<Str>) -> Request {
        self.options.field_selector = selector.into();
        self
    }

    /// The path of the REST API that this request asks, without the query.
    pub fn url_path(&self) -> String {
        if self.verb == Verb::GetPath {
            return self.name.to_string();
        }
        let mut path = if self.resource.group.is_empty() {
            format!("/api/{}", self.resource.version)
        } else {
            format!("/apis/{}/{}", self.resource.group, self.resource.version)
        };
        let is_namespace = self.resource.plural == "namespaces" && self.resource.group.is_empty();
        if !self.namespace.is_empty() && !is_namespace {
            path += &format!("/namespaces/{}", self.namespace);
        }
        path += &format!("/{}", self.resource.plural);
        for part in [&self.name, &self.subresource] {
            if !part.is_empty() {
                path.push('/');
                path += part;
            }
        }
        path
    }

    /// The HTTP method.
    pub fn method(&self) -> &'static str {
        match self.verb {
            Verb::Get | Verb::List | Verb::Watch | Verb::GetPath => "GET",
            Verb::Create | Verb::Connect => "POST",
            Verb::Update => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete | Verb::DeleteCollection => "DELETE",
        }
    }
}

impl Response {
    pub fn ok(body: Value) -> Response {
        Response {
            code: 200,
            body,
            warnings: Vec::new(),
            media: Str::EMPTY,
        }
    }

    pub fn created(body: Value) -> Response {
        Response {
            code: 201,
            body,
            warnings: Vec::new(),
            media: Str::EMPTY,
        }
    }

    pub fn is_success(&self) -> bool {
        self.code < 400
    }

    /// `Status.reason` of a failure (`NotFound`, `Conflict`, `AlreadyExists`, …); empty on success.
    pub fn reason(&self) -> &str {
        if self.is_success() {
            ""
        } else {
            self.body.str("reason")
        }
    }

    /// `Status.message` of a failure; empty on success.
    pub fn message(&self) -> &str {
        if self.is_success() {
            ""
        } else {
            self.body.str("message")
        }
    }
}

impl WatchKind {
    pub fn as_str(self) -> &'static str {
        match self {
            WatchKind::Added => "ADDED",
            WatchKind::Modified => "MODIFIED",
            WatchKind::Deleted => "DELETED",
            WatchKind::Bookmark => "BOOKMARK",
            WatchKind::Error => "ERROR",
        }
    }
}

impl WatchEvent {
    /// The event as the watch stream's JSON has it.
    pub fn to_value(&self) -> Value {
        let mut map = Map::default();
        map.insert("type", self.kind.as_str());
        map.insert("object", &self.object);
        Value::from(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_the_rest_api() {
        let pods = Resource::of("", "v1", "pods");
        let deployments = Resource::of("apps", "v1", "deployments");
        for (request, url) in [
            (Request::list(&pods, ""), "/api/v1/pods"),
            (
                Request::get(&pods, "default", "web").subresource("status"),
                "/api/v1/namespaces/default/pods/web/status",
            ),
            (
                Request::get(&deployments, "default", "web"),
                "/apis/apps/v1/namespaces/default/deployments/web",
            ),
            (
                Request::get(&Resource::of("", "v1", "namespaces"), "", "default"),
                "/api/v1/namespaces/default",
            ),
            (Request::path("/version"), "/version"),
        ] {
            assert_eq!(request.url_path(), url);
        }
    }
}
