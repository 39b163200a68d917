//! The parts of objects that have a path of their own: status, scale, binding, eviction, log, …

mod binding;
mod eviction;
mod finalize;
pub(crate) mod scale;
mod stream;
mod token;

use api::{Request, Status, Verb};

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
}
