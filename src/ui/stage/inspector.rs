//! One object from near: summary, YAML, events, and why it is as it is.

use playground::{Detail, ObjectRef, ObjectRow, Verdict, Why};
use yew::prelude::*;

use crate::action::Action;
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon, kind_icon};
use crate::stage::doing;
use crate::stage::follow::actor;
use crate::words::Msg;
use crate::world::{Machine, age, clock, state_class};
use std::rc::Rc;

/// What the inspector is given. `revision` and `tick` change when it should ask again.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct InspectorProps {
    pub(crate) object: ObjectRef,
    pub(crate) row: Option<Rc<ObjectRow>>,
    /// Of a node, its machine.
    pub(crate) machine: Option<Rc<Machine>>,
    /// The store's revision: an answer is good as long as nothing was written.
    pub(crate) revision: u64,
    /// The present time in whole seconds, for ages.
    pub(crate) second: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Summary,
    Yaml,
    Events,
    Why,
}

#[component]
pub(crate) fn Inspector(props: &InspectorProps) -> Html {
    let env = use_env();
    let tab = use_state_eq(|| None::<Tab>);
    let detail = use_memo(
        (props.object.clone(), props.revision, env.engine.clone()),
        |(object, _, engine)| engine.0.borrow().inspect(object),
    );
    let has_why = detail
        .as_ref()
        .as_ref()
        .is_some_and(|detail| detail.why.is_some());
    let tabs: Vec<(Tab, Msg)> = [
        (Tab::Summary, Msg::Summary),
        (Tab::Yaml, Msg::Yaml),
        (Tab::Events, Msg::Events),
        (Tab::Why, Msg::Why),
    ]
    .into_iter()
    .filter(|(tab, _)| *tab != Tab::Why || has_why)
    .collect();
    let is_waiting = props.row.as_ref().is_some_and(|row| {
        matches!(
            row.state,
            playground::State::Pending | playground::State::Failed
        )
    });
    let natural = if has_why && is_waiting {
        Tab::Why
    } else {
        Tab::Summary
    };
    let chosen = tab
        .filter(|tab| tabs.iter().any(|(known, _)| known == tab))
        .unwrap_or(natural);
    let (state, status) = match &props.row {
        Some(row) => (
            row.state,
            row.pod
                .as_ref()
                .map_or_else(|| format!("{:?}", row.state), |pod| pod.status.clone()),
        ),
        None => (playground::State::Plain, String::new()),
    };
    let close = env.on(Action::Select(None));
    let escape = {
        let env = env.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.stop_propagation();
                env.act(Action::Select(None));
            }
        })
    };
    html! {
        <aside class={classes!("inspector", state_class(state))} aria-label={props.object.name.clone()} data-testid="inspector" onkeydown={escape}>
            <div class="head" key="head">
                { kind_icon(&props.object.kind) }
                <h2>{ props.object.name.clone() }</h2>
                <span class="badge" hidden={status.is_empty() || status == "Plain"}>{ status }</span>
                <button class="tool icon" aria-label={env.t(Msg::Close)} title={env.t(Msg::Close)} onclick={close}>{ icon(Icon::Close) }</button>
                <small>{ about(&env, props) }</small>
            </div>
            <div class="tabs" key="tabs">
                <div role="tablist">
                    { for tabs.iter().map(|(each, msg)| {
                        let (tab, each) = (tab.clone(), *each);
                        html! { <button key={format!("{each:?}")} role="tab" aria-selected={(each == chosen).to_string()} onclick={Callback::from(move |_: MouseEvent| tab.set(Some(each)))}>{ env.t(*msg) }</button> }
                    }) }
                </div>
            </div>
            <div class="body" key="body" tabindex="0" role="tabpanel">
                { match (&*detail, chosen) {
                    (None, _) => html! { <p class="empty">{ env.t(Msg::Gone) }</p> },
                    (Some(detail), Tab::Summary) => html! { <>{ summary(&env, detail) }{ doings(&env, props) }</> },
                    (Some(detail), Tab::Yaml) => yaml(detail),
                    (Some(detail), Tab::Events) => events(&env, detail),
                    (Some(detail), Tab::Why) => detail.why.as_ref().map_or_else(|| html! { <p /> }, |why| reasons(&env, why)),
                } }
            </div>
        </aside>
    }
}

fn about(env: &Env, props: &InspectorProps) -> String {
    let object = &props.object;
    let mut text = object.kind.clone();
    if !object.namespace.is_empty() {
        text.push_str(&format!(" · {}", object.namespace));
    }
    if let Some(row) = &props.row {
        let lived = age((props.second * 1_000_000).saturating_sub(row.created));
        text.push_str(&match env.lang {
            playground::deck::Lang::Ja => format!(" · {} {lived}", env.t(Msg::OldSuffix)),
            playground::deck::Lang::En => format!(" · {lived} {}", env.t(Msg::OldSuffix)),
        });
    }
    text
}

fn summary(env: &Env, detail: &Detail) -> Html {
    html! {
        <dl>
            { for detail.facts.iter().enumerate().map(|(index, fact)| html! {
                <div key={index} style="display:contents">
                    <dt>{ env.said(&fact.name).to_string() }</dt>
                    <dd>
                        if let Some(link) = &fact.link {
                            <button class="lk" style="color:var(--accent)" onclick={env.on(Action::Select(Some(link.clone())))}>{ fact.value.clone() }</button>
                        } else {
                            { fact.value.clone() }
                        }
                    </dd>
                </div>
            }) }
        </dl>
    }
}

