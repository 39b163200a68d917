//! Small parts that several columns share: a row of tabs, a menu, the tools of a column, icons.

use yew::prelude::*;

use crate::action::{Action, Pane};
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::Msg;

/// A row of tabs, moved through with the arrow keys.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TabsProps {
    pub(crate) label: AttrValue,
    /// Test id, text and what choosing it does.
    pub(crate) tabs: Vec<(AttrValue, AttrValue, Action)>,
    pub(crate) chosen: usize,
}

#[component]
pub(crate) fn Tabs(props: &TabsProps) -> Html {
    let env = use_env();
    let keys = {
        let (env, tabs, chosen) = (env.clone(), props.tabs.clone(), props.chosen);
        Callback::from(move |event: KeyboardEvent| {
            let count = tabs.len();
            let to = match event.key().as_str() {
                "ArrowRight" => (chosen + 1) % count.max(1),
                "ArrowLeft" => (chosen + count.saturating_sub(1)) % count.max(1),
                "Home" => 0,
                "End" => count.saturating_sub(1),
                _ => return,
            };
            if let Some((id, _, action)) = tabs.get(to) {
                event.prevent_default();
                event.stop_propagation();
                env.act(action.clone());
                crate::dom::focus(&format!("[data-testid=\"{id}\"]"));
            }
        })
    };
    html! {
        <div role="tablist" aria-label={props.label.clone()} onkeydown={keys}>
            { for props.tabs.iter().enumerate().map(|(index, (id, text, action))| {
                let is_chosen = index == props.chosen;
                html! {
                    <button key={id.to_string()} role="tab" aria-selected={is_chosen.to_string()} tabindex={if is_chosen { "0" } else { "-1" }}
                        data-testid={id.clone()} onclick={env.on(action.clone())}>{ text.clone() }</button>
                }
            }) }
        </div>
    }
}

/// Put away, alone: for the right end of a column's tabs.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct PaneToolsProps {
    pub(crate) pane: Pane,
    pub(crate) is_alone: bool,
}

#[component]
pub(crate) fn PaneTools(props: &PaneToolsProps) -> Html {
    let env = use_env();
    let (shown, msg) = if props.is_alone {
        (Icon::Together, Msg::Together)
    } else {
        (Icon::Alone, Msg::Alone)
    };
    html! {
        <span class="pane-tools">
            <button key="alone" class="tool icon" title={env.t(msg)} aria-label={env.t(msg)} onclick={env.on(Action::Alone(props.pane))}>{ icon(shown) }</button>
            if (env.is_embed || props.pane != Pane::Stage) && !props.is_alone {
                <button key="away" class="tool icon" title={env.t(Msg::PutAway)} aria-label={env.t(Msg::PutAway)} onclick={env.on(Action::PutAway(props.pane))}>{ icon(Icon::Away) }</button>
            }
        </span>
    }
}

/// A button with a list beneath it.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct MenuProps {
    pub(crate) label: AttrValue,
    /// Text, a second line, and what choosing it does.
    pub(crate) items: Vec<(AttrValue, AttrValue, Action)>,
}

#[component]
pub(crate) fn Menu(props: &MenuProps) -> Html {
    let env = use_env();
    let is_open = use_state_eq(|| false);
    let toggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: MouseEvent| is_open.set(!*is_open))
    };
    let leave = {
        let is_open = is_open.clone();
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target();
            let menu = event.current_target();
            let is_within = to.zip(menu).is_some_and(|(to, menu)| {
                use wasm_bindgen::JsCast;
                let to = to.dyn_ref::<web_sys::Node>().cloned();
                menu.dyn_ref::<web_sys::Node>()
                    .is_some_and(|menu| menu.contains(to.as_ref()))
            });
            if !is_within {
                is_open.set(false);
            }
        })
    };
    let keys = {
        let is_open = is_open.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && *is_open {
                event.stop_propagation();
                is_open.set(false);
            }
        })
    };
    html! {
        <div class="menu" onfocusout={leave} onkeydown={keys}>
            <button key="button" class="tool" aria-haspopup="menu" aria-expanded={is_open.to_string()} onclick={toggle}>{ props.label.clone() }{ icon(Icon::Caret) }</button>
            if *is_open {
                <ul key="list" role="menu" aria-label={props.label.clone()}>
                    { for props.items.iter().enumerate().map(|(index, (text, more, action))| {
                        let (env, is_open, action) = (env.clone(), is_open.clone(), action.clone());
                        let choose = Callback::from(move |_: MouseEvent| {
                            is_open.set(false);
                            env.act(action.clone());
                        });
                        html! { <li key={index} role="none"><button role="menuitem" onclick={choose}><span>{ text.clone() }</span><small>{ more.clone() }</small></button></li> }
                    }) }
                </ul>
            }
        </div>
    }
}
