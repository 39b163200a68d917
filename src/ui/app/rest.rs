//! The page before all of it is there: `static/boot.js` starts it with the first part of its program, and fetches the rest while the
//! reader sees the first slide and the cluster being switched on.
//!
//! Until the rest is there, what the user does is kept, and done then; only what concerns the look of the page is done at once. Frames go on:
//! a cluster that nobody has told anything needs nothing of the rest (a browser test holds that).

use std::rc::Rc;

use playground::Options;
use playground::deck::{Deck, Lang, beginning};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use super::embedded::slide_named;
use super::{App, Told, browser, place_of};
use crate::action::Action;
use crate::dom;
use crate::embed::params::Params;
use crate::library::Source;

/// The rest of the program, as the application sees it.
#[derive(Debug)]
pub(super) enum Rest {
    /// On its way; what waits for it, in order.
    Awaited(Vec<Action>),
    Here,
}

impl Rest {
    /// How it stands as the page starts: in one file, or where nothing was cut, it is there already.
    pub(super) fn at_start() -> Rest {
        if cfg!(target_arch = "wasm32") && !dom::has_rest() {
            Rest::Awaited(Vec::new())
        } else {
            Rest::Here
        }
    }

    pub(super) fn is_here(&self) -> bool {
        matches!(self, Rest::Here)
    }

    /// What the page starts with: of the study group's deck, only the first text is in the first part; and no slide at all if the one that is
    /// wanted comes with the rest, as nobody is to see another one first.
    pub(super) fn beginning(&self, lang: Lang, params: &Params) -> Deck {
        if self.is_here() {
            return Source::Study.deck(lang);
        }
        let deck = Deck::parse(beginning(lang));
        let kept = crate::kept::slide("");
        let wanted = params.slide.as_deref().or(kept.as_deref());
        let has_it = wanted.is_none_or(|wanted| slide_named(&deck, wanted).is_some());
        if has_it && params.deck.is_none() {
            deck
        } else {
            Deck::parse(&[])
        }
    }

    /// Keeps an action for later, or gives it back because it can be done now.
    pub(super) fn hold(&mut self, action: Action) -> Option<Action> {
        match self {
            Rest::Awaited(waiting) if !is_of_the_look(&action) => {
                waiting.push(action);
                None
            }
            _ => Some(action),
        }
    }
}

fn is_of_the_look(action: &Action) -> bool {
    matches!(
        action,
        Action::NextTheme
            | Action::SystemColours
            | Action::ToggleProjector
            | Action::ShowTab(_)
            | Action::Resize(..)
            | Action::Dragging(_)
            | Action::PutAway(_)
            | Action::BringBack
            | Action::Alone(_)
            | Action::ToggleTimeBar
            | Action::Edit(_)
    )
}

impl App {
    /// Whether time may pass. Of the first part only what the usual cluster needs is known; any other one waits for the rest.
    pub(super) fn can_run(&self) -> bool {
        self.rest.is_here() || *self.env.engine.0.borrow().options() == Options::default()
    }

    /// The rest has come: the whole deck and the texts are looked at, and what waited is done.
    pub(super) fn complete(&mut self) {
        let Rest::Awaited(waiting) = std::mem::replace(&mut self.rest, Rest::Here) else {
            return;
        };
        self.deck = Rc::new(Source::Study.deck(self.env.lang));
        self.place = place_of(&self.deck, self.params.slide.as_deref(), "");
        self.begin_work(&dom::fragment());
        for action in waiting {
            self.act(action);
        }
    }

    /// What a start does that needs the whole program.
    pub(super) fn begin_work(&mut self, fragment: &str) {
        self.arrive();
        if let Some(name) = self.params.deck.clone() {
            self.open_asked_deck(&name);
        } else if let Some((name, text)) = crate::kept::given_deck() {
            self.open_deck_file(&name, text);
        }
        self.begin_as_asked();
        if self.params.prints {
            self.print();
        }
        self.diagnose();
        self.take_updates();
        self.reopen_at_start(fragment);
        // Whoever holds the page may speak from now on: it hears that the page is ready.
        if self.params.is_embed {
            browser(|| self.listen_to_host());
        }
    }
}

/// Tells when the rest is there.
pub(super) fn listen(context: &Context<App>) -> Option<Closure<dyn FnMut()>> {
    let tell = context.link().callback(|()| Told::Rest);
    let heard = Closure::<dyn FnMut()>::new(move || tell.emit(()));
    web_sys::window()?
        .add_event_listener_with_callback("kubenkyo-rest", heard.as_ref().unchecked_ref())
        .ok()?;
    // It may have come between the start and here.
    if dom::has_rest() {
        context.link().send_message(Told::Rest);
    }
    Some(heard)
}