/// What can be done to it, each with the line that does it.
fn doings(env: &Env, props: &InspectorProps) -> Html {
    let doings = doing::of(
        &props.object,
        props.row.as_deref(),
        props.machine.as_deref().map(|machine| &*machine.node),
    );
    if doings.is_empty() {
        return html! { <div /> };
    }
    html! {
        <div>
            <h3>{ env.t(Msg::Doings) }</h3>
            { for doings.into_iter().map(|(msg, command)| html! {
                <div class="fix" key={command.clone()}>
                    <span>{ env.t(msg) }</span>
                    <button class="btn ghost" onclick={env.on(Action::Run(vec![command.clone()]))}>{ env.t(Msg::Run) }</button>
                    <small class="mono" lang="en">{ command }</small>
                </div>
            }) }
        </div>
    }
}

fn yaml(detail: &Detail) -> Html {
    html! { <pre lang="en">{ for detail.yaml.lines().map(yaml_line) }</pre> }
}

/// One line of YAML with its key apart from its value.
pub(crate) fn yaml_line(line: &str) -> Html {
    let body = line.trim_start_matches([' ', '-']);
    let (indent, body) = line.split_at(line.len() - body.len());
    if body.starts_with('#') {
        return html! { <>{ indent.to_string() }<span class="y-com">{ body.to_string() }</span>{ "\n" }</> };
    }
    let end = body
        .find(": ")
        .or_else(|| body.ends_with(':').then(|| body.len() - 1));
    let (key, value) = match end {
        Some(end) => (&body[..end], &body[end..]),
        None => ("", body),
    };
    let (colon, value) = if key.is_empty() {
        ("", value)
    } else {
        value.split_at(value.len().min(if value.starts_with(": ") { 2 } else { 1 }))
    };
    let is_number = !value.is_empty()
        && value
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.');
    let class = if is_number || matches!(value, "true" | "false" | "null") {
        "y-num"
    } else {
        "y-str"
    };
    html! { <>{ indent.to_string() }<span class="y-key">{ key.to_string() }</span>{ colon.to_string() }<span {class}>{ value.to_string() }</span>{ "\n" }</> }
}

fn events(env: &Env, detail: &Detail) -> Html {
    if detail.events.is_empty() {
        return html! { <p class="empty">{ env.t(Msg::NoEvents) }</p> };
    }
    html! {
        <ol class="events" lang="en">
            { for detail.events.iter().rev().enumerate().map(|(index, event)| html! {
                <li key={index} class={classes!(event.is_warning.then_some("warn"))}>
                    <time class="num">{ clock(event.at) }</time><b>{ event.reason.clone() }</b>
                    if event.count > 1 { <span class="num">{ format!(" ×{}", event.count) }</span> }
                    <span style="color:var(--muted)">{ format!(" {}", event.from) }</span>
                    <div>{ event.message.clone() }</div>
                </li>
            }) }
        </ol>
    }
}

fn reasons(env: &Env, why: &Why) -> Html {
    html! {
        <div>
            <p class="lead" key="lead"><b>{ env.said(&why.lead).to_string() }</b>{ " " }{ env.said(&why.rest).to_string() }</p>
            if !why.nodes.is_empty() {
                <table key="table">
                    <thead><tr><th scope="col"></th>{ for why.plugins.iter().map(|plugin| html! { <th key={plugin.clone()} scope="col">{ plugin.clone() }</th> }) }</tr></thead>
                    <tbody>
                        { for why.nodes.iter().flat_map(|node| {
                            let row = html! {
                                <tr key={node.node.clone()} class={classes!((!node.reason.is_empty()).then_some("nb"))}>
                                    <td><b>{ node.node.clone() }</b></td>
                                    { for node.verdicts.iter().enumerate().map(|(index, verdict)| {
                                        let (class, sign, says) = match verdict.verdict {
                                            Verdict::Passed => ("yes", "✓", "passed"),
                                            Verdict::Refused => ("no", "✕", "refused"),
                                            Verdict::NotAsked => ("na", "·", "not asked"),
                                        };
                                        html! { <td key={index} {class}><span aria-hidden="true">{ sign }</span><span class="sr">{ says }</span>
                                            if let Some(score) = verdict.score { <small>{ format!(" {score}") }</small> }</td> }
                                    }) }
                                </tr>
                            };
                            let reason = (!node.reason.is_empty()).then(|| html! {
                                <tr key={format!("{}-reason", node.node)} class="reason"><td colspan={(why.plugins.len() + 1).to_string()}>{ node.reason.clone() }</td></tr>
                            });
                            std::iter::once(row).chain(reason)
                        }) }
                    </tbody>
                </table>
            }
            if !why.fixes.is_empty() {
                <div key="fixes">
                    <h3>{ env.t(Msg::WouldFit) }</h3>
                    { for why.fixes.iter().enumerate().map(|(index, fix)| html! {
                        <div class="fix" key={index}>
                            <span>
                                { env.said(&fix.says).to_string() }
                                if let Some(command) = &fix.command { <span class="mono" style="font-size:var(--t-small)" lang="en">{ format!(" {command}") }</span> }
                            </span>
                            if let Some(command) = &fix.command {
                                <button class="btn ghost" onclick={env.on(Action::Run(vec![command.clone()]))}>{ env.t(Msg::Run) }</button>
                            }
                            <small>{ env.said(&fix.effect).to_string() }</small>
                        </div>
                    }) }
                </div>
            }
            if !why.history.is_empty() {
                <div key="history">
                    <h3>{ env.t(Msg::HowCame) }</h3>
                    <ol class="chain">
                        { for why.history.iter().enumerate().map(|(index, step)| html! {
                            <li key={index}><time>{ &clock(step.at)[3..] }</time><b>{ actor(&step.part) }</b>{ " " }{ env.said(&step.says).to_string() }</li>
                        }) }
                    </ol>
                </div>
            }
        </div>
    }
}
