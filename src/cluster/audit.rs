//! The audit: who from outside asked the API server for what, and how it was decided, as notes of the trace.
//!
//! The cluster's own parts are not in it: what they send is in the trace anyway. Models the `Metadata` level of
//! `apiserver/pkg/audit` at its stage `ResponseComplete`.

use api::note::{Key, Note};
use api::{Part, Request, RequestId};
use apiserver::{Caller, Reply};
use sim::NoteId;

use crate::Cluster;
use crate::links::name_of;

impl Cluster {
    pub(crate) fn audit(
        &mut self,
        caller: &Caller,
        id: RequestId,
        request: &Request,
        reply: &Reply,
        cause: NoteId,
    ) {
        if !matches!(caller.part, Part::Client(_)) {
            return;
        }
        let note = Note::Audited {
            id,
            user: caller.user.name.clone(),
            acting_as: request.options.impersonate_user.clone(),
            verb: request.verb,
            key: Key::new(
                request.resource.plural.clone(),
                request.namespace.clone(),
                name_of(request),
            ),
            subresource: request.subresource.clone(),
            code: match reply {
                Reply::Done(response) => response.code,
                Reply::Watching | Reply::Proxy { .. } | Reply::Extension { .. } => 200,
            },
        };
        self.trace.record(self.now, cause, note);
    }
}
