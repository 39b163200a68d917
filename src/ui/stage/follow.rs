//! The story beneath the picture: from what the user did to what came of it, one step at a time.

use std::rc::Rc;

use playground::{Chain, Part};
use yew::prelude::*;

use crate::action::Action;
use crate::env::use_env;
use crate::words::Msg;

/// What the strip is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct FollowProps {
    pub(crate) chain: Rc<Chain>,
    /// The step that is shown; `None` is the latest.
    pub(crate) step: Option<usize>,
}

#[component]
pub(crate) fn Follow(props: &FollowProps) -> Html {
    let env = use_env();
    let steps = &props.chain.steps;
    let Some(last) = steps.len().checked_sub(1) else {
        return html! { <div class="follow"><span class="says" style="color:var(--muted)">{ env.t(Msg::FollowEmpty) }</span></div> };
    };
    let shown = props.step.unwrap_or(last).min(last);
    let step = &steps[shown];
    let subject = props.chain.subject.clone();
    html! {
        <div class="follow" role="group" aria-label={env.t(Msg::HowCame)}>
            <span class="steps" key="steps">
                { for steps.iter().enumerate().map(|(index, step)| html! {
                    <button key={index} class={classes!((index < shown).then_some("past"))} aria-current={(index == shown).then_some("step")}
                        aria-label={format!("{} {}: {} {}", env.t(Msg::FollowStep), index + 1, actor(&step.part), env.said(&step.says))}
                        onclick={env.on(Action::FollowStep(Some(index)))}>{ index + 1 }</button>
                }) }
            </span>
            <div class="says" key="says" aria-live="polite">
                <p><b>{ actor(&step.part) }</b>{ " " }{ env.said(&step.says).to_string() }</p>
                <div class="raw mono" lang="en">{ step.raw.clone() }</div>
            </div>
            <span class="sp" key="space"></span>
            if props.step.is_some() {
                <button key="live" class="tool" onclick={env.on(Action::FollowStep(None))}>{ env.t(Msg::FollowLive) }</button>
            }
            if !subject.name.is_empty() {
                <button key="why" class="btn ghost" onclick={env.on(Action::Select(Some(subject)))}>{ env.t(Msg::WhyHere) }</button>
            }
        </div>
    }
}

/// Who acted, in the words of the picture.
pub(crate) fn actor(part: &Part) -> String {
    match part {
        Part::User => "kubectl".into(),
        Part::ApiServer => "kube-apiserver".into(),
        Part::Etcd => "etcd".into(),
        Part::Scheduler => "scheduler".into(),
        Part::Controller(name) => format!("{name} controller"),
        Part::CloudController(name) => format!("cloud {name} controller"),
        Part::Kubelet(node) => format!("kubelet ({node})"),
        Part::KubeProxy(node) => format!("kube-proxy ({node})"),
        Part::Runtime(node) => format!("runtime ({node})"),
        Part::Addon(name) => name.clone(),
    }
}
