//! Messages on their way across the picture. Each is one that the cluster really sent; many alike travel as one with a count.
//!
//! A message on screen takes about half a second, longer than it really takes, so an effect waits until its cause has arrived — but never
//! so long that the picture lags behind the cluster: then it joins a message that is already on its way.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use playground::{Message, Part};

/// The lines of the picture, by what lies at their far end; the API server is at the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    User,
    Etcd,
    Scheduler,
    Controllers,
    Cloud,
    Node(String),
}

/// One dot on a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    pub(crate) id: u64,
    pub(crate) line: Line,
    /// From the far end to the API server.
    pub(crate) is_inward: bool,
    pub(crate) label: Rc<str>,
    pub(crate) count: u32,
    pub(crate) lasts_ms: f64,
    pub(crate) is_routine: bool,
    pub(crate) is_error: bool,
    /// The controller, kubelet or proxy at the far end.
    pub(crate) actor: Part,
    begins_ms: f64,
}

/// Messages that travel, and those that wait for their cause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights {
    active: Rc<Vec<Flight>>,
    queued: VecDeque<Flight>,
    /// When a message's flight ends, for its effects.
    ends: BTreeMap<u64, f64>,
    clock_ms: f64,
}

const SHORTEST_MS: f64 = 520.0;
const LONGEST_MS: f64 = 4_000.0;
/// Effects wait for causes no longer than this.
const LAG_MS: f64 = 1_600.0;
/// Dots at a time; more would be noise.
const MOST: usize = 28;
const MOST_ON_A_LINE: usize = 3;
const REMEMBERED: usize = 512;

impl Flights {
    /// Takes in what was sent. `speed` is that of virtual time, in thousandths.
    pub(crate) fn send<'a>(&mut self, messages: impl Iterator<Item = &'a Message>, speed: u32) {
        for message in messages {
            let Some((line, is_inward)) = line_of(message) else {
                continue;
            };
            let took_ms = (message.arrives_at.saturating_sub(message.sent_at)) as f64
                / f64::from(speed.max(1));
            let lasts_ms = took_ms.clamp(SHORTEST_MS, LONGEST_MS);
            let after_cause = message
                .cause
                .and_then(|cause| self.ends.get(&cause).copied())
                .unwrap_or(self.clock_ms);
            let begins_ms = after_cause.clamp(self.clock_ms, self.clock_ms + LAG_MS);
            let flight = Flight {
                id: message.id,
                line,
                is_inward,
                label: message.label.as_str().into(),
                count: 1,
                lasts_ms,
                is_routine: message.is_routine,
                // kubectl asks before it creates: "not there" is an answer, not a failure.
                is_error: message.error.is_some_and(|code| code != 404),
                actor: if message.to == Part::ApiServer {
                    message.from.clone()
                } else {
                    message.to.clone()
                },
                begins_ms,
            };
            self.queue(flight);
        }
    }

    /// Lets the stage's clock run; answers whether what is shown changed.
    pub(crate) fn pass(&mut self, ms: f64) -> bool {
        self.clock_ms += ms;
        let now = self.clock_ms;
        let is_over = self
            .active
            .iter()
            .any(|flight| flight.begins_ms + flight.lasts_ms <= now);
        let is_due = self.queued.iter().any(|flight| flight.begins_ms <= now);
        if !is_over && !is_due {
            return false;
        }
        let active = Rc::make_mut(&mut self.active);
        active.retain(|flight| flight.begins_ms + flight.lasts_ms > now);
        let (due, later): (Vec<Flight>, Vec<Flight>) = self
            .queued
            .drain(..)
            .partition(|flight| flight.begins_ms <= now);
        self.queued = later.into();
        for mut flight in due {
            flight.begins_ms = now;
            active.push(flight);
        }
        true
    }

    /// What is on its way, shared.
    pub(crate) fn active(&self) -> Rc<Vec<Flight>> {
        self.active.clone()
    }

    /// Clears the picture: the time was moved.
    pub(crate) fn clear(&mut self) {
        *self = Flights {
            clock_ms: self.clock_ms,
            ..Flights::default()
        };
    }

    fn queue(&mut self, flight: Flight) {
        let alike = |other: &&mut Flight| {
            other.line == flight.line
                && other.is_inward == flight.is_inward
                && other.is_routine == flight.is_routine
                && other.is_error == flight.is_error
                && (other.label == flight.label && other.begins_ms + 160.0 >= flight.begins_ms)
        };
        let crowd = self
            .queued
            .iter()
            .filter(|other| other.line == flight.line)
            .count();
        let end = if let Some(other) = self.queued.iter_mut().find(alike) {
            other.count += 1;
            other.begins_ms + other.lasts_ms
        } else if crowd >= MOST_ON_A_LINE || self.queued.len() >= MOST {
            // Too much for eyes: one that goes the same way stands for it.
            let same_way = self
                .queued
                .iter_mut()
                .rev()
                .find(|other| other.line == flight.line && other.is_inward == flight.is_inward);
            match same_way {
                Some(other) => {
                    other.count += 1;
                    other.is_error |= flight.is_error;
                    other.begins_ms + other.lasts_ms
                }
                None => self.clock_ms,
            }
        } else {
            let end = flight.begins_ms + flight.lasts_ms;
            self.ends.insert(flight.id, end);
            self.queued.push_back(flight);
            return;
        };
        self.ends.insert(flight.id, end);
        while self.ends.len() > REMEMBERED {
            self.ends.pop_first();
        }
    }
}

