//! Which deck is open: the study group's, a lesson, one of the user's; its problems, its files, what was reached in it.

use std::collections::BTreeSet;
use std::rc::Rc;

use playground::Text;
use playground::deck::{Lang, Slide, Task};

use super::App;
use crate::action::{Action, Pane};
use crate::library::{Own, Source};
use crate::slides::Place;
use crate::{dom, kept};

/// The deck that is open and what belongs to it.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) source: Source,
    /// Ids of tasks that were ever reached.
    pub(super) done: Rc<BTreeSet<String>>,
    pub(super) has_library: bool,
    /// The slide whose scene the cluster was last set to.
    pub(super) scene_of: Option<String>,
    /// The deck's files that the terminal has.
    pub(super) saved: BTreeSet<String>,
    /// Why a deck that was asked for is not shown.
    pub(super) refusal: Option<Text>,
}

impl App {
    /// The deck that the address names, beside the study group's.
    pub(super) fn open_asked_deck(&mut self, name: &str) {
        match Source::bundled(name) {
            Some(source) => self.open_deck(source, false),
            None => self.fetch_deck(name),
        }
    }

    /// Opens a deck at the slide of the last visit. `is_asked` when the user chose it just now, who then expects it to begin.
    pub(super) fn open_deck(&mut self, source: Source, is_asked: bool) {
        self.shelf.has_library = false;
        self.shelf.refusal = None;
        self.deck = Rc::new(source.deck(self.env.lang));
        kept::keep_given_deck(match &source {
            Source::Own(own) if own.address.is_none() => Some((&own.name, &own.text)),
            _ => None,
        });
        self.shelf.source = source;
        self.tasks = Rc::default();
        self.shelf.scene_of = None;
        self.shelf.saved.clear();
        self.place = if is_asked && matches!(self.shelf.source, Source::Lesson(_)) {
            Place::default()
        } else {
            let named = self.params.slide.as_deref().filter(|_| !is_asked);
            super::place_of(&self.deck, named, &self.shelf.source.key())
        };
        // An embedded page shows what it was asked for and nothing else.
        if self.has(Pane::Slides) {
            self.bring_into_sight(Pane::Slides);
        }
        self.arrive();
        if is_asked {
            self.set_lesson_scene();
        }
        // Pages of the deck before are none of this one's.
        if self.show.paper.is_some() {
            self.print();
        }
    }

    /// A deck that came as a file.
    pub(super) fn open_deck_file(&mut self, name: &str, text: String) {
        let own = Own {
            name: String::from(name),
            text,
            address: None,
        };
        self.open_own(own);
    }

    /// The deck of an address has come, or has not.
    pub(super) fn take_deck(&mut self, name: &str, came: Result<(String, String), Text>) {
        match came {
            Ok((address, text)) => {
                self.open_own(Own {
                    name: String::from(name),
                    text,
                    address: Some(address),
                });
                // Its scenes were not there yet when the address was worked off.
                if self.params.scene.is_some() {
                    self.begin_as_asked();
                }
            }
            Err(why) => self.shelf.refusal = Some(why),
        }
    }

    fn open_own(&mut self, own: Own) {
        if let Some(lang) = Source::Own(Rc::new(Own {
            name: String::new(),
            text: own.text.clone(),
            address: None,
        }))
        .deck(Lang::En)
        .lang
        {
            self.env.lang = lang;
            self.paint_root();
        }
        self.open_deck(Source::Own(Rc::new(own)), false);
    }

    fn fetch_deck(&mut self, name: &str) {
        let act = self.env.act.clone();
        let asked = String::from(name);
        let refused = dom::fetch_text(name, move |came| {
            let came = came.map_err(|why| {
                Text::new(
                    format!("デッキ「{asked}」を読み込めませんでした：{}", why.ja),
                    format!("The deck \"{asked}\" could not be loaded: {}", why.en),
                )
            });
            act.emit(Action::TakeDeck(asked.clone(), came));
        });
        if let Err(why) = refused {
            self.shelf.refusal = Some(Text::new(
                format!("デッキ「{name}」は開けません：{}", why.ja),
                format!("The deck \"{name}\" cannot be opened: {}", why.en),
            ));
        }
    }

    /// In a lesson the cluster is the lesson's: who comes to a slide with a scene finds it set.
    pub(super) fn set_lesson_scene(&mut self) {
        let is_lesson = matches!(self.shelf.source, Source::Lesson(_));
        let fresh = self.slide().is_some_and(|slide| {
            slide.scene.is_some() && self.shelf.scene_of.as_deref() != Some(slide.id.as_str())
        });
        if is_lesson && fresh && !self.env.is_readonly {
            self.set_scene();
        }
    }

    /// The tasks to look at: those of the slide, and in a lesson that has begun all of them, whichever of its slides is open.
    pub(super) fn tasks_in_hand(&self) -> Vec<&Task> {
        let is_lesson = matches!(self.shelf.source, Source::Lesson(_));
        if is_lesson && self.shelf.scene_of.is_some() {
            self.deck.iter().flat_map(Slide::tasks).collect()
        } else {
            self.slide().into_iter().flat_map(Slide::tasks).collect()
        }
    }

    /// Remembers the tasks that are reached now.
    pub(super) fn note_reached(&mut self) {
        let fresh: Vec<String> = self
            .tasks
            .iter()
            .filter(|(id, (progress, _))| progress.met && !self.shelf.done.contains(*id))
            .map(|(id, _)| id.clone())
            .collect();
        if !fresh.is_empty() {
            Rc::make_mut(&mut self.shelf.done).extend(fresh);
            kept::keep_done(&self.shelf.done);
        }
    }

    /// Writes the deck's manifests that a command line names into the terminal's home, unless they are there. A file of that name in the
    /// editor goes before, except in a scene, which begins the same for everyone.
    pub(super) fn save_deck_files(&mut self, line: &str) {
        let deck = Rc::clone(&self.deck);
        for (name, text) in deck.files() {
            let is_named = line
                .split(|c: char| c.is_whitespace() || "=,;|&<>'\"".contains(c))
                .any(|word| word.trim_start_matches("./") == name);
            let is_in_editor = || self.files.iter().any(|file| *file.name == *name);
            if !is_named
                || self.shelf.saved.contains(name)
                || (!self.is_setting_scene && is_in_editor())
            {
                continue;
            }
            self.shelf.saved.insert(String::from(name));
            let file = playground::FileText {
                name: String::from(name),
                text: String::from(text),
            };
            let mut engine = self.env.engine.0.borrow_mut();
            engine.command(playground::Command::Save(file));
        }
    }
}
