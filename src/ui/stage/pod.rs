//! A Pod as a rounded hexagon with a square per container. Its state is told by outline, sign and colour, in that order.

use playground::{Container, ContainerState, ObjectRow, PodRow, State};
use yew::prelude::*;

use crate::action::Action;
use crate::env::Env;
use crate::stage::refer;
use crate::words::Msg;
use crate::world::state_class;

/// Draws a pod around (`x`, `y`). `with_name` writes its short name beneath.
pub(crate) fn pod(
    env: &Env,
    row: &ObjectRow,
    x: f64,
    y: f64,
    radius: f64,
    with_name: bool,
    is_chosen: bool,
) -> Html {
    let Some(info) = &row.pod else {
        return html! { <g key={row.uid.clone()} /> };
    };
    let radius_of_requests =
        radius * (0.88 + (info.cpu_requested_milli as f64 / 4_000.0).min(0.12));
    let label = spoken(env, row, info);
    let object = refer(row);
    let act = env.act.clone();
    let open = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" || event.key() == " " {
            event.prevent_default();
            act.emit(Action::Select(Some(object.clone())));
        }
    });
    html! {
        <g key={row.uid.clone()} class={classes!("pod", state_class(row.state), is_chosen.then_some("chosen"))}
            data-testid="pod" data-name={row.name.clone()} data-phase={info.phase.clone()}
            data-status={info.status.clone()} data-ready={info.ready.to_string()} onclick={env.on(Action::Select(Some(refer(row))))}>
            <g role="button" tabindex="0" aria-label={label.clone()} onkeydown={open}>
                <title>{ label }</title>
                <path class="hex" d={hexagon(x, y, radius_of_requests, row.state == State::Failed)} />
                { sign(row.state, info, x, y, radius) }
            </g>
            if with_name {
                <text aria-hidden="true" class="podname" x={x.to_string()} y={(y + radius + 14.0).to_string()} text-anchor="middle">{ short(&row.name) }</text>
            }
        </g>
    }
}

/// The name, phase, reason, restarts and address of a pod in one line.
fn spoken(env: &Env, row: &ObjectRow, pod: &PodRow) -> String {
    let mut parts = vec![format!("Pod {}", row.name), pod.status.clone()];
    let ready = pod
        .containers
        .iter()
        .filter(|container| !container.is_init && container.ready)
        .count();
    let all = pod
        .containers
        .iter()
        .filter(|container| !container.is_init)
        .count();
    parts.push(format!("{ready}/{all}"));
    if pod.restarts > 0 {
        parts.push(format!("{} {}", env.t(Msg::Restarts), pod.restarts));
    }
    parts.extend(
        [&pod.ip, &pod.node]
            .into_iter()
            .filter(|text| !text.is_empty())
            .cloned(),
    );
    parts.extend(
        pod.containers
            .iter()
            .filter(|container| !container.reason.is_empty())
            .map(|container| format!("{}: {}", container.name, container.reason)),
    );
    parts.join(" · ")
}

fn sign(state: State, pod: &PodRow, x: f64, y: f64, radius: f64) -> Html {
    if radius < 6.0 {
        return html! {};
    }
    let unit = radius / 23.0;
    let cross = |size: f64| {
        let s = size * unit;
        html! { <path class="sign onempty" d={format!("M{} {}l{} {}m0 {}l{} {}", x - s, y - s, 2.0 * s, 2.0 * s, -2.0 * s, -2.0 * s, 2.0 * s)} /> }
    };
    match state {
        State::Terminating => return cross(4.0),
        State::Unknown => {
            return html! { <text x={x.to_string()} y={(y + 4.0 * unit).to_string()} text-anchor="middle" class="name">{ "?" }</text> };
        }
        State::Succeeded => {
            return html! { <path class="sign onempty" d={tick(x, y, 1.5 * unit)} /> };
        }
        _ => {}
    }
    let inits = pod
        .containers
        .iter()
        .filter(|container| container.is_init && !container.is_sidecar)
        .count();
    let squares: Vec<&Container> = pod
        .containers
        .iter()
        .filter(|container| !container.is_init || container.is_sidecar)
        .take(4)
        .collect();
    let (size, gap) = match squares.len() {
        0 | 1 => (12.0 * unit, 0.0),
        2 => (9.0 * unit, 3.0 * unit),
        _ => (7.0 * unit, 2.0 * unit),
    };
    let all = squares.len().max(1) as f64;
    let left = x - (all * size + (all - 1.0) * gap) / 2.0;
    html! {
        <>
            { for squares.iter().enumerate().map(|(index, container)| {
                let cx = left + index as f64 * (size + gap) + size / 2.0;
                square(container, cx, y, size)
            }) }
            if squares.is_empty() {
                <rect class="hollow" x={(x - size / 2.0).to_string()} y={(y - size / 2.0).to_string()} width={size.to_string()} height={size.to_string()} rx={(2.5 * unit).to_string()} />
            }
            if inits > 0 {
                <path class="sign onempty" d={format!("M{} {}v{}", left - 4.0 * unit, y - size / 2.0, size)} />
            }
        </>
    }
}

