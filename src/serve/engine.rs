//! The cluster in a thread of its own, moved on by the clock on the wall.
//!
//! Connections hand it messages and get arrivals back through channels; nothing else touches the cluster. Virtual time
//! runs at a fixed multiple of real time; a machine that cannot keep up simulates later, never differently.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use api::{Arrival, Frame, Input, Request, RequestId, Response, Status};
use apiserver::User;
use cluster::Cluster;
use network::{Answer, Payload};
use sim::{Machine, Time};
use tokio::sync::{mpsc, oneshot};

/// The client that all connections are, for the cluster.
const CLIENT: u32 = 6_443;
/// Events of a slice, after which messages are looked for again.
const SLICE: u64 = 2_000;
/// How far virtual time may fall behind before it stops trying to catch up.
const LAG: Duration = Duration::from_millis(250);
/// What may wait for a reader of a watch or stream; one that is further behind is cut off, as by a real server.
pub(crate) const WAITING: usize = 16_384;

/// By what somebody shows who they are.
pub(crate) enum Who {
    User(User),
    Token(String),
}

enum Message {
    Ask {
        ticket: u64,
        who: Who,
        request: Box<Request>,
        answers: mpsc::Sender<Arrival>,
    },
    Input(u64, Input),
    Reach {
        ticket: u64,
        port: u16,
        payload: Payload,
        answer: oneshot::Sender<Answer>,
    },
    HangUp(u64),
}

/// The way to the engine; cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine {
    mailbox: Sender<Message>,
    next_ticket: std::sync::Arc<AtomicU64>,
}

/// A way to the pod of an open port-forward; may be cloned.
#[derive(Clone)]
pub(crate) struct Reach {
    ticket: u64,
    mailbox: Sender<Message>,
}

impl Reach {
    /// What the pod answers at a port.
    pub(crate) async fn call(&self, port: u16, payload: Payload) -> Answer {
        let (answer, heard) = oneshot::channel();
        let _ = self.mailbox.send(Message::Reach {
            ticket: self.ticket,
            port,
            payload,
            answer,
        });
        heard.await.unwrap_or(Answer::Reset)
    }
}

/// A request that is under way. Dropping it closes its watch or stream.
pub(crate) struct Asked {
    ticket: u64,
    mailbox: Sender<Message>,
    pub(crate) answers: mpsc::Receiver<Arrival>,
}

impl Engine {
    pub(crate) fn start(cluster: Cluster, speed: f64) -> Result<Engine, String> {
        let (mailbox, messages) = channel();
        std::thread::Builder::new()
            .name("cluster".to_owned())
            .spawn(move || Turning::new(cluster, speed).run(&messages))
            .map_err(|why| format!("cannot start the cluster's thread: {why}"))?;
        Ok(Engine {
            mailbox,
            next_ticket: std::sync::Arc::default(),
        })
    }

    pub(crate) fn ask(&self, who: Who, request: Request) -> Asked {
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let (sender, answers) = mpsc::channel(WAITING);
        // If the engine is gone, the sender is dropped with the message, and the answers end.
        let _ = self.mailbox.send(Message::Ask {
            ticket,
            who,
            request: Box::new(request),
            answers: sender,
        });
        Asked {
            ticket,
            mailbox: self.mailbox.clone(),
            answers,
        }
    }
}

impl Asked {
    pub(crate) fn reach(&self) -> Reach {
        Reach {
            ticket: self.ticket,
            mailbox: self.mailbox.clone(),
        }
    }

    /// Sends something on the stream.
    pub(crate) fn input(&self, input: Input) {
        let _ = self.mailbox.send(Message::Input(self.ticket, input));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.mailbox.send(Message::HangUp(self.ticket));
    }
}

/// The thread's own state.
struct Turning {
    cluster: Cluster,
    speed: f64,
    /// A moment on the wall and the virtual time that it was.
    since: (Instant, Time),
    open: BTreeMap<RequestId, (u64, mpsc::Sender<Arrival>)>,
    by_ticket: BTreeMap<u64, RequestId>,
    exchanges: BTreeMap<u64, oneshot::Sender<Answer>>,
    next_exchange: u64,
}

