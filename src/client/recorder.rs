//! Writes Events, and tells repeated ones by a count instead of a flood.
//!
//! Two dialects. Controllers and kubelets write `core/v1` events: an equal one raises `count`, ten similar ones in ten
//! minutes become "(combined from similar events)", and a source that tells too much of one object is cut off.
//! The scheduler writes `events.k8s.io/v1`: an equal one becomes a `series`. Models client-go's
//! `tools/record/events_cache.go` and `tools/events/event_broadcaster.go`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use api::core::EVENTS;
use api::meta::Meta;
use api::{PatchKind, Request, RequestId, Response, Str, Value, map};
use sim::{MINUTE, Micros, NoteId, SECOND, Time};

use crate::{Outbox, Timer};

/// client-go's defaults: `maxLruCacheEntries`, `defaultAggregateMaxEvents`, `defaultAggregateIntervalInSeconds`,
/// `defaultSpamBurst`, `defaultSpamQPS`.
const MAX_REMEMBERED: usize = 4096;
const SIMILAR_MAX: usize = 10;
const SIMILAR_SPAN: Micros = 10 * MINUTE;
const SPAM_BURST: u64 = 25;
const SPAM_REFILL: Micros = 300 * SECOND;
/// A series that nothing continued for this long has ended (`finishTime` of `tools/events`).
const SERIES_SPAN: Micros = 6 * MINUTE;
/// How often and after which pause a failed write is tried again (`maxTriesPerEvent`, `defaultSleepDuration`).
const MAX_TRIES: u8 = 12;
const RETRY_PAUSE: Micros = 10 * SECOND;
/// `maxQueuedEvents`: more than this wait only when the API server is away; further ones are dropped.
const MAX_QUEUED: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Normal,
    Warning,
}

/// Which object an event speaks of (`core/v1 ObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    pub api_version: Str,
    pub kind: Str,
    pub namespace: Str,
    pub name: Str,
    pub uid: Str,
    pub resource_version: Str,
    /// `spec.containers{name}` for events of one container; empty otherwise.
    pub field_path: Str,
}

/// Something to tell in the dialect of `events.k8s.io`.
#[derive(Clone, Debug)]
pub struct Occurrence<'a> {
    pub about: &'a ObjectRef,
    /// A second object that plays a part: the node, the pod that preempts.
    pub related: Option<&'a ObjectRef>,
    pub severity: Severity,
    pub reason: &'static str,
    pub action: &'static str,
    pub message: Str,
}

/// Writes the events of one component. Forward `respond` and `wake` to it.
#[derive(Clone, Debug)]
pub struct Recorder {
    host: Str,
    similar: BTreeMap<Group, Similar>,
    told: BTreeMap<(Group, Str), Told>,
    budgets: BTreeMap<(Str, ObjectRef), Budget>,
    series: BTreeMap<(Group, Str), Series>,
    lanes: BTreeMap<Str, Lane>,
    in_flight: BTreeMap<RequestId, Str>,
}

/// What makes events similar: all but the message.
type Group = (Str, ObjectRef, Severity, Str);

#[derive(Clone, Debug, Default)]
struct Similar {
    messages: BTreeSet<Str>,
    last: Time,
}

#[derive(Clone, Debug)]
struct Told {
    name: Str,
    count: i64,
    first: Time,
    last: Time,
}

#[derive(Clone, Debug)]
struct Budget {
    tokens: u64,
    refilled: Time,
}

#[derive(Clone, Debug)]
struct Series {
    name: Str,
    count: i64,
    last: Time,
}

/// The events of one source are written one after the other.
#[derive(Clone, Debug, Default)]
struct Lane {
    queue: VecDeque<Write>,
    sent: Option<RequestId>,
    tries: u8,
}

#[derive(Clone, Debug)]
struct Write {
    cause: NoteId,
    event: Value,
    /// Of an event that exists already: the fields to change.
    patch: Option<Value>,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Normal => "Normal",
            Severity::Warning => "Warning",
        }
    }
}

impl ObjectRef {
    /// A reference to `object`; its kind is given because items of lists do not carry it.
    pub fn of(object: &Value, api_version: impl Into<Str>, kind: impl Into<Str>) -> ObjectRef {
        let meta = Meta::of(object);
        ObjectRef {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: meta.shared_namespace(),
            name: meta.shared_name(),
            uid: meta.shared_uid(),
            resource_version: meta.0.shared_str("resourceVersion"),
            field_path: Str::EMPTY,
        }
    }

