//! What the address asks for: done once at the start, and the shape of an embedded page.

use std::rc::Rc;

use playground::deck::Deck;
use playground::{Options, PromptState};
use yew::prelude::*;

use super::{App, browser};
use crate::action::Pane;
use crate::dom;
use crate::embed::bar::{Bar, Words};
use crate::embed::dialog::Generator;
use crate::embed::jobs::Work;
use crate::embed::params::{Autoplay, Controls, Params, SceneOf};
use crate::library::Source;
use crate::stage::VIEWS;
use crate::workbench::File;
use crate::workbench::examples::EXAMPLES;

/// The name of a manifest that came with the address.
const FILE: &str = "example.yaml";

impl App {
    /// Sets the scene, opens the manifest and queues the lines that the address names.
    pub(super) fn begin_as_asked(&mut self) {
        let params = self.params.clone();
        match &params.scene {
            Some(SceneOf::Here) => self.set_scene(),
            Some(SceneOf::Slide(id)) => {
                let scene = slide_named(&self.deck, id).and_then(|slide| slide.scene.clone());
                if let Some(scene) = scene {
                    self.stage_scene(scene);
                }
            }
            None => {}
        }
        if let Some(asked) = &params.manifest {
            let (name, text) = self.manifest(asked);
            if params.is_embed {
                self.files = Rc::default();
            }
            self.open(&name, &text);
            if params.autoplay == Autoplay::Applies {
                self.jobs.push(None, Work::Apply { file: name, text });
            }
        }
        if !params.runs.is_empty() {
            self.jobs.push(None, Work::Run(params.runs.clone()));
        }
        if let Some(view) = params
            .view
            .filter(|view| VIEWS.iter().any(|(known, _, _)| known == view))
        {
            self.view = view;
        }
        if params.is_embed {
            self.tab = params.shown()[0];
        }
        self.driver.is_paused = params.autoplay == Autoplay::Off;
    }

    /// A manifest by the name that the examples or the deck have for it, else the text itself under a name that is free.
    fn manifest(&self, asked: &str) -> (String, String) {
        let example = EXAMPLES.iter().find(|example| example.file == asked);
        let known = example.map(|example| example.text);
        if let Some(text) = known.or_else(|| self.deck.files().get(asked).copied()) {
            return (String::from(asked), String::from(text));
        }
        let is_taken = |name: &str| {
            self.files
                .iter()
                .any(|file| *file.name == *name && *file.text != *asked)
        };
        let mut name = String::from(FILE);
        for number in 2.. {
            if !is_taken(&name) {
                break;
            }
            name = format!("example-{number}.yaml");
        }
        (name, String::from(asked))
    }

    /// Whether an embedded page is out of sight: then nothing happens on it.
    pub(super) fn is_away(&self) -> bool {
        self.params.is_embed && browser(dom::is_away).unwrap_or(false)
    }

    /// Begins the next job once the terminal is free, and ends the one that has run. A page that is paused begins none.
    pub(super) fn work_off(&mut self) {
        loop {
            let code = match self.terminal.prompt {
                PromptState::Ready { rc } => Some(rc),
                PromptState::Busy | PromptState::Continue => None,
            };
            let is_free = code.is_some() && self.terminal.queue.is_empty() && !self.driver.rushes;
            if let Some(ended) = self.jobs.settle(is_free, code.unwrap_or_default()) {
                self.audience.host.ended(&ended);
            }
            if self.driver.is_paused {
                return;
            }
            match self.jobs.begin(is_free) {
                Some(Work::Apply { file, text }) => {
                    self.open(&file, &text);
                    self.apply();
                    self.terminal.prompt = PromptState::Busy;
                    self.take_updates();
                }
                Some(Work::Run(lines)) => self.run(lines),
                None => return,
            }
        }
    }

    /// Whether a column is on the page at all.
    pub(super) fn has(&self, pane: Pane) -> bool {
        !self.params.is_embed || self.panes.contains(&pane)
    }

