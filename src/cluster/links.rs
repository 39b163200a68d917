//! The links between the parts and the API server: what is sent, when it arrives, and what becomes of what does not.

use std::collections::BTreeMap;

use api::note::Key;
use api::{Arrival, Frame, Note, Part, Request, RequestId, Status};
use apiserver::User;
use sim::{Micros, NoteId, Rng, Time};

use crate::Cluster;
use crate::event::Event;

/// Latencies, and the order of messages on each link.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) rng: Rng,
    /// When the newest message of a link arrives: later ones do not overtake it.
    pub(crate) to_server: BTreeMap<Part, Time>,
    pub(crate) from_server: BTreeMap<Part, Time>,
}

impl Links {
    /// When a message sent at `at` by `from` reaches the API server.
    pub(crate) fn server_hears(&mut self, at: Time, from: Part) -> Time {
        let delay = self.rng.latency(300, 2_000);
        in_order(&mut self.to_server, from, at + delay)
    }

    /// When a message that leaves the API server at `at` reaches `to`.
    pub(crate) fn part_hears(&mut self, at: Time, to: Part) -> Time {
        let delay = self.rng.latency(300, 2_000);
        in_order(&mut self.from_server, to, at + delay)
    }
}

impl Cluster {
    pub(crate) fn answer(
        &mut self,
        to: Part,
        id: RequestId,
        arrival: Arrival,
        work: Micros,
        cause: NoteId,
    ) {
        let arrives = self.links.part_hears(self.now + work, to);
        let code = match &arrival {
            Arrival::Response(response) | Arrival::Frame(Frame::Response(response)) => {
                response.code
            }
            _ => 200,
        };
        let cause = self.trace.record(
            self.now,
            cause,
            Note::Answered {
                to,
                id,
                code,
                arrives,
            },
        );
        self.queue.push(
            arrives,
            Event::Arrival {
                to,
                id,
                arrival,
                cause,
            },
        );
    }

    pub(crate) fn send(
        &mut self,
        from: Part,
        id: RequestId,
        actor: &'static str,
        cause: NoteId,
        request: Request,
    ) {
        self.send_as(from, None, id, actor, cause, request);
    }

    pub(crate) fn send_as(
        &mut self,
        from: Part,
        user: Option<Box<User>>,
        id: RequestId,
        actor: &'static str,
        cause: NoteId,
        request: Request,
    ) {
        let arrives = self.links.server_hears(self.now, from);
        let key = Key::new(
            request.resource.plural.clone(),
            request.namespace.clone(),
            name_of(&request),
        );
        let note = Note::Sent {
            from,
            to: Part::ApiServer,
            actor,
            id,
            verb: request.verb,
            key,
            subresource: request.subresource.clone(),
            arrives,
        };
        let cause = self.trace.record(self.now, cause, note);
        self.queue.push(
            arrives,
            Event::Request {
                from,
                user,
                id,
                request: Box::new(request),
                cause,
            },
        );
    }

    /// A request that cannot be delivered: its sender learns of it when its connection gives up.
    pub(crate) fn lose(&mut self, from: Part, id: RequestId, cause: NoteId) {
        let cause = self.trace.record(
            self.now,
            cause,
            Note::Lost {
                from,
                to: Part::ApiServer,
                id,
            },
        );
        let failure = Status::new(
            503,
            "ServiceUnavailable",
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        );
        let arrival = Arrival::Response(failure.into_response());
        self.queue.push(
            self.now + sim::SECOND,
            Event::Arrival {
                to: from,
                id,
                arrival,
                cause,
            },
        );
    }
}

fn in_order(newest: &mut BTreeMap<Part, Time>, part: Part, at: Time) -> Time {
    let last = newest.entry(part).or_default();
    *last = at.max(*last);
    *last
}

/// The name a request speaks of; creations name it in the object.
pub(crate) fn name_of(request: &Request) -> api::Str {
    match &request.body {
        api::Body::Object(object) if request.name.is_empty() => {
            let name = object.get("metadata").shared_str("name");
            if name.is_empty() {
                object.get("metadata").shared_str("generateName")
            } else {
                name
            }
        }
        _ => request.name.clone(),
    }
}