/// The line a message travels on, and whether towards the API server. `None` for what never leaves a machine.
fn line_of(message: &Message) -> Option<(Line, bool)> {
    let (far, is_inward) = match (&message.from, &message.to) {
        (Part::ApiServer, far) => (far, false),
        (far, Part::ApiServer) => (far, true),
        _ => return None,
    };
    let line = match far {
        Part::User => Line::User,
        Part::Etcd => Line::Etcd,
        Part::Scheduler => Line::Scheduler,
        Part::Controller(_) => Line::Controllers,
        Part::CloudController(_) => Line::Cloud,
        Part::Kubelet(node) | Part::KubeProxy(node) | Part::Runtime(node) => {
            Line::Node(node.clone())
        }
        Part::Addon(_) | Part::ApiServer => return None,
    };
    Some((line, is_inward))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64, from: Part, to: Part, cause: Option<u64>) -> Message {
        Message {
            id,
            from,
            to,
            label: "POST pods".into(),
            raw: String::new(),
            sent_at: 0,
            arrives_at: 1_000,
            cause,
            about: None,
            is_routine: false,
            error: None,
        }
    }

    #[test]
    fn an_effect_starts_when_its_cause_has_arrived() {
        let mut flights = Flights::default();
        let cause = message(1, Part::User, Part::ApiServer, None);
        let effect = message(2, Part::ApiServer, Part::Etcd, Some(1));
        flights.send([&cause, &effect].into_iter(), 1_000);
        assert!(flights.pass(16.0));
        assert_eq!(
            flights
                .active()
                .iter()
                .map(|flight| flight.id)
                .collect::<Vec<_>>(),
            [1]
        );
        flights.pass(SHORTEST_MS);
        assert_eq!(
            flights
                .active()
                .iter()
                .map(|flight| flight.id)
                .collect::<Vec<_>>(),
            [2]
        );
        flights.pass(SHORTEST_MS + 1.0);
        assert!(flights.active().is_empty());
    }

    #[test]
    fn a_thousand_alike_are_one_dot_with_a_count() {
        let mut flights = Flights::default();
        let many: Vec<Message> = (0..1000)
            .map(|id| message(id, Part::Scheduler, Part::ApiServer, None))
            .collect();
        flights.send(many.iter(), 1_000);
        flights.pass(1.0);
        assert_eq!(flights.active().len(), 1);
        assert_eq!(flights.active()[0].count, 1000);
    }
}
