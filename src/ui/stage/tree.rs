//! The resource tree: what owns what, and how each of them is. A tree for keyboards and screen readers.

use std::collections::BTreeSet;
use std::rc::Rc;

use playground::{ObjectRef, ObjectRow};
use yew::prelude::*;

use crate::action::Action;
use crate::dom::use_size;
use crate::env::use_env;
use crate::icons::kind_icon;
use crate::stage::refer;
use crate::stage::tree_layout::{CARD_H, Layout, lay_out};
use crate::words::Msg;
use crate::world::{Objects, state_class};

/// What the tree is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TreeProps {
    pub(crate) objects: Rc<Objects>,
    pub(crate) chosen: Option<ObjectRef>,
    pub(crate) shows_system: bool,
    /// What the slide points at: `deployment/web`.
    pub(crate) focus: Rc<Vec<String>>,
}

#[component]
pub(crate) fn Tree(props: &TreeProps) -> Html {
    let env = use_env();
    let host = use_node_ref();
    let (width, _) = use_size(&host);
    let spread = use_state(BTreeSet::<Rc<str>>::new);
    let width = if width > 0.0 { width } else { 644.0 };
    let layout = use_memo(
        (
            props.objects.clone(),
            width as i64,
            props.shows_system,
            (*spread).clone(),
        ),
        |(objects, width, shows_system, spread)| {
            lay_out(objects, *width as f64, *shows_system, spread)
        },
    );
    if layout.cards.is_empty() {
        return html! {
            <div class="tree" ref={host}>
                <div class="empty" key="empty">
                    <p><b>{ env.t(Msg::EmptyTree) }</b>{ " " }{ env.t(Msg::EmptyTreeHint) }</p>
                    <p><code>{ "kubectl create deployment web --image=nginx" }</code></p>
                </div>
            </div>
        };
    }
    let on_path = path_of(&layout, &props.chosen);
    let card_width = layout.card_width;
    let lines = layout.links.iter().map(|link| {
        let (from, to) = (&layout.cards[link.from], &layout.cards[link.to]);
        let (y1, y2) = (from.y + CARD_H / 2.0, to.y + CARD_H / 2.0);
        let (x1, x2) = if to.x > from.x { (from.x + card_width, to.x) } else { (from.x + card_width / 2.0, to.x + card_width / 2.0) };
        let middle = (x1 + x2) / 2.0;
        let d = if to.x > from.x {
            format!("M{x1:.1} {y1:.1}C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}")
        } else {
            let (y1, y2) = if y2 > y1 { (from.y + CARD_H, to.y) } else { (from.y, to.y + CARD_H) };
            let middle = (y1 + y2) / 2.0;
            format!("M{x1:.1} {y1:.1}C{x1:.1} {middle:.1} {x2:.1} {middle:.1} {x2:.1} {y2:.1}")
        };
        let is_on = !link.is_reference && on_path.contains(&link.to) && on_path.contains(&link.from);
        let class = classes!("link", is_on.then_some("on"), link.is_reference.then_some("ref"));
        html! { <path key={format!("{}-{}-{}", from.row.uid, to.row.uid, link.is_reference)} {class} {d} /> }
    });
    html! {
        <div class="tree" ref={host} role="tree" aria-label={env.t(Msg::Tree)} style={format!("width:{:.0}px;height:{:.0}px", layout.width, layout.height)} onkeydown={Callback::from(roam)}>
            <svg key="lines" width={format!("{:.0}", layout.width)} height={format!("{:.0}", layout.height)} aria-hidden="true">{ for lines }</svg>
            { for layout.titles.iter().map(|(category, x, y, width)| html! {
                <div class="title" aria-hidden="true" key={format!("title-{category:?}")} style={format!("left:{x:.0}px;top:{y:.0}px;width:{width:.0}px")}>{ env.t(category.title()) }</div>
            }) }
            { for layout.cards.iter().map(|card| {
                let row = &card.row;
                let object = refer(row);
                let is_chosen = props.chosen.as_ref() == Some(&object);
                let note = env.said(&row.note).to_string();
                html! {
                    <button key={row.uid.clone()} class={classes!("card", state_class(row.state), is_focused(&props.focus, row).then_some("focus"))} role="treeitem" aria-level={(card.level + 1).to_string()}
                        aria-selected={is_chosen.to_string()}
                        title={format!("{}/{}", row.kind, row.name)} data-testid="card" data-kind={row.kind.clone()} data-name={row.name.clone()}
                        style={format!("left:{:.0}px;top:{:.0}px;width:{card_width:.0}px", card.x, card.y)}
                        onclick={env.on(Action::Select(Some(object)))}>
                        { kind_icon(&row.kind) }
                        <span class="body">
                            <span class="kind"><span>{ short_kind(&row.kind) }</span><i>{ note }</i></span>
                            <b>{ fitting(&row.name, &row.kind, card_width) }</b>
                            <span class="sr">{ format!("{:?}", row.state) }</span>
                        </span>
                    </button>
                }
            }) }
            { for layout.more.iter().map(|(x, y, uid, hidden)| {
                let (spread, uid) = (spread.clone(), uid.clone());
                let key = format!("more-{uid}");
                let toggle = Callback::from(move |_: MouseEvent| {
                    let mut now = (*spread).clone();
                    if !now.remove(&uid) {
                        now.insert(uid.clone());
                    }
                    spread.set(now);
                });
                html! {
                    <button {key} class="card more" role="treeitem" style={format!("left:{x:.0}px;top:{y:.0}px;width:{card_width:.0}px;height:30px")} onclick={toggle}>
                        { if *hidden > 0 { format!("+ {hidden} {}", env.t(Msg::More)) } else { String::from(env.t(Msg::Fewer)) } }
                    </button>
                }
            }) }
        </div>
    }
}