    fn to_value(&self) -> Value {
        let mut value = map! {};
        for (key, text) in [
            ("kind", &self.kind),
            ("namespace", &self.namespace),
            ("name", &self.name),
            ("uid", &self.uid),
            ("apiVersion", &self.api_version),
            ("resourceVersion", &self.resource_version),
            ("fieldPath", &self.field_path),
        ] {
            if !text.is_empty() {
                value.set(key, text);
            }
        }
        value
    }

    /// The reference without what differs between versions of the object.
    fn stable(&self) -> ObjectRef {
        ObjectRef {
            resource_version: Str::EMPTY,
            ..self.clone()
        }
    }
}

impl Recorder {
    /// `host` is the node of a kubelet; empty for control-plane components.
    pub fn new(host: impl Into<Str>) -> Recorder {
        Recorder {
            host: host.into(),
            similar: BTreeMap::new(),
            told: BTreeMap::new(),
            budgets: BTreeMap::new(),
            series: BTreeMap::new(),
            lanes: BTreeMap::new(),
            in_flight: BTreeMap::new(),
        }
    }

    /// Forgets everything, as a restarted process does.
    pub fn start(&mut self) {
        *self = Recorder::new(self.host.clone());
    }

    /// Tells that something happened to an object. `component` is the source: `deployment-controller`, `kubelet`.
    pub fn event<T>(
        &mut self,
        component: &'static str,
        about: &ObjectRef,
        severity: Severity,
        reason: impl Into<Str>,
        message: impl Into<Str>,
        out: &mut Outbox<T>,
    ) {
        let (reason, message, now) = (reason.into(), message.into(), out.now());
        let component = Str::Static(component);
        let group = (component.clone(), about.stable(), severity, reason.clone());
        let (message, told_key) = self.aggregate(group, message, now);
        if self.told.len() >= MAX_REMEMBERED {
            forget_older(&mut self.told, |told| told.last);
        }
        let told = self.told.entry(told_key).or_insert_with(|| Told {
            name: event_name(&about.name, now, out.rng.below(1000)),
            count: 0,
            first: now,
            last: now,
        });
        told.count += 1;
        told.last = now;
        let patch = (told.count > 1).then(|| {
            map! { "count": told.count, "lastTimestamp": now.rfc3339(), "message": &message }
        });
        let mut source = map! { "component": &component };
        if !self.host.is_empty() {
            source.set("host", &self.host);
        }
        let event = map! {
            "metadata": map! { "name": &told.name, "namespace": namespace_of(about) },
            "involvedObject": about.to_value(),
            "reason": &reason,
            "message": &message,
            "source": source,
            "firstTimestamp": told.first.rfc3339(),
            "lastTimestamp": now.rfc3339(),
            "count": told.count,
            "type": severity.as_str(),
            "reportingComponent": &component,
            "reportingInstance": &self.host,
        };
        if !self.is_within_budget(&component, about, now) {
            return;
        }
        self.enqueue(component, event, patch, out);
    }

    /// Tells it in the dialect of `events.k8s.io`: with an action, and a series when it is told again.
    pub fn series_event<T>(
        &mut self,
        component: &'static str,
        occurrence: Occurrence<'_>,
        out: &mut Outbox<T>,
    ) {
        let Occurrence {
            about,
            related,
            severity,
            reason,
            action,
            message,
        } = occurrence;
        let now = out.now();
        let component = Str::Static(component);
        // Of this very version of the object: after a change of it the same reason begins a new series.
        let group = (
            component.clone(),
            about.clone(),
            severity,
            Str::Static(reason),
        );
        let key = (group, Str::Static(action));
        if self.series.len() >= MAX_REMEMBERED {
            forget_older(&mut self.series, |series| series.last);
        }
        let known = self
            .series
            .get_mut(&key)
            .filter(|series| now.since(series.last) < SERIES_SPAN);
        let (name, patch) = match known {
            Some(series) => {
                series.count += 1;
                series.last = now;
                // Only the beginning of a series is written at once.
                if series.count > 2 {
                    return;
                }
                let series_value =
                    map! { "count": series.count, "lastObservedTime": now.rfc3339_micros() };
                (series.name.clone(), Some(map! { "series": series_value }))
            }
            None => {
                let name = event_name(&about.name, now, out.rng.below(1000));
                self.series.insert(
                    key,
                    Series {
                        name: name.clone(),
                        count: 1,
                        last: now,
                    },
                );
                (name, None)
            }
        };
        let mut event = map! {
            "metadata": map! { "name": &name, "namespace": namespace_of(about) },
            "involvedObject": about.to_value(),
            "reason": reason,
            "message": &message,
            "source": map! {},
            "firstTimestamp": Value::Null,
            "lastTimestamp": Value::Null,
            "type": severity.as_str(),
            "eventTime": now.rfc3339_micros(),
            "action": action,
            "reportingComponent": &component,
            "reportingInstance": if self.host.is_empty() { component.clone() } else { self.host.clone() },
        };
        if let Some(related) = related {
            event.set("related", related.to_value());
        }
        self.enqueue(component, event, patch, out);
    }

