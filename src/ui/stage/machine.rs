//! A node as a box: its name and condition, its agents, its pods, its load. From no pod to thousands: names, then shapes, then counts.

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::{Fall, ObjectRef, Part, State};
use yew::prelude::*;

use crate::action::Action;
use crate::env::{Env, use_env};
use crate::stage::geometry::Rect;
use crate::stage::{pod, refer};
use crate::words::Msg;
use crate::world::{Machine, state_class};

/// What a node's box is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct MachineProps {
    pub(crate) machine: Rc<Machine>,
    pub(crate) place: Rect,
    /// Agents that send or receive now.
    pub(crate) busy: Vec<Part>,
    pub(crate) chosen: Option<ObjectRef>,
    /// What the slide points at.
    pub(crate) focus: Rc<Vec<String>>,
}

/// Above this number of pods their shapes become counts.
const MOST_SHAPES: usize = 300;
/// A shape smaller than this tells no state.
const SMALLEST: f64 = 2.0;

#[component]
pub(crate) fn MachineBox(props: &MachineProps) -> Html {
    let env = use_env();
    let Rect { x, y, w, h } = props.place;
    let node = &props.machine.node;
    let (state, says) = condition(&env, &props.machine);
    let object = ObjectRef {
        kind: "Node".into(),
        namespace: String::new(),
        name: node.name.clone(),
    };
    let is_down = node.fall.is_some();
    let is_focused = props.focus.iter().any(|word| {
        word == "nodes" || *word == node.name || *word == format!("node/{}", node.name)
    });
    let class = classes!(
        "machine",
        state_class(state),
        is_down.then_some("down"),
        (is_focused || props.chosen.as_ref() == Some(&object)).then_some("focus")
    );
    let label = format!(
        "Node {} · {says} · Pods {}",
        node.name,
        props.machine.pods.len()
    );
    let note = if matches!(state, State::Ready) && !node.cordoned {
        node.zone.clone()
    } else {
        says
    };
    let act = env.act.clone();
    let chosen = object.clone();
    let open = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" || event.key() == " " {
            event.prevent_default();
            act.emit(Action::Select(Some(chosen.clone())));
        }
    });
    html! {
        <g {class} data-testid="node" data-name={node.name.clone()}>
            <rect class="box" x={n(x)} y={n(y)} width={n(w)} height={n(h)} rx="12" />
            { light(state, x + 18.0, y + 18.0) }
            <text aria-hidden="true" class="name" x={n(x + 32.0)} y={n(y + 22.5)}>{ node.name.clone() }</text>
            <text aria-hidden="true" class="small" x={n(x + w - 12.0)} y={n(y + 22.0)} text-anchor="end">{ note }</text>
            <rect class="cover" role="button" tabindex="0" aria-label={label.clone()} onclick={env.on(Action::Select(Some(object)))} onkeydown={open}
                x={n(x + 2.0)} y={n(y + 2.0)} width={n(w - 4.0)} height="33" rx="10"><title>{ label }</title></rect>
            <path d={format!("M{x} {}h{w}", y + 36.0)} stroke="var(--line)" />
            { agents(&props.busy, &props.focus, props.place) }
            { pods(&env, &props.machine, &props.chosen, &props.focus, props.place) }
            { meter("CPU", x + 12.0, y + h - 12.0, (w - 36.0) / 2.0, node.cpu_requested_milli, node.cpu_allocatable_milli) }
            { meter(env.t(Msg::Memory), x + w / 2.0 + 6.0, y + h - 12.0, (w - 36.0) / 2.0, node.memory_requested, node.memory_allocatable) }
        </g>
    }
}

fn condition(env: &Env, machine: &Machine) -> (State, String) {
    let node = &machine.node;
    let (state, mut says) = match (node.fall, node.ready) {
        (Some(Fall::PoweredOff), _) => (State::Failed, String::from(env.t(Msg::PoweredOff))),
        (Some(Fall::CutOff), _) => (State::Failed, String::from(env.t(Msg::CutOff))),
        (None, Some(true)) => (State::Ready, String::from(env.t(Msg::ReadyWord))),
        (None, Some(false)) => (State::Pending, String::from(env.t(Msg::NotReady))),
        (None, None) => (State::Unknown, String::from(env.t(Msg::NodeUnknown))),
    };
    if node.cordoned {
        says = String::from(env.t(Msg::Cordoned));
    }
    if let Some(pressure) = node.pressure.first() {
        return (State::Pending, pressure.clone());
    }
    (state, says)
}

