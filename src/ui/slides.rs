//! The left column: the deck, slide by slide, with its live cells; or all slides at once.

mod blocks;
mod cells;

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::Text;
use playground::deck::{Deck, Progress};
use yew::prelude::*;

use crate::action::{Action, Pane, Turn};
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::parts::PaneTools;
use crate::words::Msg;

/// Where the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) column: usize,
    pub(crate) row: usize,
    /// Fragments revealed.
    pub(crate) step: u32,
}

impl Place {
    /// Where a turn leads. Stays where there is no further slide.
    pub(crate) fn turned(self, deck: &Deck, turn: Turn) -> Place {
        let at = |column: usize, row: usize| Place {
            column,
            row,
            step: 0,
        };
        let steps = deck
            .slide(self.column, self.row)
            .map_or(0, |slide| slide.steps());
        let rows = |column: usize| deck.slides.get(column).map_or(0, Vec::len);
        let finished = |place: Place| Place {
            step: deck
                .slide(place.column, place.row)
                .map_or(0, |slide| slide.steps()),
            ..place
        };
        match turn {
            Turn::Next if self.step < steps => Place {
                step: self.step + 1,
                ..self
            },
            Turn::Next if self.row + 1 < rows(self.column) => at(self.column, self.row + 1),
            Turn::Next | Turn::Right if self.column + 1 < deck.slides.len() => {
                at(self.column + 1, 0)
            }
            Turn::Previous if self.step > 0 => Place {
                step: self.step - 1,
                ..self
            },
            Turn::Previous if self.row > 0 => finished(at(self.column, self.row - 1)),
            Turn::Previous if self.column > 0 => {
                finished(at(self.column - 1, rows(self.column - 1).saturating_sub(1)))
            }
            Turn::Left if self.column > 0 => at(self.column - 1, 0),
            Turn::Up if self.row > 0 => at(self.column, self.row - 1),
            Turn::Down if self.row + 1 < rows(self.column) => at(self.column, self.row + 1),
            Turn::First => at(0, 0),
            Turn::Last => {
                let column = deck.slides.len().saturating_sub(1);
                at(column, rows(column).saturating_sub(1))
            }
            Turn::To(column, row) if deck.slide(column, row).is_some() => at(column, row),
            _ => self,
        }
    }
}

/// How far each task is, by its id, with what is said about a common mistake.
pub(crate) type Tasks = BTreeMap<String, (Progress, Option<Text>)>;

/// What the column is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SlidesProps {
    pub(crate) deck: Rc<Deck>,
    pub(crate) place: Place,
    pub(crate) shows_all: bool,
    pub(crate) tasks: Rc<Tasks>,
    pub(crate) is_setting_scene: bool,
    pub(crate) is_alone: bool,
}

#[component]
pub(crate) fn Slides(props: &SlidesProps) -> Html {
    let env = use_env();
    let deck = &props.deck;
    let Place { column, row, .. } = props.place;
    let before: usize = deck.slides.iter().take(column).map(Vec::len).sum();
    let turn = |icon_of: Icon, msg: Msg, turn: Turn| {
        let is_end = props.place.turned(deck, turn) == props.place;
        html! {
            <button key={format!("{turn:?}")} class="tool icon" disabled={is_end} title={env.t(msg)} aria-label={env.t(msg)} onclick={env.on(Action::Turn(turn))}>{ icon(icon_of) }</button>
        }
    };
    html! {
        <>
            <div class="slide-box" key="box" tabindex="0" data-testid="slide" aria-label={env.t(Msg::SlideText)} role="region">
                if props.shows_all {
                    <div class="overview" key="all">{ for deck.slides.iter().enumerate().map(|(at, slides)| overview(props, at, slides, &env)) }</div>
                } else {
                    { one(props, &env) }
                }
            </div>
            <div class="slide-nav" key="nav">
                { turn(Icon::Left, Msg::Previous, Turn::Previous) }
                { turn(Icon::Right, Msg::Next, Turn::Next) }
                <span class="wide" key="vertical" style="display:contents">
                    { turn(Icon::Up, Msg::Up, Turn::Up) }
                    { turn(Icon::Down, Msg::Down, Turn::Down) }
                </span>
                <span class="sp" key="space"></span>
                <span class="count" key="count">{ format!("{}–{}", column + 1, row + 1) }<span>{ format!(" · {} / {}", before + row + 1, deck.len()) }</span></span>
                <span class="sp" key="space2"></span>
                <button key="all" class="tool" aria-pressed={props.shows_all.to_string()} onclick={env.on(Action::ToggleOverview)}>{ env.t(Msg::Overview) }</button>
                <button key="full" class="tool wide" onclick={Callback::from(|_: MouseEvent| crate::dom::toggle_full_screen(".pane.slides"))}>{ env.t(Msg::FullScreen) }</button>
                <PaneTools key="tools" pane={Pane::Slides} is_alone={props.is_alone} />
            </div>
        </>
    }
}

