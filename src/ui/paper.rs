//! The deck on paper: a page for each slide, all of it revealed, beside it the cluster as it is after what the slide does.
//!
//! Each slide with live cells gets a cluster of its own: its scene, then its cells, then a little time. They are worked off one a frame, so
//! that the page stays alive meanwhile; then the browser prints.

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::deck::{Cell, Deck, Lang, Slide, View};
use playground::{Command, FileText, Options, Output, Playground, PromptState, Update};
use yew::prelude::*;

use crate::dom;
use crate::env::Env;
use crate::slides::picture;
use crate::stage::{arch::Architecture, tree::Tree};
use crate::terminal::TERMINAL;
use crate::words::words;
use crate::world::World;

words! { Words:
    Preparing: "印刷の用意をしています" | "Preparing the pages";
    Cancel: "やめる" | "Cancel";
    ClusterNow: "いまのクラスター" | "The cluster now";
    ClusterThen: "このスライドを実行したあとのクラスター" | "The cluster after this slide";
}

/// Virtual time that a line may take, and that passes after the last one.
const PATIENCE: u64 = 5 * 60 * 1_000_000;
const AFTER: u64 = 20 * 1_000_000;
/// Frames between the drawing and the print, so that pictures know their size and texts fit.
const SETTLING: u32 = 4;

/// The pages and how far they are.
#[derive(Debug)]
pub(crate) struct Paper {
    deck: Rc<Deck>,
    here: (usize, usize),
    now: Rc<World>,
    stays: bool,
    worlds: BTreeMap<String, Rc<World>>,
    /// Slides looked at, in reading order.
    done: usize,
    settled: u32,
}

impl Paper {
    /// Begins with the first page. `now` is the user's own cluster, for the slide that is open.
    pub(crate) fn begin(
        deck: Rc<Deck>,
        here: (usize, usize),
        now: Rc<World>,
        stays: bool,
    ) -> Paper {
        Paper {
            deck,
            here,
            now,
            stays,
            worlds: BTreeMap::new(),
            done: 0,
            settled: 0,
        }
    }

    /// One step. Answers whether anything is to be drawn.
    pub(crate) fn work(&mut self) -> bool {
        if let Some(slide) = self.deck.iter().nth(self.done) {
            let is_live = slide.scene.is_some() || !slide.cells().is_empty();
            if is_live {
                let is_here = (slide.column, slide.row) == self.here && !self.stays;
                let world = if is_here {
                    self.now.clone()
                } else {
                    Rc::new(played(&self.deck, slide))
                };
                self.worlds.insert(slide.id.clone(), world);
            }
            self.done += 1;
            return true;
        }
        if self.settled > SETTLING {
            return false;
        }
        self.settled += 1;
        if self.settled == SETTLING {
            dom::fit_all(".paper .page", ".slide");
            dom::set_root("data-paper", "ready");
        }
        if self.settled > SETTLING && !self.stays {
            dom::print();
        }
        true
    }

    /// The pages, once they are all known; until then how far it is.
    pub(crate) fn view(&self, env: &Env) -> Html {
        let count = self.deck.len();
        if self.done < count {
            return html! {
                <div key="paper" class="veil">
                    <div class="palette help" role="dialog" aria-label={Words::Preparing.text(env.lang)}>
                        <p role="status">{ Words::Preparing.text(env.lang) }<span class="num">{ format!(" {} / {count}", self.done) }</span></p>
                        <p><button class="btn ghost" onclick={env.on(crate::action::Action::EndPrint)}>{ Words::Cancel.text(env.lang) }</button></p>
                    </div>
                </div>
            };
        }
        html! {
            <div key="paper" class={classes!("paper", self.stays.then_some("stays"))}>
                { for self.deck.iter().enumerate().map(|(index, slide)| self.page(index, slide, env)) }
            </div>
        }
    }

    fn page(&self, index: usize, slide: &Slide, env: &Env) -> Html {
        let world = self.worlds.get(&slide.id);
        let words = if (slide.column, slide.row) == self.here && !self.stays {
            Words::ClusterNow
        } else {
            Words::ClusterThen
        };
        html! {
            <section key={slide.id.clone()} class={classes!("page", world.is_some().then_some("both"))}>
                <div class="said">{ picture(&self.deck, slide, slide.steps(), env) }</div>
                if let Some(world) = world {
                    <aside><p>{ words.text(env.lang) }</p><div class="cluster"><div>{ cluster(world, slide) }</div></div></aside>
                }
                <footer><span>{ self.deck.title.clone() }</span><span class="num">{ format!("{} / {}", index + 1, self.deck.len()) }</span></footer>
            </section>
        }
    }
}