fn light(state: State, x: f64, y: f64) -> Html {
    let (x, y) = (n(x), n(y));
    match state {
        State::Ready => html! {
            <g><circle cx={x.clone()} cy={y.clone()} r="6" fill="var(--c)" />
            <path d={format!("M{} {y}l2 2.200 3.600 -4.200", x.parse::<f64>().unwrap_or(0.0) - 2.8)} stroke="var(--panel)" stroke-width="1.5" fill="none" /></g>
        },
        State::Failed => html! {
            <g><circle cx={x.clone()} cy={y.clone()} r="6" fill="var(--c)" />
            <path d={format!("M{} {}l5 5m0 -5l-5 5", x.parse::<f64>().unwrap_or(0.0) - 2.5, y.parse::<f64>().unwrap_or(0.0) - 2.5)} stroke="var(--panel)" stroke-width="1.5" /></g>
        },
        _ => {
            html! { <circle cx={x} cy={y} r="5.2" fill="none" stroke="var(--c)" stroke-width="1.6" stroke-dasharray="3 2" /> }
        }
    }
}

fn agents(busy: &[Part], focus: &[String], place: Rect) -> Html {
    let is_busy = |index: usize| {
        busy.iter().any(|part| match part {
            Part::Kubelet(_) => index == 0,
            Part::KubeProxy(_) => index == 1,
            Part::Runtime(_) => index == 2,
            _ => false,
        })
    };
    let all = [("kubelet", 50.0), ("kube-proxy", 64.0), ("runtime", 46.0)];
    let is_focused = |name: &str| {
        focus
            .iter()
            .any(|word| word == name || word.strip_prefix("container-") == Some(name))
    };
    let free = (place.w - 24.0 - 160.0).max(-18.0) / 2.0;
    let shrink = if place.w < 180.0 { 0.83 } else { 1.0 };
    let mut left = place.x + 12.0;
    html! {
        <>
            { for all.iter().enumerate().map(|(index, (name, width))| {
                let width = width * shrink;
                let x = left;
                left += width + if shrink < 1.0 { 2.0 } else { free.max(3.0) };
                html! {
                    <g key={*name} class={classes!("pill", is_busy(index).then_some("lit"), is_focused(name).then_some("focus"), (place.w < 180.0).then_some("tight"))}>
                        <rect class="sunk" x={n(x)} y={n(place.y + 44.0)} width={n(width)} height="22" rx="6" />
                        <text x={n(x + width / 2.0)} y={n(place.y + 59.0)} text-anchor="middle">{ *name }</text>
                    </g>
                }
            }) }
        </>
    }
}

/// How pods are set out: columns, cell size, radius, and whether names fit.
fn grid(count: usize, w: f64, h: f64) -> (usize, f64, f64, f64, bool) {
    let rows = count.div_ceil(2).max(1) as f64;
    if count <= 4 && h / rows >= 44.0 {
        let cell = (h / rows).min(62.0);
        return (2, w / 2.0, cell, ((cell - 18.0) / 2.0).min(23.0), true);
    }
    // Without names: the largest cells of which all fit.
    let mut best = (1, w, w, 1.0);
    for columns in 3..=60 {
        let cell = w / columns as f64;
        let rows = count.div_ceil(columns) as f64;
        let radius = (cell / 2.0 - 1.6).min(h / rows / 2.0 - 1.2).min(19.0);
        if radius > best.3 {
            best = (columns, cell, (h / rows).min(cell * 1.16), radius);
        }
    }
    (best.0, best.1, best.2, best.3, false)
}

