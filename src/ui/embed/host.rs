//! The wire to the host page: hears its messages, answers each, and tells it of the state once it has said hello.
//!
//! Only the page that holds this one in a frame is listened to, and only from an origin that `call::is_heard` lets in. Answers go to the
//! origin that asked and to no other.

use js_sys::{Array, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use yew::Callback;

use super::call::{self, Fields, Refusal, VERSION, refuse};
use super::jobs::{Ended, Id};
use crate::action::Action;

/// How many origins are told of the state at most.
const HOSTS: usize = 4;

/// The host page, as far as it has made itself known.
#[derive(Debug, Default)]
pub(crate) struct Host {
    /// Origins that have said something that was heard.
    origins: Vec<String>,
    /// Who asked what, while it is not answered.
    asked: Vec<(Id, String)>,
    _heard: Option<Closure<dyn FnMut(web_sys::MessageEvent)>>,
}

/// A message that has come in: who sent it, what it is called there, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) origin: String,
    pub(crate) id: Option<Id>,
    pub(crate) call: Result<call::Call, Refusal>,
}

impl Host {
    /// Begins to listen, if the page lies in a frame, and says that it is there.
    pub(crate) fn listen(act: Callback<Action>, allowed: Vec<String>) -> Host {
        let Some(parent) = parent() else {
            return Host::default();
        };
        let own = web_sys::window()
            .and_then(|window| window.location().origin().ok())
            .unwrap_or_default();
        let heard = Closure::<dyn FnMut(web_sys::MessageEvent)>::new(
            move |event: web_sys::MessageEvent| {
                let is_parent = event
                    .source()
                    .is_some_and(|source| JsValue::from(source) == JsValue::from(&parent));
                let message = Message(event.data());
                if !is_parent || !call::is_ours(&message) {
                    return;
                }
                let origin = event.origin();
                let call = if call::is_heard(&origin, &own, &allowed) {
                    call::read(&message)
                } else {
                    Err(refuse(
                        "origin",
                        format!(
                            "messages from {origin} are not allowed: name it in the address, as origin={origin}"
                        ),
                    ))
                };
                act.emit(Action::Hosted(Heard {
                    origin,
                    id: call::id(&message),
                    call,
                }));
            },
        );
        if let Some(window) = web_sys::window() {
            // Listening to a window cannot fail.
            let _ =
                window.add_event_listener_with_callback("message", heard.as_ref().unchecked_ref());
        }
        // Says no more than that a page is there, so anyone may hear it.
        send(&object("ready", &[]), "*");
        Host {
            _heard: Some(heard),
            ..Host::default()
        }
    }

    /// Whether anybody wants to know the state.
    pub(crate) fn has_audience(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Remembers a sender whose message was heard.
    pub(crate) fn welcome(&mut self, origin: &str) {
        if !self.origins.iter().any(|known| known == origin) && self.origins.len() < HOSTS {
            self.origins.push(String::from(origin));
        }
    }

    /// Remembers who is to be answered later.
    pub(crate) fn owe(&mut self, id: Id, origin: String) {
        self.asked.push((id, origin));
    }

    /// Answers at once.
    pub(crate) fn answer(
        &self,
        origin: &str,
        id: Option<&Id>,
        result: Result<&[(&str, JsValue)], &Refusal>,
    ) {
        let mut fields = vec![
            ("id", id.map_or(JsValue::NULL, value)),
            ("ok", result.is_ok().into()),
        ];
        match result {
            Ok(more) => fields.extend(more.iter().cloned()),
            Err(refusal) => fields.extend([
                ("reason", refusal.reason.into()),
                ("message", JsValue::from_str(&refusal.message)),
            ]),
        }
        send(&object("reply", &fields), origin);
    }

    /// Tells how a job ended.
    pub(crate) fn ended(&mut self, ended: &Ended) {
        let Some(origin) = self.settle(&ended.id) else {
            return;
        };
        let problems: Array = ended
            .problems
            .iter()
            .map(|(line, path, message)| {
                plain(&[
                    ("line", (*line).into()),
                    ("path", path.into()),
                    ("message", message.into()),
                ])
            })
            .collect();
        let fields = [
            ("code", ended.code.into()),
            ("output", JsValue::from_str(&ended.output)),
            ("problems", problems.into()),
        ];
        self.answer(&origin, Some(&ended.id), Ok(&fields));
    }

    /// Tells that a job is not done after all.
    pub(crate) fn dropped(&mut self, id: &Id) {
        if let Some(origin) = self.settle(id) {
            self.answer(
                &origin,
                Some(id),
                Err(&refuse(
                    "restarted",
                    "another cluster began before this was done",
                )),
            );
        }
    }

    /// Tells everyone who listens.
    pub(crate) fn tell(&self, kind: &str, fields: &[(&str, JsValue)]) {
        let message = object(kind, fields);
        for origin in &self.origins {
            send(&message, origin);
        }
    }

    fn settle(&mut self, id: &Id) -> Option<String> {
        let at = self.asked.iter().position(|(known, _)| known == id)?;
        Some(self.asked.swap_remove(at).1)
    }
}

/// The page that holds this one.
fn parent() -> Option<web_sys::Window> {
    let window = web_sys::window()?;
    let parent = window.parent().ok().flatten()?;
    (JsValue::from(&parent) != JsValue::from(&window)).then_some(parent)
}

/// Sends to the host page, if it still has this origin. A page without one cannot be named.
fn send(message: &JsValue, origin: &str) {
    if let Some(parent) = parent() {
        let target = if origin == "null" { "*" } else { origin };
        // Refused only for a target that is no origin; the browser gave us this one.
        let _ = parent.post_message(message, target);
    }
}

fn value(id: &Id) -> JsValue {
    match id {
        Id::Number(number) => JsValue::from_f64(*number),
        Id::Text(text) => JsValue::from_str(text),
    }
}

fn object(kind: &str, fields: &[(&str, JsValue)]) -> JsValue {
    let object = plain(fields);
    // Setting a field of a plain object cannot fail.
    let _ = Reflect::set(&object, &"kubenkyo".into(), &VERSION.into());
    let _ = Reflect::set(&object, &"type".into(), &kind.into());
    object
}

/// A plain JavaScript object.
pub(crate) fn plain(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// What came over the wire. It was copied on the way, so that reading it runs no code of the sender.
struct Message(JsValue);

impl Message {
    fn field(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(&self.0, &name.into()).ok()?;
        (!value.is_undefined()).then_some(value)
    }
}

impl Fields for Message {
    fn text(&self, name: &str) -> Option<String> {
        // No more of a huge text is copied than shows that it is too long.
        let text = self.field(name)?.dyn_into::<JsString>().ok()?;
        Some(String::from(text.slice(0, call::TEXT as u32 + 1)))
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.field(name)?.as_f64()
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.field(name)?.dyn_into::<Array>().ok()?;
        // Looked at no further than a list of ours goes.
        list.iter()
            .take(1_000)
            .map(|text| text.as_string().filter(|text| text.len() <= call::TEXT))
            .collect()
    }

    fn has(&self, name: &str) -> bool {
        self.0.is_object() && self.field(name).is_some()
    }
}