impl Turning {
    fn new(cluster: Cluster, speed: f64) -> Turning {
        Turning {
            since: (Instant::now(), cluster.now()),
            cluster,
            speed,
            open: BTreeMap::new(),
            by_ticket: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            next_exchange: 0,
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let wait = self.advance();
            self.hand_out();
            match messages.recv_timeout(wait) {
                Ok(message) => self.hear(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(message) = messages.try_recv() {
                self.hear(message);
            }
        }
    }

    /// Does what is due by now; returns how long nothing more is.
    fn advance(&mut self) -> Duration {
        let (wall, start) = self.since;
        let elapsed = wall.elapsed();
        let until = start + (elapsed.as_micros() as f64 * self.speed) as u64;
        let done = self.cluster.advance(until, SLICE);
        if done == SLICE {
            let behind = until.since(self.cluster.now()) as f64 / self.speed;
            if behind > LAG.as_micros() as f64 {
                self.since = (Instant::now(), self.cluster.now());
            }
            return Duration::ZERO;
        }
        let next = self.cluster.next_at();
        next.map_or(Duration::from_secs(1), |at| {
            let virtual_micros = at.since(self.cluster.now()) as f64;
            Duration::from_micros((virtual_micros / self.speed) as u64).min(Duration::from_secs(1))
        })
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Ask {
                ticket,
                who,
                request,
                answers,
            } => {
                let now = self.cluster.now();
                let user = match who {
                    Who::User(user) => Some(user),
                    Who::Token(token) => self.cluster.server().account_of_token(now, &token),
                };
                let Some(user) = user else {
                    let refusal = Status::new(401, "Unauthorized", "Unauthorized");
                    // Whoever asked may be gone already.
                    let _ = answers.try_send(Arrival::Response(refusal.into_response()));
                    return;
                };
                let id = self.cluster.submit_as(CLIENT, user, *request);
                self.open.insert(id, (ticket, answers));
                self.by_ticket.insert(ticket, id);
            }
            Message::Input(ticket, input) => {
                if let Some(id) = self.by_ticket.get(&ticket) {
                    self.cluster.input(CLIENT, *id, input);
                }
            }
            Message::Reach {
                ticket,
                port,
                payload,
                answer,
            } => {
                self.next_exchange += 1;
                let exchange = self.next_exchange;
                let is_open = self
                    .by_ticket
                    .get(&ticket)
                    .is_some_and(|id| self.cluster.reach(CLIENT, *id, exchange, port, payload));
                // Otherwise the sender is dropped, which says it all.
                if is_open {
                    self.exchanges.insert(exchange, answer);
                }
            }
            Message::HangUp(ticket) => {
                if let Some(id) = self.by_ticket.remove(&ticket) {
                    self.open.remove(&id);
                    self.cluster.cancel(CLIENT, id);
                }
            }
        }
    }

    /// Gives what has arrived to those who wait for it.
    fn hand_out(&mut self) {
        for (exchange, answer) in self.cluster.receive_answers(CLIENT) {
            if let Some(waiting) = self.exchanges.remove(&exchange) {
                let _ = waiting.send(answer);
            }
        }
        for (_, id, arrival) in self.cluster.receive(CLIENT) {
            let Some((ticket, answers)) = self.open.get(&id) else {
                continue;
            };
            let is_last = is_last(&arrival);
            let is_heard = answers.try_send(arrival).is_ok();
            if is_last || !is_heard {
                self.by_ticket.remove(ticket);
                self.open.remove(&id);
                if !is_last {
                    self.cluster.cancel(CLIENT, id);
                }
            }
        }
    }
}

/// Whether nothing follows for the same request.
fn is_last(arrival: &Arrival) -> bool {
    match arrival {
        // The answer that opens a watch has no body.
        Arrival::Response(Response { code, body, .. }) => *code != 200 || !body.is_null(),
        Arrival::Watch(event) => event.kind == api::WatchKind::Error,
        Arrival::Frame(frame) => matches!(frame, Frame::End { .. } | Frame::Response(_)),
    }
}
