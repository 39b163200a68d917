//! One request on its way: the kind it speaks of and everything else that its handling asks for.

use std::ops::Deref;
use std::sync::Arc;

use api::kinds::{self, Kind};
use api::{Options, Part, Request, Resource, Status, Str, Value, Verb};
use sim::Time;
use store::{Collection, Key};

use crate::kinds::Rules;
use crate::{ApiServer, Caller, User, collection_name};

/// A request for a resource, resolved.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) kind: KindRef,
    pub(crate) api_version: Str,
    pub(crate) rules: &'static Rules,
    pub(crate) collection: Collection,
    pub(crate) verb: Verb,
    pub(crate) namespace: Str,
    pub(crate) name: Str,
    pub(crate) subresource: Str,
    pub(crate) options: &'a Options,
    pub(crate) part: Part,
    pub(crate) user: &'a User,
    pub(crate) now: Time,
    /// Whether the body is a server-side apply.
    pub(crate) is_apply: bool,
    /// Texts for `Warning` headers.
    pub(crate) warnings: Vec<Str>,
}

/// A kind that is served: one of Kubernetes' own, or a custom one.
#[derive(Clone, Debug)]
pub(crate) enum KindRef {
    BuiltIn(&'static Kind),
    Custom(Arc<Kind>),
}

impl Deref for KindRef {
    type Target = Kind;
    fn deref(&self) -> &Kind {
        match self {
            KindRef::BuiltIn(kind) => kind,
            KindRef::Custom(kind) => kind,
        }
    }
}

impl ApiServer {
    /// The kind that is served under a resource.
    pub(crate) fn kind_of(&self, resource: &Resource) -> Option<KindRef> {
        let is_served = resource.group != *kinds::METRICS_GROUP || self.serves_metrics();
        let built_in = kinds::of(resource).filter(|_| is_served);
        let built_in = built_in.map(KindRef::BuiltIn);
        built_in.or_else(|| self.custom_kind(resource))
    }

    /// Finds the kind and checks that the path and the verb exist.
    pub(crate) fn call<'a>(
        &mut self,
        caller: &'a Caller,
        request: &'a Request,
    ) -> Result<Call<'a>, Status> {
        let kind = self
            .kind_of(&request.resource)
            .ok_or_else(|| self.nothing_there(&request.resource.group))?;
        if !request.namespace.is_empty() && !kind.namespaced && kind.plural != "namespaces" {
            return Err(no_such_path());
        }
        let allowed = if request.subresource.is_empty() {
            kind.verbs.allows(request.verb)
        } else {
            let Some(sub) = kind.subresource(&request.subresource) else {
                return Err(no_such_path());
            };
            sub.verbs.allows(request.verb)
        };
        // Only collections across namespaces may leave the namespace out.
        let needs_namespace = kind.namespaced
            && request.namespace.is_empty()
            && !matches!(request.verb, Verb::List | Verb::Watch);
        if !allowed || needs_namespace {
            return Err(Status::method_not_allowed());
        }
        let collection = self.store.collection(&collection_name(&request.resource));
        let rules = match kind {
            KindRef::BuiltIn(kind) => crate::kinds::rules(&kind.group, &kind.kind),
            KindRef::Custom(_) => &crate::kinds::CUSTOM,
        };
        Ok(Call {
            api_version: kind.api_version(),
            namespace: if kind.namespaced {
                request.namespace.clone()
            } else {
                Str::EMPTY
            },
            name: request.name.clone(),
            subresource: request.subresource.clone(),
            rules,
            collection,
            verb: request.verb,
            options: &request.options,
            part: caller.part,
            user: &caller.user,
            now: self.now,
            is_apply: crate::patch::body_is_apply(&request.body),
            warnings: Vec::new(),
            kind,
        })
    }
}

impl ApiServer {
    /// What an unknown resource or version of a group answers; groups that users add are no part of the REST tree.
    pub(crate) fn nothing_there(&self, group: &str) -> Status {
        let is_own = group != kinds::METRICS_GROUP || self.serves_metrics();
        if is_own && kinds::all().iter().any(|kind| kind.group == *group) {
            no_such_path()
        } else {
            no_such_page()
        }
    }
}

impl Call<'_> {
    pub(crate) fn plural(&self) -> Str {
        self.kind.plural.clone()
    }

    /// The key of the object that the path names.
    pub(crate) fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.options.dry_run
    }

    /// Whether the caller is one of the cluster's own parts, whose objects are typed already.
    pub(crate) fn is_trusted(&self) -> bool {
        !matches!(self.part, Part::Client(_))
    }

    pub(crate) fn not_found(&self) -> Status {
        Status::not_found(&self.kind.group, &self.kind.plural, &self.name)
    }

    pub(crate) fn warn(&mut self, text: impl Into<Str>) {
        self.warnings.push(text.into());
    }

    /// 422 with all `problems` if there are any.
    pub(crate) fn check(
        &self,
        object: &Value,
        problems: Vec<api::status::Problem>,
    ) -> Result<(), Status> {
        if problems.is_empty() {
            return Ok(());
        }
        let name = object.path("metadata.name").as_str().unwrap_or_default();
        Err(Status::invalid(
            &self.kind.group,
            &self.kind.kind,
            name,
            &problems,
        ))
    }
}

/// What a path answers that no part of the server knows. Without details: HTTP shows it as a page of text, which
/// clients turn into this very message.
pub(crate) fn no_such_page() -> Status {
    Status::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    )
}

/// What an unknown path answers in the REST part of the API.
pub(crate) fn no_such_path() -> Status {
    Status::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    )
    .with_details(Value::empty_map())
}
