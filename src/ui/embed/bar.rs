//! The line beneath an embedded page: time, and the way to the full page.

use playground::Micros;
use playground::deck::Lang;
use yew::prelude::*;

use super::params::Controls;
use crate::action::Action;
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::{Msg, words};
use crate::world::clock;

words! { Words:
    OpenFull: "ページ全体を開く" | "Open the full page";
    Open: "開く" | "Open";
    NotKept: "ここでの操作は保存されません" | "Nothing is saved here";
    LookOnly: "閲覧のみ" | "Read-only";
    NotUnderstood: "アドレスのこの部分は使えませんでした" | "Not understood in the address";
    Part: "埋め込まれたクラスター" | "Embedded cluster";
}

/// What the line is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct BarProps {
    pub(crate) now: Micros,
    pub(crate) is_paused: bool,
    pub(crate) controls: Controls,
    /// The address of the full page.
    pub(crate) full: AttrValue,
    /// What the address said in vain.
    pub(crate) refused: AttrValue,
}

#[component]
pub(crate) fn Bar(props: &BarProps) -> Html {
    let env = use_env();
    let t = |words: Words| words.text(env.lang);
    let (sign, msg) = if props.is_paused {
        (Icon::Play, Msg::Play)
    } else {
        (Icon::Pause, Msg::Pause)
    };
    html! {
        <section class="embed-bar" data-testid="embed-bar" aria-label={t(Words::Part)}>
            if props.controls == Controls::Some {
                <button key="pause" class="tool icon" data-testid="pause" title={env.t(msg)} aria-label={env.t(msg)} onclick={env.on(Action::TogglePause)}>{ icon(sign) }</button>
                if !env.is_readonly {
                    <button key="again" class="tool icon" data-testid="restart" title={env.t(Msg::Restart)} aria-label={env.t(Msg::Restart)} onclick={env.on(Action::Restart)}>{ icon(Icon::Restart) }</button>
                }
                <span key="clock" class="clock" data-testid="clock" title={env.t(Msg::Clock)}>{ clock(props.now) }</span>
            }
            if !props.refused.is_empty() {
                <span key="refused" class="note bad" role="status" title={props.refused.clone()}>{ format!("{}: {}", t(Words::NotUnderstood), props.refused) }</span>
            } else if env.is_readonly {
                <span key="look" class="note">{ t(Words::LookOnly) }</span>
            } else {
                <span key="kept" class="note">{ t(Words::NotKept) }</span>
            }
            <span key="space" class="sp"></span>
            <a key="open" class="tool" data-testid="open-full" href={props.full.clone()} target="_blank" rel="noopener" title={t(Words::OpenFull)} aria-label={t(Words::OpenFull)}>
                <svg class="mark" viewBox="0 0 22 22" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">
                    <path d="M11 1.500 19.200 6.200v9.600L11 20.500 2.800 15.800V6.200Z" /><path d="M7.400 6.800v8.400M7.600 11.200 13.800 6.800M9.600 9.800l4.600 5.400" />
                </svg>
                <span>{ t(Words::Open) }</span>{ icon(Icon::Outside) }
            </a>
        </section>
    }
}
