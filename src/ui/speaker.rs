//! The speaker's view in a second window: the slide, the next one, the notes and a clock.
//!
//! The window is empty and has no address; this page draws into it. So it is in step by construction, needs no message and no server, and
//! works from a file as well. It goes when this page goes.

use std::rc::Rc;

use playground::deck::{Deck, Lang};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use crate::action::{Action, Turn};
use crate::driver::{time_of_day, wall_ms};
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::slides::outcome::Outcomes;
use crate::slides::{Place, Tasks, live, notes, picture};
use crate::words::words;
use crate::{dom, keys};

words! { Words:
    Title: "発表者の画面" | "Speaker";
    Now: "いまのスライド" | "On screen";
    Next: "次" | "Next";
    End: "最後のスライドです" | "This is the last one";
    Notes: "ノート" | "Notes";
    NoNotes: "このスライドにノートはありません" | "No notes for this slide";
    Elapsed: "経過時間" | "Elapsed";
    Hold: "止める" | "Stop";
    Go: "進める" | "Go on";
    Again: "0 に戻す" | "Back to zero";
    Clock: "時刻" | "Time";
    Back: "戻る" | "Back";
    On: "進む" | "On";
    Black: "画面を黒くしています" | "The screen is black";
}

/// The window, open as long as this lives.
pub(crate) struct SpeakerWindow {
    window: web_sys::Window,
    host: web_sys::Element,
    leave: Closure<dyn FnMut()>,
    keys: Closure<dyn FnMut(web_sys::KeyboardEvent)>,
    gone: Closure<dyn FnMut()>,
}

impl std::fmt::Debug for SpeakerWindow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SpeakerWindow")
    }
}

impl SpeakerWindow {
    /// Opens the window; `None` where the browser does not allow it.
    pub(crate) fn open(env: &Env) -> Option<SpeakerWindow> {
        let here = web_sys::window()?;
        let window = here
            .open_with_url_and_target_and_features("", "kubenkyo-speaker", "width=1180,height=800")
            .ok()??;
        let document = window.document()?;
        copy_styles(&dom::document()?, &document);
        document.set_title(&format!("Kubenkyo: {}", Words::Title.text(env.lang)));
        let body = document.query_selector("body").ok()??;
        body.set_text_content(None);
        let host = document.create_element("div").ok()?;
        host.set_class_name("speaker-host");
        body.append_child(&host).ok()?;

        let keys = {
            let env = env.clone();
            Closure::<dyn FnMut(_)>::new(move |event: web_sys::KeyboardEvent| {
                if let Some(action) = keys::action(&event, dom::root_lang()) {
                    event.prevent_default();
                    env.act(action);
                }
            })
        };
        let gone = {
            let env = env.clone();
            Closure::<dyn FnMut()>::new(move || env.act(Action::SpeakerGone))
        };
        let leave = {
            let window = window.clone();
            Closure::<dyn FnMut()>::new(move || drop(window.close()))
        };
        document
            .add_event_listener_with_callback("keydown", keys.as_ref().unchecked_ref())
            .ok()?;
        window
            .add_event_listener_with_callback("pagehide", gone.as_ref().unchecked_ref())
            .ok()?;
        here.add_event_listener_with_callback("pagehide", leave.as_ref().unchecked_ref())
            .ok()?;
        // A window that does not come to the front is still open.
        let _ = window.focus();
        Some(SpeakerWindow {
            window,
            host,
            leave,
            keys,
            gone,
        })
    }

    pub(crate) fn window(&self) -> &web_sys::Window {
        &self.window
    }

    /// Where the view is drawn.
    pub(crate) fn host(&self) -> &web_sys::Element {
        &self.host
    }

    /// Gives the window the page's language and colours.
    pub(crate) fn paint(&self, lang: &str, theme: &str) {
        let root = self
            .window
            .document()
            .and_then(|document| document.document_element());
        if let Some(root) = root {
            // Valid names on every element.
            let _ = root.set_attribute("lang", lang);
            let _ = root.set_attribute("data-theme", theme);
        }
    }
}

impl Drop for SpeakerWindow {
    fn drop(&mut self) {
        let forget = |from: Option<&web_sys::EventTarget>, name: &str, listener: &JsValue| {
            if let Some(from) = from {
                // Was added when the window was opened; one that has gone has no listeners.
                let _ = from.remove_event_listener_with_callback(name, listener.unchecked_ref());
            }
        };
        let here = web_sys::window();
        let document = self.window.document();
        forget(here.as_deref(), "pagehide", self.leave.as_ref());
        forget(Some(&self.window), "pagehide", self.gone.as_ref());
        forget(
            document.as_ref().map(AsRef::as_ref),
            "keydown",
            self.keys.as_ref(),
        );
        // One that was closed by hand is closed.
        let _ = self.window.close();
    }
}

/// The same look as here: style sheets by their whole addresses, and those that stand in the page itself.
fn copy_styles(from: &web_sys::Document, to: &web_sys::Document) {
    let (Ok(found), Ok(Some(head))) = (
        from.query_selector_all("link[rel=stylesheet], style"),
        to.query_selector("head"),
    ) else {
        return;
    };
    head.set_text_content(None);
    for index in 0..found.length() {
        let Some(style) = found
            .get(index)
            .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
        else {
            continue;
        };
        let made = match style.get_attribute("href") {
            Some(_) => to.create_element("link").ok().inspect(|link| {
                let href = js_sys::Reflect::get(&style, &"href".into()).unwrap_or_default();
                // Valid names on every element.
                let _ = link.set_attribute("rel", "stylesheet");
                let _ = link.set_attribute("href", &href.as_string().unwrap_or_default());
            }),
            None => to.create_element("style").ok().inspect(|sheet| {
                sheet.set_text_content(style.text_content().as_deref());
            }),
        };
        if let Some(made) = made {
            // The head of a document takes any element.
            let _ = head.append_child(&made);
        }
    }
}