/// The chosen card and those that lead to it.
fn path_of(layout: &Layout, chosen: &Option<ObjectRef>) -> Vec<usize> {
    let Some(chosen) = chosen else {
        return Vec::new();
    };
    let Some(mut at) = layout
        .cards
        .iter()
        .position(|card| refer(&card.row) == *chosen)
    else {
        return Vec::new();
    };
    let mut path = vec![at];
    while let Some(link) = layout
        .links
        .iter()
        .find(|link| link.to == at && !link.is_reference)
    {
        if path.contains(&link.from) {
            break;
        }
        at = link.from;
        path.push(at);
    }
    path
}

/// Whether the slide speaks of this object.
fn is_focused(focus: &[String], row: &ObjectRow) -> bool {
    focus.iter().any(|word| {
        word.split_once('/')
            .is_some_and(|(kind, name)| name == row.name && kind.eq_ignore_ascii_case(&row.kind))
    })
}

fn short_kind(kind: &str) -> &str {
    match kind {
        "HorizontalPodAutoscaler" => "HPA",
        "PersistentVolumeClaim" => "PVC",
        "PersistentVolume" => "PV",
        "PodDisruptionBudget" => "PDB",
        "CustomResourceDefinition" => "CRD",
        other => other,
    }
}

/// Of a pod's name its end tells it apart; of any other its beginning.
fn fitting(name: &str, kind: &str, width: f64) -> String {
    let room = ((width - 56.0) / 7.3) as usize;
    let letters = name.chars().count();
    if letters <= room || kind != "Pod" {
        return String::from(name);
    }
    let tail: String = name
        .chars()
        .skip(letters - room.saturating_sub(1))
        .collect();
    format!("…{tail}")
}

/// Arrow keys move between the cards in their order.
fn roam(event: KeyboardEvent) {
    use wasm_bindgen::JsCast;
    let step: i32 = match event.key().as_str() {
        "ArrowDown" | "ArrowRight" => 1,
        "ArrowUp" | "ArrowLeft" => -1,
        _ => return,
    };
    let Some(active) = crate::dom::document().and_then(|document| document.active_element()) else {
        return;
    };
    let mut next = active;
    loop {
        let sibling = if step > 0 {
            next.next_element_sibling()
        } else {
            next.previous_element_sibling()
        };
        match sibling {
            Some(sibling) if sibling.tag_name().eq_ignore_ascii_case("button") => {
                event.prevent_default();
                event.stop_propagation();
                if let Ok(element) = sibling.dyn_into::<web_sys::HtmlElement>() {
                    // A button always takes the focus.
                    let _ = element.focus();
                }
                return;
            }
            Some(sibling) => next = sibling,
            None => return,
        }
    }
}
