//! Liveness, readiness and startup probes: when they ask, and what their answers mean.
//!
//! Models `pkg/kubelet/prober/worker.go`. What a probe finds out comes from the container's process; this file counts.

use api::{Str, Value};
use sim::{Micros, SECOND};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Startup,
    Liveness,
    Readiness,
}

pub const KINDS: [Kind; 3] = [Kind::Startup, Kind::Liveness, Kind::Readiness];

/// One probe of a running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub kind: Kind,
    /// Equal answers in a row.
    count: u32,
    last: Option<bool>,
    /// The verdict, once a threshold was reached.
    pub result: Option<bool>,
}

/// What one question found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub is_ok: bool,
    /// Shown in the event `Unhealthy`.
    pub output: String,
    /// True if every later answer will be the same until the container changes.
    pub is_final: bool,
}

impl Kind {
    pub fn field(self) -> &'static str {
        match self {
            Kind::Startup => "startupProbe",
            Kind::Liveness => "livenessProbe",
            Kind::Readiness => "readinessProbe",
        }
    }

    /// As the event says it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Startup => "Startup",
            Kind::Liveness => "Liveness",
            Kind::Readiness => "Readiness",
        }
    }
}

impl Probe {
    pub fn new(kind: Kind) -> Probe {
        let result = match kind {
            Kind::Liveness => Some(true),
            Kind::Readiness => Some(false),
            Kind::Startup => None,
        };
        Probe {
            kind,
            count: 0,
            last: None,
            result,
        }
    }

    /// Counts an answer; true if the verdict changed.
    pub fn learn(&mut self, is_ok: bool, spec: &Value) -> bool {
        self.count = if self.last == Some(is_ok) {
            self.count + 1
        } else {
            1
        };
        self.last = Some(is_ok);
        let threshold = if is_ok {
            spec.int("successThreshold").unwrap_or(1)
        } else {
            spec.int("failureThreshold").unwrap_or(3)
        };
        if i64::from(self.count) < threshold || self.result == Some(is_ok) {
            return false;
        }
        self.result = Some(is_ok);
        true
    }
}

/// The probes that a container spec declares.
pub fn declared(spec: &Value) -> impl Iterator<Item = Kind> {
    KINDS.into_iter().filter(|kind| spec.has(kind.field()))
}

pub fn initial_delay(spec: &Value) -> Micros {
    spec.int("initialDelaySeconds").unwrap_or(0).max(0) as u64 * SECOND
}

pub fn period(spec: &Value) -> Micros {
    spec.int("periodSeconds").unwrap_or(10).max(1) as u64 * SECOND
}

/// The port that a handler names: a number, or the name of one of the container's ports.
pub fn port(handler: &Value, container: &Value) -> Option<u16> {
    match handler.get("port") {
        Value::Int(n) => u16::try_from(*n).ok(),
        Value::Str(name) => match name.parse() {
            Ok(n) => Some(n),
            Err(_) => named_port(container, name),
        },
        _ => None,
    }
}

fn named_port(container: &Value, name: &Str) -> Option<u16> {
    let ports = container.get("ports").items();
    let port = ports
        .iter()
        .find(|port| port.str("name") == name.as_str())?;
    u16::try_from(port.int("containerPort")?).ok()
}