fn cluster(world: &World, slide: &Slide) -> Html {
    let focus = Rc::new(slide.focus.clone());
    match slide.view {
        Some(View::Tree | View::Timeline) => html! {
            <Tree objects={world.objects.clone()} chosen={None} shows_system={false} {focus} />
        },
        _ => html! {
            <Architecture control={world.control.clone()} machines={world.machines.clone()} waiting={world.waiting.clone()} flights={Rc::default()}
                chosen={None} {focus} chain={Rc::default()} chain_step={None} />
        },
    }
}

/// The cluster after the slide's scene and cells.
fn played(deck: &Deck, slide: &Slide) -> World {
    let scene = slide.scene.clone().unwrap_or_default();
    let standard = Options::default();
    let mut run = Run {
        playground: Playground::new(Options {
            seed: scene.seed.unwrap_or(standard.seed),
            nodes: scene.nodes.unwrap_or(standard.nodes),
        }),
        world: World::default(),
        is_ready: true,
    };
    run.hear();
    let files = deck.files();
    for (name, text) in &files {
        let is_named = |line: &String| line.contains(name);
        let is_needed = scene.commands.iter().any(is_named)
            || slide.cells().iter().any(|cell| match cell {
                Cell::Run(cell) => cell.lines.iter().any(is_named),
                Cell::Apply(cell) => cell.name == **name,
                Cell::Task(_) | Cell::Stage(_) => false,
            });
        if is_needed {
            run.playground.command(Command::Save(FileText {
                name: String::from(*name),
                text: String::from(*text),
            }));
        }
    }
    for line in &scene.commands {
        run.line(line);
    }
    for cell in slide.cells() {
        match cell {
            Cell::Apply(cell) => run.line(&format!("kubectl apply -f {}", cell.name)),
            Cell::Run(cell) => cell.lines.iter().for_each(|line| run.line(line)),
            Cell::Task(_) | Cell::Stage(_) => {}
        }
    }
    run.pass(AFTER);
    run.world
}

/// A cluster that nobody watches.
struct Run {
    playground: Playground,
    world: World,
    is_ready: bool,
}

impl Run {
    fn line(&mut self, line: &str) {
        self.is_ready = false;
        self.playground.command(Command::Terminal {
            terminal: TERMINAL,
            line: String::from(line),
        });
        let end = self.playground.now() + PATIENCE;
        while !self.is_ready && self.playground.now() < end {
            self.pass(100_000);
        }
        if !self.is_ready {
            // It would go on for ever.
            self.playground
                .command(Command::Interrupt { terminal: TERMINAL });
            self.pass(100_000);
        }
    }

    fn pass(&mut self, span: u64) {
        let until = self.playground.now() + span;
        while !self.playground.advance(until, u32::MAX).reached {}
        self.hear();
    }

    fn hear(&mut self) {
        let updates = self.playground.updates();
        for update in &updates {
            if let Update::Terminal(told) = update
                && let Output::Prompt(state) = told.output
            {
                self.is_ready = matches!(state, PromptState::Ready { .. });
            }
        }
        self.world.fold(&updates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slides_cluster_has_what_its_scene_and_its_cells_made() {
        let text = "# Web\n\n```yaml scene\nseed: 3\nnodes: 2\ncommands:\n- kubectl create deployment web --image=nginx --replicas=2\n- sleep 20s\n```\n\n```sh run\nkubectl scale deployment/web --replicas=3\nkubectl get pods -w\n```\n";
        let deck = Rc::new(Deck::parse(&[("a.md", text)]));
        let slide = deck.slide(0, 0).expect("one slide");
        let world = played(&deck, slide);
        let pods = world
            .objects
            .values()
            .filter(|row| row.kind == "Pod" && !row.is_system && row.name.starts_with("web-"));
        assert_eq!((pods.count(), world.machines.len()), (3, 2));
    }
}
