//! The line between two columns, to be dragged or moved with the arrow keys.

use wasm_bindgen::JsCast;
use yew::prelude::*;

use crate::action::{Action, Pane};
use crate::env::use_env;
use crate::words::Msg;

/// What a line is given: the column it sizes, and that column's share of the board in percent, if the user chose one.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SplitProps {
    pub(crate) pane: Pane,
    pub(crate) share: Option<f64>,
}

#[component]
pub(crate) fn Split(props: &SplitProps) -> Html {
    let env = use_env();
    let is_held = use_state_eq(|| false);
    let pane = props.pane;
    let (class, label, orientation, standard) = match pane {
        Pane::Slides => ("one", Msg::ResizeSlides, "vertical", 28.0),
        Pane::Work => ("two", Msg::ResizeWork, "vertical", 28.0),
        _ => ("row", Msg::ResizeTerm, "horizontal", 25.0),
    };
    let now = props.share.unwrap_or(standard);
    let down = {
        let (is_held, env) = (is_held.clone(), env.clone());
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            if let Some(line) = event.target_dyn_into::<web_sys::Element>() {
                // Without capture the drag ends at the line's edge; nothing else is lost.
                let _ = line.set_pointer_capture(event.pointer_id());
            }
            is_held.set(true);
            env.act(Action::Dragging(true));
        })
    };
    let drag = {
        let (is_held, env) = (is_held.clone(), env.clone());
        Callback::from(move |event: PointerEvent| {
            let board = event
                .target()
                .and_then(|line| line.dyn_into::<web_sys::Element>().ok())
                .and_then(|line| line.parent_element());
            let (true, Some(board)) = (*is_held, board) else {
                return;
            };
            let place = board.get_bounding_client_rect();
            let x = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0) * 100.0;
            let y = (f64::from(event.client_y()) - place.top()) / place.height().max(1.0) * 100.0;
            let share = match pane {
                Pane::Slides => x,
                Pane::Work => 100.0 - x,
                _ => 100.0 - y,
            };
            env.act(Action::Resize(pane, share));
        })
    };
    let up = {
        let (is_held, env) = (is_held.clone(), env.clone());
        Callback::from(move |_: PointerEvent| {
            is_held.set(false);
            env.act(Action::Dragging(false));
        })
    };
    let keys = {
        let env = env.clone();
        Callback::from(move |event: KeyboardEvent| {
            let grow = match (event.key().as_str(), pane) {
                ("ArrowRight", Pane::Slides)
                | ("ArrowLeft", Pane::Work)
                | ("ArrowUp", Pane::Term) => 2.0,
                ("ArrowLeft", Pane::Slides)
                | ("ArrowRight", Pane::Work)
                | ("ArrowDown", Pane::Term) => -2.0,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            env.act(Action::Resize(pane, now + grow));
        })
    };
    html! {
        <div class={classes!("split", class, is_held.then_some("held"))} role="separator" tabindex="0" aria-orientation={orientation} aria-label={env.t(label)}
            aria-valuenow={format!("{now:.0}")} aria-valuemin="12" aria-valuemax="70"
            onpointerdown={down} onpointermove={drag} onpointerup={up.clone()} onpointercancel={up} onkeydown={keys}></div>
    }
}
