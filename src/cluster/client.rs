//! Those outside the cluster: terminals, the page, HTTP connections. They submit requests and collect arrivals.

use std::collections::VecDeque;

use api::{Arrival, Input, Part, Request, RequestId};
use apiserver::User;
use sim::{NoteId, Time};

use crate::{Cluster, Event};

#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) inbox: VecDeque<(Time, RequestId, Arrival)>,
    next_request: u64,
}

impl Cluster {
    /// Sends a request as client `number` (any number; a client exists once it is named).
    pub fn submit(&mut self, number: u32, request: Request) -> RequestId {
        self.submit_because(number, request, NoteId(0))
    }

    /// Like [`Cluster::submit`], with the note (a command line) that caused it.
    pub fn submit_because(&mut self, number: u32, request: Request, cause: NoteId) -> RequestId {
        let client = self.clients.entry(number).or_default();
        client.next_request += 1;
        let id = RequestId(client.next_request);
        self.send(Part::Client(number), id, "", cause, request);
        id
    }

    /// Like [`Cluster::submit`], by somebody who is not the cluster's administrator.
    pub fn submit_as(&mut self, number: u32, user: User, request: Request) -> RequestId {
        let client = self.clients.entry(number).or_default();
        client.next_request += 1;
        let id = RequestId(client.next_request);
        let from = Part::Client(number);
        self.send_as(from, Some(Box::new(user)), id, "", NoteId(0), request);
        id
    }

    /// Gives `bytes` to the standard input of the session that request `id` has opened.
    pub fn feed(&mut self, number: u32, id: RequestId, bytes: Vec<u8>) {
        let to = Part::Client(number);
        let at = self.links.server_hears(self.now, to);
        let event = Event::Typed {
            to,
            id,
            bytes,
            tries: 100,
        };
        self.queue.push(at, event);
    }

    /// Whether somebody in a container waits for what is typed into the session that request `id` has opened.
    pub fn awaits(&self, number: u32, id: RequestId) -> bool {
        let to = Part::Client(number);
        let mut streams = self.streams.iter();
        let found = streams.find(|(_, s)| s.to == to && s.id == id);
        found.is_some_and(|(stream, s)| {
            let host = self.kubelets.get(s.node as usize);
            host.is_some_and(|host| host.component.awaits(*stream))
        })
    }

    /// Sends something on an open stream of a client; whether there is such a stream.
    pub fn input(&mut self, number: u32, id: RequestId, input: Input) -> bool {
        let part = Part::Client(number);
        let found = self
            .streams
            .iter()
            .find(|(_, s)| s.to == part && s.id == id)
            .map(|(stream, s)| (*stream, s.node));
        let Some((stream, node)) = found else {
            return false;
        };
        let reaches_server = self.links.server_hears(self.now, part);
        let at = self.links.part_hears(reaches_server, Part::Kubelet(node));
        self.queue.push(
            at,
            Event::Input {
                node,
                stream,
                input,
            },
        );
        true
    }

    /// Closes a watch or stream of a client.
    pub fn cancel(&mut self, number: u32, id: RequestId) {
        let part = Part::Client(number);
        self.server.cancel(part, id);
        let stream = self
            .streams
            .iter()
            .find(|(_, s)| s.to == part && s.id == id)
            .map(|(stream, s)| (*stream, s.node));
        if let Some((stream, node)) = stream {
            self.streams.remove(&stream);
            let at = self.links.part_hears(self.now, Part::Kubelet(node));
            self.queue.push(at, Event::CloseStream { node, stream });
        }
    }

    /// What has arrived for a client since the last call, in order.
    pub fn receive(&mut self, number: u32) -> Vec<(Time, RequestId, Arrival)> {
        self.clients
            .get_mut(&number)
            .map(|client| client.inbox.drain(..).collect())
            .unwrap_or_default()
    }

    /// Whether anything waits for a client.
    pub fn has_mail(&self, number: u32) -> bool {
        self.has_answers(number)
            || self
                .clients
                .get(&number)
                .is_some_and(|client| !client.inbox.is_empty())
    }
}
