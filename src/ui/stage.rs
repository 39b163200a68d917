//! The stage: views of the one cluster, the strip that tells what follows from what, and the inspector.

pub(crate) mod arch;
pub(crate) mod doing;
pub(crate) mod follow;
pub(crate) mod geometry;
pub(crate) mod inspector;
mod machine;
mod moving;
mod pod;
pub(crate) mod tree;
mod tree_layout;

use std::rc::Rc;

use playground::deck::View;
use playground::{Chain, Control, ObjectRef, ObjectRow};
use yew::prelude::*;

use crate::action::{Action, Pane};
use crate::env::{Env, use_env};
use crate::flights::Flight;
use crate::parts::{Menu, PaneTools, Tabs};
use crate::words::Msg;
use crate::world::{Machine, Objects};

/// The name of an object.
pub(crate) fn refer(row: &ObjectRow) -> ObjectRef {
    ObjectRef {
        kind: row.kind.clone(),
        namespace: row.namespace.clone(),
        name: row.name.clone(),
    }
}

/// What the stage is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct StageProps {
    pub(crate) view: View,
    pub(crate) control: Rc<Control>,
    pub(crate) machines: Rc<Vec<Rc<Machine>>>,
    pub(crate) waiting: Rc<Vec<Rc<ObjectRow>>>,
    pub(crate) objects: Rc<Objects>,
    pub(crate) flights: Rc<Vec<Flight>>,
    pub(crate) chain: Rc<Chain>,
    pub(crate) chain_step: Option<usize>,
    pub(crate) chosen: Option<ObjectRef>,
    /// What the slide points at.
    pub(crate) focus: Rc<Vec<String>>,
    pub(crate) shows_system: bool,
    pub(crate) is_alone: bool,
}

/// The views that exist, in the order of their tabs.
pub(crate) const VIEWS: [(View, Msg, &str); 2] = [
    (View::Architecture, Msg::Architecture, "view-architecture"),
    (View::Tree, Msg::Tree, "view-tree"),
];

/// The middle column.
#[component]
pub(crate) fn Stage(props: &StageProps) -> Html {
    let env = use_env();
    let view = if VIEWS.iter().any(|(view, _, _)| *view == props.view) {
        props.view
    } else {
        View::Architecture
    };
    let tabs: Vec<(AttrValue, AttrValue, Action)> = VIEWS
        .iter()
        .map(|(view, msg, id)| {
            (
                AttrValue::Static(id),
                AttrValue::Static(env.t(*msg)),
                Action::Show(*view),
            )
        })
        .collect();
    let chosen_tab = VIEWS
        .iter()
        .position(|(known, _, _)| *known == view)
        .unwrap_or(0);
    html! {
        <>
            <div class="tabs" key="tabs">
                <Tabs label={env.t(Msg::Views)} {tabs} chosen={chosen_tab} />
                <span class="sp"></span>
                if view == View::Tree {
                    <button class="tool" aria-pressed={props.shows_system.to_string()} onclick={env.on(Action::ShowSystem(!props.shows_system))}>
                        { env.t(Msg::ShowSystem) }
                    </button>
                }
                <Menu label={env.t(Msg::BreakIt)} items={breakages(&env, props)} />
                <PaneTools pane={Pane::Stage} is_alone={props.is_alone} />
            </div>
            <div class="scroll" key="view">
                if view == View::Tree {
                    <tree::Tree objects={props.objects.clone()} chosen={props.chosen.clone()} shows_system={props.shows_system} focus={props.focus.clone()} />
                } else {
                    <arch::Architecture control={props.control.clone()} machines={props.machines.clone()} waiting={props.waiting.clone()}
                        flights={props.flights.clone()} chosen={props.chosen.clone()} focus={props.focus.clone()} chain={props.chain.clone()} chain_step={props.chain_step} />
                }
            </div>
            <follow::Follow key="follow" chain={props.chain.clone()} step={props.chain_step} />
        </>
    }
}

/// What *Break it* offers, each with its command line: the machines, then the parts of the control plane.
fn breakages(env: &Env, props: &StageProps) -> Vec<(AttrValue, AttrValue, Action)> {
    /// More machines than this are broken from their inspector.
    const MACHINES: usize = 4;
    let machines = props
        .machines
        .iter()
        .take(MACHINES)
        .flat_map(|machine| doing::machine(&machine.node));
    machines
        .chain(doing::parts(&props.control))
        .map(|(what, command)| {
            let subject = command.rsplit(' ').next().unwrap_or_default();
            (
                AttrValue::from(format!("{subject}: {}", env.t(what))),
                AttrValue::from(command.clone()),
                Action::Run(vec![command]),
            )
        })
        .collect()
}
