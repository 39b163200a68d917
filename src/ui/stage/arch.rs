//! The architecture picture: the control plane around the API server, the nodes beneath, and the messages between them.
//!
//! Everything that moves was sent by the cluster; a part is lit while it sends or receives, or while the story beneath speaks of it.

use std::rc::Rc;

use playground::{Chain, Control, Controller, ObjectRef, ObjectRow, Part};
use yew::prelude::*;

use crate::dom::use_size;
use crate::env::{Env, use_env};
use crate::flights::{Flight, Line};
use crate::stage::geometry::{Plan, Rect};
use crate::stage::machine::MachineBox;
use crate::stage::{moving, pod, refer};
use crate::words::Msg;
use crate::world::Machine;

/// What the picture is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct ArchitectureProps {
    pub(crate) control: Rc<Control>,
    pub(crate) machines: Rc<Vec<Rc<Machine>>>,
    pub(crate) waiting: Rc<Vec<Rc<ObjectRow>>>,
    pub(crate) flights: Rc<Vec<Flight>>,
    pub(crate) chosen: Option<ObjectRef>,
    pub(crate) focus: Rc<Vec<String>>,
    pub(crate) chain: Rc<Chain>,
    pub(crate) chain_step: Option<usize>,
}

/// Machines drawn; a picture of more would show none of them.
const MOST: usize = 48;

#[component]
pub(crate) fn Architecture(props: &ArchitectureProps) -> Html {
    let env = use_env();
    let host = use_node_ref();
    let (width, height) = use_size(&host);
    let machines = &props.machines[..props.machines.len().min(MOST)];
    let hidden = props.machines.len() - machines.len();
    let plan = Rc::new(Plan::fit(machines.len(), width, height - 4.0));
    let node_index = |name: &str| {
        machines
            .iter()
            .position(|machine| machine.node.name == name)
    };
    let told = props
        .chain_step
        .and_then(|step| props.chain.steps.get(step))
        .map(|step| step.part.clone());
    let mut lit: Vec<Part> = props
        .flights
        .iter()
        .filter(|flight| !flight.is_routine)
        .map(|flight| flight.actor.clone())
        .collect();
    lit.extend(told);
    let is_talking = |line: &Line| {
        props
            .flights
            .iter()
            .any(|flight| flight.line == *line && !flight.is_routine)
    };
    let has_error = |line: &Line| {
        props
            .flights
            .iter()
            .any(|flight| flight.line == *line && flight.is_error)
    };
    let mut lines = vec![Line::User, Line::Etcd, Line::Scheduler, Line::Controllers];
    if !props.control.cloud.is_empty() {
        lines.push(Line::Cloud);
    }
    lines.extend(
        machines
            .iter()
            .map(|machine| Line::Node(machine.node.name.clone())),
    );
    let edges = lines.iter().map(|line| {
        let cut = matches!(line, Line::Node(name) if machines.iter().any(|machine| machine.node.name == *name && machine.node.fall.is_some()));
        let class = classes!(
            "edge",
            is_talking(line).then_some("lit"),
            has_error(line).then_some("error"),
            cut.then_some("cut")
        );
        html! { <path key={format!("{line:?}")} {class} d={plan.line(line, node_index).unwrap_or_default()} /> }
    });
    let picture = Picture {
        env: &env,
        props,
        lit: &lit,
    };
    html! {
        <div class="arch" ref={host} data-testid="architecture">
            <svg viewBox={format!("0 0 {} {}", plan.width, plan.height)} width={format!("{:.0}", plan.width * plan.scale)}
                height={format!("{:.0}", plan.height * plan.scale)} role="group" aria-label={env.t(Msg::Architecture)}>
                <defs>
                    <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <rect width="5" height="5" fill="var(--panel)" /><path d="M0 0V5" stroke="var(--state-gone)" stroke-width="1" opacity=".45" />
                    </pattern>
                </defs>
                <g key="plane">
                    <rect class="sunk" x={n(plan.plane.x)} y={n(plan.plane.y)} width={n(plan.plane.w)} height={n(plan.plane.h)} rx="12" />
                    <text class="small" x={n(plan.plane.x + 16.0)} y={n(plan.plane.y + 24.0)}>{ env.t(Msg::ControlPlane) }</text>
                </g>
                <g key="edges">{ for edges }</g>
                <g key="parts">
                    { picture.plain(plan.user, "user", "kubectl", None, &Part::User, 13.0) }
                    { picture.plain(plan.etcd, "etcd", "etcd", Some(format!("rev {}", props.control.revision)), &Part::Etcd, 8.0) }
                    { picture.api(plan.api) }
                    { picture.plain(plan.scheduler, "kube-scheduler", "kube-scheduler", Some(format!("{} {}", env.t(Msg::Queue), props.control.scheduler_queue)), &Part::Scheduler, 8.0) }
                    { picture.manager(plan.controllers, "controller-manager", &props.control.controllers, false) }
                    { picture.manager(plan.cloud, "cloud-controller-manager", &props.control.cloud, true) }
                </g>
                <g key="nodes">
                    { for machines.iter().zip(&plan.nodes).map(|(machine, place)| {
                        let busy: Vec<Part> = lit.iter().filter(|part| node_of(part) == Some(&machine.node.name)).cloned().collect();
                        let is_here = props.chosen.as_ref().is_some_and(|chosen| chosen.name == machine.node.name
                            || machine.pods.iter().any(|row| refer(row) == *chosen));
                        let chosen = if is_here { props.chosen.clone() } else { None };
                        html! {
                            <MachineBox key={machine.node.name.clone()} machine={machine.clone()} place={*place} {busy} {chosen}
                                focus={props.focus.clone()} />
                        }
                    }) }
                </g>
                <g key="waiting">{ waiting(&env, props, &plan) }</g>
                <g key="dots" aria-hidden="true">{ for props.flights.iter().map(|flight| moving::dot(flight, &plan, node_index)) }</g>
                <g key="tags">{ moving::tags(&props.flights, &plan, node_index) }</g>
            </svg>
            if hidden > 0 {
                <p key="hidden" class="stage-note">{ format!("+ {hidden} {}", env.t(Msg::MoreNodes)) }</p>
            }
            if !props.control.is_up {
                <p key="note" class="stage-note" role="status">{ env.t(Msg::Starting) }</p>
            }
        </div>
    }
}

