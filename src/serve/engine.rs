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
use sim::{Machine, Time};
use tokio::sync::mpsc;

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
    HangUp(u64),
}

/// The way to the engine; cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine {
    mailbox: Sender<Message>,
    next_ticket: std::sync::Arc<AtomicU64>,
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
}

impl Turning {
    fn new(cluster: Cluster, speed: f64) -> Turning {
        Turning {
            since: (Instant::now(), cluster.now()),
            cluster,
            speed,
            open: BTreeMap::new(),
            by_ticket: BTreeMap::new(),
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
