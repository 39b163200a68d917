//! Presenting: the slides on the whole screen, the cluster beside them, black, all slides at once; a second window; paper.

use std::rc::Rc;

use playground::Text;
use playground::deck::Slide;
use yew::prelude::*;

use super::App;
use crate::action::{Pane, Turn};
use crate::embed::params::Params;
use crate::paper::Paper;
use crate::slides::Place;
use crate::speaker::{Speaker, SpeakerWindow};
use crate::{dom, kept};

/// How the deck is shown.
#[derive(Debug, Default)]
pub(super) struct Show {
    /// The slides take the whole screen.
    pub(super) is_presenting: bool,
    /// The user's word on whether the cluster stands beside the slide; else each slide decides.
    is_beside: Option<bool>,
    pub(super) is_black: bool,
    /// All slides at once.
    pub(super) has_overview: bool,
    pub(super) speaker: Option<SpeakerWindow>,
    /// What is being made ready for the printer.
    pub(super) paper: Option<Paper>,
}

impl App {
    /// What the style sheet arranges the presentation by: `slide` alone, or `both` with the cluster; `None` in the page.
    pub(super) fn presents(&self) -> Option<&'static str> {
        let wants_cluster = || {
            self.slide()
                .is_some_and(|slide| !slide.cells().is_empty() || slide.scene.is_some())
        };
        self.show.is_presenting.then(|| {
            if self.show.is_beside.unwrap_or_else(wants_cluster) {
                "both"
            } else {
                "slide"
            }
        })
    }

    /// The slide that is open.
    pub(super) fn slide(&self) -> Option<&Slide> {
        self.deck.slide(self.place.column, self.place.row)
    }

    pub(super) fn toggle_presenting(&mut self) {
        self.show.is_presenting = !self.show.is_presenting;
        self.show.is_beside = None;
        self.show.is_black = false;
        dom::set_full_screen(self.show.is_presenting);
        self.tab = Pane::Slides;
    }

    /// Escape ends the full screen without a key of ours.
    pub(super) fn follow_full_screen(&mut self, is_full: bool) {
        if !is_full && self.show.is_presenting {
            self.show.is_presenting = false;
            self.show.is_black = false;
        }
    }

    pub(super) fn toggle_beside(&mut self) {
        if let Some(now) = self.presents() {
            self.show.is_beside = Some(now == "slide");
        }
    }

    pub(super) fn turn(&mut self, turn: Turn) {
        let before = self.place;
        self.show.is_black = false;
        if self.show.has_overview {
            let to = self.place.jumped(&self.deck, turn);
            if (to.column, to.row) != (before.column, before.row) {
                self.place = to;
            }
            if let Turn::To(..) = turn {
                self.show.has_overview = false;
            }
        } else {
            self.place = self.place.turned(&self.deck, turn);
        }
        if (self.place.column, self.place.row) != (before.column, before.row) {
            self.arrive();
            self.set_lesson_scene();
        }
    }

    /// The address was changed by a link or by hand.
    pub(super) fn follow_address(&mut self) {
        let fragment = dom::fragment();
        if let Some(text) = super::reopen::link_of(&fragment) {
            dom::replace_fragment(&super::reopen::without_link(&fragment));
            self.follow_link(text);
        }
        let named = Params::read("", &dom::fragment()).slide;
        let Place { column, row, .. } =
            super::place_of(&self.deck, named.as_deref(), &self.shelf.source.key());
        self.turn(Turn::To(column, row));
    }

    pub(super) fn close_over(&mut self) {
        self.has_palette = false;
        self.has_help = false;
        self.shelf.has_library = false;
        self.show.paper = None;
    }

    /// The speaker's window: notes, the next slide, a clock. Closes with this page.
    pub(super) fn toggle_speaker(&mut self) {
        if self.show.speaker.take().is_none() {
            self.show.speaker = SpeakerWindow::open(&self.env);
            self.paint_root();
            if self.show.speaker.is_none() {
                self.shelf.refusal = Some(Text::new(
                    "発表者の画面を開けませんでした。ブラウザーでこのページのポップアップを許可してください。",
                    "The speaker's window could not be opened. Allow this page to open windows.",
                ));
            }
        }
    }

    /// The second window, drawn from here: it has no page of its own, so that it is always in step.
    pub(super) fn speaker(&self) -> Html {
        let Some(speaker) = &self.show.speaker else {
            return html! { <div key="speaker" hidden={true}></div> };
        };
        let view = html! {
            <Speaker deck={self.deck.clone()} place={self.place} tasks={self.tasks.clone()} cells={self.cells.shown()} window={speaker.window().clone()} is_black={self.show.is_black} />
        };
        html! { <div key="speaker" hidden={true}>{ create_portal(view, speaker.host().clone()) }</div> }
    }

    /// Makes a page of every slide. With `?print-pdf` in the address the pages stay, as reveal.js has it; else the browser prints them.
    pub(super) fn print(&mut self) {
        let stays = self.params.prints;
        self.close_over();
        self.show.has_overview = false;
        let here = (self.place.column, self.place.row);
        let now = Rc::new(self.world.clone());
        self.show.paper = Some(Paper::begin(self.deck.clone(), here, now, stays));
    }

    /// Prepares the next page. Answers whether anything is to be drawn.
    pub(super) fn work_on_paper(&mut self) -> bool {
        self.show.paper.as_mut().is_some_and(Paper::work)
    }

    /// The pages, or how far they are.
    pub(super) fn paper(&self) -> Html {
        match &self.show.paper {
            Some(paper) => paper.view(&self.env),
            None => html! { <div key="paper" hidden={true}></div> },
        }
    }

    pub(super) fn toggle_projector(&mut self) {
        self.is_large = !self.is_large;
        kept::keep_large(self.is_large);
        self.paint_root();
    }
}
