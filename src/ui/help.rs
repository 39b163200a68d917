//! The list of keys.

use yew::prelude::*;

use crate::action::Action;
use crate::env::use_env;
use crate::words::Msg;

const KEYS: [(&str, Msg); 12] = [
    ("← → ↑ ↓  h l k j  Space", Msg::KeySlides),
    ("Esc  o", Msg::KeyOverview),
    ("f", Msg::KeyFull),
    ("Ctrl ⏎", Msg::KeyApply),
    ("Ctrl `", Msg::KeyTerminal),
    ("Ctrl K  /", Msg::KeyPalette),
    ("p", Msg::KeyPause),
    (".", Msg::KeyStep),
    ("L", Msg::KeyLang),
    ("F6", Msg::KeyRegions),
    ("Esc Tab", Msg::KeyLeaveEditor),
    ("?", Msg::KeyHelp),
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
                <dl>{ for KEYS.iter().map(|(keys, msg)| html! { <><dt key={*keys}><kbd>{ *keys }</kbd></dt><dd>{ env.t(*msg) }</dd></> }) }</dl>
                <p style="margin-top:16px"><button ref={button} class="btn ghost" onclick={close}>{ env.t(Msg::Close) }</button></p>
            </div>
        </div>
    }
}