/// Pods that no node has yet, between the scheduler's plane and the nodes.
fn waiting(env: &Env, props: &ArchitectureProps, plan: &Plan) -> Html {
    if props.waiting.is_empty() {
        return html! { <g /> };
    }
    let shown = props.waiting.len().min(6);
    let right = plan.plane.x + plan.plane.w - 14.0;
    let y = plan.plane.y + plan.plane.h + 18.0;
    let more = props.waiting.len() - shown;
    html! {
        <g>
            { for props.waiting.iter().take(shown).enumerate().map(|(index, row)| {
                pod::pod(env, row, right - index as f64 * 22.0, y, 9.0, false, props.chosen.as_ref() == Some(&refer(row)))
            }) }
            <text class="small" text-anchor="end" x={n(right - shown as f64 * 22.0 + 4.0)} y={n(y + 4.0)}>
                { if more > 0 { format!("{} {}", env.t(Msg::Waiting), props.waiting.len()) } else { String::from(env.t(Msg::Waiting)) } }
            </text>
        </g>
    }
}

struct Picture<'a> {
    env: &'a Env,
    props: &'a ArchitectureProps,
    lit: &'a [Part],
}

impl Picture<'_> {
    fn class(&self, id: &str, is_lit: bool, part: Option<&Part>) -> Classes {
        let is_down = part.is_some_and(|part| self.props.control.stopped.contains(part));
        classes!(
            "part",
            is_lit.then_some("lit"),
            self.props
                .focus
                .iter()
                .any(|word| word == id)
                .then_some("focus"),
            is_down.then_some("down")
        )
    }

    fn plain(
        &self,
        place: Rect,
        id: &'static str,
        name: &'static str,
        more: Option<String>,
        part: &Part,
        round: f64,
    ) -> Html {
        let class = self.class(id, self.lit.contains(part), Some(part));
        let is_stopped = self.props.control.stopped.contains(part);
        let more = if is_stopped {
            Some(String::from(self.env.t(Msg::Stopped)))
        } else {
            more
        };
        let middle = place.y + place.h / 2.0;
        let name_y = if more.is_some() {
            middle - 3.0
        } else {
            middle + 4.5
        };
        html! {
            <g key={id} {class} data-part={id}>
                <rect class="box" x={n(place.x)} y={n(place.y)} width={n(place.w)} height={n(place.h)} rx={n(round)} />
                <text class="name" x={n(place.mid())} y={n(name_y)} text-anchor="middle">{ name }</text>
                if let Some(more) = more {
                    <text class="small" x={n(place.mid())} y={n(middle + 13.0)} text-anchor="middle">{ more }</text>
                }
            </g>
        }
    }

    fn api(&self, place: Rect) -> Html {
        let control = &self.props.control;
        let class = self.class("kube-apiserver", false, Some(&Part::ApiServer));
        let more = if control.is_up {
            format!(
                "{} req/s ・ {} {}",
                control.requests_per_sec,
                control.watches,
                self.env.t(Msg::Watches)
            )
        } else {
            String::from("…")
        };
        let middle = place.y + place.h / 2.0;
        html! {
            <g key="api" {class} data-part="kube-apiserver">
                <rect class="box core" x={n(place.x)} y={n(place.y)} width={n(place.w)} height={n(place.h)} rx="8" />
                <text class="name big" x={n(place.mid())} y={n(middle - 4.0)} text-anchor="middle">{ "kube-apiserver" }</text>
                <text class="small" x={n(place.mid())} y={n(middle + 16.0)} text-anchor="middle">{ more }</text>
            </g>
        }
    }

    fn manager(
        &self,
        place: Rect,
        id: &'static str,
        controllers: &[Controller],
        is_cloud: bool,
    ) -> Html {
        let mine = |part: &Part| {
            if is_cloud {
                matches!(part, Part::CloudController(_))
            } else {
                matches!(part, Part::Controller(_))
            }
        };
        let name_of = |part: &Part| match part {
            Part::Controller(name) | Part::CloudController(name) => name.clone(),
            _ => String::new(),
        };
        let busy: Vec<String> = self
            .lit
            .iter()
            .filter(|part| mine(part))
            .map(name_of)
            .collect();
        let class = self.class(
            if is_cloud {
                id
            } else {
                "kube-controller-manager"
            },
            false,
            None,
        );
        let shape = if is_cloud { "box dashed" } else { "box" };
        html! {
            <g key={id} {class} data-part={id}>
                <rect class={shape} x={n(place.x)} y={n(place.y)} width={n(place.w)} height={n(place.h)} rx="8" />
                <text class="name" x={n(place.x + 14.0)} y={n(place.y + 22.0)}>{ id }</text>
                if is_cloud && controllers.is_empty() {
                    <text class="small" x={n(place.x + 14.0)} y={n(place.y + 42.0)}>{ self.env.t(Msg::NoCloud) }</text>
                }
                { for pills(controllers, &busy, place.w - 24.0).into_iter().map(|(name, x, width, is_busy, title)| {
                    let left = place.x + 12.0 + x;
                    html! {
                        <g key={name.clone()} class={classes!("pill", is_busy.then_some("lit"))}>
                            if !title.is_empty() { <title>{ title }</title> }
                            <rect class="sunk" x={n(left)} y={n(place.y + 32.0)} width={n(width)} height="22" rx="11" />
                            <text x={n(left + width / 2.0)} y={n(place.y + 47.0)} text-anchor="middle">{ name }</text>
                        </g>
                    }
                }) }
            </g>
        }
    }
}

