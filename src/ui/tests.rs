//! The page drawn as text, natively.

use std::cell::RefCell;
use std::rc::Rc;

use playground::deck::{Lang, View};
use playground::{Options, Playground, Update};
use yew::prelude::*;

use crate::env::{Engine, Env};
use crate::fixture;
use crate::library::Source;
use crate::slides::outcome::Outcomes;
use crate::slides::{Tasks, live, notes, picture};
use crate::stage::{Stage, StageProps};
use crate::world::World;

#[derive(Clone, PartialEq, Properties)]
struct SceneProps {
    updates: Vec<Update>,
    lang: Lang,
    view: View,
}

#[component]
fn Scene(props: &SceneProps) -> Html {
    let engine = use_memo((), |()| {
        Engine(Rc::new(RefCell::new(Playground::new(Options::default()))))
    });
    let env = Env {
        lang: props.lang,
        dark: false,
        still: false,
        is_embed: false,
        is_readonly: false,
        act: Callback::noop(),
        engine: (*engine).clone(),
    };
    let mut world = World::default();
    world.fold(&props.updates);
    let stage = StageProps {
        view: props.view,
        control: world.control.clone(),
        machines: world.machines.clone(),
        waiting: world.waiting.clone(),
        objects: world.objects.clone(),
        flights: Rc::default(),
        chain: world.chain.clone(),
        chain_step: None,
        chosen: None,
        focus: Rc::default(),
        shows_system: false,
        is_alone: false,
    };
    html! { <ContextProvider<Env> context={env}><Stage ..stage /></ContextProvider<Env>> }
}

fn drawn(updates: &[Update], lang: Lang, view: View) -> String {
    let updates = updates.to_vec();
    let renderer = yew::ServerRenderer::<Scene>::with_props(move || SceneProps {
        updates,
        lang,
        view,
    })
    .hydratable(false);
    pollster::block_on(renderer.render())
}

#[test]
fn the_architecture_shows_every_pod_with_its_phase_and_the_story_beneath() {
    let page = drawn(&fixture::updates(), Lang::Ja, View::Architecture);
    assert_eq!(page.matches(r#"data-testid="pod""#).count(), 4);
    assert_eq!(page.matches(r#"data-ready="true""#).count(), 2);
    assert_eq!(page.matches(r#"data-testid="node""#).count(), 3);
    for word in [
        "コントロールプレーン",
        "rev 214",
        "が node-3 を選びます",
        "割り当て待ち",
        "zone-b",
    ] {
        assert!(page.contains(word), "{word} is missing");
    }
}

/// The slides of a deck as the overview, the speaker and paper have them, with their notes.
#[derive(Clone, PartialEq, Properties)]
struct DeckProps {
    deck: usize,
    lang: Lang,
}

/// The study group's deck, then the lessons.
fn source(deck: usize) -> Source {
    deck.checked_sub(1).map_or(Source::Study, Source::Lesson)
}

#[component]
fn Pictures(props: &DeckProps) -> Html {
    let env = Env {
        lang: props.lang,
        dark: false,
        still: false,
        is_embed: false,
        is_readonly: false,
        act: Callback::noop(),
        engine: Engine(Rc::new(RefCell::new(Playground::new(Options::default())))),
    };
    let deck = source(props.deck).deck(props.lang);
    let slides = deck.iter().map(|slide| {
        let picture = picture(&deck, slide, slide.steps(), &env);
        let live = live(&deck, slide, 0, &Tasks::new(), &Outcomes::new(), &env);
        html! { <div key={slide.id.clone()}>{ picture }{ live }<aside>{ notes(slide, &env) }</aside></div> }
    });
    html! { <ContextProvider<Env> context={env.clone()}>{ for slides }</ContextProvider<Env>> }
}

#[test]
fn every_slide_of_every_deck_renders_in_both_languages_and_brings_no_script() {
    for lang in [Lang::Ja, Lang::En] {
        for number in 0..=8 {
            let deck = source(number).deck(lang);
            assert!(deck.len() > 1, "deck {number}");
            let renderer = yew::ServerRenderer::<Pictures>::with_props(move || DeckProps {
                deck: number,
                lang,
            });
            let page = pollster::block_on(renderer.hydratable(false).render());
            let tag = lang.tag();
            assert_eq!(
                page.matches("<article").count(),
                2 * deck.len(),
                "{tag} {number}"
            );
            for slide in deck.iter() {
                let id = format!("data-slide=\"{}\"", slide.id);
                assert_eq!(page.matches(&id).count(), 2, "{tag} {}", slide.id);
                assert!(!slide.notes.is_empty(), "{tag} {}", slide.id);
            }
            let missing = crate::words::Msg::NoFigure.text(lang);
            for bad in ["<script", "javascript:", " onclick=", " onerror=", missing] {
                assert!(!page.contains(bad), "{tag} {number}: {bad}");
            }
        }
    }
}

#[test]
fn an_empty_tree_says_how_to_begin_in_both_languages() {
    assert!(
        drawn(&[], Lang::En, View::Tree).contains("kubectl create deployment web --image=nginx")
    );
    assert!(drawn(&[], Lang::Ja, View::Tree).contains("まだリソースがありません"));
}

#[test]
fn the_tree_has_a_row_for_every_object() {
    let page = drawn(&fixture::updates(), Lang::En, View::Tree);
    assert_eq!(page.matches(r#"data-testid="card""#).count(), 6);
    assert!(page.contains("Workloads") && page.contains("2 / 3"));
}

#[test]
fn a_batch_that_changes_one_node_leaves_the_others_as_they_were() {
    let mut world = World::default();
    world.fold(&fixture::updates());
    let before = world.machines.clone();
    let changed = fixture::updates()
        .into_iter()
        .find_map(|update| match update {
            Update::Node(mut node) if node.name == "node-2" => {
                node.ready = None;
                Some(Update::Node(node))
            }
            _ => None,
        });
    world.fold(&[changed.expect("the fixture has a node-2")]);
    let same: Vec<bool> = before
        .iter()
        .zip(world.machines.iter())
        .map(|(old, new)| Rc::ptr_eq(old, new))
        .collect();
    assert_eq!(same, [true, false, true]);
}