    /// The answer to a write; false if the request is not the recorder's.
    pub fn respond<T: From<Timer>>(
        &mut self,
        id: RequestId,
        response: &Response,
        out: &mut Outbox<T>,
    ) -> bool {
        let Some(name) = self.in_flight.remove(&id) else {
            return false;
        };
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.sent = None;
        let again = match response.code {
            // The event to count up has expired: it is told anew.
            404 if lane.queue.front().is_some_and(|w| w.patch.is_some()) => {
                if let Some(write) = lane.queue.front_mut() {
                    write.patch = None;
                }
                true
            }
            // Refused for good: told to nobody, as the real one does.
            code if code != 429 && code < 500 && code != 0 => false,
            _ => {
                lane.tries += 1;
                if lane.tries < MAX_TRIES {
                    out.wake_after(RETRY_PAUSE, T::from(Timer::Events));
                    return true;
                }
                false
            }
        };
        if !again {
            lane.queue.pop_front();
            lane.tries = 0;
        }
        self.send_next(&name, out);
        true
    }

    /// The pause after a failed write is over.
    pub fn wake<T>(&mut self, out: &mut Outbox<T>) {
        let names: Vec<Str> = self.lanes.keys().cloned().collect();
        for name in names {
            self.send_next(&name, out);
        }
    }

