//! The images on one machine, and the line of pulls: one at a time, as `serializeImagePulls` has it.

use std::collections::{BTreeMap, VecDeque};

use api::{Str, Value, list, map};
use sim::{MILLI, Micros, Rng, SECOND, Time};

use crate::catalogue::Missing;
use crate::reference::Reference;

/// At most so many images are told of in the node's status (`nodeStatusMaxImages`).
const MOST_REPORTED: usize = 50;

/// Bytes per second of a pull: 25 to 60 megabytes.
const SPEED: (u64, u64) = (25_000_000, 60_000_000);

/// Asking the registry what a tag means.
const RESOLVE: (Micros, Micros) = (120 * MILLI, 320 * MILLI);

/// Who waits for a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiter {
    pub pod: u32,
    pub container: u16,
    pub stamp: u32,
}

#[derive(Clone, Debug)]
struct Pull {
    waiter: Waiter,
    reference: Reference,
    /// The image's size, or why there is none.
    found: Result<u64, Missing>,
    asked: Time,
}

/// How a pull went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    Done {
        took: Micros,
        with_waiting: Micros,
        bytes: u64,
    },
    Failed {
        why: String,
    },
}

/// The images of one machine.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Full names with sizes.
    present: BTreeMap<Str, u64>,
    line: VecDeque<Pull>,
    began: Time,
    ends: Time,
    is_pulling: bool,
    /// Bytes per second; 0 if it varies.
    speed: u64,
}

impl Images {
    pub fn new(speed: u64) -> Images {
        Images {
            speed,
            ..Images::default()
        }
    }

    pub fn has(&self, reference: &Reference) -> bool {
        self.present.contains_key(reference.full().as_str())
    }

    /// Puts a pull into the line; the time at which to call [`Images::finish`] if it starts at once.
    pub fn pull(
        &mut self,
        waiter: Waiter,
        (reference, found): (Reference, Result<u64, Missing>),
        now: Time,
        rng: &mut Rng,
    ) -> Option<Time> {
        self.line.push_back(Pull {
            waiter,
            reference,
            found,
            asked: now,
        });
        self.begin(now, rng)
    }

    /// When the pull that is under way ends.
    pub fn ends(&self) -> Option<Time> {
        self.is_pulling.then_some(self.ends)
    }

    /// The pull at the head of the line is over; also the time of the end of the next one, if any waits.
    pub fn finish(&mut self, now: Time, rng: &mut Rng) -> Option<(Waiter, Pulled, Option<Time>)> {
        let pull = self.line.pop_front()?;
        self.is_pulling = false;
        let pulled = match &pull.found {
            Ok(bytes) => {
                self.present.insert(pull.reference.full().into(), *bytes);
                Pulled::Done {
                    took: now.since(self.began),
                    with_waiting: now.since(pull.asked),
                    bytes: *bytes,
                }
            }
            Err(missing) => Pulled::Failed {
                why: reason(&pull.reference, missing),
            },
        };
        let next = self.begin(now, rng);
        Some((pull.waiter, pulled, next))
    }

    /// `status.images` of the node: the largest first.
    pub fn report(&self) -> Value {
        let mut images: Vec<(&Str, &u64)> = self.present.iter().collect();
        images.sort_by_key(|(name, bytes)| (std::cmp::Reverse(**bytes), (*name).clone()));
        let entries = images.into_iter().take(MOST_REPORTED).map(|(name, bytes)| {
            let by_digest = Reference::parse(name)
                .map(|r| image_id(&r))
                .unwrap_or_default();
            map! { "names": list![by_digest, name.clone()], "sizeBytes": *bytes as i64 }
        });
        Value::from(entries.collect::<Vec<Value>>())
    }

    fn begin(&mut self, now: Time, rng: &mut Rng) -> Option<Time> {
        if self.is_pulling {
            return None;
        }
        let pull = self.line.front()?;
        self.is_pulling = true;
        self.began = now;
        let mut span = rng.latency(RESOLVE.0, RESOLVE.1);
        match &pull.found {
            Ok(bytes) if !self.has(&pull.reference) => span += transfer(*bytes, self.speed, rng),
            // A name that does not resolve is asked for more than once.
            Err(Missing::Host) => span += 500 * MILLI,
            _ => {}
        }
        self.ends = now + span;
        Some(self.ends)
    }
}

/// How long it takes to fetch and unpack.
fn transfer(bytes: u64, speed: u64, rng: &mut Rng) -> Micros {
    let speed = match speed {
        0 => rng.between(SPEED.0, SPEED.1),
        fixed => fixed,
    };
    bytes * SECOND / speed + 200 * MILLI
}

/// `docker.io/library/nginx@sha256:…`.
pub fn image_id(reference: &Reference) -> Str {
    if !reference.digest.is_empty() {
        return format!("{}@{}", reference.name(), reference.digest).into();
    }
    format!("{}@sha256:{}", reference.name(), hex64(&reference.full())).into()
}

/// Sixty-four hexadecimal digits that depend on the text alone.
pub fn hex64(text: &str) -> String {
    let mut rng = Rng::stream(64, text);
    (0..4).map(|_| format!("{:016x}", rng.next_u64())).collect()
}

/// The runtime's words.
fn reason(reference: &Reference, missing: &Missing) -> String {
    let full = reference.full();
    if *missing == Missing::Platform {
        return format!(
            "failed to pull and unpack image \"{full}\": no match for platform in manifest: not found"
        );
    }
    let prefix = format!(
        "failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": "
    );
    let why = match missing {
        Missing::Tag | Missing::Platform => format!("{full}: not found"),
        Missing::Repository => "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed".to_owned(),
        Missing::Host => {
            let host = reference.host().split(':').next().unwrap_or_default();
            format!(
                "failed to do request: Head \"https://{}/v2/{}/manifests/{}\": dial tcp: lookup {host} on 10.0.2.3:53: no such host",
                reference.host(), reference.repository,
                if reference.tag.is_empty() { &reference.digest } else { &reference.tag },
            )
        }
    };
    prefix + &why
}