fn one(props: &SlidesProps, env: &crate::env::Env) -> Html {
    let Place { column, row, step } = props.place;
    let Some(slide) = props.deck.slide(column, row) else {
        return html! { <article class="slide" /> };
    };
    let chapter = props
        .deck
        .slide(column, 0)
        .map(|first| first.title.clone())
        .unwrap_or_default();
    let rows = props.deck.slides[column].len();
    let drawing = blocks::Drawing {
        env,
        step,
        tasks: &props.tasks,
    };
    html! {
        <article class="slide" key={slide.id.clone()} data-slide={slide.id.clone()}>
            <div class="where">
                <span>{ column + 1 }</span>
                if row > 0 { <span>{ chapter }</span> }
                <span aria-hidden="true">{ "›" }</span>
                <span class="num">{ format!("{} / {rows}", row + 1) }</span>
            </div>
            { drawing.blocks(&slide.blocks) }
            if slide.scene.is_some() {
                <p key="scene"><button class="btn ghost" disabled={props.is_setting_scene} onclick={env.on(Action::SetScene)}>
                    { icon(Icon::Restart) }{ env.t(if props.is_setting_scene { Msg::SceneRunning } else { Msg::SetScene }) }
                </button></p>
            }
        </article>
    }
}

fn overview(
    props: &SlidesProps,
    at: usize,
    slides: &[playground::deck::Slide],
    env: &crate::env::Env,
) -> Html {
    html! {
        <ol key={at}>
            { for slides.iter().map(|slide| {
                let is_here = slide.column == props.place.column && slide.row == props.place.row;
                html! {
                    <li key={slide.id.clone()}>
                        <button aria-current={is_here.then_some("true")} onclick={env.on(Action::Turn(Turn::To(slide.column, slide.row)))}>
                            <small class="num">{ format!("{}–{}", slide.column + 1, slide.row + 1) }</small>
                            <span>{ slide.title.clone() }</span>
                        </button>
                    </li>
                }
            }) }
        </ol>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_reveals_fragments_goes_down_then_right_and_previous_undoes_it() {
        let deck = Deck::parse(&[(
            "deck.md",
            "---\nfragments: true\n---\n# One\n\n* a\n* b\n\n+++\n\n# Under\n\n---\n\n# Two\n",
        )]);
        let mut place = Place::default();
        let mut seen = vec![place];
        for _ in 0..6 {
            place = place.turned(&deck, Turn::Next);
            seen.push(place);
        }
        let at = |column, row, step| Place { column, row, step };
        assert_eq!(
            seen,
            [
                at(0, 0, 0),
                at(0, 0, 1),
                at(0, 0, 2),
                at(0, 1, 0),
                at(1, 0, 0),
                at(1, 0, 0),
                at(1, 0, 0)
            ]
        );
        for expected in seen[..4].iter().rev() {
            place = place.turned(&deck, Turn::Previous);
            assert_eq!(place, *expected);
        }
    }
}