/// What the view is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SpeakerProps {
    pub(crate) deck: Rc<Deck>,
    pub(crate) place: Place,
    pub(crate) tasks: Rc<Tasks>,
    pub(crate) cells: Rc<Outcomes>,
    /// Whose timer ticks: that of a hidden page hardly does.
    pub(crate) window: web_sys::Window,
    pub(crate) is_black: bool,
}

#[component]
pub(crate) fn Speaker(props: &SpeakerProps) -> Html {
    let env = use_env();
    let t = |words: Words| words.text(env.lang);
    let deck = &props.deck;
    let Place { column, row, step } = props.place;
    let before: usize = deck.slides.iter().take(column).map(Vec::len).sum();
    let after = props.place.turned(deck, Turn::Next);
    let button = |words: Words, sign: Icon, turn: Turn| {
        let is_end = props.place.turned(deck, turn) == props.place;
        html! { <button class="btn ghost" disabled={is_end} onclick={env.on(Action::Turn(turn))}>{ icon(sign) }{ t(words) }</button> }
    };
    html! {
        <main class="speaker" aria-label={t(Words::Title)} data-testid="speaker">
            <h1 key="title" class="sr">{ t(Words::Title) }</h1>
            <header key="head">
                <Timer key="timer" window={props.window.clone()} />
                <span class="sp" key="space"></span>
                if props.is_black { <b key="black" class="warn" role="status">{ t(Words::Black) }</b> }
                <span key="count" class="num" data-testid="speaker-place">{ format!("{}–{} · {} / {}", column + 1, row + 1, before + row + 1, deck.len()) }</span>
                <span key="turns" class="turns">{ button(Words::Back, Icon::Left, Turn::Previous) }{ button(Words::On, Icon::Right, Turn::Next) }</span>
            </header>
            <section key="now" class="now" aria-label={t(Words::Now)}>
                <h2>{ t(Words::Now) }</h2>
                if let Some(slide) = deck.slide(column, row) {
                    <div class="thumb" data-testid="speaker-now">{ live(deck, slide, step, &props.tasks, &props.cells, &env) }</div>
                }
            </section>
            <section key="next" class="next" aria-label={t(Words::Next)}>
                <h2>{ t(Words::Next) }</h2>
                if after == props.place {
                    <p class="quiet">{ t(Words::End) }</p>
                } else if let Some(slide) = deck.slide(after.column, after.row) {
                    <div class="thumb" inert={true} data-testid="speaker-next">{ picture(deck, slide, after.step, &env) }</div>
                }
            </section>
            <section key="notes" class="notes" aria-label={t(Words::Notes)} tabindex="0" data-testid="speaker-notes">
                <h2>{ t(Words::Notes) }</h2>
                if let Some(slide) = deck.slide(column, row).filter(|slide| !slide.notes.is_empty()) {
                    { notes(slide, &env) }
                } else {
                    <p class="quiet">{ t(Words::NoNotes) }</p>
                }
            </section>
        </main>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct TimerProps {
    window: web_sys::Window,
}

/// How long one has been speaking, and what time it is.
#[component]
fn Timer(props: &TimerProps) -> Html {
    let env = use_env();
    // Milliseconds counted before the clock was last set going, and when that was.
    let counted = use_state_eq(|| (0.0, Some(wall_ms())));
    let now = use_state_eq(wall_ms);
    {
        let now = now.setter();
        use_effect_with(props.window.clone(), move |window| {
            let window = window.clone();
            let tick = Closure::<dyn FnMut()>::new(move || now.set(wall_ms()));
            let timer = window.set_interval_with_callback_and_timeout_and_arguments_0(
                tick.as_ref().unchecked_ref(),
                500,
            );
            move || {
                if let Ok(timer) = timer {
                    window.clear_interval_with_handle(timer);
                }
                drop(tick);
            }
        });
    }
    let (past, since) = *counted;
    let elapsed = past + since.map_or(0.0, |since| (*now - since).max(0.0));
    let hold = {
        let counted = counted.clone();
        Callback::from(move |_: MouseEvent| {
            counted.set(match since {
                Some(since) => (past + (wall_ms() - since).max(0.0), None),
                None => (past, Some(wall_ms())),
            })
        })
    };
    let again = Callback::from(move |_: MouseEvent| counted.set((0.0, since.map(|_| wall_ms()))));
    let words = if since.is_some() {
        Words::Hold
    } else {
        Words::Go
    };
    html! {
        <div class="timer">
            <strong class="num" data-testid="speaker-timer" title={Words::Elapsed.text(env.lang)}>{ minutes(elapsed) }</strong>
            <button class="btn ghost" onclick={hold}>{ icon(if since.is_some() { Icon::Pause } else { Icon::Play }) }{ words.text(env.lang) }</button>
            <button class="btn ghost" onclick={again}>{ icon(Icon::Restart) }{ Words::Again.text(env.lang) }</button>
            <span class="num quiet" title={Words::Clock.text(env.lang)}>{ time_of_day() }</span>
        </div>
    }
}

/// `04:07`, or `1:04:07` after an hour.
fn minutes(elapsed_ms: f64) -> String {
    let secs = (elapsed_ms / 1_000.0) as u64;
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes:02}:{secs:02}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn elapsed_time_has_hours_only_when_there_are_any() {
        assert_eq!(super::minutes(247_900.0), "04:07");
        assert_eq!(super::minutes(3_847_000.0), "1:04:07");
    }
}
