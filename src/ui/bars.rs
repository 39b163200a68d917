//! The top bar and the time bar.

use std::rc::Rc;

use playground::deck::Lang;
use playground::{Mark, MarkKind, Micros};
use yew::prelude::*;

use crate::action::Action;
use crate::driver::SPEEDS;
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::Msg;
use crate::world::clock;

/// The user's choice of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(crate) fn msg(self) -> Msg {
        match self {
            Theme::Auto => Msg::ThemeAuto,
            Theme::Light => Msg::ThemeLight,
            Theme::Dark => Msg::ThemeDark,
        }
    }
}

/// What the top bar is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TopProps {
    pub(crate) title: AttrValue,
    pub(crate) theme: Theme,
    /// Whether any column is put away or alone.
    pub(crate) is_changed: bool,
}

#[component]
pub(crate) fn Top(props: &TopProps) -> Html {
    let env = use_env();
    let language = |lang: Lang, name: &'static str, id: &'static str| {
        html! { <button key={id} data-testid={id} lang={lang.tag()} aria-pressed={(env.lang == lang).to_string()} onclick={env.on(Action::SetLang(lang))}>{ name }</button> }
    };
    html! {
        <header class="top">
            <svg class="mark" viewBox="0 0 22 22" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">
                <path d="M11 1.500 19.200 6.200v9.600L11 20.500 2.800 15.800V6.200Z" /><path d="M7.400 6.800v8.400M7.600 11.200 13.800 6.800M9.600 9.800l4.600 5.400" />
            </svg>
            <h1>{ "Kubenkyo" }</h1>
            <button class="tool crumb" title={env.t(Msg::Decks)} onclick={env.on(Action::ToggleLibrary)}><span>{ props.title.clone() }</span>{ icon(Icon::Caret) }</button>
            <span class="sp"></span>
            if props.is_changed {
                <button key="back" class="tool wide" onclick={env.on(Action::BringBack)}>{ env.t(Msg::BringBack) }</button>
            }
            <button key="search" class="field" onclick={env.on(Action::TogglePalette)} title={env.t(Msg::Search)}>{ icon(Icon::Search) }<span>{ env.t(Msg::Search) }</span><span class="sp"></span><kbd class="wide">{ "Ctrl K" }</kbd></button>
            <button key="share" class="tool" data-testid="share" title={env.t(Msg::Share)} aria-label={env.t(Msg::Share)} onclick={env.on(Action::Share)}>{ icon(Icon::Share) }<span class="wide">{ env.t(Msg::Share) }</span></button>
            <button key="embed" class="tool icon wide" data-testid="embed" title={env.t(Msg::Embed)} aria-label={env.t(Msg::Embed)} onclick={env.on(Action::ToggleGenerator)}>{ icon(Icon::Embed) }</button>
            <button key="help" class="tool icon wide" data-testid="help" title={env.t(Msg::Help)} aria-label={env.t(Msg::Help)} onclick={env.on(Action::ToggleHelp)}>{ "?" }</button>
            <div key="lang" class="seg" role="group" aria-label={env.t(Msg::Language)}>
                { language(Lang::Ja, "日本語", "lang-ja") }
                { language(Lang::En, "English", "lang-en") }
            </div>
            <button key="theme" class="tool icon" data-testid="theme" data-theme={props.theme.name()} title={env.t(props.theme.msg())} aria-label={env.t(props.theme.msg())} onclick={env.on(Action::NextTheme)}>{ icon(Icon::Theme) }</button>
        </header>
    }
}

/// What the time bar is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TimeProps {
    pub(crate) now: Micros,
    /// The latest time this run has seen, which is what one can go to.
    pub(crate) end: Micros,
    pub(crate) is_paused: bool,
    pub(crate) speed: u32,
    pub(crate) is_behind: bool,
    pub(crate) marks: Rc<Vec<Mark>>,
    pub(crate) seed: u64,
}

