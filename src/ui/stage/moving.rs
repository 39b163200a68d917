//! The dots: messages along their lines, with what they say.

use yew::prelude::*;

use crate::flights::{Flight, Line};
use crate::stage::geometry::Plan;

/// Draws one message. The browser moves it; the application takes it away when it has arrived.
pub(crate) fn dot(
    flight: &Flight,
    plan: &Plan,
    node_index: impl Fn(&str) -> Option<usize> + Copy,
) -> Html {
    let Some(path) = plan.line(&flight.line, node_index) else {
        return html! { <g key={flight.id.to_string()} /> };
    };
    let time = format!("--for:{:.0}ms", flight.lasts_ms);
    let size = 5.0 + (f64::from(flight.count).sqrt() - 1.0).min(4.0);
    let class = classes!(
        "dot",
        flight.is_inward.then_some("back"),
        flight.is_error.then_some("error"),
        flight.is_routine.then_some("routine")
    );
    let (size, halo) = if flight.is_routine {
        (2.5, 5.0)
    } else {
        (size, size * 2.0)
    };
    html! {
        <g {class} key={flight.id.to_string()} style={format!("offset-path:path('{path}');{time}")}>
            <circle class="halo" r={halo.to_string()} />
            <circle class="core-dot" r={size.to_string()} />
        </g>
    }
}

/// What is written beside the lines: one label per line, that of the newest message on it.
pub(crate) fn tags(
    flights: &[Flight],
    plan: &Plan,
    node_index: impl Fn(&str) -> Option<usize> + Copy,
) -> Html {
    let mut newest: Vec<&Flight> = Vec::new();
    for flight in flights.iter().filter(|flight| !flight.is_routine) {
        match newest.iter_mut().find(|other| other.line == flight.line) {
            Some(other) => *other = flight,
            None => newest.push(flight),
        }
    }
    // Where many nodes speak at once their labels would cover each other: one speaks for all of a word.
    let mut said: Vec<&str> = Vec::new();
    newest.retain(|flight| {
        let is_node = matches!(flight.line, Line::Node(_));
        let is_new = !is_node || !said.contains(&&*flight.label);
        if is_node {
            said.push(&flight.label);
        }
        is_new
    });
    html! {
        <g aria-hidden="true">
            { for newest.iter().map(|flight| tag(flight, plan, node_index)) }
        </g>
    }
}

fn tag(flight: &Flight, plan: &Plan, node_index: impl Fn(&str) -> Option<usize>) -> Html {
    let (x, y) = plan.label(&flight.line, node_index);
    let text = if flight.count > 1 {
        format!("{} ×{}", flight.label, flight.count)
    } else {
        String::from(&*flight.label)
    };
    let width = crate::dom::columns(&text) as f64 * 6.5 + 16.0;
    let x = x.clamp(
        width / 2.0 + 2.0,
        (plan.width - width / 2.0 - 2.0).max(width / 2.0 + 2.0),
    );
    html! {
        <g key={flight.id.to_string()} class={classes!("tag", flight.is_error.then_some("error"))} style={format!("--for:{:.0}ms", flight.lasts_ms)}>
            <rect x={format!("{:.1}", x - width / 2.0)} y={format!("{:.1}", y - 10.0)} width={format!("{width:.1}")} height="20" rx="10" />
            <text x={format!("{x:.1}")} y={format!("{:.1}", y + 4.0)} text-anchor="middle">{ text }</text>
        </g>
    }
}
