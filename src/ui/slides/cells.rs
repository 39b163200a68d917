//! The parts of a slide that live: a manifest with Apply, lines with Run, a task that turns green.

use playground::deck::{Cell, Task, sentence};
use yew::prelude::*;

use super::blocks::{Drawing, inlines};
use crate::action::Action;
use crate::icons::{Icon, icon};
use crate::words::Msg;

pub(super) fn cell(drawing: &Drawing, cell: &Cell) -> Html {
    let env = drawing.env;
    match cell {
        Cell::Apply(apply) => {
            let open = |is_applied: bool| {
                env.on(Action::Open {
                    name: apply.name.clone(),
                    text: apply.yaml.clone(),
                    apply: is_applied,
                })
            };
            html! {
                <div class="cell">
                    <div class="row">
                        <span class="mono" lang="en">{ apply.name.clone() }</span>
                        if !drawing.is_picture {
                            <button class="tool" onclick={open(false)}>{ env.t(Msg::ToEditor) }</button>
                            <button class="btn" onclick={open(true)}>{ env.t(Msg::Apply) }</button>
                        }
                    </div>
                    { drawing.code(&apply.yaml, &apply.highlight) }
                </div>
            }
        }
        Cell::Run(run) => html! {
            <div class="cell">
                <div class="row">
                    <span class="mono" lang="en">{ run.lines.join("\n") }</span>
                    if !drawing.is_picture {
                        <button class="btn" onclick={env.on(Action::Run(run.lines.clone()))}>{ icon(Icon::Run) }{ env.t(Msg::Run) }</button>
                    }
                </div>
            </div>
        },
        Cell::Task(task) => html! { <div class="cell">{ task_row(drawing, task) }</div> },
        Cell::Stage(stage) => html! {
            <p><button class="btn ghost" onclick={env.on(Action::Show(stage.view))}>{ env.t(Msg::ShowStage) }</button></p>
        },
    }
}

fn task_row(drawing: &Drawing, task: &Task) -> Html {
    let env = drawing.env;
    let (met, done, of, mistake) = match drawing.tasks.get(&task.id) {
        Some((progress, mistake)) => (progress.met, progress.done, progress.of, mistake.clone()),
        None => (false, 0, task.goals.len() as u32, None),
    };
    let share = if of == 0 {
        0.0
    } else {
        f64::from(done) / f64::from(of)
    };
    let share = if met { 1.0 } else { share };
    const AROUND: f64 = 47.1;
    html! {
        <div class="task" data-testid="task" data-met={met.to_string()} role="group" aria-label={task.title(env.lang).to_string()}>
            if met {
                <svg key="done" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><circle cx="9" cy="9" r="8" fill="var(--state-ready)" /><path d="M5 9.2l2.800 2.800L13 6.400" stroke="var(--panel)" stroke-width="1.8" fill="none" /></svg>
            } else {
                <svg key="open" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <circle cx="9" cy="9" r="7.5" fill="none" stroke="var(--line)" stroke-width="1.6" />
                    <circle cx="9" cy="9" r="7.5" fill="none" stroke="var(--state-ready)" stroke-width="1.6" stroke-dasharray={format!("{:.1} 99", AROUND * share)} transform="rotate(-90 9 9)" />
                </svg>
            }
            <span key="title">{ task.title(env.lang).to_string() }</span>
            <b key="count" role="status">{ if met { String::from(env.t(Msg::Done)) } else { format!("{done} / {of}") } }</b>
            <span key="track" class="track"><i style={format!("width:{:.0}%", share * 100.0)}></i></span>
            if met && !task.done.is_empty() {
                <small key="after">{ inlines(&sentence(task.done.get(env.lang))) }</small>
            } else if let Some(mistake) = mistake {
                <small key="mistake" class="mistake">{ env.said(&mistake).to_string() }</small>
            } else if let Some((first, rest)) = task.hints.split_first() {
                <small key="hint">
                    <details><summary>{ env.t(Msg::Hint) }</summary>
                        <p>{ inlines(&sentence(first.get(env.lang))) }</p>
                        { for rest.iter().enumerate().map(|(index, hint)| html! { <details key={index}><summary>{ format!("{} {}", env.t(Msg::Hint), index + 2) }</summary>{ inlines(&sentence(hint.get(env.lang))) }</details> }) }
                    </details>
                </small>
            }
        </div>
    }
}