/// Whether the slide speaks of this pod, or of what its name says it was made by.
fn is_spoken_of(focus: &[String], name: &str) -> bool {
    focus.iter().any(|word| {
        let Some((kind, of)) = word.split_once('/') else {
            return false;
        };
        const MAKERS: [&str; 6] = [
            "deployment",
            "replicaset",
            "statefulset",
            "daemonset",
            "job",
            "cronjob",
        ];
        let rest = name.strip_prefix(of);
        match kind {
            "pod" => name == of,
            kind => MAKERS.contains(&kind) && rest.is_some_and(|rest| rest.starts_with('-')),
        }
    })
}

fn pods(
    env: &Env,
    machine: &Machine,
    chosen: &Option<ObjectRef>,
    focus: &[String],
    place: Rect,
) -> Html {
    let (x, y, w, h) = (
        place.x + 10.0,
        place.y + 74.0,
        place.w - 20.0,
        place.h - 74.0 - 30.0,
    );
    let count = machine.pods.len();
    let (columns, cell_w, cell_h, radius, with_names) = grid(count, w, h);
    if count > MOST_SHAPES || radius < SMALLEST {
        return counts(machine, x, y, h);
    }
    html! {
        <g role="group" aria-label={env.t(Msg::PodsOfNode)}>
            { for machine.pods.iter().enumerate().map(|(index, row)| {
                let cx = x + (index % columns) as f64 * cell_w + cell_w / 2.0;
                let top = if with_names { radius + 1.0 } else { cell_h / 2.0 };
                let cy = y + (index / columns) as f64 * cell_h + top;
                pod::pod(env, row, cx, cy, radius, with_names, chosen.as_ref() == Some(&refer(row)) || is_spoken_of(focus, &row.name))
            }) }
        </g>
    }
}

/// One shape per state with its count.
fn counts(machine: &Machine, x: f64, y: f64, h: f64) -> Html {
    let mut by_state: BTreeMap<State, u32> = BTreeMap::new();
    for row in &machine.pods {
        *by_state.entry(row.state).or_default() += 1;
    }
    let pitch = (h / by_state.len() as f64).min(26.0);
    html! {
        <g>
            { for by_state.iter().enumerate().map(|(index, (state, count))| {
                let cy = y + pitch / 2.0 + index as f64 * pitch;
                html! {
                    <g key={format!("{state:?}")} class={classes!("pod", state_class(*state))}>
                        <path class="hex" d={pod::hexagon(x + 14.0, cy, pitch / 2.0 - 3.0, *state == State::Failed)} />
                        <text class="small" x={n(x + 32.0)} y={n(cy + 4.0)}>{ format!("{count} {state:?}") }</text>
                    </g>
                }
            }) }
        </g>
    }
}

fn meter(label: &'static str, x: f64, y: f64, w: f64, used: u64, of: u64) -> Html {
    let share = if of == 0 {
        0.0
    } else {
        (used as f64 / of as f64).clamp(0.0, 1.0)
    };
    let bar = (w - 34.0).max(8.0);
    let class = if share > 0.9 {
        "meter tight"
    } else {
        "meter full"
    };
    html! {
        <g>
            <title>{ format!("{label} {:.0} %", share * 100.0) }</title>
            <text class="tiny" x={n(x)} y={n(y)}>{ label }</text>
            <rect class="meter" x={n(x + 34.0)} y={n(y - 5.5)} width={n(bar)} height="4" rx="2" />
            <rect {class} x={n(x + 34.0)} y={n(y - 5.5)} width={n(bar * share)} height="4" rx="2" />
        </g>
    }
}

/// A coordinate, to a tenth.
fn n(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::grid;

    #[test]
    fn pods_never_leave_their_node_however_many() {
        for (height, count) in [106.0, 68.0, 42.0]
            .into_iter()
            .flat_map(|height| (1..=super::MOST_SHAPES).map(move |count| (height, count)))
        {
            let (columns, cell_w, cell_h, radius, with_names) = grid(count, 170.0, height);
            if radius < super::SMALLEST {
                continue;
            }
            let rows = count.div_ceil(columns) as f64;
            let last = if with_names {
                (rows - 1.0) * cell_h + 2.0 * radius + 16.0
            } else {
                rows * cell_h
            };
            assert!(last <= height + 0.5, "{count} pods are {last} high");
            assert!(columns as f64 * cell_w <= 170.5, "{count}");
        }
    }
}
