//! All slides at once: a column of pictures for each horizontal section, as in reveal.js.

use std::rc::Rc;

use playground::deck::{Deck, Slide};
use yew::prelude::*;

use super::{Place, picture};
use crate::action::{Action, Turn};
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::words::Msg;

/// What the overview is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct OverviewProps {
    pub(crate) deck: Rc<Deck>,
    pub(crate) place: Place,
}

#[component]
pub(crate) fn Overview(props: &OverviewProps) -> Html {
    let env = use_env();
    let here = (props.place.column, props.place.row);
    // The arrow keys move the place; the focus follows, and with it what is scrolled to.
    use_effect_with(here, |_| crate::dom::focus(".overview [aria-current]"));
    html! {
        <section class="overview" aria-label={env.t(Msg::Overview)} data-testid="overview">
            <header key="head">
                <h2>{ props.deck.title.clone() }</h2>
                <span class="sp"></span>
                <button class="tool" onclick={env.on(Action::ToggleOverview)}>{ icon(Icon::Close) }{ env.t(Msg::Close) }</button>
            </header>
            <div class="grid" key="grid">
                { for props.deck.slides.iter().enumerate().map(|(at, slides)| html! {
                    <ol key={at}>{ for slides.iter().map(|slide| thumb(&props.deck, slide, (slide.column, slide.row) == here, &env)) }</ol>
                }) }
            </div>
        </section>
    }
}

fn thumb(deck: &Deck, slide: &Slide, is_here: bool, env: &Env) -> Html {
    let number = format!("{}–{}", slide.column + 1, slide.row + 1);
    html! {
        <li key={slide.id.clone()}>
            <div key="picture" class="thumb" inert={true}>{ picture(deck, slide, slide.steps(), env) }</div>
            <button key="go" aria-current={is_here.then_some("true")} onclick={env.on(Action::Turn(Turn::To(slide.column, slide.row)))}>
                <small class="num">{ number }</small>{ " " }<span>{ slide.title.clone() }</span>
            </button>
        </li>
    }
}