#[component]
pub(crate) fn TimeBar(props: &TimeProps) -> Html {
    let env = use_env();
    let (sign, msg) = if props.is_paused {
        (Icon::Play, Msg::Play)
    } else {
        (Icon::Pause, Msg::Pause)
    };
    let time = clock(props.now);
    html! {
        <footer class="time" aria-label={env.t(Msg::TimeControls)}>
            <button key="pause" class="tool icon on" data-testid="pause" title={env.t(msg)} aria-label={env.t(msg)} onclick={env.on(Action::TogglePause)}>{ icon(sign) }</button>
            <button key="step" class="tool icon fold" data-testid="step" title={env.t(Msg::Step)} aria-label={env.t(Msg::Step)} onclick={env.on(Action::Step)}>{ icon(Icon::Step) }</button>
            <div key="speed" class="seg fold" role="group" aria-label={env.t(Msg::Speed)}>
                { for SPEEDS.iter().map(|speed| html! {
                    <button key={*speed} aria-pressed={(*speed == props.speed).to_string()} onclick={env.on(Action::Speed(*speed))} title={speed_title(*speed)}>
                        { if *speed < 1_000 { String::from(env.t(Msg::Slow)) } else { format!("{}×", speed / 1_000) } }
                    </button>
                }) }
            </div>
            <span key="clock" class="clock" data-testid="clock" title={env.t(Msg::Clock)}>{ time.clone() }</span>
            <Track key="track" now={props.now} end={props.end} marks={props.marks.clone()} />
            if props.end > props.now {
                <button key="branch" class="tool branch" data-testid="go-on-here" title={env.t(Msg::GoOnHereHint)} onclick={env.on(Action::GoOnFromHere)}>{ icon(Icon::Branch) }<span>{ env.t(Msg::GoOnHere) }</span></button>
            }
            if props.is_behind {
                <span key="behind" class="lag wide" role="status">{ env.t(Msg::Behind) }</span>
            }
            <span key="space" class="sp only-phone"></span>
            <button key="more" class="tool icon only-phone" aria-label={env.t(Msg::TimeControls)} onclick={env.on(Action::ToggleTimeBar)}>{ icon(Icon::Clock) }</button>
            <button key="again" class="tool wide" title={env.t(Msg::Restart)} onclick={env.on(Action::Restart)}>{ icon(Icon::Restart) }<span class="mono">{ format!("seed {}", props.seed) }</span></button>
        </footer>
    }
}

fn speed_title(speed: u32) -> String {
    if speed < 1_000 {
        format!("1/{}×", 1_000 / speed.max(1))
    } else {
        format!("{}×", speed / 1_000)
    }
}

#[derive(Clone, PartialEq, Properties)]
struct TrackProps {
    now: Micros,
    end: Micros,
    marks: Rc<Vec<Mark>>,
}

/// The past as a line with its marks, and a slider over it.
#[component]
fn Track(props: &TrackProps) -> Html {
    let env = use_env();
    // The present stands at four fifths, so that there is always a way ahead; the scale grows in steps, so that marks stand still.
    let mut whole: Micros = 60_000_000;
    while props.end.saturating_mul(5) > whole.saturating_mul(4) {
        whole = whole.saturating_mul(2);
    }
    let x = |at: Micros| at as f64 / whole as f64 * 1000.0;
    let act = env.act.clone();
    let seek = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<web_sys::HtmlInputElement>() {
            let at = input.value_as_number();
            if at.is_finite() && at >= 0.0 {
                act.emit(Action::Seek((at as Micros).saturating_mul(1_000)));
            }
        }
    });
    html! {
        <div class="track-box fold">
            <input type="range" min="0" max={(whole / 1_000).to_string()} step="10" value={(props.now / 1_000).to_string()} aria-label={env.t(Msg::Seek)} aria-valuetext={clock(props.now)} oninput={seek} />
            <svg viewBox="0 0 1000 28" preserveAspectRatio="none" aria-hidden="true">
                <path key="whole" d="M0 14H1000" stroke="var(--line-strong)" stroke-width="2" vector-effect="non-scaling-stroke" />
                <path key="seen" d={format!("M0 14H{:.1}", x(props.end))} stroke="var(--muted)" stroke-width="2" vector-effect="non-scaling-stroke" opacity=".5" />
                <path key="past" d={format!("M0 14H{:.1}", x(props.now))} stroke="var(--accent)" stroke-width="2" vector-effect="non-scaling-stroke" />
                <Marks key="marks" marks={props.marks.clone()} {whole} />
                <path key="knob" class="knob" d={format!("M{:.1} 14h.01", x(props.now))} stroke="var(--accent)" stroke-width="12" stroke-linecap="round" vector-effect="non-scaling-stroke" />
            </svg>
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct MarksProps {
    marks: Rc<Vec<Mark>>,
    whole: Micros,
}

/// Commands are short and grey, good news green, bad news longer: shape before colour.
#[component]
fn Marks(props: &MarksProps) -> Html {
    let env = use_env();
    html! {
        <g>
            { for props.marks.iter().enumerate().map(|(index, mark)| {
                let (top, bottom, colour) = match mark.kind {
                    MarkKind::Command => (9, 19, "var(--muted)"),
                    MarkKind::Good => (10, 18, "var(--state-ready)"),
                    MarkKind::Bad => (4, 24, "var(--state-failed)"),
                };
                let at = mark.at as f64 / props.whole as f64 * 1000.0;
                html! { <path key={index} d={format!("M{at:.1} {top}V{bottom}")} stroke={colour} stroke-width="2.2" vector-effect="non-scaling-stroke"><title>{ env.said(&mark.label).to_string() }</title></path> }
            }) }
        </g>
    }
}
