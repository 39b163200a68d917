//! The list of keys.

use yew::prelude::*;

use crate::action::Action;
use crate::env::use_env;
use crate::words::Msg;

/// Keys of the slides, as in reveal.js.
const SLIDES: [(&str, Msg); 10] = [
    ("← → ↑ ↓   h l k j", Msg::KeySlides),
    ("n  p   Space  Shift Space", Msg::KeyNext),
    ("Home  End   Shift ←→", Msg::KeyEnds),
    ("Esc  o", Msg::KeyOverview),
    ("f", Msg::KeyFull),
    ("b  .", Msg::KeyBlack),
    ("c", Msg::KeyBeside),
    ("s", Msg::KeySpeaker),
    ("Shift P", Msg::KeyProjector),
    ("Ctrl P", Msg::KeyPrint),
];

const PAGE: [(&str, Msg); 11] = [
    ("Ctrl ⏎", Msg::KeyApply),
    ("Ctrl `", Msg::KeyTerminal),
    ("Ctrl K  /  g", Msg::KeyPalette),
    ("t", Msg::KeyPause),
    ("e", Msg::KeyStep),
    ("L", Msg::KeyLang),
    ("F6", Msg::KeyRegions),
    ("Esc Tab", Msg::KeyLeaveEditor),
    ("kubenkyo help", Msg::KeyBreaks),
    ("?", Msg::KeyHelp),
    ("Esc", Msg::Close),
];

#[component]
pub(crate) fn Help() -> Html {
    let env = use_env();
    let close = env.on(Action::ToggleHelp);
    let button = use_node_ref();
    {
        let button = button.clone();
        use_effect_with((), move |()| {
            if let Some(button) = button.cast::<web_sys::HtmlElement>() {
                // A button always takes the focus.
                let _ = button.focus();
            }
        });
    }
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="palette help" role="dialog" aria-modal="true" aria-label={env.t(Msg::Help)} onclick={Callback::from(|event: MouseEvent| event.stop_propagation())}>
                <h2>{ env.t(Msg::Help) }</h2>
                <div class="two">
                    { for [(Msg::KeysOfSlides, &SLIDES[..]), (Msg::KeysOfPage, &PAGE[..])].iter().map(|(title, keys)| html! {
                        <section key={env.t(*title)}>
                            <h3>{ env.t(*title) }</h3>
                            <dl>{ for keys.iter().map(|(keys, msg)| html! { <><dt key={*keys}><kbd>{ *keys }</kbd></dt><dd>{ env.t(*msg) }</dd></> }) }</dl>
                        </section>
                    }) }
                </div>
                <p style="margin-top:16px"><button ref={button} class="btn ghost" onclick={close}>{ env.t(Msg::Close) }</button></p>
            </div>
        </div>
    }
}
