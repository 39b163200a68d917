//! Streams: logs, shells and forwarded ports, which a kubelet answers and the API server passes on.

use api::note::Key;
use api::{Arrival, Frame, Input, Note, Part, Request, RequestId, Status};
use sim::{Micros, NoteId};

use crate::Cluster;
use crate::event::Event;

/// A request that a kubelet answers: who asked, and what it is about.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) to: Part,
    pub(crate) id: RequestId,
    pub(crate) node: u32,
    pub(crate) pod: Key,
}

impl Cluster {
    /// Passes a request for logs or a shell on to the kubelet of `node`.
    pub(crate) fn relay(
        &mut self,
        from: Part,
        id: RequestId,
        node: &str,
        request: &Request,
        work: Micros,
        cause: NoteId,
    ) {
        let number =
            (0..self.kubelets.len()).find(|at| self.kubelets[*at].component.machine().name == node);
        let reachable = number.filter(|at| {
            let part = Part::Kubelet(*at as u32);
            self.kubelets[*at].is_running && !self.faults.is_cut(part)
        });
        let Some(number) = reachable else {
            let address = number.map_or_else(String::new, |at| {
                self.kubelets[at].component.machine().address().to_string()
            });
            let path = format!("https://{address}:10250/{}", request.subresource);
            let failure = Status::new(
                500,
                "InternalError",
                format!("Get \"{path}\": dial tcp {address}:10250: connect: connection refused"),
            );
            self.answer(
                from,
                id,
                Arrival::Response(failure.into_response()),
                work,
                cause,
            );
            return;
        };
        let node = number as u32;
        self.next_stream += 1;
        let stream = self.next_stream;
        let pod = Key::new("pods", request.namespace.clone(), request.name.clone());
        let open = Stream {
            to: from,
            id,
            node,
            pod,
        };
        self.streams.insert(stream, open);
        let arrives = self.links.part_hears(self.now + work, Part::Kubelet(node));
        let note = Note::Sent {
            from: Part::ApiServer,
            to: Part::Kubelet(node),
            actor: "",
            id,
            verb: request.verb,
            key: Key::new(
                request.resource.plural.clone(),
                request.namespace.clone(),
                request.name.clone(),
            ),
            subresource: request.subresource.clone(),
            arrives,
        };
        let cause = self.trace.record(self.now, cause, note);
        self.queue.push(
            arrives,
            Event::Proxy {
                node,
                stream,
                request: Box::new(request.clone()),
                cause,
            },
        );
    }

    /// A request that the API server passed on reaches the kubelet of a node.
    pub(crate) fn proxy(&mut self, node: u32, stream: u64, request: &Request, cause: NoteId) {
        let now = self.now;
        let Some(host) = self
            .kubelets
            .get_mut(node as usize)
            .filter(|host| host.is_running)
        else {
            let failure = Status::new(500, "InternalError", "the kubelet does not answer");
            return self.forward(stream, Frame::Response(failure.into_response()));
        };
        let effects = host.turn(now, cause, |kubelet, out| {
            kubelet.serve(stream, request, out)
        });
        self.carry_out(Part::Kubelet(node), effects);
    }

    /// What somebody typed goes to the session that reads it; a session that is still being opened is waited for.
    pub(crate) fn typed(&mut self, to: Part, id: RequestId, bytes: Vec<u8>, tries: u8) {
        let now = self.now;
        let found = self
            .streams
            .iter()
            .find(|(_, s)| s.to == to && s.id == id)
            .map(|(stream, s)| (*stream, s.node));
        let host = found.and_then(|(stream, node)| {
            let host = self.kubelets.get_mut(node as usize)?;
            host.is_running.then_some((stream, node, host))
        });
        let mut is_taken = false;
        if let Some((stream, node, host)) = host {
            let effects = host.turn(now, NoteId(0), |kubelet, out| {
                is_taken = kubelet.feed(stream, &bytes, out);
            });
            self.carry_out(Part::Kubelet(node), effects);
        }
        if !is_taken && tries > 0 {
            let tries = tries - 1;
            let event = Event::Typed {
                to,
                id,
                bytes,
                tries,
            };
            self.queue.push(now + 5 * sim::MILLI, event);
        }
    }

    pub(crate) fn input_arrives(&mut self, node: u32, stream: u64, input: &Input) {
        let now = self.now;
        let Some(host) = self
            .kubelets
            .get_mut(node as usize)
            .filter(|host| host.is_running)
        else {
            return;
        };
        let effects = host.turn(now, NoteId(0), |kubelet, out| {
            kubelet.input(stream, input, out)
        });
        self.carry_out(Part::Kubelet(node), effects);
    }

    pub(crate) fn close_stream(&mut self, node: u32, stream: u64) {
        let now = self.now;
        let Some(host) = self
            .kubelets
            .get_mut(node as usize)
            .filter(|host| host.is_running)
        else {
            return;
        };
        let effects = host.turn(now, NoteId(0), |kubelet, out| kubelet.hang_up(stream, out));
        self.carry_out(Part::Kubelet(node), effects);
    }

    /// A frame of a kubelet goes back through the API server to who asked.
    pub(crate) fn forward(&mut self, stream: u64, frame: Frame) {
        let Some(Stream { to, id, node, .. }) = self.streams.get(&stream).cloned() else {
            return;
        };
        let is_last = matches!(frame, Frame::End { .. } | Frame::Response(_));
        let reaches_server = self.links.server_hears(self.now, Part::Kubelet(node));
        let arrives = self.links.part_hears(reaches_server, to);
        let arrival = match frame {
            Frame::Response(response) => Arrival::Response(response),
            other => Arrival::Frame(other),
        };
        self.queue.push(
            arrives,
            Event::Arrival {
                to,
                id,
                arrival,
                cause: NoteId(0),
            },
        );
        if is_last {
            self.streams.remove(&stream);
        }
    }
}