fn square(container: &Container, x: f64, y: f64, size: f64) -> Html {
    let unit = size / 12.0;
    let is_full = container.state == ContainerState::Running && !container.is_sidecar
        || container.state == ContainerState::Done;
    let class = if is_full { "full" } else { "hollow" };
    let mark = match container.state {
        ContainerState::Running if container.ready => {
            let on = if is_full {
                "sign onfull"
            } else {
                "sign onempty"
            };
            html! { <path class={on} d={tick(x, y, unit)} /> }
        }
        ContainerState::Failed => {
            let s = 3.0 * unit;
            html! { <path class="sign onempty" d={format!("M{} {}l{} {}m0 {}l{} {}", x - s, y - s, 2.0 * s, 2.0 * s, -2.0 * s, -2.0 * s, 2.0 * s)} /> }
        }
        _ => html! {},
    };
    html! {
        <g key={container.name.clone()}>
            <rect {class} x={(x - size / 2.0).to_string()} y={(y - size / 2.0).to_string()} width={size.to_string()} height={size.to_string()} rx={(2.5 * unit).to_string()} />
            { mark }
        </g>
    }
}

fn tick(x: f64, y: f64, unit: f64) -> String {
    format!(
        "M{:.2} {y:.2}l{:.2} {:.2}L{:.2} {:.2}",
        x - 3.0 * unit,
        2.2 * unit,
        2.4 * unit,
        x + 3.2 * unit,
        y - 2.6 * unit
    )
}

/// A hexagon that stands on a corner, its corners rounded; a failed one has a notch at its upper right.
pub(crate) fn hexagon(cx: f64, cy: f64, r: f64, is_notched: bool) -> String {
    const CORNERS: [(f64, f64); 6] = [
        (0.0, -1.0),
        (0.866, -0.5),
        (0.866, 0.5),
        (0.0, 1.0),
        (-0.866, 0.5),
        (-0.866, -0.5),
    ];
    let corner = |index: usize| (cx + r * CORNERS[index % 6].0, cy + r * CORNERS[index % 6].1);
    let cut = 0.22;
    let towards = |from: (f64, f64), to: (f64, f64)| {
        (
            from.0 + (to.0 - from.0) * cut,
            from.1 + (to.1 - from.1) * cut,
        )
    };
    let mut path = String::new();
    for index in 0..6 {
        let (before, here, after) = (corner(index + 5), corner(index), corner(index + 1));
        let (start, end) = (towards(here, before), towards(here, after));
        let letter = if index == 0 { 'M' } else { 'L' };
        path.push_str(&format!(
            "{letter}{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
            start.0, start.1, here.0, here.1, end.0, end.1
        ));
        if is_notched && index == 0 {
            let half = ((here.0 + after.0) / 2.0, (here.1 + after.1) / 2.0);
            path.push_str(&format!(
                "L{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}",
                half.0 - r * 0.13,
                half.1 - r * 0.075,
                half.0 - r * 0.17,
                half.1 + r * 0.3,
                half.0 + r * 0.13,
                half.1 + r * 0.075
            ));
        }
    }
    path.push('Z');
    path
}

/// `web-…4htzr`: the first word and the suffix tell pods apart.
pub(crate) fn short(name: &str) -> String {
    let letters = name.chars().count();
    if letters <= 14 {
        return String::from(name);
    }
    let first = name.split('-').next().unwrap_or(name);
    let head: String = first.chars().take(7).collect();
    let tail: String = name.chars().skip(letters - 5).collect();
    format!("{head}-…{tail}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_long_name_keeps_what_tells_it_apart() {
        assert_eq!(super::short("web-7c5ddbdf54-4htzr"), "web-…4htzr");
        assert_eq!(super::short("coredns"), "coredns");
    }
}
