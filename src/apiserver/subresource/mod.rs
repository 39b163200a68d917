//! The parts of objects that have a path of their own: status, scale, binding, eviction, log, …

mod binding;
mod eviction;
mod finalize;
pub(crate) mod scale;
mod stream;
mod token;

use api::{Request, Status, Str, Verb};

use crate::call::{Call, no_such_path};
use crate::{ApiServer, Reply, object_of};

impl ApiServer {
    pub(crate) fn subresource(
        &mut self,
        call: &mut Call,
        request: &Request,
    ) -> Result<Reply, Status> {
        let response = match (call.subresource.as_str(), request.verb) {
            ("log" | "exec" | "attach" | "portforward", _) => return self.stream(call),
            ("proxy", _) => return self.lead_on(call, request),
            ("scale", _) => self.scale(call, request)?,
            ("binding", Verb::Create) => self.bind(call, object_of(request)?)?,
            ("eviction", Verb::Create) => self.evict(call, object_of(request)?)?,
            ("token", Verb::Create) => self.create_token(call, object_of(request)?)?,
            ("finalize", Verb::Update) => self.finalize(call, object_of(request)?)?,
            ("status" | "ephemeralcontainers" | "resize" | "approval", Verb::Get) => {
                self.get(call)?
            }
            ("status" | "ephemeralcontainers" | "resize" | "approval", Verb::Update) => {
                self.update(call, object_of(request)?)?
            }
            ("status" | "ephemeralcontainers" | "resize" | "approval", Verb::Patch) => {
                self.patch(call, &request.body)?
            }
            _ => return Err(no_such_path()),
        };
        Ok(Reply::Done(response))
    }

    /// `[http:|https:]NAME[:PORT]/proxy/…`: the network answers, if there is such a thing. Kubelets have no such API here.
    fn lead_on(&self, call: &Call, request: &Request) -> Result<Reply, Status> {
        let plural = &call.kind.plural;
        if plural == "nodes" {
            return Err(no_such_path());
        }
        let Some(place) = Place::of(&request.name) else {
            return Err(Status::bad_request(format!(
                "invalid {} request {:?}",
                call.kind.singular, request.name
            )));
        };
        if self
            .object(plural, &request.namespace, &Str::new(place.name))
            .is_none()
        {
            return Err(Status::not_found("", plural, place.name));
        }
        Ok(Reply::Extension {
            request: Box::new(request.clone()),
        })
    }
}

/// Where a `proxy` leads: `web`, `web:80`, `https:web:tls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub is_tls: bool,
    pub name: &'a str,
    /// A number, a name, or nothing.
    pub port: &'a str,
}

impl Place<'_> {
    pub fn of(text: &str) -> Option<Place<'_>> {
        let words: Vec<&str> = text.split(':').collect();
        let (scheme, name, port) = match words[..] {
            [name] => ("", name, ""),
            [name, port] => ("", name, port),
            [scheme @ ("" | "http" | "https"), name, port] => (scheme, name, port),
            _ => return None,
        };
        (!name.is_empty()).then_some(Place {
            is_tls: scheme == "https",
            name,
            port,
        })
    }
}
