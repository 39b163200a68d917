//! What the page that holds this one asks for, and what it is told.

use playground::State;
use wasm_bindgen::prelude::*;

use super::{App, embedded, is_dark};
use crate::action::{Action, Turn};
use crate::driver::wall_ms;
use crate::embed::call::{Call, Refusal, refuse};
use crate::embed::host::{Heard, Host, plain};
use crate::stage::VIEWS;

/// The state is told at most so often while something changes, and so often while only time passes.
const CHANGED_MS: f64 = 200.0;
const UNCHANGED_MS: f64 = 1000.0;
/// How far beyond the latest known time a host may go, in virtual microseconds: it all has to be worked through.
const AHEAD: u64 = 3_600_000_000;

/// What a host is told, but for the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    is_paused: bool,
    speed: u32,
    slide: String,
    view: &'static str,
    pods: [usize; 2],
    nodes: [usize; 2],
    done: Vec<String>,
}

/// The host page, and what it was told last and when.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) host: Host,
    told: Told,
    told_ms: f64,
    time: u64,
}

impl App {
    /// Begins to listen to the host page.
    pub(super) fn listen_to_host(&mut self) {
        self.audience.host = Host::listen(self.env.act.clone(), self.params.origins.clone());
    }

    /// Does what a message says, or says why not.
    pub(super) fn hosted(&mut self, heard: Heard) {
        let Heard { origin, id, call } = heard;
        if !matches!(&call, Err(refusal) if refusal.reason == "origin") {
            self.audience.host.welcome(&origin);
        }
        match call.and_then(|call| self.do_for_host(call)) {
            // Work is answered when it has ended.
            Ok(Some(work)) => match (self.jobs.push(id.clone(), work), id) {
                (true, Some(id)) => self.audience.host.owe(id, origin),
                (true, None) => {}
                (false, id) => {
                    let refusal = refuse("busy", "too much is waiting already");
                    self.audience
                        .host
                        .answer(&origin, id.as_ref(), Err(&refusal));
                }
            },
            Ok(None) => {
                let fields = self.state_fields();
                self.audience.host.answer(&origin, id.as_ref(), Ok(&fields));
            }
            Err(refusal) => self
                .audience
                .host
                .answer(&origin, id.as_ref(), Err(&refusal)),
        }
    }

    /// Does a call, or hands back what takes its time.
    fn do_for_host(&mut self, call: Call) -> Result<Option<crate::embed::jobs::Work>, Refusal> {
        match call {
            Call::Hello | Call::State => {}
            Call::Work(work) => {
                self.driver.is_paused = false;
                return Ok(Some(work));
            }
            Call::Seek(to) => {
                let horizon = self.env.engine.0.borrow().horizon().max(self.now());
                if to > horizon + AHEAD {
                    return Err(refuse(
                        "field",
                        "`to` lies more than an hour beyond what has happened",
                    ));
                }
                self.act(Action::Seek(to));
            }
            Call::Focus(names) => self.focus = std::rc::Rc::new(names),
            Call::Play => self.driver.is_paused = false,
            Call::Pause => self.driver.is_paused = true,
            Call::Speed(speed) => self.driver.speed = speed,
            Call::Slide(name) => {
                let place =
                    embedded::slide_named(&self.deck, &name).map(|slide| (slide.column, slide.row));
                let (column, row) = place
                    .ok_or_else(|| refuse("unknown", format!("the deck has no slide `{name}`")))?;
                self.act(Action::Turn(Turn::To(column, row)));
            }
            Call::View(view) => {
                if !VIEWS.iter().any(|(known, _, _)| *known == view) {
                    return Err(refuse(
                        "unknown",
                        format!("there is no view `{}` yet", view.name()),
                    ));
                }
                self.view = view;
            }
            Call::Lang(lang) => self.act(Action::SetLang(lang)),
            Call::Theme(theme) => {
                self.theme = theme;
                self.env.dark = is_dark(theme);
                self.paint_root();
            }
            Call::Restart => self.begin_anew(),
        }
        Ok(None)
    }

    /// Tells the host page of what changed, now and then.
    pub(super) fn tell_host(&mut self) {
        if !self.audience.host.has_audience() {
            return;
        }
        let passed = wall_ms() - self.audience.told_ms;
        if passed < CHANGED_MS {
            return;
        }
        let told = self.told();
        let is_new = told != self.audience.told;
        let has_time_passed = self.now() != self.audience.time && passed >= UNCHANGED_MS;
        if !is_new && !has_time_passed {
            return;
        }
        self.audience.told = told;
        self.audience.told_ms = wall_ms();
        self.audience.time = self.now();
        let fields = self.state_fields();
        self.audience.host.tell("state", &fields);
    }

    fn told(&self) -> Told {
        let pods = self
            .world
            .objects
            .values()
            .filter(|row| !row.is_system && row.pod.is_some());
        let is_ready = |state: State| state == State::Ready;
        let nodes = self.world.machines.iter();
        Told {
            is_paused: self.driver.is_paused,
            speed: self.driver.speed,
            slide: self
                .deck
                .slide(self.place.column, self.place.row)
                .map(|slide| slide.id.clone())
                .unwrap_or_default(),
            view: self.view.name(),
            pods: pods.fold([0, 0], |[all, ready], row| {
                [all + 1, ready + usize::from(is_ready(row.state))]
            }),
            nodes: nodes.fold([0, 0], |[all, ready], machine| {
                [
                    all + 1,
                    ready + usize::from(machine.node.ready == Some(true)),
                ]
            }),
            done: self
                .tasks
                .iter()
                .filter(|(_, (progress, _))| progress.met)
                .map(|(id, _)| id.clone())
                .collect(),
        }
    }

    fn state_fields(&self) -> Vec<(&'static str, JsValue)> {
        let told = self.told();
        let count = |[all, ready]: [usize; 2]| {
            plain(&[
                ("total", (all as u32).into()),
                ("ready", (ready as u32).into()),
            ])
        };
        let done: js_sys::Array = told.done.iter().map(JsValue::from).collect();
        vec![
            ("time", JsValue::from_f64(self.now() as f64 / 1e6)),
            (
                "end",
                JsValue::from_f64(
                    self.env.engine.0.borrow().horizon().max(self.now()) as f64 / 1e6,
                ),
            ),
            ("paused", told.is_paused.into()),
            ("speed", JsValue::from_f64(f64::from(told.speed) / 1e3)),
            ("slide", JsValue::from_str(&told.slide)),
            ("view", told.view.into()),
            ("pods", count(told.pods)),
            ("nodes", count(told.nodes)),
            ("done", done.into()),
        ]
    }
}