    /// Too many similar events become one with a general message. Returns the message and the key of its count.
    fn aggregate(&mut self, group: Group, message: Str, now: Time) -> (Str, (Group, Str)) {
        if self.similar.len() >= MAX_REMEMBERED {
            forget_older(&mut self.similar, |similar| similar.last);
        }
        let similar = self.similar.entry(group.clone()).or_default();
        if now.since(similar.last) > SIMILAR_SPAN {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(message.clone());
        if similar.messages.len() < SIMILAR_MAX {
            return (message.clone(), (group, message));
        }
        similar.messages.pop_first();
        let combined = format!("(combined from similar events): {message}");
        (combined.into(), (group, Str::EMPTY))
    }

    /// Each source may tell 25 events of one object at once, then one every five minutes.
    fn is_within_budget(&mut self, component: &Str, about: &ObjectRef, now: Time) -> bool {
        let about = ObjectRef {
            field_path: Str::EMPTY,
            ..about.stable()
        };
        if self.budgets.len() >= MAX_REMEMBERED {
            forget_older(&mut self.budgets, |budget| budget.refilled);
        }
        let budget = self
            .budgets
            .entry((component.clone(), about))
            .or_insert(Budget {
                tokens: SPAM_BURST,
                refilled: now,
            });
        let earned = now.since(budget.refilled) / SPAM_REFILL;
        budget.tokens = (budget.tokens + earned).min(SPAM_BURST);
        budget.refilled = if budget.tokens == SPAM_BURST {
            now
        } else {
            budget.refilled + earned * SPAM_REFILL
        };
        let allowed = budget.tokens > 0;
        budget.tokens = budget.tokens.saturating_sub(1);
        allowed
    }

    fn enqueue<T>(
        &mut self,
        lane_name: Str,
        event: Value,
        patch: Option<Value>,
        out: &mut Outbox<T>,
    ) {
        let lane = self.lanes.entry(lane_name.clone()).or_default();
        if lane.queue.len() < MAX_QUEUED {
            lane.queue.push_back(Write {
                cause: out.cause,
                event,
                patch,
            });
        }
        self.send_next(&lane_name, out);
    }

    fn send_next<T>(&mut self, name: &Str, out: &mut Outbox<T>) {
        let Some(lane) = self.lanes.get_mut(name) else {
            return;
        };
        if lane.sent.is_some() {
            return;
        }
        let Some(write) = lane.queue.front() else {
            return;
        };
        let key = write.event.get("metadata");
        let (namespace, event_name) = (key.shared_str("namespace"), key.shared_str("name"));
        let request = match &write.patch {
            Some(patch) => Request::patch(
                &EVENTS,
                namespace,
                event_name,
                PatchKind::Strategic,
                patch.clone(),
            ),
            None => Request::create(&EVENTS, namespace, write.event.clone()),
        };
        let cause = std::mem::replace(&mut out.cause, write.cause);
        let id = out.send(request);
        out.cause = cause;
        lane.sent = Some(id);
        self.in_flight.insert(id, name.clone());
    }
}

/// `NAME.<hexadecimal nanoseconds>`: the clock here has microseconds, chance fills the rest.
fn event_name(object: &str, now: Time, nanos: u64) -> Str {
    format!("{object}.{:x}", now.0 * 1000 + nanos).into()
}

/// Events of cluster-scoped objects live in `default`.
fn namespace_of(about: &ObjectRef) -> Str {
    if about.namespace.is_empty() {
        "default".into()
    } else {
        about.namespace.clone()
    }
}

/// Drops the older half of a full memory.
fn forget_older<K: Ord, V>(memory: &mut BTreeMap<K, V>, last: impl Fn(&V) -> Time) {
    let mut times: Vec<Time> = memory.values().map(&last).collect();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    memory.retain(|_, value| last(value) > middle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effect;
    use sim::Rng;

    /// Tells each (seconds, reason, message) and answers each write with success; shows the writes.
    fn told(events: &[(u64, &'static str, String)]) -> String {
        let mut recorder = Recorder::new("node-1");
        let (mut rng, mut next) = (Rng::stream(1, "test"), 0);
        let about = ObjectRef {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: "ns".into(),
            name: "web".into(),
            ..ObjectRef::default()
        };
        let mut text = String::new();
        for (secs, reason, message) in events {
            let now = Time(secs * SECOND);
            let mut out: Outbox<Timer> = Outbox::new(now, NoteId(0), &mut rng, &mut next);
            recorder.event(
                "kubelet",
                &about,
                Severity::Warning,
                *reason,
                message.clone(),
                &mut out,
            );
            let mut effects = out.into_effects();
            while let Some(effect) = effects.pop() {
                let Effect::Send { id, request, .. } = effect else {
                    continue;
                };
                let body = match &request.body {
                    api::Body::Object(event) | api::Body::Patch(_, event) => event,
                    _ => &Value::Null,
                };
                text += &format!(
                    "{secs} {:?} x{} {}\n",
                    request.verb,
                    body.int("count").unwrap_or_default(),
                    body.str("message")
                );
                let mut out: Outbox<Timer> = Outbox::new(now, NoteId(0), &mut rng, &mut next);
                recorder.respond(id, &Response::ok(Value::Null), &mut out);
                effects.extend(out.into_effects());
            }
        }
        text
    }

    #[test]
    fn equal_events_are_counted() {
        let same = |secs| (secs, "BackOff", "Back-off restarting".to_owned());
        expect_test::expect![[r#"
            1 Create x1 Back-off restarting
            2 Patch x2 Back-off restarting
            9 Patch x3 Back-off restarting
        "#]]
        .assert_eq(&told(&[same(1), same(2), same(9)]));
    }

    #[test]
    fn many_similar_events_are_combined() {
        let events: Vec<_> = (0..12)
            .map(|n| (n, "FailedCreate", format!("failure {n}")))
            .collect();
        let text = told(&events);
        let combined: Vec<&str> = text.lines().filter(|l| l.contains("combined")).collect();
        expect_test::expect![[r#"
            [
                "9 Create x1 (combined from similar events): failure 9",
                "10 Patch x2 (combined from similar events): failure 10",
                "11 Patch x3 (combined from similar events): failure 11",
            ]
        "#]]
        .assert_debug_eq(&combined);
    }

    #[test]
    fn a_source_that_tells_too_much_of_one_object_is_cut_off() {
        let same = |secs| (secs, "BackOff", "again".to_owned());
        let events: Vec<_> = (0..40).map(same).chain([same(340), same(341)]).collect();
        let text = told(&events);
        assert_eq!(text.lines().count(), 26);
        assert!(text.ends_with("340 Patch x41 again\n"), "{text}");
    }
}
