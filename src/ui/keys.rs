//! Keys of the whole page, those of slides as in reveal.js. Single letters count only outside of text fields.

use playground::deck::Lang;
use wasm_bindgen::JsCast;

use crate::action::{Action, Turn};

/// What a key means where it was pressed; `None`: nothing of ours.
pub(crate) fn action(event: &web_sys::KeyboardEvent, lang: Lang) -> Option<Action> {
    if event.is_composing() || event.key_code() == 229 {
        return None;
    }
    let key = event.key();
    if (event.ctrl_key() || event.meta_key()) && !event.alt_key() {
        return match key.as_str() {
            "k" | "K" => Some(Action::TogglePalette),
            "Enter" => Some(Action::Apply),
            "p" => Some(Action::Print),
            "`" => Some(Action::FocusTerminal),
            _ => None,
        };
    }
    if key == "F6" {
        next_region(event.shift_key());
        event.prevent_default();
        return None;
    }
    let target = event.target()?;
    // The speaker's window has a realm of its own, so that its elements are none of this one's `Element`; they answer the same calls.
    let target = target.unchecked_ref::<web_sys::Element>();
    let is_within = |selector: &str| target.closest(selector).ok().flatten().is_some();
    if key == "Escape" && is_within("[role=dialog]") {
        return Some(Action::CloseOver);
    }
    if event.alt_key()
        || is_within("input, textarea, select, [contenteditable], .cm-editor, [role=dialog]")
    {
        return None;
    }
    let on_control = is_within("button, a, summary, [role=button], [role=tab], [role=separator]");
    let turn = |turn: Turn| Some(Action::Turn(turn));
    match key.as_str() {
        "ArrowRight" | "ArrowDown" if event.shift_key() => turn(Turn::Last),
        "ArrowLeft" | "ArrowUp" if event.shift_key() => turn(Turn::First),
        "ArrowRight" | "l" => turn(Turn::Right),
        "ArrowLeft" | "h" => turn(Turn::Left),
        "ArrowDown" | "j" => turn(Turn::Down),
        "ArrowUp" | "k" => turn(Turn::Up),
        " " if on_control => None,
        " " if event.shift_key() => turn(Turn::Previous),
        " " | "n" | "PageDown" => turn(Turn::Next),
        "p" | "PageUp" => turn(Turn::Previous),
        "Home" => turn(Turn::First),
        "End" => turn(Turn::Last),
        "Escape" | "o" => Some(Action::ToggleOverview),
        "f" => Some(Action::TogglePresenting),
        "b" | "." => Some(Action::ToggleBlack),
        "c" => Some(Action::ToggleBeside),
        "s" => Some(Action::ToggleSpeaker),
        "/" | "g" => Some(Action::TogglePalette),
        "?" => Some(Action::ToggleHelp),
        "P" => Some(Action::ToggleProjector),
        "t" => Some(Action::TogglePause),
        "e" => Some(Action::Step),
        "L" => Some(Action::SetLang(if lang == Lang::Ja {
            Lang::En
        } else {
            Lang::Ja
        })),
        _ => None,
    }
}

/// The places that F6 goes through.
const REGIONS: [&str; 5] = [
    ".slide-box",
    ".pane.stage [role=tab][tabindex='0']",
    "[data-testid=apply]",
    "[data-testid=terminal-input]",
    "[data-testid=pause]",
];

fn next_region(is_back: bool) {
    let Some(document) = crate::dom::document() else {
        return;
    };
    let active = document.active_element();
    let holds = |selector: &str| {
        let region = match selector {
            ".slide-box" => ".pane.slides",
            "[data-testid=apply]" => ".pane.work",
            "[data-testid=terminal-input]" => ".pane.term",
            "[data-testid=pause]" => ".time",
            _ => ".pane.stage",
        };
        active
            .as_ref()
            .is_some_and(|active| active.closest(region).ok().flatten().is_some())
    };
    let count = REGIONS.len();
    let at = REGIONS.iter().position(|selector| holds(selector));
    let next = match (at, is_back) {
        (Some(at), false) => (at + 1) % count,
        (Some(at), true) => (at + count - 1) % count,
        (None, _) => 0,
    };
    crate::dom::focus(REGIONS[next]);
}