    /// The columns of an embedded page, in the order they were asked for.
    pub(super) fn embedded_board(&self) -> Html {
        let panes = &self.panes;
        let columns: Vec<&str> = panes
            .iter()
            .filter_map(|pane| match pane {
                Pane::Term => None,
                Pane::Stage => Some("minmax(0,1.5fr)"),
                Pane::Slides | Pane::Work => Some("minmax(0,1fr)"),
            })
            .collect();
        let names: Vec<&str> = panes.iter().map(|pane| pane.name()).collect();
        html! {
            <main key="board" class="board" data-panes={names.join(" ")} style={format!("--columns:{}", columns.join(" "))}>
                if !panes.contains(&Pane::Slides) { <h1 key="title" class="sr">{ format!("Kubenkyo: {}", Words::Part.text(self.env.lang)) }</h1> }
                { for panes.iter().map(|pane| self.section(*pane)) }
                { self.inspector(self.now()) }
            </main>
        }
    }

    /// The dialog that makes something to paste.
    pub(super) fn generator(&self) -> Html {
        let slide = self.deck.slide(self.place.column, self.place.row);
        let slide = slide.map(|slide| {
            (
                AttrValue::from(slide.id.clone()),
                AttrValue::from(slide.title.clone()),
                slide.scene.is_some(),
            )
        });
        let file = self.files.get(self.active);
        // An example that was not changed goes by its name.
        let asked = |file: &File| {
            let example = EXAMPLES.iter().find(|example| *example.text == *file.text);
            AttrValue::from(example.map_or_else(
                || file.text.to_string(),
                |example| String::from(example.file),
            ))
        };
        let manifest = file.map(|file| (AttrValue::from(file.name.to_string()), asked(file)));
        html! {
            <Generator key="generator" slide={slide.unwrap_or_default()} view={self.view} manifest={manifest.unwrap_or_default()} run={self.packed.clone()} deck={self.reachable_deck()} />
        }
    }

    /// The deck as an address names it; `None` for the study group's, and for one that came as a file, which no address leads to.
    fn reachable_deck(&self) -> Option<AttrValue> {
        let is_file = matches!(&self.shelf.source, Source::Own(own) if own.address.is_none());
        let key = self.shelf.source.key();
        (!key.is_empty() && !is_file).then(|| AttrValue::from(key))
    }

    /// The line beneath an embedded page.
    pub(super) fn embedded_bar(&self) -> Html {
        let is_whole = self.params.controls == Controls::All;
        let now = self.now();
        html! {
            <div key="foot" class="embed-foot">
                if is_whole { { self.time_bar(now) } }
                <Bar key="bar" {now} is_paused={self.driver.is_paused} controls={self.params.controls} full={self.full_address()}
                    refused={self.params.refused.join(", ")} />
            </div>
        }
    }

    /// Where the same cluster is a page of its own: as the address began it, on the slide that is shown.
    fn full_address(&self) -> AttrValue {
        let mut full = self.params.full();
        full.lang = Some(self.env.lang);
        full.slide = full
            .slide
            .and(self.deck.slide(self.place.column, self.place.row))
            .map(|slide| slide.id.clone());
        AttrValue::from(format!(
            "./{}{}",
            browser(dom::file_name).unwrap_or_default(),
            full.fragment()
        ))
    }
}

/// How the cluster begins.
pub(super) fn options(params: &Params) -> Options {
    let standard = Options::default();
    Options {
        seed: params.seed.unwrap_or(standard.seed),
        nodes: params.nodes.unwrap_or(standard.nodes),
    }
}

/// The slide of this id, or at this place: `3.2` and `3-2` are the second slide of the third column.
pub(super) fn slide_named<'deck>(
    deck: &'deck Deck,
    name: &str,
) -> Option<&'deck playground::deck::Slide> {
    let at_place = || {
        let (column, row) = name.split_once(['.', '-']).unwrap_or((name, "1"));
        let number = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
        deck.slide(number(column)?, number(row)?)
    };
    deck.find(name).or_else(at_place)
}