/// A pill: text, left, width, busy, tooltip.
type Pill = (String, f64, f64, bool, String);

/// The controllers that fit into `room`, in their order. A busy one is always among them; those without room are a number at the end.
fn pills(controllers: &[Controller], busy: &[String], room: f64) -> Vec<Pill> {
    const GAP: f64 = 4.0;
    const MORE: f64 = 34.0;
    let width = |controller: &Controller| controller.name.chars().count() as f64 * 5.9 + 16.0;
    let is_busy = |controller: &Controller| busy.contains(&controller.name);
    let whole: f64 = controllers
        .iter()
        .map(|controller| width(controller) + GAP)
        .sum::<f64>()
        - GAP;
    let mut free = if whole <= room {
        room + GAP
    } else {
        room - MORE
    };
    let mut is_shown: Vec<bool> = Vec::with_capacity(controllers.len());
    // Room for the busy ones first, then for as many of the others as fit.
    for controller in controllers {
        let fits = is_busy(controller) && width(controller) + GAP <= free;
        free -= if fits { width(controller) + GAP } else { 0.0 };
        is_shown.push(fits);
    }
    for (controller, is_shown) in controllers
        .iter()
        .zip(&mut is_shown)
        .filter(|(_, is_shown)| !**is_shown)
    {
        if width(controller) + GAP > free {
            break;
        }
        free -= width(controller) + GAP;
        *is_shown = true;
    }
    let mut out: Vec<Pill> = Vec::new();
    let mut left = 0.0;
    for (controller, _) in controllers
        .iter()
        .zip(&is_shown)
        .filter(|(_, is_shown)| **is_shown)
    {
        let title = controller.name.clone();
        out.push((
            controller.name.clone(),
            left,
            width(controller),
            is_busy(controller),
            title,
        ));
        left += width(controller) + GAP;
    }
    let rest: Vec<&str> = controllers
        .iter()
        .zip(&is_shown)
        .filter(|(_, is_shown)| !**is_shown)
        .map(|(controller, _)| controller.name.as_str())
        .collect();
    if !rest.is_empty() {
        out.push((
            format!("+{}", rest.len()),
            left,
            MORE,
            false,
            rest.join(", "),
        ));
    }
    out
}

fn node_of(part: &Part) -> Option<&String> {
    match part {
        Part::Kubelet(node) | Part::KubeProxy(node) | Part::Runtime(node) => Some(node),
        _ => None,
    }
}

/// A coordinate, to a tenth.
fn n(value: f64) -> String {
    ((value * 10.0).round() / 10.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_controller_is_always_among_the_visible_ones() {
        let controllers: Vec<Controller> = [
            "Deployment",
            "ReplicaSet",
            "Node",
            "Namespace",
            "GarbageCollector",
            "Job",
        ]
        .iter()
        .map(|name| Controller {
            name: (*name).into(),
        })
        .collect();
        for controller in &controllers {
            let shown = pills(&controllers, std::slice::from_ref(&controller.name), 228.0);
            assert!(
                shown
                    .iter()
                    .any(|(name, _, _, is_busy, _)| *name == controller.name && *is_busy),
                "{}",
                controller.name
            );
            assert!(shown.iter().all(|(_, x, width, _, _)| x + width <= 228.0));
        }
    }
}
