//! The left column: the deck, slide by slide, with its live cells. Presented, it is the whole screen.

mod blocks;
mod cells;
pub(crate) mod outcome;
pub(crate) mod overview;

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::Text;
use playground::deck::{Deck, Progress, Slide};
use wasm_bindgen::JsCast;
use yew::prelude::*;

use self::blocks::Drawing;
use self::outcome::Outcomes;
use crate::action::{Action, Pane, Turn};
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::library::Source;
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
    /// Where a turn leads: every direction reveals or takes back fragments before it leaves a slide. Stays where there is no further one.
    pub(crate) fn turned(self, deck: &Deck, turn: Turn) -> Place {
        let steps = deck
            .slide(self.column, self.row)
            .map_or(0, |slide| slide.steps());
        match turn {
            Turn::Next | Turn::Right | Turn::Down if self.step < steps => Place {
                step: self.step + 1,
                ..self
            },
            Turn::Previous | Turn::Left | Turn::Up if self.step > 0 => Place {
                step: self.step - 1,
                ..self
            },
            _ => self.jumped(deck, turn),
        }
    }

    /// Where a turn leads from slide to slide.
    pub(crate) fn jumped(self, deck: &Deck, turn: Turn) -> Place {
        let at = |column: usize, row: usize| Place {
            column,
            row,
            step: 0,
        };
        let rows = |column: usize| deck.slides.get(column).map_or(0, Vec::len);
        let finished = |place: Place| Place {
            step: deck
                .slide(place.column, place.row)
                .map_or(0, |slide| slide.steps()),
            ..place
        };
        match turn {
            Turn::Next if self.row + 1 < rows(self.column) => at(self.column, self.row + 1),
            Turn::Next | Turn::Right if self.column + 1 < deck.slides.len() => {
                at(self.column + 1, 0)
            }
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
    pub(crate) tasks: Rc<Tasks>,
    pub(crate) is_setting_scene: bool,
    pub(crate) is_alone: bool,
    /// On the whole screen, for an audience.
    pub(crate) is_presented: bool,
    pub(crate) has_overview: bool,
    pub(crate) source: Source,
    /// Why a deck that was asked for is not shown.
    pub(crate) refusal: Option<Text>,
    /// How the cells that were pressed ended.
    pub(crate) cells: Rc<Outcomes>,
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
    let sheet = use_node_ref();
    use_fit(&sheet, props.place, props.is_presented, &env);
    let share = (before + row + 1) as f64 / deck.len().max(1) as f64 * 100.0;
    html! {
        <>
            <div class="slide-box" key="box" ref={sheet} tabindex="0" data-testid="slide" aria-label={env.t(Msg::SlideText)} role="region">
                if props.is_presented { <h1 key="title" class="sr">{ deck.title.clone() }</h1> }
                { one(props, &env) }
                if !props.is_presented { { troubles(props, &env) } }
            </div>
            <div class="slide-nav" key="nav">
                <i key="share" class="share" style={format!("width:{share:.2}%")}></i>
                { turn(Icon::Left, Msg::Previous, Turn::Previous) }
                { turn(Icon::Right, Msg::Next, Turn::Next) }
                <span class="wide" key="vertical" style="display:contents">
                    { turn(Icon::Up, Msg::Up, Turn::Up) }
                    { turn(Icon::Down, Msg::Down, Turn::Down) }
                </span>
                <span class="sp" key="space"></span>
                <span class="count" key="count">{ format!("{}–{}", column + 1, row + 1) }<span>{ format!(" · {} / {}", before + row + 1, deck.len()) }</span></span>
                <span class="sp" key="space2"></span>
                <button key="decks" class="tool" data-testid="decks" onclick={env.on(Action::ToggleLibrary)}>{ env.t(Msg::Decks) }</button>
                <button key="all" class="tool icon" title={format!("{} (o)", env.t(Msg::Overview))} aria-label={env.t(Msg::Overview)} aria-pressed={props.has_overview.to_string()} onclick={env.on(Action::ToggleOverview)}>{ icon(Icon::Overview) }</button>
                if props.is_presented {
                    <button key="beside" class="tool wide" title="c" onclick={env.on(Action::ToggleBeside)}>{ env.t(Msg::Beside) }</button>
                }
                <button key="full" class="tool icon wide" title={format!("{} (f)", env.t(Msg::FullScreen))} aria-label={env.t(Msg::FullScreen)} aria-pressed={props.is_presented.to_string()} onclick={env.on(Action::TogglePresenting)}>{ icon(Icon::Present) }</button>
                if !props.is_presented { <PaneTools key="tools" pane={Pane::Slides} is_alone={props.is_alone} /> }
            </div>
        </>
    }
}

/// Begins a slide at its top; a presented one has to fit the screen as a whole.
#[hook]
fn use_fit(sheet: &NodeRef, place: Place, is_presented: bool, env: &Env) {
    let size = crate::dom::use_size(sheet);
    let sheet = sheet.clone();
    let slide = (place.column, place.row);
    {
        let sheet = sheet.clone();
        use_effect_with(slide, move |_| {
            if let Some(sheet) = sheet.cast::<web_sys::Element>() {
                sheet.set_scroll_top(0);
            }
        });
    }
    use_effect_with(
        (slide, is_presented, size, env.lang),
        move |(_, fits, (_, height), _)| {
            let Some(sheet) = sheet.cast::<web_sys::Element>() else {
                return;
            };
            let article = sheet.first_element_child();
            let Some(article) =
                article.and_then(|article| article.dyn_into::<web_sys::HtmlElement>().ok())
            else {
                return;
            };
            if *fits {
                crate::dom::fit(&article, *height);
            } else {
                // Was set by us or is not there.
                let _ = article.style().remove_property("--fit");
            }
        },
    );
}

fn one(props: &SlidesProps, env: &Env) -> Html {
    let Place { column, row, step } = props.place;
    let Some(slide) = props.deck.slide(column, row) else {
        return html! { <article class="slide" /> };
    };
    let drawing = Drawing {
        env,
        step,
        tasks: &props.tasks,
        slide: &slide.id,
        cells: &props.cells,
        is_picture: false,
    };
    let scene = html! {
        if slide.scene.is_some() {
            <p key="scene"><button class="btn ghost" disabled={props.is_setting_scene} onclick={env.on(Action::SetScene)}>
                { icon(Icon::Restart) }{ env.t(if props.is_setting_scene { Msg::SceneRunning } else { Msg::SetScene }) }
            </button></p>
        }
    };
    let after = html! { <>{ scene }{ onward(props, slide, env) }</> };
    article(&props.deck, slide, &drawing, props.is_presented, after)
}

/// At the end of a lesson, the way to the next one.
fn onward(props: &SlidesProps, slide: &Slide, env: &Env) -> Html {
    let Source::Lesson(number) = props.source else {
        return Html::default();
    };
    let is_last = slide.column + 1 == props.deck.slides.len()
        && slide.row + 1 == props.deck.slides.last().map_or(0, Vec::len);
    let next = Source::Lesson(number + 1);
    let has_next = !next.key().is_empty();
    html! {
        if is_last {
            <p key="onward" class="onward">
                if has_next {
                    <button class="btn" data-testid="next-lesson" onclick={env.on(Action::OpenDeck(next))}>{ env.t(Msg::NextLesson) }</button>
                }
                <button class="btn ghost" onclick={env.on(Action::ToggleLibrary)}>{ env.t(Msg::AllLessons) }</button>
            </p>
        }
    }
}

/// What is wrong with the deck, and why another one is not there.
fn troubles(props: &SlidesProps, env: &Env) -> Html {
    let problems = &props.deck.problems;
    let here = Some((props.place.column + 1, props.place.row + 1));
    let is_here = problems
        .iter()
        .any(|problem| problem.slide == here || problem.slide.is_none());
    html! {
        <div key="troubles" class="troubles">
            if let Some(refusal) = &props.refusal {
                <p key="refusal" role="alert" data-testid="deck-refusal">{ env.said(refusal).to_string() }</p>
            }
            if !problems.is_empty() {
                <details key="problems" open={is_here} data-testid="deck-problems">
                    <summary>{ format!("{}: {}", env.t(Msg::DeckProblems), problems.len()) }</summary>
                    <ul>{ for problems.iter().enumerate().map(|(index, problem)| {
                        let place = problem.slide.map(|(column, row)| {
                            let turn = Turn::To(column.saturating_sub(1), row.saturating_sub(1));
                            html! { <button class="lk" onclick={env.on(Action::Turn(turn))}>{ format!("{} {column}–{row}", env.t(Msg::SlideWord)) }</button> }
                        });
                        html! {
                            <li key={index} data-line={problem.line.to_string()}>
                                <small>{ place }{ format!(" {} · {} {}", problem.file_name, env.t(Msg::Line), problem.line) }</small>
                                <span>{ problem.message.get(env.lang).to_string() }</span>
                                <small>{ problem.hint.get(env.lang).to_string() }</small>
                            </li>
                        }
                    }) }</ul>
                </details>
            }
        </div>
    }
}

/// A slide that works, on a sheet of another window.
pub(crate) fn live(
    deck: &Deck,
    slide: &Slide,
    step: u32,
    tasks: &Tasks,
    cells: &Outcomes,
    env: &Env,
) -> Html {
    let drawing = Drawing {
        env,
        step,
        tasks,
        slide: &slide.id,
        cells,
        is_picture: false,
    };
    article(deck, slide, &drawing, true, Html::default())
}

/// What only the speaker sees.
pub(crate) fn notes(slide: &Slide, env: &Env) -> Html {
    let drawing = Drawing {
        env,
        step: 0,
        tasks: &Tasks::new(),
        slide: &slide.id,
        cells: &Outcomes::new(),
        is_picture: true,
    };
    drawing.blocks(&slide.notes)
}

/// A slide without its buttons: for the overview, the speaker and paper.
pub(crate) fn picture(deck: &Deck, slide: &Slide, step: u32, env: &Env) -> Html {
    let drawing = Drawing {
        env,
        step,
        tasks: &Tasks::new(),
        slide: &slide.id,
        cells: &Outcomes::new(),
        is_picture: true,
    };
    article(deck, slide, &drawing, true, Html::default())
}

/// A slide: where it stands, its blocks, and what follows them. On a wide sheet, what one does stands beside what is said.
fn article(deck: &Deck, slide: &Slide, drawing: &Drawing, is_wide: bool, after: Html) -> Html {
    let chapter = deck
        .slide(slide.column, 0)
        .map(|first| first.title.clone())
        .unwrap_or_default();
    let rows = deck.slides.get(slide.column).map_or(0, Vec::len);
    let (head, said, done) = blocks::sides(&slide.blocks);
    let sides = is_wide && !done.is_empty() && !said.is_empty();
    html! {
        <article class={classes!("slide", is_wide.then_some("sheet"))} key={slide.id.clone()} data-slide={slide.id.clone()}>
            <div class="where" key="where">
                <span>{ slide.column + 1 }</span>
                if slide.row > 0 { <span>{ chapter }</span> }
                <span aria-hidden="true">{ "›" }</span>
                <span class="num">{ format!("{} / {rows}", slide.row + 1) }</span>
            </div>
            if sides {
                <div key="head">{ drawing.blocks(head) }</div>
                <div class="sides" key="sides">
                    <div key="said">{ drawing.each(&said) }</div>
                    <div key="done">{ drawing.each(&done) }{ after }</div>
                </div>
            } else {
                <div key="all">{ drawing.blocks(&slide.blocks) }{ after }</div>
            }
        </article>
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
